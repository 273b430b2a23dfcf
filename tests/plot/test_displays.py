"""What the displays draw: data, labels, colours; and pictures against those in tests/baseline.

Renew the pictures with `python tests/test_displays.py`, and look at them.
"""

import subprocess
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.dates import ConciseDateFormatter, date2num
from matplotlib.testing.compare import compare_images
from matplotlib.testing.decorators import remove_ticks_and_titles
from numpydoc.validate import validate as numpydoc_validate
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV, KFold, TimeSeriesSplit
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

import sklstm
from sklstm import (
    ForecastDisplay,
    GateActivityDisplay,
    LossCurveDisplay,
    LSTMRegressor,
    SlidingWindowTransformer,
    WindowSplitDisplay,
    forecast_targets,
)

BASELINE = Path(__file__).parent / "baseline"
DISPLAYS = [ForecastDisplay, GateActivityDisplay, LossCurveDisplay, WindowSplitDisplay]
HORIZON = 3


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture
def pipe(small_pipe, chicago):
    """A fitted pipeline that forecasts the next three days from seven."""
    model = small_pipe(index=True, hidden_layer_sizes=(4, 3), early_stopping=True)
    return model.fit(chicago, forecast_targets(chicago["ridership"], HORIZON))


@pytest.fixture
def search(small_pipe, chicago):
    """A fitted search over the window."""
    grid = {"window__window_size": [3, 5]}
    search = GridSearchCV(small_pipe(index=True, early_stopping=True), grid, cv=TimeSeriesSplit(2))
    return search.fit(chicago[:-1], chicago["ridership"][1:])


def luminance(color):
    """Relative luminance as in the Web Content Accessibility Guidelines, 0 to 1."""
    rgb = np.asarray(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def legend_texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def has_dates(ax):
    return isinstance(ax.xaxis.get_major_formatter(), ConciseDateFormatter)


# Displays of values that are made up, so that nothing is trained.


def loss_display():
    epochs = np.arange(12)
    return LossCurveDisplay(
        loss_curve=np.exp(-epochs / 4),
        validation_loss_curve=0.4 + (epochs - 6) ** 2 / 60,
        best_epoch=7,
    )


def forecast_display():
    days = np.arange("2001-01-22", "2001-03-01", dtype="datetime64[D]")
    values = np.sin(np.arange(len(days)))
    return ForecastDisplay(
        history=values[:-7],
        forecast=0.8 * values[-7:],
        actual=values[-7:],
        history_index=days[:-7],
        forecast_index=days[-7:],
        target_name="ridership",
    )


def split_display():
    splits = list(TimeSeriesSplit(3, gap=6).split(np.zeros(120)))
    index = pd.date_range("2001-01-22", periods=120)
    return WindowSplitDisplay(splits=splits, n_rows=120, n_history=20, index=index)


def gate_display():
    steps, units = np.arange(7.0)[:, np.newaxis], np.arange(5.0)
    gate = 1 / (1 + np.exp(-np.sin(steps + units)))
    gate[:2] = np.nan  # missing steps
    activity = {
        "input_gate": gate,
        "forget_gate": np.where(np.isnan(gate), gate, units[::-1] / 5),
        "output_gate": 1 - gate,
        "cell": 3 * (gate - 0.5),
        "hidden": gate - 0.5,
    }
    return GateActivityDisplay(activity=activity, lags=np.arange(7)[::-1])


MADE_UP = {
    "loss": loss_display,
    "forecast": forecast_display,
    "splits": split_display,
    "gates": gate_display,
}


def draw(name, path):
    """Draw a display without its texts, which depend on the version of FreeType."""
    with plt.style.context("default"):
        figure, ax = plt.subplots(figsize=(4, 3), dpi=60)
        display = MADE_UP[name]().plot(ax)
        remove_ticks_and_titles(figure)
        for axes in figure.axes:
            axes.set(xlabel="", ylabel="")
            axes.set_title("", loc="left")
        if display.ax_.get_legend() is not None:
            display.ax_.get_legend().remove()
        figure.savefig(path)
        plt.close(figure)


@pytest.mark.parametrize("name", MADE_UP)
def test_pictures_are_as_they_were(name, tmp_path):
    path = tmp_path / f"{name}.png"
    draw(name, path)
    # Of 255. From matplotlib 3.8 to 3.11 the heat maps differ by 2.3, the others not at all;
    # without the mark of the best epoch, the smallest of what is drawn, it would be 4.7.
    assert compare_images(BASELINE / f"{name}.png", path, tol=3) is None


@pytest.mark.parametrize("name", MADE_UP)
def test_a_display_can_be_drawn_again(name):
    display = MADE_UP[name]()
    assert display.plot() is display
    first = display.ax_
    assert display.figure_ is first.figure
    display.plot()
    assert display.ax_ is not first


@pytest.mark.parametrize("name", MADE_UP)
def test_a_display_draws_into_the_axes_that_are_passed_and_no_others(name):
    figure, (left, right) = plt.subplots(1, 2)
    display = MADE_UP[name]().plot(right)
    assert display.ax_ is right
    assert display.figure_ is figure
    assert not left.has_data()
    assert left.get_legend() is None
    assert len(plt.get_fignums()) == 1


@pytest.mark.parametrize("name", MADE_UP)
def test_without_matplotlib_the_error_names_the_extra(name, monkeypatch):
    display = MADE_UP[name]()
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"Display.plot needs matplotlib: .*'sklstm\[plot\]'"):
        display.plot()


def test_importing_the_package_does_not_import_matplotlib():
    code = "import sys, sklstm; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("display", DISPLAYS)
def test_docstrings_follow_numpydoc(display):
    names = [name for name in vars(display) if not name.startswith("_")]
    for name in ["", *names]:
        target = ".".join(filter(None, ["sklstm", display.__name__, name]))
        errors = numpydoc_validate(target)["errors"]
        # As scikit-learn: methods need no examples, and what they return has a name.
        allowed = {"EX01", "SA01", "ES01", "GL01", "YD01", "RT02"}
        assert [error for error in errors if error[0] not in allowed] == []


def test_displays_are_public():
    assert {display.__name__ for display in DISPLAYS} < set(sklstm.__all__)


# LossCurveDisplay


def test_loss_curves_are_drawn_by_epoch():
    display = loss_display().plot()
    for line, losses in zip(
        display.lines_, [display.loss_curve, display.validation_loss_curve], strict=True
    ):
        np.testing.assert_array_equal(line.get_xdata(), np.arange(1, 13))
        np.testing.assert_array_equal(line.get_ydata(), losses)
    assert (*display.best_.get_xdata(), *display.best_.get_ydata()) == (7, 0.4)
    assert legend_texts(display.ax_) == ["training", "validation", "weights kept (epoch 7)"]
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("epoch", "loss")
    assert all(float(tick).is_integer() for tick in display.ax_.get_xticks())


def test_loss_curves_can_be_told_apart_in_grey():
    training, validation = loss_display().plot().lines_
    assert abs(luminance(training.get_color()) - luminance(validation.get_color())) > 0.2
    assert training.get_linestyle() != validation.get_linestyle()


def test_loss_curves_of_a_pipeline_and_of_its_regressor_are_the_same(pipe):
    display = LossCurveDisplay.from_estimator(pipe, name="LSTM", line_kw={"lw": 3, "c": "black"})
    assert display.loss_curve == pipe[-1].loss_curve_
    assert display.best_epoch == np.argmin(pipe[-1].validation_loss_curve_) + 1
    assert legend_texts(display.ax_)[:2] == ["LSTM: training", "LSTM: validation"]
    assert {(line.get_linewidth(), line.get_color()) for line in display.lines_} == {(3, "black")}
    alone = LossCurveDisplay.from_estimator(pipe[-1], ax=display.ax_)
    assert alone.ax_ is display.ax_
    assert alone.validation_loss_curve == display.validation_loss_curve


def test_the_marked_epoch_is_the_one_whose_weights_were_kept(small_lstm, chicago, tomorrow):
    windows = SlidingWindowTransformer(7).fit_transform(chicago)
    params = {"early_stopping": True, "learning_rate": 0.3, "max_epochs": 12}
    lstm = small_lstm(**params, n_iter_no_change=12).fit(windows, tomorrow)
    best = LossCurveDisplay.from_estimator(lstm).best_epoch
    assert best < lstm.n_iter_
    shorter = small_lstm(**params | {"max_epochs": best}).fit(windows, tomorrow)
    np.testing.assert_array_equal(lstm.predict(windows), shorter.predict(windows))


def test_after_a_warm_start_the_marked_epoch_is_one_of_the_last_fit(small_lstm, chicago, tomorrow):
    """Non-regression test: it was the lowest loss of all, on whatever rows that was."""
    windows = SlidingWindowTransformer(7).fit_transform(chicago)
    lstm = small_lstm(early_stopping=True, warm_start=True, max_epochs=4).fit(windows, tomorrow)
    noise = 20 * np.random.RandomState(0).randn(len(tomorrow))
    lstm.fit(windows, tomorrow + noise)
    assert min(lstm.validation_loss_curve_[:4]) < min(lstm.validation_loss_curve_[4:])
    assert LossCurveDisplay.from_estimator(lstm).best_epoch >= 4  # 4: what it began with


def test_epochs_without_validation_are_left_open():
    display = LossCurveDisplay(
        loss_curve=[3, 2, 1], validation_loss_curve=[np.nan, 2, 1], best_epoch=3
    ).plot()
    np.testing.assert_array_equal(display.lines_[1].get_ydata(), [np.nan, 2, 1])


def test_without_early_stopping_only_the_training_loss_is_drawn(small_lstm, chicago, tomorrow):
    windows = SlidingWindowTransformer(7).fit_transform(chicago)
    lstm = small_lstm(early_stopping=False).fit(windows, tomorrow)
    display = LossCurveDisplay.from_estimator(lstm)
    assert legend_texts(display.ax_) == ["training"]
    assert display.best_ is None


def test_loss_curves_of_a_search_are_those_of_its_best_estimator(search):
    display = LossCurveDisplay.from_estimator(search)
    assert display.loss_curve == search.best_estimator_[-1].loss_curve_


@pytest.mark.parametrize("display", [LossCurveDisplay, GateActivityDisplay])
@pytest.mark.parametrize("kind", ["regressor", "pipeline", "search", "search, refit=False"])
def test_an_estimator_that_is_not_fitted_is_refused(display, kind, small_pipe, chicago):
    pipe = small_pipe(max_epochs=1)
    search = GridSearchCV(pipe, {"window__window_size": [2]}, cv=TimeSeriesSplit(2), refit=False)
    if kind == "search, refit=False":
        search.fit(chicago[:-1].to_numpy(), chicago["ridership"].to_numpy()[1:])
    estimator = {"regressor": pipe[-1], "pipeline": pipe}.get(kind, search)
    X = [] if display is LossCurveDisplay else [chicago]
    with pytest.raises(NotFittedError, match=r"LSTMRegressor that is not fitted.*refit=True"):
        display.from_estimator(estimator, *X)


@pytest.mark.parametrize("display", [LossCurveDisplay, GateActivityDisplay])
def test_an_estimator_without_an_lstm_is_refused(display, chicago):
    ridge = make_pipeline(StandardScaler(), Ridge()).fit(chicago[:-1], chicago["ridership"][1:])
    X = [] if display is LossCurveDisplay else [chicago]
    with pytest.raises(TypeError, match="LSTMRegressor.*got Pipeline with Ridge at its end"):
        display.from_estimator(ridge, *X)


# ForecastDisplay


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
        (np.zeros(9), np.zeros((10, 2)), {}, "9 values, but there are forecasts for 10 rows"),
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
            "n_history must be at least 1 or None, got 0",
        ),
    ],
)
def test_wrong_forecasts_are_refused(y_true, y_pred, options, message):
    with pytest.raises(ValueError, match=message):
        ForecastDisplay.from_predictions(y_true, y_pred, **options)


def test_a_series_of_the_wrong_length_is_refused(pipe, chicago):
    with pytest.raises(ValueError, match="399 values, but there are forecasts for 400 rows"):
        ForecastDisplay.from_estimator(pipe, chicago, chicago["ridership"][:-1])


# WindowSplitDisplay


def windowed(window_size=5, **params):
    window = SlidingWindowTransformer(window_size, **params)
    return make_pipeline(StandardScaler(), window, LSTMRegressor())


def drawn(ax):
    """Where the bars are: {label: [(fold, start, end), ...]}."""
    bars = {}
    for collection in ax.collections:
        for path in collection.get_paths():
            (start, low), (end, high) = path.vertices.min(axis=0), path.vertices.max(axis=0)
            fold = round((low + high) / 2)
            bars.setdefault(collection.get_label(), []).append((fold, start, end))
    return bars


def test_folds_are_drawn_by_row(chicago):
    cv = TimeSeriesSplit(3, gap=2, test_size=20)
    display = WindowSplitDisplay.from_estimator(windowed(), chicago.to_numpy()[:100], cv=cv)
    assert drawn(display.ax_) == {
        "training rows": [(0, 0, 34), (1, 0, 54), (2, 0, 74)],
        "history of the test rows": [(0, 34, 38), (1, 54, 58), (2, 74, 78)],
        "gap": [(0, 38, 40), (1, 58, 60), (2, 78, 80)],
        "test rows": [(0, 40, 60), (1, 60, 80), (2, 80, 100)],
    }
    assert sorted(legend_texts(display.ax_)) == sorted(drawn(display.ax_))
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("row", "fold")
    bottom, top = display.ax_.get_ylim()
    assert (bottom, top < -0.5) == (2.5, True)  # the first on top, under the legend


def test_over_a_gap_windows_reach_back_in_time(chicago):
    cv = TimeSeriesSplit(3, gap=2, test_size=20)
    display = WindowSplitDisplay.from_estimator(windowed(), chicago[:100], cv=cv)
    days = date2num(chicago.index)
    bars = drawn(display.ax_)
    assert bars["history of the test rows"][0] == (0, days[36], days[38])
    assert bars["gap"][0] == (0, days[38], days[40])
    assert bars["test rows"][-1] == (2, days[80], days[99] + 1)
    assert has_dates(display.ax_)


@pytest.mark.parametrize("index", [True, False])
@pytest.mark.parametrize("gap", [0, 2, 10])
@pytest.mark.parametrize("params", [{}, {"dilation": 3}, {"history": "none"}])
@pytest.mark.parametrize("cv", [TimeSeriesSplit, lambda gap: KFold(3)], ids=["series", "k-fold"])
def test_the_history_is_what_the_windows_of_the_transformer_hold(chicago, index, gap, params, cv):
    window = SlidingWindowTransformer(5, **params)
    rows = chicago.assign(number=np.arange(len(chicago)))[["number"]]
    rows = rows if index else rows.to_numpy() + 0.0
    display = WindowSplitDisplay.from_estimator(make_pipeline(window), rows, cv=cv(gap=gap))
    for (train, test), parts in zip(display.splits, display.rows_, strict=True):
        part = rows.iloc if index else rows
        numbers = window.fit(part[train]).transform(part[test])
        history = np.setdiff1d(numbers[~np.isnan(numbers)], test)
        np.testing.assert_array_equal(parts["history of the test rows"], history)


def test_no_row_after_the_test_rows_is_drawn_as_their_history_with_an_irregular_index():
    """Non-regression test."""
    gaps = np.random.RandomState(0).exponential(size=60)
    rows = pd.DataFrame({"number": np.arange(60.0)}, index=np.cumsum(gaps))
    display = WindowSplitDisplay.from_estimator(windowed(), rows, cv=KFold(3))
    for (_, test), parts in zip(display.splits, display.rows_, strict=True):
        assert np.all(parts["history of the test rows"] < test[0])
    assert len(display.rows_[-1]["history of the test rows"])


def test_folds_may_be_lists_as_in_a_search(chicago):
    folds = [(list(range(100)), range(100, 150))]
    display = WindowSplitDisplay.from_estimator(windowed(), chicago, cv=folds)
    np.testing.assert_array_equal(display.rows_[0]["test rows"], range(100, 150))


def test_one_prediction_for_each_row_is_a_forecast_of_the_next_value():
    """Non-regression test: it was taken for one forecast of as many steps as rows."""
    series = np.arange(50.0)
    display = ForecastDisplay.from_predictions(series, series + 1.5, row=20)
    np.testing.assert_array_equal(display.forecast, [21.5])
    np.testing.assert_array_equal(display.actual, [21.0])


def test_the_folds_of_a_search_are_those_of_its_splitter(search, chicago):
    display = WindowSplitDisplay.from_estimator(search, chicago)
    assert len(display.splits) == 2
    assert display.n_history == search.best_params_["window__window_size"] - 1
    not_fitted = GridSearchCV(windowed(9), {"lstmregressor__dropout": [0, 0.1]}, cv=4)
    display = WindowSplitDisplay.from_estimator(not_fitted, chicago, cv=TimeSeriesSplit(3))
    assert (len(display.splits), display.n_history) == (3, 8)
    assert len(WindowSplitDisplay.from_estimator(not_fitted, chicago).splits) == 4


def test_the_default_splitter_keeps_time_order(chicago):
    display = WindowSplitDisplay.from_estimator(windowed(), chicago)
    expected = list(TimeSeriesSplit().split(chicago))
    for (train, test), (expected_train, expected_test) in zip(
        display.splits, expected, strict=True
    ):
        np.testing.assert_array_equal(train, expected_train)
        np.testing.assert_array_equal(test, expected_test)


def test_parts_of_a_fold_can_be_told_apart_in_grey():
    display = split_display().plot()
    looks = {}
    for collection in display.ax_.collections:
        looks[collection.get_label()] = (
            luminance(collection.get_facecolor()[0][:3]),
            collection.get_hatch(),
        )
    assert len(looks) == 4
    for name, (light, hatch) in looks.items():
        for other, (other_light, other_hatch) in looks.items():
            assert name == other or abs(light - other_light) > 0.2 or hatch != other_hatch


def test_an_estimator_without_windows_is_refused(chicago):
    with pytest.raises(ValueError, match="no SlidingWindowTransformer, only StandardScaler, Ridge"):
        WindowSplitDisplay.from_estimator(make_pipeline(StandardScaler(), Ridge()), chicago)


def test_rows_out_of_order_are_refused(chicago):
    with pytest.raises(ValueError, match="not increasing"):
        WindowSplitDisplay.from_estimator(windowed(), chicago[::-1])


# GateActivityDisplay


@pytest.mark.parametrize(("layer", "units"), [(0, 4), (1, 3), (-1, 3)])
def test_gates_are_drawn_unit_by_unit(pipe, chicago, layer, units):
    display = GateActivityDisplay.from_estimator(pipe, chicago, row=200, layer=layer)
    names = ["input_gate", "forget_gate", "output_gate", "cell", "hidden"]
    for name, axes, image in zip(names, display.axes_, display.images_, strict=True):
        values = display.activity[name]
        assert values.shape == (7, units)
        np.testing.assert_array_equal(image.get_array(), values[:, display.units_].T)
        low, high = image.get_clim()
        assert (low, high) == (0, 1) if "gate" in name else low == -high
        assert np.abs(values).max() <= high
        assert list(axes.images) == [image]
        assert name.split("_")[0] in axes.get_title(loc="left")
    forget = display.activity["forget_gate"].mean(axis=0)[display.units_]
    assert (np.diff(forget) <= 0).all()
    assert display.axes_[2].get_ylabel() == f"{units} units of layer {layer % 2}"
    assert display.axes_[-1].get_xlabel() == "lag in rows"
    assert display.images_[0].get_extent()[:2] == [6.5, -0.5]


def test_gates_can_be_read_in_grey():
    from matplotlib import colormaps

    for image in gate_display().plot().images_:
        levels = [luminance(color[:3]) for color in image.cmap(np.linspace(0, 1, 9))]
        assert (np.diff(levels) > 0.02).all()
    display = gate_display().plot(cmap="Greys")
    assert display.images_[0].cmap == colormaps["Greys"]


def test_gates_of_windows_and_of_the_pipeline_are_the_same(pipe, chicago):
    display = GateActivityDisplay.from_estimator(pipe, chicago)
    windows = pipe[:-1].transform(chicago)
    alone = GateActivityDisplay.from_estimator(pipe[-1], windows)
    for name, values in display.activity.items():
        np.testing.assert_array_equal(alone.activity[name], values)


def test_gates_of_flat_windows(small_lstm):
    X = np.random.RandomState(0).rand(50, 5)
    lstm = small_lstm().fit(X, X[:, -1])
    assert GateActivityDisplay.from_estimator(lstm, X).activity["cell"].shape == (5, 4)


def test_gates_of_a_search_and_of_both_directions(small_pipe, chicago):
    model = small_pipe(index=True, bidirectional=True)
    search = GridSearchCV(model, {"window__window_size": [4]}, cv=TimeSeriesSplit(2))
    search.fit(chicago[:-1], chicago["ridership"][1:])
    display = GateActivityDisplay.from_estimator(search, chicago)
    assert display.activity["hidden"].shape == (4, 8)


def test_steps_that_the_network_skips_are_left_white(pipe, chicago):
    display = GateActivityDisplay.from_estimator(pipe, chicago, row=2)
    missing = np.isnan(display.activity["cell"])
    assert missing[:4].all()
    assert not missing[4:].any()
    np.testing.assert_array_equal(np.isnan(display.images_[0].get_array()), missing.T)


def test_lags_of_a_dilated_window(small_lstm, chicago, tomorrow):
    model = make_pipeline(SlidingWindowTransformer(4, dilation=7), small_lstm())
    display = GateActivityDisplay.from_estimator(model.fit(chicago, tomorrow), chicago)
    assert display.lags.tolist() == [21, 14, 7, 0]
    assert display.images_[0].get_extent()[:2] == [24.5, -3.5]


def test_gates_of_a_window_of_one_step(small_pipe, chicago, tomorrow):
    model = small_pipe(window_size=1).fit(chicago.to_numpy(), tomorrow)
    display = GateActivityDisplay.from_estimator(model, chicago.to_numpy())
    assert display.images_[0].get_extent()[:2] == [0.5, -0.5]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layer": 2}, r"layer=2, but the network has 2 layer\(s\): expected -2 to 1"),
        ({"layer": -3}, "layer=-3, but"),
        ({"row": 400}, "row=400, but there are 400 rows: expected -400 to 399"),
        ({"row": -401}, "row=-401, but"),
    ],
)
def test_rows_and_layers_that_are_not_there_are_refused(pipe, chicago, options, message):
    with pytest.raises(ValueError, match=message):
        GateActivityDisplay.from_estimator(pipe, chicago, **options)


def test_a_window_without_a_known_step_is_refused(small_lstm, chicago, tomorrow):
    windows = SlidingWindowTransformer(7).fit_transform(chicago)
    lstm = small_lstm().fit(windows, tomorrow)
    with pytest.raises(ValueError, match="window of row=-1 has no known step"):
        GateActivityDisplay.from_estimator(lstm, np.full((2, 7, 2), np.nan))


def test_axes_outside_of_a_grid_are_refused():
    ax = plt.figure().add_axes((0, 0, 1, 1))
    with pytest.raises(ValueError, match="ax has no place in a grid"):
        gate_display().plot(ax)


def test_any_pipeline_can_forecast(chicago):
    model = make_pipeline(
        SlidingWindowTransformer(3, flatten=True, padding="edge"), LinearRegression()
    )
    model = Pipeline([("nothing", "passthrough"), ("model", model)])
    model.fit(chicago[:-2], forecast_targets(chicago["ridership"], 2)[:-2])
    display = ForecastDisplay.from_estimator(model, chicago, chicago["ridership"])
    np.testing.assert_array_equal(display.forecast, model.predict(chicago)[-1])
    assert WindowSplitDisplay.from_estimator(model, chicago).n_history == 2


if __name__ == "__main__":
    BASELINE.mkdir(exist_ok=True)
    for name in MADE_UP:
        draw(name, BASELINE / f"{name}.png")
