"""backtest: out-of-fold forecasts in time order, each from what was known when it was made."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.parallel import Parallel, delayed

from sklstm._backtest.baselines import check_baseline, compare
from sklstm._backtest.folds import (
    Fits,
    Forecasts,
    Rows,
    freq_of,
    groups_of,
    splits_of,
    step_with_leads,
)
from sklstm._backtest.result import BacktestResult
from sklstm._containers import as_numbers, column_names, rows_of
from sklstm._network.progress import counting
from sklstm._series.labels import check_same_labels
from sklstm._series.lead_names import read_leads
from sklstm._target_leads import leads_of_rows
from sklstm._validation import check_targets, is_int


def backtest(
    estimator: BaseEstimator,
    X: ArrayLike,
    y: ArrayLike,
    *,
    cv: Any,
    refit: bool | int = True,
    baseline: Literal["auto"] | int | None = "auto",
    n_jobs: int | None = None,
    verbose: int = 0,
) -> BacktestResult:
    """Forecast the test rows of each fold as in use, and measure the errors.

    ``cross_val_predict`` refuses folds that are no partition, such as those of
    :class:`~sklearn.model_selection.TimeSeriesSplit`. Here folds may leave rows out and overlap,
    but the training rows of a fold must lie before its test rows.

    Parameters
    ----------
    estimator : estimator
        Any regressor or pipeline. It is cloned, and stays as it is.
    X : array-like of shape (n_rows, ...)
        Rows in time order. Several series are told apart by a pandas index, as in
        :class:`SlidingWindowTransformer`.
    y : array-like of shape (n_rows,) or (n_rows, n_outputs)
        Targets, mostly of :func:`forecast_targets`; NaN where unknown.
    cv : int, splitter or iterable
        The folds: a splitter with ``split(X, y)``; an iterable of training and test rows, such as
        ``splitter.split(y)`` of a library whose splitters take one argument; or an int, the number
        of splits of :class:`~sklearn.model_selection.TimeSeriesSplit`, of several series in
        :class:`PanelSplit`.
    refit : bool or int, default=True
        True fits in every fold, False in the first one only, an int in every so many folds. The
        folds between take the last fit, and the rows since it as history.
    baseline : "auto", int or None, default="auto"
        What errors are compared with: persistence, and the seasonal naive forecast with a season
        of so many steps. "auto" finds the season in the first training rows: see Notes. None: no
        baselines.
    n_jobs : int or None, default=None
        How many fits run at once, as in scikit-learn.
    verbose : int, default=0
        With 1, a progress bar, or lines where the output cannot show one.

    Returns
    -------
    result : BacktestResult
        Forecasts, targets, errors and skill.

    Raises
    ------
    ValueError
        If an argument is not as described, training rows lie after test rows, no target of the
        test rows is known, or a fit or prediction fails.

    See Also
    --------
    BacktestDisplay : Draws the result.
    known_targets_scorer : Scores for a search or ``cross_validate``.

    Notes
    -----
    **History.** The estimator predicts the test rows together with the rows of their series that
    lie between its training rows and them: those of a gap, or since the last fit. So each test row
    has its whole history, if the windows are made by :class:`SlidingWindowTransformer` or are in
    ``X``. With ``history="none"``, the rows before the test rows that windows reach are passed too.
    Rows after the last test row are never passed. (In ``cross_validate``, the rows of
    ``TimeSeriesSplit(gap=...)`` reach neither fit nor windows.)

    **Targets.** A fit knows the targets that are known at its last training row.
    :class:`LSTMRegressor`, :class:`KnownTargetsRegressor`, and searches and pipelines that end in
    them, leave out the others. For all other regressors, the last training rows are left out of
    the fit, as many as the largest lead, and count as rows between. Leads are those of the
    parameter ``target_leads``, or are found as for ``"auto"`` there, on all rows.

    **Intervals** of a :class:`ConformalRegressor` are kept beside the forecasts. They are those of
    the fit: rows since then do not move them, as :meth:`ConformalRegressor.update` would.

    **Errors.** MAE and RMSE are those of scikit-learn, on known targets, averaged over outputs.
    MASE [1]_ divides each absolute error by the mean absolute error of the seasonal naive forecast
    in the training rows of its fold and series, one season ahead; RMSSE the squared errors by the
    mean squared one, under the root. Skill is ``1 - MAE / MAE of the baseline``, where both are
    known.

    **Baselines.** Persistence is the last known value of the series at the row where the forecast
    is made, the seasonal naive forecast the last known one of the same part of the season. A value
    is a target of an earlier row, or in the column of ``X`` that the target is named after
    (``load`` for ``load_lead1``); without it, the first values of a series are unknown. Of targets
    known at their own row (leads of 0) there is no baseline.

    **Season.** With ``baseline="auto"``, the autocorrelation of the changes from step to step in
    the first training rows decides, at a day, week or year of an index of times, else at all
    lags. The shortest one at which it is significant and about the highest is the season, if the
    rows hold three of it (five without times). The result shows it; 1 is none.

    References
    ----------
    .. [1] R. J. Hyndman and A. B. Koehler, "Another look at measures of forecast accuracy",
       International Journal of Forecasting 22, 2006.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.model_selection import TimeSeriesSplit
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklstm import SlidingWindowTransformer, backtest, forecast_targets
    >>> from sklstm.datasets import load_chicago_ridership
    >>> X = load_chicago_ridership(as_frame=True).data[:700]
    >>> y = forecast_targets(X["ridership"], 2)
    >>> model = make_pipeline(SlidingWindowTransformer(14, padding="edge", flatten=True), Ridge())
    >>> result = backtest(model, X, y, cv=TimeSeriesSplit(3, test_size=100))
    >>> result.errors(by="lead")["skill_over_persistence"].round(1).to_list()
    [0.7, 0.8]
    """
    if not (hasattr(estimator, "fit") and hasattr(estimator, "predict")):
        raise TypeError(f"estimator must have the methods fit and predict, got {estimator!r:.60}.")
    if n_jobs is not None and not (is_int(n_jobs) and n_jobs):
        raise ValueError(f"n_jobs must be None, or an int other than 0, got {n_jobs!r:.60}.")
    check_baseline(baseline)
    check_same_labels(X=X, y=y)
    (data, n_rows), (y, _) = _with_rows(X, "X"), _with_rows(y, "y")
    targets = check_targets(estimator, y, n_rows)
    values = targets.reshape(n_rows, -1)  # (rows, outputs)
    rows = Rows.of(data, y, n_rows)
    splits = splits_of(cv, data, y, rows)
    groups = groups_of(refit, splits, rows)
    tested = np.concatenate([test for _, test in splits])
    if np.isnan(values[tested]).all():
        raise ValueError(
            f"No target of the {len(tested)} test rows is known, so there is no error to measure. "
            "Choose folds that test earlier rows."
        )
    step, names = step_with_leads(estimator), column_names(y)
    leads = leads_of_rows(
        "auto" if step is None else step.target_leads, data, y, values, rows.panel
    )
    fits = Fits(estimator, rows, leads, leads_are_named=read_leads(names) is not None)
    forecasts: list[Forecasts] = []
    run = Parallel(n_jobs=n_jobs, return_as="generator")
    progress = counting(len(splits), "backtest", "fold") if verbose else nullcontext()
    with progress as count:
        for of_group in run(delayed(fits.forecasts)(data, y, splits, group) for group in groups):
            for of_fold in of_group:
                forecasts.append(of_fold)
                if count is not None:
                    count()
    compared = compare(baseline, freq_of(estimator), data, y, values, leads, rows, splits)
    sizes = [len(test) for _, test in splits]
    values, ends, coverages = zip(*forecasts, strict=True)
    intervals = None if ends[0] is None else np.concatenate(ends)
    shape = (len(tested), *targets.shape[1:])
    fitted = "fitted in every fold"
    if len(groups) < len(splits):
        fitted = "fitted in the first fold only"
        if len(groups) > 1:
            fitted = f"fitted in the first one of every {len(groups[0])} folds"
    return BacktestResult(
        rows=tested,
        folds=np.repeat(np.arange(len(splits)), sizes),
        forecasts=np.concatenate(values).reshape(shape),
        actual=targets[tested],
        baselines={name: found.reshape(shape) for name, found in compared.baselines.items()},
        season=compared.season,
        target_leads=leads,
        outputs=names if len(names) == len(leads) and None not in names else [*range(len(leads))],
        splits=splits,
        index=rows.labels,
        series_names=None if rows.panel is None else rows.panel.names,
        series=rows.series[tested],
        lower=None if intervals is None else intervals[..., 0].reshape(shape),
        upper=None if intervals is None else intervals[..., 1].reshape(shape),
        _n_rows=n_rows,
        _scales=compared.scales,
        interval_coverage=None if intervals is None else np.repeat(coverages, sizes),
        _how=f"{fitted}; {compared.how}",
    )


def _with_rows(data: Any, name: str) -> tuple[Any, int]:
    """Return data of which rows can be taken, and their number; refuse what has none."""
    is_lazy = hasattr(data, "collect") and not hasattr(data, "get_columns")
    if is_lazy or isinstance(data, memoryview) or hasattr(data, "detach"):  # a tensor
        data = as_numbers(data, name)
    return rows_of(data, name)
