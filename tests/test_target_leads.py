"""Which targets a fit may know, against a loop over rows and outputs."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from numpy.testing import assert_array_equal

from sklstm import SlidingWindowTransformer, forecast_targets
from sklstm._series.overlap import find_windows
from sklstm._target_leads import find_leads, hide_unknown, steps_of_rows, unknown_rows_before

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
            AHEAD[:, [0, 1, 3]],
            np.column_stack([SERIES, SERIES]),
            np.zeros((50, 3)),
            np.full((50, 2), NAN),
            np.eye(50, 3),  # labels that are mostly zero
            np.ones((1, 4)),
        ],
    )
    def test_other_outputs_are_known_at_once(self, y):
        assert auto(y) == [0] * y.shape[1]

    def test_a_fit_that_goes_on_keeps_the_leads_unless_names_tell_others(self):
        before = np.array([5, 6])
        plain, frame = np.zeros((1, 2)), named(["y_lead1", "y_lead2"])
        assert_array_equal(find_leads("auto", plain, plain, before), before)
        assert_array_equal(find_leads("auto", frame, frame.to_numpy(), before), [1, 2])
        assert_array_equal(find_leads(0, frame, frame.to_numpy(), before), [0, 0])

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
@pytest.mark.parametrize("holes", [False, True])
def test_targets_that_are_not_known_at_the_last_row_are_hidden(leads, holes):
    values = np.random.RandomState(0).rand(10, 3)
    position = np.cumsum([1, 1, 3, 1, 1, 1, 5, 1, 2, 1]) if holes else np.arange(10)
    before = values.copy()
    hidden = hide_unknown(values, np.array(leads), position, leads)
    assert_array_equal(hidden, hidden_by_hand(values, leads, position))
    assert_array_equal(values, before)


def test_targets_that_nothing_is_hidden_of_are_not_copied():
    y = forecast_targets(SERIES, 4)
    assert hide_unknown(y, np.arange(1, 5), np.arange(60), "auto") is y


def test_no_known_target_is_an_error_that_names_the_parameter():
    match = r"they become known 5 to 6 row\(s\) after .*target_leads='auto'.*target_leads=0"
    with pytest.raises(ValueError, match=match):
        hide_unknown(np.zeros((5, 2)), np.array([5, 6]), np.arange(5), "auto")


@pytest.mark.parametrize(("leads", "rows"), [([0, 0], 0), ([1], 0), ([7], 6), ([1, 24], 23)])
def test_rows_before_a_row_whose_targets_are_not_known_then(leads, rows):
    known_at = [row + max(leads) for row in range(100)]
    assert sum(at > 50 for at in known_at[:50]) == rows
    assert unknown_rows_before(np.array(leads)) == rows


class TestStepsOfRows:
    def test_holes_count(self):
        position = np.delete(np.arange(80), [20, 21, 50])
        index = pd.Index(position)
        X = pd.DataFrame({"x": SERIES[:1].repeat(77) + position}, index=index)
        windows = SlidingWindowTransformer(5).fit(X).transform(X)
        assert_array_equal(steps_of_rows(find_windows(windows)), position)

    @pytest.mark.parametrize(
        "picked", [np.s_[::3], np.s_[::9], np.random.RandomState(0).permutation(50)]
    )
    def test_of_windows_that_do_not_follow_each_other_the_rows_are_counted(self, picked):
        windows = SlidingWindowTransformer(5).fit_transform(SERIES[:, np.newaxis])[picked]
        assert_array_equal(steps_of_rows(find_windows(windows)), np.arange(len(windows)))

    def test_a_hole_longer_than_a_window_counts_as_a_row(self):
        X = pd.DataFrame({"x": SERIES[:40]}, index=np.r_[0:30, 500:510])
        windows = SlidingWindowTransformer(5).fit(X).transform(X)
        assert_array_equal(steps_of_rows(find_windows(windows)), np.arange(40))
