"""WindowSplitDisplay: the folds of a splitter, and how far back windows reach in them."""

from __future__ import annotations

import numpy as np
from sklearn.model_selection import TimeSeriesSplit, check_cv

from sklstm._plot.drawing import (
    BLACK,
    BLUE,
    GREY,
    ORANGE,
    label_rows,
    legend_on_top,
    new_axes,
    numbers,
    steps_of,
)
from sklstm._series import time_axis
from sklstm._series.windows import history_length
from sklstm._transformer import SlidingWindowTransformer

# The history is part of the training rows: their colour, hatched.
_STYLES = {
    "training rows": {"facecolor": BLUE, "edgecolor": BLUE},
    "history of the test rows": {"facecolor": BLUE, "edgecolor": "white", "hatch": "////"},
    "gap": {"facecolor": "white", "edgecolor": GREY, "hatch": "...."},
    "test rows": {"facecolor": ORANGE, "edgecolor": BLACK},
}


class WindowSplitDisplay:
    """The folds of a splitter: training rows, gap, test rows, and the history of the latter.

    Make it with :meth:`from_estimator`. All parameters are kept as attributes. The windows of
    the first test rows reach back into the training rows: that is their history. It holds
    no target of the test rows, and is what would be known when the model is used.

    Parameters
    ----------
    splits : list of (ndarray of int, ndarray of int)
        Numbers of the training rows and of the test rows of each fold.

    n_rows : int
        Number of rows.

    n_history : int
        How many rows a window reaches back before the row it ends at.

    index : pandas.Index or None, default=None
        Labels of the rows; dates are drawn. If it is regular, the rows of a gap are missing
        steps, over which windows reach back; else they are closed up, see Notes.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        What was drawn in.

    figure_ : matplotlib.figure.Figure
        Its figure.

    rows_ : list of dict
        For each fold the numbers of the "training rows", without the "history of the test
        rows", these, those of the "gap" and of the "test rows".

    See Also
    --------
    SlidingWindowTransformer : Makes the windows.
    sklearn.model_selection.TimeSeriesSplit : The splitter for rows in time order.

    Notes
    -----
    Only with an index can the windows know of a gap. It must reach them: where a step stands
    before :class:`SlidingWindowTransformer`, call ``set_output(transform="pandas")`` on the
    pipeline. Without, the last training rows are taken to come directly before the test
    rows, and so they are drawn if ``X`` has no index.

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

    def __init__(self, *, splits, n_rows, n_history, index=None):
        self.splits = splits
        self.n_rows = n_rows
        self.n_history = n_history
        self.index = index

    def plot(self, ax=None):
        """Draw a line of bars for each fold, numbered as in ``cv_results_``, the first on top.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or None, default=None
            Where to draw. None: in a new figure.

        Returns
        -------
        display : WindowSplitDisplay
            The display itself.
        """
        ax = new_axes(ax, "WindowSplitDisplay.plot")
        labels = self.index
        if labels is None or labels.inferred_type not in ("datetime64", "period"):
            labels = np.arange(self.n_rows)
        starts = numbers(labels)
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
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _rows(self, train, test):
        """Numbers of the rows of each part of a fold."""
        train, test = np.asarray(train), np.asarray(test)
        history = train[len(train) - min(self.n_history, len(train)) :]
        if self.index is not None:
            first = np.min(test)
            history = history[history < first]
            if time_axis.make_clock(self.index).step is not None:
                history = history[history >= first - self.n_history]
        used = np.concatenate([train, test])
        return {
            "training rows": np.setdiff1d(train, history),
            "history of the test rows": np.sort(history),
            "gap": np.setdiff1d(np.arange(used.min(), used.max()), used),
            "test rows": np.sort(test),
        }

    @classmethod
    def from_estimator(cls, estimator, X, y=None, *, cv=None, ax=None):
        """Draw the folds in which an estimator would be validated.

        Parameters
        ----------
        estimator : Pipeline or search
            A pipeline with :class:`SlidingWindowTransformer`, or a search over one. It need
            not be fitted. Of a fitted search, the window is that of the best estimator.
        X : array-like of shape (n_rows, n_features)
            The series. A regular pandas index gives the dates.
        y : array-like of shape (n_rows,) or (n_rows, n_outputs) or None, default=None
            Targets, for splitters that ask for them.
        cv : int, splitter or iterable, default=None
            As in :class:`~sklearn.model_selection.GridSearchCV`. None: that of a search,
            else ``TimeSeriesSplit()``.
        ax : matplotlib.axes.Axes or None, default=None
            Where to draw. None: in a new figure.

        Returns
        -------
        display : WindowSplitDisplay
            What was drawn.

        Raises
        ------
        ValueError
            If there is no SlidingWindowTransformer in the estimator, or the index of ``X`` is
            not that of one series in time order.
        ImportError
            If matplotlib is not installed.
        """
        steps = steps_of(estimator)
        windows = [step for step in steps if isinstance(step, SlidingWindowTransformer)]
        if not windows:
            names = ", ".join(type(step).__name__ for step in steps)
            raise ValueError(
                f"estimator has no SlidingWindowTransformer, only {names}: expected a Pipeline "
                "with one. Pass the whole pipeline that is validated."
            )
        reach = history_length(windows[0].window_size, windows[0].dilation)
        if cv is None:
            cv = estimator.cv if hasattr(estimator, "cv") else TimeSeriesSplit()
        display = cls(
            splits=list(check_cv(cv).split(X, y)),
            n_rows=len(X),
            n_history=0 if windows[0].history == "none" else reach,
            index=time_axis.time_index(X),
        )
        return display.plot(ax)


def _runs(rows):
    """First and end of each run of consecutive numbers."""
    breaks = np.flatnonzero(np.diff(rows) != 1) + 1
    return [(run[0], run[-1] + 1) for run in np.split(rows, breaks) if len(run)]
