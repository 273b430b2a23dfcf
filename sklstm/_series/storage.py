"""Series in memory, and series that stay in a file since they are too large for it."""

from __future__ import annotations

import mmap
import tempfile

import numpy as np
from sklearn import get_config

# Bytes of a block of rows as float64: in the cache of a processor, and large enough to be
# worth a call.
_BLOCK_BYTES = 2**20


class _TemporaryMap(mmap.mmap):
    """The mapped file under rows from :func:`new_rows`.

    Not a numpy.memmap: joblib would open those by their name in its workers.
    """


def stays_on_disk(array) -> bool:
    """Whether ``array`` lies in a mapped file, and exceeds scikit-learn's working memory."""
    file, _ = _mapped_file(array)
    return file is not None and array.nbytes > get_config()["working_memory"] * 2**20


def new_rows(shape, dtype, on_disk: bool) -> np.ndarray:
    """Rows of NaN to write to, in memory or in a temporary file.

    The file has no name, or loses it with its last user, so that nothing stays behind.
    """
    if not on_disk:
        return np.full(shape, np.nan, dtype=dtype)
    with tempfile.TemporaryFile() as file:
        # Written, not only made long: a full disk is then an error here, and not a crash later.
        nothing = np.full((_block_rows(shape[1]), shape[1]), np.nan, dtype=dtype)
        for start in range(0, shape[0], len(nothing)):
            file.write(nothing[: shape[0] - start].data)
        file.flush()
        return np.ndarray(shape, dtype=dtype, buffer=_TemporaryMap(file.fileno(), 0))


def row_blocks(rows: np.ndarray, *others: np.ndarray):
    """Slices of so many rows at a time, for work that needs no second copy of a series.

    What has been seen of mapped files (``rows`` and ``others``) is let go again.
    """
    n_rows, size = len(rows), _block_rows(rows.shape[1])
    if n_rows <= size:
        yield slice(0, n_rows)
        return
    for start in range(0, n_rows, size):
        yield slice(start, min(start + size, n_rows))
        for array in (rows, *others):
            let_go(array)


def let_go(array: np.ndarray) -> None:
    """Give back the memory that holds what was read of a mapped file, or written to it.

    Otherwise the process would come to hold all of the file. Nothing is lost: what is
    needed again comes from the system's cache, or from the file.
    """
    file, mode = _mapped_file(array)
    # Changes in a private mapping ("c") are nowhere else.
    if file is not None and mode != "c" and hasattr(mmap, "MADV_DONTNEED"):
        file.madvise(mmap.MADV_DONTNEED)


def _mapped_file(array) -> tuple[mmap.mmap | None, str]:
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
