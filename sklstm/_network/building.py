"""Build the skorch net from architecture, hyperparameters and the settings of one training."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import torch
from skorch.callbacks import EarlyStopping
from skorch.helper import predefined_split

from sklstm._network.architecture import Architecture
from sklstm._network.batches import WindowBatches, WindowDataset
from sklstm._network.device import is_cpu
from sklstm._network.keep_best import KeepBest
from sklstm._network.loss import TargetLoss
from sklstm._network.module import StackedLSTM
from sklstm._network.net import WindowNet
from sklstm._network.progress import EpochProgress

OPTIMIZERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}


@dataclass(frozen=True)
class Hyperparameters:
    """How a network is trained; fields have the names of the estimator's parameters.

    ``device`` may be "auto": :func:`build_net` takes the device that was found.
    """

    loss: str
    optimizer: str | type[torch.optim.Optimizer]
    learning_rate: float
    weight_decay: float
    dropout: float
    gradient_clip: float | None
    ema_decay: float
    max_epochs: int
    n_iter_no_change: int
    tol: float
    device: str
    verbose: int

    @classmethod
    def of(cls, params: Any) -> Hyperparameters:
        """Take those among the parameters of an estimator, which are attributes of ``params``."""
        return cls(**{field.name: getattr(params, field.name) for field in fields(cls)})


@dataclass(frozen=True)
class TrainingRun:
    """The settings of one training that follow from its data.

    Attributes
    ----------
    batch_size : int
    window_size : int
    threads : int
        Number of threads that compute the microbatches.
    seed : int
        For the initial weights, the order of the batches and dropout.
    every_step : bool
        Whether training windows have a target at every step.
    callbacks : sequence of skorch callbacks
        Those that the user passes.
    """

    batch_size: int
    window_size: int
    threads: int
    seed: int
    every_step: bool
    callbacks: Sequence[Any]


def build_net(
    architecture: Architecture,
    hyperparameters: Hyperparameters,
    device: str,
    run: TrainingRun | None = None,
    validation: WindowDataset | None = None,
) -> WindowNet:
    """Build the skorch net, ready to be trained in ``run``.

    Parameters
    ----------
    architecture : Architecture
    hyperparameters : Hyperparameters
    device : str
    run : TrainingRun or None, default=None
        None: the net is not trained; its weights are loaded.
    validation : WindowDataset or None, default=None
        The rows for early stopping.

    Returns
    -------
    WindowNet
    """
    optimizer = optimizer_class(hyperparameters.optimizer)
    options: dict[str, Any] = {}
    if has_weight_decay(optimizer):
        options |= {"optimizer__weight_decay": hyperparameters.weight_decay}
    if hyperparameters.optimizer == "sgd":
        options |= {"optimizer__momentum": 0.9, "optimizer__nesterov": True}
    elif isinstance(hyperparameters.optimizer, str):
        options |= {"optimizer__fused": True}  # one kernel for all weights
    if hyperparameters.verbose < 2:
        options |= {"callbacks__print_log": None}

    generator = None
    if run is not None:
        generator = torch.Generator("cpu").manual_seed(run.seed)
        options |= {"batch_size": run.batch_size, "module__every_step": run.every_step}
        options |= _microbatches(architecture, hyperparameters, device, run)
    net = WindowNet(
        StackedLSTM,
        module__architecture=architecture,
        module__dropout=hyperparameters.dropout,
        module__generator=generator,
        gradient_clip=hyperparameters.gradient_clip,
        ema_decay=hyperparameters.ema_decay,
        criterion=TargetLoss,
        criterion__loss=hyperparameters.loss,
        criterion__quantiles=architecture.quantiles,
        optimizer=optimizer,
        lr=hyperparameters.learning_rate,
        max_epochs=hyperparameters.max_epochs,
        iterator_train=WindowBatches,
        iterator_valid=WindowBatches,
        iterator_train__generator=generator,
        train_split=None if validation is None else predefined_split(validation),
        callbacks=_callbacks(hyperparameters, validation, () if run is None else run.callbacks),
        verbose=max(hyperparameters.verbose - 1, 0),
        device=device,
        **({"batch_size": -1} | options),
    )
    return net.initialize()


def _microbatches(
    architecture: Architecture, hyperparameters: Hyperparameters, device: str, run: TrainingRun
) -> dict[str, Any]:
    """Return options for microbatches, validation and dropout.

    A GPU computes the whole batch at once, and validates in batches as large as its memory allows.
    """
    if is_cpu(device):
        size = architecture.microbatch_size(run.batch_size, run.window_size, run.threads)
        options: dict[str, Any] = {"microbatch_size": size, "iterator_valid__batch_size": size}
    else:
        size = run.batch_size
        many = architecture.prediction_batch(run.window_size, on_cpu=False)
        options = {"iterator_valid__batch_size": many}
    if hyperparameters.dropout > 0:
        n_microbatches = -(-run.batch_size // size)
        options["generators"] = [
            torch.Generator(device).manual_seed(run.seed + number)
            for number in range(n_microbatches)
        ]
    return options


def _callbacks(
    hyperparameters: Hyperparameters, validation: WindowDataset | None, users: Sequence[Any]
) -> list[Any]:
    monitor = "train_loss" if validation is None else "valid_loss"
    stopping = EarlyStopping(
        monitor=monitor,
        patience=hyperparameters.n_iter_no_change,
        threshold=hyperparameters.tol,
        threshold_mode="abs",
    )
    # Progress comes before early stopping: a callback that stops training skips the next ones.
    progress = [("epoch_progress", EpochProgress())] if hyperparameters.verbose == 1 else []
    return [("keep_best", KeepBest(monitor)), *progress, ("early_stopping", stopping), *users]


def optimizer_class(optimizer: str | type[torch.optim.Optimizer]) -> type[torch.optim.Optimizer]:
    """Return the class of an optimizer that is given by name or as a class."""
    return OPTIMIZERS[optimizer] if isinstance(optimizer, str) else optimizer


def check_optimizer(optimizer: Any, learning_rate: float) -> None:
    """Build an optimizer of the user's class, and take a step with it on two small weights."""
    if not issubclass(optimizer, torch.optim.Optimizer):
        raise ValueError(
            f"optimizer must be a name or a subclass of torch.optim.Optimizer; got {optimizer!r}."
        )
    weights = [torch.ones(shape, dtype=torch.float32, device="cpu") for shape in ((2, 2), (2,))]
    try:
        tried = optimizer([weight.requires_grad_() for weight in weights], lr=learning_rate)

        def loss() -> torch.Tensor:
            tried.zero_grad()
            total = torch.stack([(weight**2).sum() for weight in weights]).sum()
            total.backward()
            return total

        tried.step(loss)
    except Exception as error:  # the type of error depends on the optimizer
        name = optimizer.__name__
        raise ValueError(
            f"optimizer={name} cannot be used: {name}(weights, lr={learning_rate:g}), or its step, "
            f"raised {error!r}. Pass a class that has a parameter lr, needs no other, and takes "
            "dense weights of one and two dimensions. A subclass can set what else it needs."
        ) from error


def has_weight_decay(optimizer: str | type[torch.optim.Optimizer]) -> bool:
    """Whether an optimizer, given by name or as a class, has a ``weight_decay``."""
    return "weight_decay" in inspect.signature(optimizer_class(optimizer)).parameters
