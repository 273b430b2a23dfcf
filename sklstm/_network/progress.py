"""Progress with ``verbose=1``: a bar in a terminal or notebook, or lines of text."""

from __future__ import annotations

import multiprocessing
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from skorch import NeuralNet
from skorch.callbacks import Callback


class EpochProgress(Callback):
    """Show epoch, losses and time left, between the calls of ``start`` and ``stop``."""

    def __init__(self) -> None:
        self.bar_: Any = None  # the Bar of _bar_type
        self.line_: _Lines | None = None

    def start(self, n_epochs: int) -> None:
        """Open a progress bar, or prepare to print lines if the output cannot show a bar."""
        if _draws_bars():
            self.bar_ = _bar_type()(total=n_epochs, desc="LSTMRegressor", unit="epoch")
        else:
            self.line_ = _Lines(n_epochs, "LSTMRegressor", "epoch")

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Show the epoch and its losses."""
        names = {"train_loss": "train loss", "valid_loss": "valid loss"}
        epoch = net.history[-1]
        losses = {name: f"{epoch[key]:.4f}" for key, name in names.items() if key in epoch}
        if self.bar_ is not None:
            self.bar_.set_postfix(losses, refresh=False)
            self.bar_.update()
        elif self.line_ is not None:
            self.line_.update(losses)

    def stop(self) -> None:
        """Close the bar or finish the lines, even if training ended early."""
        if self.bar_ is not None:
            self.bar_.close()
        elif self.line_ is not None:
            self.line_.close()
        self.bar_ = self.line_ = None


class _Lines:
    """Print a line after each tenth of the units of work; write each line in one call."""

    def __init__(self, n_units: int, name: str, unit: str) -> None:
        self.n_units, self.n_done, self.line = n_units, 0, ""
        self.name, self.unit = name, unit
        self.started = time.perf_counter()

    def update(self, losses: dict[str, str]) -> None:
        self.n_done += 1
        left = (time.perf_counter() - self.started) / self.n_done * (self.n_units - self.n_done)
        parts = [f"{self.unit} {self.n_done}/{self.n_units}"]
        parts += [f"{name} {loss}" for name, loss in losses.items()]
        parts += [f"at most {left:.0f} s left"] if self.n_done < self.n_units else []
        self.line = ", ".join(parts)
        if self.n_done * 10 // self.n_units > (self.n_done - 1) * 10 // self.n_units:
            self._write(self.line)
            self.line = ""

    def close(self) -> None:
        if self.line:  # training stopped before the last epoch
            self._write(self.line.rpartition(", ")[0] + ", stopped")

    def _write(self, line: str) -> None:
        print(f"{self.name}: {line}\n", end="", flush=True)


@contextmanager
def counting(n_units: int, name: str, unit: str) -> Iterator[Callable[[], None]]:
    """Show how many units of work are done; each call of what is returned counts one."""
    if _draws_bars():
        with _bar_type()(total=n_units, desc=name, unit=unit) as bar:
            yield lambda: bar.update() and None
        return
    lines = _Lines(n_units, name, unit)
    try:
        yield lambda: lines.update({})
    finally:
        lines.close()


@contextmanager
def shown(net: NeuralNet, n_epochs: int) -> Iterator[None]:
    """Show progress during this block, if the net has an EpochProgress."""
    found = (callback for _, callback in net.callbacks_ if isinstance(callback, EpochProgress))
    progress = next(found, None)
    if progress is None:
        yield
        return
    progress.start(n_epochs)
    try:
        yield
    finally:
        progress.stop()


def _draws_bars() -> bool:
    """Whether this is the main thread, and the output is a terminal or a notebook.

    In other threads and processes several fits may run at once, and their bars would
    overwrite each other.
    """
    is_main = (
        multiprocessing.current_process().name == "MainProcess"
        and threading.current_thread() is threading.main_thread()
    )
    is_terminal = getattr(sys.stdout, "isatty", bool)()  # stdout may be None or a logger
    return is_main and (is_terminal or "ipykernel.zmqshell" in sys.modules)


def _bar_type() -> type[Any]:
    from tqdm import TqdmWarning

    with warnings.catch_warnings():
        # Without ipywidgets, tqdm warns, and a notebook shows the same bar as a terminal.
        warnings.simplefilter("ignore", TqdmWarning)
        from tqdm.auto import tqdm

    class Bar(tqdm):
        """A bar on standard output, without tqdm's monitor thread, so that forking is safe."""

        monitor_interval = 0

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, file=sys.stdout, dynamic_ncols=True, **kwargs)

    return Bar
