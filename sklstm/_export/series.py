"""Several series, each in its own unit; that of a new series is computed from its window."""

from __future__ import annotations

import numpy as np

from sklstm._export.graph import Graph
from sklstm._series.scaling import VALUES_OF_HALF, SeriesScaling


def in_units_of_series(
    graph: Graph, scaling: SeriesScaling, windows: str, series: str
) -> tuple[str, str]:
    """Scale windows (batch, window, features) to the units of their series.

    Parameters
    ----------
    series : str
        The number of the series of each window (batch,), -1 for a new one.

    Returns
    -------
    scaled : str
        (batch, window, features).
    target_scale : str
        (batch, outputs, 1).
    """
    values = graph.shift(windows, -scaling.origin)
    is_new = graph.reshape(graph.add("Less", series, graph.constant(0)), -1, 1, 1)
    own = _scale_of_windows(graph, scaling.ratio, values)  # (batch, 1, features)
    scale = graph.add("Where", is_new, own, _of_series(graph, scaling.scale, series, 1))

    columns = scaling.columns
    of_features = graph.add("Gather", own, graph.constant(columns), axis=2)
    of_features = graph.add("Transpose", of_features, perm=[0, 2, 1])
    slopes = np.abs(scaling.slopes)[:, np.newaxis]
    of_features = graph.add("Mul", of_features, graph.constant(slopes))
    usual = graph.constant(np.median(scaling.target_scale, axis=0)[:, np.newaxis])
    has_feature = graph.constant((columns >= 0)[:, np.newaxis])
    of_new = graph.add("Where", has_feature, of_features, usual)  # (batch, outputs, 1)
    known = _of_series(graph, scaling.target_scale, series, 2)
    return graph.add("Div", values, scale), graph.add("Where", is_new, of_new, known)


def _of_series(graph: Graph, table: np.ndarray, series: str, axis: int) -> str:
    """Take the rows of a table (n_series, columns), with a further axis of length one."""
    # A new series, -1, takes the last row, which is of no use.
    return graph.add("Gather", graph.constant(np.expand_dims(table, axis)), series, axis=0)


def _scale_of_windows(graph: Graph, ratio: np.ndarray, values: str) -> str:
    """Compute what ``SeriesScaling.of_windows`` does: (batch, 1, features)."""
    zero, one = graph.constant(0.0), graph.constant(1.0)
    steps = graph.constant([1])

    def total(x: str) -> str:  # over the steps
        return graph.add("ReduceSum", x, steps)

    missing = graph.add("IsNaN", values)
    known = graph.add("Sub", one, graph.cast(missing, np.float64))
    some = graph.add("Where", missing, zero, values)
    largest = graph.add("ReduceMax", graph.add("Abs", some), axes=[1])
    # In units of the largest value, since squares of others would be infinite or vanish.
    unit = graph.add("Where", graph.add("Greater", largest, zero), largest, one)
    some = graph.add("Div", some, unit)
    n_known = total(known)
    n = graph.add("Max", n_known, one)
    mean = graph.add("Div", total(some), n)
    deviations = graph.add("Mul", graph.add("Sub", some, mean), known)
    squares = graph.add("Div", total(graph.add("Mul", deviations, deviations)), n)
    size = graph.add("Div", total(graph.add("Abs", some)), n)
    expected = graph.add("Mul", size, graph.constant(ratio))
    half = graph.constant(float(VALUES_OF_HALF))
    summed = graph.add(
        "Add",
        graph.add("Mul", n_known, squares),
        graph.add("Mul", half, graph.add("Mul", expected, expected)),
    )
    scale = graph.add("Sqrt", graph.add("Div", summed, graph.add("Add", n_known, half)))
    scale = graph.add("Mul", scale, unit)
    has_unit = graph.add("And", graph.add("Greater", scale, zero), graph.constant(ratio > 0))
    return graph.add("Where", has_unit, scale, one)
