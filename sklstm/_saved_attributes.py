"""Check the attributes in the saved state of an LSTM estimator: a file may say anything."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklstm._network.architecture import Architecture


def check_attributes(state: dict[str, Any], architecture: Architecture) -> None:
    """Refuse attributes that do not fit each other, so that no prediction is silently wrong.

    Raises
    ------
    ValueError
        If an attribute has another type or shape than a fit gives it.
    """
    n_features = architecture.n_features
    for name in ("window_size_", "n_features_in_"):
        _check(type(state[name]) is int and state[name] > 0, name, state[name])
    for name in ("feature_mean_", "feature_scale_"):
        _check(_is_array(state[name], "f", (n_features,)), name, state[name])
    _check(_is_array(state["_always_known"], "b", (n_features,)), "_always_known", state)
    leads = state["target_leads_"]
    _check(_is_array(leads, "i", np.shape(leads)) and leads.ndim == 1, "target_leads_", leads)
    mean, scale = state["feature_mean_"], state["feature_scale_"]
    _check(np.isfinite(mean).all(), "feature_mean_", mean)
    _check((scale > 0).all(), "feature_scale_", scale)  # infinite where a feature was never known
    codec = state["_codec"]
    for name in codec.keys() & {"mean", "scale"}:
        fits = _is_array(codec[name], "f", np.shape(codec["mean"])) and codec[name].ndim == 1
        _check(fits and np.isfinite(codec[name]).all(), f"_codec[{name!r}]", codec[name])
    if "is_1d" in codec:
        fits = type(codec["is_1d"]) is bool and len(codec["mean"]) >= 1
        _check(fits and (len(codec["mean"]) == 1 or not codec["is_1d"]), "_codec['is_1d']", codec)
    if (scaling := state["_scaling"]) is not None:
        n_series, n_outputs = len(scaling["names"]), len(scaling["columns"])
        shapes = {
            "scale": (n_series, n_features),
            "target_scale": (n_series, n_outputs),
            "origin": (n_features,),
            "ratio": (n_features,),
            "slopes": (n_outputs,),
        }
        for name, shape in shapes.items():
            _check(_is_array(scaling[name], "f", shape), f"_scaling[{name!r}]", scaling[name])
        columns = scaling["columns"]
        fits = _is_array(columns, "i", (n_outputs,)) and (columns < n_features).all()
        _check(fits and (columns >= -1).all(), "_scaling['columns']", columns)


def _is_array(values: Any, kind: str, shape: tuple[int, ...]) -> bool:
    is_array = isinstance(values, np.ndarray) and values.dtype.kind == kind
    return bool(is_array and values.shape == shape)


def _check(fits: Any, name: str, values: Any) -> None:
    if not fits:
        raise ValueError(f"The saved state of an estimator has {name}={str(values)[:200]}.")
