"""Rows at their positions in time, and the windows over them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from sklstm._series.panel import Panel
from sklstm._series.storage import float_type, new_rows, row_blocks, stays_on_disk
from sklstm._series.window_array import WindowArray
from sklstm._series.windows import history_length, number_type, window_view


def windows_after(
    history: np.ndarray,
    rows: np.ndarray,
    positions: np.ndarray | None,
    window_size: int,
    dilation: int,
    padding: str,
) -> np.ndarray | WindowArray:
    """Give each row its window: (n_rows, window_size, n_features), read-only.

    They are a strided view, or with holes among ``rows`` a WindowArray.

    Parameters
    ----------
    history : ndarray of shape (n_past, n_features)
        Rows before ``rows``. They get no windows of their own.
    rows : ndarray of shape (n_rows, n_features)
    positions : ndarray of int of shape (n_past + n_rows,) or None
        Increasing positions in time of the history and the rows, in steps. What they leave
        out is a missing row. None: each row follows the one before.
    window_size, dilation : int
    padding : {"nan", "edge"}
        What stands where there is no row: NaN, or the row before.
    """
    reach = history_length(window_size, dilation)
    n_past, n_rows = len(history), len(rows)
    # places: the base rows of the history and of ``rows`` (without holes, of its first row).
    if positions is None:
        has_holes, places = False, np.arange(reach - n_past, reach + 1)
    else:
        has_holes = reach > 0 and bool(positions[-1] - positions[n_past] >= n_rows)
        places = _places(positions if has_holes else positions[: n_past + 1], n_past, reach)
    first = int(places.searchsorted(0))  # the history before it is out of reach

    n_base = int(places[-1]) + (1 if has_holes else n_rows)
    base = new_rows((n_base, rows.shape[1]), float_type(rows), stays_on_disk(rows))
    base[places[first:n_past]] = history[first:]
    for block in row_blocks(rows, base):
        if has_holes:
            base[places[n_past:][block]] = rows[block]
        else:
            base[reach:][block] = rows[block]
    if padding == "edge":
        _fill_with_row_before(base, places, first, history, rows)

    if has_holes:
        return WindowArray(base, places[n_past:] - reach, window_size, dilation)
    return window_view(base, window_size, dilation)


def windows_of_panel(
    placements: Iterable[tuple[np.ndarray, np.ndarray]],
    rows: np.ndarray,
    panel: Panel,
    window_size: int,
    dilation: int,
    padding: str,
) -> WindowArray:
    """Give each row the window of its series: (n_rows, window_size, n_features), read-only.

    The series lie one after the other under the windows, each with the padding before it.

    Parameters
    ----------
    placements : iterable of (history, positions)
        For each name of the panel, as in :func:`windows_after`.
    rows : ndarray of shape (n_rows, n_features)
    panel : Panel
    window_size, dilation, padding
        As in :func:`windows_after`.
    """
    reach = history_length(window_size, dilation)
    n_most = (len(rows) + len(panel.names) * (reach + 1)) * (reach + 1)
    starts: np.ndarray = np.empty(len(rows), dtype=number_type(n_most))
    ends, histories = [0], []
    for number, (history, positions) in enumerate(placements):
        n_past = len(history)
        places = _places(positions, n_past, reach) + ends[-1]
        starts[panel.rows_of(number)] = places[n_past:] - reach
        first = int(places.searchsorted(ends[-1]))  # the history before it is out of reach
        histories.append((places[:n_past].copy(), first, history))
        ends.append(int(places[-1]) + 1)
    base = new_rows((ends[-1], rows.shape[1]), float_type(rows), stays_on_disk(rows))
    for at in row_blocks(rows, base):
        base[starts[at] + reach] = rows[at]
    for number, (places, first, history) in enumerate(histories):
        base[places[first:]] = history[first:]
        if padding == "edge":
            begin, of_series = ends[number], panel.rows_of(number)
            own = np.concatenate([places, starts[of_series] + reach]) - begin
            _fill_with_row_before(
                base[begin : ends[number + 1]], own, first, history, rows[of_series]
            )
    return WindowArray.of_panel(base, starts, window_size, dilation, panel)


def _places(positions: np.ndarray, n_past: int, reach: int) -> np.ndarray:
    """Move positions so that the first row after the history has ``reach`` rows before it.

    Holes longer than a window reaches are shortened: they cost no memory.
    """
    steps = np.minimum(np.diff(positions, prepend=positions[0]), reach + 1)
    places = np.cumsum(steps)
    places += reach - places[n_past]
    return places


def _fill_with_row_before(
    base: np.ndarray, places: np.ndarray, first: int, history: np.ndarray, rows: np.ndarray
) -> None:
    """Fill the base rows where no row stands; those before all rows with the first row."""
    known = np.zeros(int(places[-1]) + 1, dtype=bool)
    known[places[first:]] = True
    unknown = np.flatnonzero(~known)
    source = np.maximum(places.searchsorted(unknown) - 1, 0)
    old = source < len(history)
    base[unknown[old]] = history[source[old]]
    base[unknown[~old]] = rows[source[~old] - len(history)]
