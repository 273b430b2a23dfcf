"""LagTableTransformer: a column per feature and lag in, windows out."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import skops.io
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklstm import (
    LagTableTransformer,
    LSTMRegressor,
    SlidingWindowTransformer,
    forecast_targets,
)

NAN = np.nan
quick = settings(deadline=None, max_examples=100, database=None)

STYLES = {
    "sklstm": lambda feature, lag: f"{feature}_lag{lag}",
    "feature-engine": lambda feature, lag: f"{feature}_lag_{lag}" if lag else feature,
    "functime": lambda feature, lag: f"{feature}__lag_{lag}",
    "sktime": lambda feature, lag: f"lag_{lag}__{feature}",
    "prefix": lambda feature, lag: f"lag{lag}_{feature}",
    "at t": lambda feature, lag: f"{feature}_t-{lag}" if lag else f"{feature}_t",
    "of t": lambda feature, lag: f"{feature}(t-{lag})" if lag else f"{feature}(t)",
    "statsmodels": lambda feature, lag: f"{feature}.L.{lag}" if lag else feature,
}


def table(names, n_rows=3, dtype=np.float64):
    """Make a frame whose values identify their row and column: 0, 1, ... in row 0."""
    values = np.arange(n_rows)[:, None] * 100 + np.arange(len(names))
    return pd.DataFrame(values.astype(dtype), columns=list(names))


def looped(values, lags):
    """Make windows with loops from the lag of each column, (feature, rows) or None."""
    features = list(dict.fromkeys(lag[0] for lag in lags if lag is not None))
    steps = sorted({lag[1] for lag in lags if lag is not None}, reverse=True)
    windows = []
    for row in values:
        window = []
        for step in steps:
            known = [row[lags.index((feature, step))] for feature in features]
            static = [value for value, lag in zip(row, lags, strict=True) if lag is None]
            if all(np.isnan(known)):
                static = [NAN] * len(static)
            window.append(known + static)
        windows.append(window)
    return np.array(windows)


# ---- the windows -------------------------------------------------------------------------


FEATURES = ("load", "wind speed", "t2m")
WRITE_LAG_ZERO = ("sklstm", "functime", "sktime", "prefix")


@quick
@given(data=st.data())
def test_windows_equal_a_loop(data):
    n_features = data.draw(st.integers(1, 3))
    steps = data.draw(st.lists(st.integers(0, 40), min_size=1, max_size=5, unique=True))
    n_static = data.draw(st.integers(0, 2))
    lags = [(name, step) for name in FEATURES[:n_features] for step in steps] + [None] * n_static
    lags = data.draw(st.permutations(lags))
    style = STYLES[data.draw(st.sampled_from(WRITE_LAG_ZERO if steps == [0] else sorted(STYLES)))]
    names = [f"static {column}" if lag is None else style(*lag) for column, lag in enumerate(lags)]
    values = np.random.default_rng(0).normal(size=(4, len(lags)))
    values[np.random.default_rng(1).random(values.shape) < 0.3] = NAN
    transformer = LagTableTransformer()
    windows = transformer.fit_transform(pd.DataFrame(values, columns=names))
    np.testing.assert_array_equal(windows, looped(values, lags))
    np.testing.assert_array_equal(transformer.lags_, sorted(steps, reverse=True))


@quick
@given(
    n_features=st.integers(1, 3),
    window_size=st.integers(1, 5),
    dilation=st.integers(1, 3),
    style=st.sampled_from(sorted(STYLES)),
    dtype=st.sampled_from([np.float64, np.float32]),
    random=st.randoms(use_true_random=False),
)
def test_flat_windows_become_the_windows_bit_for_bit(
    n_features, window_size, dilation, style, dtype, random
):
    series = np.random.default_rng(0).normal(size=(12, n_features)).astype(dtype)
    series[5] = NAN
    X = pd.DataFrame(series, columns=FEATURES[:n_features])
    params = {"window_size": window_size, "dilation": dilation}
    expected = SlidingWindowTransformer(**params).fit_transform(X)
    flat = SlidingWindowTransformer(**params, flatten=True).set_output(transform="pandas")
    flat = flat.fit_transform(X)
    windows = LagTableTransformer().fit_transform(flat)
    assert windows.dtype == expected.dtype == dtype
    assert windows.tobytes() == np.ascontiguousarray(expected).tobytes()

    if window_size == 1 and style not in WRITE_LAG_ZERO:
        style = "sklstm"  # without another lag, a name without a number is no lag
    lags = [(name, lag * dilation) for name in X for lag in reversed(range(window_size))]
    flat.columns = [STYLES[style](*lag) for lag in lags]
    order = random.sample(range(len(lags)), len(lags))
    windows = LagTableTransformer().fit_transform(flat.iloc[:, order])
    first_seen = list(dict.fromkeys(lags[column][0] for column in order))
    shuffled = expected[:, :, [list(X).index(name) for name in first_seen]]
    assert windows.tobytes() == np.ascontiguousarray(shuffled).tobytes()


def test_lags_of_the_only_series_need_no_name_of_a_feature():
    for names in (["lag_1", "lag_2", "lag_3"], ["lag3", "lag1", "lag2"], ["t-1", "t-3", "t-2"]):
        X = table(names)
        oldest_first = X[sorted(names, reverse=True)].to_numpy()
        windows = LagTableTransformer().fit_transform(X)
        np.testing.assert_array_equal(windows, oldest_first[:, :, np.newaxis])


def test_a_given_lag_belongs_to_the_next_feature_that_has_none():
    X = table("abcdefg").to_numpy()
    transformer = LagTableTransformer(lags=[7, None, 1, 1, 7, 0, 0])
    windows = transformer.fit_transform(X)
    np.testing.assert_array_equal(windows[0], [[0, 4, 1], [2, 3, 1], [5, 6, 1]])
    assert transformer.lags_.tolist() == [7, 1, 0]
    assert transformer.columns_.tolist() == [[0, 4, 1], [2, 3, 1], [5, 6, 1]]


@pytest.mark.parametrize(
    "dtype", [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
)
def test_every_integer_type_gives_the_same_lags(dtype):
    X = table("abc").to_numpy()
    expected = X[:, [2, 1, 0], np.newaxis]
    for lags in (np.array([0, 60, 120], dtype), list(np.array([0, 60, 120], dtype))):
        windows = LagTableTransformer(lags=lags).fit_transform(X)
        np.testing.assert_array_equal(windows, expected)


@pytest.mark.parametrize("lags", [range(3), (0, 1, 2), pd.Series([0, 1, 2]), pl.Series([0, 1, 2])])
def test_every_container_gives_the_same_lags(lags):
    X = table("abc").to_numpy()
    np.testing.assert_array_equal(
        LagTableTransformer(lags=lags).fit_transform(X), X[:, ::-1, np.newaxis]
    )


def test_given_lags_win_over_names():
    X = table(["lag_1", "lag_2"])
    windows = LagTableTransformer(lags=[2, 1]).fit_transform(X)
    np.testing.assert_array_equal(windows[0, :, 0], [0, 1])


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int64", "uint8", "bool"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_float32_stays_and_other_types_become_float64(dtype, order):
    X = np.array(table("abc").to_numpy() % 2, dtype=dtype, order=order)
    windows = LagTableTransformer(lags=[0, 1, None]).fit_transform(X)
    assert windows.dtype == ("float32" if dtype == "float32" else "float64")
    np.testing.assert_array_equal(windows[0], [[1, 0], [0, 0]])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_polars_and_nullable_columns_are_read_as_numpy_ones(dtype):
    X = table(["lag_1", "lag_2", "month"], dtype=dtype)
    X.iloc[1, 0] = NAN
    expected = LagTableTransformer().fit_transform(X)
    for same in (
        pl.DataFrame(
            X.to_dict("list"), schema_overrides={name: getattr(pl, dtype.title()) for name in X}
        ),
        X.astype(dtype.title()),
    ):
        windows = LagTableTransformer().fit_transform(same)
        assert windows.dtype == dtype
        np.testing.assert_array_equal(windows, expected)


def test_a_static_column_is_missing_only_where_every_lagged_feature_is():
    X = table(["a_lag1", "a_lag0", "b_lag1", "b_lag0", "month"], n_rows=1)
    X[["a_lag1", "b_lag1", "b_lag0"]] = NAN
    windows = LagTableTransformer().fit_transform(X)
    np.testing.assert_array_equal(windows[0], [[NAN, NAN, NAN], [1, NAN, 4]])


def test_transform_leaves_its_input_as_it_was():
    X = table(["lag_1", "month"])
    X["lag_1"] = NAN
    before = X.copy()
    LagTableTransformer().fit_transform(X)
    pd.testing.assert_frame_equal(X, before)
    values = X.to_numpy()
    LagTableTransformer(lags=[1, None]).fit_transform(values)
    np.testing.assert_array_equal(values, before)


# ---- errors, and their advice ------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["load", "temp"], "found no lag in the names of the columns: load, temp. .*Sliding"),
        (list("abcdefg"), "no lag in the names of the columns: a, b, c, d, e, .... Expected"),
        (
            ["a_lag1", "a_lag2", "b_lag1"],
            r"Feature 'b' has no column for lag\(s\) 2, but column 1 holds lag 2 of another",
        ),
        (
            ["lag1", "lag2", "expanding_mean_lag1"],
            r"Feature 'expanding_mean' has no column for lag\(s\) 2, but column 1 holds",
        ),
        (["a_lag1", "a_lag2", "lag_2"], r"The feature without a name has no column for lag\(s\) 1"),
        (["a_lag1", "a_lag_1"], "Feature 'a' has lag 1 twice, in columns 0 and 1"),
        (["a", "a_lag0"], "Feature 'a' has lag 0 twice"),
        (["lag_1", "lag1"], "The feature without a name has lag 1 twice"),
        (["lag_1", "y_lead1"], "Column 'y_lead1' lies ahead of its row: lag -1"),
        (["y(t)", "y(t+1)"], r"Column 'y\(t\+1\)' lies ahead of its row"),
        (["a_target_lag-1"], "Column 'a_target_lag-1' lies ahead .*counts rows before by negative"),
        (["lag_1", "a_lag_24h"], "Column 'a_lag_24h' has a lag in 'h', but .* number of rows"),
    ],
    ids=str,
)
def test_names_that_leave_the_lags_open_are_refused(names, message):
    with pytest.raises(ValueError, match=message):
        LagTableTransformer().fit(table(names))
    with pytest.raises(ValueError, match=r"pass lags=\[...\]|Remove one of them"):
        LagTableTransformer().fit(table(names))


@pytest.mark.parametrize(
    "names", [["load"], ["a_lag1", "a_lag2", "b_lag1"], ["y_lead1", "lag_24h"]]
)
def test_the_advice_to_pass_lags_works(names):
    lags = [None] * len(names)
    lags[0] = 1
    assert LagTableTransformer(lags=lags).fit_transform(table(names)).shape == (3, 1, len(names))


@pytest.mark.parametrize(
    ("lags", "message"),
    [
        ([1, 2], r"lags has shape \(2,\), but X has 3 column\(s\)"),
        ([[1, 2, 3]], r"lags has shape \(1, 3\)"),
        ({1, 2, 3}, r"lags has shape \(\)"),
        ([], r"lags has shape \(0,\)"),
        ([1, -1, 2], "lags must hold ints of at least 0, .* got -1 for column 1"),
        ([1, 2.0, 3], "got 2.0 for column 1"),
        (np.array([1.0, 2, 3]), "got 1.0 for column 0"),
        (pd.Series([1, None, 2]), "got 1.0 for column 0"),
        ([1, NAN, 3], "got nan for column 1"),
        ([0, True, 2], "got True for column 1"),
        (np.array([True, False, True]), "got True for column 0"),
        ([np.bool_(True), 0, 2], "True.* for column 0"),
        (["lag1", 2, 3], "got 'lag1' for column 0"),
        ([None, None, None], "lags is None for every column"),
        ([1, 1, 2], r"lag 2 for 1 column\(s\), but lag 1 for 2: every feature needs the same"),
        ("none", "The 'lags' parameter .* Got 'none'"),
        (3, "The 'lags' parameter .* Got 3"),
        (None, "The 'lags' parameter .* Got None"),
    ],
    ids=str,
)
def test_lags_that_do_not_fit_the_columns_are_refused(lags, message):
    with pytest.raises(ValueError, match=message):
        LagTableTransformer(lags=lags).fit(table("abc"))


@pytest.mark.parametrize(
    "X",
    [
        table(["lag_1", "lag_2"]).to_numpy(),
        table(["lag_1", "lag_2"]).to_numpy().tolist(),
        pd.DataFrame(np.zeros((3, 2))),
    ],
    ids=["array", "list", "columns without names"],
)
def test_lags_of_columns_without_names_must_be_given(X):
    with pytest.raises(ValueError, match=r"X has no names that are text.*pass lags=\[...\]"):
        LagTableTransformer().fit(X)
    assert LagTableTransformer(lags=[1, 2]).fit_transform(X).shape == (3, 2, 1)


def test_names_pass_through_a_pipeline_with_pandas_output():
    X = table(["lag_1", "lag_2", "month"])
    pipe = make_pipeline(StandardScaler(), LagTableTransformer())
    with pytest.raises(ValueError, match="call set_output.transform='pandas'. on the pipeline"):
        pipe.fit(X)
    windows = pipe.set_output(transform="pandas").fit_transform(X)
    scaled = (X - X.mean()) / X.std(ddof=0)
    np.testing.assert_allclose(windows, looped(scaled.to_numpy(), [("", 1), ("", 2), None]))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((3, 2, 1)), "2D array, got 3D array"),
        (np.zeros(3), "Expected 2D array, got 1D array"),
        (np.zeros((0, 2)), "0 sample"),
        (np.array([[np.inf, 0]]), "infinity"),
        ([["a", "b"]], "could not convert string to float"),
    ],
    ids=["3-D", "1-D", "no rows", "infinity", "text"],
)
def test_what_is_no_table_of_numbers_is_refused(X, message):
    fitted = LagTableTransformer(lags=[1, 2]).fit(np.zeros((3, 2)))
    for call in (fitted.transform, clone(fitted).fit):
        with pytest.raises(ValueError, match=message):
            call(X)


def test_other_columns_than_the_fitted_ones_are_refused():
    transformer = LagTableTransformer().fit(table(["lag_1", "lag_2"]))
    with pytest.raises(ValueError, match="feature names should match"):
        transformer.transform(table(["lag_2", "lag_1"]))
    with pytest.raises(
        ValueError, match="X has 3 features, but LagTableTransformer is expecting 2"
    ):
        clone(transformer).set_params(lags=[1, 2]).fit(np.zeros((3, 2))).transform(np.zeros((3, 3)))
    with pytest.raises(NotFittedError):
        LagTableTransformer().transform(table(["lag_1"]))


def test_a_failed_fit_leaves_the_fitted_transformer_as_it_was():
    transformer = LagTableTransformer().fit(table(["lag_1", "lag_2"]))
    before = dict(vars(transformer))
    for X in (table(["load", "temp", "hour"]), table(["lag_1", "lag_2"]) * np.inf):
        with pytest.raises(ValueError):  # noqa: PT011
            transformer.fit(X)
    assert vars(transformer).keys() == before.keys()
    assert all(value is before[key] for key, value in vars(transformer).items())


# ---- in scikit-learn ---------------------------------------------------------------------


def through_skops(transformer):
    data = skops.io.dumps(transformer)
    assert skops.io.get_untrusted_types(data=data) == ["sklstm.LagTableTransformer"]
    return skops.io.loads(data, trusted=["sklstm.LagTableTransformer"])


@pytest.mark.parametrize("copy", [lambda t: pickle.loads(pickle.dumps(t)), through_skops])
@pytest.mark.parametrize("lags", ["auto", [1, 2, None], np.array([1, 2, 3])], ids=str)
def test_a_saved_transformer_gives_the_same_windows(copy, lags):
    X = table(["lag_1", "lag_2", "month"])
    transformer = LagTableTransformer(lags=lags).fit(X)
    np.testing.assert_array_equal(copy(transformer).transform(X), transformer.transform(X))
    assert clone(transformer).fit(X).columns_.tolist() == transformer.columns_.tolist()


def test_windows_have_no_names_and_stay_arrays():
    X = table(["lag_1", "lag_2"])
    transformer = LagTableTransformer().set_output(transform="pandas")
    assert type(transformer.fit_transform(X)) is np.ndarray
    assert not hasattr(transformer, "get_feature_names_out")


def test_an_lstm_behind_a_lag_table_predicts_as_behind_the_series(small_lstm, chicago):
    y = forecast_targets(chicago["ridership"], 2)
    windows = SlidingWindowTransformer(5)
    flat = SlidingWindowTransformer(5, flatten=True).set_output(transform="pandas")
    expected = (
        small_lstm().fit(windows.fit_transform(chicago), y).predict(windows.transform(chicago))
    )
    X = flat.fit_transform(chicago)
    pipe = make_pipeline(LagTableTransformer(), small_lstm())
    assert pipe.fit(X, y).predict(X).tobytes() == expected.tobytes()


def test_lags_can_be_searched(small_lstm, chicago, tomorrow):
    X = pd.DataFrame({"now": chicago["ridership"], "before": chicago["ridership"].shift(1)})[1:]
    pipe = make_pipeline(LagTableTransformer(), small_lstm())
    candidates = {"lagtabletransformer__lags": [[0, 1], [0, None]]}
    search = GridSearchCV(pipe, candidates, cv=TimeSeriesSplit(2)).fit(X, tomorrow[1:])
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_targets_with_other_labels_are_refused():
    days = pd.date_range("2024-01-01", periods=9, freq="D")
    table = pd.DataFrame({"lag_1": np.arange(9.0), "lag_0": np.arange(1.0, 10.0)}, index=days)
    with pytest.raises(ValueError, match="X and y have different indexes"):
        LagTableTransformer().fit(table[:5], table["lag_0"][4:])
    LagTableTransformer().fit(table[:5], table["lag_0"][:5])


# ---- lag tables in the wrong place ----------------------------------------------------------

WALK = np.random.default_rng(5).normal(size=80).cumsum()
NEWEST_FIRST = np.stack([WALK[4 - lag : 80 - lag] for lag in (1, 2, 3, 4)], axis=1)
ONE_EPOCH = LSTMRegressor(4, max_epochs=1, early_stopping=False, random_state=0)


@pytest.mark.parametrize(
    "table",
    [
        NEWEST_FIRST,
        np.column_stack([NEWEST_FIRST[:, ::-1], np.arange(76) % 7]),
        np.column_stack([NEWEST_FIRST[:, ::-1], np.roll(NEWEST_FIRST, 5)[:, ::-1]]),
    ],
    ids=["newest first", "static column", "two features"],
)
def test_a_lag_table_whose_columns_are_not_steps_warns_and_the_advice_works(table):
    with pytest.warns(UserWarning, match=r"lag table whose columns .* Put LagTableTransformer"):
        clone(ONE_EPOCH).fit(table, WALK[4:])
    lags = {4: [1, 2, 3, 4], 5: [4, 3, 2, 1, None], 8: [4, 3, 2, 1] * 2}[table.shape[1]]
    make_pipeline(LagTableTransformer(lags), clone(ONE_EPOCH)).fit(table, WALK[4:])


def test_a_lag_table_of_a_series_that_is_mostly_zero_warns():
    """Any two values of it are the same, also the target and its oldest lag."""
    series = np.random.default_rng(0).poisson(0.3, 400).astype(float)
    table = np.stack([series[5 - lag : 400 - lag] for lag in (1, 2, 3, 4, 5)], axis=1)
    with pytest.warns(UserWarning, match="lag table whose columns"):
        clone(ONE_EPOCH).fit(table, series[5:])


def test_a_lag_table_in_single_precision_warns():
    with pytest.warns(UserWarning, match="lag table whose columns"):
        clone(ONE_EPOCH).fit(NEWEST_FIRST.astype(np.float32), WALK[4:])


@pytest.mark.parametrize("y", [WALK[4:], WALK[4:].tolist(), pd.Series(WALK[4:])])
def test_windows_of_a_lag_table_warn(y):
    for table in (NEWEST_FIRST, NEWEST_FIRST[:, ::-1], pd.DataFrame(NEWEST_FIRST)):
        with pytest.warns(UserWarning, match="X is a lag table already.*LagTableTransformer"):
            SlidingWindowTransformer(4).fit(table, y)


def test_a_lag_table_behind_a_scaler_warns_as_without_it():
    scaled = StandardScaler().fit_transform(NEWEST_FIRST)
    with pytest.warns(UserWarning, match="X is a lag table already"):
        make_pipeline(StandardScaler(), SlidingWindowTransformer(4)).fit(NEWEST_FIRST, WALK[4:])
    with pytest.warns(UserWarning, match="lag table whose columns"):
        clone(ONE_EPOCH).fit(scaled, WALK[4:])
    clone(ONE_EPOCH).fit(scaled[:, ::-1], WALK[4:])  # in the right order


def test_windows_of_a_lag_table_without_its_first_rows_warn():
    table = pd.DataFrame(NEWEST_FIRST, index=range(14, 90))  # as mlforecast passes it
    with pytest.warns(UserWarning, match="X is a lag table already"):
        SlidingWindowTransformer(4).fit(table, WALK[4:])


def test_windows_of_lags_that_the_user_chose_do_not_warn_with_an_index_of_times():
    days = pd.date_range("2024-01-01", periods=76)
    table = pd.DataFrame(NEWEST_FIRST, index=days)
    SlidingWindowTransformer(4).fit(table, pd.Series(WALK[4:], index=days))


@pytest.mark.parametrize("y", [None, ["a"] * 76, np.full(76, np.nan), WALK[:76]])
def test_windows_of_a_lag_table_of_another_target_do_not_warn(y):
    SlidingWindowTransformer(4).fit(NEWEST_FIRST, y)


def test_windows_from_a_series_do_not_warn():
    y = np.append(WALK[1:], np.nan)
    for X in (WALK[:, np.newaxis], np.column_stack([WALK, np.cos(WALK), np.sin(WALK)])):
        make_pipeline(SlidingWindowTransformer(4), clone(ONE_EPOCH)).fit(X, y)
    for series in (WALK, np.arange(80.0) % 6, np.sin(np.arange(80)), np.ones(80)):
        flat = SlidingWindowTransformer(9, flatten=True).fit_transform(series[:, np.newaxis])
        clone(ONE_EPOCH).fit(flat, np.append(series[1:], np.nan))
        clone(ONE_EPOCH).fit(flat.astype(np.float32), series)


@pytest.mark.parametrize("lead", [0, 1])
def test_windows_around_many_holes_do_not_warn(lead):
    minutes = pd.date_range("2024-01-01", periods=400, freq="min")
    X = pd.DataFrame({"x": np.random.default_rng(0).normal(size=400).cumsum()}, minutes)
    X = X.drop(minutes[np.random.default_rng(1).choice(398, 60, replace=False) + 1])
    windows = SlidingWindowTransformer(6, freq="min").fit_transform(X)
    clone(ONE_EPOCH).fit(windows, X["x"].shift(-lead))
