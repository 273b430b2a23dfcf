"""Solve the linear map of whole windows, in closed form if memory allows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from sklstm._linear.conjugate_gradients import (
    RESIDUAL,
    Map,
    choose_residual_members,
    with_residual_maps,
    zero_map,
)
from sklstm._linear.moments import Moments
from sklstm._linear.own_columns import OwnColumns
from sklstm._linear.penalties import Member, choose_members
from sklstm._linear.samples import Dataset, Samples
from sklstm._linear.skip import LinearSkip
from sklstm._series.windows import number_type

# The map is solved on at most this number of windows per coefficient; more hardly change it. Those
# of several series differ more: with 100 too, errors on validation rows of five panels were 1.01 to
# 1.07 times as large.
_WINDOWS_PER_COEFFICIENT, _WINDOWS_OF_PANEL = 100, 2000
# With more coefficients than this, the Gram matrix takes too much memory (with the limit for a long
# series, more than training takes). Then conjugate gradients solve the map of all columns, on
# windows that have at most _VALUES_FOR_GRADIENTS values together.
_MOST_COEFFICIENTS, _MOST_FOR_LONG_SERIES = 4096, 900
_LONG_SERIES = 2_000_000  # values: windows times features
_VALUES_FOR_GRADIENTS = 100_000_000

# How a map was solved.
Choice = tuple[Member, ...]


@dataclass(frozen=True)
class LinearMap:
    """The weights of a linear map from windows to outputs, and how they were chosen.

    Attributes
    ----------
    weights : torch.Tensor of shape (outputs, window, features)
    intercept : torch.Tensor of shape (outputs,)
    choice : tuple of Member or None
        Argument of :func:`fit_linear` for the same choice on other rows. None if no target is
        known.
    """

    weights: torch.Tensor
    intercept: torch.Tensor
    choice: Choice | None

    def as_module(self, like: torch.Tensor, scale: float = 1.0) -> LinearSkip:
        """Make a module, with the type and on the device of ``like``."""
        # The network weight is one at first.
        values = [torch.tensor(value, dtype=torch.float64) for value in (scale, 1.0)]
        return LinearSkip(*(part.to(like) for part in (self.weights, self.intercept, *values)))


def fit_linear(
    dataset: Dataset, gap: int, choice: Choice | None = None, own: OwnColumns | None = None
) -> LinearMap:
    """Solve ridge regressions of the targets on whole windows, and stack them.

    The regressions use three bases. "deviations": the last step, and each earlier step less the
    last one. "differences": the last step, and the differences between adjacent steps. In both,
    the last step has no penalty, so that a large penalty shrinks the map towards a map of the
    last step alone, such as persistence. Differences suit smooth series with a trend, deviations
    suit noisy series. "levels": the steps themselves, all with a penalty, which shrinks the map
    towards the mean. This suits series that return to their mean.

    Where each output is a later value of one of several columns, penalties shrink deviations and
    differences of all columns towards persistence, since the last steps of other columns would
    follow any drift. There are also a map of this column alone and, if several columns are
    forecast, one map for all of them: from many columns, most coefficients are noise. Persistence
    takes the place of the sum of all maps where that was not better by 3 % on the latest left-out
    block and on most of them.

    In each basis, the error of every penalty is measured on left-out blocks of rows. The map of
    the basis is the mean over all penalties within one standard error of the best one. The maps
    of the bases are summed with the stacking weights that have the lowest error on the left-out
    blocks.

    With more than 4,096 coefficients (900 for a series of more than two million values), the maps
    of the own columns are solved first. Unless all columns are forecast, a map of all columns is
    added, which conjugate gradients solve for what is left of the targets.

    Parameters
    ----------
    dataset : Dataset
        Windows in time order. Only every k-th one is used if there are more than needed.
    gap : int
        Rows on either side of a block whose targets overlap with its own.
    choice : tuple of Member or None, default=None
        The choice of another map, to be reused. None: choose.
    own : OwnColumns or None, default=None
        The column of each output, if each is a later value of one.

    Returns
    -------
    LinearMap

    References
    ----------
    A. E. Hoerl and R. W. Kennard, "Ridge regression: biased estimation for nonorthogonal
    problems", Technometrics 12(1), 1970. Windows minus their last step: A. Zeng et al.,
    "Are transformers effective for time series forecasting?", AAAI 2023. Choice and stacking
    weights: see ``penalties.py`` and ``stacking.py``; conjugate gradients:
    ``conjugate_gradients.py``.
    """
    _, window, n_features = dataset.windows.shape
    known = torch.ones_like(dataset.targets, dtype=torch.bool)
    if dataset.weights is not None:
        known = dataset.weights > 0
    complete = known.all(dim=1)
    columns = [slice(None)]
    if 2 * complete.sum() < known.sum(dim=0).max():  # outputs are known at different rows
        columns = [slice(output, output + 1) for output in range(known.shape[1])]
    # Choose on the output with the most known targets, and reuse the choice for the others.
    maps = {}
    for column in sorted(columns, key=lambda column: -int(known[:, column].sum())):
        is_taken = known[:, column].all(dim=1).numpy(force=True)
        places = torch.from_numpy(
            np.arange(len(is_taken), dtype=number_type(len(is_taken)))[is_taken]
        )
        if not len(places):  # an output without a known target
            size = known[:, column].shape[1]
            zeros = torch.zeros(size, window, n_features, dtype=torch.float64)
            maps[column.start] = LinearMap(zeros, zeros[:, 0, 0], choice)
            continue
        of_column = own if column == slice(None) else None
        map_ = _fit(Samples(dataset, places, column), gap, choice, of_column)
        choice = map_.choice
        maps[column.start] = map_
    in_order = [maps[column.start] for column in columns]
    weights = torch.cat([map_.weights for map_ in in_order])
    return LinearMap(weights, torch.cat([map_.intercept for map_ in in_order]), choice)


def _fit(samples: Samples, gap: int, choice: Choice | None, own: OwnColumns | None) -> LinearMap:
    n_values = samples.dataset.windows.shape[0] * samples.n_features
    most = _MOST_FOR_LONG_SERIES if n_values > _LONG_SERIES else _MOST_COEFFICIENTS
    # A column by itself has no smaller matrix of its own.
    is_single = own is not None and samples.n_features == 1
    together = is_single or samples.n_coefficients <= most
    members = tuple(member for member in choice or () if member.scope != RESIDUAL)
    if together or own is not None:
        one_series = samples.dataset.panel is None
        per_coefficient = _WINDOWS_PER_COEFFICIENT if one_series else _WINDOWS_OF_PANEL
        rows = samples.thinned(per_coefficient * samples.n_coefficients)
        moments = Moments.of(rows, own, together)
        # Outputs may be solved together on all rows, and each alone on the training rows.
        if not members or not all(map(moments.can_solve, members)):
            members = choose_members(rows, moments, gap)
        coefficients, intercept = _stack(moments, members)
    is_panel = own is not None and len(own.used) == samples.n_features
    if not together and not is_panel:
        rows = samples.thinned(_VALUES_FOR_GRADIENTS // samples.n_coefficients)

        def of_members(some: Samples) -> Map:
            if own is None:
                return zero_map(some)
            return _stack(Moments.of(some, own, together=False), members)

        residual = tuple(member for member in choice or () if member.scope == RESIDUAL)
        residual = residual or choose_residual_members(rows, of_members, gap)
        start = zero_map(rows) if own is None else (coefficients, intercept)
        coefficients, intercept = with_residual_maps(rows, start, residual)
        members += residual
    weights = coefficients.T.reshape(len(intercept), -1, samples.n_features).clone()
    weights[:, -1] -= weights[:, :-1].sum(dim=1)  # from deviations to levels
    return LinearMap(weights, intercept, members)


def _stack(moments: Moments, members: tuple[Member, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    coefficients = intercept = torch.zeros((), dtype=torch.float64)
    for member in members:
        if member.columns is not None:
            continue
        weight = member.weight / len(member.penalties)
        for some, of_some in moments.solutions(member.scope, member.basis, member.penalties):
            coefficients = coefficients + some.sum(dim=0) * weight
            intercept = intercept + of_some.sum(dim=0) * weight
    for member in members:
        if member.columns is not None:
            assert moments.own is not None
            at = np.flatnonzero(np.isin(moments.own.columns, member.columns))
            ((some, of_some),) = moments.solutions(member.scope, member.basis, member.penalties)
            coefficients[:, at], intercept[at] = some[0][:, at], of_some[0][at]
    return coefficients, intercept
