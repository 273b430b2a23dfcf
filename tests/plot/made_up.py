"""Displays of made-up values, so that nothing is trained, and readers of what they draw."""

import numpy as np
import pandas as pd
from matplotlib.colors import to_rgb
from matplotlib.dates import ConciseDateFormatter
from sklearn.model_selection import TimeSeriesSplit

from sklstm import (
    BacktestDisplay,
    ForecastDisplay,
    GateActivityDisplay,
    LagImportanceDisplay,
    LossCurveDisplay,
    WindowSplitDisplay,
)
from sklstm._lag_importance import LagImportance

HORIZON = 3  # of the fitted pipeline


def loss_display():
    epochs = np.arange(12)
    return LossCurveDisplay(
        loss_curve=np.exp(-epochs / 4),
        validation_loss_curve=0.4 + (epochs - 6) ** 2 / 60,
        best_epoch=7,
    )


def forecast_display():
    days = np.arange("2001-01-22", "2001-03-01", dtype="datetime64[D]")
    values = np.sin(np.arange(len(days)))
    return ForecastDisplay(
        history=values[:-7],
        forecast=0.8 * values[-7:],
        actual=values[-7:],
        history_index=days[:-7],
        forecast_index=days[-7:],
        target_name="ridership",
    )


def split_display():
    splits = list(TimeSeriesSplit(3, gap=6).split(np.zeros(120)))
    index = pd.date_range("2001-01-22", periods=120)
    return WindowSplitDisplay(splits=splits, n_rows=120, n_history=20, index=index)


def gate_display():
    steps, units = np.arange(7.0)[:, np.newaxis], np.arange(5.0)
    gate = 1 / (1 + np.exp(-np.sin(steps + units)))
    gate[:2] = np.nan  # missing steps
    activity = {
        "input_gate": gate,
        "forget_gate": np.where(np.isnan(gate), gate, units[::-1] / 5),
        "output_gate": 1 - gate,
        "cell": 3 * (gate - 0.5),
        "hidden": gate - 0.5,
    }
    return GateActivityDisplay(activity=activity, lags=np.arange(7)[::-1])


def importance_display():
    mean = np.outer([1.0, 0.3, 0.05], [0.5, 0.2, 0.1, 0.05, 0.4])
    importance = LagImportance(
        importances_mean=mean,
        importances_std=0.1 * mean,
        features=["load", "wind", "sun"],
        lag_labels=["0", "1", "2", "3", "4-5"],
        score_name="R²",
    )
    return LagImportanceDisplay(importance=importance)


def backtest_display():
    leads = np.arange(1, 8)
    return BacktestDisplay(
        at=leads,
        forecast=1 + leads / 10,
        others={"persistence": 1 + leads % 7, "seasonal naive": np.full(7, 1.9)},
        xlabel="lead",
        ylabel="MAE",
    )


MADE_UP = {
    "backtest": backtest_display,
    "loss": loss_display,
    "forecast": forecast_display,
    "splits": split_display,
    "gates": gate_display,
    "importance": importance_display,
}


def luminance(color):
    """Relative luminance as in the Web Content Accessibility Guidelines, 0 to 1."""
    rgb = np.asarray(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def legend_texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def has_dates(ax):
    return isinstance(ax.xaxis.get_major_formatter(), ConciseDateFormatter)
