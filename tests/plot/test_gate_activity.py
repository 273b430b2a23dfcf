"""GateActivityDisplay: one heat map for each gate and state, one row for each unit."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline

from sklstm import GateActivityDisplay, LagTableTransformer, SlidingWindowTransformer
from tests.plot.made_up import gate_display, luminance


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
    search.fit(chicago[:-1], chicago["ridership"].shift(-1)[:-1])
    display = GateActivityDisplay.from_estimator(search, chicago)
    assert display.activity["hidden"].shape == (4, 8)


def test_missing_steps_are_drawn_as_the_network_reads_them(pipe, chicago):
    display = GateActivityDisplay.from_estimator(pipe, chicago, row=2)
    windows = pipe[:-1].transform(chicago)[[2]]
    windows[:, :4] = windows[:, 4]  # the first known step
    filled = GateActivityDisplay.from_estimator(pipe[-1], windows)
    for name, values in display.activity.items():
        np.testing.assert_array_equal(values, filled.activity[name])


def test_lags_of_a_dilated_window(small_lstm, chicago, tomorrow):
    model = make_pipeline(SlidingWindowTransformer(4, dilation=7), small_lstm())
    display = GateActivityDisplay.from_estimator(model.fit(chicago, tomorrow), chicago)
    assert display.lags.tolist() == [21, 14, 7, 0]
    assert display.images_[0].get_extent()[:2] == [24.5, -3.5]


@pytest.mark.parametrize(
    ("lags", "extent"),
    [([1, 2, 3], [3.5, 0.5]), ([1, 2, 24], [-0.5, 2.5])],
    ids=["even", "uneven"],
)
def test_lags_of_a_lag_table(small_lstm, chicago, tomorrow, lags, extent):
    X = np.column_stack([chicago["ridership"].shift(lag) for lag in lags])
    model = make_pipeline(LagTableTransformer(lags=lags), small_lstm()).fit(X, tomorrow)
    display = GateActivityDisplay.from_estimator(model, X)
    assert display.lags.tolist() == lags[::-1]
    assert display.images_[0].get_extent()[:2] == extent
    if lags[-1] == 24:
        show = display.axes_[-1].xaxis.get_major_formatter()
        assert [show(step) for step in (-1, 0, 0.5, 1, 2, 3)] == ["", "24", "", "2", "1", ""]


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


def test_axes_outside_of_a_grid_are_refused():
    ax = plt.figure().add_axes((0, 0, 1, 1))
    with pytest.raises(ValueError, match="ax has no place in a grid"):
        gate_display().plot(ax)
