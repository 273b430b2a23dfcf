"""Batches of windows, gathered from the series as they are needed."""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch.nn import functional
from torch.utils.data import Dataset

from sklstm._network.runtime import thread_map
from sklstm._series.storage import let_go, row_blocks, stays_on_disk
from sklstm._series.windows import Windows, number_type

_NUMPY_TYPES = {torch.float32: np.float32, torch.float64: np.float64}


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

    def part(self, start, stop):
        """Take the rows from ``start`` to ``stop``, over the same memory; mean weight one."""
        part = copy.copy(self)
        part.index, part.targets = self.index[start:stop], self.targets[start:stop]
        if self.weights is not None:
            part.weights = self.weights[start:stop] / self.weights[start:stop].mean()
        return part

    def order(self, generator):
        """Draw the order of a pass over the windows."""
        n_windows = len(self)
        dtype = torch.from_numpy(np.empty(0, number_type(n_windows))).dtype
        return torch.randperm(n_windows, generator=generator, dtype=dtype, device="cpu")

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


class EveryStepDataset(WindowDataset):
    """Windows a stride apart, each with a target for every one of its steps.

    Parameters
    ----------
    dataset : WindowDataset
        The windows that end at the rows to train on, and the targets of these rows.
    windows : Windows
        How they lie in the series.
    """

    _WINDOWS_OF_A_ROW = 4  # so that each target is seen with more and with less history

    def __init__(self, dataset, windows):
        self.windows, self.index = dataset.windows, dataset.index
        self.targets, self.weights = dataset.targets, dataset.weights
        self.stride = max(windows.window_size // self._WINDOWS_OF_A_ROW, 1)
        # Step k of a window is the row at which the window so many windows before it ends.
        steps = torch.arange(windows.window_size, dtype=self.index.dtype, device=self.index.device)
        self.before = (windows.window_size - 1 - steps) * windows.lag_step

    def order(self, generator):
        """Draw the order of a pass over windows a stride apart, from a start that changes."""
        start = int(torch.randint(self.stride, (), generator=generator, device="cpu"))
        order = torch.arange(start % len(self.index), len(self.index), self.stride)
        return order[torch.randperm(len(order), generator=generator, device="cpu")]

    def __len__(self):
        return -(-len(self.index) // self.stride)

    def batches(self, order, batch_size):
        """Windows (batch, window, features), targets and weights (batch, window, outputs)."""
        for numbers in order.to(self.index.device).split(batch_size):
            index = self.index[numbers]
            at = index[:, None] - self.before  # (batch, window)
            # A table of all rows would be faster, and as large as the targets.
            place = torch.searchsorted(self.index, at).clamp(max=len(self.index) - 1)
            known = (self.index[place] == at)[:, :, None].to(self.targets.dtype)
            weights = known if self.weights is None else known * self.weights[place]
            weights = weights.expand(*place.shape, self.targets.shape[1])
            targets = self.targets[place]  # (batch, window, outputs)
            yield self.windows.index_select(0, index), (targets, weights / weights.mean())


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
            order = self.dataset.order(self.generator)
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

    def __getitem__(self, place):
        """Read the rows, or windows, at this place."""
        block = standardised(self.values[place], self.mean, self.scale)
        let_go(self.values)
        return torch.from_numpy(block).to(self.dtype).to(self.device)

    def index_select(self, dim, index):
        """Read the rows, or windows, with these numbers."""
        return self[index.cpu().numpy()]


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
    series = None if on_disk else np.empty(rows.shape, dtype=_NUMPY_TYPES[dtype])
    for at in row_blocks(rows):
        block = standardised(rows[at], mean, scale)
        largest = np.abs(block).max()
        if largest > torch.finfo(dtype).max:
            raise ValueError(
                f"X holds values that are too large for {dtype} after standardisation "
                f"(mean {mean}, scale {scale}): the largest is {largest:g} times the "
                "scale. Look for broken values, or set precision='float64'."
            )
        if series is not None:
            series[at] = block
    if on_disk:
        return SeriesOnDisk(rows, mean, scale, dtype, device)
    return torch.from_numpy(series).to(device)


def standardised(values: np.ndarray, mean, scale) -> np.ndarray:
    """Standardise values (..., features) in double precision; missing ones become zeros."""
    values = (values - mean) / scale
    known = np.isfinite(values)
    if not known.all():
        values[~known] = 0
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

    def predict(place, n_steps):
        with torch.inference_mode():  # the mode belongs to a thread
            whole = None
            if missing is None:
                batch = view[place]
            elif n_steps == windows.window_size:
                batch = view.index_select(0, torch.from_numpy(place).to(series.device))
            else:
                batch = _known_steps(series, windows, missing, place, n_steps)
                whole = _filled_steps(series, windows, missing, place)
            n_windows = len(batch)
            size = batch_size if n_windows > smallest else smallest
            whole = None if whole is None else _filled_up(whole, size)
            return module(_filled_up(batch, size), whole=whole)[:n_windows].cpu().numpy()

    batches, lengths = _batches_by_length(windows, missing, batch_size)
    if len(batches) == 1:
        return predict(batches[0], lengths[0])
    outputs = None
    with thread_map(threads) as apply:
        for place, output in zip(batches, apply(predict, batches, lengths), strict=True):
            if outputs is None:
                outputs = np.empty((windows.n_windows, output.shape[1]), dtype=output.dtype)
            outputs[place] = output
    return outputs


def _filled_up(batch, size):
    """Let a batch have so many windows, whatever the others hold."""
    if len(batch) == 1:
        return batch.expand(size, -1, -1)  # costs nothing
    return functional.pad(batch, (0, 0, 0, 0, 0, size - len(batch)))


def _batches_by_length(windows: Windows, missing, batch_size):
    """Where the windows of each batch are, and their length: windows of one length together."""
    if missing is None:
        starts = range(0, windows.n_windows, batch_size)
        slices = [slice(start, start + batch_size) for start in starts]
        return slices, [windows.window_size] * len(slices)
    length = windows.window_size - windows.sum_over_steps(missing)
    batches, lengths = [], []
    for n_steps in np.flatnonzero(np.bincount(length)):
        same = np.flatnonzero(length == n_steps).astype(length.dtype)
        parts = [same[i : i + batch_size] for i in range(0, len(same), batch_size)]
        batches += parts
        lengths += [n_steps] * len(parts)
    return batches, lengths


def _known_steps(series, windows: Windows, missing, index, n_steps):
    """Windows without their missing steps, of which each has the same number."""
    lags = np.arange(windows.window_size) * windows.lag_step
    at = index[:, None] * windows.row_step + lags  # (batch, window)
    at = at[~missing[at]]  # (batch * n_steps,)
    batch = series.index_select(0, torch.from_numpy(at).to(series.device))
    return batch.view(len(index), n_steps, series.shape[1])


def _filled_steps(series, windows: Windows, missing, index):
    """Windows with the known step before, or the first one after, where steps are missing."""
    steps = np.arange(windows.window_size)
    at = index[:, None] * windows.row_step + steps * windows.lag_step  # (batch, window)
    known = ~missing[at]
    before = np.maximum.accumulate(np.where(known, steps, -1), axis=1)
    source = np.where(before >= 0, before, known.argmax(axis=1)[:, None])
    at = np.take_along_axis(at, source, axis=1)
    batch = series.index_select(0, torch.from_numpy(at.ravel()).to(series.device))
    return batch.view(*at.shape, series.shape[1])
