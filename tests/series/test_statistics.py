"""Weighted means and scales against exact sums of single numbers."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from sklstm._series import storage
from sklstm._series.statistics import mean_and_scale

ROWS = np.random.RandomState(0).randn(300, 3) * [1, 1e-3, 50] + [0, 1, -1e4]
WEIGHT = np.random.RandomState(1).rand(300)


def by_hand(rows, weight):
    """Mean and standard deviation of each column, by sums without rounding."""
    total = math.fsum(weight)
    means, scales = [], []
    for column in np.asarray(rows, dtype=float).T:
        mean = math.fsum(w * x for w, x in zip(weight, column, strict=True)) / total
        squares = (w * (x - mean) ** 2 for w, x in zip(weight, column, strict=True))
        means.append(mean)
        scales.append(math.sqrt(math.fsum(squares) / total))
    return means, scales


@pytest.mark.parametrize("weight", [np.ones(300), WEIGHT, WEIGHT > 0.5], ids=["one", "any", "0/1"])
def test_mean_and_scale_equal_exact_sums(weight):
    for found, expected in zip(mean_and_scale(ROWS, weight), by_hand(ROWS, weight), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13)


def test_blocks_of_rows_are_summed_together(monkeypatch):
    monkeypatch.setattr(storage, "_BLOCK_BYTES", 8 * 3 * 100)
    for found, expected in zip(mean_and_scale(ROWS, WEIGHT), by_hand(ROWS, WEIGHT), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13)


def test_a_column_of_any_size_is_computed_beside_others():
    sizes = np.array([1e-280, 1.0, 1e280])
    mean, scale = mean_and_scale(ROWS * sizes, WEIGHT)
    for found, expected in zip((mean, scale), by_hand(ROWS, WEIGHT), strict=True):
        np.testing.assert_allclose(found / sizes, expected, rtol=1e-12)


@pytest.mark.parametrize("size", [1e-200, 1e-160, 1e-30, 1e30, 1e160, 1e300])
def test_squares_neither_overflow_nor_vanish(size):
    mean, scale = mean_and_scale(ROWS / 1e4 * size, WEIGHT)
    expected = by_hand(ROWS / 1e4, WEIGHT)
    np.testing.assert_allclose(mean / size, expected[0], rtol=1e-11, atol=1e-15)
    np.testing.assert_allclose(scale / size, expected[1], rtol=1e-11)


@pytest.mark.parametrize("value", [0.0, 0.1, -1e10, 1e19, 1e22, 1e24, 1e25, 1e200, 1e-300])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_constant_column_has_a_scale_of_one_and_its_value_as_mean(value, weighted):
    weight = np.random.RandomState(0).rand(10_007) if weighted else np.ones(10_007)
    mean, scale = mean_and_scale(np.full((10_007, 1), value), weight)
    assert mean == value
    assert scale == 1


@pytest.mark.parametrize("relative", [1e-12, 1e-14])
def test_a_column_that_hardly_varies_keeps_its_scale(relative):
    column = 1 + relative * np.array([[-1.0], [1.0]] * 500)
    np.testing.assert_allclose(mean_and_scale(column, np.ones(1000))[1], relative, rtol=0.03)


def test_the_scale_is_that_around_the_mean_before_it_is_rounded():
    steps = np.array([0, 0, 25] * 30)[:, np.newaxis]  # the mean lies between two numbers
    column = 1 + steps * np.finfo(float).eps
    scale = mean_and_scale(column, np.ones(90))[1]
    np.testing.assert_allclose(scale, 25 * math.sqrt(2) / 3 * np.finfo(float).eps, rtol=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_rows_without_weight_are_not_looked_at(value):
    rows, weight = ROWS.copy(), WEIGHT.copy()
    rows[::3], weight[::3] = value, 0
    kept = weight > 0
    for found, expected in zip(
        mean_and_scale(rows, weight), by_hand(rows[kept], weight[kept]), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13)


def test_only_known_values_count_and_each_column_has_its_own():
    rows = ROWS.copy()
    rows[::3, 0], rows[5:250, 1], rows[:, 2] = np.nan, np.nan, np.nan
    mean, scale = mean_and_scale(rows, WEIGHT)
    for column in (0, 1):
        known = ~np.isnan(rows[:, column])
        expected = by_hand(rows[known][:, [column]], WEIGHT[known])
        found = [mean[[column]], scale[[column]]]
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13)
    assert (mean[2], scale[2]) == (0, np.inf)


def test_missing_values_of_a_column_change_no_bit_of_the_others():
    rows = ROWS.copy()
    rows[::3, 1] = np.nan
    found, expected = mean_and_scale(rows, WEIGHT), mean_and_scale(ROWS, WEIGHT)
    np.testing.assert_array_equal(np.delete(found, 1, axis=1), np.delete(expected, 1, axis=1))


def test_without_any_weight_no_column_has_a_scale():
    mean, scale = mean_and_scale(ROWS, np.zeros(300))
    np.testing.assert_array_equal(mean, 0)
    np.testing.assert_array_equal(scale, np.inf)


@settings(deadline=None, max_examples=50, database=None)
@given(st.integers(1, 300_000), st.integers(1, 4), st.sampled_from(["f8", "f4", "f2", "i8", "u1"]))
def test_layout_and_threads_change_no_bit(n_rows, n_columns, dtype):
    random = np.random.RandomState(n_rows)
    rows = (random.rand(n_rows, n_columns) * 100).astype(dtype)
    weight = random.rand(n_rows)
    expected = mean_and_scale(rows.astype(float), weight)
    for other in (rows, np.asfortranarray(rows), np.repeat(rows, 2, axis=0)[::2]):
        with threadpool_limits(4):
            np.testing.assert_array_equal(mean_and_scale(other, weight), expected)
