"""ConformalRegressor: intervals around the predictions of any regressor."""

from __future__ import annotations

import numbers
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import get_config
from sklearn.base import BaseEstimator, MetaEstimatorMixin, RegressorMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing

from sklstm._containers import column_names, rows_of
from sklstm._documentation import DOC_LINK_TEMPLATE
from sklstm._inner_estimator import histories_of, keeps_history, predicted_bounds
from sklstm._intervals.calibration import (
    N_BLOCKS,
    Calibration,
    block_edges,
    calibrate,
    check_enough,
)
from sklstm._intervals.scale import ErrorScale
from sklstm._intervals.tracking import Rows, Tracker, UnseenRowError
from sklstm._scoring import r2_of_known
from sklstm._series.labels import (
    check_same_labels,
    is_default,
    is_pandas,
    kind_of,
    label_numbers,
    loaded_pandas,
    time_index,
    unit_of,
)
from sklstm._series.panel import Panel
from sklstm._target_leads import hide_unknown, leads_of_rows, panel_of_inputs
from sklstm._transformer import SlidingWindowTransformer
from sklstm._validation import (
    HasMethods,
    Interval,
    StrOptions,
    check_fitted,
    check_params,
    check_targets,
    take_rows,
    unchanged_on_error,
)


class ConformalRegressor(MetaEstimatorMixin, RegressorMixin, BaseEstimator):
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

    **Scores** are distances of the target from the forecast, or from its quantiles [1]_, in
    units of the mean absolute error of the output. Where it gave better intervals for the second
    block, this unit depends on the size of the forecast: 3 % better on average, up to 11 %. Of
    several series, it is that of each series; all together calibrate. A new series has the usual
    ratio of error and size of the forecast.

    **Updates** are those of the quantile tracker of [2]_, a successor of [3]_: an end moves
    outwards by a step if the target was beyond it, else inwards by a small part of the step. Both
    ends are in units of the recent mean absolute score (half of it is that of the latest 34 rows),
    so that they follow a change of its size. On the same validation parts, coverage of each series
    was within 3 points of 0.9, and within 1 on average. With errors that grow to three times their
    size it was 0.88 to 0.89 on average, and 0.84 without such units. Adaptive conformal inference
    [3]_ had about the same coverage with interval scores that were 3 to 10 % worse, its successor
    DtACI twice the deviation. A target that lies h rows ahead is compared with the interval of its
    own row, and counts h rows later, even if ``y`` has it before. Each of several series has its
    own ends.

    **Other libraries.** TimeSeriesRegressor of MAPIE (1.0) is for one output, and does not know
    when targets become known; its rows for calibration are shuffled or bootstrapped unless a
    splitter says otherwise. crepes (0.9) takes scores and forecasts of one output without their
    order in time.

    References
    ----------
    .. [1] Y. Romano, E. Patterson and E. Candès, "Conformalized quantile regression", NeurIPS 2019.
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
    _outputs: list[str]  # names of several targets; empty without
    _labels: tuple[str, str] | None  # kind and unit of the labels of the rows; None: no labels
    _counts_rows: bool  # whether rows without labels can follow

    _doc_link_module = "sklstm"
    _doc_link_template = DOC_LINK_TEMPLATE

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"])],
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
        if get_config()["enable_metadata_routing"]:
            fit_params = process_routing(self, "fit", **fit_params)["estimator"]["fit"]

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
        self._outputs = _names_of_outputs(y)
        self._labels, self._trackers = None, {}
        for name, rows, index in _series_of(X, panel, n_rows):
            if index is not None:
                self._labels = kind_of(index), unit_of(index)
            self._counts_rows = index is None or is_default(index)
            labels = self._numbers(index, None, len(rows))
            of_series = self._rows(labels, bounds[rows], known[rows], name)
            self._trackers[name] = self._tracker(of_series)
        for attribute in ("n_features_in_", "feature_names_in_"):
            self.__dict__.pop(attribute, None)  # of an earlier fit
            if hasattr(self.estimator_, attribute):
                setattr(self, attribute, getattr(self.estimator_, attribute))

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

    def predict(self, X: ArrayLike, **predict_params: Any) -> Any:
        """Predict the targets of every row.

        Parameters
        ----------
        X : array-like of shape (n_rows, ...)
            Rows as in the fit.
        **predict_params : dict
            Passed to ``predict`` of the estimator. With metadata routing, it must request them.

        Returns
        -------
        y : array-like of shape (n_rows,) or (n_rows, n_outputs)
            What the estimator predicts.
        """
        check_fitted(self, "estimator_")
        if get_config()["enable_metadata_routing"]:
            routed = process_routing(self, "predict", **predict_params)
            predict_params = routed["estimator"]["predict"]
        return self.estimator_.predict(X, **predict_params)

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
            tracker = self._trackers.get(name)
            limits = (self._calibration if tracker is None else tracker).limits
            widths = scale[..., np.newaxis] * limits
            ends[rows] = np.sort(bounds[rows] + widths * [-1, 1], axis=-1)
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
            follow the last ones directly, so pass each once, when its targets are known.
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
            order, rows lie before the latest ones and were never passed, or have labels of another
            kind than the fitted ones, or the estimator holds windows whose history it cannot reach.
            Then nothing has changed.
        """
        check_fitted(self, "estimator_")
        check_same_labels(X=X, y=y)
        X, n_rows = rows_of(X, "X")
        if not n_rows:
            raise ValueError("X has no rows, but update expects at least one. Leave the call out.")
        targets, names = check_targets(self, y, n_rows), _names_of_outputs(y)
        if names and self._outputs and names != self._outputs:
            raise ValueError(
                f"y has the columns {names}, but expected {self._outputs} as in the fit. Pass "
                "these in this order."
            )
        if targets.shape[1:] != self._shape:
            raise ValueError(
                f"y has shape {targets.shape}, but expected {('n', *self._shape)} as in the fit."
            )
        targets = targets.reshape(n_rows, -1)
        parts = []
        for name, rows, index in self._series(X, y, n_rows):
            tracker = self._trackers.get(name)
            last = None if tracker is None else tracker.pending.labels[-1]
            labels = self._numbers(index, last, len(rows))
            parts.append(
                (
                    name,
                    rows,
                    index,
                    labels,
                    np.array(labels > last if tracker else labels == labels),
                )
            )
        is_new = np.zeros(n_rows, dtype=bool)
        for _, rows, _, _, new in parts:
            is_new[rows] = new
        bounds, histories = self._new_bounds(X, is_new, targets.shape)
        trackers = dict(self._trackers)
        for name, rows, index, labels, new in parts:
            added = self._rows(labels[new], bounds[rows[new]], targets[rows[new]], name)
            tracker = trackers.get(name)
            tracker = self._tracker(added.after(len(added))) if tracker is None else tracker
            try:
                trackers[name] = tracker.updated(labels[~new], targets[rows[~new]], added)
            except UnseenRowError as error:
                of = "" if name is None else f" of series {name!r}"
                raise ValueError(
                    f"Row {index[error.args[0]]!r}{of} lies before the latest row seen, but was "
                    "never passed. Rows must come in time order: leave it out."
                ) from None
        with ExitStack() as stack:
            for transformer, rows_of_it in histories:
                stack.enter_context(unchanged_on_error(transformer))
                transformer.partial_fit(rows_of_it)
        self._trackers = trackers
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
        return self._calibration.scale(bounds.mean(axis=2), name)

    def _rows(self, labels: np.ndarray, bounds: np.ndarray, y: np.ndarray, name: Any) -> Rows:
        has_bounds = ~np.isnan(bounds).any(axis=2)  # of rows before the calibration rows, none
        return Rows(labels, bounds, self._scale(bounds, name), np.where(has_bounds, y, np.nan))

    def _tracker(self, rows: Rows) -> Tracker:
        start, miscoverage = self._calibration, (1 - self._coverage) / 2
        return Tracker.of(self.target_leads_, miscoverage, start.thresholds, start.spread, rows)

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the coefficient of determination of the predictions; unknown targets are left out.

        Parameters
        ----------
        X : array-like of shape (n_rows, ...)
            Rows as in the fit.
        y : array-like of shape (n_rows,) or (n_rows, n_outputs)
            Targets; NaN, None, NA or a mask where unknown.
        sample_weight : array-like of shape (n_rows,) or None, default=None
            Weights of the rows. None: all equal.

        Returns
        -------
        score : float
            The mean over the outputs, each on its known targets: see
            :func:`known_targets_scorer`.
        """
        check_fitted(self, "estimator_")
        return r2_of_known(self, X, y, sample_weight)

    def get_metadata_routing(self) -> MetadataRouter:
        """Return what metadata the estimator and the score request.

        Returns
        -------
        routing : MetadataRouter
            The routing of scikit-learn.
        """
        methods = MethodMapping().add(caller="fit", callee="fit")
        methods.add(caller="predict", callee="predict")
        router = MetadataRouter(owner=self).add_self_request(self)
        return router.add(estimator=self.estimator, method_mapping=methods)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        of_estimator = get_tags(self.estimator)
        tags.input_tags = of_estimator.input_tags
        tags.target_tags = of_estimator.target_tags
        tags.regressor_tags = of_estimator.regressor_tags
        tags.non_deterministic = of_estimator.non_deterministic
        return tags

    def __getstate__(self) -> dict[str, Any]:
        """Return numpy arrays and plain Python values only, besides the estimators."""
        state = super().__getstate__()
        if "_trackers" in state:
            plain = {
                "_calibration": asdict(state["_calibration"]),
                "_trackers": [(name, t.to_plain()) for name, t in state["_trackers"].items()],
            }
            state = state | plain
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "_trackers" in state:
            parts = state["_calibration"]
            made = {
                "_calibration": Calibration(**(parts | {"scale": ErrorScale(**parts["scale"])})),
                "_trackers": {name: Tracker.from_plain(t) for name, t in state["_trackers"]},
            }
            state = state | made
        super().__setstate__(state)


def _with_names_of(y: Any, given: np.ndarray) -> Any:
    """Return the numbers in ``y`` with its names, from which estimators read the leads."""
    if is_pandas(y):
        pd = loaded_pandas()
        if given.ndim == 1 and y.ndim == 1:
            return pd.Series(given, y.index, name=y.name)
        return pd.DataFrame(given.reshape(len(given), -1), y.index, y.columns)
    return given if column_names(y) == [None] else y


def _names_of_outputs(y: Any) -> list[str]:
    names = column_names(y)
    return names if len(names) > 1 and all(isinstance(name, str) for name in names) else []


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
