"""Idea h: larger batches, and what they cost in accuracy."""

import statistics
from unittest.mock import patch

import numpy as np
from peers import NETWORK_ALONE

from sklstm import LSTMRegressor, SlidingWindowTransformer
from tried.measuring import NETWORKS, epoch_seconds, now, ratio_of


def larger_batch(batch_size):
    """Make an idea that trains in batches of another size than 64."""

    def ratio(network):
        _, window, n_features, sizes, _ = NETWORKS[network]
        n_windows = 2560 if network == "small" else 512
        changed = {
            str(size): (size, window, n_features, sizes, n_windows // size)
            for size in (64, batch_size)
        }
        with patch.dict(NETWORKS, changed):
            return ratio_of(lambda: epoch_seconds("64"), lambda: epoch_seconds(str(batch_size)))

    return ratio


def results():
    """Print validation errors on a real series for batches and learning rates."""
    from sklearn.metrics import mean_absolute_error
    from sklearn.model_selection import TimeSeriesSplit
    from sklearn.preprocessing import StandardScaler

    from sklstm import forecast_targets
    from sklstm.datasets import load_chicago_ridership

    horizon, n_test, window = 7, 365, 14
    X = load_chicago_ridership(as_frame=True).data
    y = forecast_targets(X["ridership"], horizon)
    end = len(X) - horizon - n_test - horizon + 1  # as in examples/plot_quickstart.py
    X, y = X[:end], y[:end]
    train, valid = list(TimeSeriesSplit(3, gap=horizon - 1).split(X))[-1]
    rows = StandardScaler().set_output(transform="pandas").fit(X.iloc[train]).transform(X)
    windows = SlidingWindowTransformer(window).fit_transform(rows)
    y = np.asarray(y)

    print(f"{len(train)} windows of {window} days, (32,); mean absolute error of three seeds\n")
    print("| batch | learning rate | error (each seed) | epochs | seconds a fit |")
    print("|---|---|---|---|---|")
    for batch_size in (64, 128, 256, 512):
        scales = {1, (batch_size / 64) ** 0.5, batch_size / 64}
        for scale in sorted(scales):
            errors, epochs, seconds = [], [], []
            for seed in range(3):
                lstm = LSTMRegressor(
                    (32,),
                    loss="absolute_error",
                    batch_size=batch_size,
                    learning_rate=0.003 * scale,
                    random_state=seed,
                    n_jobs=1,
                    **NETWORK_ALONE,
                )
                start = now()
                lstm.fit(windows[train], y[train])
                seconds.append(now() - start)
                errors.append(mean_absolute_error(y[valid], lstm.predict(windows[valid])))
                epochs.append(lstm.n_iter_)
            each = ", ".join(f"{error:.3f}" for error in errors)
            print(
                f"| {batch_size} | {0.003 * scale:.4f} | {np.mean(errors):.3f} ({each}) "
                f"| {np.mean(epochs):.0f} | {statistics.median(seconds):.1f} |",
                flush=True,
            )
