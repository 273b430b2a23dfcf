"""The column of the windows whose future an output is."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from sklstm._linear.samples import Dataset
from sklstm._series.windows import Windows, history_length

_N_SAMPLED = 256  # rows in which outputs and columns are compared
_LEAST_ROWS = 10
_MOST_ROWS = 2**20  # of rows that are not standardised; a copy of more takes memory
# The squared error of the best line, in units of the variance: rounding, but no other column.
_MOST_ERROR = 1e-6


@dataclass(frozen=True)
class OwnColumns:
    """For each output, the column that it equals ``leads`` rows later, in other units.

    Attributes
    ----------
    columns, leads : ndarray of int of shape (outputs,)
    slopes, offsets : torch.Tensor of shape (outputs,)
        The output is ``slope * column + offset``.
    """

    columns: np.ndarray
    leads: np.ndarray
    slopes: torch.Tensor
    offsets: torch.Tensor

    @property
    def used(self) -> list[int]:
        """The columns that outputs have."""
        return list(np.unique(self.columns).tolist())

    def outputs_of(self, column: int) -> np.ndarray:
        """Return the numbers of the outputs of a column, with increasing lead."""
        outputs = np.flatnonzero(self.columns == column)
        return outputs[np.argsort(self.leads[outputs], kind="stable")]

    def some(self, outputs: np.ndarray) -> OwnColumns:
        """Take some of the outputs."""
        return OwnColumns(
            self.columns[outputs], self.leads[outputs], self.slopes[outputs], self.offsets[outputs]
        )

    @property
    def have_same_leads(self) -> bool:
        """Whether each of several columns has outputs with the same leads."""
        leads = [tuple(self.leads[self.outputs_of(column)]) for column in self.used]
        return len(leads) > 1 and len(set(leads)) == 1


def find_own_columns(dataset: Dataset, leads: np.ndarray) -> OwnColumns | None:
    """Find the column of each output; None if an output has none.

    Parameters
    ----------
    dataset : Dataset
        Windows in time order.
    leads : ndarray of int of shape (outputs,)
        How many rows after its own row each output becomes known.

    Returns
    -------
    OwnColumns or None
    """
    last = int(leads.max())
    if not leads.all() or last >= len(dataset.starts):
        return None
    may_be = dataset.starts < dataset.windows.shape[0] - last
    if dataset.weights is not None:
        may_be &= (dataset.weights > 0).all(dim=1)
    # Over a hole, a target that was shifted by rows is no value of so many steps later.
    without_hole = may_be.clone()
    without_hole[len(may_be) - last :] = False
    without_hole[:-last] &= dataset.starts[last:] - dataset.starts[:-last] == last
    if without_hole.sum() >= _LEAST_ROWS:
        may_be = without_hole
    places = may_be.nonzero()[:, 0]
    if len(places) < _LEAST_ROWS:
        return None
    places = places[:: -(-len(places) // _N_SAMPLED)]
    starts, targets = dataset.starts[places], dataset.targets[places].double()
    columns = np.full(len(leads), -1)
    slopes, offsets = torch.zeros(2, len(leads), dtype=torch.float64)
    for lead in np.unique(leads).tolist():
        outputs = np.flatnonzero(leads == lead)
        lines = _lines(dataset.windows.index_select(starts + lead)[:, -1], targets[:, outputs])
        if lines is None:
            return None
        columns[outputs], slopes[outputs], offsets[outputs] = lines
    return OwnColumns(columns, leads, slopes, offsets)


class _LastSteps:
    """The last steps of windows, by the rows in which the windows begin."""

    def __init__(self, windows: Windows) -> None:
        before = history_length(windows.window_size, windows.lag_step)
        self._steps = windows.rows[before:]
        self.shape = self._steps.shape

    def index_select(self, starts: torch.Tensor) -> torch.Tensor:
        """Return the last steps as windows of one step: (n, 1, features)."""
        return torch.from_numpy(self._steps[starts.numpy()])[:, None]


def own_columns_of_rows(
    windows: Windows, usable: np.ndarray, y: np.ndarray, leads: np.ndarray
) -> OwnColumns:
    """Find the column of each output in the rows under windows, which are not standardised.

    Parameters
    ----------
    windows : Windows
    usable : ndarray of int
        Numbers of the windows with a known target.
    y : ndarray of shape (n_windows, outputs)
        NaN where unknown.
    leads : ndarray of int of shape (outputs,)

    Returns
    -------
    OwnColumns
        An output without a column has -1, and the line with slope 1 and offset 0.
    """
    usable = usable[:_MOST_ROWS]
    targets = torch.from_numpy(y[usable])
    rows: Any = SimpleNamespace(
        windows=_LastSteps(windows),
        starts=torch.from_numpy(windows.starts[usable]),
        targets=targets.nan_to_num(),
        weights=(~targets.isnan()).double(),
    )
    if (found := find_own_columns(rows, leads)) is not None:
        return found
    slopes = torch.ones(len(leads), dtype=torch.float64)
    found = OwnColumns(np.full(len(leads), -1), leads, slopes, torch.zeros_like(slopes))
    for at in range(len(leads)) if len(leads) > 1 else ():
        of_output = slice(at, at + 1)
        one = SimpleNamespace(**vars(rows))
        one.targets, one.weights = rows.targets[:, of_output], rows.weights[:, of_output]
        own = find_own_columns(one, leads[of_output])
        if own is not None:
            found.columns[at] = own.columns[0]
            found.slopes[at], found.offsets[at] = own.slopes[0], own.offsets[0]
    return found


def _lines(
    values: torch.Tensor, targets: torch.Tensor
) -> tuple[np.ndarray, torch.Tensor, torch.Tensor] | None:
    """Find column, slope and offset of targets (rows, outputs) in values (rows, features)."""
    values = values.double()
    unit, target_unit = _powers_of_two(values), _powers_of_two(targets)
    values, targets = values / unit, targets / target_unit  # squares are finite and above zero
    mean, mean_target = values.mean(dim=0), targets.mean(dim=0)
    centred, of_targets = values - mean, targets - mean_target
    products = of_targets.T @ centred  # (outputs, features)
    slopes = products / centred.square().sum(dim=0)
    errors = 1 - slopes * products / of_targets.square().sum(dim=0)[:, None]
    errors = errors.nan_to_num(nan=torch.inf)  # of constant columns and outputs
    least, columns = errors.min(dim=1)
    if not (least < _MOST_ERROR).all():
        return None
    slopes = slopes.gather(1, columns[:, None])[:, 0]
    offsets = (mean_target - slopes * mean[columns]) * target_unit
    slopes = slopes * target_unit / unit[columns]
    return columns.cpu().numpy(), slopes.cpu(), offsets.cpu()


def _powers_of_two(values: torch.Tensor) -> torch.Tensor:
    """Return for each column a power of two about as large as its largest value: no bit changes."""
    return torch.exp2(torch.frexp(values.abs().amax(dim=0)).exponent.double())
