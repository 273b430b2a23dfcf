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
from sklstm._linear.moments import Moments
from sklstm._linear.samples import Samples
from sklstm._linear.stacking import stacking_weights

# In units of the mean variance of the penalised columns.
_PENALTIES = 10.0 ** np.arange(-4.0, 3.1, 0.5)
# Few, long blocks, since these differ from each other about as much as future from past rows.
_N_LEFT_OUT_BLOCKS = 3
# The maps of the penalties within this many standard errors of the lowest error are averaged.
_STANDARD_ERRORS = 1.0
# Bases of the maps of the own column, beside those of all columns. In one column, the bases give
# nearly the same maps.
OTHER_BASES = ("deviations",)
# Whether persistence may take the place of the map.
PERSISTENCE = True
# Outputs that are predicted exactly have an error of rounding: this fraction of the largest.
_LEAST_OF_LARGEST = 1e-12
# With more outputs, the errors are those of some of them.
_MOST_OUTPUTS = 64
# With fewer rows, the blocks are too short to compare penalties.
ROWS_TO_CHOOSE = 40
_PENALTY_OF_FEW_ROWS = 0.1


@dataclass(frozen=True)
class Member:
    """Ridge regressions of one scope and basis, averaged over penalties; their stacking weight."""

    basis: str
    penalties: tuple[float, ...]
    weight: float
    scope: str = "all"


def choose_members(samples: Samples, moments: Moments, gap: int) -> tuple[Member, ...]:
    """Choose penalties and stacking weight of each scope and basis on left-out blocks.

    Parameters
    ----------
    samples : Samples
    moments : Moments
        Those of all samples.
    gap : int
        Rows on either side of a block whose targets overlap with its own.

    Returns
    -------
    tuple of Member
    """
    scopes = moments.scopes  # some of the outputs may have the same leads, while all have not
    if (outputs := _outputs_to_choose(moments)) is not None:
        samples, moments = samples.of_outputs(outputs), moments.of_outputs(outputs)
    n_rows, own = len(samples), moments.own
    together = moments.are_together
    of_few_rows = (Member("deviations", (_PENALTY_OF_FEW_ROWS,), 1.0, scopes[-1]),)
    if n_rows < ROWS_TO_CHOOSE:
        return of_few_rows
    # A window of one step has no differences.
    bases = tuple(BASES) if moments.p > moments.n_features else ("deviations", "levels")
    kinds = [
        (scope, basis, _PENALTIES)
        for scope in scopes
        for basis in (bases if scope == scopes[0] else OTHER_BASES)
    ]
    if own is not None and PERSISTENCE:
        kinds.append(("own", "persistence", np.zeros(1)))
    products = []
    edges = np.linspace(0, n_rows, _N_LEFT_OUT_BLOCKS + 1).astype(int)
    for start, stop in pairwise(edges):
        first, last = samples.window_of(start) - gap, samples.window_of(stop - 1) + gap
        margin_start, margin_stop = samples.rows_within(first, last)
        block = Moments.of(samples.between(start, stop), own, together)
        others = moments - block
        for margin in ((margin_start, start), (stop, margin_stop)):
            others -= Moments.of(samples.between(*margin), own, together)
        if not others.weight > 0.5:  # no row is left outside the block and its margins
            return of_few_rows
        products.append(_products_of_errors(block, others, kinds))
    errors, relative = map(np.stack, zip(*products, strict=True))  # (blocks, maps, maps)
    averages, chosen, start = np.zeros((len(kinds), errors.shape[1])), [], 0
    for average, (_, _, penalties) in zip(averages, kinds, strict=True):
        of_kind = slice(start, start + len(penalties))
        of_penalties = errors[:, of_kind, of_kind].diagonal(axis1=1, axis2=2)
        chosen.append(_within_a_standard_error(of_penalties))
        average[of_kind] = chosen[-1] / chosen[-1].sum()
        start = of_kind.stop
    of_members = averages @ errors @ averages.T
    of_relative = averages @ relative @ averages.T
    if kinds[-1][1] == "persistence":
        weights = stacking_weights(of_relative[:, :-1, :-1])
        weights = _sum_or_persistence(weights, of_members)
    else:
        weights = stacking_weights(of_relative)
    return tuple(
        Member(basis, tuple(penalties[best].tolist()), float(weight), scope)
        for (scope, basis, penalties), best, weight in zip(kinds, chosen, weights, strict=True)
        if weight > 0
    )


def _sum_or_persistence(weights: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Append the weight of persistence, the last member: all, if it was better, or else none.

    It was better if its error is less on the latest block and on most blocks. As one of the stacked
    members it would get some weight on every series, also where it is far worse.
    """
    weights = np.append(weights, 0.0)
    of_sum = np.einsum("m,bmn,n->b", weights, errors, weights)
    is_better = errors[:, -1, -1] <= of_sum
    if is_better[-1] and 2 * np.count_nonzero(is_better) > len(is_better):
        weights = np.eye(len(weights))[-1]
    return weights


def _outputs_to_choose(moments: Moments) -> np.ndarray | None:
    """Choose some of many outputs, evenly spread over leads and columns; None: all."""
    every = -(-moments.n_outputs // _MOST_OUTPUTS)
    if every == 1:
        return None
    if moments.own is None:
        return np.arange(moments.n_outputs)[::every]
    leads = np.unique(moments.own.leads)
    n_leads = max(_MOST_OUTPUTS * len(leads) // moments.n_outputs, 1)
    places = np.linspace(0, len(leads) - 1, n_leads + 1)[1:].round().astype(int)
    return np.flatnonzero(np.isin(moments.own.leads, leads[places]))


def _products_of_errors(
    block: Moments, others: Moments, kinds: list[tuple[str, str, np.ndarray]]
) -> tuple[np.ndarray, np.ndarray]:
    """Compute mean products of the errors in a block, for each pair of maps.

    There is a map for each kind and penalty, solved on the other rows.

    Returns
    -------
    products : ndarray of shape (maps, maps)
        The diagonal holds the mean squared errors.
    relative : ndarray of shape (maps, maps)
        The same, with the error of each output in units of its least one if there are maps of
        several scopes. Other columns may tell much of one output, and nothing of the others.
    """
    maps = [found for kind in kinds for found in others.solutions(*kind)]
    products = torch.zeros(len(maps), len(maps), dtype=torch.float64)
    relative = torch.zeros_like(products)
    for gram, rows, outputs in block.parts():
        # Maps the columns of the Gram matrix to the errors of each map: (columns, maps, outputs).
        error = torch.stack(
            [
                torch.cat(
                    [
                        -coefficients[rows, outputs],
                        -intercept[None, outputs],
                        torch.eye(len(intercept[outputs]), dtype=torch.float64),
                    ]
                )
                for coefficients, intercept in maps
            ],
            dim=1,
        )
        with_block = (gram @ error.flatten(1)).view_as(error)
        products += torch.einsum("cmo,cno->mn", error, with_block)
        if len(others.scopes) > 1:
            sizes = torch.einsum("cmo,cmo->mo", error, with_block)
            least = sizes.min(dim=0).values  # (outputs,)
            error /= least.clamp(min=_LEAST_OF_LARGEST * float(least.max()) or 1.0)
        relative += torch.einsum("cmo,cno->mn", error, with_block)
    return (products / block.weight).numpy(), (relative / block.weight).numpy()


def _within_a_standard_error(errors: np.ndarray) -> np.ndarray:
    """Find the penalties with errors (blocks, penalties) within a standard error of the best."""
    # A power of two changes no bit, and squares of huge or tiny errors stay finite and above zero.
    errors = np.ldexp(errors, -np.frexp(errors.max())[1])
    worse = errors - errors[:, [errors.mean(axis=0).argmin()]]
    error_of_mean = worse.std(axis=0, ddof=1) / np.sqrt(len(errors))
    return worse.mean(axis=0) <= _STANDARD_ERRORS * error_of_mean
