"""What a pandas index says about where rows lie in time.

pandas is never imported here: who passes a pandas index has imported it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from sklstm._series.windows import HOLES_ALLOWED, are_few

# With more holes, up to this fraction, the rows were picked from a regular series (by a splitter
# with shuffle=True, for instance). With still more, the index is irregular.
_HOLES_IF_PICKED = 0.6
_DAY = 24 * 3600 * 1_000_000  # microseconds, the unit in which times are counted here

# Kinds of labels that lie in time, in the words of pandas. All other labels are names.
_NUMBERS_AND_TIMES = ("integer", "floating", "datetime64", "timedelta64", "period")


PandasIndex = Any  # a pandas.Index, which cannot be named without importing pandas


def loaded_pandas() -> Any:
    """Return the pandas module if it was imported, else None: then nothing is a frame."""
    return sys.modules.get("pandas")


def is_pandas(X: object) -> bool:
    """Whether ``X`` is a pandas DataFrame or Series."""
    pd = loaded_pandas()
    return pd is not None and isinstance(X, (pd.DataFrame, pd.Series))


def time_index(X: Any, name: str = "X") -> PandasIndex | None:
    """Return the pandas index of ``X`` if its labels lie in time, else None.

    Labels lie in time if they are numbers or times, or text in increasing order (such as
    dates that were not parsed). ``name`` is that of the argument, for messages.

    Raises
    ------
    ValueError
        If the index shows that the rows are not one series in time order.
    """
    if not is_pandas(X):
        return None
    index = _as_times(X.index)
    if index.nlevels > 1:
        raise ValueError(
            f"The index of {name} has several levels, but the rows must be one series in time "
            "order. Fit one estimator per series, on an index of one level."
        )
    if index.inferred_type == "string":
        in_order = index.is_monotonic_increasing and index.is_unique
        if in_order or not index.str.match(r"\d{4}-\d\d").all():  # not dates, but names
            return index if in_order else None
        check_increasing(index, name)
    if index.inferred_type not in _NUMBERS_AND_TIMES:
        return None
    check_increasing(index, name)
    return index


def _as_times(index: PandasIndex) -> PandasIndex:
    """Return an index of times of pandas for times of Python and pyarrow, others as they are."""
    kinds = {
        "date": "DatetimeIndex",
        "datetime": "DatetimeIndex",
        "datetime64": "DatetimeIndex",
        "timedelta": "TimedeltaIndex",
        "timedelta64": "TimedeltaIndex",
        "period": "PeriodIndex",
    }
    kind = kinds.get(index.inferred_type)
    return index if kind is None else getattr(loaded_pandas(), kind)(index)


def is_default(index: PandasIndex) -> bool:
    """Whether ``index`` is the one that pandas gives to rows without labels: 0, 1, 2, ..."""
    return isinstance(index, loaded_pandas().RangeIndex) and index.start == 0 and index.step == 1


def check_increasing(index: PandasIndex, name: str = "X") -> None:
    """Refuse labels that are missing, out of order or duplicated."""
    if index.hasnans:
        raise ValueError(
            f"The index of {name} has missing labels, but every row needs its place in time. "
            "Drop the rows without a label, or give them one."
        )
    if not index.is_monotonic_increasing:
        raise ValueError(
            f"The index of {name} is not increasing, but rows must be in time order. Sort them "
            f"({name}.sort_index()), and use a splitter that keeps their order, such as "
            "TimeSeriesSplit: the windows of shuffled rows hold rows from the future."
        )
    if not index.is_unique:
        raise ValueError(
            f"The index of {name} has duplicates (first: {index[index.duplicated()][0]!r}), but "
            "every row must be a step of one series. Bootstrapped rows and several series "
            "in one frame cannot be windowed; if the rows do follow each other, use "
            f"{name}.reset_index(drop=True)."
        )


def check_same_labels(**inputs: Any) -> None:
    """Refuse inputs of the same rows whose pandas indexes differ.

    What has no index, or one that pandas gives by default, fits every index. So do integers
    beside labels of another kind: they are numbers of rows. Lengths are checked elsewhere.

    Parameters
    ----------
    **inputs : array-like
        Inputs by the names of their arguments.

    Raises
    ------
    ValueError
        If two indexes of the same length differ.
    """
    indexes = {name: data.index for name, data in inputs.items() if is_pandas(data)}
    labelled = [(name, _as_times(x)) for name, x in indexes.items() if not is_default(x)]
    for (name, index), (other_name, other) in combinations(labelled, 2):
        kinds = {index.inferred_type, other.inferred_type}
        only_row_numbers = "integer" in kinds and not kinds <= {"integer", "floating"}
        if len(index) != len(other) or only_row_numbers or index.equals(other):
            continue
        differ = _differences(index, other)
        if differ.any():
            row = int(differ.argmax())
            label, other_label = index.tolist()[row], other.tolist()[row]
            raise ValueError(
                f"{name} and {other_name} have different indexes. The first difference is in row "
                f"{row}: {label!r} in {name}, {other_label!r} in {other_name}. Pass "
                f"{other_name}.reindex({name}.index), which is NaN where {other_name} has no such "
                f"label, or {other_name}.to_numpy() if the rows belong together as they are."
            )


def _differences(index: PandasIndex, other: PandasIndex) -> np.ndarray:
    """Return for each row whether its two labels differ; two missing labels are equal."""
    if index.inferred_type == other.inferred_type == "datetime64":  # of any zone and unit
        return np.asarray(index != other) & ~(index.isna() & other.isna())
    # As objects, since categories and NA cannot be compared otherwise.
    labels, others = index.to_numpy(object, copy=True), other.to_numpy(object, copy=True)
    for values in (labels, others):
        values[loaded_pandas().isna(values)] = None
    return np.asarray(labels != others)


@dataclass(frozen=True)
class TimeAxis:
    """Turns the labels of an index into ticks, and ticks into counts of steps.

    A tick is the number that stands for a label; for text, it is the text itself. Labels that
    are one step of time apart always differ by the same number of ticks, also where the
    time between them varies (months, local days).

    Attributes
    ----------
    kind : str
        What the labels are. Labels of different kinds cannot be compared.
    scale : {"value", "wall", "business_day", "month"}
        How a label becomes a tick: its own number (times in microseconds of UTC); its
        local time in microseconds; a count of business days; a count of calendar months.
    step : int or None
        Ticks from one row to the next. None: the index is not regular, so only the
        order of its labels counts.
    """

    kind: str
    scale: str
    step: int | None

    def ticks(self, index: PandasIndex) -> np.ndarray:
        """Return one tick per row."""
        return _TICKS[self.scale](index)

    def positions(self, ticks: np.ndarray) -> np.ndarray:
        """Count the steps of time from the first row to each row.

        From one row to the next is one step if the index is not regular, or if the
        difference is not a multiple of the step.
        """
        if self.step is None:
            return np.arange(len(ticks))
        # Counted from row to row, so that a label never changes the positions before it.
        steps, remainder = np.divmod(np.diff(ticks), self.step)
        steps = np.where(remainder == 0, np.maximum(steps, 1), 1)
        return np.concatenate([[0], np.cumsum(steps)])

    def check_kind(self, index: PandasIndex) -> None:
        """Refuse labels that cannot be compared with the fitted ones."""
        if (kind := _kind(index)) != self.kind:
            raise ValueError(
                f"The index of X is of kind {kind!r}, but that of the fitted rows was "
                f"{self.kind!r}, so their order in time is unknown. Pass X with an index of "
                "the fitted kind, or without one: X.reset_index(drop=True)."
            )


def infer_time_axis(index: PandasIndex, name: str = "X") -> TimeAxis:
    """Find the scale on which ``index`` is regular, and its step, if there is one."""
    kind = _kind(index)
    for scale in _scales(kind, index):
        ticks = _TICKS[scale](index)
        # A holiday is not a missing row: business days are a scale only if none is left out.
        step = _regular_step(ticks, allow_holes=scale != "business_day")
        if scale == "wall" and step is not None and step % _DAY:
            step = None  # hours are regular in UTC, not in local time
        if step is not None:
            check_holes(np.diff(ticks) // step, name=name)
            return TimeAxis(kind, scale, step)
    return TimeAxis(kind, "value", None)


def plain_label(index: PandasIndex) -> tuple[int | float | str, str]:
    """Return the only label of ``index`` as a plain value, and the unit of a time or the dtype."""
    if index.inferred_type in ("datetime64", "timedelta64"):
        return int(index.asi8[0]), index.unit
    label = index.asi8[0] if index.inferred_type == "period" else index[0]
    return label.item() if isinstance(label, np.generic) else label, str(index.dtype)


def index_of_label(label: int | float | str, dtype: str, like: PandasIndex) -> PandasIndex:
    """Make an index of what :func:`plain_label` returned; ``like`` has the same kind of labels."""
    pd = loaded_pandas()
    if like.inferred_type == "period":
        return pd.PeriodIndex.from_ordinals([label], freq=like.freq)
    if like.inferred_type == "datetime64":
        utc = pd.DatetimeIndex(np.array([label], f"datetime64[{dtype}]"), tz="UTC")
        return utc.tz_convert(like.tz)
    if like.inferred_type == "timedelta64":
        return pd.TimedeltaIndex(np.array([label], f"timedelta64[{dtype}]"))
    return pd.Index([label], dtype=dtype)


def _kind(index: PandasIndex) -> str:
    if index.inferred_type == "datetime64":
        return "datetime" if index.tz is None else f"datetime in {index.tz}"
    return str(index.dtype) if index.inferred_type == "period" else index.inferred_type


def _scales(kind: str, index: PandasIndex) -> list[str]:
    """List the scales on which an index of this kind may be regular, the first one preferred."""
    if kind in ("integer", "timedelta64") or kind.startswith("period"):
        return ["value"]
    if not kind.startswith("datetime"):
        return []
    local = index.tz_localize(None)
    if _is_business_days(local):
        return ["business_day"]
    # A local day has 23 to 25 hours in UTC, so it is tried in local time first. Rows a month
    # apart lie on nearly the same day of the month: the last business day of a month, for
    # instance, between the 26th and the 31st.
    same_day = index.day.max() - index.day.min() <= 5
    return ["wall"] * (index.tz is not None) + ["value"] + ["month"] * bool(same_day)


def _is_business_days(local: PandasIndex) -> bool:
    """Whether the labels are days over a week or more, and none is on a weekend."""
    day = np.timedelta64(1, "D")
    difference = np.diff(local.values)
    return (
        len(local) > 1
        and difference.min() == day
        and not np.any(difference % day)
        and local[-1] - local[0] >= 7 * day
        and bool(np.is_busday(local.values.astype("datetime64[D]")).all())
    )


def _value_ticks(index: PandasIndex) -> np.ndarray:
    if index.inferred_type in ("datetime64", "timedelta64"):
        return index.as_unit("us").asi8
    if index.inferred_type == "period":
        return index.asi8
    if index.inferred_type == "integer":
        return index.to_numpy().astype(np.int64)
    return index.to_numpy()


_TICKS: dict[str, Callable[[PandasIndex], np.ndarray]] = {
    "value": _value_ticks,
    "wall": lambda index: index.tz_localize(None).as_unit("us").asi8,
    "business_day": lambda index: np.busday_count(
        np.datetime64("1970-01-01"), index.tz_localize(None).values.astype("datetime64[D]")
    ),
    "month": lambda index: np.asarray(index.year * 12 + index.month, dtype=np.int64),
}


def _regular_step(ticks: np.ndarray, allow_holes: bool) -> int | None:
    """Return the smallest difference if all others are multiples of it, else None."""
    if len(ticks) < 2:
        return None
    difference = np.diff(ticks)
    step = int(difference.min())
    if step <= 0 or np.any(difference % step):
        return None
    holes = difference != step
    if not allow_holes:
        return None if holes.any() else step
    return step if are_few(holes) or holes.mean() <= _HOLES_IF_PICKED else None


def check_holes(steps: np.ndarray, allowed: float = HOLES_ALLOWED, name: str = "X") -> None:
    """Refuse rows with so many holes between them that they were picked from a series.

    Parameters
    ----------
    steps : ndarray of int
        Steps of time from each row to the next.
    allowed : float
        Largest fraction of holes.
    name : str
        Name of the argument, for messages.
    """
    holes = steps != 1
    if are_few(holes, allowed):
        return
    raise ValueError(
        f"The index of {name} steps over {int(np.sum(steps - 1))} rows in "
        f"{np.count_nonzero(holes)} places, for {len(steps) + 1} rows: the rows were picked "
        "from a series (a splitter with shuffle=True, every k-th row, a random sample), so "
        "their windows would be full of missing steps. Use a splitter that keeps blocks of "
        "rows together, such as TimeSeriesSplit, and predict on rows without such holes. If "
        f"these rows do follow each other, remove the index with {name}.reset_index(drop=True). "
        f"If rows are really missing, put in rows of NaN for them with {name}.asfreq(...)."
    )
