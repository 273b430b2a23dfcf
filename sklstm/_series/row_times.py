"""When rows are, and when their targets are known: by number, or by time for several series."""

from __future__ import annotations

import numpy as np

from sklstm._series.panel import Panel


def clock_of(panel: Panel | None, numbers: np.ndarray) -> np.ndarray:
    """Return the place in time of rows of sorted series: of one series, the numbers of the rows."""
    return numbers if panel is None else panel.clock[numbers]


def known_at(panel: Panel | None, numbers: np.ndarray, gap: int) -> np.ndarray:
    """Return the place in time at which the targets of rows are known.

    Parameters
    ----------
    panel : Panel or None
        Of sorted rows. None: one series.
    numbers : ndarray of int
        Numbers of the rows.
    gap : int
        Number of rows after a row at the last of which its targets are known. Those beyond the
        last row of a series are not, so no later row counts.

    Returns
    -------
    ndarray of int
        Of one series, the number of that row. Of several, the place before the time of the row
        after it, which has the last target: a row predicted then knows it. Rows of a series may
        lie further apart than those of others.
    """
    if panel is None:
        return numbers + gap
    last = panel.edges[1:][panel.series[numbers]] - 1
    of_target = panel.clock[np.minimum(numbers + (gap + 1), last)]
    return np.maximum(panel.clock[numbers], of_target - 1)
