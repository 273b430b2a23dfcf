"""The state of torch and of the process during a call, and after it as before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch

from sklstm._network.allocator import freed_memory_kept
from sklstm._network.threads import one_thread_of_torch


@contextmanager
def torch_state(training: bool) -> Iterator[None]:
    """Run a block with gradients or without, on one thread of torch, then as before.

    The user's own settings do not count inside: grad mode, autocast, and on a GPU the faster
    and less exact choices of cuDNN.
    """
    with one_thread_of_torch(), torch.inference_mode(not training), ExitStack() as stack:
        if training:  # inference mode is without gradients already
            stack.enter_context(freed_memory_kept)
            stack.enter_context(torch.set_grad_enabled(True))
        for kind in ("cpu", "cuda"):
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        if torch.cuda.is_available():
            exact = {"benchmark": False, "deterministic": True, "allow_tf32": False}
            enabled = torch.backends.cudnn.enabled
            stack.enter_context(torch.backends.cudnn.flags(enabled=enabled, **exact))
        yield
