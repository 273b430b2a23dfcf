"""The network weight: how much of the network's output is added to the linear map."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch

from sklstm._network.batches import WindowDataset
from sklstm._network.net import WindowNet

# Weights to choose from, and blocks of validation rows to judge them.
_WEIGHTS, _N_VALIDATION_BLOCKS = np.linspace(0, 1, 21), 5
# So many forecasts that do not overlap have a credibility of one half.
_FORECASTS_OF_HALF_CREDIBILITY = 10


@torch.no_grad()
def network_weight(net: WindowNet, validation: WindowDataset, shrink: bool = True) -> float:
    """Choose how much of the network's output to add to the linear map.

    The weight is the one with the lowest validation loss, by the one-standard-error rule: a
    standard error is added to what each weight gains over the linear map alone, since a gain in
    one block of the validation rows and a loss in another do not show that the network helps.
    It is then multiplied by the credibility of the validation rows, which grows with the number
    of forecasts: the rows to come differ from the latest ones.

    Parameters
    ----------
    net : WindowNet
        Trained.
    validation : WindowDataset
        The residuals of the rows held out.
    shrink : bool, default=True
        False takes the weight with the lowest loss as it is. For a loss that is not the
        one the map was solved for, the network also has to correct the map.

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
    if shrink and n_blocks == 1:  # one row says nothing about the next
        return 0.0
    edges = np.linspace(0, len(validation), n_blocks + 1).astype(int)
    gains = np.empty((n_blocks, len(_WEIGHTS)))
    for block, (start, stop) in enumerate(pairwise(edges)):
        batches = list(net.get_iterator(validation.part(start, stop), training=False))
        outputs = [net.evaluation_step(batch) for batch in batches]
        losses = [
            sum(
                net.criterion_(output * weight, batch[1]).item() * len(output)
                for output, batch in zip(outputs, batches, strict=True)
            )
            for weight in _WEIGHTS
        ]
        gains[block] = (np.asarray(losses) - losses[0]) / (stop - start)
    standard_error, credibility = np.zeros(len(_WEIGHTS)), 1.0
    if shrink:
        standard_error = gains.std(axis=0, ddof=1) / np.sqrt(n_blocks)
        n_forecasts = len(validation) / validation.targets.shape[1]
        credibility = n_forecasts / (n_forecasts + _FORECASTS_OF_HALF_CREDIBILITY)
    return float(credibility * _WEIGHTS[np.argmin(gains.mean(axis=0) + standard_error)])
