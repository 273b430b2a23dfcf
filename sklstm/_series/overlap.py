"""The rows under an array of windows, found by the values of the windows.

Windows that follow each other hold the same rows. So the rows are found alike in a view of them
and in a copy of it, and each of them is stored once.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import as_strided

from sklstm._series.storage import let_go, new_rows, row_blocks, stays_on_disk
from sklstm._series.window_array import WindowArray
from sklstm._series.windows import Windows, are_few, history_length, number_type, separate_windows

# Windows that are compared at once: few at first, since different windows differ soon.
_FIRST_BLOCK, _VALUES_OF_A_BLOCK = 16, 2**17
# Windows in which a lag step is looked for, and those among which they are chosen.
_N_PROBES, _N_SAMPLED = 8, 256


def find_windows(windows: np.ndarray | WindowArray) -> Windows:
    """Find the rows under ``windows``, whatever their layout in memory.

    The inverse of :func:`~sklstm._series.windows.window_view`, also for a copy of such a view, for
    every k-th of its windows, and for windows with holes between them (with a lag step of one, or
    in a WindowArray). In any other array of windows, each window has rows of its own. The rows are
    a view where ``windows`` is a view of them, else a copy.

    A WindowArray has the result of the array of its windows (with a lag step of one): values are
    compared where the starts of the windows do not already say that they are the same.

    Parameters
    ----------
    windows : ndarray or WindowArray of shape (n_windows, window_size, n_features)

    Returns
    -------
    Windows
    """
    n_windows, window_size, _ = windows.shape
    if isinstance(windows, WindowArray) and windows.panel is not None:
        apart, reach = np.diff(windows.starts), history_length(window_size, windows.dilation)
        # The windows of a series begin after those of the one before, and one twice does so too.
        apart = np.where(apart > 0, np.minimum(apart, reach + 1), reach + 1)
        return _windows_of_starts(windows, _starts(apart, reach), windows.dilation)
    if window_size == 1:
        return Windows(windows[:, 0], _regular_starts(windows, 1, 1), 1, 1)
    if n_windows > 1:
        for row_step, lag_step in _regular_steps(windows):
            # Step k + row_step of a window is step k of the window lag_step windows later.
            if isinstance(windows, np.ndarray):
                is_view = windows.strides[0] * lag_step == windows.strides[1] * row_step
                if is_view:
                    return _windows_of_view(windows, row_step, lag_step)
            if _are_same(windows, row_step, lag_step):
                starts = _regular_starts(windows, row_step, lag_step)
                return _windows_at(windows, starts, lag_step)
        if (shifts := _shifts(windows)) is not None:
            return _windows_at(windows, _starts(shifts, window_size - 1), 1)
        if isinstance(windows, WindowArray) and windows.dilation > 1:
            shifts = np.diff(windows.starts)
            if are_few(shifts != 1) and shifts.min() > 0:
                reach = history_length(window_size, windows.dilation)
                starts = _starts(np.minimum(shifts, reach + 1), reach)
                return _windows_at(windows, starts, windows.dilation)
    return separate_windows(np.asarray(windows))


def _regular_starts(windows: np.ndarray | WindowArray, row_step: int, lag_step: int) -> np.ndarray:
    n_windows, window_size, _ = windows.shape
    last_row = (n_windows - 1) * row_step + history_length(window_size, lag_step)
    return np.arange(n_windows, dtype=number_type(last_row + 1)) * row_step


def _starts(shifts: np.ndarray, reach: int) -> np.ndarray:
    last_row = int(shifts.sum(dtype=np.int64)) + reach
    starts: np.ndarray = np.zeros(len(shifts) + 1, dtype=number_type(last_row + 1))
    np.cumsum(shifts, dtype=starts.dtype, out=starts[1:])
    return starts


def _windows_of_view(windows: np.ndarray, row_step: int, lag_step: int) -> Windows:
    n_windows, window_size, n_features = windows.shape
    row_stride = windows.strides[0] // row_step
    n_rows = (n_windows - 1) * row_step + history_length(window_size, lag_step) + 1
    rows = as_strided(
        windows, (n_rows, n_features), (row_stride, windows.strides[2]), writeable=False
    )
    return Windows(rows, _regular_starts(windows, row_step, lag_step), window_size, lag_step)


def _windows_at(windows: np.ndarray | WindowArray, starts: np.ndarray, lag_step: int) -> Windows:
    if isinstance(windows, WindowArray):
        return _windows_of_starts(windows, starts, lag_step)
    return _windows_of_copy(windows, starts, lag_step)


def _windows_of_copy(windows: np.ndarray, starts: np.ndarray, lag_step: int) -> Windows:
    _, window_size, n_features = windows.shape
    n_rows = int(starts[-1]) + history_length(window_size, lag_step) + 1
    rows = np.empty((n_rows, n_features), dtype=windows.dtype)
    found = Windows(rows, starts, window_size, lag_step)
    for step, places in enumerate(found.lags()):
        rows[places] = windows[:, step]
        let_go(windows)
    return found


def _windows_of_starts(windows: WindowArray, starts: np.ndarray, lag_step: int) -> Windows:
    _, window_size, n_features = windows.shape
    base, first = windows.base, windows.starts[0]
    n_rows = int(starts[-1]) + history_length(window_size, lag_step) + 1
    if lag_step == windows.dilation and (windows.starts - first == starts).all():
        starts = starts if first else windows.starts  # which are in memory anyway
        found = Windows(base[first : first + n_rows], starts, window_size, lag_step)
        if lag_step == 1 or _has_no_other_rows(found):
            return found
    rows = new_rows((n_rows, n_features), base.dtype, stays_on_disk(base))
    found = Windows(rows, starts, window_size, lag_step)
    source: np.ndarray = np.full(n_rows, -1, dtype=windows.starts.dtype)  # rows of the base
    for step, places in enumerate(found.lags()):
        source[places] = windows.starts + step * windows.dilation
    for at in row_blocks(rows, base):
        known = source[at] >= 0
        rows[at][known] = base[source[at][known]]
    return found


def _has_no_other_rows(windows: Windows) -> bool:
    """Whether rows that lie in no window are NaN: then they change no check and no result."""
    others = np.flatnonzero(windows.spread_over_rows(1.0) == 0)
    return bool(np.isnan(windows.rows[others]).all())


def _regular_steps(windows: np.ndarray | WindowArray) -> Iterator[tuple[int, int]]:
    """Yield what row step and lag step may be, in the order in which they are preferred."""
    yield 1, 1
    # The first step alone at first, which excludes most row steps.
    may_be = _equal(windows[0, 2:], windows[1, 0]).all(axis=1)
    for row_step in (np.flatnonzero(may_be) + 2).tolist():
        yield row_step, 1
    # A lag step that most windows do not reach would be found by chance.
    candidates = np.arange(2, len(windows) // 2 + 1)
    if isinstance(windows, np.ndarray):
        row_stride, step_stride = windows.strides[:2]
        if row_stride and step_stride % row_stride == 0 and step_stride // row_stride > 1:
            last = step_stride // row_stride  # that of the view
            candidates = candidates[: last - 1]
    for probe in _probes(windows):
        # The first step alone at first, which excludes most candidates.
        same = _equal(windows[probe + candidates, 0], windows[probe, 1]).all(axis=1)
        candidates = candidates[same]
        same = _equal(windows[probe + candidates, :-1], windows[probe, 1:]).all(axis=(1, 2))
        candidates = candidates[same]
    for lag_step in candidates.tolist():
        yield 1, lag_step


def _probes(windows: np.ndarray | WindowArray) -> np.ndarray:
    """Choose windows in the first half that have many different values."""
    sampled = np.unique(np.linspace(0, max(len(windows) // 2 - 1, 0), _N_SAMPLED).astype(int))
    ordered = np.sort(windows[sampled, 1:].reshape(len(sampled), -1), axis=1)
    n_different = np.count_nonzero(~_equal(ordered[:, 1:], ordered[:, :-1]), axis=1)
    return sampled[np.argsort(-n_different, kind="stable")[:_N_PROBES]]


def _shifts(windows: np.ndarray | WindowArray) -> np.ndarray | None:
    """Find how many rows after the window before it each window begins.

    Windows that share no row are taken to begin ``window_size`` rows apart. None if most windows
    do not begin one row after the window before.
    """
    before, after = windows[:-1], windows[1:]
    follows = np.ones(len(before), dtype=bool)
    for at in _unknown_blocks(windows, 1, 1):
        follows[at] = _equal(after[at, :-1], before[at, 1:]).all(axis=(1, 2))
        let_go(windows)
        if not are_few(~follows):
            return None
    if not follows.any():
        return None
    shifts = np.ones(len(before), dtype=np.int64)
    for part in _parts(np.flatnonzero(~follows), _most_in_a_block(windows)):
        shifts[part] = _shifts_of_pairs(np.asarray(before[part]), np.asarray(after[part]))
    return shifts


def _shifts_of_pairs(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Find how many rows lie between two windows, for pairs that do not follow each other."""
    n_pairs, window_size, _ = before.shape
    shifts = np.full(n_pairs, window_size)
    # The first step alone at first, which excludes most shifts.
    may_be = np.all(_equal(before, after[:, :1]), axis=2)  # (pairs, window)
    for shift in (np.flatnonzero(may_be[:, 2:].any(axis=0)) + 2).tolist():
        left = np.flatnonzero(may_be[:, shift] & (shifts == window_size))
        same = _equal(after[left, :-shift], before[left, shift:]).all(axis=(1, 2))
        shifts[left[same]] = shift
    return shifts


def _are_same(windows: np.ndarray | WindowArray, row_step: int, lag_step: int) -> bool:
    """Whether all windows share rows with others, see ``find_windows``."""
    before, after = windows[:-lag_step], windows[lag_step:]
    for at in _unknown_blocks(windows, row_step, lag_step):
        if not _equal(after[at, :-row_step], before[at, row_step:]).all():
            return False
        let_go(windows)
    return True


def _equal(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Compare value by value; NaN equals NaN."""
    return (left == right) | ((left != left) & (right != right))


def _unknown_blocks(
    windows: np.ndarray | WindowArray, row_step: int, lag_step: int
) -> Iterator[slice | np.ndarray]:
    """Yield blocks of windows that are to be compared with the windows ``lag_step`` later.

    They are all windows of an array, and those of a WindowArray whose starts do not already say
    that they share rows. Each block has twice as many windows as the one before, up to a limit.
    """
    is_array, most = isinstance(windows, np.ndarray), _most_in_a_block(windows)
    start, size = 0, min(_FIRST_BLOCK, most)
    n_pairs, largest = len(windows) - lag_step, most if is_array else _VALUES_OF_A_BLOCK
    while start < n_pairs:
        stop = min(start + size, n_pairs)
        if isinstance(windows, WindowArray):
            apart = windows.starts[start + lag_step : stop + lag_step] - windows.starts[start:stop]
            unknown = np.flatnonzero(apart != row_step * windows.dilation)
            yield from _parts(start + unknown, most)
        else:
            yield slice(start, stop)
        start, size = stop, min(2 * size, largest)


def _parts(numbers: np.ndarray, size: int) -> Iterator[np.ndarray]:
    return (numbers[start : start + size] for start in range(0, len(numbers), size))


def _most_in_a_block(windows: np.ndarray | WindowArray) -> int:
    return max(_VALUES_OF_A_BLOCK // max(windows[:1].size, 1), 1)
