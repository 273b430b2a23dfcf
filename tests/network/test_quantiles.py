"""Quantiles that never cross, against loops."""

import numpy as np
import pytest
import sklearn
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sklstm import LSTMRegressor, pinball_scorer
from sklstm._linear.skip import LinearSkip
from sklstm._network.quantiles import IncreasingQuantiles, empirical_quantiles, middle
from tests.machine import needs_bfloat16

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
RNG = np.random.RandomState(0)
TARGETS = RNG.randn(300, 2) * [1, 5]
ANY = st.floats(-1e6, 1e6, width=32)


def a_layer(targets=TARGETS, quantiles=QUANTILES, dtype=torch.float64):
    layer = IncreasingQuantiles(targets.shape[1], quantiles, dtype)
    layer.start_from(torch.from_numpy(targets).to(dtype), None)
    return layer


@given(
    outputs=arrays(np.float32, (7, 2 * 4), elements=ANY),
    level=arrays(np.float32, (7, 2), elements=ANY),
    weight=st.floats(0, 1),
    scale=st.floats(1e-6, 1e6),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
@settings(max_examples=200, deadline=None)
def test_quantiles_never_cross_whatever_the_network_gives(outputs, level, weight, scale, dtype):
    layer = a_layer(quantiles=(0.1, 0.5, 0.6, 0.99), dtype=dtype)
    found = layer(torch.from_numpy(outputs).to(dtype))
    assert (found.unflatten(-1, (2, 4)).diff() >= 0).all()
    # Beside a map, whose output is here that of the window.
    maps = np.eye(2)[:, np.newaxis], np.zeros(2), scale, weight
    skip = LinearSkip(*(torch.tensor(values, dtype=dtype) for values in maps))
    windows = torch.from_numpy(level[:, None]).to(dtype)
    found = skip(windows, found, layer.start.flatten()).unflatten(-1, (2, 4))
    assert (found.diff() >= 0).all()


def test_a_network_that_learnt_nothing_gives_the_quantiles_of_the_targets():
    found = a_layer()(torch.zeros(3, 10, dtype=torch.float64)).reshape(3, 2, 5)
    expected = np.quantile(TARGETS, QUANTILES, axis=0, method="inverted_cdf").T
    np.testing.assert_allclose(found, np.broadcast_to(expected, (3, 2, 5)))


def test_the_middle_moves_all_and_the_others_scale_the_gaps_beside_it():
    start, outputs = np.array([-2.0, -1, 0, 1, 3]), np.array([0.5, -0.5, 0.25, 2, -3])
    factor = outputs + np.sqrt(outputs**2 + 1)
    expected = [0.0, 0, 0.25, 0, 0]
    for place in (3, 4):
        gap = start[place] - start[place - 1]
        expected[place] = expected[place - 1] + gap * factor[place]
    for place in (1, 0):
        gap = start[place + 1] - start[place]
        expected[place] = expected[place + 1] - gap * factor[place]
    layer = a_layer(np.repeat(start, 20)[:, None], (0.1, 0.3, 0.5, 0.7, 0.9))
    np.testing.assert_allclose(layer(torch.from_numpy(outputs)), expected)


def test_a_row_has_the_same_bits_at_every_place_of_a_batch():
    layer = a_layer(dtype=torch.float32)
    outputs = torch.from_numpy(RNG.randn(37, 10)).float() * 3
    together = layer(outputs)
    for row in range(37):
        assert torch.equal(layer(outputs[row : row + 1])[0], together[row])


def test_gaps_between_equal_targets_can_still_grow():
    mostly_zero = np.where(RNG.rand(400, 1) < 0.97, 0.0, 1.0)
    layer = a_layer(mostly_zero)
    assert (layer.start == 0).all()
    assert (layer.gaps > 0).all()


def test_unknown_targets_do_not_count():
    known = RNG.rand(300, 2) < 0.7
    layer, other = a_layer(), a_layer()
    weights = torch.from_numpy(known.astype(float))
    layer.start_from(torch.from_numpy(np.where(known, TARGETS, 0)), weights)
    other.start_from(torch.from_numpy(np.where(known, TARGETS, 99)), weights)
    for output in range(2):
        values = TARGETS[known[:, output], output]
        expected = np.quantile(values, QUANTILES, method="inverted_cdf")
        np.testing.assert_allclose(layer.start[output], expected)
    np.testing.assert_allclose(
        empirical_quantiles(torch.from_numpy(TARGETS), weights, QUANTILES), layer.start
    )
    assert torch.isfinite(layer.gaps).all()


def test_empirical_quantiles_have_the_least_weighted_pinball_loss():
    values, weights = RNG.randn(25), RNG.rand(25)

    def loss(quantile, value):
        errors = values - value
        return np.sum(weights * np.maximum(quantile * errors, (quantile - 1) * errors))

    columns = (torch.from_numpy(each[:, np.newaxis]) for each in (values, weights))
    found = empirical_quantiles(*columns, QUANTILES)
    for quantile, value in zip(QUANTILES, found[0].tolist(), strict=True):
        assert loss(quantile, value) == pytest.approx(min(loss(quantile, v) for v in values))


@pytest.mark.parametrize(
    ("quantiles", "place"),
    [((0.5,), 0), ((0.1, 0.5), 1), ((0.5, 0.8, 0.9), 0), ((0.1, 0.2, 0.9), 1)],
)
def test_the_middle_is_the_median_if_there_is_one(quantiles, place):
    assert middle(quantiles) == place


@needs_bfloat16
def test_quantiles_in_bfloat16_are_near_those_in_float32_and_do_not_cross():
    series = np.sin(np.arange(300.0)) + np.random.default_rng(0).standard_normal(300)
    windows = np.lib.stride_tricks.sliding_window_view(series[:-1], 6)
    found = {}
    for precision in ("float32", "bfloat16"):
        model = LSTMRegressor(
            4,
            loss="quantile",
            max_epochs=3,
            early_stopping=False,
            random_state=0,
            precision=precision,
        )
        found[precision] = model.fit(windows, series[6:]).predict_quantiles(windows)
    assert (np.diff(found["bfloat16"]) >= 0).all()
    apart = np.abs(found["bfloat16"] - found["float32"]).max()
    assert 0 < apart < 0.1 * np.diff(found["float32"][:, [0, -1]]).mean()


@pytest.mark.parametrize("dispatch", [False, True])
def test_quantiles_of_tensors_are_those_of_arrays(dispatch):
    if dispatch and tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 8):
        pytest.importorskip("array_api_compat")  # later versions bring it along
    series = np.sin(np.arange(100.0)) + np.random.default_rng(0).standard_normal(100)
    windows = np.lib.stride_tricks.sliding_window_view(series[:-1], 6).copy()
    model = LSTMRegressor(2, loss="quantile", max_epochs=1, random_state=0)
    expected = model.fit(windows, series[6:]).predict_quantiles(windows)
    with sklearn.config_context(array_api_dispatch=dispatch):
        tensors = torch.from_numpy(windows), torch.from_numpy(series[6:])
        found = model.fit(*tensors).predict_quantiles(tensors[0])
        score = pinball_scorer(model, *tensors)
    np.testing.assert_array_equal(found, expected)
    assert score == pinball_scorer(model, windows, series[6:])
