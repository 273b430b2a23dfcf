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
