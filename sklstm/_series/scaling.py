"""Targets of each of several series, and the feature that they are of, in units of their series.

One model of many series needs them in a common unit: D. Salinas et al., "DeepAR: Probabilistic
forecasting with autoregressive recurrent networks", International Journal of Forecasting 36(3),
2020. There is no mean of each series: at times that were left out of a fit it would know of them,
so that a map towards it looks better than it is. Few values are shrunk: W. James and C. Stein,
"Estimation with quadratic loss", Berkeley Symposium on Mathematical Statistics, 1961.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from sklstm._series.panel import Panel
from sklstm._series.statistics import mean_and_scale
from sklstm._series.storage import row_blocks
from sklstm._series.windows import Windows

# With so many known values, a series has its own variance and the expected one in equal parts.
VALUES_OF_HALF = 10
_SERIES_TO_TELL = 5  # that scales of outputs and of a feature have one ratio
_MOST_SPREAD = 0.3  # of the logarithms of these ratios, in that of the scales
_VALUES_TO_TELL = 20  # in a series, for the usual ratio of scale and size
_ROUNDING = 1e-12  # of an origin, in units of the largest value


@dataclass(frozen=True, eq=False)
class SeriesScaling:
    """Units of the features and targets of each series.

    Attributes
    ----------
    names : list
        Of the series.
    scale : ndarray of shape (n_series, features)
        Standard deviations, shrunk where values are few; one for other features than those that a
        target is a later value of.
    target_scale : ndarray of shape (n_series, outputs)
    origin : ndarray of shape (features,)
        The value of a feature where the target is zero.
    ratio : ndarray of shape (features,)
        The usual scale of a series, in units of its size, the mean of its absolute values. Zero
        for features without scales.
    columns : ndarray of int of shape (outputs,)
        The feature whose later value each output is, or whose scale goes with its own; -1: none.
    slopes : ndarray of shape (outputs,)
        Units of the output in that of its feature.
    """

    names: list[Any]
    scale: np.ndarray
    target_scale: np.ndarray
    origin: np.ndarray
    ratio: np.ndarray
    columns: np.ndarray
    slopes: np.ndarray

    def numbers(self, panel: Panel) -> np.ndarray:
        """Return the place in ``names`` of each name of a panel; of a new series their number."""
        known = self._number_of
        return np.array([known.get(name, len(known)) for name in panel.names], dtype=np.int64)

    @cached_property
    def _number_of(self) -> dict[Any, int]:
        return {name: number for number, name in enumerate(self.names)}

    def scaled(self, windows: Windows, panel: Panel) -> Windows:
        """Return windows over scaled rows, of which those of new series are of no use."""
        edges, present = edges_of_series(windows, panel)
        numbers = self.numbers(panel)[present]
        of_rows = np.repeat(numbers.astype(np.min_scalar_type(len(self.names))), np.diff(edges))
        scale = np.concatenate([self.scale, np.full((1, self.scale.shape[1]), np.inf)])
        rows: Any = ScaledRows(windows.rows, self.origin, scale, of_rows)
        return replace(windows, rows=rows)

    def of_windows(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Scale windows of new series by themselves.

        Parameters
        ----------
        values : ndarray of shape (n, window, features)

        Returns
        -------
        scaled : ndarray of shape (n, window, features)
        target_scale : ndarray of shape (n, outputs)
        """
        values = values - self.origin
        known = ~np.isnan(values)
        n_known = known.sum(axis=1)
        n = np.maximum(n_known, 1)
        some = np.where(known, values, 0.0)
        deviations = np.where(known, values - (some.sum(axis=1) / n)[:, np.newaxis], 0.0)
        exponent = np.frexp(np.abs(deviations).max(axis=1))[1]
        deviations = np.ldexp(deviations, -exponent[:, np.newaxis])
        spread = np.ldexp(np.sqrt((deviations**2).sum(axis=1) / n), exponent)
        scale = shrunk(n_known, spread, np.abs(some).sum(axis=1) / n, self.ratio)
        scale = np.where(self.ratio > 0, scale, 1.0)
        usual = np.broadcast_to(
            np.median(self.target_scale, axis=0), (len(values), len(self.columns))
        )
        of_columns = np.abs(self.slopes) * scale[:, self.columns]
        return values / scale[:, np.newaxis], np.where(self.columns >= 0, of_columns, usual)

    def targets(self, y: np.ndarray, panel: Panel) -> np.ndarray:
        """Return targets (n, outputs) of a sorted panel in the units of their series."""
        y, numbers = y.copy(), self.numbers(panel)
        for at in row_blocks(y):
            y[at] /= self.target_scale[numbers[panel.series[at]]]
        return y

    def predictions(self, y: np.ndarray, panel: Panel) -> np.ndarray:
        """Return predictions (n, outputs, quantiles) of known series in units of y."""
        y, numbers = y.copy(), self.numbers(panel)
        for at in row_blocks(y):
            y[at] *= self.target_scale[numbers[panel.series[at]]][:, :, np.newaxis]
        return y

    def extended(self, other: SeriesScaling) -> SeriesScaling:
        """Return the scaling with the series of another one that are new."""
        known = set(self.names)
        new = [number for number, name in enumerate(other.names) if name not in known]
        return replace(
            self,
            names=[*self.names, *(other.names[number] for number in new)],
            scale=np.concatenate([self.scale, other.scale[new]]),
            target_scale=np.concatenate([self.target_scale, other.target_scale[new]]),
        )


class ScaledRows:
    """Rows under windows in the units of their series, scaled when they are read.

    Parameters
    ----------
    rows : ndarray of shape (base_rows, features)
    origin : ndarray of shape (features,)
    scale : ndarray of shape (n_series, features)
    series : ndarray of int of shape (base_rows,)
    """

    def __init__(
        self, rows: np.ndarray, origin: np.ndarray, scale: np.ndarray, series: np.ndarray
    ) -> None:
        self.rows, self.origin, self.scale, self.series = rows, origin, scale, series
        self.shape, self.dtype = rows.shape, rows.dtype

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, at: Any) -> np.ndarray:
        scaled: np.ndarray = (self.rows[at] - self.origin) / self.scale[self.series[at]]
        return scaled


def edges_of_series(windows: Windows, panel: Panel) -> tuple[np.ndarray, np.ndarray]:
    """Return where the rows of each series begin under the windows of a sorted panel.

    Returns
    -------
    edges : ndarray of int of shape (n_present + 1,)
    present : ndarray of int of shape (n_present,)
        The numbers of the series that have rows.
    """
    first = np.flatnonzero(np.diff(panel.series, prepend=-1) != 0)
    edges = np.append(windows.starts[first], len(windows.rows))
    edges[0] = 0
    return edges, panel.series[first]


def scaling_of_series(
    windows: Windows,
    panel: Panel,
    y: np.ndarray,
    training: np.ndarray,
    columns: np.ndarray,
    lines: tuple[np.ndarray, np.ndarray],
    known_ratio: np.ndarray | None = None,
) -> SeriesScaling:
    """Compute the units of each series from its training rows, or from all if it has none.

    Parameters
    ----------
    windows : Windows
    panel : Panel
        Sorted.
    y : ndarray of shape (n_windows, outputs)
    training : ndarray of int
        Numbers of the training windows.
    columns : ndarray of int of shape (outputs,)
        The feature whose later value each output is; -1: none.
    lines : tuple of ndarray of shape (outputs,)
        Slopes and offsets: the output is ``slope * feature + offset``.
    known_ratio : ndarray of shape (features,) or None, default=None
        The ratio of the fit that goes on. None: that of these series.
    """
    slopes, offsets = lines
    n_features, used = windows.rows.shape[1], np.unique(columns[columns >= 0])
    origin, ratio = np.zeros((2, n_features))
    for column in used:
        output = int(np.flatnonzero(columns == column)[0])
        origin[column] = -offsets[output] / slopes[output]
        values = windows.rows[:, column]
        largest = np.maximum(-np.fmin.reduce(values), np.fmax.reduce(values))
        # Rounding of the largest series would be a large value of the others.
        if abs(origin[column]) <= _ROUNDING * largest:
            origin[column] = 0
    edges, present = edges_of_series(windows, panel)
    is_used, is_training = _used(windows, training)
    scale = np.ones((len(present), n_features))
    known = None if known_ratio is None else known_ratio[used]
    scale[:, used], ratio[used] = _scales(windows.rows, used, origin[used], is_used, edges, known)
    target_scale = np.abs(slopes) * scale[:, columns]
    others, edges = np.flatnonzero(columns < 0), _edges_of_targets(panel)
    target_scale[:, others], _ = _scales(y, others, np.zeros(len(others)), is_training, edges)
    names = [panel.names[number] for number in present.tolist()]
    return SeriesScaling(names, scale, target_scale, origin, ratio, columns, slopes)


def columns_of_equal_size(
    windows: Windows,
    panel: Panel,
    y: np.ndarray,
    training: np.ndarray,
    columns: np.ndarray,
    slopes: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Find a feature for outputs without a column: one that is large where they are.

    A sum of the next week is no later value of the sales, but in the unit of the sales of each
    series. The scales of such a feature and of the output differ from series to series, and have
    one ratio.

    Parameters
    ----------
    windows, panel, y, training, columns
        As in :func:`scaling_of_series`.
    slopes : ndarray of shape (outputs,)

    Returns
    -------
    columns, slopes : ndarray of shape (outputs,)
        With such features, and the ratio of the scales.
    """
    columns, slopes = columns.copy(), slopes.copy()
    outputs = np.flatnonzero(columns < 0)
    if not len(outputs):
        return columns, slopes
    is_used, is_training = _used(windows, training)
    features, edges = np.arange(windows.rows.shape[1]), edges_of_series(windows, panel)[0]
    spread = _sizes(windows.rows, features, np.zeros(len(features)), is_used, edges)[1]
    zero = np.zeros(len(outputs))
    of_outputs = _sizes(y, outputs, zero, is_training, _edges_of_targets(panel))[1]
    for output, of_output in zip(outputs, of_outputs.T, strict=True):
        least = _MOST_SPREAD
        for feature in features:
            varies = (of_output > 0) & (spread[:, feature] > 0)
            if np.count_nonzero(varies) < max(_SERIES_TO_TELL, len(varies) / 2):
                continue
            scales = np.log(of_output[varies])
            ratios = scales - np.log(spread[varies, feature])
            if ratios.std() < least * scales.std():
                least = ratios.std() / scales.std()
                columns[output], slopes[output] = feature, np.exp(np.median(ratios))
    return columns, slopes


def shrunk(
    n_known: np.ndarray, spread: np.ndarray, size: np.ndarray, ratio: np.ndarray
) -> np.ndarray:
    """Shrink the standard deviation of few values towards what their size lets expect.

    Parameters
    ----------
    n_known, spread, size : ndarray of shape (n, columns)
        Number of known values, their standard deviation, and the mean of their absolute values.
    ratio : ndarray of shape (columns,)
        The usual ratio of standard deviation and size.
    """
    expected = ratio * size
    exponent = np.frexp(np.maximum(spread, expected))[1]  # squares of huge or tiny values
    spread, expected = np.ldexp(spread, -exponent), np.ldexp(expected, -exponent)
    squares = n_known * spread**2 + VALUES_OF_HALF * expected**2
    scale = np.ldexp(np.sqrt(squares / (n_known + VALUES_OF_HALF)), exponent)
    return np.where(scale > 0, scale, 1.0)


def _scales(
    rows: np.ndarray,
    columns: np.ndarray,
    origin: np.ndarray,
    is_used: np.ndarray,
    edges: np.ndarray,
    ratio: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the scale of each series (n_series, columns), and the usual ratio (columns,)."""
    shape = (len(edges) - 1, len(columns))
    if not len(columns):
        return np.ones(shape), np.ones(0)
    n_known, spread, size = _sizes(rows, columns, origin, is_used, edges)
    if ratio is not None:
        return shrunk(n_known, spread, size, ratio), ratio
    ratio = np.ones(shape[1])
    for column in range(shape[1]):
        varies = (spread[:, column] > 0) & (size[:, column] > 0)
        long = varies & (n_known[:, column] >= _VALUES_TO_TELL)
        told = long if long.any() else varies
        if told.any():
            ratio[column] = np.median(spread[told, column] / size[told, column])
    scale = shrunk(n_known, spread, size, ratio)
    for of_column, varies, is_zero in zip(scale.T, (spread > 0).T, (size == 0).T, strict=True):
        if varies.any():
            # Zero but for rounding, or unknown: its later values would be huge in this unit.
            no_size = ~varies & (is_zero | (of_column < of_column[varies].min()))
            of_column[no_size] = np.median(of_column[varies])
    return scale, ratio


def _sizes(
    rows: np.ndarray,
    columns: np.ndarray,
    origin: np.ndarray,
    is_used: np.ndarray,
    edges: np.ndarray,
) -> np.ndarray:
    """Return what :func:`shrunk` takes, each of shape (n_series, columns)."""
    n_known, spread, size = found = np.zeros((3, len(edges) - 1, len(columns)))
    for number, (begin, end) in enumerate(pairwise(edges.tolist())):
        used = is_used[begin:end]
        values = rows[begin:end][used if used.any() else slice(None)][:, columns] - origin
        known = ~np.isnan(values)
        n_known[number] = known.sum(axis=0)
        spread[number] = mean_and_scale(values, np.ones(len(values)))[1]
        sizes = np.where(known, np.abs(values), 0)
        size[number] = sizes.sum(axis=0) / np.maximum(n_known[number], 1)
        is_constant = np.fmin.reduce(values) == np.fmax.reduce(values)  # has a scale of one
        spread[number, is_constant | ~known.any(axis=0)] = 0.0
    return found


def _used(windows: Windows, training: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mark the rows that lie in training windows (base_rows,), and these windows."""
    is_training = np.zeros(windows.n_windows, dtype=bool)
    is_training[training] = True
    some = replace(windows, starts=windows.starts[training])
    return some.spread_over_rows(1.0) > 0, is_training


def _edges_of_targets(panel: Panel) -> np.ndarray:
    """Return where the targets of each series begin, and the last ones end."""
    changes = np.flatnonzero(np.diff(panel.series)) + 1
    return np.concatenate([[0], changes, [len(panel)]])
