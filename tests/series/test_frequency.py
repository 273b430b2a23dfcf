"""How time goes on from row to row, as the user says."""

import dataclasses
import datetime
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sklstm._series.frequency import check_freq, panel_axis, time_axis
from sklstm._series.labels import kind_of, label_text, time_index
from sklstm._series.panel import panel_of
from sklstm._series.time_axis import TimeAxis
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
    with pytest.raises(ValueError, match=r"but X has no index.*set_output\(transform='pandas'\)"):
        check_freq("h", has_index=False)


def test_messages_name_the_argument():
    index = time_index(pd.Series(np.arange(3000.0), index=moved(HOURS, 9, "1s")), "series")
    with pytest.raises(ValueError, match="in the index of series"):
        time_axis(index, name="series")


DAYS = pd.date_range("2024-01-01", periods=60)
BERLIN = pd.date_range("2024-01-01", periods=9, tz="Europe/Berlin")
MONTHS = pd.period_range("2024-02", periods=9, freq="M")
DAY = 24 * 3600 * 10**9  # nanoseconds
TIMES = "an alias of pandas such as 'h', 'D' or 'MS', an offset or a time"


@pytest.mark.parametrize(
    ("index", "freq", "axis"),
    [
        (pd.Index([4, 7, 13]), np.int64(3), TimeAxis("integer", 3, "value", 3, anchor=1)),
        (MONTHS[1::2], "2M", TimeAxis("period[M]", "2M", "value", 2, anchor=MONTHS[1].ordinal % 2)),
        (MONTHS, "M", TimeAxis("period[M]", "M", "value", 1, anchor=0)),
        (
            pd.timedelta_range("1h", periods=9, freq="6h"),
            "6h",
            TimeAxis("timedelta64", "6h", "value", DAY // 4, unit="ns", anchor=DAY // 24),
        ),
        (
            HOURS[::2],
            pd.Timedelta("2h"),
            TimeAxis("datetime", "2h", "value", DAY // 12, unit="ns", anchor=0),
        ),
        (
            pd.date_range("2500-01-01", periods=9, freq="h", unit="us"),
            "h",
            TimeAxis("datetime", "h", "value", DAY // 24 // 1000, unit="us", anchor=0),
        ),
        (
            HOURS[::48] + pd.Timedelta("5h"),
            pd.offsets.Day(2),
            TimeAxis("datetime", "2D", "value", 2 * DAY, unit="ns", anchor=DAY // 24 * 5),
        ),
        (
            BERLIN,
            "D",
            TimeAxis("datetime with a time zone", "D", "wall", DAY, unit="ns",
                     zone="Europe/Berlin", anchor=0, other_anchor=DAY // 24 * 23),
        ),
        (
            BERLIN,
            "24h",
            TimeAxis("datetime with a time zone", "24h", "value", DAY, unit="ns",
                     zone="Europe/Berlin", anchor=DAY // 24 * 23, other_anchor=0),
        ),
        (
            pd.date_range("2024-01-01", periods=9, freq="MS"),
            "MS",
            TimeAxis("datetime", "MS", "calendar", 1, unit="ns", offset="MS",
                     anchor=pd.Timestamp("2024-09-01").value),
        ),
        (
            BERLIN,
            "rows",
            TimeAxis("datetime with a time zone", "rows", "rows", unit="ns", zone="Europe/Berlin"),
        ),
        (pd.Index([0.5, 0.7]), "rows", TimeAxis("floating", "rows", "rows")),
    ],
)  # fmt: skip
def test_the_axis_of_a_given_frequency(index, freq, axis):
    assert time_axis(index, freq) == dataclasses.replace(axis, given=True)


@pytest.mark.parametrize(
    ("index", "freq", "why", "expected"),
    [
        (pd.RangeIndex(9), "h", "does not fit", "an int, the step from label to label"),
        (HOURS, 1, "does not fit", TIMES),
        (HOURS, pd.Timedelta("-1h"), "does not go forward", TIMES),
        (HOURS, "0h", "does not go forward", TIMES),
        (pd.date_range("2500-01-01", periods=9, unit="us"), "1500ns", "is no whole number of us",
         TIMES),
        (HOURS - HOURS[0], "MS", "does not fit", "a fixed time such as 'h' or '30min'"),
        (MONTHS, "D", "does not fit", "a number of the index's own periods, such as 'M'"),
        (MONTHS, "moon", "does not fit", "a number of the index's own periods, such as 'M'"),
        (pd.Index([0.5]), "h", "does not fit",
         "'rows', since numbers with a fraction have no grid"),
        (pd.Index(["a"]), "h", "does not fit", "'rows', since text has no grid"),
    ],
)  # fmt: skip
def test_the_message_says_what_freq_may_be_for_labels_of_this_kind(index, freq, why, expected):
    with pytest.raises(ValueError, match="^freq=") as error:
        time_axis(index, freq, "y")
    assert str(error.value) == (
        f"freq={freq!r} {why}: the index of y is of kind {kind_of(index)!r}, for which freq must "
        f"be {expected}; or 'rows', if each row follows the one before it."
    )


@pytest.mark.parametrize(
    ("index", "freq", "message"),
    [
        (
            HOURS,
            "moon",
            r"^freq='moon' is no frequency of pandas \(.*\): the index of y is of kind",
        ),
        (HOURS[:9], "D", "^freq='D' does not fit the index of y: 8 of its 9 labels"),
        (MONTHS, "2M", "^freq='2M' does not fit the index of y: 4 of its 9 labels"),
        (pd.Index([2**62, 2**62 + 1]), 1, "^The index of y holds the integer"),
        (moved(DAYS, 7, "5h"), "D", "index of y lies off the grid of freq='D'"),
        (moved(DAYS.tz_localize("Europe/Berlin"), 7, "5h"), "D", "index of y lies off the grid"),
    ],
)
def test_labels_that_a_given_frequency_does_not_fit_are_named_with_their_argument(
    index, freq, message
):
    with pytest.raises(ValueError, match=message):
        time_axis(index, freq, "y")


def panel_of_series(*indexes):
    """Make the panel of series a, b, c, ... with these labels."""
    labels = [
        (name, label) for name, index in zip("abcd", indexes, strict=False) for label in index
    ]
    index = pd.MultiIndex.from_tuples(labels)
    if isinstance(indexes[0], pd.PeriodIndex | pd.DatetimeIndex):
        index = index.set_levels(index.levels[1].astype(indexes[0].dtype), level=1)
    return panel_of(index)


def test_several_series_have_the_axis_of_the_longest_one():
    axis = panel_axis(panel_of_series(DAYS[:3], DAYS[:30], DAYS[5:9]))
    assert axis == time_axis(DAYS[:30])
    assert panel_axis(panel_of_series(DAYS[:3], DAYS[:30]), "6h") == time_axis(DAYS[:30], "6h")
    assert panel_axis(panel_of_series(DAYS[:3], DAYS[:30:3]), "rows").freq == "rows"


@pytest.mark.parametrize("n_labels", [2, 3, 9])
def test_integers_of_several_series_that_read_as_dates_are_refused(n_labels):
    dates = [int(f"{day:%Y%m%d}") for day in DAYS[:n_labels]]
    panel = panel_of_series(dates[:1], dates)
    with pytest.raises(ValueError, match="^The last level") as error:
        panel_axis(panel, name="y")
    assert str(error.value) == (
        "The last level of the index of y holds integers that read as dates (20240101, 20240102, "
        "...). Turn them into times = pd.to_datetime(y.index.levels[-1].astype(str), "
        "format='%Y%m%d'), and put these in their place: y.index = y.index.set_levels(times, "
        "level=-1). Or say freq='rows' if each row follows the one before it."
    )
    with pytest.raises(ValueError, match="last level of the index of X .*X.index.levels"):
        panel_axis(panel)
    assert panel_axis(panel, "rows").freq == "rows"
    assert panel_axis(panel, 1).freq == 1


def test_series_of_one_row_or_of_other_integers_have_no_dates():
    assert panel_axis(panel_of_series([20240101], [20240101])).freq == "rows"
    assert panel_axis(panel_of_series([3, 4, 5], [4, 5])).freq == 1


def test_holes_of_all_series_are_counted_together():
    """Three holes may lie in 30 rows, a tenth of them; with fewer rows, the rows may be picked."""
    longest, other = DAYS[:16].delete([4, 9, 10]), DAYS[:10].delete(6)
    assert panel_axis(panel_of_series(other, longest, DAYS[:8])).freq == "D"
    picked = panel_of_series(other, longest, DAYS[:7])
    with pytest.raises(ValueError, match="index of y steps over 4 rows in 3 places, for 29 rows"):
        panel_axis(picked, name="y")
    assert panel_axis(picked, "D").freq == "D"
    assert panel_axis(picked, "rows").freq == "rows"


def test_two_holes_are_no_pattern_however_few_the_rows():
    assert panel_axis(panel_of_series(DAYS[[0, 1, 2, 4, 5]], DAYS[[0, 2, 3]])).freq == "D"


def test_an_error_names_the_series_and_the_argument():
    weekly = panel_of_series(DAYS, DAYS[::7])
    with pytest.raises(ValueError, match="^Series 'b': .*in the index of y .*of series 'a' with"):
        panel_axis(weekly, name="y")
    off = panel_of_series(DAYS, DAYS[:5] + pd.Timedelta("5h"))
    with pytest.raises(ValueError, match="^Series 'b': .* in the index of y lies off the grid"):
        panel_axis(off, name="y")
    longest = moved(DAYS, 7, "5h")
    with pytest.raises(ValueError, match="^Series 'b': .* in the index of y lies off the grid"):
        panel_axis(panel_of_series(DAYS[:5], longest), name="y")


def test_any_series_may_show_that_steps_are_in_local_time():
    winter = pd.date_range("2024-01-01", periods=40, freq="6h", tz="Europe/Berlin")
    spring = pd.date_range("2024-03-29", periods=20, freq="6h").tz_localize("Europe/Berlin")
    in_utc = pd.date_range("2024-03-28 23:00", periods=20, freq="6h", tz="UTC")
    in_utc = in_utc.tz_convert(winter.tz)
    assert panel_axis(panel_of_series(winter, winter[:5])).other_anchor is not None
    for other, scale in ((spring, "wall"), (in_utc, "value")):
        axis = panel_axis(panel_of_series(winter, other, winter[:5]))
        assert (axis.scale, axis.other_anchor) == (scale, None)
