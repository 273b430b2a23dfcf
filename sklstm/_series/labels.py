"""The labels of a pandas index: whether they lie in time, their order, and equal labels.

pandas is never imported here: who passes a pandas index has imported it.
"""

from __future__ import annotations

import sys
import warnings
from datetime import date
from itertools import combinations
from typing import Any

import numpy as np

from sklstm._series.dates import dates_of_text

PandasIndex = Any  # a pandas.Index, which cannot be named without importing pandas

# Kinds of labels that lie in time, in the words of pandas. All other labels are names.
NUMBERS_AND_TIMES = ("integer", "floating", "datetime64", "timedelta64", "period")
_KINDS_OF_TIMES = {
    "datetime64": "DatetimeIndex",
    "timedelta": "TimedeltaIndex",
    "timedelta64": "TimedeltaIndex",
    "period": "PeriodIndex",
}
# The order of such text is that of time, and it has one reading.
_ISO_DATE = r"\d{4}-\d\d(-\d\d([T ]\d\d(:?\d\d.*)?)?)?$"
_OFFSET = r"[T ].*(?:Z|[+-]\d\d(?::?\d\d)?)$"


def loaded_pandas() -> Any:
    """Return the pandas module if it was imported, else None: then nothing is a frame."""
    return sys.modules.get("pandas")


def label_text(label: Any) -> str:
    """Write a label of pandas, or the name of a series, as a user writes it in code.

    A time is text, without a time of day at midnight; a number of numpy is that of Python.
    """
    if isinstance(label, tuple):
        return f"({', '.join(map(label_text, label))}{',' * (len(label) == 1)})"
    pd = loaded_pandas()
    if isinstance(label, (np.datetime64, np.timedelta64)):
        label = (pd.Timestamp if isinstance(label, np.datetime64) else pd.Timedelta)(label)
    if pd is not None and isinstance(label, (pd.Timestamp, pd.Timedelta, pd.Period)):
        return repr(str(label).removesuffix(" 00:00:00"))
    return repr(label.item() if isinstance(label, np.generic) else label)


def is_pandas(X: object) -> bool:
    """Whether ``X`` is a pandas DataFrame or Series."""
    pd = loaded_pandas()
    return pd is not None and isinstance(X, (pd.DataFrame, pd.Series))


def time_index(X: Any, name: str = "X", freq: object = "auto") -> PandasIndex | None:
    """Return the pandas index of ``X`` if its labels lie in time, else None.

    Labels lie in time if they are numbers or times (dates as ISO text are times), or other text
    in increasing order. ``name`` is that of the argument, for messages.

    Raises
    ------
    ValueError
        If the index shows that the rows are not one series in time order, or if it holds text
        that parses as dates and ``freq`` does not say "rows".
    """
    if not is_pandas(X):
        return None
    index = as_times(X.index)
    if index.nlevels > 1:
        raise ValueError(
            f"The index of {name} has several levels, those of several series, but expected one "
            "series in time order. Take one of them: "
            f"{name}.xs({label_text(name_of_first(index))})."
        )
    if index.inferred_type == "string":
        dates = None
        if len(index) and not _is_rows(freq):
            dates = dates_of_text(index, f"{name}.index")
        if dates is not None:
            raise ValueError(
                f"The index of {name} holds dates as text ({label_text(index[0])}), whose order "
                "as text "
                f"need not be that of time. Turn it into times: {name}.index = {dates}. Or say "
                "freq='rows' if each row follows the one before it."
            )
        if not _is_rows(freq) and _are_blocks(index):
            raise ValueError(
                f"The index of {name} has each label ({label_text(index[0])}, "
                f"{label_text(index[-1])}, ...) in "
                "several rows that follow each other, so they look like the names of series, but "
                "every row needs its time as well. Put the times in a level after the names: "
                f"{name}.set_index(times, append=True), where times are those of the rows. If all "
                f"rows are one series, drop their labels: {name}.reset_index(drop=True)."
            )
        return index if index.is_monotonic_increasing and index.is_unique else None
    if index.inferred_type not in NUMBERS_AND_TIMES:
        return None
    check_increasing(index, name)
    return index


def _are_blocks(index: PandasIndex) -> bool:
    """Whether there are several labels, each of which has its rows, two or more, together."""
    if index.is_unique:
        return False
    edges = np.flatnonzero(np.asarray(index[1:] != index[:-1])) + 1
    lengths = np.diff(edges, prepend=0, append=len(index))
    n_labels = len(lengths)
    return bool(n_labels > 1 and lengths.min() > 1 and n_labels == index.nunique())


def name_of_first(index: PandasIndex) -> Any:
    """Return the name of the series of the first row: of more than two levels, a tuple."""
    name = index[0][:-1]
    return name[0] if len(name) == 1 else name


def _is_rows(freq: object) -> bool:
    return isinstance(freq, str) and freq == "rows"


def as_times(index: PandasIndex) -> PandasIndex:
    """Return times of Python, of pyarrow and in ISO text as those of pandas, others as they are.

    Whole numbers in floats, as files and tables with NaN hold years, are returned as integers.
    Times with several offsets to UTC, as text and objects hold them after a change of clocks, are
    returned in UTC.

    Raises
    ------
    ValueError
        If only some of the times have an offset to UTC.
    """
    if index.inferred_type == "mixed" and hasattr(index, "levels") and index.nlevels == 1:
        index = index.get_level_values(0)
    if index.inferred_type == "categorical":
        index = loaded_pandas().Index(index.to_numpy())
    inferred = index.inferred_type
    if inferred == "string" and index.str.match(_ISO_DATE).all():
        return _as_datetimes(index, format="ISO8601")
    if inferred in ("datetime", "date"):
        return _as_datetimes(index)
    if inferred == "floating" and _are_whole(index):
        return index.astype(np.int64)
    kind = _KINDS_OF_TIMES.get(inferred)
    return index if kind is None else getattr(loaded_pandas(), kind)(index)


def _are_whole(index: PandasIndex) -> bool:
    """Whether floats are whole numbers, all of which a float can tell apart."""
    numbers = index.to_numpy(np.float64, na_value=np.nan)
    return bool(((np.abs(numbers) < 2**53) & (numbers == np.round(numbers))).all())


def _as_datetimes(index: PandasIndex, **options: Any) -> PandasIndex:
    pd = loaded_pandas()
    for utc in (False, True):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", FutureWarning)  # of several offsets, in pandas 2
                times = pd.DatetimeIndex(pd.to_datetime(index, utc=utc, **options))
        except (ValueError, FutureWarning):
            continue
        if times.tz is not None and (utc or index.inferred_type == "string"):
            _check_all_have_offset(index)  # else pandas gives them that of the first one, or UTC
        return times
    return index  # no dates


def _check_all_have_offset(index: PandasIndex) -> None:
    pd = loaded_pandas()
    if index.inferred_type == "string":
        index = index[~index.str.contains(_OFFSET).astype(bool)]
    lacking = [label for label in index if pd.notna(label) and pd.Timestamp(label).tzinfo is None]
    if lacking:
        raise ValueError(
            f"The index holds the time {str(lacking[0])!r} without its offset to UTC, while other "
            "times have one, so their order is unknown. Give all of them an offset (such as "
            "'+01:00', or 'Z' for UTC), or none."
        )


def without_time(index: PandasIndex) -> list[Any]:
    """Return the labels that are no times."""
    pd = loaded_pandas()
    labels = pd.Series(index.to_numpy(object))
    is_time = labels.map(lambda label: isinstance(label, (date, pd.Period, pd.Timedelta)))
    text = labels[labels.map(lambda label: isinstance(label, str))]
    text = text[text.astype(str).str.match(_ISO_DATE)]
    is_time[text.index] = pd.to_datetime(text, format="ISO8601", utc=True, errors="coerce").notna()
    return labels[~is_time | labels.isna()].tolist()


def is_default(index: PandasIndex) -> bool:
    """Whether ``index`` is the one that pandas gives to rows without labels: 0, 1, 2, ..."""
    return isinstance(index, loaded_pandas().RangeIndex) and index.start == 0 and index.step == 1


def check_increasing(index: PandasIndex, name: str) -> None:
    """Refuse labels that are missing, out of order or duplicated."""
    if index.hasnans:
        raise ValueError(
            f"The index of {name} has missing labels, but every row needs its place in time. "
            "Drop the rows without a label, or give them one."
        )
    if index.is_monotonic_increasing and index.is_unique:
        return
    if _clocks_go_back(index):
        raise ValueError(
            f"The index of {name} repeats an hour where clocks go back in autumn (before "
            f"{label_text(_first_repeated(index))}), so it holds local times without their zone. "
            "Give the "
            f"zone: {name}.tz_localize('Europe/Berlin', ambiguous='infer'), or label the rows in "
            "UTC."
        )
    if not index.is_monotonic_increasing:
        raise ValueError(
            f"The index of {name} is not increasing, but rows must be in time order. Sort them "
            f"({name}.sort_index()), and use a splitter that keeps their order, such as "
            "TimeSeriesSplit: the windows of shuffled rows hold rows from the future."
        )
    raise ValueError(
        f"The index of {name} has duplicates (first: "
        f"{label_text(index[index.duplicated()][0])}), but "
        "every row must be a step of one series. If a row was stored twice, keep the first one: "
        f"{name}[~{name}.index.duplicated()]. If they are rows of several series, put the names of "
        f"the series before the times: {name}.set_index('shop', append=True).swaplevel(), for "
        "instance. Bootstrapped rows cannot be windowed. If the rows do follow each other, drop "
        f"their labels: {name}.reset_index(drop=True)."
    )


def _clocks_go_back(index: PandasIndex) -> bool:
    """Whether each label that is not later than the one before repeats an hour of a night.

    Clocks go back by an hour once a year, in autumn: September to November, or March to April.
    """
    if index.inferred_type != "datetime64" or index.tz is not None:
        return False
    step = np.diff(index.as_unit("ns").asi8)
    at = np.flatnonzero(step <= 0)
    labels, hour = index[at + 1], 3600 * 10**9
    in_autumn = np.isin(labels.month, (3, 4, 9, 10, 11)) & (labels.hour <= 3)
    within_an_hour = (step[at] > -hour).all() and np.median(step) <= hour
    return bool(labels.year.is_unique and in_autumn.all() and within_an_hour)


def _first_repeated(index: PandasIndex) -> Any:
    return index[1:][np.diff(index.asi8) <= 0][0]


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
    labelled = [(name, as_times(x)) for name, x in indexes.items() if not is_default(x)]
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
                f"{row}: {label_text(label)} in {name}, {label_text(other_label)} in "
                f"{other_name}. Pass "
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


def plain_labels(index: PandasIndex) -> tuple[list[int | float | str], str]:
    """Return the labels of ``index`` as plain values, and the unit of times or the dtype."""
    if index.inferred_type in ("datetime64", "timedelta64"):
        return index.asi8.tolist(), index.unit
    values = index.asi8 if index.inferred_type == "period" else index
    return values.tolist(), str(index.dtype)


def index_of_labels(labels: list[Any], dtype: str, like: PandasIndex) -> PandasIndex:
    """Make an index of what :func:`plain_labels` returned; ``like`` has labels of the same kind."""
    pd = loaded_pandas()
    if like.inferred_type == "period":
        return pd.PeriodIndex.from_ordinals(labels, freq=like.freq)
    if like.inferred_type == "datetime64":
        times = pd.DatetimeIndex(np.array(labels, f"datetime64[{dtype}]"))
        return times.tz_localize("UTC").tz_convert(like.tz)
    if like.inferred_type == "timedelta64":
        return pd.TimedeltaIndex(np.array(labels, f"timedelta64[{dtype}]"))
    return pd.Index(labels, dtype=dtype)


def kind_of(index: PandasIndex) -> str:
    """Return what the labels are: only labels of one kind can be compared."""
    if index.inferred_type == "datetime64":
        return "datetime" if index.tz is None else "datetime with a time zone"
    return str(index.dtype) if index.inferred_type == "period" else index.inferred_type


def unit_of(index: PandasIndex) -> str:
    """Return the unit of ticks: nanoseconds, or microseconds if these reach too short a time."""
    if index.inferred_type not in ("datetime64", "timedelta64"):
        return ""
    try:
        index[[0, -1]].as_unit("ns")
    except ValueError:  # pandas' OutOfBoundsDatetime is one
        return "us"
    return "ns"


def label_numbers(index: PandasIndex, unit: str, name: str) -> np.ndarray:
    """Return the number of each label, of times in ``unit`` of UTC; text as it is."""
    if index.inferred_type in ("datetime64", "timedelta64"):
        if index.unit == unit:
            return index.asi8
        try:
            numbers = index.as_unit(unit)
        except ValueError:  # out of the bounds of nanoseconds
            numbers = None
        if numbers is None or (unit == "us" and (numbers != index).any()):
            raise ValueError(
                f"The index of {name} holds labels from {label_text(index[0])} to "
                f"{label_text(index[-1])}, which "
                f"cannot be counted in the unit of the fitted labels, {unit!r}. Correct them, or "
                "fit on labels of the same times."
            )
        return numbers.asi8
    if index.inferred_type == "period":
        return index.asi8
    if index.inferred_type == "integer":
        largest = max(abs(int(index[0])), abs(int(index[-1])))
        if largest >= 2**62:
            raise ValueError(
                f"The index of {name} holds the integer {largest}, but expected integers below "
                f"2**62. Subtract the first label from all: {name}.index - {name}.index[0]; if "
                f"they are times, turn them into times: pd.to_datetime({name}.index)."
            )
        return index.to_numpy().astype(np.int64)
    return index.to_numpy()
