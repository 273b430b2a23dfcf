from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from sklstm._series.plain import of_plain, plain, plain_state, state_of_plain

VALUES = [
    range(1, 25, 2),
    timedelta(days=-1, microseconds=3),
    date(2024, 2, 29),
    datetime(2024, 2, 29, 1, 2, 3, 4),
    pd.Timestamp("2024-02-29 01:02:03.123456789"),
    pd.Timestamp("2024-10-27 01:30", tz="UTC").tz_convert("Europe/Berlin"),
    pd.Timedelta(-(10**18) - 1, unit="ns"),
    pd.offsets.Hour(6),
    pd.offsets.MonthEnd(),
    pd.DateOffset(months=2),
    ("north", pd.Timestamp("2024"), 3),
    [("a", range(3))],
]


def is_plain(value):
    if isinstance(value, dict):
        return all(type(key) is str and is_plain(item) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return all(map(is_plain, value))
    return value is None or type(value) in (bool, int, float, str)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_becomes_plain_and_comes_back_with_its_type(value):
    saved = plain(value)
    assert is_plain(saved)
    back = of_plain(saved)
    assert back == value
    assert type(back) is type(value)
    assert repr(back) == repr(value)  # of times the zone, which is no part of ==


@pytest.mark.parametrize("value", ["rows", 7, 1.5, True, None, {"range": 1, "of": 2}], ids=repr)
def test_plain_values_stay_as_they_are(value):
    assert plain(value) is value
    assert of_plain(value) is value


def test_what_has_no_plain_value_stays_as_it_is():
    array, offset = np.arange(3), pd.offsets.CustomBusinessDay(holidays=["2024-01-01"])
    for value in (array, offset, int):
        assert plain(value) is value


def test_a_state_has_the_plain_values_of_its_attributes():
    state = {"names": [date(2024, 2, 29)], "step": range(3)}
    saved = plain_state(state)
    assert is_plain(saved)
    assert saved.keys() == state.keys()
    assert state_of_plain(saved) == state
