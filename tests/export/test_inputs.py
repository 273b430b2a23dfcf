"""What the input of a model is: rows, windows or a lag table; columns by name."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    RobustScaler,
    StandardScaler,
)

from sklstm import LagTableTransformer, SlidingWindowTransformer, to_onnx
from tests.export.serving import (
    N_ROWS,
    SIZE,
    assert_predicts,
    last_rows,
    lstm,
    metadata,
    pipe,
    served,
    session_of,
)


def test_columns_are_found_by_name(series, target, tmp_path):
    names = ["load", "price", "wind"]
    X = pd.DataFrame(series, columns=names)
    columns = ColumnTransformer(
        [("scale", StandardScaler(), slice("price", "wind"))], remainder=RobustScaler()
    )
    model = pipe(columns).fit(X, target[:, 1])
    found = served(model, series, tmp_path)["y"]
    assert_predicts(found, model.predict(X), target[:, 1])
    assert metadata(session_of(model, tmp_path))["features"] == names


def test_flat_windows_of_one_feature_are_windows(series, target, tmp_path):
    windows = SlidingWindowTransformer(SIZE, flatten=True, history="none")
    model = make_pipeline(windows, StandardScaler(), lstm()).fit(series[:, :1], target[:, 0])
    found = served(model, series[:, :1], tmp_path)["y"]
    assert_predicts(found, model.predict(series[:, :1]), target[:, 0])


def test_windows_alone_are_the_input(series, target, tmp_path):
    windows, y = last_rows(series, SIZE), target[:, :2]
    model = lstm().fit(windows, y)
    assert_predicts(served(model, windows, tmp_path)["y"], model.predict(windows), y)
    flat, y = windows[:, :, 0], target[:, 0]
    model = lstm().fit(flat, y)
    assert_predicts(served(model, flat, tmp_path)["y"], model.predict(flat), y)


def test_a_lag_table_is_the_input(series, target, tmp_path):
    y = target[:, 0]
    flat = SlidingWindowTransformer(4, flatten=True).set_output(transform="pandas")
    X = pd.DataFrame(series[:, :2], columns=["load", "price"])
    table = flat.fit_transform(X).assign(month=np.arange(N_ROWS) % 12 + 1.0)
    table.iloc[50:53, :-1] = np.nan
    model = make_pipeline(LagTableTransformer(), lstm()).fit(table, y)
    found = served(model, table.to_numpy(), tmp_path)["y"]
    assert_predicts(found, model.predict(table), y)
    flat_steps = make_pipeline(flat, LagTableTransformer(), lstm()).fit(X, y)
    found = served(flat_steps, series[:, :2], tmp_path)["y"]
    assert_predicts(found, flat_steps.predict(X), y)


def test_windows_of_another_size_than_those_of_the_fit_are_refused(series, target, tmp_path):
    model = pipe().fit(series, target)
    model.set_params(slidingwindowtransformer__window_size=SIZE - 1)
    with pytest.raises(ValueError, match="windows of 5 steps.*fitted on windows of 6 steps"):
        to_onnx(model, tmp_path / "model.onnx")


def test_windows_of_windows_are_refused(series, target, tmp_path):
    windows = SlidingWindowTransformer(2, flatten=True, padding="edge", history="none")
    model = pipe(windows).fit(series, target)
    with pytest.raises(ValueError, match="SlidingWindowTransformer has no ONNX form"):
        to_onnx(model, tmp_path / "model.onnx")
