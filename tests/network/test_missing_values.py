"""Missing values of windows are filled from the same window, as a loop over its steps does it."""

from unittest.mock import patch

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sklstm._network import missing_values
from sklstm._network.missing_values import FilledWindows, fill_missing, filled_from_later
from sklstm._series.windows import Windows

WINDOWS = arrays.arrays(
    np.float32,
    arrays.array_shapes(min_dims=3, max_dims=3, max_side=6),
    elements=st.one_of(st.just(np.nan), st.floats(-9, 9, width=32)),
)


def filled_by_hand(windows):
    """Fill each feature of each window; also tell which steps hold a later value."""
    filled, later = windows.copy(), np.zeros(windows.shape[:2], dtype=bool)
    for window, steps in enumerate(windows):
        for feature in range(steps.shape[1]):
            column = steps[:, feature].tolist()
            known = [value for value in column if value == value]
            last = known[0] if known else 0.0
            for step, value in enumerate(column):
                if value == value:
                    known.pop(0)
                    last = value
                elif known and not any(v == v for v in column[:step]):
                    later[window, step] = True
                filled[window, step, feature] = last
    return filled, later


@settings(deadline=None, max_examples=500, database=None)
@given(WINDOWS)
def test_each_missing_value_is_the_last_known_one_of_its_window_or_the_first(windows):
    filled, later = filled_by_hand(windows)
    tensor = torch.from_numpy(windows)
    np.testing.assert_array_equal(fill_missing(tensor).numpy(), filled)
    found = filled_from_later(tensor.isnan())
    np.testing.assert_array_equal(np.zeros_like(later) if found is None else found.numpy(), later)


@settings(deadline=None, max_examples=200, database=None)
@given(WINDOWS)
def test_on_a_gpu_all_windows_are_computed_and_those_without_holes_stay(windows):
    filled, later = filled_by_hand(windows)
    tensor = torch.from_numpy(windows)
    with patch.object(missing_values, "is_cpu", lambda device: False):
        np.testing.assert_array_equal(fill_missing(tensor).numpy(), filled)
        np.testing.assert_array_equal(filled_from_later(tensor.isnan()).numpy(), later)


@settings(deadline=None, max_examples=200, database=None)
@given(WINDOWS)
def test_windows_are_filled_alike_together_and_one_by_one(windows):
    tensor = torch.from_numpy(windows)
    alone = torch.cat([fill_missing(window) for window in tensor.split(1)])
    torch.testing.assert_close(fill_missing(tensor), alone, rtol=0, atol=0)


@settings(deadline=None, max_examples=200, database=None)
@given(WINDOWS)
def test_features_are_filled_apart(windows):
    tensor = torch.from_numpy(windows)
    apart = torch.cat([fill_missing(feature) for feature in tensor.split(1, dim=2)], dim=2)
    torch.testing.assert_close(fill_missing(tensor), apart, rtol=0, atol=0)


def test_windows_that_are_filled_are_not_changed_themselves():
    rows = torch.tensor([[1.0], [np.nan], [3.0]])
    windows = rows.as_strided((2, 2, 1), (1, 1, 1))  # they share the second row
    assert fill_missing(windows).flatten().tolist() == [1, 1, 3, 3]
    assert rows.isnan().flatten().tolist() == [False, True, False]


def test_windows_without_missing_values_are_not_copied():
    windows = torch.zeros(3, 4, 2)
    assert fill_missing(windows) is windows
    assert filled_from_later(windows.isnan()) is None


@pytest.mark.parametrize("on_cpu", [True, False])
@pytest.mark.parametrize("block", [1, 64, 2**17])  # values of the series that are filled at once
@pytest.mark.parametrize("share", [0.03, 0.6])
@pytest.mark.parametrize("dilation", [1, 3])
def test_windows_over_a_series_that_is_filled_once_are_those_filled_by_hand(
    dilation, share, block, on_cpu, monkeypatch
):
    monkeypatch.setattr(missing_values, "is_cpu", lambda device: on_cpu)
    monkeypatch.setattr("sklstm._network.missing_values._VALUES_OF_A_BLOCK", block)
    random = np.random.RandomState(0)
    rows = random.randn(401, 2)
    rows[random.rand(401) < share / 2] = np.nan
    rows[random.rand(401, 2) < share / 2] = np.nan
    rows[:4, 0] = rows[200:230] = np.nan  # none is known before, or in the whole window
    starts = np.delete(np.arange(401 - 4 * dilation), [50, 51, 120])
    view = np.stack([rows[start : start + 4 * dilation + 1 : dilation] for start in starts])
    filled, later = filled_by_hand(view)
    windows = FilledWindows(torch.from_numpy(rows.copy()), Windows(rows, starts, 5, dilation))
    order = random.permutation(len(starts))
    places = torch.from_numpy(starts[order])
    np.testing.assert_array_equal(windows.index_select(places), filled[order])
    np.testing.assert_array_equal(windows.filled_from_later(places), later[order])
    first = int(starts[150])
    np.testing.assert_array_equal(windows[first : first + 180], filled[150:330])


@pytest.mark.parametrize("dilation", [1, 3])
def test_steps_that_miss_all_features_are_marked_once(dilation):
    random = np.random.RandomState(0)
    rows = random.randn(401, 3)
    rows[random.rand(401) < 0.3] = rows[:5] = rows[200:230] = np.nan
    starts = np.arange(401 - 4 * dilation)
    view = np.stack([rows[start : start + 4 * dilation + 1 : dilation] for start in starts])
    filled, later = filled_by_hand(view)
    windows = FilledWindows(torch.from_numpy(rows.copy()), Windows(rows, starts, 5, dilation))
    places = torch.from_numpy(starts)
    assert windows._missing.shape == (len(starts), 5, 1)
    np.testing.assert_array_equal(windows.index_select(places), filled)
    np.testing.assert_array_equal(windows.filled_from_later(places), later)
    np.testing.assert_array_equal(windows[0 : len(starts)], filled)


def test_a_series_without_missing_values_is_not_copied():
    rows = np.zeros((400, 2))
    series = torch.from_numpy(rows)
    windows = FilledWindows(series, Windows(rows, np.arange(398), 3, 1))
    assert windows[0:300].data_ptr() == series.data_ptr()
    assert windows.filled_from_later(torch.arange(300)) is None
