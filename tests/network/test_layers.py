"""The layers, against those of torch."""

import pytest
import torch

from sklstm._network.layers import Dropout, LSTMLayer, centred
from tests.machine import needs_bfloat16

pytestmark = pytest.mark.precision


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize(
    "low_precision", [None, pytest.param(torch.bfloat16, marks=needs_bfloat16)]
)
def test_a_layer_computes_the_same_as_that_of_torch(bidirectional, low_precision):
    layer = LSTMLayer(3, 5, batch_first=True, bidirectional=bidirectional)
    reference = torch.nn.LSTM(3, 5, batch_first=True, bidirectional=bidirectional)
    reference.load_state_dict(layer.state_dict())
    x = torch.randn(4, 6, 3, generator=torch.Generator().manual_seed(1))
    found = []
    for each in (layer, reference):
        with torch.autocast("cpu", low_precision, enabled=low_precision is not None):
            states, (hidden, cell) = each(x)
        gradients = torch.autograd.grad(states.float().square().sum(), each.parameters())
        found.append([states, hidden, cell, *gradients])
    assert all(torch.equal(*both) for both in zip(*found, strict=True))


def test_a_layer_uses_a_weight_that_was_replaced():
    layer = LSTMLayer(3, 5, batch_first=True)
    x = torch.randn(4, 6, 3, generator=torch.Generator().manual_seed(1))
    layer.weight_ih_l0 = torch.nn.Parameter(torch.zeros_like(layer.weight_ih_l0))
    assert torch.equal(layer(x)[0], layer(torch.zeros_like(x))[0])


@pytest.mark.parametrize("fraction", [0.2, 0.7])
def test_dropout_zeroes_its_fraction_and_keeps_the_mean(fraction):
    out = Dropout(fraction)(torch.ones(100, 1000), torch.Generator().manual_seed(0))
    assert abs((out == 0).float().mean() - fraction) < 0.01
    assert abs(out.mean() - 1) < 0.02


def test_dropout_changes_nothing_in_prediction():
    dropout = Dropout(0.5).eval()
    x = torch.randn(3, 4)
    assert dropout(x) is x


def test_the_mean_of_the_steps_so_far_is_subtracted_from_each_step():
    x = torch.tensor([[[1.0], [3.0], [8.0]]])
    expected = torch.tensor([[[0.0, 1.0], [1.0, 2.0], [4.0, 4.0]]])
    expected[..., 1] = torch.tanh(expected[..., 1])
    torch.testing.assert_close(centred(x), expected)
