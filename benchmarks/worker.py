"""One contender in a process of its own: ``python benchmarks/worker.py CONTENDER THREADS``.

Reads commands as lines of JSON and answers each with a line of JSON:

- ``{"command": "prepare", "workload": {...}}``: prepare the data, ``{"seconds": ...}``
- ``{"command": "fit"}`` and ``{"command": "predict"}``: ``{"seconds": ...}``
- ``{"command": "memory", "action": ..., "workload": {...}}``: ``{"bytes": ...}``, the most
  memory above that at the start, when the library is loaded and the series is there.
  "prepare" prepares the data, "fit" fits as well, "predict" predicts after both.
"""

import ctypes
import gc
import importlib
import json
import os
import sys
import time
import warnings
from dataclasses import replace

from peers.workload import Workload, make_series


class Worker:
    """Carries out commands for one contender."""

    def __init__(self, name, threads):
        self.peer = importlib.import_module(f"peers.{name}")
        self.threads = threads

    def prepare(self, workload):
        """Build the contender, with the data as its library takes them."""
        series, target = make_series(Workload(**workload))
        return {"seconds": self._seconds(lambda: self._build(workload, series, target))}

    def fit(self):
        """Train from fresh weights."""
        return {"seconds": self._seconds(self.contender.fit)}

    def predict(self):
        """Predict all windows."""
        return {"seconds": self._seconds(self.contender.predict)}

    def memory(self, action, workload):
        """Measure the peak of a process that was just started."""
        # Two batches first: code that is loaded or compiled at first use is not the data's.
        few = replace(Workload(**workload), n_windows=2 * workload["batch_size"], epochs=1)
        self._act(action, few.__dict__, *make_series(few))
        del self.contender
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)  # or what was freed would be used again, unseen
        series, target = make_series(Workload(**workload))
        start = _reset_peak()
        self._act(action, workload, series, target)
        return {"bytes": _status("VmHWM") - start}

    def _act(self, action, workload, series, target):
        self._build(workload, series, target)
        if action in ("fit", "predict"):
            self.contender.fit()
        if action == "predict":
            self.contender.predict()

    def _build(self, workload, series, target):
        self.contender = self.peer.Contender(Workload(**workload), series, target, self.threads)

    @staticmethod
    def _seconds(action):
        start = time.perf_counter()
        action()
        return time.perf_counter() - start


def _reset_peak():
    """Forget the peak so far (Linux only); the memory in use, in bytes."""
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    return _status("VmRSS")


def _status(key):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(key))


def main(name, threads):
    """Answer commands until the input ends."""
    # Before the library is loaded: it makes a thread for every core that it may use.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])
    warnings.simplefilter("ignore")
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    worker = Worker(name, threads)
    for line in sys.stdin:
        arguments = json.loads(line)
        answer = getattr(worker, arguments.pop("command"))(**arguments)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
