"""What the names of columns say about lags, and whether they contradict one feature's steps."""

import pytest

from sklstm._series.lag_names import Lag, contradiction, read_lags

# As libraries write lag 3 of a feature x, or of the only series.
WRITTEN = {
    "x_lag3": "x",  # timetk, greykite, flat windows of sklstm
    "x_lag_3": "x",  # feature-engine, skforecast, pytimetk
    "x__lag_3": "x",  # functime
    "lag_3__x": "x",  # sktime
    "lag_3__0": "0",  # sktime, of a series without a name
    "lag_3_x": "x",
    "lag3_x": "x",
    "x_t-3": "x",
    "x(t-3)": "x",
    "x (t-3)": "x",
    "x[t - 3]": "x",
    "x.L3": "x",  # statsmodels
    "x.L.3": "x",
    "X_Lag_03": "X",
    "x lag 3": "x",
    "pm (raw)_lag3": "pm (raw)",
    "a_b__lag_3": "a_b",
    "lag3": "",  # mlforecast
    "lag_3": "",  # skforecast
    "t-3": "",
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_lag_is_read_as_libraries_write_it(name):
    assert read_lags([name]) == [Lag(WRITTEN[name], 3)]


@pytest.mark.parametrize(
    "name",
    [
        "load",
        "month",
        "t",
        "x_t",
        "x(t)",
        "flag1",
        "flag_2",
        "lag",
        "x_lag",
        "x_avglag_7",
        "lag_1_7",
        "weight-3",
        "t-test",
        "co2",
        "loss.l1",
        "leader_1",
        "rolling_mean_lag1_window_size7",  # mlforecast
        "rolling_mean_lag1_window_size_7",
        "exponentially_weighted_mean_lag1_alpha0.3",
        "roll_mean_7",  # skforecast
        "x_window_3_mean",  # feature-engine
        "x_mean_1_3",  # sktime
    ],
)
def test_other_names_hold_no_lag_even_beside_lags(name):
    assert read_lags([name]) == [None]
    assert read_lags([name, "lag_1", "other_lag_1"])[0] is None


@pytest.mark.parametrize(
    ("name", "lag"),
    [
        ("x_lead2", Lag("x", -2)),
        ("x_lead_2", Lag("x", -2)),
        ("x(t+2)", Lag("x", -2)),
        ("t+2", Lag("", -2)),
        ("x_target_lag-2", Lag("x_target", -2)),  # darts, where this is two rows before
        ("x_lag_2h", Lag("x", 2, "h")),  # feature-engine with freq="2h"
        ("lag_2D_x", Lag("x", 2, "D")),
    ],
)
def test_rows_ahead_and_units_are_read_for_the_error_message(name, lag):
    assert read_lags([name]) == [lag]


@pytest.mark.parametrize(
    ("names", "zero"),
    [
        (["x", "x_lag1"], "x"),
        (["x", "x(t-1)"], "x"),
        (["x(t)", "x(t-1)"], "x"),
        (["x [t]", "x [t-1]"], "x"),
        (["x_t", "x_t-1"], "x"),
        (["t", "t-1"], ""),
    ],
)
def test_a_column_named_as_its_feature_is_lag_zero(names, zero):
    assert read_lags(names) == [Lag(zero, 0), Lag(zero, 1)]
    assert read_lags(names[::-1]) == [Lag(zero, 1), Lag(zero, 0)]


@pytest.mark.parametrize(
    "names", [["t", "lag_1"], ["x_t", "x_lag_1"], ["", "lag_1"], ["X", "x_lag1"]]
)
def test_a_column_named_otherwise_is_not_lag_zero(names):
    assert read_lags(names)[0] is None


@pytest.mark.parametrize(
    "names",
    [
        ["lag_3", "lag_2", "lag_1"],
        ["load_lag24", "load_lag1", "load"],
        ["t-2", "t-1", "t"],
        ["x(t-2)", "x(t-1)", "x(t)"],
        ["x0", "x1", "x2"],
        ["col9", "col10", "col11"],
        ["step_1", "step_2", "step_3"],
        ["h0_load", "h1_load"],
        ["0", "1", "2"],
        ["x7"],
        ["lag_1"],
    ],
    ids=str,
)
def test_names_of_steps_do_not_contradict(names):
    assert contradiction(names) is None


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (["lag_1", "lag_2", "lag_3"], "'lag_2' stands after 'lag_1', but is not later"),
        (["lag_3", "lag_1", "lag_2"], "'lag_2' stands after 'lag_1'"),
        (["lag_2", "lag_1", "lag_1"], "'lag_1' stands after 'lag_1'"),
        (["lag_2", "lag_1", "month"], "'month' is not a lag"),
        (
            ["a_lag1", "a_lag0", "b_lag1", "b_lag0"],
            "they are lags of several features, such as 'a' and 'b'",
        ),
        (["t-1", "t", "t+1"], "'t+1' lies ahead of its row"),
        (["load", "temp", "hour"], "no name holds a lag"),
        (["load"], "no name holds a lag"),
        (["x2", "x1", "x0"], "no name holds a lag"),
        (["x1", "x3"], "no name holds a lag"),
        (["a1", "b2"], "no name holds a lag"),
        (["x1", "x2", "month"], "no name holds a lag"),
    ],
    ids=str,
)
def test_names_that_contradict_say_why(names, why):
    assert contradiction(names).startswith(why)


def test_blanks_around_a_name_do_not_count():
    assert read_lags(["load_lag1 ", " load_lag2"]) == [Lag("load", 1), Lag("load", 2)]
