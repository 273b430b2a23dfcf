"""How windows are read: which rows are their steps, standardisation, missing values."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklstm._export.graph import Graph


def window_of_rows(graph: Graph, rows: str, dilation: int) -> str:
    """Take every ``dilation``-th row of rows (batch, rows, features), the last one included.

    The window reaches over all rows, so that the first one is a step too.
    """
    return rows if dilation == 1 else graph.slice(rows, 1, 0, np.iinfo(np.int64).max, dilation)


def flattened(graph: Graph, windows: str) -> str:
    """Turn windows (batch, window, features) into (batch, features * window)."""
    return graph.add("Flatten", graph.add("Transpose", windows, perm=[0, 2, 1]), axis=1)


def window_of_table(graph: Graph, table: str, columns: np.ndarray, n_lagged: int) -> str:
    """Turn a lag table (batch, columns) into windows (batch, window, features).

    Where all lagged features of a step are missing, so are its static ones.

    Parameters
    ----------
    columns : ndarray of shape (window, features)
        The column of the table in each place.
    n_lagged : int
        Features that are not static. These stand first.
    """
    windows = graph.add("Gather", table, graph.constant(columns), axis=1)
    n_features = columns.shape[1]
    if n_lagged == n_features:
        return windows
    lagged = graph.slice(windows, 2, 0, n_lagged)
    is_missing = graph.cast(graph.add("IsNaN", lagged), np.float32)
    all_missing = graph.add("ReduceMin", is_missing, axes=[2], keepdims=1)  # (batch, window, 1)
    missing = graph.cast(all_missing, np.bool_)
    return graph.add("Where", missing, graph.constant(np.nan), windows)


def standardised(graph: Graph, windows: str, mean: np.ndarray, scale: np.ndarray) -> str:
    """Standardise windows (batch, window, features) in double precision."""
    return graph.add("Div", graph.shift(windows, -mean), graph.constant(scale))


def filled(graph: Graph, windows: str, window_size: int, dtype: Any) -> str:
    """Fill NaN in windows (batch, window, features), each feature on its own.

    A missing value becomes the last known one before it, or else the first known one after it. A
    feature that is unknown in the whole window becomes zero, its mean.
    """
    for from_before in (True, False):
        reach = 1
        while reach < window_size:  # twice as many steps each time
            windows = _known_or(graph, windows, reach, from_before)
            reach *= 2
    zero = graph.constant(0, dtype)
    return graph.add("Where", graph.add("IsNaN", windows), zero, windows)


def _known_or(graph: Graph, windows: str, reach: int, from_before: bool) -> str:
    """Replace a missing value by that of the step so many steps before it, or after it."""
    # A step that has no other so far away is compared with itself.
    end = np.iinfo(np.int64).max
    if from_before:
        edge, inner = graph.slice(windows, 1, 0, reach), graph.slice(windows, 1, 0, -reach)
        others = graph.add("Concat", edge, inner, axis=1)
    else:
        edge, inner = graph.slice(windows, 1, -reach, end), graph.slice(windows, 1, reach, end)
        others = graph.add("Concat", inner, edge, axis=1)
    return graph.add("Where", graph.add("IsNaN", windows), others, windows)
