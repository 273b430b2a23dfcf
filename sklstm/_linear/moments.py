"""Sums of products of windows and targets, from which maps are solved and judged.

A map from many columns has many coefficients that are mostly noise. So maps of each output's own
column are solved as well: one for each column, and one that all columns share. That they are often
better was seen by A. Zeng et al., "Are transformers effective for time series forecasting?", AAAI
2023, and by P. Montero-Manso and R. Hyndman, "Principles and algorithms for forecasting groups of
time series", International Journal of Forecasting 37(4), 2021.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from sklstm._linear.own_columns import OwnColumns
from sklstm._linear.products import Part, gram_matrices
from sklstm._linear.ridge import OneValue, ridge_solutions
from sklstm._linear.samples import Samples

# The columns of a map: all, or the own one of each output, by itself or with the same coefficients
# for all columns.
SCOPES = ("all", "own", "shared")

# Values of the coefficients of own columns that are put among those of all columns at once.
_VALUES_AT_ONCE = 2**16
# A bound of the rounding error of sums of squares, in units of the largest.
_ROUNDING = 1e-12

# For some penalties: coefficients (penalties, p, outputs), intercepts (penalties, outputs).
Solutions = tuple[torch.Tensor, torch.Tensor]
Places = slice | np.ndarray


@dataclass(frozen=True)
class Moments:
    """Gram matrices of some rows.

    Attributes
    ----------
    grams : tuple of torch.Tensor
        From :func:`~sklstm._linear.products.gram_matrices`: one of all columns and outputs, or one
        for each column and its outputs.
    p : int
        Number of values of a window: window * features.
    n_features : int
    own : OwnColumns or None
        The column of each output. None: not every output is a later value of a column.
    are_together : bool
        Whether there is one Gram matrix of all columns.
    """

    grams: tuple[torch.Tensor, ...]
    p: int
    n_features: int
    own: OwnColumns | None
    are_together: bool

    @classmethod
    def of(cls, samples: Samples, own: OwnColumns | None, together: bool) -> Moments:
        """Sum over the samples; ``together``: with the products of different columns."""
        parts: list[Part] = [(slice(None), slice(None))]
        if not together:
            assert own is not None
            parts = [(slice(column, column + 1), own.outputs_of(column)) for column in own.used]
        grams = gram_matrices(samples, parts)
        return cls(grams, samples.n_coefficients, samples.n_features, own, together)

    def less(self, *others: Moments) -> Moments:
        """Subtract those of other rows."""
        grams = []
        for number, (gram, rows, _) in enumerate(self.parts()):
            gram = gram.clone()
            squares = gram.diagonal()[: len(range(self.p)[rows])]
            rounding = _ROUNDING * float(squares.max())
            for other in others:
                gram -= other.grams[number]
            squares += rounding  # it may exceed all that is left
            grams.append(gram)
        return replace(self, grams=tuple(grams))

    def of_outputs(self, outputs: np.ndarray) -> Moments:
        """Take some of all outputs."""
        own = None if self.own is None else self.own.some(outputs)
        grams = []
        for gram, rows, places in self.parts():
            n_values = len(range(self.p)[rows])
            if isinstance(places, slice):
                kept = outputs
            else:
                kept = np.flatnonzero(np.isin(places, outputs))
                if not len(kept):
                    continue
            at = np.concatenate([np.arange(n_values + 1), n_values + 1 + kept])
            grams.append(gram[np.ix_(at, at)])
        return replace(self, grams=tuple(grams), own=own)

    @property
    def weight(self) -> float:
        """Sum of the weights of the rows: their number without weights."""
        size = self.p if self.are_together else self.p // self.n_features
        return float(self.grams[0][size, size])

    @property
    def scopes(self) -> tuple[str, ...]:
        """What the maps may be solved for, see :meth:`solutions`."""
        several = self.own is not None and self.n_features > 1
        possible = {"all": self.are_together, "own": several}
        possible["shared"] = self.own is not None and self.own.have_same_leads
        return tuple(scope for scope in SCOPES if possible[scope])

    def can_solve(self, member: Any) -> bool:
        """Whether there are maps of the scope and basis of a member."""
        is_persistence = self.own is not None and member.basis == "persistence"
        return is_persistence or member.scope in self.scopes

    @property
    def n_outputs(self) -> int:
        """Number of outputs."""
        return len(self.grams[0]) - self.p - 1 if self.own is None else len(self.own.columns)

    def parts(self) -> Iterator[tuple[torch.Tensor, slice, Places]]:
        """Yield each Gram matrix, and which coefficients and outputs it is for."""
        if self.are_together:
            yield self.grams[0], slice(None), slice(None)
        else:
            assert self.own is not None
            for column, gram in zip(self.own.used, self.grams, strict=True):
                yield gram, slice(column, None, self.n_features), self.own.outputs_of(column)

    def solutions(self, scope: str, basis: str, penalties: Iterable[float]) -> Iterator[Solutions]:
        """Solve ridge regressions, see :func:`~sklstm._linear.ridge.ridge_solutions`.

        With the scope "all" and the basis "deviations" or "differences", penalties shrink the map
        towards persistence, if each output is a later value of one of several columns.

        Parameters
        ----------
        scope : str
            One of ``SCOPES``.
        basis : str
            A key of ``BASES``, or "persistence" of the own columns.
        penalties : iterable of float

        Yields
        ------
        coefficients : torch.Tensor of shape (some penalties, p, outputs)
        intercepts : torch.Tensor of shape (some penalties, outputs)
        """
        if scope == "all":
            # Without a penalty, the last steps of other columns would follow any drift.
            is_one_of_several = self.own is not None and self.n_features > 1
            towards = self._last_values() if is_one_of_several and basis != "levels" else None
            yield from ridge_solutions(
                self.grams[0], self.p, self.n_features, basis, penalties, towards
            )
        elif basis == "persistence":
            yield self._persistence()
        elif scope == "own":
            yield from self._of_own_columns(basis, tuple(penalties))
        else:
            yield from self._shared(basis, penalties)

    def _last_values(self) -> OneValue:
        assert self.own is not None
        return self.p - self.n_features + self.own.columns, self.own.slopes

    def _persistence(self) -> Solutions:
        assert self.own is not None
        values, slopes = self._last_values()
        coefficients = torch.zeros(1, self.p, len(values), dtype=torch.float64)
        coefficients[0, values, np.arange(len(values))] = slopes
        return coefficients, self.own.offsets[None]

    def _of_own_columns(self, basis: str, penalties: tuple[float, ...]) -> Iterator[Solutions]:
        window = self.p // self.n_features
        each = [ridge_solutions(gram, window, 1, basis, penalties) for gram in self._of_columns()]
        for solutions in zip(*each, strict=True):
            yield from self._in_place(solutions)

    def _shared(self, basis: str, penalties: Iterable[float]) -> Iterator[Solutions]:
        assert self.own is not None
        own, window = self.own, self.p // self.n_features
        outputs = [own.outputs_of(column) for column in own.used]
        in_units = [
            _in_units_of_column(gram, window, own, at)
            for gram, at in zip(self._of_columns(), outputs, strict=True)
        ]
        pooled = torch.stack(in_units).sum(dim=0)
        for part, intercepts in ridge_solutions(pooled, window, 1, basis, penalties):
            yield from self._in_place(
                [
                    (part * own.slopes[at], intercepts * own.slopes[at] + own.offsets[at])
                    for at in outputs
                ]
            )

    def _in_place(self, solutions: Sequence[Solutions]) -> Iterator[Solutions]:
        """Put the coefficients of each column among those of all columns."""
        assert self.own is not None
        outputs = [self.own.outputs_of(column) for column in self.own.used]
        size = max(_VALUES_AT_ONCE // (self.p * self.n_outputs), 1)
        split = [zip(part.split(size), of.split(size), strict=True) for part, of in solutions]
        for some in zip(*split, strict=True):
            n_penalties = len(some[0][0])
            coefficients = some[0][0].new_zeros(n_penalties, self.p, self.n_outputs)
            intercepts = coefficients.new_zeros(n_penalties, self.n_outputs)
            for column, at, (part, of) in zip(self.own.used, outputs, some, strict=True):
                coefficients[:, column :: self.n_features, at] = part
                intercepts[:, at] = of
            yield coefficients, intercepts

    def _of_columns(self) -> Iterator[torch.Tensor]:
        """Yield the Gram matrix of each column and its outputs."""
        if not self.are_together:
            yield from self.grams
            return
        assert self.own is not None
        for column in self.own.used:
            outputs = self.p + 1 + self.own.outputs_of(column)
            at = np.concatenate([np.arange(column, self.p, self.n_features), [self.p], outputs])
            yield self.grams[0][np.ix_(at, at)]


def _in_units_of_column(
    gram: torch.Tensor, p: int, own: OwnColumns, outputs: np.ndarray
) -> torch.Tensor:
    """Change the targets in a Gram matrix to the unit of their column."""
    change = torch.eye(len(gram), dtype=gram.dtype)
    targets = torch.arange(p + 1, len(gram))
    change[targets, targets] = 1 / own.slopes[outputs]
    change[targets, p] = -own.offsets[outputs] / own.slopes[outputs]
    return change @ gram @ change.T
