"""ConformalRegressor: right values by hand, leakage, several series, updates."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
import skops.io
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import StackingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler

from sklstm import (
    ConformalRegressor,
    KnownTargetsRegressor,
    LSTMRegressor,
    SlidingWindowTransformer,
    forecast_targets,
    known_targets_scorer,
)

NAN = np.nan
N = 300
LEADS = 3


class Recorder(RegressorMixin, BaseEstimator):
    """Predicts the first column of X; keeps what each fit got."""

    def fit(self, X, y, sample_weight=None):
        self.X_, self.y_, self.sample_weight_ = X, y, sample_weight
        return self

    def predict(self, X):
        first = np.asarray(X)[:, 0]
        n_outputs = np.shape(self.y_)[1:]
        return first if not n_outputs else np.repeat(first[:, None], n_outputs[0], axis=1)


class TwoUnits(Recorder):
    """Predicts the first column of X, and it times a million."""

    def predict(self, X):
        return np.asarray(X)[:, [0]] * [1, 1e6]


class Quantiles(Recorder):
    """Predicts quantiles around the first column of X, the upper ones further away."""

    quantiles_ = (0.05, 0.25, 0.5, 0.95)

    def predict_quantiles(self, X):
        return self.predict(X)[..., np.newaxis] + np.array([-1.0, -0.5, 0.0, 2.0])


def walk(seed=0, n=N):
    """A random walk whose steps become larger, as a frame with dates."""
    rng = np.random.default_rng(seed)
    steps = rng.standard_normal(n) * np.linspace(1, 3, n)
    days = pd.date_range("2024-01-01", periods=n)
    return pd.DataFrame({"load": np.cumsum(steps) + 50}, days)


def windows_of_ridge():
    windows = SlidingWindowTransformer(4, padding="edge", flatten=True)
    return make_pipeline(windows, KnownTargetsRegressor(Ridge()))


def threshold(scores, miscoverage):
    """The smallest score that a fraction of ``(1 - miscoverage) (n + 1) / n`` does not exceed."""
    scores = sorted(score for score in scores if not np.isnan(score))
    return scores[int(np.ceil((1 - miscoverage) * (len(scores) + 1) - 1e-9)) - 1]


# Right values.


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9])
@pytest.mark.parametrize("kind", [pd.DataFrame, pd.DataFrame.to_numpy])
def test_ends_are_quantiles_of_the_errors_by_sorting(coverage, kind):
    # Errors that do not depend on the forecast, so that they are not scaled by it.
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"x": np.zeros(N)}, pd.date_range("2024-01-01", periods=N))
    y = rng.exponential(size=N)
    model = ConformalRegressor(Recorder(), coverage=coverage).fit(kind(X), y)
    calibrates = np.arange(180, 300)
    assert_array_equal(model.calibration_rows_, calibrates)
    below, above = -y[calibrates], y[calibrates]
    miscoverage = (1 - coverage) / 2
    expected = [-threshold(below, miscoverage), threshold(above, miscoverage)]
    assert_allclose(model.predict_interval(kind(X)), np.tile(expected, (N, 1)), rtol=1e-12)
    assert_array_equal(model.predict(kind(X)), np.zeros(N))


def test_each_lead_has_ends_from_the_targets_that_were_known():
    X = walk()
    y = forecast_targets(X["load"], LEADS)
    model = ConformalRegressor(Recorder(), calibration_fraction=0.5).fit(X, y)
    n_usable = N - 1  # the last row has no known target
    start = n_usable - 2 * round(0.5 * n_usable / 2)
    width = np.diff(model.predict_interval(X[-1:])[0], axis=1)[:, 0]
    for lead in range(1, LEADS + 1):
        errors = [
            X["load"].iloc[row + lead] - X["load"].iloc[row] for row in range(start, N - lead)
        ]
        by_hand = threshold(errors, 0.05) + threshold(np.negative(errors), 0.05)
        if model._calibration.scale.knots.any():
            assert width[lead - 1] == pytest.approx(by_hand, rel=0.5)
        else:
            assert_allclose(width[lead - 1], by_hand, rtol=1e-12)


def test_blocks_are_forecast_by_fits_that_do_not_know_their_targets():
    X = walk()
    y = forecast_targets(X["load"], LEADS)
    fits = []

    class Spy(Recorder):
        def fit(self, X, y):
            fits.append((X, y))
            return super().fit(X, y)

    ConformalRegressor(Spy(), calibration_fraction=0.4).fit(X, y)
    usable, block = N - 1, round(0.2 * (N - 1))
    assert [len(rows) for rows, _ in fits] == [usable - 2 * block, usable - block, N]
    for rows, targets in fits:
        assert_array_equal(rows, X[: len(rows)])
        assert list(targets.columns) == list(y.columns)
        # Targets of the last rows lie in the block: the fit must not see them.
        assert_array_equal(targets, forecast_targets(X["load"][: len(rows)], LEADS))


def test_no_later_row_changes_an_interval():
    X = walk()
    y = forecast_targets(X["load"], LEADS)
    model = ConformalRegressor(windows_of_ridge()).fit(X[:200], y[:200])
    other = X.copy()
    other[200:] = 1e3
    again = ConformalRegressor(windows_of_ridge())
    # The targets of the last fitted rows hold later values: they are not known.
    again.fit(X[:200], forecast_targets(other["load"], LEADS)[:200])
    rows = slice(200, 220)
    assert_array_equal(model.predict_interval(X[rows]), again.predict_interval(X[rows]))
    changed = X[rows].copy()
    changed.iloc[10:] = -5.0
    same = model.predict_interval(changed)[:10]
    assert_array_equal(same, model.predict_interval(X[rows])[:10])


@pytest.mark.parametrize("kind", ["array", "index", "several series"])
def test_the_fit_on_all_rows_knows_no_target_from_after_its_last_row(kind):
    walks = {f"shop {number}": walk(number, 150) for number in range(2)}
    X = pd.concat(walks, names=["shop", "day"]) if kind == "several series" else walk()
    y = X["load"] * 2.0  # no name tells the lead
    later = y.groupby(level=0).tail(LEADS) if kind == "several series" else y[-LEADS:]
    other = y.where(~y.index.isin(later.index), 1e4)
    if kind == "array":
        X, y, other = X.to_numpy(), y.to_numpy(), other.to_numpy()
    regressor = KnownTargetsRegressor(Ridge())  # would take the targets to be known at once
    model, twin = (
        ConformalRegressor(regressor, target_leads=LEADS).fit(X, targets) for targets in (y, other)
    )
    assert_array_equal(model.predict_interval(X), twin.predict_interval(X))


@pytest.mark.parametrize("by_size", [False, True])
def test_errors_are_scaled_by_the_size_of_the_forecast_where_it_pays(by_size):
    rng = np.random.default_rng(0)
    x = rng.uniform(1, 10, size=2000)
    y = x + rng.standard_normal(2000) * (x if by_size else 3.0)
    model = ConformalRegressor(Recorder()).fit(x[:, None], y)
    low, high = np.diff(model.predict_interval([[2.0], [9.0]]))[:, 0]
    if by_size:
        assert 3 < high / low < 6  # 4.5 are right
        assert_allclose([low, high], [2 * 2 * 1.645, 2 * 9 * 1.645], rtol=0.15)
    else:
        assert high / low == pytest.approx(1, abs=0.1)


def test_intervals_between_quantiles_are_moved_by_what_they_lack():
    rng = np.random.default_rng(0)
    X, y = np.zeros((400, 1)), rng.standard_normal(400)
    model = ConformalRegressor(Quantiles()).fit(X, y)
    late = y[240:]
    below, above = threshold(-1.0 - late, 0.05), threshold(late - 2.0, 0.05)
    assert_allclose(model.predict_interval(X[:1]), [[-1.0 - below, 2.0 + above]], rtol=1e-12)
    wide = ConformalRegressor(Quantiles(), coverage=0.5).fit(X, y)  # between 0.25 and 0.95
    below, above = threshold(-0.5 - late, 0.25), threshold(late - 2.0, 0.25)
    assert_allclose(wide.predict_interval(X[:1]), [[-0.5 - below, 2.0 + above]], rtol=1e-12)
    piped = make_pipeline(StandardScaler(with_std=False), Quantiles())
    in_pipe = ConformalRegressor(piped).fit(X, y).predict_interval(X)
    assert_allclose(in_pipe, model.predict_interval(X), rtol=1e-12)


class QuantilesByRow(Quantiles):
    """Predicts quantiles around the first column of X, as far apart as the second one says."""

    def predict_quantiles(self, X):
        X = np.asarray(X)
        return X[:, :1] + X[:, 1:] * np.array([-1.0, -0.5, 0.0, 1.0])


def test_intervals_are_longer_in_proportion_to_the_distance_of_the_quantiles():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.standard_normal(400), rng.uniform(0.1, 10, 400)])
    y = X[:, 0] + X[:, 1] * rng.standard_normal(400)
    model = ConformalRegressor(QuantilesByRow()).fit(X, y)
    late = ((y - X[:, 0]) / X[:, 1])[240:]
    below, above = threshold(-late, 0.05), threshold(late, 0.05)
    expected = X[:, :1] + X[:, 1:] * np.array([-below, above])
    assert_allclose(model.predict_interval(X), expected, rtol=1e-9)
    flat = np.array([[3.0, 0.0]])  # quantiles that lie on one another: the usual error
    low, high = model.predict_interval(flat)[0]
    unit = np.abs(y - X[:, 0])[240:].mean()
    assert_allclose([low, high], [3 - unit * below, 3 + unit * above], rtol=1e-9)


@pytest.mark.parametrize("where", ["around", "last step"])
def test_the_best_model_of_a_search_gives_its_quantiles(where):
    X = walk()
    y = forecast_targets(X["load"], 1)
    steps = StandardScaler(), Quantiles()
    pipe, search = make_pipeline(*steps), make_pipeline(steps[0], searched(steps[1]))
    if where == "around":
        search = searched(pipe)
    model, other = (ConformalRegressor(which, coverage=0.5).fit(X, y) for which in (search, pipe))
    assert_array_equal(model.predict_interval(X), other.predict_interval(X))


def searched(estimator):
    scoring = known_targets_scorer("neg_mean_absolute_error")
    return GridSearchCV(estimator, {}, cv=TimeSeriesSplit(2), scoring=scoring)


# Updates.


def tracked_by_hand(forecasts, series, leads, calibration, start, scale):
    """The quantile tracker written out: intervals of each row from ``start``, given at that row."""
    n_rows, issued = len(series), {}
    intervals = np.empty((n_rows - start, len(leads), 2))
    for output, lead in enumerate(leads):
        errors = [series[row + lead] - forecasts[row] for row in calibration if row + lead < start]
        errors = np.array(errors) / scale[output]
        spread = np.abs(errors).mean()
        ends = [threshold(-errors, 0.05) / spread, threshold(errors, 0.05) / spread]
        for row in range(start - lead, start):
            issued[row] = [end * spread for end in ends]
        for row in range(start, n_rows):
            intervals[row - start, output] = [
                forecasts[row] - ends[0] * spread * scale[output],
                forecasts[row] + ends[1] * spread * scale[output],
            ]
            # Now the value at ``row`` becomes known, the target of the row ``lead`` before.
            of = row - lead
            error = (series[row] - forecasts[of]) / scale[output]
            spread = 0.99 * spread + 0.01 * abs(error)
            for side, score in enumerate((-error, error)):
                ends[side] += 0.07 * ((score > issued[of][side]) - 0.05)
            issued[row] = [end * spread for end in ends]
    return intervals


def no_size(monkeypatch):
    """Leave the scale by the size of the forecast out, which the loops by hand do not have."""
    from sklstm._intervals.scale import ErrorScale

    monkeypatch.setattr(ErrorScale, "by_size", lambda scale, *errors: scale)


@pytest.mark.parametrize("leads", [[1], [1, 2, 3], [2, 7]])
def test_updates_are_those_of_a_loop_by_hand(monkeypatch, leads):
    no_size(monkeypatch)
    X, start = walk(), 200
    series = X["load"].to_numpy()
    y = forecast_targets(X["load"], leads)
    model = ConformalRegressor(Recorder()).fit(X[:start], y[:start])
    scale = model._calibration.scale.unit[0]
    by_hand = tracked_by_hand(series, series, leads, model.calibration_rows_, start, scale)
    got = []
    for row in range(start, N):
        got.append(model.predict_interval(X[row : row + 1])[0])
        known = forecast_targets(X["load"][: row + 1], leads)
        model.update(X[row - 15 : row + 1], known[row - 15 : row + 1])
    assert_allclose(np.array(got), by_hand, rtol=1e-9)


def test_the_target_of_its_own_row_counts_at_once(monkeypatch):
    no_size(monkeypatch)
    rng = np.random.default_rng(0)
    X, y = np.zeros((100, 1)), rng.standard_normal(100)
    model = ConformalRegressor(Recorder()).fit(X, y)
    before = model.predict_interval(X[:1])[0]
    unit, spread = model._calibration.scale.unit[0, 0], model._calibration.spread[0]
    model.update([[0.0]], [100.0])
    new = 0.99 * spread + 0.01 * 100 / unit
    expected = before * new / spread + 0.07 * new * unit * np.array([0.05, 0.95])
    assert_allclose(model.predict_interval(X[:1])[0], expected, rtol=1e-9)


@pytest.mark.parametrize("sizes", [[100], [1] * 100, [7, 50, 43]])
@pytest.mark.parametrize("kind", ["frame", "array", "rows again"])
def test_one_call_equals_row_by_row_with_a_pickle_between(sizes, kind):
    X, start = walk(), 200
    y = forecast_targets(X["load"], LEADS)
    data = (X.to_numpy(), y.to_numpy()) if kind == "array" else (X, y)
    model = ConformalRegressor(Recorder()).fit(data[0][:start], data[1][:start])
    expected = ConformalRegressor(Recorder()).fit(data[0][:start], data[1][:start])
    first = start - 5 if kind == "rows again" else start
    expected.update(data[0][first:], data[1][first:])
    at = start
    for size in sizes:
        begin = at - 5 if kind == "rows again" else at
        model.update(data[0][begin : at + size], data[1][begin : at + size])
        model = pickle.loads(pickle.dumps(model))
        at += size
    assert_array_equal(
        model.predict_interval(data[0][-5:]), expected.predict_interval(data[0][-5:])
    )


def test_a_target_does_not_count_before_it_lies_behind():
    X, start = walk(), 200
    y = forecast_targets(X["load"], [5])
    model = ConformalRegressor(Recorder()).fit(X[:start], y[:start])
    before = model.predict_interval(X[-1:])
    huge = y.copy()
    huge[:] = 1e6
    model.update(X[start : start + 5], huge[start : start + 5])
    assert_array_equal(model.predict_interval(X[-1:]), before)
    model.update(X[start + 5 : start + 6], huge[start + 5 : start + 6])
    assert (model.predict_interval(X[-1:])[..., 1] > before[..., 1]).all()


def test_a_row_counts_once():
    X, start = walk(), 200
    y = forecast_targets(X["load"], LEADS)
    model = ConformalRegressor(Recorder()).fit(X[:start], y[:start])
    model.update(X[start:], y[start:])
    expected = model.predict_interval(X)
    for _ in range(3):
        model.update(X[start:], y[start:])
        model.update(X, y)
    assert_array_equal(model.predict_interval(X), expected)


def test_unknown_targets_are_left_out(monkeypatch):
    no_size(monkeypatch)
    X, start = walk(), 200
    y = X["load"].shift(-1).rename("load_lead1")
    holes = y.copy()
    holes[start + 10 : start + 20] = NAN
    model = ConformalRegressor(Recorder()).fit(X[:start], y[:start])
    model.update(X[start : start + 30], holes[start : start + 30])
    scale = model._calibration.scale.unit[0, 0]
    series, known = X["load"].to_numpy(), holes.to_numpy()
    rows = [row for row in model.calibration_rows_ if row + 1 < start]
    errors = np.array([(series[row + 1] - series[row]) / scale for row in rows])
    spread = np.abs(errors).mean()
    ends = [threshold(-errors, 0.05) / spread, threshold(errors, 0.05) / spread]
    issued = {start: [end * spread for end in ends]}
    for row in range(start, start + 29):
        if not np.isnan(known[row]):
            error = (known[row] - series[row]) / scale
            spread = 0.99 * spread + 0.01 * abs(error)
            for side, score in enumerate((-error, error)):
                ends[side] += 0.07 * ((score > issued[row][side]) - 0.05)
        issued[row + 1] = [end * spread for end in ends]
    at = X.iloc[-1:, 0].to_numpy()
    ends = [end * spread * scale for end in ends]
    expected = np.column_stack([at - ends[0], at + ends[1]])
    assert_allclose(model.predict_interval(X[-1:]), expected, rtol=1e-9)


def test_coverage_is_back_soon_after_a_break():
    rng = np.random.default_rng(0)
    n, at = 1500, 1000
    y = rng.standard_normal(n) * np.where(np.arange(n) < at, 1, 10) + np.where(
        np.arange(n) < at, 0, 30
    )
    X = np.zeros((n, 1))
    model = ConformalRegressor(Recorder()).fit(X[:900], y[:900])
    held = []
    for row in range(900, n):
        low, high = model.predict_interval(X[row : row + 1])[0]
        held.append(low <= y[row] <= high)
        model.update(X[row : row + 1], y[row : row + 1])
    held = np.array(held)
    assert 0.85 < held[:100].mean() < 0.95
    assert held[100:130].mean() < 0.5
    assert held[300:].mean() > 0.87


@pytest.mark.parametrize("kind", ["index", "array"])
def test_windows_of_later_rows_have_the_history_of_the_updates(kind):
    X, start = walk(), 200
    y = forecast_targets(X["load"], LEADS)
    if kind == "array":
        X, y = X.to_numpy(), y.to_numpy()
    model = ConformalRegressor(windows_of_ridge()).fit(X[:start], y[:start])
    at_once = model.predict(X)
    for row in range(start, start + 20):
        assert_allclose(model.predict(X[row : row + 1])[0], at_once[row], rtol=1e-9)
        model.update(X[row : row + 1], y[row : row + 1])


@pytest.mark.parametrize("wrap", [MultiOutputRegressor, TransformedTargetRegressor, "search"])
def test_windows_inside_other_estimators_get_the_history_too(wrap):
    X, start = walk(), 200
    y = X[["load"]] * 2.0
    pipe = make_pipeline(SlidingWindowTransformer(4, padding="edge", flatten=True), Ridge())
    if wrap == "search":
        inner = GridSearchCV(pipe, {"ridge__alpha": [1.0]}, cv=TimeSeriesSplit(2))
    else:
        inner = wrap(pipe)
    model = ConformalRegressor(inner).fit(X[:start], y[:start])
    at_once = model.predict(X)
    for row in range(start, start + 5):
        assert_allclose(model.predict(X[row : row + 1])[0], at_once[row], rtol=1e-9)
        model.update(X[row : row + 1], y[row : row + 1])


@pytest.mark.parametrize("kind", ["index", "array"])
@pytest.mark.parametrize("around", ["union", "columns", "both"])
def test_windows_beside_other_transformers_get_the_history_too(around, kind):
    X, start = walk().assign(weekday=lambda frame: frame.index.day_of_week), 200
    y = X["load"] * 2.0
    if kind == "array":
        X, y = X.to_numpy(), y.to_numpy()
    windows = SlidingWindowTransformer(4, padding="edge", flatten=True)
    if around != "union":
        load = ["load"] if kind == "index" else [0]
        windows = make_column_transformer((windows, load), remainder="passthrough")
    if around != "columns":
        windows = make_union(make_pipeline(StandardScaler(), windows), StandardScaler())
        if around == "both":
            windows.set_params(pipeline__standardscaler=None)
    model = ConformalRegressor(make_pipeline(windows, Ridge())).fit(X[:start], y[:start])
    at_once = model.predict(X)
    for row in range(start, start + 5):
        assert_allclose(model.predict(X[row : row + 1])[0], at_once[row], rtol=1e-9)
        model.update(X[row : row + 1], y[row : row + 1])


@pytest.mark.filterwarnings("ignore:.* lack steps")  # of the folds that a stack cuts out
@pytest.mark.parametrize("inside", ["stack", "pipeline"])
def test_a_stack_with_its_default_final_estimator_is_a_regressor(inside):
    X, start = walk(), 200
    y = X["load"] * 2.0
    pipe = make_pipeline(SlidingWindowTransformer(4, padding="edge", flatten=True), Ridge())
    model = StackingRegressor([("ridge", pipe)])
    if inside == "pipeline":
        stack = StackingRegressor([("ridge", Ridge())])
        model = make_pipeline(pipe[0], KnownTargetsRegressor(stack))
    model = ConformalRegressor(model).fit(X[:start], y[:start])
    at_once = model.predict(X)
    model.update(X[start : start + 5], y[start : start + 5])
    assert_allclose(model.predict(X[start + 5 :]), at_once[start + 5 :], rtol=1e-9)


@pytest.mark.parametrize("wrong", [StandardScaler(), make_pipeline(StandardScaler()), "ridge"])
def test_what_will_never_predict_is_refused(wrong):
    for meta in (ConformalRegressor, KnownTargetsRegressor):
        with pytest.raises(ValueError, match="implementing 'fit' and 'predict'"):
            meta(wrong).fit(np.zeros((50, 1)), np.arange(50.0))


class Hidden(Recorder):
    """Fits its estimator under a name that no estimator of scikit-learn has."""

    def __init__(self, inner):
        self.inner = inner

    def fit(self, X, y):
        self.hidden_ = clone(self.inner).fit(X, y)
        return self

    def predict(self, X):
        return self.hidden_.predict(X)


def test_windows_that_an_update_does_not_reach_are_refused_and_the_advice_works():
    X, start = walk(), 200
    y = X["load"] * 2.0
    pipe = make_pipeline(SlidingWindowTransformer(4, padding="edge", flatten=True), Ridge())
    model = ConformalRegressor(Hidden(clone(pipe))).fit(X[:start], y[:start])
    before = model.predict_interval(X[start:])
    with pytest.raises(ValueError, match="history='none' and pass the rows before"):
        model.update(X[start:250], y[start:250])
    assert_array_equal(model.predict_interval(X[start:]), before)
    model.set_params(estimator__inner__slidingwindowtransformer__history="none")
    model.fit(X[:start], y[:start]).update(X[start - 3 : 250], y[start - 3 : 250])
    other = ConformalRegressor(pipe).fit(X[:start], y[:start])
    other.update(X[start:250], y[start:250])
    ours = model.predict_interval(X[start:])[50:]
    assert_allclose(ours, other.predict_interval(X[250:]), rtol=1e-9)


def test_windows_without_history_take_the_rows_before_from_the_call():
    X, start = walk(), 200
    y = forecast_targets(X["load"], LEADS)
    pipe = windows_of_ridge().set_params(slidingwindowtransformer__history="none")
    model = ConformalRegressor(pipe).fit(X[:start], y[:start])
    other = ConformalRegressor(windows_of_ridge()).fit(X[:start], y[:start])
    for row in range(start, start + 20):
        model.update(X[row - 10 : row + 1], y[row - 10 : row + 1])
        other.update(X[row - 10 : row + 1], y[row - 10 : row + 1])
    # Without history the rows before come in the call.
    ours = model.predict_interval(X[start : start + 30])[20:]
    assert_allclose(ours, other.predict_interval(X[start + 20 : start + 30]), rtol=1e-9)


def test_the_same_row_has_the_same_interval_alone_and_in_a_batch(chicago):
    X, start = chicago[:320], 300
    y = forecast_targets(X["ridership"], LEADS)
    lstm = LSTMRegressor(4, max_epochs=2, random_state=0, early_stopping=False)
    model = ConformalRegressor(make_pipeline(SlidingWindowTransformer(7), lstm))
    model.fit(X[:start], y[:start])
    batch = model.predict_interval(X[start:])
    assert_array_equal(model.predict_interval(X)[start:], batch)
    for row in range(start, 320):
        assert_array_equal(model.predict_interval(X[start : row + 1])[-1], batch[row - start])


# Several series.


def panel_of_walks(sizes=(1.0, 100.0, 5.0), n=N):
    parts = {f"shop {k}": size * walk(k, n) for k, size in enumerate(sizes)}
    return pd.concat(parts, names=["shop", "day"])


def test_updates_of_several_series_are_those_of_a_loop_per_series():
    X = panel_of_walks()
    y = forecast_targets(X["load"], LEADS)
    days = X.index.get_level_values("day")
    old = days < days[200]
    together = ConformalRegressor(Recorder()).fit(X[old], y[old])
    one_by_one = ConformalRegressor(Recorder()).fit(X[old], y[old])
    by_time = ConformalRegressor(Recorder()).fit(X[old], y[old])
    together.update(X[~old].sample(frac=1, random_state=0), y[~old].sample(frac=1, random_state=0))
    for name in X.index.unique("shop"):
        one_by_one.update(X[~old].loc[[name]], y[~old].loc[[name]])
    for day in days[~old].unique():
        by_time.update(X[days == day], y[days == day])
    expected = together.predict_interval(X)
    assert_array_equal(one_by_one.predict_interval(X), expected)
    assert_array_equal(by_time.predict_interval(X), expected)
    shuffled = X.sample(frac=1, random_state=1)
    numbers = X.index.get_indexer(shuffled.index)
    assert_array_equal(together.predict_interval(shuffled), expected[numbers])


def test_series_of_different_size_have_intervals_in_their_unit():
    X = panel_of_walks()
    y = forecast_targets(X["load"], LEADS)
    model = ConformalRegressor(Recorder()).fit(X, y)
    frame = pd.Series(np.diff(model.predict_interval(X))[:, 0, 0], X.index)
    width = frame.groupby("shop").median()
    assert 50 < width["shop 1"] / width["shop 0"] < 200
    assert 2 < width["shop 2"] / width["shop 0"] < 10


def test_a_new_series_has_intervals_and_updates():
    X = panel_of_walks()
    y = forecast_targets(X["load"], LEADS)
    model = ConformalRegressor(Recorder()).fit(X, y)
    new = pd.concat({"new": 20 * walk(9)}, names=["shop", "day"])
    before = model.predict_interval(new)
    width = np.median(np.diff(before))
    known = np.median(np.diff(model.predict_interval(X.loc[["shop 0"]])))
    assert 7 < width / known < 60
    model.update(new, forecast_targets(new["load"], LEADS))
    after = model.predict_interval(new)
    assert (after != before).any()
    assert_array_equal(model.predict_interval(X), model.predict_interval(X))


def test_outputs_of_a_new_series_have_intervals_in_their_own_unit():
    X = panel_of_walks()
    y = pd.DataFrame({"visitors": X["load"], "revenue": 1e6 * X["load"]})
    rng = np.random.default_rng(0)
    y *= 1 + rng.standard_normal(y.shape) / 10
    model = ConformalRegressor(TwoUnits()).fit(X, y)
    new = pd.concat({"new": 20 * walk(9)}, names=["shop", "day"])
    visitors, revenue = np.diff(model.predict_interval(new))[..., 0].T
    assert_allclose(revenue / visitors, 1e6, rtol=0.5)
    assert_allclose(visitors, 0.3 * new["load"], rtol=0.5)  # 0.33: nine of ten of these errors


def test_calibration_rows_of_several_series_are_the_latest_times():
    X = panel_of_walks()[50:]  # the first series is shorter
    y = X["load"].rename("target")
    model = ConformalRegressor(Recorder()).fit(X, y)
    days = X.index.get_level_values("day")
    first = days[model.calibration_rows_].min()
    assert_array_equal(model.calibration_rows_, np.flatnonzero(days >= first))


# What is refused, and what is left as it was.


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda X: X[::-1], "not increasing"),
        (lambda X: X.set_axis(X.index + pd.Timedelta("1h")), "off the grid"),
        (lambda X: X.reset_index(drop=True), "no labels, but the fitted rows have labels"),
        (lambda X: X.to_numpy(), "no labels, but the fitted rows have labels"),
        (lambda X: X.set_axis(np.arange(7, 12)), "labels of kind 'integer'"),
        (lambda X: pd.concat({"shop": X}), "the fitted rows are one series"),
    ],
)
def test_rows_of_another_kind_or_order_are_refused_and_nothing_changes(change, match):
    X, start = walk(), 200
    y = X["load"].shift(-1).rename("load_lead1")
    model = ConformalRegressor(windows_of_ridge()).fit(X[:start], y[:start])
    model.update(X[start : start + 30], y[start : start + 30])
    expected = model.predict_interval(X[start + 30 :])
    rows = change(X[start + 25 : start + 30])
    with pytest.raises(ValueError, match=match):
        model.update(rows, np.zeros(5))
    assert_array_equal(model.predict_interval(X[start + 30 :]), expected)


def test_an_update_that_the_transformer_refuses_changes_nothing():
    X, start = walk(), 200
    y = X["load"].shift(-1).rename("load_lead1")
    model = ConformalRegressor(windows_of_ridge()).fit(X[:start], y[:start])
    model.estimator_[0].partial_fit(X[start : start + 3])  # by hand, which update does itself
    expected = model.predict_interval(X[start + 3 :])
    with (
        pytest.warns(UserWarning, match="lack steps"),
        pytest.raises(ValueError, match="partial_fit appends rows"),
    ):
        model.update(X[start : start + 3], y[start : start + 3])
    assert_array_equal(model.predict_interval(X[start + 3 :]), expected)


def test_a_late_row_that_was_never_passed_is_refused():
    X, start = walk(), 200
    y = forecast_targets(X["load"], [5])
    model = ConformalRegressor(Recorder()).fit(X[:start], y[:start])
    at = [*range(start, start + 20), *range(start + 21, start + 23)]
    model.update(X.iloc[at], y.iloc[at])
    expected = model.predict_interval(X)
    with pytest.raises(ValueError, match="2024-08-08.* was never passed"):
        model.update(X[start + 18 : start + 23], y[start + 18 : start + 23])
    assert_array_equal(model.predict_interval(X), expected)


@pytest.mark.parametrize("n_after", [0, 1, 50])
def test_forgotten_rows_are_refused_by_the_first_of_them(n_after):
    X, start = walk(), 150
    y = forecast_targets(X["load"], LEADS)
    model = ConformalRegressor(Recorder()).fit(X[:start], y[:start])
    model.update(X[start : start + 5], y[start : start + 5])
    late = slice(start + 8, start + 60 + n_after)  # three rows are forgotten
    model.update(X[late], y[late])
    expected = model.predict_interval(X)
    with pytest.raises(ValueError, match="Row '2024-06-04' .* was never passed"):
        model.update(X[start : late.stop], y[start : late.stop])
    assert_array_equal(model.predict_interval(X), expected)
    model.update(X[late], y[late])
    model.update(X[: start + 5], y[: start + 5])
    assert_array_equal(model.predict_interval(X), expected)


def test_forgotten_rows_are_known_by_text_too():
    X, start = walk(), 150
    X = X.set_axis([f"run {row:04d}" for row in range(N)])
    y = forecast_targets(X["load"].to_numpy(), LEADS)
    model = ConformalRegressor(Recorder()).fit(X[:start], y[:start])
    at = [*range(start, start + 20), *range(start + 23, N)]
    model.update(X.iloc[at], y[at])
    with pytest.raises(ValueError, match="Row 'run 0170' .* was never passed"):
        model.update(X[start:], y[start:])


def as_frame(values):
    return pd.DataFrame(values).rename(columns=str)


@pytest.mark.parametrize("kind", [as_frame, np.asarray, np.ndarray.tolist, pl.DataFrame])
@pytest.mark.parametrize("begin", [0, 150, 197])
@pytest.mark.parametrize("end", [200, 230])
def test_rows_without_labels_that_were_passed_before_are_refused(kind, begin, end):
    X, start = walk(), 200
    y = forecast_targets(X["load"], LEADS).to_numpy()
    X = X.to_numpy()
    model = ConformalRegressor(Recorder()).fit(kind(X[:start]), y[:start])
    other = ConformalRegressor(Recorder()).fit(kind(X[:start]), y[:start])
    rows, targets = kind(X[begin:end]), y[begin:end]
    n = start - begin
    with pytest.raises(ValueError, match=f"first {n} of the {end - begin} rows") as caught:
        model.update(rows, targets)
    assert_array_equal(model.predict_interval(X), other.predict_interval(X))
    if end == start:
        assert "Leave the call out" in str(caught.value)
        return
    advice = "X" + str(caught.value).split("rows after them, X")[1].split(", and")[0]
    model.update(eval(advice, {"X": rows}), targets[n:])
    other.update(kind(X[start:end]), y[start:end])
    assert_array_equal(model.predict_interval(X), other.predict_interval(X))
    with pytest.raises(ValueError, match="were passed before"):
        pickle.loads(pickle.dumps(model)).update(kind(X[start:end]), y[start:end])


@pytest.mark.parametrize("n_rows", [1, 5, 24])
@pytest.mark.parametrize("values", ["constant", "season", "calendar"])
def test_new_rows_that_repeat_old_values_are_counted(values, n_rows):
    hours = np.arange(200)
    X = {"constant": hours * 0, "season": hours % 5, "calendar": hours % 24}[values]
    X = X[:, None].astype(float)
    y = np.random.default_rng(0).standard_normal(200) if values == "calendar" else X[:, 0]
    model = ConformalRegressor(Recorder()).fit(X[:120], y[:120])
    for begin in range(120, 192, n_rows):
        model.update(X[begin : begin + n_rows], y[begin : begin + n_rows])


def test_other_targets_are_refused():
    X, y = walk(), forecast_targets(walk()["load"], LEADS)
    model = ConformalRegressor(Recorder()).fit(X[:200], y[:200])
    with pytest.raises(ValueError, match=r"y has shape \(5,\), but expected \('n', 3\)"):
        model.update(X[200:205], np.zeros(5))
    with pytest.raises(ValueError, match="X has no rows, but update expects at least one"):
        model.update(X[:0], y[:0])
    model.update(X[200:205], y[200:205])


@pytest.mark.parametrize(("coverage", "needed"), [(0.9, 19), (0.8, 9), (0.99, 199)])
def test_too_few_calibration_rows_are_told_with_the_number_and_the_advice_works(coverage, needed):
    X, y = np.zeros((200, 1)), np.random.default_rng(0).standard_normal(200)
    n = 2 * needed
    model = ConformalRegressor(Recorder(), coverage=coverage)
    if coverage < 0.99:
        with pytest.raises(ValueError, match=f"at least {needed} calibration rows"):
            model.fit(X[: int(2.2 * needed)], y[: int(2.2 * needed)])
        model.fit(X[: 3 * n], y[: 3 * n])
        model.set_params(calibration_fraction=0.9).fit(
            X[: int(2.2 * needed)], y[: int(2.2 * needed)]
        )
    else:
        with pytest.raises(ValueError, match=f"at least {needed} calibration rows"):
            model.fit(X, y)
        model.set_params(coverage=0.9).fit(X, y)


def test_a_fit_that_fails_keeps_the_earlier_one():
    X = walk()
    y = forecast_targets(X["load"], LEADS)
    model = ConformalRegressor(windows_of_ridge()).fit(X, y)
    expected = model.predict_interval(X)
    with pytest.raises(ValueError, match="calibration rows"):
        model.fit(X[:20], y[:20])
    assert_array_equal(model.predict_interval(X), expected)


def test_a_regressor_that_refuses_nan_is_told_what_to_do_and_the_advice_works():
    X = walk()
    y = forecast_targets(X["load"], LEADS)
    with pytest.raises(ValueError, match="put KnownTargetsRegressor around it"):
        ConformalRegressor(LinearRegression()).fit(X, y)
    ConformalRegressor(KnownTargetsRegressor(LinearRegression())).fit(X, y)


@pytest.mark.parametrize("wrap", [KnownTargetsRegressor, lambda regressor: regressor])
def test_missing_values_in_x_are_not_taken_for_unknown_targets(wrap):
    X = walk()
    y = X["load"].copy()
    X.iloc[5] = np.nan
    with pytest.raises(ValueError, match="Input X contains NaN") as caught:
        ConformalRegressor(wrap(LinearRegression())).fit(X, y)
    assert "Targets" not in str(caught.value)


def test_it_must_be_fitted_first():
    for method in ("predict", "predict_interval"):
        with pytest.raises(NotFittedError):
            getattr(ConformalRegressor(Ridge()), method)([[1.0]])
    with pytest.raises(NotFittedError):
        ConformalRegressor(Ridge()).update([[1.0]], [1.0])


# As a meta-estimator.


def test_weights_go_with_their_rows():
    X, y, weight = np.zeros((100, 1)), np.arange(100.0), np.arange(100.0)
    weights = []

    class Spy(Recorder):
        def fit(self, X, y, sample_weight=None):
            weights.append(sample_weight)
            return super().fit(X, y)

    ConformalRegressor(Spy()).fit(X, y, sample_weight=weight)
    assert [len(each) for each in weights] == [60, 80, 100]
    assert_array_equal(weights[0], weight[:60])
    with sklearn.config_context(enable_metadata_routing=True):
        asks = ConformalRegressor(Recorder().set_fit_request(sample_weight=True))
        asks.fit(X, y, sample_weight=weight)
        assert_array_equal(asks.estimator_.sample_weight_, weight)
        with pytest.raises(ValueError, match="sample_weight"):
            ConformalRegressor(Recorder()).fit(X, y, sample_weight=weight)


def test_saving_keeps_intervals_and_updates():
    X, start = walk(), 200
    y = forecast_targets(X["load"], LEADS)
    model = ConformalRegressor(KnownTargetsRegressor(Ridge())).fit(X[:start], y[:start])
    model.update(X[start : start + 10], y[start : start + 10])
    data = skops.io.dumps(model)
    trusted = ["sklstm.ConformalRegressor", "sklstm.KnownTargetsRegressor"]
    loaded = skops.io.loads(data, trusted=trusted)
    for each in (model, loaded):
        each.update(X[start + 10 :], y[start + 10 :])
    assert_array_equal(loaded.predict_interval(X), model.predict_interval(X))


def test_containers_give_the_same_intervals():
    X = walk().to_numpy()
    y = X[:, 0] * 2 + np.random.default_rng(0).standard_normal(N)
    expected = ConformalRegressor(Ridge()).fit(X, y).predict_interval(X)
    for kind in (pd.DataFrame, pl.DataFrame, np.ndarray.tolist):
        model = ConformalRegressor(Ridge()).fit(kind(X), y)
        assert_allclose(model.predict_interval(kind(X)), expected, rtol=1e-12)


def test_score_is_that_of_the_estimator():
    X = walk()
    y = forecast_targets(X["load"], LEADS)
    model = ConformalRegressor(windows_of_ridge()).fit(X, y)
    assert model.score(X, y) == pytest.approx(
        model.estimator_[-1].score(model.estimator_[:-1].transform(X), y)
    )
