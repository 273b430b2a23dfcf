"""
Search windows and layers
=========================

No row is ever dropped, so every window size is scored on the same rows, and it is a parameter
like any other. One ``GridSearchCV`` chooses it together with the layers.
"""

# %%
# The last years of the daily entries at a station in Chicago. Row t of the targets holds the seven
# days after it. In each fold, targets that become known in the test rows are left out.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import Pipeline

from sklstm import (
    LSTMRegressor,
    SlidingWindowTransformer,
    WindowSplitDisplay,
    forecast_targets,
    known_targets_scorer,
)
from sklstm.datasets import load_chicago_ridership

X = load_chicago_ridership(as_frame=True).data["2010":]
y = forecast_targets(X["ridership"], horizon=7)

layers, windows = [(8,), (32,), (32, 32)], [14, 28, 56, 112]
pipe = Pipeline(
    [
        ("window", SlidingWindowTransformer()),
        ("lstm", LSTMRegressor(max_epochs=30, random_state=0)),
    ]
)
search = GridSearchCV(
    pipe,
    {"lstm__hidden_layer_sizes": layers, "window__window_size": windows},
    cv=TimeSeriesSplit(n_splits=3),
    scoring=known_targets_scorer("neg_root_mean_squared_error"),
    n_jobs=2,
)
search.fit(X, y)
print(search.best_params_)

# %%
# The folds. The windows of the first test rows reach back into the training rows.
WindowSplitDisplay.from_estimator(search, X)

# %%
# The mean error of each candidate over the folds, and its spread from fold to fold.
folds = np.array([-search.cv_results_[f"split{fold}_test_score"] for fold in range(3)])
best = folds[:, search.best_index_]
folds = folds.reshape(3, len(layers), len(windows))  # the window changes fastest

figure, axes = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained", sharey=True)
panels = {
    "mean of three folds": folds.mean(axis=0),
    "spread: standard deviation": folds.std(axis=0),
}
for ax, (title, values) in zip(axes, panels.items(), strict=True):
    image = ax.imshow(values, cmap="cividis", aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        dark = image.norm(value) < 0.5
        ax.text(column, row, f"{value:.2f}", ha="center", color="white" if dark else "black")
    ax.set(title=title, xlabel="window, days", xticks=range(len(windows)), xticklabels=windows)
    figure.colorbar(image, ax=ax, label="RMSE, thousands of entries a day")
axes[0].set(ylabel="LSTM layers", yticks=range(len(layers)), yticklabels=map(str, layers))

# %%
# Is the best candidate better than the others, or is that chance? The folds are the same for all
# candidates, so look at the differences within each fold. The spread of the scores is mostly the
# difference between folds.
for row, sizes in enumerate(layers):
    for column, window in enumerate(windows):
        print(f"{sizes!s:>8}, {window:3} days:", (folds[:, row, column] - best).round(3))

# %%
# 112 days are the best window in each fold, for all layers. The choice of layers then makes a
# difference of at most 0.02. The longest window tried is the best, so the next
# search should try longer ones.
