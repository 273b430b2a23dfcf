"""The loss of a batch, against numpy."""

import numpy as np
import pytest
import torch

from sklstm._network.loss import TargetLoss

RNG = np.random.RandomState(0)
PREDICTED, TARGET, WEIGHT = RNG.randn(3, 6, 2)
WEIGHT = np.abs(WEIGHT)
ERRORS = {"squared_error": np.square, "absolute_error": np.abs}


@pytest.mark.parametrize("loss", ERRORS)
def test_the_loss_is_the_mean_over_the_batch(loss):
    found = TargetLoss(loss)(torch.from_numpy(PREDICTED), torch.from_numpy(TARGET))
    assert float(found) == pytest.approx(ERRORS[loss](PREDICTED - TARGET).mean())


@pytest.mark.parametrize("loss", ERRORS)
def test_targets_count_by_their_weights(loss):
    weight = WEIGHT.copy()
    weight[0] = 0  # unknown
    y_true = torch.from_numpy(TARGET), torch.from_numpy(weight)
    found = TargetLoss(loss)(torch.from_numpy(PREDICTED), y_true)
    assert float(found) == pytest.approx((ERRORS[loss](PREDICTED - TARGET) * weight).mean())


@pytest.mark.parametrize("is_weighted", [False, True])
def test_the_pinball_loss_is_the_mean_over_quantiles_and_outputs(is_weighted):
    quantiles, rng = (0.1, 0.5, 0.8), np.random.RandomState(1)
    predicted = rng.randn(6, 2, 3)
    total = 0.0
    for row in range(6):
        for output in range(2):
            for place, quantile in enumerate(quantiles):
                error = TARGET[row, output] - predicted[row, output, place]
                loss = quantile * error if error > 0 else (quantile - 1) * error
                total += loss * (WEIGHT[row, output] if is_weighted else 1)
    y_true = torch.from_numpy(TARGET)
    if is_weighted:
        y_true = y_true, torch.from_numpy(WEIGHT)
    loss = TargetLoss("quantile", quantiles)
    found = loss(torch.from_numpy(predicted.reshape(6, 6)), y_true)
    assert float(found) == pytest.approx(total / 36)
