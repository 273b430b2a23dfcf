"""Stacking weights: how much of each map to add up.

L. Breiman, "Stacked regressions", Machine Learning 24(1), 1996.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

# Added to the mean square of the errors of each member, so that members whose errors cannot be
# told apart get the same weight.
_TOWARDS_EQUAL = 0.1


def stacking_weights(errors: np.ndarray) -> np.ndarray:
    """Find weights, none below zero and with a sum of one, of the lowest error in all blocks.

    Parameters
    ----------
    errors : ndarray of shape (blocks, members, members)
        Mean products of the errors of each two members. Each block is put in units of its
        mean squared error, so that a block of large values does not decide alone.

    Returns
    -------
    ndarray of shape (members,)
    """
    sizes = errors.trace(axis1=1, axis2=2) / errors.shape[1]
    if not (sizes > 0).all():  # every member predicts exactly
        return np.full(errors.shape[1], 1 / errors.shape[1])
    mean_errors = (errors / sizes[:, np.newaxis, np.newaxis]).mean(axis=0)
    squares, directions = np.linalg.eigh(mean_errors)  # rounding may leave squares below zero
    root = np.sqrt(squares.clip(0) + _TOWARDS_EQUAL)
    # The minimum of a quadratic form on the plane of sum one lies in the direction of the
    # minimum of the form less the sum of the weights, which is a problem of least squares.
    weights, _ = nnls(root[:, np.newaxis] * directions.T, directions.sum(axis=0) / root)
    return weights / weights.sum()
