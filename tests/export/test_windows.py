"""Missing values in windows, and windows that predict refuses."""

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler

from tests.export.serving import SIZE, assert_predicts, last_rows, pipe, served


@pytest.mark.filterwarnings("ignore:The last step of")
def test_a_long_window_is_filled_over_its_whole_length(series, target, tmp_path):
    X = series.copy()
    X[20:59] = X[100:141] = X[170:180, 1:] = np.nan
    model = pipe(size=40).fit(series, target[:, 1])
    assert_predicts(served(model, X, tmp_path)["y"], model.predict(X), target[:, 1])


def test_a_feature_that_no_fit_has_known_is_not_used(series, target, tmp_path):
    X = series.copy()
    X[:, 2] = np.nan
    model = pipe().fit(X, target[:, 1])
    found = served(model, series, tmp_path)["y"]
    assert_predicts(found, model.predict(series), target[:, 1])


def test_a_window_that_predict_refuses_has_no_prediction(series, tmp_path):
    model = pipe(MinMaxScaler(clip=True), linear_skip=False).fit(series, series[:, 1])
    X = last_rows(series, SIZE)[SIZE : SIZE + 4].copy()
    X[1, 2, 0], X[2, 0, 2] = np.inf, -np.inf
    y = served(model, X, tmp_path)["y"]
    assert np.isnan(y).tolist() == [False, True, True, False]

    log = FunctionTransformer(np.log)  # of zero, it is infinite, and the next step would clip it
    model = pipe(log, MinMaxScaler(clip=True), linear_skip=False).fit(series, series[:, 1])
    X[1, 2, 0] = X[2, 0, 2] = 0
    with np.errstate(divide="ignore"), pytest.raises(ValueError, match="infinity"):
        model.predict(X[1])
    y = served(model, X, tmp_path)["y"]
    assert np.isnan(y).tolist() == [False, True, True, False]

    model = pipe(linear_skip=False).fit(series, series[:, 1])
    X[1, 2, 0], X[2, 0, 2] = 1e30, 1e12
    with pytest.raises(ValueError, match="too large"):
        model[-1].predict(X)
    y = served(model, X, tmp_path)["y"]
    assert np.isnan(y).tolist() == [False, True, True, False]


@pytest.mark.parametrize("value", [np.inf, 1e300, -5])
def test_a_column_that_no_step_takes_may_hold_anything(value, series, target, tmp_path):
    first = ColumnTransformer([("scale", StandardScaler(), [0, 1])])
    model = pipe(first).fit(series, target[:, 1])
    X = series.copy()
    X[100, 2] = value
    assert_predicts(served(model, X, tmp_path)["y"], model.predict(X), target[:, 1])
