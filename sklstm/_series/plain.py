"""Names of series and values of parameters as plain values, and back.

A saved file holds arrays and plain values only. Names may be times, and parameters ranges, times or
offsets of pandas: each is saved as a dict with one key, the name of its type.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from sklstm._series.calendars import pandas_offset, plain_offset
from sklstm._series.clocks import zone_of
from sklstm._series.labels import loaded_pandas


def plain(value: Any) -> Any:
    """Return a value without ranges, times and offsets; other values as they are."""
    if type(value) in (tuple, list):
        return type(value)(map(plain, value))
    if isinstance(value, range):
        return {"range": [value.start, value.stop, value.step]}
    pd = loaded_pandas()
    if pd is not None and isinstance(value, pd.offsets.BaseOffset):
        offset = plain_offset(value)
        return value if offset is value else {"offset": offset}
    if pd is not None and isinstance(value, pd.Timestamp):
        zone = None if value.tz is None else str(value.tz)
        return {"Timestamp": [value.isoformat(), zone]}
    if pd is not None and isinstance(value, pd.Timedelta):
        return {"Timedelta": value.isoformat()}
    if type(value) is timedelta:
        return {"timedelta": [value.days, value.seconds, value.microseconds]}
    if type(value) is date or (type(value) is datetime and value.tzinfo is None):
        return {type(value).__name__: value.isoformat()}
    return value


def of_plain(value: Any) -> Any:
    """Return the value of what :func:`plain` returned."""
    if type(value) in (tuple, list):
        return type(value)(map(of_plain, value))
    if type(value) is dict and len(value) == 1:
        ((kind, content),) = value.items()
        if kind in _MADE_BY:
            return _MADE_BY[kind](content)
    return value


def plain_state(state: dict[str, Any]) -> dict[str, Any]:
    """Return the state of an object with the plain values of its attributes."""
    return {name: plain(value) for name, value in state.items()}


def state_of_plain(state: dict[str, Any]) -> dict[str, Any]:
    """Return the state of what :func:`plain_state` returned."""
    return {name: of_plain(value) for name, value in state.items()}


def _timestamp(content: tuple[str, str | None]) -> Any:
    text, zone = content
    time = _pandas().Timestamp(text)
    return time if zone is None else time.tz_convert(zone_of(zone))


def _offset(content: Any) -> Any:
    _pandas()
    return pandas_offset(content)


def _pandas() -> Any:
    """Import pandas: in a process that loads a model, nothing may have done so yet."""
    return importlib.import_module("pandas")


_MADE_BY: dict[str, Callable[[Any], Any]] = {
    "range": lambda content: range(*content),
    "offset": _offset,
    "Timestamp": _timestamp,
    "Timedelta": lambda content: _pandas().Timedelta(content),
    "timedelta": lambda content: timedelta(*content),
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
}
