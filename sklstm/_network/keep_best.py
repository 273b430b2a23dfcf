"""The callback that keeps the weights of the best epoch, and stops if the loss diverges."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback


class NonFiniteLoss(ArithmeticError):
    """The loss, or a weight of the network, is no longer a finite number."""


class KeepBest(Callback):
    """Keep the weights of the best epoch, and stop if the loss is not finite.

    Parameters
    ----------
    monitor : {"valid_loss", "train_loss"}
        Column of the history whose lowest value marks the best epoch.

    Attributes
    ----------
    best_ : float
        The lowest loss.
    epoch_ : int or None
        The epoch of the lowest loss, counted from 1 over all fits of a warm start.
    weights_ : dict or None
        The weights of that epoch.
    start_ : float or None
        The loss of the first batch.
    """

    def __init__(self, monitor: str) -> None:
        self.monitor = monitor

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Reset the attributes at the start of a training."""
        self.best_: float = np.inf
        self.epoch_: int | None = None
        self.weights_: dict[str, torch.Tensor] | None = None
        self.start_: float | None = None

    def on_epoch_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Delete the records that skorch keeps of each batch of earlier epochs."""
        forget_batches(net.history[:-1])

    def on_batch_end(self, net: NeuralNet, loss: Any = None, **kwargs: Any) -> None:
        """Stop if the loss of a batch is not finite."""
        value = float(loss)
        if self.start_ is None:
            self.start_ = value
        if not np.isfinite(value):
            raise NonFiniteLoss

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Stop if a weight is not finite; else keep the weights if they are the best so far."""
        finite = [weight.isfinite().all() for weight in net.module_.parameters()]
        if not torch.stack(finite).all():
            raise NonFiniteLoss
        self.offer(net, net.history[-1, self.monitor])

    def offer(self, net: NeuralNet, loss: float) -> None:
        """Keep a copy of the weights if their loss is the lowest so far."""
        if loss < self.best_:
            self.best_, self.epoch_ = loss, len(net.history)
            self.weights_ = {k: v.clone() for k, v in net.module_.state_dict().items()}

    def restore(self, net: NeuralNet) -> None:
        """Load the weights of the best epoch into the net."""
        if self.weights_ is not None:
            net.module_.load_state_dict(self.weights_)


def forget_batches(epochs: Iterable[dict]) -> None:
    """Delete skorch's record of every batch from these epochs of a history."""
    for epoch in epochs:
        epoch["batches"] = []
