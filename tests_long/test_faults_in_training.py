"""Faults in training: a fitted model stays as it was, and so does the state of the process."""

import linecache
import os
import random
import re
import subprocess
import sys
import textwrap
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback
from torch.utils._python_dispatch import TorchDispatchMode

import sklstm
from sklstm import (
    ConformalRegressor,
    KnownTargetsRegressor,
    LSTMRegressor,
    SlidingWindowTransformer,
    forecast_targets,
)
from tests.machine import needs_proc
from tests_long.state import identities, process_state

pytestmark = pytest.mark.family("faults in training")

PACKAGE = str(Path(sklstm.__file__).parent)
ROWS = np.random.RandomState(0).randn(80, 2)
LATER = np.random.RandomState(1).randn(60, 2)  # the call that fails gets other data
SIZE = 4


def windows_of(rows):
    return SlidingWindowTransformer(SIZE).fit_transform(rows)


def lstm(**params):
    quick = {"hidden_layer_sizes": 3, "max_epochs": 2, "n_jobs": 1, "random_state": 0}
    return LSTMRegressor(**(quick | {"early_stopping": True, "dropout": 0.1} | params))


def fitted_lstm(**params):
    return lstm(**params).fit(windows_of(ROWS), ROWS[:, 0])


def intervals():
    ridge = KnownTargetsRegressor(Ridge())
    windows = SlidingWindowTransformer(SIZE, padding="edge", flatten=True)
    model = ConformalRegressor(make_pipeline(windows, ridge), coverage=0.5)
    return model.fit(ROWS, forecast_targets(ROWS[:, 0], 2))


# A fitted model, a call that learns from other data, and a call that shows what the model knows.
CALLS = {
    "fit": (
        fitted_lstm,
        lambda model: model.fit(windows_of(LATER), LATER[:, 1]),
        lambda model: model.predict(windows_of(ROWS)),
    ),
    "fit of quantiles": (
        lambda: fitted_lstm(loss="quantile"),
        lambda model: model.fit(windows_of(LATER), LATER[:, 1]),
        lambda model: model.predict_quantiles(windows_of(ROWS)),
    ),
    "partial_fit": (
        fitted_lstm,
        lambda model: model.partial_fit(windows_of(LATER), LATER[:, 1]),
        lambda model: model.predict(windows_of(ROWS)),
    ),
    "warm start": (
        lambda: fitted_lstm(warm_start=True),
        lambda model: model.fit(windows_of(LATER), LATER[:, 1]),
        lambda model: model.predict(windows_of(ROWS)),
    ),
}
WITHOUT_A_NETWORK = {
    "SlidingWindowTransformer.fit": (
        lambda: SlidingWindowTransformer(SIZE).fit(ROWS),
        lambda model: model.fit(LATER),
        lambda model: model.transform(ROWS[40:]),
    ),
    "SlidingWindowTransformer.partial_fit": (
        lambda: SlidingWindowTransformer(SIZE).fit(ROWS),
        lambda model: model.partial_fit(LATER),
        lambda model: model.transform(ROWS[40:]),
    ),
    "KnownTargetsRegressor.fit": (
        lambda: KnownTargetsRegressor(Ridge()).fit(ROWS, forecast_targets(ROWS[:, 0], 2)),
        lambda model: model.fit(LATER, forecast_targets(LATER[:, 1], 2)),
        lambda model: model.predict(ROWS),
    ),
    "ConformalRegressor.fit": (
        intervals,
        lambda model: model.fit(LATER, forecast_targets(LATER[:, 1], 2)),
        lambda model: model.predict_interval(ROWS),
    ),
    "ConformalRegressor.update": (
        intervals,
        lambda model: model.update(LATER, forecast_targets(LATER[:, 1], 2)),
        lambda model: model.predict_interval(LATER),
    ),
}


@pytest.fixture(autouse=True)
def not_converged():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Training reached max_epochs")
        yield


# Before a block's __exit__ has begun, an interrupt loses what it restores, in all of Python. The
# package's own settings are restored there too (tests/network/test_process_setting.py), these not.
OF_NUMPY_AND_PYTHON = ("with np.errstate(", "with warnings.catch_warnings(")


class Interrupt:
    """Raise KeyboardInterrupt at the line with this number of those that run in the package."""

    def __init__(self, number):
        self.number, self.n_lines = number, 0

    def __enter__(self):
        self.before = sys.gettrace()
        sys.settrace(self.trace)
        return self

    def __exit__(self, *error):
        sys.settrace(self.before)

    def trace(self, frame, event, argument):
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        if event == "line":
            line = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
            if line.lstrip().startswith(OF_NUMPY_AND_PYTHON):
                return self.trace
            self.n_lines += 1
            if self.n_lines == self.number:
                raise KeyboardInterrupt
        return self.trace


@cache
def lines_of(name):
    """Count the lines of a whole call; return what the model gives before and after it."""
    make, call, shown = (CALLS | WITHOUT_A_NETWORK)[name]
    model = make()
    before = shown(model)
    with Interrupt(0) as counted:
        call(model)
    return counted.n_lines, before, shown(model)


N_INTERRUPTS = dict.fromkeys(CALLS, 50) | dict.fromkeys(WITHOUT_A_NETWORK, 8)
AT = [(name, k) for name, number in N_INTERRUPTS.items() for k in range(number)]


@pytest.mark.parametrize(("name", "k"), AT)
def test_an_interrupt_at_a_random_line_leaves_the_fitted_model_as_it_was(name, k):
    make, call, shown = (CALLS | WITHOUT_A_NETWORK)[name]
    n_lines, before, after = lines_of(name)
    # One line of each of as many equal parts of the call, drawn at random.
    part = n_lines / N_INTERRUPTS[name]
    number = int(part * k + random.Random(f"{name} {k}").uniform(0, part)) + 1
    model = make()
    objects, state = identities(model), process_state()
    with pytest.raises(KeyboardInterrupt), Interrupt(number):
        call(model)
    assert process_state() == state
    if identities(model) == objects:
        assert_array_equal(shown(model), before)
    else:  # only in the lines that return from a call which is done
        assert number > n_lines - 6
        assert_array_equal(shown(model), after)


class Fault(Callback):
    """Raises an error in one of the hooks of skorch's callbacks."""

    def __init__(self, hook, error):
        self.error = error
        setattr(self, hook, self.fail)

    def fail(self, *args, **kwargs):
        raise self.error


HOOKS = [name for name in vars(Callback) if name.startswith("on_") or name == "initialize"]


def test_every_hook_of_skorch_is_known():
    assert len(HOOKS) == 8


def assert_stays(name, params, error, message):
    """Let a call fail on a fitted model; nothing but the parameters may have changed."""
    make, call, shown = CALLS[name]
    model = make()
    before = shown(model)
    model.set_params(**params)
    objects, state = identities(model), process_state()
    with pytest.raises(error, match=message):
        call(model)
    assert identities(model) == objects
    assert process_state() == state
    assert_array_equal(shown(model), before)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, StopIteration])
@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("name", ["fit", "partial_fit", "warm start"])
def test_an_error_in_a_hook_of_a_callback_is_raised_and_the_model_stays(name, hook, error):
    assert_stays(name, {"callbacks": [Fault(hook, error("stop here"))]}, error, "stop here")


class OutOfMemory(TorchDispatchMode):
    """Let the operation of torch with this number fail as it does where memory ends."""

    def __init__(self, number):
        super().__init__()
        self.number, self.n_operations = number, 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        self.n_operations += 1
        if self.n_operations == self.number:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return operation(*args, **(kwargs or {}))


@cache
def operations_of(name):
    make, call, _ = CALLS[name]
    model = make()
    with OutOfMemory(0) as counted:
        call(model)
    return counted.n_operations


N_MEMORY = 10


@pytest.mark.parametrize("k", range(N_MEMORY))
@pytest.mark.parametrize("name", CALLS)
def test_memory_that_ends_in_an_operation_of_torch_leaves_the_model_as_it_was(name, k):
    make, call, shown = CALLS[name]
    number = 1 + operations_of(name) * k // N_MEMORY
    model = make()
    before, objects, state = shown(model), identities(model), process_state()
    with pytest.raises(RuntimeError, match="can't allocate memory"), OutOfMemory(number):
        call(model)
    assert identities(model) == objects
    assert process_state() == state
    assert_array_equal(shown(model), before)


LIMITS = range(8)  # MB above what the process has
UNDER_LIMITS = """
    import re, resource, sys, warnings
    import numpy as np
    from sklearn.pipeline import make_pipeline
    from sklstm import LSTMRegressor, SlidingWindowTransformer

    warnings.simplefilter("ignore")

    def model():
        quick = dict(hidden_layer_sizes=32, max_epochs=1, n_jobs=1, random_state=0)
        return make_pipeline(SlidingWindowTransformer(24), LSTMRegressor(**quick))

    few = np.random.RandomState(0).randn(500, 8)
    X = np.random.RandomState(1).randn(400_000, 8)  # 26 MB
    pipe = model().fit(few, few[:, 0])
    last, before = pipe[-1], pipe.predict(few)
    windows = SlidingWindowTransformer(24).fit_transform(X)
    attributes = dict(vars(last))
    for limit in map(int, sys.argv[1:]):
        with open("/proc/self/status") as lines:
            (used,) = re.findall(r"VmData:\\s*(\\d+) kB", lines.read())
        resource.setrlimit(resource.RLIMIT_DATA, (int(used) * 1024 + limit * 10**6, -1))
        try:
            last.fit(windows, X[:, 0])
            error = "none"
        except (MemoryError, RuntimeError) as caught:
            error = f"{type(caught).__name__}: {caught}".replace("\\n", " ")
        resource.setrlimit(resource.RLIMIT_DATA, (-1, -1))
        same = vars(last).keys() == attributes.keys()
        same &= all(value is attributes[name] for name, value in vars(last).items())
        same &= np.array_equal(pipe.predict(few), before)
        print(limit, same, error, sep="\\t", flush=True)
"""


@cache
def under_limits():
    """Fit in a process whose memory is limited, with one limit after the other."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(UNDER_LIMITS), *map(str, LIMITS)],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {int(line.split("\t")[0]): line.split("\t")[1:] for line in done.stdout.splitlines()}


@needs_proc
@pytest.mark.parametrize("limit", LIMITS)
def test_a_fit_that_meets_the_limit_of_memory_leaves_the_model_as_it_was(limit):
    same, error = under_limits()[limit]
    assert same == "True"
    # The last one is what oneDNN says where its memory ends.
    assert re.search("allocate|bad_alloc|could not create a primitive", error), error


RATES = [1e3, 1e10, 1e20, 1e30, 3e38]
DIVERGES = "loss is not finite in epoch .* Lower learning_rate"


@pytest.mark.filterwarnings("ignore:The training loss is not finite")
@pytest.mark.parametrize("params", [{}, {"gradient_clip": None}, {"linear_skip": False}], ids=str)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("rate", RATES)
def test_an_exploding_rate_gives_finite_predictions_or_leaves_the_model_as_it_was(
    rate, optimizer, params
):
    make, call, shown = CALLS["fit"]
    model = make()
    before, state = shown(model), process_state()
    model.set_params(learning_rate=rate, optimizer=optimizer, **params)
    objects = identities(model)
    error = None
    try:
        call(model)
    except ValueError as caught:
        error = str(caught)
    assert process_state() == state
    if error is None:
        assert np.isfinite(shown(model)).all()
        assert np.isfinite(model.loss_curve_).all()
    else:
        assert re.search(DIVERGES, error)
        assert identities(model) == objects
        assert_array_equal(shown(model), before)


class Spoils(Callback):
    """Makes a weight of the network NaN or infinite before the batch with this number."""

    def __init__(self, value, batch):
        self.value, self.batch, self.seen = value, batch, 0

    def on_batch_begin(self, net, training=False, **kwargs):
        if training:
            if self.seen == self.batch:
                with torch.no_grad():
                    net.module_.head.bias.fill_(self.value)
            self.seen += 1


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["fit", "partial_fit", "warm start"])
def test_a_loss_that_is_not_finite_from_the_first_batch_on_is_an_error(name, value):
    params = {"callbacks": [Spoils(value, batch=0)], "ema_decay": 0.0, "early_stopping": False}
    assert_stays(name, params, ValueError, DIVERGES)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_loss_that_stops_being_finite_gives_the_best_epoch_before_it(value):
    X, y = windows_of(LATER), LATER[:, 1]
    params = {"batch_size": 1000, "max_epochs": 9, "ema_decay": 0.0, "early_stopping": False}
    params |= {"linear_skip": False, "learning_rate": 0.03, "dropout": 0.0}
    expected = lstm(**(params | {"max_epochs": 3})).fit(X, y)
    model = lstm(**params, callbacks=[Spoils(value, batch=3)])
    with pytest.warns(UserWarning, match="not finite in epoch 4.* were restored"):
        model.fit(X, y)
    assert model.n_iter_ == 3
    assert_array_equal(model.predict(X), expected.predict(X))
