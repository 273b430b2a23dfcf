"""The residual of the linear map, which is what the network learns."""

from __future__ import annotations

import torch

from sklstm._linear.fitting import fit_linear
from sklstm._linear.samples import Dataset, batch_size_for
from sklstm._linear.skip import LinearSkip

# In units of the target: a residual smaller than this is all rounding.
_NO_RESIDUAL = 1e-6


def solve_skip(
    dataset: Dataset, train: Dataset, validation: Dataset | None, gap: int
) -> tuple[LinearSkip, torch.Tensor, torch.Tensor | None]:
    """Solve the linear map beside the network, and compute the residuals that it learns.

    The coefficients of the map that the network learns with must not know the rows held out for
    validation; its penalties and stacking weights are those chosen on all rows. For predictions
    the map is solved on all rows: the latest are most like those to come.

    Parameters
    ----------
    dataset : Dataset
        All rows with a known target.
    train : Dataset
        Those to train on.
    validation : Dataset or None
        Those held out.
    gap : int
        Rows whose targets overlap.

    Returns
    -------
    skip : LinearSkip
        Solved on all rows.
    train_residuals : torch.Tensor of shape (len(train), outputs)
        In units of their size, as are those for validation.
    validation_residuals : torch.Tensor of shape (len(validation), outputs) or None
    """
    final = fit_linear(dataset, gap)
    map_ = final if validation is None else fit_linear(train, gap, final.choice)
    residuals = residual_targets(train, map_.as_module(train.targets))
    squares = residuals.square()
    scale = float((squares if train.weights is None else squares * train.weights).mean().sqrt())
    scale = scale if scale > _NO_RESIDUAL else 1.0
    residuals /= scale
    held_out = None
    if validation is not None:
        held_out = residual_targets(validation, map_.as_module(train.targets, scale))
    return final.as_module(train.targets, scale), residuals, held_out


def residual_targets(dataset: Dataset, skip: LinearSkip) -> torch.Tensor:
    """Subtract what the linear map predicts from the targets, in units of ``skip.scale``."""
    residuals, start = dataset.targets.clone(), 0
    for windows, _ in dataset.batches(None, batch_size_for(dataset.windows.shape[1:])):
        residuals[start : start + len(windows)] -= skip.linear(windows)
        start += len(windows)
    residuals /= skip.scale
    return residuals
