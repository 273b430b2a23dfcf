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
    missing = windows.isnan()
    if not missing.any():
        return windows
    holed = torch.nonzero(missing.flatten(1).any(dim=1))[:, 0]  # few, if few rows are missing
    known = ~missing[holed]
    steps = _steps(known)
    before = torch.where(known, steps, -1).cummax(dim=1).values
    first = torch.where(known, steps, len(steps) - 1).amin(dim=1, keepdim=True)
    filled = windows[holed].gather(1, torch.maximum(before, first))
    return windows.index_copy(0, holed, torch.where(filled.isnan(), 0, filled))


def filled_from_later(windows: torch.Tensor) -> torch.Tensor | None:
    """Find the steps (batch, window) with a feature that is only known later in the window.

    None if there is none, as in windows without missing values.
    """
    known = ~windows.isnan()
    if known.all():
        return None
    so_far = known.cumsum(dim=1) > 0
    return (~so_far & so_far[:, -1:]).any(dim=2)


def _steps(windows: torch.Tensor) -> torch.Tensor:
    """Number the steps: (window, 1)."""
    return torch.arange(windows.shape[1], device=windows.device)[:, None]
