"""
Inside an LSTM
==============

From outside, a regressor gets a vector [X1, X2, ..., X14] and a target Y. Inside, an LSTM reads
the vector one step at a time, and updates its memory cells at each step. A second layer is fed with
the whole sequence of the first one's hidden states, one vector for each step. All values below are
those of a fitted model.
"""

# %%
# A small network, so that all of it can be drawn: two layers of eight units read the last 14 days
# of a station's ridership, and forecast the next day. ``linear_skip=False`` leaves out the linear
# map, beside which the network would only learn a residual, from steps less a running mean. Here
# the output is that of the network alone, on the days as they are.
import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.metrics import mean_absolute_error
from sklearn.pipeline import make_pipeline

from sklstm import (
    GateActivityDisplay,
    LSTMRegressor,
    SlidingWindowTransformer,
    forecast_targets,
)
from sklstm.datasets import load_chicago_ridership

X = load_chicago_ridership(as_frame=True).data[["ridership"]]
y = forecast_targets(X["ridership"], 1)["ridership_lead1"]  # the next day
n_steps, n_test = 14, 365
model = make_pipeline(
    SlidingWindowTransformer(n_steps),
    LSTMRegressor((8, 8), linear_skip=False, random_state=0),
)
model.fit(X[:-n_test], y[:-n_test])
predicted = model.predict(X[-n_test:-1])
print(
    f"test year: MAE {mean_absolute_error(y[-n_test:-1], predicted):.2f} thousand entries,"
    f" no change {y[-n_test:-1].sub(X['ridership'][-n_test:-1]).abs().mean():.2f}"
)

# %%
# One step at a time
# ------------------
# The window of one Sunday goes through the layers of the fitted network, which are layers of torch.
# On a Sunday the last value is low and the next one high, so that the last value alone is not
# enough: the memory must hold the day of the week.
lstm = model[-1]
row = X.index.get_loc("2016-08-21")
days = X.index[row - n_steps + 1 : row + 1]
windows = model[:-1].transform(X)  # (rows, 14, 1)
standardised = (windows[row] - lstm.feature_mean_) / lstm.feature_scale_
x = torch.tensor(standardised[np.newaxis], dtype=torch.float32)  # (1, 14, 1)
first, second = lstm.net_.module_.layers
with torch.no_grad():
    sequence, _ = first(x)  # (1, 14, 8): a vector for each step
    states, _ = second(sequence)  # (1, 14, 8)
    output = lstm.net_.module_.head(states[:, -1])  # only the last state goes to the head
forecast = output.item() * lstm.target_scale_[0] + lstm.target_mean_[0]
print(f"by hand {forecast:.3f}, predict {model.predict(X)[row]:.3f}, actual {y.iloc[row]:.3f}")

# %%
# The recurrence, unrolled: columns are days, and the cells of a strip are the hidden states of the
# eight units of a layer, from -1 to 1. Arrows to the right are the memory that goes to the next
# step, arrows up are the inputs of a layer.
figure, ax = plt.subplots(figsize=(11, 5.5), layout="constrained")


def arrow(start, end):
    """Draw an arrow between two points."""
    ax.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": "0.4"})


layers = {1.0: sequence[0].numpy(), 4.0: states[0].numpy()}  # by height of the lower edge
for step, day in enumerate(days):
    ax.text(step, 0, f"{X['ridership'][day]:.1f}\n{day:%a}\n{day:%d %b}", ha="center", va="top")
    arrow((step, 0.1), (step, 1))
    for bottom, values in layers.items():
        strip = (step - 0.3, step + 0.3, bottom, bottom + 2)
        image = ax.imshow(
            values[step][:, np.newaxis], extent=strip, vmin=-1, vmax=1, cmap="cividis"
        )
        if step < n_steps - 1:
            arrow((step + 0.3, bottom + 1), (step + 0.7, bottom + 1))
    arrow((step, 3), (step, 4))
arrow((n_steps - 1, 6), (n_steps - 1, 6.8))
ax.text(n_steps - 1, 6.9, f"forecast {forecast:.1f}\nactual {y.iloc[row]:.1f}", ha="center")
for height, text in {-0.4: "window", 2: "first layer", 5: "second layer", 7.1: "head"}.items():
    ax.text(-0.7, height, text, ha="right", va="center", weight="bold")
ax.set(xlim=(-2.5, n_steps), ylim=(-1.5, 8), aspect="auto", title="A window, unrolled")
ax.axis("off")
figure.colorbar(image, ax=ax, shrink=0.6, label="hidden state of a unit")

# %%
# Gates and memory
# ----------------
# In each unit three gates, between 0 and 1, control at each step the memory cell and the hidden
# state::
#
#     cell   = forget gate * cell + input gate * candidate
#     hidden = output gate * tanh(cell)
#
# The gates and the candidate depend on the input of the step and on the hidden states of the step
# before. First those of the first layer, then those of the second, whose inputs are the hidden
# states of the first.
GateActivityDisplay.from_estimator(model, X, row=row, layer=0)

# %%
GateActivityDisplay.from_estimator(model, X, row=row, layer=1)

# %%
# How far back it looks
# ---------------------
# The layers read windows of any length. The effect of a day is then the change of the forecast when
# this day is added before the later ones. The changes add up from the forecast for an empty window
# to that for the whole one. Short windows are part of training, since each step of a window has a
# loss.
test = (windows[-n_test - 1 : -1] - lstm.feature_mean_) / lstm.feature_scale_
test = torch.tensor(test, dtype=torch.float32)  # (rows, 14, 1)
network = lstm.net_.module_
with torch.no_grad():
    outputs = [network.head(torch.zeros(n_test, 8))]  # without any day
    outputs += [network(test[:, n_steps - known :]) for known in range(1, n_steps + 1)]
by_length = torch.cat(outputs, dim=1).numpy() * lstm.target_scale_ + lstm.target_mean_
change = np.diff(by_length, axis=1)  # (rows, days): of the last day, the one before, ...

actual = y.to_numpy()[-n_test - 1 : -1, np.newaxis]
errors = np.abs(by_length - actual).mean(axis=0)
print("MAE by days known:", dict(enumerate(errors.round(2).tolist())))
sunday = change[row - (len(X) - n_test - 1)]
print("changes by the last day, the one before, ...:", sunday.round(1).tolist())

# %%
ago = np.arange(n_steps)
figure, axes = plt.subplots(1, 2, figsize=(11, 3.6), layout="constrained")
axes[0].bar(ago, sunday, color="#0072B2")
axes[0].axhline(0, color="black", linewidth=0.8)
axes[0].set(title=f"{days[-1]:%A %d %B %Y}", ylabel="change of the forecast, thousands")
axes[1].bar(ago, np.abs(change).mean(axis=0), color="#0072B2")
axes[1].set(title="Mean size over the test year", ylabel="size of the change, thousands")
for ax in axes:
    ax.set(xlabel="days before the row", xlim=(n_steps - 0.4, -0.6))

# %%
# The forecast of the next day depends on the last week. From seven days on, the error over the test
# year hardly falls: 1.21 with seven days, 1.05 with all 14. With the last day alone it is 5.36.
# The Sunday is typical: its own low value lowers the forecast by 2.2 thousand, and the Saturday and
# the Friday before it, which show the day of the week, raise it by 5.6 and 3.3.
#
# References: the cell, S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural
# Computation 9(8), 1997; its forget gate, F. Gers, J. Schmidhuber and F. Cummins, "Learning to
# forget: continual prediction with LSTM", Neural Computation 12(10), 2000; pictures of gates,
# A. Karpathy, J. Johnson and L. Fei-Fei, "Visualizing and understanding recurrent networks", 2015;
# hiding a part of the input to see what it does, M. Zeiler and R. Fergus, "Visualizing and
# understanding convolutional networks", ECCV 2014.
