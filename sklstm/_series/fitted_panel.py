"""What is remembered of several fitted series, and the windows of rows of several series."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from sklstm._series.clocks import as_in_zone
from sklstm._series.frequency import panel_axis
from sklstm._series.history import (
    FEW_LABELS,
    HOLES_ALLOWED_LATER,
    ROWS_TO_JUDGE,
    extremes_of,
    last_rows,
    warn_of_another_scale,
    warn_of_lacking,
)
from sklstm._series.holes import refuse_holes
from sklstm._series.inference import check_goes_on_like
from sklstm._series.labels import index_of_labels, plain_labels
from sklstm._series.panel import Panel, of_series, some_names
from sklstm._series.placement import windows_of_panel
from sklstm._series.plain import of_plain, plain
from sklstm._series.time_axis import TimeAxis
from sklstm._series.timeline import Lacking, Timeline
from sklstm._series.window_array import WindowArray
from sklstm._series.windows import history_length

# The last rows of each series, which later windows reach back to.
Histories = dict[Any, np.ndarray]


@dataclass(frozen=True, eq=False)
class FittedPanel:
    """Several fitted series without their histories.

    Attributes
    ----------
    axis : TimeAxis
        That of all series.
    timelines : dict of Timeline
        By the names of the series.
    extremes : ndarray of shape (2, n_features)
        The least and the largest known value of each feature.
    n_rows : int
        The number of rows so far.
    few_labels : dict or None
        While all series have few rows, the names and labels of all rows, as plain values: with
        later labels the step from row to row is inferred again, as for one series.
    """

    axis: TimeAxis
    timelines: dict[Any, Timeline]
    extremes: np.ndarray
    n_rows: int
    few_labels: dict[str, Any] | None = None

    @classmethod
    def of(cls, rows: np.ndarray, panel: Panel, reach: int, freq: Any) -> FittedPanel:
        """Remember these rows, whose windows reach back over ``reach`` rows."""
        axis = panel_axis(panel, freq)
        timelines = {
            name: Timeline.of(panel.times_of(number), reach, axis)
            for number, name in enumerate(panel.names)
        }
        return cls(axis, timelines, extremes_of(rows), len(rows), _few_labels(panel, axis))

    def append(self, rows: np.ndarray, panel: Panel, reach: int) -> FittedPanel:
        """Return the panel with these rows at the ends of their series; some may be new."""
        self._check_names(panel)
        is_known = np.array([name in self.timelines for name in panel.names])
        if is_known.any() and self.n_rows >= ROWS_TO_JUDGE:  # a new series may have any size
            warn_of_another_scale(self.extremes, rows[is_known[panel.series]])
        known = self._inferred_again(panel, asks=True)
        timelines, axis = dict(known.timelines), known.axis
        other = next(iter(timelines))
        for number, name in enumerate(panel.names):
            index = panel.times_of(number)
            with of_series(name):
                if name not in timelines:
                    check_goes_on_like(axis, index, other, "X")
                    axis = axis.decided(axis.ticks(index))
                    timelines[name] = Timeline.of(index, reach, axis)
                    continue
                before = replace(timelines[name], axis=axis)
                timelines[name] = before.append(axis.ticks(index), index, reach)
                axis = timelines[name].axis
        if axis is not known.axis:  # these rows have decided how to count, for all series
            timelines = {name: replace(line, axis=axis) for name, line in timelines.items()}
        extremes, n_rows = extremes_of(rows, self.extremes), self.n_rows + len(rows)
        return FittedPanel(axis, timelines, extremes, n_rows, known.few_labels)

    def windows(
        self,
        rows: np.ndarray,
        panel: Panel,
        histories: Histories,
        with_history: bool,
        window_size: int,
        dilation: int,
        padding: str,
    ) -> WindowArray:
        """Give each row the window of its series; those of a new series have no history."""
        self._check_names(panel)
        fitted = self._inferred_again(panel) if with_history else self
        axis, timelines = fitted.axis, fitted.timelines
        reach = history_length(window_size, dilation)
        lacking: dict[Any, Lacking] = {}
        n_holes = n_missing = 0

        def placements() -> Iterator[tuple[np.ndarray, np.ndarray]]:
            nonlocal n_holes, n_missing
            for number, name in enumerate(panel.names):
                index, is_new = panel.times_of(number), name not in timelines
                with of_series(name):
                    if is_new:
                        check_goes_on_like(axis, index, next(iter(timelines)), "X")
                    known = Timeline.of(index, reach, axis) if is_new else timelines[name]
                    past, positions, lacks = known.place(
                        axis.ticks(index), index, with_history and not is_new, reach
                    )
                steps = np.diff(positions[-len(index) :])
                n_holes += int(np.count_nonzero(steps != 1))
                n_missing += int(np.sum(steps - 1))
                if any(lacks):
                    lacking[name] = lacks
                yield rows[:0] if is_new else histories[name][past], positions

        windows = windows_of_panel(placements(), rows, panel, window_size, dilation, padding)
        if not axis.given and n_holes > max(2, HOLES_ALLOWED_LATER * len(rows)):
            refuse_holes(n_missing, n_holes, len(rows), axis, "X")
        if lacking:
            among, unseen, holes = zip(*lacking.values(), strict=True)
            total = Lacking(sum(among), sum(unseen), max(holes))
            warn_of_lacking(total, len(rows), f" (of series {some_names(list(lacking))})")
        return windows

    @property
    def freq(self) -> str | int:
        """The step from row to row of every series."""
        return self.axis.freq

    def to_plain(self) -> dict[str, Any]:
        """Return numpy arrays and plain Python values only, to be saved."""
        known, few = self.timelines.values(), self.few_labels
        return {
            "axis": asdict(self.axis),
            "names": plain(list(self.timelines)),
            "first": [timeline.first_tick for timeline in known],
            "last": [timeline.last_tick for timeline in known],
            "n_ticks": [len(timeline.history_ticks) for timeline in known],
            "ticks": np.concatenate([timeline.history_ticks for timeline in known]),
            "extremes": self.extremes,
            "n_rows": self.n_rows,
            "few_labels": few and few | {"names": plain(few["names"])},
        }

    @classmethod
    def from_plain(cls, state: dict[str, Any]) -> FittedPanel:
        """Make the panel from what :meth:`to_plain` returned."""
        axis = TimeAxis(**state["axis"])
        ticks = np.split(state["ticks"], np.cumsum(state["n_ticks"])[:-1])
        of_series = zip(of_plain(state["names"]), state["first"], state["last"], ticks, strict=True)
        timelines = {name: Timeline(axis, *known) for name, *known in of_series}
        few = state["few_labels"]
        few = few and few | {"names": of_plain(few["names"])}
        return cls(axis, timelines, state["extremes"], state["n_rows"], few)

    def _inferred_again(self, panel: Panel, asks: bool = False) -> FittedPanel:
        """Infer the time axis from the few labels so far and the labels passed.

        If they leave it open, keep the axis of the labels so far, or raise an error (``asks``).
        """
        if self.few_labels is None:
            return self
        few = self.few_labels
        panel = replace(panel, times=as_in_zone(panel.times, self.axis.zone))
        labels, kind = few["times"]
        times = index_of_labels(labels, kind, panel.times)
        fitted = Panel(few["names"], few["series"], times, few["clock"])
        both = fitted.joined(panel)
        try:
            axis = panel_axis(both)
        except ValueError:
            if asks:
                raise
            return self
        timelines = {}
        for number, name in enumerate(fitted.names):
            reach = len(self.timelines[name].history_ticks)
            timelines[name] = Timeline.of(fitted.times_of(number), reach, axis)
        return replace(self, axis=axis, timelines=timelines, few_labels=_few_labels(both, axis))

    def _check_names(self, panel: Panel) -> None:
        """Refuse labels and names of other types than the fitted ones."""
        with of_series(panel.names[0]):
            self.axis.check_kind(panel.times)
        if any(name in self.timelines for name in panel.names):
            return
        fitted, passed = (
            {_type_of(name) for name in names} for names in (self.timelines, panel.names)
        )
        if not fitted & passed:
            raise ValueError(
                f"X has the series {some_names(panel.names)}, but the fitted ones have names of "
                f"another type: {some_names(list(self.timelines))}. Name the series as in the fit."
            )


def _few_labels(panel: Panel, axis: TimeAxis) -> dict[str, Any] | None:
    if axis.given or np.diff(panel.edges).max() > FEW_LABELS:
        return None
    times = plain_labels(panel.times)
    return {"names": panel.names, "series": panel.series, "times": times, "clock": panel.clock}


def last_rows_of_series(rows: np.ndarray, panel: Panel, n_rows: int) -> Histories:
    """Copy the last rows of each series."""
    return {
        name: last_rows(rows[panel.rows_of(number)], n_rows)
        for number, name in enumerate(panel.names)
    }


def _type_of(name: Any) -> Any:
    return tuple(map(type, name)) if isinstance(name, tuple) else type(name)


def plain_histories(histories: Histories) -> dict[str, list[Any]]:
    """Return names and rows as lists: not every name can be a key in a file."""
    return {"names": plain(list(histories)), "rows": list(histories.values())}


def histories_of_plain(state: dict[str, list[Any]]) -> Histories:
    """Make the histories of what :func:`plain_histories` returned."""
    return dict(zip(of_plain(state["names"]), state["rows"], strict=True))
