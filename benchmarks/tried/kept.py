"""Ideas a, b, c and q: what sklstm does already."""

import multiprocessing
import time
from contextlib import contextmanager

import torch
from skorch import NeuralNetRegressor
from skorch.callbacks import GradientNormClipping

from sklstm import _module, _runtime, _training
from sklstm._net import WindowNet
from tried import measuring
from tried.measuring import epoch_seconds, ratio_of, replaced


class SkorchNet(WindowNet):
    """The training step and the calls of callbacks that skorch has."""

    train_step_single = NeuralNetRegressor.train_step_single
    notify = NeuralNetRegressor.notify
    _zero_grad_optimizer = NeuralNetRegressor._zero_grad_optimizer


def skorch_step(network):
    """Idea a: skorch's own step against that of WindowNet."""

    def before():
        with replaced((_training, "WindowNet", SkorchNet)):
            clip = ("clip", GradientNormClipping(1.0))
            return epoch_seconds(network, gradient_clip=None, callbacks=[clip])

    return ratio_of(before, lambda: epoch_seconds(network))


def direct_call(network):
    """Idea q: torch's operation itself against torch's layer around it."""

    def before():
        with replaced((_module, "LSTMLayer", torch.nn.LSTM)):
            return epoch_seconds(network)

    return ratio_of(before, lambda: epoch_seconds(network))


def in_child(function):
    """Call a function in a process of its own, and return its result."""
    context = multiprocessing.get_context("fork")
    results = context.SimpleQueue()
    process = context.Process(target=lambda: results.put(function()))
    process.start()
    process.join()
    return results.get()


def kept_memory(network):
    """Idea b: memory that the allocator keeps between steps. No training may come before."""

    def without():
        with replaced((_runtime, "_allocator", lambda: None)):
            return epoch_seconds(network, n_epochs=3)

    return ratio_of(
        lambda: in_child(without), lambda: in_child(lambda: epoch_seconds(network, n_epochs=3))
    )


@contextmanager
def threads_of_torch():
    """Two threads within each operation of torch."""
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


def shares(network):
    """Idea c: shares of a batch in two threads against two threads within operations."""
    if _runtime.joblib.cpu_count() < 2:
        return "-"

    def before():
        with replaced((_runtime, "_one_thread", threads_of_torch)):
            return epoch_seconds(network, n_epochs=3)

    with replaced((measuring, "now", time.perf_counter)):
        return ratio_of(before, lambda: epoch_seconds(network, n_epochs=3, n_jobs=2))
