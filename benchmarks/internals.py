"""What benchmarks need of sklstm's private modules. No other file here imports any of them."""

from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import numpy as np
import torch

from sklstm import _preparation
from sklstm._linear import conjugate_gradients, fitting, left_out, moments, penalties, stacking
from sklstm._linear.bases import BASES
from sklstm._linear.own_columns import find_own_columns
from sklstm._network import microbatches, network_weight, threads
from sklstm._network.architecture import Architecture
from sklstm._network.batches import EveryStepDataset, WindowDataset
from sklstm._network.series_tensor import standardised_series
from sklstm._series.overlap import find_windows

__all__ = ["BASES", "fit_linear_map", "multiply_adds", "remove_network", "replaced"]

# Constants behind the defaults that a benchmark can replace: the name, and where it is read.
_PLACES = {
    # The linear map: the bases, and from how many rows on the penalties are chosen.
    "bases": ("BASES", penalties),
    "scopes": ("SCOPES", moments),
    "persistence": ("PERSISTENCE", penalties),
    "rows_to_choose": ("ROWS_TO_CHOOSE", penalties, conjugate_gradients),
    # Its penalties: blocks of rows left out in turn, and the one-standard-error rule.
    "n_blocks": ("_N_LEFT_OUT_BLOCKS", left_out),
    "standard_errors": ("_STANDARD_ERRORS", left_out),
    # Its stacking weights: the function that finds them, and how far they are drawn to each other.
    "stacking_weights": ("stacking_weights", penalties),
    "towards_equal": ("_TOWARDS_EQUAL", stacking),
    # The network weight: forecasts without overlap at which its credibility is one half.
    "half_credibility": ("_FORECASTS_OF_HALF_CREDIBILITY", network_weight),
    # A loss at every step: training windows that each row lies in.
    "windows_of_a_row": ("_WINDOWS_OF_A_ROW", EveryStepDataset),
    # Missing steps: the largest fraction of a window that is trained on.
    "most_missing": ("_MOST_MISSING", _preparation),
    # Threads: multiply-adds of a batch for which one more thread is used.
    "work_of_a_thread": ("_WORK_OF_A_THREAD", threads),
    # Predictions on a GPU: the most windows at a time, and the memory for them.
    "most_on_a_gpu": ("_MOST_ON_A_GPU", microbatches),
    "bytes_on_a_gpu": ("_BYTES_ON_A_GPU", microbatches),
}


@contextmanager
def replaced(**values):
    """Replace constants of ``_PLACES``, by name, within a ``with`` block."""
    with ExitStack() as stack:
        for name, value in values.items():
            attribute, *places = _PLACES[name]
            for place in places:
                stack.enter_context(patch.object(place, attribute, value))
        yield


def fit_linear_map(windows, targets, n_train, gap, leads=None):
    """Fit the linear map alone, as ``LSTMRegressor(linear_skip=True)`` does before the network.

    Parameters
    ----------
    windows : ndarray of shape (n_windows, window, features)
        As ``SlidingWindowTransformer`` returns them.
    targets : ndarray of shape (n_windows, outputs)
    n_train : int
        The first windows, which it is fitted on.
    gap : int
        Rows whose targets overlap.
    leads : ndarray of shape (outputs,), default=None
        How far ahead each output lies. None: 1, 2, 3, ...

    Returns
    -------
    weights : ndarray of shape (outputs, window * features)
    intercept : ndarray of shape (outputs,)
    """
    view = find_windows(windows)
    tensor = standardised_series(view, 0.0, 1.0, torch.float64, "cpu")
    data = WindowDataset(tensor, view, np.arange(n_train), targets[:n_train], None)
    leads = np.arange(1, targets.shape[1] + 1) if leads is None else leads
    own = find_own_columns(data, leads)
    found = fitting.fit_linear(data, gap=gap, own=own)
    return found.weights.numpy().reshape(targets.shape[1], -1), found.intercept.numpy()


def remove_network(regressor):
    """Leave a fitted regressor its linear map alone: the network then adds zero."""
    with torch.no_grad():
        for parameter in regressor.net_.module_.head.parameters():
            parameter.zero_()


def multiply_adds(hidden_layer_sizes, n_features, window, batch_size):
    """Count the multiply-adds of a forward pass: by them ``fit`` chooses its threads."""
    return Architecture(n_features, hidden_layer_sizes, 1).multiply_adds(window, batch_size)
