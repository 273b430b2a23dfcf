"""Rows without labels that were passed before, as far as their values tell."""

from __future__ import annotations

import numpy as np

N_LATEST = 64  # rows that are kept to recognise them


def count_repeated(latest: np.ndarray, values: np.ndarray, n_outputs: int) -> int:
    """Count the first rows that were passed before; 0 if none were, or if it may be chance.

    Rows are those passed before if they end with the latest ones, features and known targets alike.
    It may be chance if fewer than two different targets tell, as of a single row or a sensor that
    is stuck, or if the latest rows hold the same values twice.

    Parameters
    ----------
    latest : ndarray of shape (n_latest, columns)
        Features and then targets, NaN where unknown.
    values : ndarray of shape (n, columns)
        Of the rows that may have been passed before.
    n_outputs : int
        How many of the columns are targets. One that is unknown may have become known.
    """
    if latest.shape[1] != values.shape[1]:
        return 0
    ends = np.flatnonzero(_are_alike(values, latest[-1:], n_outputs)) + 1
    for end in ends[::-1].tolist():
        n = min(end, len(latest))
        passed, last = values[end - n : end], latest[len(latest) - n :]
        if not _are_alike(passed, last, n_outputs).all():
            continue
        targets = last[:, -n_outputs:][~np.isnan(passed[:, -n_outputs:])]
        if len(np.unique(targets[~np.isnan(targets)])) < 2:
            continue
        others = (latest[at : at + n] for at in range(len(latest) - n))
        if not any(_are_alike(other, last, n_outputs).all() for other in others):
            return end
    return 0


def _are_alike(rows: np.ndarray, others: np.ndarray, n_outputs: int) -> np.ndarray:
    """Whether features are equal, and targets where both are known: (n,)."""
    both_nan = np.isnan(rows) & np.isnan(others)
    equal = (rows == others) | both_nan
    equal[:, -n_outputs:] |= (np.isnan(rows) | np.isnan(others))[:, -n_outputs:]
    return np.asarray(equal.all(axis=1))
