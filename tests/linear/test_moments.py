"""Maps of all columns, of the own ones, and one that they share."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from sklstm._linear import moments as moments_module
from sklstm._linear import ridge as ridge_module
from sklstm._linear.moments import Moments
from sklstm._linear.own_columns import find_own_columns
from sklstm._linear.penalties import _products_of_errors
from sklstm._linear.samples import Samples
from tests.linear.test_own_columns import ROWS, ahead, data_set

WINDOW, LEADS = 4, np.array([1, 1, 2, 2])
# Columns 2 and 0, in other units; each lead.
TARGETS = np.stack([ahead(2, 1), 2 * ahead(0, 1) + 5, ahead(2, 2), 2 * ahead(0, 2) + 5], axis=1)
DATA = data_set(TARGETS, window_size=WINDOW)
OWN = find_own_columns(DATA, LEADS)
KNOWN = np.arange(WINDOW - 1, 298)  # rows whose targets are known


def samples():
    return Samples(DATA, torch.arange(len(KNOWN)), slice(None))


def solution(moments, scope, basis, penalty):
    ((coefficients, intercepts),) = moments.solutions(scope, basis, [penalty])
    return coefficients[0], intercepts[0]


def windows_of(column):
    view = np.stack([ROWS[KNOWN - WINDOW + 1 + k, column] for k in range(WINDOW)], axis=1)
    return np.concatenate([view[:, :-1] - view[:, -1:], view[:, -1:]], axis=1)  # deviations


def ridge(X, y, penalty):
    """Ridge without a penalty on the last step."""
    centred = X - X.mean(axis=0)
    unit = (centred[:, :-1] ** 2).mean()  # of the penalised columns
    scaled = np.vstack([centred, np.sqrt(len(X) * penalty * unit) * np.eye(WINDOW)[:-1]])
    filled = np.vstack([y - y.mean(axis=0), np.zeros((WINDOW - 1, y.shape[1]))])
    return np.linalg.lstsq(scaled, filled, rcond=None)[0]


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("penalty", [0.01, 10.0])
def test_a_map_of_the_own_column_is_a_regression_on_this_column(together, penalty):
    moments = Moments.of(samples(), OWN, together)
    coefficients, intercept = solution(moments, "own", "deviations", penalty)
    for column, outputs in ((2, [0, 2]), (0, [1, 3])):
        X, y = windows_of(column), TARGETS[KNOWN][:, outputs]
        expected = ridge(X, y, penalty)
        np.testing.assert_allclose(coefficients[column::3, outputs], expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(
            X @ expected + y.mean(axis=0) - X.mean(axis=0) @ expected,
            X @ coefficients[column::3, outputs].numpy() + intercept[outputs].numpy(),
            rtol=1e-5, atol=1e-5,
        )  # fmt: skip
    assert not coefficients[1::3].any()
    assert not coefficients[0::3, [0, 2]].any()


@pytest.mark.parametrize("together", [True, False])
def test_a_shared_map_is_a_regression_on_the_rows_of_all_columns(together):
    moments = Moments.of(samples(), OWN, together)
    coefficients, intercept = solution(moments, "shared", "deviations", 0.1)
    X = np.concatenate([windows_of(2), windows_of(0)])
    y = np.concatenate([np.stack([ahead(c, 1), ahead(c, 2)], axis=1)[KNOWN] for c in (2, 0)])
    expected = ridge(X, y, 0.1)
    constant = y.mean(axis=0) - X.mean(axis=0) @ expected
    np.testing.assert_allclose(coefficients[2::3, [0, 2]], expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(coefficients[0::3, [1, 3]], 2 * expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(intercept[[0, 2]], constant, atol=1e-5)
    np.testing.assert_allclose(intercept[[1, 3]], 2 * constant + 5, atol=1e-5)


def test_persistence_is_the_last_value_in_the_unit_of_the_output():
    moments = Moments.of(samples(), OWN, True)
    coefficients, intercept = solution(moments, "own", "persistence", 0.0)
    last = np.zeros((len(KNOWN), 3 * WINDOW))
    last[:, -3:] = ROWS[KNOWN]
    predicted = last @ coefficients.numpy() + intercept.numpy()
    expected = np.stack([ROWS[:, 2], 2 * ROWS[:, 0] + 5] * 2, axis=1)[KNOWN]
    np.testing.assert_allclose(predicted, expected, atol=1e-8)


@pytest.mark.parametrize("at_once", [1, 2**16])
@pytest.mark.parametrize("together", [True, False])
def test_products_of_errors_are_those_of_the_residuals(together, at_once, monkeypatch):
    monkeypatch.setattr(ridge_module, "_VALUES_AT_ONCE", at_once)
    monkeypatch.setattr(moments_module, "_VALUES_AT_ONCE", at_once)
    is_first = np.arange(len(KNOWN)) < 100
    first, rest = samples().where(is_first), samples().where(~is_first)
    moments = [Moments.of(part, OWN, together) for part in (first, rest)]
    penalties = np.array([0.1, 1.0])
    kinds = [(scope, "deviations", penalties) for scope in moments[0].scopes]
    kinds.append(("own", "persistence", np.zeros(1)))
    found = _products_of_errors(*moments, kinds)
    X = np.stack([windows_of(column) for column in range(3)], axis=2).reshape(len(KNOWN), -1)
    residuals = [
        TARGETS[KNOWN][:100] - X[:100] @ coefficients.numpy() - intercept.numpy()
        for kind in kinds
        for some in moments[1].solutions(*kind)
        for coefficients, intercept in zip(*some, strict=True)
    ]
    expected = [[(a * b).sum(axis=0) / 100 for b in residuals] for a in residuals]
    np.testing.assert_allclose(found, np.moveaxis(expected, 2, 0), rtol=1e-5, atol=1e-7)


def test_some_outputs_have_the_maps_that_they_have_among_all():
    for together in (True, False):
        moments = Moments.of(samples(), OWN, together)
        some = moments.of_outputs(np.array([2, 3]))
        for scope in moments.scopes:
            all_of_them, _ = solution(moments, scope, "deviations", 0.1)
            of_some, _ = solution(some, scope, "deviations", 0.1)
            np.testing.assert_allclose(of_some, all_of_them[:, [2, 3]], atol=1e-9)


def test_a_map_of_all_columns_is_not_solved_from_matrices_of_each():
    assert Moments.of(samples(), OWN, True).scopes == ("all", "own", "shared")
    assert Moments.of(samples(), OWN, False).scopes == ("own", "shared")
    assert Moments.of(samples(), None, True).scopes == ("all",)


@pytest.mark.parametrize("basis", ["deviations", "differences"])
@pytest.mark.parametrize("penalty", [0.01, 10.0, 1e9])
def test_penalties_shrink_a_map_of_all_columns_towards_persistence(basis, penalty):
    moments = Moments.of(samples(), OWN, True)
    coefficients, intercept = solution(moments, "all", basis, penalty)
    levels = np.stack([ROWS[KNOWN - WINDOW + 1 + k] for k in range(WINDOW)], axis=1)
    before = levels[:, -1:] - levels[:, :-1]
    if basis == "differences":
        before = np.diff(levels, axis=1)
    X = np.concatenate([before, levels[:, -1:]], axis=1).reshape(len(KNOWN), -1)
    last = np.stack([ROWS[KNOWN, 2], 2 * ROWS[KNOWN, 0] + 5] * 2, axis=1)
    alpha = penalty * X.var(axis=0).mean() * len(X)
    expected = last + Ridge(alpha).fit(X, TARGETS[KNOWN] - last).predict(X)
    deviations = np.stack([windows_of(column) for column in range(3)], axis=2)
    found = deviations.reshape(len(KNOWN), -1) @ coefficients.numpy() + intercept.numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    if penalty == 1e9:
        errors = (TARGETS[KNOWN] - last).mean(axis=0)
        np.testing.assert_allclose(found, last + errors, atol=1e-5)
