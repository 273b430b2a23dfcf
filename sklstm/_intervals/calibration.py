"""Which rows calibrate intervals, and whether errors depend on the size of the forecast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sklstm._intervals.scale import ErrorScale
from sklstm._intervals.tracking import rank_of, scores_of, thresholds_of
from sklstm._series.panel import Panel
from sklstm._series.row_times import clock_of

N_BLOCKS = 2


@dataclass(frozen=True, eq=False)
class Calibration:
    """What later intervals start with.

    Attributes
    ----------
    scale : ErrorScale
    thresholds : ndarray of shape (n_outputs, 2)
        Of the scores below and above, in units of ``spread``.
    spread : ndarray of shape (n_outputs,)
        Mean absolute score.
    """

    scale: ErrorScale
    thresholds: np.ndarray
    spread: np.ndarray

    @property
    def limits(self) -> np.ndarray:
        """The scores at the ends of the intervals, (n_outputs, 2)."""
        return self.thresholds * self.spread[:, np.newaxis]


def block_edges(usable: np.ndarray, fraction: float, panel: Panel | None) -> list[int]:
    """Return the times at which the blocks of the latest rows begin, and the end of the last.

    Parameters
    ----------
    usable : ndarray of int
        Numbers of the rows with a known target.
    fraction : float
        Of these rows, those of all blocks.
    panel : Panel or None
        The series and times of all rows. None: one series, whose times are numbers of rows.
    """
    clock = np.sort(clock_of(panel, usable))
    sizes = round(fraction * len(clock) / N_BLOCKS) * np.arange(N_BLOCKS, 0, -1)
    return [*clock[len(clock) - np.clip(sizes, 1, len(clock))].tolist(), int(clock[-1]) + 1]


def calibrate(
    y: np.ndarray,
    bounds: np.ndarray,
    series: np.ndarray,
    block: np.ndarray,
    names: list[Any],
    miscoverage: float,
) -> Calibration:
    """Compute the thresholds of the scores of all blocks.

    Errors are scaled by the size of the forecast if this gave better intervals for the last block,
    calibrated on the blocks before it.

    Parameters
    ----------
    y : ndarray of shape (n, n_outputs)
        NaN where unknown.
    bounds : ndarray of shape (n, n_outputs, 2)
    series : ndarray of int of shape (n,)
        The place in ``names`` of each row.
    block : ndarray of int of shape (n,)
    names : list
    miscoverage : float
        The fraction of targets beyond each end.
    """
    is_last = block == block.max()
    pays = False
    if _are_enough(y[~is_last], miscoverage) and not np.isnan(y[is_last]).all(axis=0).any():
        losses = []
        for by_size in (False, True):
            found = _calibration(
                y[~is_last], bounds[~is_last], series[~is_last], names, miscoverage, by_size
            )
            scale = _scales(found.scale, bounds[is_last], series[is_last])
            scores = scores_of(y[is_last], bounds[is_last].mean(axis=2), scale)
            beyond = np.maximum(scores - found.limits, 0).sum(axis=2)
            # The interval score of T. Gneiting and A. Raftery, "Strictly proper scoring rules,
            # prediction, and estimation", JASA 2007.
            loss = scale * (found.limits.sum(axis=1) + beyond / miscoverage)
            losses.append(np.nanmean(loss / found.scale.unit[series[is_last]]))
        pays = losses[1] < losses[0]
    return _calibration(y, bounds, series, names, miscoverage, pays)


def _calibration(
    y: np.ndarray,
    bounds: np.ndarray,
    series: np.ndarray,
    names: list[Any],
    miscoverage: float,
    by_size: bool,
) -> Calibration:
    forecasts = bounds.mean(axis=2)
    errors = np.abs(y - forecasts)
    scale = ErrorScale.of(errors, forecasts, series, names)
    if by_size:
        scale = scale.by_size(errors, forecasts, series)
    scores = scores_of(y, forecasts, _scales(scale, bounds, series))
    spread = np.nanmean(np.abs(scores).max(axis=2), axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    return Calibration(scale, thresholds_of(scores, miscoverage) / spread[:, np.newaxis], spread)


def _scales(scale: ErrorScale, bounds: np.ndarray, series: np.ndarray) -> np.ndarray:
    scales = np.empty(bounds.shape[:2])
    for number in np.unique(series):
        rows = series == number
        scales[rows] = scale(bounds[rows], scale.names[number])
    return scales


def _are_enough(y: np.ndarray, miscoverage: float) -> bool:
    n_known = int((~np.isnan(y)).sum(axis=0).min())
    return rank_of(n_known, miscoverage) <= n_known


def check_enough(y: np.ndarray, coverage: float, fraction: float, n_rows: int) -> None:
    """Refuse fewer rows than the thresholds of this coverage need."""
    miscoverage = (1 - coverage) / 2
    if _are_enough(y, miscoverage):
        return
    n_known, n = int((~np.isnan(y)).sum(axis=0).min()), 1
    while rank_of(n, miscoverage) > n:
        n += 1
    raise ValueError(
        f"coverage={coverage} needs at least {n} calibration rows with a known target for each "
        f"output, but the latest {len(y)} of n_samples={n_rows} rows "
        f"(calibration_fraction={fraction}) have {n_known} of one. Pass more "
        "rows, set calibration_fraction higher or coverage lower."
    )
