"""The example service predicts as one batch does, and loses no row that it has accepted."""

import importlib.util
import itertools
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient
from sklearn.pipeline import make_pipeline

import sklstm

FILE = Path(__file__).parents[1] / "examples" / "service" / "app.py"
N_FITTED, N_NEW = 300, 500


@pytest.fixture(scope="module")
def service():
    spec = importlib.util.spec_from_file_location("service_app", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def fitted(small_pipe, chicago_series):
    """Fit a pipeline on the first rows, with two targets."""
    past = chicago_series[:N_FITTED]
    y = sklstm.forecast_targets(past["ridership"], 2)
    return small_pipe(index=True).fit(past, y)


@pytest.fixture
def path(fitted, tmp_path):
    sklstm.save(fitted, tmp_path / "model.sklstm")
    return str(tmp_path / "model.sklstm")


def body(X):
    """Write rows as JSON has them, of one series or of several."""
    rows = []
    for label, row in X.iterrows():
        series, day = label if isinstance(label, tuple) else (None, label)
        values = {name: None if np.isnan(value) else value for name, value in row.items()}
        rows.append({"series": series, "time": day.isoformat(), "values": values})
    return rows


def post(client, X):
    answer = client.post("/rows", json=body(X))
    assert answer.status_code == 200, answer.text
    return answer.json()["forecasts"]


@pytest.mark.family("bit identity")
@pytest.mark.filterwarnings("ignore:The last step of")
def test_five_hundred_rows_one_by_one_and_in_batches_are_served_as_in_one_batch(
    service, fitted, path, chicago_series, monkeypatch
):
    saved = []
    monkeypatch.setattr(service.sklstm, "save", lambda pipe, path: saved.append(path))  # slow
    X = chicago_series[: N_FITTED + N_NEW].copy()
    X.iloc[N_FITTED + 40] = X.iloc[N_FITTED + 50, 0] = np.nan  # a missing row, a missing value
    new, stops = X[N_FITTED:], [*range(1, 101), *range(105, N_NEW + 1, 5)]
    with TestClient(service.make_app(path)) as client:
        served = [post(client, new[a:b]) for a, b in itertools.pairwise([0, *stops])]
    np.testing.assert_array_equal(np.concatenate(served), fitted.predict(X)[N_FITTED:])
    assert saved == [path] * len(stops)


def test_a_service_that_starts_again_at_any_time_goes_on(service, fitted, path, chicago_series):
    X, served = chicago_series[: N_FITTED + 20], []
    for start in range(N_FITTED, len(X), 2):
        served += post(TestClient(service.make_app(path)), X[start : start + 2])
    np.testing.assert_array_equal(served, fitted.predict(X)[N_FITTED:])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([0], "before the end of the rows seen so far"),  # posted before
        ([-5], "before the end of the rows seen so far"),
        ([1, 0], "not increasing|before the end"),
        ([2, 1], "not increasing"),
        ([1, 1], "repeats"),
    ],
    ids=["again", "late", "late in one call", "out of order in one call", "twice in one call"],
)
def test_rows_out_of_order_are_refused_and_change_nothing(
    service, fitted, path, chicago_series, rows, message
):
    X = chicago_series[: N_FITTED + 5]
    client = TestClient(service.make_app(path))
    first = post(client, X[N_FITTED : N_FITTED + 1])
    before = Path(path).read_bytes()
    answer = client.post("/rows", json=body(X.iloc[[N_FITTED + row for row in rows]]))
    assert answer.status_code == 409
    assert re.search(message, answer.json()["detail"])
    assert Path(path).read_bytes() == before
    served = first + post(client, X[N_FITTED + 1 :])
    np.testing.assert_array_equal(served, fitted.predict(X)[N_FITTED:])


def test_a_row_off_the_grid_of_the_others_is_refused(service, path, chicago_series):
    row = chicago_series[N_FITTED : N_FITTED + 1].shift(freq="5h")
    answer = TestClient(service.make_app(path)).post("/rows", json=body(row))
    assert answer.status_code == 409
    assert "off the grid" in answer.json()["detail"]


def test_rows_that_were_never_posted_are_told(service, path, chicago_series):
    client = TestClient(service.make_app(path))
    answer = client.post("/rows", json=body(chicago_series[N_FITTED + 6 : N_FITTED + 7]))
    (warning,) = answer.json()["warnings"]
    assert "6 rows are missing" in warning


@pytest.mark.parametrize(
    "change",
    [
        {"time": "yesterday"},
        {"time": 1430000000},
        {"time": "9018-01-01"},
        {"time": None},
        {"values": {}},
        {"values": {"ridership": 1.0, "other": 2.0}},
        {"values": {"ridership": "1.0"}},
        {"series": "a"},
        {"color": "red"},
        None,
    ],
    ids=str,
)
def test_malformed_rows_are_refused_and_change_nothing(service, fitted, path, chicago, change):
    X = chicago[: N_FITTED + 1]
    client = TestClient(service.make_app(path))
    wrong = [body(X[N_FITTED:])[0] | change] if change else []
    assert client.post("/rows", json=wrong).status_code == 422
    np.testing.assert_array_equal(post(client, X[N_FITTED:]), fitted.predict(X)[N_FITTED:])


@pytest.mark.parametrize("value", ["1e999", "NaN"])
def test_a_value_that_is_not_finite_is_refused(service, path, value):
    client = TestClient(service.make_app(path))
    text = '[{"time": "2017-01-01", "values": {"ridership": VALUE, "temperature": 1.0}}]'
    text = text.replace("VALUE", value)
    answer = client.post("/rows", content=text, headers={"content-type": "application/json"})
    assert answer.status_code == 422


def test_a_value_too_large_for_the_network_is_refused_and_changes_nothing(
    service, fitted, path, chicago
):
    X = chicago[: N_FITTED + 1]
    client = TestClient(service.make_app(path), raise_server_exceptions=False)
    (wrong,) = body(X[N_FITTED:])
    wrong["values"] |= {"ridership": 1e30}
    answer = client.post("/rows", json=[wrong])
    assert answer.status_code == 422
    assert "holds the value" in answer.json()["detail"]
    np.testing.assert_array_equal(post(client, X[N_FITTED:]), fitted.predict(X)[N_FITTED:])


def test_a_save_that_fails_leaves_the_old_state(service, fitted, path, chicago, monkeypatch):
    X = chicago[: N_FITTED + 1]
    client, before = TestClient(service.make_app(path)), Path(path).read_bytes()

    def full_disk(*args):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("sklstm._saving.file.os.replace", full_disk)
        answer = client.post("/rows", json=body(X[N_FITTED:]))
    assert answer.status_code == 503
    assert "No space left" in answer.json()["detail"]
    assert Path(path).read_bytes() == before
    for app in (client, TestClient(service.make_app(path))):  # the row can be posted again
        np.testing.assert_array_equal(post(app, X[N_FITTED:]), fitted.predict(X)[N_FITTED:])
        Path(path).write_bytes(before)


@pytest.fixture
def two_series(chicago):
    return pd.concat({"a": chicago[:120], "b": chicago[100:250] * 1.5})


@pytest.mark.parametrize("names", [["a", "b"], [1, 2]])
def test_several_series_are_served_as_in_one_batch(
    service, small_pipe, two_series, tmp_path, names
):
    X = two_series.rename(dict(zip("ab", names, strict=True)), level=0)
    is_new = X.groupby(level=0).cumcount(ascending=False) < 6
    pipe = small_pipe(index=True).fit(X[~is_new], X[~is_new]["ridership"])
    sklstm.save(pipe, tmp_path / "model.sklstm")
    client = TestClient(service.make_app(str(tmp_path / "model.sklstm")))
    # Rows of both in one call, those of the second series first.
    new = pd.concat([X[is_new].loc[[name]] for name in names[::-1]])
    served = pd.Series(post(client, new), new.index)
    expected = pd.Series(pipe.predict(X), X.index)
    pd.testing.assert_series_equal(served, expected[new.index], check_exact=True)
    assert client.post("/rows", json=body(new[-1:])).status_code == 409


@pytest.mark.parametrize("series", ["c", None])
def test_a_series_that_was_not_fitted_is_refused(service, small_pipe, two_series, tmp_path, series):
    pipe = small_pipe(index=True).fit(two_series, two_series["ridership"])
    sklstm.save(pipe, tmp_path / "model.sklstm")
    client = TestClient(service.make_app(str(tmp_path / "model.sklstm")))
    row = body(two_series[-1:])[0] | {"time": "2017-01-01", "series": series}
    answer = client.post("/rows", json=[row])
    assert answer.status_code == 422
    assert "one of ['a', 'b']" in answer.json()["detail"]


@pytest.mark.parametrize("frame", [True, False])
def test_a_pipeline_whose_windows_saw_no_index_is_refused(
    service, small_pipe, chicago, tomorrow, tmp_path, frame
):
    pipe = small_pipe().fit(chicago if frame else chicago.to_numpy(), tomorrow.to_numpy())
    sklstm.save(pipe, tmp_path / "model.sklstm")
    with pytest.raises(ValueError, match=r"set_output\(transform='pandas'\)"):
        service.make_app(str(tmp_path / "model.sklstm"))


def test_a_model_without_a_step_of_the_name_window_is_refused(service, fitted, chicago, tmp_path):
    path = str(tmp_path / "model.sklstm")
    for model in (fitted[-1], make_pipeline(*fitted)):
        sklstm.save(model, path)
        with pytest.raises(ValueError, match="no pipeline with a step of the name 'window'"):
            service.make_app(path)


def test_a_pipeline_saved_without_history_is_served_with_it(service, fitted, path, chicago):
    X = chicago[: N_FITTED + 3]
    expected = fitted.predict(X)[N_FITTED:]
    sklstm.save(fitted.set_params(window__history="none"), path)
    np.testing.assert_array_equal(post(TestClient(service.make_app(path)), X[N_FITTED:]), expected)


def test_health_says_which_model_is_served(service, path):
    answer = TestClient(service.make_app(path)).get("/health")
    assert answer.json() == {"model": sklstm.model_card(path)}
