"""Make the memory allocator of the C library keep freed memory during training."""

from __future__ import annotations

import ctypes
import os

from sklstm._network.process_setting import ProcessSetting

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h
_LARGE_BLOCK = 2**25  # the highest that glibc itself sets after a process has freed large blocks
_LARGEST_BLOCK = 2**30  # of a training step


def _glibc() -> ctypes.CDLL | None:
    """Load glibc, unless the user has configured its allocator or this system has none."""
    if any(name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in os.environ):
        return None
    try:
        return ctypes.CDLL(None) if os.confstr("CS_GNU_LIBC_VERSION") else None
    except (AttributeError, OSError, TypeError, ValueError):
        return None  # another operating system or C library


def _keep_freed_memory(glibc: ctypes.CDLL | None) -> None:
    """Make the allocator keep the memory that a training step frees, for the next step.

    By default it returns large blocks to the system at once. When the next step asks for them
    again, the system fills each page with zeros. This takes up to 40 % of the training time.

    Large blocks, such as those of the data sets, are returned as usual: see ``large_blocks_kept``.
    """
    if glibc is not None:
        glibc.mallopt(_M_MMAP_THRESHOLD, _LARGE_BLOCK)
        glibc.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
        glibc.malloc_trim(0)


def _return_freed_memory(glibc: ctypes.CDLL | None) -> None:
    if glibc is not None:
        # The highest value that glibc itself sets after a process has freed large blocks.
        glibc.mallopt(_M_TRIM_THRESHOLD, 2 * _LARGE_BLOCK)
        glibc.malloc_trim(0)


def _keep_large_blocks(glibc: ctypes.CDLL | None) -> None:
    if glibc is not None:
        glibc.mallopt(_M_MMAP_THRESHOLD, _LARGEST_BLOCK)


def _return_large_blocks(glibc: ctypes.CDLL | None) -> None:
    if glibc is not None:
        glibc.mallopt(_M_MMAP_THRESHOLD, _LARGE_BLOCK)


freed_memory_kept = ProcessSetting(_glibc, _keep_freed_memory, _return_freed_memory)
# Inside of it, for the training steps of large networks.
large_blocks_kept = ProcessSetting(_glibc, _keep_large_blocks, _return_large_blocks)
