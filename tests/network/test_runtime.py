"""The state of torch before, during and after a call."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from sklstm._network.runtime import torch_state

pytestmark = pytest.mark.family("global state")

BACKENDS = torch.backends
needs_precision_by_kind = pytest.mark.skipif(
    not hasattr(BACKENDS.cudnn, "rnn"), reason="torch before 2.9 has no precision for each kind"
)


@pytest.mark.parametrize("training", [True, False])
def test_modes_of_torch_are_as_before_after_a_call_that_fails(training):
    before = torch.get_num_threads(), torch.is_grad_enabled(), torch.is_inference_mode_enabled()
    with torch_state(training):
        assert torch.get_num_threads() == 1
        assert torch.is_grad_enabled() is training
        state = torch_state(not training)
    with pytest.raises(ArithmeticError), state:
        raise ArithmeticError
    after = torch.get_num_threads(), torch.is_grad_enabled(), torch.is_inference_mode_enabled()
    assert after == before


def test_each_of_overlapping_calls_has_one_thread_and_leaves_as_many_as_before():
    ready, entered, left = (threading.Barrier(2, timeout=30) for _ in range(3))
    seen = []

    def call(leaves_first):
        torch.set_num_threads(3)
        ready.wait()  # so that neither sets it within the other's call
        with torch_state(training=True):
            entered.wait()
            seen.append(torch.get_num_threads())
            if not leaves_first:
                left.wait()  # until the other call has ended
                seen.append(torch.get_num_threads())
        if leaves_first:
            left.wait()
        seen.append(torch.get_num_threads())

    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(call, [True, False]))
        assert sorted(seen) == [1, 1, 1, 3, 3]
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


@pytest.fixture
def precision_of_torch(monkeypatch):
    """Let torch find a GPU, and restore its settings: they exist without a GPU too."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    places = BACKENDS.cudnn.rnn, BACKENDS.cudnn.conv, BACKENDS.cuda.matmul
    before = [place.fp32_precision for place in places]
    yield
    torch.set_float32_matmul_precision("highest")
    BACKENDS.fp32_precision = "none"
    BACKENDS.cudnn.allow_tf32 = True
    for place, value in zip(places, before, strict=True):
        place.fp32_precision = value
    BACKENDS.cudnn.benchmark = BACKENDS.cudnn.deterministic = False


def precision_of_a_gpu():
    """What cuDNN's LSTM and products of matrices compute float32 in."""
    return BACKENDS.cudnn.rnn.fp32_precision, BACKENDS.cuda.matmul.fp32_precision


def of_all_kinds():
    BACKENDS.fp32_precision = "tf32"


def of_products():
    torch.set_float32_matmul_precision("high")


def of_products_by_the_older_setting():
    BACKENDS.cuda.matmul.allow_tf32 = True


def of_the_lstm_alone():
    """Non-regression test: to read the older setting was then an error."""
    BACKENDS.cudnn.rnn.fp32_precision = "ieee"


@needs_precision_by_kind
@pytest.mark.usefixtures("precision_of_torch")
@pytest.mark.parametrize(
    "choose",
    [
        lambda: None,
        of_all_kinds,
        of_products,
        of_products_by_the_older_setting,
        of_the_lstm_alone,
    ],
)
@pytest.mark.parametrize("training", [True, False])
def test_a_gpu_computes_float32_whatever_precision_the_user_chose_for_torch(choose, training):
    choose()
    BACKENDS.cudnn.benchmark = True
    before = precision_of_a_gpu()
    with torch_state(training):
        assert precision_of_a_gpu() == ("ieee", "ieee")
        assert (BACKENDS.cudnn.benchmark, BACKENDS.cudnn.deterministic) == (False, True)
    assert precision_of_a_gpu() == before
    assert (BACKENDS.cudnn.benchmark, BACKENDS.cudnn.deterministic) == (True, False)


@needs_precision_by_kind
@pytest.mark.usefixtures("precision_of_torch")
def test_precision_is_restored_after_the_last_of_overlapping_calls():
    first, second = torch_state(True), torch_state(False)
    first.__enter__()
    with second:
        pass
    assert precision_of_a_gpu() == ("ieee", "ieee")
    first.__exit__(None, None, None)
    assert precision_of_a_gpu()[0] == "tf32"
