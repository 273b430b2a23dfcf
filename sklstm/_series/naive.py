"""Naive forecasts of targets that lie ahead, and the errors that scale those of a model.

The value of a series at a row is the target of the row ``lead`` steps before. So the targets alone
say what was known at each row, and the series itself is not needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sklstm._series.frequency import panel_axis, time_axis
from sklstm._series.labels import PandasIndex
from sklstm._series.panel import Panel


@dataclass(frozen=True, eq=False)
class RowSteps:
    """Where rows lie in time, counted in steps of their series.

    Attributes
    ----------
    series : ndarray of int of shape (n_rows,)
    steps : ndarray of int of shape (n_rows,)
        From the first row of the series on, so not negative.
    """

    series: np.ndarray
    steps: np.ndarray

    @classmethod
    def of(cls, index: PandasIndex | Panel | None, n_rows: int, freq: object) -> RowSteps:
        """Count the steps of time that the labels of rows show; without labels, the rows."""
        if isinstance(index, Panel):
            axis = panel_axis(index, freq)
            steps = np.zeros(n_rows, dtype=np.int64)
            for number in range(len(index.names)):
                labels = index.times_of(number)
                steps[index.rows_of(number)] = axis.positions(axis.ticks(labels), labels)
            return cls(index.series.astype(np.int64), steps)
        steps = np.arange(n_rows)
        if index is not None and n_rows:
            axis = time_axis(index, freq)
            steps = axis.positions(axis.ticks(index), index)
        return cls(np.zeros(n_rows, dtype=np.int64), steps)

    def rows_before(self, n_steps: int) -> np.ndarray:
        """Find for each row the one of its series so many steps before; -1 where there is none."""
        if n_steps >= self._span:
            return np.full(len(self.steps), -1)
        keys, order = self._sorted
        wanted = self._keys - n_steps
        at = keys.searchsorted(wanted)  # none lies after the last row
        return np.where(keys[at] == wanted, order[at], -1)

    @property
    def _keys(self) -> np.ndarray:
        # The lower half of the numbers of a series is empty: a row before its start is no row.
        return self.series * 2 * self._span + self._span + self.steps

    @cached_property
    def _span(self) -> int:
        return int(self.steps.max(initial=0)) + 1

    @cached_property
    def _sorted(self) -> tuple[np.ndarray, np.ndarray]:
        keys = self._keys
        order = np.argsort(keys)
        return keys[order], order


def values_at_rows(targets: np.ndarray, lead: int, places: RowSteps) -> np.ndarray:
    """Return the value of the series at each row, from targets ``lead`` steps ahead: (n_rows,)."""
    before = places.rows_before(lead)
    return np.where(before >= 0, targets[before], np.nan)


def naive_forecasts(
    values: np.ndarray, places: RowSteps, rows: np.ndarray, lead: int, season: int
) -> np.ndarray:
    """Forecast by the last known value of the same season: with a season of 1, by the last value.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        The series; NaN where unknown.
    places : RowSteps
    rows : ndarray of int
        The rows at which forecasts are made.
    lead : int
        How many steps ahead, at least 1.
    season : int
        Steps of a season.

    Returns
    -------
    ndarray of shape (len(rows),)
        NaN where no such value is known.
    """
    last = places.steps[rows] + lead - season * -(-lead // season)  # not after the own row
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        return np.full(len(rows), np.nan)
    span = int(places.steps.max()) + 1

    def number(series: np.ndarray, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        phase = series * season + steps % season  # one for each series and part of its season
        return phase, phase * span + steps // season

    known_phase, known_number = number(places.series[known], places.steps[known])
    order = np.argsort(known_number)
    phase, wanted = number(places.series[rows], last)
    at = known_number[order].searchsorted(wanted, side="right") - 1
    found = order[np.maximum(at, 0)]
    is_found = (at >= 0) & (known_phase[found] == phase)
    return np.where(is_found, values[known[found]], np.nan)


def in_sample_errors(
    values: np.ndarray, before: np.ndarray, rows: np.ndarray, series: np.ndarray, n_series: int
) -> np.ndarray:
    """Return the mean absolute and the mean squared error of the naive forecast, by series.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
    before : ndarray of int of shape (n_rows,)
        The row a season before each row, from :meth:`RowSteps.rows_before`.
    rows : ndarray of int
        The training rows.
    series : ndarray of int of shape (n_rows,)
    n_series : int

    Returns
    -------
    ndarray of shape (2, n_series)
        NaN where no two training rows lie a season apart, or all such pairs are equal.
    """
    is_training = np.zeros(len(values), dtype=bool)
    is_training[rows] = True
    pairs = rows[(before[rows] >= 0) & is_training[before[rows]]]
    change = values[pairs] - values[before[pairs]]
    pairs, change = pairs[~np.isnan(change)], change[~np.isnan(change)]
    counts = np.bincount(series[pairs], minlength=n_series)
    sums = [np.bincount(series[pairs], e, n_series) for e in (np.abs(change), change**2)]
    with np.errstate(invalid="ignore"):
        errors = np.array(sums) / counts
    return np.where(errors > 0, errors, np.nan)
