"""Conjugate gradients for windows of many values: each iteration reads the windows once.

Stopping them early regularises, as a penalty does: M. Hanke, "Conjugate gradient type methods for
ill-posed problems", 1995.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from sklstm._linear.bases import from_last_step
from sklstm._linear.penalties import ROWS_TO_CHOOSE
from sklstm._linear.samples import Samples

_MOST_ITERATIONS, _ITERATIONS_WITHOUT_GAIN, _ITERATIONS_OF_FEW_ROWS = 50, 5, 5


def choose_n_iterations(samples: Samples, gap: int) -> int:
    """Choose the number of iterations with the lowest error on the latest fifth of the rows."""
    n_rows = len(samples)
    latest = samples.between(n_rows - n_rows // 5, n_rows)
    first = latest.window_of(0) if len(latest) else 0
    before = samples.between(0, samples.rows_within(0, first - gap - 1)[1])
    if len(before) < ROWS_TO_CHOOSE:
        return _ITERATIONS_OF_FEW_ROWS
    lowest, best = np.inf, 0
    for number, (coefficients, intercept) in enumerate(iterate(before)):
        error = 0.0
        for windows, targets, weights in latest.batches():
            values = from_last_step(windows).flatten(1)
            residual = targets - values @ coefficients.to(values) - intercept.to(values)
            squares = residual**2
            error += float((squares if weights is None else squares * weights).sum())
        if error < lowest:
            lowest, best = error, number
        elif number >= best + _ITERATIONS_WITHOUT_GAIN:
            break
        if number == _MOST_ITERATIONS:
            break
    return best


def iterate(samples: Samples) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield coefficients (window * features, outputs) and intercepts after 0, 1, ... iterations."""
    sums, with_targets = torch.zeros(()), torch.zeros(())
    for windows, targets, weights in samples.batches():
        values = from_last_step(windows).flatten(1)
        columns = torch.cat([values, targets, targets.new_ones(len(targets), 1)], 1)
        weighted = columns if weights is None else columns * weights
        sums = sums + weighted.sum(dim=0).double().cpu()
        product = columns[:, : -targets.shape[1] - 1].T @ weighted[:, -targets.shape[1] - 1 : -1]
        with_targets = with_targets + product.double().cpu()
    p = len(with_targets)
    mean, mean_target = sums[:p] / sums[-1], sums[p:-1] / sums[-1]
    residual = with_targets - torch.outer(mean, mean_target) * sums[-1]
    coefficients, direction = torch.zeros_like(residual), residual.clone()
    norm = (residual**2).sum(dim=0)
    while True:
        yield coefficients, mean_target - mean @ coefficients
        product = torch.zeros_like(residual)
        for windows, _, weights in samples.batches():
            values = from_last_step(windows).flatten(1)
            output = values @ direction.to(values) - (mean @ direction).to(values)
            output = output if weights is None else output * weights
            product += (values.T @ output).double().cpu()
        step = norm / (direction * product).sum(dim=0)
        step = torch.where(torch.isfinite(step), step, 0.0)  # no step if the residual is zero
        coefficients = coefficients + step * direction
        residual = residual - step * product
        norm, norm_before = (residual**2).sum(dim=0), norm
        direction = residual + torch.nan_to_num(norm / norm_before) * direction
