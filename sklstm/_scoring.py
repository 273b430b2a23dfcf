"""Scores that leave unknown targets out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.metrics import check_scoring, r2_score
from sklearn.utils.metadata_routing import get_routing_for_object

from sklstm._series.labels import check_same_labels
from sklstm._validation import check_targets, check_weights

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

        return _mean_score(score, estimator, X, y, sample_weight)

    def get_metadata_routing(self) -> Any:
        return get_routing_for_object(self._scorer)


def r2_of_known(
    estimator: Any, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None
) -> float:
    """Return the coefficient of determination of the known targets, as ``score`` gives it."""
    return _mean_score(
        lambda y, predicted, weight: r2_score(y, predicted, sample_weight=weight),
        estimator,
        X,
        y,
        sample_weight,
    )


def _mean_score(
    score: _Score, estimator: Any, X: Any, y: ArrayLike, sample_weight: ArrayLike | None
) -> float:
    """Score each output on the rows where its target is known; return the mean."""
    check_same_labels(X=X, y=y, sample_weight=sample_weight)
    predicted: NDArray[Any] = np.asarray(estimator.predict(X))
    targets = check_targets(estimator, y, len(predicted))
    targets, predicted = (values.reshape(len(values), -1) for values in (targets, predicted))
    if targets.shape != predicted.shape:
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
