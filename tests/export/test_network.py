"""The network, the linear map and quantiles, for every option: the predictions of predict."""

import numpy as np
import onnx
import pytest
from sklearn.preprocessing import (
    StandardScaler,
)

from sklstm import to_onnx
from tests.export.serving import SIZE, assert_predicts, last_rows, pipe, served, session_of
from tests.machine import needs_bfloat16

# Some of the rows that are predicted lack features.
pytestmark = pytest.mark.filterwarnings("ignore:The last step of")


OPTIONS = {
    "default": {},
    "two layers": {"hidden_layer_sizes": (7, 4)},
    "three layers": {"hidden_layer_sizes": (3, 5, 2)},
    "bidirectional": {"bidirectional": True, "hidden_layer_sizes": (4, 3)},
    "dropout": {"dropout": 0.5},
    "network alone": {"linear_skip": False},
    "network alone, both directions": {"linear_skip": False, "bidirectional": True},
    "last step": {"supervise": "last"},
    "absolute error": {"loss": "absolute_error"},
    "network weight": {"early_stopping": True, "validation_fraction": 0.3, "max_epochs": 5},
    "linear map alone": {"early_stopping": "auto", "validation_fraction": 0.01},
    "quantiles of the linear map": {
        "loss": "quantile",
        "early_stopping": "auto",
        "validation_fraction": 0.01,
    },
    "units of the data": {"standardize": False, "linear_skip": False},
    "double precision": {"precision": "float64"},
    "one step": {"size": 1},
    "dilation": {"dilation": 3},
    "padding": {"padding": "edge"},
    "quantiles": {"loss": "quantile"},
    "quantiles without a map": {"loss": "quantile", "linear_skip": False, "bidirectional": True},
    "quantiles without a median": {"loss": "quantile", "quantiles": (0.1, 0.2, 0.9)},
    "six quantiles": {"loss": "quantile", "quantiles": (0.1, 0.2, 0.3, 0.5, 0.8, 0.9)},
    "quantile": {"loss": "quantile", "quantiles": (0.8,)},
    "lowest quantile predicted": {"loss": "quantile", "quantiles": (0.5, 0.6)},
    "double quantiles": {"loss": "quantile", "precision": "float64"},
}


@pytest.mark.parametrize("factor", [100, 3000])
def test_far_from_the_training_rows_the_error_grows_with_the_distance(
    factor, series, target, tmp_path
):
    y = target[:, 0]
    model = pipe(StandardScaler(), hidden_layer_sizes=(8, 8)).fit(series, y)
    far = series.mean(axis=0) + factor * (series - series.mean(axis=0))
    found, expected = served(model, far, tmp_path)["y"], model.predict(far)
    distance = np.abs(expected - y.mean()).max()
    assert distance > 20 * y.std()
    np.testing.assert_allclose(found.reshape(-1), expected, rtol=0, atol=1e-6 * distance)


@pytest.mark.parametrize("option", OPTIONS)
def test_predictions_are_those_of_predict(option, series, target, holed, tmp_path, capfd):
    X, y = series, target[:, :2]
    if option == "units of the data":
        X, y, holed = (values / np.nanstd(values, axis=0) for values in (X, y, holed))
    model = pipe(**OPTIONS[option]).fit(X, y)
    found = served(model, holed, tmp_path)
    assert_predicts(found.pop("y"), model.predict(holed), y)
    if model[-1].loss == "quantile":
        quantiles = found.pop("quantiles")
        assert_predicts(quantiles, model[-1].predict_quantiles(model[:-1].transform(holed)), y)
        assert np.all(np.diff(quantiles, axis=-1) >= 0)
    assert not found
    assert capfd.readouterr().err == ""  # no warning of the runtime
    onnx.checker.check_model(onnx.load(tmp_path / "model.onnx"), full_check=True)


def test_the_network_of_these_tests_adds_much_to_the_linear_map(series, target):
    model = pipe().fit(series, target[:, 0])
    windows = np.asarray(model[:-1].transform(series))[SIZE:]
    map_alone = model[-1].linear_intercept_ + (windows * model[-1].linear_coef_).sum(axis=(1, 2))
    assert np.std(model.predict(series)[SIZE:] - map_alone) > 0.01 * target[:, 0].std()


def test_a_series_of_targets_has_a_series_of_quantiles(series, target, tmp_path):
    model = pipe(loss="quantile").fit(series, target[:, 0])
    found = served(model, series, tmp_path)
    expected = model[-1].predict_quantiles(model[:-1].transform(series))
    assert_predicts(found["quantiles"], expected, target[:, 0])
    assert_predicts(found["y"], expected[:, 1], target[:, 0])


@pytest.mark.parametrize("batch_size", [1, 5, 40, 1000])
def test_one_model_takes_batches_of_every_size(batch_size, series, target, tmp_path):
    y = target[:, 1]
    model = pipe(hidden_layer_sizes=(4, 3)).fit(series, y)
    X = np.tile(series, (5, 1))[:1000]
    windows = last_rows(X, SIZE)
    expected = model[-1].predict(windows)
    found = served(model, windows[: max(3 * batch_size, 40)], tmp_path, batch_size)["y"]
    assert_predicts(found, expected[: len(found)], y)


@pytest.mark.parametrize("loss", ["squared_error", "quantile"])
@pytest.mark.parametrize("linear_skip", [True, False])
def test_an_empty_batch_has_no_predictions(loss, linear_skip, series, target, tmp_path):
    """ONNX Runtime ends the process at an LSTM without windows."""
    model = pipe(loss=loss, linear_skip=linear_skip).fit(series, target)
    session = session_of(model, tmp_path)
    found = session.run(None, {"X": np.empty((0, SIZE, 3))})
    assert [values.shape for values in found] == [(0, 3), (0, 3, 3)][: len(found)]


@pytest.mark.parametrize("scale", [1e-140, 1e-6, 1e9, 1e140])
@pytest.mark.parametrize("level", [0, 1e4])
def test_units_of_any_size_keep_the_precision(scale, level, series, target, tmp_path):
    X, y = (
        ((values - values.mean(axis=0)) / values.std(axis=0) + level) * scale
        for values in (series, target[:, 0])
    )
    model = pipe(StandardScaler()).fit(X, y)
    assert_predicts(served(model, X, tmp_path)["y"], model.predict(X), y)
    model = pipe().fit(X[:, :1], y)  # of one number, ONNX Runtime looks whether it is zero
    assert_predicts(served(model, X[:, :1], tmp_path)["y"], model.predict(X[:, :1]), y)


def test_a_linear_map_alone_is_exported_without_layers(series, target, tmp_path):
    options = OPTIONS["linear map alone"] | {"hidden_layer_sizes": 64}
    model = pipe(**options).fit(series, target)
    assert model[-1].network_weight_ == 0
    to_onnx(model, tmp_path / "model.onnx")
    assert "LSTM" not in [n.op_type for n in onnx.load(tmp_path / "model.onnx").graph.node]


@needs_bfloat16
def test_bfloat16_is_refused(series, target, tmp_path):
    model = pipe(precision="bfloat16").fit(series, target)
    with pytest.raises(ValueError, match="precision='bfloat16'.* no ONNX form.*'float32'"):
        to_onnx(model, tmp_path / "model.onnx")
