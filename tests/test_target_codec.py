"""Encoding of targets to standardised values, and decoding."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklstm import LSTMRegressor
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


def test_predictions_have_the_shape_and_unit_of_the_targets():
    outputs = np.array([[0.0], [1.0], [-2.0]])
    one = TargetCodec(True, np.array([3.0]), np.array([2.0]))
    column = TargetCodec(False, np.array([3.0]), np.array([2.0]))
    two = TargetCodec(False, np.array([3.0, 100.0]), np.array([2.0, 10.0]))
    assert_array_equal(one.decode(outputs), [3, 5, -1])
    assert_array_equal(column.decode(outputs), [[3], [5], [-1]])
    assert_array_equal(two.decode(np.hstack([outputs, outputs])), [[3, 100], [5, 110], [-1, 80]])
    assert_array_equal(outputs, [[0], [1], [-2]])  # the argument is not changed


def test_each_quantile_of_an_output_has_the_unit_of_the_output():
    outputs = np.array([[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]])  # (rows, outputs, quantiles)
    two = TargetCodec(False, np.array([3.0, 100.0]), np.array([2.0, 10.0]))
    assert_array_equal(two.decode(outputs), [[[3, 5, 7], [130, 140, 150]]])
    one = TargetCodec(True, np.array([3.0]), np.array([2.0]))
    assert_array_equal(one.decode(outputs[:, :1]), [[3, 5, 7]])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
@pytest.mark.parametrize("of_quantiles", [False, True])
def test_a_prediction_that_is_not_finite_is_an_error_that_names_the_first_such_row(
    value, of_quantiles
):
    outputs = np.zeros((6, 2, 3) if of_quantiles else (6, 2))
    outputs[2:4, 1] = value
    codec = TargetCodec(False, np.zeros(2), np.full(2, 1e10))
    with pytest.raises(ValueError, match="The prediction of row 2 is not finite"):
        codec.decode(outputs)


@pytest.mark.parametrize(
    ("fitted", "later", "fits"),
    [
        ((5,), (9,), True),
        ((5,), (9, 1), False),
        ((5, 1), (9, 1), True),
        ((5, 1), (9,), False),
        ((5, 3), (9, 3), True),
        ((5, 3), (9, 2), False),
        ((5, 3), (9,), False),
    ],
)
def test_targets_go_on_with_those_of_as_many_dimensions_and_outputs(fitted, later, fits):
    codec = TargetCodec.of(np.zeros(fitted))
    assert codec.fits(np.zeros(later)) is fits
    assert_array_equal(codec.mean, np.zeros(codec.n_outputs))
    assert_array_equal(codec.scale, np.ones(codec.n_outputs))
    assert codec.n_outputs == int(np.prod(fitted[1:]))


def test_a_fit_without_targets_is_refused_by_the_name_of_the_estimator():
    with pytest.raises(ValueError, match="LSTMRegressor requires y to be passed"):
        TargetCodec.check(LSTMRegressor(), None, 3)
