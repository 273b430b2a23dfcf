"""to_onnx: the same predictions in ONNX Runtime, for every option; a clear error for the rest."""

import json
import pickle
import sys

import numpy as np
import onnx
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)

import sklstm
from sklstm import (
    ConformalRegressor,
    KnownTargetsRegressor,
    LagTableTransformer,
    LSTMRegressor,
    SlidingWindowTransformer,
    forecast_targets,
    to_onnx,
)
from tests.export.serving import assert_predicts, last_rows, served
from tests.machine import needs_bfloat16

# Some of the rows that are predicted lack features.
pytestmark = pytest.mark.filterwarnings("ignore:The last step of")

SIZE, N_ROWS = 6, 240


def lstm(**params):
    """Make a network that moves far from the linear map in a few steps."""
    quick = {"hidden_layer_sizes": 5, "max_epochs": 2, "learning_rate": 0.1, "batch_size": 64}
    settings = {"early_stopping": False, "ema_decay": 0, "n_jobs": 1, "random_state": 0}
    return LSTMRegressor(**(quick | settings | params))


def pipe(*before, dilation=1, size=SIZE, padding="nan", **params):
    windows = SlidingWindowTransformer(size, dilation=dilation, padding=padding, history="none")
    return make_pipeline(*before, windows, lstm(**params))


@pytest.fixture(scope="module")
def series():
    """Walks with very different levels and sizes."""
    steps = np.random.default_rng(0).normal(size=(N_ROWS, 3)) + 0.1
    return steps.cumsum(axis=0) * [1, 1e9, 1e-6] + [50, 1e11, 1e-5]


@pytest.fixture(scope="module")
def target(series):
    """What no linear map predicts: positive, with as many sizes as there are features."""
    noise = np.random.default_rng(1).uniform(0.5, 1.5, series.shape)
    return series * noise


@pytest.fixture
def holed(series):
    """The same rows with missing steps and values."""
    rows = series.copy()
    rows[40:43] = rows[60:90] = np.nan  # more steps than a window
    rows[100, 1] = rows[110:130, 0] = np.nan
    rows[200:, 2] = np.nan
    return rows


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


@pytest.mark.parametrize("scale", [1e-6, 1e9])
@pytest.mark.parametrize("level", [0, 1e4])
def test_units_of_any_size_keep_the_precision(scale, level, series, target, tmp_path):
    X, y = (
        ((values - values.mean(axis=0)) / values.std(axis=0) + level) * scale
        for values in (series, target[:, 0])
    )
    model = pipe(StandardScaler()).fit(X, y)
    assert_predicts(served(model, X, tmp_path)["y"], model.predict(X), y)


def test_a_long_window_is_filled_over_its_whole_length(series, target, tmp_path):
    X = series.copy()
    X[20:59] = X[100:141] = X[170:180, 1:] = np.nan
    model = pipe(size=40).fit(series, target[:, 1])
    assert_predicts(served(model, X, tmp_path)["y"], model.predict(X), target[:, 1])


def test_a_feature_that_no_fit_has_known_is_not_used(series, target, tmp_path):
    X = series.copy()
    X[:, 2] = np.nan
    model = pipe().fit(X, target[:, 1])
    found = served(model, series, tmp_path)["y"]
    assert_predicts(found, model.predict(series), target[:, 1])


def test_a_window_that_predict_refuses_has_no_prediction(series, tmp_path):
    model = pipe(MinMaxScaler(clip=True), linear_skip=False).fit(series, series[:, 1])
    X = last_rows(series, SIZE)[SIZE : SIZE + 4].copy()
    X[1, 2, 0], X[2, 0, 2] = np.inf, -np.inf
    y = served(model, X, tmp_path)["y"]
    assert np.isnan(y).tolist() == [False, True, True, False]
    model = pipe(linear_skip=False).fit(series, series[:, 1])
    X[1, 2, 0], X[2, 0, 2] = 1e30, 1e12
    with pytest.raises(ValueError, match="too large"):
        model[-1].predict(X)
    y = served(model, X, tmp_path)["y"]
    assert np.isnan(y).tolist() == [False, True, True, False]


# Steps of scikit-learn.


def by_columns(series):
    return ColumnTransformer(
        [
            ("scale", StandardScaler(), [2, 0]),
            ("nothing", "drop", [1]),
            ("root", make_pipeline(FunctionTransformer(np.sqrt), MinMaxScaler()), slice(0, 2)),
        ],
        remainder="passthrough",
    )


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
    "columns": by_columns(None),
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


def test_columns_are_found_by_name(series, target, tmp_path):
    names = ["load", "price", "wind"]
    X = pd.DataFrame(series, columns=names)
    columns = ColumnTransformer(
        [("scale", StandardScaler(), slice("price", "wind"))], remainder=RobustScaler()
    )
    model = pipe(columns).fit(X, target[:, 1])
    found = served(model, series, tmp_path)["y"]
    assert_predicts(found, model.predict(X), target[:, 1])
    assert metadata(tmp_path)["features"] == names


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


# What stands around the network or the pipeline.

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


def test_a_search_and_known_targets_pass_their_predictions_on(series, target, tmp_path):
    y = forecast_targets(target[:, 0], 2)
    model = KnownTargetsRegressor(pipe()).fit(series, y)
    assert_predicts(served(model, series, tmp_path)["y"], model.predict(series), y)
    search = GridSearchCV(pipe(), {"lstmregressor__dropout": [0.2]}, cv=TimeSeriesSplit(2))
    search.fit(series, target[:, 0])
    found = served(search, series, tmp_path)["y"]
    assert_predicts(found, search.predict(series), target[:, 0])


# What is refused.


class Doubling(StandardScaler):
    def transform(self, X, copy=None):
        return 2 * super().transform(X, copy)


class Clipped(LSTMRegressor):
    def predict(self, X):
        return np.maximum(super().predict(X), 0)


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


@needs_bfloat16
def test_bfloat16_is_refused(series, target, tmp_path):
    model = pipe(precision="bfloat16").fit(series, target)
    with pytest.raises(ValueError, match="precision='bfloat16'.* no ONNX form.*'float32'"):
        to_onnx(model, tmp_path / "model.onnx")


def test_intervals_are_refused_and_the_estimator_inside_is_not(series, target, tmp_path):
    model = ConformalRegressor(pipe()).fit(series, target[:, 0])
    with pytest.raises(ValueError, match="ConformalRegressor has no ONNX form.*estimator_"):
        to_onnx(model, tmp_path / "model.onnx")
    found = served(model.estimator_, series, tmp_path)["y"]
    assert_predicts(found, model.predict(series), target[:, 0])


@pytest.mark.parametrize(
    ("estimator", "found"),
    [
        (Ridge(), "Ridge"),
        (Clipped(), "Clipped"),
        (make_pipeline(StandardScaler(), Ridge()), "Ridge"),
        (make_pipeline(StandardScaler(), "passthrough"), "passthrough"),
        (None, "NoneType"),
    ],
)
def test_another_estimator_is_refused(estimator, found, tmp_path):
    if estimator is not None:
        estimator.fit([[1.0], [2.0], [4.0]] * 5, [1.0, 3.0, 2.0] * 5)
    with pytest.raises(TypeError, match=f"must be an LSTMRegressor.*got '?{found}"):
        to_onnx(estimator, tmp_path / "model.onnx")


def test_a_linear_map_alone_is_exported_without_layers(series, target, tmp_path):
    options = OPTIONS["linear map alone"] | {"hidden_layer_sizes": 64}
    model = pipe(**options).fit(series, target)
    assert model[-1].network_weight_ == 0
    to_onnx(model, tmp_path / "model.onnx")
    assert "LSTM" not in [n.op_type for n in onnx.load(tmp_path / "model.onnx").graph.node]


def test_a_search_without_a_fitted_estimator_is_refused(series, target, tmp_path):
    search = GridSearchCV(
        pipe(), {"lstmregressor__dropout": [0]}, cv=TimeSeriesSplit(2), refit=False
    )
    with pytest.raises(ValueError, match="refit=False.*refit=True"):
        to_onnx(search.fit(series, target), tmp_path / "model.onnx")


def test_a_loaded_estimator_has_the_same_model(series, target, tmp_path):
    model = pipe(loss="quantile").fit(series, target)
    to_onnx(model, tmp_path / "before")
    to_onnx(pickle.loads(pickle.dumps(model)), tmp_path / "after")
    assert (tmp_path / "before").read_bytes() == (tmp_path / "after").read_bytes()


@pytest.mark.parametrize(
    "model",
    [LSTMRegressor(), pipe(), TransformedTargetRegressor(pipe()), GridSearchCV(pipe(), {})],
)
def test_an_estimator_that_is_not_fitted_is_refused(model, tmp_path):
    with pytest.raises(NotFittedError):
        to_onnx(model, tmp_path / "model.onnx")


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


def test_without_the_package_the_error_names_the_extra(series, target, tmp_path, monkeypatch):
    model = pipe().fit(series, target)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"to_onnx needs onnx: pip install 'sklstm\[onnx\]'"):
        to_onnx(model, tmp_path / "model.onnx")


# The file.


def test_an_error_leaves_the_old_file_as_it_was(series, target, tmp_path, monkeypatch):
    model, path = pipe().fit(series, target), tmp_path / "model.onnx"
    path.write_bytes(b"old")
    monkeypatch.setattr("os.replace", lambda *paths: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        to_onnx(model, path)
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["model.onnx"]


def test_the_model_says_what_it_takes(series, target, tmp_path):
    names = ["load", "price", "wind"]
    X = pd.DataFrame(series, columns=names, index=pd.date_range("2024", periods=N_ROWS, freq="h"))
    y = forecast_targets(X[["load"]], horizon=2)
    to_onnx(pipe(dilation=2, loss="quantile").fit(X, y), str(tmp_path / "model.onnx"))
    assert metadata(tmp_path) == {
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


def metadata(folder):
    (entry,) = onnx.load(folder / "model.onnx").metadata_props
    return json.loads(entry.value)
