"""Estimators that the displays accept and refuse."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklstm import (
    ForecastDisplay,
    GateActivityDisplay,
    LossCurveDisplay,
    WindowSplitDisplay,
)
from sklstm._plot.inputs import check_row


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


@pytest.mark.parametrize("value", [1.5, 1.0, True, "1", None])
def test_a_row_that_is_no_int_is_refused(value):
    with pytest.raises(ValueError, match=f"row must be an int, got {value!r}"):
        check_row(value, 9)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.uint64])
def test_a_row_can_be_an_integer_of_every_type(kind):
    assert check_row(kind(100), 300) == 100
    assert type(check_row(kind(100), 300)) is int


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.uint64])
def test_counts_can_be_integers_of_every_type(kind):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    series = np.arange(200.0)
    forecast = ForecastDisplay.from_predictions(series, np.zeros(3), n_history=kind(100))
    assert len(forecast.history) == 100
    splits = [(np.arange(290), np.arange(290, 300))]
    windows = WindowSplitDisplay(splits=splits, n_rows=300, n_history=kind(100)).plot()
    assert len(windows.rows_[0]["history of the test rows"]) == 100
    curve = LossCurveDisplay(loss_curve=np.ones(120), best_epoch=kind(100)).plot()
    assert curve.best_.get_xdata()[0] == 100
    pyplot.close("all")


def test_counts_that_are_no_ints_are_refused():
    with pytest.raises(ValueError, match=r"n_history must be an int of at least 1, got 2\.5"):
        ForecastDisplay.from_predictions(np.arange(9.0), np.zeros(3), n_history=2.5)
