"""Windows over rows that follow a history, against a plain Python loop."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklstm._series.placement import windows_after
from sklstm._series.window_array import WindowArray

quick = settings(deadline=None, max_examples=150, database=None)


def looped_windows(values, positions, n_past, window_size, dilation, padding):
    known = dict(zip(positions, values, strict=True))
    windows = np.full((len(values) - n_past, window_size, 1), np.nan)
    for window, end in zip(windows, positions[n_past:], strict=True):
        for step in range(window_size):
            position = end - (window_size - 1 - step) * dilation
            if padding == "edge":  # the row before, or the first row
                position = max([other for other in known if other <= position], default=0)
            window[step] = known.get(position, np.nan)
    return windows


def has_holes(positions):
    return any(np.diff(positions) > 1)


@quick
@given(
    steps=st.lists(st.sampled_from([1, 1, 1, 2, 3, 50]), max_size=14),
    n_past=st.integers(0, 8),
    window_size=st.integers(1, 6),
    dilation=st.integers(1, 3),
    padding=st.sampled_from(["nan", "edge"]),
)
def test_windows_after_a_history_equal_a_loop(steps, n_past, window_size, dilation, padding):
    positions = np.cumsum([0, *steps])
    n_past = min(n_past, len(steps))
    values = 1.0 + np.arange(len(positions))[:, np.newaxis]
    past, rows = values[:n_past], values[n_past:]
    windows = windows_after(past, rows, positions, window_size, dilation, padding)
    expected = looped_windows(values, positions, n_past, window_size, dilation, padding)
    np.testing.assert_array_equal(windows, expected)
    assert isinstance(windows, WindowArray) == (window_size > 1 and has_holes(positions[n_past:]))
    assert not windows[0].flags.writeable


@pytest.mark.parametrize("padding", ["nan", "edge"])
@pytest.mark.parametrize("n_past", [0, 2, 9, 20])
def test_rows_without_positions_follow_each_other(n_past, padding):
    values = 1.0 + np.arange(30)[:, np.newaxis]
    past, rows = values[:n_past], values[n_past:]
    expected = windows_after(past, rows, np.arange(30), 4, 3, padding)
    np.testing.assert_array_equal(windows_after(past, rows, None, 4, 3, padding), expected)
