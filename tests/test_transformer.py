"""SlidingWindowTransformer: one window per row, and the history of the rows that follow."""

import pickle
import tracemalloc
from itertools import pairwise

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn
import skops.io
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, ShuffleSplit, TimeSeriesSplit
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sklstm import SlidingWindowTransformer, WindowArray, forecast_targets
from sklstm._series.labels import label_text

NAN = np.nan
# What these warnings say is tested below; other tests look at the windows.
little_history = pytest.mark.filterwarnings(
    "ignore:.*windows lack steps:UserWarning", "ignore:Between the last rows seen:UserWarning"
)
by_chance = pytest.mark.filterwarnings("ignore:X has no index, and its:UserWarning")
quick = settings(deadline=None, max_examples=100, database=None)


def numbered(n_rows, n_features=1, dtype=np.float64):
    """Make rows of unique values, so that each value identifies its row and column."""
    return np.arange(n_rows * n_features).reshape(n_rows, n_features).astype(dtype)


def looped_windows(known, ends, window_size, dilation=1, padding="nan"):
    """Make windows that end at the positions ``ends``; ``known`` maps positions to rows."""
    n_features = len(next(iter(known.values())))
    windows = np.full((len(ends), window_size, n_features), NAN)
    for window, end in zip(windows, ends, strict=True):
        for step in range(window_size):
            position = end - (window_size - 1 - step) * dilation
            if position in known:
                window[step] = known[position]
            elif padding == "edge":
                earlier = [other for other in known if other < position]
                window[step] = known[max(earlier, default=min(known))]
    return windows


def windows_of_series(values, **params):
    return SlidingWindowTransformer(**params).fit_transform(values)


class KeepsWindows(RegressorMixin, BaseEstimator):
    """The last step of a pipeline, which records its input."""

    def fit(self, X, y):
        self.fitted_on_ = X
        return self

    def predict(self, X):
        self.predicted_on_ = X
        return np.zeros(len(X))


# ---- the windows of one series ---------------------------------------------------------


@quick
@given(
    n_rows=st.integers(1, 15),
    n_features=st.integers(1, 4),
    window_size=st.integers(1, 8),
    dilation=st.integers(1, 4),
    padding=st.sampled_from(["nan", "edge"]),
    history=st.sampled_from(["auto", "none"]),
    flatten=st.booleans(),
    dtype=st.sampled_from([np.float32, np.float64, np.float16, np.int64, np.int32, np.uint8, bool]),
)
def test_windows_equal_a_loop(
    n_rows, n_features, window_size, dilation, padding, history, flatten, dtype
):
    rows = numbered(n_rows, n_features, dtype)
    transformer = SlidingWindowTransformer(
        window_size, dilation=dilation, history=history, padding=padding, flatten=flatten
    )
    windows = transformer.fit_transform(rows)
    expected = looped_windows(
        dict(enumerate(rows.astype(float))), range(n_rows), window_size, dilation, padding
    )
    if flatten:
        expected = expected.transpose(0, 2, 1).reshape(n_rows, -1)
    assert windows.dtype == (np.float32 if dtype == np.float32 else np.float64)
    np.testing.assert_array_equal(windows, expected)
    np.testing.assert_array_equal(transformer.transform(rows), expected)


def test_windows_are_read_only_views_of_one_base():
    windows = windows_of_series(numbered(50, 2), window_size=10)
    with pytest.raises(ValueError, match="read-only"):
        windows[20, 0, 0] = 1.0
    assert windows.strides == (16, 16, 8)
    assert np.shares_memory(windows[9], windows[0])


def test_windows_do_not_share_the_memory_of_the_series():
    rows = numbered(50, 2)
    transformer = SlidingWindowTransformer(10).fit(rows)
    windows = transformer.transform(rows)
    rows[:] = -1.0
    np.testing.assert_array_equal(windows, windows_of_series(numbered(50, 2), window_size=10))
    np.testing.assert_array_equal(transformer.history_, numbered(50, 2)[-9:])


@pytest.mark.parametrize("container", ["numpy", "pandas"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("padding", ["nan", "edge"])
def test_memory_does_not_grow_with_the_window(dtype, container, padding):
    rows = np.random.default_rng(0).normal(size=(200_000, 4)).astype(dtype)
    X = rows
    if container == "pandas":
        X = pd.DataFrame(rows, index=pd.date_range("2000-01-01", periods=len(rows), freq="h"))
    transformer = SlidingWindowTransformer(500, padding=padding).fit(X[:100_000])
    tracemalloc.start()
    windows = transformer.transform(X[100_000:])
    both = transformer.fit_transform(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    size = rows.nbytes if container == "numpy" else X.memory_usage().sum()
    assert windows.shape == (100_000, 500, 4)
    assert both.shape == (200_000, 500, 4)
    # 0.6 for the windows of the first call, and at most 3 for the second call.
    assert peak < (0.6 + 3) * size


def test_history_is_as_long_as_a_window_reaches():
    rows = numbered(100, 2)
    transformer = SlidingWindowTransformer(5, dilation=3).fit(rows)
    np.testing.assert_array_equal(transformer.history_, rows[-12:])
    assert SlidingWindowTransformer(1).fit(rows).history_.shape == (0, 2)
    assert SlidingWindowTransformer(200).fit(rows).history_.shape == (100, 2)


# ---- flat windows and their names -------------------------------------------------------


def test_flat_columns_are_named_in_their_order():
    X = pd.DataFrame({"load": [0.0, 1, 2, 3], "temperature": [10.0, 11, 12, 13]})
    transformer = SlidingWindowTransformer(3, flatten=True).fit(X)
    assert transformer.get_feature_names_out().tolist() == [
        "load_lag2",
        "load_lag1",
        "load_lag0",
        "temperature_lag2",
        "temperature_lag1",
        "temperature_lag0",
    ]
    np.testing.assert_array_equal(transformer.transform(X)[-1], [1, 2, 3, 11, 12, 13])


def test_names_count_rows_back_when_dilated():
    transformer = SlidingWindowTransformer(24, flatten=True).fit(numbered(30))
    names = transformer.get_feature_names_out(["load"]).tolist()
    assert names == [f"load_lag{lag}" for lag in range(23, -1, -1)]
    transformer.set_params(window_size=3, dilation=7).fit(numbered(30))
    assert transformer.get_feature_names_out().tolist() == ["x0_lag14", "x0_lag7", "x0_lag0"]


def test_windows_with_three_dimensions_have_no_names():
    transformer = SlidingWindowTransformer(3).fit(numbered(9))
    assert not hasattr(transformer, "get_feature_names_out")
    with pytest.raises(AttributeError, match="get_feature_names_out") as error:
        transformer.get_feature_names_out()
    assert "Set flatten=True" in str(error.value.__cause__)


@pytest.mark.parametrize("padding", ["nan", "edge"])
def test_flat_pandas_windows_keep_index_and_names(padding):
    X = pd.DataFrame(
        numbered(8, 2), columns=["a", "b"], index=pd.date_range("2024-01-01", periods=8, freq="h")
    )
    transformer = SlidingWindowTransformer(3, flatten=True, padding=padding)
    transformer.set_output(transform="pandas")
    fitted = transformer.fit_transform(X[:5])
    later = transformer.transform(X[5:])
    both = pd.concat([fitted, later])
    assert both.index.equals(X.index)
    assert list(both.columns) == list(transformer.get_feature_names_out())
    plain = windows_of_series(X.to_numpy(), window_size=3, flatten=True, padding=padding)
    np.testing.assert_array_equal(both, plain)


def test_flat_polars_windows_keep_names():
    X = pl.DataFrame({"a": [1.0, 2.0, 3.0], "b": [4.0, 5.0, 6.0]})
    transformer = SlidingWindowTransformer(2, flatten=True, padding="edge")
    windows = transformer.set_output(transform="polars").fit_transform(X)
    assert windows.columns == ["a_lag1", "a_lag0", "b_lag1", "b_lag0"]
    assert windows.rows() == [(1, 1, 4, 4), (1, 2, 4, 5), (2, 3, 5, 6)]


@little_history
@pytest.mark.parametrize("how", ["set_output", "set_config"])
def test_pandas_output_of_a_whole_pipeline_leaves_windows_an_array(how):
    X = pd.DataFrame(
        np.random.default_rng(0).normal(size=(60, 2)),
        columns=["a", "b"],
        index=pd.date_range("2024-01-01", periods=60),
    )
    pipe = make_pipeline(StandardScaler(), SlidingWindowTransformer(4), KeepsWindows())
    setting = {"transform_output": "pandas"} if how == "set_config" else {}
    with sklearn.config_context(**setting):
        if how == "set_output":
            pipe.set_output(transform="pandas")
        pipe.fit(X[:40], np.zeros(40)).predict(X[45:])
    assert type(pipe[-1].fitted_on_) is np.ndarray
    assert type(pipe[-1].predicted_on_) is np.ndarray
    # The scaler passes the index on to the windows: five days are missing.
    scaled = pipe[0].transform(X)
    known = dict(enumerate(np.asarray(scaled)))
    known = {position: row for position, row in known.items() if not 40 <= position < 45}
    np.testing.assert_array_equal(
        pipe[-1].predicted_on_, looped_windows(known, range(45, 60), window_size=4)
    )


@pytest.mark.parametrize("flatten", [False, True])
def test_flatten_decides_what_pandas_output_means_also_when_set_later(flatten):
    X = pd.DataFrame({"a": [1.0, 2.0, 3.0]})
    transformer = SlidingWindowTransformer(2, flatten=not flatten).set_output(transform="pandas")
    windows = transformer.set_params(flatten=flatten).fit_transform(X)
    assert type(windows) is (pd.DataFrame if flatten else np.ndarray)


def test_flat_windows_feed_any_regressor():
    series = np.sin(np.arange(200.0))[:, np.newaxis]
    pipe = make_pipeline(SlidingWindowTransformer(4, flatten=True, padding="edge"), Ridge(1e-6))
    pipe.fit(series[:-1], series[1:, 0])
    assert pipe.score(series[:-1], series[1:, 0]) > 0.99


# ---- history: rows that follow the fitted ones ------------------------------------------

REGULAR = {
    "range": lambda n: pd.RangeIndex(n),
    "range from 100": lambda n: pd.RangeIndex(100, 100 + n),
    "range of threes": lambda n: pd.RangeIndex(0, 3 * n, 3),
    "negative range": lambda n: pd.RangeIndex(-n, 0),
    "integers": lambda n: pd.Index(np.arange(n, dtype=np.int32)),
    "hourly": lambda n: pd.date_range("2024-02-28", periods=n, freq="h"),
    "hourly in seconds": lambda n: pd.date_range("2024-02-28", periods=n, freq="h", unit="s"),
    "daily": lambda n: pd.date_range("2024-02-01", periods=n),
    "weekly": lambda n: pd.date_range("2024-02-01", periods=n, freq="W"),
    "month end": lambda n: pd.date_range("2023-01-31", periods=n, freq="ME"),
    "month start": lambda n: pd.date_range("2023-01-01", periods=n, freq="MS"),
    "quarter": lambda n: pd.date_range("2000-03-31", periods=n, freq="QE"),
    "year": lambda n: pd.date_range("1901-01-01", periods=n, freq="YS"),
    "local hours": lambda n: pd.date_range(
        "2024-03-30", periods=n, freq="h", tz="America/New_York"
    ),
    "local days, spring": lambda n: pd.date_range("2024-03-01", periods=n, tz="Europe/Berlin"),
    "local days, autumn": lambda n: pd.date_range("2024-10-01", periods=n, tz="Europe/Berlin"),
    "monthly periods": lambda n: pd.period_range("2023-01", periods=n, freq="M"),
    "hourly periods": lambda n: pd.period_range("2023-01-01", periods=n, freq="h"),
    "time since": lambda n: pd.timedelta_range("1h", periods=n, freq="15min"),
}
IRREGULAR = {
    "irregular times": lambda n: (
        pd.Timestamp("2024-01-01")
        + pd.to_timedelta(np.random.default_rng(0).integers(1, 9999, n).cumsum(), unit="s")
    ),
    "floats": lambda n: pd.Index(np.random.default_rng(0).random(n).cumsum()),
    "text": lambda n: pd.Index([f"row {row:04d}" for row in range(n)]),
    "business days": lambda n: pd.bdate_range("2024-02-01", periods=n),
    "holidays": lambda n: pd.bdate_range("2024-02-01", periods=n + 2).delete([7, 30]),
}
ANY_INDEX = {**REGULAR, **IRREGULAR}
TIMES = {name: index for name, index in ANY_INDEX.items() if name != "text"}


def frame(index, n_features=2):
    return pd.DataFrame(
        numbered(len(index), n_features), index=index, columns=[*"abcd"[:n_features]]
    )


WITHOUT_INDEX = {
    "numpy": lambda rows: rows,
    "list": lambda rows: rows.tolist(),
    "polars": lambda rows: pl.DataFrame(rows, schema=["a", "b"][: rows.shape[1]]),
    "default index": lambda rows: pd.DataFrame(rows),
    "text index": lambda rows: pd.DataFrame(rows, index=[f"r{row:.0f}" for row in rows[:, 0]]),
}


@pytest.fixture(params=WITHOUT_INDEX)
def container(request):
    """Make a container whose rows have no index in time."""
    return WITHOUT_INDEX[request.param]


@pytest.fixture(params=["nan", "edge"])
def padding(request):
    return request.param


@pytest.mark.family("equal bits")
@pytest.mark.parametrize("n_fitted", [1, 2, 3, 20, 59])
def test_rows_without_an_index_follow_the_fitted_ones(container, n_fitted, padding):
    rows = numbered(60, 2)
    transformer = SlidingWindowTransformer(4, dilation=3, padding=padding)
    transformer.fit(container(rows[:n_fitted]))
    np.testing.assert_array_equal(
        transformer.transform(container(rows[n_fitted:])),
        windows_of_series(rows, window_size=4, dilation=3, padding=padding)[n_fitted:],
    )


@pytest.mark.family("equal bits")
@pytest.mark.parametrize("n_fitted", [1, 2, 3, 20, 59])
@pytest.mark.parametrize("name", ANY_INDEX)
def test_rows_after_the_fitted_ones_by_index_get_them_as_history(name, n_fitted, padding):
    if name in ("business days", "holidays"):
        n_fitted += 10  # a week or more is needed to recognise business days
    X = frame(ANY_INDEX[name](75))
    transformer = SlidingWindowTransformer(4, dilation=3, padding=padding).fit(X[:n_fitted])
    expected = windows_of_series(X, window_size=4, dilation=3, padding=padding)
    np.testing.assert_array_equal(transformer.transform(X[n_fitted:]), expected[n_fitted:])
    plain = windows_of_series(X.to_numpy(), window_size=4, dilation=3, padding=padding)
    np.testing.assert_array_equal(expected, plain)


def positions_around(lengths, holes):
    """Count the steps up to each row, for stretches of rows of these lengths with holes between."""
    positions = []
    for length, hole in zip(lengths, [0, *holes], strict=False):
        start = positions[-1] + 1 + hole if positions else 0
        positions += range(start, start + length)
    return positions


FREQUENCIES = {
    "range from 100": 1,
    "hourly": "h",
    "daily": "D",
    "month start": "MS",
    "monthly periods": "M",
}


@little_history
@quick
@given(
    lengths=st.lists(st.integers(3, 12), min_size=1, max_size=3),
    holes=st.lists(st.integers(1, 12), min_size=2, max_size=2),
    n_fitted=st.integers(3, 36),
    window_size=st.integers(1, 6),
    dilation=st.integers(1, 3),
    padding=st.sampled_from(["nan", "edge"]),
    kind=st.sampled_from(list(FREQUENCIES)),
)
def test_holes_anywhere_are_missing_rows(
    lengths, holes, n_fitted, window_size, dilation, padding, kind
):
    positions = positions_around(lengths, holes)
    n_fitted = min(n_fitted, len(positions))
    X = frame(REGULAR[kind](positions[-1] + 1)[positions])
    known = dict(zip(positions, X.to_numpy(), strict=True))
    expected = looped_windows(known, positions, window_size, dilation, padding)
    freq = FREQUENCIES[kind]  # few rows with two holes may look like nights
    transformer = SlidingWindowTransformer(
        window_size, dilation=dilation, freq=freq, padding=padding
    )
    np.testing.assert_array_equal(transformer.fit_transform(X), expected)
    transformer.fit(X[:n_fitted])
    if n_fitted < len(positions):
        np.testing.assert_array_equal(transformer.transform(X[n_fitted:]), expected[n_fitted:])
    for row in range(n_fitted, len(X)):
        np.testing.assert_array_equal(transformer.transform(X[row : row + 1])[0], expected[row])
        transformer.partial_fit(X[row : row + 1])


@little_history
@settings(quick, max_examples=500)
@given(
    lengths=st.lists(st.integers(3, 12), min_size=1, max_size=3),
    holes=st.lists(st.integers(1, 12), min_size=2, max_size=2),
    n_fitted=st.integers(3, 36),
    window_size=st.integers(1, 6),
    dilation=st.integers(1, 3),
    padding=st.sampled_from(["nan", "edge"]),
    history=st.sampled_from(["auto", "none"]),
    dtype=st.sampled_from([np.float32, np.float64]),
    cuts=st.lists(
        st.sampled_from([np.s_[1:], np.s_[::-1], np.s_[-9::2], [0, -1, 0], []]), max_size=3
    ),
)
def test_rows_picked_from_windows_around_holes_equal_a_loop(
    lengths, holes, n_fitted, window_size, dilation, padding, history, dtype, cuts
):
    positions = positions_around(lengths, holes)
    X = frame(REGULAR["hourly"](positions[-1] + 1)[positions]).astype(dtype)
    params = dict(dilation=dilation, freq="h", padding=padding, history=history)
    transformer = SlidingWindowTransformer(window_size, **params).fit(X[:n_fitted])
    later = slice(n_fitted if n_fitted < len(X) else 0, None)
    windows = transformer.transform(X[later])
    at = slice(None) if history == "auto" else later  # the rows that windows may hold
    known = dict(zip(positions[at], X[at].to_numpy(), strict=True))
    expected = looped_windows(known, positions[later], window_size, dilation, padding)
    for cut in cuts:
        cut = cut if isinstance(cut, slice) or len(expected) else []
        windows, expected = windows[cut], expected[cut]
    np.testing.assert_array_equal(np.asarray(windows), expected)
    assert windows.dtype == dtype


@pytest.mark.parametrize("history", ["auto", "none"])
@pytest.mark.parametrize("name", ANY_INDEX)
def test_fitted_rows_prefixes_and_longer_frames_start_the_series(name, history):
    X = frame(ANY_INDEX[name](60))
    transformer = SlidingWindowTransformer(5, history=history).fit(X[:40])
    expected = windows_of_series(X, window_size=5)
    for n_rows in (1, 2, 7, 39, 40, 41, 60):
        np.testing.assert_array_equal(transformer.transform(X[:n_rows]), expected[:n_rows])


def test_fitted_rows_prefixes_and_longer_arrays_start_the_series(container):
    rows = numbered(90, 2)
    transformer = SlidingWindowTransformer(5).fit(container(rows[:70]))
    expected = windows_of_series(rows, window_size=5)
    for n_rows in (1, 2, 7, 64, 65, 70, 71, 90):
        windows = transformer.transform(container(rows[:n_rows]))
        np.testing.assert_array_equal(windows, expected[:n_rows])


def test_a_prefix_is_recognised_when_an_earlier_step_rounds_it_otherwise():
    rows = np.random.default_rng(0).normal(size=(80, 2))
    transformer = SlidingWindowTransformer(5).fit(rows)
    windows = transformer.transform(rows[:9] * (1 + 1e-12))
    assert np.isnan(windows[0, :-1]).all()


@little_history
@pytest.mark.parametrize("gap", [0, 1, 2, 3, 10, 25])
@pytest.mark.parametrize("name", REGULAR)
def test_the_gap_of_a_time_series_split_is_missing_rows_with_an_index(name, gap, padding):
    X = frame(REGULAR[name](120))
    for fitted, test in TimeSeriesSplit(n_splits=2, gap=gap).split(X):
        transformer = SlidingWindowTransformer(4, dilation=2, padding=padding).fit(X.iloc[fitted])
        known = {position: X.to_numpy()[position] for position in [*fitted, *test]}
        np.testing.assert_array_equal(
            transformer.transform(X.iloc[test]), looped_windows(known, test, 4, 2, padding)
        )


@pytest.mark.parametrize("gap", [0, 1, 3, 25])
@pytest.mark.parametrize("name", WITHOUT_INDEX)
def test_the_gap_of_a_time_series_split_is_closed_up_without_an_index(name, gap):
    rows = numbered(90, 2)
    for fitted, test in TimeSeriesSplit(n_splits=2, gap=gap).split(rows):
        transformer = SlidingWindowTransformer(4).fit(WITHOUT_INDEX[name](rows[fitted]))
        windows = transformer.transform(WITHOUT_INDEX[name](rows[test]))
        closed_up = windows_of_series(rows[[*fitted, *test]], window_size=4)
        np.testing.assert_array_equal(windows, closed_up[-len(test) :])


@pytest.mark.parametrize("name", [name for name in TIMES if name != "range from 100"])
def test_a_reset_index_follows_the_rule_for_arrays(name):
    X = frame(TIMES[name](60))
    transformer = SlidingWindowTransformer(4).fit(X[:40])
    expected = windows_of_series(X.to_numpy(), window_size=4)
    windows = transformer.transform(X[40:].reset_index(drop=True))
    np.testing.assert_array_equal(windows, expected[40:])
    windows = transformer.transform(X[:7].reset_index(drop=True))
    np.testing.assert_array_equal(windows, expected[:7])


def test_a_range_from_zero_before_a_fitted_range_is_an_index():
    X = frame(pd.RangeIndex(60))
    transformer = SlidingWindowTransformer(4).fit(X[20:])
    windows = transformer.transform(X[:20])
    np.testing.assert_array_equal(windows, windows_of_series(X[:20], window_size=4))


def test_a_range_that_goes_on_is_an_index():
    X = frame(pd.RangeIndex(60))
    transformer = SlidingWindowTransformer(3).fit(X[:40])
    windows = transformer.transform(X[41:])
    np.testing.assert_array_equal(windows[0, :, 0], [78.0, NAN, 82.0])


@pytest.mark.parametrize("n_missing", [1, 2, 3, 50])
def test_a_hole_inside_one_call_is_missing_rows(n_missing, padding):
    positions = [*range(10), *range(10 + n_missing, 20 + n_missing)]
    X = frame(REGULAR["hourly"](80)[positions])
    known = dict(zip(positions, X.to_numpy(), strict=True))
    windows = windows_of_series(X, window_size=3, padding=padding)
    np.testing.assert_array_equal(windows, looped_windows(known, positions, 3, 1, padding))
    with pytest.raises(ValueError, match="read-only"):
        windows[0, 0, 0] = 1.0


def test_a_hole_is_filled_with_the_row_before_it_with_edge():
    X = frame(pd.RangeIndex(9).delete([4, 5]), n_features=1)  # values 0, 1, 2, 3 and 4, 5, 6
    windows = windows_of_series(X, window_size=4, padding="edge")
    np.testing.assert_array_equal(
        windows[:, :, 0],
        [
            [0, 0, 0, 0],
            [0, 0, 0, 1],
            [0, 0, 1, 2],
            [0, 1, 2, 3],
            [3, 3, 3, 4],
            [3, 3, 4, 5],
            [3, 4, 5, 6],
        ],
    )


@little_history
@pytest.mark.parametrize("n_missing", [1, 2, 3, 4, 30])
def test_a_hole_after_the_fitted_rows_is_filled_with_the_last_of_them_with_edge(n_missing):
    X = frame(pd.RangeIndex(80))
    transformer = SlidingWindowTransformer(4, padding="edge").fit(X[:40])
    windows = transformer.transform(X[40 + n_missing :])
    filled = np.r_[numbered(40, 2), [[78.0, 79.0]] * n_missing, X[40 + n_missing :]]
    expected = windows_of_series(filled, window_size=4)[40 + n_missing :]
    np.testing.assert_array_equal(windows, expected)


@little_history
def test_windows_are_a_window_array_only_around_a_hole(padding):
    X = frame(REGULAR["hourly"](60))
    for rows, kind in [(X, np.ndarray), (X.drop(X.index[[30]]), WindowArray)]:
        transformer = SlidingWindowTransformer(4, padding=padding).fit(rows[:40])
        assert type(transformer.transform(rows)) is kind
        assert type(transformer.transform(rows[40:])) is np.ndarray  # the hole is before them
        assert type(transformer.transform(rows[25:26])) is np.ndarray
        for container in ("pandas", "polars", "default"):
            with sklearn.config_context(transform_output=container):
                assert type(transformer.transform(rows)) is kind
    one_step = SlidingWindowTransformer(1, padding=padding).fit_transform(rows)
    assert type(one_step) is np.ndarray  # rows of one step have no hole between them
    np.testing.assert_array_equal(one_step[:, 0], rows)


@pytest.mark.parametrize("dilation", [1, 3])
def test_flat_windows_around_a_hole_hold_the_steps_of_the_others(dilation, padding):
    X = frame(REGULAR["hourly"](80)).drop(REGULAR["hourly"](80)[[20, 21, 50]])
    params = dict(window_size=4, dilation=dilation, padding=padding)
    windows = np.asarray(windows_of_series(X, **params))
    flat = windows_of_series(X, flatten=True, **params)
    np.testing.assert_array_equal(flat, windows.transpose(0, 2, 1).reshape(len(X), -1))
    assert flat.flags.writeable


def test_a_hole_of_years_costs_no_memory():
    index = pd.date_range("1950-01-01", periods=50, freq="s").append(
        pd.date_range("2020-01-01", periods=50, freq="s")
    )
    windows = windows_of_series(frame(index, n_features=1), window_size=3)
    np.testing.assert_array_equal(
        windows[50:53, :, 0], [[NAN, NAN, 50], [NAN, 50, 51], [50, 51, 52]]
    )


def test_history_none_lets_every_call_stand_alone(padding):
    X = frame(pd.date_range("2024-01-01", periods=60)).set_axis([0, 1], axis=1)
    transformer = SlidingWindowTransformer(4, history="none", padding=padding).fit(X[:40])
    for rows in (X[40:], X[40:].to_numpy(), X[45:].reset_index(drop=True), X[3:8]):
        alone = windows_of_series(np.asarray(rows), window_size=4, padding=padding)
        np.testing.assert_array_equal(transformer.transform(rows), alone)


def test_history_after_new_parameters_is_as_long_as_was_kept():
    transformer = SlidingWindowTransformer(3).fit(numbered(9))
    windows = transformer.set_params(window_size=5).transform([[9.0]])
    np.testing.assert_array_equal(windows[0, :, 0], [NAN, NAN, 7, 8, 9])
    windows = transformer.set_params(window_size=2).transform([[9.0]])
    np.testing.assert_array_equal(windows[0, :, 0], [8, 9])


# ---- history: rows equal to the fitted ones by chance -----------------------------------


@by_chance
def test_a_constant_array_gets_no_history(container):
    rows = np.full((80, 2), 3.0)
    transformer = SlidingWindowTransformer(4).fit(container(rows))
    windows = transformer.transform(container(rows[:10]))
    np.testing.assert_array_equal(windows, windows_of_series(rows[:10], window_size=4))


def test_a_constant_series_gets_its_history_with_an_index():
    X = pd.DataFrame({"a": np.full(80, 3.0)}, index=pd.date_range("2024-01-01", periods=80))
    windows = SlidingWindowTransformer(4).fit(X[:70]).transform(X[70:])
    assert (windows == 3.0).all()


@by_chance
@pytest.mark.parametrize("n_rows", [12, 63, 64, 80])
def test_a_repeating_array_gets_no_history_when_it_begins_as_the_fitted_rows_began(n_rows):
    rows = np.tile(numbered(12, 2), (20, 1))
    transformer = SlidingWindowTransformer(4).fit(rows[:120])
    windows = transformer.transform(rows[120 : 120 + n_rows])
    np.testing.assert_array_equal(windows, windows_of_series(rows, window_size=4)[:n_rows])


@pytest.mark.parametrize("n_rows", [1, 12, 80])
def test_a_repeating_array_gets_its_history_when_it_begins_elsewhere(n_rows):
    rows = np.tile(numbered(12, 2), (20, 1))
    transformer = SlidingWindowTransformer(4).fit(rows[:125])
    windows = transformer.transform(rows[125 : 125 + n_rows])
    expected = windows_of_series(rows, window_size=4)[125 : 125 + n_rows]
    np.testing.assert_array_equal(windows, expected)


@pytest.mark.parametrize(
    ("window_size", "compared"), [(4, 64), (60, 64), (101, 100)], ids=["short", "60", "long"]
)
def test_the_first_64_rows_or_a_window_decide_whether_rows_begin_as_the_fitted(
    window_size, compared
):
    rows = numbered(300)
    transformer = SlidingWindowTransformer(window_size).fit(rows)
    for n_equal, follows in ((compared - 1, True), (compared, False)):
        later = np.r_[rows[:n_equal], 1e6 + rows]
        windows = transformer.transform(later)
        assert windows[0, 0, 0] == rows[1 - window_size, 0] if follows else np.isnan(windows[0, 0])


def test_small_differences_beside_a_large_value_are_differences():
    rows = (101_325 + np.random.default_rng(0).normal(size=(200, 1)) / 3).astype(np.float32)
    windows = SlidingWindowTransformer(4).fit(rows[:100]).transform(rows[100:])
    np.testing.assert_array_equal(windows, windows_of_series(rows, window_size=4)[100:])


# ---- no row from the future -------------------------------------------------------------


def assert_no_later_row(windows, ends):
    """Check that each window holds no row after its own; values of the series are positions."""
    latest = np.nanmax(windows, axis=(1, 2))
    np.testing.assert_array_equal(latest, ends)


@little_history
@pytest.mark.parametrize("n_splits", [2, 3, 5])
@pytest.mark.parametrize("name", TIMES)
def test_folds_before_or_amid_the_fitted_rows_never_show_a_later_row(name, n_splits, padding):
    X = frame(TIMES[name](90), n_features=1)
    freq = "rows" if name in ("business days", "holidays") else "auto"  # a fold is a long hole
    for fitted, test in KFold(n_splits).split(X):
        transformer = SlidingWindowTransformer(5, dilation=2, freq=freq, padding=padding)
        transformer.fit(X.iloc[fitted])
        assert_no_later_row(transformer.transform(X.iloc[test]), test)
        assert_no_later_row(transformer.transform(X.iloc[fitted]), fitted)
        assert_no_later_row(transformer.transform(X), range(90))


@little_history
def test_dates_as_text_in_order_never_show_a_later_row():
    X = frame(REGULAR["daily"](90).strftime("%Y-%m-%d"), n_features=1)
    for fitted, test in KFold(3).split(X):
        windows = SlidingWindowTransformer(5).fit(X.iloc[fitted]).transform(X.iloc[test])
        assert_no_later_row(windows, test)


@little_history
@pytest.mark.parametrize("name", TIMES)
def test_any_stretch_of_the_fitted_rows_never_shows_a_later_row(name, padding):
    X = frame(TIMES[name](90), n_features=1)
    transformer = SlidingWindowTransformer(9, padding=padding).fit(X)
    for start in (0, 1, 40, 80, 84, 89):
        for n_rows in (1, 2, 6):
            stretch = np.arange(start, min(start + n_rows, 90))
            assert_no_later_row(transformer.transform(X.iloc[stretch]), stretch)


@little_history
def test_the_last_fitted_rows_get_the_kept_rows_before_them():
    X = frame(pd.date_range("2024-01-01", periods=90), n_features=1)
    windows = SlidingWindowTransformer(9).fit(X).transform(X[86:])
    np.testing.assert_array_equal(windows[0, :, 0], [NAN] * 4 + [82, 83, 84, 85, 86])


@pytest.mark.parametrize(
    ("fitted", "later", "off"),
    [
        (
            pd.date_range("2023-01-01", periods=15, freq="MS"),
            pd.date_range("2024-04-01", periods=15, freq="10D"),
            1,
        ),
        (
            pd.date_range("2024-10-01", periods=40, tz="Europe/Berlin") + pd.Timedelta(hours=2),
            pd.date_range("2025-10-26", periods=4, freq="h", tz="Europe/Berlin"),
            0,
        ),
        (
            pd.date_range("2024-01-01", periods=15, freq="h"),
            pd.date_range("2024-01-02", periods=15, freq="7min"),
            1,
        ),
        (
            pd.date_range("2024-01-01", periods=15, freq="h"),
            pd.DatetimeIndex(["2024-01-02 00:00", "2024-01-02 01:00", "2024-01-09 07:13"]),
            2,
        ),
        (pd.RangeIndex(0, 30, 2), pd.Index([30, 32, 35]), 2),
        (pd.timedelta_range("0h", periods=9, freq="h"), pd.to_timedelta(["9h", "9h30min"]), 1),
    ],
    ids=["days after months", "hour twice", "minutes", "late one", "odd", "half an hour"],
)
def test_labels_off_the_fitted_grid_are_refused_by_name(fitted, later, off):
    X = frame(fitted.append(later), n_features=1)
    transformer = SlidingWindowTransformer(4).fit(X[: len(fitted)])
    for use in (transformer.transform, transformer.partial_fit):
        with pytest.raises(ValueError, match="off the grid.*or say freq='rows'") as error:
            use(X[len(fitted) :])
        assert f"The label {label_text(later[off])} in" in str(error.value)
    rows = SlidingWindowTransformer(4, freq="rows").fit(X[: len(fitted)])
    windows = rows.transform(X[len(fitted) :])
    np.testing.assert_array_equal(windows[:, -1, 0], np.arange(len(fitted), len(X)))
    assert_no_later_row(windows, np.arange(len(fitted), len(X)))


def test_weekends_after_business_days_follow_as_rows(padding):
    labels = pd.bdate_range("2024-01-01", periods=15).append(
        pd.date_range("2024-01-22", periods=15)
    )
    X = frame(labels, n_features=1)
    transformer = SlidingWindowTransformer(4, padding=padding).fit(X[:15])
    expected = windows_of_series(X.to_numpy(), window_size=4, padding=padding)
    np.testing.assert_array_equal(transformer.transform(X[15:]), expected[15:])


@little_history
def test_windows_do_not_change_with_the_labels_of_later_rows():
    labels = [*range(40), *range(50, 60)]
    X = frame(pd.Index(labels) * 10)
    windows = SlidingWindowTransformer(4).fit(X[:40]).transform(X[40:])
    later = frame(pd.Index([*(10 * label for label in labels), 780]))
    changed = SlidingWindowTransformer(4).fit(later[:40]).transform(later[40:])
    np.testing.assert_array_equal(changed[:-1], windows)


# ---- an index that is not one series in time ---------------------------------------------

NO_SERIES = {
    "decreasing": (pd.RangeIndex(19, -1, -1), "index of X is not increasing.*sort_index"),
    "shuffled": (
        pd.Index(np.random.default_rng(0).permutation(20)),
        "index of X is not increasing.*TimeSeriesSplit",
    ),
    "duplicated": (pd.Index(np.repeat(np.arange(10), 2)), r"duplicates \(first: .*0.*reset_index"),
    "NaT": (pd.date_range("2024-01-01", periods=19).append(pd.DatetimeIndex([pd.NaT])), "missing"),
    "NaN": (pd.Index([*np.arange(19.0), NAN]), "missing labels"),
}


@pytest.mark.parametrize("name", NO_SERIES)
def test_an_index_that_is_no_series_in_time_order_is_refused(name):
    index, message = NO_SERIES[name]
    X = frame(index)
    with pytest.raises(ValueError, match=message):
        SlidingWindowTransformer(3).fit(X)
    with pytest.raises(ValueError, match=message):
        SlidingWindowTransformer(3).fit(frame(pd.RangeIndex(20))).transform(X)


def fit_and_transform(fitted, test):
    SlidingWindowTransformer(3).fit(fitted).transform(test)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n_splits", [2, 3, 5, 10, 20])
@pytest.mark.parametrize("name", ["range", "hourly", "month end", "hourly periods"])
def test_a_shuffled_k_fold_is_refused(name, n_splits, seed):
    X = frame(REGULAR[name](300))
    fitted, test = next(KFold(n_splits, shuffle=True, random_state=seed).split(X))
    with pytest.raises(ValueError, match="rows were picked from a series .*shuffle=True"):
        fit_and_transform(X.iloc[fitted], X.iloc[test])


@pytest.mark.parametrize("name", TIMES)
def test_a_shuffle_split_is_refused(name):
    X = frame(TIMES[name](90))
    fitted, test = next(ShuffleSplit(random_state=0).split(X))
    with pytest.raises(ValueError, match="not increasing.*splitter that keeps their order"):
        SlidingWindowTransformer(3).fit(X.iloc[fitted])
    with pytest.raises(ValueError, match="not increasing.*splitter that keeps their order"):
        SlidingWindowTransformer(3).fit(X[:20]).transform(X.iloc[test])


@pytest.mark.parametrize(
    ("order", "message"),
    [
        (lambda drawn: drawn, "not increasing"),
        (np.sort, "duplicates.*Bootstrapped rows"),
        (np.unique, "rows were picked from a series"),
    ],
    ids=["as drawn", "sorted", "unique"],
)
@pytest.mark.parametrize("name", ["range", "hourly", "month end", "hourly periods"])
def test_bootstrapped_rows_are_refused(name, order, message):
    X = frame(REGULAR[name](300))
    drawn = order(np.random.default_rng(0).integers(300, size=300))
    with pytest.raises(ValueError, match=message):
        SlidingWindowTransformer(3).fit(X.iloc[drawn])


@pytest.mark.parametrize("name", ["range", "hourly", "month end", "hourly periods"])
def test_every_24th_of_the_rows_is_refused(name):
    X = frame(REGULAR[name](600))
    with pytest.raises(ValueError, match="rows were picked from a series .*every k-th row"):
        fit_and_transform(X[:400], X[400::24])


@pytest.mark.parametrize("name", ["range", "hourly"])
def test_a_few_holes_are_not_taken_for_picked_rows(name):
    kept = np.delete(np.arange(300), [7, 40, 41, 42, 90, 150, *range(200, 240)])
    X = frame(REGULAR[name](300)[kept], n_features=1)
    windows = windows_of_series(X, window_size=3)
    np.testing.assert_array_equal(np.isnan(windows).any(axis=(1, 2)).sum(), 2 + 5 * 2)


@pytest.mark.parametrize(
    ("fitted", "passed", "message"),
    [
        ("daily", "range of threes", "'integer', but that of the fitted rows was 'datetime'"),
        ("daily", "local days, spring", "'datetime with a time zone'.*'datetime'.*local times"),
        ("monthly periods", "hourly periods", r"'period\[h\]'.*'period\[M\]'"),
        ("range from 100", "daily", "'datetime'.*'integer'.*reset_index"),
    ],
)
def test_labels_of_another_kind_are_refused(fitted, passed, message):
    transformer = SlidingWindowTransformer(3).fit(frame(REGULAR[fitted](20)))
    with pytest.raises(ValueError, match=message):
        transformer.transform(frame(REGULAR[passed](20)))


@pytest.mark.parametrize("name", TIMES)
def test_rows_with_an_index_follow_fitted_rows_without_one(name):
    X = frame(TIMES[name](60)).set_axis([0, 1], axis=1).rename(columns=str)
    transformer = SlidingWindowTransformer(4).fit(pl.from_pandas(X[:40]))
    expected = windows_of_series(X.to_numpy(), window_size=4)
    np.testing.assert_array_equal(transformer.transform(X[40:]), expected[40:])
    with pytest.raises(ValueError, match="not increasing"):
        transformer.transform(X[::-1])


# ---- partial_fit -------------------------------------------------------------------------


def test_partial_fit_appends_rows(container, padding):
    rows = numbered(60, 2)
    transformer = SlidingWindowTransformer(9, padding=padding)
    for start, end in ((0, 1), (1, 3), (3, 30), (30, 31), (31, 33)):
        assert transformer.partial_fit(container(rows[start:end])) is transformer
    np.testing.assert_array_equal(
        transformer.transform(container(rows[33:])),
        windows_of_series(rows, window_size=9, padding=padding)[33:],
    )


@pytest.mark.parametrize("steps", [(0, 10, 30, 33), (0, 20, 21, 22)])
@pytest.mark.parametrize("name", ANY_INDEX)
def test_partial_fit_appends_rows_by_index(name, steps, padding):
    X = frame(ANY_INDEX[name](60))
    transformer = SlidingWindowTransformer(9, padding=padding)
    for start, end in pairwise(steps):
        transformer.partial_fit(X[start:end])
    expected = windows_of_series(X, window_size=9, padding=padding)
    np.testing.assert_array_equal(transformer.transform(X[end:]), expected[end:])


def test_partial_fit_leaves_a_hole_of_the_index_open():
    X = frame(pd.date_range("2024-01-01", periods=60), n_features=1)
    transformer = SlidingWindowTransformer(6).fit(X[:40]).partial_fit(X[42:44])
    windows = transformer.transform(X[45:])
    np.testing.assert_array_equal(windows[0, :, 0], [NAN, NAN, 42, 43, NAN, 45])


def test_partial_fit_takes_rows_without_an_index_to_follow_those_with_one():
    X = frame(pd.date_range("2024-01-01", periods=60), n_features=1)
    transformer = SlidingWindowTransformer(6).fit(X[:40].rename(columns={"a": 0}))
    transformer.partial_fit(X[40:42].to_numpy())
    windows = transformer.transform(X[43:].rename(columns={"a": 0}))
    np.testing.assert_array_equal(windows[0, :, 0], [38, 39, 40, 41, NAN, 43])


def test_partial_fit_takes_rows_with_an_index_to_follow_those_without_one():
    X = frame(pd.date_range("2024-01-01", periods=60), n_features=1)
    transformer = SlidingWindowTransformer(6).fit(X[:40].to_numpy())
    transformer.partial_fit(X[40:42].rename(columns={"a": 0}))
    windows = transformer.transform(X[43:].rename(columns={"a": 0}))
    np.testing.assert_array_equal(windows[0, :, 0], [37, 38, 39, 40, 41, 43])


@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize("start", [1, 30, 39])
def test_partial_fit_refuses_rows_that_do_not_follow(name, start):
    X = frame(TIMES[name](60))
    transformer = SlidingWindowTransformer(6).fit(X[:40])
    with pytest.raises(ValueError, match="before the end of the rows seen so far"):
        transformer.partial_fit(X[start:])


# ---- errors, and the state after them ----------------------------------------------------


def test_transform_before_fit_is_refused():
    with pytest.raises(NotFittedError, match="SlidingWindowTransformer instance is not fitted"):
        SlidingWindowTransformer().transform(numbered(9))


@pytest.mark.parametrize("method", ["transform", "partial_fit"])
def test_another_number_of_features_is_refused(method):
    transformer = SlidingWindowTransformer(3).fit(numbered(9, 2))
    with pytest.raises(ValueError, match="X has 3 features, but .* is expecting 2 features"):
        getattr(transformer, method)(numbered(9, 3))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros(9), "Expected 2D array, got 1D array"),
        (pd.Series(np.zeros(9)), "Expected 2D array, got 1D array"),
        (np.zeros((9, 3, 1)), r"got 3D array instead: X has shape \(9, 3, 1\)"),
        (np.zeros((0, 2)), "0 sample"),
        (np.zeros((9, 0)), "0 feature"),
        ([["a"], ["b"]], "could not convert string to float"),
    ],
    ids=["1-D", "Series", "3-D", "no rows", "no features", "text"],
)
def test_what_is_no_table_of_numbers_is_refused(X, message):
    with pytest.raises(ValueError, match=message):
        SlidingWindowTransformer(3).fit(X)


@pytest.mark.parametrize(
    "params",
    [
        {"window_size": 0},
        {"window_size": -3},
        {"window_size": 2.5},
        {"window_size": "24"},
        {"window_size": None},
        {"dilation": 0},
        {"dilation": 1.5},
        {"history": "always"},
        {"history": None},
        {"padding": "zero"},
        {"padding": 0},
        {"flatten": "no"},
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["fit", "fit_transform", "partial_fit"])
def test_an_invalid_parameter_is_refused(params, method):
    name, value = next(iter(params.items()))
    transformer = SlidingWindowTransformer(3).fit(numbered(9)).set_params(**params)
    message = f"The '{name}' parameter of SlidingWindowTransformer must be .* Got {value!r}"
    with pytest.raises(ValueError, match=message):
        getattr(transformer, method)(numbered(9))
    with pytest.raises(ValueError, match=message):
        getattr(clone(transformer), method)(numbered(9))


def with_cell(value, row=5, column=1):
    rows = numbered(9, 3)
    rows[row, column] = value
    return rows


@pytest.mark.parametrize("method", ["fit", "transform", "partial_fit"])
@pytest.mark.parametrize("flatten", [False, True])
@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinity_is_refused(method, flatten, value):
    transformer = SlidingWindowTransformer(3, flatten=flatten).fit(numbered(9, 3))
    with pytest.raises(ValueError, match="Input X contains infinity"):
        getattr(transformer, method)(with_cell(value))


@pytest.mark.parametrize("flatten", [False, True])
def test_a_row_that_is_partly_nan_passes(flatten):
    transformer = SlidingWindowTransformer(3, flatten=flatten)
    windows = transformer.fit_transform(with_cell(NAN))
    expected = looped_windows(dict(enumerate(with_cell(NAN))), range(9), 3)
    if flatten:
        expected = expected.transpose(0, 2, 1).reshape(9, 9)
    np.testing.assert_array_equal(windows, expected)
    history = transformer.partial_fit(with_cell(NAN)[:6]).history_
    np.testing.assert_array_equal(history, with_cell(NAN)[4:6])


@by_chance
@pytest.mark.parametrize("rows", [[5], [0], [8], [0, 1, 2], [3, 5, 7], range(9)], ids=str)
@pytest.mark.parametrize("flatten", [False, True])
def test_a_row_that_is_all_nan_passes(rows, flatten):
    X = numbered(9, 2)
    X[rows] = NAN
    transformer = SlidingWindowTransformer(3, flatten=flatten)
    windows = transformer.fit_transform(X)
    expected = looped_windows(dict(enumerate(X)), range(9), 3)
    if flatten:
        expected = expected.transpose(0, 2, 1).reshape(9, -1)
    np.testing.assert_array_equal(windows, expected)
    np.testing.assert_array_equal(transformer.transform(X[:4]), expected[:4])


def test_a_missing_fitted_row_is_missing_in_the_windows_that_follow():
    rows = numbered(20)
    rows[8] = NAN
    windows = SlidingWindowTransformer(4).fit(rows[:10]).transform(rows[10:])
    np.testing.assert_array_equal(windows[0, :, 0], [7, NAN, 9, 10])


BAD_CALLS = {
    "fit on infinity": ("fit", with_cell(np.inf)),
    "fit on other names": ("fit", pd.DataFrame(with_cell(np.inf), columns=["u", "v", "w"])),
    "fit on another width": ("fit", np.full((9, 1), np.inf)),
    "fit on a shuffled index": ("fit", pd.DataFrame(numbered(3, 3), index=[2, 0, 1])),
    "fit on picked rows": ("fit", pd.DataFrame(numbered(90, 3)).drop(index=range(0, 90, 4))),
    "partial_fit on infinity": ("partial_fit", with_cell(np.inf)),
    "partial_fit on another width": ("partial_fit", numbered(9, 2)),
    "partial_fit on earlier rows": (
        "partial_fit",
        pd.DataFrame(numbered(9, 3), index=pd.date_range("2000-01-01", periods=9)),
    ),
    "partial_fit on another kind": (
        "partial_fit",
        pd.DataFrame(numbered(9, 3), index=range(7, 16)),
    ),
}


@pytest.mark.family("malformed input")
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.filterwarnings("ignore:X has feature names")
@pytest.mark.parametrize("name", BAD_CALLS)
def test_a_failed_call_leaves_the_fitted_transformer_as_it_was(name):
    method, X = BAD_CALLS[name]
    series = pd.DataFrame(numbered(60, 3), index=pd.date_range("2024-01-01", periods=60))
    transformer = SlidingWindowTransformer(5).fit(series[:40])
    before = dict(vars(transformer))
    expected = transformer.transform(series[42:])
    with pytest.raises(ValueError, match="X"):
        getattr(transformer, method)(X)
    assert vars(transformer).keys() == before.keys()
    assert all(value is before[key] for key, value in vars(transformer).items())
    np.testing.assert_array_equal(transformer.transform(series[42:]), expected)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_failed_fit_leaves_an_unfitted_transformer_unfitted(method):
    transformer = SlidingWindowTransformer(3)
    with pytest.raises(ValueError, match="infinity"):
        getattr(transformer, method)(with_cell(np.inf))
    assert vars(transformer) == transformer.get_params()


def test_transform_leaves_the_fitted_transformer_as_it_was():
    X = frame(pd.date_range("2024-01-01", periods=60))
    transformer = SlidingWindowTransformer(5).fit(X[:40])
    before = pickle.dumps(transformer)
    transformer.transform(X[42:])
    transformer.transform(X[:7])
    assert pickle.dumps(transformer) == before


# ---- copies ----------------------------------------------------------------------------


def test_a_pickled_transformer_keeps_its_history():
    X = frame(pd.date_range("2024-01-01", periods=60))
    transformer = SlidingWindowTransformer(5).fit(X[:40])
    copy = pickle.loads(pickle.dumps(transformer))
    np.testing.assert_array_equal(copy.transform(X[42:]), transformer.transform(X[42:]))
    np.testing.assert_array_equal(copy.transform(X[:40]), transformer.transform(X[:40]))


def through_skops(transformer):
    data = skops.io.dumps(transformer)
    types = skops.io.get_untrusted_types(data=data)
    assert types == [f"{SlidingWindowTransformer.__module__}.SlidingWindowTransformer"]
    return skops.io.loads(data, trusted=types)


COPIES = {
    "pickle": lambda transformer: pickle.loads(pickle.dumps(transformer)),
    "skops": through_skops,
}


def plain_types(value):
    """Return the types of all values in a state, without the containers."""
    if isinstance(value, (dict, list, tuple)):
        parts = value.values() if isinstance(value, dict) else value
        return set().union(*map(plain_types, parts))
    if type(value) is np.ndarray and value.dtype == object:
        return set(map(type, value.flat))
    return {type(value)}


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("n_fitted", [1, 2, 40])
@pytest.mark.parametrize("name", ANY_INDEX)
def test_a_copy_goes_on_as_the_original_would(name, n_fitted, how):
    X = frame(ANY_INDEX[name](60))
    transformer = SlidingWindowTransformer(5).fit(X[:n_fitted])
    assert plain_types(transformer.__getstate__()) <= {
        np.ndarray, bool, int, float, str, type(None)
    }  # fmt: skip
    copied = COPIES[how](transformer)
    for rows in (X[:n_fitted], X[n_fitted:], X, X[n_fitted:].reset_index(drop=True)):
        np.testing.assert_array_equal(copied.transform(rows), transformer.transform(rows))
    for copy in (transformer, copied):
        copy.partial_fit(X[n_fitted : n_fitted + 1]).partial_fit(X[n_fitted + 1 : 50])
    expected = windows_of_series(X, window_size=5)[50:]
    np.testing.assert_array_equal(transformer.transform(X[50:]), copied.transform(X[50:]))
    if name not in ("business days", "holidays"):  # recognised only from a week of rows
        np.testing.assert_array_equal(copied.transform(X[50:]), expected)


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("n_fitted", [1, 40])
def test_a_copy_without_an_index_goes_on_as_the_original_would(container, n_fitted, how):
    rows = numbered(60, 2)
    copied = COPIES[how](SlidingWindowTransformer(5).fit(container(rows[:n_fitted])))
    expected = windows_of_series(rows, window_size=5)
    np.testing.assert_array_equal(copied.transform(container(rows[:50])), expected[:50])
    copied.partial_fit(container(rows[n_fitted:50]))
    np.testing.assert_array_equal(copied.transform(container(rows[50:])), expected[50:])


@pytest.mark.parametrize("how", COPIES)
def test_an_unfitted_copy_is_unfitted(how):
    copied = COPIES[how](SlidingWindowTransformer(5, padding="edge"))
    assert vars(copied) == SlidingWindowTransformer(5, padding="edge").get_params()


@pytest.mark.parametrize("how", COPIES)
def test_a_copy_of_one_row_refuses_the_labels_that_the_original_refuses(how):
    X = frame(REGULAR["hourly"](9))
    copied = COPIES[how](SlidingWindowTransformer(5).fit(X[4:5]))
    for start in (0, 4):
        with pytest.raises(ValueError, match="before the end of the rows seen so far"):
            copied.partial_fit(X[start:4] if start == 0 else X[4:])


def test_a_clone_has_no_history():
    transformer = clone(SlidingWindowTransformer(5, dilation=2).fit(numbered(40)))
    assert vars(transformer) == transformer.get_params()


def test_a_pipeline_with_memory_gives_the_same_windows(tmp_path):
    X = frame(pd.date_range("2024-01-01", periods=60))
    for _ in range(2):  # the second fit comes from the cache
        pipe = Pipeline(
            [("window", SlidingWindowTransformer(5)), ("end", KeepsWindows())],
            memory=str(tmp_path),
        )
        pipe.fit(X[:40], np.zeros(40)).predict(X[42:])
        expected = SlidingWindowTransformer(5).fit(X[:40])
        np.testing.assert_array_equal(pipe[-1].fitted_on_, expected.transform(X[:40]))
        np.testing.assert_array_equal(pipe[-1].predicted_on_, expected.transform(X[42:]))
    assert any(tmp_path.rglob("output.pkl"))


def test_the_time_step_of_a_stream_is_known_from_its_second_row():
    X = frame(pd.date_range("2024-01-01", periods=60), n_features=1)
    transformer = SlidingWindowTransformer(4)
    for row in range(20):
        transformer.partial_fit(X[row : row + 1])
    windows = transformer.transform(X[21:])
    np.testing.assert_array_equal(windows[0, :, 0], [18, 19, NAN, 21])
    pickle.dumps(transformer)


def test_dates_as_text_out_of_order_are_refused():
    X = frame(pd.date_range("2024-01-01", periods=60).strftime("%Y-%m-%d"))
    transformer = SlidingWindowTransformer(4).fit(X[:30])
    for shuffled in (X[30:].sample(frac=1, random_state=0), X[30:].iloc[[1, 1, 2]]):
        with pytest.raises(ValueError, match="not increasing|duplicates"):
            transformer.transform(shuffled)


@pytest.mark.parametrize(
    "make",
    [
        lambda rows: pl.DataFrame(rows, schema=["a", "b"]),
        lambda rows: pd.DataFrame(rows, columns=["a", "b"]).astype("Float32"),
    ],
    ids=["polars", "nullable"],
)
def test_float32_stays_float32_in_frames(make):
    X = make(numbered(20, 2).astype(np.float32))
    assert SlidingWindowTransformer(3).fit_transform(X).dtype == np.float32


def test_a_parameter_set_after_the_fit_is_checked():
    transformer = SlidingWindowTransformer(3).fit(numbered(20, 2))
    with pytest.raises(ValueError, match="'window_size' parameter"):
        transformer.set_params(window_size=0).transform(numbered(20, 2))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_tables_of_pyarrow_are_taken_with_their_names(dtype):
    rows = numbered(9, 2, dtype)
    table = pa.table({"a": rows[:, 0], "b": rows[:, 1]})
    transformer = SlidingWindowTransformer(3)
    windows = transformer.fit_transform(table)
    assert windows.dtype == dtype
    np.testing.assert_array_equal(windows, SlidingWindowTransformer(3).fit_transform(rows))
    assert transformer.feature_names_in_.tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="feature names should match"):
        transformer.transform(table.select(["b", "a"]))


def test_masked_rows_are_missing_rows():
    rows = numbered(9, 2)
    mask = np.repeat(np.arange(9) == 4, 2).reshape(9, 2)
    windows = SlidingWindowTransformer(3).fit_transform(np.ma.masked_array(rows, mask))
    known = {position: row for position, row in enumerate(rows) if position != 4}
    np.testing.assert_array_equal(windows, looped_windows(known, range(9), 3))


@pytest.mark.parametrize("step", ["fit", "partial_fit", "fit_transform"])
def test_targets_with_other_labels_are_refused_before_anything_is_learned(step):
    days = pd.date_range("2024-01-01", periods=72, freq="h")
    X = pd.DataFrame(numbered(72, 2), index=days, columns=["a", "b"])
    transformer = SlidingWindowTransformer(3).fit(X[:24], X["a"][:24])
    before = dict(vars(transformer))
    message = "X and y have different indexes.*'2024-01-02' in X, '2024-01-03' in y"
    with pytest.raises(ValueError, match=message):
        getattr(transformer, step)(X[24:48], X["a"][48:])
    assert vars(transformer) == before
    getattr(transformer, step)(X[24:48], X["a"].loc[X.index[24:48]])


def test_the_first_partial_fit_compares_labels_too():
    rows = pd.DataFrame({"a": np.arange(6.0)}, index=np.arange(10, 16))
    with pytest.raises(ValueError, match="X and y have different indexes"):
        SlidingWindowTransformer(3).partial_fit(rows[:3], rows["a"][3:])


@pytest.mark.parametrize(
    "kind",
    [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64],
)
def test_sizes_of_every_integer_type_give_the_same_windows(kind):
    rows = np.arange(100.0)[:, np.newaxis]
    windows = SlidingWindowTransformer(kind(3), dilation=kind(12)).fit_transform(rows)
    assert windows[50, :, 0].tolist() == [26, 38, 50]
    flat = SlidingWindowTransformer(kind(100), dilation=kind(3), flatten=True).fit(rows)
    assert flat.get_feature_names_out()[0] == "x0_lag297"
    assert len(flat.history_) == 100
    np.testing.assert_array_equal(
        flat.transform(rows),
        SlidingWindowTransformer(100, dilation=3, flatten=True).fit_transform(rows),
    )


@pytest.mark.parametrize("window_size", [1, 3])
def test_flat_windows_of_one_feature_are_a_copy(window_size):
    rows = np.arange(5.0)[:, np.newaxis]
    flat = SlidingWindowTransformer(window_size, flatten=True).fit(rows)
    out = flat.transform(rows)
    out[:] = 7
    assert rows[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert flat.transform(rows)[4, -1] == 4
    assert out.flags.owndata or out.base.flags.writeable


def test_an_invalid_window_size_does_not_break_dir():
    assert "transform" in dir(SlidingWindowTransformer("long"))


@pytest.mark.parametrize("index", [pd.date_range("2020", periods=1), [5], ["a"], [1.5]])
def test_a_transformer_fitted_on_one_row_can_be_saved_by_skops(index):
    fitted = SlidingWindowTransformer(2).fit(pd.DataFrame({"a": [1.0]}, index=index))
    data = skops.io.dumps(fitted)
    loaded = skops.io.loads(data, trusted=["sklstm.SlidingWindowTransformer"])
    later = pd.DataFrame({"a": [2.0, 3.0]})
    np.testing.assert_array_equal(loaded.transform(later), fitted.transform(later))


def test_set_output_does_not_change_flatten_meanwhile():
    class Watched(SlidingWindowTransformer):
        def __setattr__(self, name, value):
            assert name != "flatten" or not hasattr(self, "flatten")
            super().__setattr__(name, value)

    windows = Watched(2).set_output(transform="pandas")
    assert windows.set_output(transform=None).flatten is False
    assert isinstance(windows.fit_transform([[1.0], [2.0]]), np.ndarray)


def test_whole_numbers_in_floats_go_on_as_integers_do():
    # Years, as a CSV file with an empty field or a loader of statsmodels holds them.
    years = np.delete(np.arange(1950, 1990), 20)
    frame = pd.DataFrame({"load": np.arange(39.0)}, index=years)
    of_floats = frame.set_axis(years.astype(float))
    for X in (of_floats, pd.concat({"a": of_floats, "b": of_floats})):
        unknown = forecast_targets(X["load"], 1)[:39].isna().to_numpy()
        assert unknown.nonzero()[0].tolist() == [19, 38]
        window = SlidingWindowTransformer(3).fit(X)
        assert window.freq_ == 1
        missing = np.isnan(np.asarray(window.transform(X)))[2:39].any(axis=(1, 2))
        assert (missing.nonzero()[0] + 2).tolist() == [20, 21]
    window = SlidingWindowTransformer(3).fit(frame)
    later = pd.DataFrame({"load": [7.0]}, index=[1991])  # a year was left out
    expected = [[[38.0], [np.nan], [7.0]]]
    np.testing.assert_array_equal(window.transform(later), expected)
    np.testing.assert_array_equal(window.transform(later.set_axis([1991.0])), expected)
    with pytest.raises(ValueError, match="of kind 'floating', but that of the fitted rows was"):
        window.transform(later.set_axis([1991.5]))


@pytest.mark.parametrize("first", [3.0, 3.5])
def test_floats_at_no_regular_times_may_be_whole_by_chance(first):
    fitted = [first, 7.0, 8.0, 20.0, 26.0, 29.0, 33.0, 46.0, 51.0, 60.0]
    rows = np.arange(12.0)[:, np.newaxis]
    window = SlidingWindowTransformer(3).fit(pd.DataFrame(rows[:10], fitted))
    assert window.freq_ == "rows"
    for later in ([61.5, 62.0], [62.0, 63.0]):
        windows = window.transform(pd.DataFrame(rows[10:], later))
        np.testing.assert_array_equal(windows[:, :, 0], [[8, 9, 10], [9, 10, 11]])
