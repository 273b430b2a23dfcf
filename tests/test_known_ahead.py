"""Columns that are known in advance, joined to the rows by ``forecast_targets``."""

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

from sklstm import LSTMRegressor, SlidingWindowTransformer, forecast_targets

HORIZON, N_ROWS = 5, 60
N_LABELS = N_ROWS + HORIZON

LABELS = {
    "hours": pd.date_range("2024-03-28", periods=N_LABELS, freq="h"),
    "local hours, clocks change": pd.date_range(
        "2024-03-30", periods=N_LABELS, freq="h", tz="Europe/Berlin"
    ),
    "local days, clocks change": pd.date_range(
        "2024-03-01", periods=N_LABELS, freq="D", tz="Europe/Berlin"
    ),
    "business days": pd.bdate_range("2024-03-01", periods=N_LABELS),
    "business days without a holiday": pd.bdate_range("2024-03-01", periods=N_LABELS + 1).delete(
        20
    ),
    "month ends": pd.date_range("2019-01-31", periods=N_LABELS, freq="ME"),
    "periods": pd.period_range("2019-01", periods=N_LABELS, freq="M"),
    "integers": pd.Index(range(100, 100 + 10 * N_LABELS, 10)),
    "floats": pd.Index(np.cumsum(np.random.default_rng(0).uniform(size=N_LABELS))),
}


def plan_of(labels):
    """Make a series that is known up to the last of the labels."""
    return pd.Series(np.random.default_rng(1).normal(size=len(labels)), labels, name="plan")


# What is missing is not told by the labels of these.
COUNTED_AS_ROWS = {"business days", "business days without a holiday", "floats"}


@pytest.mark.parametrize(
    ("name", "missing"),
    [(name, []) for name in LABELS]
    + [(name, [10, 11, 40]) for name in sorted(LABELS.keys() - COUNTED_AS_ROWS)],
)
def test_every_row_has_the_known_values_of_the_steps_after_it(name, missing):
    labels = LABELS[name]
    plan = plan_of(labels)
    load = pd.DataFrame({"load": np.arange(N_ROWS, dtype=float)}, labels[:N_ROWS])
    X = load.drop(load.index[missing]).join(forecast_targets(plan, HORIZON))
    by_label = dict(zip(labels, plan, strict=True))
    for row in set(range(N_ROWS)) - set(missing):
        expected = [row, *(by_label[later] for later in labels[row + 1 : row + 1 + HORIZON])]
        np.testing.assert_array_equal(X.loc[labels[row]], expected)
    assert not X.isna().any(axis=None)  # the last rows too


def test_days_of_the_weather_beside_business_days_need_the_labels_of_the_load():
    days = pd.date_range("2024-01-01", periods=40)
    weather = plan_of(days)
    at_work = days[days.day_of_week < 5]
    load = pd.Series(np.arange(20.0), at_work[:20], name="load")
    friday = pd.Timestamp("2024-01-05")
    assert forecast_targets(load, 1).loc[friday, "load_lead1"] == load["2024-01-08"]
    assert forecast_targets(weather, 1).loc[friday, "plan_lead1"] == weather["2024-01-06"]
    right = forecast_targets(weather[at_work], 1)
    assert right.loc[friday, "plan_lead1"] == weather["2024-01-08"]


@pytest.fixture
def heated():
    """A load that follows the temperature of the same hour, and that temperature further on."""
    rng = np.random.default_rng(0)
    hours = pd.date_range("2024-01-01", periods=500 + HORIZON, freq="h")
    temperature = pd.Series(rng.normal(10, 5, len(hours)), hours, name="temperature")
    load = (50 - temperature + rng.normal(0, 0.1, len(hours))).rename("load")
    return pd.concat([load, temperature], axis=1)[:500], temperature, load[500:]


def fitted(X, y):
    lstm = LSTMRegressor(4, max_epochs=2, random_state=0)
    return make_pipeline(SlidingWindowTransformer(4), lstm).fit(X, y)


def test_the_forecast_after_the_end_uses_what_is_known_of_each_step(heated):
    X, temperature, later = heated
    y = forecast_targets(X["load"], HORIZON)
    known = X.join(forecast_targets(temperature, HORIZON))
    error = np.abs(fitted(known, y).predict(known)[-1] - later)
    assert error.max() < 1
    next_hour = X.assign(next=temperature.shift(-1))
    error = np.abs(fitted(next_hour, y).predict(next_hour)[-1] - later)
    assert error.iloc[0] < 1
    assert error.iloc[1:].mean() > 2


def test_forecasts_that_reach_less_far_are_joined_as_far_as_they_reach(heated):
    X, temperature, later = heated
    y = forecast_targets(X["load"], HORIZON)
    known = X.join(forecast_targets(temperature[: 500 + 2], 2))
    assert not known.isna().any(axis=None)
    error = np.abs(fitted(known, y).predict(known)[-1] - later)
    assert error.iloc[:2].max() < 1
    assert error.iloc[2:].max() > 1
