"""Three bases for the coefficients of a window, which decide what a penalty shrinks.

All sums of products are gathered for deviations from the last step (:func:`from_last_step`).
A basis changes them into its own, and the solution back into that of the deviations.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional

_Change = Callable[[torch.Tensor, int], torch.Tensor]


def from_last_step(windows: torch.Tensor) -> torch.Tensor:
    """Subtract the last step of windows (batch, window, features) from all steps before it."""
    last = windows[:, -1:]
    return torch.cat([windows[:, :-1] - last, last], dim=1)


def _to_differences(values: torch.Tensor, n_features: int) -> torch.Tensor:
    """From a row for each deviation to a row for each difference between steps."""
    following = functional.pad(values[n_features:-n_features], (0, 0, 0, n_features))
    return torch.cat([following - values[:-n_features], values[-n_features:]])


def _from_differences(coefficients: torch.Tensor, n_features: int) -> torch.Tensor:
    """From coefficients of differences to those of deviations."""
    before = functional.pad(coefficients[: -2 * n_features], (0, 0, n_features, 0))
    return torch.cat([before - coefficients[:-n_features], coefficients[-n_features:]])


def _to_levels(values: torch.Tensor, n_features: int) -> torch.Tensor:
    """From a row for each deviation to a row for each step as it is."""
    last = values[-n_features:]
    return torch.cat([values[:-n_features] + last.repeat(len(values) // n_features - 1, 1), last])


def _from_levels(coefficients: torch.Tensor, n_features: int) -> torch.Tensor:
    """From coefficients of steps as they are to those of deviations."""
    sums = coefficients.view(-1, n_features, coefficients.shape[1]).sum(dim=0)
    return torch.cat([coefficients[:-n_features], sums])


def _unchanged(values: torch.Tensor, n_features: int) -> torch.Tensor:
    return values


# To each basis, and back from it.
BASES: dict[str, tuple[_Change, _Change]] = {
    "deviations": (_unchanged, _unchanged),
    "differences": (_to_differences, _from_differences),
    "levels": (_to_levels, _from_levels),
}
