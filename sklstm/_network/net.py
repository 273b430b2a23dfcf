"""The skorch net: its training step, its loss, and the callback that keeps the best weights."""

from __future__ import annotations

import numpy as np
import torch
from skorch import NeuralNetRegressor
from skorch.callbacks import Callback
from torch import nn
from torch.nn import functional


class TargetLoss(nn.Module):
    """Mean loss over a batch; targets may come with weights, zero for unknown ones."""

    def __init__(self, loss):
        super().__init__()
        self.loss = loss

    def forward(self, y_pred, y_true):
        """Compare outputs (batch, outputs) with targets of that shape, or (targets, weights)."""
        loss = functional.l1_loss if self.loss == "absolute_error" else functional.mse_loss
        if not isinstance(y_true, (tuple, list)):
            return loss(y_pred, y_true)
        target, weight = y_true
        return (loss(y_pred, target, reduction="none") * weight).mean()


class WindowNet(NeuralNetRegressor):
    """A regressor of skorch that takes its batches in shares, and clips the gradient.

    The gradients of the shares are added up. So the shares can go to several threads, and
    what the backward pass keeps of a batch never exceeds what a share needs.

    Parameters
    ----------
    *args, **kwargs
        Those of skorch.
    gradient_clip : float or None, default=None
        Largest norm of the gradient.
    share_size : int or None, default=None
        Windows in a share. None takes the batch as a whole.
    generators : list of torch.Generator, default=()
        For dropout: one for each share of a batch, since shares do not take turns.

    ema_decay : float, default=0.0
        Of the moving average of the weights, which the module has outside of the steps of
        training. 0: the weights themselves.

    Attributes
    ----------
    map_ : callable
        What applies a function to the shares: one after the other, or in threads.
    """

    def __init__(
        self, *args, gradient_clip=None, share_size=None, generators=(), ema_decay=0.0, **kwargs
    ):
        super().__init__(*args, **kwargs)
        self.gradient_clip = gradient_clip
        self.share_size = share_size
        self.generators = generators
        self.ema_decay = ema_decay
        self.map_ = map
        self.averages_ = self.last_ = None

    # What skorch does for each batch beyond the three methods below takes a fifth of the time
    # of a small network.

    def notify(self, method_name, **kwargs):
        """Call the callbacks, but for those that inherit a method that does nothing."""
        getattr(self, method_name)(self, **kwargs)
        nothing = getattr(Callback, method_name, None)
        for _, callback in self.callbacks_:
            method = getattr(callback, method_name)
            if getattr(method, "__func__", None) is not nothing:
                method(self, **kwargs)

    def run_single_epoch(self, iterator, training, prefix, step_fn, **fit_params):
        """Run an epoch; one of training goes on from the last weights, and leaves averages."""
        if not training or not self.ema_decay:
            return super().run_single_epoch(iterator, training, prefix, step_fn, **fit_params)
        weights = list(self.module_.parameters())
        if self.averages_ is None:
            self.averages_, self.steps_ = [weight.detach().clone() for weight in weights], 0
        else:
            _assign(weights, self.last_)
        super().run_single_epoch(iterator, training, prefix, step_fn, **fit_params)
        self.last_ = [weight.detach().clone() for weight in weights]
        _assign(weights, self.averages_)

    def train_step(self, batch, **fit_params):
        """Train on a batch, and let the averages follow."""
        step = super().train_step(batch, **fit_params)
        if self.ema_decay:
            self.steps_ += 1
            share = 1 - min(self.ema_decay, self.steps_ / (self.steps_ + 9))
            with torch.no_grad():
                torch._foreach_lerp_(self.averages_, list(self.module_.parameters()), share)
        return step

    def _zero_grad_optimizer(self, set_to_none=None):
        """Leave the gradients: train_step_single replaces them."""

    def train_step_single(self, batch, **fit_params):
        """Compute predictions, loss and gradients of a batch."""
        if not self.module_.training:
            self._set_training(True)
        groups = self.optimizer_.param_groups
        weights = [w for group in groups for w in group["params"] if w.requires_grad]
        x, y = batch
        if self.share_size is None or len(x) <= self.share_size:
            step, gradients = self._train_share(0, x, y, len(x), weights)
        else:
            step, gradients = self._train_shares(x, y, weights)
        if self.gradient_clip is not None:
            clip_norm(gradients, self.gradient_clip)
        for weight, gradient in zip(weights, gradients, strict=True):
            weight.grad = gradient
        return step

    def _train_shares(self, x, y, weights):
        xs = x.split(self.share_size)
        if isinstance(y, tuple):
            ys = list(zip(*(part.split(self.share_size) for part in y), strict=True))
        else:
            ys = y.split(self.share_size)

        def train_share(number):
            return self._train_share(number, xs[number], ys[number], len(x), weights)

        steps, (gradients, *others) = zip(*self.map_(train_share, range(len(xs))), strict=True)
        for other in others:
            gradients = torch._foreach_add(gradients, other)
        step = {
            "loss": sum(step["loss"] for step in steps),
            "y_pred": torch.cat([step["y_pred"] for step in steps]),
        }
        return step, gradients

    def _train_share(self, number, x, y, batch_size, weights):
        generator = self.generators[number] if self.generators else None
        y_pred = self.module_(x, generator)
        loss = self.criterion_(y_pred, y)
        if len(x) < batch_size:
            loss = loss * (len(x) / batch_size)
        gradients = torch.autograd.grad(loss, weights)
        return {"loss": loss.detach(), "y_pred": y_pred.detach()}, gradients


@torch.no_grad()
def _assign(weights, values):
    for weight, value in zip(weights, values, strict=True):
        weight.copy_(value)


def clip_norm(gradients, largest) -> None:
    """Scale gradients down in place if their norm, all taken together, is larger.

    torch's ``clip_grad_norm_``, in a fifth of its time for a small network.
    """
    norm = torch.linalg.vector_norm(torch.cat([gradient.flatten() for gradient in gradients]))
    factor = (largest / (norm + 1e-6)).clamp(max=1.0)
    for gradient in gradients:
        gradient.mul_(factor)


class NonFiniteLoss(ArithmeticError):
    """The loss, or a weight of the network, is no longer a finite number."""


class KeepBest(Callback):
    """Keep the weights of the best epoch, and stop where the loss is not finite.

    Parameters
    ----------
    monitor : {"valid_loss", "train_loss"}
        Column of the history whose lowest value is the best.
    """

    def __init__(self, monitor):
        self.monitor = monitor

    def on_train_begin(self, net, **kwargs):
        """Forget what an earlier training kept."""
        self.best_, self.weights_, self.start_, self.epoch_ = np.inf, None, None, None

    def on_epoch_begin(self, net, **kwargs):
        """Drop the batches of the epochs before, of which skorch keeps a record each."""
        forget_batches(net.history[:-1])

    def on_batch_end(self, net, batch=None, training=None, loss=None, **kwargs):
        """Look at the loss of every batch."""
        loss = loss.item()
        if self.start_ is None:
            self.start_ = loss
        if not np.isfinite(loss):
            raise NonFiniteLoss

    def on_epoch_end(self, net, **kwargs):
        """Keep a copy of the weights if they are the best so far."""
        if not all(torch.isfinite(weight).all() for weight in net.module_.parameters()):
            raise NonFiniteLoss
        self.offer(net, net.history[-1, self.monitor])

    def offer(self, net, loss):
        """Keep a copy of the weights if their loss is the lowest so far."""
        if loss < self.best_:
            self.best_, self.epoch_ = loss, len(net.history)
            self.weights_ = {k: v.clone() for k, v in net.module_.state_dict().items()}

    def restore(self, net):
        """Give the net the weights of the best epoch."""
        if self.weights_ is not None:
            net.module_.load_state_dict(self.weights_)


def forget_batches(epochs):
    """Drop skorch's record of every batch from these rows of a history."""
    for epoch in epochs:
        epoch["batches"] = []
