"""The network weight: how much of the network's output is added to the linear map."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch

from sklstm._linear.skip import weighted
from sklstm._network.batches import WindowDataset
from sklstm._network.net import Targets, WindowNet

# Candidates for the weight, and the number of blocks of validation rows.
_WEIGHTS, _N_VALIDATION_BLOCKS = np.linspace(0, 1, 21), 5
# With this number of validation forecasts without overlap, the credibility is one half.
_FORECASTS_OF_HALF_CREDIBILITY = 10


@torch.no_grad()
def choose_network_weight(
    net: WindowNet,
    validation: WindowDataset,
    n_leads: int | None,
    with_error: bool = True,
    instead: torch.Tensor | None = None,
) -> float:
    """Choose how much of the network's output to add to the linear map.

    The weight has the lowest validation loss, by a form of the one-standard-error rule. Each
    weight's loss, less that of the linear map alone, is averaged over blocks of validation rows,
    and its standard error over the blocks is added. So the weight is small or zero if the network
    helps in some blocks only. The weight is then multiplied by the credibility of the
    validation rows, which grows with their number, since future rows differ from them.

    Parameters
    ----------
    net : WindowNet
        The trained net.
    validation : WindowDataset
        The validation rows, with residuals as targets.
    n_leads : int or None
        Number of different leads of the outputs: as many rows have forecasts that overlap. None:
        no credibility, which suits losses that the map does not minimise, so that the network
        helps more.
    with_error : bool, default=True
        Whether to add the standard error.
    instead : torch.Tensor of shape (outputs * quantiles,) or None, default=None
        What the map alone has in place of the network's output. None: nothing.

    Returns
    -------
    float
        From 0 to 1.

    References
    ----------
    The one-standard-error rule: L. Breiman et al., "Classification and regression trees",
    1984. Credibility: H. Buehlmann, "Experience rating and credibility", ASTIN Bulletin 4(3),
    1967.
    """
    n_blocks = min(_N_VALIDATION_BLOCKS, len(validation))
    if with_error and n_blocks == 1:  # one row has no standard error
        return 0.0
    clock = validation.clock()
    if (np.diff(clock) < 0).any():  # blocks of time, also of several series
        validation = validation.part(np.argsort(clock, kind="stable"))
    edges = np.linspace(0, len(validation), n_blocks + 1).astype(int)
    differences = np.empty((n_blocks, len(_WEIGHTS)))
    for block, (start, stop) in enumerate(pairwise(edges)):
        batches = net.get_iterator(validation.part(slice(start, stop)), training=False)
        # As one batch, since the losses of a few rows take less time than the calls around them.
        results = [(net.evaluation_step(batch), batch[1]) for batch in batches]
        output = torch.cat([output for output, _ in results])
        targets = _joined([targets for _, targets in results])
        losses = torch.stack(
            [net.criterion_(weighted(output, weight, instead), targets) for weight in _WEIGHTS]
        )
        differences[block] = (losses - losses[0]).double().cpu()
    standard_error, credibility = np.zeros(len(_WEIGHTS)), 1.0
    if with_error:
        standard_error = differences.std(axis=0, ddof=1) / np.sqrt(n_blocks)
    if n_leads is not None:
        n_forecasts = len(validation) / n_leads
        credibility = n_forecasts / (n_forecasts + _FORECASTS_OF_HALF_CREDIBILITY)
    return float(credibility * _WEIGHTS[np.argmin(differences.mean(axis=0) + standard_error)])


def _joined(targets: list[Targets]) -> Targets:
    """Join targets, or pairs (targets, weights), of several batches."""
    parts = zip(*(part if isinstance(part, tuple) else (part,) for part in targets), strict=True)
    first, *second = (torch.cat(part) for part in parts)
    return (first, second[0]) if second else first
