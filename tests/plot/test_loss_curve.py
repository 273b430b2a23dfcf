"""LossCurveDisplay: curves, the marked epoch, labels."""

import numpy as np

from sklstm import LossCurveDisplay, SlidingWindowTransformer
from tests.plot.made_up import legend_texts, loss_display, luminance


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
    params = {"early_stopping": True, "learning_rate": 0.3, "max_epochs": 12, "target_leads": 0}
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
