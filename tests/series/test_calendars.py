"""Offsets of pandas as plain values, and the labels of a calendar."""

import pandas as pd
import pytest

from sklstm._series.calendars import calendar_grid, offset_of_alias, pandas_offset, plain_offset

SUNDAYS = pd.offsets.CustomBusinessDay(weekmask="Sun")


@pytest.mark.parametrize(
    ("offset", "plain"),
    [
        (pd.offsets.MonthBegin(2), "2MS"),
        (pd.offsets.Week(weekday=2), "W-WED"),
        (pd.DateOffset(months=1, day=31), {"n": 1, "months": 1, "day": 31}),
        (pd.DateOffset(3, months=1), {"n": 3, "months": 1}),
        (SUNDAYS, SUNDAYS),
    ],
)
def test_an_offset_is_an_alias_or_its_keywords_where_these_tell_it(offset, plain):
    found = plain_offset(offset)
    assert (type(found), found) == (type(plain), plain)  # an offset equals its alias as well
    assert pandas_offset(plain) == offset


def test_text_that_is_no_alias_has_no_offset():
    assert offset_of_alias("moon") is None
    assert offset_of_alias("2MS") == pd.offsets.MonthBegin(2)


@pytest.mark.parametrize("unit", ["ns", "us"])
def test_the_labels_of_a_calendar_may_go_back(unit):
    start, end = (pd.Timestamp(day).as_unit(unit) for day in ("2024-01-31", "2024-03-31"))
    months = ["2024-01-31", "2024-02-29", "2024-03-31"]
    ahead = calendar_grid(start, end, pd.offsets.MonthEnd())
    back = calendar_grid(end, start, -pd.offsets.MonthEnd())
    assert ahead.strftime("%Y-%m-%d").tolist() == months
    assert back.strftime("%Y-%m-%d").tolist() == months[::-1]
    assert ahead.unit == back.unit == unit
