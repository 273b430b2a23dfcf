"""The network weight: how much of the network's output is added to the linear map."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from sklstm import LSTMRegressor, SlidingWindowTransformer, forecast_targets
from sklstm._network.batches import WindowBatches, WindowDataset
from sklstm._network.loss import TargetLoss
from sklstm._network.network_weight import _FORECASTS_OF_HALF_CREDIBILITY, choose_network_weight
from sklstm._network.series_tensor import standardised_series
from sklstm._series.overlap import find_windows


def a_net(factor, n=100, seed=0):
    """Make a stand-in for a net, with ``factor`` times the targets as outputs, and its data."""
    rng = np.random.RandomState(seed)
    rows = rng.randn(n, 1)
    windows = find_windows(SlidingWindowTransformer(1).fit_transform(rows))
    data = WindowDataset(
        standardised_series(windows, 0.0, 1.0, torch.float64, "cpu"),
        windows,
        np.arange(n),
        rows.copy(),
    )
    net = SimpleNamespace(
        criterion_=TargetLoss("squared_error"),
        get_iterator=lambda part, training: WindowBatches(part, 16),
        evaluation_step=lambda batch: factor * batch[0][:, -1],
    )
    return net, data


@pytest.mark.parametrize(("factor", "best"), [(1.0, 1.0), (2.0, 0.5), (0.5, 1.0), (-1.0, 0.0)])
def test_the_weight_is_that_of_the_lowest_loss_times_the_credibility(factor, best):
    net, data = a_net(factor)
    weight = choose_network_weight(net, data, 1)
    expected = best * 100 / (100 + _FORECASTS_OF_HALF_CREDIBILITY)
    assert weight == pytest.approx(expected)


def test_outputs_of_the_same_lead_do_not_make_the_validation_rows_fewer():
    net, data = a_net(1.0)
    data.targets = data.targets.expand(-1, 6)  # three columns, two leads
    net.evaluation_step = lambda batch: batch[1]
    expected = 50 / (50 + _FORECASTS_OF_HALF_CREDIBILITY)
    assert choose_network_weight(net, data, 2) == pytest.approx(expected)


def test_without_shrinkage_the_weight_is_that_of_the_lowest_loss():
    net, data = a_net(2.0)
    weight = choose_network_weight(net, data, None, with_error=False)
    assert weight == pytest.approx(0.5)


def test_the_rest_of_the_weight_has_what_the_map_has_instead_of_the_network():
    net, data = a_net(1.0)
    data.targets[:] = 2.0
    net.evaluation_step = lambda batch: batch[1] + 3  # 5
    weight = choose_network_weight(net, data, None, instead=torch.tensor([1.0]))
    assert weight == pytest.approx(0.25)  # 0.25 * 5 + 0.75 * 1 = 2


@pytest.mark.parametrize("n", [1, 2, 3, 4])
@pytest.mark.parametrize("shrink", [True, False])
def test_there_can_be_fewer_validation_rows_than_blocks(n, shrink):
    net, data = a_net(1.0, n)
    weight = choose_network_weight(net, data, 1 if shrink else None, with_error=shrink)
    most = n / (n + _FORECASTS_OF_HALF_CREDIBILITY) if shrink else 1.0
    assert weight <= most
    assert weight == 1.0 or shrink


def test_the_weight_is_small_if_the_network_helps_in_one_block_only():
    net, data = a_net(1.0)
    batch_numbers = iter(range(10**6))

    def step(batch):  # helps in the first block, whose targets are larger; harms elsewhere
        return batch[0][:, -1] * (1 if next(batch_numbers) < 2 else -0.4)

    data.targets[:20] *= 1.2
    net.evaluation_step = step
    assert choose_network_weight(net, data, 1) < 0.2


def test_where_persistence_is_the_map_the_network_has_no_weight():
    walk = np.random.RandomState(0).randn(1200, 2).cumsum(axis=0)
    model = LSTMRegressor(4, max_epochs=2, random_state=0)
    windows = SlidingWindowTransformer(8).fit_transform(walk)
    model.fit(windows, forecast_targets(walk[:, 0], 2))
    np.testing.assert_allclose(
        model.predict(windows[100:]), np.repeat(walk[100:, :1], 2, axis=1), atol=1e-3
    )
    assert model.network_weight_ == 0
