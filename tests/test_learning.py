"""The network learns what methods without memory cannot: on real and on synthetic data."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklstm import LSTMRegressor, SlidingWindowTransformer


@pytest.mark.parametrize("seed", [0, 1])
def test_tomorrows_ridership_needs_the_days_before(chicago_series, seed):
    X = chicago_series.to_numpy()[-2500:]
    tomorrow = np.append(X[1:, 0], np.nan)
    train, test = slice(0, 2000), slice(2000, 2499)
    lstm = make_pipeline(
        StandardScaler(),
        SlidingWindowTransformer(14),
        LSTMRegressor(32, max_epochs=40, random_state=seed, n_jobs=1),
    ).fit(X[train], tomorrow[train])
    last_row = make_pipeline(StandardScaler(), Ridge()).fit(X[train], tomorrow[train])

    error = mean_absolute_error(tomorrow[test], lstm.predict(X[test]))
    assert error < 0.5 * mean_absolute_error(tomorrow[test], X[test, 0])  # persistence
    assert error < 0.5 * mean_absolute_error(tomorrow[test], last_row.predict(X[test]))


@pytest.mark.parametrize("hidden_layer_sizes", [64, (32, 16)])
def test_the_input_of_twenty_steps_ago_is_recalled(hidden_layer_sizes):
    # White noise: no other step, and no method on the last row, can predict the target.
    rows = np.random.RandomState(0).randn(3000, 1)
    y = np.concatenate([np.zeros(20), rows[:-20, 0]])
    train, test = slice(0, 2500), slice(2500, 3000)
    lstm = make_pipeline(
        SlidingWindowTransformer(21),
        LSTMRegressor(hidden_layer_sizes, random_state=0, n_jobs=1),
    ).fit(rows[train], y[train])
    assert Ridge().fit(rows[train], y[train]).score(rows[test], y[test]) < 0.05
    assert lstm.score(rows[test], y[test]) > 0.9
