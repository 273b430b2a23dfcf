"""Predictions for all windows, each independent of the other rows."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from sklstm._network.missing_values import FilledWindows
from sklstm._network.module import StackedLSTM
from sklstm._network.series_tensor import Series
from sklstm._network.threads import thread_map
from sklstm._series.windows import Windows


def predict_windows(
    module: StackedLSTM,
    series: Series,
    windows: Windows,
    batch_size: int,
    smallest: int | None = None,
    threads: int = 1,
) -> np.ndarray:
    """Apply ``module`` to all windows, with their missing values filled.

    A batch that is not full is padded to ``smallest`` or to ``batch_size`` windows, so that
    the prediction of a row does not depend on the rows predicted with it.

    Parameters
    ----------
    module : StackedLSTM
    series : torch.Tensor or SeriesOnDisk, of shape (base_rows, features)
    windows : Windows
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
    filled, starts = FilledWindows(series, windows), windows.starts
    is_sliced = bool(starts[-1] - starts[0] == len(starts) - 1)
    smallest = smallest or batch_size

    def predict(place: slice) -> np.ndarray:
        with torch.inference_mode():  # each thread has its own mode
            if is_sliced:
                batch = filled[place]
            else:
                batch = filled.index_select(torch.from_numpy(starts[place]).to(series.device))
            n_windows = len(batch)
            size = batch_size if n_windows > smallest else smallest
            return module(_padded(batch, size))[:n_windows].cpu().numpy()

    firsts = range(0, windows.n_windows, batch_size)
    places = [slice(first, min(first + batch_size, windows.n_windows)) for first in firsts]
    if len(places) == 1:
        return predict(places[0])
    with thread_map(threads) as apply:
        parts = iter(apply(predict, places))
        first_part = next(parts)
        outputs = np.empty((windows.n_windows, first_part.shape[1]), dtype=first_part.dtype)
        outputs[places[0]] = first_part
        for place, part in zip(places[1:], parts, strict=True):
            outputs[place] = part
    return outputs


def _padded(batch: torch.Tensor, size: int) -> torch.Tensor:
    """Pad a batch (batch, window, features) to ``size`` windows."""
    if len(batch) == 1:
        return batch.expand(size, -1, -1)  # repeats it without a copy
    return functional.pad(batch, (0, 0, 0, 0, 0, size - len(batch)))
