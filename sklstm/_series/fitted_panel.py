"""What is remembered of several fitted series, and the windows of rows of several series."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from sklstm._series.frequency import panel_axis
from sklstm._series.history import (
    extremes_of,
    last_rows,
    warn_of_another_scale,
    warn_of_lacking,
)
from sklstm._series.panel import Panel, of_series, some_names
from sklstm._series.placement import windows_of_panel
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
    """

    axis: TimeAxis
    timelines: dict[Any, Timeline]
    extremes: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray, panel: Panel, reach: int, freq: Any) -> FittedPanel:
        """Remember these rows, whose windows reach back over ``reach`` rows."""
        axis = panel_axis(panel, freq)
        timelines = {
            name: Timeline.of(panel.times_of(number), reach, axis)
            for number, name in enumerate(panel.names)
        }
        return cls(axis, timelines, extremes_of(rows))

    def append(self, rows: np.ndarray, panel: Panel, reach: int) -> FittedPanel:
        """Return the panel with these rows at the ends of their series; some may be new."""
        self._check_names(panel)
        warn_of_another_scale(self.extremes, rows)
        timelines, axis = dict(self.timelines), self.axis
        for number, name in enumerate(panel.names):
            index = panel.times_of(number)
            with of_series(name):
                if (known := timelines.get(name)) is None:
                    timelines[name] = Timeline.of(index, reach, axis)
                    continue
                timelines[name] = known.append(axis.ticks(index), index, reach)
                axis = timelines[name].axis if axis is self.axis else axis
        if axis is not self.axis:  # these rows have decided how to count, for all series
            timelines = {name: replace(known, axis=axis) for name, known in timelines.items()}
        return FittedPanel(axis, timelines, extremes_of(rows, self.extremes))

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
        reach = history_length(window_size, dilation)
        lacking: dict[Any, Lacking] = {}

        def placements() -> Iterator[tuple[np.ndarray, np.ndarray]]:
            for number, name in enumerate(panel.names):
                index, known = panel.times_of(number), self.timelines.get(name)
                with of_series(name):
                    ticks = self.axis.ticks(index)
                    if known is None:
                        new = Timeline.of(index, reach, self.axis)
                        yield rows[:0], new.place(ticks, index, False, reach)[1]
                        continue
                    past, positions, lacks = known.place(ticks, index, with_history, reach)
                yield histories[name][past], positions
                if any(lacks):
                    lacking[name] = lacks

        windows = windows_of_panel(placements(), rows, panel, window_size, dilation, padding)
        if lacking:
            fitted, unseen, holes = zip(*lacking.values(), strict=True)
            total = Lacking(sum(fitted), sum(unseen), max(holes))
            warn_of_lacking(total, len(rows), f" (of series {some_names(list(lacking))})")
        return windows

    @property
    def freq(self) -> str | int:
        """The step from row to row of every series."""
        return self.axis.freq

    def to_plain(self) -> dict[str, Any]:
        """Return numpy arrays and plain Python values only, to be saved."""
        known = self.timelines.values()
        return {
            "axis": asdict(self.axis),
            "names": list(self.timelines),
            "first": [timeline.first_tick for timeline in known],
            "last": [timeline.last_tick for timeline in known],
            "n_ticks": [len(timeline.history_ticks) for timeline in known],
            "ticks": np.concatenate([timeline.history_ticks for timeline in known]),
            "extremes": self.extremes,
        }

    @classmethod
    def from_plain(cls, state: dict[str, Any]) -> FittedPanel:
        """Make the panel from what :meth:`to_plain` returned."""
        axis = TimeAxis(**state["axis"])
        ticks = np.split(state["ticks"], np.cumsum(state["n_ticks"])[:-1])
        of_series = zip(state["names"], state["first"], state["last"], ticks, strict=True)
        timelines = {name: Timeline(axis, *known) for name, *known in of_series}
        return cls(axis, timelines, state["extremes"])

    def _check_names(self, panel: Panel) -> None:
        """Refuse labels and names of other types than the fitted ones."""
        self.axis.check_kind(panel.times)
        fitted, passed = (
            {_type_of(name) for name in names} for names in (self.timelines, panel.names)
        )
        if not fitted & passed:
            raise ValueError(
                f"X has the series {some_names(panel.names)}, but the fitted ones have names of "
                f"another type: {some_names(list(self.timelines))}. Name the series as in the fit."
            )


def last_rows_of_series(rows: np.ndarray, panel: Panel, n_rows: int) -> Histories:
    """Copy the last rows of each series."""
    return {
        name: last_rows(rows[panel.rows_of(number)], n_rows)
        for number, name in enumerate(panel.names)
    }


def _type_of(name: Any) -> Any:
    return tuple(map(type, name)) if isinstance(name, tuple) else type(name)
