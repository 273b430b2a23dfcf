"""to_onnx: a fitted pipeline as one ONNX model."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sklstm._export.chain import Chain, chain_of
from sklstm._export.graph import IR_VERSION, OPSET, Graph
from sklstm._export.inputs import read_windows
from sklstm._export.network import outputs_of_network
from sklstm._export.series import in_units_of_series
from sklstm._export.steps import inverse_transformed
from sklstm._export.windows import (
    filled,
    standardised,
)
from sklstm._network.series_tensor import largest_standardised
from sklstm._regressor import LSTMRegressor
from sklstm._saving.file import replace_file


def to_onnx(estimator: Any, path: str | os.PathLike[str]) -> None:
    """Write a fitted estimator as an ONNX model, which needs neither this package nor torch.

    The model holds all steps from raw rows to predictions in units of the target: scaling, the
    reading of windows with missing values, network and linear map. It takes any number of rows at
    once. It needs ``pip install 'sklstm[onnx]'``; what serves the file needs an ONNX runtime only.

    Parameters
    ----------
    estimator : LSTMRegressor, or an estimator with one at its end
        Fitted: a pipeline, a search, a :class:`KnownTargetsRegressor`, a
        :class:`~sklearn.compose.TransformedTargetRegressor`.
    path : str or path-like
        The file to write. An old file is replaced when the new one is complete.

    Raises
    ------
    ImportError
        If the package ``onnx`` is not installed.
    TypeError
        If the estimator has no :class:`LSTMRegressor` at its end.
    ValueError
        If a step or an option has no form in ONNX. The message names it.

    See Also
    --------
    save : Writes an estimator that Python loads again.
    LSTMRegressor : What the model predicts, and how missing values are filled.

    Notes
    -----
    **Input** ``X``, float64. With a :class:`SlidingWindowTransformer`:
    ``(batch, rows, n_features)``, for each prediction the rows of its window in units of the data,
    oldest first. ``rows`` is ``(window_size - 1) * dilation + 1``. The model keeps no history. A
    row that is missing is NaN in all features, also one before the start of the series; with
    ``padding="edge"`` it holds the row before it, as the transformer puts it there. A single value
    may be NaN too. Without that transformer, ``X`` is what the estimator takes: windows, or a lag
    table.

    **Input** ``series``, int64, ``(batch,)``. Only of a network of several series, each in its own
    unit (not with ``standardize="together"``): the place of the series in the list ``series`` of
    the metadata, counted from 0; -1 for a series that no fit has seen, whose unit the window gives.

    **Outputs**, float64. ``y`` is what ``predict`` returns, ``(batch,)`` or ``(batch, n_outputs)``.
    With ``loss="quantile"`` there is also ``quantiles``, as ``predict_quantiles`` returns them. A
    window that ``predict`` refuses, such as one with infinity, has the output NaN.

    **Precision.** The result differs from that of ``predict`` for rows in float64 by rounding: less
    than 1e-5 of the standard deviation of the target. For rows far outside of the training rows,
    it grows with their distance: to 1e-4 if predictions reach 100 standard deviations from the
    mean. Layers are computed in float32, all else in float64. It is more for a network that a far
    too high ``learning_rate`` made chaotic: its predictions differ as much between
    ``precision="float32"`` and ``"float64"``.
    ``precision="bfloat16"`` is refused, since its rounding is larger than that.

    **Steps.** StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler, ColumnTransformer and
    Pipeline of these, FunctionTransformer with ``numpy.exp``, ``expm1``, ``log``, ``log1p`` or
    ``sqrt``, :class:`LagTableTransformer`. Steps that fill missing values or mix features are
    refused: a missing row must stay missing up to the windows.

    **Metadata** of the model: ``sklstm`` is a JSON object with the names of the features,
    ``window_size``, ``dilation``, ``freq``, ``padding``, ``target_leads``,
    ``quantiles`` and ``series``.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklstm import LSTMRegressor, SlidingWindowTransformer, to_onnx
    >>> X = np.random.RandomState(0).rand(200, 1)
    >>> model = make_pipeline(SlidingWindowTransformer(4), LSTMRegressor(8, max_epochs=2))
    >>> file = Path(tempfile.mkdtemp(), "model.onnx")
    >>> to_onnx(model.fit(X, X[:, 0]), file)
    >>> import onnxruntime
    >>> session = onnxruntime.InferenceSession(file)
    >>> (y,) = session.run(["y"], {"X": X[np.newaxis, -4:]})  # the last window
    >>> np.allclose(y, model.predict(X)[-1:])
    True
    """
    replace_file(Path(path), _model(estimator).SerializeToString())


def _model(estimator: Any) -> Any:
    try:
        from onnx import TensorProto, checker, helper
    except ImportError as error:
        raise ImportError("to_onnx needs onnx: pip install 'sklstm[onnx]'") from error
    chain = chain_of(estimator)
    network = chain.network
    graph = Graph()
    given, shape, about = read_windows(graph, chain)
    windows, scaling, target_scale = given, network._scaling, None
    if scaling is not None:
        windows, target_scale = in_units_of_series(graph, scaling, windows, "series")
        about["series"] = scaling.names
    scaled = standardised(graph, windows, network.feature_mean_, network.feature_scale_)
    y = _predictions(graph, network, scaled)  # (batch, outputs, quantiles)
    y = y if target_scale is None else graph.add("Mul", y, target_scale)
    for step in reversed(chain.of_targets):
        y = inverse_transformed(graph, step, y)
    refused = _is_refused(graph, given, scaled, network)
    y = graph.add("Where", refused, graph.constant(np.nan), y)

    about["target_leads"] = network.target_leads_.tolist()
    about["quantiles"] = network.quantiles_.tolist()

    def described(name: str, lengths: list[Any], kind: int = TensorProto.DOUBLE) -> Any:
        return helper.make_tensor_value_info(name, kind, ["batch", *lengths])

    inputs = [described("X", shape)]
    if scaling is not None:
        inputs.append(described("series", [], TensorProto.INT64))

    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "sklstm",
            inputs,
            [described(*output) for output in _named_outputs(graph, chain, y)],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="sklstm",
        producer_version=sys.modules["sklstm"].__version__,
    )
    helper.set_model_props(model, {"sklstm": json.dumps(about, default=_plain)})
    checker.check_model(model)
    return model


def _named_outputs(graph: Graph, chain: Chain, y: str) -> list[tuple[str, list[int]]]:
    """Name the outputs of the model, made of (batch, outputs, quantiles); return their shapes."""
    network = chain.network
    shape = [] if chain.is_1d else [network.n_outputs_]
    middle = graph.add("Gather", y, graph.constant(network.net_.module_.middle), axis=2)
    outputs = [(graph.named("y", graph.reshape(middle, -1, *shape)), shape)]
    if n_quantiles := len(network.quantiles_):
        shape = [*shape, n_quantiles]
        outputs.append((graph.named("quantiles", graph.reshape(y, -1, *shape)), shape))
    return outputs


def _plain(name: Any) -> Any:
    """Convert the name of a series that JSON does not take, such as a time."""
    return name.item() if isinstance(name, np.generic) else str(name)


def _predictions(graph: Graph, network: LSTMRegressor, scaled: str) -> str:
    """Predict from standardised windows: (batch, outputs, quantiles), in units of the target."""
    module, size = network.net_.module_, network.window_size_
    dtype = np.float64 if module.head.weight.dtype == torch.float64 else np.float32
    complete = filled(graph, graph.cast(scaled, dtype), size, dtype)
    y = outputs_of_network(graph, module, complete, size)
    y = graph.reshape(y, 0, network.n_outputs_, max(len(network.quantiles_), 1))
    y = graph.add("Mul", y, graph.constant(network.target_scale_[:, np.newaxis]))
    return graph.shift(y, network.target_mean_[:, np.newaxis])


def _is_refused(graph: Graph, windows: str, scaled: str, network: LSTMRegressor) -> str:
    """Tell which windows ``predict`` refuses (batch, 1, 1): with infinite or too large values.

    Scaling to the unit of a new series loses infinite ones, so they are looked for before it.
    """
    limit = largest_standardised(network.net_.module_.head.weight.dtype)
    too_large = graph.add("Greater", graph.add("Abs", scaled), graph.constant(limit))
    found = []
    for marked in (graph.add("IsInf", windows), too_large):
        number = graph.cast(marked, np.float32)
        found.append(graph.add("ReduceMax", number, axes=[1, 2], keepdims=0))
    either = graph.cast(graph.add("Max", *found), np.bool_)
    return graph.reshape(either, -1, 1, 1)
