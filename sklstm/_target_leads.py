"""target_leads: how many rows after its own row each target becomes known, and what follows."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklstm._containers import column_names, columns_of_numbers
from sklstm._series.labels import is_pandas
from sklstm._series.lead_names import read_leads
from sklstm._series.panel import Panel, panel_of
from sklstm._series.rows_later import rows_later
from sklstm._series.windows import Windows
from sklstm._validation import is_int

_VALUES_TO_TELL = 3  # fewer equal values may be chance
# Rows that were left out may lie between this fraction of the rows. Of labels of two kinds, half of
# the values are equal by chance.
_LEFT_OUT = 0.3


def find_leads(
    target_leads: Any,
    y: Any,
    values: np.ndarray,
    windows: Windows | None = None,
    before: np.ndarray | None = None,
) -> np.ndarray:
    """Return the lead of each output, from the parameter ``target_leads`` of an estimator.

    Parameters
    ----------
    target_leads : "auto", int or array-like of int
    y : array-like
        The targets as the user passed them, perhaps with names.
    values : ndarray of shape (n, outputs)
        The same as numbers.
    windows : Windows or None, default=None
        The windows of the n rows, whose last steps are the rows of X. None: of no numbers.
    before : ndarray of int of shape (outputs,) or None, default=None
        The leads of the fit that goes on, for a ``y`` without leads in its names.

    Returns
    -------
    leads : ndarray of int of shape (outputs,)

    Raises
    ------
    ValueError
        If ``target_leads`` is not as described.
    """
    n_outputs = values.shape[1]
    if isinstance(target_leads, str):  # "auto": the estimator has checked it
        leads = read_leads(column_names(y))
        if leads is None and before is not None:
            return before
        return _leads_of_values(values, windows) if leads is None else np.array(leads)
    each = target_leads if np.iterable(target_leads) else [target_leads] * n_outputs
    leads = [
        lead.item() if isinstance(lead, np.ndarray) and lead.size == 1 else lead for lead in each
    ]
    if len(leads) != n_outputs or not all(is_int(lead) and 0 <= lead < 2**63 for lead in leads):
        raise ValueError(
            f"target_leads must be 'auto', an int of at least 0, or one such int for each of the "
            f"{n_outputs} output(s) of y, got {target_leads!r}. It says how many rows after its "
            "own row each output becomes known: range(1, 25) for the next 24 values."
        )
    return np.array(leads, dtype=np.int64)


def panel_of_inputs(X: Any, y: Any) -> Panel | None:
    """Return which series and time each row is of, from the index of ``X`` or ``y``; or None."""
    panel: Panel | None = getattr(X, "panel", None)  # of windows
    for name, data in (("X", X), ("y", y)):
        if panel is None and is_pandas(data) and data.index.nlevels > 1:
            panel = panel_of(data.index, name)
    return panel


def leads_of_rows(
    target_leads: Any, X: Any, y: Any, values: np.ndarray, panel: Panel | None
) -> np.ndarray:
    """Return the lead of each output, where X holds rows: see :func:`find_leads`.

    Parameters
    ----------
    target_leads, y
        As in :func:`find_leads`.
    X : array-like
        Rows, or windows that end at them.
    values : ndarray of shape (n, outputs)
        ``y`` as numbers, in the order of ``X``.
    panel : Panel or None
        The series of the rows. None: one series.
    """
    order = slice(None) if panel is None else panel.order
    windows = _windows_of_rows(X, panel) if isinstance(target_leads, str) else None
    return find_leads(target_leads, y, values[order], windows)


def _windows_of_rows(X: Any, panel: Panel | None) -> Windows | None:
    """Return windows of one step, the rows of X; None if X has no columns of numbers."""
    rows = columns_of_numbers(X)
    if rows is None or not rows.shape[1]:
        return None
    places = np.arange(len(rows))
    if panel is not None:  # a row of NaN lies between the series
        places += panel.series[panel.order]
        apart = np.full((len(rows) + len(panel.names), rows.shape[1]), np.nan)
        apart[places] = rows[panel.order]
        rows = apart
    return Windows(rows, places, 1, 1)


def _leads_of_values(values: np.ndarray, windows: Windows | None) -> np.ndarray:
    """Find the leads of outputs without names.

    An output that is a feature some rows later is known then: so it is after X.shift(-24). Outputs
    that follow it have the next leads. Others have 1, 2, ... if any output follows another, as in
    the arrays of forecast_targets, else 0: known at their own row.
    """
    follows = _follow_the_one_before(values, windows)
    leads: list[int] = []
    for output, is_next in enumerate(follows):
        if is_next:
            leads.append(leads[-1] + 1)
        else:
            later = None if windows is None else rows_later(values[:, output], windows)
            leads.append(int(follows.any()) if later is None else later)
    return np.maximum(leads, 0).astype(np.int64)


def _follow_the_one_before(values: np.ndarray, windows: Windows | None) -> np.ndarray:
    """Tell for each output if it is the one before it, a row later: (n, outputs) -> (outputs,).

    So it is in the arrays of forecast_targets, also of several series side by side. Rows that were
    left out, such as a test fold, may lie between.
    """
    follows = np.zeros(values.shape[1], dtype=bool)
    apart = np.diff(np.arange(len(values)) if windows is None else windows.starts)
    in_sequence = apart == (apart.min() if len(apart) else 1)  # no rows of two series
    for output in range(1, len(follows)):
        later, ahead = values[1:, output - 1], values[:-1, output]
        # What equals the row before it says nothing: labels that are mostly zero.
        tells = ~np.isnan(later) & ~np.isnan(ahead) & (later != values[:-1, output - 1])
        tells &= in_sequence
        is_told = np.count_nonzero(tells) >= _VALUES_TO_TELL
        follows[output] = is_told and np.mean(later[tells] != ahead[tells]) <= _LEFT_OUT
    return follows


def hide_unknown(
    values: np.ndarray, leads: np.ndarray, target_leads: Any, panel: Panel | None = None
) -> np.ndarray:
    """Replace the targets that are not known at the last row by NaN.

    Rows are counted, not steps of time. Where rows are missing, a target is then known earlier than
    it is taken to be, but never later.

    Parameters
    ----------
    values : ndarray of shape (n, outputs)
        It is not changed, and returned as it is if there is nothing to replace.
    leads : ndarray of int of shape (outputs,)
    target_leads : "auto", int or array-like of int
        The parameter, for the message.
    panel : Panel or None, default=None
        The series of each row, whose last row counts. None: one series.

    Raises
    ------
    ValueError
        If no target is left.
    """
    n_known = np.maximum(len(values) - leads, 0)
    left = None if panel is None else panel.rows_left()
    hidden = values
    for output, (start, lead) in enumerate(zip(n_known, leads, strict=True)):
        unknown = slice(start, None) if left is None else np.flatnonzero(left < lead)
        if not np.isnan(values[unknown, output]).all():
            hidden = values.copy() if hidden is values else hidden
            hidden[unknown, output] = np.nan
    if hidden is not values and np.isnan(hidden).all():
        raise ValueError(
            f"None of the targets of these {len(values)} row(s) is known at the last of them"
            f"{'' if panel is None else ' in its series'}: they "
            f"become known {_in_words(leads)} row(s) after their own row "
            f"(target_leads={target_leads!r}). Pass more rows, or set target_leads=0 if all "
            "targets in y are known by now."
        )
    return hidden


def unknown_rows_before(leads: np.ndarray) -> int:
    """Count the rows before a row whose targets are not all known when this row is predicted."""
    return max(int(leads.max()) - 1, 0)


def _in_words(leads: np.ndarray) -> str:
    least, most = int(leads.min()), int(leads.max())
    return str(least) if least == most else f"{least} to {most}"
