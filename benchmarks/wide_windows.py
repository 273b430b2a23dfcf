"""Error, time and memory of the linear map over window x features: ``python wide_windows.py``.

Three kinds of targets of one series of 7 columns, ETTh1, on windows of about 500 to 20,000 values:
all columns 96 steps ahead, one of them 96 steps ahead, and one from the six others. The map is
solved on the first 12 months and judged on the next 4; the test part is cut off. Each map is solved
in a process of its own, on one thread. A table is printed, and wide_windows.png is drawn.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import internals
import numpy as np
import pandas as pd
import series

from sklstm import SlidingWindowTransformer, forecast_targets

KINDS = {"all columns": 96, "one column": 96, "from other columns": 1}
VALUES = (500, 1000, 2000, 4000, 4500, 6000, 10000, 20000)
TRAIN, JUDGED = 12 * 720, 16 * 720


def measure(kind, n_values, rows=None, train=TRAIN):
    """Solve the map of a kind of targets and judge it.

    Returns
    -------
    dict
        "values" of a window, "mse" in units of the variance of the training part, "seconds", and
        "mebibytes" that the process took at most, less those before the map was solved.
    """
    if rows is None:
        rows = pd.read_csv(series.ETTH1, index_col="date").to_numpy()[:JUDGED]
    rows = (rows - rows[:train].mean(axis=0)) / rows[:train].std(axis=0)
    horizon = KINDS[kind]
    if kind == "from other columns":
        rows, targets, leads = rows[:, :-1], rows[:, -1:], np.zeros(1, dtype=int)
    else:
        columns = rows.T if kind == "all columns" else rows.T[-1:]
        targets = np.hstack([forecast_targets(column, horizon) for column in columns])
        leads = np.tile(np.arange(1, horizon + 1), len(columns))
    window = max(n_values // rows.shape[1], 1)
    windows = SlidingWindowTransformer(window).fit_transform(rows)[window - 1 :]
    ahead = targets[window - 1 :]
    n_train, last = train - horizon - window + 1, len(rows) - max(leads) - window + 1
    before, start = peak(), time.perf_counter()
    weights, intercept = internals.fit_linear_map(windows, ahead, n_train, horizon - 1, leads)
    seconds, memory = time.perf_counter() - start, peak() - before
    squares = [
        np.square(windows[row].ravel() @ weights.T + intercept - ahead[row]).mean()
        for row in range(train - window, last, 7)
    ]
    return {
        "values": window * rows.shape[1],
        "mse": float(np.mean(squares)),
        "seconds": seconds,
        "mebibytes": memory,
    }


def peak():
    """Return the most memory that the process has taken, in mebibytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def draw(found, path):
    """Draw error and time over the number of values of a window."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    for ax, what in zip(figure.subplots(1, 2), ("mse", "seconds"), strict=True):
        for (kind, results), marker in zip(found.items(), "osv", strict=True):
            values = [result["values"] for result in results]
            measured = np.array([result[what] for result in results])
            if what == "mse":
                measured = measured / measured[0]
            ax.plot(values, measured, marker=marker, label=kind)
        ax.set(xscale="log", xlabel="window x features")
    left, right = figure.axes
    left.set(ylabel="error / error of the first", ylim=(0, None))
    right.set(ylabel="seconds", yscale="log")
    left.legend(frameon=False)
    figure.savefig(path, dpi=110)


def main():
    """Measure every kind and number of values."""
    found = {}
    print("| targets | window x features | error | seconds | MiB |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for kind in KINDS:
        for n_values in VALUES:
            command = [sys.executable, "-W", "ignore", __file__, json.dumps([kind, n_values])]
            answer = subprocess.run(command, capture_output=True, text=True, check=True)
            result = json.loads(answer.stdout)
            found.setdefault(kind, []).append(result)
            cells = [f"{result['mse']:.4f}", f"{result['seconds']:.1f}"]
            cells.append(f"{result['mebibytes']:.0f}")
            print(f"| {kind} | {result['values']} |", " | ".join(cells), "|", flush=True)
    draw(found, Path(__file__).with_suffix(".png"))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(*json.loads(sys.argv[1]))))
    else:
        main()
