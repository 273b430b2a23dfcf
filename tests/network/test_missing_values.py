"""Missing values of windows are filled from the same window, as a loop over its steps does it."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sklstm._network.missing_values import fill_missing, filled_from_later

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
    found = filled_from_later(tensor)
    np.testing.assert_array_equal(np.zeros_like(later) if found is None else found.numpy(), later)


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
    assert filled_from_later(windows) is None
