"""A small series, and a small fit, for the tests of this folder."""

import numpy as np
import torch

from sklstm import LSTMRegressor, SlidingWindowTransformer
from sklstm._network.series_tensor import standardised_series
from sklstm._series.overlap import find_windows

X = np.random.RandomState(0).randn(60, 5)


def setup(n=50, window_size=4, n_features=2, copy=False, dilation=1, rows=None):
    rows = np.random.RandomState(0).randn(n, n_features) if rows is None else rows
    view = SlidingWindowTransformer(window_size, dilation=dilation).fit_transform(rows)
    view = view[(window_size - 1) * dilation :]
    windows = find_windows(view.copy() if copy else view)
    return view, windows, standardised_series(windows, 0.0, 1.0, torch.float64, "cpu")


def fitted(**params):
    quick = {"hidden_layer_sizes": 4, "max_epochs": 2, "n_jobs": 1, "random_state": 0}
    return LSTMRegressor(**(quick | params)).fit(X, X[:, 0])
