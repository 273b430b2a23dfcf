"""Threads and processes: predictions and fits end, and give the bits of one process.

Each case is a script in a process of its own that is killed after a while, so that nothing hangs.
"""

import os
import subprocess
import sys
import textwrap

import pytest

from tests.machine import needs_fork

pytestmark = pytest.mark.family("processes")

SECONDS = 300  # a case takes a few; where it hangs, it is killed
HEAD = """
import multiprocessing, warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
import numpy as np
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklstm import LSTMRegressor, SlidingWindowTransformer
from sklstm._network import threads

warnings.filterwarnings("ignore", "Training reached max_epochs")
threads._WORK_OF_A_THREAD = 1  # threads for a small network too
X = np.random.RandomState(0).randn(300, 2)
y = np.roll(X[:, 0], -1)

def model(seed=0, n_jobs=2):
    params = dict(hidden_layer_sizes=4, max_epochs=2, random_state=seed, n_jobs=n_jobs)
    return make_pipeline(SlidingWindowTransformer(5), LSTMRegressor(**params))

def fitted(seed=0, n_jobs=2):
    return model(seed, n_jobs).fit(X, y).predict(X)

def predicted(pipe):
    return pipe.predict(X)

def in_a_process(method, function, *arguments):
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(function, *arguments).result()

def search(n_jobs=None):
    grid = {"lstmregressor__hidden_layer_sizes": [2, 4]}
    options = dict(cv=TimeSeriesSplit(2), scoring="neg_mean_absolute_error", error_score="raise")
    return GridSearchCV(model(n_jobs=1), grid, n_jobs=n_jobs, **options)

def scores(found):
    return found.cv_results_["mean_test_score"]

def same(one, other):
    assert np.array_equal(one, other)
"""

CASES = {
    "one model predicts in eight threads": """
        pipe = model().fit(X, y)
        expected = predicted(pipe)
        with ThreadPoolExecutor(8) as pool:
            for found in pool.map(predicted, [pipe] * 40):
                same(found, expected)
    """,
    "one model predicts in threads while others fit": """
        pipe = model().fit(X, y)
        expected, alone = predicted(pipe), [fitted(seed) for seed in range(3)]
        with ThreadPoolExecutor(6) as pool:
            fits = [pool.submit(fitted, seed) for seed in range(3)]
            for found in pool.map(predicted, [pipe] * 30):
                same(found, expected)
            for seed in range(3):
                same(fits[seed].result(), alone[seed])
    """,
    "models fit in four threads": """
        alone = [fitted(seed) for seed in range(8)]
        with ThreadPoolExecutor(4) as pool:
            for seed, found in enumerate(pool.map(fitted, range(8))):
                same(found, alone[seed])
    """,
    "a search in joblib's threads": """
        from joblib import parallel_backend
        alone = search().fit(X, y)
        with parallel_backend("threading"):
            found = search(n_jobs=4).fit(X, y)
        same(scores(found), scores(alone))
        same(found.predict(X), alone.predict(X))
    """,
    "a search in loky's processes": """
        alone = search().fit(X, y)
        found = search(n_jobs=2).fit(X, y)
        same(scores(found), scores(alone))
        same(found.predict(X), alone.predict(X))
    """,
    "a search in loky's processes after a fit in threads": """
        alone = search().fit(X, y)
        fitted()
        same(scores(search(n_jobs=2).fit(X, y)), scores(alone))
    """,
    "a search in processes of multiprocessing": """
        from joblib import parallel_backend
        alone = search().fit(X, y)
        with parallel_backend("multiprocessing"):
            same(scores(search(n_jobs=2).fit(X, y)), scores(alone))
    """,
    "a fit in a spawned process": "same(in_a_process('spawn', fitted), fitted())",
    "a fitted model in a spawned process": """
        pipe = model().fit(X, y)
        same(in_a_process("spawn", predicted, pipe), predicted(pipe))
    """,
    "a search on Dask": """
        import tempfile
        from distributed import Client, LocalCluster
        from joblib import parallel_backend
        alone = search().fit(X, y)
        with tempfile.TemporaryDirectory() as folder:
            options = dict(n_workers=2, threads_per_worker=1, dashboard_address=":0")
            with LocalCluster(local_directory=folder, **options) as cluster, Client(cluster):
                with parallel_backend("dask"):
                    found = search(n_jobs=2).fit(X, y)
        same(scores(found), scores(alone))
    """,
}
WITH_FORK = {
    "a process forked before any fit": "same(in_a_process('fork', fitted), fitted())",
    "a process forked after a fit in threads": """
        expected = fitted()
        for _ in range(10):  # threads that are ending made one fork of 40 wait for ever
            fitted()
            same(in_a_process("fork", fitted), expected)
    """,
    "a fitted model in a forked process": """
        pipe = model().fit(X, y)
        expected = predicted(pipe)
        same(in_a_process("fork", predicted, pipe), expected)
    """,
    "a process forked after predictions in threads": """
        pipe = model().fit(X, y)
        expected = predicted(pipe)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(predicted, [pipe] * 8))
        same(in_a_process("fork", predicted, pipe), expected)
    """,
    "a fit by a fork server": "same(in_a_process('forkserver', fitted), fitted())",
}


def run(script, tmp_path):
    path = tmp_path / "script.py"
    body = textwrap.indent(textwrap.dedent(script), "    ")
    path.write_text(f'{HEAD}\nif __name__ == "__main__":\n{body}\n    print("same bits")\n')
    process = subprocess.Popen(
        [sys.executable, path],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # so that its own processes end with it
    )
    try:
        printed, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        pytest.fail(f"no end after {SECONDS} s: {process.communicate()[0]}")
    assert process.returncode == 0, printed
    assert printed.endswith("same bits\n"), printed


@pytest.mark.parametrize("case", CASES)
def test_threads_and_processes_end_and_give_the_bits_of_one_process(case, tmp_path):
    run(CASES[case], tmp_path)


@needs_fork
@pytest.mark.parametrize("case", WITH_FORK)
def test_forked_processes_end_and_give_the_bits_of_one_process(case, tmp_path):
    run(WITH_FORK[case], tmp_path)
