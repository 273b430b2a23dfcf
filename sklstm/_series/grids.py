"""The grids that labels lie on: of equal steps in UTC or local time, or of a calendar."""

from __future__ import annotations

from dataclasses import replace
from datetime import timezone
from typing import Any

import numpy as np

from sklstm._series.calendars import calendar_grid, plain_offset
from sklstm._series.clocks import before_skip, clocks_change, days_in_unit, local_times, times_of
from sklstm._series.labels import (
    PandasIndex,
    kind_of,
    label_numbers,
    label_text,
    loaded_pandas,
    unit_of,
)
from sklstm._series.time_axis import TimeAxis

# Labels lie on a grid if at most this fraction of them lies off it.
OFF_GRID = 0.1


def unit_and_zone(index: PandasIndex) -> dict[str, Any]:
    """Return unit and time zone of labels that are times."""
    zone = getattr(index, "tz", None)
    if zone is not None and not clocks_change(index):
        zone = timezone(zone.utcoffset(None))  # whose name pandas reads, unlike that of dateutil
    return {"unit": unit_of(index), "zone": None if zone is None else str(zone)}


def anchored(axis: TimeAxis, ticks: np.ndarray) -> TimeAxis:
    """Choose the grid that most labels lie on."""
    phases, counts = np.unique(ticks % axis.step, return_counts=True)
    return replace(axis, anchor=int(phases[counts.argmax()]))


def of_zone(axis: TimeAxis, index: PandasIndex, name: str, first: str) -> TimeAxis:
    """Choose whether steps are counted in UTC or in local time; both, if the labels fit both."""
    if not clocks_change(index):
        return axis
    ticks = axis.ticks(index, name)
    axes = [replace(axis, scale=scale, anchor=None) for scale in ("value", "wall")]
    axes = [anchored(axis, axis.numbers(ticks)) for axis in axes]
    axes = axes if first == "value" else axes[::-1]
    n_off = [np.count_nonzero(axis.steps(ticks)[1]) for axis in axes]
    if not any(n_off):
        return replace(axes[0], other_anchor=axes[1].anchor)
    return axes[int(np.argmin(n_off))]


def calendar_axis(
    index: PandasIndex, offset: Any, step: int, name: str, given: bool = False
) -> TimeAxis:
    """Make an axis of calendar labels; refuse labels off the calendar."""
    times = unit_and_zone(index)
    local = local_on_grid(index, label_numbers(index, times["unit"], name), times)
    off = calendar_grid(local[0], local[-1], offset).get_indexer(local) < 0
    if off.any() and len(local) > 1:  # the first label may be the one off the grid
        others = calendar_grid(local[1], local[-1], offset).get_indexer(local) < 0
        off = min(off, others, key=np.mean)
    refuse_another_grid(off, offset.freqstr, index, name)
    axis = TimeAxis(
        kind_of(index),
        (offset * step).freqstr,
        "calendar",
        step,
        given=given,
        anchor=int(local.asi8[~off][-1]),
        offset=plain_offset(offset),
        **times,
    )
    axis.ticks(index, name)
    return axis


def local_on_grid(index: PandasIndex, ticks: np.ndarray, times: dict[str, Any]) -> PandasIndex:
    """Return local times; where clocks skipped the one of the label, that one (often midnight)."""
    local = local_times(index, times["zone"]).as_unit(times["unit"])
    if len(index) < 2 or not clocks_change(index):
        return local
    wall, unit = local.asi8, times["unit"]
    day = days_in_unit(1, unit)
    step = max(int(np.median(np.diff(wall))), 1)  # labels in an hour that clocks repeat have none
    step = day if step >= 22 / 24 * day else step  # such a day has 23 hours
    beside = np.r_[wall[1], wall[:-1]]
    return times_of(before_skip(wall, ticks, beside, step, unit, times["zone"]), unit)


def refuse_another_grid(off: np.ndarray, freq: str | int, index: PandasIndex, name: str) -> None:
    """Refuse a grid that many labels lie off."""
    if off.mean() > OFF_GRID:
        raise ValueError(
            f"freq={freq!r} does not fit the index of {name}: {np.count_nonzero(off)} of its "
            f"{len(off)} labels lie off this grid, first {label_text(index[int(off.argmax())])}. "
            "Say a freq "
            "that all labels fit, or 'rows' if each row follows the one before it."
        )


def period_alias(index: PandasIndex, n_periods: int) -> str:
    base = str(loaded_pandas().PeriodDtype(index.freq.base)).removeprefix("period[")[:-1]
    return base if n_periods == 1 else f"{n_periods}{base}"
