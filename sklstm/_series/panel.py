"""Several series in one frame: a pandas MultiIndex, whose last level is time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sklstm._series.dates import dates_of_text, in_last_level
from sklstm._series.labels import (
    NUMBERS_AND_TIMES,
    PandasIndex,
    as_times,
    check_increasing,
    is_pandas,
    label_text,
    time_index,
    without_time,
)
from sklstm._series.windows import number_type

_FIRST_NAMES = 3  # series that a message names
_NUMBERS = ("integer", "floating")
_TIMES = set(NUMBERS_AND_TIMES) - set(_NUMBERS)


@dataclass(frozen=True, eq=False)
class Panel:
    """Which series and which time each row has.

    Attributes
    ----------
    names : list
        Names of the series, sorted where they can be. Of an index with more than two levels,
        tuples.
    series : ndarray of int of shape (n_rows,)
        The place in ``names`` of each row.
    times : pandas.Index
        The labels of the last level, increasing and unique.
    clock : ndarray of int of shape (n_rows,)
        The place in ``times`` of each row.
    """

    names: list[Any]
    series: np.ndarray
    times: PandasIndex
    clock: np.ndarray

    def __len__(self) -> int:
        return len(self.series)

    @cached_property
    def order(self) -> np.ndarray:
        """The rows in the order of their series, and of a series in that of time."""
        return np.lexsort((self.clock, self.series))

    @cached_property
    def is_sorted(self) -> bool:
        """Whether the rows have the order of :attr:`order`."""
        step, change = np.diff(self.clock) > 0, np.diff(self.series)
        return bool(((change > 0) | ((change == 0) & step)).all())

    @cached_property
    def edges(self) -> np.ndarray:
        """Where in :attr:`order` each series begins, and the last one ends."""
        counts = np.bincount(self.series, minlength=len(self.names))
        return np.concatenate([[0], np.cumsum(counts)])

    @cached_property
    def longest(self) -> int:
        """The number of the series with most rows, the first of several."""
        return int(np.diff(self.edges).argmax())

    def rows_of(self, number: int) -> np.ndarray | slice:
        """Return the rows of a series, in the order of time."""
        at = slice(int(self.edges[number]), int(self.edges[number + 1]))
        return at if self.is_sorted else self.order[at]

    def times_of(self, number: int) -> PandasIndex:
        """Return the labels of the rows of a series."""
        return self.times[self.clock[self.rows_of(number)]]

    def take(self, rows: Any) -> Panel:
        """Take some rows, given by a slice, numbers or a mask."""
        return Panel(self.names, self.series[rows], self.times, self.clock[rows])

    def joined(self, other: Panel) -> Panel:
        """Return the panel of the rows of both, each label once."""
        times = self.times.union(other.times)
        names = list(dict.fromkeys([*self.names, *other.names]))
        ranks = dict(zip(names, _ranks(names).tolist(), strict=True))
        rows = []
        for panel in (self, other):
            series = np.array([ranks[name] for name in panel.names], dtype=np.int64)
            clock = times.get_indexer(panel.times)
            rows.append(series[panel.series] * len(times) + clock[panel.clock])
        series, clock = np.divmod(np.unique(np.concatenate(rows)), len(times))
        return Panel(sorted(names, key=ranks.__getitem__), series, times, clock)

    def rows_left(self) -> np.ndarray:
        """Count for each row the rows of its series after it."""
        dtype = number_type(len(self))
        left: np.ndarray = np.repeat(self.edges[1:].astype(dtype) - 1, np.diff(self.edges))
        left -= np.arange(len(self), dtype=dtype)
        if self.is_sorted:
            return left
        unsorted = np.empty_like(left)
        unsorted[self.order] = left
        return unsorted


def panel_of(index: PandasIndex, name: str = "X") -> Panel:
    """Make the panel of a MultiIndex, whose last level is time and whose others name the series.

    Raises
    ------
    ValueError
        If the last level is no time, a series has a label twice, or a label is missing.
    """
    levels, codes = index.levels, [np.asarray(codes) for codes in index.codes]
    for level, of_level in enumerate(codes):
        if (of_level < 0).any():
            raise ValueError(
                f"Level {level} of the index of {name} has missing labels, but every row needs "
                "the name of its series and its place in time. Drop the rows without a label, or "
                "give them one."
            )
    times, clock = _used(_as_time_level(levels[-1], index, name), codes[-1])
    names, series = _names(levels[:-1], codes[:-1])
    panel = Panel(names, series, times, clock)
    if not panel.is_sorted:
        at = panel.order
        step, change = np.diff(clock[at]), np.diff(series[at])
        twice = np.flatnonzero((change == 0) & (step == 0))
        if len(twice):
            number = int(series[at[twice[0]]])
            with of_series(names[number]):
                check_increasing(panel.times_of(number), name)
    return panel


def check_labels_of(panel: Panel | None, order: np.ndarray | None, **inputs: Any) -> None:
    """Refuse inputs with other series or times than the windows of several series.

    Parameters
    ----------
    panel : Panel or None
        Of the windows, sorted. None: they are of one series.
    order : ndarray of int or None
        The rows of the inputs that the sorted windows are of. None: all, in their order.
    **inputs : array-like
        By the names of their arguments. What has no index with several levels fits.
    """
    for argument, data in inputs.items():
        if not is_pandas(data) or data.index.nlevels == 1:
            continue
        if panel is None:
            raise ValueError(
                f"The index of {argument} has several levels, those of several series, but the "
                "windows in X do not say which series they are of. Pass them as "
                "SlidingWindowTransformer makes them of a frame with such an index: "
                "numpy.asarray(windows) loses it."
            )
        other = panel_of(data.index, argument)
        if len(other) != len(panel):
            continue  # checked elsewhere
        other = other if order is None else other.take(order)
        numbers = {name: number for number, name in enumerate(panel.names)}
        series = np.array([numbers.get(name, -1) for name in other.names])[other.series]
        clock = panel.times.get_indexer(other.times)[other.clock]
        differ = (series != panel.series) | (clock != panel.clock)
        if differ.any():
            row = int(differ.argmax())
            labels = [
                (one.names[one.series[row]], one.times[one.clock[row]]) for one in (panel, other)
            ]
            raise ValueError(
                f"X and {argument} have different indexes. The first difference is in row "
                f"{row if order is None else order[row]}: {label_text(labels[0])} in X, "
                f"{label_text(labels[1])} in "
                f"{argument}. Pass {argument}.reindex(X.index) of the frame that the windows are "
                f"of, which is NaN where {argument} has no such label."
            )


@contextmanager
def of_series(name: Any) -> Iterator[None]:
    """Say in an error of which series it is."""
    try:
        yield
    except ValueError as error:
        message = f"Series {label_text(name)}: {error}"
        if ".index" in message:
            message += (
                " Here .index stands for .index.levels[-1], and .index.set_levels(labels, "
                "level=-1) returns the index with other labels."
            )
        raise ValueError(message) from error


def some_names(names: list[Any]) -> str:
    """Join the first names of series, for a message."""
    first = ", ".join(map(label_text, names[:_FIRST_NAMES]))
    return first + (", ..." if len(names) > _FIRST_NAMES else "")


def series_index(X: Any, name: str = "X", freq: Any = "auto") -> PandasIndex | Panel | None:
    """Return the panel of ``X``, or the index of one series: see :func:`time_index`."""
    if is_pandas(X) and X.index.nlevels > 1:
        return panel_of(X.index, name)
    return time_index(X, name, freq)


def _as_time_level(level: PandasIndex, index: PandasIndex, name: str) -> PandasIndex:
    """Return the labels of the last level as times or numbers."""
    times = as_times(level)
    if not len(times):
        return times
    kind, others = times.inferred_type, index.levels[:-1]
    at_times = [place for place, other in enumerate(others) if _are_times(other)]
    if kind in _NUMBERS:
        at_times += [place for place, other in enumerate(others) if _are_years(other)]
        if not at_times or _are_years(times):
            return times
    elif kind in NUMBERS_AND_TIMES:
        return times
    if kind == "string" and (dates := dates_of_text(times, f"{name}.index.levels[-1]")):
        raise ValueError(
            f"The last level of the index of {name} holds dates as text "
            f"({label_text(times[0])}), whose "
            f"order as text need not be that of time. {in_last_level(dates, name)}"
        )
    first = without_time(times)[0] if kind == "string" else times[0]
    expected = "times or numbers"
    answer = "Put the times there."
    if at_times:
        place = at_times[-1]
        answer = f"Put level {place} last: {name}.swaplevel({place}, -1)."
        if kind in _NUMBERS:
            expected, label = "times", others[place][0]
            answer = (
                f"Level {place} holds times or years ({label_text(label)}). If the last level "
                f"names the series, put level {place} last: {name}.swaplevel({place}, -1). If it "
                "counts months or days, make one level of times from both (pd.to_datetime). If "
                f"level {place} does name the series, make it text: {name}.index = {name}.index."
                f"set_levels([f'from {{label}}' for label in {name}.index.levels[{place}]], "
                f"level={place})."
            )
    raise ValueError(
        f"The last level of the index of {name} holds {label_text(first)}, but expected "
        f"{expected}: "
        f"the last level is time, and the others name the series. {answer}"
    )


def _are_times(level: PandasIndex) -> bool:
    """Whether labels are times; the first one is looked at before all of them."""
    parts = (level[:1], level)
    return all(as_times(part).inferred_type in _TIMES for part in parts)


def _are_years(level: PandasIndex) -> bool:
    """Whether labels are three or more integers that read as years in a row."""
    if level.inferred_type != "integer" or len(level) < 3:
        return False
    first, last = level.min(), level.max()
    return bool(first >= 1900 and last <= 2100 and last - first == level.nunique() - 1)


def _used(level: PandasIndex, codes: np.ndarray) -> tuple[PandasIndex, np.ndarray]:
    """Return the labels of a level that are used, increasing, and the place of each row."""
    used = np.flatnonzero(_are_used(codes, len(level)))
    labels = level[used]
    ranks = np.arange(len(labels))
    if not (labels.is_monotonic_increasing and labels.is_unique):
        # Unsorted levels, or several labels of the same time.
        in_order = labels.unique().sort_values()
        labels, ranks = in_order, in_order.get_indexer(labels)
    place: np.ndarray = np.zeros(len(level), dtype=_type_for(len(labels)))
    place[used] = ranks
    return labels, place[codes]


def _names(levels: list[PandasIndex], codes: list[np.ndarray]) -> tuple[list[Any], np.ndarray]:
    """Return the names of the series, sorted, and the place of each row among them."""
    series = _places(_ranks(levels[0].to_numpy(object))[codes[0]])
    for level, of_level in zip(levels[1:], codes[1:], strict=True):
        series = _places(series * np.int64(len(level)) + _ranks(level.to_numpy(object))[of_level])
    first = np.zeros(int(series.max(initial=-1)) + 1, dtype=np.int64)
    first[series] = np.arange(len(series))
    columns = [level[of[first]].tolist() for level, of in zip(levels, codes, strict=True)]
    return columns[0] if len(columns) == 1 else list(zip(*columns, strict=True)), series


def _places(numbers: np.ndarray) -> np.ndarray:
    """Return the place of each number among the different ones."""
    n = int(numbers.max(initial=-1)) + 1
    if n <= 4 * len(numbers):  # takes less time than to sort them
        is_used = _are_used(numbers, n)
        return (np.cumsum(is_used) - 1).astype(_type_for(int(is_used.sum())))[numbers]
    different, places = np.unique(numbers, return_inverse=True)
    return places.astype(_type_for(len(different)))


def _are_used(codes: np.ndarray, n: int) -> np.ndarray:
    """Mark the numbers below ``n`` that occur."""
    is_used = np.zeros(n, dtype=bool)
    is_used[codes] = True
    return is_used


def _ranks(labels: Any) -> np.ndarray:
    """Return the place of each of some different labels in sorted order."""
    try:
        order = sorted(range(len(labels)), key=labels.__getitem__)
    except TypeError:  # labels of several types
        order = sorted(range(len(labels)), key=lambda at: (str(type(labels[at])), repr(labels[at])))
    ranks: np.ndarray = np.empty(len(labels), dtype=_type_for(len(labels)))
    ranks[order] = np.arange(len(labels))
    return ranks


def _type_for(n: int) -> type:
    """Return the smallest type for numbers below ``n``, of which there is one per row."""
    return np.int16 if n < 2**15 else np.int32
