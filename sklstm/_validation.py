"""Checks of parameters and inputs, with their error messages."""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, NoReturn

import numpy as np
from sklearn.base import BaseEstimator, is_regressor
from sklearn.utils import _safe_indexing, assert_all_finite
from sklearn.utils._param_validation import HasMethods, StrOptions, validate_parameter_constraints
from sklearn.utils._param_validation import Interval as NumberInterval
from sklearn.utils.validation import (
    _check_method_params,
    _get_feature_names,
    check_array,
    check_is_fitted,
    validate_data,
)

from sklstm._containers import as_numbers, column_names
from sklstm._series.caller import level_of_caller
from sklstm._series.labels import is_pandas
from sklstm._series.lag_names import contradiction
from sklstm._series.overlap import find_windows
from sklstm._series.panel import Panel
from sklstm._series.storage import row_blocks, stays_on_disk
from sklstm._series.window_array import WindowArray
from sklstm._series.windows import Windows

# Some of these names are private in scikit-learn. Their messages are those of scikit-learn's own
# estimators. No other module imports private names of scikit-learn.
__all__ = [
    "CheckedWindows",
    "Interval",
    "RegressorToFit",
    "StrOptions",
    "check_fitted",
    "check_int",
    "check_numbers",
    "check_output_names",
    "check_params",
    "check_rows",
    "check_targets",
    "check_weights",
    "check_windows",
    "first_five",
    "has_column_as_target",
    "input_columns",
    "is_int",
    "names_of_outputs",
    "take_columns",
    "take_rows",
    "unchanged_on_error",
]


# Numbers for Python: a bool is an int, and so is a duration of numpy.
_NO_NUMBERS = (bool, np.timedelta64)


class Interval(NumberInterval):
    """An interval of scikit-learn's that takes numbers of every type, but no bool or duration."""

    def is_satisfied_by(self, value: Any) -> bool:
        """Whether ``value`` lies in the interval, as an int or float of Python."""
        if type(value) is int and self.type is numbers.Integral:  # most; the next lines are slow
            return value in self
        if isinstance(value, _NO_NUMBERS) or not isinstance(value, self.type):
            return False
        try:
            return (int if self.type is numbers.Integral else float)(value) in self
        except OverflowError:  # too large for a float
            return False


class RegressorToFit(HasMethods):
    """An estimator with fit and predict, also a regressor that has predict only when it is fitted.

    So it is with StackingRegressor and its default for ``final_estimator``.
    """

    def __init__(self) -> None:
        super().__init__(["fit", "predict"])

    def is_satisfied_by(self, value: Any) -> bool:
        """Whether the value has both methods, or will have them."""
        later = hasattr(value, "fit") and hasattr(type(value), "predict") and is_regressor(value)
        return bool(super().is_satisfied_by(value) or later)


_PLAIN_TYPES = (np.dtype(np.float64), np.dtype(np.float32))


@contextmanager
def unchanged_on_error(estimator: BaseEstimator) -> Iterator[None]:
    """Restore the attributes of ``estimator`` if the block raises, to keep an earlier fit."""
    state = estimator.__dict__.copy()
    try:
        yield
    except BaseException:
        estimator.__dict__.clear()
        estimator.__dict__.update(state)
        raise


def check_fitted(estimator: BaseEstimator, attribute: str) -> None:
    """Raise scikit-learn's NotFittedError if the estimator lacks this attribute."""
    if not hasattr(estimator, attribute):  # only then, since check_is_fitted is slow
        check_is_fitted(estimator)


def check_params(estimator: BaseEstimator, *names: str) -> SimpleNamespace:
    """Check the parameters, or only those named; return them with numbers as int or float.

    Numbers of numpy's small types would overflow in what is computed from them.
    """
    # Faster than scikit-learn's _validate_params, which inspects the signature.
    constraints = estimator._parameter_constraints
    params = {name: getattr(estimator, name) for name in names or constraints}
    validate_parameter_constraints(constraints, params, type(estimator).__name__)
    return SimpleNamespace(**{name: _plain_number(value) for name, value in params.items()})


def _plain_number(value: Any) -> Any:
    if type(value) in (bool, int, float, str) or isinstance(value, np.timedelta64):
        return value
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, numbers.Integral):
        return int(value)
    return float(value) if isinstance(value, numbers.Real) else value


def is_int(value: Any) -> bool:
    """Whether ``value`` is an int of Python or numpy."""
    return isinstance(value, numbers.Integral) and not isinstance(value, _NO_NUMBERS)


def check_int(name: str, value: Any, least: int | None = None) -> int:
    """Return the argument ``name`` of a function as an int; refuse all other numbers."""
    if not is_int(value) or (least is not None and value < least):
        at_least = "" if least is None else f" of at least {least}"
        raise ValueError(f"{name} must be an int{at_least}, got {value!r}.")
    return int(value)


def check_rows(estimator: BaseEstimator, X: Any, reset: bool) -> np.ndarray:
    """Return the rows of a series as floats, (n_rows, n_features).

    NaN is a missing value, infinity is an error. Rows that stay on disk keep their type.
    """
    rows = numbers = as_numbers(X, "X")
    if not (_is_plain(numbers, 2) and numbers.shape[1]):
        stays = stays_on_disk(X) and np.can_cast(X.dtype, np.float64)
        rows = _check_array(estimator, numbers, None if stays else [np.float64, np.float32])
    if reset or not _has_features_of_fit(estimator, X):
        _check_names_differ(X)
        validate_data(estimator, X, reset=reset, skip_check_array=True)  # names and their number
    # Check block by block, since a check of the whole series takes as much memory as a copy.
    for at in row_blocks(rows):
        if not np.isfinite(rows[at]).all():
            assert_all_finite(rows[at], allow_nan=True, input_name="X")
    return rows


@dataclass(frozen=True)
class CheckedWindows:
    """Windows that passed :func:`check_windows`.

    Attributes
    ----------
    windows : Windows
    missing : ndarray of bool of shape (base_rows,) or None
        Rows with NaN in every feature: missing steps. None if no row is missing.
    has_nan : bool
        Whether any value is missing.
    n_columns : int
        Features of a step for windows with three dimensions, columns for two.
    names : ndarray of str objects or None
        Names of the columns of a data frame.
    panel : Panel or None
        Which series and time each window is of. None: one series.
    order : ndarray of int of shape (n_windows,) or None
        The rows of X that these windows are of: of several series, one series after the other.
        None: all rows, in their order.
    """

    windows: Windows
    missing: np.ndarray | None
    has_nan: bool
    n_columns: int
    names: np.ndarray | None
    panel: Panel | None
    order: np.ndarray | None


def check_windows(estimator: BaseEstimator, X: Any, reset: bool) -> CheckedWindows:
    """Check windows (n, window_size, n_features) or (n, window_size) without a copy.

    Without ``reset`` they must have the shape of the windows that ``estimator`` was fitted on.
    """
    array = as_numbers(X, "X")
    n_dims = array.ndim
    if n_dims > 3:
        raise ValueError(
            f"X has {n_dims} dimensions, but {type(estimator).__name__} expects windows of "
            "shape (n, window_size, n_features), or (n, window_size) for one feature."
        )
    names = None
    if n_dims == 3:
        if not _is_plain(array, 3):
            array = _check_array(estimator, array, None, allow_nd=True)
        n_columns = array.shape[2]
    else:
        keeps_type = np.can_cast(array.dtype, np.float64)
        array = _check_array(estimator, array, None if keeps_type else [np.float64, np.float32])
        _check_names_differ(X)
        names_are_new = reset or not hasattr(estimator, "feature_names_in_")
        names = _get_feature_names(X) if names_are_new else None
        if names is not None and (why := contradiction(names)):
            warnings.warn(
                f"{type(estimator).__name__} reads the columns of X ({first_five(names)}) as "
                f"the steps of one feature, oldest first, but their names contradict: {why}. "
                "If X is a lag table, put LagTableTransformer before the estimator; if its "
                "columns are features, SlidingWindowTransformer. If they are steps, oldest "
                "first, pass X.to_numpy().",
                stacklevel=level_of_caller(),
            )
        if not reset and estimator.n_features_in_ == estimator.window_size_:
            validate_data(estimator, X, reset=False, skip_check_array=True)
        n_columns = array.shape[1]
        array = array[:, :, np.newaxis]

    _check_shape(array, None if reset else estimator)
    order = None
    if getattr(array, "panel", None) is not None and (np.diff(array.starts) < 0).any():
        order = np.argsort(array.starts, kind="stable").astype(array.starts.dtype)
        array = array[order]
    panel = getattr(array, "panel", None)
    windows = find_windows(array)
    if not np.can_cast(windows.rows.dtype, np.float64):
        windows = replace(windows, rows=windows.rows.astype(np.float64))
    missing, has_nan = _missing_rows(windows, order)
    return CheckedWindows(windows, missing, has_nan, n_columns, names, panel, order)


def _check_array(
    estimator: BaseEstimator, X: Any, dtype: object, allow_nd: bool = False
) -> np.ndarray:
    """Check the shape of ``X``, and its type, but no value."""
    if X.ndim < 2 or (X.ndim > 2 and not allow_nd):
        raise ValueError(
            f"Expected 2D array, got {X.ndim}D array instead: X has shape {X.shape}. Reshape your "
            "data: X.to_frame() for a Series, numpy.asarray(X).reshape(n_rows, n_features) for an "
            "array."
        )
    return check_array(
        X,
        dtype=dtype,
        allow_nd=allow_nd,
        ensure_all_finite=False,
        estimator=estimator,
        input_name="X",
    )


def _is_plain(X: Any, n_dims: int) -> bool:
    """Whether scikit-learn's checks can be skipped. They take as long as a small prediction."""
    is_float = type(X) in (np.ndarray, WindowArray) and X.dtype in _PLAIN_TYPES
    return is_float and X.ndim == n_dims and len(X) > 0


def _has_features_of_fit(estimator: BaseEstimator, X: Any) -> bool:
    """Whether ``X`` has the fitted features for sure, which takes scikit-learn longer to say."""
    names = getattr(estimator, "feature_names_in_", None)
    if is_pandas(X) and X.ndim == 2:
        columns = X.columns.tolist()
        are_text = all(type(name) is str for name in columns)
        return names is not None and are_text and columns == names.tolist()
    return names is None and _is_plain(X, 2) and X.shape[1] == estimator.n_features_in_


def _check_names_differ(X: Any) -> None:
    names = column_names(X)
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(
            f"X has {names.count(twice)} columns with the name {twice!r}, but expected names that "
            "differ. Give each column a name of its own."
        )


def _check_shape(array: np.ndarray, fitted: BaseEstimator | None) -> None:
    _, window_size, n_features = array.shape
    if window_size == 0 or n_features == 0:
        raise ValueError(
            f"X has shape {array.shape}, but windows need at least one step and one feature."
        )
    if fitted is None:
        return
    if n_features != len(fitted.feature_mean_):
        raise ValueError(
            f"X has {n_features} features, but {type(fitted).__name__} is expecting "
            f"{len(fitted.feature_mean_)} features as input."
        )
    if window_size != fitted.window_size_:
        raise ValueError(
            f"X has windows of {window_size} steps, but {type(fitted).__name__} was fitted "
            f"on windows of {fitted.window_size_} steps. Use the window_size of the fit."
        )


def _missing_rows(windows: Windows, order: np.ndarray | None) -> tuple[np.ndarray | None, bool]:
    """Find the rows with NaN in every feature, and whether there is any NaN; refuse infinity."""
    missing, has_nan = np.zeros(len(windows.rows), dtype=bool), False
    for at in row_blocks(windows.rows):
        if np.isfinite(windows.rows[at]).all():
            continue
        has_nan = True
        missing[at] = np.isnan(windows.rows[at]).all(axis=1)
        infinite = np.isinf(windows.rows[at]).any(axis=1)
        if infinite.any():
            _raise_for_row(windows, at.start + int(infinite.argmax()), order)
    return missing if missing.any() else None, has_nan


def _raise_for_row(windows: Windows, row: int, order: np.ndarray | None) -> NoReturn:
    """Raise an error that names the first window with this base row, the step and features."""
    holds_row = windows.sum_over_steps(np.arange(len(windows.rows)) == row)
    window = int(holds_row.argmax())
    step = (row - windows.starts[window]) // windows.lag_step
    number = window if order is None else order[window]
    features = np.flatnonzero(np.isinf(windows.rows[row]))
    raise ValueError(
        f"Input X contains infinity in feature(s) {first_five(features)} of step {step} of "
        f"window {number}, but expected finite numbers, or NaN where a value is unknown. Put NaN "
        "in place of it before the windows are made."
    )


def check_numbers(data: Any, name: str, dtype: object = np.float64) -> np.ndarray:
    """Return an argument other than X as floats of any shape; NaN is an unknown value."""
    return check_array(
        as_numbers(data, name),
        dtype=dtype,
        ensure_2d=False,
        allow_nd=True,
        ensure_all_finite="allow-nan",
        ensure_min_samples=0,
        ensure_min_features=0,
        input_name=name,
    )


def check_targets(estimator: BaseEstimator, y: Any, n_rows: int) -> np.ndarray:
    """Return targets as float64, (n,) or (n, n_outputs); NaN is an unknown target."""
    if y is None:
        raise ValueError(
            f"{type(estimator).__name__} requires y to be passed, but the target y is None."
        )
    y = check_numbers(y, "y")
    if y.ndim not in (1, 2) or y.shape[1:] == (0,):
        raise ValueError(f"y has shape {y.shape}, but expected (n,) or (n, n_outputs).")
    if len(y) != n_rows:
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: X has {n_rows} "
            f"rows, y has {len(y)}. Every row of X needs its target; NaN where it is unknown."
        )
    return y


def names_of_outputs(y: Any) -> list[str]:
    """Return the names of the columns of ``y``; none of a series, an array or other names."""
    is_table = hasattr(y, "columns") or hasattr(y, "column_names")
    names = column_names(y) if is_table else []
    return names if all(isinstance(name, str) for name in names) else []


def check_output_names(fitted: list[str], y: Any) -> None:
    """Refuse targets whose columns have other names, or another order, than those of the fit.

    Columns without names are taken in their order.
    """
    names = names_of_outputs(y)
    if names == fitted or not names or not fitted:
        return
    missing = [name for name in fitted if name not in names]
    if not missing:
        in_order = f"y.select({fitted})" if hasattr(y, "column_names") else f"y[{fitted}]"
        told = f"They must be in the same order as they were in fit: pass {in_order}."
    else:
        new = [name for name in names if name not in fitted]
        told = f"Names seen at fit time, yet now missing: {first_five(missing)}. "
        told += f"Names unseen at fit time: {first_five(new)}. " if new else ""
        told += "Pass the columns of the fit in their order, or an array of them."
    raise ValueError(f"The target names should match those that were passed during fit. {told}")


def check_weights(sample_weight: Any, n_rows: int) -> np.ndarray:
    """Return weights as float64, (n,), not negative and not all zero; None gives ones."""
    if sample_weight is None:
        return np.broadcast_to(1.0, n_rows)  # takes no memory
    if isinstance(sample_weight, numbers.Real):
        sample_weight = np.full(n_rows, sample_weight)
    weight = check_numbers(sample_weight, "sample_weight")
    if weight.shape != (n_rows,):
        raise ValueError(f"sample_weight has shape {weight.shape}, but expected ({n_rows},).")
    if np.isnan(weight).any():
        raise ValueError(
            f"sample_weight contains NaN, first in row {int(np.isnan(weight).argmax())}, but "
            "every row needs a weight. Set it to 0 to leave a row out."
        )
    if (weight < 0).any():
        raise ValueError(f"sample_weight must not be negative, got {weight.min()}.")
    if not weight.any():
        raise ValueError("sample_weight is zero for every row, so there is nothing to learn.")
    return weight


def take_rows(X: Any, params: dict[str, Any], rows: np.ndarray) -> tuple[Any, dict[str, Any]]:
    """Take some rows of ``X``, in its container, and of the parameters with a value for each."""
    # scikit-learn 1.6 takes no rows of a table of pyarrow.
    some = X.take(rows) if hasattr(X, "column_names") else _safe_indexing(X, rows)
    return some, _check_method_params(X, params, rows)


def take_columns(X: Any, columns: Any) -> Any:
    """Take some columns of ``X``, given as scikit-learn's ColumnTransformer takes them."""
    return _safe_indexing(X, columns, axis=1)


def input_columns(transformer: Any) -> list[tuple[Any, list[int]]]:
    """List the fitted transformers of a ColumnTransformer, and the numbers of their columns."""
    columns = transformer._transformer_to_input_indices
    return [(step, list(columns[name])) for name, step, _ in transformer.transformers_]


def has_column_as_target(regressor: Any) -> bool:
    """Whether a fitted TransformedTargetRegressor predicts a column, as its targets were one."""
    return bool(regressor._training_dim == 2)


def first_five(items: Sequence[object] | np.ndarray) -> str:
    """Join the first five items by commas."""
    return ", ".join(str(item) for item in items[:5]) + (", ..." if len(items) > 5 else "")
