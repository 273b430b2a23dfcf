"""How time goes on from row to row, as the index shows: freq="auto"."""

import datetime
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklstm._series.frequency import time_axis
from sklstm._series.inference import check_goes_on_like
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


ON_15TH = pd.DateOffset(months=1, day=15)


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
        (pd.date_range("2500-01-01", periods=9, freq="6h", unit="s"), "6h"),
        (
            pd.timedelta_range("0h", periods=9, freq="7D"),
            pd.tseries.frequencies.to_offset(pd.Timedelta("7D")).freqstr,
        ),
        (pd.bdate_range("2024-01-01", periods=9), "rows"),
        (pd.bdate_range("2024-01-01", periods=6), "rows"),  # from Monday to Monday
        (pd.bdate_range("2024-01-01", periods=5), "D"),
        (pd.bdate_range("2024-01-01", periods=30).delete([8, 20]), "rows"),
        (pd.date_range("2024-01-01", periods=9, freq="MS"), "MS"),
        (pd.date_range("2024-01-01", periods=9, freq="ME"), "ME"),
        (pd.date_range("2024-01-01", periods=9, freq="BMS"), "BMS"),
        (pd.date_range("2024-01-01", periods=9, freq="BME"), "BME"),
        (pd.date_range("2024-01-01", periods=9, freq="QS"), "3MS"),
        (pd.date_range("2024-01-01", periods=9, freq="YE"), "12ME"),
        (pd.date_range("2024-01-01", periods=9, freq="WOM-3FRI"), "WOM-3FRI"),
        (pd.date_range("2024-02-01", periods=2, freq="WOM-2WED"), "WOM-2WED"),
        (pd.date_range("2024-03-28", periods=9, tz="Europe/Berlin"), "D"),
        (pd.date_range("2024-03-31", periods=9, freq="h", tz="Europe/Berlin"), "h"),
        (pd.date_range("2024-03-25", periods=9, tz="UTC").tz_convert("Europe/Berlin"), "D"),
        (pd.period_range("2024-01", periods=9, freq="M"), "M"),
        (pd.period_range("2024-01", periods=9, freq="15min"), "15min"),
        (pd.period_range("2024-01", periods=9, freq="2M"), "2M"),
        (pd.period_range("2024-01", periods=18, freq="h")[::3], "3h"),
        (pd.timedelta_range("0h", periods=9, freq="h"), "h"),
        (pd.date_range("2024-01-01", periods=2), "D"),
        (pd.date_range("2024-01-01", periods=2, freq="14D"), "14D"),
        (pd.date_range("2024-01-01", periods=3, freq="SMS"), "SMS-15"),
        (pd.date_range("2023-02-01", periods=9, freq="SMS-17"), "SMS-17"),
        (pd.date_range("2024-01-01", periods=9, freq="SMS-13"), "SMS-13"),
        (pd.date_range("2024-01-01", periods=9, freq="SME"), "SME-15"),
        (pd.date_range("2024-01-01", periods=9, freq="SME-14"), "SME-14"),
        (pd.DatetimeIndex(["2024-01-01", "2024-01-15", "2024-01-28"]), "rows"),
        (
            pd.DatetimeIndex(["2024-01-10", *pd.date_range("2024-02-15", periods=9, freq=ON_15TH)]),
            "rows",
        ),
        (pd.DatetimeIndex(["2024-01-01", "2024-01-02", "2024-01-09 07:00"]), "rows"),
        (pd.Index([0.0, 0.5, 1.0, 7.0]), "rows"),
        (pd.Index(["a", "b", "c"]), "rows"),
        (pd.date_range("2024-01-01", periods=1), "rows"),
    ],
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
    for far in (days, pd.bdate_range("2500-01-01", periods=200, unit="s")):
        before = f"before {label_text(far[70])}, which is longer than holidays are"
        with pytest.raises(ValueError, match=f"{before}.*rows are missing there. If business days"):
            time_axis(far.delete(range(50, 70)))
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
PICKED = [3, 7, 8, 12, 19, 25, 26, 33, 36, 41, 47, 52]
REFUSED = {
    "dates as integers": pd.Index(DAYS.strftime("%Y%m%d").astype(int)),
    "a label off the grid": moved(HOURS, 9, "1s"),
    "nights": HOURS[HOURS.hour > 8],
    "months left out": pd.date_range("2000", periods=60, freq="MS").delete(range(7, 60, 12)),
    "every other row": DAYS[np.random.default_rng(0).random(60) > 0.3],
    "a month without business days": DAYS[DAYS.day_of_week < 5].delete(range(10, 30)),
    "about a minute": jittered(60).delete(range(20, 30)),
    "picked months": pd.date_range("2000", periods=60, freq="MS").delete(PICKED),
    "picked business days": pd.bdate_range("2000", periods=60).delete(PICKED),
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


def test_picked_business_days_are_named_as_such():
    index = pd.bdate_range("2024-01-01", periods=60).delete(PICKED)
    with pytest.raises(ValueError, match="If rows are missing, say freq='B'. Say freq='rows'"):
        time_axis(index)


EVENTS = np.random.default_rng(0)


@pytest.mark.parametrize(
    "index",
    [
        pd.bdate_range("2024-01-01", periods=400)[EVENTS.random(400) < 0.3],
        pd.bdate_range("2024-01-01", periods=2000)[EVENTS.random(2000) < 0.05],
        pd.date_range("1990-01-01", periods=400, freq="MS")[EVENTS.random(400) < 0.3],
        # The same local time twice, when clocks go back.
        (pd.Timestamp("2024-10-27") + pd.to_timedelta([0, 60, 120, 187, 333], unit="min"))
        .tz_localize("UTC")
        .tz_convert("Europe/Berlin"),
    ],
    ids=["business days", "few business days", "months", "clocks"],
)
def test_days_of_events_follow_each_other(index):
    index = index.sort_values()
    assert time_axis(index).freq == "rows"
    assert positions(index) == list(range(len(index)))


def test_a_label_late_after_a_weekend_is_named_among_business_days():
    days = pd.bdate_range("2024-01-01", periods=16)
    late = moved(days, 15, "5h")
    with pytest.raises(ValueError, match=f"The label '{late[15]}' .* off the grid of freq='D'"):
        time_axis(late)


def test_a_day_beside_every_other_business_day_is_named():
    days = pd.bdate_range("2024-01-01", periods=60)
    with pytest.raises(ValueError, match=f"'{days[39].date()}' .* off the grid of freq='2D'"):
        time_axis(days[sorted({*range(0, 60, 2), 39})])


def test_one_label_of_ten_off_the_grid_is_named():
    off = moved(HOURS[:10], 5, "1s")
    with pytest.raises(ValueError, match=f"The label '{off[5]}' .* off the grid"):
        time_axis(off)


def test_a_label_off_the_local_days_is_named_after_clocks_change():
    days = pd.date_range(end="2024-04-02", periods=60, tz="Europe/Berlin")
    off = pd.DatetimeIndex([*days[:-1], days[-1] + pd.Timedelta("1h")])
    with pytest.raises(ValueError, match=re.escape(f"The label '{off[-1]}' in the index of X")):
        time_axis(off)


@pytest.mark.parametrize("start", ["2024-01-01", "2500-01-01"])
def test_days_before_clocks_change_are_local_days(start):
    days = pd.date_range(start, periods=200, tz="Europe/Berlin", unit="us")
    axis = time_axis(days[:9])
    assert (axis.freq, axis.scale) == ("D", "wall")
    assert list(axis.next_labels(days[:9], 8, 191)) == list(days[9:])


@pytest.mark.parametrize("day", [15, 30])
def test_one_day_of_each_month_is_a_calendar(day):
    months = pd.period_range("2023-10", periods=30, freq="M")
    labels = [
        month.start_time + pd.Timedelta(days=min(day, month.days_in_month) - 1) for month in months
    ]
    index = pd.DatetimeIndex(labels)
    kept = np.delete(np.arange(20), 7)
    assert positions(index[kept]) == kept.tolist()
    assert list(time_axis(index[kept]).next_labels(index[kept], 18, 10)) == labels[20:]


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_the_labels_after_business_days_are_business_days(zone):
    days = pd.bdate_range("2024-03-20", periods=30, tz=zone)
    assert list(time_axis(days[:20]).next_labels(days[:20], 19, 10)) == list(days[20:])


def test_the_labels_after_days_of_an_own_calendar_leave_out_its_holidays():
    holidays = ["2024-05-01", "2024-05-09"]
    days = pd.date_range("2024-04-02", periods=30, freq=pd.offsets.CDay(holidays=holidays))
    assert list(time_axis(days[:20]).next_labels(days[:20], 19, 10)) == list(days[20:])
    assert not days.isin(pd.DatetimeIndex(holidays)).any()


BUSINESS_DAYS = pd.bdate_range("2024-01-01", periods=60)
# Closed for five hours each local night, and for an hour of every other day.
LOCAL = pd.date_range("2024-03-11", "2024-04-20", freq="h").tz_localize(
    "Europe/Berlin", nonexistent="shift_forward"
)
LOCAL = LOCAL[LOCAL.hour > 4].unique()
LOCAL = LOCAL[~((LOCAL.day % 2 == 0) & (LOCAL.hour == 7 + LOCAL.day * 5 % 14))]


def test_local_nights_are_a_pattern_when_clocks_change():
    with pytest.raises(ValueError, match="again and again"):
        time_axis(LOCAL)


MONTHS = pd.date_range("2024-01-01", periods=12, freq="MS")
HOURS_OF_A_ZONE = pd.date_range("2024-03-11", periods=1000, freq="h", tz="Europe/Berlin")


@pytest.mark.parametrize(
    ("first", "other", "message"),
    [
        (DAYS, DAYS[:8:2], "go on with 2 times freq='D', but .* 'a' with .* say freq='D'; else"),
        (DAYS, DAYS[:10:3], "go on with 3 times freq='D', but"),
        (
            BUSINESS_DAYS,
            DAYS[:10],
            "go on with D, but .* 'a' with freq='rows'.* say freq='D'; else",
        ),
        (DAYS, DAYS[:9] + pd.Timedelta("5h"), "lies off the grid of freq='D'"),
        (MONTHS, MONTHS[:4] + pd.Timedelta("1D"), "lies off the grid of freq='MS'"),
        (BUSINESS_DAYS, DAYS[DAYS.day_of_week > 0], "again and again"),
        (DAYS, DAYS[DAYS.day_of_week > 0], "again and again, first 1 after '2024-01-07'"),
        (pd.RangeIndex(99), pd.Index([i for i in range(99) if i % 9]), "again and again"),
        (HOURS_OF_A_ZONE, LOCAL, "again and again"),
        (HOURS_OF_A_ZONE, LOCAL.tz_convert("Asia/Tokyo"), "again and again"),
    ],
)
def test_another_series_goes_on_like_the_first_one(first, other, message):
    with pytest.raises(ValueError, match=f"index of y .*{message}"):
        check_goes_on_like(time_axis(first), other, "a", "y")


@pytest.mark.parametrize(
    ("first", "other", "freq"),
    [
        (DAYS, DAYS[:9], "auto"),
        (DAYS, DAYS[:6:2], "auto"),  # too few to tell
        (DAYS, DAYS[::2], "D"),
        (BUSINESS_DAYS, BUSINESS_DAYS[:20], "auto"),
        (BUSINESS_DAYS, DAYS[:9], "auto"),
        (pd.Index([0.5, 0.7, 3.1]), pd.Index(np.arange(12) + 0.5), "auto"),
        (pd.Index(["a", "b", "c"]), pd.Index(list("abcdefghijklmn")), "auto"),
        (pd.RangeIndex(9), pd.RangeIndex(5, 8), "auto"),
        (MONTHS, MONTHS[3:].tz_localize(None), "auto"),
        (
            pd.period_range("2024-01", periods=9, freq="M"),
            pd.period_range("2024-03", periods=5, freq="M"),
            "auto",
        ),
    ],
)
def test_another_series_that_goes_on_alike_is_taken(first, other, freq):
    axis = time_axis(first, freq)
    steps = check_goes_on_like(axis, other, "a", "y")
    assert steps.tolist() == np.diff(axis.positions(axis.ticks(other), other)).tolist()
