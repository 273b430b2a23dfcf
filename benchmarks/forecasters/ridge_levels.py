"""Ridge regression on the windows of all columns."""

from forecasters.flat_windows import FlatWindows
from forecasters.validated_ridge import validated_ridge


class Forecaster(FlatWindows):
    """The penalty by the latest quarter of the rows."""

    def regressor(self, n_times):
        """Return the regressor."""
        return validated_ridge(n_times, self.horizon)
