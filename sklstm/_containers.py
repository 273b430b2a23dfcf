"""Arrays of numbers from what users pass: frames, tables, tensors, masked arrays, lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn

import numpy as np
import torch
from scipy.sparse import issparse
from sklearn.utils import indexable

from sklstm._series.labels import is_pandas, loaded_pandas
from sklstm._series.window_array import WindowArray

_NUMBERS = "biuf"  # kinds of the types of numpy that hold real numbers
# float() converts these without an error, but they are no numbers.
_NOT_NUMBERS = (np.datetime64, np.timedelta64, np.complexfloating)
_PLACES = ("", " in row {}", " in row {}, column {}", " in window {}, step {}, feature {}")


def as_numbers(data: Any, name: str) -> Any:
    """Return ``data`` as an array of numbers, NaN where it is masked, None, NA or null.

    float32 stays float32. Text that parses as numbers counts as numbers. Arrays of numbers and
    WindowArrays are returned as they are, and so are sparse matrices, for scikit-learn's message
    about them.

    Parameters
    ----------
    data : array-like, data frame, table or tensor
    name : str
        Name of the argument, for messages.

    Raises
    ------
    ValueError or TypeError
        If ``data`` holds anything but real numbers: dates, durations, other text, objects.
    """
    is_array = isinstance(data, np.ndarray) and not isinstance(data, np.ma.MaskedArray)
    is_array = is_array or isinstance(data, WindowArray)
    if (is_array and data.dtype.kind in _NUMBERS) or issparse(data):
        return data
    if (types := _types_of_numbers(data)) is not None:
        dtype = _float_type(types)
        array = data.to_numpy(**({"dtype": dtype} if is_pandas(data) else {}))
        return _floats(array, name).astype(dtype, copy=False)
    columns = _columns(data, name)
    if columns is None:
        return _floats(_as_array(data, name), name)
    frame = name if is_pandas(data) else f"{name}.to_pandas()"
    arrays = []
    for label, column in columns:
        what = f"Column {label!r} of {name}"
        index = (
            f" If it holds the times of the rows, make it the index: {frame}.set_index({label!r})."
        )
        if getattr(getattr(column, "dtype", None), "kind", "O") != "M":
            index += f" If it names their series, also: {frame}.set_index([{label!r}, 'times'])."
        array = _floats(_as_array(column, what), what, index if name == "X" else "")
        if array.ndim != 1:
            _refuse(what, f"lists ({column.dtype})")
        arrays.append(array)
    return np.stack(arrays, axis=1, dtype=_float_type(array.dtype for array in arrays))


def _columns(data: Any, name: str) -> Iterable[tuple[object, Any]] | None:
    """Return the names and columns of a data frame or table; None for what has no columns."""
    if hasattr(data, "collect") and not hasattr(data, "get_columns"):
        raise ValueError(f"{name} is a lazy frame, but expected rows. Pass {name}.collect().")
    if hasattr(data, "column_names"):  # a table of pyarrow
        if not hasattr(data, "to_batches"):  # scikit-learn does not see the names of a batch
            raise ValueError(
                f"{name} is a {type(data).__name__}, but expected a table. Pass "
                f"pyarrow.Table.from_batches([{name}])."
            )
        return zip(data.column_names, data.columns, strict=True)
    if hasattr(data, "get_columns"):  # a frame of polars
        return zip(data.columns, data.get_columns(), strict=True)
    return data.items() if hasattr(data, "items") and hasattr(data, "columns") else None


def columns_of_numbers(data: Any) -> np.ndarray | None:
    """Return the numbers of each row, (n_rows, columns); None if there are none.

    Of a frame or table, the columns that hold numbers; of windows, their last steps.
    """
    try:
        array = as_numbers(data, "X")
    except (TypeError, ValueError):
        found = [columns_of_numbers(column) for _, column in _columns(data, "X") or ()]
        arrays = [array for array in found if array is not None]
        return np.concatenate(arrays, axis=1) if arrays else None
    if issparse(array):
        return None
    return array[:, -1] if array.ndim == 3 else array.reshape(len(array), -1)


def column_names(data: Any) -> list[Any]:
    """Return the names of the columns of a frame or table, or of a series; none of an array."""
    if hasattr(data, "column_names"):  # of pyarrow, whose columns are arrays
        return list(data.column_names)
    return list(data.columns) if hasattr(data, "columns") else [getattr(data, "name", None)]


def rows_of(data: Any, name: str) -> tuple[Any, int]:
    """Return the argument ``name`` such that rows can be taken of it, and their number."""
    if hasattr(data, "__array__") and not hasattr(data, "__getitem__"):
        data = np.asarray(data)
    shape = getattr(data, "shape", None)
    if shape is None:
        is_list = hasattr(data, "__len__") and hasattr(data, "__getitem__")
        has_rows = is_list and not isinstance(data, (str, bytes, dict, type))
    else:
        has_rows = len(shape) > 0
    if not has_rows:
        raise ValueError(
            f"{name} has no rows: got {data!r:.60}, but expected an array, a data frame, a table, "
            "or a list with an item for each row."
        )
    (data,) = indexable(data)
    return data, len(data) if shape is None else shape[0]


def _types_of_numbers(frame: Any) -> set[Any] | None:
    """Return the types of the columns of a frame that one step converts, else None.

    For many columns that takes less time than to convert them one by one.
    """
    if is_pandas(frame) and frame.ndim == 2:
        types = set(frame.dtypes)
        plain = all(isinstance(dtype, np.dtype) and dtype.kind in _NUMBERS for dtype in types)
    elif hasattr(frame, "get_columns"):  # polars
        types = set(frame.dtypes)
        plain = all(dtype.is_numeric() for dtype in types)
    else:
        return None
    return types if plain else None


def _float_type(types: Iterable[object]) -> type:
    """Return float32 if all types of numpy, pandas or polars are float32, else float64."""
    return np.float32 if {str(dtype).lower() for dtype in types} == {"float32"} else np.float64


def _as_array(data: Any, what: str) -> np.ndarray:
    try:
        if hasattr(data, "combine_chunks"):  # numpy would read nulls of a dictionary as its values
            data = data.combine_chunks()
        if isinstance(data, (list, tuple)):
            return np.asarray(_without_masks(data, what))
        if isinstance(data, torch.Tensor):
            data = data.detach().cpu()
            return (data.float() if data.dtype == torch.bfloat16 else data).numpy()
        if isinstance(data, np.ma.MaskedArray):
            if data.dtype.kind in "OSU":
                return np.where(np.ma.getmaskarray(data), np.array(None), np.ma.getdata(data))
            if data.dtype.kind in _NUMBERS:
                return np.ma.filled(data.astype(_float_type([data.dtype])), np.nan)
        # NA of pandas would make an array of objects, which forgets float32.
        dtype = getattr(getattr(data, "dtype", None), "numpy_dtype", None)
        if dtype is not None and dtype.kind in _NUMBERS:
            return data.to_numpy(dtype=_float_type([dtype]), na_value=np.nan)
        return np.asarray(data)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"{what} of type {type(data).__name__} cannot be turned into an array of numbers: "
            f"{error}"
        ) from error


def _without_masks(data: Any, what: str) -> Any:
    """Replace what is masked in the arrays of a list, since numpy would forget the masks."""
    if isinstance(data, (list, tuple)):
        return [_without_masks(item, what) for item in data]
    return _as_array(data, what) if isinstance(data, np.ma.MaskedArray) else data


def _floats(values: np.ndarray, what: str, hint: str = "") -> np.ndarray:
    """Convert objects and text to float64; return numbers as they are, and refuse the rest."""
    kind = values.dtype.kind
    if kind in _NUMBERS:
        return values
    if kind == "c":
        raise ValueError(
            f"Complex data not supported: {what} holds {values.dtype}, but expected real numbers. "
            "Pass the real and the imaginary parts as two columns, or one of them."
        )
    if kind == "V":
        raise ValueError(
            f"{what} is a structured array ({values.dtype}), but expected numbers. Pass "
            "numpy.lib.recfunctions.structured_to_unstructured of it."
        )
    if kind in "mM":
        _refuse(what, str(values.dtype), hint)
    if kind == "O" and (pd := loaded_pandas()) is not None:
        values = np.where(pd.isna(values), np.nan, values)  # NA and NaT; numpy converts None
    types = set(map(type, values.flat)) if kind == "O" else set()
    try:
        if not any(issubclass(item, _NOT_NUMBERS) for item in types):
            return values.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        pass
    has_numbers = False
    for index, item in np.ndenumerate(values):
        try:
            if isinstance(item, _NOT_NUMBERS):
                raise TypeError(f"{type(item).__name__} is not a number")
            item = item.item() if isinstance(item, np.generic) else item
            has_numbers |= bool(np.isfinite(float(item)))
        except (TypeError, ValueError, OverflowError) as error:
            place = _PLACES[len(index)].format(*index) if len(index) < len(_PLACES) else ""
            if has_numbers and values.ndim == 1 and isinstance(item, str):
                raise ValueError(
                    f"{what} holds {item!r:.60}{place} among numbers, but expected numbers. If it "
                    "stands for an unknown value, make it NaN: pandas.to_numeric(column, "
                    "errors='coerce')."
                ) from None
            _refuse(what, f"{item!r:.60}{place} ({error})", hint, type(error))
    _refuse(what, f"objects of types {types}", hint)


def _refuse(what: str, found: str, hint: str = "", error: type = ValueError) -> NoReturn:
    raise (TypeError if error is TypeError else ValueError)(
        f"{what} holds {found}, but expected numbers. Turn it into numbers (parts of a date such "
        "as its hour, the seconds of a duration, codes of text by "
        f"sklearn.preprocessing.OrdinalEncoder or OneHotEncoder), or leave it out.{hint}"
    ) from None
