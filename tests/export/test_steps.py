"""Steps of scikit-learn before the windows, and targets that are transformed."""

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)

from sklstm import to_onnx
from sklstm._export.graph import IR_VERSION, OPSET, Graph
from sklstm._export.steps import transformed
from tests.export.serving import SIZE, assert_predicts, last_rows, lstm, pipe, served

# Some of the rows that are predicted lack features.
pytestmark = pytest.mark.filterwarnings("ignore:The last step of")


STEPS = {
    "StandardScaler": StandardScaler(),
    "without the mean": StandardScaler(with_mean=False),
    "without the deviation": StandardScaler(with_std=False),
    "MinMaxScaler": MinMaxScaler((-2, 3)),
    "clipped": MinMaxScaler(clip=True),
    "MaxAbsScaler": MaxAbsScaler(),
    "RobustScaler": RobustScaler(),
    "half a RobustScaler": RobustScaler(with_centering=False),
    "another half": RobustScaler(with_scaling=False),
    "pipeline": make_pipeline(FunctionTransformer(np.log1p), "passthrough", StandardScaler()),
    "passthrough": "passthrough",
    "no function": FunctionTransformer(),
    "log": FunctionTransformer(np.log),
    "columns": ColumnTransformer(
        [
            ("scale", StandardScaler(), [2, 0]),
            ("nothing", "drop", [1]),
            ("root", make_pipeline(FunctionTransformer(np.sqrt), MinMaxScaler()), slice(0, 2)),
        ],
        remainder="passthrough",
    ),
    "another order": ColumnTransformer([("a", MaxAbsScaler(), [2]), ("b", "passthrough", [1, 0])]),
}


if "clip" in MaxAbsScaler().get_params():  # not in old versions
    STEPS["clipped to one"] = MaxAbsScaler(clip=True)


@pytest.mark.parametrize("step", STEPS)
def test_a_step_before_the_windows_is_in_the_model(step, series, target, holed, tmp_path):
    y = target[:, 1]
    X, later = np.abs(series), np.abs(holed) * 1.5  # some values beyond those of the fit
    later[200:, 2] = 1e-5
    model = pipe(clone(STEPS[step]) if step != "passthrough" else step, bidirectional=True)
    assert_predicts(served(model.fit(X, y), later, tmp_path)["y"], model.predict(later), y)


TARGETS = {
    "StandardScaler": {"transformer": StandardScaler()},
    "MinMaxScaler": {"transformer": MinMaxScaler()},
    "log1p": {"func": np.log1p, "inverse_func": np.expm1},
    "log": {"func": np.log, "inverse_func": np.exp},
    "pipeline": {
        "transformer": make_pipeline(
            FunctionTransformer(np.log, np.exp, validate=True), RobustScaler()
        )
    },
}


@pytest.mark.parametrize("shape", ["(n,)", "(n, 1)", "(n, 2)"])
@pytest.mark.parametrize("targets", TARGETS)
def test_transformed_targets_are_transformed_back(targets, shape, series, target, tmp_path):
    y = {"(n,)": target[:, 0], "(n, 1)": target[:, :1], "(n, 2)": target[:, :2]}[shape]
    regressor = TransformedTargetRegressor(pipe(), check_inverse=False, **TARGETS[targets])
    model = regressor.fit(series, y)
    assert_predicts(served(model, series, tmp_path)["y"], model.predict(series), y)


def test_quantiles_of_transformed_targets_are_transformed_back(series, target, tmp_path):
    y = target[:, 0]
    targets = TransformedTargetRegressor(
        lstm(loss="quantile"), func=np.log, inverse_func=np.exp, check_inverse=False
    )
    windows = last_rows(series, SIZE)
    model = targets.fit(windows, y)
    found = served(model, windows, tmp_path)
    assert_predicts(found["quantiles"], np.exp(model.regressor_.predict_quantiles(windows)), y)
    assert_predicts(found["y"], model.predict(windows), y)


TINY = [1e-12, 1e-30]  # one and such a value are one


@pytest.mark.parametrize("unit", TINY)
@pytest.mark.parametrize("function", [np.log1p, np.expm1])
def test_functions_of_tiny_values_keep_their_digits(unit, function, series, target, tmp_path):
    X, y = series[:, :1] / series[:, 0].max() * unit, target[:, 0]
    model = pipe(FunctionTransformer(function)).fit(X, y)
    assert_predicts(served(model, X, tmp_path)["y"], model.predict(X), y)


@pytest.mark.parametrize("unit", TINY)
@pytest.mark.parametrize("functions", [(np.log1p, np.expm1), (np.expm1, np.log1p)])
def test_functions_of_tiny_targets_keep_their_digits(unit, functions, series, target, tmp_path):
    y = target[:, 0] / target[:, 0].max() * unit
    func, inverse = functions
    model = TransformedTargetRegressor(
        pipe(), func=func, inverse_func=inverse, check_inverse=False
    ).fit(series, y)
    assert_predicts(served(model, series, tmp_path)["y"], model.predict(series), y)


@pytest.mark.parametrize("function", [np.log1p, np.expm1])
def test_functions_are_those_of_numpy_wherever_they_are_finite(function, tmp_path):
    """Also around one, where the formula changes."""
    X = np.array([-0.999999, -0.5, -1e-9, -1e-20, 0, 1e-300, 1e-16, 1e-8, 0.5, 1 - 1e-9, 1, 1.5, 9])
    X = X[:, np.newaxis]
    windows = pipe(FunctionTransformer(function), size=1, linear_skip=False).fit(X, X[:, 0])
    expected = windows[0].transform(X)[:, 0]
    graph = Graph()
    graph.named("y", transformed(graph, windows[0], "X"))
    types = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, [None, 1]) for name in "Xy"]
    made = helper.make_graph(graph.nodes, "function", types[:1], types[1:], graph.constants)
    opset = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(made, opset_imports=opset, ir_version=IR_VERSION)
    (found,) = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"X": X})
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-15)


class Doubling(StandardScaler):
    def transform(self, X, copy=None):
        return 2 * super().transform(X, copy)


REFUSED = {
    "PCA": pipe(PCA(2)),
    "SimpleImputer": pipe(SimpleImputer()),
    "Doubling": pipe(Doubling()),
    r"FunctionTransformer\(func=<ufunc 'cbrt'>\)": pipe(FunctionTransformer(np.cbrt)),
    r"FunctionTransformer\(inverse_func=<ufunc 'cbrt'>\)": TransformedTargetRegressor(
        pipe(), func=lambda y: y**3, inverse_func=np.cbrt, check_inverse=False
    ),
    "ColumnTransformer": pipe(
        ColumnTransformer([("a", StandardScaler(), [0])], transformer_weights={"a": 2.0})
    ),
}


@pytest.mark.parametrize("step", REFUSED)
def test_a_step_without_a_form_is_named(step, series, tmp_path):
    model = clone(REFUSED[step]).fit(series, series[:, 0])
    with pytest.raises(ValueError, match=f"{step}.* has no ONNX form"):
        to_onnx(model, tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())
