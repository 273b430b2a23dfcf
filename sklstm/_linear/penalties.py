"""Choose penalties and bases by their errors on left-out blocks of rows.

Left-out blocks with a margin on either side: P. Burman, E. Chow and D. Nolan, "A cross-validatory
method for dependent data", Biometrika 81(2), 1994. The one-standard-error rule: L.
Breiman et al., "Classification and regression trees", 1984.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from sklstm._linear.bases import BASES
from sklstm._linear.ridge import gram_matrix, ridge_solutions
from sklstm._linear.samples import Samples
from sklstm._linear.stacking import stacking_weights

# In units of the mean variance of the penalised columns.
_PENALTIES = 10.0 ** np.arange(-4.0, 3.1, 0.5)
# Few, long blocks, since these differ from each other about as much as future from past rows.
_N_LEFT_OUT_BLOCKS = 3
# The maps of the penalties within this many standard errors of the lowest error are averaged.
_STANDARD_ERRORS = 1.0
# With fewer rows, the blocks are too short to compare penalties.
ROWS_TO_CHOOSE = 40
_PENALTY_OF_FEW_ROWS = 0.1


@dataclass(frozen=True)
class Member:
    """Ridge regressions in one basis, averaged over penalties, and their stacking weight."""

    basis: str
    penalties: tuple[float, ...]
    weight: float


def choose_members(samples: Samples, gram: torch.Tensor, gap: int) -> tuple[Member, ...]:
    """Choose penalties and stacking weight of each basis on left-out blocks.

    Parameters
    ----------
    samples : Samples
    gram : torch.Tensor
        :func:`~sklstm._linear.ridge.gram_matrix` of all samples.
    gap : int
        Rows on either side of a block whose targets overlap with its own.

    Returns
    -------
    tuple of Member
    """
    n_rows, p, n_features = len(samples), samples.n_coefficients, samples.n_features
    of_few_rows = (Member("deviations", (_PENALTY_OF_FEW_ROWS,), 1.0),)
    if n_rows < ROWS_TO_CHOOSE:
        return of_few_rows
    # A window of one step has no differences.
    bases = tuple(BASES) if p > n_features else ("deviations", "levels")
    products = []
    edges = np.linspace(0, n_rows, _N_LEFT_OUT_BLOCKS + 1).astype(int)
    for start, stop in pairwise(edges):
        first, last = samples.window_of(start) - gap, samples.window_of(stop - 1) + gap
        margin_start, margin_stop = samples.rows_within(first, last)
        block = gram_matrix(samples.between(start, stop))
        others = gram - block
        for margin in ((margin_start, start), (stop, margin_stop)):
            others -= gram_matrix(samples.between(*margin))
        if not others[p, p] > 0.5:  # no row is left outside the block and its margins
            return of_few_rows
        products.append(_products_of_errors(block, others, p, n_features, bases))
    errors = np.stack(products)  # (blocks, bases * penalties, bases * penalties)
    n_penalties = len(_PENALTIES)
    averages, chosen = np.zeros((len(bases), errors.shape[1])), []
    for number in range(len(bases)):
        own = slice(number * n_penalties, (number + 1) * n_penalties)
        chosen.append(_within_a_standard_error(errors[:, own, own].diagonal(axis1=1, axis2=2)))
        averages[number, own] = chosen[-1] / chosen[-1].sum()
    weights = stacking_weights(averages @ errors @ averages.T)
    return tuple(
        Member(basis, tuple(_PENALTIES[own]), float(weight))
        for basis, own, weight in zip(bases, chosen, weights, strict=True)
        if weight > 0
    )


def _products_of_errors(
    block: torch.Tensor, others: torch.Tensor, p: int, n_features: int, bases: tuple[str, ...]
) -> np.ndarray:
    """Compute mean products of the errors in a block, for each pair of maps.

    There is a map for each basis and penalty, solved on the other rows. The diagonal holds the
    mean squared errors.
    """
    n_outputs = len(block) - p - 1
    # Maps the columns of the Gram matrix to the errors of each map: (columns, maps, outputs).
    error = torch.stack(
        [
            torch.cat([-coefficients, -intercept[None], torch.eye(n_outputs).double()])
            for basis in bases
            for coefficients, intercept in ridge_solutions(others, p, n_features, basis, _PENALTIES)
        ],
        dim=1,
    )
    with_block = (block @ error.flatten(1)).view_as(error)
    products = torch.einsum("cmo,cno->mn", error, with_block)
    return (products / block[p, p]).numpy()


def _within_a_standard_error(errors: np.ndarray) -> np.ndarray:
    """Find the penalties with errors (blocks, penalties) within a standard error of the best."""
    # A power of two changes no bit, and squares of huge or tiny errors stay finite and above zero.
    errors = np.ldexp(errors, -np.frexp(errors.max())[1])
    worse = errors - errors[:, [errors.mean(axis=0).argmin()]]
    error_of_mean = worse.std(axis=0, ddof=1) / np.sqrt(len(errors))
    return worse.mean(axis=0) <= _STANDARD_ERRORS * error_of_mean
