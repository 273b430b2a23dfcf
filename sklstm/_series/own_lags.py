"""Whether rows are already a lag table: columns that hold the earlier values of the target."""

from __future__ import annotations

import numpy as np

N_ROWS = 1000  # that are looked at
_N_COLUMNS = 3  # fewer lags may be features that the user chose
_SHARE = 0.9  # not all: where one of several series ends and the next begins, values differ


def columns_of_own_lags(rows: np.ndarray, y: np.ndarray) -> list[int]:
    """Return the columns that hold the value of the row before, the one before that, and so on.

    Each row of a lag table ends where the target of the row before it was: the target of a row is
    the newest lag of the next row, which is the second lag of the row after that. A scaler may have
    changed the unit of each column. Features do not do so by chance: neither calendars, whose
    columns are often shifted copies of each other, nor columns that lie ahead, such as forecasts of
    the weather.

    Parameters
    ----------
    rows : ndarray of shape (n, columns)
    y : ndarray of shape (n,)
        The target, known one row later.

    Returns
    -------
    list of int
        The newest lag first; empty if there are fewer than three.
    """
    rows, before = rows[:N_ROWS], in_precision_of(rows, y[:N_ROWS])
    found: list[int] = []
    while len(found) < rows.shape[1]:
        known = ~np.isnan(before[1:-1])  # (n - 2,)
        changes = known & (before[1:-1] != before[:-2])
        if np.count_nonzero(changes) < _N_COLUMNS:
            break
        same = rows[2:] == before[1:-1, np.newaxis]  # (n - 2, columns)
        # A count of rows is on a line with all others; so is growth by the same part.
        if are_alike(before[2:, np.newaxis], before[1:-1])[known].mean() < _SHARE:
            same |= are_alike(rows[2:], before[1:-1])
        # Runs of zeros are the same by chance, and so are two values where they change.
        share = np.minimum(same[known].mean(axis=0), same[changes].mean(axis=0))  # (columns,)
        share[found] = 0.0
        # Several columns are the same if the series repeats: then the next one, oldest first.
        column = (found[-1] if found else len(share)) - 1
        if column < 0 or share[column] < share.max():
            column = int(share.argmax())
        if share[column] < _SHARE:
            break
        found.append(column)
        before = rows[:, column]
    return found if len(found) >= _N_COLUMNS else []


def are_alike(rows: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return where columns hold the values, also in other units, as a scaler gives them.

    Parameters
    ----------
    rows : ndarray of shape (n, columns)
    values : ndarray of shape (n,)

    Returns
    -------
    ndarray of bool of shape (n, columns)
    """
    values = values[:, np.newaxis]  # (n, 1)
    both = ~(np.isnan(rows) | np.isnan(values))  # (n, columns)
    rounding = 1e-3 if rows.dtype == np.float32 else 1e-6
    differ = np.abs(_standardised(rows, both) - _standardised(values, both))
    return np.asarray((rows == values) | (differ < rounding))


def _standardised(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the known values with mean zero and deviation one: (n, columns)."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        centre = np.where(known, values, 0.0).sum(axis=0) / known.sum(axis=0)
        centred = np.where(known, values - centre, 0.0)
        return np.asarray(centred / np.sqrt((centred**2).mean(axis=0)))


def in_precision_of(rows: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return targets as the rows hold them: the same number in float32 is another one."""
    with np.errstate(over="ignore"):
        return y.astype(rows.dtype) if rows.dtype.kind == "f" else y
