"""Checks of windows; messages are tested through the estimators."""

import numpy as np
import pandas as pd
import pytest

from sklstm import LSTMRegressor
from sklstm._validation import check_windows

FLAT = np.arange(12.0).reshape(4, 3)


@pytest.mark.parametrize("X", [FLAT, FLAT[:, :, np.newaxis], pd.DataFrame(FLAT).add_prefix("x")])
def test_checking_windows_sets_nothing_on_the_estimator(X):
    estimator = LSTMRegressor()
    before = dict(vars(estimator))
    check_windows(estimator, X, reset=True)
    assert vars(estimator) == before


def test_what_was_found_is_returned():
    names = ["a", "b", "c"]
    checked = check_windows(LSTMRegressor(), pd.DataFrame(FLAT, columns=names), reset=True)
    assert checked.names.tolist() == names
    assert checked.n_columns == 3
    assert checked.missing is None
    found = checked.windows.view()[checked.windows.starts]
    np.testing.assert_array_equal(found[:, :, 0], FLAT)


def test_steps_that_are_nan_in_every_feature_are_missing():
    windows = np.ones((3, 4, 2))
    windows[1, 2] = np.nan
    checked = check_windows(LSTMRegressor(), windows, reset=True)
    assert checked.windows.sum_over_steps(checked.missing).tolist() == [0, 1, 0]
    assert (checked.n_columns, checked.names) == (2, None)
