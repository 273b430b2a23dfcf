"""The number of threads to use, and a ``map`` that runs its calls in threads.

torch's own threads wait for each other at every step of the recurrence. When other programs use
the processor, this makes the recurrence many times slower. So torch gets one thread, and each of
several Python threads computes a part of the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import joblib
import torch

from sklstm._network.forks import note_thread
from sklstm._network.process_setting import ProcessSetting

# Multiply-adds of a batch per thread, below which threads save no time: benchmarks/threads.py.
_WORK_OF_A_THREAD = 30_000_000

Map = Callable[..., Iterable[Any]]


def n_threads(n_jobs: int | None, work: int, n_parts: int) -> int:
    """Find the number of threads for ``work`` multiply-adds that are split into ``n_parts``.

    ``n_jobs`` is the upper limit, with the meaning that it has in scikit-learn.
    """
    useful = min(n_parts, work // _WORK_OF_A_THREAD)
    if useful <= 1:
        return 1
    if n_jobs is None:
        # joblib sets an environment variable with the threads that each worker may use. torch
        # reads it when it is imported.
        return min(useful, torch.get_num_threads())
    n_cpus = joblib.cpu_count()
    return min(useful, min(n_jobs, n_cpus) if n_jobs > 0 else max(n_cpus + 1 + n_jobs, 1))


# torch stores this number for each Python thread, and a default for new threads.
one_thread_of_torch = ProcessSetting(
    torch.get_num_threads,
    lambda _: torch.set_num_threads(1),
    torch.set_num_threads,
    per_thread=True,
)


def _begin_thread() -> None:
    torch.set_num_threads(1)  # a new thread starts with a number that another fit may have restored
    note_thread()


@contextmanager
def thread_map(threads: int) -> Iterator[Map]:
    """Yield a ``map`` whose calls run in ``threads`` threads, the calling one included."""
    if threads == 1:
        yield map
        return

    def map_(function: Callable[..., Any], *arguments: Iterable[Any]) -> list[Any]:
        calls = list(zip(*arguments, strict=True))
        results: list[Any] = [None] * len(calls)
        numbers = iter(range(len(calls)))

        def work() -> None:
            for number in numbers:  # each thread takes the next call
                results[number] = function(*calls[number])

        others = [pool.submit(work) for _ in range(min(threads, len(calls)) - 1)]
        work()  # the calling thread works too, so one thread less is needed
        for other in others:
            other.result()
        return results

    with ThreadPoolExecutor(threads - 1, initializer=_begin_thread) as pool:
        yield map_
