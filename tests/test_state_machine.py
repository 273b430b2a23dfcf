"""Calls of an LSTMRegressor in random order: each equals a fresh fit, or is refused by name.

The machine calls two estimators. The first lives through everything: failed calls, copies, files,
parameters that are set and set back. The second is new at each fit from the start, and gets only
the calls that trained, each with the parameters of that moment. Both must hold the same bits.
"""

import copy
import io
import re
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from numpy.testing import assert_array_equal, assert_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from skorch.callbacks import Callback, EpochScoring, LRScheduler

from sklstm import LSTMRegressor, SlidingWindowTransformer, forecast_targets
from sklstm._network.device import has_bfloat16
from tests.copies import COPIES

N_SEQUENCES = 250  # tests_long has 500
DIVERGED = "training loss is not finite"  # LBFGS without a line search can


# Data.


@dataclass(frozen=True)
class Data:
    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None = None
    follow: bool = True  # the windows follow each other row by row


def _data(n, seed, n_features=1, window_size=3, n_outputs=0, **options):
    random = np.random.RandomState(seed)
    rows = random.randn(n, n_features).cumsum(axis=0)
    X = SlidingWindowTransformer(window_size).fit_transform(rows)
    y = forecast_targets(rows[:, 0], n_outputs or 1)  # the last rows are NaN
    return Data(X, y if n_outputs else y[:, 0], **options)


_RANDOM = np.random.RandomState(9)
DATA = {
    "small": _data(30, 0),
    "weighted": _data(60, 1, weight=_RANDOM.rand(60).round(1)),
    "long enough to validate": _data(130, 2),
    "one column": _data(40, 3, n_outputs=1),
    "two outputs": _data(45, 4, n_outputs=2),
    "two features": _data(40, 5, n_features=2),
    "two features and outputs": _data(50, 6, n_features=2, window_size=4, n_outputs=2),
    "longer windows": _data(40, 7, window_size=5),
    "lag table": Data(_data(40, 8).X[3:, :, 0], _data(40, 8).y[3:]),
    "apart": Data(_RANDOM.randn(35, 3, 1), _RANDOM.randn(35), follow=False),
}


def _shape(data):
    return np.atleast_3d(data.X).shape[1:]


# The word that the error must hold, and a function that makes X, y or the weights unusable.
BAD = {
    "infinite X": ("X", lambda X, y: (np.where(X[-1] == X, np.inf, X), y)),
    "no complete window": ("X", lambda X, y: (np.full(X.shape, np.nan), y)),
    "X of four dimensions": ("X", lambda X, y: (X[..., None, None], y)),
    "no row": ("array with 0 sample", lambda X, y: (X[:0], y[:0])),  # scikit-learn's words
    "y too short": ("y", lambda X, y: (X, y[1:])),
    "infinite y": ("y", lambda X, y: (X, np.full(y.shape, np.inf))),
    "unknown y": ("y", lambda X, y: (X, y * np.nan)),
    "no y": ("y", lambda X, y: (X, None)),
    "negative weight": ("sample_weight", lambda X, y: (X, y, -np.ones(len(y)))),
    "weights of zero": ("sample_weight", lambda X, y: (X, y, np.zeros(len(y)))),
    "too few weights": ("sample_weight", lambda X, y: (X, y, np.ones(len(y) - 1))),
    "NaN as weight": ("sample_weight", lambda X, y: (X, y, np.full(len(y), np.nan))),
}


# Parameters.


class KeepsTheNet(Callback):
    """Holds what no file can: the net, a function without a name, an open file."""

    def on_train_begin(self, net, **kwargs):
        self.net, self.function, self.file = net, lambda: None, io.StringIO()


class CountsEpochs(Callback):
    def __init__(self, step=1):
        self.step = step

    def initialize(self):
        self.n_epochs_ = 0
        return self

    def on_epoch_end(self, net, **kwargs):
        self.n_epochs_ += self.step


class Fails(Callback):
    """Raises an error at one moment of the training."""

    def __init__(self, moment, error):
        self.moment, self.error = moment, error

    def notified(self, moment):
        if moment == self.moment:
            raise self.error

    def on_train_begin(self, net, **kwargs):
        self.notified("on_train_begin")

    def on_batch_end(self, net, **kwargs):
        self.notified("on_batch_end")

    def on_epoch_end(self, net, **kwargs):
        self.notified("on_epoch_end")

    def on_train_end(self, net, **kwargs):
        self.notified("on_train_end")


class WithoutLearningRate(torch.optim.Optimizer):
    def __init__(self, params):
        super().__init__(params, {})


BASE = {"hidden_layer_sizes": 3, "max_epochs": 1, "random_state": 0, "n_jobs": 1, "device": "cpu"}
SHAPE = ("hidden_layer_sizes", "bidirectional", "linear_skip")  # parameters of the network's shape

VALID = {
    "hidden_layer_sizes": [3, (4,), [2, 3], np.array([4, 2], dtype=np.int8)],
    "bidirectional": [False, True],
    "dropout": [0.0, 0.3],
    "linear_skip": [True, False],
    "supervise": ["auto", "last", "every_step"],
    "loss": ["squared_error", "absolute_error"],
    "optimizer": ["adam", "adamw", "sgd", torch.optim.RMSprop, torch.optim.LBFGS],
    "learning_rate": [0.003, np.float32(0.03)],
    "weight_decay": [0.0, 0.1],
    "batch_size": ["auto", 8, np.uint8(16)],
    "max_epochs": [1, np.int8(2)],
    "early_stopping": ["auto", True, False],
    "validation_fraction": [0.1, 0.3],
    "n_iter_no_change": [10, 1],
    "tol": [1e-4, 0],
    "gradient_clip": [1.0, None, 0.01],
    "ema_decay": [0.99, 0],
    "standardize": [True, False],
    "warm_start": [False, True],
    "random_state": [0, 1],
    "device": ["cpu", "auto"],
    "precision": ["float32", "float64"] + ["bfloat16"] * has_bfloat16("cpu"),
    "n_jobs": [1, None, 2, -1],
    "verbose": [0, 1, 2],
    "callbacks": [
        None,
        [],
        [KeepsTheNet],
        [KeepsTheNet()],
        [("counter", CountsEpochs(2))],
        [CountsEpochs(), LRScheduler("StepLR", step_size=1, gamma=0.5)],
        [("score", EpochScoring("neg_mean_squared_error", lower_is_better=False))],
    ],
}
INVALID = {
    "hidden_layer_sizes": [0, (), (3, -1), 2.5, "wide", 10**12],
    "bidirectional": ["yes"],
    "dropout": [1.0, -0.1],
    "linear_skip": [2],
    "supervise": ["first"],
    "loss": ["cubic"],
    "optimizer": ["magic", dict, WithoutLearningRate],
    "learning_rate": [0, np.nan, True],
    "weight_decay": [-1, None],
    "batch_size": [0, 1.5, True],
    "max_epochs": [0, 1.5],
    "early_stopping": ["never"],
    "validation_fraction": [0, 1.0],
    "n_iter_no_change": [0],
    "tol": [-1e-4],
    "gradient_clip": [0],
    "ema_decay": [1.0],
    "standardize": [None],
    "warm_start": ["yes"],
    "random_state": ["seed", -1],
    "device": ["abacus", "cuda:99", 5, None],
    "precision": ["float8"],
    "n_jobs": [0, 1.5],
    "verbose": ["loud"],
    "callbacks": ["early", ["early"], [3]],
}


def _choices(table):
    return st.sampled_from([(name, value) for name, values in table.items() for value in values])


# What is compared.


def _fitted(model):
    """Return all that a fit left, as arrays and plain values; without times and parameters."""
    state = model.__getstate__()
    state = {name: state[name] for name in state if name not in model.get_params()}
    if "net_" in state:
        epochs = [dict(epoch) for epoch in state["net_"]["history"]]
        for epoch in epochs:
            epoch.pop("dur", None)
        state["net_"] = {**state["net_"], "history": epochs}
    return state


def _assert_equal_params(params, expected):
    assert params.keys() == expected.keys()
    for name, value in expected.items():
        other = params[name]
        if name == "callbacks" and isinstance(value, list):
            assert [_description(item) for item in other] == [_description(item) for item in value]
        else:
            assert type(other) is type(value)
            assert_equal(other, value)


def _description(callback):
    if isinstance(callback, tuple):
        return callback[0], _description(callback[1])
    # Not its get_params: skorch takes every attribute for a parameter, even a net that it holds.
    is_instance = isinstance(callback, Callback)
    return (type(callback), getattr(callback, "step", None)) if is_instance else callback


def _outside():
    """Return the settings of torch and numpy that no call may change."""
    return {
        "threads": torch.get_num_threads(),
        "gradients": (torch.is_grad_enabled(), torch.is_inference_mode_enabled()),
        "type": torch.get_default_dtype(),
        "numpy": np.random.get_state(),
        "torch": torch.get_rng_state().numpy(),
    }


class LifeOfARegressor(RuleBasedStateMachine):
    n_sequences = 0
    n_trained = 0
    n_refused = 0

    def __init__(self):
        super().__init__()
        self.params = LSTMRegressor(**BASE).get_params()
        self.model = LSTMRegressor(**BASE)
        self.fresh = None  # trained as the model was, by the same calls alone
        self.trained_on = None  # data of the last training
        self.trained_with = None  # its parameters
        self.threads = torch.get_num_threads()
        torch.set_num_threads(2)  # calls use one thread; were it one already, it would not show
        self.outside = _outside()

    def teardown(self):
        torch.set_num_threads(self.threads)
        type(self).n_sequences += 1

    # Rules.

    @rule(data=st.sampled_from(sorted(DATA)), warm_start=st.booleans())
    def fit(self, data, warm_start):
        self._set("warm_start", warm_start)
        self._train("fit", DATA[data])

    @rule(data=st.sampled_from(sorted(DATA)))
    def partial_fit(self, data):
        self._train("partial_fit", DATA[data])

    @precondition(lambda self: self.fresh is not None)
    @rule(method=st.sampled_from(["fit", "partial_fit"]))
    def go_on(self, method):
        self._set("warm_start", True)
        self._train(method, self.trained_on)

    @rule(choice=_choices(VALID))
    def set_valid(self, choice):
        self._set(*choice)

    @rule(choice=_choices(INVALID))
    def set_invalid(self, choice):
        self._set(*choice)

    @rule(how=st.sampled_from(sorted(COPIES)))
    def copy(self, how):
        self.model = COPIES[how](self.model)

    @rule()
    def clone(self):
        cloned = clone(self.model)
        assert not any(name.endswith("_") for name in vars(cloned))
        _assert_equal_params(cloned.get_params(), self.params)

    @rule(
        method=st.sampled_from(["fit", "partial_fit"]),
        data=st.sampled_from(sorted(DATA)),
        bad=st.sampled_from(sorted(BAD)),
    )
    def bad_input(self, method, data, bad):
        name, change = BAD[bad]
        args = change(DATA[data].X, DATA[data].y)
        # A warm start begins anew for targets of another shape, so y decides what else is wrong.
        names = {name} | self._reasons(method, replace(DATA[data], y=args[1]))
        self._refused(method, args, names)

    @rule(
        method=st.sampled_from(["fit", "partial_fit"]),
        data=st.sampled_from(sorted(DATA)),
        moment=st.sampled_from(["on_train_begin", "on_batch_end", "on_epoch_end", "on_train_end"]),
        error=st.sampled_from([KeyboardInterrupt(), OSError("disk full")]),
    )
    def interrupted(self, method, data, moment, error):
        names = self._reasons(method, DATA[data]) - {"callbacks"}
        before = self.params["callbacks"]
        self._set("callbacks", [Fails(moment, error)])
        args = (DATA[data].X, DATA[data].y)
        if names:
            self._refused(method, args, names)
        else:
            raised = self._unchanged(method, args, (type(error), ValueError))
            assert type(raised) is type(error) or DIVERGED in str(raised)
        self._set("callbacks", before)

    @rule(data=st.sampled_from(sorted(DATA)), missing=st.integers(0, 3))
    def predict(self, data, missing):
        data = DATA[data]
        if self.fresh is None:
            self._unchanged("predict", (data.X,), NotFittedError)
            return
        if _shape(data) != _shape(self.trained_on):
            self._refused("predict", (data.X,), {"X"})
            return
        X = data.X.copy()
        X[5, :missing] = np.nan
        expected = self.fresh.predict(X)
        assert_array_equal(self.model.predict(X), expected)
        assert np.isfinite(expected).all()
        assert_array_equal(self.model.predict(X[5:6]), expected[5:6])

    # Invariants.

    @invariant()
    def is_as_a_fresh_equivalent(self):
        assert hasattr(self.model, "net_") == (self.fresh is not None)
        if self.fresh is not None:
            assert_equal(_fitted(self.model), _fitted(self.fresh))
            X = self.trained_on.X
            assert_array_equal(self.model.predict(X), self.fresh.predict(X))

    @invariant()
    def has_the_parameters_that_were_set(self):
        _assert_equal_params(self.model.get_params(), self.params)

    @invariant()
    def nothing_outside_is_changed(self):
        assert_equal(_outside(), self.outside)

    # What must happen.

    def _set(self, name, value):
        self.params[name] = value
        self.model.set_params(**{name: copy.deepcopy(value)})

    def _resumed(self, method, data):
        if self.fresh is None:
            return False
        same_targets = np.shape(data.y)[1:] == self.trained_on.y.shape[1:]
        return method == "partial_fit" or (self.params["warm_start"] is True and same_targets)

    def _reasons(self, method, data):
        """Name the parameters and arguments for which a call must be refused."""
        params = self.params
        reasons = {
            name for name, values in INVALID.items() if any(params[name] is v for v in values)
        }
        if params["weight_decay"] and params["optimizer"] is torch.optim.LBFGS:
            reasons.add("weight_decay")
        if params["supervise"] == "every_step" and (params["bidirectional"] or not data.follow):
            reasons.add("supervise")
        if self._resumed(method, data):
            if _shape(data) != _shape(self.trained_on):
                reasons.add("X")
            if np.shape(data.y)[1:] != self.trained_on.y.shape[1:]:
                reasons.add("y")
            for name in SHAPE:
                before = np.atleast_1d(self.trained_with[name]).tolist()
                if np.atleast_1d(params[name]).tolist() != before:
                    reasons.add(name)
        return reasons

    def _train(self, method, data):
        reasons = self._reasons(method, data)
        args = (data.X, data.y, data.weight)
        if reasons:
            self._refused(method, args, reasons)
            for name, value in (self.trained_with or LSTMRegressor(**BASE).get_params()).items():
                if name in {*reasons, "bidirectional", "optimizer"}:
                    self._set(name, value)
            if not self._reasons(method, data):  # the message says what to change
                self._train(method, data)
            return
        resumed = self._resumed(method, data)
        curve, fresh = (self.model.loss_curve_, self.fresh) if resumed else ([], LSTMRegressor())
        fresh.set_params(**copy.deepcopy(self.params))
        message = None
        try:
            getattr(fresh, method)(*args)
        except ValueError as error:
            message = str(error)
        if message is not None:  # training may diverge, but then it does so in both
            assert DIVERGED in message, message
            assert str(self._unchanged(method, args, ValueError)) == message
            return
        getattr(self.model, method)(*args)
        self.fresh = fresh
        self.trained_on, self.trained_with = data, dict(self.params)
        assert self.model.loss_curve_[: len(curve)] == curve  # the earlier epochs
        n_new = 1 if method == "partial_fit" else self.params["max_epochs"]
        assert len(curve) <= self.model.n_iter_ <= len(curve) + int(n_new)
        type(self).n_trained += 1

    def _refused(self, method, args, names):
        error = self._unchanged(method, args, (ValueError, TypeError))
        assert re.search(rf"\b({'|'.join(sorted(names))})\b", str(error)), (names, str(error))
        type(self).n_refused += 1

    def _unchanged(self, method, args, errors):
        """Make a call that raises, and check that it leaves all as it was; return the error."""
        before = vars(self.model).copy()
        fitted = _fitted(self.model) if self.fresh is not None else {}
        try:
            getattr(self.model, method)(*args)
        except errors as error:
            raised = error
        else:
            raise AssertionError(f"{method} did not raise {errors}")
        assert vars(self.model).keys() == before.keys()
        assert all(vars(self.model)[name] is value for name, value in before.items())
        if fitted:
            assert_equal(_fitted(self.model), fitted)
        return raised


def run_sequences(n):
    LifeOfARegressor.n_sequences = 0
    run_state_machine_as_test(
        LifeOfARegressor,
        settings=settings(
            max_examples=n,
            stateful_step_count=12,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert LifeOfARegressor.n_sequences >= n


@pytest.mark.filterwarnings(f"ignore:The {DIVERGED}")
def test_calls_in_any_order_equal_a_fresh_fit_or_are_refused_by_name():
    run_sequences(N_SEQUENCES)
