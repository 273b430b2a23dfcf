"""Microbatches: the parts of a batch, each computed by one thread."""

from __future__ import annotations

SMALLEST_MICROBATCH = 16

# Limit of the memory that all threads together use for the forward and backward pass, for fewer
# than 128 units; from 256 units on it is four times as much. The bytes per unit are measured.
_TRAINING_BYTES = 64 * 2**20
_BYTES_PER_UNIT = {"float32": 88, "float64": 176, "bfloat16": 56}


def microbatch_size(
    batch_size: int, n_units: int, window_size: int, precision: str, threads: int
) -> int:
    """Find how many windows a thread computes at a time, within the limit of memory.

    Parameters
    ----------
    batch_size : int
    n_units : int
        Outputs of all layers for one step of a window.
    window_size : int
    precision : str
    threads : int

    Returns
    -------
    int
    """
    window_bytes = _BYTES_PER_UNIT[precision] * n_units * window_size
    allowed = _TRAINING_BYTES * min(max(n_units // 64, 1), 4)
    most = max(allowed // (window_bytes * threads), 1)
    if most >= SMALLEST_MICROBATCH // 2:  # a multiple of the vector length
        most = max(round(most / SMALLEST_MICROBATCH), 1) * SMALLEST_MICROBATCH
    return min(most, -(-batch_size // threads))
