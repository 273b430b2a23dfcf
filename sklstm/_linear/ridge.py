"""Ridge regression in closed form, from the Gram matrix.

A. E. Hoerl and R. W. Kennard, "Ridge regression: biased estimation for nonorthogonal problems",
Technometrics 12(1), 1970.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import torch

from sklstm._linear.bases import BASES

# The smallest penalty, so that the equations can be solved for columns without a penalty and for
# constant columns. It is the larger of two: in units of the mean variance, and of the largest mean
# square. The latter exceeds the rounding error of the variance of a constant column.
_LEAST_PENALTY, _LEAST_OF_SQUARES = 1e-8, 1e-10
# Values of matrices that are decomposed at once.
_VALUES_AT_ONCE = 2**16

# One value of the window for each output (outputs,), and what it is multiplied with (outputs,).
OneValue = tuple[np.ndarray, torch.Tensor]


def ridge_solutions(
    gram: torch.Tensor,
    p: int,
    n_features: int,
    basis: str,
    penalties: Iterable[float],
    towards: OneValue | None = None,
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Solve the regression for each penalty, several of them at once if the matrix is small.

    Parameters
    ----------
    gram : torch.Tensor of shape (p + 1 + outputs, p + 1 + outputs)
        From :func:`~sklstm._linear.products.gram_matrices`.
    p : int
        Number of coefficients: window * features.
    n_features : int
    basis : str
        A key of ``BASES``. The last step has a penalty only with "levels", or if the penalties
        shrink the map towards another one.
    penalties : iterable of float
        In units of the mean variance of the penalised columns.
    towards : tuple (values, slopes) or None, default=None
        The map to which a large penalty shrinks: one value of the window for each output.

    Yields
    ------
    coefficients : torch.Tensor of shape (some penalties, p, outputs)
        Of deviations from the last step, for every basis.
    intercepts : torch.Tensor of shape (some penalties, outputs)
    """
    penalised = p if basis == "levels" or towards is not None else p - n_features
    weight = gram[p, p]
    mean, mean_target = gram[:p, p] / weight, gram[p, p + 1 :] / weight
    largest = float(gram.diagonal()[:p].max() / weight)
    covariance = (gram[:p, :p] / weight).addr_(mean, mean, alpha=-1)
    with_targets = gram[:p, p + 1 :] / weight - torch.outer(mean, mean_target)
    if towards is not None:
        values, slopes = towards
        with_targets -= covariance[:, values] * slopes
    to_basis, from_basis = BASES[basis]
    covariance = to_basis(to_basis(covariance, n_features).T, n_features)
    with_targets = to_basis(with_targets, n_features)
    variance = covariance.diagonal().clamp(min=0)
    scale = float(variance[:penalised].mean()) if penalised else 0.0
    least = max(_LEAST_PENALTY * float(variance.mean()), _LEAST_OF_SQUARES * (largest or 1.0))
    # A small matrix takes less time than the calls around it.
    for some in torch.tensor(tuple(penalties), dtype=gram.dtype).split(
        max(_VALUES_AT_ONCE // p**2, 1)
    ):
        shifted = covariance.repeat(len(some), 1, 1)  # (penalties, p, p)
        added = torch.full((len(some), p), least, dtype=gram.dtype)
        added[:, :penalised] += some[:, None] * scale
        shifted.diagonal(dim1=1, dim2=2).copy_(variance + added)
        factors = torch.linalg.cholesky(shifted)
        coefficients = from_basis(
            torch.cholesky_solve(with_targets.expand(len(some), -1, -1), factors), n_features
        )
        if towards is not None:
            coefficients[:, values, np.arange(len(values))] += slopes
        yield coefficients, mean_target - mean @ coefficients
