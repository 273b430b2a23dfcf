"""ConformalRegressor: intervals around the predictions of any regressor."""

from __future__ import annotations

import numbers
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from sklstm._containers import column_names, rows_of
from sklstm._inner_estimator import histories_of, keeps_history, predicted_bounds
from sklstm._intervals.calibration import (
    N_BLOCKS,
    Calibration,
    block_edges,
    calibrate,
    check_enough,
)
from sklstm._intervals.repeated_rows import latest_rows, latest_with
from sklstm._intervals.scale import ErrorScale
from sklstm._intervals.tracking import Rows, Tracker, UnseenRowError
from sklstm._meta_regressor import MetaRegressor
from sklstm._series.labels import (
    check_same_labels,
    is_default,
    is_pandas,
    kind_of,
    label_numbers,
    label_text,
    loaded_pandas,
    time_index,
    unit_of,
)
from sklstm._series.panel import Panel
from sklstm._series.plain import of_plain, plain, plain_state, state_of_plain
from sklstm._target_leads import hide_unknown, leads_of_rows, panel_of_inputs
from sklstm._transformer import SlidingWindowTransformer
from sklstm._validation import (
    Interval,
    RegressorToFit,
    StrOptions,
    check_fitted,
    check_output_names,
    check_params,
    check_targets,
    names_of_outputs,
    take_rows,
    unchanged_on_error,
)


class ConformalRegressor(MetaRegressor):
    """Any regressor or pipeline, with intervals around its predictions.

    ``fit`` compares forecasts of the latest rows with what came, and sets the ends of the intervals
    so that they would have held the wanted fraction. :meth:`update` moves them as targets become
    known. Each output has its own intervals, such as each step ahead of
    :func:`forecast_targets`.

    Parameters
    ----------
    estimator : estimator
        The regressor or pipeline. Where targets are unknown (NaN), or become known later than at
        their own row, the last step must leave them out: :class:`LSTMRegressor` does, and
        :class:`KnownTargetsRegressor` does it for every other regressor. If the last step,
        or the best one of a search, predicts quantiles, as :class:`LSTMRegressor` with
        ``loss="quantile"``, intervals are those between its quantiles, moved outwards or inwards.

    coverage : float, default=0.9
        The fraction of targets that intervals hold, in (0, 1). As many lie below as above.

    calibration_fraction : float, default=0.4
        The fraction of the rows with known targets that calibrate, in (0, 1): the latest ones, in
        two blocks. Each block is forecast by a fit on all rows before it.

    target_leads : "auto", int or array-like of int, default="auto"
        How many rows after its own row each output becomes known, as in :class:`LSTMRegressor`.

    Attributes
    ----------
    estimator_ : estimator
        The estimator, fitted on all rows.

    calibration_rows_ : ndarray of int
        The rows of ``X`` that calibrated.

    target_leads_ : ndarray of int of shape (n_outputs,)
        How many rows after its own row each output becomes known, as the fit took it.

    n_features_in_ : int
        Columns of ``X``. Only if ``estimator_`` has it.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns. Only if ``estimator_`` has it.

    See Also
    --------
    ForecastDisplay : Draws forecasts with their intervals.
    KnownTargetsRegressor : Makes any regressor leave out unknown targets.

    Notes
    -----
    **How sure is the coverage?** Later targets lie in the interval with the wanted probability if
    their errors are like those of the calibration rows. That asks for rows that could be
    exchanged, which those of a series cannot: errors of neighbouring rows are alike, and the more
    so the further ahead the targets lie, so that 500 rows of a forecast 24 steps ahead tell about
    as much as 20 independent ones. And later errors may be larger. So measure the coverage on later
    rows, and call :meth:`update`: in the long run, the fraction of targets in the intervals then is
    the wanted one, whatever the errors.

    **Calibration.** Two blocks of the latest rows are forecast by two fits, each on the rows before
    the block whose targets were known when it began; the model that predicts is a third fit, on all
    rows. On the validation parts of twelve real series, intervals with a nominal coverage of 0.9
    held 0.88 of the targets with one block of half as many rows and 0.90 with two, and were 2 %
    better (interval score) around the fit on all rows than around the fit that calibrated. The
    thresholds are quantiles of ``(1 - alpha / 2) (n + 1) / n`` of the scores below and above: at
    least ``2 / alpha - 1`` rows are needed, 19 for a coverage of 0.9.

    **Scores** are distances of the target from the forecast, in units of the mean absolute error of
    the output. Where it gave better intervals for the second block, this unit depends on the size
    of the forecast: 3 % better on average, up to 11 %. Of several series, it is that of each
    series; all together calibrate. A new series has the usual ratio of error and size of the
    forecast. Of an estimator with quantiles, the distance is that from the middle between the two
    quantiles, and its unit half of their distance [1]_: intervals are long where these are far
    apart.

    **Updates** are those of the quantile tracker of [2]_, a successor of [3]_: an end moves
    outwards by a step if the target was beyond it, else inwards by a small part of the step. Both
    ends are in units of the recent mean absolute score (half of it is that of the latest 69 rows),
    so that they follow a change of its size. On the same validation parts, coverage of each series
    was within 3 points of 0.9, and within 1 on average. With errors that grow to three times their
    size it was 0.88 on average, and 0.84 without such units. Adaptive conformal inference
    [3]_ had about the same coverage with interval scores that were 3 to 10 % worse, its successor
    DtACI twice the deviation. A target that lies h rows ahead is compared with the interval of its
    own row, and counts h rows later, even if ``y`` has it before. Each of several series has its
    own ends.

    **Other libraries.** TimeSeriesRegressor of MAPIE (1.6) is for one output, and refuses targets
    that are not known; its rows for calibration are shuffled unless ``cv`` is a splitter that keeps
    their order. WrapRegressor of crepes (0.9) is for one output too. The order of its calibration
    rows does not matter; online, each later target is added to them.

    References
    ----------
    .. [1] M. Sesia and E. Candès, "A comparison of some conformal quantile regression methods",
       Stat 2020, after Y. Romano, E. Patterson and E. Candès, NeurIPS 2019.
    .. [2] A. Angelopoulos, E. Candès and R. Tibshirani, "Conformal PID control for time series
       prediction", NeurIPS 2023.
    .. [3] I. Gibbs and E. Candès, "Adaptive conformal inference under distribution shift", NeurIPS
       2021.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklstm import (
    ...     ConformalRegressor, KnownTargetsRegressor, SlidingWindowTransformer, forecast_targets
    ... )
    >>> from sklstm.datasets import load_chicago_ridership
    >>> X = load_chicago_ridership(as_frame=True).data
    >>> y = forecast_targets(X["ridership"], 7)
    >>> windows = SlidingWindowTransformer(28, padding="edge", flatten=True)
    >>> pipe = make_pipeline(windows, KnownTargetsRegressor(Ridge()))
    >>> model = ConformalRegressor(pipe).fit(X[:-365], y[:-365])
    >>> intervals = model.predict_interval(X[-365:])  # of the next seven days, for each day
    >>> intervals.shape
    (365, 7, 2)
    """

    estimator_: Any
    calibration_rows_: NDArray[np.int64]
    target_leads_: NDArray[np.int64]
    _calibration: Calibration
    _trackers: dict[Any, Tracker]  # by the names of the series; that of one series is None
    _coverage: float  # of the fit
    _shape: tuple[int, ...]  # of the targets of a row
    _labels: tuple[str, str] | None  # kind and unit of the labels of the rows; None: no labels
    _counts_rows: bool  # whether rows without labels can follow
    _latest: NDArray[np.float64] | None  # values of the last such rows; None: rows have labels

    _inner = "estimator"

    _parameter_constraints: dict = {
        "estimator": [RegressorToFit()],
        "coverage": [Interval(numbers.Real, 0, 1, closed="neither")],
        "calibration_fraction": [Interval(numbers.Real, 0, 1, closed="neither")],
        "target_leads": [
            StrOptions({"auto"}),
            Interval(numbers.Integral, 0, None, closed="left"),
            "array-like",
        ],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        coverage: float = 0.9,
        calibration_fraction: float = 0.4,
        target_leads: Literal["auto"] | int | Sequence[int] | NDArray[np.integer] = "auto",
    ) -> None:
        self.estimator = estimator
        self.coverage = coverage
        self.calibration_fraction = calibration_fraction
        self.target_leads = target_leads

    def fit(self, X: ArrayLike, y: ArrayLike, **fit_params: Any) -> Self:
        """Calibrate intervals on the latest rows, and fit the estimator on all.

        Parameters
        ----------
        X : array-like of shape (n_rows, ...)
            Rows in time order; of several series, with an index that names series and time.
        y : array-like of shape (n_rows,) or (n_rows, n_outputs)
            Targets; NaN, None, NA or a mask where unknown.
        **fit_params : dict
            Passed to ``fit`` of the estimator. Of what has a value for each row, fits on some rows
            get these. With metadata routing, the estimator must request them.

        Returns
        -------
        self : ConformalRegressor
            The fitted estimator.

        Raises
        ------
        ValueError
            If an input is not as described, the pandas indexes of ``X`` and ``y`` differ, or the
            calibration rows are too few for the coverage. An earlier fit is kept.
        """
        with unchanged_on_error(self):
            self._fit(X, y, fit_params)
        return self

    def _fit(self, X: Any, y: ArrayLike, fit_params: dict[str, Any]) -> None:
        params = check_params(self)
        check_same_labels(X=X, y=y)
        X, n_rows = rows_of(X, "X")
        given = check_targets(self, y, n_rows)
        y = _with_names_of(y, given)
        values = given.reshape(n_rows, -1)
        panel = panel_of_inputs(X, y)
        leads = leads_of_rows(self.target_leads, X, y, values, panel)
        known = hide_unknown(values, leads, self.target_leads, panel)
        fit_params = self._routed("fit", fit_params)

        clock = np.arange(n_rows) if panel is None else panel.clock
        usable = np.flatnonzero(~np.isnan(known).all(axis=1))
        if not len(usable):
            raise ValueError(
                f"None of the {n_rows} row(s) of y has a known target, so there is nothing to "
                "calibrate on. Pass targets that are known."
            )
        edges = block_edges(usable, params.calibration_fraction, panel)
        block = np.searchsorted(edges, clock, side="right") - 1  # -1: before all; last: no target
        in_blocks = np.flatnonzero((block >= 0) & (block < N_BLOCKS))
        check_enough(known[in_blocks], params.coverage, params.calibration_fraction, n_rows)
        bounds = np.full((*values.shape, 2), np.nan)
        for number in range(N_BLOCKS):
            before = _rows_where(X, clock < edges[number], panel)
            # The last block goes on to the last row, whose targets become known later.
            until = edges[number + 1] if number + 1 < N_BLOCKS else clock.max() + 1
            here = (clock >= edges[number]) & (clock < until)
            estimator = self._fitted_on(before, X, y, given, leads, panel, fit_params)
            passed = _rows_where(X, clock < until, panel)
            predicted = predicted_bounds(estimator, take_rows(X, {}, passed)[0], params.coverage)
            bounds[here] = predicted[here[passed]]
        names = [None] if panel is None else panel.names
        series = np.zeros(n_rows, dtype=np.int64) if panel is None else panel.series
        self._calibration = calibrate(
            known[in_blocks],
            bounds[in_blocks],
            series[in_blocks],
            block[in_blocks],
            names,
            (1 - params.coverage) / 2,
        )
        every = _rows_where(X, np.ones(n_rows, dtype=bool), panel)
        self.estimator_ = self._fitted_on(every, X, y, given, leads, panel, fit_params)
        self.calibration_rows_, self.target_leads_ = in_blocks, leads
        self._coverage, self._shape = params.coverage, given.shape[1:]
        self._output_names = names_of_outputs(y)
        self._labels, self._latest, self._trackers = None, None, {}
        for name, rows, index in _series_of(X, panel, n_rows):
            if index is not None:
                self._labels = kind_of(index), unit_of(index)
            self._counts_rows = index is None or is_default(index)
            labels = self._numbers(index, None, len(rows))
            of_series = self._rows(labels, bounds[rows], known[rows], name)
            self._trackers[name] = self._tracker(of_series)
        if self._counts_rows:
            self._latest = latest_rows(X, values)
        self._take_features()

    def _fitted_on(
        self,
        rows: Any,
        X: Any,
        y: Any,
        given: np.ndarray,
        leads: np.ndarray,
        panel: Panel | None,
        fit_params: dict[str, Any],
    ) -> Any:
        """Fit the estimator on some rows, with the targets that are known at the last of them."""
        values = given[rows].reshape(-1, len(leads))
        if not len(values):
            raise ValueError(
                f"calibration_fraction={self.calibration_fraction} leaves no row before the "
                "calibration rows to fit on. Pass more rows, or set it lower."
            )
        some = None if panel is None else panel.take(rows)
        hidden = hide_unknown(values, leads, self.target_leads, some)
        some_X, fit_params = take_rows(X, fit_params, rows)
        if is_pandas(y):
            some_y = y.iloc[rows]
            if hidden is not values:
                is_hidden = (np.isnan(hidden) & ~np.isnan(values)).reshape(some_y.shape)
                some_y = some_y.mask(is_hidden)
        elif hidden is values and column_names(y) != [None]:
            some_y = take_rows(y, {}, np.arange(len(given))[rows])[0]
        else:
            some_y = hidden.reshape(given[rows].shape)
        return _fit_or_say_why(clone(self.estimator), some_X, some_y, fit_params)

    def predict_interval(self, X: ArrayLike) -> NDArray[np.float64]:
        """Predict an interval for each target of every row.

        Parameters
        ----------
        X : array-like of shape (n_rows, ...)
            Rows as in the fit. Their intervals are those that hold after the rows of the last
            :meth:`update`, or of the fit.

        Returns
        -------
        intervals : ndarray of shape (n_rows, 2) or (n_rows, n_outputs, 2)
            Lower and upper end.

        Raises
        ------
        ValueError
            If the fit was on several series, and ``X`` does not name them.
        """
        check_fitted(self, "estimator_")
        bounds = predicted_bounds(self.estimator_, X, self._coverage)
        ends = np.empty_like(bounds)
        for name, rows, _ in self._series(X, None, len(bounds)):
            scale = self._scale(bounds[rows], name)
            middle = bounds[rows].mean(axis=2, keepdims=True)
            tracker = self._trackers.get(name)
            limits = (self._calibration if tracker is None else tracker).limits
            widths = scale[..., np.newaxis] * limits
            ends[rows] = np.sort(middle + widths * [-1, 1], axis=-1)
        return ends.reshape(len(ends), *self._shape, 2)

    def update(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Move the intervals by rows whose targets became known. The estimator is not trained.

        The rows of ``X`` that follow the last ones become the history of later rows, as by
        ``partial_fit`` of each :class:`SlidingWindowTransformer` with ``history="auto"`` in the
        estimator. With ``history="none"``, pass as many rows before them as windows have.

        Parameters
        ----------
        X : array-like of shape (n_rows, ...)
            Rows in time order. With a pandas index, rows passed before may be passed again: that is
            how their targets, which were not known then, become known. Rows without an index
            follow the last ones directly, so pass each once, when its targets are known. Rows that
            end with the latest ones, with the same targets, are refused; a single row that is
            passed twice cannot be told from a new one.
        y : array-like of shape (n_rows,) or (n_rows, n_outputs)
            Their targets; NaN, None, NA or a mask where unknown. Each target counts once, when as
            many rows as its lead have followed. One that comes after a later one of its output
            does not count.

        Returns
        -------
        self : ConformalRegressor
            The estimator itself.

        Raises
        ------
        ValueError
            If an input is not as described, columns of ``y`` are not those of the fit in their
            order, rows lie before the latest ones and were never passed, rows without labels were
            passed before, labels are of another kind than the fitted ones, or the estimator holds
            windows whose history it cannot reach. Then nothing has changed.
        """
        check_fitted(self, "estimator_")
        check_same_labels(X=X, y=y)
        X, n_rows = rows_of(X, "X")
        if not n_rows:
            raise ValueError("X has no rows, but update expects at least one. Leave the call out.")
        targets = check_targets(self, y, n_rows)
        check_output_names(self._output_names, y)
        if targets.shape[1:] != self._shape:
            raise ValueError(
                f"y has shape {targets.shape}, but expected {('n', *self._shape)} as in the fit."
            )
        targets = targets.reshape(n_rows, -1)
        parts, is_new = [], np.ones(n_rows, dtype=bool)
        for name, rows, index in self._series(X, y, n_rows):
            tracker = self._trackers.get(name)
            last = None if tracker is None else tracker.pending.labels[-1]
            labels = self._numbers(index, last, len(rows))
            if last is not None:
                is_new[rows] = labels > last
            parts.append((name, rows, index, labels))
        latest = None if self._latest is None else latest_with(self._latest, X, targets)
        bounds, histories = self._new_bounds(X, is_new, targets.shape)
        trackers = dict(self._trackers)
        for name, rows, index, labels in parts:
            new = is_new[rows]
            added = self._rows(labels[new], bounds[rows[new]], targets[rows[new]], name)
            tracker = trackers.get(name)
            tracker = self._tracker(added.after(len(added))) if tracker is None else tracker
            try:
                trackers[name] = tracker.updated(labels[~new], targets[rows[~new]], added)
            except UnseenRowError as error:
                of = "" if name is None else f" of series {label_text(name)}"
                raise ValueError(
                    f"Row {label_text(index[error.args[0]])}{of} lies before the latest row "
                    "seen, but was never passed. Rows must come in time order: leave it out."
                ) from None
        with ExitStack() as stack:
            for transformer, rows_of_it in histories:
                stack.enter_context(unchanged_on_error(transformer))
                transformer.partial_fit(rows_of_it)
        self._trackers, self._latest = trackers, latest
        return self

    def _new_bounds(
        self, X: Any, is_new: np.ndarray, shape: tuple[int, ...]
    ) -> tuple[np.ndarray, list[tuple[SlidingWindowTransformer, Any]]]:
        """Predict the new rows; also return what the transformers append to their history."""
        bounds = np.full((*shape, 2), np.nan)
        if not is_new.any():
            return bounds, []
        new_X = take_rows(X, {}, _rows_where(X, is_new, None))[0]
        histories = list(histories_of(self.estimator_, new_X))
        fitted = getattr(self.estimator_, "best_estimator_", self.estimator_)
        expected = sum(map(keeps_history, fitted.get_params().values()))
        if len(histories) < expected:
            raise ValueError(
                "update appends rows to the history of the windows, but does not reach each "
                "SlidingWindowTransformer in the estimator. It looks into Pipeline, FeatureUnion, "
                "ColumnTransformer, searches and meta-estimators such as "
                "TransformedTargetRegressor. Put the windows into one of these, or set "
                "history='none' and pass the rows before the new ones too."
            )
        if histories:
            bounds[is_new] = predicted_bounds(self.estimator_, new_X, self._coverage)
        else:  # the rows before them are their history
            bounds[is_new] = predicted_bounds(self.estimator_, X, self._coverage)[is_new]
        return bounds, histories

    def _series(self, X: Any, y: Any, n_rows: int) -> Iterator[tuple[Any, np.ndarray, Any]]:
        """Yield name, rows and index of each series, which must be of the kind of the fit."""
        panel, was_one = panel_of_inputs(X, y), None in self._trackers
        if panel is None and not was_one:
            raise ValueError(
                "The fitted rows are those of several series, but X has no index with the name of "
                "the series and the time of each row. Pass a frame with such an index."
            )
        if panel is not None and was_one:
            raise ValueError(
                "X has an index with several levels, those of several series, but the fitted rows "
                "are one series. Call fit with rows of several series."
            )
        return _series_of(X, panel, n_rows)

    def _numbers(self, index: Any, last: Any = None, n_rows: int = 0) -> np.ndarray:
        """Return the labels of rows as numbers that can be compared with those of the fit.

        Rows without labels follow the last ones.
        """
        is_plain = index is None or is_default(index)
        if is_plain and self._counts_rows:
            return np.arange(n_rows) + (0 if last is None else last + 1)
        kind = "no labels" if is_plain else f"labels of kind {kind_of(index)!r}"
        fitted = "no labels" if self._labels is None else f"labels of kind {self._labels[0]!r}"
        if kind != fitted:
            raise ValueError(
                f"The rows of X have {kind}, but the fitted rows have {fitted}. Pass rows with an "
                "index as in the fit, or without one as in the fit if they follow the last ones "
                "directly."
            )
        assert self._labels is not None
        return label_numbers(index, self._labels[1], "X")

    def _scale(self, bounds: np.ndarray, name: Any) -> np.ndarray:
        return self._calibration.scale(bounds, name)

    def _rows(self, labels: np.ndarray, bounds: np.ndarray, y: np.ndarray, name: Any) -> Rows:
        has_bounds = ~np.isnan(bounds).any(axis=2)  # of rows before the calibration rows, none
        y = np.where(has_bounds, y, np.nan)
        return Rows(labels, bounds.mean(axis=2), self._scale(bounds, name), y)

    def _tracker(self, rows: Rows) -> Tracker:
        start, miscoverage = self._calibration, (1 - self._coverage) / 2
        return Tracker.of(self.target_leads_, miscoverage, start.thresholds, start.spread, rows)

    def __getstate__(self) -> dict[str, Any]:
        """Return numpy arrays and plain Python values only, besides the estimators."""
        state = super().__getstate__()
        if "_trackers" in state:
            calibration = asdict(state["_calibration"])
            calibration["scale"]["names"] = plain(calibration["scale"]["names"])
            trackers = [(name, known.to_plain()) for name, known in state["_trackers"].items()]
            state = state | {"_calibration": calibration, "_trackers": trackers}
        return plain_state(state)

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = state_of_plain(state)
        if "_trackers" in state:
            parts = state["_calibration"]
            scale = parts["scale"] | {"names": of_plain(parts["scale"]["names"])}
            state["_calibration"] = Calibration(**parts | {"scale": ErrorScale(**scale)})
            trackers = state["_trackers"]
            state["_trackers"] = {name: Tracker.from_plain(known) for name, known in trackers}
        super().__setstate__(state)


def _with_names_of(y: Any, given: np.ndarray) -> Any:
    """Return the numbers in ``y`` with its names, from which estimators read the leads."""
    if is_pandas(y):
        pd = loaded_pandas()
        if given.ndim == 1 and y.ndim == 1:
            return pd.Series(given, y.index, name=y.name)
        return pd.DataFrame(given.reshape(len(given), -1), y.index, y.columns)
    return given if column_names(y) == [None] else y


def _rows_where(X: Any, mask: np.ndarray, panel: Panel | None) -> Any:
    """Return the rows of a mask: of one series a slice where X takes one, which is no copy."""
    rows = np.flatnonzero(mask)
    is_slice = panel is None and len(rows) and rows[-1] - rows[0] == len(rows) - 1
    if is_slice and (is_pandas(X) or isinstance(X, np.ndarray)):
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows


def _series_of(X: Any, panel: Panel | None, n_rows: int) -> Iterator[tuple[Any, np.ndarray, Any]]:
    """Yield the name of each series, its rows in time order, and their labels, or None."""
    if panel is None:
        yield None, np.arange(n_rows), time_index(X, "X", "rows")
        return
    for number, name in enumerate(panel.names):
        rows = panel.rows_of(number)
        yield name, np.arange(n_rows)[rows], panel.times_of(number)


def _fit_or_say_why(estimator: Any, X: Any, y: Any, fit_params: dict[str, Any]) -> Any:
    try:
        return estimator.fit(X, y, **fit_params)
    except ValueError as error:
        text = str(error)
        if "NaN" in text and "Input X" not in text and "KnownTargets" not in text:
            raise ValueError(
                f"{error}\nTargets that are not known at the last row of a fit are NaN. If the "
                "regressor cannot leave them out, put KnownTargetsRegressor around it, as the last "
                "step of the pipeline."
            ) from error
        raise
