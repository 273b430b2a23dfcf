"""How time goes on from row to row, as the user says: freq."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NoReturn

import numpy as np

from sklstm._series.dates import dates_of_integers, in_last_level
from sklstm._series.grids import (
    anchored,
    calendar_axis,
    of_zone,
    period_alias,
    refuse_another_grid,
    unit_and_zone,
)
from sklstm._series.holes import refuse_holes
from sklstm._series.inference import check_goes_on_like, infer_time_axis
from sklstm._series.labels import PandasIndex, kind_of, loaded_pandas
from sklstm._series.panel import Panel, of_series
from sklstm._series.time_axis import TimeAxis
from sklstm._series.windows import HOLES_ALLOWED

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
        return infer_time_axis(index, name)
    if isinstance(freq, str) and freq == "rows":
        return TimeAxis(kind_of(index), "rows", "rows", given=True, **unit_and_zone(index))
    check_freq(freq, has_index=True)
    axis = _given(index, freq, name)
    if axis.scale in ("value", "wall"):
        ticks = axis.ticks(index, name)
        axis = anchored(axis, axis.numbers(ticks)) if axis.anchor is None else axis
        off = axis.numbers(ticks) % axis.step != axis.anchor
        refuse_another_grid(off, axis.freq, index, name)
        axis.positions(ticks, index, name)
    return axis


def panel_axis(panel: Panel, freq: Any = "auto", name: str = "X") -> TimeAxis:
    """Make the time axis of several series: that of the longest one, which must fit all.

    Raises
    ------
    ValueError
        If the labels of a series do not go on as those of the longest one.
    """
    longest = panel.longest
    index = panel.times_of(longest)
    is_auto = isinstance(freq, str) and freq == "auto"
    if is_auto and len(index) > 1 and kind_of(index) == "integer":
        dates = dates_of_integers(index.to_numpy(), f"{name}.index.levels[-1]")
        if dates is not None:
            raise ValueError(
                f"The last level of the index of {name} holds integers that read as dates "
                f"({index[0]}, {index[1]}, ...). {in_last_level(dates, name)} Or say freq='rows' "
                "if each row follows the one before it."
            )
    with of_series(panel.names[longest]):
        axis = time_axis(index, freq, name)
    n_holes = n_missing = 0
    for number, own in enumerate(panel.names):
        index = panel.times_of(number)
        with of_series(own):
            steps = check_goes_on_like(axis, index, panel.names[longest], name)
            if axis.other_anchor is not None:
                axis = axis.decided(axis.ticks(index, name))
        n_holes += int(np.count_nonzero(steps != 1))
        n_missing += int(np.sum(steps - 1))
    if not axis.given and n_holes > max(2, HOLES_ALLOWED * len(panel)):
        refuse_holes(n_missing, n_holes, len(panel), axis, name)
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
    times = unit_and_zone(index)
    is_days = isinstance(offset, pd.offsets.Day)
    if is_days or isinstance(offset, pd.offsets.Tick):
        time = pd.Timedelta(days=offset.n) if is_days else pd.Timedelta(offset)
        step, rest = divmod(time, pd.Timedelta(1, unit=times["unit"]))
        if rest:
            _refuse(index, freq, name, f"is no whole number of {times['unit']}")
        axis = TimeAxis(kind, offset.freqstr, "value", step, given=True, **times)
        return of_zone(axis, index, name, first="wall" if is_days else "value")
    if index.inferred_type == "timedelta64":
        _refuse(index, freq, name, "does not fit")
    return calendar_axis(index, offset, 1, name, given=True)


def _given_periods(index: PandasIndex, freq: Any, name: str) -> TimeAxis:
    pd = loaded_pandas()
    try:
        offset = pd.PeriodDtype(freq).freq
    except (ValueError, TypeError):
        offset = None
    if offset is None or offset.base != index.freq.base:
        _refuse(index, freq, name, "does not fit")
    return TimeAxis(kind_of(index), period_alias(index, offset.n), "value", offset.n, given=True)


def _is_int(freq: Any) -> bool:
    no_int = (bool, np.timedelta64)  # subclasses of integers
    return isinstance(freq, (int, np.integer)) and not isinstance(freq, no_int)


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
