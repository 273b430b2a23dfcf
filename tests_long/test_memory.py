"""Memory does not grow from call to call: over 1,000 fits, and over 10,000 predictions.

What is measured: the resident memory of a process of its own after a third of the calls, and after
all of them. In between, what a call leaves behind would add up: a kilobyte for each of the other
fits is 0.7 MB, for each of the other predictions 7 MB.
"""

import os
import subprocess
import sys
import textwrap

import pytest

from tests.machine import needs_proc

pytestmark = pytest.mark.family("memory")

HEAD = """
import gc, pickle, sys, warnings
import numpy as np
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklstm import ConformalRegressor, KnownTargetsRegressor, LSTMRegressor
from sklstm import SlidingWindowTransformer

warnings.simplefilter("ignore")
X = np.random.RandomState(0).randn(60, 2)
y = X[:, 0]
W = SlidingWindowTransformer(3).fit_transform(X)

def lstm(**params):
    quick = dict(hidden_layer_sizes=2, max_epochs=1, n_jobs=1, random_state=0)
    return LSTMRegressor(**(quick | params))

def resident():
    gc.collect()
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024

def growth(n_calls, call):
    for number in range(n_calls):
        if number == n_calls // 3:
            before = resident()
        call(number)
    return resident() - before
"""

N_FITS, N_PREDICTIONS = 1_000, 10_000
CASES = {
    "fits of new models": (N_FITS, "call = lambda number: lstm().fit(W, y)"),
    "fits of one model": (
        N_FITS,
        """
        model = lstm(early_stopping=True, dropout=0.1)
        call = lambda number: model.fit(W, y)
        """,
    ),
    "fits, pickles and copies of pipelines": (
        N_FITS,
        """
        def call(number):
            pipe = make_pipeline(SlidingWindowTransformer(3), lstm(linear_skip=False)).fit(X, y)
            pickle.loads(pickle.dumps(pipe)).predict(X)
        """,
    ),
    "predictions of single rows": (
        N_PREDICTIONS,
        """
        pipe = make_pipeline(SlidingWindowTransformer(3), lstm()).fit(X, y)
        call = lambda number: pipe.predict(X[number % 60 : number % 60 + 1] + 1)
        """,
    ),
    "predictions of a stream": (
        N_PREDICTIONS,
        """
        pipe = make_pipeline(SlidingWindowTransformer(3), lstm()).fit(X, y)
        def call(number):
            row = np.sin([[number, number / 2]])
            pipe.predict(row)
            pipe[0].partial_fit(row)
        """,
    ),
    "predictions of intervals": (
        N_PREDICTIONS,
        """
        windows = SlidingWindowTransformer(3, padding="edge", flatten=True)
        ridge = make_pipeline(windows, KnownTargetsRegressor(Ridge(), target_leads=1))
        model = ConformalRegressor(ridge, coverage=0.5, target_leads=1).fit(X, y)
        call = lambda number: model.predict_interval(X[number % 60 : number % 60 + 1] + 1)
        """,
    ),
}
MOST = 2  # MB: the allocator fills its last blocks now and then


@needs_proc
@pytest.mark.parametrize("case", CASES)
def test_memory_does_not_grow_from_call_to_call(case):
    n_calls, script = CASES[case]
    lines = f"{HEAD}\n{textwrap.dedent(script)}\nprint(growth({n_calls}, call))\n"
    done = subprocess.run(
        [sys.executable, "-c", lines],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    print(f"{case}: {float(done.stdout):.2f} MB")
    assert float(done.stdout) < MOST
