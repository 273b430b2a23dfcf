"""The skorch net: a training step on microbatches, and moving averages of the weights."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

import torch
from skorch import NeuralNetRegressor
from skorch.callbacks import Callback
from skorch.callbacks.scoring import ScoringBase

from sklstm._network.batches import WindowDataset
from sklstm._network.device import is_cpu

_ROWS_OF_A_LOSS = 2**14  # in one call of the loss, to save memory
_LEAST_UNIT = 1e-9
_READ_ON_A_GPU = 64  # losses of batches at once
_OF_A_BATCH = ("on_batch_begin", "on_batch_end", "on_grad_computed")

Targets = torch.Tensor | tuple[torch.Tensor, torch.Tensor]


class WindowNet(NeuralNetRegressor):
    """A skorch regressor that trains on microbatches, and clips the gradient.

    The gradients of the microbatches are added up. So several threads can compute them, and
    the backward pass needs memory for one microbatch per thread, not for the whole batch.

    Parameters
    ----------
    *args, **kwargs
        Passed to skorch.
    gradient_clip : float or None, default=None
        Largest norm of the gradient.
    microbatch_size : int or None, default=None
        Windows in a microbatch. None: the whole batch.
    generators : list of torch.Generator, default=()
        For dropout: one per microbatch, since the order in which threads compute these varies.
    ema_decay : float, default=0.0
        Decay of the exponential moving average of the weights. After each epoch the module
        holds this average. 0: no average.

    Attributes
    ----------
    map_ : callable
        Applies a function to the microbatches, one after the other or in threads.
    averages_, last_ : list of torch.Tensor or None
        The averages of the weights, and the weights after the last training step.
    n_steps_ : int
        Training steps in the averages.
    loss_units_ : tuple of float
        What the training loss and the validation loss in the history are divided by.

    References
    ----------
    Averages of weights: B. Polyak and A. Juditsky, "Acceleration of stochastic approximation
    by averaging", SIAM J. Control Optim. 30(4), 1992. Clipping: R. Pascanu, T. Mikolov and
    Y. Bengio, "On the difficulty of training recurrent neural networks", ICML 2013.
    """

    def __init__(
        self,
        *args: Any,
        gradient_clip: float | None = None,
        microbatch_size: int | None = None,
        generators: Sequence[torch.Generator] = (),
        ema_decay: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.gradient_clip = gradient_clip
        self.microbatch_size = microbatch_size
        self.generators = generators
        self.ema_decay = ema_decay
        self.map_: Any = map
        self.averages_: list[torch.Tensor] | None = None
        self.last_: list[torch.Tensor] | None = None
        self.n_steps_ = 0
        self.loss_units_ = (1.0, 1.0)

    def set_loss_units(self, training: WindowDataset, validation: WindowDataset | None) -> None:
        """Record losses relative to those of the linear map alone on the same rows."""
        train_loss = self._loss_of_map(training)
        valid_loss = 1.0 if validation is None else self._loss_of_map(validation)
        # A map that fits exactly leaves rounding errors only, which are no unit.
        units = [loss if loss > _LEAST_UNIT else 1.0 for loss in (train_loss, valid_loss)]
        self.loss_units_ = (units[0], units[1])

    def _loss_of_map(self, dataset: WindowDataset) -> float:
        columns = (
            [dataset.targets] if dataset.weights is None else [dataset.targets, dataset.weights]
        )
        total = 0.0
        for targets, *weights in zip(*(c.split(_ROWS_OF_A_LOSS) for c in columns), strict=True):
            y = (targets, weights[0]) if weights else targets
            start = self.module_.without_learning
            output = torch.zeros_like(targets) if start is None else start.expand(len(targets), -1)
            total += self.criterion_(output, y).item() * len(targets)
        return total / len(dataset)

    # Some of these methods leave out work that skorch does for each batch. For a small network,
    # this work takes a fifth of the training time.

    def notify(self, method_name: str, **kwargs: Any) -> None:
        """Call the callbacks, except those that inherit the empty method of ``Callback``."""
        getattr(self, method_name)(self, **kwargs)
        empty = getattr(Callback, method_name, None)
        for _, callback in self.callbacks_:
            method = getattr(callback, method_name)
            if getattr(method, "__func__", None) is not empty:
                is_score = method_name == "on_batch_end" and isinstance(callback, ScoringBase)
                columns = self.module_.predicted
                method(self, **(_known_targets(columns, **kwargs) if is_score else kwargs))

    def _batches_are_watched(self) -> bool:
        """Whether a callback of the user is called in each batch: it may read the losses there."""
        return any(
            getattr(getattr(callback, name), "__func__", None) is not getattr(Callback, name)
            for own_name, callback in self.callbacks_
            if own_name != "keep_best"
            for name in _OF_A_BATCH
        )

    def run_single_epoch(
        self, iterator: Any, training: bool, prefix: str, step_fn: Any, **fit_params: Any
    ) -> None:
        """Run an epoch. Train from the last weights, then put the averages into the module."""
        run = super().run_single_epoch if self._batches_are_watched() else self._run_batches
        if not training or not self.ema_decay:
            run(iterator, training, prefix, step_fn, **fit_params)
            return
        weights = list(self.module_.parameters())
        if self.averages_ is None:
            self.averages_, self.n_steps_ = _copies(weights), 0
        else:
            _assign(weights, self.last_)
        run(iterator, training, prefix, step_fn, **fit_params)
        self.last_ = _copies(weights)
        _assign(weights, self.averages_)

    def _run_batches(
        self, iterator: Any, training: bool, prefix: str, step_fn: Any, **fit_params: Any
    ) -> None:
        """Run an epoch as skorch does, but on a GPU read many losses at once: each read waits."""
        if iterator is None:
            return
        batches, n_batches = iter(iterator), 0
        n_at_once = 1 if is_cpu(self.device) else _READ_ON_A_GPU
        while steps := [
            (step_fn(batch, **fit_params)["loss"], len(batch[0]))
            for batch in islice(batches, n_at_once)
        ]:
            losses, sizes = zip(*steps, strict=True)
            for loss, size in zip(torch.stack(losses).tolist(), sizes, strict=True):
                self.notify("on_batch_begin", batch=None, training=training)
                self.history.record_batch(f"{prefix}_loss", loss)
                self.history.record_batch(f"{prefix}_batch_size", size)
                self.notify("on_batch_end", batch=None, training=training, loss=loss)
            n_batches += len(steps)
        self.history.record(f"{prefix}_batch_count", n_batches)

    def train_step(self, batch: Any, **fit_params: Any) -> dict:
        """Train on a batch, and update the averages."""
        step = super().train_step(batch, **fit_params)
        if self.ema_decay:
            self.n_steps_ += 1
            # A smaller decay at first, so that the average soon depends little on initial weights.
            decay = min(self.ema_decay, self.n_steps_ / (self.n_steps_ + 9))
            with torch.no_grad():
                torch._foreach_lerp_(self.averages_ or (), [*self.module_.parameters()], 1 - decay)
        step["loss"] = step["loss"] / self.loss_units_[0]
        return step

    def validation_step(self, batch: Any, **fit_params: Any) -> dict:
        """Compute predictions and loss of a batch."""
        step = super().validation_step(batch, **fit_params)
        step["loss"] = step["loss"] / self.loss_units_[1]
        return step

    def _zero_grad_optimizer(self, set_to_none: bool | None = None) -> None:
        """Do nothing, since train_step_single replaces the gradients."""

    def train_step_single(self, batch: Any, **fit_params: Any) -> dict:
        """Compute predictions, loss and gradients of a batch."""
        if not self.module_.training:
            self._set_training(True)
        groups = self.optimizer_.param_groups
        weights = [w for group in groups for w in group["params"] if w.requires_grad]
        x, y = batch
        gradients: Sequence[torch.Tensor]
        if self.microbatch_size is None or len(x) <= self.microbatch_size:
            step, gradients = self._train_microbatch(0, x, y, len(x), weights)
        else:
            step, gradients = self._train_microbatches(x, y, weights)
        if self.gradient_clip is not None:
            clip_norm(gradients, self.gradient_clip)
        for weight, gradient in zip(weights, gradients, strict=True):
            weight.grad = gradient
        return step

    def _train_microbatches(
        self, x: torch.Tensor, y: Targets, weights: list[torch.Tensor]
    ) -> tuple[dict, Sequence[torch.Tensor]]:
        xs = x.split(self.microbatch_size)
        if isinstance(y, tuple):
            ys = list(zip(*(part.split(self.microbatch_size) for part in y), strict=True))
        else:
            ys = y.split(self.microbatch_size)

        def train(number: int) -> tuple[dict, tuple[torch.Tensor, ...]]:
            return self._train_microbatch(number, xs[number], ys[number], len(x), weights)

        results: Any = self.map_(train, range(len(xs)))
        steps, (gradients, *others) = zip(*results, strict=True)
        for other in others:
            gradients = torch._foreach_add(gradients, other)
        step = {
            "loss": sum(step["loss"] for step in steps),
            "y_pred": torch.cat([step["y_pred"] for step in steps]),
        }
        return step, gradients

    def _train_microbatch(
        self, number: int, x: torch.Tensor, y: Targets, batch_size: int, weights: list
    ) -> tuple[dict, tuple[torch.Tensor, ...]]:
        generator = self.generators[number] if self.generators else None
        y_pred = self.module_(x, generator)
        loss = self.criterion_(y_pred, y)
        if len(x) < batch_size:
            loss = loss * (len(x) / batch_size)
        gradients = torch.autograd.grad(loss, weights)
        return {"loss": loss.detach(), "y_pred": y_pred.detach()}, gradients


def _known_targets(
    columns: slice, batch: Any, y_pred: torch.Tensor, **kwargs: Any
) -> dict[str, Any]:
    """Keep of a batch what a score can compare: rows or steps whose targets are all known."""
    (x, y), y_pred = batch, y_pred[..., columns]
    if isinstance(y, tuple):
        targets, weights = y  # (batch, outputs) or (batch, window, outputs)
        known = (weights > 0).all(dim=-1)
        batch, y_pred = (x, targets[known]), y_pred[known]  # (known, outputs)
    return {"batch": batch, "y_pred": y_pred, **kwargs}


def _copies(weights: list[torch.Tensor]) -> list[torch.Tensor]:
    return [weight.detach().clone() for weight in weights]


@torch.no_grad()
def _assign(weights: list[torch.Tensor], values: Sequence[torch.Tensor] | None) -> None:
    for weight, value in zip(weights, values or (), strict=True):
        weight.copy_(value)


def clip_norm(gradients: Sequence[torch.Tensor], largest: float) -> None:
    """Scale gradients down in place if their joint norm is larger than ``largest``.

    Gives the result of torch's ``clip_grad_norm_``, in a fifth of its time for a small network.
    """
    norm = torch.linalg.vector_norm(torch.cat([gradient.flatten() for gradient in gradients]))
    factor = (largest / (norm + 1e-6)).clamp(max=1.0)
    torch._foreach_mul_(list(gradients), factor)
