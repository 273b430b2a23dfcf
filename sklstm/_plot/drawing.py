"""Drawing tools that the displays have in common: axes, colours, line styles, row labels.

Black and the three hues are from the set of M. Okabe and K. Ito, "Color universal design",
2008, which people with colour blindness can tell apart. What must be told apart also
differs in grey, or by line style, marker or hatch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import Collection
    from matplotlib.figure import Figure

BLACK, GREY, BLUE, ORANGE, VERMILLION = "#000000", "#999999", "#0072B2", "#E69F00", "#D55E00"


def axes_and_figure(ax: Axes | None, caller: str, **options: Any) -> tuple[Axes, Figure]:
    """Return ``ax`` and its figure; if ``ax`` is None, make both with these options."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(f"{caller} needs matplotlib: pip install 'sklstm[plot]'") from error
    ax = plt.subplots(layout="constrained", **options)[1] if ax is None else ax
    if not isinstance(ax, plt.Axes):
        raise TypeError(
            f"ax must be Axes of matplotlib, or None for those of a new figure, got {ax!r:.60}."
        )
    return ax, cast("Figure", ax.figure)  # a SubFigure has the methods that are used here


def line_style(given: dict[str, Any] | None, **defaults: Any) -> dict[str, Any]:
    """Merge keywords of a line; ``given`` ones win over defaults, short names included."""
    from matplotlib.cbook import normalize_kwargs
    from matplotlib.lines import Line2D

    if given is not None and not isinstance(given, Mapping):
        raise TypeError(
            "line_kw must be a dict of keywords of matplotlib's plot, for instance "
            f"{{'linewidth': 3}}, got {given!r:.60}."
        )
    return defaults | normalize_kwargs(dict(given or {}), Line2D)


def draw_band(ax: Axes, x: NDArray[Any], ends: NDArray[Any], color: Any, label: str) -> Collection:
    """Draw intervals, whose lower and upper ends are (n, 2), as a shaded band."""
    style: dict[str, Any] = {"color": color, "alpha": 0.2, "label": label}
    if len(x) == 1:  # a band without width
        return ax.vlines(x, ends[:, 0], ends[:, 1], linewidth=5, **style)
    return ax.fill_between(x, ends[:, 0], ends[:, 1], linewidth=0, **style)


def legend_on_top(ax: Axes, n_columns: int) -> None:
    """Put a legend inside the axes at the upper edge, with each label once."""
    handles, labels = ax.get_legend_handles_labels()
    once = dict(zip(labels, handles, strict=True))
    ax.legend(once.values(), once.keys(), ncols=n_columns, loc="upper center", frameon=False)


def drawing_positions(labels: ArrayLike) -> NDArray[Any]:
    """Convert labels of rows to numbers on the x axis; dates as matplotlib counts them."""
    from matplotlib.dates import date2num

    labels = _as_times(labels)
    return date2num(labels) if labels.dtype.kind == "M" else labels


def label_rows(ax: Axes, labels: ArrayLike) -> None:
    """Label the x axis for data drawn at the :func:`drawing_positions` of these labels."""
    name = getattr(labels, "name", None)
    if _as_times(labels).dtype.kind != "M":
        ax.set_xlabel("row" if name is None else name)
        return
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    ax.xaxis_date()
    locator = AutoDateLocator()
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def _as_times(labels: Any) -> NDArray[Any]:
    """Convert labels to an array: a period to its start, a time in a zone to local time."""
    if hasattr(labels, "to_timestamp"):
        labels = labels.to_timestamp()
    if getattr(labels, "tz", None) is not None:
        labels = labels.tz_localize(None)
    return np.asarray(labels)
