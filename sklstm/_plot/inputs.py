"""Inputs of the displays: steps of an estimator, its fitted LSTMRegressor, a row, one series."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sklstm._inner_estimator import has_quantiles
from sklstm._regressor import LSTMRegressor
from sklstm._scoring import at_last_step
from sklstm._series.labels import is_pandas, label_text
from sklstm._series.panel import panel_of, some_names
from sklstm._validation import check_int


def check_row(row: int, n_rows: int) -> int:
    """Return ``row`` counted from the start; refuse a row that does not exist."""
    row = check_int("row", row)
    if not -n_rows <= row < n_rows:
        raise ValueError(
            f"row={row}, but there are {n_rows} rows: expected {-n_rows} to {n_rows - 1}. "
            "Negative numbers count from the end."
        )
    return row % n_rows


def of_one_series(data: Any, name: str) -> Any:
    """Drop the levels of an index that name the series, of which there must be one."""
    if not is_pandas(data) or data.index.nlevels == 1:
        return data
    names = panel_of(data.index, name).names
    if len(names) > 1:
        raise ValueError(
            f"{name} has rows of {len(names)} series ({some_names(names)}), but one is drawn. "
            f"Pass the rows of one series as each argument: {name}.loc[[{label_text(names[0])}]]."
        )
    return data.droplevel(list(range(data.index.nlevels - 1)))


def steps_of(estimator: BaseEstimator) -> list[Any]:
    """List the steps of a pipeline, of the best pipeline of a search, or the estimator alone."""
    for name in ("best_estimator_", "estimator"):  # of a fitted search, of an unfitted one
        if hasattr(estimator, name):
            return steps_of(getattr(estimator, name))
    if not isinstance(estimator, Pipeline):
        return [estimator]
    *before, last = (step for _, step in estimator.steps)
    return [step for step in before if step not in (None, "passthrough")] + steps_of(last)


def intervals_of(estimator: Any, X: Any) -> dict[str, np.ndarray] | None:
    """Return the intervals that an estimator predicts, (rows, horizon, 2), by label; or None."""
    estimator = getattr(estimator, "best_estimator_", estimator)
    if hasattr(estimator, "predict_interval"):
        ends = np.asarray(estimator.predict_interval(X))
        coverage = getattr(estimator, "_coverage", None)  # that of the fit
        label = "interval" if coverage is None else f"{100 * coverage:g} %"
        return {label: ends.reshape(len(ends), -1, 2)}
    last, X = at_last_step(estimator, X)
    if not has_quantiles(last):
        return None
    quantiles = np.asarray(last.predict_quantiles(X))  # (rows, horizon, quantiles) or (rows, ...)
    quantiles = quantiles.reshape(len(quantiles), -1, quantiles.shape[-1])
    levels = np.asarray(last.quantiles_)
    order = np.argsort(levels)
    pairs = [(order[at], order[-1 - at]) for at in range(len(order) // 2)]
    return {
        f"{100 * (levels[high] - levels[low]):.3g} %": quantiles[..., [low, high]]
        for low, high in pairs
    }


def fitted_lstm(estimator: BaseEstimator) -> list[Any]:
    """List the steps of an estimator, the last of which must be a fitted LSTMRegressor."""
    steps = steps_of(estimator)
    if not isinstance(steps[-1], LSTMRegressor):
        raise TypeError(
            "estimator must be a fitted LSTMRegressor, a Pipeline that ends in one, or a search "
            f"over these, got {type(estimator).__name__} with {type(steps[-1]).__name__} at its "
            "end."
        )
    unfitted = (
        "estimator holds a %(name)s that is not fitted. Call fit; a search also needs refit=True."
    )
    check_is_fitted(steps[-1], msg=unfitted)
    return steps
