"""The strided windows against a plain Python loop."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklstm._series.overlap import find_windows
from sklstm._series.windows import Windows, are_few, history_length, number_type, window_view

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
            row = found.starts[window] + step * found.lag_step
            sums[window] += per_row[row]
            spread[row] += per_window[window]

    np.testing.assert_array_equal(found.sum_over_steps(per_row), sums)
    np.testing.assert_array_equal(found.spread_over_rows(per_window), spread)


def test_rows_are_numbered_in_four_bytes_however_many_values_the_windows_have():
    windows = window_view(numbered(100_000, 1), 50_000)
    assert windows.size > 2**31
    assert find_windows(windows).starts.dtype == np.int32


def test_numbers_of_rows_that_four_bytes_do_not_hold_take_eight():
    assert number_type(np.iinfo(np.int32).max) is np.int32
    assert number_type(np.iinfo(np.int32).max + 1) is np.int64


def test_a_flag_per_row_is_counted_over_each_window():
    found = find_windows(window_view(numbered(6, 1), 3))
    counts = found.sum_over_steps(np.array([True, False, False, False, True, True]))
    np.testing.assert_array_equal(counts, [1, 0, 1, 2])


@pytest.mark.parametrize(
    "starts", [[4], [3, 5, 7], [0, 1, 2], [0, 1, 2, 7, 8], [2, 3, 9, 20], []], ids=str
)
def test_windows_that_begin_anywhere_are_summed_and_spread_as_in_a_loop(starts):
    windows = Windows(numbered(26, 1), np.array(starts, dtype=int), 3, 2)
    per_row, per_window = np.arange(26) ** 2, 1.0 + np.arange(len(starts))
    spread = np.zeros(26)
    for start, value in zip(starts, per_window, strict=True):
        spread[[start, start + 2, start + 4]] += value
    sums = [per_row[start] + per_row[start + 2] + per_row[start + 4] for start in starts]
    np.testing.assert_array_equal(windows.sum_over_steps(per_row), sums)
    np.testing.assert_array_equal(windows.spread_over_rows(per_window), spread)


@pytest.mark.parametrize(
    ("n_holes", "n", "few"),
    [(2, 2, True), (3, 3, False), (3, 29, False), (3, 30, True), (10, 100, True), (11, 100, False)],
)
def test_two_holes_or_a_tenth_of_all_places_are_few(n_holes, n, few):
    assert are_few(np.arange(n) < n_holes) is few


def test_between_two_series_lies_no_hole():
    starts = np.arange(60) + 4 * (np.arange(60) // 3)  # 20 series of three windows
    windows = Windows(numbered(100, 1), starts, 2, 1)
    assert not windows.follow_each_other()
    assert windows.follow_each_other(np.arange(1, 60) % 3 == 0)
    assert not windows.follow_each_other(np.arange(1, 60) % 3 == 1)
