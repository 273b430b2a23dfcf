"""Predictions for all windows, each independent of the other rows."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch.nn import functional

from sklstm._network.missing_values import FilledWindows
from sklstm._network.module import StackedLSTM
from sklstm._network.series_tensor import Series
from sklstm._network.threads import thread_map
from sklstm._series.windows import HOLES_ALLOWED, Windows


def predict_windows(
    module: StackedLSTM,
    series: Series,
    windows: Windows,
    batch_size: int,
    smallest: int | None = None,
    threads: int = 1,
    columns: slice = slice(None),
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
    columns : slice, default=slice(None)
        Of the outputs to return.

    Returns
    -------
    ndarray of shape (n_windows, outputs)
    """
    filled, starts = FilledWindows(series, windows), windows.starts
    smallest = smallest or batch_size

    def predict(place: slice) -> np.ndarray:
        at = starts[place]
        first, last = int(at[0]), int(at[-1])
        with torch.inference_mode():  # each thread has its own mode
            if is_view := last - first < batch_size:
                batch = filled[first : last + 1]
            else:
                batch = filled.index_select(torch.from_numpy(at).to(series.device))
            size = batch_size if len(batch) > smallest else smallest
            outputs = module(_padded(batch, size))[: len(batch), columns].cpu().numpy()
        return outputs[at - first] if is_view and len(outputs) > len(at) else outputs

    places = _places(starts, batch_size)
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


def _places(starts: np.ndarray, batch_size: int) -> list[slice]:
    """Cut windows into batches of at most ``batch_size``.

    If few rows lie between the starts, they are predicted too: a view of successive windows takes
    less time than a copy of those asked for.
    """
    n_spanned = int(starts[-1] - starts[0]) + 1
    if n_spanned <= (1 + HOLES_ALLOWED) * len(starts):
        # Of the same type, since a search among numbers of another one copies them all.
        edges = np.arange(starts[0], starts[-1] + 1, batch_size, dtype=starts.dtype)
        firsts = np.unique(np.searchsorted(starts, edges)).tolist()
    else:
        firsts = range(0, len(starts), batch_size)
    return [slice(*place) for place in pairwise([*firsts, len(starts)])]


def _padded(batch: torch.Tensor, size: int) -> torch.Tensor:
    """Pad a batch (batch, window, features) to ``size`` windows."""
    if len(batch) == 1:
        return batch.expand(size, -1, -1)  # repeats it without a copy
    return functional.pad(batch, (0, 0, 0, 0, 0, size - len(batch)))
