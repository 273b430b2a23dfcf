"""Holes between labels that can be read in two ways."""

import numpy as np
import pandas as pd
import pytest

from sklstm._series.frequency import time_axis
from tests.series.frequencies import positions


def bars(days, start, stop, freq):
    of_day = pd.timedelta_range(start, stop, freq=freq)
    return pd.DatetimeIndex([day + time for day in days for time in of_day])


PATTERNS = {
    "trading bars": (
        bars(pd.bdate_range("2020-01-01", periods=60), "9h30min", "16h", "30min"),
        "30min",
    ),
    "two nights": (
        bars(pd.date_range("2020-01-01", periods=3), "9h30min", "16h", "30min"),
        "30min",
    ),
    "opening hours": (bars(pd.date_range("2020-01-01", periods=60), "7h", "19h", "h"), "h"),
    "closed on Mondays": (
        pd.DatetimeIndex([d for d in pd.date_range("2020-01-01", periods=90) if d.weekday()]),
        "D",
    ),
    "closed at weekends": (
        pd.DatetimeIndex(
            [d for d in pd.date_range("2020-01-01", periods=2000, freq="h") if d.weekday() < 5]
        ),
        "h",
    ),
    "local nights": (
        bars(pd.date_range("2020-03-20", periods=30), "8h", "18h", "h").tz_localize("Europe/Rome"),
        "h",
    ),
    "no August": (
        pd.DatetimeIndex(
            [d for d in pd.date_range("2000", periods=120, freq="MS") if d.month != 8]
        ),
        "MS",
    ),
    "blocks": (pd.Index([i for i in range(500) if i % 50 < 40]), 1),
}


@pytest.mark.parametrize("name", PATTERNS)
def test_the_same_hole_again_and_again_is_open_and_both_answers_work(name):
    index, freq = PATTERNS[name]
    with pytest.raises(ValueError, match="again and again.*first") as error:
        time_axis(index)
    assert f"freq={freq!r} if they are, or freq='rows'" in str(error.value)
    assert positions(index, "rows") == list(range(len(index)))
    start, end = index[0], index[-1]
    grid = (
        range(start, end + 1)
        if freq == 1
        else pd.date_range(start, end, freq=freq if freq != "h" else "h")
    )
    by_label = {label: number for number, label in enumerate(grid)}
    assert positions(index, freq) == [by_label[label] for label in index]


@pytest.mark.parametrize("every", [0.15, 0.25, 0.4])
def test_rows_picked_from_a_regular_index_are_refused_with_their_numbers(every):
    kept = np.flatnonzero(np.random.default_rng(0).random(400) > every)
    left_out = kept[-1] - kept[0] + 1 - len(kept)
    places = np.count_nonzero(np.diff(kept) > 1)
    message = f"steps over {left_out} rows in {places} places, for {len(kept)} rows"
    with pytest.raises(ValueError, match=message):
        time_axis(pd.Index(kept))
    assert positions(pd.Index(kept), 1) == (kept - kept[0]).tolist()
    assert positions(pd.Index(kept), "rows") == list(range(len(kept)))


def test_business_days_picked_at_random_are_refused():
    kept = np.flatnonzero(np.random.default_rng(0).random(400) > 0.2)
    with pytest.raises(ValueError, match="picked from a series"):
        time_axis(pd.bdate_range("2020-01-01", periods=400)[kept])
