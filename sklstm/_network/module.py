"""The network: stacked LSTM layers, a linear head, and a linear map beside them."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from sklstm._linear.skip import linear_by_row
from sklstm._network.architecture import Architecture
from sklstm._network.device import is_cpu
from sklstm._network.layers import Dropout, LSTMLayer, centred
from sklstm._network.quantiles import IncreasingQuantiles

_SMALLEST_BATCH: dict = {}  # results of StackedLSTM.smallest_batch in this process
_PARTS = 4  # of a full batch, compared on a GPU, where each takes about as long as the whole batch


class StackedLSTM(nn.Module):
    """Stacked LSTM layers, each on all outputs of the layer below, and a linear head.

    All random numbers, for the initial weights and in training, come from generators that
    are passed. The global generator of torch is neither used nor changed.

    Parameters
    ----------
    architecture : Architecture
        Inputs, layers, outputs and numeric type.
    dropout : float, default=0.0
        Fraction of each layer's outputs that is set to zero in training.
    every_step : bool, default=False
        Whether the output in training has every step: (batch, window, outputs).
    generator : torch.Generator or None, default=None
        Draws the initial weights, on the CPU so that they do not depend on the device.
        None: weights are not initialised, since they are loaded afterwards.

    Attributes
    ----------
    skip : torch.nn.Module or None
        The linear map beside the network, set after training. Called with windows and the
        output of the network, it returns the sum of its own output and the scaled output.

    References
    ----------
    S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural Computation 9(8),
    1997. Stacking: A. Graves, A. Mohamed and G. Hinton, "Speech recognition with deep
    recurrent neural networks", ICASSP 2013. Initial bias of the forget gates of
    one: R. Jozefowicz, W. Zaremba and I. Sutskever, "An empirical exploration of recurrent
    network architectures", ICML 2015.
    """

    def __init__(
        self,
        architecture: Architecture,
        dropout: float = 0.0,
        every_step: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        n_inputs, dtype = architecture.n_features, architecture.dtype
        directions = 2 if architecture.bidirectional else 1
        hidden = architecture.hidden_layer_sizes
        if architecture.beside_linear:
            n_inputs *= 2
        self.n_features, self.n_inputs = architecture.n_features, n_inputs
        sizes = [n_inputs, *(directions * size for size in hidden)]
        # On "meta", so that torch does not initialise weights from its global generator.
        self.layers = nn.ModuleList(
            LSTMLayer(
                size_below,
                size,
                batch_first=True,
                bidirectional=architecture.bidirectional,
                device="meta",
                dtype=dtype,
            )
            for size_below, size in zip(sizes, hidden, strict=False)
        )
        self.dropout = Dropout(dropout)
        self.beside_linear, self.every_step = architecture.beside_linear, every_step
        self.skip: nn.Module | None = None
        self.low_precision = architecture.low_precision
        self._smallest_batch: dict[tuple[int, int], int] = {}
        n_outputs, quantiles = architecture.n_outputs, architecture.quantiles
        n_of_head = n_outputs * max(len(quantiles), 1)
        self.head = nn.Linear(sizes[-1], n_of_head, device="meta", dtype=dtype)
        self.to_empty(device="cpu")
        self.quantiles = IncreasingQuantiles(n_outputs, quantiles, dtype) if quantiles else None
        if generator is not None:
            self.initialize(generator)

    @torch.no_grad()
    def initialize(self, generator: torch.Generator) -> None:
        """Draw weights and biases as torch does, but set the bias of the forget gates to one.

        With torch's bias near zero, a forget gate is about 0.5 and halves the cell at every
        step. Then hardly any gradient reaches a step that lies twenty steps back.
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

    def forward(self, x: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """Map windows (batch, window, features) to outputs (batch, outputs).

        With quantiles, those of each target follow each other: (batch, outputs * quantiles). The
        generator is that of dropout in training.
        """
        output = self._network(centred(x) if self.beside_linear else x, generator)
        if self.quantiles is not None:
            output = self.quantiles(output)
        return output if self.skip is None else self.skip(x, output, self.without_learning)

    @property
    def middle(self) -> int:
        """The place of a prediction among the quantiles of its target; 0 if there is one output."""
        return 0 if self.quantiles is None else self.quantiles.middle

    @property
    def predicted(self) -> slice:
        """The outputs that are predictions: all, or the middle quantile of each target."""
        if self.quantiles is None:
            return slice(None)
        return slice(self.middle, None, len(self.quantiles.quantiles))

    @property
    def without_learning(self) -> torch.Tensor | None:
        """The output of a network that has learnt nothing, beside a linear map; None: zeros."""
        return None if self.quantiles is None else self.quantiles.start.flatten()

    def _network(self, x: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        last = self._last_state(x, generator)
        if self.training:
            return self.head(last)
        return self._head_by_row(last, self.head.weight)

    def _head_by_row(self, last: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        # Pad to multiples of 16 values, since the rounding of a row otherwise depends on its place.
        if n_spare := -self.head.in_features % 16:
            last, weight = (functional.pad(values, (0, n_spare)) for values in (last, weight))
        return linear_by_row(last, weight, self.head.bias)

    def smallest_batch(self, batch_size: int, window_size: int) -> int:
        """Find the smallest batch whose results equal those of a full batch, to the last bit.

        For matrices of few rows the linear algebra library may use another kernel, which
        rounds sums differently. The limit depends on the machine and on the sizes of layers. On a
        GPU it also depends on the window, as in float64 on a processor, where every batch is a
        full one.
        """
        weight = self.head.weight
        if weight.dtype == torch.float64 and is_cpu(weight.device):
            return batch_size
        asked = (batch_size, window_size)
        if asked not in self._smallest_batch:
            self._smallest_batch[asked] = self._find_smallest_batch(*asked)
        return self._smallest_batch[asked]

    @torch.inference_mode()
    def _find_smallest_batch(self, batch_size: int, window_size: int) -> int:
        weight = self.head.weight
        n_steps, most_parts = (3, batch_size) if is_cpu(weight.device) else (window_size, _PARTS)
        shapes = tuple(tuple(values.shape) for values in self.state_dict().values())
        key = (shapes, weight.dtype, weight.device, self.low_precision, batch_size, n_steps)
        if key not in _SMALLEST_BATCH:
            options: Any = {"dtype": weight.dtype, "device": weight.device}
            generator = torch.Generator(weight.device).manual_seed(0)

            def draw(*shape: int) -> torch.Tensor:
                return torch.randn(shape, generator=generator, **options)

            x = draw(batch_size, n_steps, self.n_inputs)
            n_maps = len(weight) if self.quantiles is None else len(self.quantiles.start)
            # In place of head and linear map: the head of a network that learnt nothing is zero.
            head, linear = draw(*weight.shape), draw(n_maps, n_steps * self.n_features)

            def results(part: slice) -> torch.Tensor:  # (batch, units + 2 * outputs)
                states, rows = self._last_state(x[part]), x[part, :, : self.n_features].flatten(1)
                maps = self._head_by_row(states, head), linear_by_row(rows, linear)
                return torch.cat([states, *maps], dim=1)

            full, size = results(slice(None)), 1
            while size < batch_size:
                parts = [slice(start, start + size) for start in range(0, batch_size, size)]
                parts = parts[:: max(len(parts) // most_parts, 1)]
                if all(torch.equal(results(part), full[part]) for part in parts):
                    break
                size *= 2
            _SMALLEST_BATCH[key] = min(size, batch_size)
        return _SMALLEST_BATCH[key]

    def _last_state(
        self, x: torch.Tensor, generator: torch.Generator | None = None
    ) -> torch.Tensor:
        if self.low_precision is None:
            return self._states(x, generator)
        with torch.autocast(x.device.type, self.low_precision):
            return self._states(x, generator).to(self.head.weight.dtype)

    def _states(self, x: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
        *below, top = self.layers
        for layer in below:
            x = self.dropout(layer(x)[0], generator)  # (batch, window, directions * hidden)
        states, (last, _) = top(x)  # last: (directions, batch, hidden)
        if self.training and self.every_step:
            return self.dropout(states, generator)  # (batch, window, hidden)
        last = (
            torch.cat(last.unbind(), dim=1) if top.bidirectional else last[0]
        )  # (batch, dirs * hidden)
        return self.dropout(last, generator)
