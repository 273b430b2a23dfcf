"""The weights of the best epoch."""

import numpy as np
import pytest
import torch
from skorch.history import History

from sklstm._network.keep_best import KeepBest, NonFiniteLoss


class Net:
    """The attributes of a net that the callback uses."""

    def __init__(self):
        self.module_ = torch.nn.Linear(2, 1)
        self.history = History()

    def end_epoch(self, callback, weight, loss):
        with torch.no_grad():
            self.module_.weight.fill_(weight)
        self.history.new_epoch()
        self.history.record("valid_loss", loss)
        callback.on_epoch_end(self)


@pytest.fixture
def callback():
    callback = KeepBest("valid_loss")
    callback.on_train_begin(None)
    return callback


def test_the_weights_of_the_lowest_loss_are_restored(callback):
    net = Net()
    for weight, loss in ((1.0, 0.5), (2.0, 0.3), (3.0, 0.3), (4.0, 0.9)):
        net.end_epoch(callback, weight, loss)
    assert (callback.best_, callback.epoch_) == (0.3, 2)
    callback.restore(net)
    assert torch.equal(net.module_.weight, torch.full((1, 2), 2.0))


def test_weights_are_not_restored_without_an_epoch_of_finite_loss(callback):
    net = Net()
    net.end_epoch(callback, 3.0, np.nan)
    callback.restore(net)
    assert torch.equal(net.module_.weight, torch.full((1, 2), 3.0))


@pytest.mark.parametrize("loss", [np.nan, np.inf])
def test_a_loss_that_is_not_finite_ends_the_training(callback, loss):
    callback.on_batch_end(None, loss=torch.tensor(1.0))
    with pytest.raises(NonFiniteLoss):
        callback.on_batch_end(None, loss=torch.tensor(loss))
    assert callback.start_ == 1.0


def test_weights_that_are_not_finite_end_the_training(callback):
    with pytest.raises(NonFiniteLoss):
        Net().end_epoch(callback, np.nan, 0.1)
