"""Scores that leave unknown targets out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.metrics import check_scoring, mean_pinball_loss, r2_score
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import get_routing_for_object

from sklstm._series.labels import check_same_labels
from sklstm._validation import check_output_names, check_targets, check_weights

# The score of one output, from its targets, predictions and weights (None: all equal).
_Score = Callable[[np.ndarray, np.ndarray, np.ndarray | None], float]


def known_targets_scorer(scoring: str | Callable[..., float]) -> Callable[..., float]:
    """Make a scorer that leaves unknown targets out.

    scikit-learn's own scorers refuse NaN in ``y``, and a search with them gives every candidate
    the score NaN. This scorer scores each output on the rows where its target is known, and
    returns the mean over the outputs. The estimator predicts all rows, so that windows keep their
    history.

    Parameters
    ----------
    scoring : str or callable
        The name of a scorer of scikit-learn, such as "neg_mean_absolute_error", or a scorer with
        the signature ``scorer(estimator, X, y)`` that reads nothing but the predictions of the
        estimator, such as one of :func:`sklearn.metrics.make_scorer`. It scores one output at a
        time, so a parameter ``multioutput`` of its metric has no effect.

    Returns
    -------
    scorer : callable
        For ``scoring`` of a search or cross-validation. It also takes ``sample_weight`` if
        ``scoring`` does. With metadata routing, it requests what ``scoring`` requests.

    Raises
    ------
    ValueError
        If ``scoring`` is not as described. The scorer raises it if no target is known, or if
        the predictions have another shape than ``y``.

    See Also
    --------
    KnownTargetsRegressor : Fits any regressor on the rows with known targets.

    Notes
    -----
    On targets that are all known, the score is that of scikit-learn, whose average over outputs
    is uniform too. An output with a single known target says little, and many scores need two:
    it is left out if another output has more. One without a known target is left out always.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.dummy import DummyRegressor
    >>> from sklstm import forecast_targets, known_targets_scorer
    >>> X, y = np.zeros((5, 1)), forecast_targets(np.arange(5), horizon=2)
    >>> model = DummyRegressor().fit(X[:2], y[:2])  # predicts 1.5 and 2.5
    >>> known_targets_scorer("neg_mean_absolute_error")(model, X, y)
    -1.04...
    """
    if scoring is None or not (isinstance(scoring, str) or callable(scoring)):
        raise ValueError(
            "scoring must be the name of a scorer or a scorer, for instance "
            f"'neg_mean_absolute_error', got {scoring!r}. For several scores, pass a dict of such "
            "scorers to scoring of the search."
        )
    if scoring is pinball_scorer:
        raise ValueError(
            "scoring must be a scorer that reads only predictions, got pinball_scorer, which "
            "reads quantiles. In a search, pass pinball_scorer as it is: it leaves unknown targets "
            "out. Elsewhere, as in lag_importance, pass 'neg_mean_absolute_error', which scores "
            "the medians."
        )
    return _KnownTargetsScorer(check_scoring(_Predictions(), scoring=scoring))


class _Predictions(RegressorMixin, BaseEstimator):
    """A regressor whose predictions are its input, to call scorers with predictions."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> _Predictions:
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        return X

    def __sklearn_is_fitted__(self) -> bool:
        return True


class _KnownTargetsScorer:
    """A scorer that calls another one with the known targets of each output."""

    def __init__(self, scorer: Callable[..., float]) -> None:
        self._scorer = scorer

    def __repr__(self) -> str:
        return f"known_targets_scorer({self._scorer!r})"

    def __call__(
        self, estimator: Any, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float:
        def score(y: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None) -> float:
            weights = {} if weight is None else {"sample_weight": weight}
            return self._scorer(_Predictions(), predicted, y, **weights)

        return _mean_score(score, estimator, estimator.predict(X), X, y, sample_weight)

    def get_metadata_routing(self) -> Any:
        return get_routing_for_object(self._scorer)


def r2_of_known(
    estimator: Any, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None
) -> float:
    """Return the coefficient of determination of the known targets, as ``score`` gives it."""
    return _mean_score(
        lambda y, predicted, weight: r2_score(y, predicted, sample_weight=weight),
        estimator,
        estimator.predict(X),
        X,
        y,
        sample_weight,
    )


def pinball_scorer(
    estimator: Any, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None
) -> float:
    """Score quantile forecasts: the negative pinball loss; unknown targets are left out.

    The pinball loss of a quantile is lowest for the quantile itself, so a higher score means better
    quantiles. The score is the mean over the quantiles and the outputs, each on the rows where its
    target is known, in units of the target.

    Parameters
    ----------
    estimator : LSTMRegressor with ``loss="quantile"``
        Or another fitted estimator with ``predict_quantiles`` and ``quantiles_``; also as the last
        step of a pipeline, or as the best one of a search.
    X : array-like
        What the estimator predicts.
    y : array-like of shape (n,) or (n, n_outputs)
        Targets; NaN, None, NA or a mask where unknown.
    sample_weight : array-like of shape (n,) or None, default=None
        Weights of the rows. None: all equal.

    Returns
    -------
    score : float
        At most 0.

    Raises
    ------
    ValueError
        If the estimator predicts no quantiles, if ``y`` has another number of outputs than the
        predictions, or if no target is known.

    See Also
    --------
    known_targets_scorer : Makes scorers of predictions, such as "neg_mean_absolute_error".

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklstm import LSTMRegressor, SlidingWindowTransformer, pinball_scorer
    >>> X = np.random.RandomState(0).rand(300, 1)
    >>> model = make_pipeline(
    ...     SlidingWindowTransformer(window_size=4),
    ...     LSTMRegressor(8, loss="quantile", max_epochs=5, random_state=0),
    ... )
    >>> model = model.fit(X[:200], X[:200, 0])
    >>> -0.1 < pinball_scorer(model, X[200:], X[200:, 0]) < 0
    True

    For ``scoring`` of a search or cross-validation::

        GridSearchCV(model, grid, scoring=pinball_scorer, cv=TimeSeriesSplit())
    """
    last, X_last = at_last_step(estimator, X)
    if hasattr(last, "predict_interval"):
        raise ValueError(
            f"pinball_scorer scores quantiles, got {type(last).__name__}, whose intervals have "
            "other ends than the quantiles inside. For the quantiles, pass the estimator inside: "
            "pinball_scorer(model.estimator_, X, y), in a search scoring=lambda model, X, y: "
            "pinball_scorer(model.estimator_, X, y). For the intervals: backtest(model, X, y, "
            "cv=cv).coverage(), whose interval_score is their pinball loss but for a factor."
        )
    if not hasattr(last, "predict_quantiles"):
        raise ValueError(
            "pinball_scorer needs an estimator with predict_quantiles, alone, as the last step of "
            f"a Pipeline or in a fitted search, got {type(last).__name__}. Use "
            "LSTMRegressor(loss='quantile')."
        )

    def score(y: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None) -> float:
        losses = [
            mean_pinball_loss(y, of_quantile, alpha=quantile, sample_weight=weight)
            for of_quantile, quantile in zip(predicted.T, last.quantiles_, strict=True)
        ]
        return -float(np.mean(losses))

    predicted = np.asarray(last.predict_quantiles(X_last))
    predicted = predicted.reshape(len(predicted), -1, predicted.shape[-1])
    return _mean_score(score, last, predicted, X, y, sample_weight)


def at_last_step(estimator: Any, X: Any) -> tuple[Any, Any]:
    """Return the last step of a pipeline, also of the best one of a search, and its input."""
    while isinstance(estimator, Pipeline) or hasattr(estimator, "best_estimator_"):
        if not isinstance(estimator, Pipeline):
            estimator = estimator.best_estimator_
            continue
        X = estimator[:-1].transform(X) if len(estimator) > 1 else X
        estimator = estimator[-1]
    return estimator, X


def fitted_names(estimator: Any) -> list[str]:
    """Return the names of the targets of a fit, of a pipeline or search those of its last step."""
    while not hasattr(estimator, "_output_names"):
        if isinstance(estimator, Pipeline):
            estimator = estimator.steps[-1][1]
        elif hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        else:
            return []
    return list(estimator._output_names)


def _mean_score(
    score: _Score,
    estimator: Any,
    predicted: Any,
    X: Any,
    y: ArrayLike,
    sample_weight: ArrayLike | None,
) -> float:
    """Score each output on the rows where its target is known; return the mean.

    Predictions are (n,), (n, outputs) or (n, outputs, quantiles).
    """
    check_same_labels(X=X, y=y, sample_weight=sample_weight)
    check_output_names(fitted_names(estimator), y)
    predicted = np.asarray(predicted)
    targets = check_targets(estimator, y, len(predicted))
    targets, predicted = (
        values[:, np.newaxis] if values.ndim == 1 else values for values in (targets, predicted)
    )
    if targets.shape != predicted.shape[:2]:
        raise ValueError(
            f"y has {targets.shape[1]} output(s), but the predictions have {predicted.shape[1]}. "
            "Pass the targets of the outputs that the estimator was fitted on."
        )
    known, weight = ~np.isnan(targets), None
    if sample_weight is not None:
        weight = check_weights(sample_weight, len(targets))
        known &= weight[:, np.newaxis] > 0
    counts = known.sum(axis=0)
    if not counts.any():
        raise ValueError(
            f"None of the {len(targets)} row(s) of y has a known target"
            f"{'' if weight is None else ' and a weight above zero'}, so there is nothing to "
            "score. Pass more rows; in a cross-validation, longer test folds "
            "(test_size of TimeSeriesSplit)."
        )
    return float(
        np.mean(
            [
                score(
                    targets[rows, output],
                    predicted[rows, output],
                    None if weight is None else weight[rows],
                )
                for output, rows in enumerate(known.T)
                if counts[output] >= min(2, counts.max())
            ]
        )
    )
