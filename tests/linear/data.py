"""Windows and targets for the tests of this folder."""

import numpy as np
import torch

from sklstm import SlidingWindowTransformer
from sklstm._network.batches import WindowDataset
from sklstm._network.series_tensor import standardised_series
from sklstm._series.overlap import find_windows

WINDOW, FEATURES = 5, 2


RNG = np.random.RandomState(0)


ROWS = RNG.randn(400, FEATURES).cumsum(axis=0) / 10


VIEW = SlidingWindowTransformer(WINDOW).fit_transform(ROWS)[WINDOW - 1 :]


TARGETS = np.stack([VIEW[:, -1, 0] + 0.1 * RNG.randn(396), VIEW.sum(axis=(1, 2))], axis=1)


def dataset(index=None, targets=TARGETS, weights=None):
    windows = find_windows(VIEW)
    series = standardised_series(windows, 0.0, 1.0, torch.float64, "cpu")
    index = np.arange(len(VIEW)) if index is None else index
    weights = None if weights is None else weights[index]
    return WindowDataset(series, windows, index, targets[index], weights)


def predicted(map_, view=VIEW):
    weights, intercept = map_.weights.numpy(), map_.intercept.numpy()
    return np.einsum("nwf,hwf->nh", view, weights) + intercept
