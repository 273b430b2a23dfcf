"""Batches of windows, gathered from the series as they are needed."""

from __future__ import annotations

import numpy as np
import torch
from torch.utils.data import Dataset

from sklstm._runtime import thread_map
from sklstm._storage import let_go, row_blocks, stays_on_disk
from sklstm._windows import Windows, number_type


class WindowDataset(Dataset):
    """Windows and their targets, over one copy of the series on the device.

    Parameters
    ----------
    series : torch.Tensor or SeriesOnDisk, of shape (base_rows, features)
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
        like_series = {"dtype": series.dtype, "device": series.device}
        self.targets = torch.from_numpy(targets).to(**like_series)
        self.weights = None if weights is None else torch.from_numpy(weights).to(**like_series)

    def __len__(self):
        return len(self.index)

    def batches(self, order, batch_size):
        """Windows (batch, window, features) and their targets, batch by batch in this order.

        Where there are weights, targets are pairs (targets, weights).
        """
        columns = [self.index, self.targets, *([] if self.weights is None else [self.weights])]
        # Many batches at once: a gather of all columns for each costs a small network much.
        places = [slice(None)] if order is None else order.split(64 * batch_size)
        for place in places:
            place = place if order is None else place.to(self.index.device)
            parts = [column[place].split(batch_size) for column in columns]
            for index, *targets in zip(*parts, strict=True):
                windows = self.windows.index_select(0, index)
                yield windows, targets[0] if self.weights is None else tuple(targets)


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
        order = None
        if self.generator is not None:
            n_windows = len(self.dataset)
            dtype = torch.from_numpy(np.empty(0, number_type(n_windows))).dtype
            order = torch.randperm(
                n_windows, generator=self.generator, dtype=dtype, device="cpu"
            )
        yield from self.dataset.batches(order, self.batch_size)


class SeriesOnDisk:
    """A series that is too large for memory: its rows are standardised as they are read.

    Has what this module needs of the tensor that :func:`series_tensor` makes of others.

    Parameters
    ----------
    values : ndarray of shape (base_rows, features) or (n_windows, window, features)
        The rows as they are in the file, or the windows over them.
    mean, scale : ndarray of shape (features,)
    dtype : torch.dtype
    device : torch.device or str
    """

    def __init__(self, values, mean, scale, dtype, device):
        self.values, self.mean, self.scale = values, mean, scale
        self.dtype, self.device = dtype, torch.device(device)
        self.shape = values.shape

    def index_select(self, dim, index):
        """Read the rows, or windows, with these numbers."""
        block = standardised(self.values[index.cpu().numpy()], self.mean, self.scale)
        let_go(self.values)
        return torch.from_numpy(block).to(self.dtype).to(self.device)


def series_tensor(windows: Windows, mean, scale, dtype, device):
    """Standardise the series under ``windows``; missing values become zeros.

    Returns
    -------
    torch.Tensor or SeriesOnDisk, of shape (base_rows, features)

    Raises
    ------
    ValueError
        If a value is too large for ``dtype``.
    """
    rows = windows.rows
    on_disk = stays_on_disk(rows)
    series = None if on_disk else torch.empty(rows.shape, dtype=dtype, device=device)
    for at in row_blocks(rows):
        block = standardised(rows[at], mean, scale)
        part = torch.from_numpy(block).to(dtype)
        if not torch.isfinite(part).all():
            raise ValueError(
                f"X holds values that are too large for {dtype} after standardisation "
                f"(mean {mean}, scale {scale}): the largest is {np.abs(block).max():g} times the "
                "scale. Look for broken values, or set precision='float64'."
            )
        if series is not None:
            series[at] = part
    return SeriesOnDisk(rows, mean, scale, dtype, device) if on_disk else series


def standardised(values: np.ndarray, mean, scale) -> np.ndarray:
    """Standardise values (..., features) in double precision; missing ones become zeros."""
    values = (values - mean) / scale
    values[~np.isfinite(values)] = 0
    return values


def window_tensor(series, windows: Windows):
    """View of ``series`` as windows: (n_windows, window, features)."""
    if isinstance(series, SeriesOnDisk):
        return SeriesOnDisk(windows.view(), series.mean, series.scale, series.dtype, series.device)
    n_features = series.shape[1]
    return series.as_strided(
        (windows.n_windows, windows.window_size, n_features),
        (windows.row_step * n_features, windows.lag_step * n_features, 1),
    )


def predict_windows(
    module, series, windows: Windows, missing, batch_size, smallest=None, threads=1
):
    """Apply ``module`` to all windows, without their missing steps.

    A batch that is not full is filled up, to the smallest size or a full batch, so that
    the prediction of a row does not depend on the rows predicted with it.

    Parameters
    ----------
    module : torch.nn.Module
    series : torch.Tensor or SeriesOnDisk, of shape (base_rows, features)
    windows : Windows
    missing : ndarray of bool of shape (base_rows,) or None
        Rows that are no steps.
    batch_size : int
        Windows in each call of the module.
    smallest : int or None, default=None
        Fewest windows that the module computes as it does in a full batch, bit by bit;
        None: only a full batch will do.
    threads : int, default=1
        Calls at the same time.

    Returns
    -------
    ndarray of shape (n_windows, outputs)
    """
    view = window_tensor(series, windows)
    smallest = smallest or batch_size

    def predict(index, n_steps):
        with torch.inference_mode():  # the mode belongs to a thread
            if n_steps == windows.window_size:
                batch = view.index_select(0, index.to(series.device))
            else:
                batch = _known_steps(series, windows, missing, index.numpy(), n_steps)
            size = batch_size if len(index) > smallest else smallest
            n_spare = size - len(index)
            batch = torch.cat([batch, batch[:1].expand(n_spare, -1, -1)]) if n_spare else batch
            return module(batch)[: len(index)].cpu().numpy()

    outputs = None
    batches, lengths = _batches_by_length(windows, missing, batch_size)
    with thread_map(threads) as apply:
        for index, output in zip(batches, apply(predict, batches, lengths), strict=True):
            if outputs is None:
                outputs = np.empty((windows.n_windows, output.shape[1]), dtype=output.dtype)
            outputs[index] = output
    return outputs


def _batches_by_length(windows: Windows, missing, batch_size):
    """Numbers of the windows of each batch, and their length: windows of one length together."""
    if missing is None:
        batches = torch.arange(windows.n_windows).split(batch_size)
        return batches, [windows.window_size] * len(batches)
    length = windows.window_size - windows.sum_over_steps(missing)
    batches, lengths = [], []
    for n_steps in np.flatnonzero(np.bincount(length)):
        same = np.flatnonzero(length == n_steps).astype(length.dtype)
        same = torch.from_numpy(same).split(batch_size)
        batches += same
        lengths += [n_steps] * len(same)
    return batches, lengths


def _known_steps(series, windows: Windows, missing, index, n_steps):
    """Windows without their missing steps, of which each has the same number."""
    lags = np.arange(windows.window_size) * windows.lag_step
    at = index[:, None] * windows.row_step + lags  # (batch, window)
    at = at[~missing[at]]  # (batch * n_steps,)
    batch = series.index_select(0, torch.from_numpy(at).to(series.device))
    return batch.view(len(index), n_steps, series.shape[1])
