"""The searches of docs/cluster.md, on local clusters of two workers, each its own process."""

import os
import re
import secrets
import tempfile
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch
from joblib.pool import PicklingPool
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

pytestmark = pytest.mark.family("processes")

PAGE = (Path(__file__).parents[1] / "docs" / "cluster.md").read_text(encoding="utf-8")
GRID = {"window__window_size": [3, 7], "lstm__hidden_layer_sizes": [4, (6, 3)]}


@pytest.fixture(scope="module")
def environment():
    """Let workers import this module, and let the clusters set the number of threads."""
    paths = [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    with mock.patch.dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, paths))):
        os.environ.pop("OMP_NUM_THREADS", None)
        yield


@contextmanager
def dask():
    """Yield the page's code for a cluster of two workers, and a function that runs calls there."""
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
    with (
        tempfile.TemporaryDirectory() as folder,
        distributed.LocalCluster(processes=True, local_directory=folder, **options) as workers,
        distributed.Client(workers) as client,
    ):
        client.wait_for_workers(2)
        address = "tcp://192.0.2.1:8786"
        assert PAGE.count(f'Client("{address}")') == 1
        code = page_code("dask").replace(address, workers.scheduler_address)
        yield code, lambda *call: client.submit(*call).result()


@contextmanager
def ray():
    """Yield the page's code, and a function that runs calls on one of Ray's two workers."""
    ray = pytest.importorskip("ray")
    # Report no usage statistics, and write no token into the home directory.
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    bases = PicklingPool.__bases__  # base classes of joblib's pool, which Ray's backend changes
    # The folder needs a short path, since Ray opens sockets in it.
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp") as folder:
        ray.init(num_cpus=2, include_dashboard=False, _temp_dir=folder)
        try:
            run = ray.remote(lambda function, *arguments: function(*arguments))
            yield page_code("ray"), lambda *call: ray.get(run.remote(*call))
        finally:
            ray.shutdown()
            PicklingPool.__bases__ = bases


def page_code(backend):
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
    assert len(blocks) == 2
    (code,) = (block for block in blocks if f'backend="{backend}"' in block)
    assert len([line for line in code.splitlines() if line]) <= 5
    return code


@pytest.fixture(scope="module", params=[dask, ray], ids=["dask", "ray"])
def cluster(request, environment):
    with request.param() as code_and_call:
        yield code_and_call


def process(pipe, X, y, folder):
    """Return the id of this process as score; wait, so that the other worker gets work too."""
    (folder / str(os.getpid())).touch()
    for _ in range(50):
        if len(list(folder.iterdir())) < 2:
            time.sleep(0.1)
    return os.getpid()


def threads(pipe, X, y):
    """Return as score the threads that ``LSTMRegressor(n_jobs=None)`` may use in this process."""
    return torch.get_num_threads()


def scores(search, name):
    return np.array([search.cv_results_[f"split{fold}_test_{name}"] for fold in range(2)])


def test_search_of_the_page_gives_on_two_workers_the_bits_of_one_process(
    cluster, small_pipe, chicago, tomorrow, tmp_path
):
    error, pipe = "neg_mean_absolute_error", small_pipe(index=True)
    options = {"cv": TimeSeriesSplit(2), "error_score": "raise"}
    alone = GridSearchCV(pipe, GRID, scoring=error, n_jobs=1, **options).fit(chicago, tomorrow)

    code, _ = cluster
    scoring = {"error": error, "process": partial(process, folder=tmp_path), "threads": threads}
    search = GridSearchCV(pipe, GRID, scoring=scoring, refit="error", **options)
    exec(compile(code, "cluster.md", "exec"), {"search": search, "X": chicago, "y": tomorrow})

    np.testing.assert_array_equal(scores(search, "error"), scores(alone, "score"))
    assert search.best_params_ == alone.best_params_
    np.testing.assert_array_equal(search.predict(chicago), alone.predict(chicago))

    assert len(np.unique(scores(search, "process"))) == 2
    assert os.getpid() not in scores(search, "process")
    np.testing.assert_array_equal(scores(search, "threads"), 1)


@pytest.mark.parametrize("index", [False, True], ids=["numpy", "pandas"])
def test_fitted_pipeline_predicts_the_same_bits_on_a_worker(
    cluster, small_pipe, chicago, tomorrow, index
):
    X = chicago if index else chicago.to_numpy()
    pipe = small_pipe(index=index, hidden_layer_sizes=(6, 3)).fit(X[:300], tomorrow[:300])
    _, call = cluster
    assert call(os.getpid) != os.getpid()
    for rows in (X, X[303:]):
        np.testing.assert_array_equal(call(pipe.predict, rows), pipe.predict(rows))
