"""Which targets a fit may know, against a loop over rows and outputs."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, RegressorMixin

from sklstm import KnownTargetsRegressor, forecast_targets
from sklstm._target_leads import find_leads, hide_unknown, unknown_rows_before

NAN = np.nan
SERIES = np.random.RandomState(0).rand(60)
AHEAD = sliding_window_view(SERIES, 6)  # row t: the values of t to t + 5


def auto(y):
    values = np.asarray(y, dtype=float)
    return find_leads("auto", y, values.reshape(len(values), -1)).tolist()


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
            np.column_stack([SERIES, SERIES]),
            np.zeros((50, 3)),
            np.full((50, 2), NAN),
            np.eye(50, 3),  # labels that are mostly zero
            np.ones((1, 4)),
        ],
    )
    def test_other_outputs_are_known_at_once(self, y):
        assert auto(y) == [0] * y.shape[1]

    def test_an_output_that_does_not_go_on_begins_again_at_one(self):
        assert auto(AHEAD[:, [0, 1, 3]]) == [1, 2, 1]

    def test_a_fit_that_goes_on_keeps_the_leads_unless_names_tell_others(self):
        before = np.array([5, 6])
        plain, frame = np.zeros((1, 2)), named(["y_lead1", "y_lead2"])
        assert_array_equal(find_leads("auto", plain, plain, before=before), before)
        assert_array_equal(find_leads("auto", frame, frame.to_numpy(), before=before), [1, 2])
        assert_array_equal(find_leads(0, frame, frame.to_numpy(), before=before), [0, 0])

    @pytest.mark.parametrize("given", [(3, 4), [3, 4], range(3, 5), np.array([3, 4], np.int8)])
    def test_leads_are_given_for_each_output(self, given):
        assert_array_equal(find_leads(given, SERIES, np.zeros((5, 2))), [3, 4])
        assert_array_equal(find_leads(np.int64(7), SERIES, np.zeros((5, 2))), [7, 7])

    @pytest.mark.parametrize("given", [[1], [1, 2, 3], [1, -1], [1, 2.0], [True, 1], [[1, 2]], []])
    def test_other_leads_are_refused(self, given):
        with pytest.raises(ValueError, match=r"for each of the 2 output\(s\) of y, got"):
            find_leads(given, SERIES, np.zeros((5, 2)))


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
    match = r"they become known 5 to 6 row\(s\) after .*target_leads='auto'.*target_leads=0"
    with pytest.raises(ValueError, match=match):
        hide_unknown(np.zeros((5, 2)), np.array([5, 6]), "auto")


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
