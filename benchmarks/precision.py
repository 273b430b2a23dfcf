"""What does ``precision="bfloat16"`` cost in accuracy? Five seeds on real series.

Run: ``python benchmarks/precision.py [ETTh1.csv]``. Prints the test error (root mean squared,
in units of the target's standard deviation) of float32 and bfloat16, and the ratio of the
means. The first series ships with sklstm; the second one is read from the file named.
"""

import argparse

import numpy as np
from sklearn.metrics import root_mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklstm import LSTMRegressor, SlidingWindowTransformer, forecast_targets
from sklstm.datasets import load_chicago_ridership


def errors(X, y, window_size, precision, seeds, **params):
    """Test error of each seed: the last fifth of the rows is the test part."""
    n_train = round(0.8 * len(X))
    gap = y.shape[1] - 1
    result = []
    for seed in seeds:
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


def compare(name, X, y, window_size, precision, **params):
    """Print the errors in float32 and in another precision, and the ratio of their means."""
    names = ("float32", precision)
    exact, rounded = (errors(X, y, window_size, each, **params) for each in names)
    for label, values in zip(names, (exact, rounded), strict=True):
        seeds = "  ".join(f"{value:.4f}" for value in values)
        print(f"{name}  {label:8}  {seeds}  mean {np.mean(values):.4f}", flush=True)
    ratio = np.mean(rounded) / np.mean(exact)
    print(f"{name}  {precision} / float32: {ratio:.4f}", flush=True)


def main(arguments=None):
    """Compare on the series that ships with sklstm, and on ETTh1 if its file is named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("etth1", nargs="?", metavar="ETTh1.csv")
    parser.add_argument("--precision", default="bfloat16", help="what float32 is compared with")
    parser.add_argument("--seeds", nargs="+", type=int, default=range(5))
    parser.add_argument("--rows", type=int, help="of each series, the first ones; default: all")
    parser.add_argument("--max-epochs", type=int, help="default: sklstm's, and 3 for ETTh1")
    asked = parser.parse_args(arguments)
    params = {"precision": asked.precision, "seeds": asked.seeds}
    epochs = {} if asked.max_epochs is None else {"max_epochs": asked.max_epochs}

    chicago = load_chicago_ridership().data[: asked.rows]
    target = forecast_targets(chicago[:, :1], 7)
    compare("Chicago", chicago, target, window_size=28, **params, **epochs)
    if asked.etth1:
        etth1 = np.loadtxt(asked.etth1, delimiter=",", skiprows=1, usecols=range(1, 8))
        etth1 = etth1[: asked.rows]
        target = forecast_targets(etth1[:, -1:], 24)
        compare("ETTh1  ", etth1, target, window_size=24, **params, **{"max_epochs": 3} | epochs)


if __name__ == "__main__":
    main()
