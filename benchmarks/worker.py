"""One contender in a process of its own: ``python benchmarks/worker.py CONTENDER THREADS``.

Reads commands as lines of JSON and answers each with a line of JSON:

- ``{"command": "prepare", "workload": {...}}``: prepare the data, ``{"seconds": ...}``
- ``{"command": "fit"}`` and ``{"command": "predict"}``: ``{"seconds": ...}``
- ``{"command": "settle", "action": ..., "workload": {...}}``: ``{"bytes": ...}``, the memory
  in use when the library is loaded and the series is there. Then "act", with the same
  arguments: "prepare" prepares the data, "fit" fits as well, "predict" predicts after both.
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

    def settle(self, action, workload):
        """Get ready for "act" in a process that was just started: the memory in use by then."""
        # Two batches first: code that is loaded or compiled at first use is not the data's.
        few = replace(Workload(**workload), n_windows=2 * workload["batch_size"], epochs=1)
        self._act(action, few.__dict__, *make_series(few))
        del self.contender
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)  # or what was freed would be used again, unseen
        self.data = make_series(Workload(**workload))
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")  # forget the peak so far (Linux only)
        with open("/proc/self/status") as file:
            resident = next(line for line in file if line.startswith("VmRSS"))
        return {"bytes": int(resident.split()[1]) * 1024}

    def act(self, action, workload):
        """Carry out an action on what "settle" has prepared."""
        self._act(action, workload, *self.data)
        return {}

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
