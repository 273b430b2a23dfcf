"""Three bases for the coefficients of a window; the basis decides what a penalty shrinks.

The Gram matrix is computed once, for deviations from the last step (:func:`from_last_step`). For
each basis it is transformed to that basis, and the solutions (..., p, outputs) are transformed back
to deviations.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional

_Change = Callable[[torch.Tensor, int], torch.Tensor]


def from_last_step(windows: torch.Tensor) -> torch.Tensor:
    """Subtract the last step of windows (batch, window, features) from the earlier steps."""
    last = windows[:, -1:]
    return torch.cat([windows[:, :-1] - last, last], dim=1)


def _to_differences(values: torch.Tensor, n_features: int) -> torch.Tensor:
    """Transform rows for deviations to rows for differences between adjacent steps."""
    following = functional.pad(values[n_features:-n_features], (0, 0, 0, n_features))
    return torch.cat([following - values[:-n_features], values[-n_features:]])


def _from_differences(coefficients: torch.Tensor, n_features: int) -> torch.Tensor:
    """Transform coefficients of differences to coefficients of deviations."""
    earlier, last = coefficients[..., :-n_features, :], coefficients[..., -n_features:, :]
    before = functional.pad(earlier[..., :-n_features, :], (0, 0, n_features, 0))
    return torch.cat([before - earlier, last], dim=-2)


def _to_levels(values: torch.Tensor, n_features: int) -> torch.Tensor:
    """Transform rows for deviations to rows for levels: the steps themselves."""
    last = values[-n_features:]
    return torch.cat([values[:-n_features] + last.repeat(len(values) // n_features - 1, 1), last])


def _from_levels(coefficients: torch.Tensor, n_features: int) -> torch.Tensor:
    """Transform coefficients of levels to coefficients of deviations."""
    sums = coefficients.unflatten(-2, (-1, n_features)).sum(dim=-3)
    return torch.cat([coefficients[..., :-n_features, :], sums], dim=-2)


def _unchanged(values: torch.Tensor, n_features: int) -> torch.Tensor:
    return values


# The transformation to each basis, and back from it.
BASES: dict[str, tuple[_Change, _Change]] = {
    "deviations": (_unchanged, _unchanged),
    "differences": (_to_differences, _from_differences),
    "levels": (_to_levels, _from_levels),
}
