"""The base class: an estimator for other targets only needs a codec of its own."""

import pickle
from dataclasses import dataclass

import numpy as np
import pytest

from sklstm import LSTMRegressor, SlidingWindowTransformer
from sklstm._target_codec import TargetCodec

X = np.random.RandomState(0).rand(300, 2)
WINDOWS = SlidingWindowTransformer(5).fit_transform(X)
Y = 1 + X[:, 0] + np.roll(X[:, 1], 1)
SMALL = {"hidden_layer_sizes": 4, "max_epochs": 3, "n_jobs": 1, "random_state": 0}


@dataclass(frozen=True)
class LogCodec(TargetCodec):
    """Positive targets; the network learns their logarithm."""

    def standardising(self, y, weight, index):
        return super().standardising(np.log(y), weight, index)

    def encode(self, y, weight, index):
        return super().encode(np.log(y), weight, index)

    def decode(self, outputs):
        return np.exp(super().decode(outputs))


@dataclass(frozen=True)
class PairCodec(TargetCodec):
    """Two outputs for each target, as for an interval. The prediction is their mean."""

    @property
    def n_outputs(self):
        return 2 * len(self.mean)

    def encode(self, y, weight, index):
        targets, weights = super().encode(y, weight, index)
        doubled = None if weights is None else np.repeat(weights, 2, axis=1)
        return np.repeat(targets, 2, axis=1), doubled

    def decode(self, outputs):
        return super().decode(outputs.reshape(len(outputs), -1, 2).mean(axis=2))


class LogRegressor(LSTMRegressor):
    _codec_type = LogCodec


class PairRegressor(LSTMRegressor):
    _codec_type = PairCodec


@pytest.mark.parametrize("params", [{}, {"linear_skip": False}, {"early_stopping": False}])
def test_an_estimator_for_other_targets_only_needs_a_codec(params):
    model = LogRegressor(**SMALL, **params).fit(WINDOWS, Y)
    expected = np.exp(LSTMRegressor(**SMALL, **params).fit(WINDOWS, np.log(Y)).predict(WINDOWS))
    np.testing.assert_array_equal(model.predict(WINDOWS), expected)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(WINDOWS), expected)


@pytest.mark.parametrize("y", [Y, np.column_stack([Y, -Y])])
def test_a_target_can_have_several_outputs(y):
    model = PairRegressor(**SMALL, linear_skip=False).fit(WINDOWS, y)
    assert model.n_outputs_ == 2 * (1 if y.ndim == 1 else y.shape[1])
    predictions = model.predict(WINDOWS)
    assert predictions.shape == y.shape
    assert np.mean((predictions - y) ** 2) < np.var(y)
    model.partial_fit(WINDOWS, y)
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(loaded.predict(WINDOWS), model.predict(WINDOWS))


def test_a_warm_start_with_targets_of_another_form_starts_again():
    model = PairRegressor(**SMALL, warm_start=True).fit(WINDOWS, Y)
    assert model.fit(WINDOWS, Y).n_iter_ == 6
    assert model.fit(WINDOWS, np.column_stack([Y, Y])).n_iter_ == 3
