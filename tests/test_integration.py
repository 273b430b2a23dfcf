"""The package with scikit-learn's own tools, on the real series that it ships."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import skops.io
from scipy.stats import loguniform, randint
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor, StackingRegressor, VotingRegressor
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import SequentialFeatureSelector
from sklearn.inspection import permutation_importance
from sklearn.linear_model import Ridge
from sklearn.metrics import get_scorer, get_scorer_names, mean_absolute_error
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    RandomizedSearchCV,
    RepeatedKFold,
    ShuffleSplit,
    TimeSeriesSplit,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    train_test_split,
    validation_curve,
)
from sklearn.multioutput import MultiOutputRegressor, RegressorChain
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler
from sklearn.utils import resample
from skorch.callbacks import Callback

from sklstm import SlidingWindowTransformer, forecast_targets, known_targets_scorer
from tests import copies

# Windows around gaps and blocks; the warnings have tests of their own.
little_history = pytest.mark.filterwarnings(
    "ignore:.*windows lack steps:UserWarning", "ignore:Between the last rows seen:UserWarning"
)

CV = TimeSeriesSplit(2)
REGRESSION_SCORERS = [
    name
    for name in get_scorer_names()
    if get_scorer(name)._score_func.__module__ == "sklearn.metrics._regression"
]


def flat_pipe(regressor, padding="edge"):
    """Make the pipeline with flat windows, for other regressors."""
    window = SlidingWindowTransformer(7, padding=padding, flatten=True)
    return make_pipeline(StandardScaler(), window, regressor)


def convert(X, container):
    """Convert a DataFrame or Series to another container."""
    if container == "pandas":
        return X
    return X.to_numpy() if container == "numpy" else pl.from_pandas(X)


# --- pipelines ---------------------------------------------------------------------------


@pytest.mark.parametrize("container", ["numpy", "pandas", "polars"])
def test_pipeline_gives_one_prediction_per_row_in_every_container(
    small_pipe, chicago, tomorrow, container
):
    X, y = convert(chicago, container), convert(tomorrow, container)
    expected = small_pipe().fit(chicago.to_numpy(), tomorrow.to_numpy()).predict(chicago.to_numpy())
    predicted = small_pipe().fit(X, y).predict(X)
    assert predicted.shape == (len(X),)
    np.testing.assert_array_equal(predicted, expected)


def test_make_pipeline_works_without_a_scaler_and_with_new_rows(small_lstm, chicago, tomorrow):
    pipe = make_pipeline(SlidingWindowTransformer(7), small_lstm())
    pipe.fit(chicago[:300], tomorrow[:300])
    # Predictions for new rows equal those for all rows in one call.
    np.testing.assert_array_equal(pipe.predict(chicago[300:]), pipe.predict(chicago)[300:])
    assert np.isfinite(pipe.predict(chicago)).all()


def test_rows_that_arrive_one_at_a_time_are_predicted_as_in_one_batch(
    small_pipe, chicago, tomorrow
):
    pipe = small_pipe(index=True).fit(chicago[:300], tomorrow[:300])
    expected = pipe.predict(chicago[300:305])
    scale, window, lstm = (step for _, step in pipe.steps)
    for day in range(5):
        row = scale.transform(chicago[300 + day : 301 + day])
        assert lstm.predict(window.transform(row)) == expected[day]
        window.partial_fit(row)


@pytest.mark.family("bit identity")
@pytest.mark.precision
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("sizes", [(50, 20), (13, 5), 64, 100])  # even, odd, multiple of 16
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_prediction_of_a_window_does_not_depend_on_the_others(
    small_pipe, chicago, tomorrow, precision, sizes, n_outputs
):
    pipe = small_pipe(hidden_layer_sizes=sizes, precision=precision, max_epochs=1)
    pipe.fit(chicago, np.column_stack([tomorrow, chicago])[:, :n_outputs])
    windows, lstm = pipe[:-1].transform(chicago), pipe["lstm"]
    expected = lstm.predict(windows)
    for rows in (slice(7, 8), slice(399, 400), slice(3, 40), slice(90, 400)):
        np.testing.assert_array_equal(lstm.predict(windows[rows]), expected[rows])
    np.testing.assert_array_equal(lstm.predict(windows[::-1]), expected[::-1])
    np.testing.assert_array_equal(lstm.predict(windows.copy()), expected)


def test_clone_and_set_params_reach_the_nested_names(small_pipe, chicago, tomorrow):
    pipe = small_pipe().fit(chicago, tomorrow)
    copied = clone(pipe)
    assert not hasattr(copied[-1], "net_")
    copied.set_params(window__window_size=3, window__dilation=2, lstm__hidden_layer_sizes=(5, 3))
    assert copied.get_params()["lstm__hidden_layer_sizes"] == (5, 3)
    assert pipe.get_params()["window__window_size"] == 7
    copied.fit(chicago, tomorrow)
    assert copied[-1].window_size_ == 3
    assert [layer.hidden_size for layer in copied[-1].net_.module_.layers] == [5, 3]


def test_window_size_changed_after_fit_is_refused_with_both_numbers(small_pipe, chicago, tomorrow):
    pipe = small_pipe().fit(chicago, tomorrow).set_params(window__window_size=9)
    with pytest.raises(ValueError, match=r"windows of 9 steps.* fitted\s+on windows of 7 steps"):
        pipe.predict(chicago)


def test_cached_pipeline_gives_the_same_predictions(small_pipe, chicago, tomorrow, tmp_path):
    pipe = small_pipe(index=True)
    expected = pipe.fit(chicago, tomorrow).predict(chicago)
    pipe = clone(pipe).set_params(memory=str(tmp_path))
    for _ in range(2):  # the second time the windows come from the cache
        np.testing.assert_array_equal(pipe.fit(chicago, tomorrow).predict(chicago), expected)


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_set_output_works_on_the_whole_pipeline(small_pipe, chicago, tomorrow, container):
    X, y = convert(chicago, container), convert(tomorrow, container)
    pipe = small_pipe().set_output(transform=container).fit(X, y)
    expected = small_pipe().fit(X, y).predict(X)
    np.testing.assert_array_equal(pipe.predict(X), expected)
    assert type(pipe[:-1].transform(X)) is np.ndarray
    with config_context(transform_output=container):
        np.testing.assert_array_equal(small_pipe().fit(X, y).predict(X), expected)


@pytest.mark.parametrize("flatten_first", [True, False])
def test_set_output_holds_for_flat_windows_whenever_flatten_is_set(
    small_pipe, chicago, flatten_first
):
    pipe = small_pipe()[:-1]
    if flatten_first:
        pipe.set_params(window__flatten=True).set_output(transform="pandas")
    else:
        pipe.set_output(transform="pandas").set_params(window__flatten=True)
    windows = pipe.fit_transform(chicago)
    assert isinstance(windows, pd.DataFrame)
    assert windows.index.equals(chicago.index)
    assert list(windows.columns[[0, -1]]) == ["ridership_lag6", "temperature_lag0"]


def test_columns_can_be_prepared_and_encoded_before_the_windows(small_lstm, chicago, tomorrow):
    X = chicago.assign(weekday=chicago.index.day_name())
    prepare = ColumnTransformer(
        [
            ("numbers", StandardScaler(), ["ridership", "temperature"]),
            ("weekday", OneHotEncoder(sparse_output=False), ["weekday"]),
        ]
    )
    pipe = Pipeline([("prepare", prepare), ("window", SlidingWindowTransformer(7))])
    pipe.steps.append(("lstm", small_lstm()))
    pipe.set_output(transform="pandas").fit(X[:300], tomorrow[:300])
    assert pipe[-1].n_features_in_ == 2 + 7
    # The index is passed on: three missing days become missing steps.
    windows = pipe[:-1].transform(X[303:])
    np.testing.assert_array_equal(np.isnan(windows[0]).all(axis=1), [0, 0, 0, 1, 1, 1, 0])
    assert np.isfinite(pipe.predict(X[303:])).all()


def test_feature_union_before_the_windows(small_lstm, chicago, tomorrow):
    union = FeatureUnion(
        [("scaled", StandardScaler()), ("squared", PolynomialFeatures(include_bias=False))]
    )
    pipe = make_pipeline(union, SlidingWindowTransformer(7), small_lstm())
    scores = cross_val_score(pipe, chicago, tomorrow, cv=CV, error_score="raise")
    assert np.isfinite(scores).all()
    assert pipe.fit(chicago, tomorrow)[-1].n_features_in_ == 2 + 5


def test_feature_union_joins_flat_windows_of_days_and_weeks(chicago, tomorrow):
    days = SlidingWindowTransformer(3, padding="edge", flatten=True)
    weeks = SlidingWindowTransformer(3, dilation=7, padding="edge", flatten=True)
    union = FeatureUnion([("days", days), ("weeks", weeks)]).set_output(transform="pandas")
    joined = union.fit_transform(chicago)
    assert joined.index.equals(chicago.index)
    assert joined.shape == (len(chicago), 12)
    np.testing.assert_array_equal(
        joined["weeks__ridership_lag14"][14:], chicago["ridership"].iloc[:-14]
    )
    scores = cross_val_score(
        make_pipeline(union, Ridge()), chicago, tomorrow, cv=CV, error_score="raise"
    )
    assert np.isfinite(scores).all()


# --- searches ----------------------------------------------------------------------------

GRID = {"window__window_size": [3, 14, 28], "lstm__hidden_layer_sizes": [4, (4, 3)]}


@little_history
def test_grid_search_scores_every_window_size_on_the_same_rows(small_pipe, chicago, tomorrow):
    scored = {}

    def score(pipe, X, y):
        predicted = pipe.predict(X)
        assert predicted.shape == (len(X),)
        scored.setdefault(pipe["lstm"].window_size_, []).append((X.index, y.index))
        return -mean_absolute_error(y, predicted)

    cv = TimeSeriesSplit(2, gap=3)
    search = GridSearchCV(small_pipe(index=True), GRID, cv=cv, scoring=score, error_score="raise")
    search.fit(chicago, tomorrow)

    folds = [chicago.index[test] for _, test in cv.split(chicago)]
    assert set(scored) == {3, 14, 28}
    for rows in scored.values():
        assert len(rows) == 2 * len(folds)
        for (x_rows, y_rows), fold in zip(rows, folds * 2, strict=True):
            assert x_rows.equals(fold)
            assert y_rows.equals(fold)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert len(np.unique(search.cv_results_["mean_test_score"])) == 6
    assert search.predict(chicago).shape == (len(chicago),)


def test_grid_search_in_two_processes_gives_the_same_scores(small_pipe, chicago, tomorrow):
    results = []
    for n_jobs in (1, 2):
        search = GridSearchCV(
            small_pipe(dropout=0.2), GRID, cv=CV, n_jobs=n_jobs, return_train_score=True
        )
        search.fit(chicago, tomorrow)
        splits = {k: v for k, v in search.cv_results_.items() if k.startswith("split")}
        results.append((splits, search.predict(chicago)))
    np.testing.assert_equal(results[0], results[1])


def test_one_grid_compares_the_network_with_other_regressors(small_pipe, chicago, tomorrow):
    grid = [
        {"window__window_size": [3, 7]},
        {
            "window__window_size": [3, 7],
            "window__flatten": [True],
            "window__padding": ["edge"],
            "lstm": [Ridge(), HistGradientBoostingRegressor(max_iter=2)],
        },
    ]
    search = GridSearchCV(small_pipe(index=True), grid, cv=CV, error_score="raise")
    nested = cross_validate(
        search, chicago, tomorrow, cv=CV, return_estimator=True, error_score="raise"
    )
    assert np.isfinite(nested["test_score"]).all()
    for fitted in nested["estimator"]:
        assert np.isfinite(fitted.cv_results_["mean_test_score"]).all()


def test_randomized_search_draws_sizes_and_rates(small_pipe, chicago, tomorrow):
    search = RandomizedSearchCV(
        small_pipe(),
        {
            "window__window_size": randint(2, 20),
            "lstm__hidden_layer_sizes": randint(2, 6),
            "lstm__learning_rate": loguniform(1e-3, 1e-1),
        },
        n_iter=3,
        cv=CV,
        random_state=0,
        error_score="raise",
    ).fit(chicago, tomorrow)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    best = pickle.loads(pickle.dumps(search)).best_estimator_
    assert best["lstm"].window_size_ == search.best_params_["window__window_size"]
    np.testing.assert_array_equal(best.predict(chicago), search.predict(chicago))


def test_halving_search_gives_more_epochs_to_better_candidates(small_pipe, chicago, tomorrow):
    search = HalvingGridSearchCV(
        small_pipe(),
        {"window__window_size": [2, 5, 7, 14]},
        resource="lstm__max_epochs",
        min_resources=1,
        max_resources=4,
        factor=2,
        cv=CV,
        error_score="raise",
    ).fit(chicago, tomorrow)
    assert search.n_resources_ == [1, 2, 4]
    assert search.n_candidates_ == [4, 2, 1]
    assert search.best_estimator_["lstm"].n_iter_ == 4


def test_halving_search_over_rows_is_refused_since_it_picks_them_at_random(
    small_pipe, chicago, tomorrow
):
    search = HalvingGridSearchCV(
        small_pipe(index=True),
        {"window__window_size": [2, 5, 7, 14]},
        resource="n_samples",
        factor=2,
        cv=CV,
        random_state=0,
        error_score="raise",
    )
    with pytest.raises(ValueError, match="index of X is not increasing"):
        search.fit(chicago, tomorrow)


# --- cross-validation --------------------------------------------------------------------


def test_cross_validate_scores_train_and_test_rows_as_one_series(small_pipe, chicago, tomorrow):
    X, y = chicago.to_numpy(), tomorrow.to_numpy()
    result = cross_validate(
        small_pipe(),
        X,
        y,
        cv=CV,
        return_train_score=True,
        return_estimator=True,
        return_indices=True,
        error_score="raise",
    )
    for i, pipe in enumerate(result["estimator"]):
        train, test = result["indices"]["train"][i], result["indices"]["test"][i]
        assert result["train_score"][i] == clone(pipe).fit(X[train], y[train]).score(
            X[train], y[train]
        )
        # The test rows have the end of the training rows as their history.
        np.testing.assert_array_equal(pipe.predict(X[test]), pipe.predict(X[: test[-1] + 1])[test])
        assert result["test_score"][i] == pipe.score(X[test], y[test])


@little_history
def test_rows_in_the_gap_of_a_split_are_missing_in_the_windows(small_pipe, chicago, tomorrow):
    cv = TimeSeriesSplit(3, gap=4)
    result = cross_validate(
        small_pipe(window_size=7, index=True),
        chicago,
        tomorrow,
        cv=cv,
        return_train_score=True,
        return_estimator=True,
        error_score="raise",
    )
    assert np.isfinite(result["train_score"]).all()
    for (train, test), pipe in zip(cv.split(chicago), result["estimator"], strict=True):
        # The expected windows: those of one series with NaN in the rows of the gap.
        series = pipe["scale"].transform(chicago[: test[-1] + 1]).to_numpy(copy=True)
        series[train[-1] + 1 : test[0]] = np.nan
        windows = SlidingWindowTransformer(7).fit_transform(series)
        np.testing.assert_array_equal(pipe[:-1].transform(chicago.iloc[test]), windows[test])
        np.testing.assert_array_equal(
            pipe.predict(chicago.iloc[test]), pipe["lstm"].predict(windows[test])
        )


def test_all_scorers_for_regression_are_covered():
    assert len(REGRESSION_SCORERS) >= 13
    assert {"r2", "neg_mean_gamma_deviance", "neg_mean_squared_log_error"} <= set(
        REGRESSION_SCORERS
    )


@pytest.mark.parametrize("scoring", REGRESSION_SCORERS)
def test_every_scorer_for_regression_works(small_pipe, chicago, tomorrow, scoring):
    # Targets and predictions are positive, as some scorers require.
    model = TransformedTargetRegressor(small_pipe(), func=np.log, inverse_func=np.exp)
    scores = cross_val_score(model, chicago, tomorrow, cv=CV, scoring=scoring, error_score="raise")
    assert scores.shape == (2,)
    assert np.isfinite(scores).all()


def test_validation_curve_over_window_sizes(small_pipe, chicago, tomorrow):
    train, test = validation_curve(
        small_pipe(index=True),
        chicago,
        tomorrow,
        param_name="window__window_size",
        param_range=[1, 7, 21],
        cv=CV,
        error_score="raise",
    )
    assert train.shape == test.shape == (3, 2)
    assert np.isfinite([train, test]).all()
    assert len(np.unique(test)) == 6


@little_history
def test_learning_curve_trains_on_the_start_of_each_fold(small_pipe, chicago, tomorrow):
    sizes, train, test = learning_curve(
        small_pipe(index=True), chicago, tomorrow, train_sizes=[0.3, 1.0], cv=CV,
        error_score="raise",
    )  # fmt: skip
    assert list(sizes) == [40, 134]
    assert np.isfinite([train, test]).all()
    first = small_pipe(index=True).fit(chicago[:40], tomorrow[:40])
    assert train[0, 0] == first.score(chicago[:40], tomorrow[:40])
    assert test[0, 0] == first.score(chicago[134:267], tomorrow[134:267])


@little_history
def test_unshuffled_blocks_of_rows_can_be_cross_validated(small_pipe, chicago, tomorrow):
    pipe = small_pipe(index=True)
    predicted = cross_val_predict(pipe, chicago, tomorrow, cv=KFold(4))
    assert np.isfinite(predicted).all()
    # The second block gets no history, since the end of the fitted rows is later than it.
    rest = np.r_[0:100, 200:400]
    pipe.fit(chicago.iloc[rest], tomorrow.iloc[rest])
    block = pipe["scale"].transform(chicago[100:200]).to_numpy()
    windows = SlidingWindowTransformer(7).fit_transform(block)
    np.testing.assert_array_equal(predicted[100:200], pipe["lstm"].predict(windows))


def test_feature_selection_by_cross_validation(small_pipe, chicago, tomorrow):
    selector = SequentialFeatureSelector(small_pipe(), n_features_to_select=1, cv=CV)
    assert selector.fit(chicago, tomorrow).get_support().sum() == 1


@pytest.mark.parametrize(
    "cv",
    [
        KFold(2, shuffle=True, random_state=0),
        KFold(3, shuffle=True, random_state=0),
        KFold(5, shuffle=True, random_state=0),
        KFold(10, shuffle=True, random_state=0),
        KFold(20, shuffle=True, random_state=0),
        KFold(50, shuffle=True, random_state=0),
        RepeatedKFold(n_splits=5, n_repeats=1, random_state=0),
        ShuffleSplit(1, random_state=0),
    ],
    ids=repr,
)
def test_shuffled_splitters_are_refused_where_the_index_shows_it(small_pipe, chicago, tomorrow, cv):
    with pytest.raises(ValueError, match=r"index of X (is not increasing|steps over .* rows)"):
        cross_val_score(small_pipe(index=True), chicago, tomorrow, cv=cv, error_score="raise")


def test_shuffled_train_rows_are_refused(small_pipe, chicago, tomorrow):
    X, X_test, y, _ = train_test_split(chicago, tomorrow, random_state=0)
    with pytest.raises(ValueError, match="index of X is not increasing"):
        small_pipe(index=True).fit(X, y)
    kept = small_pipe(index=True).fit(chicago[:300], tomorrow[:300])
    with pytest.raises(ValueError, match="index of X is not increasing"):
        kept.predict(X_test)


@pytest.mark.parametrize("in_order", [True, False])
def test_bootstrapped_rows_are_refused(small_pipe, chicago, tomorrow, in_order):
    X, y = resample(chicago, tomorrow, random_state=0)
    if in_order:
        X, y = X.sort_index(), y.sort_index()
    with pytest.raises(ValueError, match=r"index of X (has duplicates|is not increasing)"):
        small_pipe(index=True).fit(X, y)


# --- meta-estimators ---------------------------------------------------------------------


@pytest.mark.parametrize("inside", [True, False], ids=["around the network", "around all"])
def test_transformed_target_regressor_trains_on_the_transformed_target(
    small_pipe, chicago, tomorrow, inside
):
    expected = np.exp(small_pipe().fit(chicago, np.log(tomorrow)).predict(chicago))
    pipe = small_pipe()
    options = {"func": np.log, "inverse_func": np.exp}
    if inside:
        pipe.set_params(lstm=TransformedTargetRegressor(pipe["lstm"], **options))
    else:
        pipe = TransformedTargetRegressor(pipe, **options)
    np.testing.assert_array_equal(pipe.fit(chicago, tomorrow).predict(chicago), expected)


def test_voting_regressor_averages_network_and_ridge(small_pipe, chicago, tomorrow):
    lstm, ridge = small_pipe(index=True), flat_pipe(Ridge()).set_output(transform="pandas")
    voting = VotingRegressor([("lstm", lstm), ("ridge", ridge)])
    predicted = voting.fit(chicago[:300], tomorrow[:300]).predict(chicago[300:])
    members = [pipe.fit(chicago[:300], tomorrow[:300]) for pipe in (lstm, ridge)]
    expected = np.mean([pipe.predict(chicago[300:]) for pipe in members], axis=0)
    np.testing.assert_allclose(predicted, expected, rtol=1e-12)
    assert np.isfinite(cross_val_score(voting, chicago, tomorrow, cv=CV)).all()


@little_history
def test_stacking_works_on_blocks_and_on_networks_fitted_before(small_pipe, chicago, tomorrow):
    lstm, ridge = small_pipe(index=True), flat_pipe(Ridge()).set_output(transform="pandas")
    members = [("lstm", lstm), ("ridge", ridge)]
    blocks = StackingRegressor(members, final_estimator=Ridge(), cv=KFold(3))
    assert np.isfinite(blocks.fit(chicago, tomorrow).predict(chicago)).all()

    # With a split in time: fit the members on the first rows, the final estimator on later ones.
    for _, pipe in members:
        pipe.fit(chicago[:250], tomorrow[:250])
    stack = StackingRegressor(members, final_estimator=Ridge(), cv="prefit")
    stack.fit(chicago[250:350], tomorrow[250:350])
    assert np.isfinite(stack.predict(chicago[350:])).all()

    # scikit-learn requires every row in one test fold; a split in time cannot give this.
    with pytest.raises(ValueError, match="only works for partitions"):
        StackingRegressor(members, cv=CV).fit(chicago, tomorrow)


@pytest.mark.parametrize("wrapper", [MultiOutputRegressor, RegressorChain])
def test_one_network_per_output(small_pipe, chicago, tomorrow, wrapper):
    y = np.column_stack([tomorrow, chicago["temperature"]])
    model = wrapper(small_pipe()).fit(chicago, y)
    predicted = model.predict(chicago)
    assert predicted.shape == y.shape
    np.testing.assert_array_equal(
        predicted[:, 0], small_pipe().fit(chicago, tomorrow).predict(chicago)
    )


def test_permutation_importance_is_zero_for_a_column_without_information(
    small_pipe, chicago, tomorrow
):
    X = chicago.assign(constant=1.0)
    pipe = small_pipe(index=True).fit(X[:300], tomorrow[:300])
    result = permutation_importance(pipe, X[300:], tomorrow[300:], n_repeats=2, random_state=0)
    assert result.importances.shape == (3, 2)
    assert np.all(result.importances[2] == 0)
    assert np.all(result.importances[:2] != 0)


# --- flat windows for other regressors ---------------------------------------------------


@pytest.mark.parametrize(
    ("regressor", "padding"),
    [
        (Ridge(), "edge"),
        (HistGradientBoostingRegressor(max_iter=5, max_leaf_nodes=4), "nan"),
        (
            MLPRegressor(
                hidden_layer_sizes=4, solver="lbfgs", max_iter=5000, max_fun=10**6, alpha=10.0
            ),
            "edge",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_flat_windows_serve_other_regressors_in_the_same_pipeline(
    chicago, tomorrow, regressor, padding
):
    params = {"random_state": 0} if "random_state" in regressor.get_params() else {}
    pipe = flat_pipe(clone(regressor).set_params(**params), padding)
    pipe.set_output(transform="pandas").fit(chicago[:300], tomorrow[:300])
    assert pipe[-1].n_features_in_ == 14
    assert pipe[-1].feature_names_in_[6] == "ridership_lag0"
    assert pipe.score(chicago[:300], tomorrow[:300]) > 0
    assert np.isfinite(
        cross_val_score(
            pipe, chicago, tomorrow, cv=CV, error_score="raise", scoring="neg_mean_absolute_error"
        )
    ).all()


def test_ridge_on_flat_windows_equals_ridge_on_lags_made_by_hand(chicago, tomorrow):
    load, y = chicago["ridership"], tomorrow.to_numpy()
    lags = np.column_stack([load.shift(lag).bfill() for lag in (2, 1, 0)])
    expected = Ridge().fit(lags[:300], y[:300]).predict(lags)
    pipe = make_pipeline(SlidingWindowTransformer(3, padding="edge", flatten=True), Ridge())
    pipe.fit(load.to_frame()[:300], y[:300])
    np.testing.assert_allclose(pipe.predict(load.to_frame()), expected)
    np.testing.assert_allclose(pipe.predict(load.to_frame()[300:]), expected[300:])


# --- copies ------------------------------------------------------------------------------


def through_skops(model):
    """Save and load by skops, and trust public classes of this package only."""
    data = skops.io.dumps(model)
    types = skops.io.get_untrusted_types(data=data)
    assert all(name.startswith("sklstm.") for name in types), types
    return skops.io.loads(data, trusted=types)


COPIES = copies.COPIES | {"skops": through_skops}


@pytest.mark.family("bit identity")
@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("index", [False, True], ids=["numpy", "pandas"])
def test_copies_predict_the_same_bits_and_keep_their_history(
    small_pipe, chicago, tomorrow, how, index
):
    X = chicago if index else chicago.to_numpy()
    pipe = small_pipe(index=index, hidden_layer_sizes=(4, 3)).fit(X[:300], tomorrow[:300])
    copied = COPIES[how](pipe)
    for rows in (X[:300], X[303:], X):
        np.testing.assert_array_equal(copied.predict(rows), pipe.predict(rows))
    assert copied["lstm"].loss_curve_ == pipe["lstm"].loss_curve_


@pytest.mark.family("bit identity")
@pytest.mark.parametrize("how", COPIES)
def test_copies_go_on_training_as_the_original_would(small_lstm, chicago, tomorrow, how):
    windows = SlidingWindowTransformer(7).fit_transform(chicago)
    lstm = small_lstm(dropout=0.3).partial_fit(windows, tomorrow)
    copied = COPIES[how](lstm)
    for model in (lstm, copied):
        model.partial_fit(windows, tomorrow).partial_fit(windows, tomorrow)
    np.testing.assert_array_equal(copied.predict(windows), lstm.predict(windows))


def unexpected_parts(value, where="state"):
    """Yield everything in a state that is neither a plain Python value nor a numpy array."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from unexpected_parts(key, f"key {key!r} in {where}")
            yield from unexpected_parts(item, f"{where}[{key!r}]")
    elif type(value) in (list, tuple):
        for i, item in enumerate(value):
            yield from unexpected_parts(item, f"{where}[{i}]")
    elif type(value) is np.ndarray:
        if value.dtype.kind not in "fiub" and not (
            value.dtype == object and all(type(item) is str for item in value.flat)
        ):
            yield where, value.dtype
    elif value is not None and type(value) not in (bool, int, float, str):
        yield where, type(value)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"early_stopping": True, "hidden_layer_sizes": np.array([3, 2])},
        {"optimizer": "sgd", "max_epochs": np.int64(2), "learning_rate": np.float32(0.1)},
    ],
)
def test_pickled_state_holds_only_arrays_and_plain_values(small_lstm, chicago, tomorrow, params):
    windows = SlidingWindowTransformer(7).fit_transform(chicago)
    lstm = small_lstm(**params).fit(windows, tomorrow)
    state = lstm.__getstate__()
    fitted = {name: value for name, value in state.items() if name not in lstm.get_params()}
    assert "net_" in fitted
    assert list(unexpected_parts(fitted)) == []


# --- sample weights and metadata routing -------------------------------------------------


class Watch(Callback):
    """Record the numbers of the windows that each training used."""

    def __init__(self):
        self.rows = []

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        self.rows.append(X.numbers())


@pytest.fixture
def weights(chicago):
    return np.random.default_rng(0).uniform(0.1, 3.0, len(chicago))


def test_sample_weight_is_routed_through_a_grid_search(small_pipe, chicago, tomorrow, weights):
    expected = small_pipe(window_size=5).fit(chicago, tomorrow, lstm__sample_weight=weights)
    unweighted = small_pipe(window_size=5).fit(chicago, tomorrow)
    scored = []

    def score(estimator, X, y, sample_weight):
        scored.append(np.asarray(sample_weight))
        return estimator.score(X, y, sample_weight=sample_weight)

    with config_context(enable_metadata_routing=True):
        pipe = small_pipe()
        pipe["scale"].set_fit_request(sample_weight=False)
        pipe["lstm"].set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        search = GridSearchCV(pipe, {"window__window_size": [5]}, cv=CV, error_score="raise")
        search.fit(chicago, tomorrow, sample_weight=weights)
        fold = clone(pipe).set_params(window__window_size=5)
        (train, test), *_ = CV.split(chicago)
        fold.fit(chicago.iloc[train], tomorrow.iloc[train], sample_weight=weights[train])
        score = fold.score(chicago.iloc[test], tomorrow.iloc[test], sample_weight=weights[test])
    assert search.cv_results_["split0_test_score"] == score
    np.testing.assert_array_equal(search.predict(chicago), expected.predict(chicago))
    assert np.any(search.predict(chicago) != unweighted.predict(chicago))


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_rows_of_weight_zero_are_left_out_of_training(small_lstm, chicago, tomorrow, method):
    windows = SlidingWindowTransformer(7).fit_transform(chicago)
    weight = np.ones(len(chicago))
    weight[::3] = 0
    watch = Watch()
    lstm = small_lstm(callbacks=[watch], early_stopping=False)
    getattr(lstm, method)(windows, tomorrow, sample_weight=weight)
    np.testing.assert_array_equal(watch.rows[0], [i for i in range(3, 400) if i % 3])

    # The fit is the same if the targets of weight zero are wrong or unknown.
    wrong = tomorrow.where(weight > 0, -1e6)
    other = small_lstm(early_stopping=False)
    getattr(other, method)(windows, wrong, sample_weight=weight)
    np.testing.assert_array_equal(other.predict(windows), lstm.predict(windows))
    unknown = small_lstm(early_stopping=False)
    getattr(unknown, method)(windows, tomorrow.where(weight > 0))
    np.testing.assert_array_equal(unknown.predict(windows), lstm.predict(windows))


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_only_the_relative_size_of_weights_counts(small_lstm, chicago, tomorrow, weights, method):
    windows = SlidingWindowTransformer(7).fit_transform(chicago)
    one, many, none = (
        getattr(small_lstm(precision="float64"), method)(windows, tomorrow, weight).predict(windows)
        for weight in (weights, 50 * weights, None)
    )
    np.testing.assert_allclose(one, many, rtol=1e-9)
    assert np.abs(one - none).max() > 1e-3


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (np.ones(3), r"sample_weight has shape \(3,\), but expected \(400,\)"),
        (np.full(400, np.nan), "sample_weight contains NaN"),
        (-np.ones(400), "sample_weight must not be negative"),
        (np.zeros(400), "sample_weight is zero for every row"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_wrong_weights_are_refused(small_lstm, chicago, tomorrow, method, wrong, message):
    windows = SlidingWindowTransformer(7).fit_transform(chicago)
    with pytest.raises(ValueError, match=message):
        getattr(small_lstm(), method)(windows, tomorrow, sample_weight=wrong)


# --- targets -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "shape"),
    [
        (lambda y: y, (400,)),
        (lambda y: y.to_numpy(), (400,)),
        (lambda y: y.tolist(), (400,)),
        (lambda y: y.to_numpy(object), (400,)),
        (lambda y: y.astype("Float64"), (400,)),
        (lambda y: pl.from_pandas(y), (400,)),
        (lambda y: y.reset_index(drop=True), (400,)),
        (lambda y: y.to_numpy()[:, np.newaxis], (400, 1)),
        (lambda y: y.to_frame(), (400, 1)),
        (lambda y: pl.from_pandas(y).to_frame(), (400, 1)),
        (lambda y: [[value] for value in y], (400, 1)),
    ],
)
def test_every_form_of_a_target_gives_the_same_predictions(
    small_pipe, chicago, tomorrow, form, shape
):
    expected = small_pipe().fit(chicago, tomorrow).predict(chicago)
    predicted = small_pipe().fit(chicago, form(tomorrow)).predict(chicago)
    assert type(predicted) is np.ndarray
    assert predicted.dtype == np.float64
    assert predicted.shape == shape
    np.testing.assert_array_equal(predicted.ravel(), expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int64, np.int8, "Int64"])
def test_targets_of_every_number_type_are_used_as_the_numbers_they_are(
    small_pipe, chicago, tomorrow, dtype
):
    y = tomorrow.round().astype(dtype)
    expected = small_pipe().fit(chicago, tomorrow.round()).predict(chicago)
    predicted = small_pipe().fit(chicago, y).predict(chicago)
    assert predicted.dtype == np.float64
    np.testing.assert_array_equal(predicted, expected)


@pytest.mark.parametrize("container", ["numpy", "pandas", "polars", "list"])
def test_several_targets(small_pipe, chicago, tomorrow, container):
    frame = pd.DataFrame({"load": tomorrow, "cold": -chicago["temperature"]})
    y = frame.to_numpy().tolist() if container == "list" else convert(frame, container)
    pipe = small_pipe().fit(chicago, y)
    assert pipe["lstm"].n_outputs_ == 2
    predicted = pipe.predict(chicago)
    assert predicted.shape == (400, 2)
    np.testing.assert_array_equal(
        predicted, small_pipe().fit(chicago, frame.to_numpy()).predict(chicago)
    )
    # Each target is predicted in its own units.
    assert 0 < predicted[:, 0].mean() < 20
    assert -80 < predicted[:, 1].mean() < -20


@pytest.mark.parametrize("container", ["numpy", "pandas"])
@pytest.mark.parametrize("horizon", [1, 5])
def test_last_prediction_is_the_forecast_after_the_end(small_pipe, chicago, container, horizon):
    X = convert(chicago, container)
    y = forecast_targets(convert(chicago["ridership"], container), horizon)
    pipe = small_pipe(early_stopping=True).fit(X, y)
    predicted = pipe.predict(X)
    assert predicted.shape == (400, horizon)
    assert predicted[-1].shape == (horizon,)
    # The last prediction needs the last window only.
    last = pipe["scale"].transform(chicago if container == "pandas" else X)[-7:]
    np.testing.assert_array_equal(pipe["lstm"].predict(last[np.newaxis])[0], predicted[-1])
    known = small_pipe(early_stopping=True).fit(X, np.asarray(y)).predict(X)
    np.testing.assert_array_equal(predicted, known)


@pytest.mark.parametrize("container", ["pandas", "numpy", "polars"])
def test_a_fold_without_a_gap_is_the_fit_of_that_time(small_pipe, chicago, container):
    X, series = convert(chicago, container), convert(chicago["ridership"], container)
    pipe = small_pipe(index=container == "pandas", early_stopping=True, linear_skip=True)
    options = {"cv": TimeSeriesSplit(3), "return_estimator": True, "error_score": "raise"}
    scorer = known_targets_scorer("neg_mean_absolute_error")
    result = cross_validate(pipe, X, forecast_targets(series, 5), scoring=scorer, **options)
    assert np.isfinite(result["test_score"]).all()
    for (train, test), fold in zip(options["cv"].split(X), result["estimator"], strict=True):
        end = len(train)
        then = clone(pipe).fit(X[:end], forecast_targets(series[:end], 5))
        known = fold["lstm"].window_counts_
        assert known == then["lstm"].window_counts_
        np.testing.assert_array_equal(
            fold.predict(X[end : test[-1] + 1]), then.predict(X[end : test[-1] + 1])
        )


def test_meta_estimators_pass_arrays_whose_leads_are_found_or_given(small_pipe, chicago):
    X, y = chicago[:-3], forecast_targets(chicago["ridership"], 3)[:-3]
    logs = TransformedTargetRegressor(small_pipe(), func=np.log, inverse_func=np.exp).fit(X, y)
    np.testing.assert_array_equal(logs.regressor_["lstm"].target_leads_, [1, 2, 3])
    # Columns that are rescaled one by one are no longer those of one series.
    scaled = TransformedTargetRegressor(
        small_pipe(target_leads=range(1, 4)), transformer=StandardScaler()
    ).fit(X, y)
    np.testing.assert_array_equal(scaled.regressor_["lstm"].target_leads_, [1, 2, 3])
    one_by_one = MultiOutputRegressor(small_pipe(target_leads=3)).fit(X, y)
    assert [pipe["lstm"].target_leads_.tolist() for pipe in one_by_one.estimators_] == [[3]] * 3


@pytest.mark.parametrize("leads", ["auto", 3, (1, 2, 3), range(1, 4), np.arange(1, 4)], ids=str)
@pytest.mark.parametrize("copy", copies.COPIES.values(), ids=copies.COPIES)
def test_copies_keep_the_leads(small_pipe, chicago, leads, copy):
    X, y = chicago.to_numpy(), forecast_targets(chicago["ridership"], 3)
    pipe = small_pipe(target_leads=leads).fit(X, y)
    again = copy(pipe)
    np.testing.assert_array_equal(again["lstm"].target_leads_, pipe["lstm"].target_leads_)
    np.testing.assert_array_equal(again.predict(X), pipe.predict(X))
    np.testing.assert_array_equal(clone(again)["lstm"].target_leads, leads)


def test_a_pipeline_refuses_targets_of_other_days(small_pipe, chicago):
    pipe = small_pipe(index=True)
    series = chicago["ridership"]
    with pytest.raises(ValueError, match="X and y have different indexes"):
        pipe.fit(chicago[:100], series[100:200])
    pipe.fit(chicago[:100], series.loc[chicago[:100].index])
    pipe.fit(chicago[:100], series[100:200].to_numpy())


def test_targets_without_dates_pass_a_cross_validation_of_rows_with_dates(small_pipe, chicago):
    y = chicago["ridership"].reset_index(drop=True)  # a fold of it has integers as its index
    cv = TimeSeriesSplit(3, max_train_size=100)
    scores = cross_val_score(small_pipe(index=True), chicago, y, cv=cv, error_score="raise")
    plain = cross_val_score(small_pipe(index=True), chicago, y.to_numpy(), cv=cv)
    np.testing.assert_array_equal(scores, plain)


# --- series that lack rows ----------------------------------------------------------------


def logger():
    """Rows one second apart, 6 % of them two seconds; windows of 24."""
    rng = np.random.RandomState(0)
    seconds = np.cumsum(1 + (rng.rand(3000) < 0.06))
    return pd.date_range("2024-01-01", periods=seconds[-1] + 1, freq="s")[seconds], 24


def bikes():
    """Hours of a year without 31 of them; windows of 48."""
    hours = pd.date_range("2024-01-01", periods=365 * 24, freq="h")
    return hours.delete(np.random.RandomState(0).choice(len(hours), 31, replace=False)), 48


def hours():
    """Hours without 3 % of them; windows of 168."""
    hours = pd.date_range("2024-01-01", periods=3000, freq="h")
    return hours.delete(np.random.RandomState(0).choice(len(hours), 90, replace=False)), 168


@pytest.mark.parametrize("make", [logger, bikes, hours])
def test_few_missing_rows_leave_no_window_out_of_training(small_lstm, make):
    index, window_size = make()
    X = pd.DataFrame({"x": np.sin(np.arange(len(index)))}, index=index)
    lstm = small_lstm(max_epochs=1, early_stopping=False)
    lstm.fit(SlidingWindowTransformer(window_size).fit_transform(X), X["x"])
    assert lstm.window_counts_["training"] >= len(X) - window_size // 2


def test_a_shop_that_is_closed_on_mondays_trains(small_lstm):
    days = pd.date_range("2024-01-01", periods=200)
    X = pd.DataFrame({"sales": np.arange(200.0)}, index=days)[days.day_of_week > 0].asfreq("D")
    pipe = make_pipeline(SlidingWindowTransformer(14), small_lstm(early_stopping=False))
    pipe.fit(X, X["sales"].shift(-1))
    counts = pipe[-1].window_counts_
    # The last row, and those before a Monday, have no known target.
    assert counts["incomplete"] + counts["unknown target"] + counts["training"] == len(X)
    assert counts["incomplete"] <= 7
    assert np.isfinite(pipe.predict(X)).all()
