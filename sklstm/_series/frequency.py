"""How time goes on from row to row: as the user says (``freq``), or as the index shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any, NoReturn

import numpy as np

from sklstm._series.dates import integer_format
from sklstm._series.labels import PandasIndex, loaded_pandas
from sklstm._series.time_axis import (
    TimeAxis,
    before_skip,
    calendar_grid,
    check_holes,
    kind_of,
    label_numbers,
    local_times,
    plain_offset,
    unit_of,
)
from sklstm._series.windows import HOLES_ALLOWED, are_few

# With more holes, up to this fraction, the rows may have been picked from a regular series. With
# still more, the index is irregular.
_HOLES_IF_PICKED = 0.6
# Labels lie on a grid if at most this fraction of them lies off it.
_OFF_GRID = 0.1
# Holes are a pattern if this many stretches between them have the same length.
_EQUAL_STRETCHES = 4
# Labels are about equally far apart if this fraction of the differences is within a fifth of their
# median. A difference of one and a half medians is then a hole.
_ABOUT_EQUAL, _ABOUT, _HOLE = 0.8, 0.2, 1.5
_LABELS_TO_JUDGE = 10
_DAY = np.timedelta64(1, "D")
_LONGEST_HOLIDAYS = 14.5  # days; half a day more than two weeks, for clocks that change
_SHORTEST_MONTH = 28  # days

_FREQ = "pandas' offset or its alias, a timedelta, an int, 'rows' or 'auto'"


def time_axis(index: PandasIndex, freq: Any = "auto", name: str = "X") -> TimeAxis:
    """Make the time axis of an increasing index, for the ``freq`` that the user gave.

    Raises
    ------
    ValueError
        If ``freq`` does not fit the labels, a label lies off its grid, or "auto" leaves open how
        the labels are to be read.
    """
    if isinstance(freq, str) and freq == "auto":
        return _inferred(index, name)
    if isinstance(freq, str) and freq == "rows":
        return TimeAxis(kind_of(index), "rows", "rows", given=True, **_times(index))
    check_freq(freq, has_index=True)
    axis = _given(index, freq, name)
    if axis.scale in ("value", "wall"):
        ticks = axis.ticks(index, name)
        axis = _anchored(axis, axis.numbers(ticks)) if axis.anchor is None else axis
        off = axis.numbers(ticks) % axis.step != axis.anchor
        _refuse_another_grid(off, axis.freq, index, name)
        axis.positions(ticks, index, name)
    return axis


def check_freq(freq: Any, has_index: bool, name: str = "X") -> None:
    """Refuse a ``freq`` of another type, or one that says how labels go on where there are none."""
    is_step = _is_int(freq)
    is_time = isinstance(freq, (str, timedelta, np.timedelta64)) or hasattr(freq, "freqstr")
    if (is_step and freq < 1) or not (is_step or is_time):
        raise ValueError(f"freq must be {_FREQ}, got {freq!r}.")
    if not has_index and not (isinstance(freq, str) and freq in ("auto", "rows")):
        raise ValueError(
            f"freq={freq!r} says how the labels of the rows go on, but {name} has no index that "
            "lies in time. Pass a pandas frame with its index; in a pipeline with earlier steps, "
            "call set_output(transform='pandas') on it. Or say freq='rows'."
        )


def _is_int(freq: Any) -> bool:
    no_int = (bool, np.timedelta64)  # subclasses of integers
    return isinstance(freq, (int, np.integer)) and not isinstance(freq, no_int)


def _times(index: PandasIndex) -> dict[str, Any]:
    """Return unit and time zone of labels that are times."""
    zone = getattr(index, "tz", None)
    if zone is not None and not _clocks_change(index):
        zone = timezone(zone.utcoffset(None))  # whose name pandas reads, unlike that of dateutil
    return {"unit": unit_of(index), "zone": None if zone is None else str(zone)}


def _anchored(axis: TimeAxis, ticks: np.ndarray) -> TimeAxis:
    """Choose the grid that most labels lie on."""
    phases, counts = np.unique(ticks % axis.step, return_counts=True)
    return TimeAxis(**(vars(axis) | {"anchor": int(phases[counts.argmax()])}))


# What the user says.


def _given(index: PandasIndex, freq: Any, name: str) -> TimeAxis:
    kind, is_step = kind_of(index), _is_int(freq)
    if is_step != (kind == "integer") or kind in ("floating", "string"):
        _refuse(index, freq, name, "does not fit")
    if is_step:
        return TimeAxis(kind, int(freq), "value", int(freq), given=True)
    if index.inferred_type == "period":
        return _given_periods(index, freq, name)
    pd = loaded_pandas()
    try:
        if isinstance(freq, (timedelta, np.timedelta64)):
            freq = pd.Timedelta(freq)
        offset = pd.tseries.frequencies.to_offset(freq)
    except (ValueError, TypeError) as error:
        _refuse(index, freq, name, f"is no frequency of pandas ({error})")
    if not offset.n > 0:
        _refuse(index, freq, name, "does not go forward")
    times = _times(index)
    is_days = isinstance(offset, pd.offsets.Day)
    if is_days or isinstance(offset, pd.offsets.Tick):
        time = pd.Timedelta(days=offset.n) if is_days else pd.Timedelta(offset)
        step = _in_unit(time, times)
        if step * pd.Timedelta(1, unit=times["unit"]) != time:
            _refuse(index, freq, name, f"is no whole number of {times['unit']}")
        axis = TimeAxis(kind, offset.freqstr, "value", step, given=True, **times)
        return _of_zone(axis, index, name, first="wall" if is_days else "value")
    if index.inferred_type == "timedelta64":
        _refuse(index, freq, name, "does not fit")
    return _calendar(index, offset, 1, name, given=True)


def _refuse_another_grid(off: np.ndarray, freq: str | int, index: PandasIndex, name: str) -> None:
    """Refuse a grid that many labels lie off."""
    if off.mean() > _OFF_GRID:
        raise ValueError(
            f"freq={freq!r} does not fit the index of {name}: {np.count_nonzero(off)} of its "
            f"{len(off)} labels lie off this grid, first {index[int(off.argmax())]!r}. Say a freq "
            "that all labels fit, or 'rows' if each row follows the one before it."
        )


def _given_periods(index: PandasIndex, freq: Any, name: str) -> TimeAxis:
    pd = loaded_pandas()
    try:
        offset = pd.PeriodDtype(freq).freq
    except (ValueError, TypeError):
        offset = None
    if offset is None or offset.base != index.freq.base:
        _refuse(index, freq, name, "does not fit")
    return TimeAxis(kind_of(index), _period_alias(index, offset.n), "value", offset.n, given=True)


def _period_alias(index: PandasIndex, n_periods: int) -> str:
    base = str(loaded_pandas().PeriodDtype(index.freq.base)).removeprefix("period[")[:-1]
    return base if n_periods == 1 else f"{n_periods}{base}"


def _refuse(index: PandasIndex, freq: Any, name: str, why: str) -> NoReturn:
    expected = {
        "integer": "an int, the step from label to label",
        "timedelta64": "a fixed time such as 'h' or '30min'",
        "floating": "'rows', since numbers with a fraction have no grid",
        "string": "'rows', since text has no grid",
    }.get(index.inferred_type, "an alias of pandas such as 'h', 'D' or 'MS', an offset or a time")
    if index.inferred_type == "period":
        expected = f"a number of the index's own periods, such as {index.freqstr!r}"
    raise ValueError(
        f"freq={freq!r} {why}: the index of {name} is of kind {kind_of(index)!r}, for which freq "
        f"must be {expected}; or 'rows', if each row follows the one before it."
    )


def _in_unit(time: Any, times: dict[str, Any]) -> int:
    """Count a pandas Timedelta in the unit of the ticks."""
    return int(time / loaded_pandas().Timedelta(1, unit=times["unit"]))


def _of_zone(axis: TimeAxis, index: PandasIndex, name: str, first: str) -> TimeAxis:
    """Choose whether steps are counted in UTC or in local time; both, if the labels fit both."""
    if not _clocks_change(index):
        return axis
    ticks = axis.ticks(index, name)
    axes = [replace(axis, scale=scale, anchor=None) for scale in ("value", "wall")]
    axes = [_anchored(axis, axis.numbers(ticks)) for axis in axes]
    axes = axes if first == "value" else axes[::-1]
    n_off = [np.count_nonzero(axis.steps(ticks)[1]) for axis in axes]
    if not any(n_off):
        return replace(axes[0], other_anchor=axes[1].anchor)
    return axes[int(np.argmin(n_off))]


def _clocks_change(index: PandasIndex) -> bool:
    """Whether the labels have a time zone that is no fixed difference to UTC."""
    zone = getattr(index, "tz", None)
    return zone is not None and zone.utcoffset(None) is None


def _calendar(
    index: PandasIndex, offset: Any, step: int, name: str, given: bool = False
) -> TimeAxis:
    """Make an axis of calendar labels; refuse labels off the calendar."""
    times = _times(index)
    local = _local_on_grid(index, label_numbers(index, times["unit"], name), times)
    off = calendar_grid(local[0], local[-1], offset).get_indexer(local) < 0
    if off.any() and len(local) > 1:  # the first label may be the one off the grid
        others = calendar_grid(local[1], local[-1], offset).get_indexer(local) < 0
        off = min(off, others, key=np.mean)
    _refuse_another_grid(off, offset.freqstr, index, name)
    anchor = local[~off][-1]
    axis = TimeAxis(
        kind_of(index),
        (offset * step).freqstr,
        "calendar",
        step,
        given=given,
        anchor=int(loaded_pandas().DatetimeIndex([anchor]).as_unit(times["unit"]).asi8[0]),
        offset=plain_offset(offset),
        **times,
    )
    axis.ticks(index, name)
    return axis


# What the index shows.


def _inferred(index: PandasIndex, name: str) -> TimeAxis:
    kind, times = kind_of(index), _times(index)
    rows = TimeAxis(kind, "rows", "rows", **times)
    if len(index) < 2 or kind in ("floating", "string"):
        return rows
    ticks = label_numbers(index, times["unit"], name)
    if kind == "integer":
        _refuse_integer_dates(ticks, name)
    local = None
    if index.inferred_type == "datetime64":
        local = _local_on_grid(index, ticks, times)
        if (axis := _business_days(local, rows, name)) is not None:
            return axis
        is_months = np.diff(local.values).min() >= _SHORTEST_MONTH * _DAY
        if is_months and (axis := _months(index, local, name)) is not None:
            return axis
    axis = None
    for scale, numbers in _scales(ticks, local if _clocks_change(index) else None, times):
        step, problem = _step(numbers)
        if step is None:
            continue
        found = TimeAxis(kind, _alias(index, step, times), scale, step, **times)
        found = _anchored(found, numbers)
        if problem is None:
            positions = found.positions(ticks, index, name)
            local_ticks = numbers if local is None else _wall(local, times)
            refuse_pattern(local_ticks, positions, found, index, name)
            check_holes(np.diff(positions), found, name, HOLES_ALLOWED)
            return _of_zone(found, index, name, first=scale)
        axis = found if axis is None else axis
    if axis is not None:
        axis.positions(axis.ticks(index, name), index, name)  # names the label off the grid
    return _rows(rows, ticks, index, name)


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
    scales = [("value", ticks)]
    if (np.diff(wall) > 0).all():
        is_days = int(np.median(np.diff(wall))) % _in_unit(loaded_pandas().Timedelta(1, "D"), times)
        scales.insert(1 if is_days else 0, ("wall", wall))
    return scales


def _local_on_grid(index: PandasIndex, ticks: np.ndarray, times: dict[str, Any]) -> PandasIndex:
    """Return local times; where clocks skipped the one of the label, that one (often midnight)."""
    local = local_times(index, times["zone"]).as_unit(times["unit"])
    if len(index) < 2 or not _clocks_change(index):
        return local
    wall = local.asi8.copy()
    day = _in_unit(loaded_pandas().Timedelta(1, "D"), times)
    step = int(np.median(np.diff(wall)))
    step = day if step >= 22 / 24 * day else step  # such a day has 23 hours
    at = np.flatnonzero(np.diff(wall - ticks, prepend=wall[0] - ticks[0] - 1) > 0)
    beside = wall[np.where(at > 0, at - 1, 1)]
    wall[at] = before_skip(wall[at], ticks[at], beside, step, times["unit"], times["zone"])
    return loaded_pandas().DatetimeIndex(wall.view(f"datetime64[{times['unit']}]"))


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
    if (difference == least).all():
        return least, None
    values, counts = np.unique(difference, return_counts=True)
    holes = difference != least
    if not (values % least).any() and (are_few(holes) or holes.mean() <= _HOLES_IF_PICKED):
        return least, None
    mode = int(values[counts.argmax()])
    if 2 * counts.max() >= len(difference):
        n_off = len(ticks) - np.unique(ticks % mode, return_counts=True)[1].max()
        if 0 < n_off <= _OFF_GRID * len(ticks):
            return mode, "off grid"
    return None, None


def _rows(rows: TimeAxis, ticks: np.ndarray, index: PandasIndex, name: str) -> TimeAxis:
    """Take each row to follow the one before; refuse a hole between about equal differences."""
    difference = np.diff(ticks)
    median = float(np.median(difference))
    about_equal = np.abs(difference - median) <= _ABOUT * median
    if len(ticks) < _LABELS_TO_JUDGE or about_equal.mean() < _ABOUT_EQUAL:
        return rows
    rows = TimeAxis(**(vars(rows) | {"limit": int(_HOLE * median)}))
    rows.positions(ticks, index, name)
    return rows


def _alias(index: PandasIndex, step: int, times: dict[str, Any]) -> str | int:
    if index.inferred_type == "integer":
        return step
    if index.inferred_type == "period":
        return _period_alias(index, step)
    pd = loaded_pandas()
    time = pd.Timedelta(step, unit=times["unit"])
    if time % _DAY or index.inferred_type == "timedelta64":
        return str(pd.tseries.frequencies.to_offset(time).freqstr)
    if time.days == 7:
        return f"W-{local_times(index, times['zone'])[0].day_name()[:3].upper()}"
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
    limit = _in_unit(loaded_pandas().Timedelta(_LONGEST_HOLIDAYS, "D"), {"unit": rows.unit})
    freq = local.freq if local.freq is not None and not _is_fixed(local.freq) else None
    offset = plain_offset(loaded_pandas().offsets.BusinessDay() if freq is None else freq)
    axis = TimeAxis(**(vars(rows) | {"limit": limit, "offset": offset}))
    check_holes(steps, TimeAxis(**(vars(axis) | {"freq": "B"})), name, HOLES_ALLOWED)
    axis.positions(local.as_unit(rows.unit).asi8, local, name)
    return axis


def _is_fixed(offset: Any) -> bool:
    pd = loaded_pandas()
    return isinstance(offset, (pd.offsets.Tick, pd.offsets.Day))


def _months(index: PandasIndex, local: PandasIndex, name: str) -> TimeAxis | None:
    """Find a calendar of months that all labels lie on: their first day, last business day, ..."""
    pd = loaded_pandas()
    offsets, day, weekday = pd.offsets, int(local.day.max()), int(local.day_of_week[0])
    candidates = [
        offsets.MonthBegin(),
        offsets.MonthEnd(),
        offsets.BMonthBegin(),
        offsets.BMonthEnd(),
        pd.DateOffset(months=1, day=day),
        offsets.WeekOfMonth(week=min((int(local.day.min()) - 1) // 7, 3), weekday=weekday),
        offsets.LastWeekOfMonth(weekday=weekday),
    ]
    unit = unit_of(index)
    local = local.as_unit(unit)
    for offset in candidates:
        numbers = calendar_grid(local[0], local[-1], offset).get_indexer(local)
        if (numbers < 0).any():
            continue
        step, problem = _step(numbers)
        if step is not None and problem is None:
            axis = _calendar(index, offset, step, name)
            positions = axis.positions(numbers, index, name)
            refuse_pattern(numbers, positions, axis, index, name)
            check_holes(np.diff(positions), axis, name, HOLES_ALLOWED)
            return axis
    return None


# What it leaves open.


def _refuse_integer_dates(values: np.ndarray, name: str) -> None:
    form = integer_format(values)
    if form is None or (len(form) == 4 and len(values) < 3):
        return
    raise ValueError(
        f"The index of {name} holds integers that read as dates ({values[0]}, {values[1]}, ...). "
        f"Turn them into times: {name}.index = pd.to_datetime({name}.index.astype(str), "
        f"format={form!r}). Or say freq='rows' if each row follows the one before it."
    )


def refuse_pattern(
    ticks: np.ndarray, positions: np.ndarray, axis: TimeAxis, index: PandasIndex, name: str = "X"
) -> None:
    """Refuse the same hole again and again: nights, weekends, closing hours.

    Parameters
    ----------
    ticks : ndarray of int
        Times in UTC or local.
    positions : ndarray of int
        Steps of time up to each row.
    axis : TimeAxis
    index : pandas.Index
    name : str
        Name of the argument, for the message.
    """
    if positions[-1] - positions[0] == len(positions) - 1:
        return
    steps = np.diff(positions)
    holes = np.flatnonzero(steps > 1)
    is_pattern = _at_equal_distances(holes, len(ticks)) or _in_same_place(ticks, steps, axis)
    if len(holes) < 2 or not is_pattern:
        return
    raise ValueError(
        f"The index of {name} leaves out the same steps of freq={axis.freq!r} again and again, "
        f"first {steps[holes[0]] - 1} after {index[holes[0]]!r} ({len(holes)} holes: nights, "
        "weekends or closing hours?), so it is open whether rows are missing there. Say "
        f"freq={axis.freq!r} if they are, or freq='rows' if each row follows the one before it."
    )


def _at_equal_distances(holes: np.ndarray, n_rows: int) -> bool:
    """Whether most stretches of rows between holes have the same length."""
    stretches = np.diff(holes)
    if len(stretches) < _EQUAL_STRETCHES:
        return False
    counts = np.bincount(stretches)
    # Of rows picked at random, many follow a hole and are followed by one.
    is_random = counts.argmax() == 1 and len(holes) > HOLES_ALLOWED * n_rows
    return bool(counts.max() >= max(_EQUAL_STRETCHES, len(stretches) / 2) and not is_random)


def _in_same_place(ticks: np.ndarray, steps: np.ndarray, axis: TimeAxis) -> bool:
    """Whether most missing rows lie at a time of the day or week that never has a row."""
    if not axis.unit or axis.scale == "calendar":
        return False
    n_missing = int((steps - 1).sum())
    for days in (1, 7):
        period = _in_unit(loaded_pandas().Timedelta(days, "D"), {"unit": axis.unit})
        n_slots, rest = divmod(period, axis.step)
        n_periods = (ticks[-1] - ticks[0]) // period
        if rest or n_slots < 2 or n_periods < 2:
            continue
        n_used = len(np.unique(ticks % period // axis.step))
        comes_again = len(ticks) >= 0.75 * n_used * n_periods
        if comes_again and 0 < n_missing <= 2 * (n_slots - n_used) * n_periods:
            return True
    return False
