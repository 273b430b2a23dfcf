"""Series in memory, and series that stay in a file since they are too large for it."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from sklearn import get_config  # the user sets the limit of working memory there

# Bytes of a block of rows as float64. A block fits the cache of a processor, and is large
# enough that the time of a call of numpy does not count.
_BLOCK_BYTES = 2**20


class _TemporaryMap(mmap.mmap):
    """The mapped file under rows from :func:`new_rows`.

    It is not a numpy.memmap, since the workers of joblib would open that by its name, and
    this file has none.
    """


def float_type(rows: np.ndarray) -> type:
    """Return the type of rows in windows: float32 stays, everything else becomes float64."""
    return np.float32 if rows.dtype == np.float32 else np.float64


def as_float(rows: np.ndarray) -> np.ndarray:
    """Copy rows, as floats: rows that stay on disk have kept the type of the file."""
    return rows.astype(float_type(rows))


def stays_on_disk(array: Any) -> bool:
    """Whether ``array`` lies in a mapped file, and exceeds scikit-learn's working memory."""
    file, _ = _mapped_file(array)
    return file is not None and array.nbytes > get_config()["working_memory"] * 2**20


def new_rows(shape: tuple[int, int], dtype: DTypeLike, on_disk: bool) -> np.ndarray:
    """Make rows of NaN to write to, in memory or in a temporary file.

    The file is deleted with the rows, even if the process is killed.
    """
    if not on_disk:
        return np.full(shape, np.nan, dtype=dtype)
    with tempfile.TemporaryFile() as file:
        # NaN is written to the whole file: if the disk is full, that is an error here. In a
        # file that was only made long, the first write to a row would crash the process.
        nothing: np.ndarray = np.full((_block_rows(shape[1]), shape[1]), np.nan, dtype=dtype)
        for start in range(0, shape[0], len(nothing)):
            file.write(nothing[: shape[0] - start].data)
        file.flush()
        return np.ndarray(shape, dtype=dtype, buffer=_TemporaryMap(file.fileno(), 0))


def row_blocks(rows: np.ndarray, *others: np.ndarray) -> Iterator[slice]:
    """Yield slices of a block of rows each, for work that needs no second copy of a series.

    After each block, :func:`let_go` frees the memory of ``rows`` and ``others``.
    """
    n_rows, size = len(rows), _block_rows(rows.shape[1])
    if n_rows <= size:
        yield slice(0, n_rows)
        return
    for start in range(0, n_rows, size):
        yield slice(start, min(start + size, n_rows))
        for array in (rows, *others):
            let_go(array)


def let_go(array: Any) -> None:
    """Free the memory that holds what was read of a mapped file, or written to it.

    Otherwise the whole file would come to lie in the memory of the process. Nothing is
    lost: what is needed again is read from the system's cache or from the file.
    """
    file, mode = _mapped_file(array)
    # Not for a private mapping ("c"): what was written to it is in memory only.
    if file is not None and mode != "c" and hasattr(mmap, "MADV_DONTNEED"):
        file.madvise(mmap.MADV_DONTNEED)


def _mapped_file(array: Any) -> tuple[mmap.mmap | None, str]:
    """Find the mapped file that ``array`` is a view of, and the mode of the mapping."""
    while array is not None:
        base = getattr(array, "base", None)
        if isinstance(base, _TemporaryMap):
            return base, "r+"
        if isinstance(base, mmap.mmap) and isinstance(array, np.memmap):
            return base, array.mode
        array = base
    return None, ""


def _block_rows(n_features: int) -> int:
    return max(_BLOCK_BYTES // (8 * n_features), 1)
