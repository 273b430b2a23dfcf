"""neuralforecast: LSTM, with the features but the target as historic ones."""

import numpy as np
import pandas as pd
from neuralforecast import NeuralForecast
from neuralforecast.losses.pytorch import MSE
from neuralforecast.models import LSTM

from forecasters.base import Base, Deadline
from forecasters.lightning_limit import QUIET, TimeLimit


class Forecaster(Base):
    """Trains for 1,000 steps: without a validation part there is no early stopping."""

    def fit(self, rows):
        """Train on all rows."""
        deadline = Deadline(self.max_seconds)
        model = LSTM(
            h=self.horizon,
            input_size=self.window,
            hist_exog_list=[f"x{i}" for i in range(1, rows.shape[1])],
            loss=MSE(),  # it is what the forecasts are judged by; the default is MAE
            random_seed=self.seed,
            callbacks=[TimeLimit(deadline)],
            devices=1,
            **QUIET,
        )
        self.forecast = NeuralForecast(models=[model], freq=1)
        self.forecast.fit(_frame(rows))
        self.stopped = "limit" if deadline.passed() else "epochs"

    def predict(self, rows, start):
        """Forecast from each row: what the library calls cross-validation, without fits."""
        found = self.forecast.cross_validation(
            _frame(rows),
            n_windows=None,
            test_size=len(rows) - start - 1,  # the first value that is forecast, and all after
            step_size=1,
            use_fitted=True,
        )
        found = found.sort_values(["cutoff", "ds"])
        return found["LSTM"].to_numpy().reshape(-1, self.horizon)


def _frame(rows):
    frame = pd.DataFrame({"unique_id": 0, "ds": np.arange(len(rows)), "y": rows[:, 0]})
    for i in range(1, rows.shape[1]):
        frame[f"x{i}"] = rows[:, i]
    return frame
