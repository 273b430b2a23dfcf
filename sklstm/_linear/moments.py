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
from sklstm._linear.ridge import ridge_solutions
from sklstm._linear.samples import Samples

# The columns of a map: all, or the own one of each output, by itself or with the same coefficients
# for all columns.
SCOPES = ("all", "own", "shared")

# A bound of the rounding error of sums of squares, in units of the largest.
_ROUNDING = 1e-12

Solution = tuple[torch.Tensor, torch.Tensor]  # coefficients (p, outputs), intercept (outputs,)
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

    def solutions(self, scope: str, basis: str, penalties: Iterable[float]) -> Iterator[Solution]:
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
        coefficients : torch.Tensor of shape (p, outputs)
        intercept : torch.Tensor of shape (outputs,)
        """
        if scope == "all":
            # Without a penalty, the last steps of other columns would follow any drift.
            is_one_of_several = self.own is not None and self.n_features > 1
            towards = self._persistence()[0] if is_one_of_several and basis != "levels" else None
            yield from ridge_solutions(
                self.grams[0], self.p, self.n_features, basis, penalties, towards
            )
        elif basis == "persistence":
            yield self._persistence()
        elif scope == "own":
            yield from self._of_own_columns(basis, tuple(penalties))
        else:
            yield from self._shared(basis, penalties)

    def _persistence(self) -> Solution:
        assert self.own is not None
        coefficients = torch.zeros(self.p, len(self.own.columns), dtype=torch.float64)
        last_step = self.p - self.n_features + self.own.columns
        coefficients[last_step, np.arange(len(last_step))] = self.own.slopes
        return coefficients, self.own.offsets

    def _of_own_columns(self, basis: str, penalties: tuple[float, ...]) -> Iterator[Solution]:
        window = self.p // self.n_features
        each = [ridge_solutions(gram, window, 1, basis, penalties) for gram in self._of_columns()]
        for solutions in zip(*each, strict=True):
            yield self._in_place(solutions)

    def _shared(self, basis: str, penalties: Iterable[float]) -> Iterator[Solution]:
        assert self.own is not None
        own, window = self.own, self.p // self.n_features
        outputs = [own.outputs_of(column) for column in own.used]
        in_units = [
            _in_units_of_column(gram, window, own, at)
            for gram, at in zip(self._of_columns(), outputs, strict=True)
        ]
        pooled = torch.stack(in_units).sum(dim=0)
        for part, intercept in ridge_solutions(pooled, window, 1, basis, penalties):
            yield self._in_place(
                [
                    (part * own.slopes[at], intercept * own.slopes[at] + own.offsets[at])
                    for at in outputs
                ]
            )

    def _in_place(self, solutions: Sequence[Solution]) -> Solution:
        """Put the coefficients of each column among those of all columns."""
        assert self.own is not None
        coefficients = torch.zeros(self.p, self.n_outputs, dtype=torch.float64)
        intercept = torch.zeros(self.n_outputs, dtype=torch.float64)
        for column, (part, constant) in zip(self.own.used, solutions, strict=True):
            at = self.own.outputs_of(column)
            coefficients[column :: self.n_features, at] = part
            intercept[at] = constant
        return coefficients, intercept

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
