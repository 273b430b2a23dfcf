"""Encoding of targets to standardised values, and decoding."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from sklstm._target_codec import TargetCodec


def test_statistics_of_targets_are_those_of_the_known_ones():
    y = np.column_stack([np.arange(6.0), [1, np.nan, 3, np.nan, np.nan, 9], [np.nan] * 6])
    codec = TargetCodec.of(y).standardising(y, np.ones(6), np.arange(5))
    assert_allclose(codec.mean, [2, 2, 0])
    assert_allclose(codec.scale, [np.sqrt(2), 1, 1])


def test_unknown_targets_are_zero_without_weight():
    y = np.array([[1.0, 10.0], [3.0, np.nan], [5.0, 30.0], [7.0, 40.0]])
    codec = TargetCodec(False, mean=np.array([1.0, 10.0]), scale=np.array([2.0, 10.0]))
    targets, weights = codec.encode(y, np.ones(4), np.array([0, 1, 3]))
    assert_array_equal(targets, [[0, 0], [1, 0], [3, 3]])
    assert_array_equal(weights, np.array([[1, 1], [1, 0], [1, 1]]) * 6 / 5)
    assert y[0, 0] == 1  # the argument is not changed


def test_weights_are_none_if_all_targets_are_known_and_weigh_one():
    y, index = np.arange(4.0)[:, np.newaxis], np.arange(1, 4)
    codec = TargetCodec.of(y)
    targets, weights = codec.encode(y, np.ones(4), index)
    assert_array_equal(targets, y[1:])
    assert weights is None
    _, weights = codec.encode(y, np.array([1.0, 2, 2, 4]), index)
    assert_allclose(weights[:, 0], [0.75, 0.75, 1.5])
