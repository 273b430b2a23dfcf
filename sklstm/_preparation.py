"""Choose training and validation rows, and compute statistics of features and of series."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sklstm._linear.own_columns import own_columns_of_rows
from sklstm._series.panel import Panel
from sklstm._series.row_times import clock_of, known_at
from sklstm._series.scaling import SeriesScaling, columns_of_equal_size, scaling_of_series
from sklstm._series.statistics import mean_and_scale
from sklstm._series.storage import let_go
from sklstm._series.windows import Windows, history_length, number_type

# With fewer validation rows, early_stopping="auto" turns early stopping off.
_ROWS_TO_VALIDATE = 10
# The largest fraction of missing steps in a window that is trained on. On seven series, a quarter
# gave the same errors within 2 % (benchmarks/missing_steps.py), but then no window of a daily
# series that lacks its weekends would train.
_MOST_MISSING = 0.5
_ROWS_OF_A_BLOCK = 2**16
# Relative to the largest weight. A smaller weight changes no sum in double precision, and would
# vanish in single precision.
_NEGLIGIBLE_WEIGHT = 1e-30

Places = slice | np.ndarray


@dataclass(frozen=True)
class FitRows:
    """The rows of a fit: targets, weights, and the split into training and validation."""

    y: np.ndarray  # (n, outputs), NaN where unknown at the last row
    weight: np.ndarray  # (n,)
    usable: np.ndarray  # rows with enough known steps, a known target and a weight above zero
    gap: int  # rows before a row whose targets are not all known when it is predicted
    training: np.ndarray  # the earliest usable rows, increasing
    validation: np.ndarray | None  # the latest usable rows, increasing
    left_out: dict[str, int]  # number of the other rows, by reason
    panel: Panel | None  # which series and time each row is of

    def counts(self) -> dict[str, int]:
        """Count all rows: those used for training and validation, and those left out, by reason."""
        n_validation = 0 if self.validation is None else len(self.validation)
        n_gap = len(self.usable) - len(self.training) - n_validation
        used = {"training": len(self.training), "validation": n_validation}
        return used | {"gap": n_gap} | self.left_out

    def parts(self) -> tuple[Places, Places | None]:
        """Find the places of training and validation rows among the usable ones."""
        validation = self.validation
        return (
            _places(self.training, self.usable),
            None if validation is None else _places(validation, self.usable),
        )


def relative_weights(weight: np.ndarray) -> np.ndarray:
    """Scale weights (n,) so that the largest is about one, since only their ratios count.

    The factor is a power of two, which changes no bit. Equal weights become one, and weights that
    are too small to count become zero.
    """
    if (weight == 1).all():
        return weight
    largest = weight.max()
    if (weight[weight > 0] == largest).all():
        return (weight > 0).astype(np.float64)
    weight = np.ldexp(weight, -np.frexp(largest)[1])
    return np.where(weight < _NEGLIGIBLE_WEIGHT, 0.0, weight)


def usable_windows(
    windows: Windows, missing: np.ndarray | None, y: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, dict[str, int]]:
    """Find the windows that are not mostly missing, with a known target and a weight above zero.

    Parameters
    ----------
    windows : Windows
    missing : ndarray of bool of shape (base_rows,) or None
    y : ndarray of shape (n_windows, outputs)
    weight : ndarray of shape (n_windows,)

    Returns
    -------
    usable : ndarray of int
        Numbers of these windows, in increasing order.
    left_out : dict of str to int
        How many of the other windows are "incomplete" (more than half of their steps are
        missing), how many of the rest have an "unknown target", and how many of the rest have
        "no weight".

    Raises
    ------
    ValueError
        If there is no such window.
    """
    complete = np.ones(windows.n_windows, dtype=bool)
    if missing is not None:
        complete = windows.sum_over_steps(missing) <= _MOST_MISSING * windows.window_size
    known = ~np.isnan(y).all(axis=1)
    usable = np.flatnonzero(complete & known & (weight > 0))
    usable = usable.astype(number_type(windows.n_windows))
    if not complete.any():
        raise ValueError(
            f"In each of the {windows.n_windows} windows in X, more than half of the "
            f"{windows.window_size} steps are missing, so there is nothing to train on. Pass more "
            "rows, or choose a smaller window_size or dilation. If the holes of the index are no "
            "missing rows (nights, closing days), set freq='rows' of SlidingWindowTransformer: "
            "then each row follows the one before it."
        )
    if not known.any():
        raise ValueError("y is NaN for every row, so there is no target to learn.")
    if not len(usable):
        raise ValueError(
            f"None of the {np.count_nonzero(complete)} windows (of {windows.n_windows}) that "
            "have at least half of their steps has a known target and a weight above zero, so "
            "there is nothing to train on. Pass more rows, or choose a smaller window_size."
        )
    n_complete, n_known = int(complete.sum()), int((complete & known).sum())
    left_out = {
        "incomplete": windows.n_windows - n_complete,
        "unknown target": n_complete - n_known,
        "no weight": n_known - len(usable),
    }
    return usable, left_out


def check_outputs_known(y: np.ndarray, training: np.ndarray) -> None:
    """Refuse an output without a known target in the training rows: nothing predicts it."""
    unknown = np.flatnonzero(np.isnan(y[training]).all(axis=0)).tolist()
    if unknown:
        outputs = ", ".join(map(str, unknown[:5])) + (", ..." if len(unknown) > 5 else "")
        raise ValueError(
            f"Output(s) {outputs} of y have no known target in the {len(training)} training rows, "
            "so there is nothing to learn of them. Pass more rows, or leave these outputs out of y."
        )


def split_latest(
    usable: np.ndarray,
    early_stopping: bool | str,
    validation_fraction: float,
    gap: int,
    panel: Panel | None = None,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Set the latest windows aside for validation, with a gap of rows before them.

    Of several series, those of the latest times.

    Parameters
    ----------
    usable : ndarray of int
        From :func:`usable_windows`.
    early_stopping : bool or "auto"
    validation_fraction : float
    gap : int
        Number of rows before the validation part whose targets are not all known when its
        first row is predicted.
    panel : Panel or None, default=None
        The series and times of all windows. None: one series.

    Returns
    -------
    train : ndarray of int
    valid : ndarray of int or None
        None without early stopping.

    Raises
    ------
    ValueError
        If no window is left to train on.
    """
    n_valid = max(round(validation_fraction * len(usable)), 1)
    if not early_stopping or (early_stopping == "auto" and n_valid < _ROWS_TO_VALIDATE):
        return usable, None
    clock = clock_of(panel, usable)
    start = np.sort(clock)[len(usable) - n_valid]
    valid, train = usable[clock >= start], usable[known_at(panel, usable, gap) < start]
    if not len(train) and early_stopping == "auto" and clock.min() == clock.max():
        return usable, None  # several series at one time, of which none is later
    if not len(train):
        raise ValueError(
            f"early_stopping={early_stopping!r} sets {n_valid} of n_samples={len(usable)} "
            f"usable rows aside for validation, and the {gap} rows before them as a gap, since "
            "their targets become known later (target_leads), which leaves none to train on. Pass "
            "more rows, or set early_stopping=False."
        )
    return train, valid


def partly_unknown(windows: Windows, numbers: np.ndarray) -> np.ndarray:
    """Count, for each feature, the windows whose last step lacks it but has other features.

    Parameters
    ----------
    windows : Windows
    numbers : ndarray of int
        Numbers of the windows to look at.

    Returns
    -------
    ndarray of int of shape (n_features,)
    """
    counts = np.zeros(windows.rows.shape[1], dtype=np.int64)
    last = windows.starts[numbers] + history_length(windows.window_size, windows.lag_step)
    for at in range(0, len(last), _ROWS_OF_A_BLOCK):
        unknown = np.isnan(windows.rows[last[at : at + _ROWS_OF_A_BLOCK]])
        if unknown.any():
            counts += unknown[~unknown.all(axis=1)].sum(axis=0)
        let_go(windows.rows)
    return counts


def feature_statistics(
    windows: Windows, weight: np.ndarray, index: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Compute mean and scale of the known values of each feature over these windows.

    A feature that is unknown in all of them has an infinite scale, so that it counts as zero. The
    weight of each row of the series is the sum of the weights of the windows with this row.
    """
    some = replace(windows, starts=windows.starts[index])
    return mean_and_scale(windows.rows, some.spread_over_rows(weight[index]))


def units_of_series(
    windows: Windows,
    panel: Panel,
    y: np.ndarray,
    usable: np.ndarray,
    training: np.ndarray,
    leads: np.ndarray,
    known: SeriesScaling | None,
) -> SeriesScaling:
    """Compute the units of several series; those that are known stay.

    Parameters
    ----------
    windows : Windows
    panel : Panel
        Sorted.
    y : ndarray of shape (n_windows, outputs)
    usable, training : ndarray of int
        Numbers of the windows with a known target, and of those to train on.
    leads : ndarray of int of shape (outputs,)
    known : SeriesScaling or None
        That of the fit that goes on.
    """
    if known is not None:
        lines = known.slopes, -known.slopes * known.origin[known.columns]
        found = scaling_of_series(windows, panel, y, training, known.columns, lines, known.ratio)
        return known.extended(found)
    own = own_columns_of_rows(windows, usable, y, leads)
    columns, slopes = columns_of_equal_size(
        windows, panel, y, training, own.columns, own.slopes.numpy()
    )
    lines = slopes, own.offsets.numpy()
    return scaling_of_series(windows, panel, y, training, columns, lines)


def _places(some: np.ndarray, rows: np.ndarray) -> Places:
    """Find the places of some rows among all, which increase: a slice if they lie together."""
    first, last = np.searchsorted(rows, some[[0, -1]]).tolist()
    if last - first == len(some) - 1:
        return slice(first, last + 1)
    is_taken: np.ndarray = np.zeros(int(rows[-1]) + 1, dtype=bool)
    is_taken[some] = True
    return is_taken[rows]  # takes less memory than numbers
