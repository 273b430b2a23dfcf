"""Ridge regression on windows of many values, without a matrix of their products.

Conjugate gradients read the windows once in an iteration. The solutions of all penalties lie in the
same Krylov space, so the iterations of the smallest one give all of them: A. Frommer and P. Maass,
"Fast CG-based methods for Tikhonov-Phillips regularization", SIAM Journal on Scientific Computing
20(5), 1999, with the recursion of B. Jegerlehner, "Krylov space solvers for shifted linear
systems", arXiv:hep-lat/9612014, 1996.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from sklstm._linear.bases import BASES, from_last_step
from sklstm._linear.left_out import ROWS_TO_CHOOSE, left_out_blocks
from sklstm._linear.penalties import Member, stacked_members
from sklstm._linear.samples import Samples

# In units of the mean variance of the columns. The last one leaves nothing of the map.
_PENALTIES = np.array([*10.0 ** np.arange(-4.0, 3.0), np.inf])
_PENALTY_OF_FEW_ROWS = 1.0
# Iterations end where the residual of every output is this part of that before the first one. The
# smallest penalties may need more, but an early end shrinks a map as a penalty does.
_SMALL_RESIDUAL, _MOST_ITERATIONS = 1e-3, 40
# Penalties are chosen on about this number of outputs.
_MOST_OUTPUTS = 16

# The scope of members that are solved for what other maps leave of the targets. In each basis all
# columns have a penalty, the last step too.
RESIDUAL = "residual"
_BASES = ("deviations", "levels")

# Coefficients (p, outputs) of deviations from the last step, and intercept (outputs,).
Map = tuple[torch.Tensor, torch.Tensor]


def zero_map(samples: Samples) -> Map:
    """Map every window to zero."""
    n_outputs = samples.dataset.targets[:0, samples.outputs].shape[1]
    zeros = torch.zeros(samples.n_coefficients, n_outputs, dtype=torch.float64)
    return zeros, zeros[0]


def with_residual_maps(samples: Samples, start: Map, members: Sequence[Member]) -> Map:
    """Add ridge regressions of what a map leaves of the targets, averaged and stacked.

    Parameters
    ----------
    samples : Samples
    start : tuple of torch.Tensor
        The map.
    members : sequence of Member
        From :func:`choose_residual_members`.
    """
    coefficients, intercept = start
    for member in members:
        maps = _ridge_path(samples, start, member.basis, np.array(member.penalties))
        coefficients = coefficients + member.weight * maps[0].mean(dim=0)
        intercept = intercept + member.weight * maps[1].mean(dim=0)
    return coefficients, intercept


def choose_residual_members(
    samples: Samples, start_of: Callable[[Samples], Map], gap: int
) -> tuple[Member, ...]:
    """Choose penalties and stacking weights by the errors on left-out blocks of rows.

    Parameters
    ----------
    samples : Samples
    start_of : callable
        Solves the map to start from on other samples.
    gap : int
        Rows on either side of a block whose targets overlap with its own.
    """
    of_few_rows = (Member("deviations", (_PENALTY_OF_FEW_ROWS,), 1.0, RESIDUAL),)
    if len(samples) < ROWS_TO_CHOOSE:
        return of_few_rows
    kinds = [(RESIDUAL, basis, _PENALTIES) for basis in _BASES]
    products = []
    for left_out in left_out_blocks(samples, gap):
        if not len(left_out.others):
            return of_few_rows
        coefficients, intercept = start_of(left_out.others)
        outputs = np.arange(len(intercept))[:: -(-len(intercept) // _MOST_OUTPUTS)]
        start = coefficients[:, outputs], intercept[outputs]
        others, block = left_out.others, left_out.block
        if len(outputs) < len(intercept):
            others, block = others.of_outputs(outputs), block.of_outputs(outputs)
        paths = [_ridge_path(others, start, basis, _PENALTIES) for basis in _BASES]
        products.append(_products_of_errors(block, start, paths))
    if len(products) < 2:  # of many series at few times
        return of_few_rows
    return stacked_members(np.stack(products)[:, np.newaxis], kinds)


def _products_of_errors(samples: Samples, start: Map, paths: Sequence[Map]) -> np.ndarray:
    """Compute mean products of the errors of each pair of maps that are added to a map."""
    coefficients = start[0] + torch.cat([path[0] for path in paths])  # (maps, p, outputs)
    intercepts = start[1] + torch.cat([path[1] for path in paths])
    n_maps = len(coefficients)
    total, products = 0.0, torch.zeros(n_maps, n_maps, dtype=torch.float64)
    for windows, targets, weights in samples.batches():
        values = from_last_step(windows).flatten(1)
        errors = targets - values @ coefficients.to(values) - intercepts[:, None].to(values)
        weighted = errors if weights is None else errors * weights
        products += (errors.flatten(1) @ weighted.flatten(1).T).double().cpu()
        total += len(targets) if weights is None else float(weights.sum())
    return (products / total).numpy()


def _ridge_path(samples: Samples, start: Map, basis: str, penalties: np.ndarray) -> Map:
    """Solve for each penalty: coefficients (penalties, p, outputs), intercepts."""
    in_basis = from_last_step if basis == "deviations" else torch.Tensor.contiguous
    some_windows, *_ = next(samples.batches())
    # About the mean: products of values far from zero would lose their deviations in float32.
    centre = in_basis(some_windows).flatten(1).mean(dim=0)
    sums = squares = with_targets = torch.zeros((), dtype=torch.float64)
    for windows, targets, weights in samples.batches():
        deviations = from_last_step(windows).flatten(1)
        values = in_basis(windows).flatten(1) - centre
        residuals = targets - deviations @ start[0].to(values) - start[1].to(values)
        columns = torch.cat([values, residuals, residuals.new_ones(len(values), 1)], dim=1)
        weighted = columns if weights is None else columns * weights
        p = values.shape[1]
        sums = sums + weighted.sum(dim=0).double().cpu()
        squares = squares + (values * weighted[:, :p]).sum(dim=0).double().cpu()
        with_targets = with_targets + (values.T @ weighted[:, p:-1]).double().cpu()
    mean, mean_residual = sums[:p] / sums[-1], sums[p:-1] / sums[-1]
    variance = (squares / sums[-1] - mean**2).clamp(min=0)
    right = with_targets / sums[-1] - torch.outer(mean, mean_residual)

    def covariance(vectors: torch.Tensor) -> torch.Tensor:
        """Multiply the covariance of the values with vectors (p, outputs)."""
        product = torch.zeros_like(vectors)
        for windows, _, weights in samples.batches():
            values = in_basis(windows).flatten(1) - centre
            output = values @ vectors.to(values) - (mean @ vectors).to(values)
            output = output if weights is None else output * weights
            product += (values.T @ output).double().cpu()
        return product / sums[-1]

    coefficients = torch.zeros(len(penalties), *right.shape, dtype=torch.float64)
    is_finite = np.isfinite(penalties)
    if is_finite.any():
        shifts = torch.from_numpy(penalties[is_finite]) * (float(variance.mean()) or 1.0)
        coefficients[is_finite] = _solve_shifted(covariance, right, shifts)
    intercepts = mean_residual - torch.einsum("p,kpo->ko", mean + centre.cpu(), coefficients)
    return BASES[basis][1](coefficients, samples.n_features), intercepts


def _solve_shifted(
    matrix: Callable[[torch.Tensor], torch.Tensor], right: torch.Tensor, shifts: torch.Tensor
) -> torch.Tensor:
    """Solve (matrix + shift) x = right for several increasing shifts, the first of which rules.

    Returns
    -------
    torch.Tensor of shape (shifts, p, outputs)
    """
    more = (shifts - shifts[0])[:, None]  # (shifts, 1)
    solutions = torch.zeros(len(shifts), *right.shape, dtype=right.dtype)
    directions, residual = right.repeat(len(shifts), 1, 1), right
    norm = first_norm = residual.square().sum(dim=0)  # (outputs,)
    # The residual of each shift is that of the first one, times a factor (shifts, outputs).
    factor = before = torch.ones(len(shifts), right.shape[1], dtype=right.dtype)
    step_before, growth = torch.ones_like(norm), torch.zeros_like(norm)
    for _ in range(_MOST_ITERATIONS):
        if (norm <= _SMALL_RESIDUAL**2 * first_norm).all():
            break
        product = matrix(directions[0]) + shifts[0] * directions[0]
        step = _ratio(norm, (directions[0] * product).sum(dim=0))
        after = _ratio(
            factor * before * step_before,
            step * growth * (before - factor) + before * step_before * (1 + step * more),
        )
        change = _ratio(after, factor)
        solutions += (step * change)[:, None] * directions
        residual = residual - step * product
        norm, norm_before = residual.square().sum(dim=0), norm
        growth, step_before = _ratio(norm, norm_before), step
        directions *= (growth * change**2)[:, None]
        directions += after[:, None] * residual
        factor, before = after, factor
    return solutions


def _ratio(over: torch.Tensor, under: torch.Tensor) -> torch.Tensor:
    """Divide; zero where nothing is left to be solved."""
    return torch.where(under == 0, 0.0, over / torch.where(under == 0, 1.0, under))
