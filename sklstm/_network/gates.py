"""The gates, memory cells and hidden states of an LSTM at each step of a window."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn
from torch.nn import functional

from sklstm._network.layers import centred
from sklstm._network.missing_values import fill_missing
from sklstm._network.module import StackedLSTM
from sklstm._network.runtime import torch_state

NAMES = ("input_gate", "forget_gate", "cell_candidate", "output_gate", "cell", "hidden")


def gate_activity(module: StackedLSTM, window: ArrayLike) -> list[dict[str, NDArray[Any]]]:
    """Compute gates, cells and hidden states of every layer at each step of one window.

    Parameters
    ----------
    module : StackedLSTM
        The network of a fitted :class:`LSTMRegressor`, ``net_.module_``.
    window : array-like of shape (steps, features)
        Standardised values, oldest first; NaN where missing.

    Returns
    -------
    list of dict
        For each layer the arrays "input_gate", "forget_gate", "cell_candidate",
        "output_gate", "cell" and "hidden", each of shape (steps, units). "hidden" is the
        output of the layer: the input of the layer above at every step, and of the head at
        the last step. In a bidirectional layer, the backward units come after the forward
        units; their input to the head is that of the first step. All arrays are computed in
        the precision of the weights, even if the network itself computes in bfloat16.

    References
    ----------
    S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural Computation 9(8),
    1997. The forget gate: F. Gers, J. Schmidhuber and F. Cummins, "Learning to forget:
    continual prediction with LSTM", Neural Computation 12(10), 2000.
    """
    weight = module.head.weight
    layers = []
    with torch_state(training=False):
        x = torch.as_tensor(window, dtype=weight.dtype, device=weight.device)
        x = fill_missing(x[None])  # (1, steps, features)
        x = (centred(x) if module.beside_linear else x)[0]
        for layer in module.layers:
            activity = _activity(layer, x)  # (6, steps, units)
            if layer.bidirectional:
                backwards = _activity(layer, x.flip(0), "_reverse").flip(1)
                activity = torch.cat([activity, backwards], dim=2)
            layers.append(dict(zip(NAMES, activity.cpu().numpy(), strict=True)))
            x = activity[-1]
    return layers


def _activity(layer: nn.Module, x: torch.Tensor, direction: str = "") -> torch.Tensor:
    """Compute one layer, (6, steps, units), from its inputs (steps, inputs)."""
    weights = {name.removesuffix(f"_l0{direction}"): w for name, w in layer.named_parameters()}
    inputs = functional.linear(x, weights["weight_ih"], weights["bias_ih"] + weights["bias_hh"])
    hidden = cell = x.new_zeros(weights["weight_hh"].shape[1])
    activity = x.new_empty(len(NAMES), len(x), len(hidden))
    for step, gates in enumerate(inputs):  # (4 * units,)
        i, f, g, o = (gates + weights["weight_hh"] @ hidden).chunk(4)
        i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
        cell = f * cell + i * g
        hidden = o * cell.tanh()
        activity[:, step] = torch.stack([i, f, g, o, cell, hidden])
    return activity
