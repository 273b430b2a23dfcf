"""A series, targets that no linear map predicts, and rows with missing values."""

import numpy as np
import pytest

from tests.export.serving import N_ROWS


@pytest.fixture(scope="module")
def series():
    """Walks with very different levels and sizes."""
    steps = np.random.default_rng(0).normal(size=(N_ROWS, 3)) + 0.1
    return steps.cumsum(axis=0) * [1, 1e9, 1e-6] + [50, 1e11, 1e-5]


@pytest.fixture(scope="module")
def target(series):
    """What no linear map predicts: positive, with as many sizes as there are features."""
    noise = np.random.default_rng(1).uniform(0.5, 1.5, series.shape)
    return series * noise


@pytest.fixture
def holed(series):
    """The same rows with missing steps and values."""
    rows = series.copy()
    rows[40:43] = rows[60:90] = np.nan  # more steps than a window
    rows[100, 1] = rows[110:130, 0] = np.nan
    rows[200:, 2] = np.nan
    return rows
