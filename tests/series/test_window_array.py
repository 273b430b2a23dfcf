"""WindowArray against an array of its windows, which a plain loop makes."""

import copy
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from sklearn.utils import _safe_indexing

from sklstm import SlidingWindowTransformer, WindowArray
from tests.series.test_windows import DTYPES, SIZES, numbered

quick = settings(deadline=None, max_examples=500, database=None)
BASE = numbered(20, 2)
STARTS = [0, 1, 5, 3, 3, 9]
COPIES = {
    "pickle": lambda windows: pickle.loads(pickle.dumps(windows)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


def made(dilation=2):
    return WindowArray(BASE, STARTS, 3, dilation)


def looped(base, starts, window_size, dilation):
    windows = np.empty((len(starts), window_size, base.shape[1]), dtype=base.dtype)
    for window, start in zip(windows, starts, strict=True):
        for step in range(window_size):
            window[step] = base[start + step * dilation]
    return windows


EXPECTED = looped(BASE, STARTS, 3, 2)


class Unmade(WindowArray):
    """Windows that must not become an array."""

    def __array__(self, dtype=None, copy=None):
        raise AssertionError("all windows were made")


@st.composite
def window_arrays(draw):
    """Draw windows anywhere in a series, in any order; and the same windows as an array."""
    window_size, dilation, dtype = draw(SIZES), draw(st.integers(1, 3)), draw(DTYPES)
    n_starts = draw(st.integers(1, 12))
    base = numbered(n_starts + (window_size - 1) * dilation, draw(st.integers(1, 3)), dtype)
    starts = draw(st.lists(st.integers(0, n_starts - 1), max_size=12))
    windows = WindowArray(base, np.array(starts, dtype=int), window_size, dilation)
    return windows, looped(base, starts, window_size, dilation)


def rows_of(draw, n_rows):
    """Draw a slice, numbers or a mask of rows."""
    edge, step = st.none() | st.integers(-n_rows - 1, n_rows + 1), st.sampled_from([-2, -1, 1, 3])
    numbers = st.lists(st.integers(-n_rows, n_rows - 1), max_size=8) if n_rows else st.just([])
    masks = st.lists(st.booleans(), min_size=n_rows, max_size=n_rows)
    return draw(
        st.builds(slice, edge, edge, step | st.none())
        | numbers
        | numbers.map(lambda rows: np.array(rows, dtype=np.int64))
        | masks.map(lambda mask: np.array(mask, dtype=bool))
    )


@quick
@given(window_arrays(), st.data())
def test_rows_of_rows_are_those_of_an_array_and_share_the_base(pair, data):
    windows, expected = pair
    base = windows.base
    for _ in range(data.draw(st.integers(0, 3))):
        rows = rows_of(data.draw, len(expected))
        key = data.draw(st.sampled_from([rows, (rows,), (rows, ...), np.s_[rows, :, :]]))
        windows, expected = windows[key], expected[key]
    assert type(windows) is WindowArray
    assert windows.base is base
    assert (windows.shape, windows.dtype, windows.size) == (
        expected.shape, expected.dtype, expected.size
    )  # fmt: skip
    assert (len(windows), windows.ndim, windows.nbytes) == (len(expected), 3, expected.nbytes)
    np.testing.assert_array_equal(np.asarray(windows), expected)


@quick
@given(window_arrays(), st.data())
def test_any_index_gives_the_values_of_the_array(pair, data):
    windows, expected = pair
    key = [rows_of(data.draw, len(expected))]
    if len(expected) and data.draw(st.booleans()):
        key = [data.draw(st.integers(-len(expected), len(expected) - 1))]
    for size in expected.shape[1 : data.draw(st.integers(1, 3))]:
        at = st.integers(-size, size - 1)
        key.append(data.draw(st.sampled_from([np.s_[:], np.s_[1:], np.s_[::-1]]) | at))
    places = st.integers(1, 3) if len(key) == 3 else st.just(len(key))
    key.insert(data.draw(places), ...)
    picked = windows[tuple(key)]
    np.testing.assert_array_equal(np.asarray(picked), expected[tuple(key)])


@quick
@given(window_arrays(), st.sampled_from(sorted(COPIES)))
def test_copies_hold_the_same_windows_and_only_rows_in_their_reach(pair, way):
    windows, expected = pair
    copied = COPIES[way](windows)
    np.testing.assert_array_equal(np.asarray(copied), expected)
    assert (copied.dtype, copied.dilation) == (windows.dtype, windows.dilation)
    span = (expected.shape[1] - 1) * windows.dilation + 1
    in_reach = {start + row for start in windows.starts.tolist() for row in range(span)}
    assert len(copied.base) == len(in_reach)


INDEXES = {
    "mask of values": lambda windows: windows[np.asarray(windows) > 20],
    "mask of rows and steps": lambda windows: windows[np.ones((6, 3), dtype=bool)],
    "two dimensions of rows": lambda windows: windows[[[0, 1], [2, 3]]],
    "rows and steps": lambda windows: windows[[0, 1], [2, 1]],
    "steps": lambda windows: windows[:, [2, 0]],
    "last step": lambda windows: windows[:, -1],
    "last value": lambda windows: windows[:, -1, 0],
    "one value": lambda windows: windows[1, 2, 0],
    "dots first": lambda windows: windows[..., 0],
    "new axis": lambda windows: windows[None],
    "new axis at the end": lambda windows: windows[..., None],
    "True": lambda windows: windows[True],
    "no index": lambda windows: windows[()],
    "dots": lambda windows: windows[...],
    "no rows": lambda windows: windows[[]],
    "tuple of rows": lambda windows: windows[(4, 2),],
    "pandas mask": lambda windows: windows[pd.Series([True, False] * 3)],
    "number of numpy": lambda windows: windows[np.int32(2)],
    "number of torch": lambda windows: windows[torch.tensor(2)],
}


@pytest.mark.parametrize("name", INDEXES)
def test_unusual_indexes_give_what_an_array_gives(name):
    found, expected = INDEXES[name](made()), INDEXES[name](EXPECTED)
    assert found.shape == expected.shape
    np.testing.assert_array_equal(np.asarray(found), expected)


@pytest.mark.parametrize("key", [6, -7, [6], [True], np.s_[:, 3], np.s_[:, :, :, 0], "load", 1.5])
def test_an_index_out_of_range_is_the_error_of_an_array(key):
    with pytest.raises(IndexError) as expected:
        EXPECTED[key]
    with pytest.raises(type(expected.value)):
        made()[key]


def test_steps_of_rows_make_no_array_of_all_windows():
    windows = Unmade(BASE, STARTS, 3, 2)
    np.testing.assert_array_equal(windows[:, -1, 0], EXPECTED[:, -1, 0])
    np.testing.assert_array_equal(windows[[1, 4], 1:, 1], EXPECTED[[1, 4], 1:, 1])
    np.testing.assert_array_equal(windows[..., 1], EXPECTED[..., 1])
    np.testing.assert_array_equal(windows[2], EXPECTED[2])
    assert windows[1:].shape == (5, 3, 2)


OPERATIONS = {
    "isnan": lambda windows: np.isnan(windows).any(),
    "subtract": lambda windows: windows - 1,
    "subtract from": lambda windows: 1 - windows,
    "array minus windows": lambda windows: EXPECTED - windows,
    "equal": lambda windows: windows == 3,
    "equal to themselves": lambda windows: windows == windows[::-1],
    "less": lambda windows: windows < EXPECTED.mean(),
    "mean": np.mean,
    "mean of axes": lambda windows: np.nanmean(windows, axis=(0, 1)),
    "concatenate": lambda windows: np.concatenate([windows, windows[:2]]),
    "reshape": lambda windows: np.reshape(windows, (6, -1)),
    "as float32": lambda windows: np.asarray(windows, dtype=np.float32).dtype,
    "float32": lambda windows: np.asarray(windows, dtype=np.float32),
    "iteration": lambda windows: np.stack([window + 1 for window in windows]),
    "tensor": lambda windows: torch.as_tensor(np.asarray(windows)).numpy(),
    "shape": np.shape,
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_numpy_and_operators_see_all_windows(name):
    found, expected = OPERATIONS[name](made()), OPERATIONS[name](EXPECTED)
    assert type(found) is type(expected)
    np.testing.assert_array_equal(found, expected)


def test_an_array_of_the_windows_is_a_copy():
    windows = made()
    np.asarray(windows)[:] = 0
    np.array(windows, copy=True)[:] = 0
    np.testing.assert_array_equal(np.asarray(windows), EXPECTED)
    assert np.asarray(windows).flags.c_contiguous
    with pytest.raises(ValueError, match="read-only"):
        windows[0][:] = 0
    with pytest.raises(ValueError, match=r"without a copy\. Pass copy=None"):
        windows.__array__(copy=False)


def test_windows_are_not_changed_in_place():
    windows = made()
    with pytest.raises(TypeError):
        windows += 1
    with pytest.raises(ValueError, match="read-only. Change a copy"):
        windows[0] = 1
    np.testing.assert_array_equal(np.asarray(windows), EXPECTED)


@pytest.mark.parametrize("name", ["reshape", "mean", "copy", "T", "astype", "flags", "strides"])
def test_attributes_of_arrays_are_refused_with_the_way_to_them(name):
    match = rf"^'WindowArray' object has no attribute .* array of all windows has: .*\.{name}\."
    with pytest.raises(AttributeError, match=match) as error:
        getattr(made(), name)
    advice = str(error.value).split(": ")[1].removesuffix(".")
    assert eval(advice, {"numpy": np, "windows": made()}) is not None


@pytest.mark.parametrize("name", ["columns", "iloc", "__array_interface__", "__array_namespace__"])
def test_other_attributes_are_not_there(name):
    with pytest.raises(AttributeError, match=f"^'WindowArray' object has no attribute '{name}'.$"):
        getattr(made(), name)


def test_a_few_windows_of_a_long_series_are_saved_as_such():
    windows = WindowArray(numbered(100_000, 4), np.arange(0, 90_000, 2), 10)
    assert len(pickle.dumps(windows[[3, 40_000]])) < 2_000
    assert len(pickle.dumps(windows)) < 1.2 * windows.base.nbytes
    assert type(pickle.loads(pickle.dumps(windows[:0]))) is WindowArray
    assert windows.dilation == 1


def test_saved_values_are_plain():
    state = made().__getstate__()
    assert {type(value) for value in state.values()} == {np.ndarray, int}


def test_equal_windows_have_one_hash_for_a_cache():
    other = WindowArray(BASE[:14].copy(), STARTS, 3, 2)  # without the rows out of reach
    assert (
        joblib.hash(made()) == joblib.hash(other) == joblib.hash(pickle.loads(pickle.dumps(other)))
    )
    assert joblib.hash(made()) != joblib.hash(made()[::-1])
    assert joblib.hash(made()) != joblib.hash(made(dilation=1))


@pytest.mark.parametrize(
    "rows", [[0, 2], (0, 2), np.array([0, 2]), np.arange(6) > 3, slice(1, 4), 3]
)
def test_scikit_learn_takes_rows_without_making_all_windows(rows):
    windows = Unmade(BASE, STARTS, 3, 2)
    expected = _safe_indexing(EXPECTED, rows)
    found = _safe_indexing(windows, rows)
    assert found.shape == expected.shape
    picked = WindowArray(BASE, getattr(found, "starts", []), 3, 2) if found.ndim == 3 else found
    np.testing.assert_array_equal(np.asarray(picked), expected)


def test_other_estimators_refuse_three_dimensions_as_of_an_array():
    with pytest.raises(ValueError, match="dim 3") as expected:
        Ridge().fit(EXPECTED, np.ones(6))
    with pytest.raises(ValueError, match="dim 3") as found:
        Ridge().fit(made(), np.ones(6))
    assert str(found.value) == str(expected.value)


@pytest.mark.parametrize(
    ("base", "starts", "message"),
    [
        (BASE, [0, 16], "starts has values from 0 to 16, but 20 rows .* in rows 0 to 15"),
        (BASE, [-1, 2], "starts has values from -1 to 2"),
        (BASE[:, 0], [0], r"base has shape \(20,\) and type float64, but expected floats"),
        (BASE.astype(int), [0], "and type int64, but expected floats"),
        ([[1.0], [1.0, 2.0]], [0], "base cannot be turned into an array: .*inhomogeneous"),
    ],
)
def test_windows_outside_of_the_base_are_refused(base, starts, message):
    with pytest.raises(ValueError, match=message):
        WindowArray(base, starts, 3, 2)


@pytest.mark.parametrize(
    ("starts", "window_size", "dilation", "message"),
    [
        ([6], 3, -1, "dilation must be an int of at least 1, got -1"),
        ([0], 3, 0, "dilation must be an int of at least 1, got 0"),
        ([0], 0, 1, "window_size must be an int of at least 1, got 0"),
        ([0], 1.5, 1, "window_size must be an int of at least 1, got 1.5"),
        ([0], True, 1, "window_size must be an int of at least 1, got True"),
        ([0], 3, None, "dilation must be an int of at least 1, got None"),
        ([0.5, 1.9], 2, 1, "starts has shape .* and type float64"),
        ([True, False], 2, 1, "starts has shape .* and type bool"),
        ([[0, 1]], 2, 1, r"starts has shape \(1, 2\)"),
        (3, 2, 1, r"starts has shape \(\)"),
        (["a"], 2, 1, "starts has shape"),
    ],
)
def test_windows_that_cannot_be_are_refused(starts, window_size, dilation, message):
    with pytest.raises(ValueError, match=message):
        WindowArray(BASE, starts, window_size, dilation)


@pytest.mark.parametrize("way", COPIES)
def test_parts_and_copies_keep_the_series_of_their_windows(way):
    index = pd.MultiIndex.from_product([["a", "b", "c"], range(4)])
    X = pd.DataFrame({"load": np.arange(12.0)}, index=index)
    windows = SlidingWindowTransformer(2).fit_transform(X)
    part = COPIES[way](windows)[[1, 5, 6]]
    assert type(part) is WindowArray
    assert [part.panel.names[number] for number in part.panel.series] == ["a", "b", "b"]
    np.testing.assert_array_equal(np.asarray(part)[:, :, 0], [[0, 1], [4, 5], [5, 6]])
