"""The values of each feature at each lag inside a pipeline, and predictions from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils.validation import check_is_fitted

from sklstm._containers import as_numbers, column_names
from sklstm._lag_table import LagTableTransformer
from sklstm._series.labels import is_pandas
from sklstm._series.lag_names import read_lags
from sklstm._series.window_array import WindowArray
from sklstm._transformer import SlidingWindowTransformer
from sklstm._validation import check_params, take_rows

_VALUES_AT_ONCE = 2**21  # of windows that are copied, changed and predicted

# The names of the features, and for each of them the column of each lag.
_Layout = tuple[list[str], list[dict[int, int]]]


@dataclass(frozen=True)
class LaggedValues:
    """Windows, or a table with a column for each feature and lag, and the steps that follow.

    Attributes
    ----------
    values : ndarray, WindowArray, data frame or table
        Windows (n, window_size, n_features), or a table (n, columns).
    steps : list
        What follows: transformers and, at the end, a regressor.
    features : list of str
    columns : list of dict
        For each feature the column of each lag; of windows, that of a flattened window.
    """

    values: Any
    steps: list[Any]
    features: list[str]
    columns: list[dict[int, int]]

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return int(self.values.shape[0])

    def predict(
        self, rows: np.ndarray, sources: np.ndarray | None = None, columns: Sequence[int] = ()
    ) -> np.ndarray:
        """Predict some rows, with the values in ``columns`` of the rows ``sources``."""
        n_values = int(np.prod(self.values.shape[1:], dtype=object))
        n_at_once = max(_VALUES_AT_ONCE // max(n_values, 1), 1)
        *before, last = self.steps
        predicted = []
        for start in range(0, len(rows), n_at_once):
            some = slice(start, start + n_at_once)
            part = self._part(rows[some], None if sources is None else sources[some], columns)
            for step in before:
                part = step.transform(part)
            predicted.append(np.asarray(last.predict(part)))
        return np.concatenate(predicted)

    def _part(self, rows: np.ndarray, sources: np.ndarray | None, columns: Sequence[int]) -> Any:
        if sources is None:
            return take_rows(self.values, {}, rows)[0]
        if is_pandas(self.values):
            frame = self.values.iloc[rows].copy()
            for column in columns:
                frame.isetitem(column, self.values.iloc[sources, column].array)
            return frame
        part, others = (_copied(self.values, which) for which in (rows, sources))
        part.reshape(len(part), -1)[:, columns] = others.reshape(len(part), -1)[:, columns]
        panel = getattr(self.values, "panel", None)
        if panel is None:
            return part
        _, window_size, n_features = part.shape
        base, starts = part.reshape(-1, n_features), np.arange(len(part)) * window_size
        return WindowArray.of_panel(base, starts, window_size, 1, panel.take(rows))


def _copied(values: Any, rows: np.ndarray) -> np.ndarray:
    some = as_numbers(take_rows(values, {}, rows)[0], "X")
    return np.ascontiguousarray(some.toarray() if issparse(some) else some)


def lagged_values(estimator: Any, X: Any) -> LaggedValues:
    """Find the windows, or the table of lags, that the estimator makes of ``X``.

    Raises
    ------
    ValueError
        If it cannot be told which values are of which lag.
    TypeError
        If the estimator does not predict.
    """
    check_is_fitted(estimator)
    if not hasattr(estimator, "predict"):
        raise TypeError(
            f"estimator must have predict, got {type(estimator).__name__} without it. Pass a "
            "fitted regressor, a pipeline that ends in one, or a search with refit=True."
        )
    steps = _steps_of(estimator)
    for place, step in enumerate(steps[:-1]):
        if isinstance(step, LagTableTransformer):
            return LaggedValues(_as_values(X), steps[place:], *_of_lag_table(step))
        X = step.transform(X)
        if isinstance(step, SlidingWindowTransformer):
            names, params = _names_before(steps[: place + 1]), check_params(step)
            lags = np.arange(params.window_size) * params.dilation
            columns = _of_windows(lags, len(names), params.flatten)
            return LaggedValues(_as_values(X), steps[place + 1 :], names, columns)
    values = _as_values(X)
    if len(values.shape) == 3:
        _, size, n_features = values.shape
        layout = _default_names(n_features), _of_windows(np.arange(size), n_features)
    else:
        layout = _of_table(X, values.shape[1], steps)
    return LaggedValues(values, steps[-1:], *layout)


def _as_values(X: Any) -> Any:
    is_table = hasattr(X, "shape") and hasattr(X, "columns")  # a lazy frame has no shape
    return X if is_table else as_numbers(X, "X")


def _steps_of(estimator: Any) -> list[Any]:
    """List the steps of a pipeline, of pipelines in it, and of those that predict for others."""
    if hasattr(estimator, "best_estimator_"):  # a search
        return _steps_of(estimator.best_estimator_)
    if hasattr(estimator, "predict_interval"):  # ConformalRegressor
        return _steps_of(estimator.estimator_)
    if not isinstance(estimator, Pipeline):
        return [estimator]
    steps = [step for _, step in estimator.steps if step not in (None, "passthrough")]
    return [inner for step in steps for inner in _steps_of(step)]


def _default_names(n_features: int) -> list[str]:
    return [f"x{feature}" for feature in range(n_features)]


def _names_before(steps: list[Any]) -> list[str]:
    """Name the columns that the last of these steps gets, as far as one of them knows."""
    *before, last = steps
    if before and not hasattr(last, "feature_names_in_"):
        try:
            return list(make_pipeline(*before).get_feature_names_out())
        except AttributeError:  # a step that does not name its columns
            pass
    return list(getattr(last, "feature_names_in_", _default_names(last.n_features_in_)))


def _of_windows(lags: np.ndarray, n_features: int, flat: bool = False) -> list[dict[int, int]]:
    """Return the columns of windows, whose last step has the first of these lags."""
    # Flat windows have a block of columns for each feature.
    apart, step = (len(lags), 1) if flat else (1, n_features)
    last = (len(lags) - 1) * step
    return [
        {int(lag): feature * apart + last - place * step for place, lag in enumerate(lags)}
        for feature in range(n_features)
    ]


def _of_lag_table(step: LagTableTransformer) -> _Layout:
    """Return features and columns of the table that LagTableTransformer gets."""
    names = getattr(step, "feature_names_in_", None)
    lags = [None] * step.n_features_in_ if names is None else read_lags(names)
    features, columns = _default_names(step.columns_.shape[1]), []
    for feature, places in enumerate(step.columns_.T.tolist()):
        is_static = len(places) > len(set(places))
        columns.append(
            {0: places[0]} if is_static else dict(zip(step.lags_.tolist(), places, strict=True))
        )
        if names is not None and is_static:
            features[feature] = str(names[places[0]])
        elif (lag := lags[places[0]]) is not None and lag.feature:
            features[feature] = lag.feature
    return features, columns


def _of_table(X: Any, n_columns: int, steps: list[Any]) -> _Layout:
    """Return features and columns of a table as the names of its columns say."""
    names, last = column_names(X), steps[-1]
    if len(names) != n_columns or not all(isinstance(name, str) for name in names):
        names = _names_before(steps) if len(steps) > 1 else []
    lags = read_lags(names)
    if not any(lags) or _makes_windows(last):
        if getattr(last, "window_size_", None) == n_columns:  # an LSTMRegressor
            return ["x0"], _of_windows(np.arange(n_columns), 1)
        raise ValueError(
            "The lags of the values in X are not known. Pass a pipeline with "
            "SlidingWindowTransformer or LagTableTransformer among its steps (what stands around "
            "the pipeline, such as TransformedTargetRegressor, can be its last step), or windows "
            "as a data frame whose columns have names such as load_lag3: set_output("
            "transform='pandas') of a SlidingWindowTransformer with flatten=True makes them."
        )
    if len(units := {lag.unit for lag in lags if lag is not None}) > 1:
        raise ValueError(
            f"The columns of X have lags in several units ({', '.join(map(repr, sorted(units)))}), "
            "but expected one. Rename the columns."
        )
    features: dict[str, dict[int, int]] = {}
    for column, (name, lag) in enumerate(zip(names, lags, strict=True)):
        feature, rows = (name, 0) if lag is None else (lag.feature or "x0", lag.rows)
        of_feature = features.setdefault(feature, {})
        if rows in of_feature:
            raise ValueError(
                f"Columns {names[of_feature[rows]]!r} and {name!r} of X are both lag {rows} of "
                f"{feature!r}, but expected one. Rename one of them."
            )
        of_feature[rows] = column
    return list(features), list(features.values())


def _makes_windows(estimator: Any) -> bool:
    """Whether an estimator holds a transformer whose windows cannot be reached."""
    inner = estimator.get_params().values() if hasattr(estimator, "get_params") else ()
    return any(isinstance(part, SlidingWindowTransformer) for part in inner)
