"""Seasonal naive: the last known value at the same place of the season."""

import numpy as np

from forecasters.base import Base


class Forecaster(Base):
    """Has nothing to learn. Without a season it is persistence."""

    def fit(self, rows):
        """Learn nothing."""

    def predict(self, rows, start):
        """Go back from each lead by as few seasons as lead to a known value."""
        leads = np.arange(1, self.horizon + 1)
        back = leads - self.season * -(-leads // self.season)  # 1 - season, ..., 0
        origins = np.arange(start, len(rows) - self.horizon)
        return np.hstack([rows[origins[:, None] + back, i] for i in range(self.n_targets)])
