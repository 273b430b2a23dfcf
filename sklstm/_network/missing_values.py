"""Values that are missing in a window, filled from the other steps of this window.

They are NaN in the series. No step outside the window is used, so a row has the same prediction
alone as in a batch.
"""

from __future__ import annotations

import torch


def fill_missing(windows: torch.Tensor) -> torch.Tensor:
    """Fill NaN in windows (batch, window, features), each feature on its own.

    A missing value becomes the last known one before it in the window, or else the first known
    one after it. A feature that is unknown in the whole window becomes zero, its mean.
    """
    if not windows.sum().isnan():  # the fastest way to find that nothing is missing
        return windows
    missing = windows.isnan()
    holed = torch.nonzero(missing.flatten(1).any(dim=1))[:, 0]  # few, if few values are missing
    before = _last_known(missing[holed])
    first = (before < 0).sum(dim=1, keepdim=True).clamp(max=windows.shape[1] - 1)
    filled = windows[holed].gather(1, torch.maximum(before, first))
    return windows.index_copy(0, holed, filled.nan_to_num_(0.0))


def filled_from_later(windows: torch.Tensor) -> torch.Tensor | None:
    """Find the steps (batch, window) with a feature that is only known later in the window.

    None if there is none, as in windows without missing values.
    """
    if not windows.sum().isnan():
        return None
    before = _last_known(windows.isnan())
    return ((before < 0) & (before[:, -1:] >= 0)).any(dim=2)


def _last_known(missing: torch.Tensor) -> torch.Tensor:
    """Find the last known step at or before each step: its number, or -1."""
    steps = torch.arange(missing.shape[1], device=missing.device)[:, None]
    return torch.where(missing, -1, steps).cummax(dim=1).values
