"""What surrounds every call: device, threads, torch's modes and the memory allocator."""

from __future__ import annotations

import ctypes
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import joblib
import torch

# Fewest multiply-adds, and windows of a batch, for which a thread pays: benchmarks/threads.py.
_WORK_OF_A_THREAD = 30_000_000
SMALLEST_SHARE = 16

# What training may take for the forward and backward pass over all threads, for 64 units and
# up to four times that for more, and by measurement the bytes for each unit and step.
_TRAINING_BYTES = 64 * 2**20
_BYTES_PER_UNIT = {"float32": 88, "float64": 176, "bfloat16": 56}


def resolve_device(device):
    """Turn ``device="auto"`` into the first GPU, or the processor if there is none."""
    if device != "auto":
        return device
    return "cuda" if torch.cuda.is_available() else "cpu"


def check_device(device) -> None:
    """Refuse a device that torch does not know, or does not find on this machine."""
    if device == "auto":
        return
    try:
        known = torch.device(device).type != "meta"
    except RuntimeError:
        known = False
    if not known:
        raise ValueError(f"device must be 'auto', 'cpu', 'cuda' or 'cuda:N', got {device!r}.")
    try:
        torch.empty(0, device=device)
    except Exception as error:  # each kind of device has its own
        raise ValueError(
            f"device={device!r}, but torch finds no such device here. Use device='auto' for "
            "a GPU where there is one and the processor elsewhere."
        ) from error


def check_precision(precision, device) -> None:
    """Refuse ``precision="bfloat16"`` where the device has no instructions for it."""
    device = resolve_device(device)
    if precision == "bfloat16" and not has_bfloat16(device):
        raise ValueError(
            f"precision='bfloat16', but device {device!r} of this machine cannot compute in it: "
            "that takes a processor with AVX512-BF16 or AMX (or BF16 of ARM), or a GPU of "
            "NVIDIA's Ampere generation or later. Use precision='float32'."
        )


def has_bfloat16(device) -> bool:
    """Whether a device multiplies bfloat16 in hardware."""
    if torch.device(device).type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if not hasattr(torch.cpu, "get_capabilities"):  # an older torch
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    has = torch.cpu.get_capabilities()
    # oneDNN may be told not to use what the processor has (ONEDNN_MAX_CPU_ISA).
    on_x86 = has.get("avx512_bf16", False) or has.get("amx_bf16", False)
    return has.get("bf16", False) or (on_x86 and torch.ops.mkldnn._is_mkldnn_bf16_supported())


def work_of(sizes, n_features, window_size, n_windows) -> int:
    """Multiply-adds of the forward pass of so many windows."""
    below = [n_features, *sizes[:-1]]
    units = sum(4 * size * (size + inputs) for size, inputs in zip(sizes, below, strict=True))
    return n_windows * window_size * units


def n_threads(n_jobs, work, n_parts) -> int:
    """Threads for so much work in so many parts; ``n_jobs``, as in scikit-learn, is the most."""
    useful = min(n_parts, work // _WORK_OF_A_THREAD)
    if useful <= 1:
        return 1
    if n_jobs is None:
        # joblib tells its workers through the environment how many threads each may use,
        # and torch has read it when it was imported.
        return min(useful, torch.get_num_threads())
    n_cpus = joblib.cpu_count()
    return min(useful, min(int(n_jobs), n_cpus) if n_jobs > 0 else max(n_cpus + 1 + n_jobs, 1))


def share_size(batch_size, units, window_size, precision, threads) -> int:
    """Windows that one thread trains on at a time, by the number of threads and memory.

    Parameters
    ----------
    batch_size : int
    units : int
        Outputs of all layers for one step of a window.
    window_size : int
    precision : str
    threads : int
    """
    window_bytes = _BYTES_PER_UNIT[precision] * units * window_size
    allowed = _TRAINING_BYTES * min(max(units // 64, 1), 4)
    most = max(allowed // (window_bytes * threads), 1)
    if most >= SMALLEST_SHARE // 2:  # whole vectors
        most = max(round(most / SMALLEST_SHARE), 1) * SMALLEST_SHARE
    return min(most, -(-batch_size // threads))


class _Counted:
    """A setting of the whole process while calls need it, and as before after the last one.

    Calls can overlap in Python's threads.
    """

    def __init__(self, begin, end):
        self.begin, self.end = begin, end
        self.lock, self.calls, self.before = threading.Lock(), 0, None

    def __enter__(self):
        with self.lock:
            if self.calls == 0:
                self.before = self.begin()
            self.calls += 1
            return self.before

    def __exit__(self, *error):
        with self.lock:
            self.calls -= 1
            if self.calls == 0:
                self.end(self.before)


@contextmanager
def _one_thread():
    """One thread of torch, which keeps the number for each of Python's threads and for all."""
    with _threads_before as before:
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def _allocator():
    """Find the C library whose allocator can be set up, unless the user has done that."""
    if any(name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in os.environ):
        return None
    try:
        return ctypes.CDLL(None) if os.confstr("CS_GNU_LIBC_VERSION") else None
    except (AttributeError, OSError, TypeError, ValueError):
        return None  # another system or C library


_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h


def _keep_freed_memory():
    """Let the allocator keep what a training step frees, for the next step.

    By default it hands large blocks back to the system at once, and the system fills
    each page with zeros when the next step asks again: a third of the time of training.
    """
    allocator = _allocator()
    if allocator is not None:
        allocator.mallopt(_M_MMAP_THRESHOLD, 2**30)
        allocator.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
        allocator.malloc_trim(0)
    return allocator


def _return_freed_memory(allocator):
    if allocator is not None:
        # Where the thresholds move to by themselves in a process that frees large arrays.
        allocator.mallopt(_M_MMAP_THRESHOLD, 2**25)
        allocator.mallopt(_M_TRIM_THRESHOLD, 2**26)
        allocator.malloc_trim(0)


# Threads of torch wait for each other at every step of the recurrence, which becomes many times
# slower when other work keeps the processor busy. Python's threads share each batch instead.
_threads_before = _Counted(torch.get_num_threads, torch.set_num_threads)
_memory_kept = _Counted(_keep_freed_memory, _return_freed_memory)


@contextmanager
def thread_map(threads):
    """Give a ``map`` whose calls run in so many threads, of which this one is the first."""
    if threads == 1:
        yield map
        return

    def map_(function, *arguments):
        calls = list(zip(*arguments, strict=True))
        results, numbers = [None] * len(calls), iter(range(len(calls)))

        def work():
            for number in numbers:  # of which each thread takes the next
                results[number] = function(*calls[number])

        others = [pool.submit(work) for _ in range(min(threads, len(calls)) - 1)]
        work()  # here too: one thread less to wake in every step of training
        for other in others:
            other.result()
        return results

    # Each starts with one thread of torch, whatever a fit that ended meanwhile has set.
    start = {"initializer": torch.set_num_threads, "initargs": (1,)}
    with ThreadPoolExecutor(threads - 1, **start) as pool:
        yield map_


@contextmanager
def torch_state(training):
    """Run a block with gradients or without, on one thread of torch, then as before.

    Whatever the user has set around the call: grad mode, autocast, and on a GPU the
    faster and less exact choices of cuDNN.
    """
    with _one_thread(), torch.inference_mode(not training), ExitStack() as stack:
        if training:  # no gradients are part of the inference mode
            stack.enter_context(_memory_kept)
            stack.enter_context(torch.set_grad_enabled(True))
        for kind in ("cpu", "cuda"):
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        if torch.cuda.is_available():
            exact = {"benchmark": False, "deterministic": True, "allow_tf32": False}
            enabled = torch.backends.cudnn.enabled
            stack.enter_context(torch.backends.cudnn.flags(enabled=enabled, **exact))
        yield
