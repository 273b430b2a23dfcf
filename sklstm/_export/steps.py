"""Steps of scikit-learn that change each value by itself: scalers, functions, columns.

A value that is missing (NaN) stays missing in all of them. This is what allows a missing row in
the input of the model: no other value of the row, and no other row, depends on it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)
from sklearn.utils.validation import check_is_fitted

from sklstm._export.graph import Graph
from sklstm._validation import input_columns

# An operator of ONNX and its second operand, in the order in which scikit-learn computes.
_Operations = list[tuple[str, Any]]
_INVERSE = {"Sub": "Add", "Add": "Sub", "Div": "Mul", "Mul": "Div"}

# All of them increase, so that quantiles of a target stay quantiles.
_FUNCTIONS: dict[Any, Callable[[Graph, str], str]] = {
    None: lambda graph, x: x,
    np.exp: lambda graph, x: graph.add("Exp", x),
    np.expm1: lambda graph, x: _expm1(graph, x),
    np.log: lambda graph, x: graph.add("Log", x),
    np.log1p: lambda graph, x: _log1p(graph, x),
    np.sqrt: lambda graph, x: graph.add("Sqrt", x),
}


def no_form(what: Any, why: str) -> ValueError:
    """Return an error that names a step, why it has no form in ONNX, and what to do."""
    name = what if isinstance(what, str) else type(what).__name__
    return ValueError(f"{name} has no ONNX form here: {why}")


def transformed(graph: Graph, step: Any, x: str) -> str:
    """Apply a fitted step to the last axis of ``x``, (..., features)."""
    if is_nothing(step):
        return x
    kind = type(step)
    if kind is FunctionTransformer:
        return _function(step, step.func, "func")(graph, x)
    if kind is ColumnTransformer:
        return _of_columns(graph, step, x)
    if kind is Pipeline:
        for _, inner in step.steps:
            x = transformed(graph, inner, x)
        return x
    for operator, values in _operations(step):
        x = _computed(graph, operator, x, values)
    low, high = _limits(step)
    if low is None:
        return x
    clipped = graph.add("Min", graph.add("Max", x, graph.constant(low)), graph.constant(high))
    # NaN stays NaN, and what is infinite has to be seen, since predict refuses it.
    return graph.add("Where", graph.add("IsInf", x), x, clipped)


def inverse_transformed(graph: Graph, step: Any, y: str) -> str:
    """Apply the inverse of a fitted step to targets (batch, outputs, ...)."""
    if is_nothing(step):
        return y
    if type(step) is FunctionTransformer:
        return _function(step, step.inverse_func, "inverse_func")(graph, y)
    if type(step) is Pipeline:
        for _, inner in reversed(step.steps):
            y = inverse_transformed(graph, inner, y)
        return y
    for operator, values in reversed(_operations(step)):
        # (outputs, 1), for each quantile of an output.
        column = np.reshape(np.asarray(values, dtype=np.float64), (-1, 1))
        y = _computed(graph, _INVERSE[operator], y, column)
    return y


def _computed(graph: Graph, operator: str, x: str, values: Any) -> str:
    if operator in ("Add", "Sub"):
        return graph.shift(x, values if operator == "Add" else -values)
    return graph.add(operator, x, graph.constant(values, np.float64))


# A value near zero is lost where one is added to it; Kahan's formulas correct for that.
def _expm1(graph: Graph, x: str) -> str:
    exp = graph.add("Exp", x)
    less = graph.shift(exp, -1.0)
    exact = graph.add("Div", graph.add("Mul", less, x), graph.add("Log", exp))
    return _near_zero(graph, x, exp, exact, less)


def _log1p(graph: Graph, x: str) -> str:
    more = graph.shift(x, 1.0)
    log = graph.add("Log", more)
    exact = graph.add("Mul", log, graph.add("Div", x, graph.shift(more, -1.0)))
    return _near_zero(graph, x, more, exact, log)


def _near_zero(graph: Graph, x: str, near_one: str, exact: str, usual: str) -> str:
    """Take ``exact`` where x is small, and x itself where it is too small for that."""
    one = graph.constant(1.0)
    exact = graph.add("Where", graph.add("Equal", near_one, one), x, exact)
    return graph.add("Where", graph.add("Less", graph.add("Abs", x), one), exact, usual)


def is_nothing(step: Any) -> bool:
    """Whether a step of a pipeline leaves its input as it is."""
    return step is None or (isinstance(step, str) and step == "passthrough")


def _operations(step: Any) -> _Operations:
    kind = type(step)
    if kind not in (StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler):
        raise no_form(
            step,
            "expected StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler, ColumnTransformer "
            "or Pipeline of them, or FunctionTransformer with a function of numpy. Fit without "
            "this step, or apply it before the pipeline and to the rows that the model gets.",
        )
    check_is_fitted(step)
    if kind is StandardScaler:
        used = ("Sub", step.mean_, step.with_mean), ("Div", step.scale_, step.with_std)
    elif kind is RobustScaler:
        used = (
            ("Sub", step.center_, step.with_centering),
            ("Div", step.scale_, step.with_scaling),
        )
    elif kind is MinMaxScaler:
        used = ("Mul", step.scale_, True), ("Add", step.min_, True)
    else:
        return [("Div", step.scale_)]
    return [(operator, values) for operator, values, is_used in used if is_used]


def _limits(step: Any) -> tuple[float | None, float | None]:
    if not getattr(step, "clip", False):
        return None, None
    low, high = getattr(step, "feature_range", (-1, 1))
    return float(low), float(high)


def _function(step: Any, function: Any, name: str) -> Callable[[Graph, str], str]:
    known = next((form for key, form in _FUNCTIONS.items() if key is function), None)
    arguments = getattr(step, "kw_args" if name == "func" else "inv_kw_args")
    if known is None or arguments:
        names = ", ".join(f"numpy.{key.__name__}" for key in _FUNCTIONS if key is not None)
        raise no_form(
            f"FunctionTransformer({name}={function!r})",
            f"expected one of {names}, without further arguments. Use one of them, or apply the "
            "function outside of the estimator.",
        )
    return known


def _of_columns(graph: Graph, step: ColumnTransformer, x: str) -> str:
    check_is_fitted(step)
    parts = []
    for inner, columns in input_columns(step):
        if (isinstance(inner, str) and inner == "drop") or not columns:
            continue
        part = graph.add("Gather", x, graph.constant(columns), axis=-1)
        parts.append(transformed(graph, inner, part))
    if step.transformer_weights:
        raise no_form(step, "transformer_weights. Fit without them.")
    return parts[0] if len(parts) == 1 else graph.add("Concat", *parts, axis=-1)
