"""When does a second thread pay? Prints the ratio of fit times, one thread to two.

Run: ``python benchmarks/threads.py``. Pairs of fits in one process, medians of five.
"""

import statistics
import time

import internals
import numpy as np
from peers import NETWORK_ALONE

from sklstm import LSTMRegressor, SlidingWindowTransformer

PAIRS = 5
ROWS = np.random.default_rng(0).normal(size=(1_300, 8))
NETWORKS = (  # window, units, batch
    (12, 16, 64),
    (12, 32, 64),
    (24, 32, 64),
    (24, 32, 256),
    (24, 64, 64),
    (24, 64, 256),
    (96, 64, 64),
    (48, 128, 64),
    (48, 256, 64),
)


def fitted(windows, target, hidden, batch_size, n_jobs):
    """Train for one epoch with so many threads, however little work there is."""
    lstm = LSTMRegressor(
        hidden,
        batch_size=batch_size,
        max_epochs=1,
        early_stopping=False,
        random_state=0,
        n_jobs=n_jobs,
        **NETWORK_ALONE,
    )
    with internals.replaced(work_of_a_thread=1):
        return lstm.fit(windows, target)


def seconds(*params):
    """Time of one epoch."""
    start = time.perf_counter()
    fitted(*params)
    return time.perf_counter() - start


def main(networks=NETWORKS, rows=ROWS, n_pairs=PAIRS):
    """Print a line for each network.

    Parameters
    ----------
    networks : sequence of (int, int, int)
        Window, units and batch size of each.
    rows : ndarray of shape (n_rows, features)
    n_pairs : int
        Pairs of fits that count.
    """
    print("window  hidden  batch  multiply-adds a step  one thread / two threads")
    for window, hidden, batch_size in networks:
        windows = SlidingWindowTransformer(window).fit_transform(rows)
        pairs = [
            seconds(windows, rows[:, 0], hidden, batch_size, 1)
            / seconds(windows, rows[:, 0], hidden, batch_size, 2)
            for _ in range(n_pairs + 1)
        ]
        work = internals.multiply_adds((hidden,), rows.shape[1], window, batch_size)
        ratio = statistics.median(pairs[1:])
        print(f"{window:6}  {hidden:6}  {batch_size:5}  {work:20,}  {ratio:.2f}", flush=True)


if __name__ == "__main__":
    main()
