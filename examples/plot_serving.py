"""
Serve row by row
================

A fitted pipeline predicts each row as it arrives: 500 days, one by one, in the two ways of
:doc:`/guide/serving`. Both give the bits of one call for all rows.
"""

# %%
# The pipeline is fitted on the days before the last 500. ``set_output`` keeps the index, by which
# the windows see where a row lies.
import pickle
import time

import matplotlib.pyplot as plt
import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sklstm import LSTMRegressor, SlidingWindowTransformer, forecast_targets
from sklstm.datasets import load_chicago_ridership

window_size, n_new = 28, 500
X = load_chicago_ridership(as_frame=True).data
n_past = len(X) - n_new
past = X[:n_past]

steps = [
    ("scale", StandardScaler()),
    ("window", SlidingWindowTransformer(window_size)),
    ("lstm", LSTMRegressor(random_state=0)),
]
pipe = Pipeline(steps).set_output(transform="pandas")
pipe.fit(past, forecast_targets(past["ridership"], 7))
saved = pickle.dumps(pipe)
at_once = pipe.predict(X)[n_past:]

# %%
# **The last rows.** Each call passes as many rows as a window has, and takes the last prediction.
# ``history="none"`` says that the call brings its own rows. The server keeps nothing.
server = pickle.loads(saved).set_params(window__history="none")
served, started = [], time.perf_counter()
for row in range(n_past, len(X)):
    served.append(server.predict(X[row - window_size + 1 : row + 1])[-1])
ms_last_rows = 1000 * (time.perf_counter() - started) / n_new
assert np.array_equal(served, at_once)

# %%
# **The history.** Each call passes the new row alone. Then the row is appended to the history, as
# the steps before the windows give it. Half way, the server is saved and loaded.
server = pickle.loads(saved)
served, started = [], time.perf_counter()
for row in range(n_past, len(X)):
    new = X[row : row + 1]
    served.append(server.predict(new)[0])
    server["window"].partial_fit(server[:-2].transform(new))
    if row == n_past + n_new // 2:
        server = pickle.loads(pickle.dumps(server))
ms_history = 1000 * (time.perf_counter() - started) / n_new
assert np.array_equal(served, at_once)

# %%
# Arrays take less time, since nothing checks an index. But they do not show what is missing.
server = pickle.loads(saved).set_output(transform="default")
targets = forecast_targets(past["ridership"], 7).to_numpy()
server.fit(past.to_numpy(), targets).set_params(window__history="none")
values, started = X.to_numpy(), time.perf_counter()
served = [
    server.predict(values[row - window_size + 1 : row + 1])[-1] for row in range(n_past, len(X))
]
ms_arrays = 1000 * (time.perf_counter() - started) / n_new
assert np.array_equal(served, server.predict(values)[n_past:])

print("milliseconds a row")
print(f"frames, the last {window_size} rows  {ms_last_rows:5.1f}")
print(f"frames, the history       {ms_history:5.1f}")
print(f"arrays, the last {window_size} rows  {ms_arrays:5.1f}")

# %%
# The forecasts of the next day, as they were served.
days = slice(-91, -1)
figure, ax = plt.subplots(figsize=(10, 3.6), layout="constrained")
ax.plot(X["ridership"].iloc[-90:], color="black", linewidth=1, label="actual")
ax.plot(X.index[-90:], at_once[days, 0], "o", color="#0072B2", markersize=3, label="forecast")
ax.set(ylabel="thousands of entries a day", ylim=(0, None), title="Made the day before")
ax.legend(frameon=False, ncols=2)
