"""Sliding windows as strided views of one array, and that array from the windows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import as_strided


@dataclass(frozen=True)
class Windows:
    """The 2-D array under an array of windows, and how the windows lie in it.

    Step ``k`` of window ``i`` is ``rows[i * row_step + k * lag_step]``.
    """

    rows: np.ndarray  # (base_rows, features)
    n_windows: int
    window_size: int
    row_step: int
    lag_step: int

    def view(self) -> np.ndarray:
        """Return the windows themselves, read-only: (n_windows, window, features)."""
        row_stride, feature_stride = self.rows.strides
        return as_strided(
            self.rows,
            shape=(self.n_windows, self.window_size, self.rows.shape[1]),
            strides=(self.row_step * row_stride, self.lag_step * row_stride, feature_stride),
            writeable=False,
        )

    def lags(self) -> Iterator[slice]:
        """Yield for step 0, 1, ... the slice of ``rows`` with this step of every window."""
        span = max(self.n_windows - 1, 0) * self.row_step + 1 if self.n_windows else 0
        for step in range(self.window_size):
            start = step * self.lag_step
            yield slice(start, start + span, self.row_step)

    def sum_over_steps(self, values: np.ndarray) -> np.ndarray:
        """Sum a value per base row over each window: (base_rows,) -> (n_windows,)."""
        total: np.ndarray = np.zeros(self.n_windows, dtype=number_type(self.window_size))
        for lag in self.lags():
            total += values[lag]
        return total

    def spread_over_rows(self, values: np.ndarray | float) -> np.ndarray:
        """Add a value per window to every base row in it: (n_windows,) -> (base_rows,)."""
        total = np.zeros(len(self.rows))
        for lag in self.lags():
            total[lag] += values
        return total


def number_type(largest: int) -> type:
    """Return the smallest type for integers up to ``largest``, of which there is one per row."""
    return np.int32 if largest < 2**31 else np.int64


def history_length(window_size: int, dilation: int) -> int:
    """Count the rows from the oldest step of a window to the row at which it ends."""
    return (window_size - 1) * dilation


def window_view(base: np.ndarray, window_size: int, dilation: int = 1) -> np.ndarray:
    """Make read-only windows over ``base``, without a copy.

    Parameters
    ----------
    base : ndarray of shape (base_rows, features)
    window_size : int
    dilation : int, default=1

    Returns
    -------
    ndarray of shape (base_rows - (window_size - 1) * dilation, window_size, features)
        Oldest step first.
    """
    n_windows = base.shape[0] - history_length(window_size, dilation)
    return Windows(base, n_windows, window_size, row_step=1, lag_step=dilation).view()


def find_windows(windows: np.ndarray) -> Windows:
    """Recover the 2-D array under ``windows`` from the strides alone.

    The inverse of :func:`window_view`. It also takes every regular slice of such a view,
    and windows that were copied since (pickled, cached, indexed): their array holds one
    window after the other. Only windows whose strides are not positive (reversed windows)
    are copied. Where windows start further apart than they are long, the array also holds
    the rows between them, which belong to no window.

    Parameters
    ----------
    windows : ndarray of shape (n_windows, window_size, features)

    Returns
    -------
    Windows
    """
    n_windows, window_size, n_features = windows.shape
    if n_windows == 1:
        return Windows(windows[0], 1, window_size, row_step=window_size, lag_step=1)
    # The stride of an axis of length one is arbitrary: take the one that a copy would have.
    feature_stride = windows.strides[2] if n_features > 1 else windows.itemsize
    step_stride = windows.strides[1] if window_size > 1 else n_features * windows.itemsize
    row_stride = windows.strides[0] if n_windows else window_size * step_stride
    if min(row_stride, step_stride) <= 0:
        return find_windows(np.ascontiguousarray(windows))

    stride = math.gcd(row_stride, step_stride)
    row_step, lag_step = row_stride // stride, step_stride // stride
    n_rows = max(n_windows - 1, 0) * row_step + (window_size - 1) * lag_step + 1
    rows = as_strided(
        windows,
        shape=(n_rows if n_windows else 0, n_features),
        strides=(stride, feature_stride),
        writeable=False,
    )
    return Windows(rows, n_windows, window_size, row_step, lag_step)
