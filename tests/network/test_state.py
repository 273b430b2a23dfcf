"""The state of a net for pickles."""

import numpy as np
import torch

from sklstm import LSTMRegressor
from tests.network.data import X, fitted


def test_state_holds_arrays_and_plain_values_only():
    def walk(value):
        if isinstance(value, dict):
            for key, item in value.items():
                yield from walk(key)
                yield from walk(item)
        elif isinstance(value, (list, tuple)):
            for item in value:
                yield from walk(item)
        else:
            yield type(value)

    state = fitted(early_stopping=True).__getstate__()
    types = set(walk(state))
    assert types <= {np.ndarray, str, int, float, bool, type(None)}
    assert np.ndarray in types


def test_a_net_of_a_missing_device_is_loaded_on_the_processor(monkeypatch):
    model = fitted()
    state = model.__getstate__() | {"device": "cuda:3"}
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    loaded = LSTMRegressor.__new__(LSTMRegressor)
    loaded.__setstate__(state)
    assert loaded.net_.device == "cpu"
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
