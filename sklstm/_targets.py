"""forecast_targets: the next values of a series, row by row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sklstm._series.frequency import check_freq, time_axis
from sklstm._series.labels import is_pandas, loaded_pandas, time_index
from sklstm._series.windows import window_view
from sklstm._validation import check_int, check_numbers


def forecast_targets(series: ArrayLike, horizon: int, *, freq: Any = "auto") -> Any:
    """Give every row the values that follow it: ``series[t + 1], ..., series[t + horizon]``.

    These are the targets of a forecast ``horizon`` steps ahead for :class:`LSTMRegressor`,
    which leaves unknown targets out of training. Therefore
    ``pipe.fit(X, forecast_targets(load, 24)).predict(X)[-1]`` is the forecast of the 24
    values after the end of the data.

    Parameters
    ----------
    series : array-like of shape (n_rows,) or (n_rows, 1)
        The values to forecast, rows in time order; NaN, None, NA or a mask where
        unknown. With a regular pandas index, steps that the index leaves out are
        unknown values, as in :class:`SlidingWindowTransformer`.
    horizon : int
        Number of steps ahead, at least 1.
    freq : str, int, timedelta or pandas offset, default="auto"
        How time goes on from row to row of a pandas index: see
        :class:`SlidingWindowTransformer`.

    Returns
    -------
    targets : ndarray or DataFrame of shape (n_rows, horizon)
        NaN where the value is not known yet. For pandas input a DataFrame with its
        index, and columns ``load_lead1``, ``load_lead2``, ... for a series named
        ``load`` (``y_lead1``, ... without a name). float32 stays float32, everything
        else becomes float64.

    Raises
    ------
    ValueError
        If ``series`` has more than one column, an index that is not increasing, infinity
        or anything but numbers (dates, text), or ``horizon`` is not a positive integer.

    See Also
    --------
    SlidingWindowTransformer : The windows that end at each row.

    Notes
    -----
    scikit-learn's scorers do not take unknown targets: leave the last ``horizon`` rows
    out of a cross-validation.

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
    horizon = check_int("horizon", horizon, least=1)
    values = check_numbers(series, "series", dtype=[np.float64, np.float32])
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise ValueError(
            f"series has shape {values.shape}, but expected (n_rows,) or (n_rows, 1). Call "
            "forecast_targets once per column and join the results with numpy.hstack."
        )
    if not len(values):
        raise ValueError("series is empty, but targets need at least one row.")

    index = time_index(series, "series", freq)
    check_freq(freq, index is not None, "series")
    position = np.arange(len(values))
    if index is not None:
        axis = time_axis(index, freq, "series")
        position = axis.positions(axis.ticks(index, "series"), index, "series")
        # Shorten long holes, to save memory: one step more than the horizon hides as much.
        position = np.cumsum(np.minimum(np.diff(position, prepend=0), horizon + 1))

    try:
        known = np.full(int(position[-1]) + 1 + horizon, np.nan, dtype=values.dtype)
        known[position] = values
        targets = window_view(known[1:, np.newaxis], horizon)[position, :, 0]  # (rows, horizon)
    except (MemoryError, ValueError, OverflowError) as error:  # numpy refuses sizes by any of them
        raise ValueError(
            f"horizon={horizon} needs an array of {len(values)} rows and {horizon} columns, which "
            "memory does not hold. Choose a smaller horizon."
        ) from error
    if not is_pandas(series):
        return targets
    frame: Any = series
    name = frame.columns[0] if hasattr(frame, "columns") else frame.name
    columns = [f"{'y' if name is None else name}_lead{lead}" for lead in range(1, horizon + 1)]
    return loaded_pandas().DataFrame(targets, index=frame.index, columns=columns)
