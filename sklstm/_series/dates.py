"""Labels that are dates in another form: text, or integers such as 20240131."""

from __future__ import annotations

import re
import sys
import warnings
from datetime import datetime
from itertools import product
from operator import gt, lt
from typing import Any

import numpy as np

_DAYS = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d")
_SHORT_YEARS = ("%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%m-%d-%y", "%d-%m-%y", "%y-%m-%d", "%y/%m/%d")
_NAMED_MONTHS = (
    "%d %b %Y",
    "%d-%b-%Y",
    "%b %d, %Y",
    "%b %Y",
    "%b-%Y",
    "%d-%b-%y",
    "%b-%y",
    "%b %y",
)
_COMPACT = ("%Y", "%Y%m", "%Y%m%d%H", "%Y%m%d%H%M", "%Y%m%d%H%M%S", "%G-W%V-%u", "%Y-%j")
_OF_MONTHS = (
    *("%m/%Y", "%Y/%m", "%m.%Y", "%Y.%m", "%m-%Y", "%Y-%m", "%m %Y", "%Y %m", "%Y_%m"),
    *("%YM%m", "%Y M%m", "%Y-M%m"),
)
_COMPACT_TIMES = ("%Y%m%dT%H%M", "%Y%m%dT%H%M%S", "%Y%m%d_%H%M%S", "%H:%M %d.%m.%Y")
_DATES = (*_DAYS, "%Y%m%d", "%Y-%m-%d", "%Y_%m_%d", *_SHORT_YEARS, *_NAMED_MONTHS)
_TIMES = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %H.%M", " %I:%M %p", " %I:%M:%S %p")
_LETTERED = ("T%H:%M", "T%H:%M:%S", "T%H:%M:%S.%f")
_FORMATS = [date + time for date, time in product(_DATES, _TIMES + _LETTERED)]
_FORMATS += [*_COMPACT, *_OF_MONTHS, *_COMPACT_TIMES]
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_MONTH = re.compile(rf"\b\d*({_MONTHS})[a-z]*\b", re.IGNORECASE)
_WEEKDAY = re.compile(r"(mon|tue|wed|thu|fri|sat|sun)[a-z]*,? ", re.IGNORECASE)
# Text of quarters, weeks, half-years and seasons, and what turns an index of it into times.
_PARTS_OF_YEARS = {
    r"\d{4}-?Q[1-4]": "pd.PeriodIndex({}, freq='Q')",
    r"\d{4} Q[1-4]": "pd.PeriodIndex({}.str.replace(' ', ''), freq='Q')",
    r"(Q[1-4]|[1-4]Q)[ /-]?\d{4}": "pd.PeriodIndex({0}.str[-4:] + 'Q' "
    "+ {0}.str[:2].str.strip('Qq'), freq='Q')",
    r"\d{4}[ -]?W\d\d": "pd.to_datetime({0}.str[:4] + {0}.str[-2:] + '1', format='%G%V%u')",
    r"\d{4}[ -]?[HS][12]": "pd.to_datetime({0}.str[:4] + {0}.str[-1].map({{'1': '01', '2': '07'}})"
    ", format='%Y%m')",
    r"\d{4}/(\d\d|\d{4})": "pd.PeriodIndex({}.str[:4], freq='Y')",
}
_FIRST_YEAR, _LAST_YEAR = 1900, 2100  # numbers outside of these years are not taken for dates
_SAMPLED = 200  # labels that must parse


def dates_of_text(index: Any, index_of: str) -> str | None:
    """Return the expression that turns an index of text into dates, or None if it holds none.

    ``index_of`` is the expression for the index, such as "X.index".
    """
    sample = index[np.unique(np.linspace(0, len(index) - 1, _SAMPLED).astype(int))]
    if sum(map(str.isdigit, str(sample[0]))) < 2:
        return None
    if any(label != label.strip() for label in sample):
        sample, index_of = sample.str.strip(), f"{index_of}.str.strip()"
    forms = [form for form in _FORMATS if _parses(sample[0], form)]
    forms = [form for form in forms if all(_parses(label, form) for label in sample)]
    if forms:
        first, *others = _likely(sample, forms)
        also = f", or with {' or '.join(f'format={form!r}' for form in others)}" if others else ""
        return f"pd.to_datetime({index_of}, format={first!r}){also}"
    for part, times in _PARTS_OF_YEARS.items():
        if all(re.fullmatch(part, label, re.IGNORECASE) for label in sample):
            return times.format(index_of)
    if index.str.fullmatch(r"\d{6,7}").all():
        return dates_of_integers(index.to_numpy().astype(np.int64), index_of)
    if all(_MONTH.search(label) for label in sample) and _parse_somehow(sample):
        return f"pd.to_datetime({index_of}, format='mixed')"
    if all(map(_WEEKDAY.match, sample)):
        return dates_of_text(index.str.split(n=1).str[1], f"{index_of}.str.split(n=1).str[1]")
    return None


def _likely(sample: Any, forms: list[str]) -> list[str]:
    """Leave out formats in which the labels are in no order, if they are in order in others."""
    days = [[datetime.strptime(label, form) for label in sample] for form in forms]
    likely = [
        form
        for form, found in zip(forms, days, strict=True)
        if all(map(lt, found, found[1:])) or all(map(gt, found, found[1:]))
    ]
    return likely or forms


def _parse_somehow(sample: Any) -> bool:
    """Whether pandas parses text in which the names of months stand."""
    pd = sys.modules["pandas"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of formats that differ
        try:
            return bool(pd.to_datetime(sample, format="mixed").notna().all())
        except (ValueError, OverflowError):
            return False


def _parses(label: str, form: str) -> bool:
    try:
        time = datetime.strptime(label, form)
    except ValueError:
        return False
    # Days of a year have three digits, which strptime does not ask for.
    is_short_day = form == "%Y-%j" and len(label) < len("2024-031")
    return _FIRST_YEAR <= time.year <= _LAST_YEAR and not is_short_day


def dates_of_integers(values: np.ndarray, index_of: str) -> str | None:
    """Return the expression that turns integers into dates, or None if they are no dates."""
    digits = f"{index_of}.astype(str)"
    form = _integer_format(values)
    if form == "%Y%m" and len(values) < 3:
        return None
    if form is not None:
        return f"pd.to_datetime({digits}, format={form!r})"
    years, weeks = np.divmod(values, 100)
    if _turn_of_years(years, weeks, 53):
        return f"pd.to_datetime({digits} + '1', format='%G%V%u')"
    years, days = np.divmod(values, 1000)
    if _turn_of_years(years, days, 366):
        return f"pd.to_datetime({digits}, format='%Y%j')"
    return None


def in_last_level(dates: str, name: str) -> str:
    """Say how to put times in the place of the last level of an index."""
    return (
        f"Turn them into times = {dates}, and put these in their place: {name}.index = "
        f"{name}.index.set_levels(times, level=-1)."
    )


def _turn_of_years(years: np.ndarray, parts: np.ndarray, largest: int) -> bool:
    """Whether integers count weeks or days (parts) of years, and a year begins among them."""
    in_range = years.min() >= _FIRST_YEAR and years.max() <= _LAST_YEAR
    in_range = in_range and parts.min() >= 1 and parts.max() <= largest
    begins = np.flatnonzero(np.diff(years) == 1)
    near_ends = (parts[begins] >= 0.9 * largest) & (parts[begins + 1] <= 0.1 * largest + 1)
    return bool(in_range and len(begins) and near_ends.all())


def _integer_format(values: np.ndarray) -> str | None:
    """Return the format in which integers are dates written without separators, or None."""
    n_digits = len(str(values.max()))
    if n_digits not in (6, 8, 10, 12, 14) or len(str(values.min())) != n_digits:
        return None
    parts: list[np.ndarray] = []
    rest = values
    for _ in range((n_digits - 4) // 2):
        rest, part = np.divmod(rest, 100)
        parts.insert(0, part)
    limits = [(1, 12), (1, 31), (0, 23), (0, 59), (0, 59)]
    parts = [rest, *parts]
    for part, (low, high) in zip(parts, [(_FIRST_YEAR, _LAST_YEAR), *limits], strict=False):
        if part.min() < low or part.max() > high:
            return None
    return "%Y%m%d%H%M%S"[: 2 * len(parts)]
