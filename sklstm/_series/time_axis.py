"""What a pandas index says about where rows lie in time. pandas is never imported here."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

# Up to this share of holes an index is regular with rows missing. From there to 0.6,
# its rows were picked from a regular series (a shuffled splitter); beyond, it is irregular.
_HOLES_ALLOWED = 0.1
_DAY = 24 * 3600 * 1_000_000  # in the ticks of times, microseconds

# What pandas calls labels that lie in time; categories and the like are names.
_NUMBERS_AND_TIMES = ("integer", "floating", "datetime64", "timedelta64", "period")


def pandas():
    """Return the pandas module if it was imported: without it, nothing can be of pandas."""
    return sys.modules.get("pandas")


def is_pandas(X) -> bool:
    """Whether ``X`` is a pandas DataFrame or Series."""
    return pandas() is not None and isinstance(X, (pandas().DataFrame, pandas().Series))


def time_index(X):
    """Return the pandas index of ``X`` if its labels lie in time, else None.

    Numbers and times do, and text in increasing order (dates that were not parsed).

    Raises
    ------
    ValueError
        If the index shows that the rows are not one series in time order.
    """
    if not is_pandas(X):
        return None
    index = X.index
    if index.nlevels > 1:
        raise ValueError(
            "The index of X has several levels, but the rows must be one series in time "
            "order. Fit one estimator per series, on an index of one level."
        )
    if index.inferred_type in ("date", "datetime", "datetime64"):
        index = pandas().DatetimeIndex(index)
    elif index.inferred_type == "period":
        index = pandas().PeriodIndex(index)
    elif index.inferred_type == "string":
        in_order = index.is_monotonic_increasing and index.is_unique
        if in_order or not index.str.match(r"\d{4}-\d\d").all():  # names, not dates
            return index if in_order else None
        check_increasing(index)
    if index.inferred_type not in _NUMBERS_AND_TIMES:
        return None
    check_increasing(index)
    return index


def is_default(index) -> bool:
    """Whether this is the index that pandas gives rows that have none."""
    pd = pandas()
    return isinstance(index, pd.RangeIndex) and index.start == 0 and index.step == 1


def check_increasing(index) -> None:
    """Refuse labels that are missing, out of order or there twice."""
    if index.hasnans:
        raise ValueError(
            "The index of X has missing labels, but every row needs its place in time. "
            "Drop these rows or give them a label."
        )
    if not index.is_monotonic_increasing:
        raise ValueError(
            "The index of X is not increasing, but rows must be in time order. Sort them "
            "(X.sort_index()), and use a splitter that keeps their order, such as "
            "TimeSeriesSplit: shuffled rows make windows that hold the future."
        )
    if not index.is_unique:
        raise ValueError(
            f"The index of X has duplicates (first: {index[index.duplicated()][0]!r}), but "
            "every row must be a step of one series. Bootstrapped rows and several series "
            "in one frame cannot be windowed; if the rows do follow each other, use "
            "X.reset_index(drop=True)."
        )


@dataclass(frozen=True)
class Clock:
    """Maps the labels of an index to numbers in which one step of time has one size.

    Attributes
    ----------
    kind : str
        What the labels are. Labels of another kind cannot be compared.
    scale : {"value", "wall", "business_day", "month"}
        How a label becomes a number: its own integer value; local time instead of UTC;
        business days; calendar months.
    step : int or None
        Numbers from one row to the next. None: the index is not regular, so only the
        order of its labels counts.
    """

    kind: str
    scale: str
    step: int | None

    def ticks(self, index) -> np.ndarray:
        """One number per row."""
        return _TICKS[self.scale](index)

    def positions(self, ticks: np.ndarray) -> np.ndarray:
        """Count steps from the first row to each: one a row if not regular, or off the steps."""
        if self.step is None:
            return np.arange(len(ticks))
        # From pair to pair, so that no label changes the windows of rows before it.
        steps, off = np.divmod(np.diff(ticks), self.step)
        steps = np.where(off == 0, np.maximum(steps, 1), 1)
        return np.concatenate([[0], np.cumsum(steps)])

    def check_kind(self, index) -> None:
        """Refuse labels that cannot be compared with the fitted ones."""
        if (kind := _kind(index)) != self.kind:
            raise ValueError(
                f"The index of X is of kind {kind!r}, but that of the fitted rows was "
                f"{self.kind!r}, so their order in time is unknown. Pass X with an index of "
                "the fitted kind, or without one: X.reset_index(drop=True)."
            )


def make_clock(index) -> Clock:
    """Find the numbers in which ``index`` is regular, if there are any."""
    kind = _kind(index)
    for scale in _scales(kind, index):
        ticks = _TICKS[scale](index)
        # Holidays are no missing rows: business days count only where they are complete.
        step = _regular_step(ticks, holes=scale != "business_day")
        if scale == "wall" and step is not None and step % _DAY:
            step = None  # hours are regular in UTC only
        if step is not None:
            check_holes(np.diff(ticks) // step)
            return Clock(kind, scale, step)
    return Clock(kind, "value", None)


def _kind(index) -> str:
    if index.inferred_type == "datetime64":
        return "datetime" if index.tz is None else f"datetime in {index.tz}"
    return str(index.dtype) if index.inferred_type == "period" else index.inferred_type


def _scales(kind: str, index) -> list[str]:
    if kind in ("integer", "timedelta64") or kind.startswith("period"):
        return ["value"]
    if not kind.startswith("datetime"):
        return []
    local = index.tz_localize(None)
    if _is_business_days(local):
        return ["business_day"]
    # Local days have 23 to 25 hours in UTC, and months 28 to 31 days; the last business day
    # of a month lies between the 26th and the 31st.
    same_day = index.day.max() - index.day.min() <= 5
    return ["wall"] * (index.tz is not None) + ["value"] + ["month"] * bool(same_day)


def _is_business_days(local) -> bool:
    """Daily labels that pass over weekends and hold none."""
    day = np.timedelta64(1, "D")
    difference = np.diff(local.values)
    return (
        len(local) > 1
        and difference.min() == day
        and not np.any(difference % day)
        and local[-1] - local[0] >= 7 * day
        and bool(np.is_busday(local.values.astype("datetime64[D]")).all())
    )


def _value_ticks(index) -> np.ndarray:
    if index.inferred_type in ("datetime64", "timedelta64"):
        return index.as_unit("us").asi8
    if index.inferred_type == "period":
        return index.asi8
    if index.inferred_type == "integer":
        return index.to_numpy().astype(np.int64)
    return index.to_numpy()


_TICKS = {
    "value": _value_ticks,
    "wall": lambda index: index.tz_localize(None).as_unit("us").asi8,
    "business_day": lambda index: np.busday_count(
        np.datetime64("1970-01-01"), index.tz_localize(None).values.astype("datetime64[D]")
    ),
    "month": lambda index: np.asarray(index.year * 12 + index.month, dtype=np.int64),
}


def _regular_step(ticks: np.ndarray, holes: bool) -> int | None:
    """Find the smallest difference, if the others are holes of whole steps; else None."""
    if len(ticks) < 2:
        return None
    difference = np.diff(ticks)
    step = int(difference.min())
    if step <= 0 or np.any(difference % step):
        return None
    longer = difference != step
    if not holes:
        return None if longer.any() else step
    return step if _few(longer) or longer.mean() <= 0.6 else None


def _few(holes: np.ndarray, allowed: float = _HOLES_ALLOWED) -> bool:
    return bool(np.count_nonzero(holes) <= max(2, allowed * len(holes)))


def check_holes(gaps: np.ndarray, allowed: float = _HOLES_ALLOWED) -> None:
    """Refuse rows that are so many steps apart that they were picked from a series."""
    holes = gaps != 1
    if _few(holes, allowed):
        return
    raise ValueError(
        f"The index of X steps over {int(np.sum(gaps - 1))} rows in {np.count_nonzero(holes)} "
        f"places, for {len(gaps) + 1} rows: the rows were picked from a series (a splitter "
        "with shuffle=True, every k-th row, a random sample), so their windows would be "
        "full of missing steps. Use a splitter that keeps blocks of rows together, such as "
        "TimeSeriesSplit, and predict on whole stretches of rows. If these rows do follow "
        "each other, say so with X.reset_index(drop=True); if rows are really missing, say so "
        "with X.asfreq(...), which puts in rows of NaN."
    )
