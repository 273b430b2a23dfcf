"""Threads, devices and the form in which a net is kept."""

import numpy as np
import pytest
import torch

from sklstm import LSTMRegressor, _training

X = np.random.RandomState(0).randn(60, 5)


def fitted(**params):
    quick = {"hidden_layer_sizes": 4, "max_epochs": 2, "n_jobs": 1, "random_state": 0}
    return LSTMRegressor(**(quick | params)).fit(X, X[:, 0])


def test_an_int_of_n_jobs_has_the_meaning_of_scikit_learn(monkeypatch):
    monkeypatch.setattr(_training.joblib, "cpu_count", lambda: 8)
    threads = [_training.n_threads(n_jobs, (64,), 1, 64) for n_jobs in (1, 3, 99, -1, -2, -100)]
    assert threads == [1, 3, 8, 8, 7, 1]


def test_none_of_n_jobs_takes_more_threads_for_large_networks_only(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 6)
    assert _training.n_threads(None, (8,), 1, 64) == 1
    assert _training.n_threads(None, (256, 256), 8, 64) == 6


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_training_runs_on_these_threads(n_jobs):
    seen = []

    class Spy(_training.Callback):
        def on_batch_end(self, net, **kwargs):
            seen.append(torch.get_num_threads())

    fitted(n_jobs=n_jobs, callbacks=[Spy()])
    assert set(seen) == {n_jobs}


def test_kept_state_holds_arrays_and_plain_values_only():
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


def test_a_net_from_a_device_that_is_not_here_is_loaded_on_the_processor(monkeypatch):
    model = fitted()
    state = model.__getstate__() | {"device": "cuda:3"}
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    loaded = LSTMRegressor.__new__(LSTMRegressor)
    loaded.__setstate__(state)
    assert loaded.net_.device == "cpu"
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


def test_history_keeps_epochs_and_forgets_batches():
    model = fitted()
    assert [epoch["batches"] for epoch in model.net_.history] == [[], []]
    assert model.loss_curve_ == [epoch["train_loss"] for epoch in model.net_.history]


def test_weights_and_losses_agree_with_a_loop_by_hand():
    """The net's training is that of an ordinary loop over the same batches."""
    y = X[:, 0]
    params = {"max_epochs": 5, "gradient_clip": None, "precision": "float64", "batch_size": 60}
    model = LSTMRegressor(4, n_jobs=1, random_state=0, **params).fit(X, y)

    seed = np.random.RandomState(0).randint(np.iinfo(np.int32).max)
    generator = torch.Generator().manual_seed(int(seed))
    module = _training.StackedLSTM(1, (4,), 1, dtype=torch.float64, generator=generator)
    optimizer = torch.optim.Adam(module.parameters(), lr=model.learning_rate)
    x = torch.from_numpy((X - X.mean()) / X.std())[:, :, None]
    target = torch.from_numpy((y - y.mean()) / y.std())[:, None]
    losses = []
    for _ in range(5):
        loss = (module(x) - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    np.testing.assert_allclose(model.loss_curve_, losses, rtol=1e-9)
