"""When does a second thread pay? Prints the ratio of fit times, one thread to two.

Run: ``python benchmarks/threads.py``. Pairs of fits in one process, medians of five.
"""

import statistics
import time

import numpy as np
from peers import NETWORK_ALONE

from sklstm import LSTMRegressor, SlidingWindowTransformer
from sklstm._network import runtime

runtime._WORK_OF_A_THREAD = 1  # take the threads in any case

PAIRS = 5
ROWS = np.random.default_rng(0).normal(size=(1_300, 8))


def seconds(windows, target, hidden, batch_size, n_jobs):
    """Time of one epoch."""
    lstm = LSTMRegressor(
        hidden,
        batch_size=batch_size,
        max_epochs=1,
        early_stopping=False,
        n_jobs=n_jobs,
        **NETWORK_ALONE,
    )
    start = time.perf_counter()
    lstm.fit(windows, target)
    return time.perf_counter() - start


print("window  hidden  batch  multiply-adds a step  one thread / two threads")
for window, hidden, batch_size in (
    (12, 16, 64),
    (12, 32, 64),
    (24, 32, 64),
    (24, 32, 256),
    (24, 64, 64),
    (24, 64, 256),
    (96, 64, 64),
    (48, 128, 64),
    (48, 256, 64),
):
    windows = SlidingWindowTransformer(window).fit_transform(ROWS)
    pairs = [
        seconds(windows, ROWS[:, 0], hidden, batch_size, 1)
        / seconds(windows, ROWS[:, 0], hidden, batch_size, 2)
        for _ in range(PAIRS + 1)
    ]
    work = runtime.work_of((hidden,), 8, window, batch_size)
    ratio = statistics.median(pairs[1:])
    print(f"{window:6}  {hidden:6}  {batch_size:5}  {work:20,}  {ratio:.2f}", flush=True)
