"""What stands around the network: searches, meta-estimators, and what is refused."""

import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    StandardScaler,
)

from sklstm import (
    ConformalRegressor,
    KnownTargetsRegressor,
    LSTMRegressor,
    forecast_targets,
    to_onnx,
)
from tests.export.serving import assert_predicts, pipe, served


def test_a_search_and_known_targets_pass_their_predictions_on(series, target, tmp_path):
    y = forecast_targets(target[:, 0], 2)
    model = pipe()
    model.set_params(lstmregressor=KnownTargetsRegressor(model[-1])).fit(series, y)
    assert_predicts(served(model, series, tmp_path)["y"], model.predict(series), y)
    search = GridSearchCV(pipe(), {"lstmregressor__dropout": [0.2]}, cv=TimeSeriesSplit(2))
    search.fit(series, target[:, 0])
    found = served(search, series, tmp_path)["y"]
    assert_predicts(found, search.predict(series), target[:, 0])


def test_intervals_are_refused_and_the_estimator_inside_is_not(series, target, tmp_path):
    model = ConformalRegressor(pipe()).fit(series, target[:, 0])
    with pytest.raises(ValueError, match="ConformalRegressor has no ONNX form.*estimator_"):
        to_onnx(model, tmp_path / "model.onnx")
    found = served(model.estimator_, series, tmp_path)["y"]
    assert_predicts(found, model.predict(series), target[:, 0])


class Clipped(LSTMRegressor):
    def predict(self, X):
        return np.maximum(super().predict(X), 0)


@pytest.mark.parametrize(
    ("estimator", "found"),
    [
        (Ridge(), "Ridge"),
        (Clipped(), "Clipped"),
        (make_pipeline(StandardScaler(), Ridge()), "Ridge"),
        (make_pipeline(StandardScaler(), "passthrough"), "passthrough"),
        (None, "NoneType"),
    ],
)
def test_another_estimator_is_refused(estimator, found, tmp_path):
    if estimator is not None:
        estimator.fit([[1.0], [2.0], [4.0]] * 5, [1.0, 3.0, 2.0] * 5)
    with pytest.raises(TypeError, match=f"must be an LSTMRegressor.*got '?{found}"):
        to_onnx(estimator, tmp_path / "model.onnx")


@pytest.mark.parametrize(
    "model",
    [LSTMRegressor(), pipe(), TransformedTargetRegressor(pipe()), GridSearchCV(pipe(), {})],
)
def test_an_estimator_that_is_not_fitted_is_refused(model, tmp_path):
    with pytest.raises(NotFittedError):
        to_onnx(model, tmp_path / "model.onnx")


def test_a_search_without_a_fitted_estimator_is_refused(series, target, tmp_path):
    search = GridSearchCV(
        pipe(), {"lstmregressor__dropout": [0]}, cv=TimeSeriesSplit(2), refit=False
    )
    with pytest.raises(ValueError, match="refit=False.*refit=True"):
        to_onnx(search.fit(series, target), tmp_path / "model.onnx")
