"""A fork waits until the threads that have computed are gone.

MKL keeps memory for each thread, and frees it when the thread ends, under a lock of the process.
Before Python 3.13, ``Thread.join`` returns before that. A fork at this moment copies a lock that
is held, and in the new process the next product of matrices never ends.
"""

from __future__ import annotations

import os
import threading
import time

_TASKS = "/proc/self/task"  # has a folder for each thread that is not gone
_SECONDS = 1.0  # the end of a thread takes much less
_MANY = 1000

_have_computed: set[int] = set()


def note_thread() -> None:
    """Remember that the calling thread computes."""
    _have_computed.add(threading.get_native_id())
    if len(_have_computed) > _MANY:  # a server that never forks begins threads without end
        _have_computed.difference_update(_have_computed - _tasks())


def _wait_for_ended_threads() -> None:
    running = {thread.native_id for thread in threading.enumerate()}
    # Before Python 3.13, threading has another number for the main thread of a forked process.
    ended = _have_computed - running - {os.getpid(), threading.get_native_id()}
    until = time.monotonic() + _SECONDS
    while ended & _tasks():
        if time.monotonic() > until:
            break
        time.sleep(0.001)
    _have_computed.difference_update(ended)


def _tasks() -> set[int]:
    return set(map(int, os.listdir(_TASKS))) if os.path.isdir(_TASKS) else set()


if os.path.isdir(_TASKS):
    os.register_at_fork(before=_wait_for_ended_threads)
