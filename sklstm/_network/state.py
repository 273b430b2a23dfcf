"""Convert a trained net to numpy arrays and plain Python values, and back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import torch

from sklstm._linear.skip import LinearSkip
from sklstm._network.architecture import Architecture
from sklstm._network.building import Hyperparameters, build_net
from sklstm._network.device import check_device, resolve_device
from sklstm._network.net import WindowNet
from sklstm._network.training import release


def net_state(net: WindowNet, architecture: Architecture) -> dict[str, Any]:
    """Convert the state of a trained net to numpy arrays and plain Python values."""
    return {
        "architecture": asdict(architecture),
        "weights": _to_plain(net.module_.state_dict()),
        "optimizer": type(net.optimizer_).__name__,
        "optimizer_state": _to_plain(net.optimizer_.state_dict()["state"]),
        "history": _to_plain(list(net.history)),
    }


def load_net_state(net: WindowNet, state: dict[str, Any]) -> None:
    """Load the state that :func:`net_state` saved into a net that was just built.

    Raises
    ------
    ValueError
        If the networks have different shapes.
    """
    weights = {k: v for k, v in state["weights"].items() if not k.startswith("skip.")}
    try:
        net.module_.load_state_dict(_to_torch(weights))
    except RuntimeError as error:
        raise ValueError(
            "Training cannot continue with a network of another shape: hidden_layer_sizes, "
            "bidirectional or linear_skip have changed since the last fit (its shape was "
            f"{state['architecture']}). Set them back, or set warm_start=False to start again."
        ) from error
    optimizer = net.optimizer_.state_dict()
    if state["optimizer"] == type(net.optimizer_).__name__:
        optimizer["state"] = _to_torch(state["optimizer_state"])
        net.optimizer_.load_state_dict(optimizer)
    for group in net.optimizer_.param_groups:
        group.setdefault("initial_lr", group["lr"])  # schedulers need it to continue
    net.history.extend(state["history"])


def loaded_net(
    state: dict[str, Any], architecture: Architecture, hyperparameters: Hyperparameters, device: str
) -> WindowNet:
    """Build the net that :func:`net_state` saved; on the CPU if there is no ``device`` here."""
    try:
        check_device(device)
        device = resolve_device(device)
    except ValueError:
        device = "cpu"
    net = build_net(architecture, hyperparameters, device)
    load_net_state(net, state)
    weights = _to_torch(state["weights"])
    if "skip.weights" in weights:
        names = ("weights", "intercept", "scale", "network_weight")
        net.module_.skip = LinearSkip(*(weights[f"skip.{name}"] for name in names)).to(device)
    release(net)
    return net


def _to_plain(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().numpy().copy()
    if isinstance(value, dict):
        return {key: _to_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_to_plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def _to_torch(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.copy())
    if isinstance(value, dict):
        return {key: _to_torch(item) for key, item in value.items()}
    return value
