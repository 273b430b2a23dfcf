"""One row through scaling, windows and network, against the bare network's forward pass.

The row is one of an array, then of a data frame with an index, alone or with the 47 rows before it.
Also the least that any such pipeline could take: scikit-learn's scaler, and an estimator that
does nothing but the forward pass.
"""

import statistics
import time

import numpy as np
import pandas as pd
import torch
from peers import NETWORK_ALONE
from peers.hand_written import Network
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklstm import LSTMRegressor, SlidingWindowTransformer

N_PAIRS, REPEATS = 9, 100
NETWORKS = {"small": (12, 1, (16,)), "medium": (48, 8, (64, 64)), "large": (96, 8, (256, 256))}


class Forward(RegressorMixin, BaseEstimator):
    """Ignores its input and applies the network to one window: no checks, no windows."""

    def __init__(self, forward):
        self.forward = forward

    def fit(self, X, y):
        """Fit nothing."""
        self.fitted_ = True
        return self

    def predict(self, X):
        """Apply the network."""
        return self.forward().numpy()


def measure(networks=NETWORKS, n_pairs=N_PAIRS, repeats=REPEATS):
    """Microseconds of each step for each network: medians over the rounds.

    Parameters
    ----------
    networks : dict
        Window, features and layers of each network.
    n_pairs : int
        Rounds that count, in which each step is timed once.
    repeats : int
        Calls of a step that are timed as one.
    """
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return {k: _measure(*network, n_pairs, repeats) for k, network in networks.items()}
    finally:
        torch.set_num_threads(n_threads)  # the search comes later in the same process


def _measure(window, n_features, sizes, n_pairs, repeats):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1_000, n_features))
    hours = pd.date_range("2026", periods=len(X) + 1, freq="h")
    names = [f"x{i}" for i in range(n_features)]
    frame = pd.DataFrame(rng.normal(size=(len(hours), n_features)), hours, names)
    lstm = LSTMRegressor(
        sizes, max_epochs=1, early_stopping=False, n_jobs=1, random_state=0, **NETWORK_ALONE
    )
    steps = [StandardScaler(), SlidingWindowTransformer(window), lstm]
    model = clone(make_pipeline(*steps)).fit(X, X[:, 0])
    of_frames = clone(make_pipeline(*steps)).set_output(transform="pandas")
    of_frames.fit(frame[:-1], X[:, 0])
    row = rng.normal(size=(1, n_features))
    scaled = model[0].transform(row)
    windows = model[1].transform(scaled)
    without_history = clone(of_frames).set_params(slidingwindowtransformer__history="none")
    without_history.fit(frame[:-1], X[:, 0])
    last_row, last_rows = frame[-1:], frame[-48:]
    scaled_frame = of_frames[0].transform(last_row)
    bare = Network(n_features, sizes[0], len(sizes)).eval()
    x = torch.from_numpy(windows.copy()).float()

    def forward():
        with torch.inference_mode():
            return bare(x)

    least = make_pipeline(StandardScaler(), "passthrough", Forward(forward)).fit(X, X[:, 0])
    steps = {
        "bare forward": forward,
        "least": lambda: least.predict(row),
        "pipeline": lambda: model.predict(row),
        "StandardScaler.transform": lambda: model[0].transform(row),
        "SlidingWindowTransformer.transform": lambda: model[1].transform(scaled),
        "LSTMRegressor.predict": lambda: model[2].predict(windows),
        "pipeline, frame": lambda: of_frames.predict(last_row),
        "StandardScaler, frame": lambda: of_frames[0].transform(last_row),
        "SlidingWindowTransformer, frame": lambda: of_frames[1].transform(scaled_frame),
        "pipeline, last 48 rows of a frame": lambda: without_history.predict(last_rows),
    }
    seconds = {name: [] for name in steps}
    for _ in range(n_pairs + 1):
        for name, step in steps.items():
            start = time.perf_counter()
            for _ in range(repeats):
                step()
            seconds[name].append((time.perf_counter() - start) / repeats)
    ratios = {
        name: [a / b for a, b in zip(seconds[name], seconds["bare forward"], strict=True)]
        for name in ("pipeline", "least")
    }
    return {
        "microseconds": {k: 1e6 * statistics.median(v[1:]) for k, v in seconds.items()},
        "ratio": statistics.median(ratios["pipeline"][1:]),
        "least": statistics.median(ratios["least"][1:]),
    }
