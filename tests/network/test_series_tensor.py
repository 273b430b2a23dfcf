"""The standardised series on the device."""

import tracemalloc

import numpy as np
import torch

from sklstm import SlidingWindowTransformer
from sklstm._network.series_tensor import standardised_series
from sklstm._series.overlap import find_windows


def test_the_series_is_standardised_before_it_is_rounded():
    rows = 1e9 + np.arange(100.0).reshape(-1, 1)
    windows = find_windows(SlidingWindowTransformer(1).fit_transform(rows))
    series = standardised_series(windows, np.array([1e9]), np.array([1.0]), torch.float32, "cpu")
    np.testing.assert_array_equal(series.numpy(), rows - 1e9)


def test_gathering_takes_no_memory_of_the_size_of_the_windows():
    rows = np.random.RandomState(0).randn(400_000, 4).astype(np.float32)
    windows = find_windows(SlidingWindowTransformer(200).fit_transform(rows))
    tracemalloc.start()
    standardised_series(windows, np.zeros(4), np.ones(4), torch.float32, "cpu")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * rows.nbytes  # the series and blocks; windows take 200 times its memory
