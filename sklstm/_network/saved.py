"""Check the saved state of a net before anything is built of it: a file may say anything."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklstm._network.architecture import Architecture
from sklstm._network.building import OPTIMIZERS, Hyperparameters
from sklstm._network.loss import LOSSES

_PRECISIONS = ("float32", "float64", "bfloat16")


def architecture_of(state: dict[str, Any]) -> Architecture:
    """Return the architecture in the state of a net, whose sizes are whole numbers.

    Raises
    ------
    ValueError
        If it is no architecture.
    """
    known = Architecture(**state["architecture"])
    sizes, quantiles = known.hidden_layer_sizes, known.quantiles
    counts = (known.n_features, known.n_outputs, *sizes)
    is_one = (
        type(sizes) is tuple
        and len(sizes) > 0
        and all(type(count) is int and count > 0 for count in counts)
        and type(known.bidirectional) is bool
        and type(known.beside_linear) is bool
        and known.precision in _PRECISIONS
        and type(quantiles) is tuple
        and all(type(quantile) is float for quantile in quantiles)
    )
    if not is_one:
        raise ValueError(f"The saved state of a network has the architecture {known}.")
    return known


def hyperparameters_of(state: dict[str, Any]) -> Hyperparameters:
    """Return the hyperparameters in the state of a net.

    Raises
    ------
    ValueError
        If one of them is no plain value, or loss or optimizer are none.
    """
    known = Hyperparameters(**state["hyperparameters"])
    plain = (type(None), bool, int, float, str)
    others = {name for name, value in vars(known).items() if type(value) not in plain}
    is_unknown = isinstance(known.optimizer, str) and known.optimizer not in OPTIMIZERS
    if others - {"optimizer"} or is_unknown or known.loss not in (*LOSSES, "quantile"):
        raise ValueError(f"The saved state of a network has the hyperparameters {known}.")
    return known


def check_weights_of_net(
    state: dict[str, Any], architecture: Architecture, window_size: int
) -> None:
    """Refuse weights that are not those of the architecture, or not finite.

    The memory of the net then is that of the arrays, which are there already.

    Raises
    ------
    ValueError
        If a weight, or a value that the optimizer keeps for it, has another shape.
    """
    weights = state["weights"]
    with_map = any(name.startswith("skip.") for name in weights)
    expected = _shapes(architecture, window_size if with_map else None)
    found = {name: _shape(values) for name, values in weights.items()}
    if found != expected:
        raise ValueError(
            f"The saved state of a network has weights of the shapes {found}, but its "
            f"architecture those of {expected}."
        )
    if not all(np.isfinite(values).all() for values in weights.values()):
        raise ValueError("The saved state of a network has weights that are not finite.")
    if state["optimizer"] not in {kind.__name__ for kind in OPTIMIZERS.values()}:
        return  # another one may keep values of any shape, and checks them itself
    trained = [shape for name, shape in expected.items() if name.startswith(("layers.", "head."))]
    for place, kept in state["optimizer_state"].items():
        for name, values in kept.items():
            if name != "step" and _shape(values) != trained[place]:
                raise ValueError(f"The saved state of an optimizer has {name} of another shape.")


def _shapes(architecture: Architecture, window_size: int | None) -> dict[str, tuple[int, ...]]:
    """Return the shape of each weight; with a linear map if there is a window size."""
    directions = ("", "_reverse") if architecture.bidirectional else ("",)
    n_inputs = architecture.n_features * (2 if architecture.beside_linear else 1)
    n_outputs, n_quantiles = architecture.n_outputs, len(architecture.quantiles)
    shapes: dict[str, tuple[int, ...]] = {}
    for layer, size in enumerate(architecture.hidden_layer_sizes):
        for way in directions:
            shapes |= {
                f"layers.{layer}.weight_ih_l0{way}": (4 * size, n_inputs),
                f"layers.{layer}.weight_hh_l0{way}": (4 * size, size),
                f"layers.{layer}.bias_ih_l0{way}": (4 * size,),
                f"layers.{layer}.bias_hh_l0{way}": (4 * size,),
            }
        n_inputs = size * len(directions)
    n_of_head = n_outputs * max(n_quantiles, 1)
    shapes |= {"head.weight": (n_of_head, n_inputs), "head.bias": (n_of_head,)}
    if n_quantiles:
        shapes |= {
            "quantiles.start": (n_outputs, n_quantiles),
            "quantiles.gaps": (n_outputs, n_quantiles - 1),
        }
    if window_size is not None:
        shapes |= {
            "skip.weights": (n_outputs, window_size, architecture.n_features),
            "skip.intercept": (n_outputs,),
            "skip.scale": (),
            "skip.network_weight": (),
        }
    return shapes


def _shape(values: Any) -> tuple[int, ...] | None:
    """Return the shape of an array of floats, else None."""
    is_array = isinstance(values, np.ndarray) and values.dtype in (np.float32, np.float64)
    return values.shape if is_array else None
