"""What the linear map leaves to the network, and how much of the network is taken."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from sklstm import SlidingWindowTransformer
from sklstm._linear import residual
from sklstm._linear.fitting import fit_linear
from sklstm._network.batches import WindowBatches, WindowDataset, series_tensor
from sklstm._network.net import TargetLoss
from sklstm._series.windows import find_windows

ROWS = np.random.RandomState(0).randn(500, 2).cumsum(axis=0) / 5
VIEW = SlidingWindowTransformer(4).fit_transform(ROWS)[3:]
TARGET = (VIEW[:, -1, :1] + 0.3 * np.random.RandomState(1).randn(497, 1)) * 7


def parts(n_train=400, weights=None):
    windows = find_windows(VIEW)
    series = series_tensor(windows, 0.0, 1.0, torch.float64, "cpu")
    data = WindowDataset(series, windows, np.arange(497), TARGET.copy(), weights)
    return data, data.part(0, n_train), data.part(n_train, 497)


def test_targets_become_what_is_left_in_units_of_its_size():
    data, train, valid = parts()
    skip = residual.solve_skip(data, train, valid, gap=0)
    assert float(train.targets.square().mean()) == pytest.approx(1)
    fresh, fresh_train, _ = parts()
    map_ = fit_linear(fresh_train, 0, fit_linear(fresh, 0).choice)
    left = TARGET - map_.skip(fresh.targets).linear(torch.from_numpy(VIEW.copy())).numpy()
    np.testing.assert_allclose(train.targets * skip.scale, left[:400], atol=1e-8)
    np.testing.assert_allclose(valid.targets * skip.scale, left[400:], atol=1e-8)


def test_validation_rows_are_known_to_the_last_map_only():
    data, train, valid = parts()
    skip = residual.solve_skip(data, train, valid, gap=0)
    fresh, *_ = parts()
    torch.testing.assert_close(skip.weights, fit_linear(fresh, 0).weights)


def test_rows_without_weight_do_not_count_in_the_size():
    weights = np.ones((497, 1))
    weights[::2] = 0
    data, train, valid = parts(weights=weights)
    residual.solve_skip(data, train, valid, gap=0)
    assert float(train.targets[1::2].square().mean()) == pytest.approx(1)


def test_a_map_that_leaves_nothing_leaves_no_rounding_either():
    windows = find_windows(VIEW)
    series = series_tensor(windows, 0.0, 1.0, torch.float64, "cpu")
    data = WindowDataset(series, windows, np.arange(497), np.full((497, 1), 3.0))
    skip = residual.solve_skip(data, data.part(0, 497), None, gap=0)
    assert float(skip.scale) == 1
    assert float(data.targets.abs().max()) < 1e-9


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
def test_the_share_is_the_one_that_validates_best_and_is_believed(factor, best):
    net, data = a_net(factor)
    share = residual.share_that_pays(net, data)
    expected = best * 100 / (100 + residual._FORECASTS_TO_BELIEVE)
    assert share == pytest.approx(expected)


def test_without_caution_the_share_is_the_one_of_the_lowest_loss():
    net, data = a_net(2.0)
    assert residual.share_that_pays(net, data, cautious=False) == pytest.approx(0.5)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
@pytest.mark.parametrize("cautious", [True, False])
def test_fewer_validation_rows_than_blocks_are_no_problem(n, cautious):
    net, data = a_net(1.0, n)
    share = residual.share_that_pays(net, data, cautious)
    most = n / (n + residual._FORECASTS_TO_BELIEVE) if cautious else 1.0
    assert share <= most
    assert share == 1.0 or cautious


def test_a_gain_in_one_block_and_losses_in_others_are_no_reason():
    net, data = a_net(1.0)
    wrong = iter(range(10**6))

    def step(batch):  # perfect in the first rows, which are much larger, and noise elsewhere
        return batch[0][:, -1] * (1 if next(wrong) < 2 else -0.4)

    data.targets[:20] *= 1.2
    net.evaluation_step = step
    assert residual.share_that_pays(net, data) < 0.2
