"""Settings of the whole process that are changed during a call and restored after it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")


class ProcessSetting(Generic[T]):
    """Change a setting when the first of overlapping calls begins; restore it after the last.

    Calls overlap if the user runs them in several threads. The setting is also restored if
    KeyboardInterrupt arrives while it is being changed or restored.

    Parameters
    ----------
    read : callable
        Returns the setting, without a change.
    change : callable
        Changes the setting. Its argument is what ``read`` returned.
    restore : callable
        Restores what ``read`` returned. It may be called twice, also before ``change`` has ended.
    per_thread : bool, default=False
        Whether each thread has its own setting: that is changed by the first of the calls in
        this thread, and restored after the last of these.
    """

    def __init__(
        self,
        read: Callable[[], T],
        change: Callable[[T], object],
        restore: Callable[[T], object],
        per_thread: bool = False,
    ) -> None:
        self.read, self.change, self.restore = read, change, restore
        self.per_thread = per_thread
        # A `with` block can lose its lock: KeyboardInterrupt may arrive before its last step.
        self.lock = threading.RLock()
        self.before: T
        self.calls: dict[object, int] = {}  # the calls that now run, and the thread of each

    @contextmanager
    def changed(self) -> Iterator[None]:
        """Run a block with the changed setting."""
        call = object()
        try:
            try:
                self._begin(call)
                yield
            finally:
                self._end(call)
        finally:
            self._end(call)  # does what is left if KeyboardInterrupt arrived in the lines above

    def _begin(self, call: object) -> None:
        thread = threading.get_ident() if self.per_thread else 0
        self.lock.acquire()
        if not self.calls:
            self.before = self.read()
        is_first = thread not in self.calls.values()
        self.calls[call] = thread  # before the change, so that _end restores in any case
        if is_first:
            self.change(self.before)
        self.lock.release()

    def _end(self, call: object) -> None:
        try:
            if call in self.calls:
                self.lock.acquire()
                if list(self.calls.values()).count(self.calls[call]) == 1:
                    self.restore(self.before)
                del self.calls[call]
        finally:
            self._release()

    def _release(self) -> None:
        """Release the lock as often as this thread holds it: not at all, once or twice."""
        try:  # contextlib.suppress takes longer, and each prediction calls this
            while True:
                self.lock.release()
        except RuntimeError:  # this thread does not hold it any more
            pass
