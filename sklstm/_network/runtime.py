"""Set the state of torch and of the process for a call, and restore it afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch

from sklstm._network.allocator import freed_memory_kept
from sklstm._network.process_setting import ProcessSetting
from sklstm._network.threads import one_thread_of_torch

# Some optimizers make tensors without a type.
_float32_by_default = ProcessSetting(
    torch.get_default_dtype,
    lambda _: torch.set_default_dtype(torch.float32),
    torch.set_default_dtype,
)


@contextmanager
def torch_state(training: bool) -> Iterator[None]:
    """Run a block with or without gradients, on one thread of torch; then restore the state.

    Inside the block, the user's settings have no effect: grad mode, autocast, default device and
    dtype, and on a GPU cuDNN's benchmark mode, TF32 and nondeterministic algorithms.
    """
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
            exact = {"benchmark": False, "deterministic": True, "allow_tf32": False}
            enabled = torch.backends.cudnn.enabled
            stack.enter_context(torch.backends.cudnn.flags(enabled=enabled, **exact))
        yield
