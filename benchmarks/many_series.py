"""Time and memory of many series in one frame: ``python benchmarks/many_series.py``.

Fits of one epoch on many series and on one series of as many rows, in turn; their ratio is that of
medians. With ``--large``, 30,000 series of 1,900 days once, each step with its time and with the
memory that the process takes at most, in units of the values of the frame.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import statistics
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from sklstm import LSTMRegressor, SlidingWindowTransformer, forecast_targets

WINDOW = 28


def frame(n_series, n_rows, n_columns=1):
    """Make series of daily counts with a week, whose sizes differ, and other columns."""
    random = np.random.RandomState(0)
    size = np.repeat(10 ** random.uniform(0, 2, n_series), n_rows)
    week = np.tile(np.sin(np.arange(n_rows) * 2 * np.pi / 7), n_series) + 2
    sales = random.poisson(size * week).astype(float)
    index = pd.date_range("1900-01-01", periods=n_rows)
    if n_series > 1:
        names = [f"shop {number:05d}" for number in range(n_series)]
        index = pd.MultiIndex.from_product([names, pd.date_range("2020-01-01", periods=n_rows)])
    values = np.empty((len(sales), n_columns))
    values[:, 0] = sales
    for column in range(1, n_columns):
        values[:, column] = random.rand(len(sales))
    names = ["sales", *(f"known{column}" for column in range(1, n_columns))]
    return pd.DataFrame(values, index, names, copy=False)


def fit(X):
    """Make windows and targets, and train one epoch; return the seconds of each."""
    start = time.perf_counter()
    windows = SlidingWindowTransformer(WINDOW).fit_transform(X)
    y = forecast_targets(X["sales"], 1)
    middle = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        LSTMRegressor(16, max_epochs=1, random_state=0, n_jobs=1).fit(windows, y)
    return middle - start, time.perf_counter() - middle


def compare(n_series, n_rows, n_runs):
    """Print the ratio of the times of many series and of one with as many rows."""
    many, one = frame(n_series, n_rows), frame(1, n_series * n_rows)
    fit(many[: 5 * n_rows]), fit(one[: 5 * n_rows])  # loads what is loaded once
    runs = [(fit(many), fit(one)) for _ in range(n_runs)]
    for part, name in enumerate(("windows and targets", "training")):
        seconds = [statistics.median(run[which][part] for run in runs) for which in (0, 1)]
        print(f"{name}: {seconds[0]:.2f} s and {seconds[1]:.2f} s", flush=True)
    both = [statistics.median(sum(run[which]) for run in runs) for which in (0, 1)]
    print(f"{n_series} series of {n_rows} rows over one series: {both[0] / both[1]:.2f}")


def most_memory():
    """Return the bytes that this process has taken at most."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])


def large(n_series, n_rows, n_columns, max_rows):
    """Print time and memory of each step on many series."""
    X = frame(n_series, n_rows, n_columns)
    Path("/proc/self/clear_refs").write_text("5")  # the most memory counts from here on
    values, before = 8 * X.size, most_memory()

    def report(name, start):
        most = most_memory() - before
        seconds = time.perf_counter() - start
        print(f"{name}: {seconds:.0f} s, at most {most / values:.1f} times the values", flush=True)

    start = time.perf_counter()
    windows = SlidingWindowTransformer(WINDOW).fit_transform(X)
    report("windows", start)
    start = time.perf_counter()
    y = forecast_targets(X["sales"], 1)
    report("targets", start)
    lstm = LSTMRegressor(4, max_epochs=1, random_state=0, n_jobs=1)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        lstm.fit(windows[:max_rows], y.iloc[:max_rows])
    report("an epoch", start)
    start = time.perf_counter()
    lstm.predict(windows[:max_rows])
    report("predictions", start)


def main(arguments=None):
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--series", type=int, help="default: 500, with --large 30,000")
    parser.add_argument("--rows", type=int, help="default: 500, with --large 1,900")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--columns", type=int, default=5, help="of the frame of --large")
    parser.add_argument("--max-rows", type=int, help="train on the first rows only")
    asked = parser.parse_args(arguments)
    if asked.large:
        large(asked.series or 30_000, asked.rows or 1_900, asked.columns, asked.max_rows)
    else:
        compare(asked.series or 500, asked.rows or 500, asked.runs)


if __name__ == "__main__":
    main()
