"""
Weather forecasts as inputs
===========================

A load depends on the weather and on the hours of work. Both are known for the next 24 hours, from
forecasts and from the calendar. ``forecast_targets`` gives each row these 24 values as columns.
"""

# %%
# The series is made up, hourly, without a season of the year. The load follows the temperature of
# the same hour, and is higher at work. What is known in advance reaches 24 hours further than the
# load.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline

from sklstm import LSTMRegressor, SlidingWindowTransformer, forecast_targets

n_rows, horizon, n_test = 3000, 24, 600
hours = pd.date_range("2024-01-01", periods=n_rows + horizon, freq="h")
rng = np.random.default_rng(0)
weather = pd.Series(rng.normal(scale=8, size=len(hours))).ewm(alpha=0.2).mean().to_numpy()
known = pd.DataFrame(
    {
        "temperature": 10 + 5 * np.sin(2 * np.pi * (hours.hour - 9) / 24) + weather,
        "at_work": 1.0 * (hours.day_of_week < 5) * (hours.hour >= 7) * (hours.hour < 19),
    },
    hours,
)
noise = rng.normal(scale=0.5, size=len(hours))
load = (50 - 1.5 * known["temperature"] + 10 * known["at_work"] + noise).rename("load")
print(f"load until {hours[n_rows - 1]}, weather and calendar until {hours[-1]}")

# %%
# Four tables of inputs with the same rows. In the second, each row has what is known of the next
# hour, in the others that of each of the next 24 hours.
X = known.assign(load=load)[:n_rows]
temperature_ahead = forecast_targets(known["temperature"], horizon)
inputs = {
    "what was": X,
    "weather and calendar of the next hour": X.join(known.shift(-1).add_suffix("_next")),
    "weather of 24 hours": X.join(temperature_ahead),
    "weather and calendar of 24 hours": X.join(
        [temperature_ahead, forecast_targets(known["at_work"], horizon)]
    ),
}

# %%
# One model each. The error by step ahead, over the last 600 hours; the targets that lie after the
# end are unknown, and are left out of the mean.
y = forecast_targets(X["load"], horizon)
train = n_rows - n_test
errors, forecasts = {}, {}
for name, table in inputs.items():
    model = make_pipeline(SlidingWindowTransformer(24), LSTMRegressor(random_state=0))
    predicted = model.fit(table[:train], y[:train]).predict(table)
    errors[name] = (y - predicted)[train:].abs().mean().to_numpy()
    forecasts[name] = predicted[-1]
errors = pd.DataFrame(errors, pd.RangeIndex(1, horizon + 1, name="hours ahead"))
print("Mean absolute error")
print(errors.loc[[1, 2, 6, 12, 24]].T.round(2).to_string())
print(f"Noise {np.abs(noise).mean():.2f}")

# %%
styles = dict(zip(inputs, ["k:", "^--", "s-.", "o-"], strict=True))
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
for name, style in styles.items():
    left.plot(errors[name], style, markersize=4, label=name)
left.set(xlabel="hours ahead", ylabel="mean absolute error", ylim=(0, None))
right.plot(load[-72:], color="black", linewidth=1, label="load")
right.plot(hours[-horizon:], forecasts["what was"], "k:")
right.plot(hours[-horizon:], forecasts["weather and calendar of 24 hours"], "C2o-", markersize=4)
right.set(title="The 24 hours after the end of the data")
right.tick_params(axis="x", rotation=30)
figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)

# %%
# Columns of the next hour help for the next hour only. With the columns of all 24 hours, the error
# of each step is that of the noise. Here the weather forecasts are exact. Real ones are not: train
# on the forecasts of the past, if you have them.
