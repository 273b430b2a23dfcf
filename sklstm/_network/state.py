"""Convert a trained net to numpy arrays and plain Python values, and back."""

from __future__ import annotations

import warnings
from dataclasses import asdict
from typing import Any

import numpy as np
import torch

from sklstm._linear.skip import LinearSkip
from sklstm._network.architecture import Architecture
from sklstm._network.building import Hyperparameters, build_net
from sklstm._network.device import check_device, has_bfloat16, resolve_device
from sklstm._network.net import WindowNet
from sklstm._network.training import release
from sklstm._series.caller import level_of_caller


def net_state(
    net: WindowNet, architecture: Architecture, hyperparameters: Hyperparameters
) -> dict[str, Any]:
    """Convert the state of a trained net to numpy arrays and plain Python values."""
    return {
        "architecture": asdict(architecture),
        # Those of the training, since the estimator's parameters may have been changed after it.
        "hyperparameters": asdict(hyperparameters),
        "weights": _to_plain(net.module_.state_dict()),
        "optimizer": _name_of(net.optimizer_),
        "optimizer_state": _to_plain(net.optimizer_.state_dict()["state"]),
        "history": _to_plain(list(net.history)),
    }


def load_net_state(net: WindowNet, state: dict[str, Any]) -> None:
    """Load the state that :func:`net_state` saved into a net of the same shape, just built.

    Weights and the state of the optimizer are cast to the type of the net.
    """
    weights = {k: v for k, v in state["weights"].items() if not k.startswith("skip.")}
    net.module_.load_state_dict(_to_torch(weights))
    optimizer = net.optimizer_.state_dict()
    if state["optimizer"] == _name_of(net.optimizer_):
        optimizer["state"] = _to_torch(state["optimizer_state"])
        net.optimizer_.load_state_dict(optimizer)
    for group in net.optimizer_.param_groups:
        group.setdefault("initial_lr", group["lr"])  # schedulers need it to continue
    net.history.extend(state["history"])


def loaded_net(
    state: dict[str, Any], architecture: Architecture, hyperparameters: Hyperparameters
) -> WindowNet:
    """Build the net that :func:`net_state` saved; on the CPU if its device is not here."""
    try:
        check_device(hyperparameters.device)
        device = resolve_device(hyperparameters.device)
    except ValueError:
        device = "cpu"
    net = build_net(architecture, hyperparameters, device)
    if architecture.low_precision is not None and not has_bfloat16(device):
        net.module_.low_precision = None  # the weights are float32
        warnings.warn(
            f"The network was trained with precision={architecture.precision!r}, which device "
            f"{device!r} of this machine does not support. Its predictions are computed in "
            "float32, so they differ a little; to train on here, set precision='float32'.",
            UserWarning,
            stacklevel=level_of_caller(),
        )
    load_net_state(net, state)
    weights = _to_torch(state["weights"])
    if "skip.weights" in weights:
        names = ("weights", "intercept", "scale", "network_weight")
        net.module_.skip = LinearSkip(*(weights[f"skip.{name}"] for name in names)).to(device)
    release(net)
    return net


def _name_of(optimizer: torch.optim.Optimizer) -> str:
    kind = type(optimizer)
    is_of_torch = getattr(torch.optim, kind.__name__, None) is kind
    return kind.__name__ if is_of_torch else f"{kind.__module__}.{kind.__qualname__}"


def _to_plain(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        if value.dtype in (torch.bfloat16, torch.float16):
            value = value.float()  # numpy has no bfloat16; loading casts to the type of the weights
        return value.detach().cpu().numpy().copy()
    if isinstance(value, dict):
        return {key: _to_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        items = [_to_plain(item) for item in value]
        return tuple(items) if isinstance(value, tuple) else items
    return value.item() if isinstance(value, np.generic) else value


def _to_torch(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.copy())
    if isinstance(value, dict):
        return {key: _to_torch(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_to_torch(item) for item in value)
    return value
