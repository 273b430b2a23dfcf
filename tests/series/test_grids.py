"""The grids that labels lie on."""

import datetime

import numpy as np
import pandas as pd
import pytest

from sklstm._series.frequency import time_axis
from sklstm._series.grids import period_alias, unit_and_zone
from sklstm._series.time_axis import TimeAxis
from tests.series.frequencies import positions

MONTHS = pd.date_range("2022-09-01", periods=10, freq="MS")
AN_HOUR_AHEAD = datetime.timezone(datetime.timedelta(hours=1), "of a user")


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        (None, None),
        ("Europe/Berlin", "Europe/Berlin"),
        ("UTC", "UTC"),
        (AN_HOUR_AHEAD, "UTC+01:00"),  # pandas reads no other name of it
    ],
)
def test_the_zone_of_labels_has_a_name_that_pandas_reads(zone, name):
    index = MONTHS.tz_localize(zone)
    assert unit_and_zone(index) == {"unit": "ns", "zone": name}
    assert name is None or (index.tz_convert(name) == index).all()


def test_labels_that_are_no_times_have_no_unit_and_no_zone():
    assert unit_and_zone(pd.RangeIndex(3)) == {"unit": "", "zone": None}


def test_a_calendar_that_is_found_is_not_given():
    anchor = MONTHS[-1].as_unit("ns").value
    axis = TimeAxis("datetime", "2MS", "calendar", 2, unit="ns", anchor=anchor, offset="MS")
    assert time_axis(MONTHS[1::2]) == axis


@pytest.mark.parametrize(
    ("index", "n_off", "first"),
    [
        (pd.date_range("2024-02-01", periods=9), 8, "2024-02-02"),
        (pd.DatetimeIndex(["2024-01-15"]), 1, "2024-01-15"),
        (pd.DatetimeIndex(["2024-01-15", "2024-02-01"]), 1, "2024-01-15"),
        (pd.DatetimeIndex(["2024-01-01", "2024-02-15", "2024-03-01"]), 1, "2024-02-15"),
    ],
)
def test_labels_off_a_calendar_are_counted(index, n_off, first):
    with pytest.raises(ValueError, match="^freq='MS' does not fit the index of y: ") as error:
        time_axis(index, "MS", "y")
    off = f": {n_off} of its {len(index)} labels lie off this grid, first '{first}'. Say"
    assert off in str(error.value)


@pytest.mark.parametrize("offset", [pd.DateOffset(months=1), pd.offsets.MonthBegin()])
@pytest.mark.parametrize("row", [0, 1, 5, 9])
def test_one_label_of_ten_off_a_calendar_is_named(offset, row):
    off = MONTHS.to_series()
    off.iloc[row] += pd.Timedelta("14D")
    with pytest.raises(ValueError, match=f"'{off.iloc[row]:%Y-%m-%d}' in the index of y lies off"):
        time_axis(pd.DatetimeIndex(off), offset, "y")


@pytest.mark.parametrize("rows", [[12, 13], [13, 14], [13], [12, 13, 15]])
def test_few_months_of_which_one_begins_at_one_in_the_morning_lie_on_their_calendar(rows):
    months = pd.date_range("2022-09-01", periods=24, freq="MS")
    months = months.tz_localize("America/Asuncion", nonexistent="shift_forward")
    assert months[13].hour == 1
    assert positions(months[rows], "MS") == (np.array(rows) - rows[0]).tolist()


def test_a_month_that_begins_at_one_may_follow_a_hole_of_many_months():
    """Both labels are in summer time."""
    months = pd.DatetimeIndex(["2022-01-01", "2023-10-01 01:00"]).tz_localize("America/Asuncion")
    assert positions(months, "MS") == [0, 21]


@pytest.mark.parametrize("freq", ["auto", "6h"])
def test_hours_of_the_local_day_may_be_those_that_clocks_skip(freq):
    hours = pd.date_range("2018-11-01", periods=20, freq="6h")
    hours = hours.tz_localize("America/Sao_Paulo", nonexistent="shift_forward")
    assert hours[12].hour == 1
    axis = time_axis(hours, freq)
    assert (axis.scale, axis.anchor) == ("wall", 0)
    assert positions(hours.delete([5, 6]), freq) == [*range(5), *range(7, 20)]


def test_months_beyond_nanoseconds_may_begin_at_one_in_the_morning():
    months = ["2022-01-01", "2023-10-01 01:00", "2023-11-01", "2500-01-01"]
    index = pd.DatetimeIndex(np.array(months, "datetime64[us]")).tz_localize("America/Asuncion")
    assert positions(index, "MS") == [0, 21, 22, 12 * (2500 - 2022)]


@pytest.mark.parametrize("freq", ["h", "30min"])
def test_two_labels_may_lie_in_the_hour_that_clocks_repeat(freq):
    labels = pd.date_range("2024-10-27 00:30", periods=2, freq=freq, tz="UTC")
    axis = time_axis(labels.tz_convert("Europe/Berlin"))
    assert (axis.freq, axis.scale) == (freq, "value")


def test_the_grid_in_utc_says_nothing_about_that_in_local_time():
    """Full hours in Adelaide are half past in UTC; clocks skip from 02:00 to 03:00."""
    hours = pd.date_range("2024-10-05", periods=48, freq="h", tz="Australia/Adelaide")
    axis, half = time_axis(hours), 1800 * 10**9
    assert (axis.scale, axis.anchor, axis.other_anchor) == ("value", half, 0)


@pytest.mark.parametrize(("freq", "n_periods", "alias"), [("M", 1, "M"), ("2D", 3, "3D")])
def test_periods_have_an_alias(freq, n_periods, alias):
    assert period_alias(pd.period_range("2024", periods=3, freq=freq), n_periods) == alias
