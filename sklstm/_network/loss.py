"""The loss of a batch."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

_LOSSES = {"squared_error": functional.mse_loss, "absolute_error": functional.l1_loss}


class TargetLoss(nn.Module):
    """Mean loss over a batch. Targets may have weights; unknown targets have weight zero."""

    def __init__(self, loss: str) -> None:
        super().__init__()
        self.loss = _LOSSES[loss]

    def forward(
        self, y_pred: torch.Tensor, y_true: torch.Tensor | tuple[torch.Tensor, torch.Tensor]
    ) -> torch.Tensor:
        """Compare outputs (batch, outputs) with targets of that shape, or (targets, weights)."""
        if not isinstance(y_true, (tuple, list)):
            return self.loss(y_pred, y_true)
        target, weight = y_true
        return (self.loss(y_pred, target, reduction="none") * weight).mean()
