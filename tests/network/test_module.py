"""The network, against the equations of the LSTM."""

import numpy as np
import pytest
import torch

from sklstm._network import module as network_module
from sklstm._network.module import Dropout, LinearSkip, LSTMLayer, StackedLSTM, centred
from tests.machine import needs_bfloat16

pytestmark = pytest.mark.precision


def build(sizes=(4, 3), seed=0, **params):
    generator = torch.Generator().manual_seed(seed)
    return StackedLSTM(2, sizes, 1, dtype=torch.float64, generator=generator, **params)


def lstm_by_hand(layer, x):
    """The recurrence of Hochreiter and Schmidhuber, with the forget gate of Gers et al."""
    w_in, w_back = layer.weight_ih_l0.numpy(), layer.weight_hh_l0.numpy()
    bias = layer.bias_ih_l0.numpy() + layer.bias_hh_l0.numpy()
    hidden = cell = np.zeros((len(x), layer.hidden_size))
    sequence = []
    for step in range(x.shape[1]):
        gates = x[:, step] @ w_in.T + hidden @ w_back.T + bias
        i, f, g, o = np.split(gates, 4, axis=1)
        i, f, o = (1 / (1 + np.exp(-gate)) for gate in (i, f, o))
        cell = f * cell + i * np.tanh(g)
        hidden = o * np.tanh(cell)
        sequence.append(hidden)
    return np.stack(sequence, axis=1)  # (batch, window, hidden)


def test_each_layer_is_fed_with_the_whole_sequence_of_the_one_below():
    module = build()
    x = torch.randn(5, 7, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        first = lstm_by_hand(module.layers[0], x.numpy())
        second = lstm_by_hand(module.layers[1], first)
        expected = second[:, -1] @ module.head.weight.numpy().T + module.head.bias.numpy()
        np.testing.assert_allclose(module(x).numpy(), expected, rtol=1e-10)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize(
    "low_precision", [None, pytest.param(torch.bfloat16, marks=needs_bfloat16)]
)
def test_a_layer_computes_what_that_of_torch_does(bidirectional, low_precision):
    layer = LSTMLayer(3, 5, batch_first=True, bidirectional=bidirectional)
    torchs = torch.nn.LSTM(3, 5, batch_first=True, bidirectional=bidirectional)
    torchs.load_state_dict(layer.state_dict())
    x = torch.randn(4, 6, 3, generator=torch.Generator().manual_seed(1))
    found = []
    for each in (layer, torchs):
        with torch.autocast("cpu", low_precision, enabled=low_precision is not None):
            states, (hidden, cell) = each(x)
        gradients = torch.autograd.grad(states.float().square().sum(), each.parameters())
        found.append([states, hidden, cell, *gradients])
    assert all(torch.equal(*both) for both in zip(*found, strict=True))


def test_a_weight_that_is_replaced_counts():
    layer = LSTMLayer(3, 5, batch_first=True)
    x = torch.randn(4, 6, 3, generator=torch.Generator().manual_seed(1))
    layer.weight_ih_l0 = torch.nn.Parameter(torch.zeros_like(layer.weight_ih_l0))
    assert torch.equal(layer(x)[0], layer(torch.zeros_like(x))[0])


def test_a_bidirectional_layer_ends_at_both_ends_of_the_window():
    module = build(sizes=(3,), bidirectional=True)
    x = torch.randn(5, 7, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        sequence, _ = module.layers[0](x)
        ends = torch.cat([sequence[:, -1, :3], sequence[:, 0, 3:]], dim=1)
        torch.testing.assert_close(module(x), module.head(ends))


def test_no_step_at_all_is_the_head_on_zeros():
    module = build()
    with torch.no_grad():
        torch.testing.assert_close(
            module(torch.zeros(2, 0, 2, dtype=torch.float64)), module.head.bias.expand(2, 1)
        )


def test_the_generator_alone_decides_the_weights():
    torch.manual_seed(0)
    state = torch.get_rng_state()
    first, again, other = build(), build(), build(seed=1)
    assert torch.equal(torch.get_rng_state(), state)
    for name, weight in first.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name])
        assert not torch.equal(weight, other.state_dict()[name])


def test_weights_lie_in_the_bounds_that_torch_uses():
    module = build(sizes=(16, 4))
    for layer, size in [(module.layers[0], 16), (module.layers[1], 4), (module.head, 4)]:
        weights = [weight for name, weight in layer.named_parameters() if "weight" in name]
        largest = max(weight.abs().max() for weight in weights)
        assert 0.5 / np.sqrt(size) < largest <= 1 / np.sqrt(size)


def test_forget_gates_start_open_in_both_directions():
    module = build(sizes=(16, 4), bidirectional=True)
    for layer, size in [(module.layers[0], 16), (module.layers[1], 4)]:
        for end in ("l0", "l0_reverse"):
            bias = getattr(layer, f"bias_ih_{end}") + getattr(layer, f"bias_hh_{end}")
            assert (bias[size : 2 * size] == 1).all()
            assert (bias[:size].abs() < 2 / np.sqrt(size)).all()


@pytest.mark.parametrize("share", [0.2, 0.7])
def test_dropout_zeroes_its_share_and_keeps_the_mean(share):
    out = Dropout(share)(torch.ones(100, 1000), torch.Generator().manual_seed(0))
    assert abs((out == 0).float().mean() - share) < 0.01
    assert abs(out.mean() - 1) < 0.02


def test_dropout_lets_everything_through_in_prediction():
    dropout = Dropout(0.5).eval()
    x = torch.randn(3, 4)
    assert dropout(x) is x


@pytest.mark.parametrize("sizes", [(4, 3), (16,), (64, 64)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_smallest_batch_computes_what_a_full_one_does(sizes, dtype):
    generator = torch.Generator().manual_seed(0)
    module = StackedLSTM(2, sizes, 3, dtype=dtype, generator=generator).eval()
    size = module.smallest_batch(64)
    assert 1 <= size <= 64
    x = torch.randn(64, 9, 2, dtype=dtype, generator=generator)
    with torch.inference_mode():
        full = module(x)
        for part, expected in zip(x.split(size), full.split(size), strict=True):
            assert torch.equal(module(part), expected)


def test_a_batch_that_only_a_full_one_equals_is_found(monkeypatch):
    module = build().eval()
    network = StackedLSTM._network
    monkeypatch.setattr(network_module, "_SMALLEST_BATCH", {})
    by_size = lambda self, x: network(self, x) + 1e-9 * len(x)  # noqa: E731
    monkeypatch.setattr(StackedLSTM, "_network", by_size)
    assert module.smallest_batch(48) == 48


@needs_bfloat16
def test_layers_in_bfloat16_keep_weights_and_outputs_in_float32():
    generator = torch.Generator().manual_seed(0)
    module = StackedLSTM(2, (16, 8), 3, low_precision=torch.bfloat16, generator=generator)
    exact = StackedLSTM(2, (16, 8), 3)
    exact.load_state_dict(module.state_dict())
    x = torch.randn(64, 9, 2, generator=generator)
    seen = []
    module.layers[1].register_forward_hook(lambda layer, x, output: seen.append(output[0].dtype))
    output = module(x)
    assert seen == [torch.bfloat16]
    assert output.dtype == module.head.weight.dtype == torch.float32
    error = (output - exact(x)).abs().max() / exact(x).std()
    assert 0 < error < 0.05


def test_no_step_is_read_with_a_later_one():
    module = build(sizes=(4,), beside_linear=True, every_step=True).train()
    with torch.no_grad():
        module.head.weight.fill_(1.0)  # the head starts with zeros
    x = torch.randn(3, 7, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    outputs = module(x)  # (batch, window, outputs)
    assert outputs.shape == (3, 7, 1)
    changed = x.clone()
    changed[:, 5:] += 10
    later = module(changed)
    assert torch.equal(later[:, :5], outputs[:, :5])
    assert not torch.equal(later[:, 5:], outputs[:, 5:])
    assert torch.equal(module.eval()(x), outputs[:, -1])


def test_beside_a_linear_map_the_network_adds_nothing_at_first():
    module = build(beside_linear=True)
    assert torch.equal(module(torch.ones(2, 7, 2).double()), torch.zeros(2, 1).double())


def test_a_step_is_read_less_the_mean_of_the_steps_up_to_it():
    x = torch.tensor([[[1.0], [3.0], [8.0]]])
    expected = torch.tensor([[[0.0, 1.0], [1.0, 2.0], [4.0, 4.0]]])
    expected[..., 1] = torch.tanh(expected[..., 1])
    torch.testing.assert_close(centred(x), expected)


@pytest.mark.parametrize("n_outputs", [1, 3, 16, 24])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_row_alone_is_mapped_as_among_others(n_outputs, dtype):
    generator = torch.Generator().manual_seed(0)
    shapes = [(n_outputs, 48, 7), (n_outputs,), (), ()]
    skip = LinearSkip(*(torch.randn(s, dtype=dtype, generator=generator) for s in shapes))
    x = torch.randn(50, 48, 7, dtype=dtype, generator=generator)
    output = torch.randn(50, n_outputs, dtype=dtype, generator=generator)
    together = skip(x, output)
    expected = torch.einsum("bwf,owf->bo", x, skip.weights) + skip.intercept
    expected = expected + output * skip.scale * skip.share
    torch.testing.assert_close(together, expected, rtol=1e-4, atol=1e-3)
    for size in (1, 3, 17):
        parts = [skip(*both) for both in zip(x.split(size), output.split(size), strict=True)]
        assert torch.equal(torch.cat(parts), together)
