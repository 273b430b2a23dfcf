"""Train a net with skorch's loop, and delete afterwards what only training needs."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import EarlyStopping
from torch.utils.data import DataLoader

from sklstm._network.batches import EveryStepDataset, WindowDataset
from sklstm._network.epoch_tasks import EpochTasks
from sklstm._network.keep_best import NonFiniteLoss, forget_batches
from sklstm._network.net import WindowNet
from sklstm._network.progress import shown
from sklstm._network.threads import thread_map
from sklstm._series.caller import level_of_caller


def train(
    net: WindowNet,
    dataset: WindowDataset | EveryStepDataset,
    epochs: int,
    threads: int = 1,
    validation: WindowDataset | None = None,
) -> None:
    """Train ``net`` in place; compute the microbatches in ``threads`` threads.

    If training continues from an earlier one and no epoch has a lower validation loss than
    the weights at the start, these weights are restored.

    Raises
    ------
    ValueError
        If the loss does not stay finite, and no earlier epoch had a lower loss than the first
        batch. If one had, its weights are restored, with a
        :class:`~sklearn.exceptions.ConvergenceWarning`.

    Warns
    -----
    ConvergenceWarning
        Also if all epochs were trained, and early stopping had not ended the training.
    """
    keep_best = dict(net.callbacks_)["keep_best"]
    last_epoch = len(net.history) + epochs
    net.notify("on_train_begin", X=dataset, y=None)
    if validation is not None and net.history:
        keep_best.offer(net, _mean_loss(net, validation))
    try:
        with thread_map(threads) as net.map_, shown(net, epochs):
            net.fit_loop(dataset, epochs=epochs)
    except KeyboardInterrupt:
        # skorch's EarlyStopping raises KeyboardInterrupt, as Ctrl-C does, and skorch catches both.
        if not _has_stopped(net):
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
        net.optimizer_.state.clear()  # the optimizer's moments are not finite either
        message = f"{advice} The weights of the best earlier epoch were restored."
        warnings.warn(message, ConvergenceWarning, stacklevel=level_of_caller())
    if validation is not None:
        keep_best.restore(net)
        if len(net.history) == last_epoch and not _has_stopped(net):
            message = (
                f"Training reached max_epochs={epochs} before early stopping ended it, so the "
                f"validation loss may fall further (it was lowest in epoch {keep_best.epoch_}). "
                "Raise max_epochs."
            )
            warnings.warn(message, ConvergenceWarning, stacklevel=level_of_caller())
    net.notify("on_train_end", X=dataset, y=None)


def _mean_loss(net: WindowNet, dataset: WindowDataset) -> float:
    batches = net.get_iterator(dataset, training=False)
    losses = [(net.validation_step(batch)["loss"].item(), len(batch[0])) for batch in batches]
    means, sizes = zip(*losses, strict=True)
    return float(np.average(means, weights=sizes))


def _has_stopped(net: WindowNet) -> bool:
    return any(
        (isinstance(callback, EarlyStopping) and callback.misses_ >= callback.patience)
        or (isinstance(callback, EpochTasks) and callback.stopped_)
        for _, callback in net.callbacks_
    )


def release(net: WindowNet) -> None:
    """Delete what only training needs: the data, the generators, the weights of the best epoch."""
    net.train_split = None
    net.iterator_train = net.iterator_valid = DataLoader  # if the user calls the net directly
    net.module__generator = net.iterator_train__generator = None
    net.generators, net.map_ = (), map
    net.averages_ = net.last_ = None
    net.module_.every_step = False
    callbacks = dict(net.callbacks_)
    callbacks["keep_best"].weights_ = None
    if "epoch_tasks" in callbacks:
        callbacks["epoch_tasks"].release()
    forget_batches(net.history)
    net.optimizer_.zero_grad(set_to_none=True)
    net.module_.eval()
