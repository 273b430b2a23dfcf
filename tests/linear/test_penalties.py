"""The choice of bases and penalties."""

import numpy as np
import pytest
import torch

from sklstm import SlidingWindowTransformer
from sklstm._linear import penalties
from sklstm._linear.fitting import fit_linear
from sklstm._linear.penalties import Member
from sklstm._network.batches import WindowDataset
from sklstm._network.series_tensor import standardised_series
from sklstm._series.overlap import find_windows
from tests.linear.data import TARGETS, VIEW, dataset


def test_noise_gets_large_and_an_exact_target_small_penalties():
    noise = np.random.RandomState(1).randn(*TARGETS.shape)
    for member in fit_linear(dataset(targets=noise), gap=1).choice:
        assert max(member.penalties) >= 1
    exact = np.repeat(VIEW.mean(axis=(1, 2))[:, None], 2, axis=1)
    for member in fit_linear(dataset(targets=exact), gap=1).choice:
        assert member.penalties[0] == penalties._PENALTIES[0]


def test_levels_have_less_weight_than_deviations_for_a_random_walk():
    walk = np.random.RandomState(0).randn(400, 1).cumsum(axis=0)
    view = SlidingWindowTransformer(20).fit_transform(walk)[19:-1]
    windows = find_windows(view)
    series = standardised_series(windows, 0.0, 1.0, torch.float64, "cpu")
    data = WindowDataset(series, windows, np.arange(len(view)), walk[20:], None)
    weights = {member.basis: member.weight for member in fit_linear(data, gap=0).choice}
    assert sum(weights.values()) == pytest.approx(1)
    assert weights.get("levels", 0) < weights["deviations"]


def test_the_map_is_the_mean_of_the_maps_of_its_penalties():
    maps = [
        fit_linear(dataset(), 1, (Member("deviations", penalties, 1.0),))
        for penalties in ((0.1,), (10.0,))
    ]
    both = fit_linear(
        dataset(),
        1,
        (
            Member(
                "deviations",
                (
                    0.1,
                    10.0,
                ),
                1.0,
            ),
        ),
    )
    torch.testing.assert_close(both.weights, (maps[0].weights + maps[1].weights) / 2)
    torch.testing.assert_close(both.intercept, (maps[0].intercept + maps[1].intercept) / 2)


@pytest.mark.parametrize("size", [2.0**-1000, 2.0**1000])
def test_the_unit_of_the_errors_decides_nothing(size):
    errors = np.random.RandomState(0).rand(3, 15)
    expected = penalties._within_a_standard_error(errors)
    assert 0 < expected.sum() < 15
    np.testing.assert_array_equal(penalties._within_a_standard_error(errors * size), expected)
