"""Offsets of pandas as plain values, and the labels of a calendar."""

from __future__ import annotations

from typing import Any

from sklstm._series.labels import PandasIndex, loaded_pandas


def calendar_grid(start: Any, end: Any, offset: Any) -> PandasIndex:
    """Return the labels of a calendar from ``start`` to ``end``, which may lie before it."""
    return loaded_pandas().date_range(start, end, freq=offset, unit=start.unit)


def plain_offset(offset: Any) -> Any:
    """Return a pandas offset as an alias or its keywords; itself if it has neither."""
    pd = loaded_pandas()
    if offset_of_alias(offset.freqstr) == offset:
        return offset.freqstr
    if type(offset) is pd.DateOffset:
        plain = {name: int(value) for name, value in offset.kwds.items()}
        return {"n": int(offset.n), **plain}
    return offset


def pandas_offset(plain: Any) -> Any:
    """Return the offset of what :func:`plain_offset` returned."""
    if isinstance(plain, str):
        return offset_of_alias(plain)
    return loaded_pandas().DateOffset(**plain) if isinstance(plain, dict) else plain


def offset_of_alias(alias: str) -> Any:
    try:
        return loaded_pandas().tseries.frequencies.to_offset(alias)
    except ValueError:
        return None


def is_fixed(offset: Any) -> bool:
    pd = loaded_pandas()
    return isinstance(offset, (pd.offsets.Tick, pd.offsets.Day))
