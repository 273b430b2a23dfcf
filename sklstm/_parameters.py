"""The parameters of an LSTM estimator: a check of all of them, before any work."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from sklstm._network.architecture import Architecture
from sklstm._network.building import check_optimizer, has_weight_decay
from sklstm._network.callbacks import check_callbacks
from sklstm._network.device import check_device, check_precision
from sklstm._network.runtime import torch_state
from sklstm._validation import check_params, is_int

# A network of more weights is refused: with gradients, the optimizer's moments and the averages
# these take 2 TB in float32, more than machines have. torch's own error comes late, or not at all
# where the system promises more memory than there is.
_MOST_WEIGHTS = 10**11


def check_parameters(estimator: BaseEstimator) -> SimpleNamespace:
    """Check all parameters; return them with numbers as int or float.

    Raises
    ------
    ValueError
        If a parameter is out of its range, contradicts another, or cannot be used here.
    """
    params = check_params(estimator)
    params.hidden_layer_sizes = _layer_sizes(estimator.hidden_layer_sizes)
    params.quantiles = ()
    if params.loss == "quantile":
        params.quantiles = _quantiles(estimator.quantiles)
    check_callbacks(estimator.callbacks)
    if isinstance(estimator.optimizer, type):
        with torch_state(training=True):
            check_optimizer(estimator.optimizer, params.learning_rate)
    if estimator.weight_decay and not has_weight_decay(estimator.optimizer):
        name = estimator.optimizer.__name__
        raise ValueError(
            f"weight_decay={estimator.weight_decay}, but {name} has no such parameter. "
            "Set weight_decay=0, or choose another optimizer."
        )
    check_device(estimator.device)
    check_precision(estimator.precision, estimator.device)
    return params


def _quantiles(quantiles: Any) -> tuple[float, ...]:
    """Return the quantiles as floats; refuse those that are no quantiles, or have no middle."""
    try:
        levels = np.array(quantiles, dtype=np.float64)
    except (TypeError, ValueError):
        levels = np.array(np.nan)
    inside = levels.ndim == 1 and len(levels) and ((levels > 0) & (levels < 1)).all()
    if not inside or (np.diff(levels) <= 0).any():
        raise ValueError(
            "quantiles must be numbers above 0 and below 1 in increasing order, each once, for "
            f"instance (0.05, 0.5, 0.95); got {quantiles!r}."
        )
    if len(levels) % 2 == 0 and 0.5 not in levels:
        raise ValueError(
            f"quantiles={quantiles!r} have neither the median nor a middle one, which predict "
            "gives. Add 0.5 to them."
        )
    return tuple(levels.tolist())


def _layer_sizes(hidden_layer_sizes: Any) -> tuple[int, ...]:
    """Return the units of each layer as ints; refuse sizes that no machine has memory for."""
    sizes = np.array(hidden_layer_sizes, dtype=object)  # which keeps a bool beside ints a bool
    are_ints = [is_int(size) for size in sizes.flat]
    if sizes.ndim > 1 or not are_ints or not all(are_ints) or min(sizes.flat) < 1:
        raise ValueError(
            "hidden_layer_sizes must hold the units of each layer, ints of at least 1, "
            f"for instance (64, 32); got {hidden_layer_sizes!r}."
        )
    units = tuple(int(size) for size in sizes.flat)
    n_weights = Architecture(0, units, 0).multiply_adds(window_size=1, n_windows=1)
    if n_weights > _MOST_WEIGHTS:
        raise ValueError(
            f"hidden_layer_sizes={hidden_layer_sizes!r} needs {n_weights:.1e} weights, more than "
            f"the {_MOST_WEIGHTS:.0e} that memory is expected for. Choose smaller layers."
        )
    return units
