"""How time goes on from row to row: given, or read from the index."""

import dataclasses
import datetime
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sklstm._series.frequency import check_freq, time_axis
from sklstm._series.labels import time_index
from sklstm._series.time_axis import TimeAxis

many = settings(deadline=None, max_examples=500, database=None)


def positions(index, freq="auto"):
    axis = time_axis(index, freq)
    return axis.positions(axis.ticks(index), index).tolist()


@pytest.mark.parametrize(
    "index",
    [
        [datetime.date(2024, 1, day) for day in (1, 2, 3, 4, 6, 7)],
        pd.Index([datetime.datetime(2024, 1, day) for day in (1, 2, 3, 4, 6, 7)], dtype=object),
        pd.DatetimeIndex([f"2024-01-0{day}" for day in (1, 2, 3, 4, 6, 7)]),
        pd.Index(list(pd.period_range("2024-01-01", periods=7).delete(4)), dtype=object),
        pd.date_range("2024-01-01", periods=7).delete(4).astype("timestamp[ns][pyarrow]"),
        pd.date_range("3024-01-01", periods=7, unit="s").delete(4),
        pd.date_range("1024-01-01", periods=7, unit="s").delete(4),
        pd.Index([0, 1, 2, 3, 5, 6], dtype="int64[pyarrow]"),
        pd.Index([0, 1, 2, 3, 5, 6], dtype=object),
    ],
    ids=[
        "dates",
        "datetimes",
        "DatetimeIndex",
        "periods",
        "arrow times",
        "year 3024",
        "year 1024",
        "arrow integers",
        "integers",
    ],
)
def test_times_and_numbers_have_a_time_axis_however_they_are_stored(index):
    index = time_index(pd.Series(np.zeros(6), index=index))
    assert positions(index) == [0, 1, 2, 3, 5, 6]


# ---- "auto": what the index says -----------------------------------------------------------


@pytest.mark.parametrize(
    ("index", "freq"),
    [
        (pd.RangeIndex(9), 1),
        (pd.RangeIndex(0, 90, 10), 10),
        (pd.Index(np.arange(5, 9, dtype=np.uint8)), 1),
        (pd.Index(range(5), dtype="Int64"), 1),
        (pd.date_range("2024-01-01", periods=9, freq="h"), "h"),
        (pd.date_range("2024-01-01", periods=9, freq="90s"), "90s"),
        (pd.date_range("2024-01-01", periods=9, freq="1500ns"), "1500ns"),
        (pd.date_range("2024-01-01", periods=9, unit="s"), "D"),
        (pd.date_range("2024-01-01", periods=9, freq="2D"), "2D"),
        (pd.date_range("2024-01-01", periods=9, freq="W-FRI"), "W-FRI"),
        (pd.date_range("2024-01-01", periods=9, freq="14D"), "14D"),
        (pd.bdate_range("2024-01-01", periods=9), "rows"),
        (pd.bdate_range("2024-01-01", periods=30).delete([8, 20]), "rows"),
        (pd.date_range("2024-01-01", periods=9, freq="MS"), "MS"),
        (pd.date_range("2024-01-01", periods=9, freq="ME"), "ME"),
        (pd.date_range("2024-01-01", periods=9, freq="BMS"), "BMS"),
        (pd.date_range("2024-01-01", periods=9, freq="BME"), "BME"),
        (pd.date_range("2024-01-01", periods=9, freq="QS"), "3MS"),
        (pd.date_range("2024-01-01", periods=9, freq="YE"), "12ME"),
        (pd.date_range("2024-01-01", periods=9, freq="WOM-3FRI"), "WOM-3FRI"),
        (pd.date_range("2024-03-28", periods=9, tz="Europe/Berlin"), "D"),
        (pd.date_range("2024-03-31", periods=9, freq="h", tz="Europe/Berlin"), "h"),
        (pd.period_range("2024-01", periods=9, freq="M"), "M"),
        (pd.period_range("2024-01", periods=9, freq="15min"), "15min"),
        (pd.period_range("2024-01", periods=9, freq="2M"), "2M"),
        (pd.period_range("2024-01", periods=18, freq="h")[::3], "3h"),
        (pd.timedelta_range("0h", periods=9, freq="h"), "h"),
        (pd.DatetimeIndex(["2024-01-01", "2024-01-02", "2024-01-09 07:00"]), "rows"),
        (pd.Index([0.0, 0.5, 1.0, 7.0]), "rows"),
        (pd.Index(["a", "b", "c"]), "rows"),
        (pd.date_range("2024-01-01", periods=1), "rows"),
    ],
    ids=str,
)
def test_the_frequency_of_an_index(index, freq):
    assert time_axis(index).freq == freq
    assert positions(index) == list(range(len(index)))


def test_six_hours_of_the_local_day_are_regular():
    hours = pd.date_range("2024-03-28", periods=40, freq="6h").tz_localize("Europe/Berlin")
    assert (time_axis(hours).freq, time_axis(hours).scale) == ("6h", "wall")
    assert positions(hours.delete([7, 8])) == np.delete(np.arange(40), [7, 8]).tolist()


def test_times_beyond_the_range_of_nanoseconds_are_counted():
    days = pd.date_range("2500-01-01", periods=9, unit="s")
    assert positions(days.delete(4)) == [0, 1, 2, 3, 5, 6, 7, 8]
    fitted = time_axis(days)
    off = pd.DatetimeIndex(["2200-01-01 00:00:00.000000001"]).as_unit("ns")
    with pytest.raises(ValueError, match="cannot be counted"):
        fitted.ticks(off)
    with pytest.raises(ValueError, match="cannot be counted"):
        time_axis(pd.date_range("2024-01-01", periods=9)).ticks(days)


def test_integers_that_fit_no_64_bits_are_refused_and_the_advice_works():
    index = pd.Index(np.arange(9, dtype=np.uint64) + np.uint64(2**63))
    with pytest.raises(ValueError, match=r"below 2\*\*62.*X.index - X.index\[0\]"):
        time_axis(index)
    assert positions(index - index[0]) == list(range(9))


# ---- "auto": what the index leaves open ----------------------------------------------------

HOURS = pd.date_range("2020-01-01", periods=3336, freq="h").delete(range(1502, 1838))


def moved(index, row, by):
    return pd.DatetimeIndex([*index[:row], index[row] + pd.Timedelta(by), *index[row + 1 :]])


@pytest.mark.parametrize("freq", ["auto", "h"])
@pytest.mark.parametrize("by", ["1s", "-1s", "30min", "1ns"])
def test_a_label_off_the_grid_of_the_others_is_named_and_the_advice_works(freq, by):
    off = moved(HOURS, 2500, by)
    with pytest.raises(ValueError, match="off the grid of freq='h'") as error:
        time_axis(off, freq)
    assert repr(off[2500]) in str(error.value)
    assert "X.index.round('h')" in str(error.value)
    if by != "30min":
        assert positions(off.round("h"))[1501:1503] == [1501, 1838]
    assert positions(off, "rows") == list(range(3000))


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


@pytest.mark.parametrize("form", ["%Y%m%d", "%Y%m", "%Y%m%d%H", "%Y%m%d%H%M"])
def test_integers_that_are_dates_are_open_and_both_answers_work(form):
    freq = "MS" if form == "%Y%m" else "D"
    days = pd.date_range("2020-01-01", periods=70, freq=freq)
    index = pd.Index(days.strftime(form).astype(np.int64))
    with pytest.raises(ValueError, match="integers that read as dates.*pd.to_datetime") as error:
        time_axis(index)
    assert f"format={form!r}" in str(error.value)
    assert pd.to_datetime(index.astype(str), format=form).equals(days)
    assert positions(index, "rows") == list(range(70))


@pytest.mark.parametrize(
    "index",
    [
        pd.RangeIndex(20_000_000, 20_000_100),
        pd.RangeIndex(200_001, 200_101),
        pd.RangeIndex(1990, 2024),
        pd.Index(np.arange(1_577_836_800, 1_577_836_800 + 3600 * 50, 3600)),
        pd.Index([200_112, 200_113]),
    ],
    ids=["eight digits", "six digits", "years", "seconds since 1970", "few"],
)
def test_other_integers_are_no_dates(index):
    assert positions(index) == list(range(len(index)))


def jittered(n_rows=500, seed=0):
    seconds = np.arange(n_rows) * 60 + np.random.default_rng(seed).integers(-3, 4, n_rows)
    return pd.Timestamp("2024-01-01") + pd.to_timedelta(seconds, unit="s")


def test_labels_about_equally_far_apart_follow_each_other_until_there_is_a_hole():
    index = jittered()
    assert positions(index) == list(range(500))
    with pytest.raises(ValueError, match="has a hole of .* on no grid") as error:
        time_axis(index.delete(range(200, 260)))
    assert repr(index[260]) in str(error.value)
    assert positions(index.delete(range(200, 260)), "rows") == list(range(440))
    # The other answer: rows on a grid.
    X = pd.DataFrame({"a": np.arange(500.0)}, index=index).drop(index[200:260])
    advised = str(error.value).split("resample('")[1].split("'")[0]
    assert advised == "min"
    assert time_axis(X.resample(advised).mean().index).freq == "min"
    fitted = time_axis(index[:200])
    with pytest.raises(ValueError, match="has a hole of"):
        fitted.positions(fitted.ticks(index[[198, 199, 260]]), index[[198, 199, 260]])


def test_event_times_follow_each_other_whatever_lies_between():
    seconds = np.random.default_rng(0).exponential(60, 500).cumsum()
    index = pd.Timestamp("2024-01-01") + pd.to_timedelta(seconds, unit="s")
    assert positions(index.delete(range(200, 260))) == list(range(440))


def test_holidays_are_no_hole_but_a_month_without_business_days_is_open():
    days = pd.bdate_range("2024-01-01", periods=200)
    assert positions(days.delete(range(50, 58))) == list(range(192))
    with pytest.raises(ValueError, match="longer than holidays are.*say freq='B'"):
        time_axis(days.delete(range(50, 70)))
    assert positions(days.delete(range(50, 70)), "rows") == list(range(180))
    assert positions(days.delete(range(50, 70)), "B")[49:51] == [49, 70]


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


@pytest.mark.parametrize("n_holes", [1, 2, 9])
def test_one_hole_in_ten_steps_is_a_regular_index(n_holes):
    places = np.random.default_rng(3).choice(np.arange(2, 98, 2), n_holes, replace=False)
    kept = np.delete(np.arange(100), places)
    assert positions(pd.Index(kept)) == kept.tolist()


def test_a_logger_that_skips_seconds_has_holes():
    seconds = np.cumsum(1 + (np.random.default_rng(0).random(7000) < 0.06))
    index = pd.Timestamp("2024-01-01") + pd.to_timedelta(seconds, unit="s")
    assert time_axis(index).freq == "s"
    assert positions(index) == (seconds - seconds[0]).tolist()


# ---- what the user says --------------------------------------------------------------------


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
ZONES = [None, "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]


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


AUTO = ["D", "h", "15min", "90s", "W-WED", "MS", "ME", "BMS", "BME", "QS", "YE", "WOM-3FRI"]
AUTO += [pd.DateOffset(months=1, day=30), pd.DateOffset(months=1, day=15)]


@many
@given(
    st.sampled_from(AUTO),
    st.sampled_from(ZONES),
    st.integers(0, 400),
    st.integers(12, 80),
    st.lists(st.tuples(st.floats(0.1, 0.9), st.integers(1, 30)), max_size=1),  # two may be nights
)
def test_auto_finds_holes_and_next_labels(freq, zone, day, n_labels, holes):
    start = pd.Timestamp("2019-12-20") + pd.Timedelta(days=day)
    grid = pd.date_range(start, periods=n_labels + 71, freq=freq, tz=zone)[1:]
    kept = np.arange(n_labels)
    for place, size in holes:
        kept[int(place * n_labels) :] += size
    index = pd.DatetimeIndex(list(grid[kept]))
    assert positions(index) == kept.tolist()
    ahead = time_axis(index).next_labels(index, n_labels - 1, 5)
    assert list(ahead) == list(grid[kept[-1] + 1 :][:5])


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
    assert repr(off) in str(error.value)


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


# ---- clocks that change ---------------------------------------------------------------------

AT_MIDNIGHT = [
    ("America/Sao_Paulo", "2018-11-04"),
    ("Africa/Cairo", "2023-04-28"),
    ("America/Santiago", "2022-09-11"),
    ("America/Havana", "2023-03-12"),
    ("Asia/Beirut", "2022-03-27"),
]


def days_around(change, zone, before, after):
    """Return local days; the one of the change begins at 01:00."""
    change = pd.Timestamp(change)
    naive = [change + datetime.timedelta(days=number) for number in range(-before, after + 1)]
    days = pd.DatetimeIndex(naive).tz_localize(zone, nonexistent="shift_forward")
    assert days[before].hour == 1
    return days


@pytest.mark.parametrize(("zone", "change"), AT_MIDNIGHT)
@pytest.mark.parametrize("freq", ["auto", "D", pd.Timedelta("1D")])
@pytest.mark.parametrize("before", [0, 1, 2, 30])
def test_a_day_that_begins_at_one_in_the_morning_is_that_day(zone, change, freq, before):
    days = days_around(change, zone, before, 40)
    assert positions(days, freq) == list(range(len(days)))
    hole = np.delete(np.arange(len(days)), [before + 3, before + 4])
    assert positions(days[hole], freq) == hole.tolist()
    axis = time_axis(days, freq)
    assert list(axis.next_labels(days, 0, 9)) == list(days[1:10])
    assert list(axis.next_labels(days, before, 9)) == list(days[before + 1 : before + 10])
    off = pd.DatetimeIndex([*days[:20], days[20] + pd.Timedelta("1h"), *days[21:]])
    with pytest.raises(ValueError, match="off the grid"):
        axis.positions(axis.ticks(off), off)
    if before:  # pandas cannot resample from a midnight that clocks skip
        hours = pd.date_range(days[0], days[-1], freq="h")
        assert list(series_of(hours).resample("D").mean().index) == list(days)


def series_of(index):
    return pd.Series(np.arange(float(len(index))), index=index)


@pytest.mark.parametrize(("zone", "change"), AT_MIDNIGHT)
def test_weeks_and_months_may_begin_at_one_in_the_morning(zone, change):
    day = pd.Timestamp(change)
    freq = f"W-{day.day_name()[:3].upper()}"
    weeks = pd.date_range(day - pd.Timedelta(weeks=15), periods=30, freq="7D")
    weeks = weeks.tz_localize(zone, nonexistent="shift_forward")
    for given_freq in ("auto", freq):
        assert (
            positions(weeks.delete([9, 20]), given_freq) == np.delete(range(30), [9, 20]).tolist()
        )
        axis = time_axis(weeks[:10], given_freq)
        assert axis.positions(axis.ticks(weeks[9:]), weeks[9:]).tolist() == list(range(21))
        assert list(axis.next_labels(weeks, 15, 9)) == list(weeks[16:25])


@pytest.mark.parametrize("freq", ["auto", "MS", pd.DateOffset(months=1)])
def test_a_month_may_begin_at_one_in_the_morning(freq):
    months = pd.date_range("2022-09-01", periods=24, freq="MS")
    months = months.tz_localize("America/Asuncion", nonexistent="shift_forward")
    assert months[13].hour == 1
    assert positions(months.delete([5]), freq) == np.delete(range(24), [5]).tolist()
    axis = time_axis(months, freq)
    assert list(axis.next_labels(months, 13, 9)) == list(months[14:23])


CHANGES = [("2024-03-31", "spring"), ("2024-10-27", "autumn")]
STEPS = [("6h", 6), ("12h", 12), (pd.Timedelta("6h"), 6), (pd.Timedelta("1D"), 24), ("24h", 24)]
STEPS += [("D", 24), ("auto", 6), ("auto", 12), ("auto", 24)]


@pytest.mark.parametrize(("change", "_season"), CHANGES)
@pytest.mark.parametrize(("freq", "hours"), STEPS)
@pytest.mark.parametrize("steps_are", ["local", "in UTC"])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "Europe/Rome"])
def test_later_labels_tell_whether_steps_are_local(change, _season, freq, hours, steps_are, zone):
    start, step = pd.Timestamp(change) - pd.Timedelta(days=20), f"{hours}h"
    labels = pd.date_range(start, periods=40 * 24 // hours, freq=step)
    labels = (
        labels.tz_localize(zone)
        if steps_are == "local"
        else labels.tz_localize("UTC").tz_convert(zone)
    )
    n_fitted = 15 * 24 // hours
    number = {label: count for count, label in enumerate(labels)}
    axis = TimeAxis(**dataclasses.asdict(time_axis(labels[:n_fitted], freq)))
    # The fitted rows and those after them, with a hole over the change.
    kept = np.delete(np.arange(len(labels)), np.arange(n_fitted + 2, n_fitted + 9))
    ticks = np.concatenate([axis.ticks(labels[:n_fitted]), axis.ticks(labels[kept[n_fitted:]])])
    expected = [number[label] for label in labels[kept]]
    assert axis.positions(ticks, labels[kept]).tolist() == expected
    later = labels[n_fitted - 2 :].tz_convert("Asia/Tokyo")
    assert axis.positions(axis.ticks(later), later).tolist() == list(range(len(later)))
    decided = axis.decided(axis.ticks(labels))
    assert decided.scale == ("wall" if steps_are == "local" else "value")
    ahead = decided.next_ticks(axis.ticks(labels)[3], len(labels) - 4)
    assert ahead.tolist() == axis.ticks(labels)[4:].tolist()
    # Labels of both kinds, on either side of the change, fit neither grid.
    mixed = labels[kept]
    mixed = mixed[:-3].append(mixed[-3:] + pd.Timedelta("1h"))
    with pytest.raises(ValueError, match="off the grid"):
        axis.positions(axis.ticks(mixed), mixed)
