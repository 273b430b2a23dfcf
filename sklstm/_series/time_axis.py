"""Where rows lie in time: labels become ticks, and ticks become counts of steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import numpy as np

from sklstm._series.calendars import calendar_grid, offset_of_alias, pandas_offset
from sklstm._series.clocks import (
    before_skip,
    days_in_unit,
    in_zone,
    local_numbers,
    local_times,
    times_of,
    zone_of,
)
from sklstm._series.labels import (
    PandasIndex,
    is_default,
    is_pandas,
    kind_of,
    label_numbers,
    label_text,
    loaded_pandas,
    without_time,
)

ROWS = "freq='rows' if each row follows the one before it"
# Between labels about equally far apart, this many times their difference is a hole.
HOLE = 1.5


@dataclass(frozen=True)
class TimeAxis:
    """Turns the labels of an index into ticks, and ticks into counts of steps.

    A tick is the number that stands for a label; for text, it is the text itself.

    Attributes
    ----------
    kind : str
        What the labels are. Labels of different kinds cannot be compared.
    freq : str or int
        The step from row to row: an alias of pandas, a number for integers, or "rows".
    scale : {"rows", "value", "wall", "calendar"}
        How steps are counted. "rows": from label to label. "value": in the numbers of the labels
        (of times those in UTC). "wall": in local time. "calendar": on the grid of ``offset``.
        A tick is a number on that grid for "calendar", else the number of the label.
    step : int, default=1
        Ticks from one row to the next.
    given : bool, default=False
        Whether the user gave ``freq``. If so, any number of holes is as it should be.
    unit : {"ns", "us", ""}, default=""
        Unit of ticks that are times.
    zone : str or None, default=None
        Time zone of the fitted labels.
    anchor : int or None, default=None
        A number on the grid, in local time for "wall" and "calendar".
    other_anchor : int or None, default=None
        Of "value" and "wall", the anchor of the one that ``scale`` does not name, while the
        fitted labels fit both: clocks did not change between them. Later labels decide.
    offset : str, dict, pandas offset or None, default=None
        The offset of a calendar, from :func:`plain_offset`.
    limit : int, float or None, default=None
        With "rows", the largest difference of ticks that has one reading. None: there is none.
    """

    kind: str
    freq: str | int
    scale: str
    step: int = 1
    given: bool = False
    unit: str = ""
    zone: str | None = None
    anchor: int | None = None
    other_anchor: int | None = None
    offset: Any = None
    limit: float | None = None

    def ticks(self, index: PandasIndex, name: str = "X") -> np.ndarray:
        """Return one tick per row."""
        if self.scale == "calendar":
            return self._numbers_on_grid(index, name)
        return label_numbers(index, self.unit, name)

    def positions(
        self, ticks: np.ndarray, index: PandasIndex | None, name: str = "X"
    ) -> np.ndarray:
        """Count the steps of time from the first row to each row.

        Parameters
        ----------
        ticks : ndarray
            Increasing.
        index : pandas.Index or None
            Labels of the last of these rows, for messages. None: they have none.
        name : str
            Name of the argument, for messages.

        Raises
        ------
        ValueError
            If a label lies off the grid, or a hole has several readings.
        """
        if self.scale == "rows":
            if self.limit is not None and index is not None and (np.diff(ticks) > self.limit).any():
                self._refuse_hole(ticks, index, name)
            return np.arange(len(ticks))
        for reading in self._readings():
            steps, off = reading.steps(ticks)
            if not off.any():
                return steps - steps[0]
        if index is None:
            raise ValueError(
                f"The rows of {name} have no labels, and those that would follow the last row seen "
                f"lie off the grid of freq={self.freq!r}. Pass {name} with its index."
            )
        _, off = self.steps(ticks)
        row = int(np.argmax(off)) - len(ticks) + len(index)
        self._refuse_off_grid(index, max(row, 0), name)

    def steps(self, ticks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Count steps on this scale; return as well which ticks lie off the grid."""
        anchor = 0 if self.anchor is None or self.scale == "calendar" else self.anchor
        steps, remainder = np.divmod(self.numbers(ticks) - anchor, self.step)
        off = remainder != 0
        return steps, off if off.any() else np.diff(steps, prepend=steps[0] - 1) < 1

    def numbers(self, ticks: np.ndarray) -> np.ndarray:
        """Return the numbers on the grid that ticks stand for: in local time for "wall"."""
        if self.scale != "wall":
            return ticks
        local = local_numbers(ticks, self.unit, self.zone)
        if self.anchor is None:
            return local
        return before_skip(local, ticks, self.anchor, self.step, self.unit, self.zone)

    def decided(self, ticks: np.ndarray) -> TimeAxis:
        """Return the axis with one scale only, if these ticks lie on the grid of only one."""
        if self.other_anchor is None:
            return self
        fitting = [axis for axis in self._readings() if not axis.steps(ticks)[1].any()]
        return fitting[0] if len(fitting) == 1 else self

    def next_ticks(self, tick: Any, n_ticks: int) -> np.ndarray:
        """Return the ticks of the rows that follow the row with this tick."""
        ahead = self.step * np.arange(1, n_ticks + 1)
        if self.scale != "wall":
            return np.asarray(tick + ahead)
        local = self.numbers(np.array([tick])) + ahead
        return np.asarray(in_zone(times_of(local, self.unit), zone_of(self.zone)).asi8)

    def _readings(self) -> Iterator[TimeAxis]:
        """List the axis with each of its scales alone, the preferred one first."""
        if self.other_anchor is None:
            yield self
            return
        yield replace(self, other_anchor=None)
        other = "value" if self.scale == "wall" else "wall"
        yield replace(self, scale=other, anchor=self.other_anchor, other_anchor=None)

    def next_labels(self, index: PandasIndex, row: int, n_labels: int) -> PandasIndex | None:
        """Return the labels that follow that of ``row``; None if the calendar does not tell."""
        pd = loaded_pandas()
        label, ahead = index[row], np.arange(1, n_labels + 1)
        if self.offset is not None:
            offset = pandas_offset(self.offset)
            first = self._local_label(index[[row]], days_in_unit(1, self.unit)) + offset
            n_steps = n_labels * self.step
            grid = pd.date_range(first, periods=n_steps, freq=offset, unit=self.unit)
            return self._in_zone_of(index, grid[self.step - 1 :: self.step])
        if self.scale == "rows":
            return None
        if index.inferred_type == "integer":
            return pd.Index(label + self.step * ahead)
        if index.inferred_type == "period":
            return pd.PeriodIndex.from_ordinals(label.ordinal + self.step * ahead, freq=index.freq)
        steps = pd.TimedeltaIndex((self.step * ahead).astype(f"timedelta64[{self.unit}]"))
        if self.scale == "wall":
            return self._in_zone_of(index, self._local_label(index[[row]], self.step) + steps)
        return label + steps

    def check_kind(self, index: PandasIndex, name: str = "X") -> None:
        """Refuse labels that cannot be compared with the fitted ones."""
        kind = kind_of(index)
        is_number = {kind, self.kind} == {"integer", "floating"}  # which have an order
        if kind == self.kind or (is_number and self.scale == "rows"):
            return
        found = f"is of kind {kind!r}"
        answer = f"Pass {name} with an index of the fitted kind, or without one: "
        answer += f"{name}.reset_index(drop=True)."
        labels = f"pd.to_datetime({name}.index"
        if self.kind == "datetime with a time zone" and kind == "datetime":
            zone = zone_of(self.zone)
            answer = (
                f"Give the zone to the labels: {name}.set_axis({labels}).tz_localize({zone!r}))."
            )
        elif self.kind == "datetime" and kind == "datetime with a time zone":
            answer = (
                "Use local times as in the fit, in the zone of the fitted labels, for instance: "
                f"{name}.set_axis({labels}, utc=True).tz_convert('Europe/Berlin')"
                ".tz_localize(None))."
            )
        elif self.kind.startswith("period[") and kind == "datetime":
            period = self.kind[len("period[") : -1]
            answer = f"Turn dates into periods: {name}.set_axis({labels}).to_period({period!r}))."
        elif self.is_of_times and (others := without_time(index)):
            found = f"holds {label_text(others[0])}, which is no time: it {found}"
        raise ValueError(
            f"The index of {name} {found}, but that of the fitted rows was "
            f"{self.kind!r}, so their order in time is unknown. {answer}"
        )

    def check_has_times(self, X: Any, name: str = "X") -> None:
        """Refuse rows whose labels are names, where those of the fitted rows are times."""
        if self.is_of_times and is_pandas(X) and not is_default(X.index):
            self.check_kind(X.index, name)

    @property
    def is_of_times(self) -> bool:
        """Whether the fitted labels are times, not numbers or text."""
        return self.kind.startswith(("datetime", "timedelta", "period"))

    def _local_label(self, label: PandasIndex, step: int) -> Any:
        """Return the local time on the grid that a label stands for."""
        local = local_times(label, self.zone).as_unit(self.unit)
        if label.tz is None or self.anchor is None:
            return local[0]
        ticks = label.as_unit(self.unit).asi8
        numbers = before_skip(local.asi8, ticks, self.anchor, step, self.unit, self.zone)
        return times_of(numbers, self.unit)[0]

    def _in_zone_of(self, index: PandasIndex, local: PandasIndex) -> PandasIndex:
        """Return local times of the fitted zone as times in the zone of ``index``."""
        times = in_zone(local, zone_of(self.zone))
        return times if index.tz is None else times.tz_convert(index.tz)

    def _about(self) -> str:
        """Return the frequency nearest to the differences of labels on no grid."""
        assert self.limit is not None
        pd = loaded_pandas()
        median = pd.Timedelta(int(self.limit / HOLE), unit=self.unit)
        units = ("D", "h", "min", "s", "ms", "us", "ns")
        unit = next(unit for unit in units if median / pd.Timedelta(1, unit) >= 0.9)
        number = round(median / pd.Timedelta(1, unit))
        return f"{number}{unit}" if number > 1 else unit

    def _numbers_on_grid(self, index: PandasIndex, name: str) -> np.ndarray:
        """Count the steps of the calendar from the anchor to each label."""
        label_numbers(index, self.unit, name)  # refuses times that the unit cannot count
        local = local_times(index, self.zone).as_unit(self.unit)
        anchor = times_of(np.array([self.anchor]), self.unit)[0]
        offset = pandas_offset(self.offset)
        numbers = np.zeros(len(local), dtype=np.int64)
        later = local >= anchor
        # A day more, where clocks skipped midnight.
        before = local.min() - loaded_pandas().Timedelta(days=1).as_unit(self.unit)
        for at, end, sign in ((later, local.max(), 1), (~later, before, -1)):
            if not at.any():
                continue
            grid = calendar_grid(anchor, end, offset * sign)
            found = grid.get_indexer(local[at])
            if (found < 0).any() and index.tz is not None:
                ticks = index[at].as_unit(self.unit).asi8
                day, unit, zone = days_in_unit(1, self.unit), self.unit, self.zone
                there = before_skip(local[at].asi8, ticks, self.anchor or 0, day, unit, zone)
                found = grid.get_indexer(times_of(there, unit))
            if (found < 0).any():
                self._refuse_off_grid(index, int(np.flatnonzero(at)[found < 0][0]), name)
            numbers[at] = sign * found
        return numbers

    def _refuse_hole(self, ticks: np.ndarray, index: PandasIndex, name: str) -> NoReturn:
        row = int(np.argmax(np.diff(ticks) > self.limit)) + 1
        size: Any = ticks[row].item() - ticks[row - 1].item()
        if self.kind == "floating":
            size = f"{size:g}"
        if self.unit:
            size = loaded_pandas().Timedelta(size, unit=self.unit)
        label = label_text(index[max(row - len(ticks) + len(index), 0)])
        if self.offset is None:
            why = "while its other labels are about equally far apart, but on no grid"
            code = ""
            if self.unit:
                code = _on_grid(index, name, self._about(), lambda labels: True)
            elif self.kind == "floating":
                code = _as_integers(name, self.limit)
            grid = "use periods" if "to_period" in code else "put the labels on a grid"
            answer = f"If rows are missing, {grid}{f': {name}.set_axis({code})' if code else ''}"
        else:
            why = "which is longer than holidays are, while business days count as rows"
            answer = "If business days are missing, say freq='B'"
        raise ValueError(
            f"The index of {name} has a hole of {size} before {label}, {why}. So it is open "
            f"whether rows are missing there. {answer}. Say {ROWS}."
        )

    def _refuse_off_grid(self, index: PandasIndex, row: int, name: str) -> NoReturn:
        def fits(labels: PandasIndex) -> bool:
            # The grid may begin at another time of day than the one that rounding takes.
            return not self.steps(labels.as_unit(self.unit).asi8)[1].any()

        advice = code = _on_grid(index, name, str(self.freq), fits) if self.unit else ""
        if code:
            periods = f", or use periods ({name}.set_axis({code}))"
            advice = periods if "to_period" in code else f" (such as {code})"
        raise ValueError(
            f"The label {label_text(index[row])} in the index of {name} lies off the grid of "
            f"freq={self.freq!r}, on which the other labels are. Correct the label{advice}, or "
            f"say {ROWS}."
        )


def _on_grid(index: PandasIndex, name: str, freq: str, fits: Callable[[PandasIndex], bool]) -> str:
    """Return the code that puts labels on the grid of ``freq``; empty if none does so for all."""
    ways = [[("round", freq)], [("floor", freq)]]
    if period := _period(freq):
        ways.insert(0, [("to_period", period)])
    if (zone := getattr(index, "tz", None)) is not None:
        # Clocks that are put back repeat times, which rounding cannot tell apart.
        ways.append([("tz_convert", "UTC"), ("round", freq), ("tz_convert", str(zone))])
    for calls in ways:
        labels = index
        try:
            for method, argument in calls:
                labels = getattr(labels, method)(argument)
            works = labels.is_unique and ("to_period" in calls[0] or fits(labels))
        except Exception:  # of pandas or pytz, where clocks skip a time or repeat it
            continue
        if works:
            return f"{name}.index" + "".join(f".{method}({given!r})" for method, given in calls)
    return ""


def _as_integers(name: str, limit: float | None) -> str:
    """Return the code that makes integers of floats, such as months of years: 1950.0833."""
    assert limit is not None
    step = limit / HOLE
    is_part = step < 0.9 and abs(round(1 / step) * step - 1) < 0.01
    return (
        f"({name}.index {f'* {round(1 / step)}' if is_part else f'/ {step:g}'}).round().astype(int)"
    )


def _period(freq: str) -> str | None:
    """Return the calendar period of labels about this far apart: months, or weeks."""
    pd = loaded_pandas()
    offset = offset_of_alias(freq)
    if offset is None:
        return None
    start = pd.Timestamp("2024-02-01")
    days = (start + 4 * offset - start).days / 4
    return {7: "W", 29: "M", 30: "M", 31: "M"}.get(round(days))
