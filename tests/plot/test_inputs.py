"""Estimators that the displays accept and refuse."""

import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklstm import GateActivityDisplay, LossCurveDisplay


@pytest.mark.parametrize("display", [LossCurveDisplay, GateActivityDisplay])
@pytest.mark.parametrize("kind", ["regressor", "pipeline", "search", "search, refit=False"])
def test_an_estimator_that_is_not_fitted_is_refused(display, kind, small_pipe, chicago):
    pipe = small_pipe(max_epochs=1)
    search = GridSearchCV(pipe, {"window__window_size": [2]}, cv=TimeSeriesSplit(2), refit=False)
    if kind == "search, refit=False":
        search.fit(chicago[:-1].to_numpy(), chicago["ridership"].to_numpy()[1:])
    estimator = {"regressor": pipe[-1], "pipeline": pipe}.get(kind, search)
    X = [] if display is LossCurveDisplay else [chicago]
    with pytest.raises(NotFittedError, match=r"LSTMRegressor that is not fitted.*refit=True"):
        display.from_estimator(estimator, *X)


@pytest.mark.parametrize("display", [LossCurveDisplay, GateActivityDisplay])
def test_an_estimator_without_an_lstm_is_refused(display, chicago):
    ridge = make_pipeline(StandardScaler(), Ridge()).fit(chicago[:-1], chicago["ridership"][1:])
    X = [] if display is LossCurveDisplay else [chicago]
    with pytest.raises(TypeError, match="LSTMRegressor.*got Pipeline with Ridge at its end"):
        display.from_estimator(ridge, *X)
