"""Rows whose labels are text after a fit on times, as JSON brings them."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from sklstm import ConformalRegressor, KnownTargetsRegressor, SlidingWindowTransformer

N_FITTED = 30
DAYS = pd.date_range("2024-01-01", periods=40)
HOURS = pd.date_range("2024-03-30 00:00", periods=40, freq="h", tz="Europe/Berlin")


def frame(index):
    return pd.DataFrame({"load": np.arange(float(len(index)))}, index=index)


def through_json(X):
    """Send rows as a service gets them; their labels arrive as text."""
    sent = json.loads(X.to_json(orient="split", date_format="iso", double_precision=15))
    return pd.DataFrame(sent["data"], index=sent["index"], columns=sent["columns"])


def as_dates_alone(X):
    return X.set_axis(X.index.strftime("%Y-%m-%d"))


@pytest.mark.parametrize(
    ("index", "sent"),
    [
        (DAYS, through_json),
        (DAYS, as_dates_alone),
        (HOURS, through_json),  # in UTC
        (HOURS, lambda X: X.set_axis([label.isoformat() for label in X.index])),
    ],
)
def test_iso_text_after_a_fit_on_times_is_these_times(index, sent):
    X = frame(index)
    transformer = SlidingWindowTransformer(3).fit(X[:N_FITTED])
    later = sent(X[N_FITTED + 1 :])
    assert isinstance(later.index[0], str)
    # One row was left out, so it is a missing step.
    windows = np.asarray(transformer.transform(later))[:2, :, 0]
    np.testing.assert_array_equal(windows, [[29, np.nan, 31], [np.nan, 31, 32]])
    transformer.partial_fit(sent(X[N_FITTED : N_FITTED + 1]))
    np.testing.assert_array_equal(transformer.transform(later)[0, :, 0], [29, 30, 31])


def test_iso_text_in_the_last_level_of_several_series_is_these_times():
    X = frame(pd.MultiIndex.from_product([["a", "b"], DAYS[:10]]))
    transformer = SlidingWindowTransformer(2).fit(X)
    later = pd.MultiIndex.from_tuples([("b", "2024-01-11"), ("b", "2024-01-12T00:00:00")])
    np.testing.assert_array_equal(transformer.transform(frame(later))[:, :, 0], [[19, 0], [0, 1]])
    later = pd.MultiIndex.from_tuples([("b", "2024-01-11"), ("b", "tomorrow")])
    with pytest.raises(ValueError, match="'tomorrow'"):
        transformer.transform(frame(later))
    zone = pd.MultiIndex.from_tuples([("b", "2024-01-11T00:00:00Z")])
    with pytest.raises(ValueError, match="Use local times as in the fit"):
        transformer.transform(frame(zone))


def test_intervals_are_updated_by_iso_text():
    X = frame(pd.date_range("2024-01-01", periods=130))
    X["load"] = np.random.default_rng(0).normal(size=130)
    pipe = make_pipeline(
        SlidingWindowTransformer(3, padding="edge", flatten=True), KnownTargetsRegressor(Ridge())
    )
    models = [
        ConformalRegressor(pipe, coverage=0.8, target_leads=1).fit(X[:100], X["load"][:100])
        for _ in range(2)
    ]
    for model, sent in zip(models, (lambda rows: rows, through_json), strict=True):
        model.update(sent(X[100:120]), sent(X[["load"]][100:120])["load"])
    bounds = [
        models[0].predict_interval(X[120:]),
        models[1].predict_interval(through_json(X[120:])),
    ]
    np.testing.assert_allclose(*bounds, rtol=1e-12)
    with pytest.raises(ValueError, match="index"):
        models[1].update(X[120:122].set_axis(["b", "a"]), [0.0, 0.0])


@pytest.mark.parametrize(
    ("labels", "named"),
    [
        (["2024-01-31", "tomorrow"], "'tomorrow'"),
        (["b", "a"], "'b'"),  # without order
        (["a", "a"], "'a'"),
        (["tomorrow", "2024-01-31"], "'tomorrow'"),
        (["2024-02-30"], "'2024-02-30'"),
        (["2024-01-31", "2024-02-01T00:00", "tomorrow"], "'tomorrow'"),
        (["2024-01-31T00:00+01:00", "2024-02-01T00:00+02:00", "tomorrow"], "'tomorrow'"),
        (["1706659200000"], "'1706659200000'"),
        ([1706659200000], "1706659200000"),
        ([0, "2024-01-31"], "0"),
        (["2024-01-31", None], "None|nan"),
        (["31/01/2024"], "'31/01/2024'"),
        ([""], "''"),
    ],
)
@pytest.mark.parametrize("freq", ["auto", "rows"])
def test_other_labels_after_a_fit_on_times_are_refused_by_name(labels, named, freq):
    transformer = SlidingWindowTransformer(3, freq=freq).fit(frame(DAYS[:N_FITTED]))
    later = frame(pd.Index(labels, dtype=object))
    for method in (transformer.transform, transformer.partial_fit):
        with pytest.raises(ValueError, match=f"holds.* \\(?({named})"):
            method(later)


def test_rows_without_labels_still_follow_the_fitted_ones():
    transformer = SlidingWindowTransformer(3).fit(frame(DAYS[:N_FITTED]))
    later = pd.DataFrame({"load": [7.0]})
    np.testing.assert_array_equal(transformer.transform(later)[0, :, 0], [28, 29, 7])


@pytest.mark.parametrize("of_fit", [HOURS, HOURS[:0]])
def test_text_of_which_only_some_has_an_offset_is_refused(of_fit):
    later = frame(["2024-03-31T13:00:00+02:00", "2024-03-31T14:00:00"])
    transformer = SlidingWindowTransformer(3)
    call = transformer.fit(frame(of_fit)).transform if len(of_fit) else transformer.fit
    with pytest.raises(ValueError, match="'2024-03-31T14:00:00' without its offset"):
        call(later)


def test_dates_after_a_fit_on_periods_are_refused_and_the_advice_works():
    months = pd.period_range("2023-01", periods=20, freq="M")
    transformer = SlidingWindowTransformer(3).fit(frame(months))
    X = frame(["2024-09", "2024-10"])
    with pytest.raises(ValueError, match="Turn dates into periods: ") as error:
        transformer.transform(X)
    corrected = eval(str(error.value).rpartition(": ")[2].rstrip("."), {"pd": pd, "X": X})
    np.testing.assert_array_equal(transformer.transform(corrected)[0, :, 0], [18, 19, 0])
