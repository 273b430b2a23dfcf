"""save, load and model_card: which models come back, and with what."""

import re

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
import skops.io
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import sklstm
from sklstm import (
    ConformalRegressor,
    KnownTargetsRegressor,
    LagTableTransformer,
    LSTMRegressor,
    SlidingWindowTransformer,
    forecast_targets,
    load,
    model_card,
    save,
)
from tests.saving.crafted import changed, find, json_node

N_ROWS = 120


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.sklstm"


@pytest.fixture(scope="module")
def series():
    values = np.random.RandomState(0).rand(N_ROWS, 2)
    index = pd.date_range("2024-01-01", periods=N_ROWS, freq="h")
    return pd.DataFrame(values, columns=["load", "cold"], index=index)


def lstm(**params):
    fast = {"hidden_layer_sizes": 3, "max_epochs": 1, "n_jobs": 1, "random_state": 0}
    return LSTMRegressor(**(fast | params))


def flat():
    return SlidingWindowTransformer(4, padding="edge", flatten=True)


PIPELINES = {
    "windows": lambda: make_pipeline(SlidingWindowTransformer(4), lstm()),
    "scaled": lambda: make_pipeline(StandardScaler(), SlidingWindowTransformer(4), lstm()),
    "quantiles": lambda: make_pipeline(SlidingWindowTransformer(4), lstm(loss="quantile")),
    "known targets": lambda: make_pipeline(flat(), KnownTargetsRegressor(Ridge())),
    "intervals": lambda: ConformalRegressor(
        make_pipeline(SlidingWindowTransformer(4), lstm()), coverage=0.8
    ),
    "intervals of quantiles": lambda: ConformalRegressor(
        make_pipeline(SlidingWindowTransformer(4), lstm(loss="quantile")), coverage=0.8
    ),
    "logarithms": lambda: TransformedTargetRegressor(
        make_pipeline(SlidingWindowTransformer(4), lstm(target_leads=[1, 2])),
        func=np.log1p,
        inverse_func=np.expm1,
        check_inverse=False,
    ),
    "union": lambda: make_pipeline(
        FeatureUnion([("scaled", StandardScaler()), ("component", PCA(1))]),
        SlidingWindowTransformer(4),
        lstm(),
    ),
    "union of frames": lambda: make_pipeline(
        FeatureUnion([("scaled", StandardScaler()), ("component", PCA(1))]),
        SlidingWindowTransformer(4),
        lstm(),
    ).set_output(transform="pandas"),
}


@pytest.mark.parametrize("make", PIPELINES.values(), ids=PIPELINES)
def test_a_loaded_pipeline_predicts_the_same_bits_without_other_trusted_types(make, series, path):
    X, y = series[:100], forecast_targets(series["load"][:100], 2)
    if make is PIPELINES["logarithms"]:
        X, y = X[:-2], y[:-2]
    model = make().fit(X, y)
    save(model, path)
    loaded = load(path)
    np.testing.assert_array_equal(loaded.predict(series), model.predict(series))
    with_skops = skops.io.load(path, trusted=sklstm.TRUSTED_TYPES)
    np.testing.assert_array_equal(with_skops.predict(series), model.predict(series))


def test_a_loaded_transformer_of_columns_predicts_the_same_bits(series, path):
    columns = ColumnTransformer([("load", StandardScaler(), ["load"])])
    X, y = series[:100], series["load"][:100]
    model = make_pipeline(columns, SlidingWindowTransformer(4), lstm()).fit(X, y)
    save(model, path)
    trusted = []
    if sklearn.__version__.startswith("1.6."):  # which keeps the other columns in a private type
        with pytest.raises(ValueError, match="pass trusted=") as caught:
            load(path)
        trusted = eval(re.search(r"trusted=(\[.*\])", str(caught.value)).group(1))
    loaded = load(path, trusted=trusted)
    np.testing.assert_array_equal(loaded.predict(series), model.predict(series))


def test_a_model_whose_arrays_lie_in_a_file_is_saved(series, path, tmp_path):
    X, y = np.asfortranarray(series), forecast_targets(series["load"], 2)
    model = make_pipeline(StandardScaler(), SlidingWindowTransformer(4), lstm()).fit(X, y)
    joblib.dump(model, tmp_path / "model.joblib")
    in_file = joblib.load(tmp_path / "model.joblib", mmap_mode="r")
    assert isinstance(in_file[0].mean_, np.memmap)
    save(in_file, path)
    loaded = load(path)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    assert type(loaded[0].mean_) is np.ndarray


def test_beside_arrays_in_a_file_the_part_that_cannot_be_saved_is_named_with_its_reason(
    series, path, tmp_path
):
    model = make_pipeline(StandardScaler(), FunctionTransformer(kw_args=None)).fit(series)
    joblib.dump(model, tmp_path / "model.joblib")
    in_file = joblib.load(tmp_path / "model.joblib", mmap_mode="r")
    in_file.steps[1][1].kw_args = {"key": lambda X: X}
    with pytest.raises(ValueError, match=r"steps\[1\]\[1\]\.kw_args\['key'\] \(.*lambda"):
        save(in_file, path)
    assert not path.exists()


def test_a_loaded_lag_table_gives_the_same_windows(series, path):
    table = np.hstack([series[:-1], series[1:]])
    model = LagTableTransformer(lags=[1, 1, 0, 0]).fit(table)
    save(model, path)
    np.testing.assert_array_equal(load(path).transform(table), model.transform(table))


def test_a_loaded_model_goes_on_training_as_the_original_would(series, path):
    model = lstm(dropout=0.3).partial_fit(series.to_numpy(), series["load"])
    save(model, path)
    loaded = load(path)
    for one in (model, loaded):
        one.partial_fit(series.to_numpy(), series["load"])
    np.testing.assert_array_equal(
        loaded.predict(series.to_numpy()), model.predict(series.to_numpy())
    )


def test_types_that_are_not_trusted_are_named_and_loaded_if_passed(series, path):
    X, y = series.to_numpy(), series["load"]
    boosting = HistGradientBoostingRegressor(max_iter=2)
    model = make_pipeline(flat(), KnownTargetsRegressor(boosting)).fit(X, y)
    save(model, path)
    name = "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"
    with pytest.raises(ValueError, match="types that are not trusted") as caught:
        load(path)
    assert f"pass trusted=['{name}']" in str(caught.value)
    np.testing.assert_array_equal(load(path, trusted=[name]).predict(X), model.predict(X))
    load(path, trusted=iter([name]))  # any iterable, also one that is read once


def test_of_a_search_the_best_pipeline_needs_no_trust_and_the_whole_one_names_its_types(
    series, path
):
    search = GridSearchCV(PIPELINES["windows"](), {"lstmregressor__tol": [0.1]}, cv=2)
    search.set_params(cv=TimeSeriesSplit(2)).fit(series, series["load"])
    save(search, path)
    with pytest.raises(ValueError, match="TimeSeriesSplit") as caught:
        load(path)
    assert "save best_estimator_" in str(caught.value)
    told = str(caught.value).partition("trusted=[")[2].partition("]")[0]
    loaded = load(path, trusted=[name.strip(" '") for name in told.split(",")])
    assert loaded.best_score_ == search.best_score_
    save(search.best_estimator_, path)
    np.testing.assert_array_equal(load(path).predict(series), search.predict(series))


@pytest.mark.parametrize("trusted", ["sklearn.tree._tree.Tree", True, [1]])
def test_trusted_must_be_names(trusted, path):
    with pytest.raises(TypeError, match="trusted must be a list of names of types"):
        load(path, trusted=trusted)


def test_what_is_not_fitted_is_not_saved(path):
    with pytest.raises(NotFittedError):
        save(PIPELINES["windows"](), path)
    with pytest.raises(TypeError, match="not an estimator"):
        save(path, PIPELINES["windows"]())
    assert not path.exists()


def test_a_part_that_cannot_be_built_again_is_refused_before_the_file_is_replaced(series, path):
    path.write_text("old")
    model = make_pipeline(FunctionTransformer(lambda X: X), Ridge()).fit(series, series["load"])
    with pytest.raises(ValueError, match="Pipeline cannot be saved"):
        save(model, path)
    assert path.read_text() == "old"


def test_the_part_that_cannot_be_saved_is_named(series, path):
    squared = FunctionTransformer(lambda X: X**2)
    columns = ColumnTransformer([("square", squared, ["cold"])])
    model = make_pipeline(columns, SlidingWindowTransformer(4), lstm()).fit(series, series["load"])
    part = re.escape("Pipeline.steps[0][1].transformers[0][1].func (")
    with pytest.raises(ValueError, match=f"plain values: {part}.*Replace that part"):
        save(model, path)


def test_the_card_has_rows_errors_and_versions_in_one_line(series, path):
    model = PIPELINES["windows"]().fit(series, series["load"])
    save(model, path)
    net = model[-1]
    for card in (model_card(model), model_card(path), model_card(str(path))):
        assert "\n" not in card
        assert card.startswith("Pipeline(SlidingWindowTransformer, LSTMRegressor): ")
        assert f"{net.window_counts_['training']} training" in card
        assert f"validation loss {net.validation_loss_curve_[0]:.4g}" in card
        assert f"sklstm {sklstm.__version__}" in card
        assert f"numpy {np.__version__}" in card
    with pytest.raises(NotFittedError):
        model_card(PIPELINES["windows"]())


def test_every_trusted_type_is_a_public_class():
    for name in sklstm.TRUSTED_TYPES:
        package, _, public = name.partition(".")
        assert package == "sklstm"
        assert public in sklstm.__all__
        assert isinstance(getattr(sklstm, public), type)  # skops would call a trusted function


def of_series(names):
    times = pd.date_range("2024-01-01", periods=40, freq="h")
    index = pd.MultiIndex.from_tuples(
        [(*name, time) for name in names for time in times],
        names=[*"abc"[: len(names[0])], "time"],
    )
    return pd.DataFrame({"load": np.random.RandomState(0).rand(len(index))}, index=index)


NAMES = {
    "text": [("north",), ("south",)],
    "integers": [(1,), (2,)],
    "floats": [(0.1,), (0.2,)],
    "booleans": [(False,), (True,)],
    "times": [(pd.Timestamp("2024"),), (pd.Timestamp("2025"),)],
    "two levels": [("north", 1), ("south", 2)],
}


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_names_of_series_come_back_with_their_history_and_units(names, path):
    X = of_series(names)
    y = forecast_targets(X["load"], 1)
    model = make_pipeline(SlidingWindowTransformer(3), lstm()).fit(X, y)
    save(model, path)
    loaded = load(path)
    assert list(loaded[0].history_) == list(model[0].history_)
    later = X.copy()
    later.index = X.index.set_levels(X.index.levels[-1] + pd.Timedelta("40h"), level=-1)
    np.testing.assert_array_equal(loaded.predict(later), model.predict(later))


def test_intervals_of_several_series_come_back_and_take_updates(path):
    X = of_series(NAMES["two levels"])
    y = forecast_targets(X["load"], 1)
    model = ConformalRegressor(
        make_pipeline(SlidingWindowTransformer(3), lstm()), coverage=0.8
    ).fit(X, y)
    save(model, path)
    loaded = load(path)
    for one in (model, loaded):
        one.update(X, y)
    np.testing.assert_array_equal(loaded.predict_interval(X), model.predict_interval(X))


@pytest.mark.parametrize(
    "freq", [pd.Timedelta("1h"), pd.offsets.Hour(), pd.Timedelta("1h").to_pytimedelta()], ids=repr
)
def test_every_form_of_a_parameter_comes_back_as_it_was(freq, series, path):
    model = make_pipeline(
        SlidingWindowTransformer(4, freq=freq), lstm(target_leads=range(1, 3))
    ).fit(series, forecast_targets(series["load"], 2))
    save(model, path)
    loaded = load(path)
    assert loaded[0].freq == freq
    assert type(loaded[0].freq) is type(freq)
    assert loaded[1].target_leads == range(1, 3)


@pytest.mark.parametrize("device", ["cuda", "cuda:7"])
def test_a_model_trained_on_a_gpu_loads_and_predicts_where_there_is_none(series, path, device):
    model = PIPELINES["windows"]().fit(series, series["load"])
    save(model, path)

    def as_on_a_gpu(content):
        state = find(content, "net_")
        state["device"] = json_node(device)
        state["net_"]["content"]["hyperparameters"]["content"]["device"] = json_node(device)

    path.write_bytes(changed(path.read_bytes(), as_on_a_gpu))
    loaded = load(path)
    assert loaded[-1].device == device
    np.testing.assert_array_equal(loaded.predict(series), model.predict(series))
