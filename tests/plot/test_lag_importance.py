"""LagImportanceDisplay: a heat map of features and lags, or a line for a single feature."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from sklstm import LagImportanceDisplay, SlidingWindowTransformer, lag_importance
from tests.plot.made_up import importance_display, luminance


@pytest.fixture
def ridge(chicago, tomorrow):
    windows = SlidingWindowTransformer(28, padding="edge", flatten=True)
    return make_pipeline(windows, Ridge()).fit(chicago, tomorrow)


def test_several_features_are_a_heat_map(ridge, chicago, tomorrow):
    options = {"lags": [0, [1, 2, 3], 6], "scoring": "neg_mean_absolute_error", "random_state": 0}
    display = LagImportanceDisplay.from_estimator(ridge, chicago, tomorrow, **options)
    expected = lag_importance(ridge, chicago, tomorrow, **options)
    assert_array_equal(display.image_.get_array(), expected.importances_mean)
    assert display.image_.get_clim() == (0, expected.importances_mean.max())
    ax = display.ax_
    assert [text.get_text() for text in ax.get_yticklabels()] == ["ridership", "temperature"]
    assert [text.get_text() for text in ax.get_xticklabels()] == ["0", "1-3", "6"]
    assert ax.get_xlim() == (2.5, -0.5)  # lag 0 is at the right
    assert ax.get_xlabel() == "lag in rows"
    assert ax.images[0].colorbar.ax.get_ylabel() == "loss of neg_mean_absolute_error"
    assert display.line_ is display.band_ is None


def test_a_single_feature_is_a_line(chicago, tomorrow, ridge):
    X = chicago[["ridership"]]
    display = LagImportanceDisplay.from_estimator(
        ridge.fit(X, tomorrow), X, tomorrow, lags=range(28), random_state=0, line_kw={"c": "red"}
    )
    mean, std = (display.importance[f"importances_{name}"][0] for name in ("mean", "std"))
    assert_array_equal(display.line_.get_xydata(), np.column_stack([np.arange(28), mean]))
    assert display.line_.get_color() == "red"
    edges = {tuple(edge) for edge in display.band_.get_paths()[0].vertices}
    assert {(at, mean[at] + std[at]) for at in range(28)} < edges
    assert {(at, mean[at] - std[at]) for at in range(28)} < edges
    assert (display.ax_.get_ylabel(), display.ax_.get_title()) == ("loss of R²", "ridership")
    assert display.image_ is None
    show = display.ax_.xaxis.get_major_formatter()
    assert [show(at) for at in (-1, 0, 6, 6.5, 27, 28)] == ["", "0", "6", "", "27", ""]


def test_a_feature_without_a_lag_and_importances_below_zero_are_drawn():
    display = importance_display()
    display.importance.importances_mean[0, 0] = np.nan
    display.plot()
    assert np.ma.getmaskarray(display.image_.get_array())[0, 0]
    display.importance.importances_mean[:] = -1.0
    assert display.plot().image_.get_clim() == (0, 1)


def test_the_heat_map_can_be_read_in_grey():
    image = importance_display().plot().image_
    levels = [luminance(color[:3]) for color in image.cmap(np.linspace(0, 1, 9))]
    assert (np.diff(levels) > 0.02).all()
    assert importance_display().plot(cmap="Greys").image_.cmap.name == "Greys"
