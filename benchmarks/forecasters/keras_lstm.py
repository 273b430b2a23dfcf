"""Keras on JAX, as its users write it: one LSTM layer, early stopping on the latest windows."""

from forecasters.base import Base, targets_at, windows_at
from forecasters.keras_on_jax import TimeLimit, begin, keras, reason

EPOCHS = 100


class Forecaster(Base):
    """Keras has no defaults for a forecaster; its optimizer and batches have theirs."""

    def fit(self, rows):
        """Train until the loss of the latest tenth of the windows no longer improves."""
        deadline = begin(self)
        end = len(rows) - self.horizon  # the rows whose targets are known
        X = windows_at(rows, self.window, self.window - 1, end).astype("float32")
        y = targets_at(rows, self.horizon, self.window - 1, end).astype("float32")
        n_valid = round(0.1 * len(X))
        n_train = len(X) - n_valid - (self.horizon - 1)  # targets must not overlap

        self.model = keras.Sequential(
            [
                keras.Input((self.window, rows.shape[1])),
                keras.layers.LSTM(64),
                keras.layers.Dense(self.horizon),
            ]
        )
        self.model.compile(optimizer="adam", loss="mean_squared_error")
        stopping = keras.callbacks.EarlyStopping(patience=10, restore_best_weights=True)
        history = self.model.fit(
            X[:n_train],
            y[:n_train],
            epochs=EPOCHS,
            validation_data=(X[-n_valid:], y[-n_valid:]),
            callbacks=[stopping, TimeLimit(deadline)],
            verbose=0,
        )
        self.stopped = reason(deadline, len(history.epoch), EPOCHS)

    def predict(self, rows, start):
        """Forecast from each row."""
        X = windows_at(rows, self.window, start, len(rows) - self.horizon)
        return self.model.predict(X.astype("float32"), batch_size=256, verbose=0)
