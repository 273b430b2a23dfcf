"""Permutation importance by feature and lag, in blocks of time."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import Bunch, check_random_state

from sklstm._lagged_values import lagged_values
from sklstm._scoring import fitted_names, known_targets_scorer
from sklstm._series.labels import NUMBERS_AND_TIMES, as_times, check_same_labels, is_pandas
from sklstm._series.panel import panel_of
from sklstm._validation import check_int, check_output_names, check_targets, is_int

# The rows of a series are cut into so many blocks. With more, values may come from nearer rows,
# which are more alike. With fewer, the mean of five repeats is less certain: on a year of days, its
# standard deviation is 4 % with 50 or more, 6 % with 20, 10 % with 5.
_N_BLOCKS = 50

_Lags = Sequence[int | Sequence[int]] | NDArray[np.integer]


class LagImportance(Bunch):
    """What :func:`lag_importance` returns."""

    def to_frame(self) -> Any:
        """Return mean and standard deviation as a frame with a row for each feature and lag.

        Returns
        -------
        frame : pandas.DataFrame
            With the index levels "feature" and "lags", and the columns "importances_mean" and
            "importances_std".
        """
        import pandas as pd

        # As categories, so that unstack keeps their order.
        levels = [pd.Categorical(of, categories=of) for of in (self.features, self.lag_labels)]
        index = pd.MultiIndex.from_product(levels, names=["feature", "lags"])
        columns = ("importances_mean", "importances_std")
        return pd.DataFrame({name: self[name].ravel() for name in columns}, index)


def lag_importance(
    estimator: Any,
    X: Any,
    y: ArrayLike,
    *,
    lags: Literal["auto"] | _Lags = "auto",
    scoring: str | Callable[..., float] | None = None,
    n_repeats: int = 5,
    max_samples: float = 1.0,
    random_state: int | np.random.RandomState | None = None,
) -> LagImportance:
    """Measure how much the score of forecasts depends on each feature at each lag.

    Permutation importance, as :func:`sklearn.inspection.permutation_importance` computes it for
    columns: the values of a feature at a lag are taken from the windows of other times, and the
    loss of score is the importance. It works inside a pipeline: what is exchanged are the values in
    the windows that its transformer makes, with three dimensions or flat.

    Parameters
    ----------
    estimator : estimator
        A fitted pipeline with :class:`SlidingWindowTransformer` or :class:`LagTableTransformer`, a
        search over such pipelines, a :class:`ConformalRegressor` around one, or a regressor that
        is fitted on windows.

    X : array-like
        What ``predict`` of the estimator takes. Rows that follow the fitted ones show what helps
        forecasts; fitted rows also show what was learnt by heart. Windows of two dimensions need
        columns with names that hold lags, such as ``load_lag3``, if the estimator is no
        :class:`LSTMRegressor`. A column that is no lag counts as lag 0.

    y : array-like of shape (n_rows,) or (n_rows, n_outputs)
        Targets; NaN, None, NA or a mask where unknown. These are left out of the score.

    lags : "auto" or array-like, default="auto"
        The lags whose values are exchanged, counted in rows before the row itself. Each entry is
        an int, or several ints that are exchanged together: ``[0, 6, 13]``,
        ``[range(0, 7), range(7, 14)]``. "auto": groups that grow with the lag, which cost little
        for wide windows: 0, 1, 2, 3, 4 to 5, 6 to 7, 8 to 11, 12 to 15, 16 to 23, ... If lags are
        not consecutive, as with a ``dilation``, their places are grouped so. ``range(24)``: each
        lag of a window of 24 alone.

    scoring : str, callable or None, default=None
        The score, as :func:`known_targets_scorer` takes it. None: the coefficient of
        determination. For several series of different sizes, "neg_mean_absolute_error" tells more:
        nearly all of the variance of the targets lies between the series.

    n_repeats : int, default=5
        How often the values are taken from other times.

    max_samples : int or float, default=1.0
        The rows with a known target that are predicted, a number or a fraction of them. They are
        drawn once, so that every lag has the same rows; the values come from all rows. The
        predictions of ``n_features * n_lags * n_repeats * max_samples`` rows are computed.

    random_state : int, RandomState instance or None, default=None
        Decides from which times the values are taken, and the rows of ``max_samples``. None: each
        call differs.

    Returns
    -------
    importance : sklearn.utils.Bunch
        It has the attributes

        - importances_mean : ndarray of shape (n_features, n_lags), the mean over ``n_repeats``.
          NaN where the feature has none of these lags.
        - importances_std : ndarray of shape (n_features, n_lags), the standard deviation.
        - importances : ndarray of shape (n_features, n_lags, n_repeats)
        - importances_by_output : ndarray of shape (n_outputs, n_features, n_lags), the mean over
          ``n_repeats`` for each column of ``y``. NaN for a column that is not in the score.
        - features : list of str
        - lags : list of tuple of int, the lags that are exchanged together.
        - lag_labels : list of str, such as "6" or "8-11".
        - score : float, that of the forecasts from the windows as they are.
        - score_name : str

        and the method ``to_frame()``, which gives mean and standard deviation with their names.

    Raises
    ------
    ValueError
        If an argument is not as described, the pandas indexes of ``X`` and ``y`` differ, no
        target is known, or it cannot be told which values are of which lag.
    TypeError
        If the estimator does not predict.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.

    See Also
    --------
    LagImportanceDisplay : Draws the result.
    LSTMRegressor : Its attribute ``linear_coef_`` has the coefficients of the linear map by lag.
    sklearn.inspection.permutation_importance : The importance of the columns of ``X``.

    Notes
    -----
    **Where the values come from.** The rows are cut into 50 blocks of time. In each repeat, each
    block gets the values that stand a random number of rows away, counted in a circle and at least
    the length of a block. So values that belong together stay together, and the season at which
    they are taken differs from block to block. Of several series, values are exchanged within a
    series. Missing values are exchanged as values are.

    **What it cannot say.** Values of neighbouring lags, and of lags a season apart, tell nearly the
    same. A model may use any of them, and where it uses several, each alone looks unimportant: join
    them in a group. Windows with the values of other times may never occur, such as a
    level of last year in the middle of this month, and what a model predicts for them need not mean
    much. Importance is that for this model and this score: a lag without importance may be useful
    to another model, and a model that is worse than the mean has no importances to speak of.

    References
    ----------
    L. Breiman, "Random forests", Machine Learning 45(1), 2001. Correlated features: C. Strobl et
    al., "Conditional variable importance for random forests", BMC Bioinformatics 9, 2008. Blocks of
    time: D. Politis and J. Romano, "A circular block-resampling procedure for stationary data",
    1992.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklstm import KnownTargetsRegressor, SlidingWindowTransformer
    >>> from sklstm import forecast_targets, lag_importance
    >>> from sklstm.datasets import load_chicago_ridership
    >>> X = load_chicago_ridership(as_frame=True).data[["ridership"]]
    >>> y = forecast_targets(X["ridership"], horizon=1)
    >>> windows = SlidingWindowTransformer(14, padding="edge", flatten=True)
    >>> model = make_pipeline(windows, KnownTargetsRegressor(Ridge()))
    >>> model = model.fit(X[:-365], y[:-365])
    >>> importance = lag_importance(
    ...     model, X[-365:], y[-365:], lags=[0, 6, range(7, 13), 13], random_state=0
    ... )
    >>> importance.to_frame()["importances_mean"].round(1).unstack("lags")
    lags         0    6  7-12   13
    feature
    ridership  0.2  0.5   0.1  0.2
    """
    n_repeats = check_int("n_repeats", n_repeats, least=1)
    check_same_labels(X=X, y=y)
    lagged = lagged_values(estimator, X)
    groups = _groups(lags, lagged.columns)
    targets = check_targets(estimator, y, lagged.n_rows)
    check_output_names(fitted_names(estimator), y)
    order, edges = _rows_in_time(lagged.values, X, y)
    # For None, a new generator: check_random_state(None) would advance numpy's global one.
    try:
        rng = check_random_state(np.random.RandomState() if random_state is None else random_state)
    except ValueError:
        raise ValueError(
            "random_state must be an int from 0 to 2**32 - 1, a RandomState or None, got "
            f"{random_state!r:.60}."
        ) from None
    sources = _sources(edges, n_repeats, rng)
    places = _sampled(targets.reshape(len(order), -1)[order], edges, max_samples, rng)
    rows = order[places]
    scores = _scores_of(targets[rows], scoring)

    before = scores(lagged.predict(rows))
    is_scored = ~np.isnan(before)
    if not is_scored.any():
        raise ValueError(
            f"The score of {len(rows)} row(s) with a known target is not a number. Pass more rows, "
            "or another scoring."
        )
    shape = (len(before), len(lagged.columns), len(groups), n_repeats)
    after = np.full(shape, np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of the windows as they are were shown
        for feature, column_of in enumerate(lagged.columns):
            for group, lags_of_group in enumerate(groups):
                columns = [column_of[lag] for lag in lags_of_group if lag in column_of]
                for repeat in range(n_repeats if columns else 0):
                    predicted = lagged.predict(rows, order[sources[repeat, places]], columns)
                    after[:, feature, group, repeat] = scores(predicted)
    by_output = before[:, np.newaxis, np.newaxis, np.newaxis] - after
    importances = by_output[is_scored].mean(axis=0)
    return LagImportance(
        importances_mean=importances.mean(axis=2),
        importances_std=importances.std(axis=2),
        importances=importances,
        importances_by_output=by_output.mean(axis=3),
        features=lagged.features,
        lags=groups,
        lag_labels=[_label(group) for group in groups],
        score=float(before[is_scored].mean()),
        score_name="R²" if scoring is None else scoring if isinstance(scoring, str) else "score",
    )


def _groups(lags: Any, columns: list[dict[int, int]]) -> list[tuple[int, ...]]:
    """Return the lags that are exchanged together."""
    known = sorted(set().union(*columns))
    if isinstance(lags, str) and lags == "auto":
        edges = [0, 1]
        while edges[-1] < len(known):
            edges.append(max(edges[-1] + 1, 2 * edges[-2]))
        return [tuple(known[start:stop]) for start, stop in pairwise(edges) if start < len(known)]
    advice = f"Pass 'auto', or ints among {_label(known)}, or groups of them: lags=[0, [1, 2], 6]."
    if isinstance(lags, str) or not np.iterable(lags):
        raise ValueError(f"lags={lags!r}, but expected several lags. {advice}")
    groups = [tuple(entry) if np.iterable(entry) else (entry,) for entry in lags]
    if not groups or not all(groups):
        raise ValueError(f"lags={lags!r} holds an empty list. {advice}")
    for lag in (lag for group in groups for lag in group):
        if not is_int(lag) or lag not in known:
            raise ValueError(f"lags holds {lag!r}, which no window has. {advice}")
    groups = [tuple(int(lag) for lag in group) for group in groups]
    if twice := [_label(group) for group in groups if groups.count(group) > 1]:
        raise ValueError(f"lags holds {twice[0]} more than once, but each entry counts once.")
    return groups


def _label(lags: Sequence[int]) -> str:
    """Write lags as text: 6, 8-11 or 6,13."""
    if len(lags) > 1 and set(np.diff(lags).tolist()) == {1}:
        return f"{lags[0]}-{lags[-1]}"
    return ",".join(map(str, lags))


def _rows_in_time(values: Any, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows in the order of time, one series after the other, and where each begins."""
    n_rows = int(values.shape[0])
    panel = getattr(values, "panel", None)
    frames = [data for data in (X, y) if is_pandas(data)]
    if panel is None and frames and frames[0].index.nlevels > 1:
        panel = panel_of(frames[0].index)
    if panel is not None:
        return panel.order, panel.edges
    order = np.arange(n_rows)
    if frames:
        times = as_times(frames[0].index)
        if times.inferred_type in NUMBERS_AND_TIMES and not times.is_monotonic_increasing:
            order = np.asarray(times.argsort(kind="stable"))
    return order, np.array([0, n_rows])


def _sources(edges: np.ndarray, n_repeats: int, rng: np.random.RandomState) -> np.ndarray:
    """Return for each repeat and row the row that values are taken from: (n_repeats, n_rows)."""
    sources: np.ndarray = np.tile(np.arange(edges[-1]), (n_repeats, 1))
    for start, stop in pairwise(edges.tolist()):
        n = stop - start
        length = max(n // _N_BLOCKS, 1)
        if n > 1:
            places = np.arange(n)
            shifts = rng.randint(length, n - length + 1, size=(n_repeats, n // length + 1))
            sources[:, start:stop] = start + (places + shifts[:, places // length]) % n
    return sources


def _sampled(
    targets: np.ndarray, edges: np.ndarray, max_samples: Any, rng: np.random.RandomState
) -> np.ndarray:
    """Return the numbers of the rows to predict, increasing."""
    has_others = np.repeat(np.diff(edges) > 1, np.diff(edges))
    if not has_others.any():
        raise ValueError(
            f"X has {len(targets)} row(s), at most one of each series, but values are exchanged "
            "between the rows of a series. Pass more rows."
        )
    rows = np.flatnonzero(has_others & ~np.isnan(targets).all(axis=1))
    if not len(rows):
        raise ValueError(
            f"None of the {len(targets)} row(s) of y has a known target, so there is nothing to "
            "score. Pass more rows."
        )
    n = max_samples
    if isinstance(n, (float, np.floating)) and 0 < n <= 1:
        n = max(int(n * len(rows)), 1)
    if not is_int(n) or not 1 <= n <= len(rows):
        raise ValueError(
            f"max_samples={max_samples!r}, but expected an int from 1 to {len(rows)}, the rows "
            "with a known target, or a fraction of them above 0 and at most 1.0."
        )
    return rows if n == len(rows) else np.sort(rng.choice(rows, int(n), replace=False))


def _scores_of(targets: np.ndarray, scoring: Any) -> Callable[[np.ndarray], np.ndarray]:
    """Return what scores predictions, each output on its known targets: (n_outputs,)."""
    scorer = known_targets_scorer("r2" if scoring is None else scoring)
    of_outputs = targets.reshape(len(targets), -1).T
    counts = (~np.isnan(of_outputs)).sum(axis=1)
    # Those that the scorer counts in its mean.
    is_scored = counts >= min(2, counts.max())
    itself: Any = SimpleNamespace(predict=lambda predicted: predicted)

    def scores(predicted: np.ndarray) -> np.ndarray:
        columns = predicted.reshape(len(predicted), -1).T
        if columns.shape != of_outputs.shape:
            scorer(itself, predicted, targets)  # raises an error that says so
        scored = np.full(len(columns), np.nan)
        for output in np.flatnonzero(is_scored):
            scored[output] = scorer(itself, columns[output], of_outputs[output])
        return scored

    return scores
