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
    skip, residuals, held_out = residual.solve_skip(
        data, train, valid, gap=0, leads=np.zeros(2, int)
    )
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
    _, residuals, _ = residual.solve_skip(data, train, valid, gap=0, leads=np.zeros(2, int))
    assert float(residuals[1::2].square().mean()) == pytest.approx(1)


def test_rounding_errors_of_an_exact_map_are_not_scaled_up():
    windows = find_windows(VIEW)
    series = standardised_series(windows, 0.0, 1.0, torch.float64, "cpu")
    data = WindowDataset(series, windows, np.arange(497), np.full((497, 1), 3.0))
    skip, residuals, _ = residual.solve_skip(
        data, data.part(slice(497)), None, gap=0, leads=np.zeros(2, int)
    )
    assert float(skip.scale) == 1
    assert float(residuals.abs().max()) < 1e-9
