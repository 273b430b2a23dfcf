"""The residual of the linear map."""

import numpy as np
import pytest
import torch

from sklstm import SlidingWindowTransformer
from sklstm._linear import residual
from sklstm._linear.fitting import fit_linear
from sklstm._network.batches import WindowDataset
from sklstm._network.series_tensor import standardised_series
from sklstm._series.overlap import find_windows

ROWS = np.random.RandomState(0).randn(500, 2).cumsum(axis=0) / 5
VIEW = SlidingWindowTransformer(4).fit_transform(ROWS)[3:]
TARGET = (VIEW[:, -1, :1] + 0.3 * np.random.RandomState(1).randn(497, 1)) * 7


def parts(n_train=400, weights=None):
    windows = find_windows(VIEW)
    series = standardised_series(windows, 0.0, 1.0, torch.float64, "cpu")
    data = WindowDataset(series, windows, np.arange(497), TARGET.copy(), weights)
    return data, data.part(slice(n_train)), data.part(slice(n_train, 497))


def test_residuals_are_divided_by_their_root_mean_square():
    data, train, valid = parts()
    skip, found = residual.solve_skip(data, train, valid, gap=0, leads=np.zeros(2, int))
    residuals, held_out = found.train, found.validation
    assert found.left_out is None
    assert float(residuals.square().mean()) == pytest.approx(1)
    map_ = fit_linear(train, 0, fit_linear(data, 0).choice)
    predicted = map_.as_module(data.targets).linear(torch.from_numpy(VIEW.copy())).numpy()
    np.testing.assert_allclose(residuals * skip.scale, (TARGET - predicted)[:400], atol=1e-8)
    np.testing.assert_allclose(held_out * skip.scale, (TARGET - predicted)[400:], atol=1e-8)


def test_targets_are_not_changed():
    data, train, valid = parts()
    residual.solve_skip(data, train, valid, gap=0, leads=np.zeros(2, int))
    np.testing.assert_array_equal(data.targets, TARGET)
    np.testing.assert_array_equal(train.targets, TARGET[:400])
    np.testing.assert_array_equal(valid.targets, TARGET[400:])


def test_the_map_for_predictions_is_solved_on_all_rows():
    data, train, valid = parts()
    skip, *_ = residual.solve_skip(data, train, valid, gap=0, leads=np.zeros(2, int))
    torch.testing.assert_close(skip.weights, fit_linear(data, 0).weights)


def test_rows_of_weight_zero_do_not_count_in_the_scale():
    weights = np.ones((497, 1))
    weights[::2] = 0
    data, train, valid = parts(weights=weights)
    _, found = residual.solve_skip(data, train, valid, gap=0, leads=np.zeros(2, int))
    assert float(found.train[1::2].square().mean()) == pytest.approx(1)


def test_rounding_errors_of_an_exact_map_are_not_scaled_up():
    windows = find_windows(VIEW)
    series = standardised_series(windows, 0.0, 1.0, torch.float64, "cpu")
    data = WindowDataset(series, windows, np.arange(497), np.full((497, 1), 3.0))
    skip, found = residual.solve_skip(
        data, data.part(slice(497)), None, gap=0, leads=np.zeros(2, int)
    )
    assert float(skip.scale) == 1
    assert float(found.train.abs().max()) < 1e-9


def test_left_out_residuals_are_of_maps_solved_without_their_block():
    gap, leads = 2, np.zeros(2, int)
    data, train, _ = parts()
    skip, found = residual.solve_skip(data, train, None, gap, leads, left_out=True)
    choice = fit_linear(data, gap).choice
    for block in np.split(np.arange(400), [133, 266]):
        margin = np.arange(block[0] - gap, block[-1] + gap + 1)
        others = np.setdiff1d(np.arange(400), margin)
        map_ = fit_linear(data.part(others), gap, choice)
        weights = map_.weights[0].numpy()
        by_hand = [np.sum(VIEW[row] * weights) + float(map_.intercept) for row in block]
        expected = TARGET[block, 0] - by_hand
        np.testing.assert_allclose(found.left_out[block, 0] * skip.scale, expected, atol=1e-8)


def test_few_rows_have_no_left_out_residuals_of_their_own():
    data, _, _ = parts()
    few = data.part(slice(30))
    _, found = residual.solve_skip(few, few, None, 0, np.zeros(2, int), left_out=True)
    np.testing.assert_array_equal(found.left_out, found.train)


def test_a_block_without_which_an_output_is_unknown_keeps_its_residuals():
    weights = np.zeros((497, 1))
    weights[:100] = 1
    data, train, _ = parts(weights=weights)
    _, found = residual.solve_skip(data, train, None, 0, np.zeros(2, int), left_out=True)
    np.testing.assert_array_equal(found.left_out[:133], found.train[:133])
