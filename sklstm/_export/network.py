"""The network and the linear map beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from sklstm._export.graph import Graph
from sklstm._network.module import StackedLSTM
from sklstm._network.quantiles import IncreasingQuantiles

# The gates in torch's weights are input, forget, cell, output; in those of ONNX:
_INPUT_OUTPUT_FORGET_CELL = [0, 3, 1, 2]


def outputs_of_network(graph: Graph, module: StackedLSTM, windows: str, window_size: int) -> str:
    """Map standardised windows (batch, window, features) to outputs, in double precision.

    Layers are computed in float32, since ONNX Runtime has no LSTM in float64. All that is added
    up afterwards is in float64.

    Returns
    -------
    str
        (batch, outputs), or (batch, outputs, quantiles).
    """
    layer: Any = module.quantiles
    skip: Any = module.skip
    weight = 1.0 if skip is None else float(skip.network_weight)
    start = np.zeros(()) if layer is None else _array(layer.start)
    if weight:
        y = _outputs_of_layers(graph, module, windows, window_size)
    else:  # the linear map alone predicts
        y = graph.constant(np.zeros((1, *start.shape)))
    if skip is None:
        return y
    exact = graph.add("Flatten", graph.cast(windows, np.float64), axis=1)
    linear = _linear(graph, exact, skip.weights.flatten(1), skip.intercept)  # (batch, outputs)
    # The rest of the weight has the quantiles of the map's residuals.
    mixed = graph.add("Mul", y, graph.constant(weight))
    if layer is not None:
        mixed = graph.add("Add", mixed, graph.constant(start * (1 - weight)))
        linear = graph.add("Unsqueeze", linear, graph.constant([2]))
    return graph.add("Add", linear, graph.add("Mul", mixed, graph.constant(_array(skip.scale))))


def _outputs_of_layers(graph: Graph, module: StackedLSTM, windows: str, window_size: int) -> str:
    x = graph.cast(windows, np.float32)
    if module.beside_linear:
        x = _centred(graph, x, window_size)
    last = graph.cast(_last_state(graph, module, x), np.float64)
    y = _linear(graph, last, module.head.weight, module.head.bias)  # (batch, outputs * quantiles)
    return y if module.quantiles is None else _quantiles(graph, module.quantiles, y)


def _centred(graph: Graph, x: str, window_size: int) -> str:
    """Subtract from each step the mean of the steps up to it; add that mean as new features."""
    count = graph.constant(np.arange(1, window_size + 1)[:, np.newaxis], np.float32)
    mean = graph.add("Div", graph.add("CumSum", x, graph.constant(1)), count)
    return graph.add("Concat", graph.add("Sub", x, mean), graph.add("Tanh", mean), axis=2)


def _last_state(graph: Graph, module: StackedLSTM, x: str) -> str:
    """Apply the LSTM layers to (batch, window, features): (batch, directions * units)."""
    x = graph.add("Transpose", x, perm=[1, 0, 2])  # (window, batch, features)
    n_windows = graph.add("Shape", x, start=1, end=2)
    x = _with_one_window(graph, x, n_windows)
    layers: list[Any] = list(module.layers)
    *below, top = layers
    for layer in below:
        states, _ = _layer(graph, layer, x)  # (window, directions, batch, units)
        x = graph.reshape(graph.add("Transpose", states, perm=[0, 2, 1, 3]), 0, 0, -1)
    _, last = _layer(graph, top, x)  # (directions, batch, units)
    last = graph.add("Flatten", graph.add("Transpose", last, perm=[1, 0, 2]), axis=1)
    return graph.add("Slice", last, graph.constant([0]), n_windows)


def _with_one_window(graph: Graph, x: str, n_windows: str) -> str:
    """Add a window to (window, batch, features) if there is none.

    An LSTM without a window ends the process of ONNX Runtime.
    """
    one = graph.constant([1])
    lacking = graph.add("Sub", one, graph.add("Min", n_windows, one))
    ends = (graph.add("Shape", x, start=axis, end=axis + 1) for axis in (0, 2))
    shape = graph.add("Concat", next(ends), lacking, next(ends), axis=0)
    zeros = graph.add("Expand", graph.constant(0, np.float32), shape)
    return graph.add("Concat", x, zeros, axis=1)


def _layer(graph: Graph, layer: nn.LSTM, x: str) -> list[str]:
    """Apply a layer to (window, batch, inputs); return the states of all steps, and the last."""
    suffixes = ["", "_reverse"] if layer.bidirectional else [""]

    def weights(name: str) -> np.ndarray:  # (directions, 4 * units, ...)
        of_directions = [_array(getattr(layer, f"{name}_l0{suffix}")) for suffix in suffixes]
        return np.stack([_in_order_of_onnx(values) for values in of_directions])

    bias = np.concatenate([weights("bias_ih"), weights("bias_hh")], axis=1)
    constants = [weights("weight_ih"), weights("weight_hh"), bias]
    results: list[str] = graph.add(
        "LSTM",
        x,
        *(graph.constant(values, np.float32) for values in constants),
        n_outputs=2,
        hidden_size=layer.hidden_size,
        direction="bidirectional" if layer.bidirectional else "forward",
    )
    return results


def _in_order_of_onnx(values: np.ndarray) -> np.ndarray:
    gates = np.split(values, 4)
    return np.concatenate([gates[gate] for gate in _INPUT_OUTPUT_FORGET_CELL])


def _linear(graph: Graph, x: str, weight: torch.Tensor, bias: torch.Tensor) -> str:
    product = graph.add("MatMul", x, graph.constant(_array(weight).T))
    return graph.add("Add", product, graph.constant(_array(bias)))


def _quantiles(graph: Graph, layer: IncreasingQuantiles, y: str) -> str:
    """Turn outputs (batch, outputs * quantiles) into quantiles (batch, outputs, quantiles).

    They are added up from the middle one outwards, so that they cannot cross by rounding.
    """
    start, gaps, middle = _array(layer.start), _array(layer.gaps), layer.middle
    n_outputs, n_quantiles = start.shape
    y = graph.reshape(y, 0, n_outputs, n_quantiles)
    centre = graph.slice(y, 2, middle, middle + 1)
    centre = graph.add("Add", centre, graph.constant(start[:, middle : middle + 1]))
    parts = [centre]
    if n_above := n_quantiles - 1 - middle:
        moved = _squareplus(graph, graph.slice(y, 2, middle + 1, n_quantiles))
        above = graph.add("Mul", moved, graph.constant(gaps[:, -n_above:]))
        parts.append(graph.add("Add", centre, graph.add("CumSum", above, graph.constant(2))))
    if middle:
        moved = _squareplus(graph, graph.slice(y, 2, 0, middle))
        below = graph.add("Mul", moved, graph.constant(gaps[:, :middle]))
        sums = graph.add("CumSum", below, graph.constant(2), reverse=1)
        parts.insert(0, graph.add("Sub", centre, sums))
    return graph.add("Concat", *parts, axis=2) if len(parts) > 1 else centre


def _squareplus(graph: Graph, x: str) -> str:
    squares = graph.add("Add", graph.add("Mul", x, x), graph.constant(1.0))
    return graph.add("Add", x, graph.add("Sqrt", squares))


def _array(values: torch.Tensor) -> np.ndarray:
    array: np.ndarray = values.detach().cpu().numpy().astype(np.float64)
    return array
