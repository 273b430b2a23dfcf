"""What the names of columns say about lags: load_lag3, lag_3__load, load(t-3), load.L3."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

# The word before a number stands alone: "flag1", "avglag_7" and "weight-3" hold no lag. Nothing
# but a unit follows the number: "rolling_mean_lag1_window_size7" is no lag of a feature.
_ALONE = r"(?<![^\W_])"
_WORD = r"(?P<word>lag|lead)[ _]?(?P<number>[-+]?\d+)(?P<unit>[a-z]*)"
_AFTER = re.compile(rf"(?P<feature>.*?){_ALONE}{_WORD}", re.IGNORECASE)  # lag3, load__lag_3
# lag_3__load, lag_3_load; "lag_1_7" may be a range of lags.
_BEFORE = re.compile(rf"{_WORD}(?:__|[ _](?=\D))(?P<feature>.+)", re.IGNORECASE)
_STATSMODELS = re.compile(r"(?P<feature>.+)\.(?P<word>L)\.?(?P<number>\d+)")  # load.L3, load.L.3
# t-3, load_t-3, load(t-3), load[t - 3]
_AT_T = re.compile(
    rf"(?P<feature>.*?){_ALONE}(?P<word>t)(?P<number> ?[-+] ?\d+)[)\]]?", re.IGNORECASE
)
_NUMBERED = re.compile(r"(.*?)(\d+)(\D*)")


@dataclass(frozen=True)
class Lag:
    """The lag that a column holds.

    Attributes
    ----------
    feature : str
        Empty for names such as lag_3.
    rows : int
        Rows before; negative for rows ahead.
    unit : str, default=""
        What the name counts in, if not in rows, such as "h".
    """

    feature: str
    rows: int
    unit: str = ""


def read_lags(names: Iterable[str]) -> list[Lag | None]:
    """Read the lag of each column from its name; None for a column without one.

    A column named as a feature, or as this feature "at t", is lag 0 where another column is a
    lag of this feature.
    """
    names = list(names)
    lags: dict[str, Lag] = {}
    zeros: dict[str, Lag] = {}
    for name in names:
        forms = (_AFTER, _BEFORE, _STATSMODELS, _AT_T)
        match = next(filter(None, (form.fullmatch(name.strip()) for form in forms)), None)
        if match is None:
            continue
        parts = match.groupdict()
        feature, rows = parts["feature"].rstrip("_-. (["), int(parts["number"].replace(" ", ""))
        if parts["word"].lower() in ("lead", "t"):  # these count ahead
            rows = -rows
        lags[name] = Lag(feature, rows, parts.get("unit", ""))
        zeros[feature] = Lag(feature, 0)
        if match.re is _AT_T:  # load(t) beside load(t-3)
            start, end = match.span("number")
            zeros[name[:start] + name[end:]] = zeros[feature]
    zeros.pop("", None)  # lag_3 names no feature
    return [lags.get(name) or zeros.get(name) for name in names]


def contradiction(names: Sequence[str]) -> str | None:
    """Say why the columns are not the steps of one feature, oldest first, as far as names tell.

    None if the names do not contradict: lags of one feature, the oldest first, or one stem with
    consecutive numbers (x0, x1, x2), which says nothing about lags.
    """
    lags = read_lags(names)
    static = [name for name, lag in zip(names, lags, strict=True) if lag is None]
    if len(static) == len(names):
        return None if _are_numbered(names) else "no name holds a lag"
    if static:
        return f"{static[0]!r} is not a lag"
    known = [lag for lag in lags if lag is not None]
    features = list(dict.fromkeys(lag.feature for lag in known))
    if len(features) > 1:
        return f"they are lags of several features, such as {features[0]!r} and {features[1]!r}"
    for (name, lag), (next_name, next_lag) in pairwise(zip(names, known, strict=True)):
        if next_lag.rows >= lag.rows:
            return f"{next_name!r} stands after {name!r}, but is not later"
    if known[-1].rows < 0:
        return f"{names[-1]!r} lies ahead of its row"
    return None


def _are_numbered(names: Sequence[str]) -> bool:
    """Whether the names differ only by a number, which grows by one."""
    matches = [_NUMBERED.fullmatch(name) for name in names]
    parts = [match.groups() for match in matches if match is not None]
    if len(parts) < len(names) or len({(stem, end) for stem, _, end in parts}) > 1:
        return False
    numbers = [int(number) for _, number, _ in parts]
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))
