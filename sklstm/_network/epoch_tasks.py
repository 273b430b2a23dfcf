"""The callback that tells of each epoch, and lets what is told stop the training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from skorch import NeuralNet
from skorch.callbacks import Callback


class EpochTasks(Callback):
    """Call a function at the begin of each epoch, and at its end what the function returned.

    Parameters
    ----------
    begin : callable
        It returns a callable, which returns whether to stop the training.

    Attributes
    ----------
    stopped_ : bool
        Whether the training was stopped so.
    """

    def __init__(self, begin: Callable[[], Callable[[], bool]]) -> None:
        self.begin = begin
        self.stopped_ = False

    def on_epoch_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Begin an epoch."""
        self.end_ = self.begin()

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """End an epoch, and stop as skorch's early stopping does."""
        if self.end_():
            self.stopped_ = True
            raise KeyboardInterrupt

    def release(self) -> None:
        """Delete what belongs to the fit."""
        self.begin = self.end_ = _nothing


def _nothing() -> Any:
    return lambda: False
