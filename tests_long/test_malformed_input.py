"""Malformed input to every public callable: one clear error before any work, no fitted model lost.

The cases are generated: every callable (``CALLS``) with every malformed form of an argument, and
with every wrong value of a parameter (``PARAMETERS``). tests/test_same_data.py has the types that
are no numbers.
"""

import copy
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from numpy.testing import assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline, make_pipeline

import sklstm
from sklstm import (
    BacktestDisplay,
    ConformalRegressor,
    ForecastDisplay,
    GateActivityDisplay,
    KnownTargetsRegressor,
    LagImportanceDisplay,
    LagTableTransformer,
    LossCurveDisplay,
    LSTMRegressor,
    PanelSplit,
    SlidingWindowTransformer,
    WindowArray,
    WindowSplitDisplay,
    backtest,
    forecast_targets,
    known_targets_scorer,
    lag_importance,
    pinball_scorer,
)
from sklstm._network.net import WindowNet
from tests_long.state import identities, process_state

pytestmark = [
    pytest.mark.family("malformed input"),
    pytest.mark.filterwarnings("ignore:Training reached max_epochs"),
    # Only one of fit and predict gets a frame, so the names of columns differ.
    pytest.mark.filterwarnings("ignore:X has feature names, but"),
    pytest.mark.filterwarnings("ignore:X does not have valid feature names, but"),
]

N_ROWS, SIZE = 40, 3
ROWS = np.random.RandomState(0).randn(N_ROWS, 2)
DAYS = pd.date_range("2024-01-01", periods=N_ROWS)
FRAME = pd.DataFrame(ROWS, index=DAYS, columns=["load", "temp"])
Y = forecast_targets(FRAME["load"], 2)
LATER = FRAME.set_axis(DAYS + pd.Timedelta(days=N_ROWS))
PANEL = pd.concat(dict.fromkeys("ab", FRAME), names=["meter", "day"])
WINDOWS = SlidingWindowTransformer(SIZE).fit_transform(ROWS)
TARGET = np.cos(ROWS[:, 0])


# Fitted models, each made once; a test works on a copy.


def lstm(**params):
    quick = {"hidden_layer_sizes": 2, "max_epochs": 1, "n_jobs": 1, "random_state": 0}
    return LSTMRegressor(**(quick | params))


def ridge():
    windows = SlidingWindowTransformer(SIZE, padding="edge", flatten=True)
    return make_pipeline(windows, KnownTargetsRegressor(Ridge()))


MODELS = {
    "lstm": lambda: lstm().fit(WINDOWS, TARGET),
    "quantiles": lambda: lstm(loss="quantile").fit(WINDOWS, TARGET),
    "pipeline": lambda: make_pipeline(SlidingWindowTransformer(SIZE), lstm()).fit(FRAME, Y),
    "windows": lambda: SlidingWindowTransformer(SIZE).fit(FRAME),
    "lags": lambda: LagTableTransformer(lags=[1, 2]).fit(FRAME),
    "known": lambda: KnownTargetsRegressor(Ridge()).fit(ROWS, Y),
    "intervals": lambda: ConformalRegressor(ridge(), coverage=0.5).fit(FRAME, Y),
    "unfitted lstm": lstm,
    "unfitted windows": SlidingWindowTransformer,
    "unfitted lags": LagTableTransformer,
    "unfitted known": lambda: KnownTargetsRegressor(Ridge()),
    "unfitted intervals": lambda: ConformalRegressor(ridge()),
    "unfitted pipeline": lambda: make_pipeline(SlidingWindowTransformer(SIZE), lstm()),
    "result": lambda: backtest(ridge(), FRAME, Y, cv=2),
    "importance": lambda: lag_importance(model("pipeline"), FRAME, Y, n_repeats=1),
}
OUTPUTS = {
    "lstm": lambda fitted: fitted.predict(WINDOWS),
    "quantiles": lambda fitted: fitted.predict_quantiles(WINDOWS),
    "pipeline": lambda fitted: fitted.predict(FRAME),
    "windows": lambda fitted: fitted.transform(LATER),
    "lags": lambda fitted: fitted.transform(FRAME),
    "known": lambda fitted: fitted.predict(ROWS),
    "intervals": lambda fitted: fitted.predict_interval(LATER),
    "result": lambda fitted: fitted.forecasts,
    "importance": lambda fitted: fitted.importances,
}


@cache
def model(name):
    return MODELS[name]()


@cache
def outputs(name):
    return OUTPUTS[name](copy.deepcopy(model(name)))


# Malformed forms of an argument, and what the error must say beside the argument's name.


@dataclass(frozen=True)
class Form:
    make: Callable[[], Any]
    says: str
    names_argument: bool = True


def spoilt(value):
    array = ROWS.copy()
    array[7, 1] = value
    return array


def generator():
    yield from ROWS


NOT_NUMBERS = "numbers|float|cannot|rows|shape|dimension|object|lags='auto'"
FORMS = {
    "None": Form(lambda: None, "None|numbers|array|shape|rows|NoneType"),
    "a number": Form(lambda: 3.0, "array|shape|rows|1D|scalar"),
    "a bool": Form(lambda: True, "array|shape|rows|scalar"),
    "text": Form(lambda: "load", "'load'|array"),
    "bytes": Form(lambda: b"load", "b'load'|array"),
    "a dict": Form(lambda: {"load": [1.0, 2.0]}, "dict|{'load'|numbers|array"),
    "a set": Form(lambda: {1.0, 2.0}, "set|{1.0|numbers|array"),
    "a function": Form(lambda: len, "function|numbers|array"),
    "a class": Form(lambda: float, "class|type|numbers|array"),
    "a generator": Form(generator, "generator|numbers|array"),
    "an ellipsis": Form(lambda: ..., "[Ee]llipsis|numbers|array"),
    "a list of dicts": Form(lambda: [{"load": 1.0}] * N_ROWS, "dict|{'load'|numbers|array"),
    "a ragged list": Form(lambda: [[1.0, 2.0], [3.0]] * (N_ROWS // 2), "inhomogeneous|sequence"),
    "objects": Form(lambda: np.array([[object(), 1.0]] * N_ROWS), NOT_NUMBERS),
    "lists in cells": Form(lambda: FRAME.assign(temp=[[1.0]] * N_ROWS), NOT_NUMBERS),
    "complex numbers": Form(lambda: ROWS + 1j, "[Cc]omplex"),
    "four dimensions": Form(lambda: np.zeros((N_ROWS, SIZE, 2, 2)), "dim|shape"),
    "no dimension": Form(lambda: np.array(1.0), "array|shape|rows|scalar"),
    "infinity": Form(lambda: spoilt(np.inf), "infinity|inf"),
    "minus infinity": Form(lambda: spoilt(-np.inf), "infinity|inf"),
    "a sparse matrix": Form(lambda: scipy.sparse.csr_array(ROWS), "[Ss]parse"),
}
OF_ROWS = {
    "no rows": Form(lambda: LATER[:0], "0 sample|X has no rows", False),
    "no columns": Form(lambda: LATER[[]], "0 feature|X has|names should match", False),
    "an empty list": Form(list, "1D array|no rows|0 rows|shape|0 sample|array"),
}
OF_FRAMES = {
    "equal names": Form(lambda: LATER.set_axis(["load", "load"], axis=1), "2 columns .* 'load'"),
    "a name that is no text": Form(lambda: LATER.set_axis([0, "temp"], axis=1), "string", False),
}
NOT_THOSE_OF_THE_FIT = {
    "other names": Form(
        lambda: LATER.set_axis(["a", "b"], axis=1), "feature names should match", False
    ),
    "names in another order": Form(lambda: LATER[["temp", "load"]], "in the same order", False),
    "three columns": Form(
        lambda: LATER.assign(wind=0.0), "X has 3 features|feature names should match", False
    ),
}
# An index that is not that of a series in time order.
INDEXES = {
    "a shuffled index": lambda: FRAME.iloc[np.random.RandomState(0).permutation(N_ROWS)],
    "a reversed index": lambda: FRAME[::-1],
    "labels twice": lambda: FRAME.set_axis(DAYS.repeat(2)[:N_ROWS]),
    "NaT in the index": lambda: FRAME.set_axis(DAYS.where(DAYS[5] != DAYS)),
    "NaN in the index": lambda: FRAME.set_axis([np.nan, *range(N_ROWS - 1)]),
    "integers that are dates": lambda: FRAME.set_axis(DAYS.strftime("%Y%m%d").astype(int)),
    "dates as text of another form": lambda: FRAME.set_axis(DAYS.strftime("%d/%m/%Y")),
    "picked rows": lambda: FRAME.drop(index=DAYS[::4]),
}
OF_INDEXES = {
    name: Form(make, "index|order|labels|integers that read as dates")
    for name, make in INDEXES.items()
}
OF_TARGETS = {
    "fewer rows": Form(lambda: ROWS[:-1], "39|shape|length"),
    "more rows": Form(lambda: np.r_[ROWS, ROWS], "80|shape|length"),
    "three dimensions": Form(lambda: np.zeros((N_ROWS, 2, 2)), "shape|dim"),
    "no columns": Form(lambda: ROWS[:, :0], r"shape \(40, 0\)"),
}
OTHER_ROWS = {
    "the index of other rows": Form(lambda: LATER, "different index"),
}


# Calls.


@dataclass(frozen=True)
class Call:
    """A call of a public callable, with the model that it works on and the argument that varies."""

    model: str
    argument: str
    run: Callable[[Any, Any], Any]
    forms: dict[str, Form] = field(default_factory=dict)


ANY_ROWS = FORMS | OF_ROWS
SERIES = ANY_ROWS | OF_FRAMES | OF_INDEXES
AS_IN_FIT = ANY_ROWS | OF_FRAMES | NOT_THOSE_OF_THE_FIT
LATER_ROWS = AS_IN_FIT | {
    name: OF_INDEXES[name] for name in ("a shuffled index", "a reversed index", "labels twice")
}
TARGETS = FORMS | OF_TARGETS
WINDOW_ROWS = ANY_ROWS | {
    "infinity": Form(lambda: np.where(WINDOWS > 1, np.inf, WINDOWS), "infinity"),
    "minus infinity": Form(lambda: np.where(WINDOWS > 1, -np.inf, WINDOWS), "infinity"),
    "wider windows": Form(lambda: np.zeros((N_ROWS, 5, 2)), "5 steps|y has 40", False),
    "windows of no steps": Form(lambda: np.zeros((N_ROWS, 0, 2)), r"shape \(40, 0, 2\)"),
    "windows of no features": Form(lambda: np.zeros((N_ROWS, 3, 0)), r"shape \(40, 3, 0\)"),
}
# Of inputs whose rows are counted only, or whose values another regressor checks.
_NO_ARRAYS = ["None", "a number", "a bool", "text", "bytes", "a dict", "a set", "a function"]
WITHOUT_VALUES = {
    name: FORMS[name] for name in (*_NO_ARRAYS, "a generator", "an ellipsis", "no dimension")
}
CALLS = {
    "SlidingWindowTransformer.fit, X": Call("windows", "X", lambda m, X: m.fit(X), SERIES),
    "SlidingWindowTransformer.fit, y": Call(
        "windows", "y", lambda m, y: m.fit(FRAME, y), OTHER_ROWS
    ),
    "SlidingWindowTransformer.partial_fit, X": Call(
        "windows", "X", lambda m, X: m.partial_fit(X), LATER_ROWS
    ),
    "SlidingWindowTransformer.transform, X": Call(
        "windows", "X", lambda m, X: m.transform(X), LATER_ROWS
    ),
    "SlidingWindowTransformer.fit_transform, X": Call(
        "windows", "X", lambda m, X: m.fit_transform(X), SERIES
    ),
    "LagTableTransformer.fit, X": Call("lags", "X", lambda m, X: m.fit(X), ANY_ROWS | OF_FRAMES),
    "LagTableTransformer.transform, X": Call("lags", "X", lambda m, X: m.transform(X), AS_IN_FIT),
    "LSTMRegressor.fit, X": Call(
        "lstm",
        "X",
        lambda m, X: m.fit(X, TARGET),
        {name: form for name, form in WINDOW_ROWS.items() if name != "wider windows"},
    ),
    "LSTMRegressor.fit, y": Call("lstm", "y", lambda m, y: m.fit(WINDOWS, y), TARGETS),
    "LSTMRegressor.fit, sample_weight": Call(
        "lstm",
        "sample_weight",
        lambda m, weight: m.fit(WINDOWS, TARGET, weight),
        {name: form for name, form in TARGETS.items() if name not in ("None", "a number", "a bool")}
        | {
            "NaN": Form(lambda: np.full(N_ROWS, np.nan), "NaN"),
            "negative": Form(lambda: np.full(N_ROWS, -1.0), "negative"),
            "zero everywhere": Form(lambda: np.zeros(N_ROWS), "zero"),
        },
    ),
    "LSTMRegressor.partial_fit, X": Call(
        "lstm", "X", lambda m, X: m.partial_fit(X, TARGET), WINDOW_ROWS
    ),
    "LSTMRegressor.partial_fit, y": Call(
        "lstm", "y", lambda m, y: m.partial_fit(WINDOWS, y), TARGETS
    ),
    "LSTMRegressor.predict, X": Call("lstm", "X", lambda m, X: m.predict(X), WINDOW_ROWS),
    "LSTMRegressor.predict_quantiles, X": Call(
        "quantiles", "X", lambda m, X: m.predict_quantiles(X), WINDOW_ROWS
    ),
    "LSTMRegressor.score, X": Call("lstm", "X", lambda m, X: m.score(X, TARGET), WINDOW_ROWS),
    "LSTMRegressor.score, y": Call("lstm", "y", lambda m, y: m.score(WINDOWS, y), TARGETS),
    "pipeline.fit, X": Call("pipeline", "X", lambda m, X: m.fit(X, Y.to_numpy()), SERIES),
    "pipeline.predict, X": Call("pipeline", "X", lambda m, X: m.predict(X), LATER_ROWS),
    "KnownTargetsRegressor.fit, X": Call(
        "known", "X", lambda m, X: m.fit(X, TARGET), WITHOUT_VALUES
    ),
    "KnownTargetsRegressor.fit, y": Call("known", "y", lambda m, y: m.fit(ROWS, y), TARGETS),
    "KnownTargetsRegressor.score, y": Call("known", "y", lambda m, y: m.score(ROWS, y), TARGETS),
    "ConformalRegressor.fit, X": Call(
        "intervals", "X", lambda m, X: m.fit(X, TARGET), WITHOUT_VALUES
    ),
    "ConformalRegressor.fit, y": Call("intervals", "y", lambda m, y: m.fit(FRAME, y), TARGETS),
    "ConformalRegressor.predict_interval, X": Call(
        "intervals", "X", lambda m, X: m.predict_interval(X), LATER_ROWS
    ),
    "ConformalRegressor.predict, X": Call("intervals", "X", lambda m, X: m.predict(X), LATER_ROWS),
    "ConformalRegressor.update, X": Call(
        "intervals",
        "X",
        lambda m, X: m.update(X, np.zeros((N_ROWS, 2))),
        WITHOUT_VALUES | OF_ROWS | OF_FRAMES | NOT_THOSE_OF_THE_FIT,
    ),
    "ConformalRegressor.update, y": Call(
        "intervals", "y", lambda m, y: m.update(LATER, y), TARGETS
    ),
    "forecast_targets, series": Call(
        "unfitted lstm",
        "series",
        lambda m, series: forecast_targets(series, 2),
        FORMS
        | {
            name: Form(lambda make=make: make()["load"], OF_INDEXES[name].says)
            for name, make in INDEXES.items()
        },
    ),
    "backtest, X": Call(
        "unfitted pipeline", "X", lambda m, X: backtest(m, X, TARGET, cv=2), WITHOUT_VALUES
    ),
    "backtest, y": Call(
        "unfitted pipeline", "y", lambda m, y: backtest(m, FRAME, y, cv=2), TARGETS | OTHER_ROWS
    ),
    "lag_importance, X": Call(
        "pipeline", "X", lambda m, X: lag_importance(m, X, TARGET, n_repeats=1), AS_IN_FIT
    ),
    "lag_importance, y": Call(
        "pipeline", "y", lambda m, y: lag_importance(m, FRAME, y, n_repeats=1), TARGETS | OTHER_ROWS
    ),
    "pinball_scorer, y": Call(
        "quantiles", "y", lambda m, y: pinball_scorer(m, WINDOWS, y), TARGETS
    ),
    "known_targets_scorer, y": Call(
        "pipeline",
        "y",
        lambda m, y: known_targets_scorer("neg_mean_absolute_error")(m, FRAME, y),
        TARGETS | OTHER_ROWS,
    ),
    "PanelSplit.split, X": Call(
        "unfitted lstm",
        "X",
        lambda m, X: list(PanelSplit(2).split(X)),
        {name: Form(form.make, "several levels") for name, form in (ANY_ROWS | OF_INDEXES).items()},
    ),
    "WindowArray, base": Call(
        "unfitted lstm",
        "base",
        lambda m, base: WindowArray(base, [0, 1], SIZE),
        {
            name: Form(form.make, "expected floats of shape|cannot be turned into an array")
            for name, form in FORMS.items()
            if "infinity" not in name
        },
    ),
    "ForecastDisplay.from_estimator, X": Call(
        "pipeline",
        "X",
        lambda m, X: ForecastDisplay.from_estimator(m, X, ROWS[:, 0]),
        AS_IN_FIT,
    ),
    "ForecastDisplay.from_estimator, y": Call(
        "pipeline",
        "y",
        lambda m, y: ForecastDisplay.from_estimator(m, FRAME, y),
        FORMS | OF_TARGETS | OTHER_ROWS,
    ),
    "ForecastDisplay.from_predictions, y_true": Call(
        "unfitted lstm",
        "y_true",
        lambda m, y: ForecastDisplay.from_predictions(y, ROWS),
        FORMS | OF_TARGETS,
    ),
    "ForecastDisplay.from_predictions, y_pred": Call(
        "unfitted lstm",
        "y_pred",
        lambda m, y: ForecastDisplay.from_predictions(ROWS[:, 0], y),
        FORMS | OF_TARGETS,
    ),
    "GateActivityDisplay.from_estimator, X": Call(
        "pipeline", "X", lambda m, X: GateActivityDisplay.from_estimator(m, X), LATER_ROWS
    ),
    "LagImportanceDisplay.from_estimator, X": Call(
        "pipeline",
        "X",
        lambda m, X: LagImportanceDisplay.from_estimator(m, X, TARGET, n_repeats=1),
        AS_IN_FIT,
    ),
    "WindowSplitDisplay.from_estimator, X": Call(
        "unfitted pipeline",
        "X",
        lambda m, X: WindowSplitDisplay.from_estimator(m, X, cv=2),
        WITHOUT_VALUES | OF_INDEXES,
    ),
}
CASES = [(call, form) for call in CALLS for form in CALLS[call].forms]


@pytest.fixture(autouse=True)
def no_training(monkeypatch):
    """Refuse to train an epoch; models are fitted before."""

    def fail(*args, **kwargs):
        raise AssertionError("an epoch was trained")

    for name in MODELS:
        model(name)
    monkeypatch.setattr(WindowNet, "run_single_epoch", fail)
    yield
    plt.close("all")


REFUSED = (ValueError, TypeError, NotFittedError, AttributeError)


def assert_refused(name, run, argument, says):
    """Run a call on a copy of a model: an error that names the argument, and nothing changes."""
    used = copy.deepcopy(model(name))
    # A pipeline makes a new list of its steps in each fit.
    parts = [step for _, step in used.steps] if isinstance(used, Pipeline) else [used]
    objects, state = [identities(part) for part in parts], process_state()
    with pytest.raises(REFUSED) as caught:
        run(used)
    assert re.search(says, str(caught.value)), str(caught.value)
    assert re.search(rf"\b{argument}\b", str(caught.value)), str(caught.value)
    assert [identities(part) for part in parts] == objects
    assert process_state() == state
    if name in OUTPUTS:
        assert_array_equal(OUTPUTS[name](used), outputs(name))


@pytest.mark.parametrize(("name", "form"), CASES, ids=map(" <- ".join, CASES))
def test_malformed_input_is_refused_and_the_fitted_model_stays(name, form):
    call, given = CALLS[name], CALLS[name].forms[form]
    value = given.make()
    argument = call.argument if given.names_argument else ""
    assert_refused(call.model, lambda used: call.run(used, value), argument, given.says)


# Parameters: values of a wrong type for every one of them, and values out of its range.

NO_NUMBER = {
    "text": "many",
    "a list of lists": [[1]],
    "an object": object(),
    "complex": 1j,
    "a dict": {"a": 1},
    "an array": np.array([1.5, 2.5]),
    "a function": len,
}
NO_REAL = NO_NUMBER | {"NaN": np.nan, "negative": -1, "a bool": True}
NO_INT = NO_REAL | {"infinity": np.inf, "a fraction": 1.5, "zero": 0, "None": None}
NO_BOOL = NO_NUMBER | {"None": None, "an int": 7, "NaN": np.nan}
NO_TEXT = NO_NUMBER | {"None": None, "an int": 7, "a bool": True}
NO_LEADS = NO_NUMBER | {"None": None, "negative": -1, "NaN": np.nan, "a bool": True, "empty": []}
NO_OBJECT = {"None": None, "text": "many", "an int": 7, "a list": [1], "a dict": {"a": 1}}
NO_AXES = {"text": "many", "an int": 7, "a list": [1], "a dict": {"a": 1}}
NO_DICT = {"text": "many", "an int": 7, "an array": np.array([1.5, 2.5]), "a set": {1}}


def but(values, *names, **more):
    """Leave out values that are allowed after all, and add others."""
    return {name: value for name, value in values.items() if name not in names} | more


PARAMETERS = {
    "LSTMRegressor": (
        lambda **params: lstm(**params).fit(WINDOWS, TARGET),
        {
            "hidden_layer_sizes": but(NO_INT, "a list of lists", nested=[[1], [2, 3]], huge=10**12),
            "bidirectional": NO_BOOL,
            "dropout": NO_REAL | {"one": 1.0, "None": None},
            "linear_skip": NO_BOOL,
            "supervise": NO_TEXT,
            "target_leads": NO_LEADS,
            "loss": NO_TEXT,
            "optimizer": NO_TEXT | {"a class": int},
            "learning_rate": NO_REAL | {"zero": 0, "infinity": np.inf, "huge": 1e39},
            "weight_decay": NO_REAL | {"infinity": np.inf, "huge": 1e39},
            "batch_size": NO_INT,
            "max_epochs": NO_INT,
            "early_stopping": NO_BOOL,
            "validation_fraction": NO_REAL | {"zero": 0, "one": 1},
            "n_iter_no_change": NO_INT,
            "tol": NO_REAL | {"infinity": np.inf},
            "gradient_clip": NO_REAL | {"zero": 0, "infinity": np.inf, "huge": 10**400},
            "ema_decay": NO_REAL | {"one": 1.0, "None": None},
            "standardize": NO_BOOL,
            "warm_start": NO_BOOL,
            "random_state": but(NO_INT, "zero", "None", large=2**32),
            "device": NO_TEXT | {"unknown": "gpu"},
            "precision": NO_TEXT,
            "n_jobs": but(NO_INT, "negative", "None"),
            "verbose": but(NO_INT, "zero", "a bool"),
            "callbacks": NO_NUMBER | {"a class": int, "a bool": True},
        },
    ),
    "LSTMRegressor of quantiles": (
        lambda quantiles: lstm(loss="quantile", quantiles=quantiles).fit(WINDOWS, TARGET),
        {"quantiles": NO_INT | {"empty": [], "order": [0.5, 0.1], "even": [0.1, 0.9], "one": [1]}},
    ),
    "SlidingWindowTransformer": (
        lambda **params: SlidingWindowTransformer(**params).fit(FRAME),
        {
            "window_size": NO_INT | {"huge": 2**31},
            "dilation": NO_INT | {"huge": 2**31},
            "freq": NO_NUMBER | {"None": None, "NaN": np.nan, "zero": 0, "an int": 7},
            "history": NO_TEXT,
            "padding": NO_TEXT,
            "flatten": NO_BOOL,
        },
    ),
    "LagTableTransformer": (
        lambda lags: LagTableTransformer(lags).fit(ROWS),
        {"lags": NO_INT | {"empty": [], "too few": [1], "negatives": [-1, -2]}},
    ),
    "KnownTargetsRegressor": (
        lambda **params: KnownTargetsRegressor(**({"regressor": Ridge()} | params)).fit(ROWS, Y),
        {"regressor": NO_OBJECT | {"a function": len}, "target_leads": NO_LEADS},
    ),
    "ConformalRegressor": (
        lambda **params: ConformalRegressor(**({"estimator": ridge()} | params)).fit(FRAME, Y),
        {
            "estimator": NO_OBJECT | {"a function": len},
            "coverage": NO_REAL | {"zero": 0, "one": 1, "percent": 90, "None": None},
            "calibration_fraction": NO_REAL | {"zero": 0, "one": 1, "None": None},
            "target_leads": NO_LEADS,
        },
    ),
    "forecast_targets": (
        lambda **params: forecast_targets(FRAME["load"], **({"horizon": 2} | params)),
        {
            "horizon": NO_INT | {"empty": [], "descending": [2, 1]},
            "freq": NO_NUMBER | {"None": None, "NaN": np.nan, "zero": 0, "an int": 7},
        },
    ),
    "backtest": (
        lambda **params: backtest(
            **({"estimator": model("unfitted pipeline"), "X": FRAME, "y": Y, "cv": 2} | params)
        ),
        {
            "estimator": NO_OBJECT | {"a function": len},
            "cv": NO_NUMBER | {"None": None, "a bool": True, "a set": {1}},
            "refit": but(NO_INT, "zero", "a bool"),
            "baseline": but(NO_INT, "None"),
            "n_jobs": but(NO_INT, "negative", "None"),
        },
    ),
    "lag_importance": (
        lambda **params: lag_importance(
            **({"estimator": model("pipeline"), "X": FRAME, "y": Y, "n_repeats": 1} | params)
        ),
        {
            "estimator": NO_OBJECT,
            "lags": but(NO_INT, "a list of lists", empty=[], beyond=[3], twice=[1, 1]),
            "scoring": but(NO_NUMBER, "a function"),
            "n_repeats": NO_INT,
            "max_samples": NO_REAL | {"zero": 0, "too large": 1.5, "None": None},
            "random_state": but(NO_INT, "zero", "None", "a bool", large=2**32),
        },
    ),
    "known_targets_scorer": (
        lambda scoring: known_targets_scorer(scoring),
        {"scoring": but(NO_TEXT, "a function", unknown="many", quantiles=pinball_scorer)},
    ),
    "pinball_scorer": (
        lambda estimator: pinball_scorer(estimator, WINDOWS, TARGET),
        {"estimator": NO_OBJECT | {"without quantiles": Ridge()}},
    ),
    "PanelSplit": (
        lambda cv: list(PanelSplit(cv).split(PANEL)),
        {"cv": NO_NUMBER | {"a set": {1}}},
    ),
    "WindowArray": (
        lambda **params: WindowArray(
            **({"base": ROWS, "starts": [0, 1], "window_size": SIZE} | params)
        ),
        {
            "starts": but(NO_INT, "a list of lists", beyond=[N_ROWS], nested=[[1]]),
            "window_size": NO_INT,
            "dilation": NO_INT,
        },
    ),
    "ForecastDisplay.from_estimator": (
        lambda **params: ForecastDisplay.from_estimator(
            **({"estimator": model("pipeline"), "X": FRAME, "y": FRAME["load"]} | params)
        ),
        {
            "estimator": NO_OBJECT,
            "row": but(NO_INT, "zero", "negative", "None", beyond=N_ROWS),
            "n_history": but(NO_INT, "None"),
            "freq": NO_NUMBER | {"None": None, "zero": 0},
            "ax": NO_AXES,
            "line_kw": NO_DICT,
        },
    ),
    "ForecastDisplay.from_predictions": (
        lambda **params: ForecastDisplay.from_predictions(
            **({"y_true": ROWS[:, 0], "y_pred": ROWS} | params)
        ),
        {
            "target_leads": NO_LEADS | {"one too few": [1], "descending": [2, 1]},
            "row": but(NO_INT, "zero", "negative", "None", beyond=N_ROWS),
            "n_history": but(NO_INT, "None"),
            "y_interval": but(NO_NUMBER, "a dict") | {"one end": ROWS},
            "ax": NO_AXES,
            "line_kw": NO_DICT,
        },
    ),
    "GateActivityDisplay.from_estimator": (
        lambda **params: GateActivityDisplay.from_estimator(
            **({"estimator": model("pipeline"), "X": FRAME} | params)
        ),
        {
            "estimator": NO_OBJECT | {"another": Ridge()},
            "row": but(NO_INT, "zero", "negative", "None", beyond=N_ROWS),
            "layer": but(NO_INT, "zero", "negative", "None", beyond=1),
            "ax": NO_AXES,
        },
    ),
    "LossCurveDisplay.from_estimator": (
        lambda **params: LossCurveDisplay.from_estimator(
            **({"estimator": model("pipeline")} | params)
        ),
        {"estimator": NO_OBJECT | {"another": Ridge()}, "ax": NO_AXES, "line_kw": NO_DICT},
    ),
    "LagImportanceDisplay": (
        lambda importance: LagImportanceDisplay(importance=importance).plot(),
        {"importance": NO_OBJECT},
    ),
    "LagImportanceDisplay.from_estimator": (
        lambda ax: LagImportanceDisplay.from_estimator(
            model("pipeline"), FRAME, Y, n_repeats=1, ax=ax
        ),
        {"ax": NO_AXES},
    ),
    "WindowSplitDisplay.from_estimator": (
        lambda **params: WindowSplitDisplay.from_estimator(
            **({"estimator": model("pipeline"), "X": FRAME, "cv": 2} | params)
        ),
        {
            "estimator": NO_OBJECT | {"another": Ridge()},
            "cv": NO_NUMBER | {"a set": {1}},
            "ax": NO_AXES,
        },
    ),
    "BacktestDisplay.from_result": (
        lambda **params: BacktestDisplay.from_result(**({"result": model("result")} | params)),
        {
            "result": NO_OBJECT,
            "kind": NO_TEXT,
            "by": but(NO_NUMBER, "a function") | {"an int": 7},
            "measure": NO_TEXT,
            "ax": NO_AXES,
            "line_kw": NO_DICT,
        },
    ),
    "BacktestDisplay.from_result of forecasts": (
        lambda output: BacktestDisplay.from_result(
            model("result"), kind="forecasts", output=output
        ),
        {"output": but(NO_INT, "zero", beyond=2)},
    ),
    "BacktestResult.errors": (
        lambda by: model("result").errors(by),
        {"by": but(NO_NUMBER, "a function") | {"an int": 7}},
    ),
}
PARAMETER_CASES = [
    pytest.param(run, name, value, id=f"{call}, {name} <- {what}")
    for call, (run, parameters) in PARAMETERS.items()
    for name, values in parameters.items()
    for what, value in values.items()
]


@pytest.mark.parametrize(("run", "name", "value"), PARAMETER_CASES)
def test_a_wrong_value_of_a_parameter_is_refused_by_its_name(run, name, value):
    state = process_state()
    with pytest.raises(REFUSED, match=rf"\b{name}\b"):
        run(**{name: value})
    assert process_state() == state


UNFITTED = {
    "LSTMRegressor.predict": ("unfitted lstm", lambda m: m.predict(WINDOWS)),
    "LSTMRegressor.predict_quantiles": (
        "unfitted lstm",
        lambda m: m.predict_quantiles(WINDOWS),
    ),
    "LSTMRegressor.score": ("unfitted lstm", lambda m: m.score(WINDOWS, TARGET)),
    "LSTMRegressor.linear_coef_": ("unfitted lstm", lambda m: m.linear_coef_),
    "SlidingWindowTransformer.transform": ("unfitted windows", lambda m: m.transform(ROWS)),
    "SlidingWindowTransformer.get_feature_names_out": (
        "unfitted windows",
        lambda m: m.set_params(flatten=True).get_feature_names_out(),
    ),
    "LagTableTransformer.transform": ("unfitted lags", lambda m: m.transform(ROWS)),
    "KnownTargetsRegressor.predict": ("unfitted known", lambda m: m.predict(ROWS)),
    "KnownTargetsRegressor.score": ("unfitted known", lambda m: m.score(ROWS, Y)),
    "ConformalRegressor.predict": ("unfitted intervals", lambda m: m.predict(FRAME)),
    "ConformalRegressor.predict_interval": (
        "unfitted intervals",
        lambda m: m.predict_interval(FRAME),
    ),
    "ConformalRegressor.update": ("unfitted intervals", lambda m: m.update(FRAME, Y)),
    "ConformalRegressor.score": ("unfitted intervals", lambda m: m.score(FRAME, Y)),
    "lag_importance": ("unfitted pipeline", lambda m: lag_importance(m, FRAME, Y)),
    "ForecastDisplay": (
        "unfitted pipeline",
        lambda m: ForecastDisplay.from_estimator(m, FRAME, FRAME["load"]),
    ),
    "GateActivityDisplay": (
        "unfitted pipeline",
        lambda m: GateActivityDisplay.from_estimator(m, FRAME),
    ),
    "LossCurveDisplay": (
        "unfitted pipeline",
        lambda m: LossCurveDisplay.from_estimator(m),
    ),
    "LagImportanceDisplay": (
        "unfitted pipeline",
        lambda m: LagImportanceDisplay.from_estimator(m, FRAME, Y),
    ),
}


@pytest.mark.parametrize("call", UNFITTED)
@pytest.mark.filterwarnings("ignore:This Pipeline instance is not fitted yet")
def test_what_needs_a_fit_says_so(call):
    name, run = UNFITTED[call]
    with pytest.raises(NotFittedError, match="not fitted|Call fit|'fit'"):
        run(copy.deepcopy(model(name)))


def test_every_public_callable_has_cases():
    """Displays that draw given values, and results, are made by other callables."""
    used = " ".join([*CALLS, *PARAMETERS])
    for name in sklstm.__all__:
        assert name in used
        members = inspect.getmembers(getattr(sklstm, name), callable)
        for method, function in members if isinstance(getattr(sklstm, name), type) else ():
            is_own = str(getattr(function, "__module__", "")).startswith("sklstm")
            no_input = {"plot", "set_output", "get_metadata_routing", "get_n_splits"}
            no_input |= {"get_feature_names_out", "to_frame", "groups", "measured", "of_panel"}
            of_inner = {"KnownTargetsRegressor.predict", "ConformalRegressor.score"}
            if method.startswith("_") or not is_own or method in no_input:
                continue
            assert f"{name}.{method}" in used or f"{name}.{method}" in of_inner
