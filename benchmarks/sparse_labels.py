"""Where few targets are known: compare a loss at every step with one at the last.

Run: ``python benchmarks/sparse_labels.py``; four to nine minutes a seed. Fits both on the same
labels, scattered at random or at regular distances, of the series that ships with sklstm and of a
made-up one. Prints, by the mean number of known targets in a window, what every_step takes of the
time of last, and the geometric mean of its error divided by that of last, with and without the
linear map. The error is that of the fifth of the rows after the fit. The errors of one seed differ
by a tenth from those of the next: ``--seeds 0 1 2``.
"""

import argparse
import time

import numpy as np

from sklstm import LSTMRegressor, SlidingWindowTransformer, forecast_targets
from sklstm.datasets import load_chicago_ridership

BINS = [(1, 2), (2, 4), (4, 6), (6, 12), (12, 24)]
FRACTIONS = (0.02, 0.07, 0.1, 0.2, 0.5)


def sensor(n_rows=6000):
    """Two rows of inputs, and a nonlinear filter of them that a sensor is to measure."""
    rng = np.random.RandomState(0)
    inputs, output = np.zeros((n_rows, 2)), np.zeros(n_rows)
    for row in range(1, n_rows):
        inputs[row] = 0.9 * inputs[row - 1] + 0.4 * rng.randn(2)
        first, second = inputs[row]
        kept = 0.7 + 0.25 * np.tanh(second)
        output[row] = kept * output[row - 1] + 0.3 * np.tanh(2 * first) * (1 + second)
    return inputs, output + 0.05 * rng.randn(n_rows)


def compare(X, y, window_size, known, **params):
    """Fit both ways on the known targets of the first rows: seconds and errors of each."""
    windows = SlidingWindowTransformer(window_size).fit_transform(X)
    n_train, results = len(known), []
    labels = np.where(known, y[:n_train], np.nan)
    for supervise in ("every_step", "last"):
        model = LSTMRegressor(16, supervise=supervise, n_jobs=1, **params)
        start = time.perf_counter()
        model.fit(windows[:n_train], labels)
        seconds = time.perf_counter() - start
        error = np.sqrt(np.nanmean((model.predict(windows[n_train:]) - y[n_train:]) ** 2))
        results.append((seconds, error))
    return results


def known_targets(known, window_size):
    """Count the known targets in a window that ends at a known target, on average."""
    ends = np.flatnonzero(known)
    ends = ends[ends >= window_size - 1]
    return np.mean([known[end + 1 - window_size : end + 1].sum() for end in ends])


def main(arguments=None):
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--rows", type=int, help="of each series, the first ones; default: all")
    parser.add_argument("--max-epochs", type=int, default=100)
    asked = parser.parse_args(arguments)
    chicago = load_chicago_ridership().data[:4500]
    series = [(chicago, forecast_targets(chicago[:, 0], 1).ravel()), sensor()]
    results = []
    for seed in asked.seeds:
        for X, y in ((X[: asked.rows], y[: asked.rows]) for X, y in series):
            n_train = len(X) * 4 // 5
            scattered = np.random.RandomState(seed).rand(n_train)
            for fraction in FRACTIONS:
                regular = np.arange(n_train) % round(1 / fraction) == 0
                for known in (scattered < fraction, regular):
                    for window_size in (12, 24):
                        params = {"max_epochs": asked.max_epochs, "random_state": seed}
                        pairs = [
                            compare(X, y, window_size, known, linear_skip=linear, **params)
                            for linear in (True, False)
                        ]
                        results.append((known_targets(known, window_size), pairs))
    print("| known targets a window | pairs | time | error | time, no map | error, no map |")
    print("|---|---|---|---|---|---|")
    for low, high in BINS:
        inside = np.array([pairs for count, pairs in results if low <= count < high])
        cells = []
        for linear in (0, 1) if len(inside) else ():  # inside: (n, map or not, supervise, 2)
            (every, last) = np.moveaxis(inside[:, linear], 1, 0)
            error = np.exp(np.log(every[:, 1] / last[:, 1]).mean())
            cells += [f"{every[:, 0].sum() / last[:, 0].sum():.2f}", f"{error:.3f}"]
        print(f"| {low} to {high} | {len(inside)} | {' | '.join(cells or ['', '', '', ''])} |")


if __name__ == "__main__":
    main()
