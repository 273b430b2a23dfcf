"""Settings of the whole process that are changed during a call and restored after it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")


class ProcessSetting(Generic[T]):
    """Change a setting when the first of overlapping calls begins; restore it after the last.

    Calls overlap if the user runs them in several threads.

    Parameters
    ----------
    begin : callable
        Changes the setting, and returns the argument of ``end``.
    end : callable
        Restores the setting.
    """

    def __init__(self, begin: Callable[[], T], end: Callable[[T], object]) -> None:
        self.begin, self.end = begin, end
        self.lock, self.n_calls = threading.Lock(), 0
        self.before: T

    def __enter__(self) -> T:
        with self.lock:
            if self.n_calls == 0:
                self.before = self.begin()
            self.n_calls += 1
            return self.before

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self.lock:
            self.n_calls -= 1
            if self.n_calls == 0:
                self.end(self.before)
