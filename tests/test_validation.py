"""Checks of windows; messages are tested through the estimators."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.pipeline import make_pipeline

from sklstm import LagTableTransformer, LSTMRegressor, SlidingWindowTransformer
from sklstm._validation import check_windows

FLAT = np.arange(12.0).reshape(4, 3)


@pytest.mark.parametrize("X", [FLAT, FLAT[:, :, np.newaxis], pd.DataFrame(FLAT).add_prefix("x")])
def test_checking_windows_sets_nothing_on_the_estimator(X):
    estimator = LSTMRegressor()
    before = dict(vars(estimator))
    check_windows(estimator, X, reset=True)
    assert vars(estimator) == before


def test_what_was_found_is_returned():
    names = ["lag_2", "lag_1", "lag_0"]
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


READ_AS_ONE_FEATURE = {
    "features": ["load", "temp", "month"],
    "newest first": ["lag_1", "lag_2", "lag_3"],
    "static column": ["lag_2", "lag_1", "month"],
    "several features": ["a_lag1", "b_lag1", "b_lag0"],
}


@pytest.fixture
def named(request):
    values = np.random.default_rng(0).normal(size=(30, 3))
    return pd.DataFrame(values, columns=request.param)


@pytest.mark.parametrize(
    "named", READ_AS_ONE_FEATURE.values(), ids=READ_AS_ONE_FEATURE, indirect=True
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_names_that_contradict_one_feature_get_a_warning(small_lstm, named, method, library):
    X = named if library == "pandas" else pl.from_pandas(named)
    y = named.to_numpy()[:, 0]
    message = (
        r"LSTMRegressor reads the columns of X \(.*\) as the steps of one feature, oldest first"
    )
    with pytest.warns(UserWarning, match=message) as caught:
        lstm = getattr(small_lstm(), method)(X, y)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    lstm.predict(X)  # the warning comes once: predictions and further training have no other
    lstm.partial_fit(X, y)
    small_lstm().fit(X.to_numpy(), y)  # as advised where the columns are indeed steps


@pytest.mark.parametrize("named", [["lag_1", "lag_2", "lag_3"]], indirect=True)
def test_code_without_a_module_gets_the_warning_too(small_lstm, named):
    with pytest.warns(UserWarning, match="their names contradict"):
        exec("lstm.fit(X, X.to_numpy()[:, 0])", {"lstm": small_lstm(), "X": named})


@pytest.mark.parametrize("named", [["lag_1", "lag_2", "lag_3"]], indirect=True)
@pytest.mark.parametrize("method", ["predict", "partial_fit"])
@pytest.mark.parametrize("n_dims", [2, 3])
@pytest.mark.filterwarnings("ignore:X has feature names, but LSTMRegressor was fitted without")
def test_names_are_read_too_where_the_fit_saw_none(small_lstm, named, method, n_dims):
    values, y = named.to_numpy(), named.to_numpy()[:, 0]
    lstm = small_lstm().fit(values if n_dims == 2 else values[:, :, np.newaxis], y)
    with pytest.warns(UserWarning, match="their names contradict: 'lag_2' stands after 'lag_1'"):
        getattr(lstm, method)(named, *([y] if method == "partial_fit" else []))


@pytest.mark.parametrize("named", [["lag_2", "lag_1", "lag_0"], ["x0", "x1", "x2"]], indirect=True)
def test_names_that_do_not_contradict_get_no_warning(small_lstm, named):
    lstm = small_lstm().fit(named, named.to_numpy()[:, 0])
    assert lstm.window_size_ == 3


@pytest.mark.parametrize("named", [["lag_2", "lag_1", "month"]], indirect=True)
def test_the_advice_for_a_lag_table_works(small_lstm, named):
    pipe = make_pipeline(LagTableTransformer(), small_lstm()).fit(named, named.to_numpy()[:, 0])
    assert (pipe[-1].window_size_, pipe[-1].n_features_in_) == (2, 2)


@pytest.mark.parametrize("named", [["load", "temp", "month"]], indirect=True)
def test_the_advice_for_a_table_of_features_works(small_lstm, named):
    pipe = make_pipeline(SlidingWindowTransformer(4), small_lstm())
    pipe.fit(named, named.to_numpy()[:, 0])
    assert (pipe[-1].window_size_, pipe[-1].n_features_in_) == (4, 3)
