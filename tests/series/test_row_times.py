"""When rows are, and when their targets are known."""

import numpy as np
import pandas as pd
import pytest

from sklstm._series.panel import Panel
from sklstm._series.row_times import clock_of, known_at

TIMES_OF = [[0, 1, 2, 3], [0, 4, 5, 9], [7], [2, 9]]  # of the rows of each series
PANEL = Panel(
    list("abcd"),
    np.repeat(range(4), [len(times) for times in TIMES_OF]),
    pd.RangeIndex(10),
    np.concatenate(TIMES_OF),
)


@pytest.mark.parametrize("gap", [0, 1, 2, 9])
def test_a_target_is_known_just_before_the_time_of_its_row_or_of_the_last_row(gap):
    expected = [
        max(time, times[min(row + gap + 1, len(times) - 1)] - 1)
        for times in TIMES_OF
        for row, time in enumerate(times)
    ]
    numbers = np.arange(len(PANEL))
    assert known_at(PANEL, numbers, gap).tolist() == expected
    assert known_at(PANEL, numbers[::-2], gap).tolist() == expected[::-2]
    assert known_at(None, numbers, gap).tolist() == (numbers + gap).tolist()


def test_rows_of_several_series_are_at_their_times_and_those_of_one_at_their_numbers():
    assert clock_of(PANEL, np.array([6, 8])).tolist() == [5, 7]
    assert clock_of(None, np.array([6, 8])).tolist() == [6, 8]
