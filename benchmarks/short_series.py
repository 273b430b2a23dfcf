"""Fifty more series with one target, most of them short, on which nothing was tuned."""

import pandas as pd
from series import Series, as_task, from_r

# Package of R, data set, window, horizon; the first column that holds numbers is forecast.
R = [
    ("datasets", "AirPassengers", 24, 6), ("datasets", "nottem", 24, 6),
    ("datasets", "lynx", 10, 2), ("datasets", "sunspot.year", 22, 3),
    ("datasets", "UKgas", 12, 4), ("datasets", "Seatbelts", 24, 6),
    ("datasets", "BJsales", 12, 3), ("datasets", "WWWusage", 10, 3),
    ("datasets", "UKDriverDeaths", 24, 6), ("datasets", "Nile", 10, 2),
    ("datasets", "discoveries", 10, 2), ("datasets", "treering", 30, 5),
    ("datasets", "sunspots", 60, 12), ("fpp2", "a10", 24, 6), ("fpp2", "arrivals", 12, 4),
    ("fpp2", "auscafe", 24, 12), ("fpp2", "ausbeer", 12, 4), ("fpp2", "elecequip", 24, 6),
    ("fpp2", "goog", 20, 5), ("fpp2", "hyndsight", 28, 7), ("fpp2", "h02", 24, 6),
    ("fpp2", "qauselec", 12, 4), ("fpp2", "qcement", 12, 4), ("fpp2", "qgas", 12, 4),
    ("fpp2", "sunspotarea", 22, 3), ("fpp2", "uschange", 8, 2), ("fpp2", "usmelec", 24, 12),
    ("fpp2", "melsyd", 26, 4), ("fpp2", "debitcards", 24, 6), ("AER", "DJIA8012", 20, 5),
    ("AER", "NYSESW", 20, 5), ("AER", "MarkPound", 20, 5), ("AER", "USMacroSW", 12, 4),
    ("AER", "PepperPrice", 24, 3), ("Ecdat", "Garch", 20, 5), ("Ecdat", "Irates", 24, 6),
    ("Ecdat", "Tbrate", 12, 4), ("Ecdat", "Mishkin", 24, 6), ("Ecdat", "Hstarts", 12, 4),
    ("Ecdat", "Forward", 24, 3), ("boot", "manaus", 24, 6), ("MASS", "SP500", 20, 5),
    ("quantreg", "MelTemp", 60, 14), ("robustbase", "NOxEmissions", 48, 12),
]  # fmt: skip
COLUMNS = ["temp", "dewp", "humid", "wind_speed", "pressure"]


def load_all():
    """Yield the tasks."""
    for package, name, window, horizon in R:
        frame = from_r(package, name).drop(columns=["time", "rownames"], errors="ignore")
        frame = frame.select_dtypes("number").astype(float).interpolate().dropna()
        yield as_task(f"{package}/{name}", Series(frame, window, horizon, 1, "short"))
    for origin in ("JFK", "LGA"):
        frame = from_r("nycflights13", "weather").query("origin == @origin")
        frame = frame.assign(time=pd.to_datetime(frame["time_hour"])).drop_duplicates("time")
        frame = frame.set_index("time")[COLUMNS].asfreq("h").interpolate().ffill().bfill()
        for target in ("wind_speed", "humid", "pressure"):
            rows = frame[[target, *(name for name in COLUMNS if name != target)]]
            yield as_task(f"{origin}/{target}", Series(rows, 48, 12, 24, "hourly"))
