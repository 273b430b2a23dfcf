"""The network: LSTM layers on top of each other, a linear head, and a linear map beside them."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

_SMALLEST_BATCH: dict = {}  # what StackedLSTM.smallest_batch has found on this machine


class LSTMLayer(nn.LSTM):
    """A layer of torch, without what that looks up and checks in every call.

    For one window that is a fifth of the time of a small network.
    """

    def forward(self, x):
        """Map (batch, window, features) to the outputs of each step, and the last states."""
        zeros = x.new_zeros(1 + self.bidirectional, len(x), self.hidden_size)
        options = (True, 1, 0.0, self.training, self.bidirectional, self.batch_first)
        states, *last = torch.lstm(x, (zeros, zeros), self._flat_weights, *options)
        return states, tuple(last)


class StackedLSTM(nn.Module):
    """LSTM layers, each fed with the whole sequence of the one below, and a linear head.

    Every random number, at the start and in training, comes from a generator that is
    passed, so that the global generator is neither used nor changed.

    Parameters
    ----------
    n_features : int
        Features of each step of a window.
    hidden_layer_sizes : tuple of int
        Units of each LSTM layer, from the input up.
    n_outputs : int
        Outputs of the head.
    bidirectional : bool, default=False
        Whether each layer also reads its sequence backwards.
    dropout : float, default=0.0
        Share of each layer's outputs that is set to zero in training.
    beside_linear : bool, default=False
        Whether the network learns what a linear map leaves. It then adds nothing at the
        start, and reads each step by :func:`centred`.
    every_step : bool, default=False
        Whether the output in training is that of every step, (batch, window, outputs).
    dtype : torch.dtype, default=torch.float32
        Type of the weights.
    low_precision : torch.dtype or None, default=None
        What the layers compute in, on rounded copies of weights and inputs (autocast of
        torch). The head, and so the outputs, stay in ``dtype``.
    generator : torch.Generator or None, default=None
        Source of the initial weights, on the CPU so that they do not depend on the
        device. None: weights stay as they are allocated, to be loaded afterwards.

    References
    ----------
    S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural Computation 9(8),
    1997. Stacking: A. Graves, A. Mohamed and G. Hinton, "Speech recognition with deep
    recurrent neural networks", ICASSP 2013. Forget gates that start open, with a bias of
    one: R. Jozefowicz, W. Zaremba and I. Sutskever, "An empirical exploration of recurrent
    network architectures", ICML 2015.
    """

    def __init__(
        self,
        n_features,
        hidden_layer_sizes,
        n_outputs,
        bidirectional=False,
        dropout=0.0,
        beside_linear=False,
        every_step=False,
        dtype=torch.float32,
        low_precision=None,
        generator=None,
    ):
        super().__init__()
        directions = 2 if bidirectional else 1
        n_inputs = 2 * n_features if beside_linear else n_features
        sizes = [n_inputs, *(directions * size for size in hidden_layer_sizes)]
        # Allocated without torch's own initialisation, which draws from the global generator.
        self.layers = nn.ModuleList(
            LSTMLayer(
                size_below,
                size,
                batch_first=True,
                bidirectional=bidirectional,
                device="meta",
                dtype=dtype,
            )
            for size_below, size in zip(sizes, hidden_layer_sizes, strict=False)
        )
        self.dropout = Dropout(dropout)
        self.beside_linear, self.every_step = beside_linear, every_step
        self.skip = None  # a LinearSkip, once there is one
        self.low_precision = low_precision
        self._smallest_batch = {}
        self.head = nn.Linear(sizes[-1], n_outputs, device="meta", dtype=dtype)
        self.to_empty(device="cpu")
        if generator is not None:
            self.initialize(generator)

    @torch.no_grad()
    def initialize(self, generator):
        """Draw weights and biases as torch does, but open the forget gates.

        A forget gate of 0.5, where torch starts, halves the memory at every step, so that
        no gradient reaches a step that lies twenty steps back.
        """
        for layer in [*self.layers, self.head]:
            size = layer.hidden_size if isinstance(layer, nn.LSTM) else layer.in_features
            bound = 1 / math.sqrt(size)
            for name, parameter in layer.named_parameters():
                parameter.uniform_(-bound, bound, generator=generator)
                if name.startswith("bias_ih"):
                    parameter[size : 2 * size] = 1
                elif name.startswith("bias_hh"):
                    parameter[size : 2 * size] = 0
        if self.beside_linear:
            for parameter in self.head.parameters():
                parameter.zero_()

    def forward(self, x, generator=None, whole=None):
        """Map windows (batch, window, features) to outputs (batch, outputs).

        A window without any step is mapped to what the head gives for zeros. The
        generator draws what dropout leaves out in training. Where steps are missing from
        ``x``, ``whole`` are the windows with something in their place, for the linear map.
        """
        output = self._recurrent(x, generator)
        return output if self.skip is None else self.skip(x if whole is None else whole, output)

    def _recurrent(self, x, generator):
        if x.shape[1] == 0:
            return self.head(x.new_zeros(x.shape[0], self.head.in_features))
        return self._network(centred(x) if self.beside_linear else x, generator)

    def _network(self, x, generator=None):
        if self.low_precision is None:
            last = self._last_state(x, generator)
        else:
            with torch.autocast(x.device.type, self.low_precision):
                last = self._last_state(x, generator).to(self.head.weight.dtype)
        if self.training:
            return self.head(last)
        # Whole vectors, and not too few rows: else the result of a row depends on its place
        # in the batch and on the size of the batch.
        weight, n_windows = self.head.weight, len(last)
        if n_spare := -last.shape[1] % 16:
            weight = functional.pad(weight, (0, n_spare))
        if n_spare or n_windows < 4:
            last = functional.pad(last, (0, n_spare, 0, max(4 - n_windows, 0)))
        return functional.linear(last, weight, self.head.bias)[:n_windows]

    def smallest_batch(self, batch_size) -> int:
        """Find the fewest windows that are computed as in a full batch, to the last bit.

        Matrices of few rows may take another way through the processor, which rounds
        sums otherwise. Where that ends depends on the machine and on the layers' sizes.
        """
        if batch_size not in self._smallest_batch:
            self._smallest_batch[batch_size] = self._find_smallest_batch(batch_size)
        return self._smallest_batch[batch_size]

    @torch.inference_mode()
    def _find_smallest_batch(self, batch_size):
        shapes = tuple(tuple(weight.shape) for weight in self.parameters())
        weight = self.head.weight
        key = (shapes, weight.dtype, weight.device, self.low_precision, batch_size)
        if key not in _SMALLEST_BATCH:
            generator = torch.Generator().manual_seed(0)
            shape = (batch_size, 3, self.layers[0].input_size)
            x = torch.randn(shape, generator=generator, dtype=weight.dtype).to(weight.device)
            full, size = self._network(x), 1
            while size < batch_size and not all(
                torch.equal(self._network(part), expected)
                for part, expected in zip(x.split(size), full.split(size), strict=True)
            ):
                size *= 2
            _SMALLEST_BATCH[key] = min(size, batch_size)
        return _SMALLEST_BATCH[key]

    def _last_state(self, x, generator):
        *below, top = self.layers
        for layer in below:
            x = self.dropout(layer(x)[0], generator)  # (batch, window, directions * hidden)
        states, (last, _) = top(x)  # last: (directions, batch, hidden)
        if self.training and self.every_step:
            return self.dropout(states, generator)  # (batch, window, hidden)
        last = last[0] if len(last) == 1 else torch.cat([*last], dim=1)  # (batch, dirs * hidden)
        return self.dropout(last, generator)


def centred(x):
    """Subtract from each step the mean of the steps up to it, and put that mean beside it.

    (batch, window, features) becomes (batch, window, 2 * features).
    No step sees a later one. The mean is bounded, since a network has nothing to say on
    levels that lie beyond those it was trained on.
    """
    count = torch.arange(1, x.shape[1] + 1, dtype=x.dtype, device=x.device)
    mean = x.cumsum(dim=1) / count[:, None]
    return torch.cat([x - mean, torch.tanh(mean)], dim=2)


class LinearSkip(nn.Module):
    """A linear map of the whole window, to which the network adds what it leaves.

    Parameters
    ----------
    weights : torch.Tensor of shape (outputs, window, features)
    intercept : torch.Tensor of shape (outputs,)
    scale : torch.Tensor of shape ()
        The unit of the network's outputs: the size of what the map leaves.
    share : torch.Tensor of shape ()
        How much of them is added.
    """

    _ROWS = 16  # that are multiplied at once, so that it is always done in the same way

    def __init__(self, weights, intercept, scale, share):
        super().__init__()
        self.register_buffer("weights", weights)
        self.register_buffer("intercept", intercept)
        self.register_buffer("scale", scale)
        self.register_buffer("share", share)

    def forward(self, windows, output):
        """Map windows (batch, window, features), and add ``output`` (batch, outputs)."""
        # Not in one call: its last elements would be rounded otherwise than the others.
        return self.linear(windows) + output * (self.scale * self.share)

    def linear(self, windows):
        """Map windows (batch, window, features) to outputs (batch, outputs)."""
        n_windows, n_spare = len(windows), -len(self.intercept) % 16
        rows = functional.pad(windows.flatten(1), (0, 0, 0, -n_windows % self._ROWS))
        weights = functional.pad(self.weights.flatten(1), (0, 0, 0, n_spare))
        parts = [functional.linear(part, weights) for part in rows.split(self._ROWS)]
        return torch.cat(parts)[:n_windows, : len(self.intercept)] + self.intercept


class Dropout(nn.Module):
    """Dropout with a generator of its own (torch's takes the global one).

    References
    ----------
    N. Srivastava et al., "Dropout: a simple way to prevent neural networks from
    overfitting", JMLR 15, 2014. Only between layers, not in the recurrence: W. Zaremba,
    I. Sutskever and O. Vinyals, "Recurrent neural network regularization", 2014.
    """

    def __init__(self, share):
        super().__init__()
        self.share = share

    def forward(self, x, generator=None):
        """Zero a share of ``x`` in training, and scale up the rest."""
        if not self.training or self.share == 0:
            return x
        kept = torch.empty_like(x).bernoulli_(1 - self.share, generator=generator)
        return x * kept / (1 - self.share)
