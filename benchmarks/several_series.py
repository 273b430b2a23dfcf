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
import series
from sklearn.pipeline import make_pipeline

from sklstm import LSTMRegressor, SlidingWindowTransformer, forecast_targets

PARTS = ((0.4, 0.5), (0.5, 0.6), (0.6, 0.7), (0.7, 0.8))


def dated(frame, **parts):
    """Add the times that columns of years, months and days are."""
    return frame.assign(time=pd.to_datetime(pd.DataFrame(parts)))


def counted(frame, name):
    """Count rows by name and day; a day without one is zero."""
    counts = frame.groupby([name, "time"]).size().unstack(fill_value=0).stack()
    often = counts.groupby(level=0).sum() > 300
    return counts[often[counts.index.get_level_values(0)].to_numpy()]


def employment():
    """People at work in each branch of the economy, by month."""
    frame = series.from_r("fpp3", "us_employment")
    frame = frame.assign(time=pd.to_datetime(frame["Month"].astype(str), format="mixed"))
    frame = frame[frame["time"] >= "1990"].dropna(subset=["Employed"])
    return frame.set_index(["Series_ID", "time"])["Employed"], 12, 12, 24


def housing():
    """Houses sold in each city of Texas, by month."""
    frame = series.from_r("ggplot2", "txhousing")
    frame = dated(frame, year=frame["year"], month=frame["month"], day=1)
    return frame.dropna(subset=["sales"]).set_index(["city", "time"])["sales"], 12, 6, 24


def flights():
    """Flights to each airport, by day."""
    frame = series.from_r("nycflights13", "flights")
    frame = dated(frame, year=frame["year"], month=frame["month"], day=frame["day"])
    return counted(frame, "dest"), 7, 7, 28


def stations():
    """Riders at each of 20 stations, by day."""
    frame = series.from_r("modeldata", "Chicago")
    frame = frame.assign(time=pd.to_datetime(frame["date"])).set_index("time")
    columns = [name for name in frame if frame[name].dtype.kind == "f"][:20]
    return frame[columns].iloc[-2000:].stack().swaplevel(), 7, 14, 28


def births():
    """Births in each state, by day."""
    frame = series.from_r("mosaicData", "Birthdays")
    frame = frame.assign(time=pd.to_datetime(frame["date"]))
    sums = frame[frame["time"] >= "1983"].groupby(["state", "time"])["births"].sum()
    return sums, 7, 14, 28


def pizza():
    """Pizzas sold of each kind, by day."""
    frame = series.from_r("gt", "pizzaplace")
    return counted(frame.assign(time=pd.to_datetime(frame["date"])), "name"), 7, 7, 28


def nox():
    """Nitrogen oxides in the air at each site, by day."""
    frame = series.from_r("robustbase", "ambientNOxCH")
    frame = frame.assign(time=pd.to_datetime(frame["date"])).set_index("time")
    return frame.select_dtypes("float").stack().swaplevel(), 7, 7, 28


def cigarettes():
    """Packs of cigarettes sold in each state, by year."""
    frame = series.from_r("plm", "Cigar")
    frame = dated(frame, year=1900 + frame["year"], month=1, day=1)
    return frame.set_index(["state", "time"])["sales"], 1, 3, 8


PANELS = {
    function.__name__: function
    for function in (employment, housing, flights, stations, births, pizza, nox, cigarettes)
}


def error(values, targets, forecasts, part, season):
    """Return the mean of MASE over series, for the rows of a part (first and end of its times)."""
    times = values.index.get_level_values(1)
    naive = (values - values.groupby(level=0).shift(season)).abs()[times < part[0]]
    naive = naive.groupby(level=0).mean()
    is_part = (times >= part[0]) & (times < part[1])
    mistakes = (targets - forecasts).abs().mean(axis=1)[is_part]
    ratios = mistakes.dropna().groupby(level=0).mean() / naive
    return ratios.replace(np.inf, np.nan).mean()


def errors(name, standardize):
    """Return the error of each part of a panel."""
    values, season, horizon, window = PANELS[name]()
    values = values.astype(float).sort_index().rename("value")
    values.index.names = ["series", "time"]
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
        found.append(error(values[rows], y, forecasts, part, season))
    return np.array(found)


def main(arguments=None):
    """Print a line for each panel."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("panels", nargs="*", metavar="PANEL")
    asked = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    ways, table = (True, "together"), []
    print("| panel | units of each series | together |\n| --- | ---: | ---: |")
    for name in asked.panels or PANELS:
        table.append([errors(name, way).mean() for way in ways])
        print(f"| {name} | {table[-1][0]:.3f} | {table[-1][1]:.3f} |", flush=True)
    means = np.exp(np.log(table).mean(axis=0))
    print(f"| geometric mean | {means[0]:.3f} | {means[1]:.3f} |")


if __name__ == "__main__":
    main()
