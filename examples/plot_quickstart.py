"""
Quickstart: the next week of a station's ridership
==================================================

Daily entries at a station of Chicago's elevated railway: every day we forecast the seven
days that follow. A plain ``GridSearchCV`` chooses the window and the layers, and simpler
methods are scored on the same rows.
"""

# %%
# The series: rows in time order, one day each. Row t of the targets holds the ridership
# of the days t + 1 to t + 7, so the last rows have unknown targets.
import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sklstm import (
    KnownTargetsRegressor,
    LSTMRegressor,
    SlidingWindowTransformer,
    forecast_targets,
    known_targets_scorer,
)
from sklstm.datasets import load_chicago_ridership

started = time.perf_counter()
horizon = 7
X = load_chicago_ridership(as_frame=True).data
y = forecast_targets(X["ridership"], horizon)
print(f"{len(X)} days from {X.index[0]:%Y-%m-%d} to {X.index[-1]:%Y-%m-%d}, {list(X.columns)}")

# %%
# The last year is the test part. Targets that become known in it are left out of the training, as
# in the folds of the search. ``set_output`` keeps the index after the scaler, so that missing days
# are missing steps in the windows.
n_test = 365
X_train, y_train, X_test, y_test = X[:-n_test], y[:-n_test], X[-n_test:], y[-n_test:]

pipe = Pipeline(
    [
        ("scale", StandardScaler()),
        ("window", SlidingWindowTransformer()),
        ("lstm", LSTMRegressor(loss="absolute_error", n_iter_no_change=5, random_state=0)),
    ]
).set_output(transform="pandas")

search = GridSearchCV(
    pipe,
    {
        "window__window_size": [14, 28],
        "lstm__hidden_layer_sizes": [(32,), (32, 32)],
    },
    cv=TimeSeriesSplit(n_splits=2),
    scoring=known_targets_scorer("neg_mean_absolute_error"),
    n_jobs=2,
    verbose=3,
)
search.fit(X_train, y_train)

# %%
# All candidates, scored on the same rows whatever their window.
candidates = pd.DataFrame(search.cv_results_)
candidates = candidates[
    [
        "param_window__window_size",
        "param_lstm__hidden_layer_sizes",
        "mean_test_score",
        "std_test_score",
        "mean_fit_time",
    ]
].set_axis(["window_size", "hidden_layer_sizes", "mean MAE", "std MAE", "fit seconds"], axis=1)
candidates["mean MAE"] *= -1
print("\nCandidates, mean absolute error in thousands of entries, two folds")
print(candidates.sort_values("mean MAE").to_string(index=False, float_format="%.3f"))

# %%
# Simpler methods on the same rows of the test year: persistence, the same day of last
# week, and two regressors on flat windows, fitted on the same rows as the LSTM.
window_size = search.best_params_["window__window_size"]


def on_flat_windows(regressor):
    """Make a pipeline with another regressor in the place of the LSTM."""
    window = SlidingWindowTransformer(window_size, padding="edge", flatten=True)
    regressor = KnownTargetsRegressor(regressor)
    steps = [("scale", StandardScaler()), ("window", window), ("regressor", regressor)]
    return Pipeline(steps).set_output(transform="pandas")


boosting = HistGradientBoostingRegressor(loss="absolute_error", random_state=0)
predictions = {
    "LSTMRegressor": search.predict(X_test),
    "persistence": np.repeat(X_test[["ridership"]].to_numpy(), horizon, axis=1),
    "same day last week": y.shift(7)[-n_test:],
    "Ridge on the last row": on_flat_windows(Ridge())
    .set_params(window__window_size=1)
    .fit(X_train, y_train)
    .predict(X_test),
    "Ridge": on_flat_windows(Ridge()).fit(X_train, y_train).predict(X_test),
    "HistGradientBoosting": on_flat_windows(MultiOutputRegressor(boosting, n_jobs=2))
    .fit(X_train, y_train)
    .predict(X_test),
}
print(f"\nTest year, {n_test} forecasts of {horizon} days, windows of {window_size} days")
errors = {name: y_test - predicted for name, predicted in predictions.items()}  # NaN at the end
errors = pd.DataFrame(
    {
        name: {"MAE": error.abs().mean().mean(), "RMSE": (error**2).mean().pow(0.5).mean()}
        for name, error in errors.items()
    }
).T
print(errors.sort_values("MAE").to_string(float_format="%.3f"))

# %%
# After the end of the data: the prediction for the last row is the forecast of the seven
# days that follow it. Rows with unknown targets are history, and are left out of the loss.
model = search.best_estimator_.fit(X, y)
forecast = pd.Series(
    model.predict(X)[-1],
    index=pd.date_range(X.index[-1], periods=horizon + 1, freq="D")[1:],
    name="ridership",
)
print("\nThe week after the end of the data, thousands of entries")
print(forecast.round(2).to_string())

# %%
# The last weeks of the test year, forecast one week at a time, and the week ahead.
weeks = range(n_test - 1 - 7 * 6, n_test, 7)
figure, ax = plt.subplots(figsize=(10, 4), layout="constrained")
ax.plot(X["ridership"].iloc[-70:], color="black", linewidth=1, label="actual")
for week in weeks:
    start = X_test.index[week]
    ax.plot(
        pd.date_range(start, periods=horizon + 1, freq="D")[1:],
        predictions["LSTMRegressor"][week],
        color="tab:orange",
        marker="o",
        markersize=3,
        label="forecast, made a week at a time" if week == weeks[0] else None,
    )
ax.plot(forecast, color="tab:blue", marker="s", markersize=4, label="after the end of the data")
ax.set(title="Entries at Clark/Lake, Chicago", ylabel="thousands a day", ylim=(0, None))
ax.legend(loc="upper center", ncols=3, bbox_to_anchor=(0.5, -0.12))
figure.savefig("forecast.png", dpi=120)
print(f"\nWrote forecast.png; {time.perf_counter() - started:.0f} s in all")
