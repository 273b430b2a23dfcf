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
    """
    if panel is None:
        return numbers + gap
    last = panel.edges[1:][panel.series[numbers]] - 1
    return panel.clock[np.minimum(numbers + gap, last)]
