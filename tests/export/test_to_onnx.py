"""The file that to_onnx writes, and what it says of itself."""

import pickle
import sys

import onnx
import pandas as pd
import pytest

import sklstm
from sklstm import forecast_targets, to_onnx
from tests.export.serving import N_ROWS, SIZE, metadata, pipe, session_of


def test_the_model_says_what_it_takes(series, target, tmp_path):
    names = ["load", "price", "wind"]
    X = pd.DataFrame(series, columns=names, index=pd.date_range("2024", periods=N_ROWS, freq="h"))
    y = forecast_targets(X[["load"]], horizon=2)
    model = pipe(dilation=2, loss="quantile").fit(X, y)
    session = session_of(model, tmp_path)
    assert metadata(session) == {
        "features": names,
        "window_size": SIZE,
        "dilation": 2,
        "padding": "nan",
        "freq": "h",
        "target_leads": [1, 2],
        "quantiles": [0.05, 0.5, 0.95],
    }
    model = onnx.load(tmp_path / "model.onnx")
    assert (model.producer_name, model.producer_version) == ("sklstm", sklstm.__version__)
    shapes = {
        value.name: [size.dim_param or size.dim_value for size in value.type.tensor_type.shape.dim]
        for value in [*model.graph.input, *model.graph.output]
    }
    assert shapes == {"X": ["batch", 11, 3], "y": ["batch", 2], "quantiles": ["batch", 2, 3]}


def test_a_loaded_estimator_has_the_same_model(series, target, tmp_path):
    model = pipe(loss="quantile").fit(series, target)
    to_onnx(model, tmp_path / "before")
    to_onnx(pickle.loads(pickle.dumps(model)), tmp_path / "after")
    assert (tmp_path / "before").read_bytes() == (tmp_path / "after").read_bytes()


def test_an_error_leaves_the_old_file_as_it_was(series, target, tmp_path, monkeypatch):
    model, path = pipe().fit(series, target), tmp_path / "model.onnx"
    path.write_bytes(b"old")
    monkeypatch.setattr("os.replace", lambda *paths: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        to_onnx(model, path)
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["model.onnx"]


def test_without_the_package_the_error_names_the_extra(series, target, tmp_path, monkeypatch):
    model = pipe().fit(series, target)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"to_onnx needs onnx: pip install 'sklstm\[onnx\]'"):
        to_onnx(model, tmp_path / "model.onnx")
