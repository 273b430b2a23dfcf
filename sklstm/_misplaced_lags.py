"""Warnings of lag tables in the wrong place, told by the values of their columns and of ``y``."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from sklstm._containers import as_numbers
from sklstm._series.caller import level_of_caller
from sklstm._series.own_lags import N_ROWS, are_alike, columns_of_own_lags, in_precision_of
from sklstm._series.windows import Windows
from sklstm._validation import first_five, take_rows


def check_has_no_lags(rows: np.ndarray, y: Any) -> None:
    """Warn of rows that are a lag table already, as a forecaster passes them to its regressor.

    ``y`` may be anything, since a transformer is not asked to check it.
    """
    if rows.shape[1] < 3 or y is None:
        return
    try:
        first = take_rows(y, {}, np.arange(min(len(rows), N_ROWS)))[0]
        targets = as_numbers(first, "y")
        targets = np.asarray(targets).reshape(len(targets), -1)[:, 0].astype(np.float64)
    except (TypeError, ValueError, IndexError):
        return
    if columns := columns_of_own_lags(rows, targets):
        warnings.warn(
            f"X is a lag table already: columns {first_five(columns)} (counted from 0) hold the "
            "last values of y, newest first. A forecaster that makes lags itself passes the rows "
            "to predict one by one, so their windows would hold the wrong rows, and its forecasts "
            "be wrong. Put LagTableTransformer into it in the place of SlidingWindowTransformer, "
            "or use the pipeline without the forecaster: forecast_targets gives its targets. If "
            "the columns are features that you chose, give X an index of times.",
            stacklevel=level_of_caller(),
        )


def check_step_order(estimator: BaseEstimator, windows: Windows, targets: np.ndarray) -> None:
    """Warn if the values show that the columns of one feature are not its steps, oldest first."""
    size = windows.window_size
    if windows.rows.shape[1] > 1 or size < 3:
        return
    steps = np.asarray(windows.view()[windows.starts[:N_ROWS]][:, :, 0])  # (n, window)
    newest, y = steps[:, -1], in_precision_of(steps, targets[:N_ROWS, 0])
    changes = np.flatnonzero(y[1:] != y[:-1]) + 1  # of runs of zeros, any two values are the same
    if not len(changes) or are_alike(newest[:, np.newaxis], y)[changes].mean() > 0.5:
        return  # the target is the last step itself
    columns = columns_of_own_lags(steps, y)
    if columns and columns != [*range(size - 1, size - 1 - len(columns), -1)]:
        warnings.warn(
            f"{type(estimator).__name__} reads the {size} columns of X as the steps of one "
            "feature, oldest first, but by their values X is a lag table whose columns "
            f"{first_five(columns)} (counted from 0) hold the last values of y, newest first. Put "
            "LagTableTransformer before the estimator, with the lag of each column, and None for "
            "columns that are no lag.",
            stacklevel=level_of_caller(),
        )
