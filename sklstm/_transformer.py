"""SlidingWindowTransformer: a series in, one window per row out."""

from __future__ import annotations

import numbers
from types import SimpleNamespace
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.metaestimators import available_if

from sklstm._documentation import DOC_LINK_TEMPLATE
from sklstm._fit_tasks import CallbackSupportMixin, FitTask, with_callbacks
from sklstm._misplaced_lags import check_has_no_lags
from sklstm._series.fitted_panel import (
    FittedPanel,
    histories_of_plain,
    last_rows_of_series,
    plain_histories,
)
from sklstm._series.history import FittedSeries, last_rows
from sklstm._series.labels import check_same_labels, is_pandas, name_of_first
from sklstm._series.panel import Panel, series_index
from sklstm._series.placement import windows_after
from sklstm._series.plain import plain_state, state_of_plain
from sklstm._series.saved import check_saved_panel, check_saved_series
from sklstm._series.window_array import WindowArray
from sklstm._series.windows import history_length
from sklstm._validation import (
    Interval,
    StrOptions,
    check_fitted,
    check_params,
    check_rows,
    unchanged_on_error,
)

_LARGEST = 2**31 - 1  # the product of two such numbers is still a 64-bit int of numpy


def _is_flat(transformer: SlidingWindowTransformer) -> bool:
    if transformer.flatten:
        return True
    raise AttributeError(
        "flatten=False gives windows with three dimensions, whose columns have no names. "
        "Set flatten=True for named columns."
    )


class SlidingWindowTransformer(
    CallbackSupportMixin, OneToOneFeatureMixin, TransformerMixin, BaseEstimator
):
    """Give every row of a series the window of rows that ends at it.

    No row is dropped, so the transformer sits in a plain
    :class:`~sklearn.pipeline.Pipeline`, ``window_size`` can be searched, and all window
    sizes are scored on the same rows. Rows that follow the fitted ones (the test fold of
    :class:`~sklearn.model_selection.TimeSeriesSplit`, new data) get the last fitted rows
    as their history.

    Parameters
    ----------
    window_size : int, default=24
        Steps in a window, the row itself included.

    dilation : int, default=1
        Rows from one step of the window to the next: row ``t`` gets the rows ``t``,
        ``t - dilation``, ``t - 2 * dilation``, ...

    freq : str, int, timedelta or pandas offset, default="auto"
        How time goes on from row to row of a pandas index:

        - "auto": as the labels show, by the rules in Notes.
        - "rows": each row follows the one before it, whatever the labels. Times and numbers
          must be in order.
        - a frequency in the words of pandas: an alias ("h", "30min", "B", "MS"), an offset or a
          timedelta; for integers, the step from label to label. Steps that the index
          leaves out are missing rows, and a label off this grid is an error.

    history : {"auto", "none"}, default="auto"
        Whether the last fitted rows stand before the rows passed to :meth:`transform`:

        - "auto": when the rows passed follow the fitted ones, see Notes.
        - "none": never. Every call stands alone.

    padding : {"nan", "edge"}, default="nan"
        What stands in a window where there is no row: before the start of the series, or
        in a hole of a pandas index:

        - "nan": NaN. :class:`LSTMRegressor` fills such steps from the others of the window,
          and leaves windows that are mostly missing out of training.
        - "edge": the row before the hole, or at the start of the series its first row.
          For estimators that do not take NaN.

    flatten : bool, default=False
        False gives windows of shape ``(n_rows, window_size, n_features)``. True gives
        ``(n_rows, n_features * window_size)`` for every other regressor, one block of
        ``window_size`` columns per feature, oldest step first. Flat windows are a copy
        that takes ``window_size`` times the memory; windows of three dimensions are not.

    Attributes
    ----------
    n_features_in_ : int
        Number of features seen during :meth:`fit`.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during :meth:`fit`. Only where all of them are strings.

    freq_ : str or int
        ``freq``, or the frequency of the fitted index, in the words of pandas; "rows" if each row
        follows the one before it.

    history_ : ndarray of shape (at most (window_size - 1) * dilation, `n_features_in_`)
        The last rows seen by :meth:`fit` and :meth:`partial_fit`. Of several series, a dict of such
        arrays by the names of the series.

    See Also
    --------
    LSTMRegressor : The estimator that takes these windows.
    WindowArray : What windows are if the index has a hole, or of several series.
    forecast_targets : The next values of a series as targets, row by row.
    PanelSplit : Splits the times of several series.

    Notes
    -----
    **How time goes on** (``freq="auto"``). The index of the rows passed to :meth:`fit` decides:

    =================================================  ==========================================
    Index                                              Steps of time
    =================================================  ==========================================
    numpy, polars, a frame with names as its index     each row follows the one before it
    integers (also 1950.0), times, periods: one step   that step; what the others leave out are
    explains 90 % of the differences, or all but       missing rows
    two, and the others are multiples of it
    times of a month's first, last, first business,    that calendar, in months
    last business or same day, or same weekday
    times of half months (the 1st and 15th, ...)       that calendar, in half months
    times with a time zone                             days count in local time, hours in UTC
    business days                                      each row follows the one before it, also
                                                       over a holiday; a hole of more than two
                                                       weeks is an error
    labels about equally far apart, but on no grid,    each row follows the one before it; a hole
    such as months of years as floats (1950.0833)      is an error
    other times, other floats, text in order           each row follows the one before it
    dates as ISO text ("2024-01-31")                   those of these dates
    =================================================  ==========================================

    These leave open how they are to be read. They are an error that names the answers:

    - up to 10 % of the labels off the grid of the others;
    - the same hole again and again, such as nights, weekends and closing hours;
    - holes after 10 to 60 % of the rows, which look picked from a series;
    - integers that are dates (20240131), and text that is dates in another form than ISO.

    In the rows passed later, a label off the grid of the fitted ones is an error. So is one that is
    no time, after a fit on times: ISO text, such as JSON holds, is taken as these times. With an
    offset to UTC ("2024-01-31T00:00:00Z") it follows labels with a time zone only, and without
    one labels without.

    **Which rows follow the fitted ones** (``history="auto"``)

    - *pandas*: the index decides. It must increase strictly. Labels after the fitted
      ones get the history; steps between (``TimeSeriesSplit(gap=...)``, a missing day) are
      missing rows, unless ``freq_`` is "rows". For labels before or among the fitted ones, the
      rows of ``history_`` before the first row passed are history, so never a row from the future.
      Other fitted rows are not kept: a warning says how many windows lack steps. So does one if
      most of a window is missing since rows between the fitted ones and those passed were never
      seen.
    - *numpy, polars, and a pandas index that does not give the time* (text without order,
      a ``RangeIndex`` that starts again at 0): the values decide. Rows that begin as the
      fitted rows began are taken to be those rows, or the longer series that starts with
      them, and start without history. All other rows, such as the fitted ones with a
      changed column, are taken to follow the fitted ones directly, whatever lies between. Rows
      begin as the fitted rows began if the first 64 rows, or a window if that is longer, or as
      many as were passed, agree up to rounding errors. A single row follows the fitted ones if its
      values occur in them more than once. Several rows that equal the start of the fitted
      series by chance (of a constant series, of one that repeats) get no history, with a
      warning. Their windows are then incomplete, but hold no row from the future. An index
      prevents this.

    **Several series in one frame** have a pandas index with several levels: the last one is time,
    the others name the series. Windows and history never cross a series; they are those of a fit
    for each series. The rows may have any order. All series have the frequency of the longest one,
    and holes are counted over all of them. Rows of a series that was not fitted have no history,
    and :meth:`partial_fit` adds series. Windows are a :class:`WindowArray`.

    **Memory.** Windows are a read-only strided view of one padded copy of the series. If the
    index has a hole inside the rows of one call, they are a :class:`WindowArray` over this
    copy. ``Pipeline(memory=...)`` and pickle store ``window_size`` times the series of a view,
    and once that of a WindowArray.

    A series in a :class:`numpy.memmap` that is larger than scikit-learn's working memory
    (``sklearn.set_config(working_memory=...)``, 1,024 MiB unless set) is not read into
    memory: the padded copy then is a temporary file in the directory of
    :func:`tempfile.gettempdir`, as large as the series, which is deleted with the windows.
    This needs a pipeline without an earlier step that makes an array in memory, such as a
    scaler. :class:`LSTMRegressor` needs no scaler, since it standardises the features
    itself.

    Examples
    --------
    >>> import numpy as np
    >>> from sklstm import SlidingWindowTransformer
    >>> X = np.arange(5.0).reshape(-1, 1)
    >>> windows = SlidingWindowTransformer(window_size=3)
    >>> windows.fit_transform(X)[:, :, 0]
    array([[nan, nan,  0.],
           [nan,  0.,  1.],
           [ 0.,  1.,  2.],
           [ 1.,  2.,  3.],
           [ 2.,  3.,  4.]])
    >>> windows.transform([[5.0], [6.0]])[:, :, 0]  # the rows that follow
    array([[3., 4., 5.],
           [4., 5., 6.]])
    """

    _doc_link_module = "sklstm"
    _doc_link_template = DOC_LINK_TEMPLATE

    _fitted_series: FittedSeries | FittedPanel
    history_: Any  # an array, or Histories

    _parameter_constraints: dict = {
        "window_size": [Interval(numbers.Integral, 1, _LARGEST, closed="both")],
        "dilation": [Interval(numbers.Integral, 1, _LARGEST, closed="both")],
        "freq": "no_validation",  # see check_freq
        "history": [StrOptions({"auto", "none"})],
        "padding": [StrOptions({"nan", "edge"})],
        "flatten": ["boolean"],
    }

    def __init__(
        self,
        window_size: int = 24,
        *,
        dilation: int = 1,
        freq: Any = "auto",
        history: Literal["auto", "none"] = "auto",
        padding: Literal["nan", "edge"] = "nan",
        flatten: bool = False,
    ) -> None:
        self.window_size = window_size
        self.dilation = dilation
        self.freq = freq
        self.history = history
        self.padding = padding
        self.flatten = flatten

    @with_callbacks
    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Keep the end of ``X`` as the history of the rows that follow.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            The series, rows in time order.
        y : array-like or None, default=None
            Targets of the same rows. They change nothing; their pandas index must be that of X.

        Returns
        -------
        self : SlidingWindowTransformer
            The transformer itself.

        Raises
        ------
        ValueError
            If a parameter is out of its range, X holds inf or anything but numbers, or its
            index is not that of one series in time order, or not that of ``y``, or leaves
            open how time goes on.

        Warns
        -----
        UserWarning
            If X without an index of times is a lag table: three or more columns hold the last
            values of ``y``. So it is inside a forecaster that makes lags itself.
        """
        with unchanged_on_error(self):
            reach = _reach(check_params(self))
            task = FitTask(self, X, y)
            check_same_labels(X=X, y=y)
            rows = check_rows(self, X, reset=True)
            index = series_index(X, freq=self.freq)
            _check_has_panel(index, y)
            if isinstance(index, Panel):
                self._fitted_series = FittedPanel.of(rows, index, reach, self.freq)
                self.history_ = last_rows_of_series(rows, index, reach)
            else:
                self._fitted_series = FittedSeries.of(rows, index, reach, self.freq)
                self.history_ = last_rows(rows, reach)
                if not self._fitted_series.has_times:
                    check_has_no_lags(rows, y)
            self.freq_ = self._fitted_series.freq
            task.end()
        return self

    def partial_fit(self, X: ArrayLike, y: object = None) -> Self:
        """Append rows to the history, without anything else.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            The rows that follow those of the last call of :meth:`fit` or
            :meth:`partial_fit`.
        y : array-like or None, default=None
            Targets of the same rows. Of them, only a pandas index is looked at.

        Returns
        -------
        self : SlidingWindowTransformer
            The transformer itself.

        Raises
        ------
        ValueError
            If the index of X does not lie after that of the rows seen so far, or not on their
            grid, or is not that of ``y``.

        Warns
        -----
        UserWarning
            If a feature lies outside the range of the rows seen so far by more than that range:
            as in rows that an earlier step of the pipeline has not scaled.
        """
        if not hasattr(self, "history_"):
            return self.fit(X, y)
        with unchanged_on_error(self):
            reach = _reach(check_params(self))
            check_same_labels(X=X, y=y)
            rows = check_rows(self, X, reset=False)
            index = self._index(X)
            _check_has_panel(index, y)
            self._fitted_series = self._fitted_series.append(rows, index, reach)
            self.freq_ = self._fitted_series.freq
            if isinstance(self.history_, dict):
                histories = last_rows_of_series(rows, index, reach)
                for name, last in histories.items():
                    before = self.history_.get(name, last[:0])
                    histories[name] = last_rows(np.concatenate([before, last]), reach)
                self.history_ = self.history_ | histories
            else:
                last = last_rows(rows, reach)
                self.history_ = last_rows(np.concatenate([self.history_, last]), reach)
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.floating] | WindowArray:
        """Give every row of ``X`` its window.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Rows in time order: the fitted ones, a longer series that starts with them,
            or the rows that follow them.

        Returns
        -------
        windows : ndarray or WindowArray of shape (n_rows, window_size, n_features)
            A :class:`WindowArray` if the index of ``X`` has a hole, or names several series. With
            ``flatten=True``, an array or data frame of shape (n_rows, n_features * window_size).
            Oldest step first; float32 stays float32, everything else is float64.

        Raises
        ------
        ValueError
            If X holds inf, has another number of features than the fitted rows, or an
            index that is not that of one series in time order, or not on the grid of the
            fitted one.

        Warns
        -----
        UserWarning
            If windows lack steps that were fitted or never seen, see Notes.
        """
        check_fitted(self, "history_")
        params = check_params(self)
        rows = check_rows(self, X, reset=False)
        index, with_history = self._index(X), self.history == "auto"
        shape = params.window_size, params.dilation, self.padding
        windows: np.ndarray | WindowArray
        if isinstance(self._fitted_series, FittedPanel):
            histories: Any = self.history_
            windows = self._fitted_series.windows(rows, index, histories, with_history, *shape)
        else:
            past, positions = self._fitted_series.place(rows, index, with_history, _reach(params))
            windows = windows_after(self.history_[past], rows, positions, *shape)
        if self.flatten:
            # A copy also of one feature, of which reshape alone would return a read-only view.
            flat = np.array(np.asarray(windows).transpose(0, 2, 1), order="C")
            return flat.reshape(len(rows), -1)  # (rows, features * window)
        return windows

    def _index(self, X: Any) -> Any:
        """Return the index or panel of ``X``, which must be of one or several series as fitted."""
        index = series_index(X, freq=self.freq)
        was_panel, is_panel = isinstance(self._fitted_series, FittedPanel), isinstance(index, Panel)
        if was_panel and not is_panel:
            raise ValueError(
                "The fitted rows are those of several series, but X has no index with the name of "
                "the series and the time of each row. Pass a frame with such an index; in a "
                "pipeline with earlier steps, call set_output(transform='pandas') on it."
            )
        if is_panel and not was_panel:
            raise ValueError(
                "X has an index with several levels, those of several series, but the fitted rows "
                "are one series. Call fit with rows of several series, or take one of them: "
                f"X.xs({name_of_first(X.index)!r})."
            )
        if index is None and isinstance(self._fitted_series, FittedSeries):
            self._fitted_series.check_has_times(X)
        return index

    @available_if(_is_flat)
    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[np.object_]:
        """Name the columns of flat windows: ``load_lag23`` ... ``load_lag0``.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the features. None takes those seen by :meth:`fit`, or ``x0``,
            ``x1``, ...

        Returns
        -------
        feature_names_out : ndarray of str objects
            One name per column of the flat windows.
        """
        names = super().get_feature_names_out(input_features)
        params = check_params(self)
        lags = [step * params.dilation for step in reversed(range(params.window_size))]
        return np.asarray([f"{name}_lag{lag}" for name in names for lag in lags], dtype=object)

    def set_output(
        self, *, transform: Literal["default", "pandas", "polars"] | None = None
    ) -> Self:
        """Choose the container of flat windows; windows with three dimensions stay ndarrays.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None, default=None
            As for every transformer of scikit-learn.

        Returns
        -------
        self : SlidingWindowTransformer
            The transformer itself.
        """
        # Only flat windows have a set_output: call it on a transformer of these, and take from it
        # the attribute in which scikit-learn keeps the choice.
        flat = SlidingWindowTransformer(flatten=True)
        super(SlidingWindowTransformer, flat).set_output(transform=transform)
        chosen = vars(flat).keys() - flat.get_params().keys()
        self.__dict__.update({name: vars(flat)[name] for name in chosen})
        return self

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def __getstate__(self) -> dict[str, Any]:
        """Return numpy arrays and plain Python values only: such a state is safe to load."""
        state = plain_state(super().__getstate__())
        if "_fitted_series" in state:
            state["_fitted_series"] = state["_fitted_series"].to_plain()
            if isinstance(state["history_"], dict):
                state["history_"] = plain_histories(state["history_"])
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = state_of_plain(state)
        if "_fitted_series" in state:
            plain, n_features = state["_fitted_series"], state["n_features_in_"]
            if "names" in plain:
                check_saved_panel(plain, state["history_"], n_features)
                state["_fitted_series"] = FittedPanel.from_plain(plain)
                state["history_"] = histories_of_plain(state["history_"])
            else:
                check_saved_series(plain, state["history_"], n_features)
                state["_fitted_series"] = FittedSeries.from_plain(plain)
        super().__setstate__(state)


def _check_has_panel(index: Any, y: Any) -> None:
    """Refuse targets of several series for rows that have lost the names of their series."""
    if is_pandas(y) and y.index.nlevels > 1 and not isinstance(index, Panel):
        raise ValueError(
            "The index of y has several levels, those of several series, but X has no such index. "
            "Pass a frame with its index; in a pipeline with earlier steps, call "
            "set_output(transform='pandas') on it."
        )


def _reach(params: SimpleNamespace) -> int:
    """Count the rows that a window reaches back before the row at which it ends."""
    return history_length(params.window_size, params.dilation)
