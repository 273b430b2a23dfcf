"""The linear map as a part of the network: a skip connection from window to outputs."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class LinearSkip(nn.Module):
    """A linear map of the whole window, plus the output of the network.

    Parameters
    ----------
    weights : torch.Tensor of shape (outputs, window, features)
    intercept : torch.Tensor of shape (outputs,)
    scale : torch.Tensor of shape ()
        The unit of the network's outputs: the root mean square of the map's residuals.
    network_weight : torch.Tensor of shape ()
        How much of the network's output is added, from 0 to 1.
    """

    _ROWS = 16  # rows in each product, so that rounding does not depend on the other rows

    def __init__(
        self,
        weights: torch.Tensor,
        intercept: torch.Tensor,
        scale: torch.Tensor,
        network_weight: torch.Tensor,
    ) -> None:
        super().__init__()
        self.weights: torch.Tensor
        self.intercept: torch.Tensor
        self.scale: torch.Tensor
        self.network_weight: torch.Tensor
        self.register_buffer("weights", weights)
        self.register_buffer("intercept", intercept)
        self.register_buffer("scale", scale)
        self.register_buffer("network_weight", network_weight)

    def forward(self, windows: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
        """Map windows (batch, window, features), and add ``output`` (batch, outputs)."""
        # Add after multiplying, since a fused operation rounds the last elements differently.
        return self.linear(windows) + output * (self.scale * self.network_weight)

    def linear(self, windows: torch.Tensor) -> torch.Tensor:
        """Map windows (batch, window, features) to outputs (batch, outputs)."""
        n_windows, n_spare = len(windows), -len(self.intercept) % 16
        rows = functional.pad(windows.flatten(1), (0, 0, 0, -n_windows % self._ROWS))
        weights = functional.pad(self.weights.flatten(1), (0, 0, 0, n_spare))
        parts = [functional.linear(part, weights) for part in rows.split(self._ROWS)]
        return torch.cat(parts)[:n_windows, : len(self.intercept)] + self.intercept
