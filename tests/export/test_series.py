"""Models of several series: the unit of each series, and that of a new one from its window."""

import numpy as np
import pandas as pd
import pytest

from sklstm import forecast_targets
from tests.export.serving import SIZE, assert_predicts, metadata, pipe, session_of

NAMES, N_TIMES = ["a", "b", "c", "d", "e", "new"], 60
pytestmark = pytest.mark.filterwarnings("ignore:The last step of")


@pytest.fixture(scope="module")
def panel():
    """Six series, of units that are far apart, with missing values."""
    generator = np.random.default_rng(0)
    index = pd.MultiIndex.from_product([NAMES, range(N_TIMES)])
    walks = generator.normal(size=(6, N_TIMES, 2)).cumsum(axis=1) + 5
    units = np.array([1, 1e-8, 1e9, 1e3, 7, 1e5])
    values = walks * units[:, None, None]
    X = pd.DataFrame(values.reshape(-1, 2), index=index, columns=["sales", "stock"])
    noise = generator.uniform(0.5, 1.5, len(X))
    X["month"] = np.tile(np.arange(N_TIMES) % 12 + 1.0, 6)
    X.iloc[30:33] = X.iloc[70:90, 0] = X.iloc[5 * N_TIMES + 20 : 5 * N_TIMES + 40] = np.nan
    return X, (X["sales"].fillna(0) * noise).rename("total")


def targets_of(kind, X, total):
    later = forecast_targets(X["sales"], 2)
    with_month = total * 0 + X["month"].fillna(0) ** 2
    return {
        "later": later,
        "total": total,
        "both": pd.concat([later, total], axis=1),
        "no unit": with_month,
    }[kind]


@pytest.mark.parametrize("kind", ["later", "total", "both", "no unit"])
@pytest.mark.parametrize("loss", ["squared_error", "quantile"])
def test_each_series_is_predicted_in_its_unit(kind, loss, panel, tmp_path):
    X, total = panel
    y = targets_of(kind, X, total)
    fitted = X.index.get_level_values(0) != "new"
    model = pipe(loss=loss, target_leads=[1, 2, 0] if kind == "both" else "auto")
    model.fit(X[fitted], y[fitted])
    assert model[-1]._scaling is not None
    windows = model[:-1].transform(X)
    session = session_of(model, tmp_path)
    about = metadata(session)
    assert about["series"] == NAMES[:5]
    numbers = np.repeat([0, 1, 2, 3, 4, -1], N_TIMES)
    served = session.run(None, {"X": np.asarray(windows), "series": numbers})
    expected = [model.predict(X)]
    if loss == "quantile":
        expected.append(model[-1].predict_quantiles(windows))
    empty = session.run(None, {"X": np.asarray(windows)[:0], "series": numbers[:0]})
    assert [found.shape for found in empty] == [(0, *found.shape[1:]) for found in served]
    for name in NAMES:
        rows = X.index.get_level_values(0) == name
        for found, predicted in zip(served, expected, strict=True):
            assert_predicts(found[rows], predicted[rows], y[rows].to_numpy())


@pytest.mark.parametrize("number", [6, 7, -9])
def test_a_number_of_no_series_is_an_error(number, panel, tmp_path):
    X, total = panel
    model = pipe().fit(X, total)
    session = session_of(model, tmp_path)
    window = np.ones((1, SIZE, 3))
    with pytest.raises(Exception, match="out of data bounds"):
        session.run(None, {"X": window, "series": np.array([number])})


def test_with_one_unit_for_all_a_model_needs_no_names(panel, tmp_path):
    X, total = panel
    model = pipe(standardize="together").fit(X, total)
    session = session_of(model, tmp_path)
    assert [value.name for value in session.get_inputs()] == ["X"]
    (found,) = session.run(None, {"X": np.asarray(model[:-1].transform(X))})
    assert_predicts(found, model.predict(X), total.to_numpy())


def test_names_of_series_in_two_levels_are_lists(panel, tmp_path):
    X, total = panel
    levels = pd.MultiIndex.from_product([[np.int64(3), 4], ["x"], range(N_TIMES)])
    X, y = (rows[: len(levels)].set_axis(levels) for rows in (X, total))
    session = session_of(pipe().fit(X, y), tmp_path)
    about = metadata(session)
    assert about["series"] == [[3, "x"], [4, "x"]]
