"""The linear map as a part of the network: a skip connection from window to outputs."""

from __future__ import annotations

import numpy as np
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
    shape. A GPU would take long for many small products: it computes a single one, and
    ``smallest_batch`` of the network compares the results of those that predictions need.
    """
    # A trace is for any number of rows, and would cut them into as many parts as the first ones.
    is_traced = torch.jit.is_tracing() or torch.compiler.is_compiling()
    if rows.device.type != "cpu" or is_traced:
        return functional.linear(rows, weights, bias)
    n_rows, n_outputs = len(rows), len(weights)
    weights = _padded(weights, _OUTPUTS)
    bias = None if bias is None else _padded(bias, _OUTPUTS)
    parts = _padded(rows, _ROWS).split(_ROWS)
    products = [functional.linear(part, weights, bias) for part in parts]
    product = products[0] if len(products) == 1 else torch.cat(products)
    return product[:n_rows, :n_outputs]


def _padded(values: torch.Tensor, multiple: int) -> torch.Tensor:
    """Append zeros, so that the length is a multiple."""
    n_spare = -len(values) % multiple
    # functional.pad would take twice as long for a single row.
    return (
        torch.constant_pad_nd(values, (0, 0) * (values.ndim - 1) + (0, n_spare))
        if n_spare
        else values
    )


def weighted(
    output: torch.Tensor, weight: torch.Tensor | float, instead: torch.Tensor | None
) -> torch.Tensor:
    """Multiply an output of the network by its weight; the rest of the weight has ``instead``."""
    return output * weight if instead is None else output * weight + instead * (1 - weight)


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

    @property
    def is_persistence(self) -> bool:
        """Whether each output is one value of the last step, in other units."""
        used = self.weights != 0  # (outputs, window, features)
        only_last = used[:, -1].sum() == used.sum() == len(used) and used[:, -1].any(dim=1).all()
        # With a window of one step, so is every map of one feature.
        return bool(only_last) and used.shape[1] > 1

    def forward(
        self, windows: torch.Tensor, output: torch.Tensor, instead: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Map windows (batch, window, features), and add ``output``, (batch, outputs).

        With quantiles, ``output`` has several columns for each one of the map. Then ``instead``,
        (outputs * quantiles,), takes its place by the rest of the weight. All is added and
        multiplied alike for each quantile, so that their order stays.
        """
        linear = self.linear(windows)
        # Add after multiplying, since a fused operation rounds the last elements differently.
        if instead is None:
            return linear + output * (self.scale * self.network_weight)
        mixed = weighted(output, self.network_weight, instead)
        repeated = linear.repeat_interleave(output.shape[1] // linear.shape[1], dim=1)
        return repeated + mixed * self.scale

    def linear(self, windows: torch.Tensor) -> torch.Tensor:
        """Map windows (batch, window, features) to outputs (batch, outputs)."""
        return linear_by_row(windows.flatten(1), self.weights.flatten(1)) + self.intercept

    def in_units(
        self, mean: np.ndarray, scale: np.ndarray, target_mean: np.ndarray, target_scale: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the map from windows to targets that are not standardised.

        Parameters
        ----------
        mean, scale : ndarray of shape (features,)
            Standardisation of the features.
        target_mean, target_scale : ndarray of shape (outputs,)
            Standardisation of the targets.

        Returns
        -------
        coefficients : ndarray of shape (outputs, window, features)
        intercept : ndarray of shape (outputs,)
        """
        weights, intercept = (
            values.cpu().numpy().astype(np.float64) for values in (self.weights, self.intercept)
        )
        coefficients = target_scale[:, np.newaxis, np.newaxis] * weights / scale
        return coefficients, intercept * target_scale + target_mean - coefficients.sum(
            axis=1
        ) @ mean
