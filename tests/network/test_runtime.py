"""Threads, memory and precision around a call."""

import os
import resource
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from sklstm import LSTMRegressor
from sklstm._network import runtime
from tests.machine import needs_bfloat16, needs_fork, needs_glibc, needs_x86

X = np.random.RandomState(0).randn(60, 5)


LARGE = 10**12


def test_an_int_of_n_jobs_has_the_meaning_of_scikit_learn(monkeypatch):
    monkeypatch.setattr(runtime.joblib, "cpu_count", lambda: 8)
    n_jobs = (1, 3, 99, -1, -2, -100)
    assert [runtime.n_threads(n, LARGE, 99) for n in n_jobs] == [1, 3, 8, 8, 7, 1]


def test_none_of_n_jobs_is_what_torch_is_set_to(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 6)
    assert runtime.n_threads(None, LARGE, 99) == 6


def test_no_more_threads_are_used_than_there_is_work_and_parts_of_it_for(monkeypatch):
    monkeypatch.setattr(runtime.joblib, "cpu_count", lambda: 8)
    small = runtime.work_of((16,), n_features=1, window_size=12, n_windows=64)
    large = runtime.work_of((256, 256), n_features=8, window_size=96, n_windows=64)
    assert runtime.n_threads(-1, small, 4) == 1
    assert [runtime.n_threads(-1, large, parts) for parts in (0, 1, 4, 99)] == [1, 1, 4, 8]


def test_work_is_counted_in_multiply_adds():
    work = runtime.work_of((5, 3), n_features=2, window_size=7, n_windows=11)
    assert work == 11 * 7 * 4 * (5 * (2 + 5) + 3 * (5 + 3))


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("batch_size", [1, 64, 100, 256])
def test_a_share_is_what_threads_and_memory_allow(batch_size, threads):
    small = runtime.share_size(batch_size, 16, 12, "float32", threads)
    assert small == -(-batch_size // threads)
    for window_size in (168, 2_000, 50_000):
        share = runtime.share_size(batch_size, 64, window_size, "float32", threads)
        assert 1 <= share <= small
        taken = threads * share * runtime._BYTES_PER_UNIT["float32"] * 64 * window_size
        assert share == 1 or taken <= 2 * runtime._TRAINING_BYTES
        assert runtime.share_size(batch_size, 64, window_size, "bfloat16", threads) >= share


@pytest.mark.parametrize("training", [True, False])
def test_modes_of_torch_are_as_before_after_a_call_that_fails(training):
    before = torch.get_num_threads(), torch.is_grad_enabled(), torch.is_inference_mode_enabled()
    with runtime.torch_state(training):
        assert torch.get_num_threads() == 1
        assert torch.is_grad_enabled() is training
        state = runtime.torch_state(not training)
    with pytest.raises(ArithmeticError), state:
        raise ArithmeticError
    after = torch.get_num_threads(), torch.is_grad_enabled(), torch.is_inference_mode_enabled()
    assert after == before


def test_each_of_overlapping_calls_has_one_thread_and_leaves_as_many_as_before():
    entered, left = threading.Barrier(2, timeout=30), threading.Barrier(2, timeout=30)
    seen = []

    def call(leaves_first):
        torch.set_num_threads(3)
        with runtime.torch_state(training=True):
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


def test_threads_of_a_fit_take_one_of_torch_even_if_they_start_after_another_fit_has_ended():
    """Non-regression test: they took the number that the other fit had put back."""
    before = torch.get_num_threads()
    with runtime.torch_state(training=True), runtime.thread_map(2) as map_:
        torch.set_num_threads(3)  # as the end of another fit does
        assert list(map_(lambda _: torch.get_num_threads(), range(4))) == [1] * 4
    assert torch.get_num_threads() == before


FAULTS = """
import resource, torch
from sklstm._network import runtime

def faults(n_steps):  # of 20 blocks of 4 MB, all alive at once and then freed, as in a step
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(n_steps):
        blocks = [torch.ones(2**20) for _ in range(20)]
        del blocks
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

with runtime.torch_state(training=True):
    faults(2)
    inside = faults(10)
print(inside, faults(10))
"""


@needs_glibc
@pytest.mark.parametrize("by_user", [False, True])
def test_a_step_finds_the_memory_that_the_step_before_has_freed(by_user, monkeypatch):
    for name in ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES"):
        monkeypatch.delenv(name, raising=False)
    if by_user:  # who has chosen how the allocator works is left alone
        monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "131072")
    command = [sys.executable, "-c", FAULTS]
    inside, outside = map(int, subprocess.check_output(command, text=True).split())
    step = 20 * 2**22 // resource.getpagesize()
    assert inside > 5 * step if by_user else inside < step / 10
    assert outside > step / 2  # the memory was handed back at the end


def test_calls_in_threads_give_their_results_in_order_and_the_caller_takes_part():
    seen, meet = set(), threading.Barrier(2, timeout=30)

    def call(number, factor):
        if number < 2:
            meet.wait()  # each of the first two calls needs a thread of its own
        seen.add(threading.get_ident())
        return number * factor

    with runtime.thread_map(2) as map_:
        assert list(map_(call, range(9), [10] * 9)) == list(range(0, 90, 10))
    assert len(seen) == 2
    assert threading.get_ident() in seen


@pytest.mark.parametrize("number", [0, 1, 7])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_an_error_of_a_call_in_any_thread_is_raised(number, threads):
    with runtime.thread_map(threads) as map_, pytest.raises(ZeroDivisionError):
        list(map_(lambda n: 1 / (n - number), range(8)))


FORK = """
import multiprocessing
import numpy as np
from sklstm import LSTMRegressor
from sklstm._network import runtime
from tests.machine import needs_bfloat16, needs_fork, needs_glibc, needs_x86

runtime._WORK_OF_A_THREAD = 1  # threads for a small network too
X = np.random.RandomState(0).randn(200, 5)

def fitted(queue=None):
    lstm = LSTMRegressor(4, max_epochs=2, n_jobs=2, random_state=0).fit(X, X[:, 0])
    sent = lstm.predict(X).sum()
    return sent if queue is None else queue.put(sent)

here, fork = fitted(), multiprocessing.get_context("fork")
queue = fork.Queue()
process = fork.Process(target=fitted, args=(queue,))
process.start()
print(here == queue.get(timeout=60))
"""


@needs_fork
def test_a_process_can_be_forked_after_a_fit_in_threads():
    """Non-regression test: with torch's own threads, the forked process hung."""
    output = subprocess.check_output([sys.executable, "-c", FORK], text=True, timeout=120)
    assert output.strip() == "True"


@pytest.mark.precision
def test_bfloat16_is_refused_where_the_processor_has_none(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True})
    model = LSTMRegressor(4, max_epochs=1, precision="bfloat16", device="cpu")
    with pytest.raises(ValueError, match="precision='bfloat16'.*AVX512-BF16 or AMX.*float32"):
        model.fit(X, X[:, 0])


@pytest.mark.precision
@pytest.mark.parametrize("flag", ["avx512_bf16", "amx_bf16", "bf16"])
def test_bfloat16_is_found_by_what_the_processor_can_do(flag, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {flag: True})
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: True)
    assert runtime.has_bfloat16("cpu")


BFLOAT16 = """
import numpy as np
from sklstm import LSTMRegressor

X = np.random.RandomState(0).randn(60, 5)
LSTMRegressor(4, max_epochs=1, precision="bfloat16", device="cpu").fit(X, X[:, 0])
"""


@pytest.mark.precision
@needs_x86
def test_bfloat16_is_refused_where_onednn_is_told_not_to_use_it():
    """Non-regression test: the processor has it, but oneDNN found no way to compute in it."""
    held_down = os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}
    command = [sys.executable, "-c", BFLOAT16]
    run = subprocess.run(command, env=held_down, capture_output=True, text=True)
    assert "ValueError: precision='bfloat16', but device 'cpu'" in run.stderr
    assert "Use precision='float32'." in run.stderr


@pytest.mark.precision
@needs_bfloat16
@pytest.mark.parametrize("sizes", [(4,), (32, 16)])
def test_a_fit_in_bfloat16_rounds_and_predicts_nearly_the_same(sizes):
    fits = {}
    for precision in ("float32", "bfloat16"):
        model = LSTMRegressor(sizes, max_epochs=3, linear_skip=False, random_state=0)
        model.set_params(precision=precision, device="cpu").fit(X, X[:, 0])
        fits[precision] = model.predict(X)
    error = np.abs(fits["bfloat16"] - fits["float32"]).max()
    assert 0 < error < 0.05 * np.std(X[:, 0])
