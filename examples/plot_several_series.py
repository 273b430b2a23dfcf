"""
One model for thirty shops
==========================

Shops of different size, opened at different times, sell more at the weekend and before Christmas.
One model learns that from all of them, in one frame, and forecasts each in its own unit: also the
shop that opened three weeks ago.
"""

# %%
# The sales are made up. The index names the shop and the day of each row.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline

from sklstm import LSTMRegressor, SlidingWindowTransformer, forecast_targets

horizon, n_shops = 14, 30
days = pd.date_range("2023-01-01", "2024-12-05")
rng = np.random.default_rng(0)
week = np.array([0.9, 0.8, 0.9, 1.0, 1.3, 1.7, 0.4])[days.day_of_week]
christmas = 1 + 0.8 * np.exp(-((days.day_of_year - 355) ** 2) / 200)
shops = {}
for number in range(n_shops):
    size = 10 ** rng.uniform(1, 4)
    first_day = len(days) - horizon - 21 if number == 0 else rng.integers(0, 500)
    trend = np.exp(0.03 * rng.normal(size=len(days)).cumsum())
    mean = size * week * christmas * trend
    sales = rng.poisson(mean) * np.exp(0.1 * rng.normal(size=len(days)))
    shops[f"shop {number:02d}"] = pd.DataFrame({"sales": sales}, days)[first_day:]
sales = pd.concat(shops, names=["shop", "day"])
print(sales.groupby("shop")["sales"].agg(["size", "mean"]).round(0).head())

# %%
# The fit knows the sales until November 21. The calendar of the next 14 days is known beforehand.
# It is the same for all shops.
last_day = days[-1 - horizon]
is_known = sales.index.get_level_values("day") <= last_day
calendar = pd.DataFrame({"christmas": christmas}, days)
ahead = forecast_targets(calendar["christmas"], horizon).iloc[:, [6, 13]]
X = sales.join(ahead, on="day")[is_known]
y = forecast_targets(X["sales"], horizon)
model = make_pipeline(SlidingWindowTransformer(28), LSTMRegressor(random_state=0)).fit(X, y)
forecasts = pd.DataFrame(model.predict(X), X.index, y.columns).groupby("shop").last()

# %%
# The error of each shop over that of the same days two weeks before. That of the new shop is above
# one: three weeks say little of its size.
future = sales[~is_known]["sales"].unstack("day")
past = sales[is_known]["sales"].unstack("day").sort_index(axis=1).iloc[:, -horizon:]
error = np.abs(future.to_numpy() - forecasts.to_numpy()).mean(axis=1)
naive = np.abs(future.to_numpy() - past.to_numpy()).mean(axis=1)
print(f"median over shops {np.median(error / naive):.2f}; new shop {error[0] / naive[0]:.2f}")

# %%
largest = sales.groupby("shop")["sales"].mean().sort_values().index
drawn = ["shop 00", largest[0], largest[len(largest) // 2], largest[-1]]
figure, axes = plt.subplots(2, 2, figsize=(10, 5), sharex=True, layout="constrained")
for ax, name in zip(axes.flat, drawn, strict=True):
    ax.plot(sales.loc[name]["sales"][-60:], color="0.7", label="sales")
    ax.plot(future.columns, forecasts.loc[name], "C0o-", markersize=3, label="forecast")
    ax.axvline(last_day, color="black", linewidth=0.5)
    new = ", opened three weeks before" if name == "shop 00" else ""
    ax.set(title=name + new, ylim=(0, None))
    ax.tick_params(axis="x", rotation=30)
axes[0, 0].legend(frameon=False)

# %%
# A shop that no fit has seen can be passed too: it is scaled by its own window. See
# :doc:`/guide/several_series`.
plt.show()
