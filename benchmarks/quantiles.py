"""Quantile forecasts of real series: ``python benchmarks/quantiles.py``, on one thread.

On the twelve series of ``make bench-skill`` with one target: fitted on the first 80 % of the rows,
judged on the latest 20 % by the mean pinball loss of five quantiles, in units of the standard
deviation of the training part. With ``--part validation``: fitted on the first 60 %, judged on the
next 20 %, to choose by. Gradient boosting fits a model for each quantile and lead, which takes long
with wide windows. So all methods are judged on at most 12 leads, evenly spread, and on 6 with more
than 200 values in a window: those of ETTh1 (of 24), electricity (of 48) and weather (of 12).

Results are kept in a file as they come; what is there already is not computed again.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import time
import warnings
from pathlib import Path

import numpy as np
import series
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from sklstm import LSTMRegressor, SlidingWindowTransformer, forecast_targets

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
MOST_LEADS, MOST_OF_WIDE_WINDOWS, WIDE = 12, 6, 200
RESULTS = Path(__file__).with_name("quantiles.json")
SERIES = [name for name in series.SINGLE if name not in series.GENERATED]


def leads_of(task):
    """Return the leads that are judged, counted from 0."""
    horizon, n_values = task.series.horizon, task.series.window * task.rows.shape[1]
    most = MOST_LEADS if n_values <= WIDE else MOST_OF_WIDE_WINDOWS
    return np.linspace(0, horizon - 1, min(horizon, most)).round().astype(int)


def tables(task, start, end):
    """Return flat windows and targets to fit on, and the flat windows from ``start`` to ``end``."""
    transformer = SlidingWindowTransformer(task.series.window, flatten=True)
    X = transformer.fit_transform(task.rows[:start])
    y = forecast_targets(task.rows[:start, 0], task.series.horizon)[:, leads_of(task)]
    known = np.isfinite(X).all(axis=1) & np.isfinite(y).all(axis=1)
    return X[known], y[known], transformer.transform(task.rows[start:end])


def boosting(task, start, end):
    """Fit a model of gradient boosting for each lead and quantile, with its defaults."""
    X, y, X_test = tables(task, start, end)
    model = HistGradientBoostingRegressor(loss="quantile", random_state=0)
    forecasts = [
        [model.set_params(quantile=q).fit(X, of_lead).predict(X_test) for q in QUANTILES]
        for of_lead in y.T
    ]
    return np.transpose(forecasts, (2, 0, 1))


def ridge(task, start, end):
    """Ridge regression, plus the quantiles of its residuals on left-out blocks."""
    X, y, X_test = tables(task, start, end)
    model = RidgeCV(alphas=np.logspace(-3, 3, 7))
    residuals = y - cross_val_predict(model, X, y, cv=KFold(5))
    quantiles = np.quantile(residuals, QUANTILES, axis=0).T  # (leads, quantiles)
    return model.fit(X, y).predict(X_test)[:, :, np.newaxis] + quantiles


def sklstm(task, start, end):
    """One network with its defaults."""
    model = make_pipeline(
        SlidingWindowTransformer(task.series.window),
        LSTMRegressor(loss="quantile", quantiles=QUANTILES, random_state=0, n_jobs=1),
    )
    targets = forecast_targets(task.rows[:start, 0], task.series.horizon)
    model.fit(task.rows[:start], targets)
    windows = model[:-1].transform(task.rows[start:end])
    return model[-1].predict_quantiles(windows)[:, leads_of(task)]


METHODS = {"sklstm": sklstm, "boosting": boosting, "ridge": ridge}


def pinball(forecasts, targets):
    """Return the mean pinball loss of forecasts (n, leads, quantiles)."""
    errors = targets[:, :, np.newaxis] - forecasts
    return float(np.maximum(QUANTILES * errors, (np.array(QUANTILES) - 1) * errors).mean())


def measure(method, task, part="test"):
    """Fit and judge a method: pinball loss, number of crossings, coverage of 90 %, seconds."""
    horizon = task.series.horizon
    start, end = task.valid_end, len(task.rows) - horizon
    if part == "validation":
        start, end = task.train_end, task.valid_end - horizon
    before = time.process_time()
    forecasts = METHODS[method](task, start, end)
    seconds = time.process_time() - before
    targets = task.targets[start:end, leads_of(task)]
    assert forecasts.shape == (*targets.shape, len(QUANTILES))
    inside = (targets >= forecasts[:, :, 0]) & (targets <= forecasts[:, :, -1])
    return {
        "pinball": pinball(forecasts, targets),
        "crossings": int((np.diff(forecasts) < 0).sum()),
        "coverage": float(inside.mean()),
        "seconds": seconds,
    }


def report(found, methods, names):
    """Print a table, and the geometric means of the ratios to gradient boosting."""
    print("| series |", " | ".join(f"{m} | crossings | in 90 % | s" for m in methods), "|")
    print("| --- |", " | ".join(["---:"] * 4 * len(methods)), "|")
    for name in names:
        cells = [
            "{pinball:.4f} | {crossings} | {coverage:.1%} | {seconds:.0f}".format(**found[name][m])
            for m in methods
        ]
        print(f"| {name} |", " | ".join(cells), "|")
    for other in methods[1:]:
        logs = [np.log(found[n][methods[0]]["pinball"] / found[n][other]["pinball"]) for n in names]
        print(f"{methods[0]} / {other}: geometric mean {np.exp(np.mean(logs)):.3f}")


def main(arguments=None):
    """Run what is asked for and not there yet, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--series", nargs="+", choices=series.SINGLE, default=SERIES)
    parser.add_argument("--part", choices=["test", "validation"], default="test")
    parser.add_argument("--results", type=Path, default=RESULTS, help="file of the results")
    asked = parser.parse_args(arguments)
    path = asked.results
    warnings.simplefilter("ignore")
    for name in asked.series:
        task = series.load(name)
        for method in asked.methods:
            found = json.loads(path.read_text()) if path.exists() else {}
            of_series = found.setdefault(asked.part, {}).setdefault(name, {})
            if method not in of_series:
                of_series[method] = measure(method, task, asked.part)
                path.write_text(json.dumps(found, indent=1))
                print(name, method, of_series[method], flush=True)
    report(json.loads(path.read_text())[asked.part], asked.methods, asked.series)


if __name__ == "__main__":
    main()
