"""The skorch net: how it is built, trained, kept as plain arrays and built again."""

from __future__ import annotations

import inspect
import threading
import warnings
from contextlib import ExitStack, contextmanager

import joblib
import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from skorch import NeuralNetRegressor
from skorch.callbacks import Callback, EarlyStopping, GradientNormClipping
from skorch.helper import predefined_split
from torch import nn
from torch.utils.data import DataLoader

from sklstm._batches import WindowBatches
from sklstm._module import StackedLSTM

_OPTIMIZERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}
DTYPES = {"float32": torch.float32, "float64": torch.float64}

# Multiply-adds of a layer in one step of a batch from which more threads are used. By
# benchmarks/threads.py two threads gain a little from a tenth of this on, but where other
# processes want the cores too, threads that wait for each other lose far more than that.
_WORK_FOR_THREADS = 4_000_000


class TargetLoss(nn.Module):
    """Mean loss over a batch; targets may come with weights, zero for unknown ones."""

    def __init__(self, loss):
        super().__init__()
        self.loss = loss

    def forward(self, y_pred, y_true):
        """Compare outputs (batch, outputs) with targets of that shape, or (targets, weights)."""
        target, weight = y_true if isinstance(y_true, (tuple, list)) else (y_true, None)
        error = y_pred - target
        loss = error.abs() if self.loss == "absolute_error" else error.square()
        return (loss if weight is None else loss * weight).mean()


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
        self.best_, self.weights_, self.start_ = np.inf, None, None

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
            self.best_ = loss
            self.weights_ = {k: v.clone() for k, v in net.module_.state_dict().items()}

    def restore(self, net):
        """Give the net the weights of the best epoch."""
        if self.weights_ is not None:
            net.module_.load_state_dict(self.weights_)


def architecture(estimator) -> dict:
    """Collect what decides the shape of the network, as plain Python values."""
    return {
        "n_features": int(estimator._n_channels),
        "hidden_layer_sizes": layer_sizes(estimator.hidden_layer_sizes),
        "n_outputs": int(estimator.n_outputs_),
        "bidirectional": bool(estimator.bidirectional),
        "precision": str(estimator.precision),
    }


def build_net(estimator, shape, device, batch_size=-1, seed=None, validation=None, callbacks=None):
    """Build the skorch net that an estimator's parameters describe, ready to be trained.

    Parameters
    ----------
    estimator : LSTMRegressor
        Its parameters decide how the net is trained.
    shape : dict
        From :func:`architecture`.
    device : str
    batch_size : int, default=-1
    seed : int or None, default=None
        For the initial weights, the order of the batches and dropout. None: the net is
        about to get weights from elsewhere.
    validation : WindowDataset or None, default=None
        What early stopping looks at.
    callbacks : list of skorch callbacks or None, default=None
        The user's own.

    Returns
    -------
    skorch.NeuralNetRegressor
    """
    optimizer = _OPTIMIZERS.get(estimator.optimizer, estimator.optimizer)
    options = {}
    if has_weight_decay(optimizer):
        options |= {"optimizer__weight_decay": estimator.weight_decay}
    if estimator.optimizer == "sgd":
        options |= {"optimizer__momentum": 0.9, "optimizer__nesterov": True}
    elif isinstance(estimator.optimizer, str):
        options |= {"optimizer__fused": True}  # one kernel for all weights

    monitor = "train_loss" if validation is None else "valid_loss"
    callbacks = [
        *([] if estimator.gradient_clip is None else [_clipping(estimator.gradient_clip)]),
        ("keep_best", KeepBest(monitor)),
        (
            "early_stopping",
            EarlyStopping(
                monitor=monitor,
                patience=estimator.n_iter_no_change,
                threshold=estimator.tol,
                threshold_mode="abs",
            ),
        ),
        *(callbacks or []),
    ]
    if estimator.verbose == 0:
        options |= {"callbacks__print_log": None}

    generator = None if seed is None else torch.Generator("cpu").manual_seed(seed)
    module = {f"module__{name}": value for name, value in shape.items() if name != "precision"}
    net = NeuralNetRegressor(
        StackedLSTM,
        **module,
        module__dropout=estimator.dropout,
        module__dtype=DTYPES[shape["precision"]],
        module__generator=generator,
        criterion=TargetLoss,
        criterion__loss=estimator.loss,
        optimizer=optimizer,
        lr=estimator.learning_rate,
        max_epochs=estimator.max_epochs,
        batch_size=batch_size,
        iterator_train=WindowBatches,
        iterator_valid=WindowBatches,
        iterator_train__generator=generator,
        train_split=None if validation is None else predefined_split(validation),
        callbacks=callbacks,
        verbose=estimator.verbose,
        device=device,
        **options,
    )
    net.initialize()
    if seed is not None:
        net.module_.dropout.generator = torch.Generator(device).manual_seed(seed)
    return net


def _clipping(largest):
    return ("gradient_clip", GradientNormClipping(largest))


def has_weight_decay(optimizer) -> bool:
    """Whether an optimizer, by name or as a class, takes a weight decay."""
    optimizer = _OPTIMIZERS.get(optimizer, optimizer)
    return "weight_decay" in inspect.signature(optimizer).parameters


def train(net, dataset, epochs, validation=None):
    """Train ``net`` in place with skorch's loop.

    A net that goes on with its training keeps the weights it starts from if
    ``validation`` finds none better.

    Raises
    ------
    ValueError
        If the loss does not stay finite, and no earlier epoch has left better weights
        than the initial ones; if one has, they are restored with a
        :class:`~sklearn.exceptions.ConvergenceWarning`.
    """
    keep_best = dict(net.callbacks_)["keep_best"]
    net.notify("on_train_begin", X=dataset, y=None)
    if validation is not None and net.history:
        keep_best.offer(net, _loss(net, validation))
    try:
        net.fit_loop(dataset, epochs=epochs)
    except KeyboardInterrupt:
        # skorch's way to stop early is to raise what Ctrl-C raises, and to catch both.
        if not _is_stopped(net):
            raise
    except NonFiniteLoss:
        epoch = len(net.history)
        del net.history[-1]
        advice = (
            f"The training loss is not finite in epoch {epoch}. Lower learning_rate (now "
            f"{net.lr:g}), set gradient_clip=1.0, or keep standardize=True if the targets "
            "are large."
        )
        if not keep_best.best_ < keep_best.start_:
            raise ValueError(advice) from None
        keep_best.restore(net)
        net.optimizer_.state.clear()  # its averages are not finite either
        message = f"{advice} The weights of the best epoch before were restored."
        warnings.warn(message, ConvergenceWarning, stacklevel=4)
    if validation is not None:
        keep_best.restore(net)
    net.notify("on_train_end", X=dataset, y=None)


def _loss(net, dataset):
    batches = net.get_iterator(dataset, training=False)
    losses = [(net.validation_step(batch)["loss"].item(), len(batch[0])) for batch in batches]
    means, sizes = zip(*losses, strict=True)
    return np.average(means, weights=sizes)


def _is_stopped(net):
    return any(
        isinstance(callback, EarlyStopping) and callback.misses_ >= callback.patience
        for _, callback in net.callbacks_
    )


def forget_batches(epochs):
    """Drop skorch's record of every batch from these rows of a history."""
    for epoch in epochs:
        epoch["batches"] = []


def release(net):
    """Drop what only training needs: the data, the generators, the kept weights."""
    net.train_split = None
    net.iterator_train = net.iterator_valid = DataLoader  # for those who use the net itself
    net.module__generator = net.iterator_train__generator = net.module_.dropout.generator = None
    dict(net.callbacks_)["keep_best"].weights_ = None
    forget_batches(net.history)
    net.optimizer_.zero_grad(set_to_none=True)
    net.module_.eval()


def net_state(net, shape: dict) -> dict:
    """Everything that a trained net knows, as numpy arrays and plain Python values."""
    return {
        "shape": shape,
        "weights": _to_plain(net.module_.state_dict()),
        "optimizer": type(net.optimizer_).__name__,
        "optimizer_state": _to_plain(net.optimizer_.state_dict()["state"]),
        "history": _to_plain(list(net.history)),
    }


def load_net_state(net, state: dict) -> None:
    """Give a net that was just built what :func:`net_state` kept of another.

    Raises
    ------
    ValueError
        If the networks have different shapes.
    """
    try:
        net.module_.load_state_dict(_to_torch(state["weights"]))
    except RuntimeError as error:
        raise ValueError(
            "Training cannot go on with a network of another shape: hidden_layer_sizes or "
            f"bidirectional have changed since the last fit (its shape was {state['shape']}). "
            "Set them back, or set warm_start=False to start again."
        ) from error
    optimizer = net.optimizer_.state_dict()
    if state["optimizer"] == type(net.optimizer_).__name__:
        optimizer["state"] = _to_torch(state["optimizer_state"])
        net.optimizer_.load_state_dict(optimizer)
    for group in net.optimizer_.param_groups:
        group.setdefault("initial_lr", group["lr"])  # what schedulers go on from
    net.history.extend(state["history"])


def loaded_net(estimator, state: dict):
    """Build the net that :func:`net_state` kept, where it was or on the processor."""
    try:
        check_device(estimator.device)
        device = resolve_device(estimator.device)
    except ValueError:
        device = "cpu"
    net = build_net(estimator, state["shape"], device)
    load_net_state(net, state)
    release(net)
    return net


def _to_plain(value):
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().numpy().copy()
    if isinstance(value, dict):
        return {key: _to_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_to_plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def _to_torch(value):
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.copy())
    if isinstance(value, dict):
        return {key: _to_torch(item) for key, item in value.items()}
    return value


def layer_sizes(hidden_layer_sizes) -> tuple[int, ...]:
    """Sizes of the layers as a tuple; an int is one layer."""
    return tuple(int(size) for size in np.atleast_1d(hidden_layer_sizes))


def resolve_device(device):
    """Turn ``device="auto"`` into the first GPU, or the processor if there is none."""
    if device != "auto":
        return device
    return "cuda" if torch.cuda.is_available() else "cpu"


def check_device(device) -> None:
    """Refuse a device that torch does not know, or does not find on this machine."""
    if device == "auto":
        return
    try:
        known = torch.device(device).type != "meta"
    except RuntimeError:
        known = False
    if not known:
        raise ValueError(f"device must be 'auto', 'cpu', 'cuda' or 'cuda:N', got {device!r}.")
    try:
        torch.empty(0, device=device)
    except Exception as error:  # each kind of device has its own
        raise ValueError(
            f"device={device!r}, but torch finds no such device here. Use device='auto' for "
            "a GPU where there is one and the processor elsewhere."
        ) from error


def n_threads(n_jobs, sizes, n_features, batch_size) -> int:
    """Torch's threads for this work; the meaning of ``n_jobs`` is scikit-learn's."""
    if n_jobs is not None:
        n_cpus = joblib.cpu_count()
        return min(int(n_jobs), n_cpus) if n_jobs > 0 else max(n_cpus + 1 + n_jobs, 1)
    below = [n_features, *sizes[:-1]]
    work = max(4 * size * (size + inputs) for size, inputs in zip(sizes, below, strict=True))
    # joblib tells its workers through the environment how many threads each may use, and
    # torch has read it when it was imported.
    return 1 if batch_size * work < _WORK_FOR_THREADS else torch.get_num_threads()


class _Threads:
    """torch's number of threads while calls run, and as before when the last one ends.

    The number is one for the whole process, and calls can overlap in Python's threads.
    """

    def __init__(self):
        self.lock, self.calls, self.before = threading.Lock(), 0, None

    @contextmanager
    def set(self, n_threads):
        with self.lock:
            if self.calls == 0:
                self.before = torch.get_num_threads()
            self.calls += 1
            before = self.before
            torch.set_num_threads(n_threads)
        try:
            yield
        finally:
            with self.lock:
                self.calls -= 1
                torch.set_num_threads(before)


_THREADS = _Threads()


@contextmanager
def torch_state(n_threads, training):
    """Run a block with these threads and with gradients or without, then as before.

    Whatever the user has set around the call: grad mode, autocast, and on a GPU the
    faster and less exact choices of cuDNN.
    """
    with ExitStack() as stack:
        stack.enter_context(_THREADS.set(n_threads))
        stack.enter_context(torch.inference_mode(not training))
        stack.enter_context(torch.set_grad_enabled(training))
        stack.enter_context(torch.autocast("cpu", enabled=False))
        if torch.cuda.is_available():
            stack.enter_context(torch.autocast("cuda", enabled=False))
            exact = {"benchmark": False, "deterministic": True, "allow_tf32": False}
            enabled = torch.backends.cudnn.enabled
            stack.enter_context(torch.backends.cudnn.flags(enabled=enabled, **exact))
        yield
