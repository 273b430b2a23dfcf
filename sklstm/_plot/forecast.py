"""ForecastDisplay: a forecast of several steps, with the history and the actual values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from sklstm._containers import column_names
from sklstm._plot.drawing import (
    BLACK,
    GREY,
    VERMILLION,
    axes_and_figure,
    draw_band,
    drawing_positions,
    label_rows,
    legend_on_top,
    line_style,
)
from sklstm._plot.inputs import check_row, intervals_of, of_one_series, steps_of
from sklstm._series.frequency import time_axis
from sklstm._series.labels import check_same_labels, time_index
from sklstm._series.lead_names import read_leads
from sklstm._targets import forecast_targets
from sklstm._validation import check_int, check_numbers, is_int

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.collections import Collection
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D


class ForecastDisplay:
    """A forecast of the next values of a series, with its history and the actual values.

    Make it with :meth:`from_estimator` or :meth:`from_predictions`. All parameters are kept
    as attributes.

    Parameters
    ----------
    history : array-like of shape (n_history,)
        Values up to the row at which the forecast was made.

    forecast : array-like of shape (horizon,)
        The forecast.

    actual : array-like of shape (horizon,) or None, default=None
        The values that followed; NaN where they are not known.

    history_index : array-like of shape (n_history,)
        Labels of the history on the x axis: dates, periods or numbers.

    forecast_index : array-like of shape (horizon,)
        Labels of the forecast on the x axis.

    target_name : str or None, default=None
        Label of the y axis.

    estimator_name : str or None, default=None
        Label of the forecast in the legend. None: "forecast".

    intervals : dict of str to array-like of shape (horizon, 2), default=None
        Lower and upper ends of intervals around the forecast, by their labels in the legend.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes with the forecast.

    figure_ : matplotlib.figure.Figure
        The figure of the axes.

    history_line_ : matplotlib.lines.Line2D
        The line of the history.

    actual_line_ : matplotlib.lines.Line2D or None
        The line of the actual values. It starts at the last value of the history.

    forecast_line_ : matplotlib.lines.Line2D
        The line of the forecast.

    interval_bands_ : list of matplotlib.collections.Collection
        The shaded bands of the intervals; of a single step vertical lines.

    See Also
    --------
    forecast_targets : Makes the targets with which an estimator learns to forecast.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklstm import (
    ...     ForecastDisplay, LSTMRegressor, SlidingWindowTransformer, forecast_targets
    ... )
    >>> from sklstm.datasets import load_chicago_ridership
    >>> X = load_chicago_ridership(as_frame=True).data[:400]
    >>> lstm = LSTMRegressor(8, max_epochs=2, random_state=0)
    >>> model = make_pipeline(SlidingWindowTransformer(window_size=14), lstm)
    >>> model = model.fit(X, forecast_targets(X["ridership"], 7))
    >>> display = ForecastDisplay.from_estimator(model, X, X["ridership"])
    >>> print(display.forecast_index[0].date())  # the data end the day before
    2002-02-26
    """

    ax_: Axes
    figure_: Figure
    history_line_: Line2D
    actual_line_: Line2D | None
    forecast_line_: Line2D
    interval_bands_: list[Collection]

    def __init__(
        self,
        *,
        history: Sequence[float] | NDArray[Any],
        forecast: Sequence[float] | NDArray[Any],
        actual: Sequence[float] | NDArray[Any] | None = None,
        history_index: pd.Index | Sequence[Any] | NDArray[Any],
        forecast_index: pd.Index | Sequence[Any] | NDArray[Any],
        target_name: str | None = None,
        estimator_name: str | None = None,
        intervals: dict[str, NDArray[Any]] | None = None,
    ) -> None:
        self.history = history
        self.forecast = forecast
        self.actual = actual
        self.history_index = history_index
        self.forecast_index = forecast_index
        self.target_name = target_name
        self.estimator_name = estimator_name
        self.intervals = intervals

    def plot(self, ax: Axes | None = None, *, line_kw: dict[str, Any] | None = None) -> Self:
        """Draw history, forecast and actual values, and intervals around the forecast.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or None, default=None
            Axes to draw in. None: those of a new figure. To compare forecasts made at the
            same row of the same series, draw them in the same axes.
        line_kw : dict or None, default=None
            Keywords of matplotlib's ``plot`` for the forecast.

        Returns
        -------
        display : ForecastDisplay
            The display itself.
        """
        ax, figure = axes_and_figure(ax, "ForecastDisplay.plot")
        past = drawing_positions(self.history_index)
        ahead = drawing_positions(self.forecast_index)
        style: dict[str, Any] = {"color": BLACK, "linewidth": 1}
        (self.history_line_,) = ax.plot(past, self.history, label="history", **style)
        self.actual_line_ = None
        if self.actual is not None:
            # From the last value of the history on, so that the two lines join.
            at, values = np.append(past[-1], ahead), np.append(self.history[-1], self.actual)
            (self.actual_line_,) = ax.plot(at, values, marker=".", label="actual", **style)
        label = "forecast" if self.estimator_name is None else self.estimator_name
        style = line_style(
            line_kw, color=VERMILLION, linestyle="--", marker="s", markersize=4, label=label
        )
        (self.forecast_line_,) = ax.plot(ahead, self.forecast, **style)
        self.interval_bands_ = [
            draw_band(ax, ahead, np.asarray(ends), self.forecast_line_.get_color(), label)
            for label, ends in (self.intervals or {}).items()
        ]
        ax.axvline(past[-1], color=GREY, linestyle=":", linewidth=1)
        if self.target_name is not None:
            ax.set_ylabel(self.target_name)
        label_rows(ax, self.history_index)
        # Leave room for the legend. Data limits are extended, since new limits of the axes
        # would override those of other axes that share them.
        lines = filter(None, [self.history_line_, self.actual_line_, self.forecast_line_])
        drawn = [line.get_ydata() for line in lines]
        drawn += [np.ravel(ends) for ends in (self.intervals or {}).values()]
        values = np.concatenate(drawn)
        low, high = np.nanmin(values), np.nanmax(values)
        ax.update_datalim([(past[-1], high + (high - low) / 5)])
        ax.autoscale_view()
        legend_on_top(ax, n_columns=3 + len(self.interval_bands_))
        self.ax_, self.figure_ = ax, figure
        return self

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        X: ArrayLike,
        y: ArrayLike,
        *,
        row: int = -1,
        n_history: int | None = None,
        freq: Any = "auto",
        ax: Axes | None = None,
        name: str | None = None,
        line_kw: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the forecast of an estimator at one row.

        Parameters
        ----------
        estimator : estimator
            Any regressor or pipeline, fitted on :func:`forecast_targets` of ``y``. If it ends in
            an :class:`LSTMRegressor` or :class:`KnownTargetsRegressor`, its ``target_leads_`` say
            how far ahead each output lies, unless all are 0. Else these are 1, 2, ... steps. The
            intervals of a :class:`ConformalRegressor` are drawn too, and those between the
            quantiles of a pipeline that ends in a regressor with ``predict_quantiles``.
        X : array-like
            Input of the estimator's ``predict``, one row for each value of ``y``. Of several
            series, the rows of one: ``X.loc[["shop 3"]]``, and ``y`` as well.
        y : array-like of shape (n_rows,) or (n_rows, 1)
            The series itself, not its targets. If it is a pandas Series, its regular index
            gives the dates and its name the label of the y axis.
        row : int, default=-1
            The row at which the forecast is made. Negative numbers count from the end.
        n_history : int or None, default=None
            Number of values to draw up to this row. None: three times the largest lead, but
            at least 30.
        freq : str, int, timedelta or pandas offset, default="auto"
            How the labels of the series go on. "auto" takes the ``freq`` of a
            :class:`SlidingWindowTransformer` in the pipeline.
        ax : matplotlib.axes.Axes or None, default=None
            Axes to draw in. None: those of a new figure.
        name : str or None, default=None
            Label of the forecast in the legend. None: "forecast".
        line_kw : dict or None, default=None
            Keywords of matplotlib's ``plot`` for the forecast.

        Returns
        -------
        display : ForecastDisplay
            The display, already drawn.

        Raises
        ------
        ValueError
            If ``X`` and ``y`` differ in length or in their pandas indexes, ``y`` has several
            columns or an index that is not in time order, the leads do not increase, ``row``
            does not exist, or ``n_history`` is less than 1.
        ImportError
            If matplotlib is not installed.
        """
        check_same_labels(X=X, y=y)
        for argument, data in (("X", X), ("y", y)):
            of_one_series(data, argument)
        # Here, since from_predictions would call it y_true.
        _check_is_series(check_numbers(y, "y").shape, "y")
        if not hasattr(estimator, "predict"):
            raise TypeError(f"estimator must have a method predict, got {estimator!r:.60}.")
        if isinstance(freq, str) and freq == "auto":
            windows = [step for step in steps_of(estimator) if hasattr(step, "freq")]
            freq = windows[0].freq if windows else freq
        y_pred = estimator.predict(X)
        y_pred = np.asarray(y_pred).reshape(len(y_pred), -1)  # (rows, horizon)
        last = estimator if hasattr(estimator, "target_leads_") else steps_of(estimator)[-1]
        leads: Any = getattr(last, "target_leads_", None)
        return cls.from_predictions(
            y,
            y_pred,
            target_leads=leads if np.any(leads) else "auto",
            row=row,
            n_history=n_history,
            freq=freq,
            ax=ax,
            name=name,
            line_kw=line_kw,
            y_interval=intervals_of(estimator, X),
        )

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        target_leads: Literal["auto"] | Sequence[int] | NDArray[np.integer] = "auto",
        row: int = -1,
        n_history: int | None = None,
        freq: Any = "auto",
        ax: Axes | None = None,
        name: str | None = None,
        line_kw: dict[str, Any] | None = None,
        y_interval: ArrayLike | Mapping[str, ArrayLike] | None = None,
    ) -> Self:
        """Draw a forecast that was made at one row.

        Parameters
        ----------
        y_true : array-like of shape (n_rows,) or (n_rows, 1)
            The series itself, not its targets. If it is a pandas Series, its regular index
            gives the dates and its name the label of the y axis.
        y_pred : array-like of shape (n_rows, horizon), (n_rows,) or (horizon,)
            With n_rows rows, the forecasts made at each row; without a second axis they
            are forecasts of the next value alone. With another length, the one forecast that
            is made at ``row``.
        target_leads : "auto" or array-like of int, default="auto"
            How many steps ahead each value of a forecast lies, increasing. "auto": as the names
            of ``y_pred`` say (``load_lead13``), else 1, 2, ....
        row : int, default=-1
            The row at which the forecast is made. Negative numbers count from the end.
        n_history : int or None, default=None
            Number of values to draw up to this row. None: three times the largest lead, but
            at least 30.
        freq : str, int, timedelta or pandas offset, default="auto"
            How the labels of the series go on: see :class:`SlidingWindowTransformer`.
        ax : matplotlib.axes.Axes or None, default=None
            Axes to draw in. None: those of a new figure.
        name : str or None, default=None
            Label of the forecast in the legend. None: "forecast".
        line_kw : dict or None, default=None
            Keywords of matplotlib's ``plot`` for the forecast.
        y_interval : array-like, dict of str to array-like, or None, default=None
            Lower and upper ends of intervals around the forecasts: the shape of ``y_pred``, and a
            last axis of two. A dict has several, by their labels in the legend.

        Returns
        -------
        display : ForecastDisplay
            The display, already drawn.

        Raises
        ------
        ValueError
            If ``y_true`` and ``y_pred`` differ in length or in their pandas indexes, ``y_true``
            has several columns or an index that is not in time order, the leads do not
            increase, ``row`` does not exist, ``n_history`` is less than 1, or ``y_interval`` has
            another shape.
        ImportError
            If matplotlib is not installed.
        """
        check_same_labels(y_true=y_true, y_pred=y_pred)
        y_true, y_pred = of_one_series(y_true, "y_true"), of_one_series(y_pred, "y_pred")
        series, forecasts = check_numbers(y_true, "y_true"), check_numbers(y_pred, "y_pred")
        shape = series.shape
        _check_is_series(shape, "y_true")
        if forecasts.ndim not in (1, 2) or not forecasts.size:
            raise ValueError(
                f"y_pred has shape {forecasts.shape}, but expected (n_rows, horizon), or (n_rows,) "
                "for one step ahead, or (horizon,) for one row."
            )
        if forecasts.shape == shape[:1]:
            forecasts = forecasts[:, np.newaxis]
        if forecasts.ndim == 2 and len(forecasts) != shape[0]:
            raise ValueError(
                f"y_true has {shape[0]} values, but y_pred has forecasts for {len(forecasts)} "
                "rows. Pass one value for each row of X, the last ones included."
            )
        row = check_row(row, shape[0])
        forecast = forecasts[row] if forecasts.ndim == 2 else forecasts
        leads = _check_leads(target_leads, y_pred, len(forecast))
        if n_history is None:
            n_history = max(3 * leads[-1], 30)
        n_history = check_int("n_history", n_history, least=1)
        past = slice(max(row + 1 - n_history, 0), row + 1)
        actual = np.asarray(forecast_targets(y_true, leads, freq=freq))[row]
        index, ahead = _labels(y_true, row, leads[-1], freq)
        display = cls(
            history=series.reshape(-1)[past],
            forecast=forecast,
            actual=None if np.isnan(actual).all() else actual,
            history_index=index[past],
            forecast_index=ahead[np.array(leads) - 1],
            target_name=column_names(y_true)[0],
            estimator_name=name,
            intervals=_intervals_at(y_interval, forecasts.shape, row),
        )
        return display.plot(ax, line_kw=line_kw)


def _check_is_series(shape: tuple[int, ...], name: str) -> None:
    if len(shape) != 1 and shape[1:] != (1,):
        raise ValueError(
            f"{name} has shape {shape}, but expected (n_rows,). Pass the series itself: its "
            "targets (forecast_targets) are only for fit."
        )


def _intervals_at(
    y_interval: Any, shape: tuple[int, ...], row: int
) -> dict[str, np.ndarray] | None:
    """Return the ends (horizon, 2) of each interval at a row, by label."""
    if y_interval is None:
        return None
    found = {}
    by_label = y_interval if isinstance(y_interval, Mapping) else {"interval": y_interval}
    for label, given in by_label.items():
        ends = check_numbers(given, "y_interval")
        if len(shape) == 2 and shape[1] == 1 and ends.ndim == 2:
            ends = ends[:, np.newaxis]
        if ends.shape != (*shape, 2):
            raise ValueError(
                f"y_interval has shape {ends.shape}, but expected {(*shape, 2)}: lower and upper "
                "end of each forecast in y_pred."
            )
        found[label] = ends[row] if len(shape) == 2 else ends
    return found


def _check_leads(target_leads: Any, y_pred: ArrayLike, horizon: int) -> list[int]:
    """Return how many steps ahead each value of a forecast lies."""
    leads = list(range(1, horizon + 1))
    if not isinstance(target_leads, str):
        leads = list(target_leads) if np.iterable(target_leads) else []
    elif target_leads == "auto":
        named = read_leads(column_names(y_pred))
        leads = leads if named is None or len(named) != horizon else named
    else:
        leads = []
    increase = all(map(is_int, leads)) and all(np.diff([0, *leads]) > 0)
    if len(leads) != horizon or not increase:
        raise ValueError(
            f"target_leads must be 'auto' or {horizon} increasing int(s) of at least 1, how many "
            f"steps ahead each value of the forecast lies, got {leads or target_leads!r}. Pass the "
            "forecasts of one series as y_pred."
        )
    return [int(lead) for lead in leads]


def _labels(series: ArrayLike, row: int, horizon: int, freq: Any) -> tuple[Any, Any]:
    """Return labels of all rows and of the steps after ``row``: of a regular index, or numbers."""
    index: Any = time_index(series, "y_true", freq)  # a pandas.Index or None
    n_rows = np.shape(series)[0]
    if index is not None and index.inferred_type not in ("timedelta64", "string"):  # not drawn
        axis = time_axis(index, freq, "y_true")
        # Where each row follows the one before it, the next labels are those of the next rows.
        known = index[row + 1 : row + 1 + horizon] if axis.scale == "rows" else index[:0]
        if len(known) == horizon:
            return index, known
        ahead = axis.next_labels(index, row + len(known), horizon - len(known))
        if ahead is not None:
            return index, known.append(ahead) if len(known) else ahead
    return np.arange(n_rows), row + np.arange(1, horizon + 1)
