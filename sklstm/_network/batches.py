"""Training batches of windows, copied from the series when they are needed."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import numpy as np
import torch
from torch.utils.data import Dataset

from sklstm._network.missing_values import FilledWindows
from sklstm._network.series_tensor import Series
from sklstm._series.panel import Panel
from sklstm._series.row_times import clock_of
from sklstm._series.windows import Windows, number_type

# Windows in a batch with batch_size="auto": the least, the most, and the training rows for each of
# them (with a loss at every step, the rows divided by window_size). Between the least and the most,
# an epoch has 128 steps of the optimizer. With a loss at every step it has 64, since the windows
# start a quarter of their length apart. Larger batches take less time per window.
_LEAST, _MOST, _ROWS_PER_WINDOW = 64, 256, 128
_LEAST_EVERY_STEP, _MOST_EVERY_STEP, _STEPS_PER_WINDOW = 8, 64, 16

# Mean number of known targets in a window, below which supervise="auto" takes the last step. There,
# on six series, a loss at every step took 1.5 times as long with the linear map (1.3 without), and
# the error was 1.01 times that of the last step (1.09 without): benchmarks/sparse_labels.py repeats
# it on two. In a window of less than 12 steps, a third of the steps, which was not measured.
_FEWEST_KNOWN = 4

Batch = tuple[torch.Tensor, torch.Tensor | tuple[torch.Tensor, torch.Tensor]]


class WindowDataset(Dataset):
    """Windows and their targets, over one copy of the series on the device.

    Parameters
    ----------
    series : torch.Tensor or SeriesOnDisk, of shape (base_rows, features)
        From :func:`~sklstm._network.series_tensor.standardised_series`.
    windows : Windows
        How the windows lie in the series.
    index : ndarray of int
        Numbers of the windows in this data set, increasing.
    targets : ndarray or torch.Tensor of shape (len(index), outputs)
    weights : ndarray of shape (len(index), outputs) or None, default=None
        Weight of each target in the loss. None: all weights are one.
    panel : Panel or None, default=None
        Which series and time each of all windows is of. None: one series.
    """

    def __init__(
        self,
        series: Series,
        windows: Windows,
        index: np.ndarray,
        targets: np.ndarray | torch.Tensor,
        weights: np.ndarray | None = None,
        panel: Panel | None = None,
    ) -> None:
        self.panel = panel
        self.windows = FilledWindows(series, windows)
        self._all_starts = windows.starts
        self.starts = torch.from_numpy(windows.starts[index]).to(series.device)
        self.targets = torch.as_tensor(targets).to(series.device, series.dtype)
        self.weights: torch.Tensor | None = None
        if weights is not None:
            self.weights = torch.from_numpy(weights).to(series.device, series.dtype)

    def __len__(self) -> int:
        return len(self.starts)

    def numbers(self, places: slice | np.ndarray = slice(None)) -> np.ndarray:
        """Return the numbers of the windows of some rows."""
        return np.searchsorted(self._all_starts, self.starts[places].cpu().numpy())

    def part(self, rows: slice | np.ndarray) -> WindowDataset:
        """Take some rows, without a copy if they are a slice; scale weights to mean one."""
        part = copy.copy(self)
        part.starts, part.targets = self.starts[rows], self.targets[rows]
        if self.weights is not None:
            part.weights = self.weights[rows] / self.weights[rows].mean()
        return part

    def clock(self) -> np.ndarray:
        """Return the place in time of each row."""
        return clock_of(self.panel, self.numbers())

    def with_targets(self, targets: torch.Tensor) -> WindowDataset:
        """Replace the targets of the same rows by ``targets`` (len(self), outputs)."""
        other = copy.copy(self)
        other.targets = targets
        return other

    def order(self, generator: torch.Generator) -> torch.Tensor:
        """Draw a random order of all windows, for one epoch."""
        n_windows = len(self)
        dtype = torch.from_numpy(np.empty(0, number_type(n_windows))).dtype
        return torch.randperm(n_windows, generator=generator, dtype=dtype, device="cpu")

    def batches(self, order: torch.Tensor | None, batch_size: int) -> Iterator[Batch]:
        """Yield windows (batch, window, features) and their targets in this order.

        If the data set has weights, yield pairs (targets, weights) in place of targets.
        """
        columns = [self.starts, self.targets, *([] if self.weights is None else [self.weights])]
        # Index 64 batches at once: for a small network, indexing each batch takes much of the time.
        places = [None] if order is None else order.to(self.starts.device).split(64 * batch_size)
        for place in places:
            at = slice(None) if place is None else place
            parts = [column[at].split(batch_size) for column in columns]
            for starts, *targets in zip(*parts, strict=True):
                windows = self.windows.index_select(starts)
                yield windows, targets[0] if self.weights is None else (targets[0], targets[1])


class EveryStepDataset(Dataset):
    """Overlapping windows, each with a target for every one of its steps.

    Parameters
    ----------
    dataset : WindowDataset
        The windows whose last step is a row to train on, and the targets of these rows.
    """

    _WINDOWS_OF_A_ROW = 4  # so each target is trained with longer and shorter histories

    def __init__(self, dataset: WindowDataset) -> None:
        self.windows, self.starts = dataset.windows, dataset.starts
        self.targets, self.weights = dataset.targets, dataset.weights
        window_size = self.windows.shape[1]
        self.stride = max(window_size // self._WINDOWS_OF_A_ROW, 1)
        # Step k of a window is the last step of the window that starts ``before[k]`` rows earlier.
        device, dtype = self.starts.device, self.starts.dtype
        steps = torch.arange(window_size, dtype=dtype, device=device)
        self.before = (window_size - 1 - steps) * self.windows.lag_step

    def __len__(self) -> int:
        return -(-len(self.starts) // self.stride)

    def order(self, generator: torch.Generator) -> torch.Tensor:
        """Draw a random order of every ``stride``-th window, counted from a random first one."""
        start = int(torch.randint(self.stride, (), generator=generator, device="cpu"))
        order = torch.arange(start % len(self.starts), len(self.starts), self.stride)
        return order[torch.randperm(len(order), generator=generator, device="cpu")]

    def batches(self, order: torch.Tensor | None, batch_size: int) -> Iterator[Batch]:
        """Yield windows (batch, window, features), targets and weights (batch, window, outputs)."""
        if order is None:
            order = torch.arange(0, len(self.starts), self.stride)
        for places in order.to(self.starts.device).split(batch_size):
            starts = self.starts[places]
            at = starts[:, None] - self.before  # (batch, window)
            # A search, since a lookup table of all rows would take as much memory as the targets.
            place = torch.searchsorted(self.starts, at).clamp(max=len(self.starts) - 1)
            has_target = self.starts[place] == at
            if (later := self.windows.filled_from_later(starts)) is not None:
                has_target &= ~later  # such a step would know of rows after its own
            known = has_target[:, :, None].to(self.targets.dtype)
            weights = known if self.weights is None else known * self.weights[place]
            weights = weights.expand(*place.shape, self.targets.shape[1])
            targets = self.targets[place]  # (batch, window, outputs)
            # By the steps with a target, so that weights count alike in every batch.
            weights = weights / known.mean()
            yield self.windows.index_select(starts), (targets, weights)


def labels_are_sparse(starts: np.ndarray, windows: Windows) -> bool:
    """Whether windows hold too few known targets for a loss at every step to save time.

    Steps before the first known target do not count, so rows in sequence are never sparse.

    Parameters
    ----------
    starts : ndarray of int
        Starts of the windows to train on, in increasing order: those with a known target.
    windows : Windows

    Returns
    -------
    bool
    """
    size, step = windows.window_size, windows.lag_step
    unknown = np.zeros(-(-(starts[-1] + 1) // step) * step, dtype=np.int32)
    unknown[starts[0] : starts[-1]] = 1
    unknown[starts] = 0
    # How many of the rows i, i - step, i - 2 * step, ... are unknown.
    so_far = unknown.reshape(-1, step).cumsum(axis=0, dtype=np.int32).ravel()
    before = starts - size * step
    in_window = so_far[starts] - np.where(before >= 0, so_far[np.maximum(before, 0)], 0)
    steps = np.minimum((starts - starts[0]) // step + 1, size)
    known = size * (1 - in_window.sum() / steps.sum())
    return bool(known < min(_FEWEST_KNOWN, size / 3))


def auto_batch_size(n_rows: int, window_size: int, every_step: bool) -> int:
    """Choose the number of windows in a batch for ``n_rows`` training rows."""
    if every_step:
        size = n_rows // (_STEPS_PER_WINDOW * window_size)
        return min(max(size, _LEAST_EVERY_STEP), _MOST_EVERY_STEP)
    return min(max(n_rows // _ROWS_PER_WINDOW, _LEAST), _MOST)


class WindowBatches:
    """Iterate over a data set in batches, as skorch's ``iterator_train`` or ``iterator_valid``.

    Parameters
    ----------
    dataset : WindowDataset or EveryStepDataset
    batch_size : int
    generator : torch.Generator or None, default=None
        Shuffles the windows in every epoch. None: time order.
    """

    def __init__(
        self,
        dataset: WindowDataset | EveryStepDataset,
        batch_size: int,
        generator: torch.Generator | None = None,
    ) -> None:
        self.dataset = dataset
        self.batch_size = batch_size
        self.generator = generator

    def __len__(self) -> int:
        return -(-len(self.dataset) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        order = None if self.generator is None else self.dataset.order(self.generator)
        yield from self.dataset.batches(order, self.batch_size)
