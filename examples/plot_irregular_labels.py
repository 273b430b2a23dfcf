"""
Labels that come less often than the rows
=========================================

A sensor gives a row every minute, the laboratory a label every hour. In ``y`` the rows between are
NaN, which means not known: they are history in the windows of other rows, and are left out of the
loss. With pandas this is one call::

    y = laboratory.reindex(sensor.index)

Here a row is a day, and the label comes once a week, on Sundays.
"""

# %%
# The rows are the daily entries at a station in Chicago and the temperature. The label of a
# Sunday is the total of the week that begins on the next day.
import matplotlib.pyplot as plt
import pandas as pd
from sklearn.metrics import mean_absolute_error
from sklearn.pipeline import make_pipeline

from sklstm import LSTMRegressor, SlidingWindowTransformer, forecast_targets
from sklstm.datasets import load_chicago_ridership

X = load_chicago_ridership(as_frame=True).data
labels = X["ridership"].resample("W-SUN").sum().shift(-1).dropna()
y = labels.reindex(X.index).rename("label")
print(f"{len(X)} rows, {len(labels)} labels")
print(X.assign(label=y)["2013-12-14":"2013-12-23"].to_string())

# %%
# ``fit`` takes all rows, and ``predict`` gives a value for each of them, with or without a label.
# The score is that of the labelled rows; in a search, ``known_targets_scorer`` does the same.
train, test = slice(None, "2013-12-22"), slice("2013-12-29", None)


def fit_predict(X, y, window_size):
    """Train up to 2013, and predict the rows after it."""
    model = make_pipeline(SlidingWindowTransformer(window_size), LSTMRegressor(random_state=0))
    return pd.Series(model.fit(X[train], y[train]).predict(X[test]), X[test].index)


predicted = {"daily rows, NaN between": fit_predict(X, y, 28)}

# %%
# The same four weeks of history, without the rows between the labels: only the labelled rows are
# kept, or the rows of each week become their mean. And, for comparison, a label on every day, and
# last week's total.
weeks = X.resample("W-SUN").mean()
sundays = X.loc[weeks.index]
every_day = forecast_targets(X["ridership"], 7).sum(axis=1, skipna=False)
predicted |= {
    "only the labelled rows": fit_predict(sundays, y[sundays.index], 4),
    "means of weeks": fit_predict(weeks, y[weeks.index], 4),
    "a label on every day": fit_predict(X, every_day, 28),
    "last week's total": labels.shift(1),
}
known = labels[test]
errors = pd.Series({k: mean_absolute_error(known, p[known.index]) for k, p in predicted.items()})
print(f"Mean absolute error of {len(known)} weekly totals, thousands of entries")
print(errors.round(2).to_string())

# %%
figure, ax = plt.subplots(figsize=(10, 3.8), layout="constrained")
ax.plot(known, "ko", markersize=4, label="label, once a week")
ax.plot(predicted["daily rows, NaN between"][known.index], color="#0072B2", label="predicted")
ax.plot(labels.shift(1)[test], ":", color="#D55E00", label="last week's total")
ax.set(ylabel="thousands of entries in the next week", title="Predictions of each Sunday")
ax.legend(frameon=False, ncols=3)

# %%
# With the rows between the labels as history the error is 6.4, with the labelled rows alone 9.6,
# and with last week's total 7.6. Means of weeks are better still here, 5.9, in windows with seven
# times fewer values. A label on every day did not help. If a summary of the rows between is enough,
# use it. NaN in ``y`` is for series where the rows themselves matter.
