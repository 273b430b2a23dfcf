"""The user's callbacks: what is taken, and copies without what training added."""

import os
import pickle
import threading

import numpy as np
import pytest
import torch
from sklearn.base import clone
from skorch.callbacks import (
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    LRScheduler,
    PassthroughScoring,
    PrintLog,
    ProgressBar,
    TrainEndCheckpoint,
)

from sklstm._network.callbacks import check_callbacks, untrained
from tests import copies
from tests.network.data import X, fitted


class Keeps(Callback):
    """Has no parameters; keeps in training what cannot be saved."""

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        self.net, self.lock, self.function = net, threading.Lock(), lambda: 1
        self.file, self.losses = open(os.devnull), []  # noqa: SIM115

    def on_epoch_end(self, net, **kwargs):
        with self.lock:
            self.losses.append(net.history[-1, "train_loss"])

    def on_train_end(self, net, X=None, y=None, **kwargs):
        self.file.close()


class Counts(Callback):
    """Has an attribute beside its parameter, and one of another name."""

    def __init__(self, every, *others):
        self.count, self._every = 0, every

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        self.net, self.lock = net, threading.Lock()

    def on_epoch_end(self, net, **kwargs):
        self.count += self._every


class Scores(EpochScoring):
    def __init__(self, scoring, **kwargs):
        super().__init__(scoring, **kwargs)


COPIES = copies.COPIES | {"clone": clone}
KINDS = {
    "keeps": Keeps,
    "class": lambda: Keeps,
    "tuple": lambda: ("mine", Keeps()),
    "counts": lambda: Counts(3),
    "kwargs": lambda: LRScheduler("StepLR", step_size=1),
    "kwargs of a subclass": lambda: Scores("r2", name="mine"),
    "score": lambda: EpochScoring("r2", on_train=True),
    "stopping": lambda: EarlyStopping("train_loss"),
    "checkpoint": lambda: Checkpoint(monitor="train_loss_best"),
    "end": TrainEndCheckpoint,
    "log": PrintLog,
    "bar": lambda: ProgressBar(detect_notebook=False),
    "loss": lambda: PassthroughScoring("valid_loss"),
}


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_fitted_estimator_can_be_copied_and_fitted_again(
    kind, how, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)  # some write files
    model = fitted(callbacks=[KINDS[kind]()], early_stopping=True)
    copied = COPIES[how](model)
    if how != "clone":
        np.testing.assert_array_equal(copied.predict(X), model.predict(X))
    copied.fit(X, X[:, 0])
    np.testing.assert_array_equal(copied.predict(X), model.predict(X))


def test_a_copy_works_as_the_callback_did():
    keeps, counts = Keeps(), Counts(3)
    model = fitted(callbacks=[keeps, ("counts", counts)])
    assert (len(keeps.losses), counts.count) == (2, 6)
    copied = pickle.loads(pickle.dumps(model))
    copied.fit(X, X[:, 0])
    (mine, (name, counted)) = copied.callbacks
    assert mine.losses == keeps.losses
    assert (name, counted.count) == ("counts", 12)


def test_a_copy_has_the_parameters_and_the_plain_attributes_of_today():
    stopping = EarlyStopping("train_loss", patience=7)
    stopping.threshold, stopping.note = 0.5, "mine"
    stopping.moments_ = torch.ones(3)
    other = untrained(stopping)
    assert type(other) is EarlyStopping
    assert (other.patience, other.threshold, other.note) == (7, 0.5, "mine")
    assert not hasattr(other, "moments_")


@pytest.mark.parametrize("value", [None, 3, "text"])
def test_what_is_no_list_is_left(value):
    assert untrained(value) is value


@pytest.mark.parametrize(
    ("callbacks", "message"),
    [
        (["foo"], "got 'foo', which is none of these"),
        ([1], "got 1, which is none"),
        ([("a", "b")], "which is none of these"),
        ([("a",)], "is no pair"),
        ([(1, Keeps())], "is no pair of a name and a callback"),
        ([int], "which is none of these"),
        ([EpochScoring], "cannot be called without arguments .*'scoring'"),
        ([("keep_best", Keeps())], "has a name that another callback has"),
        ([("a", Keeps()), ("a", Keeps())], "has a name that another callback has"),
    ],
)
def test_what_is_no_callback_is_refused(callbacks, message):
    with pytest.raises(ValueError, match=f"callbacks must hold skorch callbacks.*{message}"):
        check_callbacks(callbacks)


def test_callbacks_of_every_form_are_taken():
    check_callbacks(None)
    check_callbacks([Keeps, Keeps(), ("a", Keeps), ["b", Keeps()]])
