"""
Which lags a forecast depends on
================================

A fitted pipeline forecasts the ridership of a station for the next seven days from the last 28. Of
which days does it make use, and does the temperature help? Permutation importance answers by
feature and lag, for the network and for every other regressor on windows. The linear map, which is
half of the model, also shows its coefficients.
"""

# %%
# The test year is the last one. It is predicted with its whole history.
import matplotlib.pyplot as plt
from sklearn.pipeline import make_pipeline

from sklstm import (
    LagImportanceDisplay,
    LSTMRegressor,
    SlidingWindowTransformer,
    forecast_targets,
    lag_importance,
)
from sklstm.datasets import load_chicago_ridership

X = load_chicago_ridership(as_frame=True).data
y = forecast_targets(X["ridership"], 7)
train, test = slice(-365), slice(-365, None)
model = make_pipeline(SlidingWindowTransformer(28), LSTMRegressor(32, random_state=0))
model.fit(X[train], y[train])
lstm = model[-1]
print(f"R² of the test year {model.score(X[test], y[test]):.2f}")
print(f"the network adds {lstm.network_weight_:.2f} of its output to the linear map")

# %%
# Features and lags
# -----------------
# The values of a feature at a lag are taken from windows of other times. The loss of R² is the
# importance. By default neighbouring lags are exchanged together, in groups that grow with the lag.
# That costs little for wide windows. And where neighbours tell nearly the same, one cannot stand in
# for another.
importance = lag_importance(model, X[test], y[test], random_state=0)
LagImportanceDisplay(importance=importance).plot()

# %%
# Ridership matters at all lags, temperature hardly at any. The frame has the values, with the
# standard deviation over the five repeats.
print(importance.to_frame().sort_values("importances_mean", ascending=False).head(3).round(3))

# %%
# One day at a time
# -----------------
# Each lag alone, for the forecast of the next day: the day a week before the target is lag 6, since
# the target lies a day ahead. Lags 13, 20 and 27 are the same weekday in the weeks before.
daily = lag_importance(model, X[test], y[test], lags=range(28), random_state=0)
next_day = daily.importances_by_output[0, 0]  # (output, feature, lag)
figure, ax = plt.subplots(figsize=(7, 3), layout="constrained")
ax.bar(range(28), next_day, color=["#D55E00" if lag % 7 == 6 else "#0072B2" for lag in range(28)])
ax.set(xlabel="lag in days", ylabel="loss of R²", title="ridership, for the next day")
ax.set_xlim(27.6, -0.6)

# %%
# Each day ahead
# --------------
# The seven outputs have their own importances. The same weekday lies one lag nearer for each day
# further ahead, which is seen as diagonals. They also stand in the coefficients of the linear map,
# with their sign: how much the forecast rises for an entry more at this lag.
coefficients = lstm.linear_coef_[:, ::-1, 0]  # (output, lag): steps stand oldest first
pictures = {
    "importance: loss of R²": (daily.importances_by_output[:, 0], "cividis", 0),
    "coefficient of the linear map": (coefficients, "RdBu_r", -abs(coefficients).max()),
}
figure, axes = plt.subplots(2, 1, figsize=(7, 5), sharex=True, layout="constrained")
for ax, (title, (values, cmap, low)) in zip(axes, pictures.items(), strict=True):
    image = ax.imshow(values, cmap=cmap, vmin=low, vmax=abs(values).max(), aspect="auto")
    figure.colorbar(image, ax=ax)
    ax.set(title=title, ylabel="days ahead")
    ax.set_yticks(range(7), range(1, 8))
axes[1].set(xlabel="lag in days", xlim=(27.5, -0.5))
plt.show()

# %%
# What it cannot say: where several lags tell the same, each alone looks less important than they
# are together, and a window with the values of another time may be one that never occurs.
#
# References: L. Breiman, "Random forests", Machine Learning 45(1), 2001; correlated features,
# C. Strobl et al., "Conditional variable importance for random forests", BMC Bioinformatics 9,
# 2008.
