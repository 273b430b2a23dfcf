"""Gradient boosting with its defaults: trees for each lead."""

from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.multioutput import MultiOutputRegressor

from forecasters.flat_windows import FlatWindows


class Forecaster(FlatWindows):
    """One model per lead."""

    def regressor(self, n_times):
        """Return the regressor."""
        return MultiOutputRegressor(HistGradientBoostingRegressor(random_state=self.seed))
