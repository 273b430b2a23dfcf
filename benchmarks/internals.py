"""What benchmarks need of sklstm's private modules. No other file here imports any of them."""

import copy
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from unittest.mock import patch

import numpy as np
import torch

from sklstm import _base, _preparation
from sklstm._linear import conjugate_gradients, fitting, left_out, moments, penalties, stacking
from sklstm._linear.bases import BASES
from sklstm._linear.own_columns import find_own_columns
from sklstm._network import building, microbatches, network_weight, threads
from sklstm._network.architecture import Architecture
from sklstm._network.batches import EveryStepDataset, WindowDataset
from sklstm._network.module import StackedLSTM
from sklstm._network.runtime import torch_state
from sklstm._network.series_tensor import standardised_series
from sklstm._network.training import release, train
from sklstm._series.overlap import find_windows

__all__ = [
    "BASES",
    "fit_linear_map",
    "fit_two_networks",
    "multiply_adds",
    "network_output",
    "remove_network",
    "replaced",
]

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


class OwnColumnLSTM(StackedLSTM):
    """A network on each column's own window, with the same weights for all columns."""

    def forward(self, x, generator=None):
        """Map windows (batch, window, columns) to outputs (batch, columns * leads)."""
        skip, self.skip = self.skip, None
        n, window, columns = x.shape
        output = super().forward(x.transpose(1, 2).reshape(-1, window, 1), generator)
        output = output.reshape(n, columns, *output.shape[1:])  # (n, columns, [window,] leads)
        output = output.movedim(1, -2).flatten(-2)
        self.skip = skip
        return output if skip is None else skip(x, output)


def fit_two_networks(regressor, windows, targets, **changes):
    """Fit a regressor, and a network on each column's own window beside the same linear map.

    Parameters
    ----------
    regressor : LSTMRegressor
        With validation rows.
    windows : ndarray of shape (n, window, columns)
    targets : ndarray of shape (n, columns * leads)
        All leads of the first column, then those of the next one.
    **changes
        Fields of ``Architecture`` and ``Hyperparameters`` of the second network.

    Returns
    -------
    list of (LSTMRegressor, float)
        The regressor with each network, and the validation loss with its network weight, as a
        fraction of that of the linear map.
    """
    with (
        patch.object(_base, "build_net", wraps=_base.build_net) as built,
        patch.object(_base, "train", wraps=_base.train) as trained,
    ):
        regressor.fit(windows, targets)
    architecture, hyperparameters, device, run, validation = built.call_args.args
    _, dataset, epochs, n_threads, _ = trained.call_args.args
    n_leads = targets.shape[1] // windows.shape[2]
    architecture = replace(architecture, n_features=1, n_outputs=n_leads)
    for name, value in changes.items():
        if hasattr(architecture, name):
            architecture = replace(architecture, **{name: value})
        else:
            hyperparameters = replace(hyperparameters, **{name: value})
    skip = copy.deepcopy(regressor.net_.module_.skip)
    with torch_state(training=True):
        with patch.object(building, "StackedLSTM", OwnColumnLSTM):
            net = building.build_net(architecture, hyperparameters, device, run, validation)
        net.set_loss_units(dataset, validation)
        train(net, dataset, changes.get("max_epochs", epochs), n_threads, validation)
        weight = network_weight.choose_network_weight(net, validation, n_leads)
        skip.network_weight.fill_(weight)
        net.module_.skip = skip
        release(net)
    twin = copy.copy(regressor)
    twin.net_, twin.network_weight_ = net, float(skip.network_weight)
    fitted = [regressor, twin]
    return [(model, _validation_loss(model, validation)) for model in fitted]


def _validation_loss(regressor, validation):
    module, losses = regressor.net_.module_, []
    with torch_state(training=False), _without_map(module):
        for windows, known in validation.batches(None, 64):
            residuals, weights = known if isinstance(known, tuple) else (known, 1.0)
            left = residuals - module(windows) * regressor.network_weight_
            losses.append([(part**2 * weights).sum().item() for part in (left, residuals)])
    with_network, alone = np.sum(losses, axis=0)
    return with_network / alone


@contextmanager
def _without_map(module):
    skip, module.skip = module.skip, None
    yield
    module.skip = skip


def network_output(regressor, windows):
    """Predict with the linear map alone, and find what the whole network would add to that."""
    weight = regressor.net_.module_.skip.network_weight
    used, outputs = weight.clone(), []
    for value in (0.0, 1.0):
        weight.fill_(value)
        outputs.append(regressor.predict(windows))
    weight.copy_(used)
    return outputs[0], outputs[1] - outputs[0]


def multiply_adds(hidden_layer_sizes, n_features, window, batch_size):
    """Count the multiply-adds of a forward pass: by them ``fit`` chooses its threads."""
    return Architecture(n_features, hidden_layer_sizes, 1).multiply_adds(window, batch_size)
