"""Persistence: the last value again."""

import numpy as np

from forecasters.base import Base


class Forecaster(Base):
    """Has nothing to learn."""

    def fit(self, rows):
        """Learn nothing."""

    def predict(self, rows, start):
        """Repeat the value of each row."""
        return np.repeat(rows[start : len(rows) - self.horizon, :1], self.horizon, axis=1)
