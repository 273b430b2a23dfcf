"""Whether a network on each column's own window forecasts all columns of wide data better.

Run: ``python benchmarks/own_columns.py``; six minutes on one core. Beside the linear map of
the defaults, it trains the network of the defaults, which reads all columns, and one that reads the
window of one column and forecasts this column, with the same weights for all columns. Fits on the
first 60 % of each series and judges on the next 20 %; the rest, the test part, is cut off. What was
measured is in notes.md.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import time
import warnings

import internals
import numpy as np
import pandas as pd
import series

from sklstm import LSTMRegressor, SlidingWindowTransformer, forecast_targets


def _numbers(package, name, *dropped):
    frame = series.from_r(package, name).select_dtypes("number")
    return frame.drop(columns=["rownames", *dropped], errors="ignore")


def _airports(origins, columns):
    frame = series.from_r("nycflights13", "weather").query("origin in @origins")
    frame = frame.assign(time=pd.to_datetime(frame["time_hour"])).drop_duplicates(
        ["time", "origin"]
    )
    return frame.pivot(index="time", columns="origin", values=columns).asfreq("h")


def _departures(by):
    frame = series.from_r("nycflights13", "flights")
    hours = pd.to_datetime(frame[["year", "month", "day", "hour"]])
    counts = pd.crosstab(hours, frame[by]).asfreq("h").fillna(0)
    return counts[counts.sum().sort_values(ascending=False).index[:8]]


def _employment():
    frame = series.from_r("fpp3", "us_employment")
    frame = frame.assign(Month=pd.to_datetime(frame["Month"], format="%Y %b"))
    return frame.pivot(index="Month", columns="Series_ID", values="Employed").dropna(axis=1)


WEATHER = ["temp", "dewp", "humid", "wind_speed", "pressure"]
# How the columns are loaded, window, horizon: all columns are forecast.
WIDE = {
    "etth1": (lambda: series.etth1().frame, 96, 96),
    "stocks": (lambda: series.stocks().frame, 20, 5),
    "stocks, long window": (lambda: series.stocks().frame, 96, 24),
    "weather": (lambda: series.weather().frame, 48, 12),
    "weather, long window": (lambda: series.weather().frame, 168, 24),
    "weather of 3 airports": (lambda: _airports(["EWR", "JFK", "LGA"], WEATHER), 48, 12),
    "winds of 3 airports": (lambda: _airports(["EWR", "JFK", "LGA"], ["wind_speed"]), 48, 12),
    "temperatures of 3 airports": (lambda: _airports(["EWR", "JFK", "LGA"], ["temp"]), 96, 24),
    "electricity": (lambda: series.electricity().frame.iloc[:, :2], 96, 48),
    "departures of 3 airports": (lambda: _departures("origin"), 48, 24),
    "departures of 8 airlines": (lambda: _departures("carrier"), 48, 24),
    "riders at 20 stations": (lambda: series.from_r("modeldata", "Chicago").iloc[:, 2:22], 28, 7),
    "seattle": (lambda: series.seattle().frame, 28, 7),
    "nox": (lambda: _numbers("robustbase", "NOxEmissions", "julday"), 48, 12),
    "garch": (lambda: _numbers("Ecdat", "Garch", "date", "day"), 20, 5),
    "irates": (lambda: _numbers("Ecdat", "Irates"), 24, 6),
    "forward": (lambda: _numbers("Ecdat", "Forward"), 24, 6),
    "commodity prices": (lambda: _numbers("stevedata", "commodity_prices"), 24, 6),
    "departures from Australia": (lambda: _numbers("fpp2", "departures"), 24, 12),
    "employment": (lambda: _employment().iloc[:, :12], 24, 12),
}


def compare(rows, window, horizon, seed=0, **changes):
    """Errors over that of the linear map, weights and seconds of both networks.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, columns)
        Without the test part: three quarters are fitted on.
    window, horizon, seed : int
    **changes
        Of the second network, see ``internals.fit_two_networks``.

    Returns
    -------
    dict of str to float
    """
    end = round(0.75 * len(rows))
    rows = (rows - rows[:end].mean(axis=0)) / rows[:end].std(axis=0)
    n_columns = rows.shape[1]
    targets = np.hstack([forecast_targets(rows[:, [c]], horizon) for c in range(n_columns)])
    windows = SlidingWindowTransformer(window).fit_transform(rows)
    judged = slice(end - 1, len(rows) - horizon)

    def error(forecasts):
        return np.square(forecasts - targets[judged]).mean()

    found, losses, start = {}, {}, time.process_time()
    regressor = LSTMRegressor(random_state=seed, n_jobs=1)
    both = internals.fit_two_networks(regressor, windows[:end], targets[:end], **changes)
    found["seconds"] = time.process_time() - start
    for name, (model, loss) in zip(("all", "own"), both, strict=True):
        of_map, added = internals.network_output(model, windows[judged])
        weight, losses[name] = model.network_weight_, loss
        found[name] = error(of_map + weight * added) / error(of_map)
        found[f"weight, {name}"] = weight
    found["chosen"] = found[min(losses, key=losses.get)]
    return found


COLUMNS = ["all", "weight, all", "own", "weight, own", "chosen"]


def main(arguments=None, wide=None):
    """Print a line for each series, and geometric means."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", nargs="*", default=None, help="some of the names; all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--units", type=int, default=64, help="of the network on own columns")
    parser.add_argument("--dropout", type=float, default=0.0, help="likewise")
    parser.add_argument("--patience", type=int, default=10, help="likewise, in epochs")
    options = parser.parse_args(arguments)
    changes = {
        "hidden_layer_sizes": (options.units,),
        "dropout": options.dropout,
        "n_iter_no_change": options.patience,
        "max_epochs": 10 * options.patience,
    }
    wide = WIDE if wide is None else wide
    print("| series |", " | ".join(COLUMNS), "| seconds |")
    print("| --- |", " | ".join(["---:"] * (len(COLUMNS) + 1)), "|")
    logs = []
    for name in options.series or wide:
        load, window, horizon = wide[name]
        frame = load().astype(float).interpolate().ffill().bfill()
        rows = frame.to_numpy()[: round(0.8 * len(frame))]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = compare(rows, window, horizon, options.seed, **changes)
        cells = [f"{found[column]:.3f}" for column in COLUMNS]
        print(f"| {name} |", " | ".join(cells), f"| {found['seconds']:.0f} |", flush=True)
        logs.append([np.log(found[column]) if "weight" not in column else 0 for column in COLUMNS])
    means = np.exp(np.mean(logs, axis=0))
    cells = ["" if "weight" in c else f"{m:.3f}" for c, m in zip(COLUMNS, means, strict=True)]
    print("| geometric mean |", " | ".join(cells), "| |")


if __name__ == "__main__":
    main()
