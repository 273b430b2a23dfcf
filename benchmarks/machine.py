"""The machine that a benchmark runs on: its description, and threads of the libraries."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version

# What the libraries' thread pools read when they are loaded.
_POOLS = ("OMP", "MKL", "OPENBLAS", "NUMBA")


def thread_limits(threads):
    """Environment variables that limit each library's thread pool to so many threads."""
    return {f"{pool}_NUM_THREADS": str(threads) for pool in _POOLS}


def describe(packages):
    """Describe the processor, Python and the versions of those packages that are installed."""
    with open("/proc/cpuinfo") as file:
        names = (line.split(":")[1].strip() for line in file if line.startswith("model name"))
        name = next(names, platform.machine())
    versions = {}
    for package in packages:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:  # a run without the methods of this library
            continue
    return {
        "processor": f"{name}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "packages": versions,
    }
