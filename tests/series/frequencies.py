"""Indexes, and the steps that a frequency counts in them."""

import pandas as pd
from hypothesis import settings

from sklstm._series.frequency import time_axis

many = settings(deadline=None, max_examples=500, database=None)

HOURS = pd.date_range("2020-01-01", periods=3336, freq="h").delete(range(1502, 1838))
ZONES = [None, "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]


def positions(index, freq="auto"):
    axis = time_axis(index, freq)
    return axis.positions(axis.ticks(index), index).tolist()


def moved(index, row, by):
    return pd.DatetimeIndex([*index[:row], index[row] + pd.Timedelta(by), *index[row + 1 :]])
