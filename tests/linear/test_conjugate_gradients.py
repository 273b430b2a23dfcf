"""Conjugate gradients, against the solution in closed form."""

import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_squared_error

from sklstm._linear import fitting
from sklstm._linear.fitting import fit_linear
from tests.linear.data import TARGETS, VIEW, dataset, predicted


def test_conjugate_gradients_converge_to_the_same_map(monkeypatch):
    monkeypatch.setattr(fitting, "_MOST_COEFFICIENTS", 1)
    map_ = fit_linear(dataset(), gap=1, choice=40)
    flat = VIEW.reshape(len(VIEW), -1)
    expected = LinearRegression().fit(flat, TARGETS).predict(flat)
    np.testing.assert_allclose(predicted(map_), expected, atol=1e-4)
    chosen = fit_linear(dataset(), gap=1)
    assert 0 < chosen.choice < 50
    assert mean_squared_error(TARGETS, predicted(chosen)) < 0.02
