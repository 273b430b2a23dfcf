"""LSTMs for time series inside plain scikit-learn."""

from sklstm._backtest.backtest import backtest
from sklstm._backtest.result import BacktestResult
from sklstm._conformal import ConformalRegressor
from sklstm._export.to_onnx import to_onnx
from sklstm._known_targets import KnownTargetsRegressor
from sklstm._lag_importance import lag_importance
from sklstm._lag_table import LagTableTransformer
from sklstm._panel_split import PanelSplit
from sklstm._plot.backtest import BacktestDisplay
from sklstm._plot.forecast import ForecastDisplay
from sklstm._plot.gate_activity import GateActivityDisplay
from sklstm._plot.lag_importance import LagImportanceDisplay
from sklstm._plot.loss_curve import LossCurveDisplay
from sklstm._plot.window_split import WindowSplitDisplay
from sklstm._regressor import LSTMRegressor
from sklstm._saving.saving import load, model_card, save
from sklstm._saving.trusted import TRUSTED_TYPES
from sklstm._scoring import known_targets_scorer, pinball_scorer
from sklstm._series.window_array import WindowArray
from sklstm._targets import forecast_targets
from sklstm._transformer import SlidingWindowTransformer

__version__ = "0.1.0"

__all__ = [
    "TRUSTED_TYPES",
    "BacktestDisplay",
    "BacktestResult",
    "ConformalRegressor",
    "ForecastDisplay",
    "GateActivityDisplay",
    "KnownTargetsRegressor",
    "LSTMRegressor",
    "LagImportanceDisplay",
    "LagTableTransformer",
    "LossCurveDisplay",
    "PanelSplit",
    "SlidingWindowTransformer",
    "WindowArray",
    "WindowSplitDisplay",
    "backtest",
    "forecast_targets",
    "known_targets_scorer",
    "lag_importance",
    "load",
    "model_card",
    "pinball_scorer",
    "save",
    "to_onnx",
]

# Saved models, and lists of trusted types, then name a class by its public place, and not by
# the file that it is in.
for _name in __all__:
    if _name != "TRUSTED_TYPES":
        globals()[_name].__module__ = "sklstm"
