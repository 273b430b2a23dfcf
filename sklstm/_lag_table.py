"""LagTableTransformer: a table with one column per feature and lag in, windows out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags

from sklstm._documentation import DOC_LINK_TEMPLATE
from sklstm._series.labels import check_same_labels
from sklstm._series.lag_names import Lag, read_lags
from sklstm._series.plain import plain_state, state_of_plain
from sklstm._series.storage import float_type
from sklstm._validation import (
    StrOptions,
    check_fitted,
    check_params,
    check_rows,
    is_int,
    unchanged_on_error,
)

_GIVE_LAGS = (
    "pass lags=[...] with one entry per column: the rows before as an int, or None for a column "
    "that is no lag"
)


class LagTableTransformer(TransformerMixin, BaseEstimator):
    """Turn a lag table, one column per feature and lag, into windows.

    So :class:`LSTMRegressor` takes what other libraries make. Each row is one window, and
    no row knows of another: unlike :class:`SlidingWindowTransformer`, there is no history.

    Parameters
    ----------
    lags : "auto" or array-like of shape (n_columns,), default="auto"
        How many rows before its own row each column was taken:

        - "auto": read from the names of the columns of a data frame, see Notes.
        - array-like: an int for each column, or None for a static column. If a lag occurs
          several times, its first occurrence belongs to the first feature, its second to
          the second, and so on.

        Static columns (such as the month) are repeated at each step.

    Attributes
    ----------
    lags_ : ndarray of shape (window_size,)
        The lag of each step of a window, in falling order.

    columns_ : ndarray of shape (window_size, n_features)
        The column of the table that is in each place of a window. The features stand in
        the order in which they first occur in the table, static columns last.

    n_features_in_ : int
        Number of columns seen during :meth:`fit`.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of columns seen during :meth:`fit`. Only where all of them are strings.

    See Also
    --------
    SlidingWindowTransformer : Windows from the series itself.
    LSTMRegressor : The estimator that takes these windows.

    Notes
    -----
    **Names that are read.** For lag 3 of a feature ``load``: ``load_lag3``, ``load_lag_3``,
    ``load__lag_3``, ``lag_3_load``, ``lag_3__load``, ``load_t-3``, ``load(t-3)``,
    ``load.L3``; without a name of the feature ``lag3``, ``lag_3`` and ``t-3``. Case does not
    matter, except for ``L``. A column ``load`` beside these is lag 0, and so are ``load_t``
    and ``load(t)`` beside ``load_t-3`` and ``load(t-3)``. All other columns are static, such as
    ``rolling_mean_lag1_window_size7``; ``columns_`` shows what was read. The order of the
    columns does not matter, except for the order of the features.

    **Every feature needs the same lags**, which need not be consecutive.

    **Missing steps.** A step whose lagged features are all NaN is missing. Its static columns
    become NaN too, since for :class:`LSTMRegressor` a step is missing if every feature is NaN.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklstm import LagTableTransformer
    >>> table = pd.DataFrame(
    ...     {"load_lag1": [2.0, 3.0], "load_lag2": [1.0, 2.0], "month": [5.0, 6.0]}
    ... )
    >>> LagTableTransformer().fit_transform(table)
    array([[[1., 5.],
            [2., 5.]],
           [[2., 6.],
            [3., 6.]]])
    >>> LagTableTransformer(lags=[1, 2, None]).fit(table.to_numpy()).columns_
    array([[1, 2],
           [0, 2]])
    """

    _doc_link_module = "sklstm"
    _doc_link_template = DOC_LINK_TEMPLATE

    _parameter_constraints: dict = {"lags": [StrOptions({"auto"}), "array-like"]}

    def __init__(self, lags: Literal["auto"] | ArrayLike | Sequence[int | None] = "auto") -> None:
        self.lags = lags

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Find the place of each column in a window.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns)
            The lag table. A data frame for ``lags="auto"``.
        y : array-like or None, default=None
            Targets of the same rows. Of them, only a pandas index is looked at.

        Returns
        -------
        self : LagTableTransformer
            The transformer itself.

        Raises
        ------
        ValueError
            If no lag is found, a feature lacks a lag or has it twice, a lag is not an int of
            at least 0, X holds inf, or its index is not that of ``y``.
        """
        with unchanged_on_error(self):
            check_params(self)
            check_same_labels(X=X, y=y)
            check_rows(self, X, reset=True)
            lags = self._lags_of_columns()
            self.lags_, self.columns_, self._n_lagged = _window_columns(lags)
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.floating]:
        """Give every row of ``X`` its window.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns)
            A lag table with the columns of the fitted one.

        Returns
        -------
        windows : ndarray of shape (n_rows, window_size, n_features)
            Oldest step first; float32 stays float32, everything else is float64.

        Raises
        ------
        ValueError
            If X holds inf, or has other columns than the fitted table.
        """
        check_fitted(self, "columns_")
        rows = check_rows(self, X, reset=False)
        windows = np.take(rows, self.columns_, axis=1)  # (rows, window, features)
        windows = windows.astype(float_type(windows), copy=False)
        if self._n_lagged < windows.shape[2]:
            missing = np.isnan(windows[:, :, : self._n_lagged]).all(axis=2)  # (rows, window)
            windows[missing, self._n_lagged :] = np.nan
        return windows

    def set_output(
        self, *, transform: Literal["default", "pandas", "polars"] | None = None
    ) -> Self:
        """Do nothing: windows stay ndarrays. A pipeline calls this for all of its steps.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None, default=None
            Ignored.

        Returns
        -------
        self : LagTableTransformer
            The transformer itself.
        """
        return self

    def __getstate__(self) -> dict[str, Any]:
        """Return plain values for parameters such as ranges."""
        return plain_state(super().__getstate__())

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state_of_plain(state))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _lags_of_columns(self) -> list[Lag | None]:
        if isinstance(self.lags, str):
            return _named_lags(getattr(self, "feature_names_in_", None))
        return _given_lags(self.lags, self.n_features_in_)


def _named_lags(names: Sequence[str] | NDArray[np.object_] | None) -> list[Lag | None]:
    """Read the lags of columns from their names, for lags="auto"."""
    if names is None:
        raise ValueError(
            "lags='auto' reads the lags from the names of columns, but X has no names that are "
            "text. Pass a data frame; if an earlier step of a pipeline returns arrays, call "
            f"set_output(transform='pandas') on the pipeline. Or {_GIVE_LAGS}."
        )
    lags = read_lags(names)
    if not any(lags):
        raise ValueError(
            f"lags='auto' found no lag in the names of the columns: {_first_five(names)}. Expected "
            "names such as lag_1, load_lag1, lag_1__load or load(t-1). If the columns are the "
            "features of a series, use SlidingWindowTransformer. If they are lags with other "
            f"names, {_GIVE_LAGS}."
        )
    for name, lag in zip(names, lags, strict=True):
        if lag is not None and lag.unit:
            raise ValueError(
                f"Column {name!r} has a lag in {lag.unit!r}, but lags='auto' expects a number of "
                f"rows. Rename the column, or {_GIVE_LAGS}."
            )
        if lag is not None and lag.rows < 0:
            raise ValueError(
                f"Column {name!r} lies ahead of its row: lag {lag.rows}, but expected at least 0. "
                "If it is a target, remove it from X. If it is known in advance, or its name "
                f"counts rows before by negative numbers, {_GIVE_LAGS}."
            )
    return lags


def _given_lags(lags: ArrayLike | Sequence[int | None], n_columns: int) -> list[Lag | None]:
    """Check the lags that the user passed. The features are called 0, 1, ..."""
    given = np.asarray(lags, dtype=object)
    if given.shape != (n_columns,):
        raise ValueError(
            f"lags has shape {given.shape}, but X has {n_columns} column(s): {_GIVE_LAGS}."
        )
    seen: Counter[int] = Counter()
    read: list[Lag | None] = []
    for column, lag in enumerate(given):
        if lag is None:
            read.append(None)
            continue
        if not is_int(lag) or lag < 0:
            raise ValueError(
                f"lags must hold ints of at least 0, or None for static columns; got {lag!r} "
                f"for column {column}."
            )
        read.append(Lag(str(seen[int(lag)]), int(lag)))
        seen[int(lag)] += 1
    if not seen:
        raise ValueError(
            "lags is None for every column, but expected an int for each column that is a lag."
        )
    (most, times), (least, fewer) = seen.most_common(1)[0], seen.most_common()[-1]
    if fewer < times:
        raise ValueError(
            f"lags holds lag {least} for {fewer} column(s), but lag {most} for {times}: every "
            "feature needs the same lags. Leave out columns, or repeat them at each step by None."
        )
    return read


def _window_columns(
    lags: Sequence[Lag | None],
) -> tuple[NDArray[np.intp], NDArray[np.intp], int]:
    """Place the columns of a table in a window.

    Returns
    -------
    lags : ndarray of shape (window_size,)
    columns : ndarray of shape (window_size, features)
    n_lagged : int
        Features that are not static. These stand first.
    """
    features: dict[str, dict[int, int]] = {}  # feature -> lag -> column
    for column, lag in enumerate(lags):
        if lag is None:
            continue
        columns = features.setdefault(lag.feature, {})
        if lag.rows in columns:
            raise ValueError(
                f"{_title(lag.feature)} has lag {lag.rows} twice, in columns {columns[lag.rows]} "
                f"and {column} (counted from 0), but expected once. Remove one of them."
            )
        columns[lag.rows] = column
    steps = sorted(set().union(*features.values()), reverse=True)
    for feature, columns in features.items():
        lacking = [step for step in steps if step not in columns]
        if lacking:
            other = next(each[lacking[0]] for each in features.values() if lacking[0] in each)
            raise ValueError(
                f"{_title(feature)} has no column for lag(s) {_first_five(lacking)}, but column "
                f"{other} holds lag {lacking[0]} of another: every feature needs the same lags. "
                f"Add or remove columns; or, to repeat a column at each step, {_GIVE_LAGS}."
            )
    static = [column for column, lag in enumerate(lags) if lag is None]
    places = [[columns[step] for columns in features.values()] + static for step in steps]
    return np.array(steps), np.array(places), len(features)


def _title(feature: str) -> str:
    return f"Feature {feature!r}" if feature else "The feature without a name"


def _first_five(items: Sequence[object] | NDArray[np.object_]) -> str:
    return ", ".join(map(str, items[:5])) + (", ..." if len(items) > 5 else "")
