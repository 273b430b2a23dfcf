"""What the forecasts of a backtest are compared with: naive forecasts, and the scale of errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from sklstm._backtest.folds import Rows, Split
from sklstm._containers import as_numbers, column_names
from sklstm._series.lead_names import without_lead
from sklstm._series.naive import RowSteps, in_sample_errors, naive_forecasts, values_at_rows
from sklstm._series.season import find_season, suggested_seasons
from sklstm._validation import is_int


@dataclass(frozen=True, eq=False)
class Comparison:
    """Naive forecasts, and the errors that scale those of a model.

    Attributes
    ----------
    season : int or None
        None without baselines.
    baselines : dict of str to ndarray of shape (n_forecasts, outputs)
    scales : ndarray of shape (2, n_forecasts, outputs) or None
        The mean absolute and the mean squared error of the naive forecast in the training rows.
    how : str
        About the season, in words.
    """

    season: int | None
    baselines: dict[str, np.ndarray]
    scales: np.ndarray | None
    how: str


class _Series(NamedTuple):
    values: np.ndarray  # (n_rows,), NaN where unknown
    places: RowSteps


def check_baseline(baseline: Any) -> None:
    """Refuse what is no way to choose baselines."""
    is_auto = isinstance(baseline, str) and baseline == "auto"
    if not (baseline is None or is_auto or (is_int(baseline) and baseline >= 1)):
        raise ValueError(
            "baseline must be 'auto', None, or an int of at least 1, the steps of a season (7 for "
            f"days with a week), got {baseline!r}."
        )


def compare(
    baseline: Any,
    freq: Any,
    X: Any,
    y: Any,
    values: np.ndarray,
    leads: np.ndarray,
    rows: Rows,
    splits: list[Split],
) -> Comparison:
    """Compute the naive forecasts of all test rows, fold after fold.

    Parameters
    ----------
    baseline : "auto", int or None
    freq : str, int, timedelta or pandas offset
        Of the windows, or "auto".
    X, y : array-like
        As the user passed them.
    values : ndarray of shape (n_rows, outputs)
        The targets.
    leads : ndarray of int of shape (outputs,)
    rows : Rows
    splits : list of (ndarray of int, ndarray of int)
    """
    if baseline is None:
        return Comparison(None, {}, None, "no baselines")
    places = _places(rows, freq)
    series = _series_of_targets(X, y, values, leads, places, RowSteps(rows.series, rows.number))
    different = list({id(one.values): one.values for one in series}.values())
    season, how = _season(baseline, different, rows, places, splits[0][0])
    tested = np.concatenate([test for _, test in splits])
    baselines = {}
    if leads.any():
        seasons = {"persistence": 1} | ({"seasonal_naive": season} if season > 1 else {})
        for name, steps in seasons.items():
            baselines[name] = np.full((len(tested), len(leads)), np.nan)
            for output in np.flatnonzero(leads).tolist():
                baselines[name][:, output] = naive_forecasts(
                    *series[output], tested, int(leads[output]), steps
                )
    else:
        how += (
            "\nno skill: targets are taken to be known at their own row. If they lie ahead, give "
            "them names as forecast_targets does, or set target_leads of LSTMRegressor or "
            "KnownTargetsRegressor"
        )
    scales = np.empty((2, len(tested), len(leads)))
    for output, one in enumerate(series):
        if output and one.values is series[output - 1].values:
            scales[:, :, output] = scales[:, :, output - 1]
            continue
        before = one.places.rows_before(season)
        by_fold = [
            in_sample_errors(one.values, before, train, rows.series, rows.n_series)[
                :, rows.series[test]
            ]
            for train, test in splits
        ]
        scales[:, :, output] = np.concatenate(by_fold, axis=1)
    lost = np.isnan(scales[0]) & ~np.isnan(values[tested])
    if lost.any():
        how += (
            f"\nMASE and RMSSE leave out {np.count_nonzero(lost)} targets: their series has no "
            f"two different values {season} step(s) apart in the training rows of the fold"
        )
    return Comparison(season, baselines, scales, how)


def _places(rows: Rows, freq: Any) -> RowSteps:
    """Count the steps of time; rows where labels leave open how time goes on."""
    index = rows.index if rows.panel is None else rows.panel
    try:
        return RowSteps.of(index, len(rows.number), freq)
    except ValueError:  # windows of these rows would be refused too, and so would their targets
        return RowSteps(rows.series, rows.number)


def _series_of_targets(
    X: Any, y: Any, values: np.ndarray, leads: np.ndarray, steps: RowSteps, numbers: RowSteps
) -> list[_Series]:
    """Return the series that each output is of; the same array for the same series.

    forecast_targets, which gives leads to names, counts ``steps`` of time; leads of other targets
    are ``numbers`` of rows.
    """
    names = column_names(y)
    names = names if len(names) == len(leads) else [None] * len(leads)
    bases = [without_lead(name) if isinstance(name, str) else "" for name in names]
    own: list[_Series] = []
    joined: dict[str, _Series] = {}
    alone: set[int] = set()  # outputs of another series of the same name
    for output, (base, lead) in enumerate(zip(bases, leads.tolist(), strict=True)):
        ways = [steps, numbers] if base not in ("", names[output]) else [numbers]
        found = [_Series(values_at_rows(values[:, output], lead, way), way) for way in ways]
        own.append(found[0])
        column = joined[base].values if base in joined else _column(X, base)
        both = [(_joined(one, column), way) for one, way in found] if column is not None else []
        fits = [_Series(one, way) for one, way in both if one is not None]
        if fits and (base not in joined or fits[0].places is joined[base].places):
            joined[base] = fits[0]
        elif base in joined:
            alone.add(output)
        else:  # another column, or none
            joined[base] = found[0]
    return [own[at] if at in alone else joined[base] for at, base in enumerate(bases)]


def _joined(one: np.ndarray, other: np.ndarray) -> np.ndarray | None:
    """Return the values that either has; None if they differ where both are known."""
    both = ~np.isnan(one) & ~np.isnan(other)
    if not both.any() or (one[both] != other[both]).any():
        return None
    return np.where(np.isnan(one), other, one)


def _column(X: Any, name: str) -> np.ndarray | None:
    """Return a column of numbers of a frame or table."""
    if column_names(X).count(name) != 1 or not hasattr(X, "columns"):
        return None
    try:
        column = np.asarray(as_numbers(X[name], name), dtype=np.float64)
    except (TypeError, ValueError):
        return None
    return column if column.ndim == 1 else None


def _season(
    baseline: Any, series: list[np.ndarray], rows: Rows, places: RowSteps, train: np.ndarray
) -> tuple[int, str]:
    """Return the season, and where it is from."""
    if is_int(baseline):
        return int(baseline), f"season of {baseline} step(s), as set"
    index, steps, panel = rows.index, places.steps, rows.panel
    if panel is not None:
        index, steps = panel.times_of(panel.longest), steps[panel.rows_of(panel.longest)]
    n_steps = int(np.ptp(steps))
    suggested = [] if index is None else suggested_seasons(index, n_steps)
    season = find_season(series, places, train, suggested)
    where = f"in the {len(train)} training rows of the first fold"
    if season == 1:
        return 1, f"no season found {where}; if there is one, set baseline to its steps"
    return season, f"season of {season} steps, found {where}"
