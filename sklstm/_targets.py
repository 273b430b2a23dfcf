"""forecast_targets: the next values of a series, row by row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sklstm._series.frequency import check_freq, panel_axis, time_axis
from sklstm._series.labels import is_pandas, label_text, loaded_pandas
from sklstm._series.lead_names import lead_name
from sklstm._series.panel import Panel, series_index
from sklstm._series.time_axis import TimeAxis
from sklstm._series.windows import window_view
from sklstm._validation import check_numbers, is_int


def forecast_targets(series: ArrayLike, horizon: int | Iterable[int], *, freq: Any = "auto") -> Any:
    """Give every row the values that follow it: ``series[t + 1], ..., series[t + horizon]``.

    These are the targets of a forecast ``horizon`` steps ahead for :class:`LSTMRegressor`, and
    for other regressors in :class:`KnownTargetsRegressor`. Both leave unknown targets out of
    training, and those that become known after the last training row. Therefore
    ``pipe.fit(X, forecast_targets(load, 24)).predict(X)[-1]`` is the forecast of the 24
    values after the end of the data.

    Parameters
    ----------
    series : array-like of shape (n_rows,) or (n_rows, 1)
        The values to forecast, rows in time order; NaN, None, NA or a mask where
        unknown. With several series, named by the first levels of a pandas index, targets never
        cross a series. With a regular pandas index, steps that the index leaves out are
        unknown values, as in :class:`SlidingWindowTransformer`.
    horizon : int or iterable of int
        Number of steps ahead, at least 1; or the steps ahead in increasing order, such as
        ``range(13, 38)``.
    freq : str, int, timedelta or pandas offset, default="auto"
        How time goes on from row to row of a pandas index: see
        :class:`SlidingWindowTransformer`.

    Returns
    -------
    targets : ndarray or DataFrame of shape (n_rows, horizon)
        NaN where the value is not known yet. For pandas input a DataFrame with its
        index, and columns ``load_lead1``, ``load_lead2``, ... for a series named
        ``load`` (``y_lead1``, ... without a name), from which the estimators read when the
        targets become known. An array has no names: if its first step ahead is not 1, set
        ``target_leads`` of the estimator. float32 stays float32, everything else becomes
        float64.

    Raises
    ------
    ValueError
        If ``series`` has more than one column, an index that is not increasing, infinity
        or anything but numbers (dates, text), or ``horizon`` is not as described.

    See Also
    --------
    SlidingWindowTransformer : The windows that end at each row.
    known_targets_scorer : Scores that leave unknown targets out, for a cross-validation.

    Examples
    --------
    >>> import numpy as np
    >>> from sklstm import forecast_targets
    >>> forecast_targets(np.arange(5), horizon=2)
    array([[ 1.,  2.],
           [ 2.,  3.],
           [ 3.,  4.],
           [ 4., nan],
           [nan, nan]])
    """
    leads = _check_leads(horizon)
    values = check_numbers(series, "series", dtype=[np.float64, np.float32])
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise ValueError(
            f"series has shape {values.shape}, but expected (n_rows,) or (n_rows, 1). Call "
            "forecast_targets once per column, and join the results with pandas.concat(..., "
            "axis=1), or those of arrays with numpy.hstack."
        )
    if not len(values):
        raise ValueError("series is empty, but targets need at least one row.")

    index = series_index(series, "series", freq)
    check_freq(freq, index is not None, "series")
    axis: TimeAxis | None
    parts: Iterator[tuple[Any, Any]]
    if isinstance(index, Panel):
        axis = panel_axis(index, freq, "series")
        parts = ((index.rows_of(at), index.times_of(at)) for at in range(len(index.names)))
    else:
        axis = None if index is None else time_axis(index, freq, "series")
        if axis is not None and len(values) == 2:
            _check_step_is_told(index, axis)
        parts = iter([(slice(None), index)])
    with _enough_memory(horizon, len(values), leads[-1]):
        targets = np.empty((len(values), len(leads)), dtype=values.dtype)
    for rows, labels in parts:
        # The labels fit the axis, which was made of them.
        position = (
            np.arange(len(values)) if axis is None else axis.positions(axis.ticks(labels), labels)
        )
        with _enough_memory(horizon, len(values), leads[-1]):
            targets[rows] = _values_ahead(values[rows], position, leads)
    if not is_pandas(series):
        return targets
    frame: Any = series
    name = frame.columns[0] if hasattr(frame, "columns") else frame.name
    columns = [lead_name(name, lead) for lead in leads]
    return loaded_pandas().DataFrame(targets, index=frame.index, columns=columns)


def _check_step_is_told(index: Any, axis: TimeAxis) -> None:
    """Refuse two labels with a hole between them, for all that they tell."""
    if axis.given or axis.scale == "rows":
        return
    is_counted = index.inferred_type in ("integer", "period")
    if axis.step == 1 if is_counted else index.freq is not None:
        return
    raise ValueError(
        f"series has two rows, {label_text(index[0])} and {label_text(index[1])}, whose labels do "
        "not tell how far apart rows are: between them, others may be missing. Pass the freq of "
        f"the whole series, such as freq={axis.freq!r} if none are."
    )


def _values_ahead(values: np.ndarray, position: np.ndarray, leads: Sequence[int]) -> np.ndarray:
    """Return the values of one series ahead of each row: (rows, leads)."""
    # Shorten long holes, to save memory: one step more than the last lead hides as much.
    position = np.cumsum(np.minimum(np.diff(position, prepend=0), leads[-1] + 1))
    known = np.full(int(position[-1]) + 1 + leads[-1], np.nan, dtype=values.dtype)
    known[position] = values
    ahead = window_view(known[:, np.newaxis], leads[-1] + 1)[:, :, 0]  # (steps, leads)
    return np.asarray(ahead[position[:, np.newaxis], np.asarray(leads)])


@contextmanager
def _enough_memory(horizon: Any, n_rows: int, last_lead: int) -> Iterator[None]:
    try:
        yield
    except (MemoryError, ValueError, OverflowError) as error:  # numpy refuses sizes by any of them
        raise ValueError(
            f"horizon={horizon} needs an array of {n_rows} rows for up to {last_lead} steps "
            "ahead, which memory does not hold. Choose a smaller horizon."
        ) from error


def _check_leads(horizon: Any) -> Sequence[int]:
    """Return the steps ahead in increasing order; a range stays one, since it may be huge."""
    leads: Sequence[int] = []
    if is_int(horizon):
        leads = range(1, int(horizon) + 1)
    elif isinstance(horizon, range):
        leads = horizon if horizon.step > 0 else []
    elif np.iterable(horizon):
        items = list(horizon)
        leads = [int(lead) for lead in items] if all(map(is_int, items)) else []
        leads = leads if all(before < lead for before, lead in pairwise(leads)) else []
    if not leads or leads[0] < 1:
        raise ValueError(
            "horizon must be an int of at least 1, or such ints in increasing order, for "
            f"instance range(13, 38), got {horizon!r}."
        )
    return leads
