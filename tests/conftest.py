import os

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sklstm import LSTMRegressor, SlidingWindowTransformer, _base
from sklstm._network import building, missing_values, net
from sklstm._network import module as module_of_network
from sklstm.datasets import load_chicago_ridership

N_DAYS = 400


def pytest_configure(config):
    """Hide a GPU from all tests but those of ``pytest -m gpu``, and from their processes.

    They compare bits with those of a processor, and ``device="auto"`` would take the GPU.
    """
    if config.option.markexpr != "gpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""


@pytest.fixture(scope="session")
def chicago_series():
    """The whole real series. Tests must not change it."""
    return load_chicago_ridership(as_frame=True).data


@pytest.fixture
def as_on_a_gpu(monkeypatch):
    """Let a processor go the ways of a GPU: large batches, and no waiting for single values."""
    for module in (_base, building, missing_values, module_of_network, net):
        monkeypatch.setattr(module, "is_cpu", lambda device: False)


@pytest.fixture
def chicago(chicago_series):
    """The first days of the real series, with their dates as index."""
    return chicago_series.iloc[:N_DAYS].copy()


@pytest.fixture
def tomorrow(chicago_series):
    """The ridership of the day after each day of ``chicago``: always known and positive."""
    target = chicago_series["ridership"].to_numpy()[1 : N_DAYS + 1].copy()
    assert np.all(target > 0)
    return pd.Series(target, index=chicago_series.index[:N_DAYS], name="tomorrow")


@pytest.fixture
def small_lstm():
    """Make a small network without a linear map, with a loss at the last step only."""

    def make(**params):
        fast = {"hidden_layer_sizes": 4, "max_epochs": 2, "n_jobs": 1, "random_state": 0}
        alone = {"linear_skip": False, "supervise": "last"}
        return LSTMRegressor(**(fast | alone | params))

    return make


@pytest.fixture
def small_pipe(small_lstm):
    """Make the pipeline of the README with a small network: scale, window, lstm."""

    def make(window_size=7, index=False, **params):
        pipe = Pipeline(
            [
                ("scale", StandardScaler()),
                ("window", SlidingWindowTransformer(window_size)),
                ("lstm", small_lstm(**params)),
            ]
        )
        # With pandas output, the index is passed on to the window step.
        return pipe.set_output(transform="pandas") if index else pipe

    return make
