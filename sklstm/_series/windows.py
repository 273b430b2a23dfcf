"""Sliding windows as views of the rows under them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import as_strided

# A hole is a place where rows are missing. Up to this fraction of holes between them, rows and
# windows follow each other.
HOLES_ALLOWED = 0.1


@dataclass(frozen=True)
class Windows:
    """The rows under an array of windows, and where each window begins.

    Step ``k`` of window ``i`` is ``rows[starts[i] + k * lag_step]``. What
    :func:`~sklstm._series.overlap.find_windows` returns has increasing starts, and each row lies
    in a window or is NaN.

    Attributes
    ----------
    rows : ndarray of shape (base_rows, features)
    starts : ndarray of int of shape (n_windows,)
    window_size : int
    lag_step : int
    """

    rows: np.ndarray
    starts: np.ndarray
    window_size: int
    lag_step: int

    @property
    def n_windows(self) -> int:
        """Number of windows."""
        return len(self.starts)

    def follow_each_other(self, new_series: np.ndarray | None = None) -> bool:
        """Whether each step of a window is the last step of another, apart from holes.

        ``new_series`` marks the windows, from the second on, that are the first of a series.
        """
        holes = np.diff(self.starts) != 1
        return are_few(holes if new_series is None else holes[~new_series])

    def view(self) -> np.ndarray:
        """Return a window for every row that has one, read-only: (base_windows, window, features).

        Window ``i`` of this array of windows is number ``starts[i]`` of the view.
        """
        row_stride, feature_stride = self.rows.strides
        return as_strided(
            self.rows,
            shape=(max(self._n_starts, 0), self.window_size, self.rows.shape[1]),
            strides=(row_stride, self.lag_step * row_stride, feature_stride),
            writeable=False,
        )

    @property
    def are_regular(self) -> bool:
        """Whether the windows begin at the same distance from each other."""
        distances = np.diff(self.starts)
        return bool((distances == distances[:1]).all())

    def lags(self) -> Iterator[slice | np.ndarray]:
        """Yield for step 0, 1, ... the places in ``rows`` of this step of every window."""
        if self.n_windows > 0 and self.are_regular:
            every = int(self.starts[1] - self.starts[0]) if self.n_windows > 1 else 1
            yield from self._slices(int(self.starts[0]), int(self.starts[-1]), every)
        else:
            for lag in range(0, self.window_size * self.lag_step, self.lag_step):
                yield self.starts + lag

    def sum_over_steps(self, values: np.ndarray) -> np.ndarray:
        """Sum a value per base row over each window: (base_rows,) -> (n_windows,)."""
        regular, n_starts = self.are_regular, self._n_starts
        total: np.ndarray = np.zeros(
            self.n_windows if regular else n_starts, dtype=number_type(self.window_size)
        )
        for lag in self.lags() if regular else self._slices(0, n_starts - 1):
            total += values[lag]
        return total if regular else total[self.starts]

    def spread_over_rows(self, values: np.ndarray | float) -> np.ndarray:
        """Add a value per window to every base row in it: (n_windows,) -> (base_rows,)."""
        lags: Iterable[slice | np.ndarray] = self.lags()
        if not self.are_regular:
            of_starts = np.zeros(self._n_starts)
            of_starts[self.starts] = values
            lags, values = self._slices(0, self._n_starts - 1), of_starts
        total = np.zeros(len(self.rows))
        for lag in lags:
            total[lag] += values
        return total

    @property
    def _n_starts(self) -> int:
        """Number of rows that have a window, if each of those in reach has one."""
        return len(self.rows) - history_length(self.window_size, self.lag_step)

    def _slices(self, first: int, last: int, every: int = 1) -> Iterator[slice]:
        """Yield what :meth:`lags` does for windows at the same distance, which takes less time."""
        for lag in range(0, self.window_size * self.lag_step, self.lag_step):
            yield slice(first + lag, last + lag + 1, every)


def are_few(holes: np.ndarray, allowed: float = HOLES_ALLOWED) -> bool:
    """Whether rows with these holes between them still follow each other."""
    return bool(np.count_nonzero(holes) <= max(2, allowed * len(holes)))


def number_type(largest: int) -> type:
    """Return the smallest type for integers up to ``largest``, of which there is one per row."""
    return np.int32 if largest < 2**31 else np.int64


def history_length(window_size: int, dilation: int) -> int:
    """Count the rows from the oldest step of a window to the row at which it ends."""
    return (window_size - 1) * dilation


def separate_windows(values: np.ndarray) -> Windows:
    """Return windows (n, window, features) that share no row."""
    n, window_size, n_features = values.shape
    rows = np.ascontiguousarray(values).reshape(-1, n_features)
    starts = np.arange(n, dtype=number_type(len(rows))) * window_size
    return Windows(rows, starts, window_size, 1)


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
    return Windows(base, np.empty(0, dtype=int), window_size, dilation).view()
