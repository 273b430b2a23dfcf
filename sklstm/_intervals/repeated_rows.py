"""Rows without labels that were passed before, as far as their values tell."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklstm._containers import columns_of_numbers
from sklstm._series.labels import is_pandas
from sklstm._validation import take_rows

_N_LATEST = 64  # rows that are kept to recognise them


def latest_rows(X: Any, targets: np.ndarray) -> np.ndarray:
    """Return the values of the last rows, to recognise them by.

    Parameters
    ----------
    X : array-like of shape (n_rows, ...)
    targets : ndarray of shape (n_rows, n_outputs)

    Returns
    -------
    values : ndarray of shape (n_latest, columns)
        Features, if they are numbers, and then targets, NaN where unknown.
    """
    last = np.arange(len(targets))[-_N_LATEST:]
    return _values_of(take_rows(X, {}, last)[0], targets[last])


def latest_with(latest: np.ndarray, X: Any, targets: np.ndarray) -> np.ndarray:
    """Return the values of the last rows, those of ``X`` among them, which follow ``latest``.

    Raises
    ------
    ValueError
        If the first rows of ``X`` were passed before.
    """
    values = _values_of(X, targets)
    n_repeated = _count_repeated(latest, values, targets.shape[1])
    if n_repeated:
        answer = "Leave the call out."
        if n_repeated < len(values):
            rest = f"X[{n_repeated}:]"
            if is_pandas(X):
                rest = f"X.iloc[{n_repeated}:].reset_index(drop=True)"
            answer = f"Pass the rows after them, {rest}, and their targets."
        raise ValueError(
            f"The first {n_repeated} of the {len(values)} rows of X were passed before: they end "
            "with the latest rows and targets seen. Rows without labels follow the last ones, so "
            f"they would count again. {answer} Or give the rows an index in fit and update: then "
            "they may be passed again."
        )
    if values.shape[1] != latest.shape[1]:
        return values[-_N_LATEST:].copy()
    return np.concatenate([latest, values])[-_N_LATEST:].copy()


def _values_of(X: Any, targets: np.ndarray) -> np.ndarray:
    """Return the numbers in X and the targets beside each other: (n_rows, columns)."""
    found = columns_of_numbers(X)
    return targets if found is None else np.concatenate([found, targets], axis=1, dtype=np.float64)


def _count_repeated(latest: np.ndarray, values: np.ndarray, n_outputs: int) -> int:
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
