"""Labels that are dates in another form: text, or integers such as 20240131."""

from __future__ import annotations

import re
import sys
import warnings
from datetime import datetime
from itertools import product
from typing import Any

import numpy as np

_DAYS = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d")
_SHORT_YEARS = ("%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%m-%d-%y", "%d-%m-%y")
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
_COMPACT = ("%Y", "%Y%m", "%Y%m%d%H", "%Y%m%d%H%M", "%Y%m%d%H%M%S", "%m/%Y", "%Y/%m", "%G-W%V-%u")
_COMPACT_TIMES = ("%Y%m%dT%H%M", "%Y%m%dT%H%M%S", "%Y%m%d_%H%M%S", "%H:%M %d.%m.%Y")
_DATES = (*_DAYS, "%Y%m%d", "%Y-%m-%d", *_SHORT_YEARS, *_NAMED_MONTHS)
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", "T%H:%M", "T%H:%M:%S")
_FORMATS = [*(date + time for date, time in product(_DATES, _TIMES)), *_COMPACT, *_COMPACT_TIMES]
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_MONTH = re.compile(rf"\b\d*({_MONTHS})[a-z]*\b", re.IGNORECASE)
_QUARTER = re.compile(r"(19|20)\d\d-?Q[1-4]")
_FIRST_YEAR, _LAST_YEAR = 1900, 2100  # numbers outside of these years are not taken for dates
_SAMPLED = 200  # labels that must parse


def dates_of_text(index: Any, name: str) -> str | None:
    """Return the expression that turns an index of text into dates, or None if it holds none.

    ``name`` is that of the argument with this index.
    """
    sample = index[np.unique(np.linspace(0, len(index) - 1, _SAMPLED).astype(int))]
    if sum(map(str.isdigit, str(sample[0]))) < 2:
        return None
    if all(_QUARTER.fullmatch(label) for label in sample):
        return f"pd.PeriodIndex({name}.index, freq='Q')"
    for form in _FORMATS:
        if all(_parses(label, form) for label in sample):
            return f"pd.to_datetime({name}.index, format={form!r})"
    if all(_MONTH.search(label) for label in sample) and _parse_somehow(sample):
        return f"pd.to_datetime({name}.index, format='mixed')"
    return None


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
        return _FIRST_YEAR <= datetime.strptime(label.strip(), form).year <= _LAST_YEAR
    except ValueError:
        return False


def integer_format(values: np.ndarray) -> str | None:
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
