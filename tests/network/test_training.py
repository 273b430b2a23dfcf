"""Training, against a plain loop."""

import threading
import time

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback

from sklstm import LSTMRegressor
from sklstm._network import threads
from sklstm._network.architecture import Architecture
from sklstm._network.module import StackedLSTM
from tests.network.data import X, fitted


@pytest.fixture
def threads_for_small_steps(monkeypatch):
    monkeypatch.setattr(threads, "_WORK_OF_A_THREAD", 1)


@pytest.mark.usefixtures("threads_for_small_steps")
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_training_runs_in_this_many_threads_each_with_one_of_torch(n_jobs):
    seen, torch_threads = set(), set()

    def spy(module, args, output):
        seen.add(threading.get_ident())
        torch_threads.add(torch.get_num_threads())
        time.sleep(0.01)  # so that the other thread takes the next microbatch

    class Hook(Callback):
        def on_train_begin(self, net, **kwargs):
            net.module_.register_forward_hook(spy)

    fitted(n_jobs=n_jobs, callbacks=[Hook()])
    assert len(seen) == n_jobs
    assert torch_threads == {1}


@pytest.mark.usefixtures("threads_for_small_steps")
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_results_repeat_with_two_threads(dropout):
    first, again = (fitted(n_jobs=2, dropout=dropout, max_epochs=5) for _ in range(2))
    np.testing.assert_array_equal(first.predict(X), again.predict(X))


@pytest.mark.precision
@pytest.mark.usefixtures("threads_for_small_steps")
def test_two_threads_train_as_one_does_but_for_rounding():
    one, two = (fitted(n_jobs=n_jobs, precision="float64", max_epochs=5) for n_jobs in (1, 2))
    np.testing.assert_allclose(one.predict(X), two.predict(X), rtol=1e-9)


def test_history_holds_epochs_but_no_batches():
    model = fitted()
    assert [epoch["batches"] for epoch in model.net_.history] == [[], []]
    assert model.loss_curve_ == [epoch["train_loss"] for epoch in model.net_.history]


def test_weights_and_losses_agree_with_a_loop_by_hand():
    """The net trains as an ordinary loop over the same batches does."""
    y = X[:, 0]
    params = {"max_epochs": 5, "gradient_clip": None, "precision": "float64", "batch_size": 60}
    params |= {"linear_skip": False, "supervise": "last", "ema_decay": 0}
    model = LSTMRegressor(4, n_jobs=1, random_state=0, **params).fit(X, y)

    seed = np.random.RandomState(0).randint(np.iinfo(np.int32).max)
    generator = torch.Generator().manual_seed(int(seed))
    module = StackedLSTM(Architecture(1, (4,), 1, precision="float64"), generator=generator)
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
