"""LightGBM by mlforecast: one model of all columns that are forecast, a step at a time."""

import numpy as np
import pandas as pd
from lightgbm import LGBMRegressor
from mlforecast import MLForecast
from mlforecast.target_transforms import Differences

from forecasters.base import Base, windows_at


class Forecaster(Base):
    """Of levels or of differences, whichever is better on the latest quarter of the rows.

    The library has none of the two as a default. The 100 trees end before any time limit.
    """

    def fit(self, rows):
        """Choose, and fit on all rows."""
        first = round(0.75 * len(rows))
        errors = []
        for differences in ([], [1]):
            self._fit(rows[:first], differences)
            some = slice(None, None, self.horizon)  # all origins would take longer than the fit
            actual = self._ahead(rows, first)[some]
            errors.append(np.square(self.predict(rows, first, some) - actual).mean())
        self._fit(rows, [] if errors[0] < errors[1] else [1])

    def _fit(self, rows, differences):
        self.forecast = MLForecast(
            models=[LGBMRegressor(random_state=self.seed, n_jobs=1, verbosity=-1)],
            freq=1,
            lags=range(1, self.window + 1 - len(differences)),
            target_transforms=[Differences(differences)] if differences else None,
            num_threads=1,
        )
        self.forecast.fit(_frame(rows[:, : self.n_targets].T), static_features=[])

    def _ahead(self, rows, first):
        columns = rows[:, : self.n_targets]
        ahead = windows_at(columns, self.horizon, first + self.horizon, len(rows))
        return ahead.transpose(0, 2, 1).reshape(len(ahead), -1)

    def predict(self, rows, start, some=slice(None)):
        """Forecast from each row, or some: a window of a column is a series to the library."""
        end = len(rows) - self.horizon
        windows = windows_at(rows[:, : self.n_targets], self.window, start, end)[some]
        windows = windows.transpose(0, 2, 1).reshape(-1, self.window)
        found = self.forecast.predict(self.horizon, new_df=_frame(windows))
        found = found.sort_values(["unique_id", "ds"])["LGBMRegressor"].to_numpy()
        return found.reshape(-1, self.n_targets * self.horizon)


def _frame(series):
    """Name the series, (n, length), and their steps."""
    n, length = series.shape
    ids, steps = np.repeat(np.arange(n), length), np.tile(np.arange(length), n)
    return pd.DataFrame({"unique_id": ids, "ds": steps, "y": series.ravel()})
