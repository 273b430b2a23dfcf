"""Batches of windows, gathered from the series as they are needed."""

from __future__ import annotations

import numpy as np
import torch
from torch.utils.data import Dataset

from sklstm._windows import Windows, row_blocks


class WindowDataset(Dataset):
    """Windows and their targets, over one copy of the series on the device.

    Parameters
    ----------
    series : torch.Tensor of shape (base_rows, features)
        From :func:`series_tensor`.
    windows : Windows
        How the windows lie in the series.
    index : ndarray of int
        The windows that belong to this data set.
    targets : ndarray of shape (len(index), outputs)
    weights : ndarray of shape (len(index), outputs) or None, default=None
        Weight of each target in the loss; None counts all of them once.
    """

    def __init__(self, series, windows, index, targets, weights=None):
        self.windows = window_tensor(series, windows)
        self.index = torch.from_numpy(index).to(series.device)
        self.targets = torch.from_numpy(targets).to(series)
        self.weights = None if weights is None else torch.from_numpy(weights).to(series)

    def __len__(self):
        return len(self.index)

    def batch(self, order):
        """Windows (batch, window, features) and targets at these places of the data set."""
        windows = self.windows.index_select(0, self.index[order])
        if self.weights is None:
            return windows, self.targets[order]
        return windows, (self.targets[order], self.weights[order])


class WindowBatches:
    """Iterate over a :class:`WindowDataset` in batches; for skorch's ``iterator_train``.

    Parameters
    ----------
    dataset : WindowDataset
    batch_size : int
    generator : torch.Generator or None, default=None
        Shuffles the windows in every pass, if given.
    """

    def __init__(self, dataset, batch_size, generator=None):
        self.dataset = dataset
        self.batch_size = batch_size
        self.generator = generator

    def __len__(self):
        return -(-len(self.dataset) // self.batch_size)

    def __iter__(self):
        n, device = len(self.dataset), self.dataset.index.device
        if self.generator is None:
            order = torch.arange(n, device=device)
        else:
            order = torch.randperm(n, generator=self.generator, device="cpu").to(device)
        for batch in order.split(self.batch_size):
            yield self.dataset.batch(batch)


def series_tensor(windows: Windows, mean, scale, dtype, device):
    """Standardise the series under ``windows``; missing values become zeros.

    Returns
    -------
    torch.Tensor of shape (base_rows, features)

    Raises
    ------
    ValueError
        If a value is too large for ``dtype``.
    """
    rows = windows.rows
    series = torch.empty(rows.shape, dtype=dtype, device=device)
    for at in row_blocks(len(rows)):
        block = (rows[at] - mean) / scale
        np.nan_to_num(block, copy=False, posinf=0, neginf=0)
        part = series[at].copy_(torch.from_numpy(block))
        if not torch.isfinite(part).all():
            raise ValueError(
                f"X holds values that are too large for {dtype} after standardisation "
                f"(mean {mean}, scale {scale}): the largest is {np.abs(block).max():g} times the "
                "scale. Look for broken values, or set precision='float64'."
            )
    return series


def window_tensor(series, windows: Windows):
    """View of ``series`` as windows: (n_windows, window, features)."""
    n_features = series.shape[1]
    return series.as_strided(
        (windows.n_windows, windows.window_size, n_features),
        (windows.row_step * n_features, windows.lag_step * n_features, 1),
    )


def predict_windows(module, series, windows: Windows, missing, batch_size):
    """Apply ``module`` to all windows, without their missing steps.

    Every call of the module gets the same number of windows, so that the prediction of
    a row does not depend on the rows predicted with it.

    Parameters
    ----------
    module : torch.nn.Module
    series : torch.Tensor of shape (base_rows, features)
    windows : Windows
    missing : ndarray of bool of shape (base_rows,) or None
        Rows that are no steps.
    batch_size : int
        Windows in each call of the module.

    Returns
    -------
    ndarray of shape (n_windows, outputs)
    """
    outputs = None
    for index, batch in _prediction_batches(series, windows, missing, batch_size):
        n = len(index)
        if n < batch_size:
            batch = torch.cat([batch, batch[:1].expand(batch_size - n, -1, -1)])
        output = module(batch)[:n].cpu().numpy()
        if outputs is None:
            outputs = np.empty((windows.n_windows, output.shape[1]), dtype=output.dtype)
        outputs[index] = output
    return outputs


def _prediction_batches(series, windows: Windows, missing, batch_size):
    """Windows and their numbers, windows of one length together."""
    view = window_tensor(series, windows)
    length = np.full(windows.n_windows, windows.window_size)
    if missing is not None:
        length -= windows.sum_over_steps(missing)
    lags = np.arange(windows.window_size) * windows.lag_step

    for n_steps in np.unique(length):
        same = np.flatnonzero(length == n_steps)
        for index in np.split(same, range(batch_size, len(same), batch_size)):
            if n_steps == windows.window_size:
                yield index, view.index_select(0, torch.from_numpy(index).to(series.device))
                continue
            at = index[:, None] * windows.row_step + lags  # (batch, window)
            at = at[~missing[at]]  # (batch * n_steps,)
            batch = series.index_select(0, torch.from_numpy(at).to(series.device))
            yield index, batch.view(len(index), n_steps, series.shape[1])
