"""What does ``precision="bfloat16"`` cost in accuracy? Five seeds on real series.

Run: ``python benchmarks/precision.py [ETTh1.csv]``. Prints the test error (root mean squared,
in units of the target's standard deviation) of float32 and bfloat16, and the ratio of the
means. The first series ships with sklstm; the second one is read from the file named.
"""

import sys

import numpy as np
from sklearn.metrics import root_mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklstm import LSTMRegressor, SlidingWindowTransformer, forecast_targets
from sklstm.datasets import load_chicago_ridership

SEEDS = range(5)


def errors(X, y, window_size, precision, **params):
    """Test error of each seed: the last fifth of the rows is the test part."""
    n_train = round(0.8 * len(X))
    gap = y.shape[1] - 1
    result = []
    for seed in SEEDS:
        model = make_pipeline(
            StandardScaler(),
            SlidingWindowTransformer(window_size),
            LSTMRegressor(precision=precision, random_state=seed, n_jobs=1, **params),
        ).fit(X[: n_train - gap], y[: n_train - gap])
        model[1].partial_fit(model[0].transform(X[n_train - gap : n_train]))
        known = slice(n_train, len(X) - y.shape[1])
        predicted = model.predict(X[n_train:])[: known.stop - n_train]
        result.append(root_mean_squared_error(y[known], predicted) / np.nanstd(y))
    return result


def compare(name, X, y, window_size, **params):
    """Print the errors of both precisions, and the ratio of their means."""
    float32, bfloat16 = (
        errors(X, y, window_size, precision, **params) for precision in ("float32", "bfloat16")
    )
    for label, values in (("float32 ", float32), ("bfloat16", bfloat16)):
        seeds = "  ".join(f"{value:.4f}" for value in values)
        print(f"{name}  {label}  {seeds}  mean {np.mean(values):.4f}", flush=True)
    print(f"{name}  bfloat16 / float32: {np.mean(bfloat16) / np.mean(float32):.4f}", flush=True)


chicago = load_chicago_ridership().data
compare("Chicago", chicago, forecast_targets(chicago[:, :1], 7), window_size=28)
if len(sys.argv) > 1:
    etth1 = np.loadtxt(sys.argv[1], delimiter=",", skiprows=1, usecols=range(1, 8))
    target = forecast_targets(etth1[:, -1:], 24)
    compare("ETTh1  ", etth1, target, window_size=24, max_epochs=3)
