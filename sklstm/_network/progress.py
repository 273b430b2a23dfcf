"""What a fit says while it runs with ``verbose=1``: a bar in a terminal, else some lines."""

from __future__ import annotations

import multiprocessing
import sys
import threading
import time
import warnings
from contextlib import contextmanager

from skorch.callbacks import Callback


class EpochProgress(Callback):
    """Show epoch, losses and the time left, within :func:`shown`."""

    def __init__(self):
        self.bar_ = self.line_ = None

    def start(self, n_epochs):
        """Begin with a bar where one can be drawn, with lines where not."""
        if _draws_bars():
            self.bar_ = _bar_type()(total=n_epochs, desc="LSTMRegressor", unit="epoch")
        else:
            self.line_ = _Lines(n_epochs)

    def on_epoch_end(self, net, **kwargs):
        """Show the epoch and its losses."""
        names = {"train_loss": "train loss", "valid_loss": "valid loss"}
        epoch = net.history[-1]
        losses = {name: f"{epoch[key]:.4f}" for key, name in names.items() if key in epoch}
        if self.bar_ is not None:
            self.bar_.set_postfix(losses, refresh=False)
            self.bar_.update()
        elif self.line_ is not None:
            self.line_.update(losses)

    def stop(self):
        """End what :meth:`start` began, also if training ended early."""
        if self.bar_ is not None:
            self.bar_.close()
        elif self.line_ is not None:
            self.line_.close()
        self.bar_ = self.line_ = None


class _Lines:
    """A line per tenth of the epochs, each written in one piece."""

    def __init__(self, n_epochs):
        self.n_epochs, self.n_done, self.line = n_epochs, 0, ""
        self.started = time.perf_counter()

    def update(self, losses):
        self.n_done += 1
        left = (time.perf_counter() - self.started) / self.n_done * (self.n_epochs - self.n_done)
        parts = [f"epoch {self.n_done}/{self.n_epochs}"]
        parts += [f"{name} {loss}" for name, loss in losses.items()]
        parts += [f"at most {left:.0f} s left"] if self.n_done < self.n_epochs else []
        self.line = ", ".join(parts)
        if self.n_done * 10 // self.n_epochs > (self.n_done - 1) * 10 // self.n_epochs:
            self._write(self.line)
            self.line = ""

    def close(self):
        if self.line:  # training has stopped early
            self._write(self.line.rpartition(", ")[0] + ", stopped")

    @staticmethod
    def _write(line):
        print(f"LSTMRegressor: {line}\n", end="", flush=True)


@contextmanager
def shown(net, n_epochs):
    """Show the progress of what is trained within, if the net has the callback for it."""
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
    """Whether the output is a terminal or a notebook that no other fit writes to."""
    alone = (
        multiprocessing.current_process().name == "MainProcess"
        and threading.current_thread() is threading.main_thread()
    )
    is_terminal = getattr(sys.stdout, "isatty", bool)()  # some programs have no standard output
    return alone and (is_terminal or "ipykernel.zmqshell" in sys.modules)


def _bar_type():
    from tqdm import TqdmWarning

    with warnings.catch_warnings():
        # Without ipywidgets a notebook gets the bar of a terminal, which it can draw too.
        warnings.simplefilter("ignore", TqdmWarning)
        from tqdm.auto import tqdm

    class Bar(tqdm):
        """A bar on standard output that starts no thread, so that the process can fork."""

        monitor_interval = 0

        def __init__(self, *args, **kwargs):
            super().__init__(*args, file=sys.stdout, dynamic_ncols=True, **kwargs)

    return Bar
