"""The rows under an array of windows, found by the values of the windows.

Windows that follow each other hold the same rows. So the rows are found alike in a view of them
and in a copy of it, and each of them is stored once.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import as_strided

from sklstm._series.storage import let_go
from sklstm._series.windows import Windows, are_few, history_length, number_type

# Windows that are compared at once: few at first, since different windows differ soon.
_FIRST_BLOCK, _VALUES_OF_A_BLOCK = 16, 2**17
# Windows in which a lag step is looked for, and those among which they are chosen.
_N_PROBES, _N_SAMPLED = 8, 256


def find_windows(windows: np.ndarray) -> Windows:
    """Find the rows under ``windows``, whatever their layout in memory.

    The inverse of :func:`~sklstm._series.windows.window_view`, also for a copy of such a view, for
    every k-th of its windows, and for windows with holes between them (with a lag step of one). In
    any other array of windows, each window has rows of its own. The rows are a view where
    ``windows`` is a view of them, else a copy.

    Parameters
    ----------
    windows : ndarray of shape (n_windows, window_size, n_features)

    Returns
    -------
    Windows
    """
    n_windows, window_size, n_features = windows.shape
    if window_size == 1:
        return Windows(windows[:, 0], _numbers(windows), 1, 1)
    if n_windows > 1:
        for row_step, lag_step in _regular_steps(windows):
            # Step k + row_step of a window is step k of the window lag_step windows later.
            is_view = windows.strides[0] * lag_step == windows.strides[1] * row_step
            if is_view:
                return _windows_of_view(windows, row_step, lag_step)
            if _are_same(windows[lag_step:, :-row_step], windows[:-lag_step, row_step:]):
                return _windows_of_copy(windows, _numbers(windows) * row_step, lag_step)
        if (shifts := _shifts(windows)) is not None:
            starts = np.cumsum(np.concatenate([[0], shifts]))
            return _windows_of_copy(windows, starts.astype(number_type(windows.size)), 1)
    rows = np.ascontiguousarray(windows).reshape(-1, n_features)
    return Windows(rows, _numbers(windows) * window_size, window_size, 1)


def _numbers(windows: np.ndarray) -> np.ndarray:
    return np.arange(len(windows), dtype=number_type(windows.size))


def _windows_of_view(windows: np.ndarray, row_step: int, lag_step: int) -> Windows:
    n_windows, window_size, n_features = windows.shape
    row_stride = windows.strides[0] // row_step
    n_rows = (n_windows - 1) * row_step + history_length(window_size, lag_step) + 1
    rows = as_strided(
        windows, (n_rows, n_features), (row_stride, windows.strides[2]), writeable=False
    )
    return Windows(rows, _numbers(windows) * row_step, window_size, lag_step)


def _windows_of_copy(windows: np.ndarray, starts: np.ndarray, lag_step: int) -> Windows:
    _, window_size, n_features = windows.shape
    n_rows = int(starts[-1]) + history_length(window_size, lag_step) + 1
    rows = np.empty((n_rows, n_features), dtype=windows.dtype)
    found = Windows(rows, starts, window_size, lag_step)
    for step, places in enumerate(found.lags()):
        rows[places] = windows[:, step]
        let_go(windows)
    return found


def _regular_steps(windows: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield what row step and lag step may be, in the order in which they are preferred."""
    n_windows, window_size, _ = windows.shape
    for row_step in range(1, window_size):
        yield row_step, 1
    # A lag step that most windows do not reach would be found by chance.
    candidates = np.arange(2, n_windows // 2 + 1)
    row_stride, step_stride = windows.strides[:2]
    if row_stride and step_stride % row_stride == 0 and step_stride // row_stride > 1:
        candidates = candidates[: step_stride // row_stride - 1]  # the last one is that of the view
    for probe in _probes(windows):
        # The first step alone at first, which excludes most candidates.
        same = _equal(windows[probe + candidates, 0], windows[probe, 1]).all(axis=1)
        candidates = candidates[same]
        same = _equal(windows[probe + candidates, :-1], windows[probe, 1:]).all(axis=(1, 2))
        candidates = candidates[same]
    for lag_step in candidates.tolist():
        yield 1, lag_step


def _probes(windows: np.ndarray) -> np.ndarray:
    """Choose windows in the first half that have many different values."""
    sampled = np.unique(np.linspace(0, max(len(windows) // 2 - 1, 0), _N_SAMPLED).astype(int))
    ordered = np.sort(windows[sampled, 1:].reshape(len(sampled), -1), axis=1)
    n_different = np.count_nonzero(~_equal(ordered[:, 1:], ordered[:, :-1]), axis=1)
    return sampled[np.argsort(-n_different, kind="stable")[:_N_PROBES]]


def _shifts(windows: np.ndarray) -> np.ndarray | None:
    """Find how many rows after the window before it each window begins.

    Windows that share no row are taken to begin ``window_size`` rows apart. None if most windows
    do not begin one row after the window before.
    """
    before, after = windows[:-1], windows[1:]
    follows = np.ones(len(before), dtype=bool)
    for at in _blocks(before):
        follows[at] = _equal(after[at, :-1], before[at, 1:]).all(axis=(1, 2))
        let_go(windows)
        if not are_few(~follows):
            return None
    if not follows.any():
        return None
    window_size = windows.shape[1]
    shifts = np.ones(len(before), dtype=np.int64)
    shifts[~follows] = window_size
    left = np.flatnonzero(~follows)
    for shift in range(2, window_size):
        same = _equal(after[left, :-shift], before[left, shift:]).all(axis=(1, 2))
        shifts[left[same]] = shift
        left = left[~same]
    return shifts


def _are_same(left: np.ndarray, right: np.ndarray) -> bool:
    """Whether two arrays of windows are equal, block by block."""
    for at in _blocks(left):
        if not _equal(left[at], right[at]).all():
            return False
        let_go(left)
    return True


def _equal(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Compare value by value; NaN equals NaN."""
    return (left == right) | ((left != left) & (right != right))


def _blocks(windows: np.ndarray) -> Iterator[slice]:
    """Yield slices of windows, each with twice as many as the one before, up to a limit."""
    most = max(_VALUES_OF_A_BLOCK // max(windows[:1].size, 1), 1)
    start, size = 0, min(_FIRST_BLOCK, most)
    while start < len(windows):
        yield slice(start, start + size)
        start, size = start + size, min(2 * size, most)
