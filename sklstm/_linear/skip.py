"""The linear map as a part of the network: a skip connection from window to outputs."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

_ROWS, _OUTPUTS = 16, 16  # the rows of each product, and what its outputs are a multiple of


def linear_by_row(
    rows: torch.Tensor, weights: torch.Tensor, bias: torch.Tensor | None = None
) -> torch.Tensor:
    """Map (n, inputs) to (n, outputs), so that no result depends on the other rows.

    The linear algebra library chooses its kernel, and so the rounding, by the number of rows and
    outputs. Some kernels round the last rows or outputs differently. So each product has the same
    shape.
    """
    n_rows, n_outputs = len(rows), len(weights)
    rows = functional.pad(rows, (0, 0, 0, -n_rows % _ROWS))
    weights = functional.pad(weights, (0, 0, 0, -n_outputs % _OUTPUTS))
    if bias is not None:
        bias = functional.pad(bias, (0, -n_outputs % _OUTPUTS))
    parts = [functional.linear(part, weights, bias) for part in rows.split(_ROWS)]
    return torch.cat(parts)[:n_rows, :n_outputs]


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
        return linear_by_row(windows.flatten(1), self.weights.flatten(1)) + self.intercept
