"""LSTMs for time series inside plain scikit-learn."""

from sklstm._display_forecast import ForecastDisplay
from sklstm._display_gates import GateActivityDisplay
from sklstm._display_loss import LossCurveDisplay
from sklstm._display_splits import WindowSplitDisplay
from sklstm._regressor import LSTMRegressor
from sklstm._targets import forecast_targets
from sklstm._transformer import SlidingWindowTransformer

__version__ = "0.1.0"

__all__ = [
    "ForecastDisplay",
    "GateActivityDisplay",
    "LSTMRegressor",
    "LossCurveDisplay",
    "SlidingWindowTransformer",
    "WindowSplitDisplay",
    "forecast_targets",
]
