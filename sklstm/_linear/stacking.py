"""Stacking weights: the weight of each map in their sum.

L. Breiman, "Stacked regressions", Machine Learning 24(1), 1996.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

# Ridge penalty on the weights, in units of the mean squared error. With it, members with nearly the
# same errors get nearly the same weight.
_TOWARDS_EQUAL = 0.1


def stacking_weights(errors: np.ndarray) -> np.ndarray:
    """Find the non-negative weights with sum one that have the lowest error over all blocks.

    Parameters
    ----------
    errors : ndarray of shape (blocks, members, members)
        Mean products of the errors of each pair of members. Each block is divided by its
        mean squared error, so that a block of large values does not dominate.

    Returns
    -------
    ndarray of shape (members,)
    """
    sizes = errors.trace(axis1=1, axis2=2) / errors.shape[1]
    if not (sizes > 0).all():  # every member predicts a block exactly
        return np.full(errors.shape[1], 1 / errors.shape[1])
    mean_errors = (errors / sizes[:, np.newaxis, np.newaxis]).mean(axis=0)
    eigenvalues, eigenvectors = np.linalg.eigh(mean_errors)
    # Eigenvalues may be below zero by rounding.
    root = np.sqrt(eigenvalues.clip(0) + _TOWARDS_EQUAL)
    # Minimise the quadratic form minus twice the sum of the weights, by least squares. The
    # solution, divided by its sum, minimises the form among weights with sum one.
    weights, _ = nnls(root[:, np.newaxis] * eigenvectors.T, eigenvectors.sum(axis=0) / root)
    return weights / weights.sum()
