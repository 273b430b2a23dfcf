"""LSTMs for time series inside plain scikit-learn."""

from sklstm._regressor import LSTMRegressor
from sklstm._targets import forecast_targets
from sklstm._transformer import SlidingWindowTransformer

__version__ = "0.1.0"

__all__ = ["LSTMRegressor", "SlidingWindowTransformer", "forecast_targets"]
