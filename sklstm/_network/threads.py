"""Threads: how many pay, and a map whose calls run in them.

torch's own threads wait for each other at every step of the recurrence, which becomes many times
slower when other work keeps the processor busy. So torch gets one thread, and Python's threads
take a part of each batch instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import joblib
import torch

from sklstm._network.process_setting import ProcessSetting

# Fewest multiply-adds in a batch for which one more thread pays: benchmarks/threads.py.
_WORK_OF_A_THREAD = 30_000_000

Map = Callable[..., Iterable[Any]]


def n_threads(n_jobs: int | None, work: int, n_parts: int) -> int:
    """Find the threads for so many multiply-adds in so many parts; ``n_jobs`` is the most.

    ``n_jobs`` counts as in scikit-learn.
    """
    useful = min(n_parts, work // _WORK_OF_A_THREAD)
    if useful <= 1:
        return 1
    if n_jobs is None:
        # joblib tells its workers by the environment how many threads each may use, and torch
        # reads it when it is imported.
        return min(useful, torch.get_num_threads())
    n_cpus = joblib.cpu_count()
    return min(useful, min(int(n_jobs), n_cpus) if n_jobs > 0 else max(n_cpus + 1 + n_jobs, 1))


# torch keeps the number for each of Python's threads and for all.
_threads_before = ProcessSetting(torch.get_num_threads, torch.set_num_threads)


@contextmanager
def one_thread_of_torch() -> Iterator[None]:
    """Give torch one thread, and the former number after the last of overlapping calls."""
    with _threads_before as before:
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)


@contextmanager
def thread_map(threads: int) -> Iterator[Map]:
    """Give a ``map`` whose calls run in so many threads, of which this one is the first."""
    if threads == 1:
        yield map
        return

    def map_(function: Callable[..., Any], *arguments: Iterable[Any]) -> list[Any]:
        calls = list(zip(*arguments, strict=True))
        results: list[Any] = [None] * len(calls)
        numbers = iter(range(len(calls)))

        def work() -> None:
            for number in numbers:  # each thread takes the next one
                results[number] = function(*calls[number])

        others = [pool.submit(work) for _ in range(min(threads, len(calls)) - 1)]
        work()  # here too: one thread less to wake in every step of training
        for other in others:
            other.result()
        return results

    # Each starts with one thread of torch, even if another fit has put the number back meanwhile.
    with ThreadPoolExecutor(threads - 1, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        yield map_
