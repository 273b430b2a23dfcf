"""How an idea is timed: an epoch as it is, and with parts replaced, by turns."""

import statistics
import time
from contextlib import contextmanager
from unittest.mock import patch

import numpy as np
from peers import NETWORK_ALONE
from skorch.callbacks import Callback

from sklstm import LSTMRegressor, SlidingWindowTransformer

# Batch, window, features, units of the layers, batches in an epoch.
NETWORKS = {
    "small": (64, 12, 1, (16,), 40),
    "medium": (128, 48, 8, (64, 64), 4),
    "large": (64, 96, 8, (256, 256), 1),
}
PAIRS = 7
NETS = 5  # trained as one

# Of the processor, which other programs disturb less, but for threads.
now = time.process_time


class Clock(Callback):
    """Measures the epochs."""

    def on_train_begin(self, net, **kwargs):
        """Forget earlier epochs."""
        self.seconds = []

    def on_epoch_begin(self, net, **kwargs):
        """Start."""
        self.start = now()

    def on_epoch_end(self, net, **kwargs):
        """Stop."""
        self.seconds.append(now() - self.start)


def epoch_seconds(network, n_epochs=1, callbacks=(), **params):
    """Time of an epoch in ``fit``, once everything is set up."""
    batch_size, window, n_features, sizes, n_batches = NETWORKS[network]
    rows = np.random.default_rng(0).normal(size=(batch_size * n_batches + window - 1, n_features))
    windows = SlidingWindowTransformer(window).fit_transform(rows)[window - 1 :]
    params = {"batch_size": batch_size, "n_jobs": 1} | NETWORK_ALONE | params
    clock = Clock()
    LSTMRegressor(
        sizes,
        max_epochs=n_epochs,
        early_stopping=False,
        random_state=0,
        device="cpu",
        callbacks=[("clock", clock), *callbacks],
        **params,
    ).fit(windows, rows[window - 1 :, 0])
    return statistics.median(clock.seconds)


def step_seconds(step, n_steps):
    """Time of a call, as the mean of many."""
    start = now()
    for _ in range(n_steps):
        step()
    return (now() - start) / n_steps


def ratio_of(before, after, pairs=PAIRS):
    """Median of the ratios of two times that are measured by turns, and their quartiles."""
    before(), after()
    ratios = [before() / after() for _ in range(pairs)]
    low, median, high = statistics.quantiles(ratios, n=4)
    return f"{median:.2f} ({low:.2f}-{high:.2f})"


def fit_ratio(network, *changes, **params):
    """Ratio of an epoch as it is to one with parts replaced: pairs (what, by what)."""

    def after():
        with replaced(*changes):
            return epoch_seconds(network, **params)

    return ratio_of(lambda: epoch_seconds(network), after)


@contextmanager
def replaced(*changes):
    """Replace ``module.name`` by a value for each (module, name, value)."""
    patches = [patch.object(*change) for change in changes]
    for change in patches:
        change.start()
    try:
        yield
    finally:
        for change in patches:
            change.stop()
