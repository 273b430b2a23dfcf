"""Predictions of all windows."""

import threading
import time

import numpy as np
import pytest
import torch

from sklstm._network.prediction import predict_windows
from sklstm._series.overlap import find_windows
from tests.network.data import setup


@pytest.mark.parametrize("batch_size", [1, 8, 64])
def test_predictions_leave_missing_steps_out(batch_size):
    view, windows, series = setup()
    missing = np.zeros(len(series), dtype=bool)
    missing[[10, 11, 30]] = True

    def total(x, filled):  # the sum and the number of steps of each window
        return torch.stack([x.sum(dim=(1, 2)), torch.full((len(x),), x.shape[1] * 1.0)], dim=1)

    output = predict_windows(total, series, windows, missing, batch_size)
    known = ~np.isin(np.arange(47)[:, np.newaxis] + np.arange(4), [10, 11, 30])
    np.testing.assert_allclose(output[:, 0], (view.sum(axis=2) * known).sum(axis=1))
    np.testing.assert_array_equal(output[:, 1], known.sum(axis=1))


def test_every_call_of_the_module_has_the_same_number_of_windows():
    _, windows, series = setup()
    sizes = []

    def module(x, filled):
        sizes.append(len(x))
        return x[:, -1, :1]

    predict_windows(module, series, windows, None, batch_size=16)
    assert sizes == [16, 16, 16]


@pytest.mark.parametrize("n_rows", [1, 3])
def test_few_windows_are_padded_to_the_smallest_batch(n_rows):
    view, _, series = setup()
    few = find_windows(view[:n_rows])
    sizes = []

    def module(x, filled):
        sizes.append(len(x))
        return x[:, -1, :1]

    output = predict_windows(module, series, few, None, batch_size=16, smallest=4)
    np.testing.assert_array_equal(output, view[:n_rows, -1, :1])
    assert sizes == [4]


def test_threads_predict_the_same_in_the_same_order():
    view, windows, series = setup()
    seen = set()

    def module(x, filled):
        seen.add(threading.get_ident())
        time.sleep(0.01)  # so that the other thread takes the next batch
        return x[:, -1, :1]

    output = predict_windows(module, series, windows, None, batch_size=4, threads=2)
    np.testing.assert_array_equal(output, view[:, -1, :1])
    assert len(seen) == 2
