"""Callbacks of scikit-learn 1.9 and later see each epoch, also in a search."""

import pickle
import warnings
from collections import Counter

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline

from sklstm import LagTableTransformer, LSTMRegressor, SlidingWindowTransformer

pytest.importorskip("sklearn.callback", reason="callbacks came with scikit-learn 1.9")

X = np.random.default_rng(0).normal(size=(60, 1)).cumsum(axis=0)
Y = np.append(X[1:, 0], np.nan)
WINDOWS = SlidingWindowTransformer(4).fit_transform(X)


class Recorder:
    """Record the tasks; stop the training at the end of an epoch."""

    max_propagation_depth = None

    def __init__(self, stops_at=None):
        self.stops_at, self.seen = stops_at, []

    def setup(self, estimator, context):
        self.seen.append(("setup", context.estimator_name, context.task_name))

    def teardown(self, estimator, context):
        self.seen.append(("teardown", context.estimator_name, context.task_name))

    def on_fit_task_begin(self, estimator, context):
        self.seen.append(("begin", context.estimator_name, context.task_name))

    def on_fit_task_end(self, estimator, context):
        self.seen.append(("end", context.estimator_name, context.task_name))
        return context.task_name == "epoch" and context.task_id == self.stops_at

    def of_network(self):
        return [(what, task) for what, name, task in self.seen if name == "LSTMRegressor"]


def lstm(**params):
    return LSTMRegressor(
        3, **({"max_epochs": 3, "early_stopping": False, "random_state": 0} | params)
    )


def test_each_epoch_is_a_task_of_the_fit():
    recorder = Recorder()
    model = lstm().set_callbacks(recorder)
    assert model.fit(WINDOWS, Y) is model
    epochs = [("begin", "epoch"), ("end", "epoch")] * 3
    expected = [("setup", "fit"), ("begin", "fit"), *epochs, ("end", "fit"), ("teardown", "fit")]
    assert recorder.of_network() == expected
    expected = lstm().fit(WINDOWS, Y).predict(WINDOWS)
    np.testing.assert_array_equal(model.predict(WINDOWS), expected)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_callback_can_stop_the_training(early_stopping):
    model = lstm(max_epochs=50, early_stopping=early_stopping).set_callbacks(Recorder(stops_at=4))
    assert model.fit(WINDOWS, Y).n_iter_ == 5
    shorter = lstm(max_epochs=5, early_stopping=early_stopping)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shorter.fit(WINDOWS, Y)
    np.testing.assert_array_equal(model.predict(WINDOWS), shorter.predict(WINDOWS))


@pytest.mark.parametrize("method", ["partial_fit", "warm_start"])
def test_training_that_goes_on_is_a_fit_of_its_own(method):
    model = lstm(warm_start=True).fit(WINDOWS, Y).set_callbacks(recorder := Recorder(stops_at=0))
    getattr(model, "fit" if method == "warm_start" else method)(WINDOWS, Y)
    assert recorder.of_network().count(("end", "epoch")) == 1
    assert model.n_iter_ == 4
    model.set_callbacks()
    assert model.fit(WINDOWS, Y).n_iter_ == 7


def test_a_search_tells_of_all_epochs_without_warnings():
    pipe = make_pipeline(SlidingWindowTransformer(4), lstm())
    grid = {"slidingwindowtransformer__window_size": [3, 5]}
    search = GridSearchCV(pipe, grid, cv=TimeSeriesSplit(2))
    search.set_callbacks(recorder := Recorder()).fit(X[:-1], Y[:-1])
    counts = Counter(recorder.seen)
    assert counts["end", "LSTMRegressor", "epoch"] == 5 * 3
    assert counts["begin", "SlidingWindowTransformer", "fit"] == 5
    assert counts["end", "SlidingWindowTransformer", "fit"] == 5
    assert recorder.seen[0][:2] == ("setup", "GridSearchCV")
    assert recorder.seen[-1][:2] == ("teardown", "GridSearchCV")


def test_a_lag_table_is_a_task():
    table = np.stack([X[2:-1, 0], X[1:-2, 0], X[:-3, 0]], axis=1)
    pipe = make_pipeline(LagTableTransformer([1, 2, 3]), lstm())
    pipe.set_callbacks(recorder := Recorder()).fit(table, X[3:, 0])
    assert ("end", "LagTableTransformer", "fit") in recorder.seen


def test_a_failed_fit_keeps_the_earlier_one_and_ends_the_callbacks():
    model = lstm().fit(WINDOWS, Y)
    before = model.predict(WINDOWS)
    names = set(vars(model))
    model.set_callbacks(recorder := Recorder())
    with pytest.raises(ValueError, match="None of|known target|NaN"):
        model.fit(WINDOWS, np.full(60, np.nan))
    assert recorder.of_network()[-1] == ("teardown", "fit")
    assert set(vars(model.set_callbacks())) == names
    np.testing.assert_array_equal(model.predict(WINDOWS), before)


def test_copies_keep_the_callbacks_and_a_fitted_model_holds_no_fit():
    model = lstm().set_callbacks(Recorder()).fit(WINDOWS, Y)
    expected = model.predict(WINDOWS)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(WINDOWS), expected)
    copied = clone(model).fit(WINDOWS, Y)
    np.testing.assert_array_equal(copied.predict(WINDOWS), expected)
    tasks = dict(model.net_.callbacks_)["epoch_tasks"]
    assert tasks.begin()() is False
