"""KnownTargetsRegressor: the rows that it fits on, and what it passes on."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
import sklearn
import skops.io
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_val_score
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklstm import (
    KnownTargetsRegressor,
    LSTMRegressor,
    SlidingWindowTransformer,
    forecast_targets,
    known_targets_scorer,
)

NAN = np.nan
X = np.random.RandomState(0).rand(50, 3)
Y = X @ [1.0, 2.0, 3.0]


class Recorder(RegressorMixin, BaseEstimator):
    """Keeps what fit and predict got."""

    def fit(self, X, y, sample_weight=None, **others):
        self.X_, self.y_, self.sample_weight_, self.others_ = X, y, sample_weight, others
        return self

    def predict(self, X, **params):
        self.params_ = params
        return np.zeros((len(X), *self.y_.shape[1:]))


@pytest.mark.parametrize(
    ("y", "leads", "rows"),
    [
        (Y, 0, range(50)),
        (Y, 7, range(43)),
        (np.where(np.arange(50) % 3, Y, NAN), 0, [row for row in range(50) if row % 3]),
        (np.where(np.arange(50) % 3, Y, NAN), 5, [row for row in range(45) if row % 3]),
        (np.column_stack([Y, Y]), [2, 4], range(46)),
        (forecast_targets(Y, 4), "auto", range(46)),
        (forecast_targets(Y, 4)[:30], "auto", range(26)),
        (pd.Series(Y, name="load_lead24"), "auto", range(26)),
        (pd.Series(Y, name="load"), "auto", range(50)),
    ],
)
def test_the_regressor_is_fitted_on_rows_that_are_known_at_the_last_row(y, leads, rows):
    rows, X_ = list(rows), X[: len(y)]
    model = KnownTargetsRegressor(Recorder(), target_leads=leads).fit(X_, y)
    assert_array_equal(model.regressor_.X_, X_[rows])
    assert_array_equal(model.regressor_.y_, np.asarray(y)[rows])
    assert_array_equal(model.fitted_rows_, rows)
    assert np.ndim(model.regressor_.y_) == np.ndim(y)


@pytest.mark.parametrize(
    "kind",
    [
        pd.DataFrame,
        pl.DataFrame,
        scipy.sparse.csr_array,
        np.array,
        np.ndarray.tolist,
        lambda X: np.repeat(X[:, None], 4, axis=1),
    ],
)
def test_rows_keep_their_container(kind):
    regressor = KnownTargetsRegressor(Recorder(), target_leads=10).fit(kind(X), Y).regressor_
    assert type(regressor.X_) is type(kind(X))
    if isinstance(regressor.X_, pd.DataFrame):
        assert_array_equal(regressor.X_.index, range(40))
    dense = regressor.X_.toarray() if scipy.sparse.issparse(regressor.X_) else regressor.X_
    expected = kind(X).toarray() if scipy.sparse.issparse(kind(X)) else np.asarray(kind(X))
    assert_array_equal(np.asarray(dense), expected[:40])


def test_names_of_columns_are_those_of_the_regressor():
    model = KnownTargetsRegressor(Ridge(), target_leads=3)
    model.fit(pd.DataFrame(X, columns=["a", "b", "c"]), Y)
    assert_array_equal(model.feature_names_in_, ["a", "b", "c"])
    assert model.n_features_in_ == 3
    model.fit(X, Y)
    assert not hasattr(model, "feature_names_in_")
    assert not hasattr(KnownTargetsRegressor(Recorder()).fit(X, Y), "n_features_in_")


def test_values_for_each_row_lose_the_same_rows():
    weight, single = np.arange(50.0), np.arange(3)
    model = KnownTargetsRegressor(Recorder(), target_leads=10)
    model.fit(X, Y, sample_weight=weight, groups=list(weight), other=single, flag=True)
    assert_array_equal(model.regressor_.sample_weight_, weight[:40])
    assert_array_equal(model.regressor_.others_["groups"], weight[:40])
    assert model.regressor_.others_["other"] is single
    assert model.regressor_.others_["flag"] is True
    weighted = KnownTargetsRegressor(Ridge(), target_leads=10).fit(X, Y, sample_weight=weight)
    by_hand = Ridge().fit(X[:40], Y[:40], sample_weight=weight[:40])
    assert_array_equal(weighted.predict(X), by_hand.predict(X))


def test_metadata_is_routed_as_the_regressor_requests():
    weight = np.arange(50.0)
    with sklearn.config_context(enable_metadata_routing=True):
        regressor = Recorder().set_fit_request(sample_weight=True)
        model = KnownTargetsRegressor(regressor, target_leads=10)
        model.fit(X, Y, sample_weight=weight).predict(X)
        assert_array_equal(model.regressor_.sample_weight_, weight[:40])
        with pytest.raises(ValueError, match="sample_weight"):
            KnownTargetsRegressor(Recorder()).fit(X, Y, sample_weight=weight)
        model.set_score_request(sample_weight=True)
        search = GridSearchCV(model, {"target_leads": [5]}, cv=TimeSeriesSplit(2))
        search.fit(X, Y, sample_weight=weight)
    assert_array_equal(search.best_estimator_.regressor_.sample_weight_, weight[:45])


def test_parameters_of_predict_are_passed():
    model = KnownTargetsRegressor(Recorder()).fit(X, Y)
    model.predict(X, flag=1)
    assert model.regressor_.params_ == {"flag": 1}


def test_parameters_of_the_regressor_can_be_searched():
    grid = {"regressor__alpha": [0.1, 10.0], "target_leads": [0, 7]}
    search = GridSearchCV(KnownTargetsRegressor(Ridge()), grid, cv=TimeSeriesSplit(2)).fit(X, Y)
    assert search.best_params_["regressor__alpha"] == 0.1
    assert clone(search.best_estimator_).get_params()["regressor__alpha"] == 0.1


@pytest.mark.parametrize("container", [pd.DataFrame, pd.DataFrame.to_numpy])
def test_a_regressor_on_flat_windows_takes_forecast_targets_as_they_are(chicago, container):
    horizon, rows = 5, container(chicago)
    y = forecast_targets(chicago["ridership"] if container is pd.DataFrame else rows[:, 0], horizon)
    windows = SlidingWindowTransformer(7, padding="edge", flatten=True)
    if container is pd.DataFrame:
        windows.set_output(transform="pandas")
    model = make_pipeline(windows, KnownTargetsRegressor(Ridge()))
    for train, test in TimeSeriesSplit(3).split(chicago):
        fold = clone(model).fit(rows[: train[-1] + 1], y[: train[-1] + 1])
        known = len(train) - horizon  # of these rows all targets lie in the training rows
        flat = clone(windows).fit_transform(rows[: test[-1] + 1])
        by_hand = Ridge().fit(flat[:known], np.asarray(y)[:known])
        predicted = fold.predict(rows[test[0] : test[-1] + 1])
        np.testing.assert_allclose(predicted, by_hand.predict(flat[test[0] :]), rtol=1e-9)
    scorer = known_targets_scorer("neg_mean_absolute_error")
    scores = cross_val_score(model, rows, y, cv=TimeSeriesSplit(3), scoring=scorer)
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("around", [lambda pipe: pipe, TransformedTargetRegressor])
def test_windows_inside_that_would_lack_rows_are_refused(chicago, around):
    windows = SlidingWindowTransformer(7, padding="edge", flatten=True)
    y = forecast_targets(chicago["ridership"], 5)
    model = KnownTargetsRegressor(around(make_pipeline(windows, Ridge())))
    message = "contains SlidingWindowTransformer.*would lack the rows.*Put the windows before it"
    with pytest.raises(ValueError, match=message):
        model.fit(chicago, y)
    model.fit(chicago, chicago["ridership"])  # leaves no row out
    advised = make_pipeline(windows, KnownTargetsRegressor(around(Ridge())))
    assert advised.fit(chicago, y).predict(chicago).shape == y.shape


def test_its_rows_are_those_of_the_lstm(chicago):
    y = forecast_targets(chicago["ridership"], 5)[:100]
    windows = SlidingWindowTransformer(7, padding="edge").fit_transform(chicago[:100])
    model = KnownTargetsRegressor(Recorder()).fit(windows, y)
    lstm = LSTMRegressor(4, max_epochs=1, early_stopping=False, random_state=0).fit(windows, y)
    # The LSTM also uses the outputs that are known of the four rows before the last.
    assert len(model.fitted_rows_) == lstm.window_counts_["training"] - 4 == 95
    assert_array_equal(model.target_leads_, lstm.target_leads_)


def test_a_regressor_for_one_target_stands_in_a_multi_output_regressor():
    boosting = HistGradientBoostingRegressor(max_iter=2)
    y = forecast_targets(pd.Series(Y, name="load"), 2)
    model = KnownTargetsRegressor(MultiOutputRegressor(boosting)).fit(X, y)
    by_hand = boosting.fit(X[:48], y.to_numpy()[:48, 1]).predict(X)
    assert_array_equal(model.predict(X)[:, 1], by_hand)


def test_targets_are_transformed_inside():
    y = forecast_targets(pd.Series(Y, name="load"), 2)
    inside = TransformedTargetRegressor(Ridge(), transformer=StandardScaler())
    model = KnownTargetsRegressor(inside).fit(X, y)
    by_hand = clone(inside).fit(X[:48], y[:48].to_numpy())
    np.testing.assert_allclose(model.predict(X), by_hand.predict(X))


def test_saving_keeps_predictions(tmp_path):
    model = KnownTargetsRegressor(Ridge(), target_leads=range(3, 5)).fit(X, np.c_[Y, Y])
    expected = model.predict(X)
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), expected)
    model = KnownTargetsRegressor(Ridge(), target_leads=[3, 4]).fit(X, np.c_[Y, Y])
    data = skops.io.dumps(model)
    loaded = skops.io.loads(data, trusted=["sklstm.KnownTargetsRegressor"])
    assert_array_equal(loaded.predict(X), expected)


def test_score_is_the_mean_over_the_outputs_on_known_targets():
    y = np.column_stack([Y + X[:, 0] ** 2, Y**2])
    model = KnownTargetsRegressor(Ridge()).fit(X, y)
    predicted = model.predict(X)
    assert model.score(X, y) == pytest.approx(r2_score(y, predicted))
    y[:20, 0] = NAN
    by_hand = [r2_score(y[20:, 0], predicted[20:, 0]), r2_score(y[:, 1], predicted[:, 1])]
    assert model.score(X, y) == pytest.approx(np.mean(by_hand))


@pytest.mark.parametrize(
    ("y", "leads", "match"),
    [
        (Y, 50, r"become known 50 row\(s\) after their own row \(target_leads=50\)"),
        (np.full(50, NAN), 0, r"No row of y has all 1 target\(s\) known"),
        (np.where(np.arange(100) % 2, NAN, 1.0).reshape(50, 2)[:, [0, 1]], 0, "has all 2 target"),
        (Y[:-1], 0, "X has 50 rows, y has 49"),
        (np.full(50, "a"), 0, "y holds 'a'"),
        (Y, [1, 2], "for each of the 1 output"),
        (None, 0, "KnownTargetsRegressor requires y"),
    ],
)
def test_targets_that_cannot_be_used_are_refused_and_an_earlier_fit_stays(y, leads, match):
    model = KnownTargetsRegressor(Ridge()).fit(X, Y)
    before = model.predict(X)
    with pytest.raises(ValueError, match=match):
        model.set_params(target_leads=leads).fit(X, y)
    assert_array_equal(model.predict(X), before)


def test_other_labels_are_refused():
    days = pd.date_range("2024-01-01", periods=51)
    with pytest.raises(ValueError, match="X and y have different indexes"):
        KnownTargetsRegressor(Ridge()).fit(pd.DataFrame(X, days[:-1]), pd.Series(Y, days[1:]))


def test_many_targets_that_are_lost_are_told_and_the_advice_works():
    y = np.column_stack([Y, np.where(np.arange(50) % 5, NAN, Y)])
    model = KnownTargetsRegressor(Ridge())
    with pytest.warns(UserWarning, match="Output 0 of y is known in 50 rows, .* in 10 of them"):
        model.fit(X, y)
    assert len(model.fit(X, y[:, 0]).fitted_rows_) == 50


def test_it_must_be_fitted_first():
    with pytest.raises(NotFittedError):
        KnownTargetsRegressor(Ridge()).predict(X)
    with pytest.raises(NotFittedError):
        KnownTargetsRegressor(Ridge()).score(X, Y)
