"""The skorch net: how it is built, trained, kept as plain arrays and built again."""

from __future__ import annotations

import inspect
import warnings

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import EarlyStopping
from skorch.helper import predefined_split
from torch.utils.data import DataLoader

from sklstm._network.batches import WindowBatches
from sklstm._network.module import LinearSkip, StackedLSTM
from sklstm._network.net import KeepBest, NonFiniteLoss, TargetLoss, WindowNet, forget_batches
from sklstm._network.progress import EpochProgress, shown
from sklstm._network.runtime import check_device, resolve_device, share_size, thread_map

_OPTIMIZERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}
# Type of the series and of the weights; in bfloat16, layers compute on rounded copies of them.
DTYPES = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.float32}


def architecture(estimator) -> dict:
    """Collect what decides the shape of the network, as plain Python values."""
    return {
        "n_features": int(estimator._n_channels),
        "hidden_layer_sizes": layer_sizes(estimator.hidden_layer_sizes),
        "n_outputs": int(estimator.n_outputs_),
        "bidirectional": bool(estimator.bidirectional),
        "beside_linear": bool(estimator.linear_skip),
        "precision": str(estimator.precision),
    }


def build_net(
    estimator,
    shape,
    device,
    batch_size=-1,
    seed=None,
    threads=1,
    validation=None,
    callbacks=None,
    every_step=False,
):
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
    threads : int, default=1
        How many threads the shares of a batch are for.
    validation : WindowDataset or None, default=None
        What early stopping looks at.
    callbacks : list of skorch callbacks or None, default=None
        The user's own.
    every_step : bool, default=False
        Whether training windows have a target for every step.

    Returns
    -------
    WindowNet
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
    if estimator.verbose == 1:
        callbacks.insert(
            1, ("epoch_progress", EpochProgress())
        )  # before one that may stop training
    if estimator.verbose < 2:
        options |= {"callbacks__print_log": None}

    generator = None if seed is None else torch.Generator("cpu").manual_seed(seed)
    if seed is not None and torch.device(device).type == "cpu":
        share = share_size(
            batch_size, n_units(shape), estimator.window_size_, shape["precision"], threads
        )
        options |= {"share_size": share, "iterator_valid__batch_size": share}
    if seed is not None and estimator.dropout > 0:
        n_shares = -(-batch_size // options.get("share_size", batch_size))
        options["generators"] = [
            torch.Generator(device).manual_seed(seed + share) for share in range(n_shares)
        ]
    module = {f"module__{name}": value for name, value in shape.items() if name != "precision"}
    net = WindowNet(
        StackedLSTM,
        **module,
        module__dropout=estimator.dropout,
        module__every_step=every_step,
        module__dtype=DTYPES[shape["precision"]],
        module__low_precision=torch.bfloat16 if shape["precision"] == "bfloat16" else None,
        module__generator=generator,
        gradient_clip=estimator.gradient_clip,
        ema_decay=estimator.ema_decay,
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
        verbose=max(estimator.verbose - 1, 0),
        device=device,
        **options,
    )
    return net.initialize()


def n_units(shape) -> int:
    """Count the outputs of all layers for one step of a window."""
    return sum(shape["hidden_layer_sizes"]) * (2 if shape["bidirectional"] else 1)


def prediction_batch(shape, window_size) -> int:
    """Windows in each call of the network: few for one row, many to keep a small network busy."""
    # Whole vectors, since in others the last rows are computed in another way.
    batch_size = min(max(4096 // max(shape["hidden_layer_sizes"]), 16), 256) // 16 * 16
    return share_size(batch_size, n_units(shape), window_size, shape["precision"], threads=1)


def has_weight_decay(optimizer) -> bool:
    """Whether an optimizer, by name or as a class, takes a weight decay."""
    optimizer = _OPTIMIZERS.get(optimizer, optimizer)
    return "weight_decay" in inspect.signature(optimizer).parameters


def train(net, dataset, epochs, threads=1, validation=None):
    """Train ``net`` in place with skorch's loop, the shares of each batch in so many threads.

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
        with thread_map(threads) as net.map_, shown(net, epochs):
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


def release(net):
    """Drop what only training needs: the data, the generators, the kept weights."""
    net.train_split = None
    net.iterator_train = net.iterator_valid = DataLoader  # for those who use the net itself
    net.module__generator = net.iterator_train__generator = None
    net.generators, net.map_ = (), map
    net.averages_ = net.last_ = None
    net.module_.every_step = False
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
    weights = {k: v for k, v in state["weights"].items() if not k.startswith("skip.")}
    try:
        net.module_.load_state_dict(_to_torch(weights))
    except RuntimeError as error:
        raise ValueError(
            "Training cannot go on with a network of another shape: hidden_layer_sizes, "
            "bidirectional or linear_skip have changed since the last fit (its shape was "
            f"{state['shape']}). Set them back, or set warm_start=False to start again."
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
    weights = _to_torch(state["weights"])
    if "skip.weights" in weights:
        parts = (weights[f"skip.{name}"] for name in ("weights", "intercept", "scale", "share"))
        net.module_.skip = LinearSkip(*parts).to(device)
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
