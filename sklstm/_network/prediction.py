"""Predictions for all windows, each independent of the other rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import functional

from sklstm._network.module import StackedLSTM
from sklstm._network.series_tensor import Series, window_tensor
from sklstm._network.threads import thread_map
from sklstm._series.windows import Windows


def predict_windows(
    module: StackedLSTM,
    series: Series,
    windows: Windows,
    missing: np.ndarray | None,
    batch_size: int,
    smallest: int | None = None,
    threads: int = 1,
) -> np.ndarray:
    """Apply ``module`` to all windows, without their missing steps.

    A batch that is not full is padded to ``smallest`` or to ``batch_size`` windows, so that
    the prediction of a row does not depend on the rows predicted with it.

    Parameters
    ----------
    module : StackedLSTM
    series : torch.Tensor or SeriesOnDisk, of shape (base_rows, features)
    windows : Windows
    missing : ndarray of bool of shape (base_rows,) or None
        Rows that are missing steps.
    batch_size : int
        Windows in each call of the module.
    smallest : int or None, default=None
        Smallest batch whose results equal those of a full batch to the last bit. None: every
        batch is padded to a full one.
    threads : int, default=1
        Number of calls of the module at the same time.

    Returns
    -------
    ndarray of shape (n_windows, outputs)
    """
    view, starts = window_tensor(series, windows), windows.starts
    is_sliced = missing is None and bool(starts[-1] - starts[0] == len(starts) - 1)
    smallest = smallest or batch_size

    def predict(place: slice | np.ndarray, n_steps: int) -> np.ndarray:
        with torch.inference_mode():  # each thread has its own mode
            filled = None
            if is_sliced:
                batch = view[place]
            elif missing is None or n_steps == windows.window_size:
                batch = view.index_select(0, torch.from_numpy(starts[place]).to(series.device))
            else:
                at = _rows_of_steps(windows, starts[place])  # (batch, window)
                batch = _known_steps(series, at, missing[at], n_steps)
                filled = _filled_steps(series, at, missing[at])
            n_windows = len(batch)
            size = batch_size if n_windows > smallest else smallest
            filled = None if filled is None else _padded(filled, size)
            return module(_padded(batch, size), filled=filled)[:n_windows].cpu().numpy()

    batches, lengths = _batches_by_length(windows, missing, batch_size)
    if len(batches) == 1:
        return predict(batches[0], lengths[0])
    with thread_map(threads) as apply:
        parts = iter(apply(predict, batches, lengths))
        first = next(parts)
        outputs = np.empty((windows.n_windows, first.shape[1]), dtype=first.dtype)
        outputs[batches[0]] = first
        for place, part in zip(batches[1:], parts, strict=True):
            outputs[place] = part
    return outputs


def _padded(batch: torch.Tensor, size: int) -> torch.Tensor:
    """Pad a batch (batch, window, features) to ``size`` windows."""
    if len(batch) == 1:
        return batch.expand(size, -1, -1)  # repeats it without a copy
    return functional.pad(batch, (0, 0, 0, 0, 0, size - len(batch)))


def _batches_by_length(
    windows: Windows, missing: np.ndarray | None, batch_size: int
) -> tuple[Sequence[slice | np.ndarray], list[int]]:
    """Group windows with the same number of known steps into batches; return these numbers."""
    if missing is None:
        n_windows = windows.n_windows
        starts = range(0, n_windows, batch_size)
        slices = [slice(start, min(start + batch_size, n_windows)) for start in starts]
        return slices, [windows.window_size] * len(slices)
    length = windows.window_size - windows.sum_over_steps(missing)
    batches, lengths = [], []
    for n_steps in np.flatnonzero(np.bincount(length)):
        same = np.flatnonzero(length == n_steps).astype(length.dtype)
        parts = [same[i : i + batch_size] for i in range(0, len(same), batch_size)]
        batches += parts
        lengths += [int(n_steps)] * len(parts)
    return batches, lengths


def _rows_of_steps(windows: Windows, starts: np.ndarray) -> np.ndarray:
    """Find the base row of each step of the windows with these starts: (batch, window)."""
    return starts[:, None] + np.arange(windows.window_size) * windows.lag_step


def _known_steps(series: Series, at: np.ndarray, missing: np.ndarray, n_steps: int) -> torch.Tensor:
    """Copy windows without their missing steps: (batch, n_steps, features)."""
    batch = series.index_select(0, torch.from_numpy(at[~missing]).to(series.device))
    return batch.view(len(at), n_steps, series.shape[1])


def _filled_steps(series: Series, at: np.ndarray, missing: np.ndarray) -> torch.Tensor:
    """Copy windows; fill missing steps by the known step before, or else the first known."""
    steps = np.arange(at.shape[1])
    before = np.maximum.accumulate(np.where(~missing, steps, -1), axis=1)
    source = np.where(before >= 0, before, (~missing).argmax(axis=1)[:, None])
    at = np.take_along_axis(at, source, axis=1)
    batch = series.index_select(0, torch.from_numpy(at.ravel()).to(series.device))
    return batch.view(*at.shape, series.shape[1])
