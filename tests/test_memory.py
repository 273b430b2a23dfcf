"""Memory is proportional to the series, and a series in a large file stays in its file."""

import mmap
import os
import subprocess
import sys
import textwrap
import tracemalloc

import numpy as np
import pandas as pd
import pytest
import sklearn
import torch
from joblib import Parallel, delayed
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.pipeline import make_pipeline

from sklstm import LSTMRegressor, SlidingWindowTransformer, WindowArray
from sklstm._network.series_tensor import SeriesOnDisk, standardised_series
from sklstm._series.overlap import find_windows
from sklstm._series.storage import let_go, row_blocks, stays_on_disk
from tests.machine import needs_proc

# The first lines of each script whose memory is measured.
MEASURING = """
    import os, resource, sys, warnings
    import numpy as np
    import sklearn
    import torch
    from sklearn.pipeline import make_pipeline
    from sklstm import LSTMRegressor, SlidingWindowTransformer

    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", "Training reached max_epochs")

    def status(key):
        with open("/proc/self/status") as lines:
            return next(int(line.split()[1]) for line in lines if line.startswith(key)) * 1024

    def peak(call, *args):
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")  # measure the peak from now on
        start = status("VmRSS")
        call(*args)
        return status("VmHWM") - start

    def model(window_size, **params):
        small = dict(hidden_layer_sizes=4, max_epochs=1, n_jobs=1, random_state=0)
        return make_pipeline(
            SlidingWindowTransformer(window_size), LSTMRegressor(**(small | params))
        )

    def warm_up(n_features, dtype):  # modules and settings that are loaded once
        few = np.random.RandomState(0).randn(2000, n_features).astype(dtype)
        return model(4).fit(few, few[:, 0]), model(4).fit(few, few[:, 0]).predict(few)
"""


def run(script, *args, **environment):
    """Run a script in a process of its own, and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(MEASURING) + textwrap.dedent(script), *args],
        env=os.environ | {"OMP_NUM_THREADS": "1"} | environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs_proc
@pytest.mark.parametrize(
    ("call", "window_size", "n_usable", "dtype"),
    [
        ("fit", 168, 3_000, "float64"),  # with early stopping: 300 validation windows
        ("fit", 168, 3_000, "float32"),
        ("fit", 2, 1_000_000, "float64"),
        ("predict", 2, 0, "float64"),
    ],
)
def test_the_peak_stays_under_three_times_the_series(call, window_size, n_usable, dtype):
    script = """
        call, window_size, n_usable, dtype = sys.argv[1:]
        warm_up(8, dtype)
        X = np.ones((1_000_000, 8), dtype)
        X[:, 0] = np.arange(1_000_000) % 1000
        y = X[:, 0].astype(float)
        y[: len(y) - int(n_usable)] = np.nan
        pipe = model(int(window_size))
        if call == "predict":
            pipe.fit(X[:2000], np.arange(2000.0))
        print(peak(getattr(pipe, call), *[X, y][: 2 if call == "fit" else 1]) / X.nbytes)
    """
    assert float(run(script, call, str(window_size), str(n_usable), dtype)) < 3


@needs_proc
@pytest.mark.parametrize(
    ("call", "window_size", "n_usable", "padding"),
    [
        ("fit", 168, 3_000, "nan"),
        ("fit", 2, 100_000, "edge"),  # the rows that fill the holes are not stored again
        ("predict", 2, 0, "edge"),
    ],
)
def test_the_peak_with_a_thousand_holes_stays_under_three_times_the_series(
    call, window_size, n_usable, padding
):
    script = """
        import pandas as pd

        call, window_size, n_usable, padding = sys.argv[1:]
        holes = np.random.RandomState(0).choice(1_000_000, 1000, replace=False)
        few = pd.DataFrame(np.random.RandomState(0).randn(2000, 8)).drop(index=[50])
        model(4).fit(few, few[0]).predict(few)  # warm up
        X = np.ones((1_000_000, 8))
        X[:, 0] = np.arange(1_000_000) % 1000
        X = pd.DataFrame(X).drop(index=holes)
        y = X[0].copy()
        y.iloc[: len(y) - int(n_usable)] = np.nan
        pipe = model(int(window_size))
        pipe[0].set_params(padding=padding)
        if call == "predict":
            pipe.fit(X[:2000], np.arange(2000.0))
        size = X.to_numpy().nbytes
        print(peak(getattr(pipe, call), *[X, y][: 2 if call == "fit" else 1]) / size)
    """
    assert float(run(script, call, str(window_size), str(n_usable), padding)) < 3


@pytest.mark.parametrize(("dilation", "n_holes"), [(1, 1), (1, 1000), (3, 1000)])
def test_windows_around_holes_take_the_memory_of_the_series(dilation, n_holes):
    holes = np.random.RandomState(0).choice(200_000, n_holes, replace=False)
    X = pd.DataFrame(np.random.RandomState(1).randn(200_000, 4)).drop(index=holes)
    transformer = SlidingWindowTransformer(120, dilation=dilation).fit(X)
    tracemalloc.start()
    windows = transformer.transform(X)
    found = find_windows(windows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert windows.nbytes > 100 * X.to_numpy().nbytes
    assert peak < 3 * X.to_numpy().nbytes
    assert np.shares_memory(found.rows, windows.base)


@needs_proc
@pytest.mark.parametrize("call", ["fit", "predict"])
def test_the_peak_stays_under_three_times_a_series_with_a_thousand_holes(call):
    script = """
        warm_up(4, "float64")
        X = np.random.RandomState(0).randn(400_000, 4)
        y = np.full(400_000, np.nan)
        y[::50] = X[::50, 0]
        X[::400] = np.nan  # rows
        X[100::400, 1] = np.nan  # single values
        pipe = model(24)
        if sys.argv[1] == "fit":
            print(peak(pipe.fit, X, y) / X.nbytes)
        else:
            print(peak(pipe.fit(X[:2000], y[:2000]).predict, X) / X.nbytes)
    """
    assert float(run(script, call)) < 3


@needs_proc
def test_many_series_take_less_than_three_times_their_frame():
    script = """
        import pandas as pd
        from sklstm import forecast_targets
        from sklstm._network.batches import EveryStepDataset

        def frame(n_series):
            names = [f"shop {number:04d}" for number in range(n_series)]
            days = pd.date_range("2024", periods=500)
            index = pd.MultiIndex.from_product([names, days])
            values = np.random.RandomState(0).randn(len(index), 5)
            return pd.DataFrame(values, index, list("abcde"), copy=False)

        def fit_and_predict(X):
            windows = SlidingWindowTransformer(4).fit_transform(X)
            lstm.fit(windows, forecast_targets(X["a"], 1)).predict(windows)

        EveryStepDataset.order = lambda self, generator: torch.arange(100)  # of a long epoch
        lstm, few, many = model(4)[1], frame(100), frame(700)
        fit_and_predict(few)  # warm up
        peaks = [peak(fit_and_predict, X) for X in (few, many)]
        # What more series take: some of the memory is that of batches.
        print((peaks[1] - peaks[0]) / (8 * (many.size - few.size)))
    """
    # All arrays that grow with the rows go back to the system when they are freed.
    assert float(run(script, MALLOC_MMAP_THRESHOLD_="100000")) < 3


@pytest.mark.parametrize("layout", ["two dimensions", "three dimensions", "columns"])
def test_the_finite_check_copies_no_windows(layout):
    rows = np.ones((50_000, 2))
    rows[-1, 1] = np.inf  # in the last row
    if layout == "two dimensions":
        X = sliding_window_view(rows.ravel(), 168)
    else:
        rows = np.asfortranarray(rows) if layout == "columns" else rows
        X = sliding_window_view(rows, 168, axis=0).transpose(0, 2, 1)
    tracemalloc.start()
    with pytest.raises(ValueError, match="Input X contains"):
        LSTMRegressor().fit(X, np.ones(len(X)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * rows.nbytes  # windows would be 168 times the rows


@pytest.mark.parametrize("shape", [(0, 3), (1, 3), (100_000, 3), (3, 1_000_000)])
def test_row_blocks_hold_every_row_once_and_not_too_many(shape):
    rows = np.empty(shape, dtype=np.int8)
    blocks = [np.arange(len(rows))[at] for at in row_blocks(rows)]
    assert np.array_equal(np.concatenate([np.arange(0), *blocks]), np.arange(len(rows)))
    assert all(len(block) == 1 or len(block) * shape[1] <= 2**17 for block in blocks)


# A series in a file -------------------------------------------------------------------------


@pytest.fixture
def low_limit():
    """Set scikit-learn's working memory to 0.01 MiB."""
    with sklearn.config_context(working_memory=0.01):
        yield


def in_file(values, folder, mode="r"):
    path = folder / "series"
    values.tofile(path)
    return np.memmap(path, values.dtype, mode, shape=values.shape)


def series(n_rows=3000, n_features=3, dtype=np.float64):
    return (100 * np.random.RandomState(0).randn(n_rows, n_features)).astype(dtype)


def test_large_mapped_files_and_their_views_stay_on_disk(tmp_path, low_limit):
    X = in_file(series(), tmp_path)
    for view in (X, X[5:], X[::2], np.asarray(X), X.T, sliding_window_view(X, 9, axis=0)):
        assert stays_on_disk(view)
    for other in (X[:100], X[np.arange(2000)], X + 1, series(), None, [[1.0]]):
        assert not stays_on_disk(other)
    with sklearn.config_context(working_memory=1):
        assert not stays_on_disk(X)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int16, np.float16, ">f8"])
@pytest.mark.parametrize("padding", ["nan", "edge"])
def test_a_series_in_a_file_gives_the_windows_of_one_in_memory(dtype, padding, tmp_path, low_limit):
    values = series(dtype=dtype)
    X = in_file(values, tmp_path)
    on_disk, in_memory = (SlidingWindowTransformer(5, dilation=2, padding=padding) for _ in "ab")
    windows = on_disk.fit_transform(X[:2000])
    expected = in_memory.fit_transform(values[:2000])
    assert stays_on_disk(find_windows(windows).rows)
    assert not windows.flags.writeable
    for found, wanted in [
        (windows, expected),
        (on_disk.transform(X[2000:]), in_memory.transform(values[2000:])),  # with history
        (on_disk.partial_fit(X[2000:]).history_, in_memory.partial_fit(values[2000:]).history_),
    ]:
        np.testing.assert_array_equal(found, wanted)
        assert found.dtype == wanted.dtype


@pytest.mark.filterwarnings("ignore:The last step of .* lacks feature:UserWarning")
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int16])
@pytest.mark.parametrize("params", [{"early_stopping": True}, {"precision": "float64"}])
def test_a_series_in_a_file_gives_the_same_model(dtype, params, tmp_path, small_lstm, low_limit):
    values = series(dtype=dtype)
    if dtype != np.int16:
        values[1000:1010] = np.nan  # missing rows
        values[1500:1510, 0] = np.nan
    y = values[:, 0].astype(float)
    y[::3] = np.nan
    weight = np.random.RandomState(1).rand(len(y))
    predictions = []
    for X in (in_file(values, tmp_path), values):
        pipe = make_pipeline(SlidingWindowTransformer(5), small_lstm(**params))
        pipe.fit(X, y, lstmregressor__sample_weight=weight)
        predictions.append(pipe.predict(X))
    np.testing.assert_array_equal(*predictions)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("n_dims", [2, 3])
def test_windows_over_a_file_are_read_batch_by_batch(order, n_dims, tmp_path, small_lstm):
    values = series(200_000, 2, np.float32)
    X = in_file(values.T if order == "F" else values, tmp_path)
    X = X.T if order == "F" else X
    y = np.full(200_000 - 11, np.nan)
    y[::400] = values[11::400, 0]
    windows = [
        sliding_window_view(rows[:, 0], 12)
        if n_dims == 2
        else sliding_window_view(rows, 12, axis=0).transpose(0, 2, 1)
        for rows in (X, values)
    ]
    with sklearn.config_context(working_memory=0.1):
        in_a_file = small_lstm().fit(windows[0], y)
    in_memory = small_lstm().fit(windows[1], y)
    with sklearn.config_context(working_memory=0.1):
        found = find_windows(windows[0].reshape(*windows[0].shape[:2], -1))
        series_of_file = standardised_series(found, 0.0, 1.0, torch.float32, "cpu")
        assert isinstance(series_of_file, SeriesOnDisk)
        output = in_a_file.predict(windows[0][:50_000])
    np.testing.assert_array_equal(output, in_memory.predict(windows[1][:50_000]))


@pytest.mark.parametrize("dilation", [1, 3])
def test_a_window_array_over_a_file_is_read_batch_by_batch(dilation, tmp_path, small_lstm):
    values = series(20_000, 2, np.float32)
    starts = np.setdiff1d(np.arange(20_000 - 11 * dilation), [5000, 5001, 9000])
    y = values[starts + 11 * dilation, 0].astype(float)
    windows = [WindowArray(X, starts, 12, dilation) for X in (in_file(values, tmp_path), values)]
    predictions = []
    for X in windows:
        with sklearn.config_context(working_memory=0.1):
            found = find_windows(X)
            series_on_device = standardised_series(found, 0.0, 1.0, torch.float32, "cpu")
            assert isinstance(series_on_device, SeriesOnDisk) == (X is windows[0])
            predictions.append(small_lstm().fit(X[:9000], y[:9000]).predict(X))
    np.testing.assert_array_equal(*predictions)


def test_small_files_are_read_at_once(tmp_path):
    windows = find_windows(SlidingWindowTransformer(5).fit_transform(in_file(series(), tmp_path)))
    assert isinstance(standardised_series(windows, 0.0, 1.0, torch.float32, "cpu"), torch.Tensor)


def test_values_too_large_for_the_precision_are_found_in_a_file(tmp_path, small_lstm, low_limit):
    values = series()
    values[2000, 1] = 1e300
    pipe = make_pipeline(SlidingWindowTransformer(5), small_lstm(standardize=False))
    with pytest.raises(ValueError, match="too large for torch.float32"):
        pipe.fit(in_file(values, tmp_path), values[:, 0])


@pytest.mark.parametrize("mode", ["r+", "c"])
def test_changes_of_a_mapped_array_are_kept(mode, tmp_path):
    X = in_file(series(), tmp_path, mode)
    X[7] = 0.5
    let_go(X)
    np.testing.assert_array_equal(X[7], [0.5] * 3)


def test_anonymous_memory_maps_keep_their_values(low_limit):
    private = (
        mmap.mmap(-1, 80_000, flags=mmap.MAP_PRIVATE) if hasattr(mmap, "MAP_PRIVATE") else None
    )
    X = np.ndarray((1000, 10), buffer=private or mmap.mmap(-1, 80_000))
    X[:] = 1
    let_go(X)
    assert X.sum() == 10_000
    assert not stays_on_disk(X)


def test_windows_of_a_file_reach_other_processes(tmp_path, low_limit):
    windows = SlidingWindowTransformer(5).fit_transform(in_file(series(50_000), tmp_path))
    assert stays_on_disk(find_windows(windows).rows)
    sums = Parallel(n_jobs=2)(delayed(np.nansum)(part) for part in (windows, windows))
    assert sums == [np.nansum(windows)] * 2


def test_a_full_disk_is_an_error_that_changes_nothing(tmp_path, low_limit):
    resource = pytest.importorskip("resource", reason="limits are set by Unix's resource")
    windows = SlidingWindowTransformer(5).fit(series())
    X = in_file(series(), tmp_path)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limit[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            windows.transform(X)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert windows.transform(X).shape == (3000, 5, 3)


@needs_proc
def test_a_series_is_not_read_into_memory(tmp_path):
    """The series has 300 MB, of which half can be allocated: too little for a copy in memory."""
    script = """
        shape, path = (600_000, 64), sys.argv[1]
        X = np.memmap(path, np.float64, "w+", shape=shape)
        for start in range(0, len(X), 10_000):
            X[start : start + 10_000] = np.random.RandomState(start).randn(10_000, 64)
        X = np.memmap(path, np.float64, "r", shape=shape)
        os.unlink(path)  # pytest keeps its folders
        y = np.full(len(X), np.nan)
        y[::300] = X[::300, 0]  # 2,000 windows to train on
        warm_up(64, float)
        pipe = model(3)
        limit = status("VmData") + X.nbytes // 2
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        with sklearn.config_context(working_memory=64):
            print(peak(pipe.fit, X, y) / X.nbytes, peak(pipe.predict, X) / X.nbytes)
        try:
            pipe.fit(X, y)  # in memory, below the limit of 1,024 MiB
        except MemoryError:
            print("too large")
    """
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    # torch may create a folder in the first fit of a process: keep it out of TMPDIR.
    folders = {"TMPDIR": str(temporary), "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "torch")}
    peaks, in_memory = run(script, str(tmp_path / "series"), **folders).splitlines()
    assert max(float(peak) for peak in peaks.split()) < 0.5
    assert in_memory == "too large"
    assert not list(temporary.iterdir())
