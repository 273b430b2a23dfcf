"""How many rows after its own row a target is in the features."""

from __future__ import annotations

import numpy as np

from sklstm._series.windows import Windows, history_length

# Rows in which a target is compared with features: at first some, and all where these are equal.
_N_COMPARED, _COMPARED_FIRST = 64, 4
# Fewer values that differ from the most frequent one may be equal by chance.
_VALUES_TO_TELL = 8
# A target is looked for up to so many rows later, or fewer if there are many features.
_MOST_ROWS_LATER, _MOST_COLUMNS = 366, 2**16
# The squared error of the best line, in units of the variance: rounding, but no other feature.
_MOST_ERROR = 1e-6
# Of a trend, features of all rows are equal up to _MOST_ERROR. Only those count whose error is as
# small as the least one, which is about zero after a shift without rounding.
_AS_SMALL, _ABOUT_ZERO = 4.0, 1e-20
_CONSTANT = 1e-28  # the variance of constant values after rounding, where the largest is 1


def rows_later(target: np.ndarray, windows: Windows) -> int | None:
    """Count after how many rows a target is a feature, in any unit, as after ``X.shift(-24)``.

    Parameters
    ----------
    target : ndarray of shape (n_windows,)
        NaN where unknown.
    windows : Windows
        The last step of window i has the features of row i.

    Returns
    -------
    int or None
        The first row that has the value, counted from the own row: 0 or less if it is known there.
        None if no feature is equal.
    """
    n_rows, n_features = len(target), windows.rows.shape[1]
    most = min(
        _MOST_ROWS_LATER,
        max(_MOST_COLUMNS // (2 * n_features), 1),
        n_rows // 3,
        (n_rows - _VALUES_TO_TELL) // 2,
    )
    rows = _rows_that_tell(target, most) if most > 0 else None
    if rows is None:
        return None
    later = np.arange(-most, most + 1)
    starts = windows.starts[rows[:, np.newaxis] + later]  # (rows compared, rows later)
    places = starts + history_length(windows.window_size, windows.lag_step)  # of the last steps
    found = _find(target[rows], windows.rows, places, np.ones(places.shape, dtype=bool), later)
    if found is not None or ((distances := np.diff(windows.starts)) == 1).all():
        return found
    # Rows were left out after the shift, regularly or now and then. Count steps between the holes.
    step = int(np.median(distances))
    in_rows = -(-later // step)
    places, starts = places[:, most, np.newaxis] + later, starts[:, most + in_rows]
    without_hole = starts - starts[:, most, np.newaxis] == step * in_rows
    return _find(target[rows], windows.rows, places, without_hole, in_rows)


def _rows_that_tell(target: np.ndarray, most: int) -> np.ndarray | None:
    """Choose rows to compare, which have ``most`` rows before and after them."""
    known = np.flatnonzero(~np.isnan(target[most : len(target) - most])) + most
    if not len(known):
        return None
    rows = _thinned(known, _N_COMPARED)
    usual = np.median(target[rows])
    if np.count_nonzero(target[rows] != usual) < _VALUES_TO_TELL:  # rare events
        differs = target[known] != usual
        if np.count_nonzero(differs) < _VALUES_TO_TELL:
            return None
        parts = [_thinned(known[which], _N_COMPARED // 2) for which in (differs, ~differs)]
        rows = np.sort(np.concatenate(parts))
    return rows


def _thinned(rows: np.ndarray, most: int) -> np.ndarray:
    return rows[:: max(-(-len(rows) // most), 1)]


def _find(
    target: np.ndarray,
    features: np.ndarray,
    places: np.ndarray,
    is_compared: np.ndarray,
    later: np.ndarray,
) -> int | None:
    """Compare values of a target (rows,) with each feature in ``places`` (rows, later)."""
    n_features = features.shape[1]
    some = slice(None, None, _COMPARED_FIRST)
    columns = features[places[some]].reshape(-1, len(later) * n_features)
    compared = np.repeat(is_compared[some], n_features, axis=1)
    may_be = np.flatnonzero(~(_errors(target[some], columns, compared) > _MOST_ERROR))
    which, feature = np.divmod(may_be, n_features)
    columns, compared = features[places[:, which], feature], is_compared[:, which]
    errors = _errors(target, columns, compared)
    tells = target != np.median(target)
    n_told = np.count_nonzero(tells[:, np.newaxis] & compared & np.isfinite(columns), axis=0)
    errors[(n_told < _VALUES_TO_TELL) | np.isnan(errors)] = np.inf
    least = errors.min(initial=np.inf)
    if not least < _MOST_ERROR:
        return None
    return int(later[which[errors <= _AS_SMALL * least + _ABOUT_ZERO]].min())


def _errors(target: np.ndarray, features: np.ndarray, compared: np.ndarray) -> np.ndarray:
    """Return the squared error of the best line of each column, in units of the variance.

    NaN where the values that are compared are constant: (rows,), (rows, columns) -> (columns,).
    """
    compared = compared & np.isfinite(features)
    if compared.all():
        compared = compared[:, :1]  # then the target is centred once
    n_compared = compared.sum(axis=0)

    def centred(values: np.ndarray) -> np.ndarray:
        values = np.where(compared, values, np.float64(0))
        values /= np.abs(values).max(axis=0)
        return np.where(compared, values - values.sum(axis=0) / n_compared, 0.0)

    with np.errstate(invalid="ignore"):
        x, y = centred(features), centred(target[:, np.newaxis])
        x_squares, y_squares = (x**2).sum(axis=0), (y**2).sum(axis=0)
        slopes = (x * y).sum(axis=0) / x_squares
        errors: np.ndarray = ((y - slopes * x) ** 2).sum(axis=0) / y_squares
        varies = np.minimum(x_squares, y_squares) > _CONSTANT * n_compared
    return np.where(varies, errors, np.nan)
