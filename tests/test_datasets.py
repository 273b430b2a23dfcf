"""The series that ships with the package."""

import sys

import numpy as np
import pandas as pd
import pytest

from sklstm.datasets import load_chicago_ridership


def test_every_day_is_there_once_and_known():
    chicago = load_chicago_ridership()
    assert chicago.data.shape == (5698, 2)
    assert np.isfinite(chicago.data).all()
    assert (np.diff(chicago.dates) == np.timedelta64(1, "D")).all()


def test_as_frame_has_dates_and_names():
    arrays, frame = load_chicago_ridership(), load_chicago_ridership(as_frame=True).data
    assert list(frame.columns) == arrays.feature_names == ["ridership", "temperature"]
    assert frame.index[0] == pd.Timestamp("2001-01-22")
    np.testing.assert_array_equal(frame, arrays.data)


def test_the_licence_stands_beside_the_data():
    assert "MIT License" in load_chicago_ridership().DESCR


def test_as_frame_without_pandas_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="as_frame=True needs pandas: pip install pandas"):
        load_chicago_ridership(as_frame=True)
