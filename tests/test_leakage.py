"""No prediction and no window of a row depends on later rows."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import KFold, TimeSeriesSplit, cross_validate
from skorch.callbacks import Callback

from sklstm import SlidingWindowTransformer, forecast_targets
from sklstm._network.loss import TargetLoss

pytestmark = pytest.mark.family("leakage")

CHANGES = {  # maps rows up to t and rows after t to new rows after t
    "noise": lambda before, after: (
        after + np.random.default_rng(0).normal(scale=100, size=after.shape)
    ),
    "huge": lambda before, after: np.full_like(after, 1e12),
    "missing": lambda before, after: np.full_like(after, np.nan),
    "missing here and there": lambda before, after: np.where(
        np.arange(len(after))[:, np.newaxis] % 3 > 0, after, np.nan
    ),
    "reversed": lambda before, after: after[::-1],
    "cut off": lambda before, after: after[:0],
    "more rows": lambda before, after: np.vstack([after, after + 1, after]),
    "constant": lambda before, after: np.zeros_like(after),
    "the start again": lambda before, after: np.resize(before, after.shape),
}


def change_after(frame, t, how):
    """Change the rows after ``t`` of a daily frame, but not its first ``t + 1`` labels."""
    before = frame.iloc[: t + 1]
    after = CHANGES[how](before.to_numpy(), frame.iloc[t + 1 :].to_numpy())
    later = frame.index[t + 1 :][: len(after)]
    later = later.append(pd.date_range(frame.index[-1], periods=len(after) + 1)[1:])
    after = pd.DataFrame(after, columns=frame.columns, index=later[: len(after)])
    return pd.concat([before, after])


def convert(frame, container):
    if container == "pandas":
        return frame
    return frame.to_numpy() if container == "numpy" else pl.from_pandas(frame)


def weights_of(lstm):
    return {name: value.numpy().copy() for name, value in lstm.net_.module_.state_dict().items()}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("t", [20, 200, 333])
@pytest.mark.parametrize("container", ["numpy", "pandas", "polars"])
def test_no_prediction_depends_on_later_rows(small_pipe, chicago, change, t, container):
    changed = convert(change_after(chicago, t, change), container)
    X = convert(chicago, container)
    results, pipes = [], []
    for rows in (X, changed):
        # Fit on slices up to row t: if a fit read beyond them, its predictions would change.
        target = forecast_targets(rows["ridership"] if container != "numpy" else rows[:, 0], 2)
        known = forecast_targets(
            rows["ridership"][: t + 1] if container != "numpy" else rows[: t + 1, 0], 2
        )
        assert np.isnan(np.asarray(known)[-1]).all()
        np.testing.assert_array_equal(np.asarray(known)[:-2], np.asarray(target)[: t - 1])
        pipe = small_pipe(index=container == "pandas", early_stopping=True)
        pipe.fit(rows[: t + 1], known)
        results.append((weights_of(pipe["lstm"]), pipe.predict(rows)[: t + 1]))
        pipes.append(pipe)
        # Rows that begin with the fitted ones start without history.
        assert np.isnan(pipe[:-1].transform(rows)[0, :-1]).all()
    np.testing.assert_equal(results[0], results[1])
    # One model predicts the same for the original rows, the changed rows and no later rows.
    np.testing.assert_array_equal(pipes[0].predict(changed)[: t + 1], results[0][1])
    np.testing.assert_array_equal(pipes[0].predict(X[: t + 1]), results[0][1])
    assert np.isfinite(results[0][1]).all()


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("fitted", [150, 300])
@pytest.mark.parametrize("container", ["numpy", "pandas", "polars"])
def test_no_prediction_of_new_rows_depends_on_later_ones(
    small_pipe, chicago, tomorrow, change, fitted, container
):
    t = 340
    X = convert(chicago, container)
    changed = convert(change_after(chicago, t, change), container)
    pipe = small_pipe(index=container == "pandas").fit(X[:fitted], tomorrow[:fitted])
    expected = pipe.predict(X[fitted:])[: t + 1 - fitted]
    np.testing.assert_array_equal(pipe.predict(changed[fitted:])[: t + 1 - fitted], expected)
    # The same rows in a longer array that starts with the fitted ones.
    np.testing.assert_array_equal(pipe.predict(changed)[fitted : t + 1], expected)


# Windows that lack steps have tests of their own.
little_history = pytest.mark.filterwarnings(
    "ignore:.*windows lack steps:UserWarning", "ignore:Between the last rows seen:UserWarning"
)


@little_history
@pytest.mark.parametrize("padding", ["nan", "edge"])
@pytest.mark.parametrize("dilation", [1, 3])
@pytest.mark.parametrize("change", ["noise", "missing", "cut off"])
def test_no_window_depends_on_later_rows(chicago, padding, dilation, change):
    t = 250
    holes = chicago.drop(chicago.index[[0, 40, 41, 42, 180]])
    changed = change_after(holes, t, change)
    window = SlidingWindowTransformer(7, dilation=dilation, padding=padding).fit(holes[:200])
    for start in (0, 100, 200, 203):
        np.testing.assert_array_equal(
            window.transform(changed[start:])[: t + 1 - start],
            window.transform(holes[start:])[: t + 1 - start],
        )


LATER_LABELS = {
    "a year on": lambda labels: labels + pd.Timedelta("365D"),
    "one moved by a day": lambda labels: labels.where(
        np.arange(len(labels)) < 10, labels + pd.Timedelta("1D")
    ),
    "a few days missing": lambda labels: (
        labels + pd.to_timedelta(np.arange(len(labels)) // 15, "D")
    ),
}


@pytest.mark.parametrize("later", LATER_LABELS)
@pytest.mark.parametrize("fitted", [150, 300])
@pytest.mark.parametrize("hole", [slice(0, 0), slice(100, 103), slice(310, 313)])
def test_no_prediction_depends_on_later_labels_of_the_index(
    small_pipe, chicago, tomorrow, later, fitted, hole
):
    t = 330
    X = chicago.drop(chicago.index[hole])
    changed = X.set_axis(X.index[: t + 1].append(LATER_LABELS[later](X.index[t + 1 :])))
    pipe = small_pipe(index=True).fit(X[:fitted], tomorrow.loc[X.index[:fitted]])
    for start in (0, fitted, fitted + 2):
        np.testing.assert_array_equal(
            pipe.predict(changed[start:])[: t + 1 - start], pipe.predict(X[start:])[: t + 1 - start]
        )


@pytest.mark.parametrize("container", ["numpy", "pandas", "polars"])
@pytest.mark.parametrize("gap", [0, 3])
def test_no_fold_of_a_cross_validation_depends_on_later_rows(
    small_pipe, chicago, tomorrow, container, gap
):
    cv = TimeSeriesSplit(3, gap=gap)
    folds = list(cv.split(chicago))
    t = folds[1][1][-1]  # the end of the second of three test folds
    X = convert(chicago, container)
    changed = convert(change_after(chicago, t, "noise"), container)
    results = [
        cross_validate(
            small_pipe(index=container == "pandas", early_stopping=True),
            rows,
            y,
            cv=cv,
            return_train_score=True,
            return_estimator=True,
            error_score="raise",
        )
        for rows, y in [(X, tomorrow), (changed, tomorrow.where(np.arange(400) <= t, 1e3))]
    ]
    for score in ("train_score", "test_score"):
        np.testing.assert_array_equal(results[0][score][:2], results[1][score][:2])
    assert results[0]["test_score"][2] != results[1]["test_score"][2]
    for i, (_, test) in enumerate(folds[:2]):
        one, other = (result["estimator"][i] for result in results)
        np.testing.assert_equal(weights_of(one["lstm"]), weights_of(other["lstm"]))
        # The same within a fold, for changes after its middle row.
        middle = test[len(test) // 2]
        new = convert(change_after(chicago, middle, "noise"), container)
        n = middle + 1 - test[0]
        np.testing.assert_array_equal(
            one.predict(new[test[0] : test[-1] + 1])[:n],
            one.predict(X[test[0] : test[-1] + 1])[:n],
        )


@pytest.mark.parametrize("cv", [TimeSeriesSplit(3), TimeSeriesSplit(2, gap=2, test_size=40)])
@pytest.mark.parametrize("leads", [range(1, 8), range(13, 20), [7], [0, 24]], ids=str)
@pytest.mark.parametrize("container", ["names", "no names", "arrays", "windows"])
def test_no_fit_depends_on_rows_or_targets_after_the_start_of_its_fold(
    small_pipe, chicago_series, cv, leads, container
):
    # No gap in the splitter is needed, however far ahead the targets lie.
    leads, load, rows = list(leads), chicago_series["ridership"], chicago_series[:400]
    later = np.random.RandomState(0).rand(len(load)) * 1e4
    for train, _ in cv.split(rows):
        end, predictions = train[-1] + 1, []
        for after in (load, later):
            known = np.arange(len(load)) < end
            series = load.where(known, after)
            y = pd.DataFrame({f"load_lead{lead}": series.shift(-lead) for lead in leads})[:400]
            X = rows.assign(ridership=series[:400])
            pipe = small_pipe(early_stopping=True, linear_skip=True)
            if container != "names":
                X, y = X.to_numpy(), y.to_numpy()
            if container in ("arrays", "windows"):
                pipe.set_params(lstm__target_leads=leads)
            if container == "windows":
                X, pipe = pipe["window"].fit_transform(X), pipe["lstm"]
            predictions.append(pipe.fit(X[:end], y[:end]).predict(X)[:end])
        np.testing.assert_array_equal(*predictions)


@little_history
@pytest.mark.parametrize("cv", [KFold(4), TimeSeriesSplit(3, gap=2)], ids=repr)
def test_rows_before_or_among_the_fitted_ones_get_no_later_row(small_pipe, chicago, tomorrow, cv):
    for train, test in cv.split(chicago):
        pipe = small_pipe(index=True).fit(chicago.iloc[train], tomorrow.iloc[train])
        # One row of the test fold at a time: its window holds no later row.
        scaled = pipe["scale"].transform(chicago).to_numpy()
        for row in test[[0, 3, -1]]:
            window = pipe[:-1].transform(chicago.iloc[[row]])[0]
            np.testing.assert_array_equal(window[-1], scaled[row])
            known = window[~np.isnan(window).all(axis=1)]
            assert all((scaled[: row + 1] == step).all(axis=1).any() for step in known)


def test_windows_of_a_longer_view_do_not_read_beyond_their_rows(small_lstm, chicago, tomorrow):
    t = 250
    results = []
    for X in (chicago, change_after(chicago, t, "huge")):
        windows = SlidingWindowTransformer(7).fit_transform(X.to_numpy())  # one view
        lstm = small_lstm(early_stopping=True).fit(windows[: t + 1], tomorrow[: t + 1])
        results.append([lstm.feature_mean_, weights_of(lstm), lstm.predict(windows)[: t + 1]])
    np.testing.assert_equal(results[0], results[1])


# --- early stopping ----------------------------------------------------------------------


class Watch(Callback):
    """Record the rows and the weights of a training."""

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        self.train = X
        self.train_rows = X.numbers()
        self.valid = self.valid_rows = None
        self.weights = []

    def on_epoch_end(self, net, dataset_train=None, dataset_valid=None, **kwargs):
        assert dataset_train is self.train
        if dataset_valid is not None:
            self.valid = dataset_valid
            self.valid_rows = dataset_valid.numbers()
        self.weights.append({k: v.numpy().copy() for k, v in net.module_.state_dict().items()})


def fit_watched(small_lstm, X, y, **params):
    watch = Watch()
    lstm = small_lstm(callbacks=[watch], **params).fit(X, y)
    return lstm, watch


@pytest.fixture
def windows(chicago):
    return SlidingWindowTransformer(7).fit_transform(chicago)


@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.6])
@pytest.mark.parametrize("horizon", [1, 2, 24])
def test_early_stopping_validates_on_the_latest_rows_after_a_gap(
    small_lstm, chicago_series, windows, fraction, horizon
):
    y = forecast_targets(chicago_series["ridership"], horizon)[:400]
    _, watch = fit_watched(
        small_lstm, windows, y, early_stopping=True, validation_fraction=fraction
    )
    n_valid = round(fraction * 396)  # from row 3, half of whose steps are known, to row 398
    np.testing.assert_array_equal(watch.valid_rows, np.arange(399 - n_valid, 399))
    np.testing.assert_array_equal(watch.train_rows, np.arange(3, 399 - n_valid - (horizon - 1)))


def test_no_target_of_the_training_part_lies_in_the_validation_part(small_lstm, chicago, windows):
    horizon = 5
    position = forecast_targets(np.arange(400.0), horizon)
    _, watch = fit_watched(
        small_lstm,
        windows,
        forecast_targets(chicago["ridership"], horizon),
        early_stopping=True,
    )
    first = np.nanmin(position[watch.valid_rows])
    assert np.nanmax(position[watch.train_rows]) < first


@pytest.mark.parametrize(("n_days", "expected"), [(99, False), (100, True)])
def test_auto_early_stopping_starts_at_ten_validation_rows(
    small_lstm, chicago_series, n_days, expected
):
    series = chicago_series[:n_days]
    windows = SlidingWindowTransformer(12).fit_transform(series)
    lstm, watch = fit_watched(small_lstm, windows, series["ridership"], max_epochs=1)
    assert (watch.valid_rows is not None) == expected
    assert (lstm.validation_loss_curve_ is not None) == expected


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", ["squared_error", "absolute_error"])
def test_early_stopping_restores_the_best_weights(small_lstm, tomorrow, windows, loss, weighted):
    watch = Watch()
    # A learning rate that is too large, so that the last epoch is not the best.
    lstm = small_lstm(
        callbacks=[watch],
        loss=loss,
        early_stopping=True,
        max_epochs=20,
        learning_rate=0.5,
        ema_decay=0,
        n_iter_no_change=5,
        precision="float64",
        target_leads=0,
    )
    weight = np.random.default_rng(0).uniform(0.1, 2, 400) if weighted else None
    lstm.fit(windows, tomorrow, sample_weight=weight)
    curve = lstm.validation_loss_curve_
    best = int(np.argmin(curve))
    assert best < len(curve) - 1
    np.testing.assert_equal(weights_of(lstm), watch.weights[best])
    with torch.no_grad():
        X, y = next(watch.valid.batches(None, len(watch.valid)))
        final = TargetLoss(loss)(lstm.net_.module_(X), y).item()
    assert final == pytest.approx(min(curve), rel=1e-12)
    # A user can compute the same loss from predictions in units of the target.
    rows = watch.valid_rows
    error = (lstm.predict(windows[rows]) - tomorrow.iloc[rows]) / lstm.target_scale_
    error = np.abs(error) if loss == "absolute_error" else error**2
    expected = np.average(error, weights=None if weight is None else weight[rows])
    assert final == pytest.approx(expected, rel=1e-9)


def test_validation_rows_affect_early_stopping_only(small_lstm, chicago, tomorrow, windows):
    lstm, watch = fit_watched(small_lstm, windows, tomorrow, early_stopping=True)
    last = watch.train_rows[-1]
    X = change_after(chicago, last, "noise")
    y = tomorrow.where(np.arange(400) <= last, 1e4)
    other, other_watch = fit_watched(
        small_lstm, SlidingWindowTransformer(7).fit_transform(X), y, early_stopping=True
    )
    np.testing.assert_array_equal(other_watch.train_rows, watch.train_rows)
    for name in ("feature_mean_", "feature_scale_", "target_mean_", "target_scale_"):
        np.testing.assert_array_equal(getattr(other, name), getattr(lstm, name))
    assert other.loss_curve_ == lstm.loss_curve_
    np.testing.assert_equal(other_watch.weights, watch.weights)
    assert other.validation_loss_curve_ != lstm.validation_loss_curve_


def test_standardisation_is_that_of_the_training_part(small_lstm, chicago, tomorrow, windows):
    lstm, watch = fit_watched(small_lstm, windows, tomorrow, early_stopping=True)
    inside = windows[watch.train_rows].reshape(-1, 2)
    np.testing.assert_allclose(lstm.feature_mean_, np.nanmean(inside, axis=0))
    np.testing.assert_allclose(lstm.feature_scale_, np.nanstd(inside, axis=0))
    targets = tomorrow.iloc[watch.train_rows]
    np.testing.assert_allclose(lstm.target_mean_, targets.mean())
    np.testing.assert_allclose(lstm.target_scale_, targets.std(ddof=0))


# --- unknown targets and missing rows ----------------------------------------------------


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_only_labelled_rows_are_trained_on(
    small_lstm, chicago, tomorrow, windows, early_stopping, method
):
    labelled = np.arange(400) % 2 == 1
    watch = Watch()
    params = {"early_stopping": early_stopping, "target_leads": 0}
    lstm = small_lstm(callbacks=[watch], **params)
    getattr(lstm, method)(windows, tomorrow.where(labelled))
    usable = np.arange(3, 400, 2)
    if method == "fit" and early_stopping:
        n_valid = round(0.1 * len(usable))
        np.testing.assert_array_equal(watch.valid_rows, usable[-n_valid:])
        np.testing.assert_array_equal(watch.train_rows, usable[:-n_valid])
    else:
        np.testing.assert_array_equal(watch.train_rows, usable)
    targets = tomorrow.iloc[watch.train_rows]
    np.testing.assert_allclose(
        watch.train.targets[:, 0], (targets - targets.mean()) / targets.std(ddof=0), rtol=1e-4
    )
    # Rows without a target are history in the windows of rows with one.
    scaled = (chicago.to_numpy() - lstm.feature_mean_) / lstm.feature_scale_
    X, _ = next(watch.train.batches(None, 3))
    np.testing.assert_allclose(X[2], scaled[1:8], rtol=1e-4, atol=1e-6)

    # The fit equals a fit on the labelled windows alone.
    alone = getattr(small_lstm(**params), method)(windows[usable], tomorrow.iloc[usable])
    np.testing.assert_allclose(alone.predict(windows), lstm.predict(windows), rtol=1e-5)


def test_unlabelled_rows_at_the_end_do_not_count_as_validation(small_lstm, tomorrow, windows):
    known = tomorrow.where(np.arange(400) < 300)
    params = {"early_stopping": True, "target_leads": 0}
    lstm, watch = fit_watched(small_lstm, windows, known, **params)
    np.testing.assert_array_equal(watch.valid_rows, np.arange(300 - 30, 300))
    short = small_lstm(**params).fit(windows[:300], tomorrow[:300])
    np.testing.assert_array_equal(lstm.predict(windows), short.predict(windows))


def test_each_output_is_trained_on_its_own_known_targets(small_lstm, chicago, tomorrow, windows):
    y = np.column_stack([tomorrow, chicago["temperature"]])
    y[::2, 0] = np.nan
    y[1::4, 1] = np.nan
    params = {"early_stopping": False, "target_leads": 0}
    lstm, watch = fit_watched(small_lstm, windows, y, **params)
    np.testing.assert_array_equal(watch.train_rows, np.arange(3, 400))
    weights = watch.train.weights.numpy()
    np.testing.assert_array_equal(weights > 0, ~np.isnan(y[3:]))
    assert weights.mean() == pytest.approx(1)
    np.testing.assert_allclose(lstm.target_mean_, np.nanmean(y[3:], axis=0))
    np.testing.assert_allclose(lstm.target_scale_, np.nanstd(y[3:], axis=0))


@pytest.mark.parametrize("unknown", [slice(0, 400), slice(0, 362)], ids=["always", "in training"])
def test_an_output_without_known_targets_is_refused_by_its_number(
    small_lstm, tomorrow, windows, unknown
):
    y = np.column_stack([tomorrow, tomorrow])
    y[unknown, 1] = np.nan
    with pytest.raises(ValueError, match=r"Output\(s\) 1 of y have no known target in the 3\d\d"):
        small_lstm(early_stopping=True).fit(windows, y)
    small_lstm(early_stopping=True).fit(windows, y[:, 0])


def test_an_output_unknown_in_validation_does_not_affect_the_others(small_lstm, tomorrow, windows):
    unknown = slice(350, 400)
    y = np.column_stack([tomorrow, tomorrow])
    y[unknown, 1] = np.nan
    params = {"early_stopping": True, "max_epochs": 30, "learning_rate": 0.01}
    lstm = small_lstm(**params).fit(windows, y)
    predicted = lstm.predict(windows)
    assert np.isfinite(predicted).all()
    assert np.isfinite(lstm.loss_curve_).all()
    assert np.isfinite(lstm.validation_loss_curve_).all()
    error = np.mean((predicted[6:, 0] - tomorrow[6:]) ** 2)
    assert error < 0.7 * np.var(tomorrow)


@pytest.mark.parametrize("index", [False, True], ids=["row of NaN", "row not in the index"])
def test_windows_over_few_missing_rows_train(small_lstm, chicago, tomorrow, index):
    missing = [100, 101, 250, *range(300, 304)]
    if index:
        X, y = (data.drop(chicago.index[missing]) for data in (chicago, tomorrow))
    else:
        X, y = chicago.copy(), tomorrow.copy()
        X.iloc[missing] = np.nan
    windows = SlidingWindowTransformer(7).fit_transform(X)
    params = {"early_stopping": False, "target_leads": 0}
    lstm, watch = fit_watched(small_lstm, windows, y, **params)
    days = np.setdiff1d(np.arange(400), missing) if index else np.arange(400)
    expected = [
        day for day in days if len({*range(day - 6, day + 1)} & {*missing}) <= 3 and day >= 3
    ]
    np.testing.assert_array_equal(days[watch.train_rows], expected)
    assert np.isfinite(lstm.predict(windows)).all()


def test_fit_is_the_same_after_another_fit_on_later_rows(small_pipe, chicago, tomorrow):
    pipe = small_pipe(index=True, early_stopping=True)
    expected = clone(pipe).fit(chicago[:200], tomorrow[:200]).predict(chicago[:200])
    pipe.fit(chicago[200:], tomorrow[200:]).fit(chicago[:200], tomorrow[:200])
    np.testing.assert_array_equal(pipe.predict(chicago[:200]), expected)
