"""The gates of each step, against torch's own recurrence and the predictions."""

import numpy as np
import pytest
import torch

from sklstm import SlidingWindowTransformer
from sklstm._network.architecture import Architecture
from sklstm._network.gates import NAMES, gate_activity
from sklstm._network.layers import centred
from sklstm._network.module import StackedLSTM
from sklstm._network.series_tensor import standardised

N_STEPS, N_FEATURES = 9, 2


def build(sizes, seed=0, **params):
    generator = torch.Generator().manual_seed(seed)
    return StackedLSTM(Architecture(N_FEATURES, sizes, 1, **params), generator=generator).eval()


def make_window(dtype=torch.float32, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(N_STEPS, N_FEATURES, dtype=dtype, generator=generator)


@pytest.mark.parametrize("sizes", [(5,), (1,), (16, 3), (4, 8, 2)])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("beside_linear", [False, True])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_hidden_states_are_those_of_torch(sizes, bidirectional, beside_linear, precision):
    module = build(
        sizes, bidirectional=bidirectional, beside_linear=beside_linear, precision=precision
    )
    window = make_window(module.head.weight.dtype)
    layers = gate_activity(module, window.numpy())
    assert len(layers) == len(sizes)
    x = centred(window[None]) if beside_linear else window[None]
    with torch.no_grad():
        for layer, activity in zip(module.layers, layers, strict=True):
            x, (_, last_cell) = layer(x)
            np.testing.assert_allclose(activity["hidden"], x[0], rtol=0, atol=1e-6)
            ends = np.array([-1, 0])[: len(last_cell)]  # backwards, the first step is last
            for end, cell, direction in zip(
                ends, last_cell, np.split(activity["cell"], len(ends), axis=1), strict=True
            ):
                np.testing.assert_allclose(direction[end], cell[0], rtol=0, atol=1e-6)


def test_gates_and_cell_satisfy_the_equations():
    for activity in gate_activity(build((4, 3)), make_window()):
        assert tuple(activity) == NAMES
        i, f, g, o, cell, hidden = activity.values()
        for gate in (i, f, o):
            assert ((gate > 0) & (gate < 1)).all()
        before = np.vstack([np.zeros_like(cell[:1]), cell[:-1]])
        np.testing.assert_allclose(cell, f * before + i * g, atol=1e-6)
        np.testing.assert_allclose(hidden, o * np.tanh(cell), atol=1e-6)


def test_no_step_gives_no_activity():
    (activity,) = gate_activity(build((4,)), np.zeros((0, N_FEATURES)))
    assert {values.shape for values in activity.values()} == {(0, 4)}


@pytest.mark.parametrize("row", [-1, 200, 2, 0])  # rows 2 and 0 have missing steps
@pytest.mark.parametrize("sizes", [(4,), (4, 3)])
def test_predictions_are_made_of_the_last_hidden_state(small_lstm, chicago, tomorrow, row, sizes):
    windows = SlidingWindowTransformer(7).fit_transform(chicago)
    lstm = small_lstm(hidden_layer_sizes=sizes).fit(windows, tomorrow)
    window = standardised(windows[row], lstm.feature_mean_, lstm.feature_scale_)
    head = lstm.net_.module_.head
    hidden = gate_activity(lstm.net_.module_, window)[-1]["hidden"][-1]
    output = hidden @ head.weight.detach().numpy().T + head.bias.detach().numpy()
    expected = output * lstm.target_scale_ + lstm.target_mean_
    np.testing.assert_allclose(lstm.predict(windows)[row], expected[0], rtol=1e-5)


def test_global_state_is_not_changed():
    def state():
        return (
            torch.get_rng_state().tolist(),
            torch.get_num_threads(),
            torch.get_default_dtype(),
            torch.is_grad_enabled(),
            torch.is_inference_mode_enabled(),
        )

    module, before = build((4, 3)), state()
    exact = gate_activity(module, make_window())[-1]["hidden"]
    assert state() == before
    with torch.autocast("cpu", torch.bfloat16):  # set by the user; it must not round
        np.testing.assert_array_equal(gate_activity(module, make_window())[-1]["hidden"], exact)
    assert all(weight.grad is None and weight.requires_grad for weight in module.parameters())
