"""Parts of the network: an LSTM layer, dropout, and the inputs for learning residuals."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


class LSTMLayer(nn.LSTM):
    """torch's LSTM layer, without the checks that torch does in every call.

    For one window, these checks take a fifth of the time of a small network.
    """

    def forward(  # type: ignore[override]
        self, x: torch.Tensor
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
        """Map (batch, window, features) to the outputs of each step and the last states."""
        # x.shape, since a trace would take the result of len for a constant.
        zeros = x.new_zeros(1 + self.bidirectional, x.shape[0], self.hidden_size)
        options = (True, 1, 0.0, self.training, self.bidirectional, self.batch_first)
        weights: Any = self._flat_weights
        states, hidden, cell = torch.lstm(x, (zeros, zeros), weights, *options)
        return states, (hidden, cell)


class Dropout(nn.Module):
    """Dropout with a generator as argument (torch's layer uses the global one).

    References
    ----------
    N. Srivastava et al., "Dropout: a simple way to prevent neural networks from
    overfitting", JMLR 15, 2014. On the outputs of layers, not in the recurrence: W. Zaremba,
    I. Sutskever and O. Vinyals, "Recurrent neural network regularization", 2014.
    """

    def __init__(self, fraction: float) -> None:
        super().__init__()
        self.fraction = fraction

    def forward(self, x: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """Set a fraction of ``x`` to zero in training, and scale up the rest."""
        if not self.training or self.fraction == 0:
            return x
        kept = torch.empty_like(x).bernoulli_(1 - self.fraction, generator=generator)
        return x * kept / (1 - self.fraction)


def centred(x: torch.Tensor) -> torch.Tensor:
    """Subtract from each step the mean of the steps up to it; add that mean as new features.

    (batch, window, features) becomes (batch, window, 2 * features). No step depends on a later
    one. tanh bounds the mean, since the network cannot extrapolate to levels outside the range
    of the training rows.
    """
    count = torch.arange(1, x.shape[1] + 1, dtype=x.dtype, device=x.device)
    mean = x.cumsum(dim=1) / count[:, None]
    return torch.cat([x - mean, torch.tanh(mean)], dim=2)
