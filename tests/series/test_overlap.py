"""Rows under windows, found by values: for any layout and any series, against plain loops."""

import pickle
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from sklstm import SlidingWindowTransformer
from sklstm._series.overlap import find_windows
from sklstm._series.window_array import WindowArray
from sklstm._series.windows import history_length, window_view
from tests.series.test_windows import DTYPES, SIZES, numbered

quick = settings(deadline=None, max_examples=150, database=None)
BASE = np.random.RandomState(0).randn(60, 2)
VIEW = window_view(BASE, 4)


def looped_back(found):
    """The windows that a result of find_windows describes."""
    return np.array(
        [
            [found.rows[start + k * found.lag_step] for k in range(found.window_size)]
            for start in found.starts
        ]
    ).reshape(found.n_windows, found.window_size, found.rows.shape[1])


def memory_range(array):
    """Return the first byte and the byte after the last, for any strides."""
    start = array.__array_interface__["data"][0]
    spans = [(size - 1) * stride for size, stride in zip(array.shape, array.strides, strict=True)]
    low, high = sum(min(span, 0) for span in spans), sum(max(span, 0) for span in spans)
    return start + low, start + high + array.itemsize


def in_a_record(windows):
    """Windows as a field of a structured array, with other fields between them."""
    field = ("windows", windows.dtype, windows.shape[1:])
    records = np.empty(len(windows), dtype=[("before", "f8"), field, ("after", "f8")])
    records["before"] = records["after"] = np.nan
    records["windows"] = windows
    return records["windows"]


# The same values, in memory as other libraries, slices and copies leave them.
LAYOUTS = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "pickled": lambda windows: pickle.loads(pickle.dumps(windows)),
    "fancy index": lambda windows: windows[np.arange(len(windows))],
    "features first": lambda windows: np.ascontiguousarray(windows.T).T,
    "every second of a larger copy": lambda windows: np.repeat(windows, 2, axis=0)[::2],
    "every second step": lambda windows: np.repeat(windows, 2, axis=1)[:, ::2],
    "reversed memory": lambda windows: windows[::-1, ::-1, ::-1].copy()[::-1, ::-1, ::-1],
    "a field of records": in_a_record,
}
CUTS = {
    "all": np.s_[:],
    "every second": np.s_[::2],
    "every third": np.s_[::3],
    "every seventh": np.s_[::7],
    "from the fourth": np.s_[3:],
    "one": np.s_[2:3],
    "two": np.s_[2:4],
    "none": np.s_[:0],
    "one feature": np.s_[:, :, 1:],
    "every second step": np.s_[:, ::2],
    "last step": np.s_[:, -1:],
    "steps and windows": np.s_[1::3, 1::2, 1:],
    "backwards": np.s_[::-1],
    "steps backwards": np.s_[:, ::-1],
    "both backwards": np.s_[::-1, ::-1],
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("dilation", [1, 2, 5])
def test_layout_in_memory_decides_nothing(layout, cut, dilation):
    windows = window_view(BASE, 4, dilation)[CUTS[cut]]
    found, other = find_windows(windows), find_windows(LAYOUTS[layout](windows))
    np.testing.assert_array_equal(looped_back(found), windows)
    np.testing.assert_array_equal(other.rows, found.rows)
    np.testing.assert_array_equal(other.starts, found.starts)
    assert (other.window_size, other.lag_step) == (found.window_size, found.lag_step)


@quick
@given(SIZES, st.integers(1, 4), st.integers(1, 3), st.integers(1, 30), DTYPES, st.data())
def test_windows_of_any_series_are_found_alike_in_a_view_and_in_a_copy(
    window_size, dilation, n_features, n_windows, dtype, data
):
    n_rows = n_windows + history_length(window_size, dilation)
    # Few different values, so that windows are often equal by chance.
    values = st.sampled_from([0.0, 1.0, np.nan])
    base = [[data.draw(values) for _ in range(n_features)] for _ in range(n_rows)]
    windows = window_view(np.array(base, dtype=dtype), window_size, dilation)
    for axis, size in enumerate(windows.shape[:2]):
        step = data.draw(st.integers(1, 3))
        start = data.draw(st.integers(0, size - 1))
        windows = windows[(slice(None),) * axis + (slice(start, None, step),)]
    found, other = find_windows(windows), find_windows(np.asfortranarray(windows))
    np.testing.assert_array_equal(looped_back(found), windows)
    np.testing.assert_array_equal(looped_back(other), windows)
    np.testing.assert_array_equal(other.rows, found.rows)
    np.testing.assert_array_equal(other.starts, found.starts)


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
    if np.shares_memory(found.rows, base):
        start, end = memory_range(found.rows)
        assert memory_range(base)[0] <= start
        assert end <= memory_range(base)[1]


@pytest.mark.parametrize(("dilation", "every"), [(1, 1), (2, 1), (5, 1), (1, 2), (1, 3)])
def test_rows_of_a_view_are_not_copied(dilation, every):
    base = numbered(60, 3)
    windows = window_view(base, 4, dilation)[::every]
    found = find_windows(windows)
    assert np.shares_memory(found.rows, base)
    assert not found.rows.flags.writeable
    np.testing.assert_array_equal(found.rows, base[: len(found.rows)])
    assert len(base) - len(found.rows) < every
    np.testing.assert_array_equal(found.starts, every * np.arange(len(windows)))
    assert found.lag_step == dilation


@pytest.mark.parametrize("dilation", [1, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_of_a_copy_are_stored_once(dilation, dtype):
    base = numbered(60, 3, dtype)
    found = find_windows(window_view(base, 4, dilation).copy())
    np.testing.assert_array_equal(found.rows, base)
    assert found.rows.dtype == dtype
    assert found.follow_each_other()


def test_rows_of_a_view_that_can_be_written_to_are_read_only():
    view = sliding_window_view(numbered(30, 3), 4, axis=0, writeable=True)
    found = find_windows(view.transpose(0, 2, 1))
    with pytest.raises(ValueError, match="read-only"):
        found.rows[0] = 0


@pytest.mark.parametrize(
    "rows", [np.asfortranarray, lambda rows: np.repeat(rows, 2, axis=1)[:, ::2]]
)
def test_windows_over_rows_of_any_layout_are_found_without_a_copy(rows):
    base = rows(numbered(30, 3))
    found = find_windows(sliding_window_view(base, 4, axis=0).transpose(0, 2, 1))
    np.testing.assert_array_equal(found.rows, base)
    assert np.shares_memory(found.rows, base)


@pytest.mark.parametrize("columns", [slice(None), slice(0, 1)])
def test_columns_of_lags_are_read_as_rows_in_both_orders(columns):
    base = np.random.RandomState(0).randn(500, 1)
    table = sliding_window_view(base[:, 0], 28)  # a lag table: (rows, lags)
    for order in "CF":
        found = find_windows(np.array(table, order=order)[:, :, np.newaxis])
        np.testing.assert_array_equal(found.rows, base)
        assert found.follow_each_other()


def test_windows_around_a_hole_keep_its_place():
    picked = np.r_[0:20, 22:40, 50:57]  # rows 20 and 21 are missing, and 40 to 49
    found = find_windows(VIEW[picked])
    np.testing.assert_array_equal(looped_back(found), VIEW[picked])
    # Windows on either side of the first hole share a row, those of the second do not.
    np.testing.assert_array_equal(np.diff(found.starts)[[18, 19, 20, 37, 38]], [1, 3, 1, 4, 1])
    np.testing.assert_array_equal(found.rows, np.concatenate([BASE[:43], BASE[50:60]]))
    assert found.follow_each_other()


def test_a_hole_is_as_short_as_the_windows_beside_it_allow():
    base = numbered(30, 1)
    base[12:14] = 99  # so windows 10 and 12 may be two or three rows apart
    picked = np.delete(np.arange(27), 11)
    found = find_windows(window_view(base, 4)[picked])
    np.testing.assert_array_equal(found.starts, picked)
    np.testing.assert_array_equal(found.rows, base)


def test_one_equal_step_makes_no_shared_row():
    base = numbered(30, 1)
    base[[12, 16]] = 99  # windows 10 and 16 share this value, but no row
    picked = np.delete(np.arange(27), np.s_[11:16])
    windows = window_view(base, 4)[picked]
    found = find_windows(windows)
    np.testing.assert_array_equal(looped_back(found), windows)
    assert found.starts[11] - found.starts[10] == 4


def test_one_equal_step_at_a_hole_changes_no_other_hole():
    base = numbered(40, 1)
    base[[22, 26]] = 99  # windows 20 and 26 share this value, but no row
    picked = np.setdiff1d(np.arange(37), [11, 21, 22, 23, 24, 25])
    found = find_windows(window_view(base, 4)[picked])
    shifts = np.diff(found.starts)
    assert shifts[[10, 19]].tolist() == [2, 4]
    assert shifts.sum() == len(shifts) + 1 + 3


def test_steps_equal_by_chance_do_not_hide_the_dilation_of_a_window_array():
    base = numbered(60, 1)
    base[4] = base[1]  # step 2 of window 0 is step 0 of window 1, but no other pair is like them
    windows = WindowArray(base, np.arange(56), 3, 2)
    found = find_windows(windows)
    np.testing.assert_array_equal(looped_back(found), np.asarray(windows))
    assert found.lag_step == 2


@settings(quick, max_examples=500)
@given(SIZES, st.integers(1, 3), st.integers(1, 2), st.integers(1, 40), DTYPES, st.data())
def test_a_window_array_has_the_rows_of_the_array_of_its_windows(
    window_size, dilation, n_features, n_starts, dtype, data
):
    n_rows = n_starts + history_length(window_size, dilation)
    values = data.draw(
        st.sampled_from([[0.0], [0.0, 1.0], [0.0, 1.0, 2.0, np.nan], np.arange(500.0).tolist()])
    )
    rows = st.lists(st.sampled_from(values), min_size=n_features, max_size=n_features)
    base = np.array([data.draw(rows) for _ in range(n_rows)], dtype=dtype)
    few = st.sets(st.integers(0, n_starts - 1), max_size=3)
    starts = data.draw(
        few.map(lambda holes: [start for start in range(n_starts) if start not in holes])
        | st.lists(st.integers(0, n_starts - 1), min_size=1, max_size=n_starts)
    )
    windows = WindowArray(base, np.array(starts, dtype=int), window_size, dilation)
    taken = slice(data.draw(st.integers(0, 3)), None, data.draw(st.sampled_from([1, 1, 2, 3, -1])))
    windows = windows[taken]
    steps = np.arange(window_size) * dilation
    expected = np.reshape(
        [base[start + steps] for start in starts[taken]], (-1, window_size, n_features)
    ).astype(dtype)
    found, other = find_windows(windows), find_windows(expected)
    np.testing.assert_array_equal(looped_back(found), expected)
    assert (np.diff(found.starts) > 0).all()
    assert found.rows.dtype == dtype
    if dilation == 1:
        np.testing.assert_array_equal(found.rows, other.rows)
        np.testing.assert_array_equal(found.starts, other.starts)
        assert found.lag_step == other.lag_step


def with_holes(dilation, base=BASE):
    """Windows of four steps over rows 0 to 59 without 20, 21 and 41."""
    reach = history_length(4, dilation)
    return WindowArray(base, np.setdiff1d(np.arange(60 - reach), [20, 21, 41]), 4, dilation)


@pytest.mark.parametrize("dilation", [1, 3])
@pytest.mark.parametrize("cut", [np.s_[:], np.s_[10:], np.s_[:30], np.s_[25:35]])
def test_rows_under_a_window_array_are_not_copied(dilation, cut, monkeypatch):
    monkeypatch.delattr(WindowArray, "__array__")
    windows = with_holes(dilation)[cut]
    found = find_windows(windows)
    first, last = windows.starts[[0, -1]]
    assert np.shares_memory(found.rows, BASE)
    np.testing.assert_array_equal(found.rows, BASE[first : last + history_length(4, dilation) + 1])
    np.testing.assert_array_equal(found.starts, windows.starts - first)
    assert found.lag_step == dilation
    assert found.follow_each_other()


@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("rows", [np.s_[:], [0, 1, 1, 3, 7, 39, 41], [50, 3], np.s_[10:40:3], [5]])
def test_windows_of_several_series_share_the_rows_that_their_starts_say(dilation, rows):
    index = pd.MultiIndex.from_product([["a", "b", "c"], range(20)])
    X = pd.DataFrame(np.random.RandomState(0).rand(60, 2), index)
    windows = SlidingWindowTransformer(3, dilation=dilation).fit_transform(X)[rows]
    assert windows.panel is not None
    found, reach = find_windows(windows), 2 * dilation
    np.testing.assert_array_equal(looped_back(found), np.asarray(windows))
    apart = [later - start for start, later in pairwise(windows.starts.tolist())]
    expected = [step if 0 < step <= reach else reach + 1 for step in apart]
    np.testing.assert_array_equal(np.diff(found.starts), expected)
    assert found.starts[0] == 0
    assert len(found.rows) == found.starts[-1] + reach + 1
    assert found.lag_step == dilation


def test_rows_between_the_steps_of_a_window_array_count_for_nothing():
    windows = WindowArray(BASE, [0, 1, 8], 4, 5)
    found = find_windows(windows)
    np.testing.assert_array_equal(looped_back(found), np.asarray(windows))
    used = np.unique(windows.starts[:, np.newaxis] + 5 * np.arange(4))
    expected = np.full((24, 2), np.nan)
    expected[used] = BASE[used]
    np.testing.assert_array_equal(found.rows, expected)


def test_long_holes_of_a_window_array_take_no_rows():
    for dilation in (1, 2):
        reach = history_length(4, dilation)
        base = numbered(100_000 + reach, 1)
        starts = np.r_[0:50, 90_000:90_050]
        found = find_windows(WindowArray(base, starts, 4, dilation))
        assert len(found.rows) == 2 * (50 + reach)
        np.testing.assert_array_equal(
            looped_back(found), base[starts[:, None] + dilation * np.arange(4)]
        )


@pytest.mark.parametrize("seed", [0, 1])
def test_missing_rows_are_found_as_a_hole_or_as_rows_of_nan(seed):
    base = np.random.RandomState(seed).randn(60, 1)
    base[[20, 21, 40]] = np.nan
    windows = window_view(base, 4)
    known = ~np.isnan(windows[:, -1, 0])
    found = find_windows(windows[known])
    np.testing.assert_array_equal(found.rows, base)
    np.testing.assert_array_equal(found.starts, np.flatnonzero(known))


@pytest.mark.parametrize(
    "windows",
    [
        np.random.RandomState(0).randn(50, 4, 2),
        np.random.RandomState(0).randint(0, 2, (400, 2, 1)),
        VIEW[np.random.RandomState(0).permutation(len(VIEW))],
        VIEW[::-1],
        VIEW[:, ::-1],
        VIEW[::5],
        VIEW.transpose(0, 2, 1),
    ],
    ids=["noise", "coin tosses", "shuffled", "newest first", "steps", "far apart", "transposed"],
)
def test_other_windows_have_rows_of_their_own(windows):
    found = find_windows(windows)
    np.testing.assert_array_equal(found.rows, windows.reshape(-1, windows.shape[2]))
    np.testing.assert_array_equal(looped_back(found), windows)
    assert not found.follow_each_other()


def test_constant_windows_follow_each_other():
    found = find_windows(np.broadcast_to(VIEW[:1, :1], VIEW.shape))
    assert len(found.rows) == len(BASE)
    assert found.follow_each_other()


def test_steps_that_repeat_do_not_hide_a_lag_step():
    season = np.tile(np.arange(6.0), 20)[:, np.newaxis]  # period 6
    found = find_windows(window_view(season, 4, 7).copy())
    np.testing.assert_array_equal(found.rows, season[: len(found.rows)])
    assert found.lag_step == 1  # seven rows later is one row later in this series
    np.testing.assert_array_equal(looped_back(found), window_view(season, 4, 7))


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("stride", [0, -8, 3, 1 << 40])
def test_the_stride_of_an_axis_of_length_one_is_ignored(axis, stride):
    cut = tuple(slice(1, 2) if axis == other else slice(None) for other in range(3))
    windows = window_view(numbered(12, 3), 4)[cut]
    strides = tuple(np.where(np.arange(3) == axis, stride, windows.strides).tolist())
    same = as_strided(windows, windows.shape, strides)
    np.testing.assert_array_equal(looped_back(find_windows(same)), windows)
