"""Marks that skip a test if the machine lacks the hardware or software that it needs."""

import os
import platform
from pathlib import Path

import joblib
import pytest
import torch

from sklstm._network.device import has_bfloat16


def _needs(is_there, lacking):
    return pytest.mark.skipif(not is_there, reason=f"this machine has no {lacking}")


needs_bfloat16 = _needs(
    has_bfloat16("cpu"), "AVX512-BF16, AMX or BF16 of ARM, or oneDNN is set not to use it"
)
needs_gpu = _needs(torch.cuda.is_available(), "GPU, or this is no `pytest -m gpu`")
needs_fork = _needs(hasattr(os, "fork"), "fork")
needs_named_pipes = _needs(hasattr(os, "mkfifo"), "named pipes")
needs_glibc = _needs(platform.libc_ver()[0] == "glibc", "C library of GNU")
needs_proc = _needs(Path("/proc/self/clear_refs").exists(), "/proc of Linux to measure memory")
needs_two_cores = _needs(joblib.cpu_count() > 1, "second core")
needs_x86 = _needs(platform.machine() in ("x86_64", "AMD64"), "processor of the x86 family")
