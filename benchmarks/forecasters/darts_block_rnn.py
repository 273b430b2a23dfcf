"""darts: BlockRNNModel, with the features but the target as past covariates."""

import numpy as np
from darts import TimeSeries
from darts.models import BlockRNNModel

from forecasters.base import Base, Deadline
from forecasters.lightning_limit import QUIET, TimeLimit


class Forecaster(Base):
    """Trains for 100 epochs: without a validation series there is no early stopping."""

    def fit(self, rows):
        """Train on all rows."""
        deadline = Deadline(self.max_seconds)
        self.model = BlockRNNModel(
            model="LSTM",
            input_chunk_length=self.window,
            output_chunk_length=self.horizon,
            random_state=self.seed,
            pl_trainer_kwargs={**QUIET, "callbacks": [TimeLimit(deadline)]},
        )
        self.model.fit(**self._series(rows))
        self.stopped = "limit" if deadline.passed() else "epochs"

    def predict(self, rows, start):
        """Forecast from each row."""
        forecasts = self.model.historical_forecasts(
            **self._series(rows),
            start=start + 1,  # the first value that is forecast
            start_format="position",
            forecast_horizon=self.horizon,
            retrain=False,
            last_points_only=False,
        )
        return np.stack([forecast.values()[:, 0] for forecast in forecasts])

    def _series(self, rows):
        rows = rows.astype(np.float32)  # darts would compute in float64 otherwise
        series = {"series": TimeSeries.from_values(rows[:, 0])}
        if rows.shape[1] > 1:
            series["past_covariates"] = TimeSeries.from_values(rows[:, 1:])
        return series
