"""lag_importance: the loss of score when the values of a lag are those of other times."""

import tracemalloc

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklstm import (
    ConformalRegressor,
    KnownTargetsRegressor,
    LagTableTransformer,
    LSTMRegressor,
    SlidingWindowTransformer,
    WindowArray,
    _lag_importance,
    _lagged_values,
    forecast_targets,
    known_targets_scorer,
    lag_importance,
)
from sklstm._lag_importance import _sources

NAN = np.nan
N, SIZE = 240, 6
SERIES = np.random.RandomState(0).randn(N, 2)
X = pd.DataFrame(SERIES, pd.date_range("2024-01-01", periods=N, name="day"), columns=["a", "b"])
Y = np.r_[[NAN] * 3, 2 * SERIES[:-3, 1]]  # lag 3 of feature b, in units of two
KNOWN = ~np.isnan(Y)


class OfWindows(RegressorMixin, BaseEstimator):
    """Predicts a linear function of windows or flat windows, and keeps nothing."""

    def __init__(self, weights):  # (window, features), or (features * window,) of flat windows
        self.weights = weights

    def fit(self, X, y=None):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def predict(self, X):
        return np.nan_to_num(np.asarray(X)).reshape(len(X), -1) @ np.ravel(self.weights)


WEIGHTS = np.zeros((SIZE, 2))
WEIGHTS[SIZE - 1 - 3, 1] = 2  # what Y is
OTHER = np.random.RandomState(1).randn(SIZE, 2)


def of_series(weights=WEIGHTS, flat=False, **params):
    """A fitted pipeline of windows and the linear function of them."""
    windows = SlidingWindowTransformer(SIZE, flatten=flat, **params)
    model = make_pipeline(windows, OfWindows(weights.T if flat else weights))
    return model.fit(X, Y)


def windows_of(series, size=SIZE, dilation=1):
    """Windows (rows, size, features) by a loop; NaN before the first row."""
    windows = np.full((len(series), size, series.shape[1]), NAN)
    for row in range(len(series)):
        for step in range(size):
            source = row - (size - 1 - step) * dilation
            if source >= 0:
                windows[row, step] = series[source]
    return windows


@pytest.mark.parametrize("flat", [False, True])
def test_only_the_lag_that_matters_has_an_importance(flat):
    importance = lag_importance(of_series(flat=flat), X, Y, lags=range(SIZE), random_state=0)
    expected = np.zeros((2, SIZE))
    expected[1, 3] = 2  # independent values: twice the variance of y is lost
    assert_allclose(importance.importances_mean, expected, atol=0.2)
    assert (importance.importances_mean[expected == 0] == 0).all()
    assert importance.features == ["a", "b"]
    assert importance.lags == [(lag,) for lag in range(SIZE)]
    assert importance.score == 1


def test_the_lag_that_matters_is_found_by_a_fitted_network():
    lstm = LSTMRegressor(4, max_epochs=3, early_stopping=True, n_jobs=1, random_state=0, tol=0)
    with pytest.warns(match="max_epochs=3"):
        model = make_pipeline(SlidingWindowTransformer(SIZE), lstm).fit(X[:200], Y[:200])
    importance = lag_importance(model, X[200:], Y[200:], lags=range(SIZE), random_state=0)
    assert_allclose(importance.importances_mean[1, 3], 2, atol=0.5)
    importance.importances_mean[1, 3] = 0
    assert np.abs(importance.importances_mean).max() < 0.02


def test_it_is_the_loss_of_score_of_a_loop():
    targets = Y + SERIES[:, 0]
    model = of_series(OTHER)
    importance = lag_importance(model, X, targets, n_repeats=3, random_state=5, lags=[0, [2, 4]])

    windows = windows_of(SERIES)
    rng, length = np.random.RandomState(5), N // 50
    shifts = rng.randint(length, N - length + 1, size=(3, N // length + 1))

    def score(windows):
        predicted = [np.sum(np.nan_to_num(window) * OTHER) for window in windows[KNOWN]]
        return r2_score(targets[KNOWN], predicted)

    assert_allclose(importance.score, score(windows))
    expected = np.empty((2, 2, 3))
    for feature in range(2):
        for group, lags in enumerate([[0], [2, 4]]):
            for repeat in range(3):
                changed = windows.copy()
                for row in range(N):
                    source = (row + shifts[repeat, row // length]) % N
                    for lag in lags:
                        step = SIZE - 1 - lag
                        changed[row, step, feature] = windows[source, step, feature]
                expected[feature, group, repeat] = score(windows) - score(changed)
    assert_allclose(importance.importances, expected)
    assert_allclose(importance.importances_mean, expected.mean(axis=2))
    assert_allclose(importance.importances_std, expected.std(axis=2))
    assert_allclose(importance.importances_by_output, [expected.mean(axis=2)])


def test_on_independent_rows_it_is_the_importance_that_scikit_learn_computes():
    table = pd.DataFrame(SERIES, columns=["load_lag1", "load_lag2"])
    targets = SERIES @ [1.0, 3.0] + np.random.RandomState(2).randn(N)
    model = LinearRegression().fit(table, targets)
    theirs = permutation_importance(model, table, targets, n_repeats=50, random_state=0)
    ours = lag_importance(model, table, targets, n_repeats=50, random_state=0)
    assert_allclose(ours.importances_mean[0], theirs.importances_mean, rtol=0.05)
    assert ours.lags == [(1,), (2,)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n_days", [364, 365])
def test_a_season_as_long_as_a_block_is_found(seed, n_days, monkeypatch):
    monkeypatch.setattr(_lag_importance, "_N_BLOCKS", n_days // 7)
    season = np.tile([3.0, 1, 0, 0, 0, 0, 2], 60)[:n_days, np.newaxis]
    model = make_pipeline(SlidingWindowTransformer(1), OfWindows([1.0])).fit(season, season[:, 0])
    importance = lag_importance(model, season, season[:, 0], random_state=seed)
    assert_allclose(importance.importances_mean, [[2]], atol=0.6)  # two thirds of which by chance


def test_values_come_from_at_least_a_block_away_and_stay_together():
    edges = np.array([0, 200, 201, 209, 211])
    sources = _sources(edges, 20, np.random.RandomState(0))
    for start, stop in [(0, 200), (201, 209), (209, 211)]:
        rows = np.arange(start, stop)
        length, n = max(len(rows) // 50, 1), len(rows)
        apart = (sources[:, start:stop] - rows) % n
        assert apart.min() >= length
        assert (n - apart).min() >= length
        assert sources[:, start:stop].min() >= start
        assert sources[:, start:stop].max() < stop
        blocks = apart[:, : n // length * length].reshape(20, -1, length)
        assert (blocks == blocks[:, :, :1]).all()
    assert (sources[:, 200] == 200).all()  # a series of one row


def test_batches_change_nothing(monkeypatch):
    expected = lag_importance(of_series(OTHER), X, Y, random_state=0).importances
    monkeypatch.setattr(_lagged_values, "_VALUES_AT_ONCE", 7 * SIZE * 2)
    found = lag_importance(of_series(OTHER), X, Y, random_state=0).importances
    assert_allclose(found, expected, rtol=1e-9)


def test_memory_does_not_grow_with_the_window(monkeypatch):
    monkeypatch.setattr(_lagged_values, "_VALUES_AT_ONCE", 2**15)
    series, size = np.random.RandomState(0).randn(20_000, 2), 100  # 0.3 MB, in windows 31 MB
    model = make_pipeline(SlidingWindowTransformer(size), OfWindows(np.ones((size, 2))))
    model.fit(series)
    tracemalloc.start()
    lag_importance(model, series, series[:, 0], lags=[0, range(100)], n_repeats=1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5e6


FLAT = of_series(OTHER, flat=True).set_output(transform="pandas")
TABLE = FLAT[:-1].transform(X)  # a_lag5, ..., a_lag0, b_lag5, ...


def passing_on(data):
    return StandardScaler(with_mean=False, with_std=False).fit(data)


@pytest.mark.parametrize(
    ("model", "data", "features"),
    [
        pytest.param(of_series(OTHER, flat=True), X, "ab", id="flat"),
        pytest.param(FLAT, X, "ab", id="flat frame"),
        pytest.param(
            make_pipeline(passing_on(X), *of_series(OTHER).fit(SERIES)), X, "ab", id="scaled"
        ),
        pytest.param(make_pipeline("passthrough", of_series(OTHER)), X, "ab", id="nested"),
        pytest.param(of_series(OTHER).fit(SERIES), SERIES, ["x0", "x1"], id="array"),
        pytest.param(of_series(OTHER).fit(X), pl.DataFrame(X), "ab", id="polars"),
        pytest.param(OfWindows(OTHER), windows_of(SERIES), ["x0", "x1"], id="windows"),
        pytest.param(OfWindows(OTHER.T), TABLE, "ab", id="flat windows"),
        pytest.param(OfWindows(OTHER.T[::-1, ::-1]), TABLE.iloc[:, ::-1], "ba", id="any order"),
        pytest.param(
            make_pipeline(passing_on(TABLE), OfWindows(OTHER.T)), TABLE, "ab", id="scaled table"
        ),
        pytest.param(
            make_pipeline(LagTableTransformer().fit(TABLE), OfWindows(OTHER)),
            TABLE,
            "ab",
            id="lags",
        ),
        pytest.param(
            TransformedTargetRegressor(OfWindows(OTHER)).fit(windows_of(SERIES)[SIZE:], Y[SIZE:]),
            windows_of(SERIES),
            ["x0", "x1"],
            id="meta-estimator",
        ),
    ],
)
def test_equal_models_have_equal_importances(model, data, features):
    expected = lag_importance(of_series(OTHER), X, Y, random_state=0)
    found = lag_importance(model, data, Y, random_state=0)
    order = slice(None, None, -1 if features == "ba" else 1)
    assert_allclose(found.importances[order], expected.importances, rtol=1e-9)
    assert found.features == list(features)
    assert found.lags == expected.lags == [(0,), (1,), (2,), (3,), (4, 5)]


def test_windows_around_a_hole():
    holed = X.drop(X.index[[50, 51, 90]])
    model, y = of_series(OTHER).fit(holed), Y[: len(holed)]
    windows = model[:-1].transform(holed)
    assert isinstance(windows, WindowArray)
    expected = lag_importance(OfWindows(OTHER), np.asarray(windows), y, random_state=0)
    for estimator, data in [(model, holed), (model[-1], windows)]:
        found = lag_importance(estimator, data, y, random_state=0)
        assert_allclose(found.importances, expected.importances)


@pytest.mark.parametrize("make", [pl.from_pandas, lambda table: pa.table(dict(table))])
def test_tables_keep_their_names_without_a_warning(make):
    table = make(TABLE[SIZE:])
    model = LinearRegression().fit(table, Y[SIZE:])
    found = lag_importance(model, table, Y[SIZE:], random_state=0)
    plain = lag_importance(model, TABLE[SIZE:], Y[SIZE:], random_state=0)
    assert found.features == ["a", "b"]
    assert_allclose(found.importances, plain.importances)


def test_lags_are_those_of_the_dilation():
    model = of_series(OTHER, dilation=3)
    importance = lag_importance(model, X, Y, lags=[0, [3, 15], [6, 9, 12]], random_state=0)
    assert importance.lags == [(0,), (3, 15), (6, 9, 12)]
    assert importance.lag_labels == ["0", "3,15", "6,9,12"]
    first = lag_importance(model, X, Y, lags=[3], random_state=0)
    windows = windows_of(SERIES, dilation=3)
    alone = lag_importance(OfWindows(OTHER), windows, Y, lags=[1], random_state=0)
    assert_allclose(first.importances, alone.importances)


@pytest.mark.parametrize(
    ("size", "lags"),
    [
        (1, "0"),
        (2, "0 1"),
        (7, "0 1 2 3 4-5 6"),
        (24, "0 1 2 3 4-5 6-7 8-11 12-15 16-23"),
        (28, "0 1 2 3 4-5 6-7 8-11 12-15 16-23 24-27"),
        (168, "0 1 2 3 4-5 6-7 8-11 12-15 16-23 24-31 32-47 48-63 64-95 96-127 128-167"),
    ],
)
def test_groups_grow_with_the_lag(size, lags):
    windows = np.zeros((3, size, 1))
    importance = lag_importance(OfWindows(np.zeros(size)), windows, [1.0, 2, 3], n_repeats=1)
    assert importance.lag_labels == lags.split()
    assert sorted(lag for group in importance.lags for lag in group) == list(range(size))


def test_tables_may_have_static_columns_and_lags_of_one_feature_only():
    table = pd.DataFrame(np.random.RandomState(0).randn(1000, 4))
    table.columns = ["load_lag1", "load_lag24", "wind_lag1", "month"]
    importance = lag_importance(
        OfWindows([1.0, 0, 0, 2]), table, table @ [1.0, 0, 0, 2], random_state=0
    )
    assert importance.features == ["load", "wind", "month"]
    assert importance.lags == [(0,), (1,), (24,)]
    mean = importance.importances_mean
    expected = [[NAN, 0.4, 0], [NAN, 0, NAN], [1.6, NAN, NAN]]
    assert_allclose(mean, expected, atol=0.1)
    assert (mean[0, 2], mean[1, 1]) == (0, 0)

    static = LagTableTransformer(lags=[1, 24, None]).fit(table.to_numpy()[:, [0, 1, 3]])
    weights = [[0, 1.0], [1, 1]]  # a static column is repeated at each step
    model, data = make_pipeline(static, OfWindows(weights)), table.to_numpy()[:, [0, 1, 3]]
    found = lag_importance(model, data, table @ [1.0, 0, 0, 2], random_state=0)
    assert found.features == ["x0", "x1"]
    assert_allclose(found.importances_mean, mean[[0, 2]])
    named = LagTableTransformer().fit(table[["load_lag1", "load_lag24", "month"]])
    named = lag_importance(
        make_pipeline(named, OfWindows(weights)), table.iloc[:, [0, 1, 3]], table.iloc[:, 0]
    )
    assert named.features == ["load", "month"]


def test_windows_beside_other_columns():
    columns = make_column_transformer(
        (SlidingWindowTransformer(3, padding="edge", flatten=True), ["a"]), remainder="passthrough"
    )
    model = make_pipeline(columns, StandardScaler(), Ridge()).fit(X, SERIES[:, 1])
    importance = lag_importance(model, X, SERIES[:, 1], random_state=0)
    assert importance.features == ["slidingwindowtransformer__a", "remainder__b"]
    assert importance.lags == [(0,), (1,), (2,)]
    assert_allclose(importance.importances_mean[1], [2, NAN, NAN], atol=0.3)
    assert_allclose(importance.importances_mean[0], 0, atol=0.05)


def test_steps_that_do_not_name_their_columns():
    model = make_pipeline(FunctionTransformer(np.asarray), *of_series(OTHER).fit(X)).fit(SERIES, Y)
    assert lag_importance(model, SERIES, Y, n_repeats=1).features == ["x0", "x1"]


def test_flat_windows_of_an_lstm_are_steps_oldest_first():
    windows = windows_of(SERIES)[SIZE:, :, 0]
    lstm = LSTMRegressor(2, max_epochs=1, n_jobs=1, random_state=0, early_stopping=False)
    lstm.fit(windows, windows[:, 1])
    importance = lag_importance(lstm, windows, windows[:, 1], random_state=0)
    assert importance.features == ["x0"]
    assert importance.lag_labels[importance.importances_mean[0].argmax()] == "4-5"


def test_a_search_is_that_of_its_best_pipeline():
    y = SERIES[:, 0]
    windows = SlidingWindowTransformer(2, padding="edge", flatten=True)
    grid = {"slidingwindowtransformer__window_size": [2, 3]}
    search = GridSearchCV(make_pipeline(windows, Ridge()), grid, cv=TimeSeriesSplit(2)).fit(X, y)
    found = lag_importance(search, X, y, random_state=0)
    best = lag_importance(search.best_estimator_, X, y, random_state=0)
    assert_array_equal(found.importances, best.importances)
    unfit = GridSearchCV(search.estimator, grid, cv=TimeSeriesSplit(2), refit=False).fit(X, y)
    with pytest.raises(TypeError, match="must have predict, got GridSearchCV .* refit=True"):
        lag_importance(unfit, X, y)


def test_each_output_has_its_own_importance_on_its_known_targets():
    y = forecast_targets(X["b"], 4)
    windows = SlidingWindowTransformer(SIZE, padding="edge", flatten=True)
    model = make_pipeline(windows, KnownTargetsRegressor(Ridge())).fit(X, y)
    score = known_targets_scorer("neg_mean_absolute_error")
    found = lag_importance(model, X, y, scoring="neg_mean_absolute_error", random_state=0)
    assert_allclose(found.score, score(model, X, y))
    assert found.score_name == "neg_mean_absolute_error"
    assert found.importances_by_output.shape == (4, 2, 5)
    assert_allclose(found.importances_by_output.mean(axis=0), found.importances_mean)
    for output in range(4):
        alone = y.to_numpy().copy()
        alone[:, np.arange(4) != output] = NAN
        # The same rows are scored if one is not known at the end: it is known elsewhere.
        assert_allclose(
            lag_importance(model, X, alone, scoring=score, random_state=0).importances_mean,
            found.importances_by_output[output],
        )
    y["b_lead1"] = NAN
    some = lag_importance(model, X, y, scoring="neg_mean_absolute_error", random_state=0)
    assert np.isnan(some.importances_by_output[0]).all()
    assert_allclose(some.importances_by_output[1:], found.importances_by_output[1:])
    assert_allclose(some.importances_mean, found.importances_by_output[1:].mean(axis=0))


def test_the_score_is_that_of_the_scorer():
    targets = Y + SERIES[:, 0]
    found = lag_importance(of_series(), X, targets, scoring="neg_mean_absolute_error")
    error = mean_absolute_error(targets[KNOWN], of_series().predict(X)[KNOWN])
    assert_allclose(found.score, -error)
    scorer = known_targets_scorer("neg_mean_absolute_error")
    assert lag_importance(of_series(), X, targets, scoring=scorer).score == found.score


def drawn_after_shifts(seed):
    rng, length = np.random.RandomState(seed), N // 50
    rng.randint(length, N - length + 1, size=(5, N // length + 1))
    return rng


def test_a_sample_of_rows_is_scored_with_values_of_all_rows():
    found = lag_importance(of_series(OTHER), X, Y, max_samples=100, random_state=0)
    assert found.importances.shape == (2, 5, 5)
    again = lag_importance(of_series(OTHER), X, Y, max_samples=100 / (N - 3), random_state=0)
    assert_array_equal(again.importances, found.importances)
    rows = np.sort(drawn_after_shifts(0).choice(np.flatnonzero(KNOWN), 100, replace=False))
    assert_allclose(found.score, r2_score(Y[rows], of_series(OTHER).predict(X)[rows]))
    everything = lag_importance(of_series(OTHER), X, Y, random_state=0)
    assert (found.importances != everything.importances).any()
    whole = lag_importance(of_series(OTHER), X, Y, max_samples=N - 3, random_state=0)
    assert_array_equal(whole.importances, everything.importances)


def test_random_state_decides_and_the_global_generator_is_left_alone():
    first = lag_importance(of_series(OTHER), X, Y, random_state=np.random.RandomState(3))
    second = lag_importance(of_series(OTHER), X, Y, random_state=3)
    assert_array_equal(first.importances, second.importances)
    before = np.random.get_state()[1].copy()
    third = lag_importance(of_series(OTHER), X, Y)
    assert (third.importances != first.importances).any()
    assert_array_equal(np.random.get_state()[1], before)


@pytest.mark.parametrize("flat", [False, True])
def test_rows_of_several_series_in_any_order(flat):
    names = np.repeat(["x", "y", "z"], [100, 139, 1])
    index = pd.MultiIndex.from_arrays([names, np.r_[:100, :139, 0]], names=["shop", "day"])
    frame = pd.DataFrame(SERIES, index, columns=["a", "b"])
    y = pd.Series(SERIES[:, 0], index)
    windows = SlidingWindowTransformer(SIZE, flatten=flat)
    weights = OTHER.T if flat else OTHER
    model = make_pipeline(windows, OfWindows(weights)).fit(frame, y)
    found = lag_importance(model, frame, y, random_state=0, n_repeats=2)

    by_hand = np.concatenate([windows_of(frame.loc[name].to_numpy()) for name in "xyz"])
    edges, rng = [0, 100, 239], np.random.RandomState(0)
    sources = np.tile(np.arange(239), (2, 1))
    for start, stop in [(0, 100), (100, 239)]:
        n, length = stop - start, (stop - start) // 50
        shifts = rng.randint(length, n - length + 1, size=(2, n // length + 1))
        for row in range(n):
            sources[:, start + row] = start + (row + shifts[:, row // length]) % n
    changed, step = by_hand[:239].copy(), SIZE - 1
    changed[:, step, 0] = by_hand[sources[0], step, 0]
    before, after = (
        r2_score(y[:239], OfWindows(OTHER).predict(values)) for values in (by_hand[:239], changed)
    )
    assert edges[-1] == 239  # the series of one row is left out
    assert_allclose(found.score, before)
    assert_allclose(found.importances[0, 0, 0], before - after)

    order = np.random.RandomState(0).permutation(N)
    mixed = lag_importance(model, frame.iloc[order], y.iloc[order], random_state=0, n_repeats=2)
    assert_allclose(mixed.importances, found.importances, rtol=1e-9)


def test_a_network_of_several_series_predicts_in_their_units():
    names = np.repeat(["x", "y"], 120)
    index = pd.MultiIndex.from_arrays([names, np.tile(np.arange(120), 2)], names=["shop", "day"])
    sizes = np.repeat([1.0, 1000], 120)[:, np.newaxis]
    frame = pd.DataFrame(SERIES * sizes, index, columns=["a", "b"])
    y = frame["b"].groupby("shop").shift(3)
    lstm = LSTMRegressor(2, max_epochs=1, n_jobs=1, random_state=0, early_stopping=True)
    with pytest.warns(match="max_epochs=1"):
        model = make_pipeline(SlidingWindowTransformer(SIZE), lstm).fit(frame, y)
    importance = lag_importance(model, frame, y, lags=range(SIZE), random_state=0)
    assert_allclose(importance.score, model.score(frame, y))
    assert importance.importances_mean[1, 3] > 1.5
    importance.importances_mean[1, 3] = 0
    assert np.abs(importance.importances_mean).max() < 0.1


def test_windows_in_any_order_of_their_times():
    order = np.random.RandomState(0).permutation(N)
    model, y = OfWindows(OTHER.T), pd.Series(Y, X.index)
    expected = lag_importance(model, TABLE, y, random_state=0)
    found = lag_importance(model, TABLE.iloc[order], y.iloc[order], random_state=0)
    assert_allclose(found.importances, expected.importances, rtol=1e-9)
    windows = lag_importance(
        OfWindows(OTHER), windows_of(SERIES)[order], y.iloc[order], random_state=0
    )
    assert_allclose(windows.importances, expected.importances, rtol=1e-9)


def test_constant_values_have_no_importance():
    constant = X.assign(b=3.0)
    model = of_series(OTHER, padding="edge").fit(constant)
    importance = lag_importance(model, constant, Y, random_state=0)
    assert (importance.importances[1] == 0).all()
    assert (importance.importances[0] != 0).all()
    one_target = lag_importance(model, constant, np.ones(N), scoring="neg_mean_absolute_error")
    assert np.isfinite(one_target.importances).all()


def test_missing_values_are_exchanged_as_values_are():
    holes = SERIES.copy()
    holes[::7] = NAN
    found = lag_importance(of_series(OTHER).fit(holes), holes, Y, n_repeats=1, random_state=5)
    windows, length = windows_of(holes), N // 50
    shifts = np.random.RandomState(5).randint(length, N - length + 1, size=N // length + 1)
    rows = np.arange(N)
    changed = windows.copy()
    changed[:, SIZE - 1, 1] = windows[(rows + shifts[rows // length]) % N, SIZE - 1, 1]
    scores = [
        r2_score(Y[KNOWN], OfWindows(OTHER).predict(values[KNOWN])) for values in (windows, changed)
    ]
    assert_allclose(found.importances[1, 0, 0], scores[0] - scores[1])


def test_a_network_does_not_warn_of_exchanged_missing_values():
    lstm = LSTMRegressor(2, max_epochs=1, n_jobs=1, random_state=0, early_stopping=False)
    model = make_pipeline(SlidingWindowTransformer(SIZE), lstm).fit(X[:200], Y[:200])
    holes = X[200:].copy()
    holes.iloc[[10, 20]] = NAN  # whole steps, so that no feature of a step alone is missing
    importance = lag_importance(model, holes, Y[200:], random_state=0)
    assert np.isfinite(importance.importances).all()
    holes.iloc[5, 0] = NAN
    with pytest.warns(UserWarning, match="The last step of 1 of 40 windows lacks") as caught:
        lag_importance(model, holes, Y[200:], random_state=0)
    assert len(caught) == 1


def test_the_frame_has_a_row_for_each_feature_and_lag():
    importance = lag_importance(of_series(OTHER), X, Y, random_state=0)
    frame = importance.to_frame()
    assert list(frame.columns) == ["importances_mean", "importances_std"]
    assert frame.loc[("b", "4-5"), "importances_std"] == importance.importances_std[1, 4]
    wide = frame["importances_mean"].unstack("lags")
    assert_array_equal(wide.to_numpy(), importance.importances_mean)
    assert wide.columns.tolist() == ["0", "1", "2", "3", "4-5"]
    assert wide.index.tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lags": [6]}, r"lags holds 6, which no window has. Pass 'auto', or ints among 0-5, or"),
        ({"lags": [0, [1, -1]]}, "lags holds -1, which"),
        ({"lags": [1.0]}, "lags holds 1.0, which"),
        ({"lags": [True]}, "lags holds True, which"),
        ({"lags": ["a"]}, "lags holds 'a', which"),
        ({"lags": []}, r"lags=\[\] holds an empty list"),
        ({"lags": [0, []]}, r"lags=\[0, \[\]\] holds an empty list"),
        ({"lags": [1, [2, 3], (2, 3)]}, "lags holds 2-3 more than once, but"),
        ({"lags": "all"}, "lags='all', but expected several lags"),
        ({"lags": 3}, "lags=3, but expected several lags"),
        ({"n_repeats": 0}, "n_repeats must be an int of at least 1, got 0"),
        ({"max_samples": 0}, "max_samples=0, but expected an int from 1 to 237"),
        ({"max_samples": 238}, "max_samples=238, but"),
        ({"max_samples": 1.5}, "max_samples=1.5, but"),
        ({"max_samples": True}, "max_samples=True, but"),
        ({"max_samples": NAN}, "max_samples=nan, but"),
        ({"scoring": 3}, "scoring must be the name of a scorer"),
        ({"y": np.full(N, NAN)}, "None of the 240 row.s. of y has a known target"),
        ({"y": Y[1:]}, "X has 240 rows, y has 239"),
        ({"y": np.ones((N, 2))}, r"y has 2 output\(s\), but the predictions have 1"),
        ({"y": pd.Series(Y, X.index[::-1])}, "X and y have different indexes"),
        ({"X": X[:1], "y": Y[:1]}, r"X has 1 row\(s\), at most one of each series"),
    ],
)
def test_wrong_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        lag_importance(of_series(), **({"X": X, "y": Y} | options))


def test_advice_of_the_errors_works():
    lag_importance(of_series(), X, Y, lags=[0, [1, 2], 5], n_repeats=1)
    with pytest.raises(ValueError, match="The lags of the values in X are not known"):
        lag_importance(OfWindows(OTHER), TABLE.to_numpy(), Y)
    lag_importance(OfWindows(OTHER.T), TABLE, Y, n_repeats=1)
    around = TransformedTargetRegressor(make_pipeline(*of_series(padding="edge")), func=np.negative)
    with pytest.raises(ValueError, match="The lags of the values in X are not known"):
        lag_importance(around.set_params(inverse_func=np.negative).fit(X, SERIES[:, 0]), X, Y)
    table = X.rename(columns={"a": "b_lag1"})  # lags among the features are no lags of windows
    with pytest.raises(ValueError, match="The lags of the values in X are not known"):
        lag_importance(around.fit(table, SERIES[:, 0]), table, Y)
    inside = TransformedTargetRegressor(OfWindows(WEIGHTS))
    inside = make_pipeline(SlidingWindowTransformer(SIZE), inside).fit(X, SERIES[:, 0])
    assert lag_importance(inside, X, Y, n_repeats=1).features == ["a", "b"]


def test_a_conformal_regressor_has_the_importances_of_its_pipeline():
    model = ConformalRegressor(of_series(padding="edge"), coverage=0.5).fit(X, Y)
    for around in (
        model,
        GridSearchCV(model, {"coverage": [0.5]}, cv=TimeSeriesSplit(2)).fit(X, Y),
    ):
        of_model, of_pipeline = (
            lag_importance(estimator, X, Y, n_repeats=1, random_state=0).importances
            for estimator in (around, model.estimator_)
        )
        assert_array_equal(of_model, of_pipeline)


def test_a_score_that_is_not_a_number_is_an_error():
    with (
        pytest.warns(match="R.2 score is not well-defined"),
        pytest.raises(ValueError, match="The score of 1 row.s. with a known target is not a"),
    ):
        lag_importance(of_series(), X, Y, max_samples=1)


def test_estimators_that_are_not_fitted_or_do_not_predict_are_refused():
    with pytest.raises(NotFittedError):
        lag_importance(make_pipeline(SlidingWindowTransformer(3), Ridge()), X, Y)
    with pytest.raises(TypeError, match="estimator must have predict, got StandardScaler"):
        lag_importance(StandardScaler().fit(X), X, Y)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["load_lag1", "load_lag1"], "'load_lag1' and 'load_lag1' of X are both lag 1 of 'load'"),
        (["load_lag0", "load"], "'load_lag0' and 'load' of X are both lag 0 of 'load'"),
        (["load_lag1d", "load_lag24h"], r"lags in several units \('d', 'h'\), but expected one"),
        (["a", "b"], "The lags of the values in X are not known"),
    ],
)
def test_names_that_contradict_each_other_are_refused(names, message):
    with pytest.raises(ValueError, match=message):
        lag_importance(OfWindows([1.0, 1]), pd.DataFrame(SERIES, columns=names), Y)
