"""Intervals that are to hold 90 % of the targets: ``python benchmarks/intervals.py``.

Each method is fitted on the first 80 % of the rows (of several series, of the times) and gives a
lower end, a middle and an upper end for each row of the rest and each lead. "fit" are the intervals
after the fit, for all rows; "update" those of each row after ``update`` with the rows before it.

Coverage is the fraction of targets in the intervals, over all leads; "worst lead" that of the lead
where it is furthest from 0.9. Boosting has three leads only, the first, the middle and the last
one, and these are what the other scores are means over. The interval score (Winkler) of an interval
[l, u] of level 1 - a is u - l + 2 / a times the distance of the target from it. CRPS is
approximated by twice the mean pinball loss of the three quantiles 0.05, 0.5 and 0.95, for which
ends and middle stand. Scores are relative to those of ridge after "fit"; of several series, in
units of the standard deviation of each.

The break: rows from the break on until intervals of the first lead hold 85 % or more of the next
100 targets.

Results go to a file of JSON (``--results``) as they come, and what is there is kept.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import panels
import series
from report import table
from scipy.stats import rankdata
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline

from sklstm import (
    ConformalRegressor,
    KnownTargetsRegressor,
    LSTMRegressor,
    SlidingWindowTransformer,
    forecast_targets,
)

RESULTS = Path(__file__).with_name("intervals.json")
SERIES = [name for name in series.SINGLE if name not in series.GENERATED]
PANELS = ("stations", "pizza", "births")
MISCOVERAGE, MAX_SECONDS = 0.1, 60
QUANTILES = (0.05, 0.5, 0.95)


def pipeline(method, window):
    """Return the estimator whose intervals are calibrated."""
    if method == "ridge":
        ridge = KnownTargetsRegressor(RidgeCV(np.logspace(-3, 3, 7)))
        return make_pipeline(SlidingWindowTransformer(window, padding="edge", flatten=True), ridge)
    quantiles = {"loss": "quantile", "quantiles": QUANTILES} if method == "lstm_quantiles" else {}
    lstm = LSTMRegressor(random_state=0, n_jobs=1, **quantiles)
    return make_pipeline(SlidingWindowTransformer(window), lstm)


def conformal(method, window, X, y, start):
    """Return forecasts (rows, leads, 3) from each row after ``start``, after fit and with updates.

    Rows are counted, or of several series times.
    """
    time_of = X.index.codes[-1] if X.index.nlevels > 1 else np.arange(len(X))
    old = time_of < start
    model = ConformalRegressor(pipeline(method, window)).fit(X[old], y[old])
    middle = model.predict(X)[~old]
    after_fit = model.predict_interval(X)[~old]
    with_updates = np.empty_like(after_fit)
    rows_of = time_of[~old]
    for step in range(start, time_of.max() + 1):
        rows = rows_of == step
        now = X[time_of == step]
        with_updates[rows] = model.predict_interval(now)
        model.update(now, y[time_of == step])
    return {
        name: np.stack([ends[..., 0], middle, ends[..., 1]], axis=-1)
        for name, ends in (("fit", after_fit), ("update", with_updates))
    }


def boosting(window, X, y, start, leads):
    """Return the quantiles of one regressor each, of some leads."""
    flat = SlidingWindowTransformer(window, padding="edge", flatten=True).fit_transform(X)
    found = np.full((len(X) - start, y.shape[1], 3), np.nan)
    for lead in leads:
        for place, quantile in enumerate(QUANTILES):
            regressor = HistGradientBoostingRegressor(
                loss="quantile", quantile=quantile, random_state=0
            )
            known = start - lead - 1  # rows whose target is known at the last one
            regressor.fit(flat[:known], y.to_numpy()[:known, lead])
            found[:, lead, place] = regressor.predict(flat[start:])
    return {"fit": found}


def neuralforecast(task, start):
    """Return the quantiles of its LSTM, trained as in skill.py."""
    from forecasters.neuralforecast_lstm import Forecaster
    from neuralforecast.losses.pytorch import MQLoss

    class Quantiles(Forecaster):
        def loss(self):
            return MQLoss(quantiles=list(QUANTILES))

    shape = task.series
    forecaster = Quantiles(shape.window, shape.horizon, shape.season, 0, MAX_SECONDS)
    forecaster.fit(task.rows[:start].copy())
    found = forecaster.cross_validated(task.rows.copy(), start)
    quantiles = found.drop(columns=["unique_id", "ds", "cutoff", "y"]).to_numpy()
    forecasts = np.full((len(task.rows) - start, shape.horizon, len(QUANTILES)), np.nan)
    forecasts[: -shape.horizon] = quantiles.reshape(-1, *forecasts.shape[1:])
    return {"fit": forecasts}


def scores(found, targets, leads, unit=1.0):
    """Return coverage, that of the worst lead, interval score and CRPS."""
    low, middle, high = np.moveaxis(found, -1, 0)
    known = ~np.isnan(targets) & ~np.isnan(low)
    held = np.where(known, (targets >= low) & (targets <= high), np.nan)
    by_lead = np.nanmean(held, axis=0)[known.any(axis=0)]
    beyond = np.maximum(low - targets, 0) + np.maximum(targets - high, 0)
    winkler = high - low + 2 / MISCOVERAGE * beyond
    losses = [
        np.maximum(level * (targets - quantile), (level - 1) * (targets - quantile))
        for level, quantile in zip(QUANTILES, (low, middle, high), strict=True)
    ]
    crps = 2 * np.mean(losses, axis=0)
    unit = np.broadcast_to(unit, targets.shape[:1])[:, np.newaxis]
    return {
        "coverage": float(np.nanmean(held)),
        "worst lead": float(by_lead[np.abs(by_lead - 0.9).argmax()]),
        "interval score": float(np.nanmean((winkler / unit)[:, leads])),
        "crps": float(np.nanmean((crps / unit)[:, leads])),
    }


def of_series(method, name):
    """Return the scores of a method on one series."""
    task = series.load(name)
    horizon, window, start = task.series.horizon, task.series.window, task.valid_end
    X = pd.DataFrame(task.rows, columns=[f"x{number}" for number in range(task.rows.shape[1])])
    X.index += 1  # numbers of rows that are no default index
    y = forecast_targets(X["x0"], horizon)
    leads = sorted({0, horizon // 2, horizon - 1})
    if method == "boosting":
        found = boosting(window, X, y, start, leads)
    elif method == "neuralforecast":
        found = neuralforecast(task, start)
    else:
        found = conformal(method, window, X, y, start)
    rows = slice(start, len(X) - horizon)
    return {
        when: scores(each[: len(X) - horizon - start], y.to_numpy()[rows], leads)
        for when, each in found.items()
    }


def of_panel(method, name):
    """Return the scores of a method on several series."""
    values, _, horizon, window = panels.load(name)
    values.index = values.index.remove_unused_levels()
    X, y = values.to_frame(), forecast_targets(values, horizon)
    time_of = X.index.codes[-1]
    start = round(0.8 * (time_of.max() + 1))
    found = conformal(method, window, X, y, start)
    new = time_of >= start
    unit = values[~new].groupby(level=0).std().replace(0, np.nan)  # of one value, or constant
    units = unit.reindex(X.index[new].get_level_values(0)).to_numpy()
    leads = sorted({0, horizon // 2, horizon - 1})
    return {when: scores(each, y[new].to_numpy(), leads, units) for when, each in found.items()}


def after_a_break():
    """Return rows until coverage is back, without and with updates, and coverage of later rows.

    Daily absolute returns of the S&P 500, whose level rose to more than three times in autumn 2008,
    forecast by ridge.
    """
    prices = series.from_r("openintro", "sp500_1950_2018")
    prices = prices.assign(time=pd.to_datetime(prices["Date"])).set_index("time").sort_index()
    size = (100 * np.log(prices["Adj.Close"]).diff().abs()).dropna().rename("size").to_frame()
    size = size["2003":"2010"]
    start, at = (int(size.index.searchsorted(day)) for day in ("2007-01-01", "2008-09-15"))
    y = forecast_targets(size["size"], 5)
    size.index, y.index = pd.RangeIndex(1, len(size) + 1), pd.RangeIndex(1, len(size) + 1)
    found = conformal("ridge", 20, size, y, start)
    first = y.to_numpy()[start:, 0]
    answer = {}
    for when, each in found.items():
        held = (first >= each[:, 0, 0]) & (first <= each[:, 0, 2])
        held = held[at - start : -5]
        later = np.array([held[row : row + 100].mean() for row in range(len(held) - 100)])
        back = np.flatnonzero(later >= 0.85)
        answer[when] = {
            "rows": int(back[0]) if len(back) else None,
            "coverage of the next 200 rows": float(held[:200].mean()),
        }
    return answer


def run(method, name):
    """Return the scores, and the seconds that they took."""
    before = time.process_time()
    found = (of_panel if name in PANELS else of_series)(method, name)
    return {"method": method, "series": name, "seconds": time.process_time() - before, **found}


def report(results):
    """Print a table of each score, and mean ranks."""
    variants = list(
        dict.fromkeys(
            (result["method"], when)
            for result in results
            for when in ("fit", "update")
            if when in result
        )
    )
    names = list(dict.fromkeys(result["series"] for result in results))
    of = {
        (result["method"], when, result["series"]): result[when]
        for result in results
        for when in ("fit", "update")
        if when in result
    }
    titles = [f"{method}, {when}" for method, when in variants]
    for score in ("coverage", "worst lead", "interval score", "crps"):
        values = np.array(
            [
                [of.get((*variant, name), {}).get(score, np.nan) for variant in variants]
                for name in names
            ]
        )
        if score in ("interval score", "crps"):
            base = (
                values[:, [variants.index(("ridge", "fit"))]] if ("ridge", "fit") in variants else 1
            )
            values = values / base
        rows = [
            [name, *(f"{value:.3f}" for value in row)]
            for name, row in zip(names, values, strict=True)
        ]
        if score in ("interval score", "crps"):
            all_there = values[:, ~np.isnan(values).any(axis=0)]
            there = np.flatnonzero(~np.isnan(values).any(axis=0))
            means, ranks = ["geometric mean"], ["mean rank"]
            mean = dict(zip(there, np.exp(np.log(all_there).mean(axis=0)), strict=True))
            rank = dict(zip(there, rankdata(all_there, axis=1).mean(axis=0), strict=True))
            for place in range(len(variants)):
                means.append(f"{mean[place]:.3f}" if place in mean else "")
                ranks.append(f"{rank[place]:.2f}" if place in rank else "")
            rows += [means, ranks]
        else:
            rows.append(["mean", *(f"{value:.3f}" for value in np.nanmean(values, axis=0))])
            furthest = np.nanmax(np.abs(values - 0.9), axis=0)
            rows.append(["furthest from 0.9", *(f"{value:.3f}" for value in furthest)])
        print(f"\n**{score.capitalize()}**\n")
        print(table([score, *titles], rows))


def main(arguments=None):
    """Run what is asked for and not there yet, and print the tables."""
    methods = ("ridge", "lstm", "lstm_quantiles", "boosting", "neuralforecast")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--methods", nargs="+", choices=methods, default=methods[:4])
    parser.add_argument("--series", nargs="+", default=[*SERIES, *PANELS], metavar="SERIES")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--no-break", action="store_true", help="leave the break out")
    asked = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    results = json.loads(asked.results.read_text()) if asked.results.exists() else []
    for name in asked.series:
        for method in asked.methods:
            if name in PANELS and method in ("boosting", "neuralforecast"):
                continue
            if any((r["method"], r["series"]) == (method, name) for r in results):
                continue
            results.append(run(method, name))
            lines = ",\n".join(json.dumps(result) for result in results)
            asked.results.write_text(f"[\n{lines}\n]\n")
            print(json.dumps(results[-1]), flush=True)
    report(results)
    if not asked.no_break:
        print("\nAfter the break:", json.dumps(after_a_break()))


if __name__ == "__main__":
    main()
