"""Conjugate gradients, against the solution in closed form."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import mean_squared_error

from sklstm import LSTMRegressor
from sklstm._linear import conjugate_gradients, fitting
from sklstm._linear.conjugate_gradients import RESIDUAL, with_residual_maps, zero_map
from sklstm._linear.fitting import fit_linear
from sklstm._linear.penalties import Member
from sklstm._linear.samples import Samples
from tests.linear.data import ROWS, TARGETS, VIEW, WINDOW, dataset, predicted

DEVIATIONS = np.concatenate([VIEW[:, :-1] - VIEW[:, -1:], VIEW[:, -1:]], axis=1)
DEVIATIONS = DEVIATIONS.reshape(len(VIEW), -1)


@pytest.fixture
def few(monkeypatch):
    """No map of all columns is solved in closed form, and iterations go on to the end."""
    monkeypatch.setattr(fitting, "_MOST_COEFFICIENTS", 1)
    monkeypatch.setattr(conjugate_gradients, "_SMALL_RESIDUAL", 1e-9)


def ridge(penalty, targets=TARGETS, weights=None):
    total = len(VIEW) if weights is None else weights.sum()
    mean = np.average(DEVIATIONS, axis=0, weights=weights)
    scale = np.average((DEVIATIONS - mean) ** 2, axis=0, weights=weights).mean()
    model = Ridge(penalty * scale * total).fit(DEVIATIONS, targets, sample_weight=weights)
    return model.predict(DEVIATIONS)


@pytest.mark.parametrize("penalties", [(1e-12,), (0.01,), (1.0,), (100.0,), (0.01, 1.0, 100.0)])
def test_the_map_is_the_mean_of_ridge_regressions(few, penalties):
    map_ = fit_linear(dataset(), gap=1, choice=(Member("deviations", penalties, 1.0, RESIDUAL),))
    expected = np.mean([ridge(penalty) for penalty in penalties], axis=0)
    np.testing.assert_allclose(predicted(map_), expected, atol=1e-6)


def test_without_a_penalty_it_is_a_linear_regression(few):
    map_ = fit_linear(dataset(), gap=1, choice=(Member("deviations", (1e-12,), 1.0, RESIDUAL),))
    flat = VIEW.reshape(len(VIEW), -1)
    expected = LinearRegression().fit(flat, TARGETS).predict(flat)
    np.testing.assert_allclose(predicted(map_), expected, atol=1e-6)


def test_an_infinite_penalty_leaves_the_mean_and_shrinks_a_mean_over_penalties(few):
    map_ = fit_linear(dataset(), gap=1, choice=(Member("deviations", (np.inf,), 1.0, RESIDUAL),))
    mean = np.broadcast_to(TARGETS.mean(axis=0), TARGETS.shape)
    np.testing.assert_allclose(predicted(map_), mean)
    half = fit_linear(
        dataset(), gap=1, choice=(Member("deviations", (1.0, np.inf), 1.0, RESIDUAL),)
    )
    np.testing.assert_allclose(predicted(half), (ridge(1.0) + mean) / 2, atol=1e-6)


def test_weights_are_those_of_a_weighted_ridge_regression(few):
    weights = np.random.RandomState(0).rand(len(VIEW))
    data = dataset(weights=np.repeat(weights[:, None], 2, axis=1))
    map_ = fit_linear(data, gap=1, choice=(Member("deviations", (0.1,), 1.0, RESIDUAL),))
    np.testing.assert_allclose(predicted(map_), ridge(0.1, weights=weights), atol=1e-6)


def test_levels_are_a_plain_ridge_regression_and_members_are_summed(few):
    flat = VIEW.reshape(len(VIEW), -1)
    alpha = 0.3 * flat.var(axis=0).mean() * len(VIEW)
    of_levels = Ridge(alpha).fit(flat, TARGETS).predict(flat)
    members = [Member("levels", (0.3,), weight, RESIDUAL) for weight in (1.0, 0.25)]
    map_ = fit_linear(dataset(), gap=1, choice=(members[0],))
    np.testing.assert_allclose(predicted(map_), of_levels, atol=1e-6)
    both = (members[1], Member("deviations", (0.1,), 0.75, RESIDUAL))
    expected = 0.25 * of_levels + 0.75 * ridge(0.1)
    np.testing.assert_allclose(predicted(fit_linear(dataset(), 1, both)), expected, atol=1e-6)


def test_residuals_of_a_map_are_added_to_it(few):
    samples = Samples(dataset(), torch.arange(len(VIEW)), slice(None))
    start = (torch.randn(WINDOW * ROWS.shape[1], 2, dtype=torch.float64), torch.ones(2))
    before = DEVIATIONS @ start[0].numpy() + 1
    coefficients, intercept = with_residual_maps(
        samples, start, [Member("deviations", (0.1,), 1.0, RESIDUAL)]
    )
    expected = before + ridge(0.1, TARGETS - before)
    found = DEVIATIONS @ coefficients.numpy() + intercept.numpy()
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert not zero_map(samples)[0].any()


def test_penalties_are_chosen_so_that_the_error_is_that_of_the_closed_form(monkeypatch):
    exact = fit_linear(dataset(), gap=1)
    monkeypatch.setattr(fitting, "_MOST_COEFFICIENTS", 1)
    chosen = fit_linear(dataset(), gap=1)
    assert {member.scope for member in chosen.choice} == {RESIDUAL}
    error, of_exact = (mean_squared_error(TARGETS, predicted(map_)) for map_ in (chosen, exact))
    assert error < 2 * of_exact


def test_a_map_of_noise_is_shrunk(monkeypatch):
    monkeypatch.setattr(fitting, "_MOST_COEFFICIENTS", 1)
    noise = np.random.RandomState(1).randn(*TARGETS.shape)
    map_ = fit_linear(dataset(targets=noise), gap=1)
    free = LinearRegression().fit(DEVIATIONS, noise).predict(DEVIATIONS)
    assert predicted(map_).var() < 0.8 * free.var()


@pytest.mark.parametrize("level", [1e4, -1e5])
def test_values_far_from_zero_have_the_map_of_their_deviations(monkeypatch, level):
    monkeypatch.setattr(fitting, "_MOST_COEFFICIENTS", 1)
    windows = np.random.RandomState(1).randn(600, 4, 3)
    y = windows.sum(axis=(1, 2))
    model = LSTMRegressor(2, standardize=False, max_epochs=1, n_jobs=1, random_state=0)
    error = mean_squared_error(model.fit(windows + level, y).predict(windows + level), y)
    assert error < 0.01 * y.var()  # more than the variance without deviations
