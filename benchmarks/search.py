"""A grid search over windows and layers, against skorch with windows made beforehand."""

import pickle
import statistics
import time

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

N_PAIRS = 5
WINDOWS, SIZES, EPOCHS, BATCH = (12, 24, 48), (16, 32, 64), 3, 64
CV = TimeSeriesSplit(5)
ROWS = np.random.default_rng(0).normal(size=(1_500, 4)).cumsum(axis=0).astype(np.float32)
X, Y = ROWS[:-1], ROWS[1:, 0] - ROWS[:-1, 0]


def threads(estimator, X, y):
    """Score a candidate by the threads of torch in the process it was trained in."""
    return torch.get_num_threads()


def score(estimator, X, y):
    """Score as GridSearchCV does by default, but for one output of two dimensions."""
    return -np.mean((np.ravel(estimator.predict(X)) - np.ravel(y)) ** 2)


SCORING = {"error": score, "threads": threads}


def sklstm_search(n_jobs):
    """All windows and layers in one search over the series."""
    lstm = LSTMRegressor(
        batch_size=BATCH,
        max_epochs=EPOCHS,
        early_stopping=False,
        random_state=0,
        **NETWORK_ALONE,
    )
    pipe = Pipeline([("window", SlidingWindowTransformer()), ("lstm", lstm)])
    grid = {"window__window_size": WINDOWS, "lstm__hidden_layer_sizes": SIZES}
    search = GridSearchCV(pipe, grid, cv=CV, n_jobs=n_jobs, scoring=SCORING, refit=False)
    return search.fit(X, Y), len(pickle.dumps((pipe, X, Y)))


def skorch_search(n_jobs):
    """One search over the layers for each window, on windows made beforehand."""
    n_bytes = 0
    for window in WINDOWS:
        windows, y = dense_windows(X, window), Y[window - 1 :, None]
        net = NeuralNetRegressor(
            Network,
            module__n_features=X.shape[1],
            module__n_layers=1,
            optimizer=torch.optim.Adam,
            lr=1e-3,
            batch_size=BATCH,
            max_epochs=EPOCHS,
            iterator_train__shuffle=True,
            callbacks=[GradientNormClipping(1.0)],
            train_split=None,
            verbose=0,
        )
        grid = {"module__hidden_size": SIZES}
        search = GridSearchCV(net, grid, cv=CV, n_jobs=n_jobs, scoring=SCORING, refit=False)
        search.fit(windows, y)
        n_bytes += len(pickle.dumps((net, windows, y)))
    return search, n_bytes


def measure():
    """Seconds of both searches with one and two workers, threads in a worker, bytes sent."""
    runs = {
        (name, n_jobs): run
        for name, run in (("sklstm", sklstm_search), ("skorch", skorch_search))
        for n_jobs in (1, 2)
    }
    found = {f"{name} n_jobs={n_jobs}": {"seconds": []} for name, n_jobs in runs}
    for _ in range(N_PAIRS + 1):
        for (name, n_jobs), run in runs.items():
            start = time.perf_counter()
            search, n_bytes = run(n_jobs)
            entry = found[f"{name} n_jobs={n_jobs}"]
            entry["seconds"].append(time.perf_counter() - start)
            entry["threads"] = sorted(set(search.cv_results_["mean_test_threads"]))
            entry["bytes"] = n_bytes
    for entry in found.values():
        entry["seconds"] = entry["seconds"][1:]
        print("search", entry, statistics.median(entry["seconds"]))
    return found
