"""WindowSplitDisplay: the folds of a splitter, and the history that the windows reach."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.model_selection import BaseCrossValidator, TimeSeriesSplit

from sklstm._containers import rows_of
from sklstm._panel_split import folds_of
from sklstm._plot.drawing import (
    BLACK,
    BLUE,
    GREY,
    ORANGE,
    axes_and_figure,
    drawing_positions,
    label_rows,
    legend_on_top,
)
from sklstm._plot.inputs import steps_of
from sklstm._series.frequency import time_axis
from sklstm._series.labels import check_same_labels, label_text
from sklstm._series.panel import Panel, series_index
from sklstm._series.windows import history_length
from sklstm._transformer import SlidingWindowTransformer
from sklstm._validation import check_int, check_params

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The history is part of the training rows, so it has their colour, with hatching.
_STYLES: dict[str, dict[str, Any]] = {
    "training rows": {"facecolor": BLUE, "edgecolor": BLUE},
    "history of the test rows": {"facecolor": BLUE, "edgecolor": "white", "hatch": "////"},
    "gap": {"facecolor": "white", "edgecolor": GREY, "hatch": "...."},
    "test rows": {"facecolor": ORANGE, "edgecolor": BLACK},
}


class WindowSplitDisplay:
    """The folds of a splitter: training rows, gap, test rows, and history of the test rows.

    Make it with :meth:`from_estimator`. All parameters are kept as attributes. The windows of
    the first test rows reach back into the training rows: these rows are their history. It
    holds no target of the test rows, and would be known when the model is used.

    Parameters
    ----------
    splits : list of (ndarray of int, ndarray of int)
        Row numbers of the training rows and of the test rows of each fold.

    n_rows : int
        Number of rows.

    n_history : int
        Number of rows that a window reaches back from its last row.

    index : pandas.Index or None, default=None
        Labels of the rows. Dates and periods label the x axis; with other labels, or
        none, it shows row numbers. In a regular index the rows of a gap count as missing
        steps of the windows; else windows pass over them, see Notes.

    freq : str, int, timedelta or pandas offset, default="auto"
        How time goes on from row to row: see :class:`SlidingWindowTransformer`.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes with the folds.

    figure_ : matplotlib.figure.Figure
        The figure of the axes.

    rows_ : list of dict
        For each fold the row numbers of its four parts: "training rows" (without the
        history), "history of the test rows", "gap" and "test rows".

    See Also
    --------
    SlidingWindowTransformer : Makes the windows.
    sklearn.model_selection.TimeSeriesSplit : The splitter for rows in time order.

    Notes
    -----
    The transformer can see a gap only in a regular pandas index. If other steps stand before
    :class:`SlidingWindowTransformer`, call ``set_output(transform="pandas")`` on the
    pipeline, so that they pass the index on. Without an index the transformer assumes that
    the last training rows come directly before the test rows. The display draws the gap as
    the index of ``X`` shows it, whether the steps pass the index on or not.

    Examples
    --------
    >>> from sklearn.model_selection import TimeSeriesSplit
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklstm import LSTMRegressor, SlidingWindowTransformer, WindowSplitDisplay
    >>> from sklstm.datasets import load_chicago_ridership
    >>> X = load_chicago_ridership(as_frame=True).data[:400]
    >>> model = make_pipeline(SlidingWindowTransformer(window_size=28), LSTMRegressor())
    >>> cv = TimeSeriesSplit(n_splits=3, gap=6)
    >>> display = WindowSplitDisplay.from_estimator(model, X, cv=cv)
    >>> [{name: len(rows) for name, rows in fold.items()} for fold in display.rows_][0]
    {'training rows': 73, 'history of the test rows': 21, 'gap': 6, 'test rows': 100}
    """

    ax_: Axes
    figure_: Figure
    rows_: list[dict[str, NDArray[Any]]]

    def __init__(
        self,
        *,
        splits: list[tuple[NDArray[Any], NDArray[Any]]],
        n_rows: int,
        n_history: int,
        index: pd.Index | None = None,
        freq: Any = "auto",
    ) -> None:
        self.splits = splits
        self.n_rows = n_rows
        self.n_history = n_history
        self.index = index
        self.freq = freq

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw each fold as a row of bars, numbered as in ``cv_results_``, the first on top.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or None, default=None
            Axes to draw in. None: those of a new figure.

        Returns
        -------
        display : WindowSplitDisplay
            The display itself.
        """
        ax, figure = axes_and_figure(ax, "WindowSplitDisplay.plot")
        labels = self.index
        if labels is None or labels.inferred_type not in ("datetime64", "period"):
            labels = np.arange(check_int("n_rows", self.n_rows, least=1))
        starts = drawing_positions(labels)
        step = np.median(np.diff(starts)) if len(starts) > 1 else 1
        edges = np.append(starts, starts[-1] + step)
        self.rows_ = [self._rows(train, test) for train, test in self.splits]
        for fold, parts in enumerate(self.rows_):
            for name, rows in parts.items():
                bars = [(edges[first], edges[end] - edges[first]) for first, end in _runs(rows)]
                if bars:
                    style = _STYLES[name] | {"linewidth": 0.5, "label": name}
                    ax.broken_barh(bars, (fold - 0.35, 0.7), **style)
        ax.set(ylabel="fold", yticks=range(len(self.splits)), xlim=(edges[0], edges[-1]))
        ax.set_ylim(len(self.splits) - 0.5, -0.5 - 0.2 * len(self.splits))  # room for the legend
        label_rows(ax, labels)
        legend_on_top(ax, n_columns=2)
        self.ax_, self.figure_ = ax, figure
        return self

    def _rows(self, train: ArrayLike, test: ArrayLike) -> dict[str, NDArray[Any]]:
        """Return the row numbers of each part of a fold."""
        train, test = np.asarray(train), np.asarray(test)
        n_history = check_int("n_history", self.n_history, least=0)
        history = train[len(train) - min(n_history, len(train)) :]
        if self.index is not None:
            first = np.min(test)
            history = history[history < first]
            if time_axis(self.index, self.freq).scale != "rows":
                history = history[history >= first - n_history]
        used = np.concatenate([train, test])
        return {
            "training rows": np.setdiff1d(train, history),
            "history of the test rows": np.sort(history),
            "gap": np.setdiff1d(np.arange(used.min(), used.max()), used),
            "test rows": np.sort(test),
        }

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        cv: int | BaseCrossValidator | Iterable[Any] | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the folds that a cross-validation of an estimator would use.

        Parameters
        ----------
        estimator : Pipeline or search
            A pipeline with :class:`SlidingWindowTransformer`, or a search over one, fitted or
            not. For a fitted search the window is that of its best estimator.
        X : array-like of shape (n_rows, n_features)
            The series. A regular pandas index gives the dates. Of several series, their times
            are drawn in the place of rows.
        y : array-like of shape (n_rows,) or (n_rows, n_outputs) or None, default=None
            Targets, for splitters that need them.
        cv : int, splitter or iterable, default=None
            As in :class:`~sklearn.model_selection.GridSearchCV`. None: the ``cv`` of the
            search, or ``TimeSeriesSplit()`` if the estimator is no search.
        ax : matplotlib.axes.Axes or None, default=None
            Axes to draw in. None: those of a new figure.

        Returns
        -------
        display : WindowSplitDisplay
            The display, already drawn.

        Raises
        ------
        ValueError
            If the estimator has no SlidingWindowTransformer, the index of ``X`` is not in time
            order, or not that of ``y``, or ``cv`` splits several series, but not their times.
        ImportError
            If matplotlib is not installed.
        """
        check_same_labels(X=X, y=y)
        X, n_rows = rows_of(X, "X")
        steps = steps_of(estimator)
        windows = [step for step in steps if isinstance(step, SlidingWindowTransformer)]
        if not windows:
            names = ", ".join(type(step).__name__ for step in steps)
            raise ValueError(
                f"estimator has no SlidingWindowTransformer, only {names}: expected a Pipeline "
                "with one. Pass the whole pipeline that is validated."
            )
        params = check_params(windows[0])
        reach = history_length(params.window_size, params.dilation)
        if cv is None:
            cv = estimator.cv if hasattr(estimator, "cv") else TimeSeriesSplit()
        splits = folds_of(cv, X, y)
        index = series_index(X, freq=params.freq)
        if isinstance(index, Panel):
            splits, n_rows, index = _of_times(splits, index), len(index.times), index.times
        display = cls(
            splits=splits,
            n_rows=n_rows,
            n_history=0 if params.history == "none" else reach,
            index=index,
            freq=params.freq,
        )
        return display.plot(ax)


def _of_times(splits: list[Any], panel: Panel) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """Return the splits of the times of several series."""
    of_times = []
    for fold, parts in enumerate(splits):
        train, test = (np.unique(panel.clock[part]) for part in parts)
        if len(both := np.intersect1d(train, test)):
            raise ValueError(
                f"cv puts rows of the same time into the training and test rows of fold {fold}, "
                f"first of {label_text(panel.times[both[0]])}: it splits the rows of several "
                "series, not "
                "their times. Pass cv=PanelSplit(cv), which splits the times."
            )
        of_times.append((train, test))
    return of_times


def _runs(rows: NDArray[Any]) -> list[tuple[int, int]]:
    """Return first and end of each run of consecutive numbers."""
    breaks = np.flatnonzero(np.diff(rows) != 1) + 1
    return [(run[0], run[-1] + 1) for run in np.split(rows, breaks) if len(run)]
