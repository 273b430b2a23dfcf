"""Sums of products of windows and targets, from which ridge regressions are solved.

The next window holds the same rows as the last one, but for one that leaves and one that enters. So
the sum of the products of two steps, over consecutive windows, is that of the two steps before, and
few products more or less: the covariance method of linear prediction, M. Morf, B. Dickinson, T.
Kailath and A. Vieira, "Efficient solution of covariance equations for linear prediction", IEEE
Transactions on Acoustics, Speech, and Signal Processing 25(5), 1977.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from sklstm._linear.samples import Samples

# With fewer products, to multiply whole windows takes less time than to find where they overlap.
_LEAST_PRODUCTS = 2**27
# Values of windows and targets that are turned to double precision at once.
_VALUES_OF_A_BLOCK = 2**19

# The features and the outputs of a matrix.
Part = tuple[slice, slice | np.ndarray]


def gram_matrices(samples: Samples, parts: Sequence[Part]) -> tuple[torch.Tensor, ...]:
    """Sum the products of all pairs of columns: values of windows, a column of ones, targets.

    Parameters
    ----------
    samples : Samples
    parts : sequence of (features, outputs)
        What each matrix is of. Outputs count from the first one of the samples.

    Returns
    -------
    tuple of torch.Tensor of shape (p + 1 + outputs, p + 1 + outputs)
        p = window * features. The values are deviations from the last step of the window (see
        :func:`~sklstm._linear.bases.from_last_step`).
    """
    totals, weight = [_zeros(samples, part) for part in parts], samples.equal_weight()
    others, stretches = _stretches(samples, max(len(total) for total in totals))
    for windows, targets, weights in others.batches():
        for total, (features, outputs) in zip(totals, parts, strict=True):
            values = windows[:, :, features].flatten(1)
            columns = total.new_ones(len(values), len(total))  # (batch, p + 1 + outputs)
            columns[:, : values.shape[1]] = values
            columns[:, values.shape[1] + 1 :] = targets[:, outputs]
            weighted = columns
            if weights is not None and weight is None:
                weighted = columns * weights.to(columns)
            total += columns.T @ weighted
    for stretch in stretches:
        for total, part in zip(totals, parts, strict=True):
            total += _over_stretch(stretch, *part)
    for total, (features, _) in zip(totals, parts, strict=True):
        total *= 1.0 if weight is None else weight
        n_features = len(range(samples.n_features)[features])
        for rows in (total, total.T):
            steps = rows[: samples.window * n_features].unflatten(0, (samples.window, n_features))
            steps[:-1] -= steps[-1:]
    return tuple(total.cpu() for total in totals)


def _zeros(samples: Samples, part: Part) -> torch.Tensor:
    features, outputs = part
    n_features = len(range(samples.n_features)[features])
    targets = samples.dataset.targets[:0, samples.outputs][:, outputs]
    size = samples.window * n_features + 1 + targets.shape[1]
    device = targets.device if targets.device.type == "cuda" else "cpu"
    return torch.zeros(size, size, dtype=torch.float64, device=device)


@dataclass(frozen=True)
class _Stretch:
    """Windows at equal distances, in which each row of the series has the same values.

    Attributes
    ----------
    windows : torch.Tensor of shape (n, window, features)
        A view.
    targets : torch.Tensor of shape (n, outputs)
    steps, n_windows : int
        The step that lies ``steps`` later is the same one ``n_windows`` windows later.
    """

    windows: torch.Tensor
    targets: torch.Tensor
    steps: int
    n_windows: int


def _stretches(samples: Samples, size: int) -> tuple[Samples, Iterator[_Stretch]]:
    """Split samples into long stretches and others; ``size`` is that of the largest matrix."""
    dataset, places = samples.dataset, samples.places
    least = max(_LEAST_PRODUCTS // size**2, 2)
    if len(places) < least or samples.equal_weight() is None:
        return samples, iter(())
    starts = dataset.starts[places]
    distances, is_view = starts.diff(), dataset.windows.are_views(starts)
    distance = int(distances.min())
    steps = distance // math.gcd(distance, dataset.windows.lag_step)
    n_windows = steps * dataset.windows.lag_step // distance
    ends = ((distances != distance) | (is_view[1:] != is_view[:-1])).nonzero()[:, 0] + 1
    long = [
        (start, stop)
        for start, stop in pairwise([0, *ends.tolist(), len(places)])
        if stop - start >= max(least, n_windows) and is_view[start]
    ]
    if steps >= samples.window or not long:
        return samples, iter(())
    is_other = torch.ones(len(places), dtype=torch.bool)
    for start, stop in long:
        is_other[start:stop] = False
    found = (
        _Stretch(
            dataset.windows.views(int(starts[start]), stop - start, distance),
            dataset.targets[places[start:stop]][:, samples.outputs],
            steps,
            n_windows,
        )
        for start, stop in long
    )
    return Samples(dataset, places[is_other], samples.outputs), found


def _over_stretch(stretch: _Stretch, features: slice, outputs: slice | np.ndarray) -> torch.Tensor:
    """Sum the products of the first steps with all columns, and find all others from them."""
    windows, targets = stretch.windows[:, :, features], stretch.targets[:, outputs]
    n, window, n_features = windows.shape
    p, first = window * n_features, stretch.steps * n_features
    size = p + 1 + targets.shape[1]
    total = torch.zeros(size, size, dtype=torch.float64, device=windows.device)
    with_first = total.new_zeros(window, n_features, first + size - p)
    n_rows = max(_VALUES_OF_A_BLOCK // (first + size - p), 1)
    for some, of_some in zip(windows.split(n_rows), targets.split(n_rows), strict=True):
        ones = of_some.new_ones(len(of_some), 1)
        right = torch.cat([some[:, : stretch.steps].flatten(1), ones, of_some], dim=1).double()
        for number, values in enumerate(some.unbind(dim=1)):
            with_first[number].addmm_(values.double().T, right)
        total[p:, p:].addmm_(right[:, first:].T, right[:, first:])
    left = with_first.flatten(0, 1)  # (p, first + 1 + outputs)
    total[:p, :first], total[:first, :p] = left[:, :first], left[:, :first].T
    total[:p, p:], total[p:, :p] = left[:, first:], left[:, first:].T
    # All other products are those of the steps before, with other windows at the ends.
    leaving = windows[: stretch.n_windows, : -stretch.steps].flatten(1).double()
    entering = windows[n - stretch.n_windows :, stretch.steps :].flatten(1).double()
    for start in range(0, p - first, n_features):
        rows = slice(start, start + n_features)
        earlier = total[rows, : p - first] - leaving[:, rows].T @ leaving
        total[start + first : start + first + n_features, first:p] = (
            earlier + entering[:, rows].T @ entering
        )
    return total
