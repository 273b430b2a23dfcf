"""Ridge regression of each column on its own deviations from the last step: one map for all."""

import numpy as np

from forecasters.base import Base, windows_at
from forecasters.validated_ridge import validated_ridge


class Forecaster(Base):
    """The penalty by the latest quarter of the rows."""

    def groups(self):
        """List the columns that share a map."""
        return [slice(0, self.n_targets)]

    def fit(self, rows):
        """Fit the map of each group."""
        first, end = self.window - 1, len(rows) - self.horizon
        self.maps = []
        for group in self.groups():
            X, last = self._deviations(rows[:, group], first, end)  # (n, columns, window)
            ahead = windows_at(rows[:, group], self.horizon, first + self.horizon, len(rows))
            y = ahead.transpose(0, 2, 1) - last  # (n, columns, horizon)
            n, columns, _ = X.shape
            ridge = validated_ridge(n, self.horizon, repeats=columns)
            self.maps.append(ridge.fit(X.reshape(n * columns, -1), y.reshape(n * columns, -1)))

    def predict(self, rows, start):
        """Forecast from each row."""
        forecasts = []
        for group, ridge in zip(self.groups(), self.maps, strict=True):
            X, last = self._deviations(rows[:, group], start, len(rows) - self.horizon)
            n, columns, _ = X.shape
            changes = ridge.predict(X.reshape(n * columns, -1)).reshape(n, columns, -1)
            forecasts.append((changes + last).reshape(n, -1))
        return np.hstack(forecasts)

    def _deviations(self, rows, first, end):
        windows = windows_at(rows, self.window, first, end).transpose(0, 2, 1)
        last = windows[:, :, -1:]
        return windows - last, last
