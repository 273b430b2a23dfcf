"""Local times over clocks that change."""

import dataclasses
import datetime

import dateutil.tz
import numpy as np
import pandas as pd
import pytest

from sklstm._series.clocks import days_in_unit, local_times, zone_of
from sklstm._series.frequency import time_axis
from sklstm._series.time_axis import TimeAxis
from tests.series.frequencies import positions

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


def test_a_zone_of_dateutil_is_that_of_the_database():
    days = pd.date_range("2024-03-25", periods=20, tz=dateutil.tz.gettz("Europe/Berlin"))
    assert positions(days, "auto") == list(range(20))
    assert zone_of(str(days.tz)) == "dateutil/Europe/Berlin"
    assert zone_of("dateutil/Europe/Berlin") == "dateutil/Europe/Berlin"


def test_the_file_of_a_zone_may_lie_in_any_folder():
    text = "tzfile('/usr/zoneinfo/of/share/zoneinfo/Europe/Berlin')"
    assert zone_of(text) == "dateutil/Europe/Berlin"


@pytest.mark.parametrize("name", ["tzfile('/tmp/zone')", "dateutil//tmp/zone", "dateutil/../zone"])
def test_a_zone_of_dateutil_in_another_file_is_refused(name):
    """A saved file may name it, and dateutil would open it."""
    with pytest.raises(ValueError, match="is no time zone of the database"):
        zone_of(name)


def test_local_times_are_in_the_zone_of_the_fitted_labels():
    utc = pd.date_range("2024-03-31", periods=4, freq="h", tz="UTC")
    in_berlin = pd.to_datetime([f"2024-03-31 {hour:02}:00" for hour in (1, 3, 4, 5)])
    in_tokyo = pd.to_datetime([f"2024-03-31 {hour:02}:00" for hour in (9, 10, 11, 12)])
    berlin = utc.tz_convert("Europe/Berlin")
    assert local_times(berlin, "Europe/Berlin").equals(in_berlin)
    assert local_times(berlin, "Asia/Tokyo").equals(in_tokyo)
    assert local_times(berlin, None).equals(in_berlin)
    assert local_times(in_berlin, "Asia/Tokyo").equals(in_berlin)


@pytest.mark.parametrize(
    ("days", "unit", "ticks"),
    [(1, "ns", 86_400 * 10**9), (1, "us", 86_400 * 10**6), (14.5, "us", 1_252_800 * 10**6)],
)
def test_days_are_counted_in_ticks(days, unit, ticks):
    assert days_in_unit(days, unit) == ticks
