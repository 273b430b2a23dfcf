"""BacktestResult: the forecasts of a backtest, their errors, and what these are compared with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sklstm._backtest.errors import Errors, coverage_table
from sklstm._series.labels import as_times, check_same_labels, is_pandas, loaded_pandas

_SHOWN = 3  # folds at either end of the table
_COLUMNS = {
    "skill_over_persistence": "skill over persistence",
    "skill_over_seasonal_naive": "over seasonal naive",
}


@dataclass(frozen=True, eq=False, repr=False)
class BacktestResult:
    """Forecasts of a backtest, with their errors: what :func:`backtest` returns.

    Each row of the arrays is a forecast made at one row of ``X`` in one fold. A row that several
    folds test has several forecasts.

    Attributes
    ----------
    rows : ndarray of int of shape (n_forecasts,)
        The row of ``X`` at which each forecast was made.

    folds : ndarray of int of shape (n_forecasts,)
        The number of its fold.

    forecasts : ndarray of shape (n_forecasts,) or (n_forecasts, n_outputs)
        What the estimator predicted.

    actual : ndarray of the same shape
        The targets; NaN where unknown. These are left out of all errors.

    baselines : dict of str to ndarray of the same shape
        The forecasts of "persistence" and of "seasonal_naive" at the same rows; NaN where there is
        none. Empty without baselines.

    season : int or None
        Rows of the season of the seasonal naive forecast, and of the scale of MASE and RMSSE. 1 if
        none was found; None without baselines.

    target_leads : ndarray of int of shape (n_outputs,)
        How many rows after its own row each output becomes known.

    outputs : list
        Names of the columns of ``y``, or their numbers.

    splits : list of (ndarray of int, ndarray of int)
        Training and test rows of each fold.

    index : pandas.Index or None
        That of ``X`` or, if it has none, of ``y``.

    series_names : list or None
        Names of the series. None: one series.

    series : ndarray of int of shape (n_forecasts,)
        The place in ``series_names`` of the series of each forecast.

    lower, upper : ndarray of the same shape as ``forecasts``, or None
        The ends of the intervals of a :class:`ConformalRegressor`; None of other estimators.

    interval_coverage : ndarray of shape (n_forecasts,) or None
        The fraction of targets that each interval is meant to hold.

    See Also
    --------
    backtest : Makes it, with an example.
    BacktestDisplay : Draws it.
    """

    rows: NDArray[np.int64]
    folds: NDArray[np.int64]
    forecasts: NDArray[np.float64]
    actual: NDArray[np.float64]
    baselines: dict[str, NDArray[np.float64]]
    season: int | None
    target_leads: NDArray[np.int64]
    outputs: list[Any]
    splits: list[tuple[NDArray[np.int64], NDArray[np.int64]]]
    index: Any
    series_names: list[Any] | None
    series: NDArray[np.int64]
    lower: NDArray[np.float64] | None
    upper: NDArray[np.float64] | None
    interval_coverage: NDArray[np.float64] | None
    _n_rows: int
    _scales: NDArray[np.float64] | None  # (2, n_forecasts, n_outputs): of MASE and of RMSSE
    _how: str  # about the fits and the season, in words

    def errors(self, by: str | Callable[[Any], ArrayLike] | ArrayLike | None = None) -> Any:
        """Return the errors of the forecasts, and their skill over the baselines.

        Parameters
        ----------
        by : str, callable or array-like, default=None
            What the rows of the table are. None: one row for all forecasts. "fold", "lead",
            "output" or "series". An attribute of the times of the index: "hour", "month",
            "day_of_week", "year", ... The name of a level of the index. A callable that gets the
            index of ``X`` (its numbers of rows if it has none), or an array: one value for each
            row of ``X``. All of these are of the row at which a forecast is made, not of the time
            that it is for.

        Returns
        -------
        errors : DataFrame
            MAE, RMSE, MASE and RMSSE; "skill_over_persistence" and "skill_over_seasonal_naive";
            "targets", the number of known targets. What has no baseline lacks its columns, and a
            value that cannot be computed is NaN. See Notes of :func:`backtest`.

        Raises
        ------
        ValueError
            If ``by`` is not as described.
        ImportError
            If pandas is not installed.
        """
        measured = self.measured()
        return self._frame("errors()", by, measured.table)

    def coverage(self, by: str | Callable[[Any], ArrayLike] | ArrayLike | None = None) -> Any:
        """Return how many targets lie in the intervals, and how wide these are.

        Parameters
        ----------
        by : str, callable or array-like, default=None
            What the rows of the table are, as in :meth:`errors`.

        Returns
        -------
        coverage : DataFrame
            "coverage", the fraction of the known targets in the intervals; "width", their mean
            width; "interval_score", which is lowest for the intervals between the true quantiles:
            the width, and ``2 / (1 - coverage)`` times the distance of a target beyond an end;
            "targets", the number of known targets. Averages are over outputs, as in :meth:`errors`.

        Raises
        ------
        ValueError
            If ``by`` is not as described, or the estimator was no :class:`ConformalRegressor`.
        ImportError
            If pandas is not installed.
        """
        self._check_intervals()
        return self._frame("coverage()", by, self._coverage)

    def _frame(self, caller: str, by: Any, table: Callable[[Any, Any], dict[str, Any]]) -> Any:
        """Make a table with a row for each group."""
        pd, groups = _pandas(caller), self.groups(by)
        labels = [label for label, *_ in groups]
        tables = [table(rows, outputs) for _, rows, outputs in groups]
        name = by if isinstance(by, str) else getattr(by, "name", None)
        return pd.DataFrame(tables, index=pd.Index(labels, name=name))

    def _check_intervals(self) -> None:
        if self.lower is None:
            raise ValueError(
                "This backtest has no intervals. Put ConformalRegressor around the estimator: "
                "backtest(ConformalRegressor(estimator), X, y, cv=cv)."
            )

    def _coverage(self, rows: Any, outputs: Any) -> dict[str, Any]:
        shape = len(self.rows), len(self.outputs)
        miscoverage = 1 - np.asarray(self.interval_coverage)[:, np.newaxis]
        actual, lower, upper = (
            np.asarray(values).reshape(shape)[rows][:, outputs]
            for values in (self.actual, self.lower, self.upper)
        )
        return coverage_table(actual, lower, upper, miscoverage[rows])

    def to_frame(self) -> Any:
        """Return the forecasts beside the targets.

        Returns
        -------
        frame : DataFrame
            With the index of ``X`` and the columns "fold", "forecast", "actual", those of the
            baselines, and "lower" and "upper" if there are intervals. For several outputs the
            columns have a second level with the names of the outputs, so that
            ``frame["forecast"] - frame["actual"]`` are the errors in both cases. Rows are those of
            ``X`` in each fold, one fold after the other.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        pd = _pandas("to_frame()")
        index = pd.RangeIndex(self._n_rows, name="row") if self.index is None else self.index
        index = index[self.rows]
        parts = {"forecast": self.forecasts, "actual": self.actual} | self.baselines
        if self.lower is not None and self.upper is not None:
            parts |= {"lower": self.lower, "upper": self.upper}
        if self.forecasts.ndim == 1:
            return pd.DataFrame({"fold": self.folds, **parts}, index)
        names = [("fold", ""), *((part, name) for part in parts for name in self.outputs)]
        columns = [self.folds, *(column for values in parts.values() for column in values.T)]
        frame = pd.DataFrame(dict(enumerate(columns)), index)
        return frame.set_axis(pd.MultiIndex.from_tuples(names), axis=1)

    def measured(self, what: str = "forecasts") -> Errors:
        """Return the absolute errors of the forecasts, or of a baseline, not averaged yet."""
        shape = len(self.rows), len(self.outputs)
        actual = self.actual.reshape(shape)
        absolute = {
            name: np.abs(values.reshape(shape) - actual)
            for name, values in ({"forecasts": self.forecasts} | self.baselines).items()
        }
        others = {name: absolute[name] for name in self.baselines if name != what}
        return Errors(absolute[what], others, self._scales)

    def groups(self, by: Any) -> list[tuple[Any, Any, Any]]:
        """List label, forecasts and outputs of each group of :meth:`errors`."""
        every = slice(None)
        if by is None:
            return [("all", every, every)]
        if isinstance(by, str) and by == "lead":
            leads = self.target_leads
            return [(int(lead), every, np.flatnonzero(leads == lead)) for lead in np.unique(leads)]
        if isinstance(by, str) and by == "output":
            return [(name, every, [output]) for output, name in enumerate(self.outputs)]
        keys: Any
        if isinstance(by, str) and by == "fold":
            keys = self.folds
        elif isinstance(by, str) and by == "series":
            if self.series_names is None:
                raise ValueError(
                    "by='series', but X is one series: neither X nor y has an index with several "
                    "levels, whose first levels name the series. Leave by out."
                )
            numbers = np.unique(self.series)
            return [
                (self.series_names[number], np.flatnonzero(self.series == number), every)
                for number in numbers
            ]
        else:
            keys = self._keys(by)[self.rows]
        found, places = np.unique(keys, return_inverse=True)
        order = np.argsort(places, kind="stable")
        parts = np.split(order, np.flatnonzero(np.diff(places[order])) + 1)
        labels = list(found) if found.dtype.kind in "mM" else found.tolist()
        return [(label, rows, every) for label, rows in zip(labels, parts, strict=True)]

    def _keys(self, by: Any) -> np.ndarray:
        """Return the group of each row of X."""
        what = f"by={by!r}" if isinstance(by, str) else "by"
        if isinstance(by, str):
            times = None if self.index is None else as_times(self.index.get_level_values(-1))
            keys = getattr(times, by, None)
            if keys is None and self.index is not None and by in self.index.names:
                keys = self.index.get_level_values(by)
        else:
            labels = np.arange(self._n_rows) if self.index is None else self.index
            keys = by(labels) if callable(by) else by
            if is_pandas(keys) and self.index is not None:
                check_same_labels(X=loaded_pandas().Series(0, self.index), by=keys)
        keys = np.asarray(keys)
        if keys.shape != (self._n_rows,):
            raise ValueError(
                f"{what} must be 'fold', 'lead', 'output', 'series', an attribute of the times in "
                "the index of X such as 'hour', 'month' or 'day_of_week', a level of this index by "
                f"its name, or one value for each of the {self._n_rows} rows of X, got "
                + ("no such attribute or level." if isinstance(by, str) else f"shape {keys.shape}.")
            )
        if keys.dtype.kind == "O" and (missing := loaded_pandas()) is not None:
            keys = np.where(missing.isna(keys), "missing", keys)
        return keys

    def _table(self) -> tuple[list[str], list[tuple[str, list[str]]]]:
        """Return the columns and rows of the table that is shown."""
        folds, leads = self.groups("fold"), self.groups("lead")
        rows = [(f"fold {label}", *part) for label, *part in folds]
        if len(rows) > 2 * _SHOWN + 1:
            rows = [*rows[:_SHOWN], ("...",), *rows[-_SHOWN:]]
        rows += [("all", *part) for _, *part in self.groups(None)]
        if len(leads) > 1:
            rows += [(f"lead {label}", *part) for label, *part in _some(leads)]
        measured = self.measured()
        tables = [(label, measured.table(*part) if part else {}) for label, *part in rows]
        columns = list(measured.table(slice(0)))
        texts = [
            (label, [_text(found.get(name, "")) for name in columns]) for label, found in tables
        ]
        return [_COLUMNS.get(name, name) for name in columns], texts

    def _summary(self) -> list[str]:
        leads = np.unique(self.target_leads).tolist()
        ahead = f"{leads[0]} to {leads[-1]}" if len(leads) > 1 else str(leads[0])
        series = "" if self.series_names is None else f" of {len(self.series_names)} series"
        return [
            f"BacktestResult: {len(self.splits)} folds, {len(self.rows)} forecasts{series}, "
            f"{len(self.outputs)} output(s), leads of {ahead}",
            *self._how.splitlines(),
            *self._about_intervals(),
        ]

    def _about_intervals(self) -> list[str]:
        if self.lower is None:
            return []
        levels = np.unique(np.asarray(self.interval_coverage))
        nominal = f" for a coverage of {levels[0]:g}" if len(levels) == 1 else ""
        held = self._coverage(slice(None), slice(None))["coverage"]
        return [f"intervals{nominal} held {held:.3f} of the targets"]

    def __repr__(self) -> str:
        columns, rows = self._table()
        table = [("", columns), *rows]
        widths = [max(len(cells[at]) for _, cells in table) for at in range(len(columns))]
        first = max(len(label) for label, _ in table)
        lines = [
            label.ljust(first)
            + "".join(f"  {cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
            for label, cells in table
        ]
        return "\n".join([*self._summary(), "", *lines])

    def _repr_html_(self) -> str:
        columns, rows = self._table()
        head = "".join(f"<th>{escape(name)}</th>" for name in ["", *columns])
        cells = [f"<th>{escape(label)}</th><td>{'</td><td>'.join(row)}</td>" for label, row in rows]
        body = "".join(f"<tr>{row}</tr>" for row in cells)
        above = "<br>".join(map(escape, self._summary()))
        return f"<p>{above}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _some(groups: list[Any]) -> list[Any]:
    """Return the first group, the last one and the one between."""
    return [groups[at] for at in sorted({0, len(groups) // 2, len(groups) - 1})]


def _text(value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    if np.isnan(value):
        return ""
    return f"{value:#.3g}".rstrip(".") if abs(value) < 1000 else f"{value:.0f}"


def _pandas(what: str) -> Any:
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError(f"{what} needs pandas: pip install pandas") from error
    return pd
