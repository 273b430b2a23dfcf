"""How time goes on from row to row, as the user says."""

import datetime
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sklstm._series.frequency import check_freq, time_axis
from sklstm._series.labels import label_text, time_index
from tests.series.frequencies import HOURS, ZONES, many, moved, positions


@pytest.mark.parametrize(
    "freq",
    ["h", "60min", pd.Timedelta("1h"), np.timedelta64(1, "h"), datetime.timedelta(hours=1)],
    ids=repr,
)
def test_a_frequency_may_be_an_alias_or_a_time(freq):
    assert positions(HOURS, freq)[1501:1503] == [1501, 1838]


CALENDARS = ["B", "MS", "ME", "BMS", "BME", "QS", "QE-NOV", "YS", "YE", "W-WED", "2W-SUN", "SMS"]
CALENDARS += ["D", "3D", "2MS", "WOM-2TUE", "6h", "90s"]
CALENDARS += [
    pd.DateOffset(months=1, day=30),
    pd.offsets.CustomBusinessDay(weekmask="Sun Mon Tue"),
]


@st.composite
def labelled(draw, frequencies=CALENDARS):
    """Draw the labels of a frequency, the numbers of some of them, and the frequency."""
    freq, zone = draw(st.sampled_from(frequencies)), draw(st.sampled_from(ZONES))
    start = pd.Timestamp("2019-12-20") + pd.Timedelta(days=draw(st.integers(0, 400)))
    n_labels = draw(st.integers(2, 60))
    grid = pd.date_range(start, periods=n_labels + 1, freq=freq)[1:]  # the first may lie off it
    # Times that clocks skip or repeat are not on the grid of both.
    grid = grid.tz_localize(zone, ambiguous="NaT", nonexistent="NaT") if zone else grid
    assume(not grid.hasnans)
    kept = draw(st.lists(st.integers(0, n_labels - 1), min_size=1, max_size=60, unique=True))
    return grid, sorted(kept), freq


@many
@given(labelled())
def test_a_given_frequency_counts_the_labels_of_its_calendar(drawn):
    grid, kept, freq = drawn
    expected = [number - kept[0] for number in kept]
    assert positions(pd.DatetimeIndex(list(grid[kept])), freq) == expected


@many
@given(labelled(), st.integers(1, 59))
def test_a_fitted_frequency_counts_on_in_other_rows(drawn, n_fitted):
    grid, kept, freq = drawn
    n_fitted = min(n_fitted, len(kept))
    axis = time_axis(grid[kept[:n_fitted]], freq)
    for rows in (kept, kept[n_fitted - 1 :], kept[:1]):
        labels = grid[rows].tz_convert("Asia/Tokyo") if grid.tz is not None else grid[rows]
        expected = [number - rows[0] for number in rows]
        assert axis.positions(axis.ticks(labels), labels).tolist() == expected


@many
@given(labelled())
def test_the_next_labels_are_those_of_the_calendar(drawn):
    grid, kept, freq = drawn
    # Hours before the clocks change may be counted in UTC or in local time.
    hours = freq in ("6h", "90s") and grid.tz is not None
    assume(not hours or len({label.utcoffset() for label in grid}) == 1)
    axis = time_axis(grid[kept], freq)
    row = kept[0]
    ahead = axis.next_labels(grid, row, len(grid) - 1 - row)
    assert list(ahead) == list(grid[row + 1 :])


@many
@given(
    st.integers(-50, 50),
    st.integers(1, 7),
    st.lists(st.integers(2, 40), max_size=2),
    st.integers(1, 9),
)
def test_positions_of_integers_count_the_steps_left_out(start, step, holes, rows_between):
    steps = [0, *[1] * rows_between]
    for hole in holes:
        steps += [hole, *[1] * rows_between]
    expected = np.cumsum(steps)
    assume(rows_between > 2 or len(holes) < 2)
    index = pd.Index(start + step * expected)
    assert positions(index) == expected.tolist()
    assert positions(index, step) == expected.tolist()


@many
@given(
    st.sampled_from(["D", "h", "15min", "s", "M", "Q", "W", "2h", "2M"]),
    st.lists(st.integers(0, 90), min_size=2, unique=True),
)
def test_periods_count_in_their_own_frequency(freq, kept):
    kept = sorted(kept)
    periods = pd.period_range("2020-01-01", periods=100, freq=freq)
    expected = [number - kept[0] for number in kept]
    assert positions(periods[kept], freq) == expected
    axis = time_axis(periods[:9])
    assert axis.freq == periods.freqstr
    assert axis.next_labels(periods, 20, 9).equals(periods[21:30])


@many
@given(st.data())
def test_a_label_off_the_grid_is_refused_in_fit_and_later(data):
    grid, _, freq = data.draw(labelled(["h", "D", "MS", "BME", "W-WED", "90s"]))
    row = data.draw(st.integers(0, len(grid) - 1))
    off = grid[row] + pd.Timedelta(data.draw(st.sampled_from(["1s", "-1s", "11min", "1ns"])))
    fitted = time_axis(grid, freq)
    with pytest.raises(ValueError, match="off the grid of freq=") as error:
        fitted.positions(fitted.ticks(pd.DatetimeIndex([off])), pd.DatetimeIndex([off]))
    assert label_text(off) in str(error.value)


@many
@given(st.lists(st.integers(1, 1000), min_size=1, max_size=40), st.sampled_from([1, 2.5, "s"]))
def test_rows_follow_each_other_whatever_their_labels(steps, unit):
    numbers = np.cumsum([0, *steps])
    if unit == "s":
        index = pd.Timestamp("2024-01-01") + pd.to_timedelta(numbers, unit="s")
    else:
        index = pd.Index(numbers * unit)
    assert positions(index, "rows") == list(range(len(index)))
    assert all(after > before for before, after in pairwise(positions(index, "rows")))


@pytest.mark.parametrize(
    ("index", "freq", "message"),
    [
        (HOURS, 1, "does not fit: the index of X is of kind 'datetime'"),
        (HOURS, "moon", "is no frequency of pandas"),
        (HOURS, "D", "does not fit the index of X: .* labels lie off this grid"),
        (HOURS, "MS", "does not fit the index of X"),
        (HOURS, pd.Timedelta("-1h"), "does not go forward"),
        (pd.RangeIndex(9), "h", "kind 'integer', for which freq must be an int"),
        (pd.RangeIndex(9), 2, "does not fit the index of X"),
        (pd.Index([0.5, 1.5]), "h", "numbers with a fraction"),
        (pd.Index(["a", "b"]), "h", "text has no grid"),
        (pd.period_range("2024-01", periods=9, freq="M"), "D", "such as 'M'"),
        (pd.timedelta_range("0h", periods=9, freq="h"), "MS", "a fixed time such as 'h'"),
    ],
)
def test_a_frequency_that_does_not_fit_the_labels_is_refused(index, freq, message):
    with pytest.raises(ValueError, match=message) as error:
        time_axis(index, freq)
    assert "'rows'" in str(error.value)


@pytest.mark.parametrize("freq", [0, -1, 1.5, True, None, ["h"]])
def test_what_is_no_frequency_is_refused(freq):
    with pytest.raises(ValueError, match=r"freq must be .*, got"):
        check_freq(freq, has_index=True)
    with pytest.raises(ValueError, match=r"freq must be .*, got"):
        time_axis(HOURS, freq)


def test_a_frequency_without_an_index_is_refused():
    for freq in ("auto", "rows"):
        check_freq(freq, has_index=False)
    with pytest.raises(ValueError, match=r"no index.*set_output\(transform='pandas'\)"):
        check_freq("h", has_index=False)


def test_messages_name_the_argument():
    index = time_index(pd.Series(np.arange(3000.0), index=moved(HOURS, 9, "1s")), "series")
    with pytest.raises(ValueError, match="in the index of series"):
        time_axis(index, name="series")
