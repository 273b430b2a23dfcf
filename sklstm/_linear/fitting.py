"""The linear map of whole windows, solved first: the network learns what it leaves."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from scipy.optimize import nnls
from torch.nn import functional

from sklstm._network.module import LinearSkip

# The penalty in units of the mean variance of what is penalised.
_PENALTIES = 10.0 ** np.arange(-4.0, 3.1, 0.5)
# Few blocks, so that each is long enough to differ from the others as the rows to come will.
_N_BLOCKS = 3
# Penalties that are worse than the best one by no more than this cannot be told from it.
_STANDARD_ERRORS = 1.0
# What is added to the mean square of the errors of each way, so that ways that cannot be told
# apart count the same.
_TOWARDS_EQUAL = 0.1
# With fewer rows, blocks are too short to tell penalties apart.
_ROWS_TO_CHOOSE, _PENALTY_OF_FEW = 40, 0.1
# What is free, or does not vary at all, still needs a little to be solvable: in units of the
# mean variance, and of the largest mean square, whose rounding is all that is left of a variance
# of zero.
_LEAST_PENALTY, _LEAST_OF_SQUARES = 1e-8, 1e-10
# More windows for each coefficient hardly change it.
_WINDOWS_PER_COEFFICIENT = 100
# Beyond so many coefficients, matrices of their squares take too much memory: for a long series,
# for which memory is dear and rows are plenty, more than training takes. The solution is then
# approached step by step, on so many values of windows.
_MOST_COEFFICIENTS, _MOST_FOR_LONG_SERIES = 2048, 900
_LONG_SERIES = 2_000_000  # values
_VALUES_OF_A_STEP = 400_000_000
_MOST_STEPS, _STEPS_WITHOUT_GAIN, _STEPS_OF_FEW = 50, 5, 5


@dataclass(frozen=True)
class LinearMap:
    """The weights of a linear map from windows to outputs, and how they were chosen.

    Attributes
    ----------
    weights : torch.Tensor of shape (outputs, window, features)
    intercept : torch.Tensor of shape (outputs,)
    choice : tuple
        What takes :func:`fit_linear` to the same choice on other rows.
    """

    weights: torch.Tensor
    intercept: torch.Tensor
    choice: tuple

    def skip(self, like, scale=1.0) -> LinearSkip:
        """Make a part of the network of it, of the type and on the device of ``like``."""
        numbers = torch.tensor([scale, 1.0], dtype=torch.float64)  # all of the network at first
        return LinearSkip(self.weights.to(like), self.intercept.to(like), *numbers.to(like))


def fit_linear(dataset, gap, choice=None) -> LinearMap:
    """Solve ridge regressions of the targets on whole windows, and add them up.

    A window is seen in three ways. As its last step and the way there, which alone is
    penalised: each earlier step less the last one ("steps"), or the differences from step
    to step ("differences"). The map is then drawn towards one of the last step, such as
    persistence. Differences suit smooth series with a trend, steps suit noisy ones. Or as
    it is, with every step penalised ("levels"): the map is drawn towards the mean, which
    suits what returns to it.

    For each way penalties are judged by how they predict what is left out, one block of
    rows after the other. Those that are worse by no more than a standard error cannot be
    told from the best one: the map of this way is the mean of theirs. The maps of the ways
    are added up, with shares that together predict best what was left out.

    Parameters
    ----------
    dataset : WindowDataset
        Windows in time order. Of very many, some at equal distances are taken.
    gap : int
        Rows on either side of a block whose targets overlap with its own.
    choice : tuple or None, default=None
        From another map: the ways, the penalties of each, and its share.

    Returns
    -------
    LinearMap

    References
    ----------
    A. E. Hoerl and R. W. Kennard, "Ridge regression: biased estimation for nonorthogonal
    problems", Technometrics 12(1), 1970. Windows less their last step: A. Zeng et al.,
    "Are transformers effective for time series forecasting?", AAAI 2023. Blocks left out:
    P. Burman, E. Chow and D. Nolan, "A cross-validatory method for dependent data",
    Biometrika 81(2), 1994. Standard errors: L. Breiman et al., "Classification
    and regression trees", 1984. Shares: L. Breiman, "Stacked regressions", Machine Learning
    24(1), 1996. Beyond 2,048 coefficients (900 for a series of more than two
    million values), conjugate gradients that stop early take the place of the penalty:
    M. Hanke, "Conjugate gradient type methods for ill-posed problems", 1995.
    """
    n_windows, window, n_features = dataset.windows.shape
    is_long = n_windows * n_features > _LONG_SERIES
    most = _MOST_FOR_LONG_SERIES if is_long else _MOST_COEFFICIENTS
    solve = _solve if window * n_features <= most else _approach
    known = torch.ones_like(dataset.targets, dtype=torch.bool)
    if dataset.weights is not None:
        known = dataset.weights > 0
    complete = known.all(dim=1)
    columns = [slice(None)]
    if 2 * complete.sum() < known.sum(dim=0).max():  # outputs that are known at other times
        columns = [slice(output, output + 1) for output in range(known.shape[1])]
    # What is known most often says best how to solve; the others follow it.
    maps = {}
    for column in sorted(columns, key=lambda column: -int(known[:, column].sum())):
        rows = torch.nonzero(known[:, column].all(dim=1))[:, 0].cpu()
        if not len(rows):  # an output that is not known at all
            size = known[:, column].shape[1]
            nothing = torch.zeros(size, window, n_features, dtype=torch.float64)
            maps[column.start] = LinearMap(nothing, nothing[:, 0, 0], choice)
            continue
        map_ = solve(_Rows(dataset, rows, column), gap, choice)
        choice = map_.choice
        maps[column.start] = map_
    in_order = [maps[column.start] for column in columns]
    return LinearMap(
        torch.cat([map_.weights for map_ in in_order]),
        torch.cat([map_.intercept for map_ in in_order]),
        choice,
    )


@dataclass(frozen=True)
class _Rows:
    """Some rows of a data set, and some of its outputs."""

    dataset: object
    numbers: torch.Tensor
    outputs: slice

    def thinned(self, most):
        """Take so many of the rows, at equal distances."""
        step = -(-len(self.numbers) // max(most, 1))
        return _Rows(self.dataset, self.numbers[::step], self.outputs)

    def between(self, start, stop):
        """Take the rows at these places."""
        return _Rows(self.dataset, self.numbers[start:stop], self.outputs)

    def within(self, first, last):
        """Find the places of the rows of these windows, from ``first`` to ``last``."""
        windows = self.dataset.index[self.numbers.to(self.dataset.index.device)].cpu()
        edges = torch.tensor([first, last + 1], dtype=windows.dtype)
        return torch.searchsorted(windows, edges).tolist()

    def batches(self):
        """Windows seen from their last step, targets and weights: batch by batch."""
        dataset = self.dataset
        n_values = dataset.windows.shape[1] * dataset.windows.shape[2]
        for windows, targets in dataset.batches(self.numbers, max(2**18 // n_values, 16)):
            targets, weights = targets if isinstance(targets, tuple) else (targets, None)
            if weights is not None:
                weights = weights[:, self.outputs][:, :1]
            yield from_last_step(windows), targets[:, self.outputs], weights


def from_last_step(windows):
    """Windows (batch, window, features) whose steps before the last are less the last one."""
    last = windows[:, -1:]
    return torch.cat([windows[:, :-1] - last, last], dim=1)


def _to_map(coefficients, intercept, n_features, choice):
    """Turn coefficients (window * features, outputs) of :func:`from_last_step` into a map."""
    weights = coefficients.T.reshape(len(intercept), -1, n_features).clone()
    weights[:, -1] -= weights[:, :-1].sum(dim=1)
    return LinearMap(weights, intercept, choice)


# In closed form: all that is needed of the windows are the sums of products of their values.


def _solve(rows, gap, choice):
    n_features = rows.dataset.windows.shape[2]
    n_coefficients = rows.dataset.windows.shape[1] * n_features
    rows = rows.thinned(_WINDOWS_PER_COEFFICIENT * n_coefficients)
    total = _products(rows, n_coefficients)
    if choice is None:
        choice = _choose(rows, total, gap, n_coefficients, n_features)
    coefficients, intercept = 0.0, 0.0
    for way, penalties, share in choice:
        for part in _ridge(total, n_coefficients, n_features, way, penalties):
            coefficients = coefficients + part[0] * (share / len(penalties))
            intercept = intercept + part[1] * (share / len(penalties))
    return _to_map(coefficients, intercept, n_features, choice)


def _products(rows, n_coefficients):
    """Sum the products of all columns: coefficients, 1, outputs."""
    total = None
    for windows, targets, weights in rows.batches():
        device = windows.device if windows.device.type == "cuda" else "cpu"
        values = windows.flatten(1)  # (batch, window * features)
        columns = torch.cat([values, values.new_ones(len(values), 1), targets], dim=1)
        columns = columns.to(device, torch.float64)
        weighted = columns if weights is None else columns * weights.to(columns)
        product = columns.T @ weighted
        total = product if total is None else total.add_(product)
    if total is None:
        size = n_coefficients + 1 + rows.dataset.targets[:, rows.outputs].shape[1]
        return torch.zeros(size, size, dtype=torch.float64)
    return total.cpu()


def _choose(rows, total, gap, n_coefficients, n_features):
    """Find the penalties of each way, and its share, that predict best what was left out."""
    n_rows = len(rows.numbers)
    few = (("steps", (_PENALTY_OF_FEW,), 1.0),)
    if n_rows < _ROWS_TO_CHOOSE:
        return few
    # Windows of one step have no way there.
    ways = tuple(_BASES) if n_coefficients > n_features else ("steps", "levels")
    errors = []
    edges = np.linspace(0, n_rows, _N_BLOCKS + 1).astype(int)
    windows = rows.dataset.index
    for start, stop in pairwise(edges):
        first, last = (int(windows[rows.numbers[place]]) for place in (start, stop - 1))
        from_, to = rows.within(first - gap, last + gap)
        block = _products(rows.between(start, stop), n_coefficients)
        others = total - block
        for margin in (rows.between(from_, start), rows.between(stop, to)):
            others -= _products(margin, n_coefficients)
        if not others[n_coefficients, n_coefficients] > 0.5:  # the targets overlap too far
            return few
        errors.append(_errors_of_maps(block, others, n_coefficients, n_features, ways))
    errors = np.stack(errors)  # (blocks, ways * penalties, ways * penalties)
    n_penalties = len(_PENALTIES)
    means, allowed = np.zeros((len(ways), errors.shape[1])), []
    for number in range(len(ways)):
        own = slice(number * n_penalties, (number + 1) * n_penalties)
        allowed.append(_as_good_as_the_best(errors[:, own, own].diagonal(axis1=1, axis2=2)))
        means[number, own] = allowed[-1] / allowed[-1].sum()
    shares = _shares(means @ errors @ means.T)
    return tuple(
        (way, tuple(_PENALTIES[good]), float(share))
        for way, good, share in zip(ways, allowed, shares, strict=True)
        if share > 0
    )


def _errors_of_maps(block, others, n_coefficients, n_features, ways):
    """Mean products of the errors, in a block, of each two maps solved without it.

    The maps are those of all ways and penalties; what is on the diagonal are their mean
    squared errors.
    """
    n_outputs = len(block) - n_coefficients - 1
    # From the columns to what each map leaves of the outputs: (columns, maps, outputs).
    left = torch.stack(
        [
            torch.cat([-coefficients, -intercept[None], torch.eye(n_outputs).double()])
            for way in ways
            for coefficients, intercept in _ridge(
                others, n_coefficients, n_features, way, _PENALTIES
            )
        ],
        dim=1,
    )
    with_block = (block @ left.flatten(1)).view_as(left)
    products = torch.einsum("cmo,cno->mn", left, with_block)
    return (products / block[n_coefficients, n_coefficients]).numpy()


def _as_good_as_the_best(errors):
    """Find the penalties whose errors (blocks, penalties) do not differ from the least."""
    worse = errors - errors[:, [errors.mean(axis=0).argmin()]]
    error_of_mean = worse.std(axis=0, ddof=1) / np.sqrt(len(errors))
    return worse.mean(axis=0) <= _STANDARD_ERRORS * error_of_mean


def _shares(errors):
    """Find shares that add up to one, none below zero, of the least error in all blocks.

    ``errors`` are the mean products of the errors of two ways, (blocks, ways, ways). A
    block counts by what is small or large in it, not by how restless it was.
    """
    sizes = errors.trace(axis1=1, axis2=2) / errors.shape[1]
    if not (sizes > 0).all():  # all is predicted exactly
        return np.full(errors.shape[1], 1 / errors.shape[1])
    errors = (errors / sizes[:, np.newaxis, np.newaxis]).mean(axis=0)
    squares, directions = np.linalg.eigh(errors)  # rounding may leave squares below zero
    root = np.sqrt(squares.clip(0) + _TOWARDS_EQUAL)
    # The minimum of a quadratic form on the plane is in the direction of that of the form
    # less the sum of the shares, which is a problem of least squares.
    shares, _ = nnls(root[:, np.newaxis] * directions.T, directions.sum(axis=0) / root)
    return shares / shares.sum()


def _ridge(products, n_coefficients, n_features, way, penalties):
    """Solve for each penalty: coefficients (window * features, outputs) and intercepts."""
    p = n_coefficients
    penalised = p if way == "levels" else p - n_features
    weight = products[p, p]
    mean, mean_target = products[:p, p] / weight, products[p, p + 1 :] / weight
    largest = float(products.diagonal()[:p].max() / weight)
    covariance = products[:p, :p] / weight - torch.outer(mean, mean)
    with_targets = products[:p, p + 1 :] / weight - torch.outer(mean, mean_target)
    to, back = _BASES[way]
    covariance = to(to(covariance, n_features).T, n_features)
    with_targets = to(with_targets, n_features)
    variance = covariance.diagonal().clamp(min=0)
    scale = float(variance[:penalised].mean()) if penalised else 0.0
    least = max(_LEAST_PENALTY * float(variance.mean()), _LEAST_OF_SQUARES * (largest or 1.0))
    for penalty in penalties:
        added = torch.full_like(variance, least)
        added[:penalised] += penalty * scale
        covariance.diagonal().copy_(variance + added)
        coefficients = torch.cholesky_solve(with_targets, torch.linalg.cholesky(covariance))
        coefficients = back(coefficients, n_features)
        yield coefficients, mean_target - mean @ coefficients


def _to_differences(values, n_features):
    """From a row for each step less the last one to a row for each difference of steps."""
    following = functional.pad(values[n_features:-n_features], (0, 0, 0, n_features))
    return torch.cat([following - values[:-n_features], values[-n_features:]])


def _from_differences(coefficients, n_features):
    """From coefficients of differences to those of steps less the last one."""
    before = functional.pad(coefficients[: -2 * n_features], (0, 0, n_features, 0))
    return torch.cat([before - coefficients[:-n_features], coefficients[-n_features:]])


def _to_levels(values, n_features):
    """From a row for each step less the last one to a row for each step."""
    last = values[-n_features:]
    return torch.cat([values[:-n_features] + last.repeat(len(values) // n_features - 1, 1), last])


def _from_levels(coefficients, n_features):
    """From coefficients of steps to those of steps less the last one."""
    sums = coefficients.view(-1, n_features, coefficients.shape[1]).sum(dim=0)
    return torch.cat([coefficients[:-n_features], sums])


def _unchanged(values, n_features):
    return values


_BASES = {
    "steps": (_unchanged, _unchanged),
    "differences": (_to_differences, _from_differences),
    "levels": (_to_levels, _from_levels),
}


# Step by step: each step of conjugate gradients reads the windows once.


def _approach(rows, gap, choice):
    """Take as many steps of conjugate gradients as predict the latest fifth of rows best."""
    _, window, n_features = rows.dataset.windows.shape
    rows = rows.thinned(_VALUES_OF_A_STEP // (window * n_features))
    if choice is None:
        n_rows = len(rows.numbers)
        latest = rows.between(n_rows - n_rows // 5, n_rows)
        first = int(rows.dataset.index[latest.numbers[0]]) if len(latest.numbers) else 0
        before = rows.between(0, rows.within(0, first - gap - 1)[1])
        choice = ("steps", _steps_to_take(before, latest, n_features))
    steps = _conjugate_gradients(rows)
    for _ in range(choice[1]):
        next(steps)
    return _to_map(*next(steps), n_features, choice)


def _steps_to_take(rows, held_out, n_features):
    """Find the step after which what is held out is predicted no better."""
    if len(rows.numbers) < _ROWS_TO_CHOOSE:
        return _STEPS_OF_FEW
    best, taken = np.inf, 0
    for number, (coefficients, intercept) in enumerate(_conjugate_gradients(rows)):
        error = 0.0
        for windows, targets, weights in held_out.batches():
            values = windows.flatten(1)
            left = targets - values @ coefficients.to(values) - intercept.to(values)
            error += float((left**2 if weights is None else left**2 * weights).sum())
        if error < best:
            best, taken = error, number
        elif number >= taken + _STEPS_WITHOUT_GAIN:
            break
        if number == _MOST_STEPS:
            break
    return taken


def _conjugate_gradients(rows):
    """Yield coefficients (window * features, outputs) and intercepts after 0, 1, ... steps."""
    sums, with_targets = 0.0, 0.0
    for windows, targets, weights in rows.batches():
        columns = torch.cat([windows.flatten(1), targets, targets.new_ones(len(targets), 1)], 1)
        weighted = columns if weights is None else columns * weights
        sums = sums + weighted.sum(dim=0).double().cpu()
        product = columns[:, : -targets.shape[1] - 1].T @ weighted[:, -targets.shape[1] - 1 : -1]
        with_targets = with_targets + product.double().cpu()
    p = len(with_targets)
    mean, mean_target = sums[:p] / sums[-1], sums[p:-1] / sums[-1]
    left = with_targets - torch.outer(mean, mean_target) * sums[-1]
    coefficients, direction = torch.zeros_like(left), left.clone()
    norm = (left**2).sum(dim=0)
    while True:
        yield coefficients, mean_target - mean @ coefficients
        product = torch.zeros_like(left)
        for windows, _, weights in rows.batches():
            values = windows.flatten(1)
            along = values @ direction.to(values) - (mean @ direction).to(values)
            along = along if weights is None else along * weights
            product += (values.T @ along).double().cpu()
        size = norm / (direction * product).sum(dim=0)
        size = torch.where(torch.isfinite(size), size, 0.0)  # where nothing is left
        coefficients = coefficients + size * direction
        left = left - size * product
        norm, norm_before = (left**2).sum(dim=0), norm
        direction = left + torch.nan_to_num(norm / norm_before) * direction
