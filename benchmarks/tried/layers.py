"""Ideas d, k, l and m: other ways to call torch's layers, and bfloat16."""

import torch

from sklstm import _runtime, _training
from sklstm._module import StackedLSTM
from tried.measuring import NETWORKS, epoch_seconds, fit_ratio, ratio_of, step_seconds


class DirectLSTM(StackedLSTM):
    """Keeps the zeros that the layers start from; they are made in each call otherwise."""

    zeros = {}

    def run(self, layer, x):  # x: (batch, window, features)
        """Compute the outputs of a layer at each step."""
        shape = (1, len(x), layer.hidden_size)
        zeros = self.zeros.setdefault(shape, (torch.zeros(shape), torch.zeros(shape)))
        return torch._VF.lstm(x, zeros, layer._flat_weights, True, 1, 0.0, True, False, True)[0]

    def _last_state(self, x, generator):
        for layer in self.layers:
            x = self.run(layer, x)
        return x[:, -1]


class TimeMajorLSTM(DirectLSTM):
    """As :class:`DirectLSTM`, with the steps in front."""

    def run(self, layer, x):  # x: (window, batch, features)
        """Compute the outputs of a layer at each step."""
        shape = (1, x.shape[1], layer.hidden_size)
        zeros = self.zeros.setdefault(shape, (torch.zeros(shape), torch.zeros(shape)))
        return torch._VF.lstm(x, zeros, layer._flat_weights, True, 1, 0.0, True, False, False)[0]

    def _last_state(self, x, generator):
        x = x.transpose(0, 1).contiguous()
        for layer in self.layers:
            x = self.run(layer, x)
        return x[-1]


def with_module(module):
    """Make an idea that replaces the module of the network."""
    return lambda network: fit_ratio(network, (_training, "StackedLSTM", module))


def without_onednn(network):
    """Idea k: torch's own LSTM kernels in place of oneDNN's."""

    def after():
        with torch.backends.mkldnn.flags(enabled=False):
            return epoch_seconds(network)

    return ratio_of(lambda: epoch_seconds(network), after)


def low_precision(dtype):
    """Make an idea that computes the layers in a type of 16 bits."""
    if dtype == torch.bfloat16 and not _runtime.has_bfloat16("cpu"):
        return lambda network: "-"

    class LowPrecision(StackedLSTM):
        def __init__(self, **params):
            super().__init__(**params | {"low_precision": dtype})

    return with_module(LowPrecision)


def passes_in_bfloat16(network):
    """Idea m: forward and backward pass of torch's layers alone, with nothing around them."""
    if not _runtime.has_bfloat16("cpu"):
        return "-"
    batch_size, window, n_features, sizes, _ = NETWORKS[network]

    def seconds_in(dtype):
        layers = torch.nn.LSTM(n_features, sizes[0], len(sizes), batch_first=True, dtype=dtype)
        x = torch.randn(batch_size, window, n_features, dtype=dtype)
        ones = torch.ones(batch_size, sizes[-1], dtype=dtype)

        def step():
            last = layers(x)[1][0][-1]  # (batch, hidden)
            torch.autograd.grad(last, list(layers.parameters()), ones)

        def seconds():
            with _runtime.torch_state(training=True):
                return step_seconds(step, 4)

        return seconds

    return ratio_of(seconds_in(torch.float32), seconds_in(torch.bfloat16))
