"""WindowArray: windows that do not lie regularly, over one series or several."""

from __future__ import annotations

import numbers
import operator
from dataclasses import replace
from typing import Any, NoReturn

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import ArrayLike, DTypeLike, NDArray

from sklstm._series.panel import Panel
from sklstm._series.windows import Windows, history_length, number_type


class WindowArray(NDArrayOperatorsMixin):
    """Windows over one series, for windows that do not lie regularly in it, or over several.

    :class:`SlidingWindowTransformer` returns it in place of an array where steps are missing among
    the rows passed, or where they are rows of several series. It takes the memory of the series,
    not ``window_size`` times as much.
    :class:`LSTMRegressor`, the displays and scikit-learn's splitters and searches take it as they
    take an array.

    Parameters
    ----------
    base : ndarray of shape (base_rows, n_features)
        The series, with a row wherever a window has a step. It is not copied.
    starts : array-like of int of shape (n_windows,)
        The row of ``base`` that is the oldest step of each window.
    window_size : int
        Steps in a window.
    dilation : int, default=1
        Rows of ``base`` from one step of a window to the next.

    Attributes
    ----------
    base : ndarray of shape (base_rows, n_features)
        See above.
    starts : ndarray of int of shape (n_windows,)
        See above.
    dilation : int
        See above.
    panel : object or None
        Which series and time each window is of. None: one series.
    shape : tuple of int
        ``(n_windows, window_size, n_features)``.
    ndim : int
        3.
    size : int
        Number of values in all windows.
    dtype : dtype
        That of ``base``.
    nbytes : int
        Bytes of the array that :func:`numpy.asarray` makes of it.

    Raises
    ------
    ValueError
        If ``base`` holds no floats of two dimensions, or a window does not lie in it.

    See Also
    --------
    SlidingWindowTransformer : Makes the windows.

    Notes
    -----
    Rows picked by a slice, by numbers or by a mask, as in ``windows[100:]``, ``windows[[3, 1]]``
    or ``windows[mask]``, are a WindowArray over the same base. One row, as in ``windows[-1]``, is
    an array of shape ``(window_size, n_features)``, read-only. Steps or features, as in
    ``windows[:, -1, 0]``, are copied.

    Everything else makes an array of all windows first: :func:`numpy.asarray`, every function of
    numpy (``numpy.isnan(windows)``) and every operator (``windows - 1``, ``windows == 0``). Methods
    of arrays, such as ``reshape``, need :func:`numpy.asarray` written out. Of several series, such
    an array no longer says which series its windows are of.

    A pickle, a deep copy and the cache of ``Pipeline(memory=...)`` hold the part of the base that
    the windows reach.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sklstm import SlidingWindowTransformer
    >>> X = pd.DataFrame({"load": np.arange(100.0)}).drop([50])  # a hole
    >>> windows = SlidingWindowTransformer(window_size=4).fit_transform(X)
    >>> windows
    WindowArray(shape=(99, 4, 1), dtype=float64)
    >>> windows[50:52]
    WindowArray(shape=(2, 4, 1), dtype=float64)
    >>> np.asarray(windows[50:52])[:, :, 0]
    array([[48., 49., nan, 51.],
           [49., nan, 51., 52.]])
    """

    _windows: Windows
    panel: Panel | None = None  # which series and time each window is of
    __array_ufunc__: Any  # has no value, so that numpy makes an array of the windows

    def __init__(
        self, base: np.ndarray, starts: ArrayLike, window_size: int, dilation: int = 1
    ) -> None:
        places = np.asarray(starts)
        for name, value in (("window_size", window_size), ("dilation", dilation)):
            is_bool = isinstance(value, (bool, np.bool_))
            if is_bool or not isinstance(value, numbers.Integral) or value < 1:
                raise ValueError(f"{name} must be an int of at least 1, got {value!r}.")
        if places.ndim != 1 or (len(places) and places.dtype.kind not in "iu"):
            raise ValueError(
                f"starts has shape {places.shape} and type {places.dtype}, but expected ints of "
                "shape (n_windows,)."
            )
        try:
            base = np.asanyarray(base)
        except ValueError as error:
            raise ValueError(f"base cannot be turned into an array: {error}") from error
        if base.ndim != 2 or base.dtype.kind != "f":
            raise ValueError(
                f"base has shape {base.shape} and type {base.dtype}, but expected floats of shape "
                "(base_rows, n_features)."
            )
        n_starts = len(base) - history_length(window_size, dilation)
        if len(places) and not 0 <= places.min() <= places.max() < n_starts:
            raise ValueError(
                f"starts has values from {places.min()} to {places.max()}, but {len(base)} rows "
                f"have windows that start in rows 0 to {n_starts - 1}."
            )
        places = places.astype(number_type(len(base)))
        self._windows = Windows(base, places, window_size, dilation)

    @classmethod
    def of_panel(
        cls, base: np.ndarray, starts: np.ndarray, window_size: int, dilation: int, panel: Panel
    ) -> WindowArray:
        """Make the windows of several series, which lie one after the other in ``base``."""
        windows = object.__new__(cls)
        windows._windows = Windows(base, starts, window_size, dilation)
        windows.panel = panel
        return windows

    @property
    def base(self) -> np.ndarray:
        return self._windows.rows

    @property
    def starts(self) -> np.ndarray:
        return self._windows.starts

    @property
    def dilation(self) -> int:
        return self._windows.lag_step

    @property
    def shape(self) -> tuple[int, int, int]:
        return len(self.starts), self._windows.window_size, self.base.shape[1]

    @property
    def ndim(self) -> int:
        return 3

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=object))

    @property
    def dtype(self) -> np.dtype:
        return self.base.dtype

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        return len(self.starts)

    def __repr__(self) -> str:
        return f"WindowArray(shape={self.shape}, dtype={self.dtype})"

    def __getitem__(self, key: Any) -> Any:
        rows, *others = _expanded(key)
        if not all(isinstance(other, slice) or _is_number(other) for other in others):
            return np.asarray(self)[key]
        if _is_number(rows):
            return self._windows.view()[self.starts[rows]][tuple(others)]
        if not isinstance(rows, slice):
            rows = rows if isinstance(rows, list) else np.asarray(rows)  # a list may be empty
            if np.ndim(rows) != 1:
                return np.asarray(self)[key]
        picked = self.starts[rows]
        if any(other != slice(None) for other in others):
            return self._windows.view()[:, *others][picked]
        part = object.__new__(WindowArray)
        part._windows = replace(self._windows, starts=picked)
        part.panel = None if self.panel is None else self.panel.take(rows)
        return part

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        raise ValueError("A WindowArray is read-only. Change a copy: numpy.asarray(windows).")

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("A WindowArray cannot become an array without a copy. Pass copy=None.")
        return np.asarray(self._windows.view()[self.starts], dtype=dtype)

    def __getattr__(self, name: str) -> NoReturn:
        message = f"'WindowArray' object has no attribute {name!r}"
        if not name.startswith("_") and hasattr(np.ndarray, name):
            message += f", but the array of all windows has: numpy.asarray(windows).{name}"
        raise AttributeError(f"{message}.")

    def __getstate__(self) -> dict[str, Any]:
        """Return what the windows reach: a few windows of a long series are saved as such."""
        windows = self._windows
        n_rows, span = len(windows.rows), history_length(windows.window_size, windows.lag_step) + 1
        begin = np.bincount(windows.starts, minlength=n_rows + 1)
        end = np.bincount(windows.starts + span, minlength=n_rows + 1)
        in_reach = (begin - end)[:n_rows].cumsum() > 0
        if not in_reach.all():
            places = in_reach.cumsum(dtype=windows.starts.dtype) - 1
            windows = replace(windows, rows=windows.rows[in_reach], starts=places[windows.starts])
        state = {name: getattr(windows, name) for name in Windows.__dataclass_fields__}
        return state if self.panel is None else state | {"panel": self.panel}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.panel = state.get("panel")
        self._windows = Windows(**{name: state[name] for name in Windows.__dataclass_fields__})


def _expanded(key: Any) -> tuple[Any, ...]:
    """Return an index for each of the three axes, or the index as it is if that is not possible."""
    key = key if isinstance(key, tuple) else (key,)
    dots = [place for place, item in enumerate(key) if item is Ellipsis]
    at = dots[0] if dots else len(key)
    missing = (slice(None),) * (3 + len(dots[:1]) - len(key))
    return key[:at] + missing + key[at + 1 :]


def _is_number(key: Any) -> bool:
    try:
        operator.index(key)
    except TypeError:
        return False
    return not isinstance(key, (bool, np.bool_))
