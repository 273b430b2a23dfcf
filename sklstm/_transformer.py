"""SlidingWindowTransformer: a series in, one window per row out."""

from __future__ import annotations

import numbers

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.metaestimators import available_if

from sklstm._documentation import DOC_LINK_TEMPLATE
from sklstm._series import time_axis
from sklstm._series.storage import new_rows, row_blocks, stays_on_disk
from sklstm._series.windows import history_length, window_view
from sklstm._validation import (
    Interval,
    StrOptions,
    check_fitted,
    check_params,
    check_rows,
    unchanged_on_error,
)

# Rows of the fitted series' start that are kept to recognise it when it comes again.
_HEAD_ROWS = 64


def _is_flat(transformer) -> bool:
    if transformer.flatten:
        return True
    raise AttributeError(
        "flatten=False gives windows with three dimensions, whose columns have no names. "
        "Set flatten=True for named columns."
    )


def _float_type(rows):
    """Type of the windows: float32 stays, everything else becomes float64."""
    return np.float32 if rows.dtype == np.float32 else np.float64


def _as_float(rows):
    """Copy some rows, and convert what stays on disk as it is."""
    return rows.astype(_float_type(rows))


class SlidingWindowTransformer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
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

    history : {"auto", "none"}, default="auto"
        Whether the last fitted rows stand before the rows passed to :meth:`transform`:

        - "auto": when the rows passed follow the fitted ones, see Notes.
        - "none": never. Every call stands alone.

    padding : {"nan", "edge"}, default="nan"
        What stands where a window reaches to a row that is not there: before the start
        of the series, or in a hole of a pandas index:

        - "nan": NaN. :class:`LSTMRegressor` leaves such windows out of training, and
          skips such steps when it predicts.
        - "edge": the row before the hole, or at the start of the series its first row.
          For estimators that do not take NaN.

    flatten : bool, default=False
        False gives windows of shape ``(n_rows, window_size, n_features)``. True gives
        ``(n_rows, n_features * window_size)`` for every other regressor in the same
        place, one block of ``window_size`` columns per feature, oldest step first. That
        is a copy of ``window_size`` times the memory; windows themselves cost none.

    Attributes
    ----------
    n_features_in_ : int
        Number of features seen during :meth:`fit`.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during :meth:`fit`. Only where all of them are strings.

    history_ : ndarray of shape (at most (window_size - 1) * dilation, `n_features_in_`)
        The last rows seen by :meth:`fit` and :meth:`partial_fit`.

    See Also
    --------
    LSTMRegressor : The estimator that takes these windows.
    forecast_targets : The next values of a series as targets, row by row.

    Notes
    -----
    **Which rows follow the fitted ones** (``history="auto"``)

    - *pandas*: the index decides. It must increase strictly. Labels after the fitted
      ones get the history; if the index is regular, steps that it leaves out
      (``TimeSeriesSplit(gap=...)``, a missing day) are missing rows in the windows.
      Labels before or among the fitted ones get only those kept rows that lie before
      the first row passed: never a row from the future. Regular means that one
      difference of integers, times or periods, also a calendar month, a business day
      or a local day, explains at least nine steps of ten in the rows passed to
      :meth:`fit`. Other indexes (floats, text in order, business days with holidays in
      between) say only what comes first, and their rows count as consecutive. Rows
      picked from a regular series (a shuffled splitter, every k-th row) are refused.
    - *numpy, polars, and an index of pandas that says nothing* (text without order, a
      ``RangeIndex`` that starts again at 0) have only their values. Rows that begin as
      the fitted rows began are taken to be those rows, or the longer series that starts
      with them, and start without history. All other rows, such as the fitted ones with
      a changed column, are taken to follow the fitted ones directly. "Begin" is: the
      first 64 rows, or a window if that is longer, or as many as were passed, agree but
      for rounding. So rows that only by chance equal the start of the fitted series (a
      constant series, an exactly repeating one, a single row of a coarse one) get no
      history. This errs on the safe side: windows are then incomplete, but hold no row
      of the future. An index removes the doubt.

    **Memory.** Windows are a read-only strided view of one padded copy of the series.
    Only a hole in the index inside the rows of one call costs a copy of the windows,
    and so does whatever copies the view on its way: ``Pipeline(memory=...)`` and pickle
    store ``window_size`` times the series.

    A series in a :class:`numpy.memmap` that is larger than scikit-learn's working memory
    (``sklearn.set_config(working_memory=...)``, 1,024 MiB unless set) is not read into
    memory: the padded copy then is a temporary file in the directory of
    :func:`tempfile.gettempdir`, as large as the series, that is gone with the windows.
    A step before that makes an array in memory, such as a scaler, leaves nothing to be
    read from a file; :class:`LSTMRegressor` needs none, since it standardises by itself.

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

    _parameter_constraints: dict = {
        "window_size": [Interval(numbers.Integral, 1, None, closed="left")],
        "dilation": [Interval(numbers.Integral, 1, None, closed="left")],
        "history": [StrOptions({"auto", "none"})],
        "padding": [StrOptions({"nan", "edge"})],
        "flatten": ["boolean"],
    }

    def __init__(self, window_size=24, *, dilation=1, history="auto", padding="nan", flatten=False):
        self.window_size = window_size
        self.dilation = dilation
        self.history = history
        self.padding = padding
        self.flatten = flatten

    def fit(self, X, y=None):
        """Keep the end of ``X`` as the history of the rows that follow.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            The series, rows in time order.
        y : None
            Ignored.

        Returns
        -------
        self : SlidingWindowTransformer
            The transformer itself.

        Raises
        ------
        ValueError
            If a parameter is out of its range, X holds inf, or its index is not that of
            one series in time order.
        """
        with unchanged_on_error(self):
            check_params(self)
            rows = check_rows(self, X, reset=True, allow_nan=self.flatten)
            index = time_axis.time_index(X)
            self._clock = ticks = None
            if index is not None:
                self._clock = time_axis.make_clock(index)
                ticks = self._clock.ticks(index)
            self._first_tick = None if ticks is None else ticks[0]
            self._only_label = index if index is not None and len(index) == 1 else None
            self._head = _as_float(rows[: self._head_length(ticks)])
            self._keep(rows, ticks)
        return self

    def partial_fit(self, X, y=None):
        """Append rows to the history, without anything else.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            The rows that follow those of the last call of :meth:`fit` or
            :meth:`partial_fit`.
        y : None
            Ignored.

        Returns
        -------
        self : SlidingWindowTransformer
            The transformer itself.

        Raises
        ------
        ValueError
            If the index of X does not lie after that of the rows seen so far.
        """
        if not hasattr(self, "history_"):
            return self.fit(X)
        with unchanged_on_error(self):
            check_params(self)
            rows = check_rows(self, X, reset=False, allow_nan=self.flatten)
            index = self._index(X)
            if index is not None and self._only_label is not None:
                # The step between rows shows with the second one.
                both = self._only_label.append(index)
                time_axis.check_increasing(both)
                self._clock = time_axis.make_clock(both)
                first = self._clock.ticks(self._only_label)
                self._first_tick = self._last_tick = first[0]
                self._history_ticks = first[: len(self.history_)]
            self._only_label = None
            ticks = self._ticks(index, len(rows))
            if ticks is None:
                # Rows without labels after labels without steps: no label counts any more.
                self._clock = self._history_ticks = None
            else:
                if not ticks[0] > self._last_tick:
                    raise ValueError(
                        f"The index of X starts at {X.index[0]!r}, before the end of the rows "
                        "seen so far, but partial_fit appends rows that follow them. Sort "
                        "the rows, or call fit to start a new series."
                    )
                ticks = np.concatenate([self._history_ticks, ticks])
            last = _as_float(rows[max(len(rows) - self._reach, 0) :])
            self._keep(np.concatenate([self.history_, last]), ticks)
        return self

    def transform(self, X):
        """Give every row of ``X`` its window.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Rows in time order: the fitted ones, a longer series that starts with them,
            or the rows that follow them.

        Returns
        -------
        windows : ndarray of shape (n_rows, window_size, n_features)
            Or, with ``flatten=True``, an array or data frame of shape
            (n_rows, n_features * window_size). Oldest step first; float32 stays
            float32, everything else is float64.

        Raises
        ------
        ValueError
            If X holds inf, has another number of features than the fitted rows, or an
            index that is not that of one series in time order.
        """
        check_fitted(self, "history_")
        check_params(self)
        rows = check_rows(self, X, reset=False, allow_nan=self.flatten)
        index = self._index(X)
        ticks = self._ticks(index, len(rows))

        if self.history == "none" or (index is None and self._starts_like_fitted(rows)):
            past = slice(0)
        elif ticks is None:
            past = slice(None)
        else:
            past = self._history_ticks < ticks[0]

        position = None
        if ticks is not None:
            position = self._clock.positions(np.concatenate([self._history_ticks[past], ticks]))
            time_axis.check_holes(np.diff(position[-len(rows) :]), allowed=0.5)
        windows = self._windows(self.history_[past], rows, position)
        if self.flatten:
            return windows.transpose(0, 2, 1).reshape(len(rows), -1)  # (rows, features * window)
        return windows

    @available_if(_is_flat)
    def get_feature_names_out(self, input_features=None):
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
        lags = [step * self.dilation for step in reversed(range(self.window_size))]
        return np.asarray([f"{name}_lag{lag}" for name in names for lag in lags], dtype=object)

    def set_output(self, *, transform=None):
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
        flatten, self.flatten = self.flatten, True  # only flat windows have a set_output
        try:
            return super().set_output(transform=transform)
        finally:
            self.flatten = flatten

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = bool(self.flatten)
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    @property
    def _reach(self) -> int:
        return history_length(self.window_size, self.dilation)

    def _head_length(self, ticks):
        """Count the first rows to know the series by, none of them after a hole."""
        length = max(_HEAD_ROWS, self._reach)
        if ticks is not None:
            holes = np.flatnonzero(np.diff(self._clock.positions(ticks)) > 1)
            length = min([length, *(holes[:1] + 1)])
        return length

    def _keep(self, rows, ticks):
        """Make the last of these rows, and their ticks if they have any, the history."""
        self.history_ = _as_float(rows[max(len(rows) - self._reach, 0) :])
        self._history_ticks = self._last_tick = None
        if ticks is not None:
            self._history_ticks = ticks[max(len(ticks) - self._reach, 0) :].copy()
            self._last_tick = ticks[-1]

    def _index(self, X):
        """Return the index of ``X`` if it says how its rows lie to the fitted ones."""
        index = time_axis.time_index(X)
        if index is None or self._clock is None:
            return None
        if time_axis.is_default(index) and not (
            self._clock.kind == "integer" and self._first_tick > 0
        ):
            return None
        self._clock.check_kind(index)
        return index

    def _ticks(self, index, n_rows):
        """Ticks of rows; of rows without an index those that follow the fitted ones."""
        if index is not None:
            return self._clock.ticks(index)
        if self._clock is None or self._clock.step is None:
            return None
        return self._last_tick + self._clock.step * np.arange(1, n_rows + 1)

    def _starts_like_fitted(self, rows):
        compared = min(len(rows), len(self._head))
        rows, head = rows[:compared], self._head[:compared]
        # An earlier step of the pipeline may round a prefix otherwise than the whole.
        rounding = 1e-6 if np.float32 in (rows.dtype, head.dtype) else 1e-9
        scale = np.fmax.reduce(np.abs(head), axis=0)  # without NaN
        if (np.abs(rows - head) > rounding * scale).any():
            return False
        return bool((np.isnan(rows) == np.isnan(head)).all())

    def _windows(self, history, rows, position):
        """Windows of ``rows``, after ``history``, at these positions in time or without holes."""
        reach, n_past, n_rows = self._reach, len(history), len(rows)
        has_holes, n_unseen = False, max(n_past - reach, 0)
        if position is None:
            position = np.arange(reach - n_past, reach + 1)
        else:
            has_holes = position[-1] - position[n_past] >= n_rows
            if not has_holes:  # the first row says where all of them stand
                position = position[: n_past + 1]
            steps = np.minimum(np.diff(position, prepend=position[0]), reach + 1)
            position = np.cumsum(steps)
            position += reach - position[n_past]  # the first row has its full reach before it
            n_unseen = np.searchsorted(position, 0)
        at = position[n_past:] if has_holes else slice(reach, None)

        n_base = position[-1] + 1 if has_holes else reach + n_rows
        base = new_rows((n_base, rows.shape[1]), _float_type(rows), stays_on_disk(rows))
        base[position[n_unseen:n_past]] = history[n_unseen:]
        if has_holes:
            base[at] = rows
        else:
            for block in row_blocks(rows, base):
                base[at][block] = rows[block]
        if self.padding == "edge":
            known = np.zeros(n_base, dtype=bool)
            known[position[n_unseen:]] = known[at] = True
            unknown = np.flatnonzero(~known)
            source = np.maximum(np.searchsorted(position, unknown) - 1, 0)  # the row before
            old = source < n_past
            base[unknown[old]] = history[source[old]]
            base[unknown[~old]] = rows[source[~old] - n_past]

        windows = window_view(base, self.window_size, self.dilation)
        if has_holes:
            windows = windows[at - reach]
            windows.flags.writeable = False
        return windows
