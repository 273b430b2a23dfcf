"""The linear map beside the network."""

import numpy as np
import pytest
import torch
from sklearn.metrics import mean_squared_error
from sklearn.pipeline import make_pipeline

from sklstm import LSTMRegressor, SlidingWindowTransformer, forecast_targets
from sklstm._linear import fitting
from sklstm._linear.conjugate_gradients import RESIDUAL
from sklstm._linear.fitting import fit_linear
from sklstm._linear.penalties import Member
from sklstm._network.batches import WindowDataset
from sklstm._network.series_tensor import standardised_series
from sklstm._series.overlap import find_windows
from tests.linear.data import ROWS, TARGETS, VIEW, WINDOW, dataset
from tests.linear.test_penalties import panel


@pytest.mark.parametrize("start", [150, 190])
@pytest.mark.parametrize("columns", [1, 2])
def test_a_series_can_be_constant_in_two_of_three_blocks(start, columns):
    """Non-regression test: rounding errors made the Cholesky decomposition fail."""
    rows = np.zeros((200, columns))
    rows[start:] = 20 + np.random.RandomState(0).randn(200 - start, columns)
    for series in (rows, 21.5 - rows, rows[::-1].copy()):
        for window in (1, 7):
            model = make_pipeline(
                SlidingWindowTransformer(window), LSTMRegressor(2, max_epochs=1, random_state=0)
            )
            assert np.isfinite(model.fit(series, series[:, 0]).predict(series)).all()


def test_collinear_columns_and_an_exact_target_can_be_fitted():
    """Non-regression test: rounding made the matrix of products of errors indefinite."""
    step = (np.arange(100) > 50) * 1.0
    far = np.random.RandomState(0).randn(200, 2) + 1e8
    for X, y, params in [
        (np.c_[step, step], 2 * step + 1, {"precision": "float64", "early_stopping": False}),
        (far, far[:, 0] - 1e8, {"standardize": False}),
    ]:
        lstm = LSTMRegressor(2, max_epochs=1, random_state=0, **params)
        model = make_pipeline(SlidingWindowTransformer(2), lstm)
        assert np.isfinite(model.fit(X, y).predict(X)).all()


@pytest.mark.parametrize("rare", [0, 1])
def test_penalties_are_chosen_on_the_output_with_most_known_targets(rare):
    """Non-regression test: the first output was used, even with few known targets."""
    weights = np.zeros_like(TARGETS)
    weights[::20, rare] = 1
    weights[:, 1 - rare] = 1 - weights[:, rare]
    both = fit_linear(dataset(weights=weights), 1)
    own = fit_linear(dataset(np.flatnonzero(weights[:, 1 - rare])), 1)
    assert both.choice[0].basis != "deviations" or len(both.choice) > 1  # not that of few rows
    assert [member.basis for member in both.choice] == [member.basis for member in own.choice]


def test_weights_count_like_repeated_rows():
    weight = np.random.RandomState(0).randint(0, 4, len(VIEW))
    weights = np.repeat(weight[:, None], 2, axis=1).astype(float)
    choice = (Member("deviations", (0.1,), 1.0),)
    weighted = fit_linear(dataset(weights=weights), 1, choice)
    repeated = fit_linear(dataset(np.repeat(np.arange(len(VIEW)), weight)), 1, choice)
    torch.testing.assert_close(weighted.weights, repeated.weights, rtol=1e-9, atol=1e-9)


def test_outputs_known_at_different_rows_are_solved_separately():
    weights = np.ones_like(TARGETS)
    weights[::2, 0] = weights[1::2, 1] = 0
    choice = (Member("deviations", (0.1,), 1.0),)
    map_ = fit_linear(dataset(weights=weights), 1, choice)
    for output, start in ((0, 1), (1, 0)):
        own = fit_linear(dataset(np.arange(start, len(VIEW), 2)), 1, choice)
        torch.testing.assert_close(map_.weights[output], own.weights[output])


@pytest.mark.parametrize("most", [1, 2048])
def test_an_output_without_known_targets_has_a_map_of_zeros(monkeypatch, most):
    monkeypatch.setattr(fitting, "_MOST_COEFFICIENTS", most)
    weights = np.ones_like(TARGETS)
    weights[:, 1] = 0
    map_ = fit_linear(dataset(weights=weights), 1)
    own = fit_linear(dataset(targets=TARGETS[:, :1]), 1)
    torch.testing.assert_close(map_.weights[:1], own.weights)
    assert not map_.weights[1].any()
    assert not map_.intercept[1]


@pytest.mark.parametrize("most", [1, 2048])
@pytest.mark.parametrize("gap", [100, 1000])
def test_the_gap_can_be_longer_than_a_block_or_the_series(monkeypatch, gap, most):
    monkeypatch.setattr(fitting, "_MOST_COEFFICIENTS", most)
    assert torch.isfinite(fit_linear(dataset(), gap).weights).all()


@pytest.mark.parametrize("most", [1, 2048])
@pytest.mark.parametrize("n", [1, 2, 10, 99])
def test_few_rows_and_constant_features_can_be_fitted(monkeypatch, n, most):
    monkeypatch.setattr(fitting, "_MOST_COEFFICIENTS", most)
    windows = find_windows(np.zeros((n, 3, 2)))
    series = standardised_series(windows, 0.0, 1.0, torch.float32, "cpu")
    data = WindowDataset(series, windows, np.arange(n), np.full((n, 1), 3.0))
    map_ = fit_linear(data, gap=0)
    np.testing.assert_allclose(map_.intercept, 3)
    np.testing.assert_allclose(map_.weights, 0)


@pytest.mark.parametrize("case", ["growth", "burst"])
def test_one_block_of_rows_can_hold_nearly_all_of_the_variance(case):
    values = np.exp(np.linspace(0, 60, 3000))
    if case == "burst":
        values = np.random.RandomState(0).randn(30_000)
        values[15_000:15_060] *= 1e9
    windows = SlidingWindowTransformer(50).fit_transform(values[:, None])
    y = forecast_targets(values, 1)
    model = LSTMRegressor(2, max_epochs=1, n_jobs=1, random_state=0).fit(windows, y)
    assert np.isfinite(model.predict(windows)).all()


class TestInTheEstimator:
    """The linear map in LSTMRegressor."""

    def test_the_linear_map_follows_a_level_that_drifts(self):
        drift = np.arange(1500.0) / 100 + np.random.RandomState(0).randn(1500).cumsum() / 10
        X, y = drift[:, None], forecast_targets(drift, 3)
        train, test = slice(0, 1200), slice(1200, 1497)
        errors = {}
        for linear_skip in (True, False):
            model = make_pipeline(
                SlidingWindowTransformer(10),
                LSTMRegressor(16, linear_skip=linear_skip, max_epochs=20, n_jobs=1, random_state=0),
            )
            model.fit(X[train], forecast_targets(drift[train], 3))
            errors[linear_skip] = mean_squared_error(y[test], model.predict(X[test]))
        last = mean_squared_error(y[test], np.repeat(X[test], 3, axis=1))
        assert errors[True] < 1.3 * last
        assert errors[False] > 10 * last

    def test_the_network_learns_a_nonlinear_target(self):
        x = np.random.RandomState(0).randn(3000)
        X, y = x[:, None], np.roll(x, 1) * np.roll(x, 2)
        model = make_pipeline(
            SlidingWindowTransformer(6), LSTMRegressor(n_jobs=1, random_state=0)
        ).fit(X[:2500], y[:2500])
        assert model.score(X[2500:], y[2500:]) > 0.9

    def test_the_network_adds_hardly_any_error_on_noise(self):
        rng = np.random.RandomState(0)
        noise, y = rng.randn(1600, 1), rng.randn(1600)
        windows = SlidingWindowTransformer(5).fit_transform(noise)
        model = LSTMRegressor(n_jobs=1, random_state=0).fit(windows[:600], y[:600])
        test, mean = slice(600, None), np.mean(y[:600])
        error = mean_squared_error(y[test], model.predict(windows[test]))
        assert error < 1.03 * np.mean((y[test] - mean) ** 2)

    def test_windows_with_missing_steps_are_filled_for_the_linear_map(self):
        x = np.random.RandomState(0).randn(300)
        X = x[:, None].copy()
        X[100] = np.nan
        model = make_pipeline(
            SlidingWindowTransformer(4), LSTMRegressor(4, max_epochs=2, n_jobs=1, random_state=0)
        ).fit(X, x)  # the target is the last step
        np.testing.assert_allclose(
            model.predict(X)[[0, 1, 2, 102, 103]], x[[0, 1, 2, 102, 103]], atol=0.1
        )

    def test_a_warm_start_keeps_the_map(self):
        windows = SlidingWindowTransformer(WINDOW).fit_transform(ROWS)
        y = ROWS[:, 0]
        model = LSTMRegressor(4, max_epochs=1, warm_start=True, n_jobs=1, random_state=0)
        before = model.fit(windows, y).net_.module_.skip.weights.clone()
        again = model.fit(windows, y + 1.0).net_.module_.skip.weights
        assert torch.equal(before, again)


def test_with_too_many_coefficients_for_all_columns_each_column_has_its_own_map(monkeypatch):
    data, own = panel(np.random.RandomState(0).randn(400, 4).cumsum(axis=0) % 5, 12, 3)
    monkeypatch.setattr(fitting, "_MOST_COEFFICIENTS", 12)
    map_ = fit_linear(data, gap=2, own=own)
    assert {member.scope for member in map_.choice} <= {"own", "shared"}
    for output, column in enumerate(np.repeat(np.arange(4), 3)):
        others = np.delete(np.arange(4), column)
        assert not map_.weights[output][:, others].any()
        assert map_.weights[output][:, column].any()
    # Not if only one of the columns is forecast: the others may tell more than its own.
    one = data.part(slice(None))
    one.targets = data.targets[:, :3]
    *_, last = fit_linear(one, 2, own=own.some(np.arange(3))).choice
    assert last.scope == RESIDUAL


def test_each_column_has_its_own_map_also_for_outputs_beyond_a_window(monkeypatch):
    data, own = panel(np.random.RandomState(0).randn(400, 2).cumsum(axis=0), 3, 8)
    monkeypatch.setattr(fitting, "_MOST_COEFFICIENTS", 1)
    map_ = fit_linear(data, gap=7, own=own)  # the products of a column: 3 + 1 + 8, of 6 values
    assert {member.scope for member in map_.choice} <= {"own", "shared"}
    assert not map_.weights[:8, :, 1].any()
    assert not map_.weights[8:, :, 0].any()


def test_outputs_of_a_single_column_may_have_their_leads_in_any_order(monkeypatch):
    data, own = panel(np.sin(np.arange(400.0))[:, None], 4, 3)
    order = np.array([2, 0, 1])
    data.targets, own = data.targets[:, order], own.some(order)
    expected = fit_linear(data, gap=2, own=own)
    monkeypatch.setattr(fitting, "_MOST_COEFFICIENTS", 1)
    found = fit_linear(data, gap=2, own=own)
    assert torch.equal(found.weights, expected.weights)
    assert torch.equal(found.intercept, expected.intercept)


def test_columns_that_tell_nothing_of_each_other_are_forecast_as_if_alone():
    rng, n = np.random.RandomState(0), 700
    columns = np.zeros((n, 8))
    for row in range(2, n):  # each its own process, with the same coefficients
        columns[row] = 1.5 * columns[row - 1] - 0.8 * columns[row - 2] + rng.randn(8)
    y = np.hstack([forecast_targets(column, 6) for column in columns.T])
    windows = SlidingWindowTransformer(30).fit_transform(columns)
    model = LSTMRegressor(4, max_epochs=1, random_state=0).fit(windows[:350], y[:350])
    error = np.square(model.predict(windows)[350:-6] - y[350:-6]).mean()
    # The best forecast: the true coefficients, applied again and again.
    states, best = [columns[349:-7], columns[350:-6]], []
    for _ in range(6):
        states.append(1.5 * states[-1] - 0.8 * states[-2])
        best.append(states[-1])
    least = np.square(np.stack(best, axis=2).reshape(len(best[0]), -1) - y[350:-6]).mean()
    assert error < 1.1 * least  # with maps of all columns only, 1.5 times


def noise(n, n_columns):
    """Columns that follow their own last value."""
    rng, columns = np.random.RandomState(0), np.zeros((n, n_columns))
    for row in range(1, n):
        columns[row] = 0.8 * columns[row - 1] + rng.randn(n_columns)
    return columns


def test_outputs_known_together_on_all_rows_and_apart_on_the_training_rows_can_be_fitted():
    columns = noise(400, 2)
    columns[:190, 1] = np.nan  # a column that begins later
    y = np.hstack([forecast_targets(column, 3) for column in columns.T])
    windows = SlidingWindowTransformer(6).fit_transform(columns)
    model = LSTMRegressor(4, max_epochs=1, random_state=0).fit(windows, y)
    assert np.isfinite(model.predict(windows)).all()


@pytest.mark.parametrize(
    ("leads", "window_size"),
    [([range(1, 41), range(2, 41)], 6), ([range(1, 71), *[range(1, 2)] * 11], 180)],
    ids=["leads that differ", "columns without a chosen output"],
)
def test_many_outputs_of_columns_with_other_leads_can_be_fitted(leads, window_size):
    columns = noise(500, len(leads))
    y = np.hstack(
        [np.array(forecast_targets(c, of_c)) for c, of_c in zip(columns.T, leads, strict=True)]
    )
    windows = SlidingWindowTransformer(window_size).fit_transform(columns)
    model = LSTMRegressor(
        4, max_epochs=1, random_state=0, target_leads=[lead for of_c in leads for lead in of_c]
    ).fit(windows, y)
    known = ~np.isnan(y)
    error = np.square(model.predict(windows) - y)[known].mean()
    assert error < np.nanvar(y)
