"""Set the state of torch and of the process for a call, and restore it afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

from sklstm._network.allocator import freed_memory_kept
from sklstm._network.forks import note_thread
from sklstm._network.process_setting import ProcessSetting
from sklstm._network.threads import one_thread_of_torch

# Some optimizers make tensors without a type.
_float32_by_default = ProcessSetting(
    torch.get_default_dtype,
    lambda _: torch.set_default_dtype(torch.float32),
    torch.set_default_dtype,
)

# With these settings a GPU repeats its bits, and computes float32 as such. cuDNN's LSTM takes TF32
# unless told otherwise, and products of matrices take it if the user says so. From 2.9 on torch has
# a precision for each kind of operation; to read the older settings is then an error if the user
# has set one of these. What was read is set again, also where it was that of all kinds.
_BY_KIND = hasattr(torch.backends.cudnn, "rnn")
_NAME, _EXACT = ("fp32_precision", "ieee") if _BY_KIND else ("allow_tf32", False)
_ON_A_GPU: list[tuple[Any, str, Any]] = [
    (torch.backends.cudnn, "benchmark", False),
    (torch.backends.cudnn, "deterministic", True),
    (torch.backends.cudnn.rnn if _BY_KIND else torch.backends.cudnn, _NAME, _EXACT),
    (torch.backends.cuda.matmul, _NAME, _EXACT),
]


def _set_on_a_gpu(values: list[Any]) -> None:
    for (place, name, _), value in zip(_ON_A_GPU, values, strict=True):
        setattr(place, name, value)


_exact_on_a_gpu = ProcessSetting(
    lambda: [getattr(place, name) for place, name, _ in _ON_A_GPU],
    lambda _: _set_on_a_gpu([value for *_, value in _ON_A_GPU]),
    _set_on_a_gpu,
)


@contextmanager
def torch_state(training: bool) -> Iterator[None]:
    """Run a block with or without gradients, on one thread of torch; then restore the state.

    Inside the block, the user's settings have no effect: grad mode, autocast, default device and
    dtype, and on a GPU cuDNN's benchmark mode and nondeterministic algorithms, and TF32.
    """
    note_thread()
    with one_thread_of_torch.changed(), torch.inference_mode(not training), ExitStack() as stack:
        if training:  # inference mode already turns gradients off
            stack.enter_context(freed_memory_kept.changed())
            stack.enter_context(_float32_by_default.changed())
            stack.enter_context(torch.set_grad_enabled(True))
        if torch.empty(0).device.type != "cpu":  # only then, since it slows down every operation
            stack.enter_context(torch.device("cpu"))
        for kind in ("cpu", "cuda"):
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        if torch.cuda.is_available():
            stack.enter_context(_exact_on_a_gpu.changed())
        yield
