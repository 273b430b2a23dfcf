"""Local times and their zones: clocks that go back, or skip an hour."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from sklstm._series.labels import PandasIndex, loaded_pandas

_KEY = re.compile(r"[\w+-]+(/[\w+-]+)*")  # of a zone, such as Europe/Berlin


def local_times(index: PandasIndex, zone: str | None) -> PandasIndex:
    """Return local times without their zone, in that of the fitted labels."""
    if index.tz is None:
        return index
    index = index if zone is None or str(index.tz) == zone else index.tz_convert(zone_of(zone))
    return index.tz_localize(None)


def local_numbers(ticks: np.ndarray, unit: str, zone: str | None) -> np.ndarray:
    """Return local times of times in UTC, as numbers."""
    times = times_of(ticks, unit).tz_localize("UTC").tz_convert(zone_of(zone))
    return np.asarray(times.tz_localize(None).asi8)


def before_skip(
    local: np.ndarray, ticks: np.ndarray, anchor: Any, step: int, unit: str, zone: str | None
) -> np.ndarray:
    """Return local times; where clocks skipped the one on the grid, that instead of the next one.

    In zones whose clocks change at midnight, a day may begin at 01:00.
    """
    remainder = (local - anchor) % step
    off = np.flatnonzero(remainder)
    if not len(off):
        return local
    grid = local[off] - remainder[off]
    skipped = in_zone(times_of(grid, unit), zone_of(zone)).asi8 == ticks[off]
    local = local.copy()
    local[off[skipped]] = grid[skipped]
    return local


def in_zone(local: PandasIndex, zone: Any) -> PandasIndex:
    """Give local times their zone; an hour that clocks skip becomes the next one."""
    if zone is None:
        return local
    first = np.ones(len(local), dtype=bool)  # of two equal hours in autumn
    return local.tz_localize(zone, ambiguous=first, nonexistent="shift_forward")


def times_of(numbers: np.ndarray, unit: str) -> PandasIndex:
    return loaded_pandas().DatetimeIndex(numbers.view(f"datetime64[{unit}]"))


def zone_of(name: str | None) -> Any:
    """Return what pandas takes for the time zone whose text is ``name``.

    Raises
    ------
    ValueError
        If it is a zone of dateutil in any other file: dateutil opens what it is told.
    """
    if name is None or not name.startswith(("tzfile(", "dateutil/")):
        return name
    # "tzfile('/usr/share/zoneinfo/Europe/Berlin')" is the text of a zone of dateutil.
    key = name.split("'")[1].rpartition("/zoneinfo/")[2] if "'" in name else name.partition("/")[2]
    if not _KEY.fullmatch(key):
        raise ValueError(f"{name!r} is no time zone of the database. Use zoneinfo.ZoneInfo.")
    return f"dateutil/{key}"


def as_in_zone(index: PandasIndex, name: str | None) -> PandasIndex:
    """Return times with a zone as the same times in the zone ``name``, other labels as they are."""
    return index if getattr(index, "tz", None) is None else index.tz_convert(zone_of(name))


def clocks_change(index: PandasIndex) -> bool:
    """Whether the labels have a time zone that is no fixed difference to UTC."""
    zone = getattr(index, "tz", None)
    return zone is not None and zone.utcoffset(None) is None


def days_in_unit(days: float, unit: str) -> int:
    """Count days of 24 hours in the unit of ticks."""
    return int(days * loaded_pandas().Timedelta(1, "D") / loaded_pandas().Timedelta(1, unit))
