"""The input of a model, and the steps from it to the windows of the network."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklstm._export.chain import Chain
from sklstm._export.graph import Graph
from sklstm._export.steps import no_form, transformed
from sklstm._export.windows import flattened, window_of_rows, window_of_table
from sklstm._lag_table import LagTableTransformer
from sklstm._regressor import LSTMRegressor
from sklstm._series.windows import history_length
from sklstm._transformer import SlidingWindowTransformer
from sklstm._validation import check_params


def read_windows(graph: Graph, chain: Chain) -> tuple[str, list[int], dict[str, Any]]:
    """Apply all steps before the network to the input ``X``.

    Returns
    -------
    windows : str
        (batch, window, features), in units of the network.
    shape : list of int
        That of the input of a single prediction.
    about : dict
        What the metadata says about the input.
    """
    network, steps = chain.network, chain.steps
    makers = [
        step for step in steps if type(step) in (SlidingWindowTransformer, LagTableTransformer)
    ]
    sliding = [step for step in makers if type(step) is SlidingWindowTransformer]
    if len(sliding) > 1:
        raise no_form(sliding[1], "its rows are windows already. Use one of them.")
    first = steps[0] if steps else network
    about: dict[str, Any] = {}
    if names := getattr(first, "feature_names_in_", np.array([])).tolist():
        about["features"] = names
    window_size, n_features = network.window_size_, len(network.feature_mean_)
    shape = [first.n_features_in_]
    if makers and makers[0] in sliding:
        params = check_params(makers[0])
        _check_size(params.window_size, makers[0], [*steps, network])
        shape = [history_length(params.window_size, params.dilation) + 1, *shape]
        about |= {name: getattr(params, name) for name in ("window_size", "dilation", "padding")}
        about["freq"] = makers[0].freq_
    elif not makers and not steps and network.n_features_in_ == n_features:
        shape = [window_size, n_features]
    x = "X"
    for step in steps:
        if type(step) is LagTableTransformer:
            x = window_of_table(graph, x, step.columns_, step._n_lagged)
        elif type(step) is SlidingWindowTransformer:
            x = window_of_rows(graph, x, params.dilation)
            x = flattened(graph, x) if params.flatten else x
        else:
            x = transformed(graph, step, x)
    return graph.reshape(x, 0, window_size, n_features), shape, about


def _check_size(window_size: int, windows: SlidingWindowTransformer, steps: list[Any]) -> None:
    """Refuse windows of another size than the step after them was fitted on."""
    following = steps[steps.index(windows) + 1]
    n_values = following.n_features_in_
    if isinstance(following, LSTMRegressor):
        n_values = following.window_size_ * len(following.feature_mean_)
    if n_values != window_size * windows.n_features_in_:
        raise ValueError(
            f"SlidingWindowTransformer makes windows of {window_size} steps, but "
            f"{type(following).__name__} was fitted on windows of "
            f"{n_values // windows.n_features_in_} steps. Use the window_size of the fit."
        )
