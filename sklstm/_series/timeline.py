"""When the rows of a fitted series were, and where other rows lie relative to them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from sklstm._series.holes import refuse_pattern
from sklstm._series.labels import PandasIndex, label_text
from sklstm._series.time_axis import TimeAxis


class Lacking(NamedTuple):
    """How many windows lack steps, and why.

    Attributes
    ----------
    fitted : int
        Windows whose missing rows lie among the fitted ones, of which only the last are kept.
    unseen : int
        Windows that mostly consist of rows between the fitted ones and those passed.
    hole : int
        Number of these rows.
    """

    fitted: int = 0
    unseen: int = 0
    hole: int = 0


@dataclass(frozen=True, eq=False)
class Timeline:
    """The time axis of a series, its ends, and the times of its history.

    Attributes
    ----------
    axis : TimeAxis
    first_tick, last_tick : int, float or str
        Ticks of the first and the last row.
    history_ticks : ndarray
        Ticks of the rows of the history.
    """

    axis: TimeAxis
    first_tick: Any
    last_tick: Any
    history_ticks: np.ndarray

    @classmethod
    def of(cls, index: PandasIndex, reach: int, axis: TimeAxis) -> Timeline:
        """Remember the labels of rows, whose windows reach back over ``reach`` rows."""
        ticks = axis.ticks(index)
        first, last = ticks[[0, -1]].tolist()
        return cls(axis, first, last, last_values(ticks, reach).copy())

    def append(self, ticks: np.ndarray, index: PandasIndex | None, reach: int) -> Timeline:
        """Return the timeline with rows of these ticks at its end."""
        if index is not None and not ticks[0] > self.last_tick:
            raise ValueError(
                f"The index of X starts at {label_text(index[0])}, before the end of the rows "
                "seen so "
                "far, but partial_fit appends rows that follow them. Sort the rows, or call "
                "fit to start a new series."
            )
        ticks = np.concatenate([self.history_ticks, ticks])
        self.axis.positions(ticks, index)  # labels off the grid are refused here too
        last, kept = ticks[[-1]].tolist()[0], last_values(ticks, reach).copy()
        return replace(self, axis=self.axis.decided(ticks), last_tick=last, history_ticks=kept)

    def place(
        self, ticks: np.ndarray, index: PandasIndex | None, with_history: bool, reach: int
    ) -> tuple[slice | np.ndarray, np.ndarray, Lacking]:
        """Find the part of the history that lies before rows, and all positions in time.

        Returns
        -------
        past : slice or ndarray of bool
            Which rows of the history lie before the rows.
        positions : ndarray of int of shape (n_past + n_rows,)
            Steps of time from the first of these rows of the history to each of them, and
            on to each of the rows.
        lacking : Lacking
        """
        past = self.history_ticks < ticks[0] if with_history else slice(0)
        before = self.history_ticks[past]
        positions = self.axis.positions(np.concatenate([before, ticks]), index)
        own = positions[-len(ticks) :]
        if index is not None and not self.axis.given and own[-1] - own[0] > self._n_steps():
            refuse_pattern(ticks, own, self.axis, index)  # the fitted rows might not show it
        if not with_history or index is None:
            return past, positions, Lacking()
        return past, positions, self._lacking(positions, len(before), ticks[0], reach)

    def _lacking(self, positions: np.ndarray, n_past: int, first_tick: Any, reach: int) -> Lacking:
        ends = positions[n_past:]
        if self.first_tick < first_tick <= self.last_tick:
            return Lacking(fitted=int(np.count_nonzero(ends - reach < positions[0])))
        if n_past and first_tick > self.last_tick:
            hole, largest = np.diff(positions[n_past - 1 : n_past + 1]), np.diff(positions[:n_past])
            missing = np.minimum(hole[0] - 1, positions[n_past] - 1 - (ends - reach - 1))
            n_missing = int(np.count_nonzero(2 * missing > reach + 1))
            if n_missing and hole[0] > largest.max(initial=1):
                return Lacking(unseen=n_missing, hole=int(hole[0]) - 1)
        return Lacking()

    def _n_steps(self) -> int:
        """Count the steps of time from the first row to the last one."""
        if self.axis.scale == "rows":
            return 0
        steps, _ = self.axis.steps(np.array([self.first_tick, self.last_tick]))
        return int(steps[1] - steps[0])


def last_values(values: np.ndarray, n_values: int) -> np.ndarray:
    """Return the last values, or all of them if there are fewer."""
    return values[max(len(values) - n_values, 0) :]
