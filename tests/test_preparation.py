"""Training and validation windows. LSTMRegressor's tests cover the rest."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklstm import SlidingWindowTransformer
from sklstm._preparation import (
    feature_statistics,
    split_latest,
    usable_windows,
)
from sklstm._series.overlap import find_windows
from sklstm._target_codec import TargetCodec

ROWS = np.random.RandomState(0).randn(200_000, 2) * [1, 10] + [5, -3]
VIEW = SlidingWindowTransformer(4).fit_transform(ROWS)
WINDOWS = find_windows(VIEW)
MISSING = np.isnan(WINDOWS.rows).all(axis=1)


def test_usable_windows_are_not_mostly_missing_known_and_have_a_weight():
    y, weight = np.zeros((200_000, 2)), np.ones(200_000)
    y[10] = np.nan
    y[11, 0] = np.nan
    weight[12] = 0
    usable, left_out = usable_windows(WINDOWS, MISSING, y, weight)
    assert left_out == {"incomplete": 1, "unknown target": 1, "no weight": 1}
    assert_array_equal(usable, np.setdiff1d(np.arange(200_000), [0, 10, 12]))


@pytest.mark.parametrize(("n", "expected"), [(90, None), (100, 10), (5000, 500)])
def test_auto_validates_where_the_latest_part_has_ten_windows(n, expected):
    train, valid = split_latest(np.arange(n), "auto", 0.1, gap=0)
    assert (None if valid is None else len(valid)) == expected
    assert len(train) == n - (expected or 0)


def test_the_gap_counts_rows_and_not_labelled_rows():
    hourly = np.arange(0, 6000, 60)  # a known target every hour, a row every minute
    train, valid = split_latest(hourly, True, 0.1, gap=120)
    assert_array_equal(valid, hourly[-10:])
    assert_array_equal(train, hourly[:-12])  # row 5400 - 120 lies in the gap


def test_statistics_are_those_of_all_values_in_the_windows():
    # For several blocks of rows, with weights, and with some windows left out.
    index = np.arange(1000, 150_000)
    weight = np.random.RandomState(1).rand(200_000)
    mean, scale = feature_statistics(WINDOWS, weight, index)
    values, weights = VIEW[index], weight[index, np.newaxis, np.newaxis]
    expected = (values * weights).sum(axis=(0, 1)) / (4 * weights.sum())
    variance = ((values - expected) ** 2 * weights).sum(axis=(0, 1)) / (4 * weights.sum())
    assert_allclose(mean, expected)
    assert_allclose(scale, np.sqrt(variance))


def test_a_feature_without_a_known_value_has_an_infinite_scale():
    none = np.array([], dtype=int)
    found = feature_statistics(WINDOWS, np.ones(200_000), none)
    assert_array_equal(found, [[0, 0], [np.inf, np.inf]])


def test_statistics_of_no_targets_are_zero_and_one():
    none = np.array([], dtype=int)
    codec = TargetCodec.of(ROWS).standardising(ROWS, np.ones(200_000), none)
    assert_array_equal([codec.mean, codec.scale], [[0, 0], [1, 1]])
