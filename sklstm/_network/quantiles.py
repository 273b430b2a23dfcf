"""Quantiles of each output that never cross."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

# Of the root mean square of the targets. The network multiplies the gaps between the quantiles at
# the start, and where many targets are equal these are zero.
_LEAST_GAP = 0.05


class IncreasingQuantiles(nn.Module):
    """Map the outputs of the head to quantiles of each target, in increasing order.

    The middle quantile is moved, and each gap between two neighbours is multiplied by a factor
    that is not negative. So quantiles cannot cross, also after rounding: only sums, products and
    square roots are computed, and rounding keeps the order of their results. These also have the
    same bits at every place of a batch, which exponentials have not.

    Parameters
    ----------
    n_outputs : int
        Number of targets.
    quantiles : sequence of float
        In increasing order.

    Attributes
    ----------
    start : torch.Tensor of shape (outputs, quantiles)
        The quantiles of the targets, set by :meth:`start_from`.
    gaps : torch.Tensor of shape (outputs, quantiles - 1)
        Those between them, of a least size.

    References
    ----------
    The factor is the squareplus of J. Barron, "Squareplus: a softplus-like algebraic rectifier",
    arXiv 2112.11687, 2021. Gaps that are not negative: Y. Park et al., "Learning quantile
    functions without quantile crossing for distribution-free time series forecasting", AISTATS
    2022.
    """

    def __init__(self, n_outputs: int, quantiles: Sequence[float], dtype: torch.dtype) -> None:
        super().__init__()
        self.start: torch.Tensor
        self.gaps: torch.Tensor
        for name, size in (("start", len(quantiles)), ("gaps", len(quantiles) - 1)):
            zeros = torch.zeros((n_outputs, size), dtype=dtype, device="cpu")
            self.register_buffer(name, zeros)
        self.quantiles, self.middle = quantiles, middle(quantiles)

    def start_from(self, targets: torch.Tensor, weights: torch.Tensor | None) -> None:
        """Begin with the quantiles of targets (n, outputs); those with weight zero are unknown."""
        self.start.copy_(empirical_quantiles(targets, weights, self.quantiles))
        squares = targets.square() if weights is None else targets.square() * weights
        size = (squares.mean(dim=0) if weights is None else squares.sum(0) / weights.sum(0)).sqrt()
        self.gaps.copy_(torch.maximum(self.start.diff(), _LEAST_GAP * size[:, None]))

    def forward(self, output: torch.Tensor) -> torch.Tensor:
        """Map outputs (..., outputs * quantiles) to quantiles of that shape, target by target."""
        output = output.unflatten(-1, self.start.shape)  # (..., outputs, quantiles)
        *below, centre = output[..., : self.middle + 1].unbind(-1)
        above = output[..., self.middle + 1 :].unbind(-1)
        gaps = self.gaps.unbind(-1)
        values = [self.start[:, self.middle] + centre]
        for gap, moved in zip(gaps[self.middle :], above, strict=True):
            values.append(values[-1] + gap * _squareplus(moved))
        for gap, moved in zip(gaps[: self.middle][::-1], below[::-1], strict=True):
            values.insert(0, values[0] - gap * _squareplus(moved))
        return torch.stack(values, dim=-1).flatten(-2)


def _squareplus(x: torch.Tensor) -> torch.Tensor:
    return x + (x * x + 1).sqrt()


def middle(quantiles: Sequence[float]) -> int:
    """Return the place of the median, or else of the middle one of an odd number of quantiles."""
    return list(quantiles).index(0.5) if 0.5 in quantiles else len(quantiles) // 2


def empirical_quantiles(
    values: torch.Tensor, weights: torch.Tensor | None, quantiles: Sequence[float]
) -> torch.Tensor:
    """Return the quantiles of each column: the values with the least pinball loss.

    Parameters
    ----------
    values : torch.Tensor of shape (n, outputs)
    weights : torch.Tensor of shape (n, outputs) or None
        Zero for a value that is unknown.
    quantiles : sequence of float

    Returns
    -------
    torch.Tensor of shape (outputs, quantiles)
    """
    found = np.empty((values.shape[1], len(quantiles)))
    for output, column in enumerate(values.T.cpu().numpy()):
        weight = np.ones(len(column)) if weights is None else weights[:, output].cpu().numpy()
        order = np.argsort(column, kind="stable")
        sums = weight[order].cumsum(dtype=np.float64)
        found[output] = column[order][np.searchsorted(sums, np.multiply(quantiles, sums[-1]))]
    return torch.from_numpy(found).to(values)
