"""Scores that leave unknown targets out, against scikit-learn's on the known ones."""

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.dummy import DummyRegressor
from sklearn.inspection import permutation_importance
from sklearn.linear_model import Ridge
from sklearn.metrics import (
    get_scorer,
    get_scorer_names,
    make_scorer,
    mean_absolute_error,
    mean_pinball_loss,
    r2_score,
)
from sklearn.model_selection import (
    GridSearchCV,
    TimeSeriesSplit,
    cross_val_score,
    cross_validate,
    learning_curve,
)
from sklearn.pipeline import make_pipeline

from sklstm import (
    ConformalRegressor,
    KnownTargetsRegressor,
    LSTMRegressor,
    SlidingWindowTransformer,
    backtest,
    forecast_targets,
    known_targets_scorer,
    lag_importance,
    pinball_scorer,
)

NAN = np.nan
RNG = np.random.RandomState(0)
X = 1 + RNG.rand(60, 3)  # positive, as some scorers need
Y = X @ (1 + RNG.rand(3, 3)) + RNG.rand(60, 3)
WEIGHT = RNG.rand(60)
HOLES = np.where(RNG.rand(60, 3) < 0.3, NAN, Y)
MAE = "neg_mean_absolute_error"
REGRESSION = [
    name
    for name in get_scorer_names()
    if get_scorer(name)._score_func.__module__ == "sklearn.metrics._regression"
]


class Given(RegressorMixin, BaseEstimator):
    """Its predictions are its input."""

    def fit(self, X, y):
        return self

    def predict(self, X):
        return X

    def __sklearn_is_fitted__(self):
        return True


def takes_several_outputs(name):
    try:
        get_scorer(name)(Given(), X, Y)
    except ValueError as error:
        if "ultioutput" in str(error):
            return False
        raise
    return True


SEVERAL = [name for name in REGRESSION if takes_several_outputs(name)]


def test_most_scorers_take_several_outputs():
    assert len(SEVERAL) >= 10


@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("name", SEVERAL)
def test_on_complete_targets_it_is_the_scorer_of_scikit_learn(name, weight):
    expected = get_scorer(name)(Given(), X, Y, sample_weight=weight)
    scorer = known_targets_scorer(name)
    assert scorer(Given(), X, Y, sample_weight=weight) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "weight"),
    [(name, None) for name in REGRESSION] + [(name, WEIGHT) for name in SEVERAL],
)
def test_each_output_is_scored_on_its_known_targets(name, weight):
    scores = []
    for output in range(3):
        known = [row for row in range(60) if HOLES[row, output] == HOLES[row, output]]
        weights = {} if weight is None else {"sample_weight": weight[known]}
        scores.append(get_scorer(name)(Given(), X[known, output], Y[known, output], **weights))
    scorer = known_targets_scorer(name)
    assert scorer(Given(), X, HOLES, sample_weight=weight) == pytest.approx(np.mean(scores))


@pytest.mark.parametrize("y", [HOLES[:, 0], HOLES[:, :1], pd.Series(HOLES[:, 0])])
def test_a_single_output_may_have_one_or_two_dimensions(y):
    known = ~np.isnan(HOLES[:, 0])
    expected = -mean_absolute_error(Y[known, 0], X[known, 0])
    assert known_targets_scorer(MAE)(Given(), X[:, 0], y) == pytest.approx(expected)


def test_rows_without_weight_are_not_scored():
    y, weight = Y.copy(), np.ones(60)
    y[:57, 1], weight[57:] = NAN, 0
    expected = np.mean([r2_score(Y[:57, j], X[:57, j]) for j in (0, 2)])
    scorer = known_targets_scorer("r2")
    assert scorer(Given(), X, y, sample_weight=weight) == pytest.approx(expected)


@pytest.mark.parametrize("n_known", [0, 1])
@pytest.mark.parametrize("name", ["r2", MAE])
def test_an_output_with_fewer_known_targets_than_two_is_left_out(name, n_known):
    y = Y.copy()
    y[n_known:, 1] = NAN
    expected = get_scorer(name)(Given(), X[:, [0, 2]], Y[:, [0, 2]])
    assert known_targets_scorer(name)(Given(), X, y) == pytest.approx(expected)


def test_a_fold_of_one_row_is_scored():
    expected = -mean_absolute_error(Y[:1], X[:1])
    assert known_targets_scorer(MAE)(Given(), X[:1], Y[:1]) == pytest.approx(expected)
    y = np.full((60, 3), NAN)
    y[7] = Y[7]
    expected = -mean_absolute_error(Y[7:8], X[7:8])
    assert known_targets_scorer(MAE)(Given(), X, y) == pytest.approx(expected)


def test_a_scorer_may_be_a_callable():
    own = make_scorer(mean_absolute_error, greater_is_better=False)

    def plain(estimator, X, y):
        return -np.mean(np.abs(estimator.predict(X) - y))

    expected = known_targets_scorer(MAE)(Given(), X, HOLES)
    for scorer in (own, plain):
        assert known_targets_scorer(scorer)(Given(), X, HOLES) == pytest.approx(expected)


@pytest.mark.parametrize("scoring", [None, 3, [MAE], {"a": MAE}, "no such", mean_absolute_error])
def test_what_is_no_scorer_is_refused(scoring):
    with pytest.raises(ValueError, match="scor"):
        known_targets_scorer(scoring)


def test_no_known_target_is_an_error():
    with pytest.raises(ValueError, match=r"None of the 60 row\(s\) of y has a known target, so"):
        known_targets_scorer(MAE)(Given(), X, np.full((60, 3), NAN))
    weight, y = np.r_[1.0, np.zeros(59)], np.vstack([np.full(3, NAN), Y[1:]])
    with pytest.raises(ValueError, match="known target and a weight above zero"):
        known_targets_scorer(MAE)(Given(), X, y, sample_weight=weight)


def test_predictions_of_other_outputs_are_refused():
    with pytest.raises(ValueError, match=r"y has 2 output\(s\), but the predictions have 3"):
        known_targets_scorer(MAE)(Given(), X, Y[:, :2])


def test_it_can_be_pickled_and_shows_what_it_scores():
    scorer = pickle.loads(pickle.dumps(known_targets_scorer(MAE)))
    assert scorer(Given(), X, HOLES) == known_targets_scorer(MAE)(Given(), X, HOLES)
    assert repr(scorer).startswith("known_targets_scorer(make_scorer(mean_absolute_error")


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_searches_and_cross_validations_take_it(n_jobs):
    model, cv = KnownTargetsRegressor(Ridge()), TimeSeriesSplit(3)
    options = {"cv": cv, "error_score": "raise", "n_jobs": n_jobs}
    scorer = known_targets_scorer(MAE)
    y = forecast_targets(pd.Series(Y[:, 0], name="load"), 4)
    scores = cross_val_score(model, X, y, scoring=scorer, **options)
    for (train, test), score in zip(cv.split(X), scores, strict=True):
        predicted = Ridge().fit(X[train[:-4]], y.iloc[train[:-4]]).predict(X[test])
        errors = np.abs(predicted - y.iloc[test].to_numpy())
        assert score == pytest.approx(-np.nanmean(errors, axis=0).mean())
    both = cross_validate(
        model, X, y, scoring={"mae": scorer, "r2": known_targets_scorer("r2")}, **options
    )
    np.testing.assert_array_equal(both["test_mae"], scores)
    search = GridSearchCV(model, {"regressor__alpha": [1e-3, 1e3]}, scoring=scorer, **options)
    search.fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.score(X, y) == scorer(search.best_estimator_, X, y)
    importance = permutation_importance(search.best_estimator_, X, y, scoring=scorer)
    assert np.isfinite(importance.importances).all()
    curve = learning_curve(model, X, y, train_sizes=[15], scoring=scorer, **options)
    assert np.isfinite(np.concatenate(curve[1:])).all()


def test_weights_are_routed_as_the_inner_scorer_requests():
    with sklearn.config_context(enable_metadata_routing=True):
        scorer = known_targets_scorer(get_scorer(MAE).set_score_request(sample_weight=True))
        model = DummyRegressor().set_fit_request(sample_weight=False)
        scores = cross_val_score(
            model, X, Y, scoring=scorer, cv=TimeSeriesSplit(2), params={"sample_weight": WEIGHT}
        )
    for (train, test), score in zip(TimeSeriesSplit(2).split(X), scores, strict=True):
        predicted = np.broadcast_to(Y[train].mean(axis=0), Y[test].shape)
        expected = -mean_absolute_error(Y[test], predicted, sample_weight=WEIGHT[test])
        assert score == pytest.approx(expected)


def test_the_lstm_scores_its_known_targets():
    windows = X[:, :, np.newaxis]
    lstm = LSTMRegressor(4, max_epochs=1, early_stopping=False, random_state=0).fit(windows, Y)
    predicted, scores = lstm.predict(windows), []
    for output in range(3):
        known = ~np.isnan(HOLES[:, output])
        scores.append(r2_score(Y[known, output], predicted[known, output]))
    assert lstm.score(windows, HOLES) == pytest.approx(np.mean(scores))
    assert known_targets_scorer("r2")(lstm, windows, HOLES) == lstm.score(windows, HOLES)
    with pytest.raises(ValueError, match="known target"):
        lstm.score(windows, HOLES * NAN)


class Quantiles(Given):
    """Its quantiles are its input plus these."""

    quantiles_ = np.array([0.1, 0.5, 0.8])
    apart = np.array([-0.2, 0.1, 0.3])

    def predict_quantiles(self, X):
        return np.asarray(X)[..., np.newaxis] + self.apart


@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_pinball_is_the_mean_over_quantiles_and_outputs_on_known_targets(weight):
    of_outputs = []
    for output in range(3):
        losses = []
        for quantile, apart in zip(Quantiles.quantiles_, Quantiles.apart, strict=True):
            total = n = 0.0
            for row in range(60):
                error = HOLES[row, output] - X[row, output] - apart
                if error == error:
                    factor = 1.0 if weight is None else weight[row]
                    total += factor * max(quantile * error, (quantile - 1) * error)
                    n += factor
            losses.append(total / n)
        of_outputs.append(np.mean(losses))
    found = pinball_scorer(Quantiles(), X, HOLES, sample_weight=weight)
    assert found == pytest.approx(-np.mean(of_outputs), rel=1e-12)


def test_pinball_of_complete_targets_is_that_of_scikit_learn():
    expected = [
        mean_pinball_loss(Y, X + apart, alpha=quantile)
        for quantile, apart in zip(Quantiles.quantiles_, Quantiles.apart, strict=True)
    ]
    assert pinball_scorer(Quantiles(), X, Y) == pytest.approx(-np.mean(expected))
    of_one = pinball_scorer(Quantiles(), X[:, 0], Y[:, 0])
    assert of_one == pytest.approx(pinball_scorer(Quantiles(), X[:, :1], Y[:, :1]))


@pytest.fixture(scope="module")
def quantile_pipe():
    lstm = LSTMRegressor(4, loss="quantile", max_epochs=2, random_state=0)
    return make_pipeline(SlidingWindowTransformer(4), lstm)


def test_pinball_of_a_pipeline_or_search_is_that_of_its_last_step(quantile_pipe):
    rows = RNG.randn(160, 2)
    y = forecast_targets(rows[:, 0], 2)
    search = GridSearchCV(
        quantile_pipe,
        {"lstmregressor__quantiles": [(0.05, 0.5, 0.95), (0.5,)]},
        scoring=pinball_scorer,
        cv=TimeSeriesSplit(2),
        error_score="raise",
    ).fit(rows[:120], y[:120])
    best = search.best_estimator_
    quantiles = best[-1].predict_quantiles(best[:-1].transform(rows[120:]))
    expected = np.mean(
        [
            mean_pinball_loss(y[120:-2], quantiles[:-2, :, place], alpha=level)
            for place, level in enumerate(best[-1].quantiles_)
        ]
    )
    # Of the last two rows, the first has one known target.
    known = np.isfinite(y[120:])
    assert known.sum(axis=0).tolist() == [39, 38]
    complete = np.where(known.all(axis=1)[:, np.newaxis], y[120:], NAN)
    assert pinball_scorer(search, rows[120:], complete) == pytest.approx(-expected)
    assert pinball_scorer(search, rows[120:], y[120:]) == pinball_scorer(best, rows[120:], y[120:])
    windows = best[:-1].transform(rows[120:])
    alone = pinball_scorer(make_pipeline(best[-1]), windows, y[120:])
    assert alone == pinball_scorer(best[-1], windows, y[120:])


def test_pinball_scores_every_fold_of_a_cross_validation(quantile_pipe):
    rows = RNG.randn(160, 1)
    y = forecast_targets(rows[:, 0], 3)
    scores = cross_val_score(
        quantile_pipe, rows, y, cv=TimeSeriesSplit(3), scoring=pinball_scorer, error_score="raise"
    )
    assert (scores < 0).all()


def test_pinball_is_of_the_quantiles_of_the_fit(quantile_pipe):
    rows = RNG.randn(120, 1)
    model = clone(quantile_pipe).fit(rows, rows[:, 0])
    before = pinball_scorer(model, rows, rows[:, 0])
    model[-1].set_params(quantiles=(0.3, 0.5, 0.7))
    assert pinball_scorer(model, rows, rows[:, 0]) == before


def test_pinball_needs_quantiles():
    with pytest.raises(ValueError, match=r"predict_quantiles.*got Ridge.*LSTMRegressor\(loss="):
        pinball_scorer(make_pipeline(Ridge()).fit(X, Y), X, Y)
    model = LSTMRegressor(4, max_epochs=1).fit(X, Y[:, 0])
    with pytest.raises(ValueError, match="needs loss='quantile'"):
        pinball_scorer(model, X, Y[:, 0])
    with pytest.raises(ValueError, match=r"y has 1 output\(s\), but the predictions have 3"):
        pinball_scorer(Quantiles(), X, Y[:, 0])
    with pytest.raises(ValueError, match="None of the 60 row"):
        pinball_scorer(Quantiles(), X, np.full((60, 3), NAN))


def test_quantile_scores_are_no_scores_of_predictions():
    X = pd.DataFrame({"load_lag1": np.arange(9.0), "load_lag0": np.arange(1.0, 10.0)})
    advice = r"got pinball_scorer.*pass pinball_scorer as it is.*'neg_mean_absolute_error'"
    with pytest.raises(ValueError, match=advice):
        known_targets_scorer(pinball_scorer)
    with pytest.raises(ValueError, match=advice):
        lag_importance(Ridge().fit(X, X["load_lag0"]), X, X["load_lag0"], scoring=pinball_scorer)


def test_pinball_of_intervals_is_refused_and_the_advice_works():
    model = make_pipeline(
        SlidingWindowTransformer(3),
        LSTMRegressor(2, loss="quantile", max_epochs=1, random_state=0, early_stopping=False),
    )
    series = np.sin(np.arange(150.0))
    rows, y = series[:, np.newaxis], forecast_targets(series, 1)
    conformal = ConformalRegressor(model).fit(rows, y)
    with pytest.raises(ValueError, match=r"pinball_scorer\(model\.estimator_, X, y\)"):
        pinball_scorer(conformal, rows, y)
    expected = pinball_scorer(conformal.estimator_, rows, y)
    assert expected == pinball_scorer(model.fit(rows, y), rows, y)
    result = backtest(conformal, rows, y, cv=[(np.arange(100), np.arange(100, 140))])
    by_end = [
        mean_pinball_loss(result.actual, ends, alpha=alpha)
        for ends, alpha in ((result.lower, 0.05), (result.upper, 0.95))
    ]
    score = result.coverage()["interval_score"].item()
    assert score == pytest.approx(np.mean(by_end) * 4 / 0.1)
