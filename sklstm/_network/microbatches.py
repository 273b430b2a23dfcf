"""Microbatches: the parts of a batch, each computed by one thread."""

from __future__ import annotations

SMALLEST_MICROBATCH = 16

# Limit of the memory that all threads together use for the forward and backward pass, for fewer
# than 128 units; from 256 units on it is four times as much. The bytes per unit are measured.
_TRAINING_BYTES = 64 * 2**20
_BYTES_PER_UNIT = {"float32": 88, "float64": 176, "bfloat16": 56}

# The most windows that a GPU predicts at a time, and its memory for them. For a step of a window, a
# layer takes about so many numbers per unit (its input, four gates, its output), and what is
# computed from the features takes so many per feature.
_MOST_ON_A_GPU, _BYTES_ON_A_GPU = 4096, 2**30
_NUMBERS_OF_A_UNIT, _NUMBERS_OF_A_FEATURE = 6, 16


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


def gpu_batch(n_units: int, n_features: int, window_size: int, precision: str) -> int:
    """Find how many windows a GPU predicts at a time, within the limit of memory.

    Parameters
    ----------
    n_units : int
        Outputs of the widest layer for one step of a window.
    n_features : int
    window_size : int
    precision : str

    Returns
    -------
    int
        A multiple of 16, or 1.
    """
    numbers = window_size * (_NUMBERS_OF_A_UNIT * n_units + _NUMBERS_OF_A_FEATURE * n_features)
    allowed = _BYTES_ON_A_GPU // (numbers * (8 if precision == "float64" else 4))
    return max(min(allowed, _MOST_ON_A_GPU) // SMALLEST_MICROBATCH * SMALLEST_MICROBATCH, 1)
