"""Bases for the coefficients of a window, against numpy."""

import numpy as np
import pytest
import torch

from sklstm._linear.bases import BASES, from_last_step

WINDOW, FEATURES, OUTPUTS = 5, 2, 3
VIEW = np.random.RandomState(0).randn(20, WINDOW, FEATURES)
DEVIATIONS = np.concatenate([VIEW[:, :-1] - VIEW[:, -1:], VIEW[:, -1:]], axis=1)
IN_BASIS = {
    "deviations": DEVIATIONS,
    "differences": np.concatenate([np.diff(VIEW, axis=1), VIEW[:, -1:]], axis=1),
    "levels": VIEW,
}


def test_windows_become_deviations_from_their_last_step():
    np.testing.assert_array_equal(from_last_step(torch.from_numpy(VIEW)), DEVIATIONS)


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("window", [2, WINDOW])
def test_rows_of_deviations_become_rows_in_the_basis(basis, window):
    deviations = torch.from_numpy(DEVIATIONS[:, -window:].reshape(len(VIEW), -1))
    expected = IN_BASIS[basis][:, -window:].reshape(len(VIEW), -1)
    to_basis, _ = BASES[basis]
    np.testing.assert_allclose(to_basis(deviations.T, FEATURES).T, expected, atol=1e-12)


@pytest.mark.parametrize("basis", BASES)
def test_coefficients_in_a_basis_predict_the_same_as_those_of_deviations(basis):
    coefficients = np.random.RandomState(1).randn(WINDOW * FEATURES, OUTPUTS)
    _, from_basis = BASES[basis]
    back = from_basis(torch.from_numpy(coefficients), FEATURES).numpy()
    predicted = DEVIATIONS.reshape(len(VIEW), -1) @ back
    expected = IN_BASIS[basis].reshape(len(VIEW), -1) @ coefficients
    np.testing.assert_allclose(predicted, expected, atol=1e-12)
