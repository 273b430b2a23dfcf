"""The windows and targets for which a linear map is solved."""

import numpy as np
import pytest
import torch

from sklstm._linear.samples import Samples, batch_size_for
from tests.linear.data import FEATURES, TARGETS, VIEW, WINDOW, dataset

INDEX = np.arange(10, 390, 3)  # the windows of the data set


def samples(weights=None, outputs=slice(None)):
    return Samples(dataset(INDEX, weights=weights), torch.arange(5, 120), outputs)


def test_batches_hold_windows_and_the_targets_of_the_outputs():
    windows, targets, weights = next(samples(outputs=slice(1, 2)).batches())
    np.testing.assert_array_equal(windows, VIEW[INDEX[5:120]])
    np.testing.assert_array_equal(targets, TARGETS[INDEX[5:120], 1:2])
    assert weights is None


def test_weights_are_those_of_the_first_of_the_outputs():
    both = np.random.RandomState(0).rand(*TARGETS.shape)
    *_, weights = next(samples(weights=both, outputs=slice(1, 2)).batches())
    np.testing.assert_array_equal(weights, both[INDEX[5:120], 1:2])


def test_rows_of_one_series_are_counted_by_their_windows():
    chosen = samples()
    np.testing.assert_array_equal(chosen.clock(), INDEX[5:120])
    np.testing.assert_array_equal(chosen.known_at(7), INDEX[5:120] + 7)
    marked = np.arange(len(chosen)) % 3 == 0
    np.testing.assert_array_equal(chosen.where(marked).places, chosen.places[::3])


@pytest.mark.parametrize(("most", "expected"), [(200, 115), (115, 115), (60, 58), (1, 1), (0, 1)])
def test_thinned_samples_are_at_equal_distances(most, expected):
    places = samples().thinned(most).places
    assert len(places) == expected
    assert len(set(np.diff(places))) <= 1


def test_a_batch_holds_few_values_but_never_too_few_windows():
    assert batch_size_for((WINDOW, FEATURES)) * WINDOW * FEATURES <= 2**18
    assert batch_size_for((10_000, 100)) == 16
