"""Lag tables are told from features by the target: by no chance, calendar or forecast."""

import numpy as np
import pytest
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

from sklstm._series.own_lags import columns_of_own_lags
from sklstm.datasets import load_chicago_ridership

SERIES = load_chicago_ridership(as_frame=True).data["ridership"].to_numpy()[-500:]
RNG = np.random.default_rng(0)


def lag_table(series, lags):
    """Return the rows of a forecaster, and the target of each: the value after its newest lag."""
    first = max(lags)
    table = np.stack([series[first - lag : len(series) - lag] for lag in lags], axis=1)
    return table, series[first:]


@pytest.mark.parametrize(
    ("lags", "found"),
    [
        ([1, 2, 3, 4], [0, 1, 2, 3]),  # skforecast, mlforecast
        ([4, 3, 2, 1], [3, 2, 1, 0]),  # sktime, darts
        ([7, 3, 2, 1], [3, 2, 1]),
        ([2, 7, 1, 3], [2, 0, 3]),
        ([1, 2], []),  # may be features that the user chose
        ([1, 7, 14], []),
        ([2, 3, 4], []),
    ],
)
def test_columns_that_hold_the_last_targets_are_found(lags, found):
    for series in (SERIES, np.round(SERIES), RNG.poisson(0.2, 500).astype(float)):
        table, y = lag_table(series, lags)
        assert columns_of_own_lags(table, y) == found
        exogenous = RNG.normal(size=(len(y), 2))
        assert columns_of_own_lags(np.hstack([table, exogenous]), y) == found


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("scaler", [StandardScaler(), MinMaxScaler(), RobustScaler()])
def test_lags_are_found_behind_a_scaler(scaler, dtype):
    for series in (SERIES, np.round(SERIES), RNG.poisson(0.2, 500).astype(float)):
        table, y = lag_table(series, [1, 2, 3, 4])
        scaled = scaler.fit_transform(table).astype(dtype)
        assert columns_of_own_lags(scaled, y) == [0, 1, 2, 3]
        holed, y_of_holed = lag_table(np.where(np.arange(500) % 90 == 7, np.nan, series), [1, 2, 3])
        holed = scaler.fit_transform(holed).astype(dtype)
        assert columns_of_own_lags(holed, y_of_holed) == [0, 1, 2]
        features = RNG.normal(size=table.shape) + np.linspace(0, 1, 4) * y[:, np.newaxis]
        assert columns_of_own_lags(scaler.fit_transform(features).astype(dtype), y) == []


@pytest.mark.parametrize("series", [np.arange(90.0), 1.05 ** np.arange(90)])
def test_columns_that_grow_alike_are_not_taken_for_lags(series):
    features = np.stack([3 * series + 5, series * 2, series / 7, 9 - series, series - 4], axis=1)
    assert columns_of_own_lags(StandardScaler().fit_transform(features), series) == []
    assert columns_of_own_lags(features[:-1], series[1:]) == []


def test_rows_in_single_precision_are_compared_in_it():
    table, y = lag_table(SERIES / 7, [1, 2, 3])
    assert columns_of_own_lags(table.astype(np.float32), y) == [0, 1, 2]
    assert columns_of_own_lags(np.ones((40, 3), dtype=int), np.full(40, np.nan)) == []
    y[7] = 1e300
    assert columns_of_own_lags(table.astype(np.float32), y) == [0, 1, 2]


def test_tables_of_several_series_one_after_the_other_are_lag_tables():
    tables = [lag_table(RNG.normal(size=60), [1, 2, 3]) for _ in range(5)]
    rows, y = (np.concatenate(parts) for parts in zip(*tables, strict=True))
    assert columns_of_own_lags(rows, y) == [0, 1, 2]


@pytest.mark.parametrize("period", [2, 3])
def test_of_equal_columns_of_a_series_that_repeats_the_oldest_first_order_is_taken(period):
    table, y = lag_table(RNG.normal(size=period)[np.arange(90) % period], [6, 5, 4, 3, 2, 1])
    assert columns_of_own_lags(table, y) == [5, 4, 3, 2, 1, 0]


def test_each_column_of_a_series_that_repeats_is_one_lag():
    table, y = lag_table(RNG.normal(size=4)[np.arange(90) % 4], [1, 2, 3, 4, 5, 6])
    assert columns_of_own_lags(table, y) == [0, 1, 2, 3, 4, 5]


def test_three_changes_of_the_target_suffice():
    series = np.repeat([0.0, 5, 1, 4], 20)
    assert columns_of_own_lags(*lag_table(series, [1, 2, 3])) == [0, 1, 2]
    assert columns_of_own_lags(*lag_table(series[:60], [1, 2, 3])) == []


def test_missing_values_do_not_hide_a_lag_table():
    series = SERIES.copy()
    series[[50, 51, 200]] = np.nan
    assert columns_of_own_lags(*lag_table(series, [3, 2, 1])) == [2, 1, 0]


N = 500
T = np.arange(N)


@pytest.mark.parametrize(
    "features",
    [
        np.eye(7)[T % 7],  # each column is the one before it, a day later
        np.stack([np.cos(2 * np.pi * (T + shift) / 7) for shift in range(7)], axis=1),
        np.stack([T, T + 1, T + 2, T + 3], axis=1).astype(float),
        np.stack([np.roll(SERIES[::-1], -lead) for lead in range(7)], axis=1),  # known ahead
        np.ones((N, 5)),
        np.zeros((N, 5)),
        (RNG.uniform(size=(N, 20)) < 0.02).astype(float),  # rare events
        RNG.poisson(0.1, (N, 20)).astype(float),
        np.full((N, 4), np.nan),
    ],
    ids=[
        "weekdays",
        "waves",
        "counts of rows",
        "known ahead",
        "ones",
        "zeros",
        "rare events",
        "rare counts",
        "missing",
    ],
)
@pytest.mark.parametrize("lead", [0, 1, 7])
def test_features_are_no_lag_table(features, lead):
    for series in (SERIES, np.zeros(N), (T % 7 < 5).astype(float), T * 1.0):
        y = np.append(series[lead:], np.full(lead, np.nan))
        assert columns_of_own_lags(features, y) == []
        # The series itself among its features.
        assert columns_of_own_lags(np.column_stack([features, series]), y) == []


@pytest.mark.parametrize("n_rows", [0, 1, 2, 3, 5])
def test_few_rows_are_no_lag_table(n_rows):
    assert columns_of_own_lags(np.zeros((n_rows, 4)), np.zeros(n_rows)) == []
