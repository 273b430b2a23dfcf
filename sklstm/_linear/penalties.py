"""Choose penalties and bases by their errors on left-out blocks of rows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from sklstm._linear.bases import BASES
from sklstm._linear.left_out import ROWS_TO_CHOOSE, left_out_blocks, within_a_standard_error
from sklstm._linear.moments import Moments
from sklstm._linear.samples import Samples
from sklstm._linear.stacking import stacking_weights

# In units of the mean variance of the penalised columns.
_PENALTIES = 10.0 ** np.arange(-4.0, 3.1, 0.5)
# With more coefficients than this, or fewer rows for each, maps of all columns are mostly noise,
# and take most of the time: fewer of them are compared, and more of those of the own columns.
_MANY_COEFFICIENTS, _ROWS_PER_COEFFICIENT = 1024, 10
# Whether persistence may take the place of the map: where the map is not better by this factor.
PERSISTENCE, _NOT_BETTER = True, 0.97
# Outputs that are predicted exactly have an error of rounding: this fraction of the largest.
_LEAST_OF_LARGEST = 1e-12
# With more outputs, the errors are those of some of them. Of maps of all columns, those of each
# output take memory for every column.
_MOST_OUTPUTS, _MOST_COLUMNS = 64, 256
_PENALTY_OF_FEW_ROWS = 0.1


Kind = tuple[str, str, np.ndarray]  # scope, basis, penalties


@dataclass(frozen=True)
class Member:
    """Ridge regressions of one scope and basis, averaged over penalties; their stacking weight.

    With ``columns``, they take the place of the other members for the outputs of these columns.
    """

    basis: str
    penalties: tuple[float, ...]
    weight: float
    scope: str = "all"
    columns: tuple[int, ...] | None = None


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
    own = moments.own
    together = moments.are_together
    of_few_rows = (Member("deviations", (_PENALTY_OF_FEW_ROWS,), 1.0, scopes[-1]),)
    if len(samples) < ROWS_TO_CHOOSE:
        return of_few_rows
    kinds = _kinds(scopes, moments, len(samples))
    products = []
    for left_out in left_out_blocks(samples, gap):
        block = Moments.of(left_out.block, own, together)
        margins = (Moments.of(margin, own, together) for margin in left_out.margins)
        others = moments.less(block, *margins)
        if not others.weight > 0.5:  # no row is left outside the block and its margins
            return of_few_rows
        products.append(_products_of_errors(block, others, kinds))
    if len(products) < 2:  # of many series at few times
        return of_few_rows
    is_relative = len(moments.scopes) > 1
    columns = None if own is None else own.columns
    return stacked_members(np.stack(products), kinds, is_relative, columns)


def stacked_members(
    products: np.ndarray,
    kinds: list[Kind],
    is_relative: bool = False,
    columns: np.ndarray | None = None,
) -> tuple[Member, ...]:
    """Choose penalties of each kind, and stacking weights, by errors on left-out blocks.

    Parameters
    ----------
    products : ndarray of shape (blocks, outputs, maps, maps)
        Mean products of the errors of each pair of maps, for the penalties of each kind. The
        diagonal holds mean squared errors.
    kinds : list of (scope, basis, penalties)
    is_relative : bool, default=False
        Whether stacking weights take the error of each output in units of its least one: other
        columns may tell much of one output, and nothing of the others.
    columns : ndarray of shape (outputs,) or None, default=None
        The own column of each output, needed for persistence.
    """
    errors = products.sum(axis=1)
    averages, chosen, start = np.zeros((len(kinds), errors.shape[1])), [], 0
    for average, (_, _, penalties) in zip(averages, kinds, strict=True):
        of_kind = slice(start, start + len(penalties))
        of_penalties = errors[:, of_kind, of_kind].diagonal(axis1=1, axis2=2)
        chosen.append(within_a_standard_error(of_penalties))
        average[of_kind] = chosen[-1] / chosen[-1].sum()
        start = of_kind.stop
    of_members = averages @ products @ averages.T
    relative = of_members
    if is_relative:
        least = products.diagonal(axis1=2, axis2=3).min(axis=2)  # (blocks, outputs)
        floor = _LEAST_OF_LARGEST * least.max(axis=1, keepdims=True)
        least = np.maximum(least, np.where(floor > 0, floor, 1.0))
        relative = of_members / least[:, :, np.newaxis, np.newaxis]
    has_persistence = kinds[-1][1] == "persistence"
    n_stacked = len(kinds) - has_persistence
    weights = stacking_weights(relative.sum(axis=1)[:, :n_stacked, :n_stacked])
    members = tuple(
        Member(basis, tuple(penalties[best].tolist()), float(weight), scope)
        for (scope, basis, penalties), best, weight in zip(kinds, chosen, weights, strict=False)
        if weight > 0
    )
    if not has_persistence:
        return members
    assert columns is not None
    persistence = Member("persistence", (0.0,), 1.0, "own")
    are_persistent = [
        column
        for column in np.unique(columns).tolist()
        if _is_persistent(of_members[:, columns == column].sum(axis=1), weights)
    ]
    if len(are_persistent) == len(np.unique(columns)):
        return (persistence,)
    if not are_persistent:
        return members
    return (*members, replace(persistence, columns=tuple(are_persistent)))


def _kinds(scopes: tuple[str, ...], moments: Moments, n_rows: int) -> list[Kind]:
    """List the maps to be compared; persistence is the last one."""
    # A window of one step has no differences.
    bases = tuple(BASES) if moments.p > moments.n_features else ("deviations", "levels")
    few = ("deviations",) if len(scopes) > 1 else ("deviations", "levels")
    is_large = moments.p > _MANY_COEFFICIENTS
    are_many = is_large or not moments.are_together
    if len(scopes) > 1:
        are_many |= moments.p * _ROWS_PER_COEFFICIENT > n_rows
    penalties = _PENALTIES[::2] if is_large else _PENALTIES
    kinds: list[Kind] = []
    for scope in scopes:
        of_scope = bases if (scope == "all") != are_many else few
        kinds += [(scope, basis, penalties) for basis in of_scope]
    if moments.own is not None and PERSISTENCE:
        kinds.append(("own", "persistence", np.zeros(1)))
    return kinds


def _is_persistent(errors: np.ndarray, weights: np.ndarray) -> bool:
    """Tell whether persistence, the last member, takes the place of the sum of the others.

    It does where the sum is not better by ``_NOT_BETTER`` on the latest block and on most blocks.
    As one of the stacked members it would get some weight everywhere, also where it is far worse.
    """
    of_sum = np.einsum("m,bmn,n->b", weights, errors[:, :-1, :-1], weights)
    not_better = of_sum >= _NOT_BETTER * errors[:, -1, -1]
    return bool(not_better[-1] and 2 * np.count_nonzero(not_better) > len(not_better))


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
    is_chosen = np.isin(moments.own.leads, leads[places])
    if moments.are_together:
        columns = np.unique(moments.own.columns[is_chosen])
        some = columns[:: -(-len(columns) // _MOST_COLUMNS)]
        is_chosen &= np.isin(moments.own.columns, some)
    return np.flatnonzero(is_chosen)


def _products_of_errors(block: Moments, others: Moments, kinds: list[Kind]) -> np.ndarray:
    """Compute mean products of the errors in a block, for each output and pair of maps.

    There is a map for each kind and penalty, solved on the other rows: (outputs, maps, maps).
    """
    parts = list(block.parts())
    n_maps = sum(len(penalties) for *_, penalties in kinds)
    # They map the columns of a Gram matrix to the errors of each map: (outputs, maps, columns).
    errors = []
    for gram, rows, _ in parts:
        n_outputs = len(gram) - 1 - len(range(block.p)[rows])
        error = gram.new_zeros(n_outputs, n_maps, len(gram))
        error[:, :, -n_outputs:] = torch.eye(n_outputs, dtype=gram.dtype)[:, None]
        errors.append(error)
    maps, start = (found for kind in kinds for found in others.solutions(*kind)), 0
    for coefficients, intercepts in maps:
        some = slice(start, start + len(coefficients))
        for error, (_, rows, outputs) in zip(errors, parts, strict=True):
            n_values = len(range(block.p)[rows])
            error[:, some, :n_values] = -coefficients[:, rows, outputs].permute(2, 0, 1)
            error[:, some, n_values] = -intercepts[:, outputs].T
        start = some.stop
    products = torch.zeros(block.n_outputs, n_maps, n_maps, dtype=torch.float64)
    for error, (gram, _, outputs) in zip(errors, parts, strict=True):
        products[outputs] = (error @ gram) @ error.mT
    return (products / block.weight).numpy()
