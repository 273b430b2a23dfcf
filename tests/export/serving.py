"""Small pipelines, and what a server of their models does: rows in, predictions out."""

import json

import numpy as np
import onnxruntime
from sklearn.pipeline import make_pipeline

from sklstm import LSTMRegressor, SlidingWindowTransformer, to_onnx

SIZE, N_ROWS = 6, 240


def lstm(**params):
    """Make a network that moves far from the linear map in a few steps."""
    quick = {"hidden_layer_sizes": 5, "max_epochs": 2, "learning_rate": 0.1, "batch_size": 64}
    settings = {"early_stopping": False, "ema_decay": 0, "n_jobs": 1, "random_state": 0}
    return LSTMRegressor(**(quick | settings | params))


def pipe(*before, dilation=1, size=SIZE, padding="nan", **params):
    windows = SlidingWindowTransformer(size, dilation=dilation, padding=padding, history="none")
    return make_pipeline(*before, windows, lstm(**params))


def last_rows(X, n_rows):
    """Return the rows up to each one, (n, n_rows, features), NaN before the start."""
    before = np.full((n_rows - 1, X.shape[1]), np.nan)
    padded = np.concatenate([before, X])
    return np.stack([padded[row : row + n_rows] for row in range(len(X))])


def session_of(model, tmp_path):
    """Write the model, and load it into ONNX Runtime."""
    to_onnx(model, tmp_path / "model.onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(tmp_path / "model.onnx", options)


def served(model, X, tmp_path, batch_size=None):
    """Write the model, and predict with ONNX Runtime what it says of each row, or window, of X."""
    session = session_of(model, tmp_path)
    shape = session.get_inputs()[0].shape
    if X.ndim < len(shape):
        X = last_rows(X, shape[1])
    size = batch_size or len(X)
    parts = [session.run(None, {"X": X[at : at + size]}) for at in range(0, len(X), size)]
    outputs = [np.concatenate(part) for part in zip(*parts, strict=True)]
    return dict(zip([output.name for output in session.get_outputs()], outputs, strict=True))


def assert_predicts(found, expected, y):
    """Compare with predictions; the unit is the standard deviation of the target."""
    assert found.shape == expected.shape
    assert found.dtype == np.float64
    scale = np.nanstd(y, axis=0).reshape(1, *np.shape(y)[1:], *[1] * (found.ndim - np.ndim(y)))
    np.testing.assert_allclose(found / scale, expected / scale, rtol=0, atol=1e-5)


def metadata(session):
    """Read what a model says of itself."""
    return json.loads(session.get_modelmeta().custom_metadata_map["sklstm"])
