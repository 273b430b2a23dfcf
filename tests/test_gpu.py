"""What an estimator does on a GPU: ``pytest -m gpu``."""

import pickle
import warnings

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback, EpochScoring, LRScheduler

from sklstm import LSTMRegressor, SlidingWindowTransformer
from sklstm._network.device import has_bfloat16
from tests.machine import needs_gpu

pytestmark = [pytest.mark.gpu, needs_gpu]

DEVICE = "cuda"
N_ROWS = 600
NOISE = np.random.RandomState(0).randn(N_ROWS, 2)
ROWS = NOISE + 0.1 * np.random.RandomState(1).randn(N_ROWS, 2).cumsum(axis=0)
TARGET = np.abs(NOISE[:, 0]) + 0.1 * ROWS[:, 1]  # a linear map alone does not predict it
HOLED = ROWS.copy()
HOLED[[100, 101, 300, 555]] = HOLED[40::50, 0] = np.nan
WEIGHTS = np.linspace(0, 2, N_ROWS)

# Parameters, and how far predictions may be from those of a fit on the processor, in standard
# deviations. None: dropout draws other numbers on a GPU, and bfloat16 rounds the training.
OPTIONS = {
    "defaults": ({}, 1e-3),
    "loss at the last step": ({"supervise": "last"}, 1e-3),
    "network alone": ({"linear_skip": False}, 1e-3),
    "two layers": ({"hidden_layer_sizes": (8, 5)}, 1e-3),
    "more than 192 units": ({"hidden_layer_sizes": 200}, 1e-3),  # cuDNN has two algorithms
    "dropout": ({"hidden_layer_sizes": (16, 16), "dropout": 0.3}, None),
    "both directions": ({"bidirectional": True}, 1e-3),
    "absolute error": ({"loss": "absolute_error"}, 1e-3),
    "sgd": ({"optimizer": "sgd"}, 1e-3),
    "optimizer of a class": ({"optimizer": torch.optim.RMSprop}, 1e-2),
    "no clipping, no averages": ({"gradient_clip": None, "ema_decay": 0.0}, 1e-3),
    "no early stopping": ({"early_stopping": False}, 1e-3),
    "float64": ({"precision": "float64"}, 1e-6),
    "bfloat16": ({"precision": "bfloat16"}, None),
}


def windows_of(rows=ROWS, window_size=10):
    return SlidingWindowTransformer(window_size).fit_transform(rows)


def lstm(device=DEVICE, **params):
    fast = {"hidden_layer_sizes": 8, "learning_rate": 0.01, "max_epochs": 3, "random_state": 0}
    return LSTMRegressor(**(fast | params), device=device)


def on_cpu(model):
    """Move a copy of a fitted model to the processor."""
    moved = pickle.loads(pickle.dumps(model))
    moved.net_.module_.to("cpu")
    return moved


def assert_close(values, expected, limit):
    assert np.abs(values - expected).max() <= limit * expected.std()


@pytest.fixture(params=OPTIONS)
def option(request):
    params, limit = OPTIONS[request.param]
    if params.get("precision") == "bfloat16" and not has_bfloat16(DEVICE):
        pytest.skip("this GPU has no bfloat16")
    return params, limit


@pytest.mark.parametrize("rows", [ROWS, HOLED], ids=["whole", "holed"])
def test_a_fit_repeats_and_is_near_that_of_the_processor(option, rows):
    params, limit = option
    windows = windows_of(rows)
    model = lstm(**params).fit(windows, TARGET)
    assert model.net_.module_.head.weight.device.type == DEVICE
    predicted = model.predict(windows)
    np.testing.assert_array_equal(lstm(**params).fit(windows, TARGET).predict(windows), predicted)
    low = params.get("precision") == "bfloat16"
    assert_close(predicted, on_cpu(model).predict(windows), 0.1 if low else 1e-5)
    if limit is not None:
        assert_close(predicted, lstm("cpu", **params).fit(windows, TARGET).predict(windows), limit)


@pytest.mark.parametrize("rows", [ROWS, HOLED], ids=["whole", "holed"])
@pytest.mark.parametrize("n_rows", [N_ROWS, 6_000])
def test_a_row_alone_has_the_bits_of_the_row_in_a_batch(option, rows, n_rows):
    params, _ = option
    model = lstm(**params).fit(windows_of(rows), TARGET)
    windows = windows_of(np.tile(rows, (n_rows // N_ROWS, 1)))
    together = model.predict(windows)
    parts = [slice(row, row + 1) for row in (0, 1, 42, 101, 303, n_rows - 1)]
    parts += [slice(0, 2), slice(7, 40), slice(90, 500), slice(1, n_rows)]
    for part in parts:
        np.testing.assert_array_equal(model.predict(windows[part]), together[part])


def test_auto_is_the_gpu():
    model = lstm("auto").fit(windows_of(), TARGET)
    assert model.net_.module_.head.weight.device.type == DEVICE


def test_weights_and_several_outputs_are_those_of_the_processor():
    targets = np.stack([TARGET, ROWS[:, 0], TARGET[::-1]], axis=1)
    targets[::7, 1] = np.nan
    fits = [lstm(device).fit(windows_of(), targets, WEIGHTS) for device in (DEVICE, "cpu")]
    gpu, cpu = (model.predict(windows_of()) for model in fits)
    assert_close(gpu, cpu, 1e-3)


@pytest.mark.parametrize("name", ["cudnn", "products"])
def test_the_precision_that_the_user_chose_for_torch_has_no_effect(name):
    expected = lstm(linear_skip=False).fit(windows_of(), TARGET).predict(windows_of())
    place = {"cudnn": torch.backends.cudnn, "products": torch.backends.cuda.matmul}[name]
    before = place.allow_tf32
    place.allow_tf32 = not before
    try:
        changed = lstm(linear_skip=False).fit(windows_of(), TARGET).predict(windows_of())
        assert place.allow_tf32 is not before
    finally:
        place.allow_tf32 = before
    np.testing.assert_array_equal(changed, expected)


def test_a_fit_goes_on_after_a_warm_start_and_after_pickling():
    model = lstm(warm_start=True).fit(windows_of(), TARGET)
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(loaded.predict(windows_of()), model.predict(windows_of()))
    model.fit(windows_of(), TARGET)
    loaded.fit(windows_of(), TARGET)
    assert loaded.n_iter_ == model.n_iter_
    np.testing.assert_array_equal(loaded.predict(windows_of()), model.predict(windows_of()))


def test_early_stopping_keeps_the_best_epoch():
    model = lstm(max_epochs=60, n_iter_no_change=3, learning_rate=0.05).fit(windows_of(), TARGET)
    assert model.n_iter_ < 60
    assert model.best_epoch_ == 1 + int(np.argmin(model.validation_loss_curve_))


def test_callbacks_see_each_batch_and_its_loss():
    seen = []

    class Watch(Callback):
        def on_batch_end(self, net, training=False, y_pred=None, **kwargs):
            name = "train_loss" if training else "valid_loss"
            seen.append((net.history[-1, "batches", -1, name], y_pred.device.type))

    score = EpochScoring("neg_mean_squared_error", on_train=True, name="score")
    schedule = LRScheduler("StepLR", step_size=1, gamma=0.5)
    watched = lstm(callbacks=[Watch(), score, schedule]).fit(windows_of(), TARGET)
    assert all(type(loss) is float and kind == DEVICE for loss, kind in seen)
    assert len(seen) > 3
    assert np.isfinite(watched.net_.history[-1, "score"])
    alone = lstm().fit(windows_of(), TARGET)
    only_watched = lstm(callbacks=[Watch()]).fit(windows_of(), TARGET)
    assert only_watched.loss_curve_ == alone.loss_curve_


def test_a_loss_that_is_not_finite_is_an_error():
    diverges = {"learning_rate": 1e30, "optimizer": "sgd", "gradient_clip": None}
    with pytest.raises(ValueError, match="not finite in epoch 1. Lower learning_rate"):
        lstm(**diverges, linear_skip=False, precision="float32").fit(windows_of(), TARGET * 1e4)


@pytest.mark.parametrize("rows", [ROWS, HOLED], ids=["whole", "holed"])
@pytest.mark.parametrize("supervise", ["last", "every_step"])
def test_no_training_step_waits_for_the_gpu(rows, supervise):
    """torch warns of each operation for which the processor waits."""
    params = {"supervise": supervise, "batch_size": 8, "dropout": 0.2, "linear_skip": False}
    counts = []
    for n_rows in (120, N_ROWS):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            torch.cuda.set_sync_debug_mode("warn")
            try:
                lstm(**params).fit(windows_of(rows[:n_rows]), TARGET[:n_rows])
            finally:
                torch.cuda.set_sync_debug_mode("default")
        counts.append(sum("synchronizing" in str(warning.message) for warning in caught))
    n_more_batches = 3 * (N_ROWS - 120) // 8 // (1 if supervise == "last" else 3)
    assert counts[1] - counts[0] < n_more_batches / 4
