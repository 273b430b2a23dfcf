"""skforecast: ForecasterRnn on JAX, with the features but the target as further series."""

import numpy as np
import pandas as pd

from forecasters.base import Base, windows_at
from forecasters.keras_on_jax import TimeLimit, begin, keras, reason  # before skforecast

# isort: split
from skforecast.deep_learning import ForecasterRnn, create_and_compile_model

EPOCHS = 50


class Forecaster(Base):
    """An LSTM layer of 100 units and a dense one of 64, on series scaled to [0, 1]."""

    def fit(self, rows):
        """Train on all rows but the latest tenth of the windows, which early stopping watches."""
        deadline = begin(self)
        frame = _frame(rows)
        model = create_and_compile_model(
            frame, lags=self.window, steps=self.horizon, levels=frame.columns[0]
        )
        # Without fit_kwargs it would train for a single epoch. These are the ones of its
        # documentation, and the time limit.
        stopping = keras.callbacks.EarlyStopping(patience=5)
        fit_kwargs = {
            "epochs": EPOCHS,
            "batch_size": 32,
            "verbose": 0,
            "validation_split": 0.1,  # the latest windows
            "callbacks": [stopping, TimeLimit(deadline)],
        }
        self.forecaster = ForecasterRnn(
            estimator=model, levels=frame.columns[0], lags=self.window, fit_kwargs=fit_kwargs
        )
        self.forecaster.fit(frame)
        self.stopped = reason(deadline, len(self.forecaster.history_["loss"]), EPOCHS)

    def predict(self, rows, start):
        """Forecast from each row, as its ``predict`` does from one."""
        scalers = list(self.forecaster.transformer_series_.values())
        columns = [s.transform(rows[:, [i]]) for i, s in enumerate(scalers)]
        scaled = np.concatenate(columns, axis=1)
        X = windows_at(scaled, self.window, start, len(rows) - self.horizon)
        y = self.forecaster.estimator.predict(X, batch_size=256, verbose=0)  # (n, horizon, 1)
        return scalers[0].inverse_transform(y.reshape(-1, 1)).reshape(-1, self.horizon)


def _frame(rows):
    return pd.DataFrame(rows, columns=[f"x{i}" for i in range(rows.shape[1])])
