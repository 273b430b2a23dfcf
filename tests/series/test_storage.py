"""Series in memory and in files: their types, their blocks, and the memory that is let go.

That whole fits and predictions keep within their memory is checked in tests/test_memory.py.
"""

import mmap
from itertools import pairwise

import numpy as np
import pytest
import sklearn

from sklstm._series import storage
from sklstm._series.storage import (
    as_float,
    float_type,
    let_go,
    new_rows,
    row_blocks,
    stays_on_disk,
)


@pytest.fixture
def small_blocks(monkeypatch):
    """Let a block have a hundred rows of three columns."""
    monkeypatch.setattr(storage, "_BLOCK_BYTES", 8 * 3 * 100)


@pytest.fixture
def advice(monkeypatch):
    """List what the system is told of temporary files."""
    told = []

    class Recorded(storage._TemporaryMap):
        def madvise(self, option, *args):
            told.append(option)
            return super().madvise(option, *args)

    monkeypatch.setattr(storage, "_TemporaryMap", Recorded)
    return told


@pytest.mark.parametrize("dtype", ["f4", "f8", "f2", "i8", "u1", ">f8", "?"])
def test_float32_stays_and_all_else_becomes_float64(dtype):
    rows = np.ones((3, 2), dtype=dtype)
    expected = np.float32 if dtype == "f4" else np.float64
    assert float_type(rows) is expected
    copied = as_float(rows)
    assert copied.dtype == expected
    assert not np.shares_memory(copied, rows)
    np.testing.assert_array_equal(copied, 1)


@pytest.mark.parametrize("n_rows", [1, 99, 100, 101, 250, 400])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("on_disk", [False, True])
def test_new_rows_are_missing_until_they_are_written(n_rows, dtype, on_disk, small_blocks):
    rows = new_rows((n_rows, 3), dtype, on_disk)
    assert rows.shape == (n_rows, 3)
    assert rows.dtype == dtype
    assert np.isnan(rows).all()
    assert isinstance(rows.base, storage._TemporaryMap) == on_disk
    values = np.arange(n_rows * 3).reshape(n_rows, 3)
    rows[:] = values
    let_go(rows)
    np.testing.assert_array_equal(rows, values)
    if on_disk:
        assert len(rows.base) == rows.nbytes
        with sklearn.config_context(working_memory=0):
            assert stays_on_disk(rows[n_rows // 2 :])


@pytest.mark.parametrize(
    ("n_rows", "n_columns", "edges"),
    [
        (250, 3, [0, 100, 200, 250]),
        (300, 3, [0, 100, 200, 300]),
        (101, 3, [0, 100, 101]),
        (100, 3, [0, 100]),
        (0, 3, [0, 0]),
        (31, 10, [0, 30, 31]),
        (3, 301, [0, 1, 2, 3]),  # a row of more than a block
    ],
)
def test_a_block_has_as_many_rows_as_fit(n_rows, n_columns, edges, small_blocks):
    found = list(row_blocks(np.zeros((n_rows, n_columns))))
    assert found == [slice(*ends) for ends in pairwise(edges)]


def test_after_each_block_its_memory_is_let_go(small_blocks, advice):
    rows, other = (new_rows((250, 3), np.float64, on_disk=True) for _ in range(2))
    for number, _ in enumerate(row_blocks(rows, other)):
        assert advice == [mmap.MADV_DONTNEED] * (2 * number)
    assert advice == [mmap.MADV_DONTNEED] * 6
    list(row_blocks(np.zeros((250, 3)), other))
    assert len(advice) == 9
    list(row_blocks(rows[:100], other))  # one block, which may be needed again
    assert len(advice) == 9


def test_arrays_in_memory_are_let_go_of_without_effect(advice):
    for array in (np.ones(3), None, [1.0]):
        let_go(array)
    assert advice == []


def test_a_file_of_exactly_the_working_memory_is_read(tmp_path):
    (tmp_path / "rows").write_bytes(bytes(2**20 + 8))
    with sklearn.config_context(working_memory=1):
        for n_values, expected in ((2**17, False), (2**17 + 1, True)):
            rows = np.memmap(tmp_path / "rows", np.float64, "r", shape=(n_values, 1))
            assert stays_on_disk(rows) is expected
