"""How time goes on from row to row, as the index shows: freq="auto"."""

import datetime
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklstm._series.frequency import time_axis
from sklstm._series.labels import label_text, time_index
from tests.series.frequencies import HOURS, ZONES, many, moved, positions


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
        (pd.date_range("2024-01-01", periods=2), "D"),
        (pd.date_range("2024-01-01", periods=2, freq="14D"), "14D"),
        (pd.date_range("2024-01-01", periods=3, freq="SMS"), "SMS-15"),
        (pd.date_range("2023-02-01", periods=9, freq="SMS-17"), "SMS-17"),
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


@pytest.mark.parametrize("freq", ["auto", "h"])
@pytest.mark.parametrize("by", ["1s", "-1s", "30min", "1ns"])
def test_a_label_off_the_grid_of_the_others_is_named_and_the_advice_works(freq, by):
    off = moved(HOURS, 2500, by)
    with pytest.raises(ValueError, match="off the grid of freq='h'") as error:
        time_axis(off, freq)
    assert label_text(off[2500]) in str(error.value)
    assert "X.index.round('h')" in str(error.value)
    if by != "30min":
        assert positions(off.round("h"))[1501:1503] == [1501, 1838]
    assert positions(off, "rows") == list(range(3000))


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
    assert label_text(index[260]) in str(error.value)
    assert positions(index.delete(range(200, 260)), "rows") == list(range(440))
    # The other answer: rows on a grid.
    X = pd.DataFrame({"a": np.arange(500.0)}, index=index).drop(index[200:260])
    assert "X.set_axis(X.index.round('min'))" in str(error.value)
    on_grid = X.set_axis(X.index.round("min"))
    assert positions(on_grid.index) == [*range(200), *range(260, 500)]
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


DAYS = pd.date_range("2024-01-01", periods=60)
REFUSED = {
    "dates as integers": pd.Index(DAYS.strftime("%Y%m%d").astype(int)),
    "a label off the grid": moved(HOURS, 9, "1s"),
    "nights": HOURS[HOURS.hour > 8],
    "months left out": pd.date_range("2000", periods=60, freq="MS").delete(range(7, 60, 12)),
    "every other row": DAYS[np.random.default_rng(0).random(60) > 0.3],
    "a month without business days": DAYS[DAYS.day_of_week < 5].delete(range(10, 30)),
    "about a minute": jittered(60).delete(range(20, 30)),
}


@pytest.mark.parametrize("index", REFUSED.values(), ids=REFUSED)
def test_every_refusal_of_an_index_names_the_argument(index):
    with pytest.raises(ValueError, match=r"index of y_true |y_true\.index") as error:
        time_axis(index, name="y_true")
    assert not re.search(r"\bX\b|None", str(error.value))


@pytest.mark.parametrize(
    "index", [DAYS, DAYS[[0, 1, 5]] + pd.to_timedelta([0, 7, 9], unit="h"), pd.Index(["a", "b"])]
)
def test_labels_of_the_fitted_kind_fit_and_others_do_not(index):
    axis = time_axis(index)
    axis.check_kind(index)
    with pytest.raises(ValueError, match="is of kind 'integer', but that of the fitted"):
        axis.check_kind(pd.RangeIndex(3))
