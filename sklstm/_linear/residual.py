"""The residual of the linear map, which the network learns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from sklstm._linear.fitting import Choice, fit_linear
from sklstm._linear.left_out import ROWS_TO_CHOOSE, left_out_blocks
from sklstm._linear.own_columns import OwnColumns, find_own_columns
from sklstm._linear.samples import Dataset, Samples, batch_size_for
from sklstm._linear.skip import LinearSkip

# Below this fraction of the root mean square of the targets, that of the residuals is due to
# rounding only.
_NO_RESIDUAL = 1e-6


@dataclass(frozen=True)
class Residuals:
    """Residuals of the linear map, in units of their root mean square.

    Attributes
    ----------
    train : torch.Tensor of shape (len(train), outputs)
    validation : torch.Tensor of shape (len(validation), outputs) or None
        Of the map that is solved without them.
    left_out : torch.Tensor of shape (len(train), outputs) or None
        Of the training rows too, each from a map that is solved without it. None: not asked for.
    """

    train: torch.Tensor
    validation: torch.Tensor | None
    left_out: torch.Tensor | None


def solve_skip(
    dataset: Dataset,
    train: Dataset,
    validation: Dataset | None,
    gap: int,
    leads: np.ndarray,
    left_out: bool = False,
) -> tuple[LinearSkip, Residuals]:
    """Solve the linear map beside the network, and compute the residuals that it learns.

    The map for the residuals is solved without the validation rows, so that these can show
    whether the network helps; its penalties and stacking weights are chosen on all rows. The map
    for predictions is solved on all rows, since the latest rows are most like future ones.

    Parameters
    ----------
    dataset : Dataset
        All usable rows: the training rows, the gap and the validation rows.
    train : Dataset
        The training rows.
    validation : Dataset or None
        The validation rows.
    gap : int
        Rows on either side of a row whose targets overlap with its own.
    leads : ndarray of int of shape (outputs,)
        How many rows after its own row each output becomes known.
    left_out : bool, default=False
        Whether to solve maps on a part of the training rows too. The residuals of the other rows
        show how far off the map is at rows to come.

    Returns
    -------
    skip : LinearSkip
        Solved on all rows.
    residuals : Residuals
        In units of ``skip.scale``.
    """
    own = find_own_columns(dataset, leads)
    final = fit_linear(dataset, gap, own=own)
    map_ = final if validation is None else fit_linear(train, gap, final.choice, own)
    residuals = residual_targets(train, map_.as_module(train.targets))
    scale, size = (
        _root_mean_square(values, train.weights) for values in (residuals, train.targets)
    )
    scale = scale if scale > _NO_RESIDUAL * size else 1.0
    residuals /= scale
    held_out = others = None
    if validation is not None:
        held_out = residual_targets(validation, map_.as_module(train.targets, scale))
    if left_out:
        others = _left_out_residuals(train, residuals, scale, gap, final.choice, own)
    return final.as_module(train.targets, scale), Residuals(residuals, held_out, others)


def _left_out_residuals(
    train: Dataset,
    residuals: torch.Tensor,
    scale: float,
    gap: int,
    choice: Choice | None,
    own: OwnColumns | None,
) -> torch.Tensor:
    """Solve the map without each of a few blocks of rows; return the residuals of these blocks.

    Those of the map of all training rows stay where too few rows are left to solve it on.
    """
    if len(train) < ROWS_TO_CHOOSE:
        return residuals
    found = residuals.clone()
    for left_out in left_out_blocks(Samples(train, torch.arange(len(train)), slice(None)), gap):
        block, others = (train.part(s.places.numpy()) for s in (left_out.block, left_out.others))
        known = others.weights is None or bool((others.weights > 0).any(dim=0).all())
        if len(others) and known:
            map_ = fit_linear(others, gap, choice, own).as_module(train.targets, scale)
            found[left_out.block.places.to(found.device)] = residual_targets(block, map_)
    return found


def _root_mean_square(values: torch.Tensor, weights: torch.Tensor | None) -> float:
    squares = values.square()
    return float((squares if weights is None else squares * weights).mean().sqrt())


def residual_targets(dataset: Dataset, skip: LinearSkip) -> torch.Tensor:
    """Subtract the predictions of the linear map from the targets; divide by ``skip.scale``."""
    residuals, start = dataset.targets.clone(), 0
    for windows, _ in dataset.batches(None, batch_size_for(dataset.windows.shape[1:])):
        residuals[start : start + len(windows)] -= skip.linear(windows)
        start += len(windows)
    residuals /= skip.scale
    return residuals
