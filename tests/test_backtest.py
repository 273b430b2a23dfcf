"""backtest: equal to a loop, without leaks, and with errors as computed by hand."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from joblib import parallel_config
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    ShuffleSplit,
    TimeSeriesSplit,
    cross_validate,
)
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler

from sklstm import (
    ConformalRegressor,
    KnownTargetsRegressor,
    LSTMRegressor,
    PanelSplit,
    SlidingWindowTransformer,
    backtest,
    forecast_targets,
    known_targets_scorer,
)

N, LEADS, WINDOW = 120, 3, 5
NAN = np.nan
_RANDOM = np.random.RandomState(0)
SERIES = 10 + 3 * np.sin(2 * np.pi * np.arange(N) / 7) + _RANDOM.randn(N)
OTHER = _RANDOM.randn(N)


def frame(index=None, rows=slice(None)):
    return pd.DataFrame({"load": SERIES, "other": OTHER}).iloc[rows].set_axis(index, axis=0)


def lstm(**params):
    quick = {"hidden_layer_sizes": 4, "max_epochs": 1, "n_jobs": 1, "random_state": 0}
    return LSTMRegressor(**(quick | {"early_stopping": False} | params))


def lstm_pipe(**params):
    return make_pipeline(SlidingWindowTransformer(WINDOW, **params), lstm())


def flat(**params):
    return SlidingWindowTransformer(WINDOW, padding="edge", flatten=True, **params)


def ridge_pipe(**params):
    return make_pipeline(flat(**params), KnownTargetsRegressor(Ridge()))


DAYS = pd.date_range("2024-03-01", periods=N)
HOLES = np.delete(np.arange(N), [30, 31, 77])
INDEXES = {
    "default": pd.RangeIndex(N),
    "dates": DAYS,
    "periods": pd.period_range("2015-01", periods=N, freq="M"),
    "with a time zone": pd.date_range("2024-03-01", periods=N, tz="Europe/Berlin"),
    "integers": pd.Index(1000 + 10 * np.arange(N)),
    "holes": DAYS[HOLES],
    "business days": pd.bdate_range("2024-03-01", periods=N),
    "floats": pd.Index(np.sort(_RANDOM.rand(N))),
    "text": pd.Index([f"row {number:03d}" for number in range(N)]),
    "timedeltas": pd.timedelta_range(0, periods=N, freq="h"),
}


def one_series(kind):
    """Return X, y as numpy, pandas or polars."""
    if kind in ("numpy", "polars"):
        X = pd.DataFrame({"load": SERIES, "other": OTHER})
        y = forecast_targets(X["load"], LEADS)
        return (X.to_numpy(), y.to_numpy()) if kind == "numpy" else map(pl.from_pandas, (X, y))
    X = frame(INDEXES[kind], HOLES if kind == "holes" else slice(None))
    return X, forecast_targets(X["load"], LEADS)


def panel(by):
    """Return X, y of three series with other starts and ends, one of them with a hole."""
    parts = {"a": frame(DAYS), "b": 5 * frame(DAYS)[20:], "c": frame(DAYS)[:100]}
    parts["b"] = parts["b"].drop(DAYS[60])
    X = pd.concat(parts, names=["shop", "day"])
    if by == "time":
        X = X.sort_index(level="day", kind="stable")
    if by == "chance":
        X = X.sample(frac=1, random_state=0)
    return X, forecast_targets(X["load"], LEADS)


class Rolling:
    """Folds of 10 rows that begin every 4 rows, so that they overlap."""

    def split(self, X, y=None, groups=None):
        for start in range(60, len(X) - 12, 4):
            yield np.arange(start), np.arange(start, start + 10)


def masks(n):
    for start in (70, 90):
        yield np.arange(n) < start, (np.arange(n) >= start) & (np.arange(n) % 3 == 0)


SPLITTERS = {
    "time series split": TimeSeriesSplit(3),
    "with a gap": TimeSeriesSplit(3, gap=4),
    "with a gap longer than a window": TimeSeriesSplit(3, gap=9),
    "of a fixed length": TimeSeriesSplit(4, max_train_size=40, test_size=10),
    "a number": 3,
    "overlapping": Rolling(),
    "single rows": TimeSeriesSplit(5, test_size=1),
    "lists": [(list(range(60)), [60, 61, 62]), (list(range(20, 90)), [100, 95, 90])],
    "tests out of order": [(np.arange(90), [95, 92]), (np.arange(60), [80, 70])],
    "purged": [(np.arange(0, 70), np.arange(76, 90)), (np.arange(10, 90), np.arange(95, 110))],
}


def take(data, rows):
    return data.iloc[rows] if isinstance(data, (pd.DataFrame, pd.Series)) else data[rows]


def loop(model, X, y, splits):
    """Fit on the training rows, predict all rows after them up to the last test row."""
    for train, test in splits:
        fitted = clone(model).fit(take(X, train), take(y, train))
        passed = np.arange(max(train) + 1, max(test) + 1)
        predicted = fitted.predict(take(X, passed))
        for row in sorted(test):
            yield row, predicted[list(passed).index(row)]


def check(result, expected):
    rows, forecasts = zip(*expected, strict=True)
    assert_array_equal(result.rows, rows)
    assert_array_equal(result.forecasts, np.array(forecasts))


def folds_of(cv, X):
    if isinstance(cv, int):
        cv = TimeSeriesSplit(cv)
    return list(cv.split(np.zeros(len(X))) if hasattr(cv, "split") else cv)


class TestEqualsALoop:
    @pytest.mark.parametrize("kind", [*INDEXES, "numpy", "polars"])
    @pytest.mark.parametrize("splitter", SPLITTERS)
    def test_of_ridge(self, kind, splitter):
        X, y = one_series(kind)
        cv = SPLITTERS[splitter]
        result = backtest(ridge_pipe(), X, y, cv=cv)
        check(result, loop(ridge_pipe(), X, y, folds_of(cv, X)))
        values = np.asarray(y)
        assert_array_equal(result.actual, values[result.rows])
        folds = [[fold] * len(test) for fold, (_, test) in enumerate(folds_of(cv, X))]
        assert_array_equal(result.folds, np.concatenate(folds))

    @pytest.mark.parametrize(
        ("kind", "splitter"),
        [*zip([*INDEXES, "numpy", "polars"], [*SPLITTERS, "with a gap", "a number"], strict=True)],
    )
    def test_of_an_lstm(self, kind, splitter):
        X, y = one_series(kind)
        cv = folds_of(SPLITTERS[splitter], X)[-2:]
        check(backtest(lstm_pipe(), X, y, cv=cv), loop(lstm_pipe(), X, y, cv))

    def test_masks_are_folds_too(self):
        X, y = one_series("dates")
        result = backtest(ridge_pipe(), X, y, cv=masks(N))
        numbers = [(np.flatnonzero(train), np.flatnonzero(test)) for train, test in masks(N)]
        check(result, loop(ridge_pipe(), X, y, numbers))

    @pytest.mark.parametrize("model", [ridge_pipe(), lstm_pipe()], ids=["ridge", "lstm"])
    @pytest.mark.parametrize("by", ["series", "time", "chance"])
    @pytest.mark.parametrize("gap", [0, 6])
    def test_of_several_series(self, by, gap, model):
        X, y = panel(by)
        if not isinstance(model[-1], LSTMRegressor):
            model = clone(model).set_params(slidingwindowtransformer__history="auto")
            model[0].set_output(transform="pandas")
        cv = PanelSplit(TimeSeriesSplit(2, gap=gap))
        found = backtest(model, X, y, cv=cv)
        expected = []
        for train, test in cv.split(X):
            fitted = clone(model).fit(X.iloc[train], y.iloc[train])
            own, tested = {}, {}  # the last day of each shop in either part
            for last, part in ((own, train), (tested, test)):
                for shop, day in X.index[part]:
                    last[shop] = max(day, last.get(shop, day))
            passed = [
                row
                for row, (shop, day) in enumerate(X.index)
                if shop in tested and own.get(shop, DAYS[0]) < day <= tested[shop]
            ]
            predicted = fitted.predict(X.iloc[passed])
            expected += [(row, predicted[passed.index(row)]) for row in test]
        check(found, expected)

    @pytest.mark.parametrize("kind", ["numpy", "holes"])
    def test_windows_that_are_in_x_need_no_other_rows(self, kind):
        X, y = one_series(kind)
        windows = SlidingWindowTransformer(WINDOW).fit_transform(X)
        cv = TimeSeriesSplit(2, gap=3)
        check(backtest(lstm(), windows, y, cv=cv), loop(lstm(), windows, y, cv.split(X)))


class TestHistory:
    def test_without_history_in_the_windows_the_rows_before_are_passed(self):
        X, y = one_series("dates")
        cv = TimeSeriesSplit(3, gap=2)
        alone = backtest(ridge_pipe(history="none"), X, y, cv=cv)
        check(backtest(ridge_pipe(), X, y, cv=cv), zip(alone.rows, alone.forecasts, strict=True))

    @pytest.mark.parametrize("by", ["series", "time"])
    def test_without_history_in_the_windows_of_several_series(self, by):
        X, y = panel(by)
        models = [ridge_pipe(history=history) for history in ("auto", "none")]
        for model in models:
            model[0].set_output(transform="pandas")
        one, other = (backtest(m, X, y, cv=PanelSplit(2)).forecasts for m in models)
        assert_array_equal(one, other)

    def test_windows_inside_of_a_union_and_a_search_count(self):
        X, y = one_series("dates")
        cv = TimeSeriesSplit(3)
        union = make_pipeline(
            FeatureUnion([("one", flat(history="none")), ("two", StandardScaler())]),
            KnownTargetsRegressor(Ridge()),
        )
        with_history = make_pipeline(
            FeatureUnion([("one", flat()), ("two", StandardScaler())]),
            KnownTargetsRegressor(Ridge()),
        )
        one, other = (backtest(model, X, y, cv=cv).forecasts for model in (union, with_history))
        assert_allclose(one, other)
        grid = {"slidingwindowtransformer__window_size": [9]}
        one, other = (
            backtest(GridSearchCV(ridge_pipe(history=history), grid, cv=2), X, y, cv=cv).forecasts
            for history in ("none", "auto")
        )
        assert_array_equal(one, other)

    def test_no_row_after_the_test_rows_is_passed(self):
        X, y = one_series("dates")
        seen = []

        class Watching(RegressorMixin, BaseEstimator):
            def fit(self, X, y):
                seen.append(("fit", X.index))
                return self

            def predict(self, X):
                seen.append(("predict", X.index))
                return np.zeros((len(X), LEADS))

        backtest(Watching(), X, y, cv=[(np.arange(50), [60, 70]), (np.arange(80), [80])])
        assert [kind for kind, _ in seen] == ["fit", "predict"] * 2
        # This regressor does not leave unknown targets out: the last three rows are not fitted.
        assert_array_equal(seen[0][1], DAYS[:47])
        assert_array_equal(seen[1][1], DAYS[47:71])
        assert_array_equal(seen[3][1], DAYS[77:81])


class TestRefit:
    @pytest.mark.parametrize(("refit", "fitted"), [(False, 0), (2, 2), (3, 3), (99, 0)])
    @pytest.mark.parametrize("make", [ridge_pipe, lstm_pipe])
    @pytest.mark.parametrize("history", ["auto", "none"])
    def test_folds_between_take_the_last_fit_and_the_rows_since(self, refit, fitted, make, history):
        X, y = one_series("dates")
        splits = list(TimeSeriesSplit(4).split(X))
        train, test = splits[-1][0][: len(splits[fitted][0])], splits[-1][1]
        result = backtest(make(history=history), X, y, cv=splits, refit=refit)
        expected = list(loop(make(), X, y, [(train, test)]))
        last = result.folds == 3
        assert_array_equal(result.rows[last], [row for row, _ in expected])
        assert_array_equal(result.forecasts[last], [forecast for _, forecast in expected])

    def test_true_and_one_fit_in_every_fold(self):
        X, y = one_series("dates")
        results = [backtest(ridge_pipe(), X, y, cv=4, refit=refit) for refit in (True, 1)]
        assert_array_equal(results[0].forecasts, results[1].forecasts)

    def test_folds_out_of_order_are_refused(self):
        X, y = one_series("dates")
        cv = list(TimeSeriesSplit(3).split(X))[::-1]
        backtest(ridge_pipe(), X, y, cv=cv)
        with pytest.raises(ValueError, match="Fold 1 takes the fit of fold 0 .refit=False. on row"):
            backtest(ridge_pipe(), X, y, cv=cv, refit=False)

    @pytest.mark.parametrize("refit", [0, -1, 1.5, "yes", None])
    def test_other_values_are_refused(self, refit):
        X, y = one_series("dates")
        with pytest.raises(ValueError, match="refit must be True"):
            backtest(ridge_pipe(), X, y, cv=3, refit=refit)


MODELS = {
    "lstm": lstm_pipe(),
    "known targets": ridge_pipe(),
    "ridge": make_pipeline(flat(), Ridge()),
    "several": make_pipeline(flat(), MultiOutputRegressor(KnownTargetsRegressor(Ridge()))),
    "transformed": make_pipeline(flat(), TransformedTargetRegressor(Ridge())),
    "search": GridSearchCV(
        make_pipeline(flat(), Ridge()), {"ridge__alpha": [0.1, 100]}, cv=TimeSeriesSplit(2)
    ),
    "search of an lstm": GridSearchCV(
        lstm_pipe(),
        {"lstmregressor__hidden_layer_sizes": [2]},
        cv=TimeSeriesSplit(2),
        scoring=known_targets_scorer("neg_mean_absolute_error"),
    ),
}


class TestLeakage:
    @pytest.mark.parametrize("model", MODELS)
    @pytest.mark.parametrize("kind", ["dates", "numpy"])
    def test_no_forecast_depends_on_later_rows_or_targets(self, model, kind):
        X, y = one_series(kind)
        cv = [(np.arange(60), np.arange(62, 70)), (np.arange(40, 80), np.arange(80, 90))]
        expected = backtest(MODELS[model], X, y, cv=cv).forecasts
        for fold, (first_unknown, last_test) in enumerate([(60, 69), (80, 89)]):
            changed = np.array(X)
            changed[last_test + 1 :] = 1e3
            later = changed[:, 0].copy()
            later[first_unknown:] = -1e3  # the series, as targets of the training rows see it
            other = forecast_targets(later, LEADS)
            if kind == "dates":
                changed = pd.DataFrame(changed, X.index, X.columns)
                other = pd.DataFrame(other, y.index, y.columns)
            found = backtest(MODELS[model], changed, other, cv=[cv[fold]], baseline=None).forecasts
            assert_array_equal(found, expected[8 * fold : 8 + 10 * fold])

    @pytest.mark.parametrize("by", ["series", "time"])
    def test_no_forecast_of_several_series_depends_on_later_ones(self, by):
        X, y = panel(by)
        day = X.index.get_level_values("day")
        cv = [
            (np.flatnonzero(day < DAYS[70]), np.flatnonzero((day >= DAYS[72]) & (day < DAYS[80])))
        ]
        changed = X.copy()
        changed.loc[day >= DAYS[80], :] = 1e3
        series = changed["load"].where(day < DAYS[70], -1e3)
        other = forecast_targets(series, LEADS)
        table = flat().set_output(transform="pandas")
        for model in (lstm_pipe(), make_pipeline(table, KnownTargetsRegressor(Ridge()))):
            expected = backtest(model, X, y, cv=cv, baseline=None).forecasts
            found = backtest(model, changed, other, cv=cv, baseline=None).forecasts
            assert_array_equal(found, expected)

    def test_targets_without_names_are_hidden_in_folds_too_short_to_show_their_lead(self):
        """A fit on 20 rows cannot find that its target is a column 8 rows later."""
        X = frame(DAYS)
        y = X["load"].shift(-8).to_numpy()
        cv = [(np.arange(20), np.arange(20, 25)), (np.arange(100), np.arange(100, 105))]
        alone = ridge_pipe().fit(X[:20], y[:20])
        assert_array_equal(alone[-1].target_leads_, [0])
        for model in (ridge_pipe(), make_pipeline(flat(), Ridge())):
            result = backtest(model, X, y, cv=cv)
            assert_array_equal(result.target_leads, [8])
            windows = flat().fit(X[:20]).transform(X[:25])
            by_hand = Ridge().fit(windows[:12], y[:12]).predict(windows[20:])
            assert_allclose(result.forecasts[:5], by_hand)

    def test_leads_of_a_parameter_are_used(self):
        X = frame(DAYS)
        y = X["load"].rolling(4).mean().shift(-4).to_numpy()  # no column of X
        model = make_pipeline(flat(), KnownTargetsRegressor(Ridge(), target_leads=4))
        result = backtest(model, X[3:], y[3:], cv=3)
        assert_array_equal(result.target_leads, [4])
        assert_allclose(result.baselines["persistence"], y[3:][result.rows - 4])

    @pytest.mark.parametrize(
        "cv", [KFold(3), ShuffleSplit(3, random_state=0), KFold(3, shuffle=True, random_state=0)]
    )
    def test_training_rows_after_test_rows_are_refused_and_the_advice_works(self, cv):
        X, y = one_series("numpy")
        with pytest.raises(ValueError, match=r"Fold 0 trains on row \d+, which is not before"):
            backtest(ridge_pipe(), X, y, cv=cv)
        backtest(ridge_pipe(), X, y, cv=TimeSeriesSplit())

    def test_rows_in_both_parts_are_refused(self):
        X, y = one_series("numpy")
        with pytest.raises(ValueError, match="Fold 0 trains on row 50, which is not before its"):
            backtest(ridge_pipe(), X, y, cv=[(np.arange(51), np.arange(50, 60))])

    def test_folds_of_whole_series_are_refused_and_the_advice_works(self):
        X, y = panel("series")
        with pytest.raises(ValueError, match="PanelSplit"):
            backtest(lstm_pipe(), X, y, cv=TimeSeriesSplit(2))
        backtest(lstm_pipe(), X, y, cv=PanelSplit(TimeSeriesSplit(2)))

    def test_a_number_of_folds_splits_the_times_of_several_series(self):
        X, y = panel("series")
        one, other = (backtest(lstm_pipe(), X, y, cv=cv) for cv in (2, PanelSplit(2)))
        assert_array_equal(one.forecasts, other.forecasts)


class TestEstimator:
    def test_it_is_neither_fitted_nor_changed(self):
        X, y = one_series("numpy")
        for model in (lstm_pipe(), ridge_pipe(), MODELS["search of an lstm"]):
            before = str(model.get_params())
            backtest(model, X, y[:, 0], cv=2)
            assert str(model.get_params()) == before
            assert not hasattr(model, "best_estimator_")
            if not isinstance(model, GridSearchCV):
                assert not hasattr(model[-1], "target_leads_")
                assert not hasattr(model[0], "history_")

    def test_in_parallel_it_gives_the_same(self):
        X, y = one_series("dates")
        with parallel_config(backend="threading"):
            one, two = (
                backtest(ridge_pipe(), X, y, cv=4, refit=2, n_jobs=n_jobs) for n_jobs in (None, 2)
            )
        assert_array_equal(one.forecasts, two.forecasts)
        assert repr(one) == repr(two)

    def test_a_regressor_for_one_output(self):
        X, y = one_series("dates")
        model = make_pipeline(
            SlidingWindowTransformer(WINDOW, flatten=True),
            HistGradientBoostingRegressor(max_iter=2),
        )
        target = y["load_lead2"]
        result = backtest(model, X, target, cv=2)
        assert result.forecasts.shape == result.rows.shape
        (train, test), _ = TimeSeriesSplit(2).split(X)
        fitted = clone(model).fit(X.iloc[train[:-2]], target.iloc[train[:-2]])
        assert_array_equal(
            result.forecasts[: len(test)], fitted.predict(X.iloc[train[-2] : test[-1] + 1])[2:]
        )

    def test_a_regressor_that_refuses_unknown_targets_is_told_and_the_advice_works(self):
        X, y = one_series("dates")
        y.iloc[20] = NAN
        with pytest.raises(ValueError, match=r"KnownTargetsRegressor around") as raised:
            backtest(make_pipeline(flat(), Ridge()), X, y, cv=2)
        assert "This was in fold 0 of the backtest." in raised.value.__notes__
        backtest(ridge_pipe(), X, y, cv=2)

    def test_predictions_of_another_shape_are_refused(self):
        class One(RegressorMixin, BaseEstimator):
            def fit(self, X, y):
                return self

            def predict(self, X):
                return np.zeros(len(X))

        X, y = one_series("dates")
        with pytest.raises(ValueError, match=r"predictions have shape \(\d+,\), but expected"):
            backtest(One(), X, y, cv=2)

    def test_predictions_that_are_not_finite_are_refused(self):
        class Unknown(RegressorMixin, BaseEstimator):
            def fit(self, X, y):
                return self

            def predict(self, X):
                return np.where(np.arange(len(X)) == 5, NAN, 1.0)

        X, y = one_series("dates")
        with pytest.raises(ValueError, match="prediction of row 44 is not finite"):
            backtest(Unknown(), X, y["load_lead1"].fillna(0).to_numpy(), cv=2)

    def test_too_few_training_rows_are_told(self):
        X, y = one_series("dates")
        with pytest.raises(ValueError, match="None of the targets of the 3 training rows is known"):
            backtest(make_pipeline(flat(), Ridge()), X, y, cv=[([0, 1, 2], [3, 4])])


def seasonal_mase(values, train, season):
    """Mean absolute and squared differences of values a season apart in the training rows."""
    inside = [row for row in train if row - season in set(train)]
    changes = np.array([values[row] - values[row - season] for row in inside])
    changes = changes[~np.isnan(changes)]
    return np.abs(changes).mean(), (changes**2).mean()


class TestErrors:
    @pytest.mark.parametrize("metric", ["mean_absolute_error", "root_mean_squared_error"])
    @pytest.mark.parametrize("known", [True, False])
    def test_scores_of_folds_are_those_of_cross_validate(self, metric, known):
        X, y = one_series("dates")
        if known:
            X, y = X[:-LEADS], y[:-LEADS]
        else:
            y = y.mask(np.random.RandomState(1).rand(*y.shape) < 0.1)
        cv = TimeSeriesSplit(4)
        scoring = f"neg_{metric}"
        scores = cross_validate(
            lstm_pipe(), X, y, cv=cv, scoring=scoring if known else known_targets_scorer(scoring)
        )
        errors = backtest(lstm_pipe(), X, y, cv=cv).errors(by="fold")
        column = "MAE" if metric == "mean_absolute_error" else "RMSE"
        assert_allclose(errors[column], -scores["test_score"])
        assert errors.index.name == "fold"

    @pytest.mark.parametrize("season", [1, 7, "auto"])
    @pytest.mark.parametrize("kind", ["dates", "numpy", "holes"])
    def test_scaled_errors_and_skill_by_hand(self, kind, season):
        X, y = one_series(kind)
        cv = [(np.arange(10, 60), np.arange(62, 80)), (np.arange(75), np.arange(75, 112))]
        result = backtest(ridge_pipe(), X, y, cv=cv, baseline=season)
        labels = pd.DatetimeIndex(X.index) if kind == "holes" else DAYS
        value = dict(zip(labels, np.asarray(X)[:, 0], strict=True))
        day, season = pd.Timedelta(days=1), 7 if season == "auto" else season
        scaled, squared, own, naive = [], [], [], {1: [], season: []}
        for (row, forecast), fold in zip(
            zip(result.rows, result.forecasts, strict=True), result.folds, strict=True
        ):
            train = cv[fold][0]
            known = {labels[at] for at in train}
            changes = np.array(
                [value[at] - value[at - season * day] for at in known if at - season * day in known]
            )
            if kind == "numpy":  # of a target without a name, from the row of its lead on
                continue
            for lead in range(1, LEADS + 1):
                actual = value.get(labels[row] + lead * day, NAN)
                error = abs(forecast[lead - 1] - actual)
                scaled.append(error / np.abs(changes).mean())
                squared.append(error**2 / (changes**2).mean())
                own.append(error)
                for steps, found in naive.items():
                    at = labels[row] + (lead - steps * -(-lead // steps)) * day
                    while at not in value:
                        at -= steps * day
                    found.append(abs(value[at] - actual))
        errors = result.errors()
        assert errors["targets"].item() == np.count_nonzero(~np.isnan(result.actual))
        if kind == "numpy":
            assert np.isfinite(errors.to_numpy()).all()
            return

        def mean(values, root=False):
            by_output = np.nanmean(np.reshape(values, (-1, LEADS)), axis=0)
            return np.mean(np.sqrt(by_output) if root else by_output)

        assert_allclose(errors["MASE"], mean(scaled))
        assert_allclose(errors["RMSSE"], mean(squared, root=True))
        assert_allclose(errors["skill_over_persistence"], 1 - mean(own) / mean(naive[1]))
        if season == 1:
            assert "skill_over_seasonal_naive" not in errors
        else:
            skill = 1 - mean(own) / mean(naive[season])
            assert_allclose(errors["skill_over_seasonal_naive"], skill)

    def test_scaled_errors_of_several_series_by_hand(self):
        X, y = panel("chance")
        result = backtest(lstm_pipe(), X, y, cv=PanelSplit(2), baseline=7)
        table = result.to_frame()
        by_hand = {}
        for shop in "abc":
            errors = []
            for fold, (train, _) in enumerate(result.splits):
                past = X["load"].iloc[train]
                past = past[past.index.get_level_values("shop") == shop].droplevel(0)
                changes = (past - past.shift(7, freq="D")).abs().mean()  # by label
                rows = (table["fold"] == fold) & (table.index.get_level_values("shop") == shop)
                part = table[rows]
                errors.append((part["forecast"] - part["actual"]).abs() / changes)
            by_hand[shop] = pd.concat(errors).mean().mean()
        found = result.errors(by="series")["MASE"]
        assert_allclose(found, pd.Series(by_hand))
        assert list(found.index) == ["a", "b", "c"]

    @pytest.mark.parametrize("kind", ["dates", "numpy", "polars"])
    def test_baselines_are_values_known_at_the_row(self, kind):
        X, y = one_series(kind)
        result = backtest(ridge_pipe(), X, y, cv=TimeSeriesSplit(3), baseline=7)
        for lead in range(1, LEADS + 1):
            assert_array_equal(result.baselines["persistence"][:, lead - 1], SERIES[result.rows])
            expected = SERIES[result.rows + lead - 7]
            assert_array_equal(result.baselines["seasonal_naive"][:, lead - 1], expected)

    def test_leads_beyond_a_season_repeat_the_last_one(self):
        X = frame(DAYS)
        y = forecast_targets(X["load"], [7, 8, 15])
        result = backtest(ridge_pipe(), X, y, cv=2, baseline=7)
        for output, back in enumerate([0, 6, 6]):
            expected = SERIES[result.rows - back]
            assert_array_equal(result.baselines["seasonal_naive"][:, output], expected)

    def test_unknown_values_are_passed_over_by_baselines(self):
        X, y = one_series("dates")
        X.iloc[[60, 61], 0] = NAN
        X.iloc[62 - 7, 0] = NAN
        y = forecast_targets(X["load"], LEADS)
        model = make_pipeline(SlidingWindowTransformer(WINDOW), lstm())
        result = backtest(model, X, y, cv=[(np.arange(58), [61])], baseline=7)
        assert_array_equal(result.baselines["persistence"][0], SERIES[[59] * 3])
        assert_array_equal(result.baselines["seasonal_naive"][0], SERIES[[62 - 14, 56, 57]])

    def test_groups_by_hand(self):
        X, y = one_series("dates")
        result = backtest(ridge_pipe(), X, y, cv=Rolling())
        table = result.to_frame()
        errors = (table["forecast"] - table["actual"]).abs()
        by_lead = result.errors(by="lead")["MAE"]
        assert_allclose(by_lead, errors.mean())
        assert by_lead.index.tolist() == [1, 2, 3]
        assert_allclose(result.errors(by="output")["MAE"], errors.mean())
        assert result.errors(by="output").index.tolist() == list(y.columns)
        assert_allclose(
            result.errors(by="fold")["MAE"], errors.groupby(table["fold"]).mean().mean(axis=1)
        )
        week = table.index.day_of_week
        expected = errors.groupby(week).mean().mean(axis=1)
        for by in ("day_of_week", lambda index: index.day_of_week, DAYS.day_of_week):
            assert_allclose(result.errors(by=by)["MAE"], expected)
        assert result.errors(by="month").index.tolist() == sorted(set(table.index.month))
        weather = np.where(OTHER > 0, "warm", "cold")
        assert result.errors(by=weather).index.tolist() == ["cold", "warm"]
        assert result.errors(by="fold")["targets"].sum() == result.errors()["targets"].item()

    def test_times_of_several_series_are_their_last_level(self):
        X, y = panel("time")
        found = backtest(lstm_pipe(), X, y, cv=2).errors(by="month")
        assert found.index.tolist() == [4, 5, 6]

    def test_levels_of_the_index_are_groups_by_their_name(self):
        years = pd.MultiIndex.from_product([["north", "south"], range(2001, 2031)])
        years.names = ["region", "year"]
        X = pd.DataFrame({"load": SERIES[:60]}, years)
        result = backtest(Ridge(), X, forecast_targets(X["load"], 1), cv=2)
        table = result.to_frame()
        for name in years.names:
            errors = (table["forecast"] - table["actual"]).abs().groupby(level=name).mean()
            assert_allclose(result.errors(by=name)["MAE"], errors.iloc[:, 0])
            assert result.errors(by=name).index.tolist() == errors.index.tolist()

    def test_a_series_of_other_labels_is_no_group(self):
        X, y = one_series("dates")
        result = backtest(ridge_pipe(), X, y, cv=2)
        by = pd.Series(DAYS.month, DAYS)
        assert result.errors(by=by).equals(result.errors(by=by.to_numpy()))
        with pytest.raises(ValueError, match="X and by have different indexes"):
            result.errors(by=by[::-1])

    @pytest.mark.parametrize("by", ["hours", "series", np.zeros(3), lambda index: index[:2], 7])
    def test_other_groups_are_refused(self, by):
        X, y = one_series("dates")
        result = backtest(ridge_pipe(), X, y, cv=2)
        with pytest.raises(ValueError, match="by"):
            result.errors(by=by)

    def test_unknown_targets_are_left_out(self):
        X, y = one_series("dates")
        cv = TimeSeriesSplit(3, test_size=10)
        whole = backtest(ridge_pipe(), X, y, cv=cv)
        assert np.isnan(whole.actual[-1]).all()
        table = whole.to_frame()
        errors = (table["forecast"] - table["actual"]).abs()
        assert whole.errors()["targets"].item() == errors.count().sum() == 3 * 30 - 6
        assert_allclose(whole.errors()["MAE"], errors.mean().mean())
        last = backtest(ridge_pipe(), X, y, cv=[*cv.split(X), (np.arange(119), [119])])
        assert np.isnan(last.errors(by="fold").loc[3, "MAE"])
        assert last.errors(by="fold").loc[3, "targets"] == 0
        assert_allclose(last.errors()["MAE"], whole.errors()["MAE"])

    def test_no_known_target_at_all_is_refused(self):
        X, y = one_series("dates")
        with pytest.raises(ValueError, match="No target of the 1 test rows is known"):
            backtest(ridge_pipe(), X, y, cv=[(np.arange(119), [119])])

    def test_targets_of_their_own_row_have_no_skill_and_it_is_said(self):
        X = frame(DAYS)
        y = X["load"] * X["other"]
        result = backtest(make_pipeline(flat(), Ridge()), X, y.to_numpy(), cv=3)
        assert result.baselines == {}
        assert "no skill: targets are taken to be known at their own row" in repr(result)
        assert {"MAE", "RMSE", "MASE", "RMSSE", "targets"} == set(result.errors().columns)

    def test_without_baselines_there_is_neither_skill_nor_scale(self):
        X, y = one_series("dates")
        result = backtest(ridge_pipe(), X, y, cv=3, baseline=None)
        assert result.season is None
        assert set(result.errors().columns) == {"MAE", "RMSE", "targets"}

    @pytest.mark.parametrize("baseline", [0, -7, 1.5, "week", True, [7]])
    def test_other_baselines_are_refused(self, baseline):
        X, y = one_series("dates")
        with pytest.raises(ValueError, match="baseline must be 'auto', None, or an int"):
            backtest(ridge_pipe(), X, y, cv=3, baseline=baseline)

    def test_training_rows_without_a_scale_are_told(self):
        X, y = one_series("dates")
        cv = [(np.arange(30), [30, 31]), (np.arange(60), [60, 61])]
        result = backtest(ridge_pipe(), X, y, cv=cv, baseline=40)
        assert "MASE and RMSSE leave out 6 targets" in repr(result)
        found = result.errors(by="fold")
        assert np.isnan(found.loc[0, "MASE"])
        assert found.loc[1, "MASE"] == result.errors()["MASE"].item()

    def test_two_series_of_one_name_stay_apart(self):
        X = frame(DAYS)
        y = pd.concat([forecast_targets(s, 1) for s in (X["load"], 2 * X["load"])], axis=1)
        result = backtest(ridge_pipe(), X, y, cv=3, baseline=7)
        expected = np.column_stack([SERIES, 2 * SERIES])[result.rows]
        assert_array_equal(result.baselines["persistence"], expected)
        assert_array_equal(result.to_frame()["persistence"], expected)

    @pytest.mark.parametrize("make", ["shift", "array", "freq"])
    def test_no_baseline_is_of_a_later_row_where_targets_are_counted_in_rows(self, make):
        """With steps, the target five steps ago would be the value of a later row after a hole."""
        X = frame(INDEXES["holes"], HOLES)
        if make == "freq":
            y = forecast_targets(X["load"], [5], freq="rows")
        else:
            y = X["load"].shift(-5) if make == "shift" else X["load"].shift(-5).to_numpy()
        model = make_pipeline(StandardScaler(), KnownTargetsRegressor(Ridge()))
        result = backtest(model, X, y, cv=5, baseline=7)
        assert_array_equal(result.target_leads, [5])
        assert_array_equal(np.ravel(result.baselines["persistence"]), X["load"].iloc[result.rows])
        seasonal = X["load"].to_numpy()[result.rows - 2]
        assert_array_equal(np.ravel(result.baselines["seasonal_naive"]), seasonal)

    def test_a_column_of_other_values_is_not_taken_for_the_series(self):
        X, y = one_series("dates")
        one, other = (
            backtest(ridge_pipe(), rows, y, cv=3).baselines["persistence"]
            for rows in (X, X.assign(load=-X["load"]))
        )
        assert_array_equal(one, other)


class TestResult:
    def test_frames_have_the_index_of_x(self):
        X, y = one_series("dates")
        result = backtest(ridge_pipe(), X, y, cv=Rolling())
        table = result.to_frame()
        assert_array_equal(table.index, DAYS[result.rows])
        assert_array_equal(table["fold"], result.folds)
        assert_array_equal(table["forecast"], result.forecasts)
        assert_array_equal(table["actual"], result.actual)
        assert_array_equal(table["persistence"], result.baselines["persistence"])
        assert list(table["forecast"].columns) == list(y.columns)
        # A row that several folds test has several forecasts.
        twice = table[table.index == DAYS[65]]
        assert twice["fold"].tolist() == [0, 1]

    def test_frames_of_one_output_have_plain_columns(self):
        X, y = one_series("numpy")
        table = backtest(ridge_pipe(), X, y[:, 0], cv=3, baseline=7).to_frame()
        columns = ["fold", "forecast", "actual", "persistence", "seasonal_naive"]
        assert table.columns.tolist() == columns
        assert table.index.name == "row"

    def test_it_can_be_saved(self):
        X, y = panel("time")
        result = backtest(lstm_pipe(), X, y, cv=2)
        again = pickle.loads(pickle.dumps(result))
        assert repr(again) == repr(result)
        pd.testing.assert_frame_equal(again.to_frame(), result.to_frame())

    def test_it_shows_folds_season_and_skill(self):
        X, y = one_series("dates")
        shown = repr(backtest(ridge_pipe(), X, y, cv=TimeSeriesSplit(3, test_size=20)))
        first, second, *_ = shown.splitlines()
        assert first == ("BacktestResult: 3 folds, 60 forecasts, 3 output(s), leads of 1 to 3")
        fits, season = second.split("; ")
        assert fits == "fitted in every fold"
        assert season == "season of 7 steps, found in the 60 training rows of the first fold"
        for words in ("fold 0", "fold 2", "all", "lead 1", "lead 3", "MASE", "persistence"):
            assert words in shown
        many = repr(backtest(ridge_pipe(), X, y, cv=Rolling(), refit=4))
        assert "..." in many
        assert "fitted in the first one of every 4 folds" in many
        assert len(many.splitlines()) < 20

    def test_it_shows_itself_in_a_notebook(self):
        X, y = one_series("dates")
        y.columns = ["<b>1", "<b>2", "<b>3"]
        html = backtest(ridge_pipe(), X, y, cv=3)._repr_html_()
        assert html.count("<tr>") == html.count("</tr>") > 4
        assert "season of" in html

    def test_no_season_is_said(self):
        X = frame(DAYS)
        X["load"] = np.random.RandomState(3).randn(N).cumsum()
        result = backtest(ridge_pipe(), X, forecast_targets(X["load"], 2), cv=3)
        assert result.season == 1
        assert "no season found in the 30 training rows of the first fold" in repr(result)
        assert list(result.baselines) == ["persistence"]

    def test_progress_is_one_line_a_fold(self, capsys):
        X, y = one_series("dates")
        backtest(ridge_pipe(), X, y, cv=3, verbose=1)
        lines = capsys.readouterr().out.splitlines()
        assert [line.split(",")[0] for line in lines] == [
            f"backtest: fold {fold}/3" for fold in (1, 2, 3)
        ]
        backtest(ridge_pipe(), X, y, cv=3)
        assert capsys.readouterr().out == ""


class TestInput:
    @pytest.mark.parametrize("cv", [None, "time", True, 1.5])
    def test_other_splitters_are_refused(self, cv):
        X, y = one_series("dates")
        with pytest.raises((ValueError, TypeError), match="cv"):
            backtest(ridge_pipe(), X, y, cv=cv)

    @pytest.mark.parametrize(
        "test", [[], [130], [-1], [60, 60], [60.5], ["2024-05-01"], [[60]], slice(60, 70)]
    )
    def test_folds_that_are_no_rows_are_refused(self, test):
        X, y = one_series("dates")
        with pytest.raises(ValueError, match="The test rows of fold 0"):
            backtest(ridge_pipe(), X, y, cv=[(np.arange(60), test)])

    def test_no_folds_are_refused(self):
        X, y = one_series("dates")
        with pytest.raises(ValueError, match="cv has no folds"):
            backtest(ridge_pipe(), X, y, cv=iter([]))

    def test_rows_out_of_order_are_refused(self):
        X, y = one_series("dates")
        with pytest.raises(ValueError, match="index of X is not increasing"):
            backtest(make_pipeline(Ridge()), X[::-1], y[::-1], cv=3)

    def test_other_labels_are_refused(self):
        X, y = one_series("dates")
        with pytest.raises(ValueError, match="X and y have different indexes"):
            backtest(ridge_pipe(), X[1:], y[:-1], cv=3)

    def test_labels_of_y_count_where_x_has_none(self):
        X, y = one_series("dates")
        result = backtest(ridge_pipe(), X.to_numpy(), y, cv=3)
        assert_array_equal(result.to_frame().index, DAYS[result.rows])


# Intervals.


def calibrated(coverage=0.8):
    windows = SlidingWindowTransformer(4, padding="edge", flatten=True)
    pipe = make_pipeline(windows, KnownTargetsRegressor(Ridge()))
    return ConformalRegressor(pipe, coverage=coverage)


def in_a_pipeline(model):
    return make_pipeline("passthrough", model)


def in_a_search(model):
    scoring = known_targets_scorer("r2")
    return GridSearchCV(model, {}, cv=TimeSeriesSplit(2, test_size=40), scoring=scoring)


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("around", [lambda model: model, in_a_pipeline, in_a_search])
def test_intervals_of_each_fold_are_those_of_its_fit(chicago, n_outputs, around):
    X = chicago[:300]
    y = forecast_targets(X["ridership"], n_outputs)
    y = y["ridership_lead1"] if n_outputs == 1 else y
    cv = TimeSeriesSplit(2, test_size=40)
    result = backtest(around(calibrated()), X, y, cv=cv)
    for fold, (train, test) in enumerate(cv.split(X)):
        here = result.folds == fold
        expected = calibrated().fit(X.iloc[train], y.iloc[train]).predict_interval(X.iloc[test])
        np.testing.assert_allclose(result.lower[here], expected[..., 0], rtol=1e-9)
        np.testing.assert_allclose(result.upper[here], expected[..., 1], rtol=1e-9)
    table = result.to_frame()
    np.testing.assert_array_equal(table["lower"].to_numpy(), result.lower)
    np.testing.assert_array_equal(table["upper"].to_numpy(), result.upper)
    plain = backtest(calibrated().estimator, X, y, cv=cv)
    np.testing.assert_allclose(result.forecasts, plain.forecasts, rtol=1e-9)
    assert plain.lower is plain.upper is plain.interval_coverage is None
    assert "lower" not in plain.to_frame()


@pytest.mark.parametrize("by", [None, "fold", "lead", "month"])
def test_coverage_width_and_interval_score_are_those_of_a_loop(chicago, by):
    X = chicago[:300]
    y = forecast_targets(X["ridership"], 2)  # the last targets are unknown
    result = backtest(calibrated(), X, y, cv=TimeSeriesSplit(2, test_size=60))
    by_hand = {}
    for at, row in enumerate(result.rows):
        for output in range(2):
            key = {
                None: "all",
                "fold": result.folds[at],
                "lead": output + 1,
                "month": X.index.month[row],
            }[by]
            low, high = result.lower[at, output], result.upper[at, output]
            target = result.actual[at, output]
            if not np.isnan(target):
                score = high - low + 2 / 0.2 * (max(low - target, 0) + max(target - high, 0))
                found = by_hand.setdefault(key, ([], []))
                found[output].append((low <= target <= high, high - low, score))
    table = result.coverage(by=by)
    assert table.index.tolist() == sorted(by_hand)
    for key, parts in by_hand.items():
        expected = np.mean([np.mean(part, axis=0) for part in parts if part], axis=0)
        np.testing.assert_allclose(table.loc[key].iloc[:3], expected)
        assert table.loc[key, "targets"] == sum(map(len, parts))


def test_the_coverage_stands_in_the_text_of_the_result(chicago):
    X = chicago[:300]
    y = forecast_targets(X["ridership"], 2)
    result = backtest(calibrated(), X, y, cv=TimeSeriesSplit(2, test_size=60))
    held = result.coverage()["coverage"].item()
    line = f"intervals for a coverage of 0.8 held {held:.3f} of the targets"
    assert line in repr(result)
    assert line in result._repr_html_()
    plain = backtest(calibrated().estimator, X, y, cv=TimeSeriesSplit(2, test_size=60))
    assert "intervals" not in repr(plain)


def test_a_backtest_without_intervals_has_no_coverage_and_the_advice_works(chicago):
    X = chicago[:300]
    y = forecast_targets(X["ridership"], 2)
    estimator, cv = calibrated().estimator, TimeSeriesSplit(2, test_size=60)
    with pytest.raises(ValueError, match="has no intervals") as caught:
        backtest(estimator, X, y, cv=cv).coverage()
    advice = str(caught.value).split("around the estimator: ")[1].removesuffix(".")
    assert 0 < eval(advice).coverage()["coverage"].item() <= 1
