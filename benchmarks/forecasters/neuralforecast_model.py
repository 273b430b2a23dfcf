"""The models of neuralforecast, each column that is forecast a series of its own."""

import numpy as np
import pandas as pd
from neuralforecast import NeuralForecast
from neuralforecast.losses.pytorch import MSE

from forecasters.base import Base, Deadline
from forecasters.lightning_limit import QUIET, TimeLimit


class NeuralForecaster(Base):
    """Trains for the steps of the model: without a validation part there is no early stopping.

    Attributes
    ----------
    model : type
        The class of the model. One that takes historic features gets the other columns.
    """

    def fit(self, rows):
        """Train on all rows."""
        deadline = Deadline(self.max_seconds)
        others = range(self.n_targets, rows.shape[1] if self.model.EXOGENOUS_HIST else 0)
        self.features = [f"x{i}" for i in others]
        model = self.model(
            h=self.horizon,
            input_size=self.window,
            hist_exog_list=self.features,
            loss=self.loss(),
            random_seed=self.seed,
            callbacks=[TimeLimit(deadline)],
            devices=1,
            **QUIET,
        )
        self.forecast = NeuralForecast(models=[model], freq=1)
        self.forecast.fit(self._frame(rows))
        self.stopped = "limit" if deadline.passed() else "epochs"

    def loss(self):
        """Return what the forecasts are judged by; the default of the library is MAE."""
        return MSE()

    def predict(self, rows, start):
        """Forecast from each row."""
        found = self.cross_validated(rows, start)
        return found[self.model.__name__].to_numpy().reshape(-1, self.n_targets * self.horizon)

    def cross_validated(self, rows, start):
        """Forecast from each row: what the library calls cross-validation, without fits."""
        found = self.forecast.cross_validation(
            self._frame(rows),
            n_windows=None,
            test_size=len(rows) - start - 1,  # the first value that is forecast, and all after
            step_size=1,
            use_fitted=True,
        )
        return found.sort_values(["cutoff", "unique_id", "ds"])

    def _frame(self, rows):
        n_rows = len(rows)
        features = {name: rows[:, int(name[1:])] for name in self.features}
        series = [
            pd.DataFrame({"unique_id": i, "ds": np.arange(n_rows), "y": rows[:, i], **features})
            for i in range(self.n_targets)
        ]
        return pd.concat(series)
