"""The windows and targets for which a linear map is solved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

from sklstm._series.panel import Panel
from sklstm._series.row_times import clock_of, known_at
from sklstm._series.windows import number_type

# Values in a batch of windows, and the smallest number of windows in it.
_VALUES_OF_A_BATCH, _LEAST_BATCH = 2**18, 16


class Dataset(Protocol):
    """The part of a data set of windows and targets, in time order, that this folder uses."""

    windows: Any  # FilledWindows (n_windows, window, features), or what has its methods
    starts: torch.Tensor  # the rows of the series in which these windows begin
    targets: torch.Tensor  # (len(starts), outputs)
    weights: torch.Tensor | None  # (len(starts), outputs), 0 for an unknown target
    panel: Panel | None  # which series and time each window is of; None: one series

    def __len__(self) -> int: ...

    def numbers(self, places: Any) -> np.ndarray:
        """Return the numbers of the windows of some rows."""

    def part(self, rows: np.ndarray) -> Dataset:
        """Take some rows."""

    def batches(self, order: torch.Tensor | None, batch_size: int) -> Iterator[tuple[Any, Any]]:
        """Yield windows, and targets or pairs (targets, weights)."""


def batch_size_for(window_shape: tuple[int, int]) -> int:
    """Return the number of windows in a batch, so that a batch takes little memory."""
    return max(_VALUES_OF_A_BATCH // (window_shape[0] * window_shape[1]), _LEAST_BATCH)


@dataclass(frozen=True)
class Samples:
    """Some rows of a data set, given by their places in it, and some of its outputs."""

    dataset: Dataset
    places: torch.Tensor
    outputs: slice | np.ndarray

    @property
    def n_features(self) -> int:
        """Features of a step."""
        return self.dataset.windows.shape[2]

    @property
    def window(self) -> int:
        """Steps of a window."""
        return self.dataset.windows.shape[1]

    @property
    def n_coefficients(self) -> int:
        """Values of a window."""
        return self.window * self.n_features

    def equal_weight(self) -> float | None:
        """Return the weight of all rows; None if they differ."""
        if self.dataset.weights is None or not len(self):
            return 1.0
        weights = self.dataset.weights[:, self.outputs][:, 0][self.places]
        return float(weights[0]) if (weights == weights[0]).all() else None

    def __len__(self) -> int:
        return len(self.places)

    def thinned(self, most: int) -> Samples:
        """Take every k-th row, with the smallest k that leaves at most ``most`` rows."""
        step = -(-len(self) // max(most, 1))
        if step > 1 and self.dataset.panel is not None:
            # Every k-th row of series of equal length may be that of the same time.
            order: np.ndarray = np.arange(len(self), dtype=number_type(len(self)))
            np.random.RandomState(0).shuffle(order)
            return Samples(self.dataset, self.places[np.sort(order[:most])], self.outputs)
        return Samples(self.dataset, self.places[::step], self.outputs)

    def where(self, is_taken: np.ndarray) -> Samples:
        """Take the rows that are marked."""
        return Samples(self.dataset, self.places[torch.from_numpy(is_taken)], self.outputs)

    def of_outputs(self, outputs: np.ndarray) -> Samples:
        """Take some of all outputs."""
        return Samples(self.dataset, self.places, outputs)

    def clock(self) -> np.ndarray:
        """Return the place in time of each row."""
        return clock_of(self.dataset.panel, self.dataset.numbers(self.places))

    def known_at(self, gap: int) -> np.ndarray:
        """Return the place in time at which the targets of each row are known."""
        return known_at(self.dataset.panel, self.dataset.numbers(self.places), gap)

    def batches(self) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]]:
        """Yield windows (batch, window, features), targets and weights (batch, 1)."""
        dataset = self.dataset
        batch_size = batch_size_for(dataset.windows.shape[1:])
        for windows, columns in dataset.batches(self.places, batch_size):
            targets, weights = columns if isinstance(columns, tuple) else (columns, None)
            if weights is not None:
                weights = weights[:, self.outputs][:, :1]
            yield windows, targets[:, self.outputs], weights
