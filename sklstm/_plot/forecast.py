"""ForecastDisplay: a forecast of several steps, with what was before it and what came."""

from __future__ import annotations

import numpy as np

from sklstm._plot.drawing import (
    BLACK,
    GREY,
    VERMILLION,
    check_row,
    label_rows,
    legend_on_top,
    line_style,
    new_axes,
    numbers,
)
from sklstm._series import time_axis
from sklstm._targets import forecast_targets


class ForecastDisplay:
    """One forecast of the next values of a series, its history, and what came.

    Make it with :meth:`from_estimator` or :meth:`from_predictions`. All parameters are kept
    as attributes.

    Parameters
    ----------
    history : array-like of shape (n_history,)
        Values up to the row at which the forecast was made.

    forecast : array-like of shape (horizon,)
        The forecast.

    actual : array-like of shape (horizon,) or None, default=None
        What came; NaN where it is not known.

    history_index : array-like of shape (n_history,)
        Where the history lies on the x axis: dates, periods or numbers.

    forecast_index : array-like of shape (horizon,)
        Where the forecast lies on the x axis.

    target_name : str or None, default=None
        Label of the y axis.

    estimator_name : str or None, default=None
        Label of the forecast in the legend. None: "forecast".

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        What was drawn in.

    figure_ : matplotlib.figure.Figure
        Its figure.

    history_line_ : matplotlib.lines.Line2D
        The history.

    actual_line_ : matplotlib.lines.Line2D or None
        What came. It starts at the end of the history.

    forecast_line_ : matplotlib.lines.Line2D
        The forecast.

    See Also
    --------
    forecast_targets : The targets that make an estimator forecast.

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

    def __init__(
        self,
        *,
        history,
        forecast,
        actual=None,
        history_index,
        forecast_index,
        target_name=None,
        estimator_name=None,
    ):
        self.history = history
        self.forecast = forecast
        self.actual = actual
        self.history_index = history_index
        self.forecast_index = forecast_index
        self.target_name = target_name
        self.estimator_name = estimator_name

    def plot(self, ax=None, *, line_kw=None):
        """Draw history, forecast and what came.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or None, default=None
            Where to draw. None: in a new figure. Forecasts made at the same row of the
            same series can be drawn in the same axes, to compare them.
        line_kw : dict or None, default=None
            Keywords of matplotlib's ``plot`` for the forecast.

        Returns
        -------
        display : ForecastDisplay
            The display itself.
        """
        ax = new_axes(ax, "ForecastDisplay.plot")
        past, ahead = numbers(self.history_index), numbers(self.forecast_index)
        style = {"color": BLACK, "linewidth": 1}
        (self.history_line_,) = ax.plot(past, self.history, label="history", **style)
        self.actual_line_ = None
        if self.actual is not None:
            # From the last known value on, so that the series is not torn.
            at, values = np.append(past[-1], ahead), np.append(self.history[-1], self.actual)
            (self.actual_line_,) = ax.plot(at, values, marker=".", label="actual", **style)
        label = "forecast" if self.estimator_name is None else self.estimator_name
        style = line_style(
            line_kw, color=VERMILLION, linestyle="--", marker="s", markersize=4, label=label
        )
        (self.forecast_line_,) = ax.plot(ahead, self.forecast, **style)
        ax.axvline(past[-1], color=GREY, linestyle=":", linewidth=1)
        if self.target_name is not None:
            ax.set_ylabel(self.target_name)
        label_rows(ax, self.history_index)
        # Room for the legend: as data, so that axes which share their limits keep theirs.
        lines = filter(None, [self.history_line_, self.actual_line_, self.forecast_line_])
        values = np.concatenate([line.get_ydata() for line in lines])
        low, high = np.nanmin(values), np.nanmax(values)
        ax.update_datalim([(past[-1], high + (high - low) / 5)])
        ax.autoscale_view()
        legend_on_top(ax, n_columns=3)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    @classmethod
    def from_estimator(
        cls, estimator, X, y, *, row=-1, n_history=None, ax=None, name=None, line_kw=None
    ):
        """Draw what an estimator forecasts at one row.

        Parameters
        ----------
        estimator : estimator
            Fitted on ``forecast_targets(y, horizon)``: any regressor or pipeline.
        X : array-like
            What the estimator predicts from, one row for each value of ``y``.
        y : array-like of shape (n_rows,)
            The series itself, not its targets. The regular index of a pandas Series gives
            the dates, its name the label.
        row : int, default=-1
            The row at which the forecast is made: the first value forecast is that of the
            next row. Negative ones count from the end.
        n_history : int or None, default=None
            How many values up to this row to draw. None: three times those of the
            forecast, at least 30.
        ax : matplotlib.axes.Axes or None, default=None
            Where to draw. None: in a new figure.
        name : str or None, default=None
            Label of the forecast in the legend. None: "forecast".
        line_kw : dict or None, default=None
            Keywords of matplotlib's ``plot`` for the forecast.

        Returns
        -------
        display : ForecastDisplay
            What was drawn.

        Raises
        ------
        ValueError
            If ``X`` and ``y`` differ in length, ``y`` has several columns, there is no such
            row, or ``n_history`` is less than 1.
        ImportError
            If matplotlib is not installed.
        """
        y_pred = estimator.predict(X)
        y_pred = np.asarray(y_pred).reshape(len(y_pred), -1)  # (rows, horizon)
        options = {"row": row, "n_history": n_history, "ax": ax, "name": name, "line_kw": line_kw}
        return cls.from_predictions(y, y_pred, **options)

    @classmethod
    def from_predictions(
        cls, y_true, y_pred, *, row=-1, n_history=None, ax=None, name=None, line_kw=None
    ):
        """Draw a forecast that was made at one row.

        Parameters
        ----------
        y_true : array-like of shape (n_rows,)
            The series itself, not its targets. The regular index of a pandas Series gives
            the dates, its name the label.
        y_pred : array-like of shape (n_rows, horizon), (n_rows,) or (horizon,)
            The forecasts made at each row, of the next value alone if there are as many as
            rows, or the one made at ``row``.
        row : int, default=-1
            The row at which the forecast is made: the first value forecast is that of the
            next row. Negative ones count from the end.
        n_history : int or None, default=None
            How many values up to this row to draw. None: three times those of the
            forecast, at least 30.
        ax : matplotlib.axes.Axes or None, default=None
            Where to draw. None: in a new figure.
        name : str or None, default=None
            Label of the forecast in the legend. None: "forecast".
        line_kw : dict or None, default=None
            Keywords of matplotlib's ``plot`` for the forecast.

        Returns
        -------
        display : ForecastDisplay
            What was drawn.

        Raises
        ------
        ValueError
            If ``y_true`` and ``y_pred`` differ in length, ``y_true`` has several columns,
            there is no such row, or ``n_history`` is less than 1.
        ImportError
            If matplotlib is not installed.
        """
        shape, y_pred = np.shape(y_true), np.asarray(y_pred)
        if len(shape) != 1 and shape[1:] != (1,):
            raise ValueError(
                f"The series has shape {shape}, but expected (n_rows,). Pass the series itself: "
                "its targets (forecast_targets) are only for fit."
            )
        if y_pred.shape == shape[:1]:
            y_pred = y_pred[:, np.newaxis]
        if y_pred.ndim == 2 and len(y_pred) != shape[0]:
            raise ValueError(
                f"The series has {shape[0]} values, but there are forecasts for {len(y_pred)} "
                "rows. Pass one value for each row of X, the last ones included."
            )
        if n_history is not None and n_history < 1:
            raise ValueError(f"n_history must be at least 1 or None, got {n_history!r}.")
        row = check_row(row, shape[0])
        forecast = y_pred[row] if y_pred.ndim == 2 else y_pred
        horizon = len(forecast)
        if n_history is None:
            n_history = max(3 * horizon, 30)
        past = slice(max(row + 1 - n_history, 0), row + 1)
        actual = np.asarray(forecast_targets(y_true, horizon))[row]
        index, ahead = _labels(y_true, row, horizon)
        names = getattr(y_true, "columns", [getattr(y_true, "name", None)])
        display = cls(
            history=np.asarray(y_true).reshape(-1)[past],
            forecast=forecast,
            actual=None if np.isnan(actual).all() else actual,
            history_index=index[past],
            forecast_index=ahead,
            target_name=names[0],
            estimator_name=name,
        )
        return display.plot(ax, line_kw=line_kw)


def _labels(series, row, horizon):
    """Labels of all rows, and of the steps that follow one: of a regular index, or numbers."""
    index = time_axis.time_index(series)
    clock = None if index is None else time_axis.make_clock(index)
    if clock is None or clock.step is None or index.inferred_type == "timedelta64":
        return np.arange(len(series)), row + np.arange(1, horizon + 1)
    if index.inferred_type != "datetime64":
        return index, index[[row] * horizon] + clock.step * np.arange(1, horizon + 1)
    freq = _offset(index, clock) if index.freq is None else index.freq
    ahead = time_axis.pandas().date_range(index[row], periods=horizon + 1, freq=freq)[1:]
    return index, ahead


def _offset(index, clock):
    """Time from one row to the next, as pandas counts it."""
    pd = time_axis.pandas()
    if clock.scale == "value":
        return pd.Timedelta(clock.step, unit="us")
    if clock.scale == "wall":
        return pd.DateOffset(days=pd.Timedelta(clock.step, unit="us").days)
    if clock.scale == "business_day":
        return pd.offsets.BDay(clock.step)
    at_end = index.is_month_end.all()
    return pd.offsets.MonthEnd(clock.step) if at_end else pd.DateOffset(months=clock.step)
