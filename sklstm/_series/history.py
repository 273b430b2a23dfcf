"""What is remembered of a fitted series, and where other rows lie relative to it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from sklstm._series.storage import as_float
from sklstm._series.time_axis import (
    PandasIndex,
    TimeAxis,
    check_holes,
    check_increasing,
    index_of_label,
    infer_time_axis,
    is_default,
    plain_label,
)

# First rows of the fitted series that are kept at least, to recognise it without an index.
_HEAD_ROWS = 64


def last_rows(rows: np.ndarray, n_rows: int) -> np.ndarray:
    """Copy the last rows as floats, or all of them if there are fewer."""
    return as_float(_last(rows, n_rows))


@dataclass(frozen=True, eq=False)
class FittedSeries:
    """A fitted series without its history, the rows that later windows reach back to.

    Its values are numpy arrays and plain Python values, apart from ``axis``.

    Attributes
    ----------
    head : ndarray of shape (n_head, n_features)
        The first rows, up to the first hole. Rows without an index that begin like them
        are taken to be the fitted rows.
    axis : TimeAxis or None
        None if the rows have no index that lies in time. The ticks are then unset as well.
    first_tick, last_tick : int, float or str
        Ticks of the first and the last row of the series.
    history_ticks : ndarray
        Ticks of the rows of the history.
    only_label : tuple or None
        While the series has one row, its label (see :func:`plain_label`): the step from
        row to row, and so the scale of the ticks, is known with the second row.
    """

    head: np.ndarray
    axis: TimeAxis | None = None
    first_tick: Any = None
    last_tick: Any = None
    history_ticks: np.ndarray = field(default_factory=lambda: np.empty(0))
    only_label: tuple[int | float | str, str] | None = None

    @classmethod
    def of(cls, rows: np.ndarray, index: PandasIndex | None, reach: int) -> FittedSeries:
        """Remember these rows, whose windows reach back over ``reach`` rows."""
        n_head = max(_HEAD_ROWS, reach)
        if index is None:
            return cls(as_float(rows[:n_head]))
        axis = infer_time_axis(index)
        ticks = axis.ticks(index)
        holes = np.flatnonzero(np.diff(axis.positions(ticks)) > 1)
        n_head = min([n_head, *(holes[:1] + 1)])
        first, last = ticks[[0, -1]].tolist()
        only_label = plain_label(index) if len(index) == 1 else None
        kept = _last(ticks, reach).copy()
        return cls(as_float(rows[:n_head]), axis, first, last, kept, only_label)

    def append(self, index: PandasIndex | None, n_rows: int, reach: int) -> FittedSeries:
        """Return the series with ``n_rows`` more rows at its end."""
        index, known = self._comparable(index), self
        if index is not None and self.only_label is not None:
            label = index_of_label(*self.only_label, like=index)
            known = self._with_step_between(label, index)
        ticks = known._ticks(index, n_rows)
        if ticks is None:
            # Rows without labels after labels without a step: where they lie is unknown, so
            # labels cannot be compared from now on.
            return FittedSeries(self.head)
        if index is not None and not ticks[0] > known.last_tick:
            raise ValueError(
                f"The index of X starts at {index[0]!r}, before the end of the rows seen so "
                "far, but partial_fit appends rows that follow them. Sort the rows, or call "
                "fit to start a new series."
            )
        kept = _last(np.concatenate([known.history_ticks, ticks]), reach).copy()
        last = ticks[[-1]].tolist()[0]
        return replace(known, last_tick=last, history_ticks=kept, only_label=None)

    def place(
        self, rows: np.ndarray, index: PandasIndex | None, with_history: bool
    ) -> tuple[slice | np.ndarray, np.ndarray | None]:
        """Find the part of the history that lies before ``rows``, and all positions in time.

        Returns
        -------
        past : slice or ndarray of bool
            Which rows of the history lie before ``rows``.
        positions : ndarray of int of shape (n_past + n_rows,) or None
            Steps of time from the first of these rows of the history to each of them, and
            on to each of ``rows``. None: each row follows the one before.
        """
        index = self._comparable(index)
        ticks = self._ticks(index, len(rows))
        alone = not with_history or (index is None and _begins_like(self.head, rows))
        if self.axis is None or ticks is None:
            return slice(0 if alone else None), None
        past = slice(0) if alone else self.history_ticks < ticks[0]
        positions = self.axis.positions(np.concatenate([self.history_ticks[past], ticks]))
        # More holes are allowed than in a fit: a call may hold few rows.
        check_holes(np.diff(positions[-len(rows) :]), allowed=0.5)
        return past, positions

    def to_plain(self) -> dict[str, Any]:
        """Return numpy arrays and plain Python values only, to be saved."""
        return asdict(self)

    @classmethod
    def from_plain(cls, state: dict[str, Any]) -> FittedSeries:
        """Make the series from what :meth:`to_plain` returned."""
        axis = state["axis"]
        return cls(**(state | {"axis": None if axis is None else TimeAxis(**axis)}))

    def _comparable(self, index: PandasIndex | None) -> PandasIndex | None:
        """Return ``index`` if its labels can be compared with the fitted ones, else None."""
        if index is None or self.axis is None:
            return None
        if is_default(index) and not (self.axis.kind == "integer" and self.first_tick > 0):
            return None
        self.axis.check_kind(index)
        return index

    def _with_step_between(self, label: PandasIndex, index: PandasIndex) -> FittedSeries:
        """Infer the time axis again, from the only label so far and the labels after it."""
        both = label.append(index)
        check_increasing(both)
        axis = infer_time_axis(both)
        tick = axis.ticks(label)
        first = tick.tolist()[0]
        kept = tick[: len(self.history_ticks)]
        return replace(self, axis=axis, first_tick=first, last_tick=first, history_ticks=kept)

    def _ticks(self, index: PandasIndex | None, n_rows: int) -> np.ndarray | None:
        """Ticks of rows. Rows without an index follow the last row of the series."""
        if self.axis is None:
            return None
        if index is not None:
            return self.axis.ticks(index)
        if self.axis.step is None:
            return None
        return self.last_tick + self.axis.step * np.arange(1, n_rows + 1)


def _last(values: np.ndarray, n_values: int) -> np.ndarray:
    return values[max(len(values) - n_values, 0) :]


def _begins_like(head: np.ndarray, rows: np.ndarray) -> bool:
    """Whether ``rows`` begin with the same values as ``head``, up to rounding."""
    compared = min(len(rows), len(head))
    rows, head = rows[:compared], head[:compared]
    # An earlier step of the pipeline may round a part of the series otherwise than the whole.
    rounding = 1e-6 if np.float32 in (rows.dtype, head.dtype) else 1e-9
    scale = np.fmax.reduce(np.abs(head), axis=0)  # fmax passes over NaN
    if (np.abs(rows - head) > rounding * scale).any():
        return False
    return bool((np.isnan(rows) == np.isnan(head)).all())
