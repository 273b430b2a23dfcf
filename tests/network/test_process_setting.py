"""A setting of the process that is changed during calls."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from sklstm._network import process_setting, runtime
from sklstm._network.allocator import freed_memory_kept
from sklstm._network.process_setting import ProcessSetting
from sklstm._network.runtime import torch_state
from sklstm._network.threads import one_thread_of_torch

pytestmark = pytest.mark.family("global state")


class Value:
    """A setting whose value is "before", or "during" while it is changed."""

    def __init__(self, per_thread=False):
        self.now, self.n_changes = "before", 0
        self.setting = ProcessSetting(lambda: self.now, self.change, self.restore, per_thread)

    def change(self, before):
        assert before == "before"
        self.now, self.n_changes = "during", self.n_changes + 1

    def restore(self, before):
        self.now = before


def test_the_first_of_overlapping_calls_changes_and_the_last_restores():
    value = Value()
    with value.setting.changed():
        with value.setting.changed():
            assert (value.now, value.n_changes) == ("during", 1)
        assert value.now == "during"
    assert value.now == "before"


def test_an_error_puts_the_setting_back():
    value = Value()
    with pytest.raises(ArithmeticError), value.setting.changed():
        raise ArithmeticError
    assert value.now == "before"
    with value.setting.changed():
        assert (value.now, value.n_changes) == ("during", 2)


@pytest.mark.parametrize(("per_thread", "n_changes"), [(False, 1), (True, 2)])
def test_a_setting_of_each_thread_is_changed_by_each(per_thread, n_changes):
    value, entered = Value(per_thread), threading.Barrier(2, timeout=30)

    def call(_):
        with value.setting.changed(), value.setting.changed():
            entered.wait()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(call, range(2)))
    assert (value.now, value.n_changes) == ("before", n_changes)


def interrupted(call, files, number):
    """Raise KeyboardInterrupt at the line with this number of those that run in ``files``."""
    n_lines = 0

    def trace(frame, event, argument):
        nonlocal n_lines
        if frame.f_code.co_filename not in files:
            return None
        if event == "line":
            n_lines += 1
            if n_lines == number:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


def test_an_interrupt_at_any_line_leaves_the_setting_restored():
    """Non-regression test: the counter of calls was wrong, so torch stayed at one thread."""
    number = 1
    while True:
        value = Value()

        def call(value=value):
            with value.setting.changed():
                assert value.now == "during"

        if not interrupted(call, {process_setting.__file__, __file__}, number):
            break
        assert value.now == "before", number
        assert value.setting.calls == {}
        number += 1
    assert number > 20


@pytest.mark.parametrize("training", [True, False])
def test_an_interrupt_at_any_line_leaves_torch_as_before(training):
    def state():
        calls = [one_thread_of_torch.calls, freed_memory_kept.calls]
        modes = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
        return torch.get_num_threads(), torch.get_default_dtype(), modes, calls

    def call():
        with torch_state(training):
            assert torch.get_num_threads() == 1

    n_threads, number = torch.get_num_threads(), 1
    torch.set_num_threads(3)
    torch.set_default_dtype(torch.float64)
    try:
        before = state()
        files = {process_setting.__file__, runtime.__file__}
        while interrupted(call, files, number):
            assert state() == before, number
            number += 1
        assert number > 30
    finally:
        torch.set_num_threads(n_threads)
        torch.set_default_dtype(torch.float32)
