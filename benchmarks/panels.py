"""The panels of ``several_series.py`` and ``panel_skill.py``, from packages, and ETTh1 by its path.

Each function returns the values of all series, (series, time), the rows of a season, those that are
forecast and those that a forecast looks back on.
"""

import numpy as np
import pandas as pd
import series


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


def transformer():
    """Oil temperature and loads of a transformer, by hour."""
    frame = series.etth1().frame
    return frame.set_axis(pd.to_datetime(frame.index)).stack().swaplevel(), 24, 24, 96


SMALL = (employment, housing, flights, stations, births, pizza, nox, cigarettes)
PANELS = {function.__name__: function for function in (*SMALL, transformer)}


def load(name):
    """Return a panel, sorted, with names for its levels."""
    values, *shape = PANELS[name]()
    values = values.astype(float).sort_index().rename("value")
    values.index.names = ["series", "time"]
    return values, *shape


def error(values, targets, forecasts, part, season):
    """Return the mean of MASE over series, for the rows of a part (first and end of its times)."""
    times = values.index.get_level_values(1)
    naive = (values - values.groupby(level=0).shift(season)).abs()[times < part[0]]
    naive = naive.groupby(level=0).mean()
    is_part = (times >= part[0]) & (times < part[1])
    mistakes = (targets - forecasts).abs().mean(axis=1)[is_part]
    ratios = mistakes.dropna().groupby(level=0).mean() / naive
    return ratios.replace(np.inf, np.nan).mean()
