"""The state of torch before, during and after a call."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from sklstm._network.runtime import torch_state


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
