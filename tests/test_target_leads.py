"""Which targets a fit may know, against a loop over rows and outputs."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import TimeSeriesSplit, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklstm import (
    KnownTargetsRegressor,
    LSTMRegressor,
    SlidingWindowTransformer,
    forecast_targets,
)
from sklstm._series.windows import Windows
from sklstm._target_leads import (
    find_leads,
    hide_unknown,
    leads_of_rows,
    panel_of_inputs,
    unknown_rows_before,
)

NAN = np.nan
WALKS = pd.DataFrame(np.random.RandomState(0).randn(200, 3).cumsum(axis=0))
ROWS = Windows(WALKS.to_numpy(), np.arange(200), 1, 1)
SERIES = np.random.RandomState(0).rand(60)
AHEAD = sliding_window_view(SERIES, 6)  # row t: the values of t to t + 5


def auto(y):
    values = np.asarray(y, dtype=float)
    leads = find_leads("auto", y, values.reshape(len(values), -1))
    assert leads.dtype == np.int64
    return leads.tolist()


def named(columns):
    return pd.DataFrame(np.random.RandomState(0).rand(9, len(columns)), columns=columns)


class TestFindLeads:
    @pytest.mark.parametrize("kind", [pd.DataFrame, pl.from_pandas, pa.Table.from_pandas])
    def test_auto_reads_the_names_of_the_columns(self, kind):
        assert auto(kind(named(["load_lead3", "load_lead24"]))) == [3, 24]

    def test_auto_reads_the_name_of_a_series(self):
        assert auto(pd.Series(SERIES, name="load_lead7")) == [7]
        assert auto(pl.Series("load_lead7", SERIES)) == [7]
        assert auto(pd.Series(SERIES, name="load")) == [0]

    def test_a_column_without_a_lead_is_known_at_once(self):
        assert auto(named(["load_lead24", "sensor"])) == [24, 0]

    def test_of_names_with_levels_the_last_one_counts(self):
        names = [("a", "load_lead7"), ("b", "load_lead9")]
        y = pd.DataFrame(np.zeros((9, 2)), columns=pd.MultiIndex.from_tuples(names))
        assert find_leads("auto", y, y.to_numpy()).tolist() == [7, 9]

    def test_names_of_forecast_targets_survive_a_split(self):
        y = forecast_targets(pd.Series(SERIES, name="load"), 3)
        assert auto(y) == auto(y.iloc[[4, 9, 30]]) == [1, 2, 3]
        assert auto(y["load_lead3"]) == [3]

    @pytest.mark.parametrize("y", [SERIES, named(["a", "b"]), named([0, 1]).to_numpy()])
    def test_without_names_targets_are_known_at_once(self, y):
        assert auto(y) == [0] * np.reshape(y, (len(y), -1)).shape[1]

    def test_outputs_that_hold_the_next_rows_of_each_other_are_the_next_values(self):
        assert auto(forecast_targets(SERIES, 4)) == [1, 2, 3, 4]
        assert auto(forecast_targets(SERIES, 4)[7:20]) == [1, 2, 3, 4]  # no NaN at the end
        assert auto(pd.DataFrame(forecast_targets(SERIES, 4))) == [1, 2, 3, 4]

    def test_they_are_found_among_unknown_values_and_around_a_test_fold(self):
        series = SERIES.copy()
        series[[3, 4, 20]] = NAN
        y = forecast_targets(series, 4)
        assert auto(np.delete(y, np.s_[25:40], axis=0)) == [1, 2, 3, 4]

    @pytest.mark.parametrize(
        "y",
        [
            AHEAD[:, ::-1],  # the newest first
            AHEAD[:, 1::-1],
            np.column_stack([SERIES, SERIES]),
            np.zeros((50, 3)),
            np.full((50, 2), NAN),
            np.eye(50, 3),  # labels that are mostly zero
            np.ones((1, 4)),
        ],
    )
    def test_other_outputs_are_known_at_once(self, y):
        assert auto(y) == [0] * y.shape[1]

    @pytest.mark.parametrize(("n_rows", "leads"), [(1, [0, 0]), (3, [0, 0]), (4, [1, 2])])
    def test_three_equal_values_tell_that_an_output_is_the_next_one(self, n_rows, leads):
        assert auto(AHEAD[:n_rows, :2]) == leads

    @pytest.mark.parametrize(("n_others", "leads"), [(3, [1, 2]), (4, [0, 0])])
    def test_rows_may_be_left_out_at_three_of_ten_places(self, n_others, leads):
        y = AHEAD[:11, :2].copy()
        y[:n_others, 1] += 1
        assert auto(y) == leads

    def test_an_output_that_does_not_go_on_begins_again_at_one(self):
        assert auto(AHEAD[:, [0, 1, 3]]) == [1, 2, 1]

    def test_a_fit_that_goes_on_keeps_the_leads_unless_names_tell_others(self):
        before = np.array([5, 6])
        plain, frame = np.zeros((1, 2)), named(["y_lead1", "y_lead2"])
        assert_array_equal(find_leads("auto", plain, plain, before=before), before)
        assert_array_equal(find_leads("auto", frame, frame.to_numpy(), before=before), [1, 2])
        assert_array_equal(find_leads(0, frame, frame.to_numpy(), before=before), [0, 0])

    @pytest.mark.parametrize(
        ("leads", "columns"),
        [([7], [1]), ([1], [0]), ([0, 3], [2, 1]), ([24, 1, 2], [0, 0, 0]), ([5, 5], [0, 1])],
    )
    def test_outputs_that_are_features_of_later_rows(self, leads, columns):
        pairs = zip(leads, columns, strict=True)
        y = np.column_stack([WALKS[column].shift(-lead) for lead, column in pairs])
        assert find_leads("auto", y, y, ROWS).tolist() == leads
        assert find_leads("auto", y, 9 - 4 * y, ROWS).tolist() == leads

    def test_the_next_values_of_each_other_begin_where_the_first_is_a_feature(self):
        one, other = (
            forecast_targets(WALKS[column].to_numpy(), range(13, 38)) for column in (0, 1)
        )
        of_no_feature = forecast_targets(np.random.RandomState(1).rand(200), 3)
        y = np.hstack([one, of_no_feature, other])
        expected = [*range(13, 38), 1, 2, 3, *range(13, 38)]
        assert find_leads("auto", y, y, ROWS).tolist() == expected
        at_once = np.column_stack([WALKS[0].shift(-lead) for lead in range(3)])
        assert find_leads("auto", at_once, at_once, ROWS).tolist() == [0, 1, 2]

    def test_names_and_an_earlier_fit_count_before_features(self):
        y = WALKS[0].shift(-1)
        values = y.to_numpy()[:, np.newaxis]
        assert find_leads("auto", y.rename("load_lead5"), values, ROWS).tolist() == [5]
        assert find_leads("auto", y, values, ROWS, np.array([3])).tolist() == [3]
        assert find_leads(0, y, values, ROWS).tolist() == [0]

    @pytest.mark.parametrize(
        "given",
        [(3, 4), [3, 4], range(3, 5), np.array([3, 4], np.int8), [np.array(3), np.array(4)]],
    )
    def test_leads_are_given_for_each_output(self, given):
        assert_array_equal(find_leads(given, SERIES, np.zeros((5, 2))), [3, 4])

    @pytest.mark.parametrize("given", [0, np.int64(7), np.array(7), 2**63 - 1])
    def test_one_lead_is_that_of_all_outputs(self, given):
        assert find_leads(given, SERIES, np.zeros((5, 2))).tolist() == [int(given)] * 2

    @pytest.mark.parametrize(
        "given",
        [
            *([1], [1, 2, 3], [1, -1], [1, 2.0], [True, 1], [[1, 2]], [[1], [2, 3]], []),
            *(np.eye(2, dtype=int), 2**63, -1, 2.5, None),
        ],
    )
    def test_other_leads_are_refused(self, given):
        with pytest.raises(ValueError, match=r"for each of the 2 output\(s\) of y, got"):
            find_leads(given, SERIES, np.zeros((5, 2)))


def short_series(n_rows=3):
    """Sixty series side by side, and the next two values of each row, all known."""
    values = np.random.RandomState(0).rand(60, n_rows + 2)
    number, row = np.divmod(np.arange(60 * n_rows), n_rows)
    y = np.column_stack([values[number, row + 1], values[number, row + 2]])
    index = pd.MultiIndex.from_arrays([[f"shop {i:02}" for i in number], row])
    return pd.DataFrame(np.random.RandomState(1).rand(len(y), 2), index), y


def test_rows_of_two_series_do_not_tell_that_outputs_follow_each_other():
    X, y = short_series()
    panel = panel_of_inputs(X, y)
    assert leads_of_rows("auto", X, y, y, panel).tolist() == [1, 2]
    assert find_leads("auto", y, y).tolist() == [0, 0]  # as rows of one series they do not


def test_the_series_of_rows_are_those_of_windows_or_of_an_index():
    X, y = short_series()
    windows = SlidingWindowTransformer(2).fit_transform(X)
    for inputs in [(windows, y), (X, y), (X.to_numpy(), pd.DataFrame(y, X.index))]:
        assert panel_of_inputs(*inputs).names == [f"shop {number:02}" for number in range(60)]
    assert panel_of_inputs(X.to_numpy(), y) is None
    assert panel_of_inputs(X.droplevel(0), pd.DataFrame(y)) is None
    twice = pd.DataFrame(y, X.index)[[0, 0]].iloc[[0, 0, 1]]
    with pytest.raises(ValueError, match="index of y"):
        panel_of_inputs(X.to_numpy()[:3], twice)
    with pytest.raises(ValueError, match="index of X"):
        panel_of_inputs(twice, y[:3])


def hidden_by_hand(values, leads, position):
    """Replace what becomes known later than at the last row, one value at a time."""
    expected = values.copy()
    for row in range(len(values)):
        for output, lead in enumerate(leads):
            if position[row] + lead > position[-1]:
                expected[row, output] = NAN
    return expected


@pytest.mark.parametrize("leads", [[0, 0, 0], [1, 2, 3], [7, 0, 2], [3, 3, 3], [100, 0, 9]])
def test_targets_that_are_not_known_at_the_last_row_are_hidden(leads):
    values = np.random.RandomState(0).rand(10, 3)
    before = values.copy()
    hidden = hide_unknown(values, np.array(leads), leads)
    assert_array_equal(hidden, hidden_by_hand(values, leads, np.arange(10)))
    assert_array_equal(values, before)


def test_targets_that_nothing_is_hidden_of_are_not_copied():
    y = forecast_targets(SERIES, 4)
    assert hide_unknown(y, np.arange(1, 5), "auto") is y


def test_no_known_target_is_an_error_that_names_the_parameter():
    for leads, words in (([5, 6], "5 to 6"), ([7, 7], "7")):
        match = rf"known {words} row\(s\) after .*target_leads='auto'.*target_leads=0"
        with pytest.raises(ValueError, match=match):
            hide_unknown(np.zeros((5, 2)), np.array(leads), "auto")


@pytest.mark.parametrize(("leads", "rows"), [([0, 0], 0), ([1], 0), ([7], 6), ([1, 24], 23)])
def test_rows_before_a_row_whose_targets_are_not_known_then(leads, rows):
    known_at = [row + max(leads) for row in range(100)]
    assert sum(at > 50 for at in known_at[:50]) == rows
    assert unknown_rows_before(np.array(leads)) == rows


many = settings(deadline=None, max_examples=500, database=None)


@many
@given(
    st.integers(1, 40),
    st.lists(st.integers(0, 30), min_size=1, max_size=5),
    st.integers(0, 10**6),
)
def test_what_becomes_known_later_is_hidden_and_nothing_else(n_rows, leads, seed):
    y = np.random.default_rng(seed).normal(size=(n_rows, len(leads)))
    expected = y.copy()
    for row in range(n_rows):
        for output, lead in enumerate(leads):
            if row + lead > n_rows - 1:
                expected[row, output] = NAN
    if np.isnan(expected).all():
        with pytest.raises(ValueError, match="target_leads=0"):
            hide_unknown(y, np.array(leads), leads)
    else:
        before = y.copy()
        assert_array_equal(hide_unknown(y, np.array(leads), leads), expected)
        assert_array_equal(y, before)


@many
@given(st.integers(1, 12), st.integers(1, 3), st.integers(20, 60), st.integers(0, 10**6))
def test_leads_are_read_from_the_values_of_any_fold(horizon, n_series, n_rows, seed):
    rng = np.random.default_rng(seed)
    series = rng.normal(size=(n_rows + 15, n_series))
    y = np.hstack([forecast_targets(column, horizon) for column in series.T])
    start = rng.integers(0, 15)
    expected = list(range(1, horizon + 1)) * n_series if horizon > 1 else [0] * n_series
    assert auto(y[start : start + n_rows]) == expected


@pytest.mark.filterwarnings("ignore:Output . of y is known in:UserWarning")  # of few rows
@many
@given(
    st.integers(1, 8),
    st.integers(10, 60),
    st.sets(st.integers(1, 58), max_size=6),
    st.booleans(),
)
def test_no_fold_fits_a_target_that_becomes_known_after_it(horizon, n_fitted, dropped, named):
    # The value of each row is its label, so that a target tells when it becomes known.
    labels = np.array([label for label in range(70) if label not in dropped])
    series = pd.Series(labels.astype(float), index=labels)
    y = forecast_targets(series, horizon, freq=1)
    n_fitted = min(n_fitted, len(labels) - 1)
    seen = Remembers()
    leads = "auto" if named else range(1, horizon + 1)
    model = KnownTargetsRegressor(seen, target_leads=leads)
    y_fold, X_fold = y.iloc[:n_fitted], series.to_frame("x").iloc[:n_fitted]
    known = [row for row in range(n_fitted - horizon) if not y.iloc[row].isna().any()]
    if not known:
        return
    model.fit(X_fold, y_fold if named else y_fold.to_numpy())
    assert model.fitted_rows_.tolist() == known
    assert np.max(model.regressor_.y_) <= labels[n_fitted - 1]


class Remembers(RegressorMixin, BaseEstimator):
    """A regressor that keeps the targets that it is fitted on."""

    def fit(self, X, y):
        self.y_ = np.asarray(y)
        return self

    def predict(self, X):
        return np.zeros((len(X), *self.y_.shape[1:]))


def lstm(**params):
    return LSTMRegressor(2, max_epochs=2, random_state=0, n_jobs=1, **params)


class TestShiftedColumns:
    """Fits after y = X[column].shift(-k), as users write it."""

    LOAD = pd.Series(WALKS[0].to_numpy(), pd.date_range("2024", periods=200), name="load")
    X = LOAD.to_frame().assign(other=WALKS[1].to_numpy())

    @pytest.mark.parametrize("lead", [1, 24])
    def test_a_fit_is_that_on_forecast_targets(self, lead):
        pipe = make_pipeline(
            StandardScaler().set_output(transform="pandas"), SlidingWindowTransformer(6), lstm()
        )
        named = pipe.fit(self.X, forecast_targets(self.LOAD, lead)[f"load_lead{lead}"])
        of_names, counts = named.predict(self.X), named[-1].window_counts_
        for y in (self.LOAD.shift(-lead), self.LOAD.shift(-lead).to_numpy()):
            shifted = pipe.fit(self.X, y)
            assert shifted[-1].target_leads_.tolist() == [lead]
            assert shifted[-1].window_counts_ == counts
            assert_array_equal(shifted.predict(self.X), of_names)

    def test_no_fold_sees_a_value_of_its_test_rows(self):
        # After the end of each fold, the targets hold values that X of the fold does not have.
        pipe = make_pipeline(SlidingWindowTransformer(6), lstm())
        folds = list(TimeSeriesSplit(3).split(self.X))
        for model in (pipe, KnownTargetsRegressor(Ridge())):
            y = self.LOAD.shift(-7)
            fitted = cross_validate(
                model, self.X, y.fillna(0), cv=folds, return_estimator=True, error_score="raise"
            )["estimator"]
            for (train, _), estimator in zip(folds, fitted, strict=True):
                rows, known = self.X.iloc[train], y.iloc[train].where(train < train[-1] - 6)
                by_hand = model.fit(rows, known)
                assert_array_equal(estimator.predict(rows), by_hand.predict(rows))

    def test_outputs_that_are_rescaled_one_by_one_are_found(self):
        scaled = TransformedTargetRegressor(lstm(), transformer=StandardScaler())
        windows = SlidingWindowTransformer(6).fit_transform(self.X[:-5])
        y = np.column_stack([self.LOAD.shift(-lead) for lead in range(1, 6)])[:-5]
        assert scaled.fit(windows, y).regressor_.target_leads_.tolist() == [1, 2, 3, 4, 5]

    def test_targets_without_a_weight_may_be_anything(self):
        windows = SlidingWindowTransformer(6).fit_transform(self.X)
        weight = (np.arange(200) % 3 > 0).astype(float)
        y = np.where(weight > 0, self.LOAD.shift(-2), -999.0)
        assert lstm().fit(windows, y, weight).target_leads_.tolist() == [2]
        assert lstm().fit(windows, y).target_leads_.tolist() == [0]

    def test_later_calls_keep_the_lead(self):
        windows = SlidingWindowTransformer(6).fit_transform(self.X)
        y = self.LOAD.shift(-2).to_numpy()
        model = lstm().partial_fit(windows[:100], y[:100])
        assert model.target_leads_.tolist() == [2]
        model.partial_fit(windows[100:105], y[100:105])  # too few to tell
        assert model.target_leads_.tolist() == [2]
        with pytest.raises(ValueError, match="set target_leads=0 if all targets in y are known"):
            model.partial_fit(windows[105:106], y[105:106])
        model.set_params(target_leads=0).partial_fit(windows[105:106], y[105:106])

    @pytest.mark.parametrize(
        "kind",
        [
            pd.DataFrame,
            pl.from_pandas,
            pa.Table.from_pandas,
            np.asarray,
            lambda X: X.to_numpy().tolist(),
            lambda X: X.assign(day=pd.Categorical(list("abcd") * 50)),
            lambda X: pl.from_pandas(X.reset_index(names="time")),
            lambda X: SlidingWindowTransformer(6).fit_transform(X),
            lambda X: SlidingWindowTransformer(6, flatten=True).fit_transform(X),
        ],
    )
    def test_other_regressors_are_fitted_on_known_targets(self, kind):
        model = KnownTargetsRegressor(Remembers()).fit(kind(self.X), self.LOAD.shift(-7).to_numpy())
        assert model.target_leads_.tolist() == [7]
        assert_array_equal(model.regressor_.y_, self.LOAD[7:])

    @pytest.mark.parametrize("kind", [scipy.sparse.csr_array, lambda X: X.astype("str") + "a"])
    def test_where_no_numbers_are_targets_are_known_at_once(self, kind):
        model = KnownTargetsRegressor(Remembers()).fit(kind(self.X), self.LOAD.shift(-7).to_numpy())
        assert model.target_leads_.tolist() == [0]
