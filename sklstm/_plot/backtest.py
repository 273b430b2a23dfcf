"""BacktestDisplay: errors of a backtest against the baselines, or its forecasts over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sklstm._backtest.result import BacktestResult
from sklstm._plot.drawing import (
    BLACK,
    BLUE,
    GREY,
    VERMILLION,
    axes_and_figure,
    draw_band,
    drawing_positions,
    label_rows,
    legend_on_top,
    line_style,
)
from sklstm._series.labels import NUMBERS_AND_TIMES, as_times
from sklstm._series.panel import some_names
from sklstm._validation import is_int

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.collections import Collection
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

_STYLES: dict[str, dict[str, Any]] = {
    "actual": {"color": BLACK, "linewidth": 1},
    "persistence": {"color": GREY, "linestyle": ":", "marker": "^", "markersize": 4},
    "seasonal naive": {"color": BLUE, "linestyle": "-.", "marker": "D", "markersize": 4},
}
_MEASURES = ("MAE", "RMSE", "MASE", "RMSSE")
# What fits below the axes of a usual figure: labels that stand upright, letters in a row.
_LABELS, _LETTERS = 30, 50
_DRAWN = set(NUMBERS_AND_TIMES) - {"timedelta64"}  # rows with other labels are numbered


class BacktestDisplay:
    """Errors of a backtest against those of the baselines, or its forecasts over time.

    Make it with :meth:`from_result`. All parameters are kept as attributes.

    Parameters
    ----------
    at : array-like of shape (n,)
        Labels on the x axis: leads, folds, hours, dates.

    forecast : array-like of shape (n,)
        Errors of the forecasts, or the forecasts.

    others : dict of str to array-like of shape (n,)
        What they are compared with, by label: errors of the baselines, or the actual values.

    folds : array-like of int of shape (n,) or None, default=None
        The fold of each forecast. Lines of forecasts end where their fold ends. None: one line.

    interval : array-like of shape (n, 2) or None, default=None
        Lower and upper end of an interval around each forecast. None: no band is drawn.

    interval_name : str or None, default=None
        Label of the intervals in the legend. None: "interval".

    xlabel : str or None, default=None
        Label of the x axis. None: the name of ``at``.

    ylabel : str or None, default=None
        Label of the y axis.

    estimator_name : str or None, default=None
        Label of the forecasts in the legend. None: "forecast".

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes with the lines.

    figure_ : matplotlib.figure.Figure
        The figure of the axes.

    forecast_lines_ : list of matplotlib.lines.Line2D
        The line of the forecasts or their errors, one for each fold.

    interval_bands_ : list of matplotlib.collections.Collection
        The bands of the intervals, one for each fold.

    other_lines_ : dict of str to matplotlib.lines.Line2D
        The other lines, by label.

    See Also
    --------
    backtest : Makes the result.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklstm import BacktestDisplay, backtest, forecast_targets
    >>> from sklstm.datasets import load_chicago_ridership
    >>> X = load_chicago_ridership(as_frame=True).data[:400]
    >>> result = backtest(Ridge(), X, forecast_targets(X["ridership"], 7), cv=3)
    >>> display = BacktestDisplay.from_result(result)
    >>> list(display.other_lines_)
    ['persistence', 'seasonal naive']
    """

    ax_: Axes
    figure_: Figure
    forecast_lines_: list[Line2D]
    interval_bands_: list[Collection]
    other_lines_: dict[str, Line2D]

    def __init__(
        self,
        *,
        at: pd.Index | Sequence[Any] | NDArray[Any],
        forecast: Sequence[float] | NDArray[Any],
        others: dict[str, Any],
        folds: Sequence[int] | NDArray[Any] | None = None,
        interval: ArrayLike | None = None,
        interval_name: str | None = None,
        xlabel: str | None = None,
        ylabel: str | None = None,
        estimator_name: str | None = None,
    ) -> None:
        self.at = at
        self.forecast = forecast
        self.others = others
        self.folds = folds
        self.interval = interval
        self.interval_name = interval_name
        self.xlabel = xlabel
        self.ylabel = ylabel
        self.estimator_name = estimator_name

    def plot(self, ax: Axes | None = None, *, line_kw: dict[str, Any] | None = None) -> Self:
        """Draw the lines.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or None, default=None
            Axes to draw in. None: those of a new figure. To compare the results of several
            estimators, draw them in the same axes.
        line_kw : dict or None, default=None
            Keywords of matplotlib's ``plot`` for the forecasts.

        Returns
        -------
        display : BacktestDisplay
            The display itself.
        """
        ax, figure = axes_and_figure(ax, "BacktestDisplay.plot")
        x, names = drawing_positions(self.at), None
        if x.dtype.kind not in "iufM":
            x, names = np.arange(len(x)), x
        known = {line.get_label() for line in ax.lines}  # of another estimator
        self.other_lines_ = {}
        for name, values in self.others.items():
            if name in known and name != "actual":
                continue
            order = np.unique(x, return_index=True)[1] if name == "actual" else slice(None)
            style = {"label": name} | _STYLES.get(name, {})
            if names is not None:
                style["linestyle"] = "none"
            (self.other_lines_[name],) = ax.plot(x[order], np.asarray(values)[order], **style)
        label = "forecast" if self.estimator_name is None else self.estimator_name
        marked = {"marker": "s", "markersize": 4} if self.folds is None else {"linewidth": 1}
        style = line_style(line_kw, color=VERMILLION, label=label, **marked)
        folds = np.zeros(len(x)) if self.folds is None else np.asarray(self.folds)
        if names is not None:
            style = {"linestyle": "none"} | style  # nothing lies between two series
        forecast, self.forecast_lines_, self.interval_bands_ = np.asarray(self.forecast), [], []
        for fold in np.unique(folds):
            of_fold = folds == fold
            self.forecast_lines_ += ax.plot(x[of_fold], forecast[of_fold], **style)
            if self.interval is not None:
                ends = np.asarray(self.interval)[of_fold]
                color = self.forecast_lines_[-1].get_color()
                name = "interval" if self.interval_name is None else self.interval_name
                self.interval_bands_.append(draw_band(ax, x[of_fold], ends, color, name))
        if names is not None:
            every = -(-len(x) // _LABELS)
            upright = sum(map(len, map(str, names))) > _LETTERS
            ax.set_xticks(x[::every], names[::every], rotation=90 if upright else 0)
        if self.folds is not None or np.asarray(self.at).dtype.kind == "M":
            label_rows(ax, self.at)
        elif names is None and x.dtype.kind in "iu":
            from matplotlib.ticker import MaxNLocator

            ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        if self.xlabel is not None:
            ax.set_xlabel(self.xlabel)
        if self.ylabel is not None:
            ax.set_ylabel(self.ylabel)
        # Room for the legend; errors start at zero. Data limits are extended, since new limits of
        # the axes would override those of other lines.
        low, high = ax.dataLim.intervaly
        low = min(low, 0) if self.folds is None else low
        ax.update_datalim([(x[0], low), (x[0], high + (high - low) / 5)])
        ax.autoscale_view()
        legend_on_top(ax, n_columns=3 if self.interval is None else 4)
        self.ax_, self.figure_ = ax, figure
        return self

    @classmethod
    def from_result(
        cls,
        result: BacktestResult,
        *,
        kind: Literal["errors", "forecasts"] = "errors",
        by: Any = "lead",
        measure: Literal["MAE", "RMSE", "MASE", "RMSSE"] = "MAE",
        output: int = 0,
        series: Any = None,
        ax: Axes | None = None,
        name: str | None = None,
        line_kw: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the result of a backtest.

        Parameters
        ----------
        result : BacktestResult
            What :func:`backtest` returns.
        kind : {"errors", "forecasts"}, default="errors"
            "errors" draws the errors of the forecasts and of the baselines; "forecasts" the
            forecasts and the actual values, each at the row where the forecast was made, with
            the intervals of a :class:`ConformalRegressor`.
        by : str, callable or array-like, default="lead"
            What errors are drawn over: see :meth:`BacktestResult.errors`.
        measure : {"MAE", "RMSE", "MASE", "RMSSE"}, default="MAE"
            The error that is drawn.
        output : int, default=0
            The number of the output whose forecasts are drawn.
        series : object, default=None
            The name of the series whose forecasts are drawn, if there are several.
        ax : matplotlib.axes.Axes or None, default=None
            Axes to draw in. None: those of a new figure.
        name : str or None, default=None
            Label of the forecasts in the legend. None: "forecast".
        line_kw : dict or None, default=None
            Keywords of matplotlib's ``plot`` for the forecasts.

        Returns
        -------
        display : BacktestDisplay
            The display, already drawn.

        Raises
        ------
        ValueError
            If a parameter is not as described.
        ImportError
            If matplotlib is not installed.
        """
        if not isinstance(result, BacktestResult):
            raise TypeError(f"result must be what backtest returns, got {result!r:.60}.")
        if not isinstance(kind, str) or kind not in ("errors", "forecasts"):
            raise ValueError(f"kind must be 'errors' or 'forecasts', got {kind!r}.")
        if kind == "errors":
            display = cls(**_errors(result, by, measure), estimator_name=name)
        else:
            display = cls(**_forecasts(result, output, series), estimator_name=name)
        return display.plot(ax, line_kw=line_kw)


def _errors(result: BacktestResult, by: Any, measure: str) -> dict[str, Any]:
    measure = measure if isinstance(measure, str) else repr(measure)
    groups = result.groups(by)
    errors = {name: result.measured(name) for name in ["forecasts", *result.baselines]}
    tables = {
        name: [found.table(rows, outputs).get(measure) for _, rows, outputs in groups]
        for name, found in errors.items()
    }
    if measure not in _MEASURES or None in tables["forecasts"]:
        raise ValueError(
            f"measure must be one of {_MEASURES}, got {measure!r}. Without baselines "
            "(baseline=None) there are the first two only."
        )
    labels = [label for label, *_ in groups]
    return {
        "at": labels if np.asarray(labels).dtype.kind in "iufM" else list(map(str, labels)),
        "forecast": tables.pop("forecasts"),
        "others": {name.replace("_", " "): values for name, values in tables.items()},
        "xlabel": by if isinstance(by, str) else getattr(by, "name", None),
        "ylabel": measure,
    }


def _forecasts(result: BacktestResult, output: int, series: Any) -> dict[str, Any]:
    if not is_int(output) or not 0 <= output < len(result.outputs):
        raise ValueError(
            f"output must be an int from 0 to {len(result.outputs) - 1}, got {output!r}. The "
            f"outputs are {some_names(result.outputs)}."
        )
    shape = len(result.rows), len(result.outputs)
    names = result.series_names
    which: Any = slice(None)
    if names is not None:
        if series not in names:
            raise ValueError(
                f"series must be the name of one of the {len(names)} series "
                f"({some_names(names)}), got {series!r}."
            )
        which = np.flatnonzero(result.series == names.index(series))
    labels: Any = result.rows[which]
    if result.index is not None:
        times = as_times(result.index.get_level_values(-1))
        if times.inferred_type in _DRAWN:
            labels = times[labels]
    interval = name = None
    if result.lower is not None and result.upper is not None:
        ends = [of.reshape(shape)[which, output] for of in (result.lower, result.upper)]
        interval, levels = np.column_stack(ends), np.unique(np.asarray(result.interval_coverage))
        name = f"{100 * levels[0]:g} %" if len(levels) == 1 else None
    return {
        "at": labels,
        "interval": interval,
        "interval_name": name,
        "forecast": result.forecasts.reshape(shape)[which, output],
        "others": {"actual": result.actual.reshape(shape)[which, output]},
        "folds": result.folds[which],
        "ylabel": str(result.outputs[output]),
    }
