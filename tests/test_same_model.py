"""What must not decide a model: layout in memory, units, the size of weights, threads of BLAS."""

import pickle

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from sklstm import (
    ForecastDisplay,
    GateActivityDisplay,
    LSTMRegressor,
    SlidingWindowTransformer,
    WindowArray,
    forecast_targets,
)
from sklstm.datasets import load_chicago_ridership

FRAME = load_chicago_ridership(as_frame=True).data[:400]
SERIES = FRAME["ridership"].to_numpy()
Y = np.append(SERIES[1:], np.nan)
VIEW = SlidingWindowTransformer(8).fit_transform(FRAME.to_numpy())
TABLE = sliding_window_view(SERIES, 8)  # a lag table: column k is the value 7 - k rows before
TABLE_Y = Y[7:]


def small(**params):
    quick = {"hidden_layer_sizes": 6, "max_epochs": 3, "n_jobs": 1, "random_state": 0}
    return LSTMRegressor(**(quick | params))


def assert_same_model(one, other, X):
    assert one.loss_curve_ == other.loss_curve_
    assert one.validation_loss_curve_ == other.validation_loss_curve_
    assert_array_equal(one.predict(X), other.predict(X))


def named(table):
    return pd.DataFrame(table, columns=[f"lag{lag}" for lag in range(7, -1, -1)])


TABLES = {
    "C order": np.ascontiguousarray,
    "Fortran order": np.asfortranarray,
    "float32": lambda table: table.astype(np.float32),
    "integers": lambda table: table.astype(np.int64),
    "big-endian": lambda table: table.astype(">f8"),
    "list": lambda table: table.tolist(),
    "pandas": named,
    "pandas by column": lambda table: pd.DataFrame(dict(named(table).items())),
    "polars": lambda table: pl.from_pandas(named(table)),
    "pickled": lambda table: pickle.loads(pickle.dumps(table)),
}


@pytest.mark.family("equal bits")
@pytest.mark.parametrize("linear_skip", [True, False])
@pytest.mark.parametrize("kind", TABLES)
def test_a_lag_table_gives_the_same_model_in_every_layout_and_container(kind, linear_skip):
    rounded = np.round(TABLE)  # so that no type rounds it
    expected = small(linear_skip=linear_skip).fit(rounded, TABLE_Y)
    X = TABLES[kind](rounded)
    model = small(linear_skip=linear_skip).fit(X, TABLE_Y)
    assert model.loss_curve_ == expected.loss_curve_
    assert_array_equal(model.predict(X), expected.predict(rounded))


def test_a_lag_table_learns_as_much_in_fortran_order():
    # Read by its strides, each epoch trained on every second row of a table in Fortran order.
    for order in "CF":
        model = small(linear_skip=False, max_epochs=30).fit(np.array(TABLE, order=order), TABLE_Y)
        assert model.score(TABLE[:-1], TABLE_Y[:-1]) > 0.5


@pytest.mark.parametrize("rows", [slice(None), np.r_[0:100, 103:250, 290:400]])
@pytest.mark.parametrize("supervise", ["auto", "last", "every_step"])
def test_a_copy_of_windows_trains_as_the_view(rows, supervise):
    expected = small(supervise=supervise).fit(VIEW[rows], Y[rows])
    for copy in (np.ascontiguousarray, np.asfortranarray, lambda w: pickle.loads(pickle.dumps(w))):
        model = small(supervise=supervise).fit(copy(VIEW[rows]), Y[rows])
        assert_same_model(model, expected, VIEW)


def test_windows_of_a_dilation_train_alike_as_view_and_copy():
    windows = SlidingWindowTransformer(8, dilation=3).fit_transform(FRAME.to_numpy())
    expected = small(supervise="every_step").fit(windows, Y)
    model = small(supervise="every_step").fit(windows.copy(), Y)
    assert_same_model(model, expected, windows)


def test_a_cached_pipeline_gives_the_same_model_each_time(tmp_path):
    steps = [("window", SlidingWindowTransformer(8)), ("lstm", small(supervise="every_step"))]
    expected = Pipeline(steps).fit(FRAME, Y)[-1]
    memory = joblib.Memory(tmp_path, verbose=0)
    for _ in range(2):  # the second fit reads the windows from the cache
        steps = [("window", SlidingWindowTransformer(8)), ("lstm", small(supervise="every_step"))]
        model = Pipeline(steps, memory=memory).fit(FRAME, Y)[-1]
        assert_same_model(model, expected, VIEW)


def test_a_hole_in_the_index_trains_as_rows_of_nan():
    kept = np.r_[0:100, 103:250, 290:400]
    rows = FRAME.iloc[kept]
    assert_same_model(
        small().fit(SlidingWindowTransformer(8).fit_transform(rows), Y[kept]),
        small().fit(
            SlidingWindowTransformer(8).fit_transform(rows.asfreq("D")),
            pd.Series(Y[kept], rows.index).asfreq("D"),
        ),
        VIEW,
    )


KEPT = np.r_[0:100, 103:250, 251:260, 290:400]  # the rows of an index with holes
ROWS = {
    "all": np.s_[:],
    "the latest": np.s_[60:],
    "between holes": np.s_[110:240],
    "a slice of a slice": np.s_[30:340:2],
    "newest first": np.s_[::-1],
    "a mask of most": np.arange(len(KEPT)) % 37 != 0,
    "a mask of few": np.arange(len(KEPT)) % 3 == 0,
    "numbers with repetitions": np.repeat(np.arange(0, len(KEPT), 2), 2),
    "shuffled": np.random.RandomState(0).permutation(len(KEPT)),
}


def around_holes(**params):
    """Windows over the rows with holes, and their targets."""
    return SlidingWindowTransformer(8, **params).fit_transform(FRAME.iloc[KEPT]), Y[KEPT]


@pytest.fixture
def no_arrays(monkeypatch):
    """Let no more than a few windows of a WindowArray become an array."""
    real = WindowArray.__array__

    def few(self, *args, **kwargs):
        assert len(self) < 20
        return real(self, *args, **kwargs)

    return lambda: monkeypatch.setattr(WindowArray, "__array__", few)


@pytest.mark.parametrize(
    ("padding", "params"), [("nan", {}), ("edge", {"linear_skip": False, "supervise": "last"})]
)
@pytest.mark.parametrize("rows", ROWS)
def test_a_window_array_trains_as_the_array_of_its_windows(rows, padding, params):
    windows, y = around_holes(padding=padding)
    windows, y = windows[ROWS[rows]], y[ROWS[rows]]
    weight = np.random.RandomState(0).rand(len(y))
    model = small(**params).fit(windows, y, weight)
    assert isinstance(windows, WindowArray)
    assert_same_model(model, small(**params).fit(np.asarray(windows), y, weight), VIEW)
    assert_array_equal(model.predict(windows), model.predict(np.asarray(windows)))


@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("supervise", ["last", "every_step"])
def test_windows_around_holes_are_used_without_an_array_of_them(dilation, supervise, no_arrays):
    windows, y = around_holes(dilation=dilation)
    whole = np.asarray(windows)
    no_arrays()
    model = small(supervise=supervise).fit(windows, y, np.ones(len(y)))
    assert_array_equal(model.predict(windows), model.predict(whole))
    assert model.score(windows[:-1], y[:-1]) == model.score(whole[:-1], y[:-1])
    model.partial_fit(windows[200:], y[200:]).set_params(warm_start=True).fit(windows, y)
    search = GridSearchCV(model, {"batch_size": [16, 32]}, cv=TimeSeriesSplit(2, test_size=90))
    assert search.fit(windows[:-1], y[:-1]).predict(windows[5:]).shape == (len(y) - 5,)
    scores = cross_val_score(model, windows[:-1], y[:-1], cv=3)  # the training rows have holes
    assert np.isfinite(scores).all()


def test_displays_take_windows_around_holes_without_an_array_of_them(no_arrays):
    pytest.importorskip("matplotlib", reason="displays draw with matplotlib").use("agg")
    windows, y = around_holes()
    model = small().fit(windows, y)
    expected = model.predict(np.asarray(windows))
    activity = GateActivityDisplay.from_estimator(model, np.asarray(windows), row=250).activity
    no_arrays()
    display = ForecastDisplay.from_estimator(model, windows, FRAME["ridership"].to_numpy()[KEPT])
    assert np.ravel(display.forecast)[0] == expected[-1]
    found = GateActivityDisplay.from_estimator(model, windows, row=250).activity
    for gate, values in activity.items():
        assert_array_equal(found[gate], values)


def test_search_over_windows_around_holes_equals_one_over_the_array(no_arrays):
    windows, y = around_holes()
    cv = TimeSeriesSplit(3, test_size=80)
    expected = cross_val_score(small(), np.asarray(windows)[:-1], y[:-1], cv=cv)
    no_arrays()
    assert_array_equal(cross_val_score(small(), windows[:-1], y[:-1], cv=cv), expected)


def test_the_steps_of_a_dilation_with_holes_have_a_loss_each(no_arrays):
    windows, y = around_holes(dilation=3)
    no_arrays()
    filled = FRAME.iloc[KEPT].asfreq("D")
    expected = small(supervise="every_step").fit(
        SlidingWindowTransformer(8, dilation=3).fit_transform(filled),
        pd.Series(Y[KEPT], filled.index[KEPT]).reindex(filled.index),
    )
    assert_same_model(small(supervise="every_step").fit(windows, y), expected, VIEW)


def test_a_cached_pipeline_with_holes_gives_the_same_model_and_stores_the_series(tmp_path):
    long = pd.concat([FRAME] * 20).set_axis(pd.RangeIndex(8000)).drop(index=[50, 4000, 4001])
    y = long["ridership"].shift(-1).to_numpy()
    predictions = []
    memory = joblib.Memory(tmp_path, verbose=0)
    for cache in (None, memory, memory):  # the third fit reads the windows from the cache
        steps = [("window", SlidingWindowTransformer(48)), ("lstm", small(max_epochs=1))]
        predictions.append(Pipeline(steps, memory=cache).fit(long, y).predict(long))
    assert_array_equal(predictions[1], predictions[0])
    assert_array_equal(predictions[2], predictions[0])
    stored = sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file())
    assert stored < 3 * long.to_numpy().nbytes


@pytest.mark.parametrize("params", [{}, {"linear_skip": False}, {"supervise": "last"}])
@pytest.mark.parametrize("factor", [2.0**40, 2.0**-900, 2.0**900])
def test_only_ratios_of_weights_count(params, factor):
    weight = np.random.RandomState(0).rand(400)
    model = small(**params).fit(VIEW, Y, weight * factor)
    assert_same_model(model, small(**params).fit(VIEW, Y, weight), VIEW)


@pytest.mark.parametrize("value", [1e-300, 0.3, 7, 1e10, 1e200])
def test_equal_weights_are_no_weights(value):
    model = small().fit(VIEW, Y, np.full(400, value))
    assert_same_model(model, small().fit(VIEW, Y), VIEW)


@pytest.mark.parametrize("params", [{}, {"linear_skip": False}, {"supervise": "last"}])
@pytest.mark.parametrize("backwards", [False, True])
def test_weights_that_decay_leave_rows_out_where_they_vanish(params, backwards):
    weight = 0.5 ** (np.arange(400)[::-1] / 1.0)  # from 1e-120 to 1
    weight = weight[::-1] if backwards else weight
    model = small(**params).fit(VIEW, Y, weight)
    assert np.isfinite(model.predict(VIEW)).all()
    heavy = weight / weight.max() >= 1e-30
    same = small(**params).fit(VIEW, Y, np.where(heavy, weight, 0))
    assert_same_model(model, same, VIEW)
    assert model.window_counts_["no weight"] >= np.count_nonzero(~heavy) - 8


def test_weights_count_alike_in_every_batch_of_a_loss_at_every_step():
    # Rows of the first half follow another rule, and hardly weigh anything.
    X = np.random.RandomState(0).randn(600, 1)
    y = np.where(np.arange(600) < 300, -X[:, 0], X[:, 0])
    weight = np.where(np.arange(600) < 300, 1e-6, 1)
    windows = SlidingWindowTransformer(4).fit_transform(X)
    params = {"linear_skip": False, "max_epochs": 40, "early_stopping": False}
    model = small(supervise="every_step", batch_size=8, **params).fit(windows, y, weight)
    errors = np.abs(model.predict(windows) - X[:, 0])
    assert errors[4:].mean() < 0.3


@pytest.mark.parametrize("size", [1e-250, 1e-100, 1e100, 1e200])
def test_units_of_any_size_give_the_same_forecast(size):
    model = small().fit(VIEW * size, Y * size)
    assert_allclose(model.predict(VIEW * size) / size, small().fit(VIEW, Y).predict(VIEW), 1e-5)


def test_targets_near_the_largest_number_are_predicted_or_refused():
    model = small().fit(VIEW, Y / Y[0] * 1e307)
    assert np.isfinite(model.predict(VIEW)).all()
    with pytest.raises(ValueError, match="prediction of row 0 is not finite"):
        model.predict(VIEW[-1:] * 1e5)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("linear_skip", [True, False])
@pytest.mark.parametrize("size", [1e19, 1e37, 1e153, 1e200])
def test_large_values_as_they_are_train_or_are_refused_by_name(precision, linear_skip, size):
    params = {"standardize": False, "linear_skip": linear_skip, "precision": precision}
    fits = size < (1e16 if precision == "float32" else 1e150)
    for X, y, name in [(VIEW * size, Y, "X"), (VIEW, Y * size, "y")]:
        model = small(**params)
        if fits:
            assert np.isfinite(model.fit(X, y).predict(X)).all()
            continue
        with pytest.raises(
            ValueError, match=f"^{name} holds the value .* in (column|feature) \\d, .*too large"
        ):
            model.fit(X, y)
        # The advice: standardise, or double precision where that is enough.
        assert np.isfinite(small(linear_skip=linear_skip).fit(X, y).predict(X)).all()


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("size", [1e-60, 1e-200, 1e-310])
def test_tiny_values_as_they_are_train_or_are_refused_by_name(precision, size):
    params = {"standardize": False, "precision": precision}
    fits = precision == "float64" and size > 1e-150
    for X, y, name in [(VIEW * size, Y, "X"), (VIEW, Y * size, "y")]:
        if fits:
            expected = small(**params).fit(VIEW, Y).predict(VIEW[:-1])
            unit = size if name == "y" else 1.0
            read = small(**params).fit(X, y).predict(X[:-1]) / unit
            assert np.isfinite(read).all()
            if name == "y":  # the unit of X decides how fast the network learns
                assert_allclose(read, expected, rtol=1e-6)
            continue
        with pytest.raises(ValueError, match=f"^{name} holds no value above .* too small"):
            small(**params).fit(X, y)


@pytest.mark.parametrize("size", [1e-12, 1e-17, 1e-25])
def test_small_values_as_they_are_give_the_same_forecast_by_the_map(size):
    params = {"standardize": False, "early_stopping": "auto"}
    few = slice(0, 90)  # too few to validate: the map alone predicts
    expected = small(**params).fit(VIEW[few], Y[few]).predict(VIEW)
    assert_allclose(
        small(**params).fit(VIEW[few] * size, Y[few]).predict(VIEW * size), expected, 1e-3
    )
    assert_allclose(
        small(**params).fit(VIEW[few], Y[few] * size).predict(VIEW) / size, expected, 1e-3
    )


def test_rounding_errors_of_a_constant_are_no_tiny_values():
    constant = StandardScaler().fit_transform(np.full((100, 1), 0.1))
    assert 0 < np.abs(constant).max() < 1e-16
    windows = SlidingWindowTransformer(4).fit_transform(constant)
    model = small(standardize=False).fit(windows, constant[:, 0])
    assert_allclose(model.predict(windows), constant[:, 0], atol=1e-3)


@pytest.mark.parametrize(("first", "then"), [(True, False), (False, True)])
def test_training_goes_on_at_the_kept_scale(first, then):
    size = 1e-45 if first else 1.0
    model = small(standardize=first).fit(VIEW * size, Y * size)
    before = model.predict(VIEW * size)
    model.set_params(standardize=then, learning_rate=1e-30).partial_fit(VIEW * size, Y * size)
    assert_allclose(model.predict(VIEW * size), before, rtol=1e-4)


@pytest.mark.parametrize("place", ["fit", "predict"])
def test_the_advice_for_a_huge_value_of_a_constant_feature_is_not_to_standardise(place):
    X = np.concatenate([VIEW, np.where(np.isnan(VIEW[:, :, :1]), np.nan, 0.0)], axis=2)
    huge = X.copy()
    huge[395, 7, -1] = 1e30
    with pytest.raises(ValueError, match="holds the value .* in feature") as error:
        small().fit(huge, Y) if place == "fit" else small().fit(X, Y).predict(huge)
    assert "standardize" not in str(error.value)


def test_one_huge_value_to_predict_is_named():
    model = small().fit(VIEW, Y)
    X = VIEW.copy()
    X[20, 3, 0] = 1e300
    with pytest.raises(ValueError, match=r"X holds the value 1e\+300 in feature 0"):
        model.predict(X)


@pytest.mark.parametrize("weighted", [False, True])
def test_threads_of_blas_change_no_bit(weighted):
    random = np.random.RandomState(0)
    X = random.randn(20_000, 3).cumsum(axis=0)
    windows = SlidingWindowTransformer(6).fit_transform(X)
    weight = random.rand(20_000) if weighted else None
    models = []
    for threads in (1, 4):
        with threadpool_limits(threads):
            models.append(small(max_epochs=1).fit(windows, X[:, 0] - X[:, 1], weight))
    assert_same_model(*models, windows[:500])


class TestWhatAFitTells:
    def test_every_window_is_counted_once(self):
        X = FRAME.to_numpy().copy()
        X[100:106] = np.nan
        weight = np.ones(400)
        weight[50:60] = 0
        y = forecast_targets(SERIES, 3)
        y[200:220] = np.nan
        windows = SlidingWindowTransformer(8).fit_transform(X)
        counts = small().fit(windows, y, weight).window_counts_
        # Windows of eight steps lack more than half: at the start of rows 0 to 2, and from the
        # fifth missing row on, to the row where five of the missing ones are left.
        usable = 400 - (3 + 5) - (20 + 1) - 10  # the last row has no known target
        held_out = round(0.1 * usable)
        assert counts == {
            "training": usable - 2 - held_out,
            "validation": held_out,
            "gap": 2,
            "incomplete": 8,
            "unknown target": 21,
            "no weight": 10,
        }

    def test_without_early_stopping_all_usable_windows_train(self):
        counts = small(early_stopping=False).fit(VIEW, Y).window_counts_
        assert (counts["training"], counts["validation"], counts["gap"]) == (396, 0, 0)

    def test_a_network_that_is_not_added_has_weight_zero(self):
        complete, noise = VIEW[7:], np.random.RandomState(0).randn(400)[7:]
        model = small().fit(complete, noise)
        assert model.network_weight_ == 0
        other = small(hidden_layer_sizes=3).fit(complete, noise)
        assert_array_equal(model.predict(VIEW), other.predict(VIEW))

    def test_the_weight_of_the_network_is_that_of_its_predictions(self):
        X = np.random.RandomState(0).randn(1500, 1)
        y = np.abs(X[:, 0])  # no linear map of the window helps
        windows = SlidingWindowTransformer(2).fit_transform(X)
        model = small(hidden_layer_sizes=16, max_epochs=30).fit(windows, y)
        assert 0.5 < model.network_weight_ <= 1
        assert small(linear_skip=False).fit(windows, y).network_weight_ == 1
        assert small(early_stopping=False).fit(windows, y).network_weight_ == 1

    @pytest.mark.parametrize("loss", ["squared_error", "absolute_error"])
    def test_losses_are_relative_to_the_linear_map_alone(self, loss):
        # A network that stays zero leaves the map alone: its loss is one on every row.
        params = {"optimizer": "sgd", "learning_rate": 1e-12, "loss": loss}
        model = small(**params).fit(VIEW, Y, np.linspace(1, 2, 400))
        assert_allclose(model.loss_curve_, 1, rtol=0.1)  # batches have different rows
        assert_allclose(model.validation_loss_curve_, 1, rtol=1e-5)

    def test_training_that_early_stopping_did_not_end_warns(self):
        with pytest.warns(ConvergenceWarning, match="reached max_epochs=3 .* lowest in epoch"):
            small().fit(VIEW, Y)

    @pytest.mark.filterwarnings("error::sklearn.exceptions.ConvergenceWarning")
    @pytest.mark.parametrize(
        "params", [{"early_stopping": False}, {"max_epochs": 60, "n_iter_no_change": 2}]
    )
    def test_training_that_ended_as_asked_does_not_warn(self, params):
        model = small(**params).fit(VIEW, Y)
        assert model.n_iter_ < 60
        model.partial_fit(VIEW, Y)
