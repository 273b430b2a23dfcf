"""The loss of a batch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

LOSSES = {"squared_error": functional.mse_loss, "absolute_error": functional.l1_loss}


class TargetLoss(nn.Module):
    """Mean loss over a batch. Targets may have weights; unknown targets have weight zero.

    Parameters
    ----------
    loss : {"squared_error", "absolute_error", "quantile"}
    quantiles : sequence of float, default=()
        Those that outputs are, of one target after the other, for the loss "quantile".
    """

    def __init__(self, loss: str, quantiles: Sequence[float] = ()) -> None:
        super().__init__()
        self.loss = LOSSES.get(loss, self._pinball)
        self.quantiles: torch.Tensor
        self.register_buffer("quantiles", torch.tensor(quantiles, dtype=torch.float64))

    def forward(
        self, y_pred: torch.Tensor, y_true: torch.Tensor | tuple[torch.Tensor, torch.Tensor]
    ) -> torch.Tensor:
        """Compare outputs (batch, outputs) with targets of that shape, or (targets, weights)."""
        if not isinstance(y_true, (tuple, list)):
            return self.loss(y_pred, y_true)
        target, weight = y_true
        return (self.loss(y_pred, target, reduction="none") * weight).mean()

    def _pinball(
        self, y_pred: torch.Tensor, target: torch.Tensor, reduction: str = "mean"
    ) -> torch.Tensor:
        """Compare outputs (..., targets * quantiles) with targets (..., targets)."""
        error = target.unsqueeze(-1) - y_pred.unflatten(-1, (target.shape[-1], -1))
        quantiles = self.quantiles.to(error.dtype)
        loss = torch.maximum(quantiles * error, (quantiles - 1) * error).mean(dim=-1)
        return loss.mean() if reduction == "mean" else loss
