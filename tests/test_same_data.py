"""The same values give the same result in every container, type and layout, or are refused by name.

The cases are generated: every public callable (``CALLS``) with every form of its argument
(``FORMS``). ``must_be_refused`` is the rule that says which of them are errors.
"""

import datetime as dt
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache, partial

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
import torch
from numpy.testing import assert_array_equal
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from sklstm import (
    ConformalRegressor,
    ForecastDisplay,
    GateActivityDisplay,
    KnownTargetsRegressor,
    LagTableTransformer,
    LSTMRegressor,
    SlidingWindowTransformer,
    WindowSplitDisplay,
    backtest,
    forecast_targets,
    known_targets_scorer,
    lag_importance,
    pinball_scorer,
)

pytestmark = [
    # Only one of fit and transform gets the frame, so the names of columns differ.
    pytest.mark.filterwarnings("ignore:X has feature names, but"),
    pytest.mark.filterwarnings("ignore:X does not have valid feature names, but"),
]

SIZE, HORIZON = 3, 2
N_ROWS = 40
NUMBERS = np.random.RandomState(0).randint(0, 100, (N_ROWS, 2)).astype(float)  # exact in any type
MISSING = NUMBERS.copy()
MISSING[[9, 20]] = np.nan


def windows_of(series, size=SIZE, dilation=1):
    """Windows (rows, size, features) by a loop; NaN before the first row."""
    windows = np.full((len(series), size, series.shape[1]), np.nan)
    for row in range(len(series)):
        for step in range(size):
            source = row - (size - 1 - step) * dilation
            if source >= 0:
                windows[row, step] = series[source]
    return windows


def targets_of(series, horizon=HORIZON):
    targets = np.full((len(series), horizon), np.nan)
    for row in range(len(series)):
        for lead in range(1, horizon + 1):
            if row + lead < len(series):
                targets[row, lead - 1] = series[row + lead]
    return targets


# What an argument is, made from a series (rows, 2).
SHAPES = {
    "rows": lambda series: series,
    "windows": lambda series: windows_of(series)[SIZE - 1 :],
    "2-D windows": lambda series: windows_of(series[:, :1])[SIZE - 1 :, :, 0],
    "column": lambda series: series[:, 0],
    "row targets": lambda series: series[::-1][SIZE - 1 :, 0],  # which windows do not hold
    "columns of row targets": lambda series: series[::-1][SIZE - 1 :],
}
VALUES = {
    "numbers": NUMBERS,
    "bits": NUMBERS % 2,
    "missing": MISSING,
    "not numbers": NUMBERS,  # the form turns them into something else
}


@cache
def plain(shape, values):
    """Return the float64 array in C order that every form of an argument is compared with."""
    array = np.array(SHAPES[shape](VALUES[values]), order="C")
    array.flags.writeable = False
    return array


# Calls.


@dataclass(frozen=True)
class Call:
    """A call of a public name: ``run`` takes the form of one argument, and returns arrays."""

    argument: str
    shape: str
    run: Callable
    by_hand: Callable | None = None  # the same without the package, from the plain array


WINDOWS, FLAT = plain("windows", "numbers"), plain("2-D windows", "numbers")
Y = plain("row targets", "numbers")


def lstm(**params):
    quick = {"hidden_layer_sizes": 2, "max_epochs": 1, "n_jobs": 1, "random_state": 0}
    return LSTMRegressor(**(quick | {"early_stopping": True} | params))


def intervals():
    return ConformalRegressor(KnownTargetsRegressor(Ridge()), coverage=0.5)  # few rows are enough


@cache
def fitted(shape, **params):
    return lstm(**params).fit(plain(shape, "numbers"), Y)


@cache
def fitted_pipeline():
    return make_pipeline(SlidingWindowTransformer(SIZE), lstm()).fit(
        NUMBERS, targets_of(NUMBERS[:, 0])
    )


def model(estimator, X):
    curves = [estimator.loss_curve_, estimator.validation_loss_curve_ or []]
    return [*map(np.array, curves), estimator.predict(X)]


def fit(X, y=Y, sample_weight=None):
    return model(lstm().fit(X, y, sample_weight), X)


def backtested(X, y):
    estimator = make_pipeline(SlidingWindowTransformer(SIZE), lstm(early_stopping=False))
    result = backtest(estimator, X, y, cv=2, baseline=1)
    return [result.forecasts, result.actual]


def partial_fit(shape, X, y=Y, sample_weight=None):
    first = lstm().partial_fit(plain(shape, "numbers"), Y)
    return model(first.partial_fit(X, y, sample_weight), X)


def score(shape, X, y=Y, sample_weight=None):
    return [fitted(shape).score(X, y, sample_weight)]


def append_rows(X):
    transformer = SlidingWindowTransformer(SIZE + 2).fit(NUMBERS[:N_ROWS])
    return [transformer.partial_fit(X).history_]


def shown(display):
    return [display.history, display.forecast, display.actual]


def gates(estimator, X):
    return list(GateActivityDisplay.from_estimator(estimator, X, row=5).activity.values())


def importance(model, X, y):
    result = lag_importance(model, X, y, lags=[1], n_repeats=1, random_state=0)
    return [result.importances, np.array(result.score)]


def splits(X):
    pipe = make_pipeline(SlidingWindowTransformer(SIZE), lstm())
    display = WindowSplitDisplay.from_estimator(pipe, X)
    return [np.array([display.n_rows, display.n_history]), *map(np.concatenate, display.splits)]


FORECASTS = targets_of(NUMBERS[:, 0])
SLIDING = "SlidingWindowTransformer"
CALLS = {
    f"{SLIDING}.fit": Call(
        "X",
        "rows",
        lambda X: [SlidingWindowTransformer(SIZE).fit(X).history_],
        lambda X: [X[-SIZE + 1 :]],
    ),
    f"{SLIDING}.partial_fit": Call("X", "rows", append_rows, lambda X: [X[-SIZE - 1 :]]),
    f"{SLIDING}.transform": Call(
        "X",
        "rows",
        lambda X: [
            SlidingWindowTransformer(SIZE, dilation=2, history="none").fit(NUMBERS).transform(X)
        ],
        lambda X: [windows_of(X, dilation=2)],
    ),
    f"{SLIDING}, flat": Call(
        "X",
        "rows",
        lambda X: [SlidingWindowTransformer(SIZE, flatten=True).fit_transform(X)],
        lambda X: [windows_of(X).transpose(0, 2, 1).reshape(len(X), -1)],
    ),
    f"{SLIDING}, pandas": Call(
        "X",
        "rows",
        lambda X: [
            SlidingWindowTransformer(SIZE, flatten=True)
            .set_output(transform="pandas")
            .fit_transform(X)
            .to_numpy()
        ],
        lambda X: [windows_of(X).transpose(0, 2, 1).reshape(len(X), -1)],
    ),
    "LagTableTransformer.fit": Call(
        "X",
        "rows",
        lambda X: [LagTableTransformer(lags=[1, 2]).fit(X).columns_],
        lambda X: [np.array([[1], [0]])],
    ),
    "LagTableTransformer.transform": Call(
        "X",
        "rows",
        lambda X: [LagTableTransformer(lags=[1, 2]).fit(NUMBERS).transform(X)],
        lambda X: [X[:, ::-1, np.newaxis]],
    ),
    "WindowSplitDisplay": Call("X", "rows", splits),
    "pipeline.fit": Call(
        "X",
        "rows",
        lambda X: [
            make_pipeline(SlidingWindowTransformer(SIZE), lstm()).fit(X, NUMBERS).predict(X)
        ],
    ),
    "pipeline.predict": Call("X", "rows", lambda X: [fitted_pipeline().predict(X)]),
    "GateActivityDisplay, pipeline": Call("X", "rows", lambda X: gates(fitted_pipeline(), X)),
    "ForecastDisplay.from_estimator, X": Call(
        "X",
        "rows",
        lambda X: shown(ForecastDisplay.from_estimator(fitted_pipeline(), X, NUMBERS[:, 0], row=9)),
    ),
    "ForecastDisplay.from_estimator, y": Call(
        "y",
        "column",
        lambda y: shown(ForecastDisplay.from_estimator(fitted_pipeline(), NUMBERS, y, row=9)),
    ),
    "ForecastDisplay.from_predictions, y_true": Call(
        "y_true",
        "column",
        lambda y: shown(ForecastDisplay.from_predictions(y, FORECASTS, row=8, n_history=5)),
        lambda y: [y[4:9], FORECASTS[8], targets_of(y)[8]],
    ),
    "ForecastDisplay.from_predictions, y_pred": Call(
        "y_pred",
        "rows",
        lambda y: shown(ForecastDisplay.from_predictions(NUMBERS[:, 0], y, row=8, n_history=5)),
        lambda y: [NUMBERS[4:9, 0], y[8], FORECASTS[8]],
    ),
    "forecast_targets": Call(
        "series",
        "column",
        lambda series: [np.asarray(forecast_targets(series, HORIZON))],
        lambda series: [targets_of(series)],
    ),
    "backtest, X": Call("X", "rows", lambda X: backtested(X, targets_of(NUMBERS[:, 0]))),
    "backtest, y": Call("y", "rows", lambda y: backtested(NUMBERS, y)),
    "fit, X": Call("X", "windows", fit),
    "fit, 2-D X": Call("X", "2-D windows", fit),
    "fit, y": Call("y", "row targets", partial(fit, WINDOWS)),
    "fit, y of two columns": Call("y", "columns of row targets", partial(fit, FLAT)),
    "fit, sample_weight": Call("sample_weight", "row targets", partial(fit, WINDOWS, Y)),
    "partial_fit, X": Call("X", "windows", partial(partial_fit, "windows")),
    "partial_fit, 2-D X": Call("X", "2-D windows", partial(partial_fit, "2-D windows")),
    "partial_fit, y": Call("y", "row targets", partial(partial_fit, "windows", WINDOWS)),
    "partial_fit, sample_weight": Call(
        "sample_weight", "row targets", partial(partial_fit, "2-D windows", FLAT, Y)
    ),
    "predict": Call("X", "windows", lambda X: [fitted("windows").predict(X)]),
    "predict, 2-D": Call("X", "2-D windows", lambda X: [fitted("2-D windows").predict(X)]),
    "score, X": Call("X", "windows", partial(score, "windows")),
    "score, 2-D X": Call("X", "2-D windows", partial(score, "2-D windows")),
    "score, y": Call("y", "row targets", partial(score, "windows", WINDOWS)),
    "score, sample_weight": Call(
        "sample_weight", "row targets", partial(score, "windows", WINDOWS, Y)
    ),
    "known_targets_scorer": Call(
        "y",
        "row targets",
        lambda y: [known_targets_scorer("neg_max_error")(fitted("windows"), WINDOWS, y)],
    ),
    "lag_importance, X": Call(
        "X", "rows", lambda X: importance(fitted_pipeline(), X, targets_of(NUMBERS[:, 0]))
    ),
    "lag_importance, windows": Call("X", "windows", lambda X: importance(fitted("windows"), X, Y)),
    "lag_importance, 2-D windows": Call(
        "X", "2-D windows", lambda X: importance(fitted("2-D windows"), X, Y)
    ),
    "lag_importance, y": Call(
        "y", "row targets", lambda y: importance(fitted("windows"), WINDOWS, y)
    ),
    "predict_quantiles": Call(
        "X", "windows", lambda X: [fitted("windows", loss="quantile").predict_quantiles(X)]
    ),
    "pinball_scorer": Call(
        "y",
        "row targets",
        lambda y: [pinball_scorer(fitted("windows", loss="quantile"), WINDOWS, y)],
    ),
    "KnownTargetsRegressor.fit, y": Call(
        "y",
        "columns of row targets",
        lambda y: [KnownTargetsRegressor(Ridge()).fit(FLAT, y).predict(FLAT)],
    ),
    "ConformalRegressor.fit, y": Call(
        "y",
        "columns of row targets",
        lambda y: [intervals().fit(FLAT, y).predict_interval(FLAT)],
    ),
    "ConformalRegressor.update, y": Call(
        "y",
        "columns of row targets",
        lambda y: [intervals().fit(FLAT, np.c_[Y, -Y]).update(FLAT, y).predict_interval(FLAT)],
    ),
    "GateActivityDisplay": Call("X", "windows", lambda X: gates(fitted("windows"), X)),
}

# Forms.


@dataclass(frozen=True)
class Form:
    """A way to pass the values of a float64 array."""

    make: Callable
    values: str = "numbers"
    ndims: tuple[int, ...] = (1, 2, 3)


class Subclass(np.ndarray):
    pass


class WithArray:
    """What numpy can convert, and nothing else."""

    def __init__(self, array):
        self.array = array
        self.shape, self.dtype = array.shape, array.dtype

    def __len__(self):
        return len(self.array)

    def __array__(self, dtype=None, copy=None):
        return np.array(self.array, dtype=dtype)


def memmap(array):
    with tempfile.TemporaryFile() as file:  # the map stays when the file is closed
        mapped = np.memmap(file, dtype=array.dtype, shape=array.shape)
    mapped[...] = array
    return mapped


def strided(array):
    wide = np.full((2 * len(array), *array.shape[1:]), -1.0)
    wide[::2] = array
    return wide[::2]


def unaligned(array):
    return (
        np.frombuffer(b"x" + array.tobytes(), dtype=np.uint8)[1:].view(float).reshape(array.shape)
    )


def field(array):
    records = np.zeros(len(array), dtype=[("flag", "i1"), ("load", "f8", array.shape[1:])])
    records["load"] = array
    return records["load"]


def nested_tuple(array):
    return tuple(map(nested_tuple, array)) if array.ndim > 1 else tuple(array.tolist())


def objects_of(make, array):
    """Return an array of objects, made from the floats one by one."""
    objects = np.empty(array.shape, dtype=object)
    objects.flat = [make(value) for value in array.ravel().tolist()]
    return objects


def pandas_of(dtype, array):
    if array.ndim == 1:
        return pd.Series(array, name="load").astype(dtype)
    return pd.DataFrame(array, columns=NAMES[-array.shape[1] :]).astype(dtype)


def nullable(dtype, array):
    """Convert columns in pandas, NA where the float is NaN."""
    data = pandas_of(object, array)
    return data.where(data.notna(), None).astype(dtype)


def polars_of(dtype, array):
    """Convert columns in polars, null where the float is NaN."""
    if array.ndim == 1:
        return pl.Series("load", array).fill_nan(None).cast(dtype)
    return pl.DataFrame(array, schema=NAMES[-array.shape[1] :]).fill_nan(None).cast(dtype)


def pyarrow_of(dtype, array):
    """Convert columns in pyarrow, null where the float is NaN."""
    if array.ndim == 1:
        return pa.array(array, from_pandas=True).cast(dtype)
    columns = [pyarrow_of(dtype, column) for column in array.T]
    return pa.table(dict(zip(NAMES[-array.shape[1] :], columns, strict=True)))


def chunked(array):
    if array.ndim == 1:
        return pa.chunked_array([array[:7], array[7:]])
    return pa.concat_tables([pyarrow_of("double", array[:7]), pyarrow_of("double", array[7:])])


def masked(dtype, array):
    return np.ma.masked_array(np.nan_to_num(array, nan=77).astype(dtype), np.isnan(array))


def dates_of(unit, array):
    return array.astype("i8").astype(f"M8[{unit}]")


STRINGS = {}
if hasattr(np, "dtypes") and hasattr(np.dtypes, "StringDType"):  # numpy 2
    STRINGS["StringDType"] = lambda array: array.astype(str).astype(np.dtypes.StringDType())
LAYOUTS = {
    "C order": np.array,
    "Fortran order": np.asfortranarray,
    "every second row": strided,
    "reversed": lambda array: array[::-1].copy()[::-1],
    "reversed columns": lambda array: array[..., ::-1].copy()[..., ::-1],
    "read-only": lambda array: array,
    "unaligned": unaligned,
    "memmap": memmap,
    "field of records": field,
    "subclass": lambda array: array.view(Subclass),
    "list": np.ndarray.tolist,
    "list of arrays": list,
    "tuple": nested_tuple,
    "masked array": np.ma.masked_array,
    "tensor": lambda array: torch.tensor(array),
    "float32 tensor": lambda array: torch.tensor(array, dtype=torch.float32),
    "int16 tensor": lambda array: torch.tensor(array, dtype=torch.int16),
    "tensor with gradient": lambda array: torch.tensor(array, requires_grad=True),
    "__array__": WithArray,
    "memoryview": memoryview,
    "objects": lambda array: array.astype(object),
    "Decimal": partial(objects_of, Decimal),
    "Fraction": partial(objects_of, Fraction),
    "text": lambda array: array.astype(str),
    **STRINGS,
}
INTEGERS = ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8")
DTYPES = [*INTEGERS, "f2", "f4", "longdouble", ">f2", ">f4", ">f8", ">i2", ">i8", ">u8"]
PANDAS_MISSING = ["Int8", "Int64", "UInt16", "Float32", "Float64", "object"]
PANDAS_MISSING += ["int64[pyarrow]", "float[pyarrow]"]
PANDAS = [*PANDAS_MISSING, "float64", "float32", "int8", "uint64"]
PANDAS += ["double[pyarrow]", "uint8[pyarrow]", "category", "Sparse[float]", "str"]
POLARS = [pl.Float64, pl.Float32, pl.Int8, pl.UInt64, pl.Decimal(10, 2), pl.String]
PYARROW = ["double", "float", "int8", "uint64", pa.decimal128(10, 2)]
ONE_OR_TWO = (1, 2)
NAMES = ["load_lag2", "load_lag1", "load_lag0"]  # as steps of one feature, oldest first

FORMS = {name: Form(make) for name, make in LAYOUTS.items()}
for dtype in DTYPES:
    FORMS[f"dtype {dtype}"] = Form(partial(lambda dtype, array: array.astype(dtype), dtype))
FORMS["dtype bool"] = Form(lambda array: array.astype(bool), "bits")
FORMS["negative zero"] = Form(lambda array: np.where(array == 0, -0.0, array), "bits")
FORMS["bool objects"] = Form(partial(objects_of, bool), "bits")
FORMS["bool list"] = Form(lambda array: array.astype(bool).tolist(), "bits")
FORMS["bool tensor"] = Form(lambda array: torch.tensor(array, dtype=torch.bool), "bits")
for dtype in PANDAS:
    FORMS[f"pandas {dtype}"] = Form(partial(pandas_of, dtype), ndims=ONE_OR_TWO)
for dtype in ("bool", "boolean", "bool[pyarrow]"):
    FORMS[f"pandas {dtype}"] = Form(partial(pandas_of, dtype), "bits", ONE_OR_TWO)
for dtype in POLARS:
    FORMS[f"polars {dtype}"] = Form(partial(polars_of, dtype), ndims=ONE_OR_TWO)
FORMS["polars Boolean"] = Form(partial(polars_of, pl.Boolean), "bits", ONE_OR_TWO)
for dtype in PYARROW:
    FORMS[f"pyarrow {dtype}"] = Form(partial(pyarrow_of, dtype), ndims=ONE_OR_TWO)
FORMS["pyarrow bool"] = Form(partial(pyarrow_of, "bool"), "bits", ONE_OR_TWO)
FORMS["pyarrow in chunks"] = Form(chunked, ndims=ONE_OR_TWO)
FORMS["pandas, columns of several types"] = Form(
    lambda array: pandas_of("int8", array).assign(load_lag0=pd.array(array[:, -1], "Float32")),
    ndims=(2,),
)
FORMS["pandas array"] = Form(lambda array: pd.array(array, "Int64"), ndims=(1,))
FORMS["pandas Index"] = Form(pd.Index, ndims=(1,))

UNKNOWN = {
    "NaN": np.array,
    "NaN, list": np.ndarray.tolist,
    "NaN, f2": lambda array: array.astype("f2"),
    "NaN, f4": lambda array: array.astype("f4"),
    "NaN, longdouble": lambda array: array.astype("longdouble"),
    "NaN, >f8": lambda array: array.astype(">f8"),
    "NaN, Fortran order": np.asfortranarray,
    "NaN, tensor": lambda array: torch.tensor(array),
    "NaN, text": lambda array: array.astype(str),
    "NaN, Decimal": partial(objects_of, Decimal),
    "None": partial(objects_of, lambda value: None if np.isnan(value) else value),
    "None, list": lambda array: UNKNOWN["None"](array).tolist(),
    "None in text": partial(objects_of, lambda value: None if np.isnan(value) else str(value)),
    "NA": partial(objects_of, lambda value: pd.NA if np.isnan(value) else value),
    "NaT": partial(objects_of, lambda value: pd.NaT if np.isnan(value) else value),
    "masked floats": partial(masked, "f8"),
    "masked float32": partial(masked, "f4"),
    "masked ints": partial(masked, "i2"),
    "masked objects": partial(masked, "O"),
}
for name, make in UNKNOWN.items():
    FORMS[name] = Form(make, "missing")
FORMS["NaN, pandas"] = Form(partial(pandas_of, "float64"), "missing", ONE_OR_TWO)
FORMS["NaN, pandas float32"] = Form(partial(pandas_of, "float32"), "missing", ONE_OR_TWO)
for dtype in PANDAS_MISSING:
    FORMS[f"NA, pandas {dtype}"] = Form(partial(nullable, dtype), "missing", ONE_OR_TWO)
for dtype in POLARS:
    FORMS[f"null, polars {dtype}"] = Form(partial(polars_of, dtype), "missing", ONE_OR_TWO)
for dtype in PYARROW:
    FORMS[f"null, pyarrow {dtype}"] = Form(partial(pyarrow_of, dtype), "missing", ONE_OR_TWO)

DATE = dt.datetime(2024, 1, 1)


def infinite(make, array):
    array = array.copy()
    array[5] = np.inf
    return make(array)


NO_NUMBERS = {
    "infinity": partial(infinite, np.array),
    "infinity, minus": partial(infinite, np.negative),
    "infinity, f2": partial(infinite, lambda array: array.astype("f2")),
    "infinity, f4": partial(infinite, lambda array: array.astype("f4")),
    "infinity, >f8": partial(infinite, lambda array: array.astype(">f8")),
    "infinity, masked array": partial(infinite, np.ma.masked_array),
    "infinity, tensor": partial(infinite, lambda array: torch.tensor(array)),
    "infinity, list": partial(infinite, np.ndarray.tolist),
    "infinity, Decimal": partial(infinite, partial(objects_of, Decimal)),
    "infinity, text": partial(infinite, lambda array: array.astype(str)),
    "complex64": lambda array: array.astype("c8"),
    "complex128": lambda array: array.astype("c16"),
    "complex objects": lambda array: array.astype("c16").astype(object),
    "complex tensor": lambda array: torch.tensor(array, dtype=torch.complex64),
    "datetime64[D]": partial(dates_of, "D"),
    "datetime64[ns]": partial(dates_of, "ns"),
    "datetime64, all NaT": lambda array: np.full(array.shape, np.datetime64("NaT", "s")),
    "datetime64 in objects": lambda array: objects_of(lambda v: np.datetime64(int(v), "D"), array),
    "masked datetime64": lambda array: np.ma.masked_array(dates_of("D", array)),
    "dates": partial(objects_of, lambda value: DATE + dt.timedelta(value)),
    "list of dates": lambda array: objects_of(lambda v: DATE, array).tolist(),
    "timedelta64": lambda array: array.astype("i8").astype("m8[s]"),
    "timedelta64 in objects": partial(objects_of, lambda v: np.timedelta64(int(v), "s")),
    "durations": partial(objects_of, dt.timedelta),
    "text without numbers": partial(objects_of, lambda value: f"load {value}"),
    "text without numbers, U": lambda array: np.char.add("x", array.astype(str)),
    "bytes without numbers": lambda array: np.char.add("x", array.astype(str)).astype("S"),
    "records": lambda array: np.zeros(array.shape, dtype=[("a", "f8"), ("b", "f8")]),
    "dicts": partial(objects_of, lambda value: {"load": value}),
    "sparse tensor": lambda array: torch.tensor(array).to_sparse(),
}
for name, make in NO_NUMBERS.items():
    FORMS[name] = Form(make, "not numbers")
NO_NUMBERS_IN_COLUMNS = {
    "infinity, pandas": partial(infinite, partial(pandas_of, "float64")),
    "infinity, pandas Float64": partial(infinite, partial(nullable, "Float64")),
    "infinity, polars": partial(infinite, partial(polars_of, pl.Float64)),
    "infinity, pyarrow": partial(infinite, partial(pyarrow_of, "float")),
    "pandas datetime64": partial(pandas_of, "M8[ns]"),
    "pandas timedelta64": partial(pandas_of, "m8[ns]"),
    "pandas complex": partial(pandas_of, "complex128"),
    "pandas timestamp[pyarrow]": lambda array: pandas_of("M8[ns]", array).astype(
        "timestamp[ns][pyarrow]"
    ),
    "pandas, time zone": lambda array: pandas_of("M8[ns]", array).map(
        lambda time: time.tz_localize("UTC")
    ),
    "pandas, categories of text": lambda array: pandas_of(
        "category", np.char.add("x", array.astype(str))
    ),
    "polars Datetime": lambda array: polars_of(pl.Int64, array).cast(pl.Datetime("us")),
    "polars Date": lambda array: polars_of(pl.Int32, array).cast(pl.Date),
    "polars Duration": lambda array: polars_of(pl.Int64, array).cast(pl.Duration("us")),
    "pyarrow timestamp": lambda array: pyarrow_of(pa.timestamp("us"), array.astype("i8")),
    "pyarrow duration": lambda array: pyarrow_of(pa.duration("us"), array.astype("i8")),
}
for name, make in NO_NUMBERS_IN_COLUMNS.items():
    FORMS[name] = Form(make, "not numbers", ONE_OR_TWO)
COUNTS_ROWS = "WindowSplitDisplay"  # reads no value
NO_TABLES = {
    "lazy frame": lambda array: polars_of(pl.Float64, array).lazy(),
    "record batch": lambda array: pyarrow_of("double", array).to_batches()[0],
    "sparse matrix": scipy.sparse.csr_array,
    "ragged list": lambda array: [*array.tolist(), [0]],
}
for name, make in NO_TABLES.items():
    FORMS[name] = Form(make, "not numbers", (2,))

# Calls in which a value must not be unknown.
ALL_KNOWN = {name for name, call in CALLS.items() if call.argument == "sample_weight"}


def must_be_refused(call, form):
    """Refuse what is no array of real numbers, and unknown values where all must be known."""
    values = FORMS[form].values
    if call == COUNTS_ROWS:
        return False
    return values == "not numbers" or (values == "missing" and call in ALL_KNOWN)


def case(call, form):
    family = "malformed input" if must_be_refused(call, form) else "equal bits"
    return pytest.param(call, form, id=f"{call} <- {form}", marks=pytest.mark.family(family))


CASES = [
    case(call, form)
    for call in CALLS
    for form in FORMS
    if plain(CALLS[call].shape, "numbers").ndim in FORMS[form].ndims
    and not (call == COUNTS_ROWS and form in NO_TABLES)
]


@cache
def expected(name, values):
    call = CALLS[name]
    array = plain(call.shape, values)
    return call.run(array) if call.by_hand is None else call.by_hand(array)


@pytest.fixture(autouse=True)
def no_drawing(monkeypatch):
    for display in (ForecastDisplay, GateActivityDisplay, WindowSplitDisplay):
        monkeypatch.setattr(display, "plot", lambda display, *args, **kwargs: display)


def assert_same(results, right):
    assert len(results) == len(right)
    for result, array in zip(results, right, strict=True):
        assert_array_equal(np.asarray(result, dtype=float), array)


@pytest.mark.parametrize(("call", "form"), CASES)
def test_the_same_values_give_the_same_result_or_an_error_with_the_name_of_the_argument(call, form):
    run, argument = CALLS[call].run, CALLS[call].argument
    data = FORMS[form].make(plain(CALLS[call].shape, FORMS[form].values))
    if must_be_refused(call, form):
        with pytest.raises((ValueError, TypeError)) as error:
            run(data)
        assert re.search(rf"\b{argument}\b", str(error.value)), str(error.value)
    else:
        assert_same(run(data), expected(call, FORMS[form].values))


# Parameters that are integers.

LONG = np.random.RandomState(1).rand(300, 1)
NO_INTEGERS = {
    "bool": bool,
    "np.bool": np.bool_,
    "float": float,
    "np.float32": np.float32,
    "complex": complex,
    "Decimal": Decimal,
    "Fraction": Fraction,
    "text": str,
    "array of floats": lambda value: np.array(float(value)),
    "array": np.array,
    "list of lists": lambda value: [[value]],
    "tensor": torch.tensor,
    "timedelta64": lambda value: np.timedelta64(value, "s"),
    "NaN": lambda value: np.nan,
    "infinity": lambda value: np.inf,
}


@dataclass(frozen=True)
class Parameter:
    """A parameter or argument, and a call that depends on it."""

    name: str
    value: int
    run: Callable
    by_hand: Callable | None = None


def fit_with(name, value):
    return fit_lstm(**{name: value})


def fit_lstm(**params):
    return model(lstm(**params).fit(WINDOWS, Y), WINDOWS)


def forecast_shown(**params):
    return shown(ForecastDisplay.from_predictions(NUMBERS[:, 0], FORECASTS, **params))


PARAMETERS = [
    # The rows that a window reaches back, 195, are no int8.
    Parameter(
        "window_size",
        40,
        lambda value: [SlidingWindowTransformer(value, dilation=5).fit_transform(LONG)],
        lambda value: [windows_of(LONG, value, 5)],
    ),
    Parameter(
        "dilation",
        5,
        lambda value: [SlidingWindowTransformer(40, dilation=value).fit_transform(LONG)],
        lambda value: [windows_of(LONG, 40, value)],
    ),
    Parameter(
        "horizon",
        100,
        lambda value: [forecast_targets(LONG, value)],
        lambda value: [targets_of(LONG[:, 0], value)],
    ),
    Parameter(
        "lags",
        1,
        lambda value: [LagTableTransformer(lags=[value, 2]).fit_transform(NUMBERS)],
        lambda value: [NUMBERS[:, ::-1, np.newaxis]],
    ),
    Parameter("hidden_layer_sizes", 100, partial(fit_with, "hidden_layer_sizes")),
    Parameter("hidden_layer_sizes", 3, lambda value: fit_lstm(hidden_layer_sizes=(value, 2))),
    Parameter("batch_size", 8, partial(fit_with, "batch_size")),
    Parameter("max_epochs", 2, partial(fit_with, "max_epochs")),
    Parameter("n_iter_no_change", 2, partial(fit_with, "n_iter_no_change")),
    Parameter("random_state", 100, partial(fit_with, "random_state")),
    Parameter("n_jobs", 1, partial(fit_with, "n_jobs")),
    Parameter(
        "row",
        8,
        lambda value: forecast_shown(row=value, n_history=5),
        lambda value: [NUMBERS[4:9, 0], FORECASTS[8], FORECASTS[8]],
    ),
    Parameter(
        "n_history",
        5,
        lambda value: forecast_shown(row=8, n_history=value),
        lambda value: [NUMBERS[4:9, 0], FORECASTS[8], FORECASTS[8]],
    ),
    Parameter(
        "row",
        8,
        lambda value: list(
            GateActivityDisplay.from_estimator(
                fitted("windows"), WINDOWS, row=value
            ).activity.values()
        ),
    ),
    Parameter(
        "layer",
        0,
        lambda value: list(
            GateActivityDisplay.from_estimator(
                fitted("windows"), WINDOWS, layer=value
            ).activity.values()
        ),
    ),
]
PARAMETER_CASES = [(p, kind) for p in PARAMETERS for kind in INTEGERS]
NO_INTEGER_CASES = [
    (p, kind)
    for p in PARAMETERS
    for kind in NO_INTEGERS
    # Sizes and lags are array-likes, and an array of one int is one.
    if not (kind in ("array", "tensor") and p.name in ("hidden_layer_sizes", "lags"))
]


def case_ids(cases):
    return [f"{parameter.name}={parameter.value}, {kind}" for parameter, kind in cases]


@pytest.mark.family("equal bits")
@pytest.mark.parametrize(("parameter", "kind"), PARAMETER_CASES, ids=case_ids(PARAMETER_CASES))
def test_every_type_of_integer_gives_the_same(parameter, kind):
    right = (parameter.by_hand or parameter.run)(parameter.value)
    assert_same(parameter.run(np.dtype(kind).type(parameter.value)), right)


@pytest.mark.family("malformed input")
@pytest.mark.parametrize(("parameter", "kind"), NO_INTEGER_CASES, ids=case_ids(NO_INTEGER_CASES))
def test_what_is_no_integer_is_refused_by_the_name_of_the_parameter(parameter, kind):
    with pytest.raises((ValueError, TypeError), match=rf"\b{parameter.name}\b"):
        parameter.run(NO_INTEGERS[kind](parameter.value))


# Values of any size. A power of two changes no bit of a standardised value.

EXPONENTS = [-1000, -700, -350, -100, -30, 30, 100, 350, 700, 1000]


def scaled_fit(argument, exponent):
    inputs = {"X": WINDOWS, "y": Y, "sample_weight": Y}
    inputs[argument] = np.ldexp(inputs[argument], exponent)
    return fit(**inputs)


@pytest.mark.parametrize("exponent", EXPONENTS)
@pytest.mark.parametrize("argument", ["X", "y", "sample_weight"])
def test_a_model_does_not_depend_on_the_unit(argument, exponent):
    *curves, predicted = scaled_fit(argument, 0)
    predicted = np.ldexp(predicted, exponent if argument == "y" else 0)
    assert_same(scaled_fit(argument, exponent), [*curves, predicted])


@pytest.mark.parametrize("value", [0.0, -0.0, 5e-324, 1e-300, 1.1, -7e19, 1e300, 1.7e308])
@pytest.mark.parametrize("name", [name for name, call in CALLS.items() if call.by_hand])
def test_windows_and_targets_hold_values_of_any_size(name, value):
    array = plain(CALLS[name].shape, "numbers").copy()
    array[::3] = value
    assert_same(CALLS[name].run(array), CALLS[name].by_hand(array))


def test_there_are_as_many_cases_as_promised():
    assert len(CASES) + len(PARAMETER_CASES) + len(NO_INTEGER_CASES) >= 600
