"""The residual of the linear map, which the network learns."""

from __future__ import annotations

import numpy as np
import torch

from sklstm._linear.fitting import fit_linear
from sklstm._linear.own_columns import find_own_columns
from sklstm._linear.samples import Dataset, batch_size_for
from sklstm._linear.skip import LinearSkip

# Below this fraction of the root mean square of the targets, that of the residuals is due to
# rounding only.
_NO_RESIDUAL = 1e-6


def solve_skip(
    dataset: Dataset, train: Dataset, validation: Dataset | None, gap: int, leads: np.ndarray
) -> tuple[LinearSkip, torch.Tensor, torch.Tensor | None]:
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

    Returns
    -------
    skip : LinearSkip
        Solved on all rows.
    train_residuals : torch.Tensor of shape (len(train), outputs)
        In units of ``skip.scale``, their root mean square.
    validation_residuals : torch.Tensor of shape (len(validation), outputs) or None
        In the same units.
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
    held_out = None
    if validation is not None:
        held_out = residual_targets(validation, map_.as_module(train.targets, scale))
    return final.as_module(train.targets, scale), residuals, held_out


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
