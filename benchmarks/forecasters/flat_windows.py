"""Regressors of scikit-learn, on flat windows of all columns."""

import numpy as np

from forecasters.base import Base
from sklstm import SlidingWindowTransformer, forecast_targets


class FlatWindows(Base):
    """A regressor that takes each window as a row of a table. It has no time limit."""

    def regressor(self, n_times):
        """Return the regressor, which takes several targets, for so many windows."""
        raise NotImplementedError

    def fit(self, rows):
        """Fit on the complete windows with known targets."""
        self.transformer = SlidingWindowTransformer(self.window, flatten=True)
        X = self.transformer.fit_transform(rows)
        columns = rows[:, : self.n_targets].T
        y = np.hstack([forecast_targets(column, self.horizon) for column in columns])
        known = np.isfinite(X).all(axis=1) & np.isfinite(y).all(axis=1)
        self.model = self.regressor(np.count_nonzero(known)).fit(X[known], y[known])

    def predict(self, rows, start):
        """Forecast from each row."""
        X = self.transformer.transform(rows)[start : len(rows) - self.horizon]
        return self.model.predict(X)
