"""What the linear map leaves: the network's targets, and the share of its outputs that pays."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import torch

from sklstm._linear.fitting import fit_linear

# Shares of the network's outputs to choose from, and blocks of validation rows to judge them.
_SHARES, _N_BLOCKS = np.linspace(0, 1, 21), 5
# So many forecasts that do not overlap would have to agree for the share to count half.
_FORECASTS_TO_BELIEVE = 10
# For the linear map, of which many windows would take more memory than those of training.
_VALUES_OF_A_BATCH = 2**18
# In units of the target: where a linear map leaves less, it is all rounding.
_NOTHING_LEFT = 1e-6


def solve_skip(dataset, train, validation, gap):
    """Solve the linear map beside the network, and leave the network what it leaves.

    The map that the network learns with must not know the rows held out for validation.
    In the end it is solved again on all rows: the latest are most like those to come.

    Parameters
    ----------
    dataset : WindowDataset
        All rows with a known target.
    train : WindowDataset
        Those to train on. Its targets become what the map leaves of them.
    validation : WindowDataset or None
        Those held out, likewise.
    gap : int
        Rows whose targets overlap.

    Returns
    -------
    LinearSkip
    """
    map_ = last = fit_linear(dataset, gap)
    if validation is not None:
        map_ = fit_linear(train, gap, last.choice)
    subtract(train, map_.skip(train.targets))
    left = train.targets.square()
    scale = float((left if train.weights is None else left * train.weights).mean().sqrt())
    scale = scale if scale > _NOTHING_LEFT else 1.0
    train.targets /= scale
    if validation is not None:
        subtract(validation, map_.skip(train.targets, scale))
    return last.skip(train.targets, scale)


def subtract(dataset, skip):
    """Turn targets into what a linear map leaves of them, in units of ``skip.scale``."""
    size = max(_VALUES_OF_A_BATCH // math.prod(dataset.windows.shape[1:]), 16)
    for start in range(0, len(dataset), size):
        part = dataset.part(start, start + size)
        for windows, _ in part.batches(None, size):
            part.targets -= skip.linear(windows)
    dataset.targets /= skip.scale


@torch.no_grad()
def share_that_pays(net, validation, cautious=True) -> float:
    """Find how much of the network's outputs to add to the linear map.

    The share is the one with the lowest validation loss, after adding a standard error of
    what it gains over no network at all: a gain in one part of the validation rows and a
    loss in another one are no reason to trust the network. The fewer forecasts there are
    to judge by, the less of it is taken: the rows to come differ from the latest ones.

    Parameters
    ----------
    net : WindowNet
        Trained.
    validation : WindowDataset
        What the linear map leaves of the rows held out.
    cautious : bool, default=True
        False takes the share with the lowest loss as it is. For a loss that is not the
        one the map was solved for, the network also has to correct the map.

    Returns
    -------
    float
        From 0 to 1.

    References
    ----------
    The rule of one standard error: L. Breiman et al., "Classification and regression
    trees", 1984. What a short experience counts: H. Buehlmann, "Experience rating and
    credibility", ASTIN Bulletin 4(3), 1967.
    """
    n_blocks = min(_N_BLOCKS, len(validation))
    if cautious and n_blocks == 1:  # one row says nothing about the next
        return 0.0
    edges = np.linspace(0, len(validation), n_blocks + 1).astype(int)
    gains = np.empty((n_blocks, len(_SHARES)))
    for block, (start, stop) in enumerate(pairwise(edges)):
        batches = list(net.get_iterator(validation.part(start, stop), training=False))
        outputs = [net.evaluation_step(batch) for batch in batches]
        losses = [
            sum(
                net.criterion_(output * share, batch[1]).item() * len(output)
                for output, batch in zip(outputs, batches, strict=True)
            )
            for share in _SHARES
        ]
        gains[block] = (np.asarray(losses) - losses[0]) / (stop - start)
    error, belief = 0.0, 1.0
    if cautious:
        error = gains.std(axis=0, ddof=1) / np.sqrt(n_blocks)
        n_forecasts = len(validation) / validation.targets.shape[1]
        belief = n_forecasts / (n_forecasts + _FORECASTS_TO_BELIEVE)
    return float(belief * _SHARES[np.argmin(gains.mean(axis=0) + error)])
