"""How time goes on from row to row, as the index shows: freq="auto"."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from sklstm._series.calendars import calendar_grid, plain_offset
from sklstm._series.clocks import clocks_change, days_in_unit, local_times
from sklstm._series.dates import dates_of_integers
from sklstm._series.grids import (
    OFF_GRID,
    anchored,
    calendar_axis,
    local_on_grid,
    of_zone,
    period_alias,
    unit_and_zone,
)
from sklstm._series.holes import check_holes, refuse_pattern
from sklstm._series.labels import PandasIndex, kind_of, label_numbers, loaded_pandas, unit_of
from sklstm._series.time_axis import HOLE, ROWS, TimeAxis
from sklstm._series.windows import HOLES_ALLOWED, are_few

# With more holes, up to this fraction, the rows may have been picked from a regular series. With
# still more, the index is irregular.
_HOLES_IF_PICKED = 0.6
# Labels are about equally far apart if this fraction of the differences is within a fifth of their
# median.
_ABOUT_EQUAL, _ABOUT = 0.8, 0.2
_LABELS_TO_JUDGE = 10
_DAY = np.timedelta64(1, "D")
_LONGEST_HOLIDAYS = 14.5  # days; half a day more than two weeks, for clocks that change
_SHORTEST_MONTH = 28  # days
_SHORTEST_HALF, _LONGEST_HALF = 12, 18  # days: of half a month


def infer_time_axis(index: PandasIndex, name: str) -> TimeAxis:
    """Find how the labels go on; refuse labels that leave it open."""
    kind, times = kind_of(index), unit_and_zone(index)
    rows = TimeAxis(kind, "rows", "rows", **times)
    if len(index) < 2 or kind == "string":
        return rows
    ticks = label_numbers(index, times["unit"], name)
    if kind == "floating":
        return _rows(rows, ticks, index, name)
    if kind == "integer":
        _refuse_integer_dates(ticks, name)
    local = None
    if index.inferred_type == "datetime64":
        local = local_on_grid(index, ticks, times)
        if (axis := _business_days(local, rows, name)) is not None:
            return axis
        least = np.diff(local.values).min()
        calendars = _months(local) if least >= _SHORTEST_MONTH * _DAY else []
        if len(index) > 2 and _SHORTEST_HALF * _DAY <= least < _LONGEST_HALF * _DAY:
            calendars = _half_months(local)
        if (axis := _on_calendar(index, local, calendars, name)) is not None:
            return axis
    axis = None
    for scale, numbers in _scales(ticks, local if clocks_change(index) else None, times):
        step, problem = _step(numbers)
        if step is None:
            continue
        found = TimeAxis(kind, _alias(index, step, times), scale, step, **times)
        found = anchored(found, numbers)
        if problem is None:
            positions = found.positions(ticks, index, name)
            local_ticks = numbers if local is None else _wall(local, times)
            refuse_pattern(local_ticks, positions, found, index, name)
            check_holes(np.diff(positions), found, name, HOLES_ALLOWED)
            return of_zone(found, index, name, first=scale)
        axis = found if axis is None else axis
    if axis is not None:
        axis.positions(ticks, index, name)  # names the label off the grid
    return _rows(rows, ticks, index, name)


def check_goes_on_like(axis: TimeAxis, index: PandasIndex, other: Any, name: str) -> np.ndarray:
    """Refuse labels that do not go on as those of another series, whose time axis it is.

    Returns
    -------
    steps : ndarray of int
        Steps of time from each row to the next. How many holes there may be is not checked, since
        other series show that rows are missing in this one.
    """
    ticks = axis.ticks(index, name)
    positions = axis.positions(ticks, index, name)
    steps = np.diff(positions)
    if axis.given:
        return steps
    differs, of_missing = "", axis.freq
    if axis.scale == "rows":
        if len(index) >= _LABELS_TO_JUDGE:
            found = infer_time_axis(index, name)
            differs = str(found.freq) if found.scale != "rows" else ""
            of_missing = found.freq
    elif len(steps) > 2 and (every := int(np.gcd.reduce(steps))) > 1:
        differs = f"{every} times freq={axis.freq!r}"
    if differs:
        raise ValueError(
            f"The labels of this series in the index of {name} go on with {differs}, but those of "
            f"series {other!r} with freq={axis.freq!r}. All series of a frame have one frequency. "
            f"If rows are missing, say freq={of_missing!r}; else bring the series to one "
            f"frequency, or make a frame and a pipeline for each of them. Say {ROWS}."
        )
    local = ticks
    if index.inferred_type == "datetime64":
        local = _wall(local_times(index, axis.zone), {"unit": axis.unit})
    refuse_pattern(local, positions, axis, index, name)
    return steps


def _scales(
    ticks: np.ndarray, local: PandasIndex | None, times: dict[str, Any]
) -> list[tuple[str, np.ndarray]]:
    """List the scales on which labels may be regular, the first one preferred.

    A local day has 23 to 25 hours in UTC, so days are tried in local time first. Hours are
    regular in UTC; but some count every sixth hour of the local day.
    """
    if local is None:
        return [("value", ticks)]
    wall = _wall(local, times)
    if (np.diff(wall) <= 0).any():
        return [("value", ticks)]
    is_days = int(np.median(np.diff(wall))) % days_in_unit(1, times["unit"]) == 0
    scales = [("value", ticks), ("wall", wall)]
    return scales[::-1] if is_days else scales


def _wall(local: PandasIndex, times: dict[str, Any]) -> np.ndarray:
    return np.asarray(local.as_unit(times["unit"]).asi8)


def _step(ticks: np.ndarray) -> tuple[int | None, str | None]:
    """Find the step that explains most differences; None if there is none.

    Returns
    -------
    step : int or None
    problem : "off grid" or None
        Whether labels lie off the grid of the others.
    """
    difference = np.diff(ticks)
    least = int(difference.min())
    values, counts = np.unique(difference, return_counts=True)
    holes = difference != least
    if not (values % least).any() and (are_few(holes) or holes.mean() <= _HOLES_IF_PICKED):
        return least, None
    mode = int(values[counts.argmax()])
    if 2 * counts.max() >= len(difference):
        n_off = len(ticks) - np.unique(ticks % mode, return_counts=True)[1].max()
        if n_off <= OFF_GRID * len(ticks):
            return mode, "off grid"
    return None, None


def _rows(rows: TimeAxis, ticks: np.ndarray, index: PandasIndex, name: str) -> TimeAxis:
    """Take each row to follow the one before; refuse a hole between about equal differences."""
    difference = np.diff(ticks)
    median = float(np.median(difference))
    about_equal = np.abs(difference - median) <= _ABOUT * median
    if len(ticks) < _LABELS_TO_JUDGE or about_equal.mean() < _ABOUT_EQUAL:
        return rows
    rows = replace(rows, limit=HOLE * median if rows.kind == "floating" else int(HOLE * median))
    rows.positions(ticks, index, name)
    return rows


def _alias(index: PandasIndex, step: int, times: dict[str, Any]) -> str | int:
    if index.inferred_type == "integer":
        return step
    if index.inferred_type == "period":
        return period_alias(index, step)
    pd = loaded_pandas()
    time = pd.Timedelta(step, unit=times["unit"])
    if time % _DAY or index.inferred_type == "timedelta64":
        return str(pd.tseries.frequencies.to_offset(time).freqstr)
    if time.days == 7:
        return f"W-{index[0].day_name()[:3].upper()}"
    return f"{time.days}D" if time.days > 1 else "D"


def _business_days(local: PandasIndex, rows: TimeAxis, name: str) -> TimeAxis | None:
    """Take business days as rows, with holidays or without."""
    difference = np.diff(local.values)
    is_business_days = (
        difference.min() == _DAY
        and not np.any(difference % _DAY)
        and local[-1] - local[0] >= 7 * _DAY
        and bool(np.is_busday(local.values.astype("datetime64[D]")).all())
    )
    if not is_business_days:
        return None
    steps = np.diff(np.busday_count("1970-01-01", local.values.astype("datetime64[D]")))
    if not are_few(steps != 1) and (steps != 1).mean() > _HOLES_IF_PICKED:
        return None
    limit = days_in_unit(_LONGEST_HOLIDAYS, rows.unit)
    offset = loaded_pandas().offsets.BusinessDay() if local.freq is None else local.freq
    axis = replace(rows, limit=limit, offset=plain_offset(offset))
    check_holes(steps, replace(axis, freq="B"), name, HOLES_ALLOWED)
    axis.positions(local.as_unit(rows.unit).asi8, local, name)
    return axis


def _months(local: PandasIndex) -> list[Any]:
    """List calendars of months: their first day, last business day, ..."""
    pd = loaded_pandas()
    offsets, day, weekday = pd.offsets, int(local.day.max()), int(local.day_of_week[0])
    same_day = (local.day == np.minimum(day, local.days_in_month)).all()
    return [
        offsets.MonthBegin(),
        offsets.MonthEnd(),
        offsets.BMonthBegin(),
        offsets.BMonthEnd(),
        *([pd.DateOffset(months=1, day=day)] if same_day else []),
        offsets.WeekOfMonth(week=min((int(local.day.min()) - 1) // 7, 3), weekday=weekday),
        offsets.LastWeekOfMonth(weekday=weekday),
    ]


def _half_months(local: PandasIndex) -> list[Any]:
    """List calendars of half months: the first or last day of a month, and another one."""
    offsets, first, last = loaded_pandas().offsets, int(local.day.min()), int(local.day.max())
    begins = [offsets.SemiMonthBegin(day_of_month=last)] if first == 1 and last <= 27 else []
    return [*begins, offsets.SemiMonthEnd(day_of_month=first)]


def _on_calendar(
    index: PandasIndex, local: PandasIndex, candidates: list[Any], name: str
) -> TimeAxis | None:
    """Take the first calendar that all labels lie on."""
    unit = unit_of(index)
    local = local.as_unit(unit)
    for offset in candidates:
        numbers = calendar_grid(local[0], local[-1], offset).get_indexer(local)
        if (numbers < 0).any():
            continue
        step, problem = _step(numbers)
        if step is not None and problem is None:
            axis = calendar_axis(index, offset, step, name)
            positions = axis.positions(numbers, index, name)
            refuse_pattern(numbers, positions, axis, index, name)
            check_holes(np.diff(positions), axis, name, HOLES_ALLOWED)
            return axis
    return None


def _refuse_integer_dates(values: np.ndarray, name: str) -> None:
    dates = dates_of_integers(values, f"{name}.index")
    if dates is None:
        return
    raise ValueError(
        f"The index of {name} holds integers that read as dates ({values[0]}, {values[1]}, ...). "
        f"Turn them into times: {name}.index = {dates}. Or say freq='rows' if each row follows the "
        "one before it."
    )
