"""WindowSplitDisplay: the parts of each fold, against the windows of the transformer."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.dates import date2num
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, KFold, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklstm import LSTMRegressor, SlidingWindowTransformer, WindowSplitDisplay
from tests.plot.made_up import has_dates, legend_texts, luminance, split_display


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


@pytest.mark.filterwarnings(
    "ignore:.*windows lack steps:UserWarning", "ignore:Between the last rows seen:UserWarning"
)
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


def test_labels_of_other_days_are_refused(chicago):
    with pytest.raises(ValueError, match="X and y have different indexes"):
        WindowSplitDisplay.from_estimator(windowed(), chicago[:100], chicago["ridership"][100:200])
