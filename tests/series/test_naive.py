"""Naive forecasts and their in-sample errors, against loops."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklstm._series.naive import RowSteps, in_sample_errors, naive_forecasts, values_at_rows
from sklstm._series.panel import panel_of

RANDOM = np.random.RandomState(0)
STEPS = np.array([0, 1, 2, 5, 6, 7, 8, 11, 12, 20, 21, 22])
PLACES = {
    "one series": RowSteps(np.zeros(12, dtype=int), np.arange(12)),
    "holes": RowSteps(np.zeros(12, dtype=int), STEPS),
    "two series by time": RowSteps(np.arange(12) % 2, np.arange(12) // 2),
    "three series": RowSteps(np.repeat([2, 0, 1], 4), np.tile(STEPS[:4], 3)),
    "two series, one late": RowSteps(np.repeat([1, 0], [9, 3]), np.r_[STEPS[:9], 0, 1, 30]),
}
VALUES = np.where(RANDOM.rand(12) < 0.25, np.nan, RANDOM.randn(12))


def at(places, series, step):
    """Return the row of a series at a step, by a loop; None where there is none."""
    for row in range(len(places.steps)):
        if places.series[row] == series and places.steps[row] == step:
            return row
    return None


@pytest.mark.parametrize("kind", PLACES)
@pytest.mark.parametrize("lag", [0, 1, 3, 7, 100])
def test_rows_before(kind, lag):
    places = PLACES[kind]
    expected = [
        at(places, series, step - lag)
        for series, step in zip(places.series, places.steps, strict=True)
    ]
    assert_array_equal(places.rows_before(lag), [-1 if row is None else row for row in expected])


@pytest.mark.parametrize("kind", PLACES)
def test_a_value_is_the_target_of_an_earlier_row(kind):
    places = PLACES[kind]
    before = [at(places, *of) for of in zip(places.series, places.steps - 2, strict=True)]
    expected = [np.nan if row is None else VALUES[row] for row in before]
    assert_array_equal(values_at_rows(VALUES, 2, places), expected)


@pytest.mark.parametrize("kind", PLACES)
@pytest.mark.parametrize("lead", [1, 2, 3, 4, 9])
@pytest.mark.parametrize("season", [1, 2, 3, 7, 50])
def test_a_forecast_is_the_last_known_value_of_the_season(kind, lead, season):
    places, expected = PLACES[kind], []
    for row in range(12):
        step, known = places.steps[row] + lead, np.nan
        while step >= 0 and np.isnan(known):
            step -= season
            found = at(places, places.series[row], step)
            if step <= places.steps[row] and found is not None:
                known = VALUES[found]
        expected.append(known)
    rows = np.arange(12)
    assert_array_equal(naive_forecasts(VALUES, places, rows, lead, season), expected)
    some = rows[[7, 2]]
    assert_array_equal(naive_forecasts(VALUES, places, some, lead, season), np.take(expected, some))


def test_without_known_values_there_is_no_forecast():
    unknown = np.full(12, np.nan)
    found = naive_forecasts(unknown, PLACES["holes"], np.arange(12), 1, 7)
    assert np.isnan(found).all()


@pytest.mark.parametrize("kind", PLACES)
@pytest.mark.parametrize("season", [1, 2, 5])
def test_in_sample_errors(kind, season):
    places, rows = PLACES[kind], np.delete(np.arange(11), 1)
    changes = {0: [], 1: [], 2: []}
    for row in rows:
        before = at(places, places.series[row], places.steps[row] - season)
        if before in rows and not np.isnan(VALUES[row] - VALUES[before]):
            changes[places.series[row]].append(VALUES[row] - VALUES[before])
    expected = [
        [np.mean(np.abs(found) ** power) if found else np.nan for found in changes.values()]
        for power in (1, 2)
    ]
    before = places.rows_before(season)
    assert_allclose(in_sample_errors(VALUES, before, rows, places.series, 3), expected)


def test_errors_of_equal_values_are_no_scale():
    places = PLACES["one series"]
    found = in_sample_errors(np.ones(12), places.rows_before(1), np.arange(12), places.series, 1)
    assert np.isnan(found).all()


def test_steps_are_those_of_the_labels():
    days = pd.date_range("2024-01-01", periods=30).delete([3, 9])
    found = RowSteps.of(days, 28, "auto")
    assert_array_equal(found.steps, (days - days[0]).days)
    assert_array_equal(RowSteps.of(days, 28, "rows").steps, np.arange(28))
    assert_array_equal(RowSteps.of(None, 5, "auto").steps, np.arange(5))
    index = pd.MultiIndex.from_product([["b", "a"], days])
    found = RowSteps.of(panel_of(index), 56, "auto")
    assert_array_equal(found.steps, np.tile((days - days[0]).days, 2))
    assert_array_equal(found.series, np.repeat([1, 0], 28))
    found = RowSteps.of(panel_of(index), 56, "rows")
    assert_array_equal(found.steps, np.tile(np.arange(28), 2))


@pytest.mark.parametrize("index", [None, "days", "panel"])
def test_steps_and_series_are_whole_numbers(index):
    days = pd.date_range("2024-01-01", periods=4)
    labels = {"days": days, "panel": panel_of(pd.MultiIndex.from_product([["a"], days]))}
    places = RowSteps.of(labels.get(index), 4, "auto")
    assert places.series.dtype.kind == places.steps.dtype.kind == "i"
    assert_array_equal(places.series, np.zeros(4))
