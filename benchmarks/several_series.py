"""Errors of one model for several series: ``python benchmarks/several_series.py``.

Eight panels that packages ship, from retail, traffic, labour, health and the environment. The rows
after 80 % of the times are cut off. Four parts of a tenth of the times, one after the other, are
forecast by fits on all earlier rows. The error of a series is its mean absolute error over all
leads, over that of the seasonal naive forecast in the training part (MASE); printed is the mean
over series and parts, for each way to standardise. The last line has geometric means.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import warnings

import numpy as np
import pandas as pd
import panels
from sklearn.pipeline import make_pipeline

from sklstm import LSTMRegressor, SlidingWindowTransformer, forecast_targets

PARTS = ((0.4, 0.5), (0.5, 0.6), (0.6, 0.7), (0.7, 0.8))


def errors(name, standardize):
    """Return the error of each part of a panel."""
    values, season, horizon, window = panels.load(name)
    times = values.index.get_level_values(1)
    every = times.unique().sort_values()
    targets = forecast_targets(values, horizon)
    found = []
    for fractions in PARTS:
        part = [every[int(fraction * len(every))] for fraction in fractions]
        train, rows = times < part[0], times < part[1]
        X, y = values.to_frame()[rows], targets[rows]
        lstm = LSTMRegressor(standardize=standardize, random_state=0, n_jobs=1)
        pipe = make_pipeline(SlidingWindowTransformer(window, history="none"), lstm)
        pipe.fit(X[train[rows]], y[train[rows]])
        forecasts = pd.DataFrame(pipe.predict(X), X.index, y.columns)
        found.append(panels.error(values[rows], y, forecasts, part, season))
    return np.array(found)


def main(arguments=None):
    """Print a line for each panel."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [function.__name__ for function in panels.SMALL]
    parser.add_argument("panels", nargs="*", metavar="PANEL", choices=[[], *panels.PANELS])
    asked = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    ways, table = (True, "together"), []
    print("| panel | units of each series | together |\n| --- | ---: | ---: |")
    for name in asked.panels or names:
        table.append([errors(name, way).mean() for way in ways])
        print(f"| {name} | {table[-1][0]:.3f} | {table[-1][1]:.3f} |", flush=True)
    means = np.exp(np.log(table).mean(axis=0))
    print(f"| geometric mean | {means[0]:.3f} | {means[1]:.3f} |")


if __name__ == "__main__":
    main()
