"""What a meta-estimator gets from the fitted estimator inside: ends of intervals, histories."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline

from sklstm._scoring import at_last_step
from sklstm._transformer import SlidingWindowTransformer
from sklstm._validation import take_columns


def has_quantiles(regressor: Any) -> bool:
    """Whether a fitted regressor predicts quantiles: LSTMRegressor does with one loss only."""
    return len(getattr(regressor, "quantiles_", ())) > 0


def predicted_bounds(estimator: Any, X: Any, coverage: float) -> np.ndarray:
    """Predict the quantiles next to the ends of the interval, or twice the target.

    Returns
    -------
    bounds : ndarray of shape (n_rows, n_outputs, 2)
    """
    last, X = at_last_step(estimator, X)
    if has_quantiles(last):
        levels, ends = np.asarray(last.quantiles_), np.array([1 - coverage, 1 + coverage]) / 2
        nearest = np.abs(levels - ends[:, np.newaxis]).argmin(axis=1)
        quantiles = np.asarray(last.predict_quantiles(X), dtype=np.float64)[..., nearest]
        return quantiles.reshape(len(quantiles), -1, 2)
    predicted = np.asarray(last.predict(X), dtype=np.float64)
    return np.repeat(predicted.reshape(len(predicted), -1, 1), 2, axis=2)


def histories_of(estimator: Any, X: Any) -> Iterator[tuple[SlidingWindowTransformer, Any]]:
    """Yield each transformer in ``estimator`` that keeps a history, and the rows it gets of X."""
    if isinstance(estimator, Pipeline):
        steps = [step for _, step in estimator.steps if step not in (None, "passthrough")]
        for step, later in zip(steps, [*steps[1:], None], strict=True):
            yield from histories_of(step, X)
            if later is not None and hasattr(step, "transform"):
                X = step.transform(X)
    elif isinstance(estimator, FeatureUnion):
        for _, transformer in estimator.transformer_list:
            yield from histories_of(transformer, X)
    elif isinstance(estimator, ColumnTransformer):
        for _, transformer, columns in estimator.transformers_:
            if not isinstance(transformer, str):  # "drop"
                yield from histories_of(transformer, take_columns(X, columns))
    elif keeps_history(estimator):
        yield estimator, X
    else:
        for one in _inside(estimator):
            yield from histories_of(one, X)


def keeps_history(step: Any) -> bool:
    """Whether a step puts the rows before those that it gets into their windows."""
    return isinstance(step, SlidingWindowTransformer) and step.history == "auto"


def _inside(estimator: Any) -> list[Any]:
    """List the estimators to which a meta-estimator passes X as it is."""
    found: list[Any] = []
    for attribute in ("best_estimator_", "regressor_", "estimator_"):
        found += [getattr(estimator, attribute)] if hasattr(estimator, attribute) else []
    return found + list(getattr(estimator, "estimators_", []))
