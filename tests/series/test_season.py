"""The season that is found: the right one, or none."""

import numpy as np
import pandas as pd
import pytest

from sklstm._series.naive import RowSteps
from sklstm._series.season import find_season, suggested_seasons

RANDOM = np.random.RandomState(0)


def season_of(values, suggested=(), rows=None):
    n = len(values)
    places = RowSteps(np.zeros(n, dtype=int), np.arange(n))
    return find_season([values], places, np.arange(n) if rows is None else rows, suggested)


def hours(n, noise=1.0):
    """Hours with a day and a week."""
    hour = np.arange(n)
    day = 10 * np.sin(2 * np.pi * hour / 24)
    return day + 6 * ((hour // 24) % 7 < 5) * (day > 0) + noise * RANDOM.randn(n)


SERIES = {
    "a week": (np.tile([5.0, 5, 5, 5, 6, 9, 1], 10) + RANDOM.randn(70) / 3, 7),
    "a week and a trend": (np.tile([5.0, 5, 5, 5, 6, 9, 1], 10) + np.arange(70), 7),
    "months that grow": (
        np.exp(np.arange(144) / 100) * (2 + np.sin(2 * np.pi * np.arange(144) / 12)),
        12,
    ),
    "a day of hours": (hours(24 * 14), 24),
    "a week on a random walk": (
        3 * np.tile([0.0, 1, 2, 0, 1, 2, 5], 40) + RANDOM.randn(280).cumsum(),
        7,
    ),
    "a random walk": (RANDOM.randn(500).cumsum(), 1),
    "noise": (RANDOM.randn(500), 1),
    "smooth": (np.convolve(RANDOM.randn(500).cumsum(), np.ones(20), "valid"), 1),
    "a trend": (np.arange(100.0), 1),
    "constant": (np.ones(100), 1),
    "unknown": (np.full(100, np.nan), 1),
    "one value": (np.ones(1), 1),
    "two values": (np.arange(2.0), 1),
}


@pytest.mark.parametrize("kind", SERIES)
def test_the_season_is_found_or_none(kind):
    values, season = SERIES[kind]
    assert season_of(values) == season


@pytest.mark.parametrize("kind", SERIES)
def test_suggested_seasons_are_checked(kind):
    values, season = SERIES[kind]
    suggested = [7, 12, 24, 168]
    assert season_of(values, suggested) == (season if season in suggested else 1)


def test_neither_the_unit_nor_the_level_matters():
    values, season = SERIES["a week"]
    for scale in (1e-9, 1e9):
        assert season_of(1e3 * scale + scale * values) == season


def test_unknown_values_and_holes_are_passed_over():
    values = hours(24 * 30)
    values[RANDOM.rand(len(values)) < 0.2] = np.nan
    assert season_of(values) == 24
    kept = np.flatnonzero(RANDOM.rand(len(values)) < 0.8)
    places = RowSteps(np.zeros(len(kept), dtype=int), kept)
    assert find_season([values[kept]], places, np.arange(len(kept))) == 24


def test_series_count_together_whatever_their_units():
    week = SERIES["a week"][0]
    values = np.concatenate([week[:40], 1e6 * week[:40], RANDOM.randn(10)])
    places = RowSteps(np.repeat([2, 0, 1], [40, 40, 10]), np.r_[0:40, 0:40, 0:10])
    shuffled = RANDOM.permutation(90)
    for at in (np.arange(90), shuffled):
        of = RowSteps(places.series[at], places.steps[at])
        rows = np.lexsort((of.steps, of.series))
        assert find_season([values[at]], of, rows, [7]) == 7


def test_only_the_given_rows_count():
    values = np.concatenate([SERIES["a week"][0], np.tile([0.0, 9.0], 100)])
    assert season_of(values, rows=np.arange(70)) == 7
    assert season_of(values, rows=np.arange(70, 270)) == 2


@pytest.mark.parametrize(
    ("index", "seasons"),
    [
        (pd.date_range("2024", periods=900, freq="h"), [24, 168, 8766]),
        (pd.date_range("2024", periods=900, freq="30min", tz="UTC"), [2, 48, 336, 17532]),
        (pd.date_range("2024", periods=900), [7, 365]),
        (pd.bdate_range("2024-01-01", periods=900), [5, 261]),
        (pd.date_range("2024", periods=60, freq="MS"), [12]),
        (pd.period_range("2010-01", periods=60, freq="M"), [12]),
        (pd.date_range("2024", periods=60, freq="QS"), [4]),
        (pd.date_range("2024", periods=60, freq="W"), [52]),
        (pd.date_range("2000", periods=30, freq="YS"), []),
        (pd.timedelta_range(0, periods=90, freq="h"), [24, 168, 8766]),
        (pd.RangeIndex(90), []),
        (pd.Index(["a", "b"]), []),
    ],
    ids=str,
)
def test_an_index_of_times_suggests_seasons(index, seasons):
    assert suggested_seasons(index, len(index) - 1) == seasons
