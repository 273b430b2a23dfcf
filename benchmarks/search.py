"""A grid search over windows and layers, against skorch with windows made beforehand."""

import pickle
import statistics
import time
from dataclasses import dataclass

import numpy as np
import torch
from peers import NETWORK_ALONE
from peers.dense import dense_windows
from peers.hand_written import Network
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import Pipeline
from skorch import NeuralNetRegressor
from skorch.callbacks import GradientNormClipping

from sklstm import LSTMRegressor, SlidingWindowTransformer

N_PAIRS, BATCH = 5, 64


@dataclass(frozen=True)
class Grid:
    """What is searched: windows and layers, on folds of a series of so many rows."""

    windows: tuple[int, ...] = (12, 24, 48)
    sizes: tuple[int, ...] = (16, 32, 64)
    epochs: int = 3
    n_rows: int = 1_500
    n_folds: int = 5

    def data(self):
        """Make the series, and its next change for each row."""
        rows = np.random.default_rng(0).normal(size=(self.n_rows, 4)).cumsum(axis=0)
        rows = rows.astype(np.float32)
        return rows[:-1], rows[1:, 0] - rows[:-1, 0]

    def search(self, estimator, params, n_jobs):
        """Make a search over these parameters that is not fitted again at its end."""
        cv = TimeSeriesSplit(self.n_folds)
        return GridSearchCV(estimator, params, cv=cv, n_jobs=n_jobs, scoring=SCORING, refit=False)


def threads(estimator, X, y):
    """Score a candidate by the threads of torch in the process it was trained in."""
    return torch.get_num_threads()


def score(estimator, X, y):
    """Score as GridSearchCV does by default, but for one output of two dimensions."""
    return -np.mean((np.ravel(estimator.predict(X)) - np.ravel(y)) ** 2)


SCORING = {"error": score, "threads": threads}


def sklstm_search(grid, n_jobs):
    """All windows and layers in one search over the series."""
    X, y = grid.data()
    lstm = LSTMRegressor(
        batch_size=BATCH,
        max_epochs=grid.epochs,
        early_stopping=False,
        random_state=0,
        **NETWORK_ALONE,
    )
    pipe = Pipeline([("window", SlidingWindowTransformer()), ("lstm", lstm)])
    params = {"window__window_size": grid.windows, "lstm__hidden_layer_sizes": grid.sizes}
    search = grid.search(pipe, params, n_jobs).fit(X, y)
    return search, len(pickle.dumps((pipe, X, y)))


def skorch_search(grid, n_jobs):
    """One search over the layers for each window, on windows made beforehand."""
    X, target = grid.data()
    n_bytes = 0
    for window in grid.windows:
        windows, y = dense_windows(X, window), target[window - 1 :, None]
        net = NeuralNetRegressor(
            Network,
            module__n_features=X.shape[1],
            module__n_layers=1,
            optimizer=torch.optim.Adam,
            lr=1e-3,
            batch_size=BATCH,
            max_epochs=grid.epochs,
            iterator_train__shuffle=True,
            callbacks=[GradientNormClipping(1.0)],
            train_split=None,
            verbose=0,
        )
        search = grid.search(net, {"module__hidden_size": grid.sizes}, n_jobs).fit(windows, y)
        n_bytes += len(pickle.dumps((net, windows, y)))
    return search, n_bytes


def measure(grid=None, n_pairs=N_PAIRS, workers=(1, 2)):
    """Seconds of both searches, threads in a worker, bytes sent.

    Parameters
    ----------
    grid : Grid, default=None
        The defaults of :class:`Grid` unless given.
    n_pairs : int
        Rounds that count.
    workers : sequence of int
        Values of ``n_jobs``; the others are compared with 1.
    """
    grid = grid or Grid()
    runs = {
        (name, n_jobs): run
        for name, run in (("sklstm", sklstm_search), ("skorch", skorch_search))
        for n_jobs in workers
    }
    found = {f"{name} n_jobs={n_jobs}": {"seconds": []} for name, n_jobs in runs}
    for _ in range(n_pairs + 1):
        for (name, n_jobs), run in runs.items():
            start = time.perf_counter()
            search, n_bytes = run(grid, n_jobs)
            entry = found[f"{name} n_jobs={n_jobs}"]
            entry["seconds"].append(time.perf_counter() - start)
            entry["threads"] = sorted(set(search.cv_results_["mean_test_threads"]))
            entry["bytes"] = n_bytes
    for entry in found.values():
        entry["seconds"] = entry["seconds"][1:]
        print("search", entry, statistics.median(entry["seconds"]))
    return found
