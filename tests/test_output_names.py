"""Targets are told apart by the names of their columns: another order, or others, are refused."""

import ast
import pickle
import re

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline

from sklstm import (
    ConformalRegressor,
    KnownTargetsRegressor,
    LSTMRegressor,
    SlidingWindowTransformer,
    forecast_targets,
    known_targets_scorer,
    lag_importance,
    pinball_scorer,
)

N = 120
X = pd.DataFrame({"load": np.sin(np.arange(N))}, pd.date_range("2024-01-01", periods=N))
Y = forecast_targets(X["load"], 2)
SWAPPED = Y[["load_lead2", "load_lead1"]]
MAE = known_targets_scorer("neg_mean_absolute_error")


def lstm(**params):
    windows = SlidingWindowTransformer(3, padding="edge")
    last = LSTMRegressor(2, max_epochs=1, random_state=0, early_stopping=False, **params)
    return make_pipeline(windows, last)


def ridge():
    windows = SlidingWindowTransformer(3, padding="edge", flatten=True)
    return make_pipeline(windows, KnownTargetsRegressor(Ridge()))


def search():
    return GridSearchCV(ridge(), {}, cv=TimeSeriesSplit(2), scoring=MAE)


def partial_fit(model, X, y):
    model[-1].partial_fit(model[:-1].transform(X), y)


def warm_fit(model, X, y):
    model.set_params(lstmregressor__warm_start=True).fit(X, y)


CASES = {
    "lstm": (lstm, lambda model, X, y: model.score(X, y)),
    "partial_fit": (lstm, partial_fit),
    "warm start": (lstm, warm_fit),
    "known targets": (ridge, lambda model, X, y: model.score(X, y)),
    "conformal": (lambda: ConformalRegressor(ridge()), lambda model, X, y: model.score(X, y)),
    "update": (lambda: ConformalRegressor(ridge()), lambda model, X, y: model.update(X, y)),
    "search": (search, lambda model, X, y: model.score(X, y)),
    "scorer": (search, MAE),
    "pinball": (lambda: lstm(loss="quantile"), pinball_scorer),
    "importance": (ridge, lambda model, X, y: lag_importance(model, X, y, n_repeats=1)),
}


@pytest.mark.parametrize("name", CASES)
def test_another_order_is_refused_and_the_advice_works(name):
    make, use = CASES[name]
    model = pickle.loads(pickle.dumps(make().fit(X, Y)))
    with pytest.raises(ValueError, match=r"target names should match .* same order") as caught:
        use(model, X, SWAPPED)
    (names,) = re.findall(r"pass y\[(\[.*\])\]\.", str(caught.value))
    use(model, X, SWAPPED[ast.literal_eval(names)])
    use(model, X, Y.to_numpy())


@pytest.mark.parametrize("name", CASES)
def test_other_names_are_refused_and_the_advice_works(name):
    make, use = CASES[name]
    model, other = make().fit(X, Y), Y.rename(columns={"load_lead2": "load_lead3"})
    told = r"now missing: load_lead2\. Names unseen at fit time: load_lead3\. "
    with pytest.raises(ValueError, match=told):
        use(model, X, other)
    use(model, X, other.to_numpy())


@pytest.mark.parametrize("kind", [pl.from_pandas, pa.Table.from_pandas])
def test_names_of_other_tables_are_read_too(kind):
    model = KnownTargetsRegressor(Ridge()).fit(X.to_numpy(), kind(Y.reset_index(drop=True)))
    swapped = kind(SWAPPED.reset_index(drop=True))
    with pytest.raises(ValueError, match="same order") as caught:
        model.score(X.to_numpy(), swapped)
    (advice,) = re.findall(r"pass (y.*)\.$", str(caught.value))
    in_order = eval(advice, {"y": swapped})
    expected = model.score(X.to_numpy(), Y.to_numpy())
    assert model.score(X.to_numpy(), in_order) == expected


def test_names_of_the_last_fit_count():
    model = lstm().fit(X, Y)
    model.fit(X, SWAPPED).score(X, SWAPPED)
    model.fit(X, Y.to_numpy()).score(X, SWAPPED)  # the fit had no names


def test_a_series_may_have_any_name():
    model = ridge().fit(X, Y["load_lead1"])
    assert model.score(X, Y["load_lead1"]) == model.score(X, Y["load_lead1"].rename("target"))
