"""The code of docs/guide/other_libraries.md runs and prints what the page says.

`make test-clients` makes the environment. The other blocks of README and docs are run by
tests/test_docs.py, which needs none of these libraries.
"""

import json
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

from tests_clients import traps

PAGE = (Path(__file__).parents[1] / "docs" / "guide" / "other_libraries.md").read_text()
SECTIONS = dict(re.findall(r"^(?:## |# )(.*?)\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE))
WITH_LAGS = ["sktime", "skforecast", "darts", "mlforecast"]
START, PIPELINE = "With other libraries", "A pipeline for the next sections"


def page_code(section):
    """Return the code of a section, and what the page says that it prints."""
    pattern = r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```)?"
    ((code, printed),) = re.findall(pattern, SECTIONS[section], re.DOTALL | re.MULTILINE)
    return code, printed


@pytest.fixture(autouse=True)
def other_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # MLflow writes there


def libraries():
    return [name for name in SECTIONS if "```python" in SECTIONS[name]][1:]


@pytest.mark.parametrize("library", [name for name in libraries() if name != PIPELINE])
def test_the_code_of_the_page_runs(library, capsys):
    namespace = {}
    exec(page_code(START)[0], namespace)
    if library not in WITH_LAGS:
        exec(page_code(PIPELINE)[0], namespace)
    code, expected = page_code(library)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        exec(code, namespace)
    assert capsys.readouterr().out == expected
    assert not [each for each in caught if "sklstm" in each.filename + str(each.message)]
    forecast = namespace.get("forecast", 15.0)
    forecast = forecast.values() if library == "darts" else forecast
    forecast = forecast["lstm"] if library == "mlforecast" else forecast
    forecast = np.asarray(forecast)
    assert np.all((forecast > 0) & (forecast < 30))  # thousands of entries a day


@pytest.mark.parametrize("library", WITH_LAGS)
def test_the_table_holds_the_errors_that_traps_py_prints(library):
    rows = re.findall(r"^\|.*\|$", SECTIONS["Three traps in forecasters"], re.MULTILINE)
    names, _, *cells = [[cell.strip(" *") for cell in row.split("|")[1:-1]] for row in rows]
    (column,) = [place for place, name in enumerate(names) if name.endswith(library)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = traps.errors(library)
    of_page = [float(row[column]) for row in cells]
    np.testing.assert_allclose(of_page, list(found.values()), rtol=0.05)


@pytest.mark.parametrize("library", WITH_LAGS)
def test_each_trap_warns(library, monkeypatch):
    """Inside of the library, which may hide warnings or repeat them."""
    seen = []
    monkeypatch.setattr(
        "sklstm._validation.warnings.warn", lambda text, *_, **__: seen.append(str(text))
    )
    traps.errors(library, n_rows=300, n_weeks=1, epochs=1)
    expected = {"as the steps of one feature", "X is a lag table already"}
    assert all(any(words in text for text in seen) for words in expected)


@pytest.mark.parametrize("name", ["TimeSeriesRegressor", "JackknifeAfterBootstrapRegressor"])
def test_resampled_rows_are_refused_as_the_page_says(name):
    from mapie import regression

    namespace = {}
    for section in (START, PIPELINE):
        exec(page_code(section)[0], namespace)
    X, y, model = (namespace[each] for each in ("X", "y", "model"))
    method = getattr(regression, name)(model)
    fit = getattr(method, "fit_conformalize", method.fit if hasattr(method, "fit") else None)
    with pytest.raises(ValueError, match="index of X"):
        fit(X, y)


@pytest.mark.parametrize("with_schema", [False, True])
def test_rows_that_the_server_of_mlflow_parses_have_their_history(with_schema):
    import mlflow
    from mlflow.pyfunc.scoring_server import infer_and_parse_data

    import sklstm

    namespace = {}
    for section in (START, PIPELINE):
        exec(page_code(section)[0], namespace)
    X, y, model = (namespace[each] for each in ("X", "y", "model"))
    model.fit(X[:400], y[:400])
    later = X[402:410]  # after a hole
    signature = mlflow.models.infer_signature(later, y[402:410]) if with_schema else None
    types = list(sklstm.TRUSTED_TYPES)
    info = mlflow.sklearn.log_model(model, name="m", skops_trusted_types=types, signature=signature)
    served = mlflow.pyfunc.load_model(info.model_uri)
    body = {"dataframe_split": json.loads(later.to_json(orient="split", date_format="iso"))}
    rows = infer_and_parse_data(body, served.metadata.get_input_schema())
    assert isinstance(rows.index[0], str)
    np.testing.assert_array_equal(served.predict(rows), model.predict(later))
