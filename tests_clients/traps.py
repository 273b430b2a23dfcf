"""Errors of forecasts with an LSTM inside other libraries, with each of the three mistakes.

Run it in the environment of `make test-clients`:
`.venv-clients/bin/python tests_clients/traps.py`. It prints the mean absolute error in thousands
of entries a day, of the 7 days after each of 20 weeks; smaller is better.
"""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline

from sklstm import LagTableTransformer, LSTMRegressor, SlidingWindowTransformer
from sklstm.datasets import load_chicago_ridership

N_LAGS, HORIZON, N_WEEKS = 14, 7, 20
OLDEST_FIRST = [*range(N_LAGS, 0, -1)]
NEWEST_FIRST = [*range(1, N_LAGS + 1)]


def data(n_rows: int, n_weeks: int) -> tuple[pd.Series, pd.DataFrame, list[int]]:
    """Return the series, what is known ahead, and the rows at which the forecasts are made."""
    days = load_chicago_ridership(as_frame=True).data[-n_rows:].asfreq("D")
    y = days["ridership"]
    known = pd.DataFrame({"day_off": (y.index.dayofweek >= 5).astype(float)}, y.index)
    origins = [len(y) - HORIZON * (week + 1) for week in reversed(range(n_weeks))]
    return y, known, origins


def sktime_forecasts(regressor, y, known, origins):
    from sktime.forecasting.compose import make_reduction

    model = make_reduction(regressor, window_length=N_LAGS)
    first = origins[0]
    ahead = np.arange(1, HORIZON + 1)
    model.fit(y[:first], X=None if known is None else known[:first], fh=ahead)
    for origin in origins:
        if origin > first:
            new = slice(origin - HORIZON, origin)
            model.update(y[new], X=None if known is None else known[new], update_params=False)
        after = None if known is None else known[origin : origin + HORIZON]
        yield np.ravel(model.predict(fh=ahead, X=after))


def skforecast_forecasts(regressor, y, known, origins):
    from skforecast.recursive import ForecasterRecursive

    model = ForecasterRecursive(regressor, lags=N_LAGS)
    model.fit(y[: origins[0]], exog=None if known is None else known[: origins[0]])
    for origin in origins:
        after = None if known is None else known[origin : origin + HORIZON]
        yield model.predict(HORIZON, last_window=y[:origin], exog=after).to_numpy()


def darts_forecasts(regressor, y, known, origins):
    from darts import TimeSeries
    from darts.models import SKLearnModel

    series = TimeSeries.from_series(y)
    ahead = None if known is None else TimeSeries.from_dataframe(known)
    of_row = None if known is None else [0]
    model = SKLearnModel(lags=N_LAGS, lags_future_covariates=of_row, model=regressor)
    model.fit(series[: origins[0]], future_covariates=ahead)
    for origin in origins:
        forecast = model.predict(HORIZON, series=series[:origin], future_covariates=ahead)
        yield forecast.values().ravel()


def mlforecast_forecasts(regressor, y, known, origins):
    from mlforecast import MLForecast

    def long(rows, ahead):
        frame = pd.DataFrame({"unique_id": "all", "ds": rows.index, "y": rows.to_numpy()})
        return frame if ahead is None else frame.assign(day_off=ahead["day_off"].to_numpy())

    model = MLForecast({"lstm": regressor}, freq="D", lags=NEWEST_FIRST)
    first = origins[0]
    rows = long(y, known)
    model.fit(rows[:first], static_features=[])
    for origin in origins:
        after = None if known is None else rows[origin : origin + HORIZON].drop(columns="y")
        yield model.predict(HORIZON, X_df=after, new_df=rows[:origin])["lstm"].to_numpy()


LIBRARIES: dict[str, tuple[Callable[..., Iterator[np.ndarray]], object, object]] = {
    # The forecasts, and the lags for LagTableTransformer without and with a column known ahead.
    "sktime": (sktime_forecasts, OLDEST_FIRST, OLDEST_FIRST * 2),
    "skforecast": (skforecast_forecasts, NEWEST_FIRST, [*NEWEST_FIRST, None]),
    "darts": (darts_forecasts, OLDEST_FIRST, [*OLDEST_FIRST, None]),
    "mlforecast": (mlforecast_forecasts, "auto", "auto"),
}


def errors(library: str, n_rows: int, n_weeks: int, epochs: int) -> dict[str, float]:
    """Return the error of each way to put the network into the forecaster."""
    forecasts, lags, lags_known = LIBRARIES[library]
    y, known, origins = data(n_rows, n_weeks)
    actual = np.array([y[origin : origin + HORIZON] for origin in origins])
    lstm = LSTMRegressor(16, max_epochs=epochs, early_stopping=False, random_state=0)
    pipeline = make_pipeline(SlidingWindowTransformer(N_LAGS), lstm)
    ways = {
        "lags as they come": (lstm, None),
        "LagTableTransformer": (make_pipeline(LagTableTransformer(lags), lstm), None),
        "known ahead, as it comes": (lstm, known),
        "known ahead, LagTableTransformer": (
            make_pipeline(LagTableTransformer(lags_known), lstm),
            known,
        ),
        "a pipeline with windows": (pipeline, None),
    }
    found = {}
    for way, (regressor, ahead) in ways.items():
        predicted = np.array(list(forecasts(regressor, y, ahead, origins)))
        found[way] = float(np.abs(predicted - actual).mean())
    return found


def main() -> None:
    """Print the errors of each library."""
    warnings.simplefilter("ignore")
    logging.disable()
    for library in sys.argv[1:] or LIBRARIES:
        for way, error in errors(library, n_rows=1000, n_weeks=N_WEEKS, epochs=30).items():
            print(f"{library:<12}{way:<34}{error:.3f}", flush=True)


if __name__ == "__main__":
    main()
