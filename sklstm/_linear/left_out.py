"""Blocks of rows that are left out, by the errors on which penalties are chosen.

Left-out blocks with a margin on either side: P. Burman, E. Chow and D. Nolan, "A cross-validatory
method for dependent data", Biometrika 81(2), 1994. The one-standard-error rule: L. Breiman et al.,
"Classification and regression trees", 1984.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sklstm._linear.samples import Samples

# With fewer rows, the blocks are too short to compare penalties.
ROWS_TO_CHOOSE = 40
# Few, long blocks, since these differ from each other about as much as future from past rows.
_N_LEFT_OUT_BLOCKS = 3
# A row is before a pause of its series if its targets are known so many times later than usual,
# which some rows tell.
_PAUSE, _ROWS_TO_TELL = 2, 10_000
# The maps of the penalties within this many standard errors of the lowest error are averaged.
_STANDARD_ERRORS = 1.0


@dataclass(frozen=True)
class LeftOut:
    """A block of rows, those whose targets overlap with its own, and the others."""

    block: Samples
    margins: tuple[Samples, Samples]
    others: Samples


def left_out_blocks(samples: Samples, gap: int) -> Iterator[LeftOut]:
    """Yield each of a few blocks.

    Parameters
    ----------
    samples : Samples
    gap : int
        Rows on either side of a block whose targets overlap with its own. Of several series, a
        block holds the rows of a time, and the targets of all series overlap.
    """
    clock, known = samples.clock(), samples.known_at(gap)
    some = slice(None, None, max(len(samples) // _ROWS_TO_TELL, 1))
    latest = _PAUSE * np.median(known[some] - clock[some])
    edges = np.linspace(0, len(samples), _N_LEFT_OUT_BLOCKS + 1).astype(int)[:-1]
    for start, stop in pairwise([*np.sort(clock)[edges].tolist(), clock.max() + 1]):
        if start == stop:  # of many series at few times
            continue
        block = (clock >= start) & (clock < stop)
        before, after = (clock < start) & (known >= start), clock >= stop
        # One row before a pause of its series would make all rows of the pause a margin.
        of_pause = block & (known >= stop) & (known > clock + latest)
        block, before = block & ~of_pause, before | of_pause
        if not block.any():
            continue
        after &= clock <= known[block].max()
        margins = samples.where(before), samples.where(after)
        others = samples.where(~(block | before | after))
        yield LeftOut(samples.where(block), margins, others)


def within_a_standard_error(errors: np.ndarray) -> np.ndarray:
    """Find the penalties with errors (blocks, penalties) within a standard error of the best."""
    # A power of two changes no bit, and squares of huge or tiny errors stay finite and above zero.
    errors = np.ldexp(errors, -np.frexp(errors.max())[1])
    worse = errors - errors[:, [errors.mean(axis=0).argmin()]]
    error_of_mean = worse.std(axis=0, ddof=1) / np.sqrt(len(errors))
    return worse.mean(axis=0) <= _STANDARD_ERRORS * error_of_mean
