"""Ridge regressions in three bases, against those of scikit-learn."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, Ridge

from sklstm._linear.fitting import fit_linear
from sklstm._linear.penalties import Member
from tests.linear.data import TARGETS, VIEW, dataset, predicted


@pytest.mark.parametrize("basis", ["deviations", "differences", "levels"])
def test_without_a_penalty_the_map_is_a_linear_regression(basis):
    map_ = fit_linear(dataset(), gap=1, choice=(Member(basis, (0.0,), 1.0),))
    flat = VIEW.reshape(len(VIEW), -1)
    expected = LinearRegression().fit(flat, TARGETS)
    np.testing.assert_allclose(predicted(map_), expected.predict(flat), atol=1e-5)


@pytest.mark.parametrize("basis", ["deviations", "differences"])
@pytest.mark.parametrize("penalty", [1e-3, 1.0, 100.0])
def test_the_map_is_a_ridge_regression_without_penalty_on_the_last_step(basis, penalty):
    steps = VIEW[:, :-1] - VIEW[:, -1:] if basis == "deviations" else np.diff(VIEW, axis=1)
    steps = steps.reshape(len(VIEW), -1)
    alpha = penalty * steps.var(axis=0).mean() * len(VIEW)
    # A ridge on all columns: the last step is scaled up, so that its penalty is negligible.
    columns = np.hstack([steps, 1e6 * VIEW[:, -1]])
    expected = Ridge(alpha).fit(columns, TARGETS).predict(columns)
    map_ = fit_linear(dataset(), gap=1, choice=(Member(basis, (penalty,), 1.0),))
    np.testing.assert_allclose(predicted(map_), expected, atol=1e-5)


@pytest.mark.parametrize("basis", ["deviations", "differences"])
def test_a_large_penalty_leaves_a_map_of_the_last_step(basis):
    map_ = fit_linear(dataset(), gap=1, choice=(Member(basis, (1e9,), 1.0),))
    last = LinearRegression().fit(VIEW[:, -1], TARGETS)
    np.testing.assert_allclose(predicted(map_), last.predict(VIEW[:, -1]), atol=1e-6)


def test_levels_are_a_plain_ridge_regression_on_the_windows():
    flat = VIEW.reshape(len(VIEW), -1)
    alpha = 0.3 * flat.var(axis=0).mean() * len(VIEW)
    map_ = fit_linear(dataset(), gap=1, choice=(Member("levels", (0.3,), 1.0),))
    expected = Ridge(alpha).fit(flat, TARGETS).predict(flat)
    np.testing.assert_allclose(predicted(map_), expected, atol=1e-6)
