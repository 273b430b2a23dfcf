"""The state of a net for pickles."""

import pickle

import numpy as np
import pytest
import torch

from sklstm import LSTMRegressor
from sklstm._network import state as state_module
from sklstm._network.state import _to_plain, _to_torch
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
    state = model.__getstate__()
    state["net_"]["hyperparameters"]["device"] = "cuda:3"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    loaded = LSTMRegressor.__new__(LSTMRegressor)
    loaded.__setstate__(state)
    assert loaded.net_.device == "cpu"
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


def test_every_container_of_an_optimizers_state_is_restored():
    ones = torch.ones(2)
    state = {0: {"n": 3, "on": True, "no": None, "list": [ones, None], "pair": (1, ones)}}
    state[0]["nested"] = {"deep": {"step": torch.tensor(2.0), "low": ones.bfloat16()}}
    plain = _to_plain(state)
    assert b"torch" not in pickle.dumps(plain)
    back = _to_torch(plain)[0]
    assert (back["n"], back["on"], back["no"], back["list"][1]) == (3, True, None, None)
    assert type(back["pair"]) is tuple
    assert type(back["list"]) is list
    for tensor in (back["list"][0], back["pair"][1], back["nested"]["deep"]["low"]):
        assert torch.equal(tensor, ones)
    assert torch.equal(back["nested"]["deep"]["step"], torch.tensor(2.0))


def test_a_bfloat16_network_predicts_in_float32_with_a_warning_where_there_is_no_bfloat16(
    monkeypatch,
):
    """Non-regression test: oneDNN raised an error of its own in predict."""
    model = fitted(linear_skip=False)
    expected = model.predict(X)
    state = model.__getstate__()
    state["net_"]["architecture"]["precision"] = "bfloat16"
    monkeypatch.setattr(state_module, "has_bfloat16", lambda device: False)
    loaded = LSTMRegressor.__new__(LSTMRegressor)
    with pytest.warns(UserWarning, match="precision='bfloat16'.*'cpu'.*computed in float32"):
        loaded.__setstate__(state)
    np.testing.assert_array_equal(loaded.predict(X), expected)
    assert loaded.__getstate__()["net_"]["architecture"]["precision"] == "bfloat16"
    assert loaded.set_params(precision="float32").partial_fit(X, X[:, 0]).n_iter_ == 3


def test_another_optimizer_of_the_same_name_starts_with_a_state_of_its_own():
    class Adam(torch.optim.Adam):
        def __init__(self, params, lr):
            super().__init__(params, lr=lr, amsgrad=True)

    model = fitted()
    model.set_params(optimizer=Adam).partial_fit(X, X[:, 0])
    assert np.isfinite(model.predict(X)).all()
