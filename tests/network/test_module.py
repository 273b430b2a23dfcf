"""The network, against the equations of the LSTM."""

import numpy as np
import pytest
import torch

from sklstm._network import module as network_module
from sklstm._network.architecture import Architecture
from sklstm._network.module import StackedLSTM
from tests.machine import needs_bfloat16

pytestmark = pytest.mark.precision


def build(sizes=(4, 3), seed=0, **params):
    generator = torch.Generator().manual_seed(seed)
    options = {name: params.pop(name) for name in ("every_step",) if name in params}
    architecture = Architecture(2, sizes, 1, **({"precision": "float64"} | params))
    return StackedLSTM(architecture, generator=generator, **options)


def lstm_by_hand(layer, x):
    """Compute the recurrence of Hochreiter and Schmidhuber, with Gers et al.'s forget gate."""
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


def test_each_layer_reads_all_outputs_of_the_layer_below():
    module = build()
    x = torch.randn(5, 7, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        first = lstm_by_hand(module.layers[0], x.numpy())
        second = lstm_by_hand(module.layers[1], first)
        expected = second[:, -1] @ module.head.weight.numpy().T + module.head.bias.numpy()
        np.testing.assert_allclose(module(x).numpy(), expected, rtol=1e-10)


def test_a_bidirectional_layer_ends_at_both_ends_of_the_window():
    module = build(sizes=(3,), bidirectional=True)
    x = torch.randn(5, 7, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        sequence, _ = module.layers[0](x)
        ends = torch.cat([sequence[:, -1, :3], sequence[:, 0, 3:]], dim=1)
        torch.testing.assert_close(module(x), module.head(ends))


def test_initial_weights_depend_on_the_generator_only():
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


def test_forget_gates_have_a_bias_of_one_in_both_directions():
    module = build(sizes=(16, 4), bidirectional=True)
    for layer, size in [(module.layers[0], 16), (module.layers[1], 4)]:
        for end in ("l0", "l0_reverse"):
            bias = getattr(layer, f"bias_ih_{end}") + getattr(layer, f"bias_hh_{end}")
            assert (bias[size : 2 * size] == 1).all()
            assert (bias[:size].abs() < 2 / np.sqrt(size)).all()


@pytest.mark.parametrize("sizes", [(4, 3), (16,), (64, 64)])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_the_smallest_batch_computes_what_a_full_one_does(sizes, precision):
    generator = torch.Generator().manual_seed(0)
    architecture = Architecture(2, sizes, 3, precision=precision)
    module = StackedLSTM(architecture, generator=generator).eval()
    size = module.smallest_batch(64, 9)
    assert 1 <= size <= 64
    x = torch.randn(64, 9, 2, dtype=architecture.dtype, generator=generator)
    with torch.inference_mode():
        full = module(x)
        for part, expected in zip(x.split(size), full.split(size), strict=True):
            assert torch.equal(module(part), expected)


@pytest.mark.parametrize("beside_linear", [False, True])
def test_the_smallest_batch_can_be_the_full_batch(monkeypatch, beside_linear):
    """Non-regression test: outputs were compared, which are zero if nothing has been learnt."""
    module = build(precision="float32", beside_linear=beside_linear).eval()
    states = StackedLSTM._states
    monkeypatch.setattr(network_module, "_SMALLEST_BATCH", {})
    by_size = lambda self, x, generator: states(self, x, generator) + 1e-3 * len(x)  # noqa: E731
    monkeypatch.setattr(StackedLSTM, "_states", by_size)
    assert module.smallest_batch(48, 7) == 48


def test_in_float64_on_a_processor_every_batch_is_a_full_one():
    assert build().eval().smallest_batch(24, 7) == 24


@pytest.mark.parametrize("differs", ["_last_state", "_head_by_row", "linear map"])
def test_on_a_gpu_whatever_a_prediction_computes_is_compared(as_on_a_gpu, monkeypatch, differs):
    """With windows of the size asked for, since the size of the products depends on it."""
    module = build(precision="float32", beside_linear=True).eval()
    monkeypatch.setattr(network_module, "_SMALLEST_BATCH", {})
    seen = []

    def last_state(x, generator=None):
        seen.append(tuple(x.shape))
        return states(x) + (differs == "_last_state" and len(x) < 32)

    def by_row(rows, weights, bias=None):
        is_map = rows.shape[1] == 11 * 2
        wrong = differs == ("linear map" if is_map else "_head_by_row") and len(rows) < 32
        return linear(rows, weights, bias) + wrong

    states, linear = module._last_state, network_module.linear_by_row
    monkeypatch.setattr(module, "_last_state", last_state)
    monkeypatch.setattr(network_module, "linear_by_row", by_row)
    assert module.smallest_batch(128, 11) == 32
    assert seen[0] == (128, 11, 4)
    assert seen.count((32, 11, 4)) == 4  # not every part of a large batch


@needs_bfloat16
def test_layers_in_bfloat16_keep_weights_and_outputs_in_float32():
    generator = torch.Generator().manual_seed(0)
    low = Architecture(2, (16, 8), 3, precision="bfloat16")
    module = StackedLSTM(low, generator=generator)
    exact = StackedLSTM(Architecture(2, (16, 8), 3))
    exact.load_state_dict(module.state_dict())
    x = torch.randn(64, 9, 2, generator=generator)
    seen = []
    module.layers[1].register_forward_hook(lambda layer, x, output: seen.append(output[0].dtype))
    output = module(x)
    assert seen == [torch.bfloat16]
    assert output.dtype == module.head.weight.dtype == torch.float32
    error = (output - exact(x)).abs().max() / exact(x).std()
    assert 0 < error < 0.05


def test_no_step_depends_on_a_later_step():
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
    torch.testing.assert_close(module.eval()(x), outputs[:, -1], rtol=1e-14, atol=0)


def test_beside_a_linear_map_the_network_adds_nothing_at_first():
    module = build(beside_linear=True)
    assert torch.equal(module(torch.ones(2, 7, 2).double()), torch.zeros(2, 1).double())
