"""The standardised series: on the device, or read from its file if it is large."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from sklstm._series.storage import let_go, row_blocks, stays_on_disk
from sklstm._series.windows import Windows

_NUMPY_TYPES = {torch.float32: np.float32, torch.float64: np.float64}


class SeriesOnDisk:
    """A series that stays in its file; rows are standardised when they are read.

    Has those attributes and methods of a tensor that the modules of this folder use.

    Parameters
    ----------
    values : ndarray of shape (base_rows, features) or (n_windows, window, features)
        The rows as they are in the file, or the windows over them.
    mean, scale : ndarray of shape (features,)
    dtype : torch.dtype
    device : torch.device or str
    """

    def __init__(
        self,
        values: np.ndarray,
        mean: np.ndarray,
        scale: np.ndarray,
        dtype: torch.dtype,
        device: torch.device | str,
    ) -> None:
        self.values, self.mean, self.scale = values, mean, scale
        self.dtype, self.device = dtype, torch.device(device)
        self.shape = values.shape

    def __getitem__(self, place: Any) -> torch.Tensor:
        """Read the rows or windows at ``place``."""
        block = standardised(self.values[place], self.mean, self.scale)
        let_go(self.values)
        return torch.from_numpy(block).to(self.dtype).to(self.device)

    def index_select(self, dim: int, index: torch.Tensor) -> torch.Tensor:
        """Read the rows or windows with the numbers in ``index``."""
        return self[index.cpu().numpy()]


Series = torch.Tensor | SeriesOnDisk


def standardised_series(
    windows: Windows,
    mean: np.ndarray,
    scale: np.ndarray,
    dtype: torch.dtype,
    device: torch.device | str,
) -> Series:
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
                "scale. Check X for wrong values, or set precision='float64'."
            )
        if series is not None:
            series[at] = block
    if series is None:
        return SeriesOnDisk(rows, mean, scale, dtype, device)
    return torch.from_numpy(series).to(device)


def standardised(values: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Standardise values (..., features) in double precision; missing ones become zeros."""
    values = (values - mean) / scale
    known = np.isfinite(values)
    if not known.all():
        values[~known] = 0
    return values


def window_tensor(series: Series, windows: Windows) -> Series:
    """View of ``series`` as windows: (n_windows, window, features)."""
    if isinstance(series, SeriesOnDisk):
        return SeriesOnDisk(windows.view(), series.mean, series.scale, series.dtype, series.device)
    n_features = series.shape[1]
    return series.as_strided(
        (windows.n_windows, windows.window_size, n_features),
        (windows.row_step * n_features, windows.lag_step * n_features, 1),
    )
