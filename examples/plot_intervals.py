"""
How sure is a forecast?
=======================

Riders of the next two weeks at a station, with intervals that are to hold 90 % of the days. They
are calibrated on the latest rows, and then follow the errors, day by day.
"""

# %%
# The last 700 days are kept for later. Any pipeline can stand inside; here windows of four weeks
# and a linear regression.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline

from sklstm import (
    ConformalRegressor,
    ForecastDisplay,
    KnownTargetsRegressor,
    SlidingWindowTransformer,
    forecast_targets,
)
from sklstm.datasets import load_chicago_ridership

X = load_chicago_ridership(as_frame=True).data
riders, horizon, n_later = X["ridership"], 14, 700
y = forecast_targets(riders, horizon)
windows = SlidingWindowTransformer(28, padding="edge", flatten=True)
pipe = make_pipeline(windows, KnownTargetsRegressor(RidgeCV(np.logspace(-2, 4, 7))))
model = ConformalRegressor(pipe, coverage=0.9).fit(X[:-n_later], y[:-n_later])

# %%
# Three forecasts, with what came. Ordinary weeks are forecast well, and holidays are not: around
# Thanksgiving and Christmas, days lie below the intervals.
figure, axes = plt.subplots(3, layout="constrained", figsize=(8, 8), sharey=True)
for ax, day in zip(axes, ("2015-05-10", "2015-11-22", "2016-08-01"), strict=True):
    row = X.index.get_loc(day)
    ForecastDisplay.from_estimator(model, X, riders, row=row, n_history=28, ax=ax)

# %%
# From day to day: the intervals of each day are drawn before what was known on the day moves them.
issued = []
for row in range(len(X) - n_later, len(X)):
    issued.append(model.predict_interval(X[row : row + 1])[0])
    known = forecast_targets(riders[row - horizon : row + 1], horizon)
    model.update(X[row - horizon : row + 1], known)
issued = np.array(issued)  # (days, leads, lower and upper end)

targets = y[-n_later:].to_numpy()
held = np.where(
    np.isnan(targets), np.nan, (targets >= issued[..., 0]) & (targets <= issued[..., 1])
)
print("held, by days ahead:", np.nanmean(held, axis=0).round(2))

# %%
# The intervals of the next day, and how many of the latest 100 were held. The dotted line is the
# fraction that was asked for.
days = X.index[-n_later:]
figure, (above, below) = plt.subplots(
    2, sharex=True, layout="constrained", figsize=(8, 6), height_ratios=[2, 1]
)
above.fill_between(days, issued[:, 0, 0], issued[:, 0, 1], color="#D55E00", alpha=0.3, linewidth=0)
above.plot(days, targets[:, 0], color="black", linewidth=0.8)
above.set_ylabel("riders of the next day (thousands)")
below.plot(days, pd.Series(held[:, 0]).rolling(100).mean(), color="black")
below.axhline(0.9, color="#999999", linestyle=":")
below.set_ylabel("held, of 100 days")
below.set_ylim(0.7, 1.0)
plt.show()
