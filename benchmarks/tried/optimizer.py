"""Ideas n and p: what the optimizer and the garbage collector take."""

import gc
from unittest.mock import patch

import torch

from sklstm import _training
from tried.measuring import epoch_seconds, ratio_of


class DirectAdam(torch.optim.Adam):
    """Adam that calls torch's kernel itself, with lists that are made once."""

    @torch.no_grad()
    def step(self, closure):
        """Compute the gradients, and change the weights."""
        with torch.enable_grad():
            loss = closure()
        group = self.param_groups[0]
        if not self.state:
            for weight in group["params"]:
                zeros = [torch.zeros_like(weight) for _ in range(2)]
                self.state[weight] = [*zeros, torch.zeros(())]
            self.lists = [list(part) for part in zip(*self.state.values(), strict=True)]
        averages, squares, steps = self.lists
        torch._foreach_add_(steps, 1)
        torch._fused_adam_(
            group["params"],
            [weight.grad for weight in group["params"]],
            averages,
            squares,
            [],
            steps,
            lr=group["lr"],
            beta1=0.9,
            beta2=0.999,
            weight_decay=0.0,
            eps=1e-8,
            amsgrad=False,
            maximize=False,
        )
        return loss


def direct_adam(network):
    """Idea n: Adam without what torch's class does around its kernel."""

    def after():
        with patch.dict(_training._OPTIMIZERS, adam=DirectAdam):
            return epoch_seconds(network)

    return ratio_of(lambda: epoch_seconds(network), after)


def fused_adam(network):
    """Idea n: Adam in one kernel for all weights, against torch's default."""

    class Default(torch.optim.Adam):
        def __init__(self, params, fused=None, **kwargs):
            super().__init__(params, **kwargs)

    def before():
        with patch.dict(_training._OPTIMIZERS, adam=Default):
            return epoch_seconds(network)

    return ratio_of(before, lambda: epoch_seconds(network))


def without_gc(network):
    """Idea p: Python's garbage collector does not run in training."""

    def after():
        gc.disable()
        try:
            return epoch_seconds(network)
        finally:
            gc.enable()

    return ratio_of(lambda: epoch_seconds(network), after)
