"""Weighted means and scales of the columns of a series."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sklstm._series.storage import row_blocks

# A standard deviation below this fraction of the largest value is due to rounding.
_ROUNDING = 10 * np.finfo(np.float64).eps


def mean_and_scale(rows: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute weighted mean and standard deviation of the known values of each column.

    The sums have an order of their own: they depend neither on the layout of ``rows`` in memory
    nor on the number of threads, as a product of matrices would.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns)
        NaN where a value is unknown.
    weight : ndarray of shape (n_rows,)
        Not negative. Rows with weight zero are not used, and may hold any value.

    Returns
    -------
    mean, scale : ndarray of shape (n_columns,)
        As float64. The scale of a constant column is one. A column without any known value
        that has a weight has a mean of zero and an infinite scale.
    """
    n_columns = rows.shape[1]
    total, largest = np.zeros(n_columns), np.zeros(n_columns)
    for values, weights in _used_blocks(rows, weight):
        total += weights.sum(axis=-1)
        largest = np.maximum(largest, np.abs(values).max(axis=1))
    unknown = total == 0
    total[unknown] = 1
    exponent = np.frexp(largest)[1]  # squares of huge values overflow, those of tiny ones vanish
    mean = np.zeros(n_columns)
    for values, weights in _used_blocks(rows, weight):
        mean += (np.ldexp(values, -exponent[:, np.newaxis]) * weights).sum(axis=1)
    mean /= total
    shift, variance = np.zeros(n_columns), np.zeros(n_columns)
    for values, weights in _used_blocks(rows, weight):
        deviations = np.ldexp(values, -exponent[:, np.newaxis]) - mean[:, np.newaxis]
        weighted = deviations * weights
        shift += weighted.sum(axis=1)  # not zero by rounding only
        variance += (weighted * deviations).sum(axis=1)
    scale = np.sqrt(np.maximum(variance / total - (shift / total) ** 2, 0.0))
    is_constant = scale <= _ROUNDING * np.ldexp(largest, -exponent)
    mean = np.where(is_constant, mean + shift / total, mean)  # exact: its scale hides no rounding
    scale = np.where(is_constant, 1.0, np.ldexp(scale, exponent))
    return np.ldexp(mean, exponent), np.where(unknown, np.inf, scale)


def _used_blocks(rows: np.ndarray, weight: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the rows with a weight, as (columns, rows) in float64, and their weights.

    Each column is contiguous, so that numpy adds it up pairwise, which rounds little. Where a
    value is unknown, both are zero; then the weights have the shape of the values.
    """
    for at in row_blocks(rows):
        used = weight[at] > 0
        if used.any():
            values = np.ascontiguousarray(rows[at][used].T, dtype=np.float64)
            weights, unknown = weight[at][used], np.isnan(values)
            if unknown.any():
                values, weights = (np.where(unknown, 0, each) for each in (values, weights))
            yield values, weights
