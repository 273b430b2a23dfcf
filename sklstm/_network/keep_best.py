"""The callback that keeps the weights of the best epoch, and stops where the loss diverges."""

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
    """Keep the weights of the best epoch, and stop where the loss is not finite.

    Parameters
    ----------
    monitor : {"valid_loss", "train_loss"}
        Column of the history whose lowest value is the best.

    Attributes
    ----------
    best_ : float
        The lowest loss.
    epoch_ : int or None
        The epoch that it belongs to, counted from 1 over all fits of a warm start.
    weights_ : dict or None
        The weights of this epoch.
    start_ : float or None
        The loss of the first batch.
    """

    def __init__(self, monitor: str) -> None:
        self.monitor = monitor

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Forget what an earlier training kept."""
        self.best_: float = np.inf
        self.epoch_: int | None = None
        self.weights_: dict[str, torch.Tensor] | None = None
        self.start_: float | None = None

    def on_epoch_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Drop the batches of the epochs before, of which skorch keeps a record each."""
        forget_batches(net.history[:-1])

    def on_batch_end(self, net: NeuralNet, loss: Any = None, **kwargs: Any) -> None:
        """Look at the loss of every batch."""
        loss = loss.item()
        if self.start_ is None:
            self.start_ = loss
        if not np.isfinite(loss):
            raise NonFiniteLoss

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Keep a copy of the weights if they are the best so far."""
        if not all(torch.isfinite(weight).all() for weight in net.module_.parameters()):
            raise NonFiniteLoss
        self.offer(net, net.history[-1, self.monitor])

    def offer(self, net: NeuralNet, loss: float) -> None:
        """Keep a copy of the weights if their loss is the lowest so far."""
        if loss < self.best_:
            self.best_, self.epoch_ = loss, len(net.history)
            self.weights_ = {k: v.clone() for k, v in net.module_.state_dict().items()}

    def restore(self, net: NeuralNet) -> None:
        """Give the net the weights of the best epoch."""
        if self.weights_ is not None:
            net.module_.load_state_dict(self.weights_)


def forget_batches(epochs: Iterable[dict]) -> None:
    """Drop skorch's record of every batch from these rows of a history."""
    for epoch in epochs:
        epoch["batches"] = []
