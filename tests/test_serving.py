"""Rows that arrive after the fit are predicted as in one batch, by both ways of the guide."""

import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline, make_pipeline

from sklstm import SlidingWindowTransformer

WINDOW, N_FITTED = 7, 300


def by_passing_the_last_rows(pipe, X, arrivals, reach=WINDOW):
    """Pass the last rows at each arrival, as many as the windows of the new rows reach over."""
    pipe = pickle.loads(pickle.dumps(pipe)).set_params(window__history="none")
    return np.concatenate(
        [pipe.predict(X[new.start - reach + 1 : new.stop])[-len(new) :] for new in arrivals]
    )


def by_the_history(pipe, X, arrivals):
    """Append the new rows to the history after each arrival; save and load in the middle."""
    pipe, predicted = pickle.loads(pickle.dumps(pipe)), []
    for number, new in enumerate(arrivals):
        rows = X[new.start : new.stop]
        predicted.append(pipe.predict(rows))
        before = make_pipeline("passthrough", *pipe[:-2])
        pipe["window"].partial_fit(before.transform(rows))
        if number == len(arrivals) // 2:
            pipe = pickle.loads(pickle.dumps(pipe))
    return np.concatenate(predicted)


def looped_predictions(pipe, X, dilation=1):
    """Predict the rows after the fitted ones from windows that are made by hand, by label."""
    labels = list(X.index) if hasattr(X, "index") else list(range(len(X)))
    step = labels[1] - labels[0]
    rows = X
    for transform in pipe[:-2]:
        rows = transform.transform(rows)
    known = dict(zip(labels, np.asarray(rows, dtype=float), strict=True))
    missing = np.full(X.shape[1], np.nan)
    ago = [lag * dilation * step for lag in reversed(range(WINDOW))]
    windows = [[known.get(label - lag, missing) for lag in ago] for label in labels[N_FITTED:]]
    return pipe[-1].predict(np.array(windows))


def in_steps_of(n_rows, X):
    return [range(t, min(t + n_rows, len(X))) for t in range(N_FITTED, len(X), n_rows)]


def with_a_hole(X):
    """Leave out rows among the new ones, and one between the fitted and the new."""
    return X.drop(X.index[[N_FITTED, 320, 321, 330]])


def as_array_with_missing_rows(X):
    values = X.to_numpy().copy()
    values[[320, 321, 330]] = np.nan
    return values


SERIES = {
    "frame": lambda X: X,
    "frame with holes": with_a_hole,
    "array": lambda X: X.to_numpy(),
    "array with missing rows": as_array_with_missing_rows,
}
WAYS = {"last rows": by_passing_the_last_rows, "history": by_the_history}


@pytest.fixture
def serving_pipe(small_pipe, small_lstm):
    """Fit scaler, windows and network, or windows and network, on the first rows."""

    def make(X, y, scaled=True):
        pipe = small_pipe(WINDOW, index=hasattr(X, "index"))
        if not scaled:
            pipe = Pipeline(pipe.steps[1:])
        return pipe.fit(X[:N_FITTED], np.asarray(y)[:N_FITTED])

    return make


@pytest.mark.family("bit identity")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("n_at_once", [1, 2])
@pytest.mark.parametrize("scaled", [True, False], ids=["scaled", "windows first"])
@pytest.mark.parametrize("series", SERIES)
def test_rows_that_arrive_later_are_predicted_as_in_one_batch(
    serving_pipe, chicago, tomorrow, series, scaled, n_at_once, way
):
    X = SERIES[series](chicago)[: N_FITTED + 41]
    pipe = serving_pipe(X, tomorrow, scaled)
    served = WAYS[way](pipe, X, in_steps_of(n_at_once, X))
    np.testing.assert_array_equal(served, pipe.predict(X)[N_FITTED:])
    np.testing.assert_array_equal(served, looped_predictions(pipe, X))


@pytest.mark.parametrize("way", WAYS)
def test_five_hundred_rows_are_served_as_in_one_batch(serving_pipe, chicago_series, way):
    X = chicago_series[: N_FITTED + 500]
    pipe = serving_pipe(X, X["ridership"])
    served = WAYS[way](pipe, X, in_steps_of(1, X))
    np.testing.assert_array_equal(served, pipe.predict(X)[N_FITTED:])


@pytest.mark.parametrize("index", [True, False])
def test_dilated_windows_need_as_many_rows_as_they_reach_over(small_pipe, chicago, tomorrow, index):
    X = chicago if index else chicago.to_numpy()
    pipe = small_pipe(WINDOW, index=index).set_params(window__dilation=3)
    pipe.fit(X[:N_FITTED], tomorrow.to_numpy()[:N_FITTED])
    X = X[: N_FITTED + 10]
    reach = len(pipe["window"].history_) + 1
    served = by_passing_the_last_rows(pipe, X, in_steps_of(1, X), reach)
    np.testing.assert_array_equal(served, looped_predictions(pipe, X, dilation=3))


@pytest.mark.parametrize("index", [True, False])
@pytest.mark.parametrize("end", [WINDOW, 200, N_FITTED, N_FITTED + 3, N_FITTED + 20, N_FITTED + 90])
def test_the_last_row_has_its_whole_window_wherever_the_rows_lie(
    serving_pipe, chicago, tomorrow, index, end
):
    X = chicago if index else chicago.to_numpy()
    pipe = serving_pipe(X, tomorrow)
    expected = pipe.predict(X)[end - 1]
    pipe.set_params(window__history="none")
    assert pipe.predict(X[end - WINDOW : end])[-1] == expected


@pytest.mark.parametrize(
    ("start", "stop"),
    [(200, 205), (N_FITTED - 2, N_FITTED + 5), (N_FITTED + 50, N_FITTED + 55)],
    ids=["among the fitted", "over their end", "after rows that were never passed"],
)
def test_rows_without_their_history_warn_and_the_advice_is_right(
    serving_pipe, chicago, tomorrow, start, stop
):
    pipe = serving_pipe(chicago, tomorrow)
    expected = pipe.predict(chicago)[start:stop]
    with pytest.warns(UserWarning, match=r"history='none'.*rows before those that you need"):
        predicted = pipe.predict(chicago[start:stop])
    assert (predicted != expected).any()
    pipe.set_params(window__history="none")
    advised = pipe.predict(chicago[start - WINDOW + 1 : stop])[WINDOW - 1 :]
    np.testing.assert_array_equal(advised, expected)


def test_a_forgotten_week_of_rows_warns_and_appending_it_is_right(serving_pipe, chicago, tomorrow):
    pipe = serving_pipe(chicago, tomorrow)
    expected = pipe.predict(chicago)[N_FITTED + 7]
    late = chicago[N_FITTED + 7 : N_FITTED + 8]
    with pytest.warns(UserWarning, match="7 rows are missing, so that 1 of 1 windows"):
        assert pipe.predict(late) != expected
    pipe["window"].partial_fit(pipe[:-2].transform(chicago[N_FITTED : N_FITTED + 7]))
    assert pipe.predict(late) == expected


def test_an_array_is_taken_to_follow_the_last_rows_seen(serving_pipe, chicago, tomorrow):
    X = chicago.to_numpy()
    pipe = serving_pipe(X, tomorrow)
    closed_up = np.delete(X, np.s_[N_FITTED : N_FITTED + 7], axis=0)
    assert pipe.predict(X[N_FITTED + 7 :])[0] == looped_predictions(pipe, closed_up)[0]


@pytest.mark.parametrize("index", [True, False])
@pytest.mark.parametrize("n_rows", [1, 10])  # a Sunday, with few entries as scaled rows have
def test_rows_that_were_not_scaled_warn_and_the_advice_is_right(
    serving_pipe, chicago, tomorrow, index, n_rows
):
    X = chicago if index else chicago.to_numpy()
    pipe = serving_pipe(X, tomorrow)
    expected = pipe.predict(X[: N_FITTED + 20])[N_FITTED + n_rows :]
    new, later = X[N_FITTED : N_FITTED + n_rows], X[N_FITTED + n_rows : N_FITTED + 20]
    wrong, right = (pickle.loads(pickle.dumps(pipe)) for _ in range(2))
    with pytest.warns(UserWarning, match=r"pipe\['window'\].partial_fit\(pipe\[:-2\].transform"):
        wrong["window"].partial_fit(new)
    assert (wrong.predict(later) != expected).any()
    right["window"].partial_fit(right[:-2].transform(new))
    np.testing.assert_array_equal(right.predict(later), expected)


@pytest.mark.filterwarnings("ignore:All values in 1 column:UserWarning")
def test_an_unscaled_frame_after_arrays_warns_of_its_names(serving_pipe, chicago, tomorrow):
    pipe = serving_pipe(chicago.to_numpy(), tomorrow)
    with pytest.warns(UserWarning, match="fitted without feature names"):
        pipe["window"].partial_fit(chicago[N_FITTED : N_FITTED + 1])


@pytest.mark.parametrize("scale", [1, -1e300, 1e-300])
@pytest.mark.parametrize("n_rows", [1, 2])
def test_one_column_outside_twice_the_range_is_named(scale, n_rows):
    rows = np.random.default_rng(0).uniform(size=(40, 3)) * scale
    rows[0], rows[1] = 0, scale
    window = SlidingWindowTransformer(WINDOW).fit(rows)
    new = rows[5 : 5 + n_rows].copy()
    new[:, 2] = -0.99 * scale
    window.partial_fit(new)  # less than the range below it
    window = SlidingWindowTransformer(WINDOW).fit(rows)
    new[:, 2] = -1.01 * scale
    with pytest.warns(UserWarning, match=r"All values in 1 column\(s\) of X, first column 2"):
        window.partial_fit(new)
    np.testing.assert_array_equal(window.history_[-n_rows:], new)


def test_one_usual_value_among_the_new_rows_is_enough():
    window = SlidingWindowTransformer(WINDOW).fit(np.arange(40.0)[:, np.newaxis])
    window.partial_fit([[1e6], [39.0]])


def test_rows_after_few_rows_are_of_any_size():
    window = SlidingWindowTransformer(WINDOW)
    for size in np.logspace(0, 20, 20):
        window.partial_fit([[size]])


def test_missing_and_constant_columns_have_no_range():
    rows = np.random.default_rng(0).uniform(size=(40, 2))
    rows[:, 1] = 3.0
    window = SlidingWindowTransformer(WINDOW, flatten=True).fit(rows)
    window.partial_fit([[0.5, 1e6]]).partial_fit([[np.nan, np.nan]])


class Halved(BaseEstimator):
    """A step that halves the rows, which leaves them near the range of the fitted ones."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X / 2

    def __sklearn_is_fitted__(self):
        return True


def test_a_scale_near_that_of_the_fitted_rows_is_not_noticed(small_lstm, chicago, tomorrow):
    window = SlidingWindowTransformer(WINDOW)
    pipe = Pipeline([("halve", Halved()), ("window", window), ("lstm", small_lstm())])
    pipe.fit(chicago[:N_FITTED], tomorrow[:N_FITTED])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        window.partial_fit(chicago[N_FITTED : N_FITTED + 10])
    np.testing.assert_array_equal(window.history_, chicago[N_FITTED + 4 : N_FITTED + 10])
