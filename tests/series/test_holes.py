"""Holes between labels that can be read in two ways."""

import numpy as np
import pandas as pd
import pytest

from sklstm._series.frequency import time_axis
from sklstm._series.holes import refuse_pattern
from sklstm._series.time_axis import TimeAxis
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


def is_refused(labels):
    """Whether these integers leave out the same again and again; times of the day have none."""
    try:
        refuse_pattern(labels, labels, TimeAxis("integer", 1, "value"), pd.Index(labels))
    except ValueError:
        return True
    return False


def stretches(lengths, last=7):
    """Rows with a hole of one row before each stretch of these lengths, and before the last."""
    labels, start = list(range(5)), 6
    for length in [*lengths, last]:
        labels += range(start, start + length)
        start += length + 1
    return np.array(labels)


@pytest.mark.parametrize(
    ("lengths", "last", "refused"),
    [
        ([20] * 3, 7, False),
        ([20] * 4, 7, True),
        ([20] * 4 + [21, 23, 25, 27], 7, True),  # half of all
        ([20] * 4 + [21, 23, 25, 27, 29], 7, False),
        ([length for other in range(30, 38) for length in (20, other)], 7, True),
        ([length for other in range(30, 37) for length in (20, other)], 7, False),
        ([2] * 8, 7, True),
        ([1] * 8, 7, False),  # as in rows picked at random
        ([1] * 8, 76, False),
        ([1] * 8, 77, True),  # nine holes in ninety rows
    ],
)
def test_stretches_of_one_length_are_a_pattern_if_they_are_many(lengths, last, refused):
    assert is_refused(stretches(lengths, last)) is refused


@pytest.mark.parametrize(
    ("hours", "n_hours", "refused"),
    [
        ([3], 49, False),  # once on either day, which may be chance
        ([3, 4], 49, True),
        ([3], 73, True),
        ([3, 4], 48, False),  # the second day is not over
    ],
)
@pytest.mark.parametrize("unit", ["s", "us", "ns"])
def test_hours_without_a_row_on_any_day_are_a_pattern(hours, n_hours, refused, unit):
    index = pd.date_range("2024-01-01", periods=n_hours, freq="h").as_unit(unit)
    index = index[~np.isin(index.hour, hours)]
    if refused:
        with pytest.raises(ValueError, match="again and again"):
            time_axis(index)
    else:
        assert time_axis(index).freq == "h"


def test_the_next_rows_without_a_hole_are_no_pattern():
    index = pd.date_range("2024-01-01", periods=100, freq="h")
    axis = time_axis(index)
    refuse_pattern(axis.ticks(index), np.arange(5, 105), axis, index)


@pytest.mark.parametrize(
    ("freq", "n", "closed", "others"),
    [
        ("h", 35 * 24, [5, 6], [29, 257, 587]),
        ("D", 140, [0], [2, 11, 23, 38, 52, 72, 101, 115]),
    ],
)
def test_days_of_the_week_without_a_row_are_a_pattern_among_other_holes(freq, n, closed, others):
    index = pd.date_range("2024-01-01", periods=n, freq=freq)
    index = index[~np.isin(index.day_of_week, closed)].difference(index[others])
    with pytest.raises(ValueError, match="again and again"):
        time_axis(index)
