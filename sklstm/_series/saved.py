"""Check the saved state of fitted series before it is used: a file may say anything."""

from __future__ import annotations

from typing import Any

import numpy as np

_SCALES = ("rows", "value", "wall", "calendar")


def check_saved_series(state: dict[str, Any], history: Any, n_features: int) -> None:
    """Refuse a state whose parts do not fit each other, of one series.

    Raises
    ------
    ValueError
        If a part has another type or shape than a fit gives it.
    """
    _check_rows(history, n_features, "history_")
    _check_rows(state["head"], n_features, "head")
    _check_rows(state["extremes"], n_features, "extremes", n_rows=2)
    _check(type(state["first_repeats"]) is bool, "first_repeats", state["first_repeats"])
    if (timeline := state["timeline"]) is not None:
        _check_axis(timeline["axis"])
        ends = timeline["first_tick"], timeline["last_tick"]
        _check_ticks(timeline["history_ticks"], ends, len(history))
    if (few := state["few_labels"]) is not None:
        fits = type(few) is tuple and len(few) == 2 and type(few[0]) is list
        _check(fits and type(few[1]) is str, "few_labels", few)


def check_saved_panel(state: dict[str, Any], histories: Any, n_features: int) -> None:
    """Refuse a state whose parts do not fit each other, of several series.

    Raises
    ------
    ValueError
        If a part has another type or shape than a fit gives it.
    """
    _check_axis(state["axis"])
    _check_rows(state["extremes"], n_features, "extremes", n_rows=2)
    names, rows, n_ticks = state["names"], histories["rows"], state["n_ticks"]
    _check(type(names) is list and names == histories["names"], "names", names)
    _check(type(state["n_rows"]) is int and state["n_rows"] > 0, "n_rows", state["n_rows"])
    lists = (state["first"], state["last"], n_ticks, rows)
    _check(all(type(part) is list and len(part) == len(names) for part in lists), "names", names)
    for own, n in zip(rows, n_ticks, strict=True):
        _check_rows(own, n_features, "history_")
        _check(type(n) is int and n == len(own), "n_ticks", n)
    for ends in zip(state["first"], state["last"], strict=True):
        _check_ticks(state["ticks"], ends, sum(n_ticks))


def _check_axis(axis: dict[str, Any]) -> None:
    """Refuse an axis whose steps do not go forward."""
    _check(axis["scale"] in _SCALES, "scale", axis["scale"])
    _check(_is_int(axis["step"]) and axis["step"] > 0, "step", axis["step"])
    for name in ("kind", "unit"):
        _check(type(axis[name]) is str, name, axis[name])
    for name in ("anchor", "other_anchor", "limit"):
        _check(axis[name] is None or _is_int(axis[name]), name, axis[name])


def _check_rows(rows: Any, n_features: int, name: str, n_rows: int | None = None) -> None:
    fits = isinstance(rows, np.ndarray) and rows.dtype in (np.float32, np.float64)
    fits = fits and rows.ndim == 2 and rows.shape[1] == n_features
    _check(fits and len(rows) == (len(rows) if n_rows is None else n_rows), name, rows)


def _check_ticks(ticks: Any, ends: tuple[Any, Any], n_rows: int) -> None:
    """Refuse ticks that are not one for each row, or that cannot be compared."""
    fits = isinstance(ticks, np.ndarray) and ticks.shape == (n_rows,)
    fits = fits and (ticks.dtype.kind in "if" or all(type(tick) is str for tick in ticks.flat))
    _check(fits, "ticks", ticks)
    kinds = {"i": (int,), "f": (float, int)}.get(ticks.dtype.kind, (str,))
    _check(all(type(end) in kinds for end in ends), "ticks at the ends", ends)


def _is_int(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _check(fits: Any, name: str, value: Any) -> None:
    if not fits:
        raise ValueError(f"The saved state of a transformer has {name}={str(value)[:200]}.")
