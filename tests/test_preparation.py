"""Which windows are used, and for what; the rest is tested through LSTMRegressor."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklstm import SlidingWindowTransformer
from sklstm._preparation import (
    feature_statistics,
    split_latest,
    target_statistics,
    training_targets,
    usable_windows,
)
from sklstm._series.windows import find_windows

ROWS = np.random.RandomState(0).randn(200_000, 2) * [1, 10] + [5, -3]
VIEW = SlidingWindowTransformer(4).fit_transform(ROWS)
WINDOWS = find_windows(VIEW)
MISSING = np.isnan(WINDOWS.rows).all(axis=1)


def test_usable_windows_are_complete_known_and_weigh_something():
    y, weight = np.zeros((200_000, 2)), np.ones(200_000)
    y[10] = np.nan
    y[11, 0] = np.nan
    weight[12] = 0
    usable = usable_windows(WINDOWS, MISSING, y, weight)
    assert_array_equal(usable, np.setdiff1d(np.arange(200_000), [0, 1, 2, 10, 12]))


@pytest.mark.parametrize(("n", "expected"), [(90, None), (100, 10), (5000, 500)])
def test_auto_validates_where_the_latest_part_has_ten_windows(n, expected):
    train, valid = split_latest(np.arange(n), "auto", 0.1, gap=0)
    assert (None if valid is None else len(valid)) == expected
    assert len(train) == n - (expected or 0)


def test_the_gap_counts_rows_and_not_labelled_rows():
    hourly = np.arange(0, 6000, 60)  # a label every hour, rows every minute
    train, valid = split_latest(hourly, True, 0.1, gap=120)
    assert_array_equal(valid, hourly[-10:])
    assert_array_equal(train, hourly[:-12])  # 5400 - 120 is not below the gap's start


def test_statistics_are_those_of_all_values_in_the_windows():
    # Across more than one block of rows, with weights, and without the windows left out.
    index = np.arange(1000, 150_000)
    weight = np.random.RandomState(1).rand(200_000)
    mean, scale = feature_statistics(WINDOWS, weight, index)
    values, weights = VIEW[index], weight[index, np.newaxis, np.newaxis]
    expected = (values * weights).sum(axis=(0, 1)) / (4 * weights.sum())
    variance = ((values - expected) ** 2 * weights).sum(axis=(0, 1)) / (4 * weights.sum())
    assert_allclose(mean, expected)
    assert_allclose(scale, np.sqrt(variance))


def test_statistics_of_targets_are_those_of_the_known_ones():
    y = np.column_stack([np.arange(6.0), [1, np.nan, 3, np.nan, np.nan, 9], [np.nan] * 6])
    mean, scale = target_statistics(y, np.ones(6), np.arange(5))
    assert_allclose(mean, [2, 2, 0])
    assert_allclose(scale, [np.sqrt(2), 1, 1])


def test_nothing_to_take_statistics_of_changes_nothing():
    none = np.array([], dtype=int)
    assert_array_equal(feature_statistics(WINDOWS, np.ones(200_000), none), [[0, 0], [1, 1]])
    assert_array_equal(target_statistics(ROWS, np.ones(200_000), none), [[0, 0], [1, 1]])


def test_unknown_targets_are_zero_without_weight():
    y = np.array([[1.0, 10.0], [3.0, np.nan], [5.0, 30.0], [7.0, 40.0]])
    index, mean, scale = np.array([0, 1, 3]), np.array([1.0, 10.0]), np.array([2.0, 10.0])
    targets, weights = training_targets(y, np.ones(4), index, mean, scale)
    assert_array_equal(targets, [[0, 0], [1, 0], [3, 3]])
    assert_array_equal(weights, np.array([[1, 1], [1, 0], [1, 1]]) * 6 / 5)
    assert y[0, 0] == 1  # the caller's own stay


def test_targets_that_all_count_once_have_no_weights():
    y, index = np.arange(4.0)[:, np.newaxis], np.arange(1, 4)
    targets, weights = training_targets(y, np.ones(4), index, 0.0, 1.0)
    assert_array_equal(targets, y[1:])
    assert weights is None
    _, weights = training_targets(y, np.array([1.0, 2, 2, 4]), index, 0.0, 1.0)
    assert_allclose(weights[:, 0], [0.75, 0.75, 1.5])
