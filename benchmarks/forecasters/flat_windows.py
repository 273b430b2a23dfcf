"""Regressors of scikit-learn, on flat windows."""

import numpy as np

from forecasters.base import Base
from sklstm import SlidingWindowTransformer, forecast_targets


class FlatWindows(Base):
    """A regressor that takes each window as a row of a table. It has no time limit."""

    def regressor(self):
        """Return the regressor, which takes several targets."""
        raise NotImplementedError

    def fit(self, rows):
        """Fit on the complete windows with known targets."""
        self.transformer = SlidingWindowTransformer(self.window, flatten=True)
        X = self.transformer.fit_transform(rows)
        y = forecast_targets(rows[:, 0], self.horizon)
        known = np.isfinite(X).all(axis=1) & np.isfinite(y).all(axis=1)
        self.model = self.regressor().fit(X[known], y[known])

    def predict(self, rows, start):
        """Forecast from each row."""
        X = self.transformer.transform(rows)[start : len(rows) - self.horizon]
        return self.model.predict(X)
