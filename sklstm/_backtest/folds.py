"""The folds of a backtest: which rows each fit knows, and which rows its predictions need."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import TimeSeriesSplit
from sklearn.pipeline import Pipeline

from sklstm._conformal import ConformalRegressor
from sklstm._containers import as_numbers
from sklstm._panel_split import PanelSplit, folds_of
from sklstm._scoring import at_last_step
from sklstm._series.labels import PandasIndex, is_default, is_pandas
from sklstm._series.panel import Panel, series_index
from sklstm._series.windows import history_length
from sklstm._transformer import SlidingWindowTransformer
from sklstm._validation import is_int, take_rows

Split = tuple[np.ndarray, np.ndarray]  # training and test rows, increasing


@dataclass(frozen=True, eq=False)
class Rows:
    """Which series the rows of X are of, and their order in time.

    Attributes
    ----------
    labels : pandas.Index or None
        That of X or, if it has none, of y.
    index : pandas.Index or None
        The same, if it is of one series and lies in time.
    panel : Panel or None
        Of several series.
    series, number, clock : ndarray of int of shape (n_rows,)
        The series of each row, its number among the rows of the series, and its place in time
        among the rows of all series.
    """

    labels: PandasIndex | None
    index: PandasIndex | None
    panel: Panel | None
    series: np.ndarray
    number: np.ndarray
    clock: np.ndarray

    @classmethod
    def of(cls, X: Any, y: Any, n_rows: int) -> Rows:
        """Read the order of the rows from the index of X or y; without one, rows are in order."""
        named = {name: data for name, data in (("X", X), ("y", y)) if is_pandas(data)}
        own = [name for name, data in named.items() if not is_default(data.index)]
        name = (own or list(named) or [""])[0]
        labels = named[name].index if name else None
        found = series_index(named[name], name, "rows") if name else None
        panel = found if isinstance(found, Panel) else getattr(X, "panel", None)
        number = np.arange(n_rows)
        if panel is None:
            return cls(labels, found, None, np.zeros(n_rows, dtype=np.int64), number, number)
        series, clock = panel.series.astype(np.int64), panel.clock.astype(np.int64)
        number = (np.diff(panel.edges) - 1)[series] - panel.rows_left()
        return cls(labels, None, panel, series, number, clock)

    @property
    def n_series(self) -> int:
        """The number of series."""
        return 1 if self.panel is None else len(self.panel.names)

    def of_series(self, rows: np.ndarray, last: bool) -> np.ndarray:
        """Return the number of the last or the first of these rows in each series.

        Of a series without any of them it is before, or after, all rows.
        """
        numbers: np.ndarray = np.full(self.n_series, -1 if last else len(self.number))
        at = np.maximum.at if last else np.minimum.at
        at(numbers, self.series[rows], self.number[rows])
        return numbers


def splits_of(cv: Any, X: Any, y: Any, rows: Rows) -> list[Split]:
    """Return the folds of a splitter, checked: training rows lie before test rows."""
    if is_int(cv):
        cv = TimeSeriesSplit(int(cv))
        cv = cv if rows.panel is None else PanelSplit(cv)
    elif cv is None or isinstance(cv, (bool, str)):
        raise ValueError(
            f"cv must be an int, a splitter or an iterable of training and test rows, got {cv!r}. "
            "For instance TimeSeriesSplit(5), or PanelSplit(5) for several series."
        )
    n_rows, splits = len(rows.number), []
    for fold, (train, test) in enumerate(folds_of(cv, X, y)):
        train = _checked(train, n_rows, f"training rows of fold {fold}")
        test = _checked(test, n_rows, f"test rows of fold {fold}")
        _check_order(rows, train, test, f"fold {fold} trains on")
        splits.append((train, test))
    if not splits:
        raise ValueError("cv has no folds, but a backtest needs at least one.")
    return splits


def _checked(part: Any, n_rows: int, what: str) -> np.ndarray:
    numbers = np.asarray(part)
    if numbers.dtype == bool and numbers.shape == (n_rows,):
        numbers = np.flatnonzero(numbers)
    is_wrong = numbers.ndim != 1 or not len(numbers) or numbers.dtype.kind not in "iu"
    if is_wrong or numbers.min() < 0 or numbers.max() >= n_rows:
        raise ValueError(
            f"The {what} must be numbers of rows from 0 to {n_rows - 1}, at least one, got "
            f"{part!r:.100}. Turn labels into numbers: X.index.get_indexer(labels)."
        )
    rows = np.unique(numbers)
    if len(rows) < len(numbers):
        raise ValueError(
            f"The {what} hold a row twice, but each row is one step of its series. Choose a "
            "splitter that draws no row again, such as TimeSeriesSplit."
        )
    return rows


def _check_order(rows: Rows, train: np.ndarray, test: np.ndarray, what: str) -> None:
    last, first = (
        train[int(rows.clock[train].argmax())],
        test[int(rows.clock[test].argmin())],
    )
    both = np.intersect1d(train, test)
    if len(both):
        last = first = both[0]
    if len(both) or rows.clock[last] > rows.clock[first]:
        raise ValueError(
            f"{what} row {last}, which is not before its test row {first} in time. A backtest "
            "forecasts rows from earlier ones: choose a splitter such as TimeSeriesSplit, or "
            "PanelSplit(TimeSeriesSplit()) for several series. If targets do not lie ahead and "
            "each row is tested once (KFold), use cross_val_predict.".replace("fold", "Fold", 1)
        )


def groups_of(refit: Any, splits: list[Split], rows: Rows) -> list[list[int]]:
    """Return the folds of each fit, the first of which has its training rows."""
    if not isinstance(refit, (bool, np.bool_)) and not (is_int(refit) and refit >= 1):
        raise ValueError(
            f"refit must be True (in every fold), False (in the first one only) or an int of at "
            f"least 1 (in every so many folds), got {refit!r}."
        )
    size = len(splits) if not refit else int(refit)  # True is 1
    groups = [list(range(len(splits)))[at : at + size] for at in range(0, len(splits), size)]
    for first, *others in groups:
        for fold in others:
            what = f"fold {fold} takes the fit of fold {first} (refit={refit!r}) on"
            _check_order(rows, splits[first][0], splits[fold][1], what)
    return groups


def step_with_leads(estimator: Any) -> Any:
    """Return the step that leaves unknown targets out itself; None if there is none."""
    while not hasattr(estimator, "target_leads"):
        if isinstance(estimator, Pipeline):
            estimator = estimator.steps[-1][1]
        elif hasattr(estimator, "estimator") and hasattr(estimator, "refit"):  # a search
            estimator = estimator.estimator
        else:
            return None
    return estimator


class Forecasts(NamedTuple):
    """What a fit predicts of the test rows of a fold."""

    values: np.ndarray  # (rows, outputs)
    intervals: np.ndarray | None  # (rows, outputs, 2), lower and upper; None without
    coverage: float | None  # of the intervals, as set


@dataclass(frozen=True, eq=False)
class Fits:
    """How the estimator is fitted, and predicts.

    Attributes
    ----------
    estimator : estimator
    rows : Rows
    leads : ndarray of int of shape (outputs,)
    leads_are_named : bool
        Whether the columns of y tell the leads. If not, few rows of a fold may not show them.
    """

    estimator: BaseEstimator
    rows: Rows
    leads: np.ndarray
    leads_are_named: bool

    def forecasts(self, X: Any, y: Any, splits: list[Split], folds: list[int]) -> list[Forecasts]:
        """Fit on the first of some folds; return the forecasts of each."""
        train = splits[folds[0]][0]
        fold = folds[0]
        try:
            model, fitted = self._fitted(X, y, train)
            found = []
            for fold in folds:
                found.append(self._predicted(model, X, fitted, splits[fold][1]))
        except Exception as error:
            error.add_note(f"This was in fold {fold} of the backtest.")
            raise
        return found

    def _fitted(self, X: Any, y: Any, train: np.ndarray) -> tuple[Any, np.ndarray]:
        model = clone(self.estimator)
        step = step_with_leads(model)
        if step is None:
            train = self._with_known_targets(train)
        elif isinstance(step.target_leads, str) and not self.leads_are_named and self.leads.any():
            step.set_params(target_leads=self.leads.tolist())
        (X, _), (y, _) = take_rows(X, {}, train), take_rows(y, {}, train)
        try:
            return model.fit(X, y), train
        except ValueError as error:
            is_unknown = np.isnan(as_numbers(y, "y"))
            if step is not None or not is_unknown.any():
                raise
            row = train[int(is_unknown.reshape(len(train), -1).any(axis=1).argmax())]
            raise ValueError(
                f"The fit failed, and y has unknown targets in it (NaN, first in row {row}). Put "
                "KnownTargetsRegressor around the regressor, which leaves such rows out: "
                "make_pipeline(windows, KnownTargetsRegressor(Ridge())), for instance. The error "
                f"of the fit is: {error}"
            ) from error

    def _with_known_targets(self, train: np.ndarray) -> np.ndarray:
        """Leave out the rows whose targets are not all known at the last one of their series."""
        panel = self.rows.panel
        left = np.arange(len(train))[::-1] if panel is None else panel.take(train).rows_left()
        lead = int(self.leads.max())
        known = train[left >= lead]
        if not len(known):
            raise ValueError(
                f"None of the targets of the {len(train)} training rows is known at the last of "
                f"them: they become known up to {lead} row(s) later. Choose folds with more "
                "training rows."
            )
        return known

    def _predicted(self, model: Any, X: Any, fitted: np.ndarray, test: np.ndarray) -> Forecasts:
        passed = self._passed(model, fitted, test)
        X = take_rows(X, {}, passed)[0]
        predicted: np.ndarray = np.asarray(model.predict(X))
        shape = len(passed), len(self.leads)
        if predicted.shape not in (shape, shape[:1] if shape[1] == 1 else shape):
            raise ValueError(
                f"The predictions have shape {predicted.shape}, but expected {shape}: one row for "
                "each row of X, and the outputs of y."
            )
        tested = np.searchsorted(passed, test)
        predicted = predicted.reshape(shape)[tested].astype(np.float64)
        if not np.isfinite(predicted).all():
            row = test[int(np.argmin(np.isfinite(predicted).all(axis=1)))]
            raise ValueError(
                f"The prediction of row {row} is not finite, so it has no error. Check this row "
                "of X and the estimator."
            )
        last, X = at_last_step(model, X)
        if not isinstance(last, ConformalRegressor):
            return Forecasts(predicted, None, None)
        intervals = last.predict_interval(X).reshape(*shape, 2)[tested]
        return Forecasts(predicted, intervals, last._coverage)

    def _passed(self, model: Any, fitted: np.ndarray, test: np.ndarray) -> np.ndarray:
        """Return the test rows, and the rows before them that are not in the fitted history."""
        rows = self.rows
        reach = _reach_without_history(model)
        if reach is None:
            begin = rows.of_series(fitted, last=True) + 1
        else:
            begin = rows.of_series(test, last=False) - reach
        end = rows.of_series(test, last=True)
        of_row = rows.series
        return np.flatnonzero((rows.number >= begin[of_row]) & (rows.number <= end[of_row]))


def _reach_without_history(model: Any) -> int | None:
    """Count the rows that windows reach back, if one is made with history="none"."""
    windows = list(_windows_of(model))
    if all(step.history != "none" for step in windows):
        return None
    return max(history_length(step.window_size, step.dilation) for step in windows)


def _windows_of(model: Any) -> Iterator[SlidingWindowTransformer]:
    best = getattr(model, "best_estimator_", model)
    for value in best.get_params().values():
        if isinstance(value, SlidingWindowTransformer):
            yield value


def freq_of(estimator: Any) -> Any:
    """Return the ``freq`` of the windows of an estimator, or "auto"."""
    return next((step.freq for step in _windows_of(estimator)), "auto")
