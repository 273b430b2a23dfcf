"""
How good is a forecast? A backtest
==================================

A backtest makes the forecasts of the past, each from what was known at that time, and compares
them with what came. :func:`~sklstm.backtest` does it for any regressor.
"""

# %%
# Forecasts of the next seven days, over the last two years of a daily series: eight folds of a
# quarter, with a new fit each year. Ridge is on the same windows.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import TimeSeriesSplit
from sklearn.pipeline import make_pipeline

from sklstm import (
    BacktestDisplay,
    KnownTargetsRegressor,
    LSTMRegressor,
    SlidingWindowTransformer,
    backtest,
    forecast_targets,
)
from sklstm.datasets import load_chicago_ridership

X = load_chicago_ridership(as_frame=True).data
y = forecast_targets(X["ridership"], horizon=7)
models = {
    "LSTM": make_pipeline(SlidingWindowTransformer(28), LSTMRegressor(random_state=0)),
    "ridge": make_pipeline(
        SlidingWindowTransformer(28, flatten=True, padding="edge"),
        KnownTargetsRegressor(RidgeCV(np.logspace(-3, 3, 7))),
    ),
}
cv = TimeSeriesSplit(n_splits=8, test_size=91)
results = {name: backtest(model, X, y, cv=cv, refit=4) for name, model in models.items()}
print(results["LSTM"])

# %%
# By lead, beside a forecast that needs no model: the value of the same day of the week before. The
# other one, persistence (the last value), is above the axes but for a week ahead.
figure, ax = plt.subplots(figsize=(8, 4), layout="constrained")
colors = {"LSTM": "#D55E00", "ridge": "#E69F00"}
for name, result in results.items():
    BacktestDisplay.from_result(result, ax=ax, name=name, line_kw={"color": colors[name]})
ax.set(ylabel="MAE, thousands of entries a day", ylim=(1, 1.8))

# %%
# Over time, a week ahead: each value stands at the day on which it was forecast. The large errors
# are holidays, which no window of past days announces, and the same days a week later, when the
# holiday is in the window.
figure, ax = plt.subplots(figsize=(10, 3.6), layout="constrained")
BacktestDisplay.from_result(results["LSTM"], kind="forecasts", output=6, name="LSTM", ax=ax)
ax.set_xlim(np.datetime64("2015-10-25"), np.datetime64("2016-02-10"))

# %%
# Errors can be averaged over anything that is known of a row: an attribute of its date, such as
# ``by="day_of_week"``, or one value for each row. Here it is the month.
figure, ax = plt.subplots(figsize=(10, 3.6), layout="constrained")
months = X.index.to_period("M").start_time
BacktestDisplay.from_result(results["LSTM"], by=months, name="LSTM", ax=ax)
ax.set(ylabel="MAE", xlabel="", ylim=(0, 4))
print(results["LSTM"].errors(by="day_of_week")[["MAE", "MASE"]].round(2).to_string())

# %%
# The forecasts are a frame with the index of ``X``. These are the days that were forecast worst one
# day ahead: Thanksgiving, Memorial Day, Labor Day, Independence Day, Christmas. Columns that know
# the calendar of the days ahead would help: see :doc:`plot_known_ahead`.
table = results["LSTM"].to_frame()
error = (table["forecast"] - table["actual"])["ridership_lead1"]
error.index += np.timedelta64(1, "D")
print(error.loc[error.abs().nlargest(8).index].round(1).to_string())
