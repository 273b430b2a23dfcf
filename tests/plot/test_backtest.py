"""BacktestDisplay: errors against the baselines, and forecasts over time."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.dates import date2num
from sklearn.linear_model import Ridge
from sklearn.model_selection import TimeSeriesSplit

from sklstm import (
    BacktestDisplay,
    ConformalRegressor,
    KnownTargetsRegressor,
    PanelSplit,
    backtest,
    forecast_targets,
)
from tests.plot.made_up import backtest_display, has_dates, legend_texts, luminance

LEADS = 3


@pytest.fixture
def result(chicago):
    y = forecast_targets(chicago["ridership"], LEADS)
    return backtest(Ridge(), chicago, y, cv=TimeSeriesSplit(3, test_size=40))


@pytest.fixture
def panel_result(chicago):
    X = pd.concat({"a": chicago[:200], "b": 2 * chicago[50:200]})
    return backtest(Ridge(), X, forecast_targets(X["ridership"], 2), cv=PanelSplit(2))


def test_errors_by_lead_stand_beside_those_of_the_baselines(result):
    display = BacktestDisplay.from_result(result)
    table = result.to_frame()
    lines = {"forecast": display.forecast_lines_[0]} | display.other_lines_
    columns = {
        "forecast": "forecast",
        "persistence": "persistence",
        "seasonal naive": "seasonal_naive",
    }
    assert set(lines) == set(columns)
    for name, line in lines.items():
        errors = (table[columns[name]] - table["actual"]).abs().mean()
        np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3])
        np.testing.assert_allclose(line.get_ydata(), errors)
    assert legend_texts(display.ax_) == ["persistence", "seasonal naive", "forecast"]
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("lead", "MAE")


@pytest.mark.parametrize("measure", ["RMSE", "MASE", "RMSSE"])
@pytest.mark.parametrize("by", ["fold", "month", "output"])
def test_other_errors_and_groups(result, measure, by):
    display = BacktestDisplay.from_result(result, by=by, measure=measure)
    errors = result.errors(by=by)[measure]
    np.testing.assert_allclose(display.forecast_lines_[0].get_ydata(), errors)
    assert display.ax_.get_ylabel() == measure
    if by == "output":
        labels = [label.get_text() for label in display.ax_.get_xticklabels()]
        assert labels == result.outputs


@pytest.mark.parametrize("output", [0, 2])
def test_forecasts_over_time_are_a_line_for_each_fold(result, output, chicago):
    display = BacktestDisplay.from_result(result, kind="forecasts", output=output, name="ridge")
    assert len(display.forecast_lines_) == 3
    for fold, line in enumerate(display.forecast_lines_):
        rows = result.rows[result.folds == fold]
        np.testing.assert_array_equal(line.get_xdata(), date2num(chicago.index[rows]))
        np.testing.assert_array_equal(
            line.get_ydata(), result.forecasts[result.folds == fold, output]
        )
    np.testing.assert_array_equal(
        display.other_lines_["actual"].get_ydata(), result.actual[:, output]
    )
    assert has_dates(display.ax_)
    assert display.ax_.get_ylabel() == f"ridership_lead{output + 1}"
    assert legend_texts(display.ax_) == ["actual", "ridge"]


def test_forecasts_of_folds_that_overlap_do_not_repeat_the_actual_values(chicago):
    y = forecast_targets(chicago["ridership"], 1)
    cv = [(np.arange(50), np.arange(50, 60)), (np.arange(55), np.arange(55, 65))]
    display = BacktestDisplay.from_result(backtest(Ridge(), chicago, y, cv=cv), kind="forecasts")
    actual = display.other_lines_["actual"]
    np.testing.assert_array_equal(actual.get_xdata(), date2num(chicago.index[50:65]))
    np.testing.assert_array_equal(actual.get_ydata(), chicago["ridership"].iloc[51:66])


def test_forecasts_of_one_of_several_series(panel_result, chicago):
    display = BacktestDisplay.from_result(panel_result, kind="forecasts", series="b")
    rows = panel_result.series == 1
    drawn = np.concatenate([line.get_ydata() for line in display.forecast_lines_])
    np.testing.assert_array_equal(drawn, panel_result.forecasts[rows, 0])
    assert has_dates(display.ax_)
    BacktestDisplay.from_result(panel_result, by="series")
    with pytest.raises(ValueError, match=r"one of the 2 series \('a', 'b'\), got None"):
        BacktestDisplay.from_result(panel_result, kind="forecasts")


def test_intervals_are_a_band_for_each_fold(chicago):
    y = forecast_targets(chicago["ridership"], LEADS)
    model = ConformalRegressor(KnownTargetsRegressor(Ridge()))
    result = backtest(model, chicago, y, cv=TimeSeriesSplit(2, test_size=40))
    display = BacktestDisplay.from_result(result, kind="forecasts", output=1)
    assert len(display.interval_bands_) == 2
    for fold, band in enumerate(display.interval_bands_):
        here = result.folds == fold
        days = date2num(chicago.index[result.rows[here]])
        ends = [result.lower[here, 1], result.upper[here, 1]]
        corners = {tuple(corner) for corner in band.get_paths()[0].vertices}
        assert {
            (day, end) for of_end in ends for day, end in zip(days, of_end, strict=True)
        } <= corners
    assert legend_texts(display.ax_) == ["actual", "forecast", "90 %"]
    assert BacktestDisplay.from_result(result).interval_bands_ == []


def test_series_are_not_joined_by_lines(panel_result):
    display = BacktestDisplay.from_result(panel_result, by="series")
    lines = [*display.forecast_lines_, *display.other_lines_.values()]
    assert {line.get_linestyle() for line in lines} == {"None"}
    assert "None" not in {line.get_marker() for line in lines}


@pytest.mark.parametrize("n_groups", [3, 40, 190])
def test_names_of_groups_do_not_overlap(result, chicago, n_groups):
    names = np.array([f"station {row % n_groups:03d}" for row in range(len(chicago))])
    display = BacktestDisplay.from_result(result, by=names, ax=plt.subplots(dpi=100)[1])
    display.figure_.canvas.draw()
    boxes = [label.get_window_extent() for label in display.ax_.get_xticklabels()]
    assert len(boxes) > min(n_groups, 20) - 1
    assert not any(left.overlaps(right) for left, right in pairwise(boxes))


def test_rows_without_labels_are_numbered(chicago):
    X = chicago.to_numpy()
    result = backtest(Ridge(), X, forecast_targets(X[:, 0], 1), cv=2)
    display = BacktestDisplay.from_result(result, kind="forecasts")
    np.testing.assert_array_equal(display.forecast_lines_[0].get_xdata(), result.splits[0][1])
    assert display.ax_.get_xlabel() == "row"


def test_dates_as_text_are_drawn_as_dates(chicago):
    y = forecast_targets(chicago["ridership"], 1).to_numpy()
    as_text = chicago.set_axis(chicago.index.strftime("%Y-%m-%d"))
    drawn = []
    for X in (chicago, as_text):
        display = BacktestDisplay.from_result(backtest(Ridge(), X, y, cv=2), kind="forecasts")
        drawn.append([line.get_xdata() for line in display.ax_.lines])
        assert has_dates(display.ax_)
    for of_times, of_text in zip(*drawn, strict=True):
        np.testing.assert_array_equal(of_text, of_times)


def test_rows_labelled_by_text_are_numbered(chicago):
    y = forecast_targets(chicago["ridership"], 1).to_numpy()
    X = chicago.set_axis([f"run {row:05d}" for row in range(len(chicago))])
    result = backtest(Ridge(), X, y, cv=2)
    display = BacktestDisplay.from_result(result, kind="forecasts")
    np.testing.assert_array_equal(display.forecast_lines_[0].get_xdata(), result.splits[0][1])
    assert display.ax_.get_xlabel() == "row"


def test_results_can_be_compared_in_the_same_axes(result):
    ax = plt.subplots()[1]
    BacktestDisplay.from_result(result, ax=ax, name="one")
    display = BacktestDisplay.from_result(result, ax=ax, name="two", line_kw={"c": "black"})
    assert legend_texts(ax) == ["persistence", "seasonal naive", "one", "two"]
    assert display.forecast_lines_[0].get_color() == "black"


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("kind", "all"), ("measure", "R2"), ("output", 3), ("output", "load"), ("by", "hours")],
)
def test_other_values_are_refused(result, parameter, value):
    kind = {"kind": "forecasts"} if parameter == "output" else {}
    with pytest.raises(ValueError, match=parameter):
        BacktestDisplay.from_result(result, **(kind | {parameter: value}))


def test_scaled_errors_need_baselines(chicago):
    y = forecast_targets(chicago["ridership"], 2)
    result = backtest(Ridge(), chicago, y, cv=2, baseline=None)
    assert BacktestDisplay.from_result(result).other_lines_ == {}
    with pytest.raises(ValueError, match="Without baselines"):
        BacktestDisplay.from_result(result, measure="MASE")


def test_lines_can_be_told_apart_in_grey():
    display = backtest_display().plot()
    lines = [*display.forecast_lines_, *display.other_lines_.values()]
    assert len({line.get_linestyle() for line in lines}) == len(lines)
    assert len({line.get_marker() for line in lines}) == len(lines)
    grey = sorted(luminance(line.get_color()) for line in lines)
    assert grey[0] < 0.25 < grey[-1]
