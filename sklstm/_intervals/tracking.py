"""Thresholds of scores for one series, which follow its errors as targets become known.

The quantile tracker of A. Angelopoulos, E. Candès and R. Tibshirani, "Conformal PID control for
time series prediction", NeurIPS 2023, for the lower and the upper end of the interval: a threshold
rises by a step if the target was beyond it, and falls by a small part of the step if not, so that
in the long run the wanted fraction of the targets lies beyond. Thresholds are in units of the
recent mean absolute score, so that they follow a change of its size at once. A target that lies
``lead`` rows ahead is compared with the threshold of its own row, and moves that of the row where
it is known.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

# The step of the thresholds, and how much of the recent mean absolute score a row leaves as it was.
# Chosen on the validation parts of twelve real series, as they are and with errors that grow to
# three times their size: larger steps follow faster, but intervals become longer than they need be.
_STEP = 0.07
_DECAY = 0.99
_SEEN = 500  # labels that are kept, to find rows between them that were never passed
_LATEST = 1000  # a target that is still unknown so many rows after its time is given up


def thresholds_of(scores: np.ndarray, miscoverage: float) -> np.ndarray:
    """Return what a fraction of later scores exceeds: (n, outputs, 2) -> (outputs, 2).

    They are the quantile of ``(1 - miscoverage) (n + 1) / n``, the finite-sample correction of
    split conformal prediction: V. Vovk et al., "Algorithmic learning in a random world", 2005.
    """
    thresholds = np.empty(scores.shape[1:])
    for place in np.ndindex(thresholds.shape):
        known = scores[(slice(None), *place)]
        known = np.sort(known[~np.isnan(known)])
        rank = rank_of(len(known), miscoverage)
        thresholds[place] = known[rank - 1]
    return thresholds


def rank_of(n: int, miscoverage: float) -> int:
    """Return which of n sorted scores is the threshold; more than n if they are too few."""
    return int(np.ceil(round((1 - miscoverage) * (n + 1), 9)))  # round: 0.95 * 20 is 19


def scores_of(y: np.ndarray, middle: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Return how far targets lie below and above the middle, in units of the scale.

    Parameters
    ----------
    y, middle, scale : ndarray of shape (..., n_outputs)

    Returns
    -------
    scores : ndarray of shape (..., n_outputs, 2)
    """
    above = (y - middle) / scale
    return np.stack([-above, above], axis=-1)


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of one series whose targets may become known.

    Attributes
    ----------
    labels : ndarray of shape (n,)
        Increasing.
    middle : ndarray of shape (n, n_outputs)
        The forecast, or the middle between two quantiles.
    scale : ndarray of shape (n, n_outputs)
        The unit of its errors.
    y : ndarray of shape (n, n_outputs)
    """

    labels: np.ndarray
    middle: np.ndarray
    scale: np.ndarray
    y: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def after(self, n: int) -> Rows:
        """Return the rows after the first n."""
        return Rows(**{name: values[n:].copy() for name, values in vars(self).items()})

    def joined(self, other: Rows) -> Rows:
        """Return these rows and then the other ones."""
        pairs = {name: (vars(self)[name], vars(other)[name]) for name in vars(self)}
        return Rows(**{name: np.concatenate(pair) for name, pair in pairs.items()})


@dataclass(frozen=True, eq=False)
class Tracker:
    """The thresholds of one series, and its rows whose targets are not all counted.

    Attributes
    ----------
    leads : ndarray of int of shape (n_outputs,)
    miscoverage : float
        The fraction of targets beyond each end.
    thresholds : ndarray of shape (n_outputs, 2)
        In units of ``spread``.
    spread : ndarray of shape (n_outputs,)
        The recent mean absolute score.
    counted : ndarray of int of shape (n_outputs,)
        How many rows of ``pending`` are counted, or given up, for each output.
    pending : Rows
        The latest rows.
    seen : ndarray of shape (n_seen,)
        The labels of the latest rows, mostly of more than are pending.
    issued : ndarray of shape (n_pending, n_outputs, 2)
        The limits of scores at the time of each row.
    """

    leads: np.ndarray
    miscoverage: float
    thresholds: np.ndarray
    spread: np.ndarray
    counted: np.ndarray
    pending: Rows
    seen: np.ndarray = field(repr=False)
    issued: np.ndarray = field(repr=False)

    @classmethod
    def of(
        cls,
        leads: np.ndarray,
        miscoverage: float,
        thresholds: np.ndarray,
        spread: np.ndarray,
        rows: Rows,
    ) -> Tracker:
        """Start with the rows of a fit, whose targets known by then are counted."""
        pending = rows.after(max(len(rows) - max(int(leads.max()), 1), 0))
        counted = np.maximum(len(pending) - leads, 0)
        limits = thresholds * spread[:, np.newaxis]
        issued = np.repeat(limits[np.newaxis], len(pending), axis=0)
        seen = rows.labels[-_SEEN:].copy()
        return cls(leads, miscoverage, thresholds, spread, counted, pending, seen, issued)

    @property
    def limits(self) -> np.ndarray:
        """The scores at the ends of the intervals now, (n_outputs, 2)."""
        return self.thresholds * self.spread[:, np.newaxis]

    def updated(self, labels: np.ndarray, y: np.ndarray, new: Rows) -> Tracker:
        """Return the tracker after new rows, and after targets of earlier rows.

        Parameters
        ----------
        labels : ndarray of shape (n_seen,)
            Of earlier rows, increasing.
        y : ndarray of shape (n_seen, n_outputs)
            Their targets. Those that were counted before do not count again.
        new : Rows
        """
        n_before = len(self.pending)
        rows = replace(self.pending, y=self._known(labels, y)).joined(new)
        issued = np.concatenate([self.issued, np.empty((len(new), *self.issued.shape[1:]))])
        state = _State(
            self.thresholds.copy(), self.spread.copy(), self.counted.copy(), self.miscoverage
        )
        outputs, at_once = np.arange(len(self.leads)), self.leads == 0
        for row in range(n_before):  # late, and known by now
            state.count(np.full(len(outputs), row), row + self.leads < n_before, rows, issued)
        for row in range(n_before, len(rows)):
            state.count(row - self.leads, ~at_once, rows, issued)
            issued[row] = state.thresholds * state.spread[:, np.newaxis]
            state.count(row - self.leads, at_once, rows, issued)
        # The last row stays, whose label says which rows are new.
        done = max(int(state.counted.min()), len(rows) - int(self.leads.max()) - _LATEST)
        done = min(done, len(rows) - 1)
        return replace(
            self,
            thresholds=state.thresholds,
            spread=state.spread,
            counted=np.maximum(state.counted - done, 0),
            pending=rows.after(done),
            seen=np.concatenate([self.seen, new.labels])[-_SEEN:].copy(),
            issued=issued[done:].copy(),
        )

    def _known(self, labels: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return the targets of the pending rows, with those that became known."""
        mine = self.pending.labels
        if not len(labels):
            return self.pending.y
        seen = self.seen if self.seen[0] <= mine[0] else mine
        lost = (labels > seen[0]) & ~np.isin(labels, seen)
        if lost.any():
            raise UnseenRowError(int(lost.argmax()))
        later = labels >= mine[0]
        labels, y = labels[later], y[later]
        at = np.searchsorted(mine, labels)
        known = self.pending.y.copy()
        known[at] = np.where(np.isnan(y), known[at], y)
        return known

    def to_plain(self) -> dict[str, Any]:
        """Return numpy arrays and plain Python values only, to be saved."""
        return asdict(self)

    @classmethod
    def from_plain(cls, state: dict[str, Any]) -> Tracker:
        """Make the tracker from what :meth:`to_plain` returned."""
        return cls(**(state | {"pending": Rows(**state["pending"])}))


class UnseenRowError(Exception):
    """A row before the latest one was never passed; its place among the rows is the argument."""


@dataclass
class _State:
    thresholds: np.ndarray
    spread: np.ndarray
    counted: np.ndarray
    miscoverage: float

    def count(self, row: np.ndarray, counts: np.ndarray, rows: Rows, issued: np.ndarray) -> None:
        """Count a row for each output where ``counts`` says so, if its target is known.

        Rows before one that was counted do not count any more, nor does this one again.
        """
        counts = counts & (row >= self.counted)
        if not counts.any():
            return
        (output,) = np.nonzero(counts)
        row = row[output]
        output, row = (which[~np.isnan(rows.y[row, output])] for which in (output, row))
        at = row, output
        scores = scores_of(rows.y[at], rows.middle[at], rows.scale[at])  # (outputs, 2)
        largest = np.abs(scores).max(axis=1)
        self.spread[output] = _DECAY * self.spread[output] + (1 - _DECAY) * largest
        is_beyond = scores > issued[at]
        self.thresholds[output] += _STEP * (is_beyond - self.miscoverage)
        self.counted[output] = row + 1
