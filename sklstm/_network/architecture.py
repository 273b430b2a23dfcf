"""The shape of the network, and how much it has to compute."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch

from sklstm._network.microbatches import SMALLEST_MICROBATCH, gpu_batch, microbatch_size

# With "bfloat16" the layers compute on rounded copies of float32 weights.
_DTYPES = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.float32}

# Windows in each call of the network for prediction, on a processor. A small network needs many to
# be fast; a large one gets few, since a single row may be padded to a batch. The number is a
# multiple of the vector length, since the rows that fill no whole vector are rounded differently.
_UNITS_OF_A_PREDICTION, _LEAST_PREDICTED, _MOST_PREDICTED, _VECTOR = 4096, 16, 256, 16

# The same in float64, where the layers are products of matrices with as many rows as the batch, and
# as the batch times the window. On AVX2 (MKL), rows are computed by twelves, and those that are
# left are rounded differently. On some AMD processors, every second row is rounded differently if
# its length is odd, since it does not start at a multiple of 16 bytes: then windows go one by one.
_PREDICTED_IN_FLOAT64 = 24


@dataclass(frozen=True)
class Architecture:
    """The shape of a network and its numeric type, as plain Python values.

    Attributes
    ----------
    n_features : int
        Features of each step of a window.
    hidden_layer_sizes : tuple of int
        Units of each LSTM layer, from the input up.
    n_outputs : int
        Number of targets.
    bidirectional : bool
        Whether each layer also reads its sequence backwards.
    beside_linear : bool
        Whether the network learns the residual of a linear map. Its outputs are then zero at
        the start, and its inputs are those of :func:`~sklstm._network.layers.centred`.
    precision : {"float32", "float64", "bfloat16"}
    quantiles : tuple of float
        Those of each target that the network gives. Empty: one output for each target.
    """

    n_features: int
    hidden_layer_sizes: tuple[int, ...]
    n_outputs: int
    bidirectional: bool = False
    beside_linear: bool = False
    precision: str = "float32"
    quantiles: tuple[float, ...] = ()

    @property
    def dtype(self) -> torch.dtype:
        """Type of the weights and of the series."""
        return _DTYPES[self.precision]

    @property
    def low_precision(self) -> torch.dtype | None:
        """Type that the layers compute in, if it is not that of the weights."""
        return torch.bfloat16 if self.precision == "bfloat16" else None

    @property
    def n_units(self) -> int:
        """Outputs of all layers for one step of a window."""
        return sum(self.hidden_layer_sizes) * (2 if self.bidirectional else 1)

    def multiply_adds(self, window_size: int, n_windows: int) -> int:
        """Count the multiply-adds of a forward pass over ``n_windows``, in one direction."""
        sizes = self.hidden_layer_sizes
        below = [self.n_features, *sizes[:-1]]
        units = sum(4 * size * (size + inputs) for size, inputs in zip(sizes, below, strict=True))
        return n_windows * window_size * units

    @property
    def _row_lengths(self) -> tuple[int, ...]:
        """Lengths of the rows in the products of the layers; even ones where layers are joined."""
        return (self.n_features * (2 if self.beside_linear else 1), *self.hidden_layer_sizes)

    def microbatch_size(self, batch_size: int, window_size: int, threads: int) -> int:
        """Return the number of windows that one thread computes at a time."""
        return microbatch_size(batch_size, self.n_units, window_size, self.precision, threads)

    def prediction_batch(self, window_size: int, on_cpu: bool = True) -> int:
        """Return the number of windows in each call of the network for prediction."""
        if not on_cpu:
            widest = max(self.hidden_layer_sizes) * (2 if self.bidirectional else 1)
            return gpu_batch(widest, self.n_features, window_size, self.precision)
        if self.dtype == torch.float64:
            few = self.microbatch_size(_PREDICTED_IN_FLOAT64, window_size, threads=1)
            # Of one window there is no other place in the batch.
            is_alone = few < SMALLEST_MICROBATCH or any(map(_rounds_by_place, self._row_lengths))
            return 1 if is_alone else _PREDICTED_IN_FLOAT64
        batch_size = max(_UNITS_OF_A_PREDICTION // max(self.hidden_layer_sizes), _LEAST_PREDICTED)
        batch_size = min(batch_size, _MOST_PREDICTED) // _VECTOR * _VECTOR
        return self.microbatch_size(batch_size, window_size, threads=1)


@cache
def _rounds_by_place(length: int) -> bool:
    """Whether equal rows of this length, multiplied by a matrix in float64, give unequal bits."""
    generator = torch.Generator().manual_seed(0)
    row, matrix = torch.randn(
        (_PREDICTED_IN_FLOAT64 + 1, length), dtype=torch.float64, generator=generator
    ).split([1, _PREDICTED_IN_FLOAT64])
    products = row.repeat(_PREDICTED_IN_FLOAT64, 1) @ matrix[:20].T
    return not bool((products == products[0]).all())
