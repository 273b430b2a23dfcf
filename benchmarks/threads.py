"""When does a second thread pay? Prints the ratio of one training step's times.

Run: ``python benchmarks/threads.py``. Pairs of runs in one process, medians of seven.
"""

import statistics
import time

import torch

from sklstm._module import StackedLSTM

STEPS, PAIRS = 24, 7


def seconds(module, optimizer, x, y, n_threads):
    """Time of ten training steps."""
    torch.set_num_threads(n_threads)
    start = time.perf_counter()
    for _ in range(10):
        optimizer.zero_grad()
        (module(x) - y).square().mean().backward()
        optimizer.step()
    return time.perf_counter() - start


print("hidden  batch  multiply-adds a step  one thread / two threads")
for hidden in (16, 32, 64, 128, 256):
    for batch in (32, 64, 128, 256):
        generator = torch.Generator().manual_seed(0)
        module = StackedLSTM(8, (hidden,), 1, generator=generator)
        optimizer = torch.optim.Adam(module.parameters(), fused=True)
        x, y = torch.randn(batch, STEPS, 8), torch.randn(batch, 1)
        pairs = [
            seconds(module, optimizer, x, y, 1) / seconds(module, optimizer, x, y, 2)
            for _ in range(PAIRS + 1)
        ]
        work = batch * 4 * hidden * (hidden + 8)
        print(f"{hidden:6}  {batch:5}  {work:20,}  {statistics.median(pairs[1:]):.2f}")
