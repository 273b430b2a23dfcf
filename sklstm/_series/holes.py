"""Holes between labels that can be read in two ways: picked rows, nights, weekends."""

from __future__ import annotations

from typing import NoReturn

import numpy as np

from sklstm._series.clocks import days_in_unit
from sklstm._series.labels import PandasIndex, label_text
from sklstm._series.time_axis import ROWS, TimeAxis
from sklstm._series.windows import HOLES_ALLOWED, are_few

# Holes are a pattern if this many stretches in sequence between them have the same length, or this
# many of all stretches and half of them.
_EQUAL_IN_SEQUENCE, _EQUAL_STRETCHES = 4, 8
# Holes at a time of the day or week that never has a row. Two may be chance, unless they are alike
# and longer than a row.
_HOLES_IN_PLACE = 3


def check_holes(steps: np.ndarray, axis: TimeAxis, name: str, allowed: float) -> None:
    """Refuse rows with so many holes between them that they may have been picked from a series.

    Parameters
    ----------
    steps : ndarray of int
        Steps of time from each row to the next.
    axis : TimeAxis
    name : str
        Name of the argument, for messages.
    allowed : float
        Largest fraction of holes.
    """
    if not axis.given and not are_few(steps != 1, allowed):
        n_missing, n_holes = int(np.sum(steps - 1)), int(np.count_nonzero(steps != 1))
        refuse_holes(n_missing, n_holes, len(steps) + 1, axis, name)


def refuse_holes(n_missing: int, n_holes: int, n_rows: int, axis: TimeAxis, name: str) -> NoReturn:
    """Refuse rows that may have been picked from a series."""
    raise ValueError(
        f"The index of {name} steps over {n_missing} rows in "
        f"{n_holes} places, for {n_rows} rows, so it is open what they "
        "are. If the rows were picked from a series (a splitter with shuffle=True, every k-th "
        "row, a random sample), use a splitter that keeps blocks of rows together, such as "
        f"TimeSeriesSplit. If rows are missing, say freq={axis.freq!r}. Say {ROWS}."
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
    steps = np.diff(positions)
    holes = np.flatnonzero(steps > 1)
    if len(holes) < 2:
        return
    if not (_at_equal_distances(holes, len(ticks)) or _in_same_place(ticks, steps, axis)):
        return
    raise ValueError(
        f"The index of {name} leaves out the same steps of freq={axis.freq!r} again and again, "
        f"first {steps[holes[0]] - 1} after {label_text(index[holes[0]])} ({len(holes)} holes: "
        "nights, "
        "weekends or closing hours?), so it is open whether rows are missing there. Say "
        f"freq={axis.freq!r} if they are, or freq='rows' if each row follows the one before it."
    )


def _at_equal_distances(holes: np.ndarray, n_rows: int) -> bool:
    """Whether most stretches of rows between holes have the same length."""
    stretches = np.diff(holes)
    if len(stretches) < _EQUAL_IN_SEQUENCE:
        return False
    counts = np.bincount(stretches)
    # Of rows picked at random, many follow a hole and are followed by one.
    if counts.argmax() == 1 and len(holes) > HOLES_ALLOWED * n_rows:
        return False
    changes = np.flatnonzero(np.diff(stretches, prepend=0, append=0))
    in_sequence = int(np.diff(changes).max())
    enough = in_sequence >= _EQUAL_IN_SEQUENCE or counts.max() >= _EQUAL_STRETCHES
    return bool(enough and counts.max() >= len(stretches) / 2)


def _in_same_place(ticks: np.ndarray, steps: np.ndarray, axis: TimeAxis) -> bool:
    """Whether most missing rows lie at times of the day or week that never have a row."""
    if not axis.unit or axis.scale == "calendar":
        return False
    holes = np.flatnonzero(steps > 1)
    lengths = steps[holes] - 1
    for days in (1, 7):
        period = days_in_unit(days, axis.unit)
        n_slots, rest = divmod(period, axis.step)
        n_periods = (ticks[-1] - ticks[0]) // period
        if rest or n_slots < 2 or n_periods < 2:
            continue
        slots = ticks % period // axis.step
        used = np.unique(slots)
        if len(ticks) < 0.75 * len(used) * n_periods:  # these times do not come again
            continue
        # Rows that are missing at times that have a row: those of the circle in the hole.
        circle = np.concatenate([used, used + n_slots])
        first = slots[holes] + 1
        n_used = np.diff(circle.searchsorted([first, first + np.minimum(lengths, n_slots)]), axis=0)
        in_place = n_used[0] == 0
        are_alike = bool(in_place.all()) and lengths.min() > 1 and lengths.min() == lengths.max()
        enough = np.count_nonzero(in_place) >= _HOLES_IN_PLACE or are_alike
        if enough and 2 * lengths[in_place].sum() >= lengths.sum():
            return True
    return False
