"""Predictions of all windows."""

import threading
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from sklstm import LSTMRegressor, SlidingWindowTransformer
from sklstm._linear.skip import LinearSkip
from sklstm._network.architecture import Architecture
from sklstm._network.module import StackedLSTM
from sklstm._network.prediction import predict_windows
from sklstm._network.runtime import torch_state
from sklstm._series.overlap import find_windows
from sklstm._series.windows import window_view
from tests.network.data import setup


@pytest.mark.parametrize("batch_size", [1, 8, 64])
def test_missing_values_are_filled_in_every_batch(batch_size):
    rows = np.random.RandomState(0).randn(50, 2)
    rows[[10, 11, 30]] = np.nan
    view, windows, series = setup(rows=rows)
    output = predict_windows(lambda x: x.flatten(1), series, windows, batch_size)
    known = [[step for step in window if not np.isnan(step).any()] for window in view]
    filled = [
        [
            next((s for s in window[step::-1] if not np.isnan(s).any()), steps[0])
            for step in range(4)
        ]
        for window, steps in zip(view, known, strict=True)
    ]
    np.testing.assert_array_equal(output, np.reshape(filled, (47, -1)))


def test_every_call_of_the_module_has_the_same_number_of_windows():
    _, windows, series = setup()
    sizes = []

    def module(x):
        sizes.append(len(x))
        return x[:, -1, :1]

    predict_windows(module, series, windows, batch_size=16)
    assert sizes == [16, 16, 16]


@pytest.mark.parametrize("n_rows", [1, 3])
def test_few_windows_are_padded_to_the_smallest_batch(n_rows):
    view, _, series = setup()
    few = find_windows(view[:n_rows])
    sizes = []

    def module(x):
        sizes.append(len(x))
        return x[:, -1, :1]

    output = predict_windows(module, series, few, batch_size=16, smallest=4)
    np.testing.assert_array_equal(output, view[:n_rows, -1, :1])
    assert sizes == [4]


@pytest.mark.parametrize("n_left_out", [1, 3, 20])
def test_windows_between_those_asked_for_change_no_output(n_left_out):
    view, windows, series = setup()
    left_out = np.random.RandomState(0).permutation(np.arange(1, 46))[:n_left_out]
    asked = np.delete(np.arange(47), left_out)
    some = replace(windows, starts=windows.starts[asked])
    sizes = []

    def module(x):
        sizes.append(len(x))
        return x[:, -1, :1]

    output = predict_windows(module, series, some, batch_size=8)
    np.testing.assert_array_equal(output, view[asked, -1, :1])
    assert sizes == [8] * (6 if n_left_out < 5 else 4)  # few are predicted too, many are not


def test_threads_predict_the_same_in_the_same_order():
    view, windows, series = setup()
    seen = set()

    def module(x):
        seen.add(threading.get_ident())
        time.sleep(0.01)  # so that the other thread takes the next batch
        return x[:, -1, :1]

    output = predict_windows(module, series, windows, batch_size=4, threads=2)
    np.testing.assert_array_equal(output, view[:, -1, :1])
    assert len(seen) == 2


SIZES = [1, 2, 3, 4, 5, 7, 8, 11, 13, 16, 18, 23, 26, 27, 28, 32, 33, 35, 39, 40, 64, 100]
# Layers, features, outputs, steps, both directions, linear map, missing steps.
NETWORKS = {
    "one step": (1, 1, 1, 1, False, True, False),
    "one output": (1, 1, 1, 5, False, False, False),
    "two layers": (2, 2, 3, 2, False, True, False),
    "both directions": (1, 2, 2, 7, True, False, False),
    "missing steps": (1, 3, 1, 30, False, True, True),
    "many outputs": (1, 5, 20, 3, True, True, True),
    "an odd number of inputs": (1, 7, 1, 3, False, False, False),
}


def random_network(architecture, window_size, generator):
    draw = {"dtype": architecture.dtype, "generator": generator}
    module = StackedLSTM(architecture, generator=generator).eval()
    module.head.requires_grad_(False).weight.normal_(generator=generator)  # zeros beside a map
    if architecture.beside_linear:
        n_outputs = architecture.n_outputs
        shapes = [(n_outputs, window_size, architecture.n_features), (n_outputs,), (), ()]
        module.skip = LinearSkip(*(torch.randn(shape, **draw) for shape in shapes))
    return module


@pytest.mark.precision
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_a_row_alone_has_the_bits_of_the_row_in_a_batch(precision, name):
    layers, n_features, n_outputs, window_size, *kind, holes = NETWORKS[name]
    generator = torch.Generator().manual_seed(0)
    n_windows, differ = 60, []
    for size in SIZES:
        sizes = (size,) * layers
        architecture = Architecture(n_features, sizes, n_outputs, *kind, precision)
        module = random_network(architecture, window_size, generator)
        shape = (n_windows + window_size - 1, n_features)
        series = torch.randn(shape, dtype=architecture.dtype, generator=generator)
        if holes:
            series[[3, 4, 20, 41]] = torch.nan
            series[10:14, 0] = torch.nan
        batch_size = architecture.prediction_batch(window_size)

        def predict(windows, module=module, series=series, batch=batch_size):
            rows = slice(windows.start, windows.stop + window_size - 1)
            found = find_windows(window_view(series[rows].numpy(), window_size))
            smallest = module.smallest_batch(batch, window_size)
            return predict_windows(module, series[rows], found, batch, smallest)

        with torch_state(training=False):
            together = predict(slice(0, n_windows))
            parts = [slice(i, i + 1) for i in (0, 7, 21, 22, 23, 46, 47, 58, 59)]
            parts += [slice(0, 2), slice(1, 4), slice(20, 37), slice(1, 60)]
            if not all(np.array_equal(predict(part), together[part]) for part in parts):
                differ.append(sizes)
    assert differ == []


@pytest.mark.parametrize("holes", [False, True])
def test_on_a_gpu_large_batches_predict_what_small_ones_do(holes, request):
    rows = np.random.RandomState(0).randn(5_000, 3)
    if holes:
        rows[20::70] = rows[31::50, 0] = np.nan
    windows = SlidingWindowTransformer(8).fit_transform(rows)
    target = np.abs(np.nan_to_num(rows[:, 1])) + 0.1 * np.nan_to_num(rows[:, 2])
    model = LSTMRegressor(8, max_epochs=2, n_jobs=1, random_state=0).fit(
        windows[:600], target[:600]
    )
    expected = model.predict(windows)
    request.getfixturevalue("as_on_a_gpu")
    sizes = []
    hook = model.net_.module_.register_forward_pre_hook(lambda _, x: sizes.append(len(x[0])))
    predicted = model.predict(windows)
    hook.remove()
    assert sizes == [4096, 4096]  # the last batch is filled up
    np.testing.assert_allclose(predicted, expected, rtol=1e-5, atol=1e-5)
    some = np.r_[3, 9, 14, 4_000:4_020]  # no successive windows
    np.testing.assert_allclose(model.predict(windows[some]), expected[some], rtol=1e-5, atol=1e-5)
