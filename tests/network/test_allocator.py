"""The allocator keeps freed memory during training."""

import resource
import subprocess
import sys

import pytest

from tests.machine import needs_glibc

FAULTS = """
import resource, torch
from sklstm._network.runtime import torch_state

def faults(n_steps):  # allocate 20 blocks of 4 MB, then free them, as a training step does
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(n_steps):
        blocks = [torch.ones(2**20) for _ in range(20)]
        del blocks
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

with torch_state(training=True):
    faults(2)
    inside = faults(10)
print(inside, faults(10))
"""


@needs_glibc
@pytest.mark.parametrize("by_user", [False, True])
def test_a_step_reuses_the_memory_of_the_step_before(by_user, monkeypatch):
    for name in ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES"):
        monkeypatch.delenv(name, raising=False)
    if by_user:  # if the user has configured the allocator, sklstm does not change it
        monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "131072")
    command = [sys.executable, "-c", FAULTS]
    inside, outside = map(int, subprocess.check_output(command, text=True).split())
    step = 20 * 2**22 // resource.getpagesize()
    assert inside > 5 * step if by_user else inside < step / 10
    assert outside > step / 2  # the memory was returned at the end
