"""Leads in the names of columns, as forecast_targets gives them: load_lead1, load_lead2."""

from __future__ import annotations

import re
from collections.abc import Sequence

_LEAD = re.compile(r"(.*)_lead(\d{1,18})", re.DOTALL)  # 18 digits fit into an int of 64 bits


def lead_name(name: object, lead: int) -> str:
    """Name the values of a series ``lead`` steps ahead; one without a name is called ``y``."""
    return f"{'y' if name is None else name}_lead{lead}"


def read_leads(names: Sequence[object]) -> list[int] | None:
    """Read the lead of each column from its name, 0 where it has none; None if no name has one.

    Of a name with several levels, the last one counts.
    """
    last = [name[-1] if isinstance(name, tuple) and name else name for name in names]
    matches = [_LEAD.fullmatch(name) if isinstance(name, str) else None for name in last]
    if not any(matches):
        return None
    return [0 if match is None else int(match[2]) for match in matches]


def without_lead(name: str) -> str:
    """Return the name of the series that a target is of: ``load`` for ``load_lead24``."""
    match = _LEAD.fullmatch(name)
    return name if match is None else match[1]
