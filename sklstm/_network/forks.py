"""A fork waits until the threads that have computed are gone.

MKL keeps memory for each thread, and frees it when the thread ends, under a lock of the process.
Before Python 3.13, ``Thread.join`` returns before that. A fork at this moment copies a lock that
is held, and in the new process the next product of matrices never ends.
"""

from __future__ import annotations

import os
import threading
import time

_TASKS = "/proc/self/task"  # a folder for each thread that is not gone
_SECONDS = 1.0  # the end of a thread takes much less

_have_computed: set[int] = set()


def note_thread() -> None:
    """Remember that the calling thread computes."""
    _have_computed.add(threading.get_native_id())


def _wait_for_ended_threads() -> None:
    running = {thread.native_id for thread in threading.enumerate()}
    ended = _have_computed - running
    until = time.monotonic() + _SECONDS
    while any(os.path.exists(f"{_TASKS}/{thread}") for thread in ended):
        if time.monotonic() > until:
            break
        time.sleep(0.001)
    _have_computed.difference_update(ended)


if os.path.isdir(_TASKS):
    os.register_at_fork(before=_wait_for_ended_threads)
