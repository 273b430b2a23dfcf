"""How much of the network is added to the linear map."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from sklstm import SlidingWindowTransformer
from sklstm._network.batches import WindowBatches, WindowDataset
from sklstm._network.loss import TargetLoss
from sklstm._network.network_weight import _FORECASTS_OF_HALF_CREDIBILITY, network_weight
from sklstm._network.series_tensor import series_tensor
from sklstm._series.windows import find_windows


def a_net(factor, n=100, seed=0):
    """Stand in for a net whose outputs are ``factor`` times the targets, plus what one adds."""
    rng = np.random.RandomState(seed)
    rows = rng.randn(n, 1)
    windows = find_windows(SlidingWindowTransformer(1).fit_transform(rows))
    data = WindowDataset(
        series_tensor(windows, 0.0, 1.0, torch.float64, "cpu"), windows, np.arange(n), rows.copy()
    )
    net = SimpleNamespace(
        criterion_=TargetLoss("squared_error"),
        get_iterator=lambda part, training: WindowBatches(part, 16),
        evaluation_step=lambda batch: factor * batch[0][:, -1],
    )
    return net, data


@pytest.mark.parametrize(("factor", "best"), [(1.0, 1.0), (2.0, 0.5), (0.5, 1.0), (-1.0, 0.0)])
def test_the_weight_is_the_one_that_validates_best_times_the_credibility(factor, best):
    net, data = a_net(factor)
    weight = network_weight(net, data)
    expected = best * 100 / (100 + _FORECASTS_OF_HALF_CREDIBILITY)
    assert weight == pytest.approx(expected)


def test_without_shrinkage_the_weight_is_the_one_of_the_lowest_loss():
    net, data = a_net(2.0)
    assert network_weight(net, data, shrink=False) == pytest.approx(0.5)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
@pytest.mark.parametrize("shrink", [True, False])
def test_fewer_validation_rows_than_blocks_are_no_problem(n, shrink):
    net, data = a_net(1.0, n)
    weight = network_weight(net, data, shrink)
    most = n / (n + _FORECASTS_OF_HALF_CREDIBILITY) if shrink else 1.0
    assert weight <= most
    assert weight == 1.0 or shrink


def test_a_gain_in_one_block_and_losses_in_others_do_not_show_that_the_network_helps():
    net, data = a_net(1.0)
    wrong = iter(range(10**6))

    def step(batch):  # perfect in the first rows, which are much larger, and noise elsewhere
        return batch[0][:, -1] * (1 if next(wrong) < 2 else -0.4)

    data.targets[:20] *= 1.2
    net.evaluation_step = step
    assert network_weight(net, data) < 0.2
