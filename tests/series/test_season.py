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


def looped_season(parts, suggested):
    """Find the season by the formulas: ``parts`` maps the steps of each series to its values."""
    n_lags = max(max(part) - min(part) for part in parts)
    longest = n_lags // (3 if suggested else 5)
    changes = []
    for part in parts:
        of_part = {step: part[step] - part[step - 1] for step in part if step - 1 in part}
        of_part = {step: change for step, change in of_part.items() if not np.isnan(change)}
        mean, spread = np.mean([*of_part.values()]), np.std([*of_part.values()])
        changes.append({step: (change - mean) / spread for step, change in of_part.items()})
    correlation = []
    for lag in range(n_lags):
        pairs = [of[step] * of[step - lag] for of in changes for step in of if step - lag in of]
        correlation.append(np.mean(pairs) if pairs else 0.0)
    n, scores, errors = sum(map(len, changes)), {}, {}
    for lag in suggested or range(longest + 1):
        if not 2 <= lag <= longest:
            continue
        score = np.mean([correlation[at] for at in range(lag, n_lags - longest + 1, lag)])
        n_multiples = (n_lags - longest) // lag
        bartlett = (1 + 2 * sum(r**2 for r in correlation[1:lag])) / n
        errors[lag] = np.sqrt(bartlett / n_multiples)
        is_peak = correlation[lag - 1] < correlation[lag] > correlation[lag + 1]
        if is_peak and score > 0.1 and score > (3 if suggested else 4.5) * errors[lag]:
            scores[lag] = score
    if not scores:
        return 1
    best = max(scores, key=scores.get)
    enough = min(0.9 * scores[best], scores[best] - 2 * errors[best])
    return min(lag for lag, score in scores.items() if score >= enough)


def test_seasons_weak_and_strong_are_those_of_a_loop():
    """Of short series, one of them with a trend, with holes and unknown values."""
    random, found = np.random.RandomState(1), []
    for case in range(150):
        period, noise = random.randint(2, 8), random.choice([0.5, 1.0])
        parts, values = [], []
        for n in random.randint(30, 60, size=random.randint(1, 4)):
            steps = np.flatnonzero(random.rand(n) < 0.97)
            season = 2 * np.cos(2 * np.pi * steps / period) + noise * random.randn(len(steps))
            season += 1.5 * np.cos(2 * np.pi * steps / (period + 1))
            season[random.rand(len(steps)) < 0.03] = np.nan
            values.append((season + case % 2 * steps) * 10.0 ** random.randint(-9, 9))
            parts.append(dict(zip(steps.tolist(), values[-1], strict=True)))
        numbers = np.repeat(np.arange(len(parts)), list(map(len, parts)))
        places = RowSteps(numbers, np.concatenate([[*part] for part in parts]))
        suggested = [[], [12, 7, 3, 2], [5, 4, 30]][case % 3]
        order = random.permutation(len(numbers))
        season = find_season([np.concatenate(values)], places, order, suggested)
        assert season == looped_season(parts, suggested)
        found.append(season)
    assert {1, 2, 3, 4, 5} <= set(found)


@pytest.mark.parametrize("n_more", [0, 8])
@pytest.mark.parametrize("n", [7 * 5, 7 * 5 + 1])
def test_a_season_is_found_from_five_of_it_on(n, n_more):
    """The first value has no change. A short series may lie beside it."""
    values = np.tile([5.0, 5, 5, 5, 6, 9, 1], 7)[: n + n_more]
    steps = np.r_[:n, :n_more]
    places = RowSteps(np.repeat([0, 1], [n, n_more]), steps)
    assert find_season([values], places, np.arange(n + n_more)) == (7 if n > 35 else 1)


@pytest.mark.parametrize(("share", "season"), [(0.3, 7), (0.5, 14)])
def test_the_season_is_the_shortest_that_is_nine_tenths_as_strong_as_the_best(share, season):
    """Every other week differs by a share, so that every second multiple of a week is weaker."""
    week, other = np.array([[0, 4, 1, 6, 2, 5, 3], [3, 6, 0, 5, 1, 4, 2]])
    weeks = [week + share * sign * other for sign in [1, -1] * 100]
    assert season_of(np.concatenate(weeks)) == season


def test_the_shortest_season_has_two_steps():
    assert season_of(np.tile([0.0, 9], 8)[:15]) == 2


@pytest.mark.parametrize("values", [np.tile([5.0, 5, 5, 5, 6, 9, 1], 5)[:n] for n in (30, 14)])
def test_lags_that_no_two_known_values_have_are_no_season(values):
    """A short series of known values beside a longer one without any."""
    places = RowSteps(np.repeat([0, 1], [60, len(values)]), np.r_[0:60, 0 : len(values)])
    both = np.concatenate([np.full(60, np.nan), values])
    season = find_season([both], places, np.arange(len(both)), [7])
    assert season == (7 if len(values) == 30 else 1)


@pytest.mark.parametrize(
    ("index", "seasons"),
    [
        (pd.date_range("2024", periods=900, freq="h"), [24, 168, 8766]),
        (pd.date_range("2024", periods=900, freq="30min", tz="UTC"), [2, 48, 336, 17532]),
        (pd.date_range("2024", periods=900), [7, 365]),
        (pd.date_range("2024", periods=2), [7, 365]),
        (pd.date_range("2024", periods=1), []),
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
)
def test_an_index_of_times_suggests_seasons(index, seasons):
    assert suggested_seasons(index, len(index) - 1) == seasons
