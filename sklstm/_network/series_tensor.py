"""The standardised series: on the device, or read from its file if it is large."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from sklstm._series.storage import let_go, row_blocks, stays_on_disk
from sklstm._series.windows import Windows, history_length

# A thousand times below the root of the largest number: squares of a million values have a sum.
_ROOT_OF_ROWS = 1024
# The linear map is solved in double precision, in which smaller values have no squares.
_LEAST_OF_SQUARES = 1e-150
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
    """Standardise the series under ``windows``; missing values stay NaN.

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
        check_magnitude("X", block, rows[at], scale, dtype)
        if series is not None:
            series[at] = block
    if series is None:
        return SeriesOnDisk(rows, mean, scale, dtype, device)
    return torch.from_numpy(series).to(device)


def check_magnitude(
    name: str, standardised: np.ndarray, values: np.ndarray, scale: Any, dtype: torch.dtype
) -> None:
    """Refuse values whose squares, summed over the rows, would be infinite in ``dtype``.

    Parameters
    ----------
    name : str
        Name of the argument, for the error.
    standardised, values : ndarray of shape (n, columns)
        After and before the standardisation.
    scale : array-like of shape (columns,)
        That of the standardisation.
    dtype : torch.dtype
    """
    sizes = np.abs(standardised)
    largest = np.fmax.reduce(sizes, axis=None)
    if not largest > largest_standardised(dtype):  # NaN if every value is missing
        return
    row, column = np.unravel_index(np.nanargmax(sizes), sizes.shape)
    advice = [f"check {name} for wrong values"]
    if np.all(np.asarray(scale) == 1):
        advice.append("fit with standardize=True")
    if dtype != torch.float64 and largest <= largest_standardised(torch.float64):
        advice.append("fit with precision='float64'")
    place = "feature" if name == "X" else "column"
    raise ValueError(
        f"{name} holds the value {values[row, column]:g} in {place} {column}, which is too large "
        f"for {dtype}: after standardisation it is {standardised[row, column]:g}. What to do: "
        f"{', or '.join(advice)}."
    )


def check_not_tiny(name: str, values: np.ndarray, dtype: torch.dtype) -> None:
    """Refuse values (n, columns), NaN where unknown, that are all lost in ``dtype``."""
    largest = 0.0
    for at in row_blocks(values):
        sizes = np.abs(values[at])
        largest = max(largest, float(sizes.max(where=~np.isnan(sizes), initial=0)))
    if largest == 0 or largest >= max(torch.finfo(dtype).tiny, _LEAST_OF_SQUARES):
        return
    raise ValueError(
        f"{name} holds no value above {largest:g}, which is too small for {dtype}. Fit with "
        "standardize=True."
    )


def largest_standardised(dtype: torch.dtype) -> float:
    """Return the largest size of a standardised value: its squares have a sum in ``dtype``."""
    return math.sqrt(torch.finfo(dtype).max) / _ROOT_OF_ROWS


def standardised(values: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Standardise values (..., features) in double precision."""
    with np.errstate(over="ignore"):  # what becomes infinite is refused
        return (values - mean) / scale


def window_tensor(series: Series, windows: Windows) -> Series:
    """View of ``series`` as windows, one for every row: (base_windows, window, features).

    Window ``i`` of ``windows`` is number ``windows.starts[i]`` of it.
    """
    if isinstance(series, SeriesOnDisk):
        return SeriesOnDisk(windows.view(), series.mean, series.scale, series.dtype, series.device)
    n_rows, n_features = series.shape
    n_windows = max(n_rows - history_length(windows.window_size, windows.lag_step), 0)
    return series.as_strided(
        (n_windows, windows.window_size, n_features), (n_features, windows.lag_step * n_features, 1)
    )
