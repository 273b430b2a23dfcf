import datetime as dt
import fractions
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
import torch
from numpy.lib.recfunctions import structured_to_unstructured
from numpy.testing import assert_array_equal
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from sklstm._containers import as_numbers

NAN = np.nan
A, B = [0.5, -1.25, 3.0, 1024.0], [2.0, 0.0, -7.75, 1.0]  # the same in float32
TABLE = np.column_stack([A, B])
SMALL = TABLE.astype(np.float32)
FRAME = pd.DataFrame({"a": A, "b": B})
DAYS = pd.date_range("2024-01-31", periods=4)


def masked(values, at):
    return np.ma.masked_array(values, mask=np.indices(values.shape)[0] == at)


SAME = {
    "list": TABLE.tolist(),
    "list of tensors": [torch.tensor(row, dtype=torch.float64) for row in TABLE.tolist()],
    "Fortran order": np.asfortranarray(TABLE),
    "big endian": TABLE.astype(">f8"),
    "longdouble": TABLE.astype(np.longdouble),
    "objects": TABLE.astype(object),
    "decimals": np.array([[Decimal(v) for v in row] for row in TABLE.tolist()]),
    "fractions": np.array([[fractions.Fraction(v) for v in row] for row in TABLE.tolist()]),
    "text": TABLE.astype(str),
    "text objects": TABLE.astype(str).astype(object),
    "nothing masked": np.ma.masked_array(TABLE),
    "tensor": torch.tensor(TABLE),
    "tensor of a graph": torch.tensor(TABLE, requires_grad=True) * 1,
    "pandas": FRAME,
    "pandas, one name twice": FRAME.set_axis(["a", "a"], axis=1),
    "pandas, float32 and float64": FRAME.astype({"a": "float32"}),
    "pandas, nullable": FRAME.astype("Float64"),
    "pandas, pyarrow": FRAME.astype("double[pyarrow]"),
    "pandas, sparse": FRAME.astype("Sparse[float]"),
    "pandas, objects": FRAME.astype(object),
    "pandas, decimals": FRAME.map(Decimal),
    "pandas, categories": FRAME.astype("category"),
    "pandas, text": FRAME.astype(str),
    "polars": pl.DataFrame({"a": A, "b": B}),
    "polars, float32 and float64": pl.DataFrame(
        {"a": A, "b": B}, schema={"a": pl.Float32, "b": pl.Float64}
    ),
    "polars, decimals": pl.DataFrame({"a": A, "b": B}).cast(pl.Decimal(10, 2)),
    "pyarrow": pa.table({"a": A, "b": B}),
    "pyarrow, chunks": pa.table({"a": pa.chunked_array([A[:1], A[1:]]), "b": B}),
}


@pytest.mark.parametrize("data", SAME.values(), ids=SAME)
def test_numbers_are_those_of_the_array(data):
    array = as_numbers(data, "X")
    assert_array_equal(array.astype(np.float64), TABLE)
    assert array.dtype.itemsize >= 8


FLOAT32 = {
    "array": SMALL,
    "nothing masked": np.ma.masked_array(SMALL),
    "tensor": torch.tensor(SMALL),
    "bfloat16": torch.tensor(SMALL).to(torch.bfloat16),
    "pandas": FRAME.astype(np.float32),
    "pandas, nullable": FRAME.astype("Float32"),
    "pandas, pyarrow": FRAME.astype("float[pyarrow]"),
    "pandas, two kinds": FRAME.astype({"a": np.float32, "b": "Float32"}),
    "polars": pl.DataFrame(SMALL),
    "pyarrow": pa.table({"a": SMALL[:, 0], "b": SMALL[:, 1]}),
}


@pytest.mark.parametrize("data", FLOAT32.values(), ids=FLOAT32)
def test_float32_stays_float32(data):
    array = as_numbers(data, "X")
    assert array.dtype == np.float32
    assert_array_equal(array, SMALL)


UNKNOWN = {
    "None": ([None, 2], float),
    "None in text": (np.array([None, "2"], dtype=object), float),
    "NA in objects": (np.array([pd.NA, 2], dtype=object), float),
    "NaT in objects": (np.array([pd.NaT, 2], dtype=object), float),
    "masked floats": (masked(np.array([1.0, 2.0]), at=0), float),
    "masked float32": (masked(np.array([1, 2], dtype=np.float32), at=0), np.float32),
    "masked ints": (masked(np.array([1, 2]), at=0), float),
    "masked objects": (masked(np.array(["x", 2], dtype=object), at=0), float),
    "masked text": (masked(np.array(["x", "2"]), at=0), float),
    "Int64": (pd.Series([None, 2], dtype="Int64"), float),
    "Float64": (pd.Series([None, 2], dtype="Float64"), float),
    "Float32": (pd.Series([None, 2], dtype="Float32"), np.float32),
    "int64[pyarrow]": (pd.Series([None, 2], dtype="int64[pyarrow]"), float),
    "float[pyarrow]": (pd.Series([None, 2], dtype="float[pyarrow]"), np.float32),
    "objects of pandas": (pd.Series([pd.NA, 2], dtype=object), float),
    "pandas array": (pd.array([None, 2], dtype="Int64"), float),
    "polars": (pl.Series([None, 2]), float),
    "pyarrow": (pa.array([None, 2]), float),
    "frame": (pd.DataFrame({"a": pd.array([None, 2], dtype="Int8")}), float),
    "frame of objects": (pd.DataFrame({"a": [pd.NA, Decimal(2)]}), float),
    "frame of polars": (pl.DataFrame({"a": [None, 2]}), float),
    "table of pyarrow": (pa.table({"a": [None, 2]}), float),
}


@pytest.mark.parametrize(("data", "dtype"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_is_not_known_is_nan(data, dtype):
    array = as_numbers(data, "y")
    assert array.dtype == dtype
    assert_array_equal(array.ravel(), [NAN, 2])


@pytest.mark.parametrize(
    "bits",
    [
        pd.Series([True, None, False], dtype="boolean"),
        pd.Series([True, None, False], dtype="bool[pyarrow]"),
        pl.Series([True, None, False]),
        pa.array([True, None, False]),
        pd.DataFrame({"a": [True, None, False]}),
    ],
    ids=lambda bits: f"{type(bits).__module__}.{type(bits).__name__}",
)
def test_truth_values_are_one_and_zero(bits):
    assert_array_equal(as_numbers(bits, "y").ravel(), [1, NAN, 0])


def test_columns_of_different_types_share_one():
    frame = pd.DataFrame(
        {
            "bool": [True, False],
            "uint64": np.array([2**63, 1], dtype=np.uint64),
            "int8": np.array([-1, 1], dtype=np.int8),
            "float32": np.array([0.5, 0.25], dtype=np.float32),
        }
    )
    expected = [[1, 2.0**63, -1, 0.5], [0, 1, 1, 0.25]]
    for data in (frame, pl.from_pandas(frame), pa.Table.from_pandas(frame), frame.astype(object)):
        array = as_numbers(data, "X")
        assert array.dtype == np.float64
        assert_array_equal(array, expected)


def test_arrays_of_numbers_are_not_copied(tmp_path):
    file = np.memmap(tmp_path / "series", dtype=np.int16, mode="w+", shape=(4, 2))
    for array in (TABLE, SMALL, TABLE > 0, TABLE.astype(np.float16), file):
        assert as_numbers(array, "X") is array
    assert np.shares_memory(as_numbers(FRAME, "X"), FRAME.to_numpy())


def test_sparse_matrices_are_left_to_scikit_learn():
    matrix = scipy.sparse.csr_array(TABLE)
    assert as_numbers(matrix, "X") is matrix


# What a column may hold that is no number: in pandas, polars and pyarrow.
COLUMNS = {
    "dates": DAYS,
    "dates with NaT": DAYS.where([False, True, True, True]),
    "dates with a time zone": DAYS.tz_localize("Europe/Berlin"),
    "days": DAYS.date,
    "times of day": [dt.time(hour) for hour in range(4)],
    "durations": DAYS - DAYS[0],
    "text": ["x", "y", "x", None],
    "text of dates": DAYS.strftime("%Y-%m-%d"),
    "lists": [[1.0, 2.0]] * 4,
}


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize("library", ["pandas", "pyarrow in pandas", "polars", "pyarrow"])
def test_a_column_that_holds_no_numbers_is_named(column, alone, library):
    table = pa.table({"when": pa.array(column)} | ({} if alone else {"load": A}))
    frame = pd.DataFrame({"when": column} | ({} if alone else {"load": A}))
    data = {
        "pandas": frame,
        "pyarrow in pandas": table.to_pandas(types_mapper=pd.ArrowDtype),
        "polars": pl.from_arrow(table),
        "pyarrow": table,
    }[library]
    with pytest.raises((TypeError, ValueError), match="^Column 'when' of X holds") as error:
        as_numbers(data, "X")
    assert "but expected numbers. Turn it into numbers" in str(error.value)
    assert ".set_index('when')" in str(error.value)


@pytest.mark.parametrize("numbers", [["1.5", "2.5"], [1.5, 2.5]])
def test_text_among_numbers_is_to_become_nan(numbers):
    frame = pd.DataFrame({"load": [*numbers, "nil", *numbers]}, dtype=object)
    message = "^Column 'load' of X holds 'nil' in row 2 among numbers.*pandas.to_numeric"
    with pytest.raises(ValueError, match=message):
        as_numbers(frame, "X")
    frame["load"] = pd.to_numeric(frame["load"], errors="coerce")
    np.testing.assert_array_equal(as_numbers(frame, "X")[:, 0], [1.5, 2.5, NAN, 1.5, 2.5])


OTHER_FRAMES = {
    "categories": pd.DataFrame({"when": pd.Categorical(["x", "y"])}),
    "categories of polars": pl.DataFrame({"when": pl.Series(["x"], dtype=pl.Categorical)}),
    "categories of pyarrow": pa.table({"when": pa.array(["x", "y"]).dictionary_encode()}),
    "periods": pd.DataFrame({"when": DAYS.to_period("D")}),
    "intervals": pd.DataFrame({"when": pd.interval_range(0, 3)}),
    "arrays of polars": pl.DataFrame({"when": pl.Series([[1, 2]], dtype=pl.Array(pl.Int64, 2))}),
    "structs of polars": pl.DataFrame({"when": [{"a": 1, "b": 2}]}),
}


@pytest.mark.parametrize("data", OTHER_FRAMES.values(), ids=OTHER_FRAMES)
def test_other_columns_without_numbers_are_named(data):
    with pytest.raises((TypeError, ValueError), match="^Column 'when' of y holds") as error:
        as_numbers(data, "y")
    assert "set_index" not in str(error.value)  # the index of y says nothing about X


def test_a_complex_column_is_named():
    with pytest.raises(ValueError, match="Complex data not supported: Column 'a' of X holds"):
        as_numbers(pd.DataFrame({"a": [1j]}), "X")


REFUSED = {
    "dates": (DAYS.to_numpy(), "y holds datetime64"),
    "masked dates": (masked(DAYS.to_numpy("M8[ns]"), at=0), "y holds datetime64"),
    "dates of a series": (pd.Series(DAYS), "y holds datetime64"),
    "NaT alone": (np.array(["NaT"], dtype="M8[D]"), "y holds datetime64"),
    "dates in an index": (DAYS, "y holds datetime64"),
    "dates of polars": (pl.Series([dt.date(2024, 1, 1)]), "y holds datetime64"),
    "dates of pyarrow": (pa.array([dt.date(2024, 1, 1)]), "y holds datetime64"),
    "durations": ((DAYS - DAYS[0]).to_numpy(), "y holds timedelta64"),
    "windows of dates": (np.zeros((2, 3, 1), dtype="M8[D]"), "y holds datetime64"),
    "dates as objects": (np.array(DAYS.date), r"y holds .* in row 0 \(.*datetime"),
    "datetime64 in objects": (
        np.array([1.0, np.datetime64("2024-01-01")], dtype=object),
        r"y holds (np|numpy).datetime64\('2024-01-01'\) in row 1 \(datetime64 is not a number\)",
    ),
    "timedelta64 in objects": (
        np.array([[1.0, np.timedelta64(1, "D")]], dtype=object),
        r"y holds (np|numpy).timedelta64\(1,'D'\) in row 0, column 1",
    ),
    "complex in objects": (
        np.array([1.0, np.complex128(1j)], dtype=object),
        "y holds .*1j.*row 1",
    ),
    "Python's complex in objects": (np.array([1j], dtype=object), "y holds 1j in row 0"),
    "complex": (np.array([1 + 0j]), "Complex data not supported: y holds complex128"),
    "complex tensor": (torch.tensor([1j]), "Complex data not supported: y holds complex64"),
    "text": (np.array([["1", "x"]]), "y holds 'x' in row 0, column 1"),
    "bytes": (np.array([b"x"]), "y holds b'x' in row 0"),
    "text in windows": ([[["1", "2"], ["3", "x"]]], "y holds 'x' in window 0, step 1, feature 1"),
    "one text": ("load.csv", "y holds 'load.csv' "),
    "dict": ({"a": 1}, "y holds {'a': 1} "),
    "too large": ([10**400], r"y holds 1000.* in row 0 \(int too large"),
    "ragged": ([[1], [1, 2]], "y of type list cannot be turned into an array of numbers"),
    "sparse tensor": (torch.eye(2).to_sparse(), "y of type Tensor cannot be turned"),
    "tensor without data": (torch.zeros(2, device="meta"), "y of type Tensor cannot be turned"),
    "structured": (np.zeros(2, dtype=[("a", float)]), "y is a structured array"),
    "lazy": (pl.LazyFrame({"a": [1.0]}), r"y is a lazy frame.* y.collect\(\)"),
    "batch": (
        pa.RecordBatch.from_pydict({"a": [1.0]}),
        r"y is a RecordBatch.* pyarrow.Table.from_batches\(\[y\]\)",
    ),
}


@pytest.mark.parametrize(("data", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_number_is_refused_by_the_name_of_its_argument(data, message):
    with pytest.raises((TypeError, ValueError), match=f"^{message}|^Complex.*{message}"):
        as_numbers(data, "y")


def test_the_advice_about_columns_can_be_followed():
    frame = pd.DataFrame({"when": DAYS, "since": DAYS - DAYS[0], "kind": list("xyxy"), "load": A})
    assert_array_equal(as_numbers(frame.set_index("when")[["load"]], "X"), np.array([A]).T)
    numbers = frame.assign(when=frame["when"].dt.day, since=frame["since"].dt.total_seconds())
    codes = OrdinalEncoder().fit_transform(frame[["kind"]])
    expected = np.column_stack([[31, 1, 2, 3], np.arange(4) * 86400, [0, 1, 0, 1], A])
    assert_array_equal(as_numbers(numbers.assign(kind=codes[:, 0]), "X"), expected)
    one_hot = OneHotEncoder(sparse_output=False).fit_transform(frame[["kind"]])
    assert_array_equal(as_numbers(one_hot, "X"), [[1, 0], [0, 1], [1, 0], [0, 1]])
    for other in (pl.from_pandas(frame), pa.Table.from_pandas(frame)):
        indexed = other.to_pandas().set_index("when")[["load"]]
        assert_array_equal(as_numbers(indexed, "X"), np.array([A]).T)


def test_the_advice_about_whole_arguments_can_be_followed():
    structured = np.array([(0.5, 2.0), (-1.25, 0.0)], dtype=[("a", float), ("b", float)])
    assert_array_equal(as_numbers(structured_to_unstructured(structured), "X"), TABLE[:2])
    lazy, batch = pl.LazyFrame({"a": A, "b": B}), pa.RecordBatch.from_pydict({"a": A, "b": B})
    assert_array_equal(as_numbers(lazy.collect(), "X"), TABLE)
    assert_array_equal(as_numbers(pa.Table.from_batches([batch]), "X"), TABLE)


@pytest.mark.parametrize("chunks", [1, 2])
def test_a_null_of_a_dictionary_of_pyarrow_is_nan(chunks):
    column = pa.chunked_array([pa.array([1.0, 2.0, None, 4.0]).dictionary_encode()] * chunks)
    expected = np.tile([1, 2, np.nan, 4], chunks)
    np.testing.assert_array_equal(as_numbers(column, "y"), expected)
    np.testing.assert_array_equal(as_numbers(pa.table({"a": column}), "X")[:, 0], expected)


def test_masks_of_rows_in_a_list_count():
    rows = [np.ma.array([1.0, 2.0]), np.ma.array([-999.0, 3.0], mask=[True, False])]
    np.testing.assert_array_equal(as_numbers(rows, "X"), [[1, 2], [np.nan, 3]])
    np.testing.assert_array_equal(as_numbers([rows, rows], "X"), [[[1, 2], [np.nan, 3]]] * 2)
    with pytest.raises(ValueError, match="^X of type list cannot be turned into an array"):
        as_numbers([rows[1], [1.0]], "X")
