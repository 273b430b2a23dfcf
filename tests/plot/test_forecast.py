"""ForecastDisplay: history, forecast and actual values at their places in time."""

import copy

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from matplotlib.dates import date2num
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline, make_pipeline

from sklstm import (
    ConformalRegressor,
    ForecastDisplay,
    KnownTargetsRegressor,
    SlidingWindowTransformer,
    WindowSplitDisplay,
    forecast_targets,
)
from tests.plot.made_up import HORIZON, forecast_display, has_dates, legend_texts, luminance


@pytest.mark.parametrize("row", [-1, -10, 50, 0])
def test_history_forecast_and_actual_values_lie_at_their_dates(pipe, chicago, row):
    ridership = chicago["ridership"]
    display = ForecastDisplay.from_estimator(pipe, chicago, ridership, row=row, n_history=20)
    n = range(len(chicago))[row] + 1  # rows known
    past = ridership.iloc[max(n - 20, 0) : n]
    days = pd.date_range(chicago.index[row], periods=HORIZON + 1)[1:]
    history, forecast = display.history_line_, display.forecast_line_
    np.testing.assert_array_equal(history.get_xdata(), date2num(past.index))
    np.testing.assert_array_equal(history.get_ydata(), past)
    np.testing.assert_array_equal(forecast.get_xdata(), date2num(days))
    np.testing.assert_array_equal(forecast.get_ydata(), pipe.predict(chicago)[row])
    if row == -1:
        assert display.actual_line_ is None
        assert legend_texts(display.ax_) == ["history", "forecast"]
    else:
        actual = display.actual_line_
        np.testing.assert_array_equal(actual.get_xdata()[1:], date2num(days))
        np.testing.assert_array_equal(actual.get_ydata(), ridership.iloc[n - 1 : n + HORIZON])
        assert legend_texts(display.ax_) == ["history", "actual", "forecast"]
    assert has_dates(display.ax_)
    assert display.ax_.get_ylabel() == "ridership"


def test_actual_values_end_where_the_series_ends(pipe, chicago):
    display = ForecastDisplay.from_estimator(pipe, chicago, chicago["ridership"], row=-2)
    assert np.isnan(display.actual).tolist() == [False, True, True]
    assert display.actual[0] == chicago["ridership"].iloc[-1]


def test_a_forecast_without_an_index_lies_at_row_numbers(small_pipe, chicago):
    X = chicago.to_numpy()
    pipe = small_pipe().fit(X, forecast_targets(X[:, 0], HORIZON))
    display = ForecastDisplay.from_estimator(pipe, X, X[:, 0], row=99, name="LSTM")
    np.testing.assert_array_equal(display.history_line_.get_xdata(), np.arange(70, 100))
    np.testing.assert_array_equal(display.forecast_line_.get_xdata(), [100, 101, 102])
    assert legend_texts(display.ax_) == ["history", "actual", "LSTM"]
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("row", "")
    assert not has_dates(display.ax_)


def test_forecasts_of_one_step_and_of_a_search(search, chicago):
    display = ForecastDisplay.from_estimator(search, chicago, chicago["ridership"], row=-2)
    assert display.forecast.tolist() == [search.predict(chicago)[-2]]
    assert display.actual.tolist() == [chicago["ridership"].iloc[-1]]


def test_one_prediction_for_each_row_is_a_forecast_of_the_next_value():
    """Non-regression test: it was taken for one forecast of as many steps as rows."""
    series = np.arange(50.0)
    display = ForecastDisplay.from_predictions(series, series + 1.5, row=20)
    np.testing.assert_array_equal(display.forecast, [21.5])
    np.testing.assert_array_equal(display.actual, [21.0])


@pytest.mark.parametrize("leads", [range(13, 16), [7], [1, 24]])
@pytest.mark.parametrize("row", [-1, 200])
@pytest.mark.parametrize("kind", ["lstm", "ridge", "names", "arrays"])
def test_each_value_lies_at_its_lead(small_pipe, chicago, leads, row, kind):
    series = chicago["ridership"]
    y = forecast_targets(series, leads)
    if kind == "lstm":
        model = small_pipe(index=True, target_leads="auto").fit(chicago, y)
    elif kind == "ridge":
        model = KnownTargetsRegressor(LinearRegression()).fit(chicago, y)
    if kind in ("lstm", "ridge"):
        display = ForecastDisplay.from_estimator(model, chicago, series, row=row)
    elif kind == "names":
        display = ForecastDisplay.from_predictions(series, y.fillna(0), row=row)
    else:
        display = ForecastDisplay.from_predictions(
            series, y.fillna(0).to_numpy(), row=row, target_leads=leads
        )
    day = chicago.index[row]
    days = [day + pd.Timedelta(days=lead) for lead in leads]
    np.testing.assert_array_equal(display.forecast_line_.get_xdata(), date2num(days))
    if row == -1:
        assert display.actual is None
    else:
        np.testing.assert_array_equal(display.actual, [series[day] for day in days])
    assert len(display.history) == min(max(3 * max(leads), 30), range(400)[row] + 1)


def test_a_fit_on_targets_without_leads_forecasts_the_next_values(small_pipe, chicago):
    y = chicago["ridership"].shift(-1).to_numpy()
    pipe = small_pipe(index=True).fit(chicago, y)
    display = ForecastDisplay.from_estimator(pipe, chicago, chicago["ridership"], row=50)
    assert list(display.forecast_index) == [chicago.index[51]]


@pytest.mark.parametrize("leads", [[1], [2, 1], [0, 1], [1, 1], [1, 2.0], "all", []])
def test_other_leads_are_refused(leads):
    with pytest.raises(ValueError, match=r"target_leads must be 'auto' or 2 increasing int\(s\)"):
        ForecastDisplay.from_predictions(np.arange(9.0), np.zeros((9, 2)), target_leads=leads)


def test_any_pipeline_can_forecast(chicago):
    model = make_pipeline(
        SlidingWindowTransformer(3, flatten=True, padding="edge"), LinearRegression()
    )
    model = Pipeline([("nothing", "passthrough"), ("model", model)])
    model.fit(chicago[:-2], forecast_targets(chicago["ridership"], 2)[:-2])
    display = ForecastDisplay.from_estimator(model, chicago, chicago["ridership"])
    np.testing.assert_array_equal(display.forecast, model.predict(chicago)[-1])
    assert WindowSplitDisplay.from_estimator(model, chicago).n_history == 2


def test_forecasts_can_be_compared_in_the_same_axes(chicago):
    series = chicago[["ridership"]]  # a frame of one column will do
    every = forecast_targets(series, HORIZON).to_numpy()
    display = ForecastDisplay.from_predictions(series, every, row=5, name="every row")
    options = {"row": 5, "name": "one row", "ax": display.ax_, "line_kw": {"c": "black"}}
    other = ForecastDisplay.from_predictions(series, every[5], **options)
    np.testing.assert_array_equal(other.forecast, display.forecast)
    assert other.forecast_line_.get_color() == "black"
    assert legend_texts(display.ax_) == ["history", "actual", "every row", "one row"]


def test_axes_that_share_their_limits_show_all_of_both():
    figure, axes = plt.subplots(1, 2, sharey=True)
    for ax, size in zip(axes, [10, 1], strict=True):
        values = size * np.arange(40.0)
        ForecastDisplay.from_predictions(values, size * np.arange(5.0), ax=ax)
    figure.draw_without_rendering()
    low, high = axes[0].get_ylim()
    assert low <= 0 < 390 < high - (390 - 0) / 5


def test_a_forecast_can_be_told_from_the_series_in_grey():
    display = forecast_display().plot()
    series, forecast = display.history_line_, display.forecast_line_
    assert abs(luminance(series.get_color()) - luminance(forecast.get_color())) > 0.2
    assert series.get_linestyle() != forecast.get_linestyle()
    assert display.actual_line_.get_marker() != forecast.get_marker()


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (pd.date_range("2001-01-31", periods=40, freq="ME"), ["2004-05-31", "2004-06-30"]),
        (pd.bdate_range("2001-01-01", periods=40), ["2001-02-26", "2001-02-27"]),
        (pd.date_range("2001-01-01", periods=41).delete(7), ["2001-02-11", "2001-02-12"]),
        (
            pd.date_range("2001-01-01", periods=41, freq="MS").delete(7),
            ["2004-06-01", "2004-07-01"],
        ),
        (pd.date_range("2001-01-01", periods=40, freq="h"), ["2001-01-02T16", "2001-01-02T17"]),
        (
            pd.date_range("2001-02-20", periods=40, tz="America/Chicago"),
            ["2001-04-01", "2001-04-02"],
        ),
        (
            pd.date_range("2001-02-20", periods=41, tz="America/Chicago").delete(7),
            ["2001-04-02", "2001-04-03"],
        ),
        (pd.period_range("2001-01", periods=40, freq="M"), ["2004-05-01", "2004-06-01"]),
    ],
    ids=[
        "months",
        "business",
        "days, hole",
        "months, hole",
        "hours",
        "zone",
        "zone, hole",
        "periods",
    ],
)
def test_forecasts_lie_at_the_next_dates(index, expected):
    series = pd.Series(np.arange(40.0), index=index)
    display = ForecastDisplay.from_predictions(series, [1.0, 2.0])
    expected = date2num(np.array(expected, dtype="datetime64[s]"))
    np.testing.assert_allclose(display.forecast_line_.get_xdata(), expected)
    assert has_dates(display.ax_)


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (pd.RangeIndex(100, 180, 2, name="minute"), [180, 182]),
        (pd.Index(np.arange(40) + np.arange(40) ** 2 / 100), [40, 41]),
        (pd.Index([f"label {number:02}" for number in range(40)]), [40, 41]),
        (pd.timedelta_range("0h", periods=40, freq="h"), [40, 41]),
    ],
    ids=["integers", "floats", "text", "durations"],
)
def test_forecasts_lie_at_numbers_where_there_are_no_dates(index, expected):
    series = pd.Series(np.arange(40.0), index=index)
    display = ForecastDisplay.from_predictions(series, [1.0, 2.0])
    np.testing.assert_array_equal(display.forecast_line_.get_xdata(), expected)
    assert display.ax_.get_xlabel() == (index.name or "row")


def test_actual_values_stand_at_their_time_where_days_are_missing(chicago):
    series = chicago["ridership"].drop(chicago.index[11])
    display = ForecastDisplay.from_predictions(series, np.zeros(HORIZON), row=9)
    np.testing.assert_array_equal(display.forecast_index, chicago.index[10:13])
    np.testing.assert_array_equal(
        display.actual, [chicago["ridership"].iloc[10], np.nan, chicago["ridership"].iloc[12]]
    )


@pytest.mark.parametrize(
    ("y_true", "y_pred", "options", "message"),
    [
        (
            np.zeros(9),
            np.zeros((10, 2)),
            {},
            "y_true has 9 values, but y_pred has forecasts for 10 rows",
        ),
        (np.zeros((10, 2)), np.zeros((10, 2)), {}, r"shape \(10, 2\), but expected \(n_rows,\)"),
        (
            np.zeros(10),
            np.zeros((10, 2)),
            {"row": 10},
            "row=10, but there are 10 rows: .* -10 to 9",
        ),
        (np.zeros(10), np.zeros((10, 2)), {"row": -11}, "row=-11, but"),
        (
            np.zeros(10),
            np.zeros(2),
            {"n_history": 0},
            "n_history must be an int of at least 1, got 0",
        ),
    ],
)
def test_wrong_forecasts_are_refused(y_true, y_pred, options, message):
    with pytest.raises(ValueError, match=message):
        ForecastDisplay.from_predictions(y_true, y_pred, **options)


def test_a_series_of_the_wrong_length_is_refused(pipe, chicago):
    with pytest.raises(ValueError, match="y_true has 399 values, but y_pred has forecasts for 400"):
        ForecastDisplay.from_estimator(pipe, chicago, chicago["ridership"][:-1])


def test_labels_of_other_days_are_refused(pipe, chicago):
    series = chicago["ridership"]
    shifted = series.set_axis(chicago.index + pd.Timedelta("1D"))
    with pytest.raises(ValueError, match="X and y have different indexes"):
        ForecastDisplay.from_estimator(pipe, chicago, shifted)
    forecasts = pd.DataFrame(pipe.predict(chicago), index=chicago.index)
    with pytest.raises(ValueError, match="y_true and y_pred have different indexes"):
        ForecastDisplay.from_predictions(shifted, forecasts)
    ForecastDisplay.from_predictions(shifted.reindex(chicago.index), forecasts)


def test_masked_values_and_tables_of_pyarrow_are_drawn(chicago):
    values = chicago["ridership"].to_numpy()[:60]
    masked = np.ma.masked_array(values, np.arange(60) == 50)
    display = ForecastDisplay.from_predictions(masked, values[:3], row=55)
    drawn = display.history_line_.get_ydata()
    np.testing.assert_array_equal(drawn, np.where(np.arange(26, 56) == 50, np.nan, values[26:56]))
    table = pa.table({"ridership": values})
    display = ForecastDisplay.from_predictions(table, values[:3], row=55)
    np.testing.assert_array_equal(display.history_line_.get_ydata(), values[26:56])
    assert display.ax_.get_ylabel() == "ridership"


def test_known_values_are_drawn_at_the_labels_of_their_rows():
    days = pd.bdate_range("2024-01-02", "2024-12-31").drop("2024-02-19")  # a holiday
    series = pd.Series(np.arange(float(len(days))), days)
    row = days.get_loc(pd.Timestamp("2024-02-15"))
    forecasts = np.zeros((len(days), 3))
    for freq in ("auto", "rows"):
        display = ForecastDisplay.from_predictions(series, forecasts, row=row, freq=freq)
        assert list(display.forecast_index) == list(days[row + 1 : row + 4])
        np.testing.assert_array_equal(display.actual, series.iloc[row + 1 : row + 4])
    display = ForecastDisplay.from_predictions(series, forecasts, row=-2)
    assert list(display.forecast_index) == [days[-1], *pd.bdate_range("2025-01-01", "2025-01-02")]


# Intervals.


@pytest.fixture
def with_intervals(chicago):
    windows = SlidingWindowTransformer(3, flatten=True, padding="edge")
    pipe = make_pipeline(windows, KnownTargetsRegressor(LinearRegression()))
    model = ConformalRegressor(pipe, coverage=0.8)
    return model.fit(chicago[:-20], forecast_targets(chicago["ridership"], HORIZON)[:-20])


@pytest.mark.parametrize("row", [-1, -10])
def test_intervals_of_an_estimator_are_a_band_around_its_forecast(with_intervals, chicago, row):
    display = ForecastDisplay.from_estimator(with_intervals, chicago, chicago["ridership"], row=row)
    ends = with_intervals.predict_interval(chicago)[row]
    np.testing.assert_array_equal(display.intervals["80 %"], ends)
    (band,) = display.interval_bands_
    corners = band.get_paths()[0].vertices
    days = date2num(pd.date_range(chicago.index[row], periods=HORIZON + 1)[1:])
    expected = {*zip(days, ends[:, 0], strict=True), *zip(days, ends[:, 1], strict=True)}
    assert expected <= set(map(tuple, corners))
    assert legend_texts(display.ax_)[-1] == "80 %"
    assert display.ax_.get_ylim()[1] > ends.max()


def test_the_label_of_intervals_is_the_coverage_of_the_fit(with_intervals, chicago):
    changed = copy.copy(with_intervals).set_params(coverage=0.5)
    display = ForecastDisplay.from_estimator(changed, chicago, chicago["ridership"])
    assert list(display.intervals) == ["80 %"]


def test_a_band_has_the_colour_of_its_forecast(with_intervals, chicago):
    display = ForecastDisplay.from_estimator(
        with_intervals, chicago, chicago["ridership"], line_kw={"c": "#0072B2"}
    )
    np.testing.assert_allclose(
        display.interval_bands_[0].get_facecolor()[0, :3], [0, 0.447, 0.698], atol=0.01
    )


class QuantileRegression(LinearRegression):
    """Predicts four quantiles of three outputs."""

    quantiles_ = (0.75, 0.05, 0.25, 0.95)

    def predict_quantiles(self, X):
        return self.predict(X)[..., np.newaxis] + np.array([1.0, -2.0, -1.0, 2.0])


def test_bands_between_quantiles_lie_in_each_other(chicago):
    y = forecast_targets(chicago["ridership"], HORIZON)[:-HORIZON]
    model = make_pipeline(SlidingWindowTransformer(1, flatten=True), QuantileRegression())
    model.fit(chicago[:-HORIZON], y)
    display = ForecastDisplay.from_estimator(model, chicago, chicago["ridership"])
    forecast = model.predict(chicago)[-1]
    assert list(display.intervals) == ["90 %", "50 %"]
    for label, half in (("90 %", 2), ("50 %", 1)):
        expected = np.column_stack([forecast - half, forecast + half])
        np.testing.assert_allclose(display.intervals[label], expected)


@pytest.mark.parametrize("forecast", ["rows", "one", "one value a row"])
def test_intervals_beside_predictions_are_drawn_at_the_row(forecast):
    series = np.arange(50.0)
    if forecast == "rows":
        y_pred = series[:, np.newaxis] + [1.0, 2.0]
    elif forecast == "one":
        y_pred = np.array([21.0, 22.0])
    else:
        y_pred = series + 1
    ends = np.stack([y_pred - 1, y_pred + 3], axis=-1)
    display = ForecastDisplay.from_predictions(series, y_pred, row=20, y_interval=ends)
    expected = [[20.0, 24.0], [21.0, 25.0]]
    if forecast == "one value a row":
        expected = expected[:1]
        (line,) = display.interval_bands_
        np.testing.assert_array_equal(line.get_segments()[0], [[21, 20], [21, 24]])
    np.testing.assert_array_equal(display.intervals["interval"], expected)
    two = {"90 %": ends, "50 %": ends}
    display = ForecastDisplay.from_predictions(series, y_pred, row=20, y_interval=two)
    assert legend_texts(display.ax_)[-2:] == ["90 %", "50 %"]


def test_intervals_of_another_shape_are_refused():
    with pytest.raises(
        ValueError, match=r"y_interval has shape \(50, 2\), but expected \(50, 2, 2\)"
    ):
        ForecastDisplay.from_predictions(
            np.arange(50.0), np.zeros((50, 2)), y_interval=np.zeros((50, 2))
        )


def test_without_intervals_no_band_is_drawn(pipe, chicago):
    display = ForecastDisplay.from_estimator(pipe, chicago, chicago["ridership"])
    assert display.intervals is None
    assert display.interval_bands_ == []
