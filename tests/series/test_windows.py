"""The strided windows against a plain Python loop."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from sklstm._series.windows import find_windows, history_length, window_view

quick = settings(deadline=None, max_examples=150, database=None)
SIZES = st.integers(1, 6)
DTYPES = st.sampled_from([np.float32, np.float64])


def numbered(n_rows, n_features, dtype=np.float64):
    """Make unique values, so that each value identifies its place."""
    return np.arange(n_rows * n_features, dtype=dtype).reshape(n_rows, n_features)


def looped_windows(base, window_size, dilation):
    n_windows = len(base) - (window_size - 1) * dilation
    windows = np.empty((n_windows, window_size, base.shape[1]), dtype=base.dtype)
    for window in range(n_windows):
        for step in range(window_size):
            windows[window, step] = base[window + step * dilation]
    return windows


def looped_back(found):
    """The windows that a result of find_windows describes."""
    return np.array(
        [
            [found.rows[i * found.row_step + k * found.lag_step] for k in range(found.window_size)]
            for i in range(found.n_windows)
        ]
    )


def memory_range(array):
    """Return the first byte and the byte after the last, for non-negative strides."""
    start = array.__array_interface__["data"][0]
    last = sum((size - 1) * stride for size, stride in zip(array.shape, array.strides, strict=True))
    return start, start + last + array.itemsize


@pytest.mark.parametrize(
    ("window_size", "dilation", "length"),
    [(1, 1, 0), (1, 9, 0), (2, 1, 1), (24, 1, 23), (3, 7, 14)],
)
def test_history_reaches_back_to_the_oldest_step(window_size, dilation, length):
    assert history_length(window_size, dilation) == length


@quick
@given(SIZES, st.integers(1, 4), st.integers(1, 4), st.integers(0, 9), DTYPES)
def test_window_view_equals_a_loop(window_size, dilation, n_features, n_windows, dtype):
    base = numbered(n_windows + history_length(window_size, dilation), n_features, dtype)
    windows = window_view(base, window_size, dilation)
    assert windows.dtype == dtype
    np.testing.assert_array_equal(windows, looped_windows(base, window_size, dilation))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("rows", [slice(None), slice(None, None, 2), slice(None, None, -1)])
def test_window_view_of_any_layout_equals_a_loop(order, rows):
    base = np.array(numbered(12, 3), order=order)[rows]
    np.testing.assert_array_equal(window_view(base, 3, 2), looped_windows(base, 3, 2))


def test_window_view_shares_memory_and_is_read_only():
    base = numbered(10, 2)
    windows = window_view(base, 4)
    assert np.shares_memory(windows, base)
    with pytest.raises(ValueError, match="read-only"):
        windows[0, 0, 0] = 1.0
    assert base.flags.writeable
    base[3, 1] = -1.0
    assert windows[0, 3, 1] == windows[3, 0, 1] == -1.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "cut",
    [
        np.s_[:],
        np.s_[::2],
        np.s_[3:],
        np.s_[2:3],
        np.s_[:0],
        np.s_[::7],
        np.s_[:, :, :1],
        np.s_[:, :, 1:],
        np.s_[:, :, 1:2],
        np.s_[:, ::2],
        np.s_[:, 1:3],
        np.s_[:, -1:],
        np.s_[:, -1:, :1],
        np.s_[1::3, 1::2, 1:],
        np.s_[2:3, -1:, 2:],
    ],
    ids=str,
)
@pytest.mark.parametrize("dilation", [1, 2, 5])
def test_slices_of_a_view_are_found_in_its_base_without_a_copy(cut, dilation, dtype):
    base = numbered(40, 3, dtype)
    windows = window_view(base, 4, dilation)[cut]
    found = find_windows(windows)
    assert (found.n_windows, found.window_size) == windows.shape[:2]
    np.testing.assert_array_equal(looped_back(found).reshape(windows.shape), windows)
    assert np.shares_memory(found.rows, base) == (windows.size > 0)
    assert not found.rows.flags.writeable


@quick
@given(SIZES, st.integers(1, 4), st.integers(1, 4), st.integers(1, 9), DTYPES, st.data())
def test_found_rows_lie_inside_the_memory_of_the_base(
    window_size, dilation, n_features, n_windows, dtype, data
):
    base = numbered(n_windows + history_length(window_size, dilation), n_features, dtype)
    windows = window_view(base, window_size, dilation)
    for axis, size in enumerate(windows.shape):
        start = data.draw(st.integers(0, size - 1))
        stop = data.draw(st.integers(start + 1, size))
        step = data.draw(st.integers(1, 3)) if axis < 2 else 1
        windows = windows[(slice(None),) * axis + (slice(start, stop, step),)]
    found = find_windows(windows)
    np.testing.assert_array_equal(looped_back(found), windows)
    assert np.shares_memory(found.rows, base)
    start, end = memory_range(found.rows)
    assert memory_range(base)[0] <= start
    assert end <= memory_range(base)[1]


def test_the_base_of_all_windows_is_found_whole():
    base = numbered(40, 3)
    found = find_windows(window_view(base, 4, 2))
    np.testing.assert_array_equal(found.rows, base)
    assert (found.row_step, found.lag_step) == (1, 2)


@pytest.mark.parametrize(
    "copy",
    [
        np.ascontiguousarray,
        lambda windows: pickle.loads(pickle.dumps(windows)),
        lambda windows: np.ascontiguousarray(windows)[::2],
        lambda windows: np.ascontiguousarray(windows)[:, 1:, :2],
        lambda windows: np.ascontiguousarray(windows[:, :, :1]),
        lambda windows: np.ascontiguousarray(windows[:1]),
        lambda windows: np.ascontiguousarray(windows[:, :1]),
    ],
)
@pytest.mark.parametrize("dilation", [1, 3])
def test_copied_windows_are_found_without_a_second_copy(copy, dilation):
    windows = copy(window_view(numbered(30, 3), 4, dilation))
    found = find_windows(windows)
    np.testing.assert_array_equal(looped_back(found), windows)
    assert np.shares_memory(found.rows, windows)


@pytest.mark.parametrize(
    "rows", [np.asfortranarray, lambda rows: np.repeat(rows, 2, axis=1)[:, ::2]]
)
def test_windows_over_rows_of_any_layout_are_found_without_a_copy(rows):
    base = rows(numbered(30, 3))
    found = find_windows(sliding_window_view(base, 4, axis=0).transpose(0, 2, 1))
    np.testing.assert_array_equal(found.rows, base)
    assert np.shares_memory(found.rows, base)


@pytest.mark.parametrize(
    "change",
    [
        np.asfortranarray,
        lambda windows: windows[[3, 0, 2, 2]],
        lambda windows: windows[np.arange(len(windows)) % 3 > 0],
        lambda windows: windows[::-1],
        lambda windows: windows[:, ::-1],
        lambda windows: windows[:, :, ::-1],
        lambda windows: windows[:, :, ::2],
        lambda windows: windows.transpose(0, 2, 1),
        lambda windows: windows.transpose(1, 0, 2),
        lambda windows: np.broadcast_to(windows[:1], windows.shape),
        lambda windows: np.broadcast_to(windows[:, :1], windows.shape),
        lambda windows: np.broadcast_to(windows[:, :, :1], windows.shape),
    ],
)
def test_windows_of_any_other_layout_are_found_too(change):
    windows = change(window_view(numbered(30, 3), 4, 2))
    np.testing.assert_array_equal(looped_back(find_windows(windows)), windows)


@quick
@given(SIZES, st.integers(1, 4), st.integers(0, 9), st.integers(1, 3), st.booleans())
def test_sums_and_spreads_equal_loops(window_size, dilation, n_windows, every, copied):
    windows = window_view(
        numbered(n_windows + history_length(window_size, dilation), 2), window_size, dilation
    )[::every]
    found = find_windows(np.ascontiguousarray(windows) if copied else windows)
    per_row = np.arange(len(found.rows)) ** 2
    per_window = 1.0 + np.arange(found.n_windows)

    sums = np.zeros(found.n_windows)
    spread = np.zeros(len(found.rows))
    for window in range(found.n_windows):
        for step in range(window_size):
            row = window * found.row_step + step * found.lag_step
            sums[window] += per_row[row]
            spread[row] += per_window[window]

    np.testing.assert_array_equal(found.sum_over_steps(per_row), sums)
    np.testing.assert_array_equal(found.spread_over_rows(per_window), spread)


def test_a_flag_per_row_is_counted_over_each_window():
    found = find_windows(window_view(numbered(6, 1), 3))
    counts = found.sum_over_steps(np.array([True, False, False, False, True, True]))
    np.testing.assert_array_equal(counts, [1, 0, 1, 2])


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("stride", [0, -8, 3, 1 << 40])
def test_the_stride_of_an_axis_of_length_one_is_ignored(axis, stride):
    cut = tuple(slice(1, 2) if axis == other else slice(None) for other in range(3))
    windows = window_view(numbered(12, 3), 4)[cut]
    strides = tuple(np.where(np.arange(3) == axis, stride, windows.strides).tolist())
    same = as_strided(windows, windows.shape, strides)
    found = find_windows(same)
    np.testing.assert_array_equal(looped_back(found), windows)
    assert np.shares_memory(found.rows, windows)
