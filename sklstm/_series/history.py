"""What is remembered of a fitted series, and where other rows lie relative to it."""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from sklstm._series.caller import level_of_caller
from sklstm._series.clocks import as_in_zone
from sklstm._series.frequency import check_freq, time_axis
from sklstm._series.holes import check_holes
from sklstm._series.labels import (
    PandasIndex,
    index_of_labels,
    is_default,
    plain_labels,
)
from sklstm._series.storage import as_float, row_blocks
from sklstm._series.time_axis import TimeAxis
from sklstm._series.timeline import Lacking, Timeline, last_values

# First rows of the fitted series that are kept at least, to recognise it without an index.
_HEAD_ROWS = 64
FEW_LABELS = 9  # with so few, later labels say how time goes on
# More holes are allowed in a prediction than in a fit, since it may hold few rows.
HOLES_ALLOWED_LATER = 0.5
# With fewer rows, the range of a feature tells too little about later rows.
ROWS_TO_JUDGE = 24

_BRING_THE_HISTORY = (
    "set history='none' and pass X with the (window_size - 1) * dilation rows before those that "
    "you need. Then leave out the predictions of these rows."
)


def last_rows(rows: np.ndarray, n_rows: int) -> np.ndarray:
    """Copy the last rows as floats, or all of them if there are fewer."""
    return as_float(last_values(rows, n_rows))


@dataclass(frozen=True, eq=False)
class FittedSeries:
    """A fitted series without its history, the rows that later windows reach back to.

    Its values are numpy arrays and plain Python values, apart from ``timeline``.

    Attributes
    ----------
    head : ndarray of shape (n_head, n_features)
        The first rows, up to the first hole. Rows without an index that begin like them
        are taken to be the fitted rows.
    first_repeats : bool
        Whether a later row equals the first one. A single row without an index that equals it
        then follows the series.
    extremes : ndarray of shape (2, n_features)
        The least and the largest known value of each feature.
    timeline : Timeline or None
        None if the rows have no index that lies in time.
    few_labels : tuple or None
        While the series has few rows, their labels (see :func:`plain_labels`): with later labels
        the step from row to row is inferred again, since few differences tell little.
    """

    head: np.ndarray
    first_repeats: bool
    extremes: np.ndarray
    timeline: Timeline | None = None
    few_labels: tuple[list[int | float | str], str] | None = None

    @classmethod
    def of(cls, rows: np.ndarray, index: PandasIndex | None, reach: int, freq: Any) -> FittedSeries:
        """Remember these rows, whose windows reach back over ``reach`` rows."""
        n_head = max(_HEAD_ROWS, reach)
        values = _repeats(rows[:1], rows[1:]), extremes_of(rows)
        check_freq(freq, index is not None)
        if index is None:
            return cls(as_float(rows[:n_head]), *values)
        axis = time_axis(index, freq)
        holes = np.flatnonzero(np.diff(axis.positions(axis.ticks(index), index)) > 1)
        n_head = min([n_head, *(holes[:1] + 1)])
        few_labels = plain_labels(index) if len(index) <= FEW_LABELS and not axis.given else None
        timeline = Timeline.of(index, reach, axis)
        return cls(as_float(rows[:n_head]), *values, timeline, few_labels)

    def append(self, rows: np.ndarray, index: PandasIndex | None, reach: int) -> FittedSeries:
        """Return the series with these rows at its end."""
        if len(self.head) >= ROWS_TO_JUDGE:
            warn_of_another_scale(self.extremes, rows)
        index = self._comparable(index)
        known = self._inferred_again(index, asks=True)
        repeats = known.first_repeats or _repeats(self.head[:1], rows)
        known = replace(known, first_repeats=repeats, extremes=extremes_of(rows, known.extremes))
        ticks = known._ticks(index, len(rows))
        if known.timeline is None or ticks is None:
            # Rows without labels after labels without a step: where they lie is unknown, so
            # labels cannot be compared from now on.
            return replace(known, timeline=None)
        few = None if index is None else known.few_labels  # else they are no longer all labels
        timeline = known.timeline.append(ticks, index, reach)
        return replace(known, timeline=timeline, few_labels=few)

    def place(
        self, rows: np.ndarray, index: PandasIndex | None, with_history: bool, reach: int
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
        known = self._inferred_again(index) if with_history else self
        ticks = known._ticks(index, len(rows))
        alone = not with_history or (index is None and self._are_fitted_rows(rows))
        if known.timeline is None or ticks is None:
            return slice(0 if alone else None), None
        past, positions, lacking = known.timeline.place(ticks, index, not alone, reach)
        check_holes(np.diff(positions[-len(rows) :]), known.timeline.axis, "X", HOLES_ALLOWED_LATER)
        warn_of_lacking(lacking, len(rows))
        return past, positions

    @property
    def freq(self) -> str | int:
        """The step from row to row; "rows" without an index."""
        return "rows" if self.timeline is None else self.timeline.axis.freq

    def to_plain(self) -> dict[str, Any]:
        """Return numpy arrays and plain Python values only, to be saved."""
        return asdict(self)

    @classmethod
    def from_plain(cls, state: dict[str, Any]) -> FittedSeries:
        """Make the series from what :meth:`to_plain` returned."""
        timeline = state["timeline"]
        if timeline is not None:
            timeline = Timeline(**(timeline | {"axis": TimeAxis(**timeline["axis"])}))
        return cls(**(state | {"timeline": timeline}))

    def check_has_times(self, X: Any) -> None:
        """Refuse rows whose labels are names, where those of the fitted rows are times."""
        if self.timeline is not None:
            self.timeline.axis.check_has_times(X)

    @property
    def has_times(self) -> bool:
        """Whether the rows have labels that are times."""
        return self.timeline is not None and self.timeline.axis.is_of_times

    def _comparable(self, index: PandasIndex | None) -> PandasIndex | None:
        """Return ``index`` if its labels can be compared with the fitted ones, else None."""
        if index is None or (known := self.timeline) is None:
            return None
        if is_default(index) and not (known.axis.kind == "integer" and known.first_tick > 0):
            return None
        known.axis.check_kind(index)
        return index

    def _are_fitted_rows(self, rows: np.ndarray) -> bool:
        """Whether rows without an index are the first fitted ones, and so have no history."""
        if (len(rows) == 1 and self.first_repeats) or not _begins_like(self.head, rows):
            return False
        n_rows = len(rows)
        if n_rows < len(self.head) and _is_repeated(self.head, n_rows):
            warnings.warn(
                f"X has no index, and its {n_rows} rows equal the first fitted ones, so they are "
                "taken for these and get no history. The fitted rows repeat such values, so this "
                "may be chance. If these rows follow the fitted ones, pass both with an index.",
                stacklevel=level_of_caller(),
            )
        return True

    def _inferred_again(self, index: PandasIndex | None, asks: bool = False) -> FittedSeries:
        """Infer the time axis from the few labels so far and the labels passed.

        If they leave it open, keep the axis of the labels so far, or raise an error (``asks``).
        """
        if index is None or self.few_labels is None or self.timeline is None:
            return self
        index = as_in_zone(index, self.timeline.axis.zone)
        labels = index_of_labels(*self.few_labels, like=index)
        both = labels.union(index)
        try:
            axis = time_axis(both)
        except ValueError:
            if asks:
                raise
            return self
        timeline = Timeline.of(labels, len(self.timeline.history_ticks), axis)
        few = plain_labels(both) if len(both) <= FEW_LABELS else None
        return replace(self, timeline=timeline, few_labels=few)

    def _ticks(self, index: PandasIndex | None, n_rows: int) -> np.ndarray | None:
        """Ticks of rows. Rows without an index follow the last row of the series."""
        if (known := self.timeline) is None:
            return None
        if index is not None:
            return known.axis.ticks(index)
        if known.axis.scale == "rows":
            return None
        return known.axis.next_ticks(known.last_tick, n_rows)


def warn_of_lacking(lacking: Lacking, n_windows: int, of_series: str = "") -> None:
    """Warn of windows that lack rows which were fitted and not kept, or were never passed."""
    if lacking.fitted:
        warnings.warn(
            f"{lacking.fitted} of {n_windows} windows{of_series} lack steps: their rows lie among "
            "the fitted ones, of which only the last are kept as history. "
            f"To give them their history, {_BRING_THE_HISTORY}",
            stacklevel=level_of_caller(),
        )
    if lacking.unseen:
        warnings.warn(
            f"Between the last rows seen and X, {lacking.hole} rows are missing, so that "
            f"{lacking.unseen} of {n_windows} windows{of_series} consist of missing steps for the "
            "most part. If these rows are known, pass them to partial_fit of "
            f"SlidingWindowTransformer, or {_BRING_THE_HISTORY}",
            stacklevel=level_of_caller(),
        )


def warn_of_another_scale(known: np.ndarray, rows: np.ndarray) -> None:
    """Warn of rows so far from those before that an earlier step may not have changed them.

    ``known`` holds the extremes of the rows before, from :func:`extremes_of`.
    """
    (low, high), (new_low, new_high) = known, extremes_of(rows)
    with np.errstate(over="ignore"):
        far = (new_low > high + (high - low)) | (new_high < low - (high - low))
    columns = np.flatnonzero(far & (high > low)).tolist()
    if columns:
        warnings.warn(
            f"All values in {len(columns)} column(s) of X, first column {columns[0]}, lie "
            "outside the range of the rows seen so far, by more than that range. If the "
            "transformer was fitted in a pipeline, earlier steps must change X first: "
            "pipe['window'].partial_fit(pipe[:-2].transform(X)), if the windows are the step "
            "before the last.",
            stacklevel=level_of_caller(),
        )


def extremes_of(rows: np.ndarray, known: np.ndarray | None = None) -> np.ndarray:
    """Return the least and the largest known value of each feature, (2, n_features)."""
    n_features = rows.shape[1]
    low, high = np.full((2, n_features), np.nan) if known is None else known
    for at in row_blocks(rows):
        low = np.fmin(low, np.fmin.reduce(rows[at], axis=0))
        high = np.fmax(high, np.fmax.reduce(rows[at], axis=0))
    return np.array([low, high], dtype=np.float64)


def _repeats(first: np.ndarray, rows: np.ndarray) -> bool:
    """Whether one of ``rows`` equals the row ``first``, of shape (1, n_features)."""
    return any(_are_like(rows[at], first).any() for at in row_blocks(rows))


def _is_repeated(head: np.ndarray, n_rows: int) -> bool:
    """Whether the first rows of ``head`` occur in it once more."""
    starts = range(1, len(head) - n_rows + 1)
    return any(_begins_like(head[start : start + n_rows], head[:n_rows]) for start in starts)


def _begins_like(head: np.ndarray, rows: np.ndarray) -> bool:
    """Whether ``rows`` begin with the same values as ``head``, up to rounding."""
    compared = min(len(rows), len(head))
    return bool(_are_like(rows[:compared], head[:compared]).all())


def _are_like(rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Compare each row with the other one, up to rounding in units of the columns of ``others``."""
    # An earlier step of the pipeline may round a part of the series otherwise than the whole.
    rounding = 1e-6 if np.float32 in (rows.dtype, others.dtype) else 1e-9
    scale = np.fmax.reduce(np.abs(others), axis=0)  # fmax passes over NaN
    with np.errstate(over="ignore"):  # an infinite difference is one
        differ = np.abs(rows - others) > rounding * scale
    differ |= np.isnan(rows) != np.isnan(others)
    return np.asarray(~differ.any(axis=1))
