"""Errors on known targets: MAE, RMSE, MASE, RMSSE, skill over baselines; coverage of intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Errors:
    """The absolute error of each forecast and output; NaN where the target is unknown.

    Attributes
    ----------
    absolute : ndarray of shape (n, outputs)
    baselines : dict of str to ndarray of shape (n, outputs)
        Those of the baselines.
    scales : ndarray of shape (2, n, outputs) or None
        The mean absolute and the mean squared error of the naive forecast in the training rows.
    """

    absolute: np.ndarray
    baselines: dict[str, np.ndarray]
    scales: np.ndarray | None

    def table(self, rows: Any = slice(None), outputs: Any = slice(None)) -> dict[str, Any]:
        """Average over some forecasts and outputs: each output first, then these."""
        absolute = self.absolute[rows][:, outputs]
        table = {"MAE": _average(absolute), "RMSE": _average(absolute**2, np.sqrt)}
        if self.scales is not None:
            of_absolute, of_squares = self.scales[:, rows][:, :, outputs]
            table["MASE"] = _average(absolute / of_absolute)
            table["RMSSE"] = _average(absolute**2 / of_squares, np.sqrt)
        for name, errors in self.baselines.items():
            other = errors[rows][:, outputs]
            on_same = np.where(np.isnan(other), np.nan, absolute)
            other_error = _average(np.where(np.isnan(absolute), np.nan, other))
            with np.errstate(invalid="ignore", divide="ignore"):
                skill = 1 - np.float64(_average(on_same)) / np.float64(other_error)
            table[f"skill_over_{name}"] = float(skill)
        return table | {"targets": int(np.count_nonzero(~np.isnan(absolute)))}


def coverage_table(
    actual: np.ndarray, lower: np.ndarray, upper: np.ndarray, miscoverage: np.ndarray
) -> dict[str, Any]:
    """Average over some forecasts and outputs: each output first, then these.

    The interval score is that of T. Gneiting and A. Raftery, "Strictly proper scoring rules,
    prediction, and estimation", JASA 2007.

    Parameters
    ----------
    actual, lower, upper : ndarray of shape (n, outputs)
        Targets, NaN where unknown, and the ends of the intervals.
    miscoverage : ndarray of shape (n, 1)
        The fraction of targets that the intervals are meant to leave out.
    """
    beyond = np.fmax(lower - actual, 0) + np.fmax(actual - upper, 0)
    is_known, width = ~np.isnan(actual), upper - lower
    inside = (actual >= lower) & (actual <= upper)
    return {
        "coverage": _average(np.where(is_known, inside, np.nan)),
        "width": _average(np.where(is_known, width, np.nan)),
        "interval_score": _average(np.where(is_known, width + 2 / miscoverage * beyond, np.nan)),
        "targets": int(np.count_nonzero(is_known)),
    }


def _average(values: np.ndarray, of_mean: Callable[[Any], Any] = np.asarray) -> float:
    """Return the mean over outputs of a function of their means; NaN where nothing is known.

    As :func:`known_targets_scorer`, without outputs of a single known value if another has more.
    """
    counts = np.count_nonzero(~np.isnan(values), axis=0)
    if not counts.any():
        return np.nan
    kept = counts >= min(2, counts.max())
    means = np.nansum(values[:, kept], axis=0) / counts[kept]
    return float(np.mean(of_mean(means)))
