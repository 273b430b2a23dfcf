"""Are predictions the same to the last bit? ``python benchmarks/fingerprints.py [NAME ...]``.

Prints a line for each configuration: a hash of what is predicted, of the losses and of the best
epoch, or of the windows. A change that only moves or renames code leaves every line as it was, so
run it before and after, on one machine, and compare::

    python benchmarks/fingerprints.py > after.txt
    git worktree add ../before HEAD~1
    PYTHONPATH=../before python benchmarks/fingerprints.py > before.txt
    diff before.txt after.txt

Only public names are used, so that it runs on both sides of a change.
"""

import argparse
import hashlib
import pickle
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning

from sklstm import LSTMRegressor, SlidingWindowTransformer, forecast_targets
from sklstm.datasets import load_chicago_ridership

N_ROWS = 700
SERIES = load_chicago_ridership(as_frame=True).data[:N_ROWS]
ROWS = SERIES.to_numpy()
TARGET = np.append(ROWS[1:, 0], np.nan)
SEVERAL = forecast_targets(ROWS[:, 0], 3)
WEIGHTS = np.linspace(0.0, 2.0, N_ROWS)
FAST = {"hidden_layer_sizes": 8, "max_epochs": 3, "random_state": 0, "n_jobs": 1}


def windows_of(rows, **params):
    """Windows of 10 steps, unless said otherwise."""
    return SlidingWindowTransformer(**({"window_size": 10} | params)).fit_transform(rows)


def holes():
    """Rows of which some stretches are missing."""
    rows = ROWS.copy()
    rows[[100, 101, 300, 655]] = np.nan
    return rows


def partly_known():
    """Targets of three outputs, each unknown at other rows."""
    targets = SEVERAL.copy()
    targets[::2, 0] = targets[1::2, 1] = np.nan
    return targets


def fitted(X, y, sample_weight=None, **params):
    """Fit on these windows, and return the estimator and the windows."""
    return LSTMRegressor(**(FAST | params)).fit(X, y, sample_weight), X


def warm(**params):
    """Fit twice with a warm start."""
    model, X = fitted(windows_of(ROWS), TARGET, warm_start=True, **params)
    return model.fit(X, TARGET), X


def partial(n_calls, X, y, **params):
    """Train for some epochs by partial_fit."""
    model = LSTMRegressor(**(FAST | params))
    for _ in range(n_calls):
        model.partial_fit(X, y)
    return model, X


def pickled(**params):
    """Fit, pickle, load, and train on what was loaded."""
    model, X = fitted(windows_of(ROWS), TARGET, **params)
    return pickle.loads(pickle.dumps(model)).partial_fit(X, TARGET), X


def mapped():
    """Fit on a series in a file that is larger than the working memory."""
    with tempfile.TemporaryDirectory() as folder:
        rows = np.memmap(Path(folder) / "rows", np.float64, "w+", shape=(60_000, 3))
        rows[:] = np.random.RandomState(0).randn(60_000, 3).cumsum(axis=0)
        with config_context(working_memory=1):
            model, X = fitted(windows_of(rows), rows[:, 0] * 0.5 + rows[:, 1], max_epochs=1)
            return model, X[-3_000:].copy()


def mixed_partial():
    """Fit, then train on rows that arrive later."""
    X = windows_of(ROWS)
    model, _ = fitted(X[:500], TARGET[:500])
    return model.partial_fit(X[500:], TARGET[500:]), X


W = windows_of
LONG = np.random.RandomState(1).randn(1_200, 2).cumsum(axis=0)
MODELS = {
    "defaults": lambda: fitted(W(ROWS), TARGET),
    "defaults, more epochs": lambda: fitted(W(ROWS), TARGET, max_epochs=12),
    "one layer of 64": lambda: fitted(W(ROWS), TARGET, hidden_layer_sizes=64),
    "two layers": lambda: fitted(W(ROWS), TARGET, hidden_layer_sizes=(8, 5)),
    "three layers, dropout": lambda: fitted(
        W(ROWS), TARGET, hidden_layer_sizes=(8, 7, 6), dropout=0.3
    ),
    "bidirectional": lambda: fitted(W(ROWS), TARGET, bidirectional=True),
    "float64": lambda: fitted(W(ROWS), TARGET, precision="float64"),
    "bfloat16": lambda: fitted(W(ROWS), TARGET, hidden_layer_sizes=32, precision="bfloat16"),
    "absolute error": lambda: fitted(W(ROWS), TARGET, loss="absolute_error"),
    "last step": lambda: fitted(W(ROWS), TARGET, supervise="last"),
    "every step, no map": lambda: fitted(
        W(ROWS), TARGET, supervise="every_step", linear_skip=False
    ),
    "network alone": lambda: fitted(W(ROWS), TARGET, linear_skip=False, supervise="last"),
    "network alone, absolute error": lambda: fitted(
        W(ROWS), TARGET, linear_skip=False, loss="absolute_error"
    ),
    "several outputs": lambda: fitted(W(ROWS), SEVERAL),
    "several outputs, known at other times": lambda: fitted(W(ROWS), partly_known()),
    "several outputs, network alone": lambda: fitted(W(ROWS), SEVERAL, linear_skip=False),
    "missing rows": lambda: fitted(W(holes()), TARGET),
    "missing rows, last step, no map": lambda: fitted(
        W(holes()), TARGET, supervise="last", linear_skip=False
    ),
    "holes in the index": lambda: fitted(W(SERIES.drop(SERIES.index[[50, 51, 400]])), TARGET[3:]),
    "padding edge": lambda: fitted(W(ROWS, padding="edge"), TARGET),
    "dilation": lambda: fitted(W(ROWS, dilation=3), TARGET),
    "weights": lambda: fitted(W(ROWS), TARGET, WEIGHTS),
    "weights, several outputs, last": lambda: fitted(
        W(ROWS), SEVERAL, WEIGHTS, supervise="last"
    ),
    "weights, unknown targets": lambda: fitted(W(ROWS), partly_known(), WEIGHTS),
    "unknown targets now and then": lambda: fitted(
        W(ROWS), np.where(np.arange(N_ROWS) % 5, np.nan, TARGET)
    ),
    "two dimensions": lambda: fitted(W(ROWS[:, :1])[9:, :, 0].copy(), TARGET[9:]),
    "copies of windows": lambda: fitted(W(ROWS)[9:].copy(), TARGET[9:]),
    "every second window": lambda: fitted(W(ROWS)[::2], TARGET[::2]),
    "float32 rows": lambda: fitted(W(ROWS.astype(np.float32)), TARGET),
    "memmap": mapped,
    "warm start": warm,
    "warm start, network alone": lambda: warm(linear_skip=False),
    "partial_fit": lambda: partial(3, W(ROWS), TARGET),
    "partial_fit, several outputs": lambda: partial(2, W(ROWS), SEVERAL, linear_skip=False),
    "fit, then partial_fit": mixed_partial,
    "pickled, then partial_fit": pickled,
    "pickled, no map, then partial_fit": lambda: pickled(linear_skip=False),
    "no early stopping": lambda: fitted(W(ROWS), TARGET, early_stopping=False),
    "early stopping stops": lambda: fitted(
        W(ROWS), TARGET, max_epochs=30, n_iter_no_change=2, tol=0.05
    ),
    "few rows": lambda: fitted(W(ROWS[:60], window_size=4), TARGET[:60]),
    "very few rows": lambda: fitted(W(ROWS[:20], window_size=3), TARGET[:20]),
    "not standardised": lambda: fitted(W(ROWS / 100), TARGET / 100, standardize=False),
    "adamw": lambda: fitted(W(ROWS), TARGET, optimizer="adamw", weight_decay=0.01),
    "sgd": lambda: fitted(W(ROWS), TARGET, optimizer="sgd", learning_rate=0.01),
    "no clipping, no average": lambda: fitted(W(ROWS), TARGET, gradient_clip=None, ema_decay=0.0),
    "batch size": lambda: fitted(W(ROWS), TARGET, batch_size=37, supervise="last"),
    "window of one step": lambda: fitted(W(ROWS, window_size=1), TARGET),
    "wide: conjugate gradients": lambda: fitted(
        W(LONG, window_size=1_100), np.append(LONG[1:, 0], np.nan), max_epochs=1
    ),
    "microbatches": lambda: fitted(
        W(ROWS, window_size=168), TARGET, hidden_layer_sizes=(96, 96), max_epochs=1,
        supervise="last", batch_size=128,
    ),
    "two threads": lambda: fitted(
        W(ROWS, window_size=96), TARGET, hidden_layer_sizes=(96, 96), max_epochs=1, n_jobs=2
    ),
    "shrinkage over many epochs": lambda: fitted(
        W(ROWS, window_size=14), TARGET, max_epochs=40, validation_fraction=0.3
    ),
}  # fmt: skip


def index_of(kind, n_rows=300):
    """Make an index of one kind."""
    return {
        "hours": lambda: pd.date_range("2024-01-01", periods=n_rows, freq="h"),
        "hours, local": lambda: pd.date_range(
            "2024-03-20", periods=n_rows, freq="h", tz="Europe/Berlin"
        ),
        "days, local": lambda: pd.date_range(
            "2024-03-20", periods=n_rows, freq="D", tz="Europe/Berlin"
        ),
        "months": lambda: pd.date_range("1990-01-31", periods=n_rows, freq="ME"),
        "business days": lambda: pd.bdate_range("2024-01-01", periods=n_rows),
        "periods": lambda: pd.period_range("1990-01", periods=n_rows, freq="M"),
        "integers": lambda: pd.Index(np.arange(5, 5 + 2 * n_rows, 2)),
        "floats": lambda: pd.Index(np.sqrt(np.arange(n_rows))),
        "text": lambda: pd.Index([f"{number:04}" for number in range(n_rows)]),
        "default": lambda: pd.RangeIndex(n_rows),
    }[kind]()


def series_windows(kind, **params):
    """Windows of fitted rows, of rows that follow, of rows among them; targets ahead."""
    frame = pd.DataFrame({"load": np.arange(300.0)}, index=index_of(kind))
    frame = frame.drop(frame.index[[40, 41, 260]]) if kind != "business days" else frame
    transformer = SlidingWindowTransformer(**({"window_size": 5} | params))
    parts = [transformer.fit_transform(frame[:200]), transformer.transform(frame[200:])]
    parts += [transformer.transform(frame), transformer.transform(frame[198:203])]
    transformer.partial_fit(frame[200:230])
    parts += [transformer.history_, transformer.transform(frame[230:])]
    parts.append(forecast_targets(frame["load"], 4))
    return [np.asarray(part) for part in parts]


WINDOWS = {
    f"windows: {kind}{', ' + str(params) if params else ''}": (kind, params)
    for kind in (
        "hours", "hours, local", "days, local", "months", "business days", "periods",
        "integers", "floats", "text", "default",
    )
    for params in (
        {},
        {"dilation": 3, "padding": "edge"},
        {"history": "none"},
        {"padding": "edge", "flatten": True},
    )
}  # fmt: skip


def digest(*arrays):
    """Hash types, shapes and bytes."""
    found = hashlib.sha256()
    for array in arrays:
        array = np.ascontiguousarray(array)
        found.update(f"{array.dtype} {array.shape}".encode())
        found.update(array.tobytes())
    return found.hexdigest()[:16]


def of_model(make):
    """Hash what a fitted estimator predicts: all rows, one row, and after a pickle."""
    model, X = make()
    predictions = [model.predict(X), model.predict(X[-1:])]
    predictions.append(pickle.loads(pickle.dumps(model)).predict(X))
    losses = [model.loss_curve_, model.validation_loss_curve_ or [], [model.best_epoch_ or 0]]
    statistics = [model.feature_mean_, model.feature_scale_, model.target_mean_]
    return digest(*predictions, *map(np.asarray, losses), *statistics)


def main(arguments=None):
    """Print a line for each configuration, or for those that are named."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", metavar="NAME", default=[*MODELS, *WINDOWS])
    warnings.simplefilter("ignore", ConvergenceWarning)
    warnings.filterwarnings("ignore", ".*windows lack steps")
    for name in parser.parse_args(arguments).names:
        if name in WINDOWS:
            kind, params = WINDOWS[name]
            found = digest(*series_windows(kind, **params))
        else:
            found = of_model(MODELS[name])
        print(f"{found}  {name}", flush=True)


if __name__ == "__main__":
    main()
