"""The season of a series: after how many steps its changes repeat."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from sklstm._series.labels import PandasIndex, loaded_pandas
from sklstm._series.naive import RowSteps

_MOST_STEPS = 2**14  # the latest ones of each series are looked at
# In standard errors of an autocorrelation, and seasons in the rows: of two or three lags that the
# labels suggest, and of hundreds of lags, of which some are large by chance.
_SIGNIFICANT_IF_SUGGESTED, _SEASONS_IF_SUGGESTED = 3.0, 3
_SIGNIFICANT, _SEASONS = 4.5, 5
_LEAST = 0.1  # weaker seasons forecast nothing, however sure they are
# Multiples of a season are as strong, but for chance.
_AS_STRONG, _BY_CHANCE = 0.9, 2.0
_PERIODS = ("1min", "1h", "1D", "7D", "365.25D")


def find_season(
    values: Iterable[np.ndarray],
    places: RowSteps,
    rows: np.ndarray,
    suggested: Sequence[int] = (),
) -> int:
    """Find the season of series; 1 if there is none.

    Looked at is the autocorrelation of the changes from step to step, at a lag and its multiples.
    The season is the shortest lag at which their mean is significant, a peak, and about as high as
    the highest one.

    Parameters
    ----------
    values : iterable of ndarray of shape (n_rows,)
        One or several series of the same rows; NaN where unknown.
    places : RowSteps
        Of all rows.
    rows : ndarray of int
        The rows to look at.
    suggested : sequence of int, default=()
        From :func:`suggested_seasons`. Empty: any lag may be one.
    """
    rows = rows[np.argsort(places.series[rows])]
    parts = np.split(rows, np.flatnonzero(np.diff(places.series[rows])) + 1)
    n_lags = min(max(int(np.ptp(places.steps[part])) for part in parts), _MOST_STEPS)
    significant, seasons = _SIGNIFICANT, _SEASONS
    if suggested:
        significant, seasons = _SIGNIFICANT_IF_SUGGESTED, _SEASONS_IF_SUGGESTED
    longest = n_lags // seasons
    if longest < 2:
        return 1
    products, counts = np.zeros((2, n_lags))
    for series in values:
        for part in parts:
            _add_products(series[part], places.steps[part], products, counts)
    if not products[0] > 0:
        return 1
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = np.where(counts > 0, products / counts, 0.0)  # the changes have variance one
    squares = np.cumsum(correlation**2)  # Bartlett's formula: those of smooth series are large
    scores, errors = np.zeros((2, longest + 1))
    for lag in range(2, longest + 1):
        if suggested and lag not in suggested:
            continue
        multiples = correlation[lag : n_lags - longest + 1 : lag]
        error = np.sqrt((2 * squares[lag - 1] - 1) / counts[0] / len(multiples))
        is_peak = correlation[lag] > max(correlation[lag - 1], correlation[lag + 1])
        score = multiples.mean()
        if is_peak and score > max(significant * error, _LEAST):
            scores[lag], errors[lag] = score, error
    if not scores.any():
        return 1
    best = int(np.argmax(scores))
    as_strong = min(_AS_STRONG * scores[best], scores[best] - _BY_CHANCE * errors[best])
    return int(np.argmax(scores >= as_strong))


def suggested_seasons(index: PandasIndex, n_steps: int) -> list[int]:
    """Return how many steps a minute, hour, day, week and year have, of times ``n_steps`` long.

    Steps are as long as they are on average: of business days, a week has five. Empty if labels are
    no times.
    """
    if hasattr(index, "to_timestamp"):
        index = index.to_timestamp()
    if n_steps < 1 or index.inferred_type not in ("datetime64", "timedelta64"):
        return []
    step = (index[-1] - index[0]) / n_steps
    lengths = [round(loaded_pandas().Timedelta(period) / step) for period in _PERIODS]
    return [length for length in lengths if length > 1]


def _add_products(
    values: np.ndarray, steps: np.ndarray, products: np.ndarray, counts: np.ndarray
) -> None:
    """Add the sums of products of changes of one series by lag, and the numbers of pairs."""
    steps = steps - max(int(steps.max()) - _MOST_STEPS, int(steps.min()))
    values, steps = values[steps >= 0], steps[steps >= 0]
    grid = np.full(int(steps.max()) + 1, np.nan)
    grid[steps] = values
    change = np.diff(grid)
    is_known = ~np.isnan(change)
    if not is_known.any() or not (spread := np.std(change[is_known])) > 0:
        return
    change = np.where(is_known, (change - change[is_known].mean()) / spread, 0.0)
    size = 2 * len(change)  # no product of the end with the start
    power, pairs = (np.abs(np.fft.rfft(part, size)) ** 2 for part in (change, 1.0 * is_known))
    products[: len(change)] += np.fft.irfft(power)[: len(change)]
    counts[: len(change)] += np.rint(np.fft.irfft(pairs)[: len(change)])
