"""LSTMRegressor: learning, repeatability, global state, and errors."""

import copy
import pickle
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from skorch.callbacks import Callback, EarlyStopping, LRScheduler

from sklstm import LSTMRegressor, SlidingWindowTransformer, forecast_targets
from tests.copies import COPIES


def small(**params):
    quick = {"hidden_layer_sizes": 8, "max_epochs": 3, "n_jobs": 1, "random_state": 0}
    return LSTMRegressor(**(quick | params))


def alone(**params):
    """Make a network without a linear map, and with a loss at the last step only."""
    return small(**({"linear_skip": False, "supervise": "last"} | params))


def series(n=200, n_features=2, seed=0):
    return np.random.RandomState(seed).randn(n, n_features)


def windows(rows, window_size=6, **params):
    return SlidingWindowTransformer(window_size, **params).fit_transform(rows)


THREADS = torch.get_num_threads()
X = series()
W = windows(X)
Y = X[:, 0] + np.roll(X[:, 1], 1)


class TestLearning:
    def test_units_of_the_target_do_not_matter(self):
        plain = small(precision="float64").fit(W, Y).predict(W)
        scaled = small(precision="float64").fit(W * 1e6 + 1e9, Y * 1e-6 - 3).predict(W * 1e6 + 1e9)
        assert_allclose((scaled + 3) * 1e6, plain, rtol=1e-4, atol=1e-4)

    def test_without_standardize_the_target_is_learned_as_it_is(self):
        model = small(standardize=False).fit(W, Y)
        assert_array_equal(model.feature_scale_, 1)
        assert_array_equal(model.target_mean_, 0)

    def test_a_constant_feature_and_a_constant_target_can_be_fitted(self):
        constant = np.concatenate([W[5:], np.full_like(W[5:, :, :1], 7.0)], axis=2)
        prediction = small().fit(constant, np.full(195, 3.0)).predict(constant)
        assert_allclose(prediction, 3, atol=0.5)

    def test_dropout_acts_in_training_and_not_in_prediction(self):
        without, with_dropout = small().fit(W, Y), small(dropout=0.5).fit(W, Y)
        assert not np.array_equal(without.predict(W), with_dropout.predict(W))
        assert_array_equal(with_dropout.predict(W), with_dropout.predict(W))

    @pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", torch.optim.RMSprop])
    def test_every_optimizer_lowers_the_loss(self, optimizer):
        model = small(optimizer=optimizer, max_epochs=10).fit(W, Y)
        assert model.loss_curve_[-1] < model.loss_curve_[0]

    def test_an_optimizer_for_whole_batches_lowers_the_loss(self):
        # On small batches, LBFGS diverges within 10 epochs on some processors.
        whole = {"batch_size": len(W), "learning_rate": 0.1}
        model = small(optimizer=torch.optim.LBFGS, max_epochs=10, **whole).fit(W, Y)
        assert model.loss_curve_[-1] < 0.5 * model.loss_curve_[0]

    def test_absolute_error_predicts_the_median(self):
        y = np.where(np.arange(400) % 4 == 0, 100.0, 0.0)
        noise = np.random.RandomState(0).randn(400, 3, 1)
        fit = small(loss="absolute_error", max_epochs=60).fit(noise, y)
        assert np.median(fit.predict(noise)) < 10  # the mean is 25

    def test_bidirectional_layers_read_the_window_backwards_too(self):
        model = alone(bidirectional=True, hidden_layer_sizes=(5, 3)).fit(W, Y)
        shapes = [tuple(layer.weight_ih_l0.shape) for layer in model.net_.module_.layers]
        assert shapes == [(20, 2), (12, 10)]
        assert model.net_.module_.head.in_features == 6

    def test_an_int_is_one_layer(self):
        assert_array_equal(
            small(hidden_layer_sizes=5).fit(W, Y).predict(W),
            small(hidden_layer_sizes=(5,)).fit(W, Y).predict(W),
        )

    def test_attributes_describe_the_fit(self):
        model = small(early_stopping=True).fit(W, np.column_stack([Y, -Y]))
        assert (model.n_features_in_, model.window_size_, model.n_outputs_) == (2, 6, 2)
        assert model.n_iter_ == len(model.loss_curve_) == len(model.validation_loss_curve_) == 3
        assert all(type(loss) is float for loss in model.loss_curve_)
        assert small(early_stopping=False).fit(W, Y).validation_loss_curve_ is None

    def test_weights_count_like_repeated_rows(self):
        # In longer trainings Adam amplifies the rounding of float32 once the loss is near 0.
        weight = np.random.RandomState(1).randint(0, 4, len(W))
        params = {"max_epochs": 20, "early_stopping": False, "batch_size": 1000}
        weighted = alone(**params).fit(W, Y, sample_weight=weight)
        repeated = alone(**params).fit(np.repeat(W, weight, axis=0), np.repeat(Y, weight))
        assert_allclose(weighted.predict(W), repeated.predict(W), atol=1e-5)


class TestForms:
    def test_two_dimensions_are_univariate_windows(self):
        flat = W[5:, :, 0]
        two, three = small().fit(flat, Y[5:]), small().fit(flat[:, :, np.newaxis], Y[5:])
        assert_array_equal(two.predict(flat), three.predict(flat[:, :, np.newaxis]))
        assert_array_equal(two.predict(flat[:, :, np.newaxis]), three.predict(flat))
        assert (two.n_features_in_, three.n_features_in_) == (6, 1)
        assert two.window_size_ == three.window_size_ == 6

    @pytest.mark.parametrize(
        "convert", [np.float32, np.int64, np.ndarray.tolist, np.asfortranarray]
    )
    def test_windows_of_every_type_are_taken(self, convert):
        rounded = np.round(W[5:] * 10)
        converted = convert(rounded)
        assert_allclose(
            alone().fit(converted, Y[5:]).predict(converted),
            alone().fit(rounded, Y[5:]).predict(rounded),
            rtol=1e-5,
            atol=1e-6,
        )

    def test_windows_of_any_layout_give_the_same_as_the_view(self):
        model = alone().fit(W, Y)
        copied = alone().fit(W.copy(), Y)
        assert_allclose(copied.predict(W), model.predict(W), rtol=1e-5, atol=1e-6)
        assert_array_equal(model.predict(W[::-1]), model.predict(W)[::-1])
        assert_array_equal(model.predict(W[::3]), model.predict(W)[::3])

    def test_one_output_keeps_the_form_of_y(self):
        assert small().fit(W, Y).predict(W).shape == (200,)
        assert small().fit(W, Y[:, np.newaxis]).predict(W).shape == (200, 1)

    def test_predictions_are_float64_in_units_of_the_target(self):
        assert (
            small().fit(W.astype(np.float32), Y.astype(np.float32)).predict(W).dtype == np.float64
        )


PARAMS_OF_MISSING = [
    {"linear_skip": False},
    {"hidden_layer_sizes": (5, 3), "bidirectional": True},
    {"precision": "float64", "batch_size": 7, "early_stopping": True},
]


def with_missing(values, lost):
    """Lose steps of windows, single values, or a feature for some windows; never most steps."""
    values, rng = values.copy(), np.random.RandomState(0)
    if lost == "steps":
        values[np.arange(len(values)), rng.randint(6, size=len(values))] = np.nan
        values[::3, :2] = np.nan
    elif lost == "values":
        values[rng.rand(*values.shape) < 0.2] = np.nan
    else:
        values[40:80, :, 1] = np.nan
    return values


def filled_by_hand(values):
    """Fill each feature with its last known value in the window, or the first, or zero."""
    columns = [
        pd.Series(column).ffill().bfill().fillna(0.0) for window in values for column in window.T
    ]
    n_windows, size, n_features = values.shape
    return np.array(columns).reshape(n_windows, n_features, size).transpose(0, 2, 1)


class TestMissing:
    def test_windows_that_are_mostly_missing_are_left_out_of_training(self):
        seen = Recorder()
        alone(callbacks=[seen], early_stopping=False).fit(W, Y)
        assert_array_equal(seen.train, np.arange(2, 200))  # of six steps, row 2 has three

    @pytest.mark.parametrize("lost", ["steps", "values", "a feature"])
    @pytest.mark.parametrize("params", PARAMS_OF_MISSING, ids=str)
    def test_a_fit_and_its_predictions_are_those_of_windows_filled_by_hand(self, lost, params):
        # In training the loss is that of the last step: filled by hand, no step is left out.
        holed = with_missing(W[5:], lost)
        filled = filled_by_hand(holed)
        model = small(**{"supervise": "last", "standardize": False} | params)
        by_hand = copy.deepcopy(model).fit(filled, Y[5:])
        model.fit(holed, Y[5:])
        assert_array_equal(model.predict(holed), by_hand.predict(filled))
        assert_array_equal(model.predict(holed), model.predict(filled))
        assert model.loss_curve_ == by_hand.loss_curve_

    @pytest.mark.parametrize("every_step", [True, False])
    def test_windows_in_two_dimensions_may_hold_nan(self, every_step):
        flat, params = W[:, :, 0], {"supervise": "every_step" if every_step else "last"}
        model, deep = small(**params).fit(flat, Y), small(**params).fit(flat[:, :, None], Y)
        assert_array_equal(model.predict(flat), deep.predict(flat[:, :, None]))

    @pytest.mark.parametrize("params", [{}, *PARAMS_OF_MISSING], ids=str)
    def test_a_row_alone_has_the_bits_of_the_row_with_others(self, params):
        holed = with_missing(W, "values")
        model = small(**params).fit(holed, Y)
        alone = np.concatenate([model.predict(row[np.newaxis]) for row in holed])
        assert_array_equal(model.predict(holed), alone)

    def test_statistics_are_those_of_the_known_values(self):
        holed = with_missing(W[5:], "values")
        model = small(early_stopping=False).fit(holed, Y[5:])
        assert_allclose(model.feature_mean_, np.nanmean(holed, axis=(0, 1)))
        assert_allclose(model.feature_scale_, np.nanstd(holed, axis=(0, 1)))

    @pytest.mark.parametrize("standardize", [True, False])
    def test_a_feature_that_no_training_window_knows_is_not_used(self, standardize):
        later = np.dstack([W, np.full(W.shape[:2], np.nan)])
        later[150:, :, 2] = 1e3
        model = small(standardize=standardize).fit(later[:150], Y[:150])
        expected = model.predict(later[:150])
        later[:150, :, 2] = -1e3
        assert_array_equal(model.predict(later[:150]), expected)
        assert np.isfinite(model.predict(later)).all()

    @pytest.mark.filterwarnings("ignore:The last step of 1 of 1 windows lacks:UserWarning")
    def test_a_feature_that_the_whole_window_lacks_is_its_mean(self):
        model = small().fit(W, Y)
        lacking, mean = W[50:51].copy(), W[50:51].copy()
        lacking[:, :, 1], mean[:, :, 1] = np.nan, model.feature_mean_[1]
        assert_array_equal(model.predict(lacking), model.predict(mean))

    @pytest.mark.parametrize("n_rows", [1, 200])
    def test_a_window_without_any_step_is_predicted_as_one_of_means(self, n_rows):
        model = small().fit(W, Y)
        nothing = np.full((n_rows, 6, 2), np.nan)
        means = np.broadcast_to(model.feature_mean_, nothing.shape)
        assert_array_equal(model.predict(nothing), model.predict(means))

    def test_unknown_targets_are_left_out_of_the_loss(self):
        y = Y.copy()
        y[::2] = np.nan
        seen = Recorder()
        alone(callbacks=[seen], early_stopping=False).fit(W, y)
        assert_array_equal(seen.train, np.arange(3, 200, 2))

    def test_unknown_targets_fit_the_same_as_only_the_labelled_windows(self):
        y = Y.copy()
        y[::2] = np.nan
        params = {"early_stopping": False, "precision": "float64"}
        assert_allclose(
            alone(**params).fit(W, y).predict(W),
            alone(**params).fit(W[3::2], Y[3::2]).predict(W),
            rtol=1e-9,
        )

    def test_one_unknown_output_leaves_the_others_in_the_loss(self):
        targets = forecast_targets(X[:, 0], 3)
        seen = Recorder()
        model = small(callbacks=[seen], early_stopping=False).fit(W, targets)
        assert_array_equal(seen.train, np.arange(2, 199))  # the last row has no known target
        assert np.isfinite(model.predict(W)).all()


class TestTargetLeads:
    """The rest is in test_target_leads.py and test_leakage.py."""

    @pytest.mark.parametrize("leads", ["auto", range(1, 5), (1, 2, 3, 4)])
    @pytest.mark.parametrize("names", [True, False])
    def test_a_fit_on_a_fold_is_the_fit_of_that_time(self, leads, names):
        series = pd.Series(X[:, 0], name="load") if names else X[:, 0]
        y = forecast_targets(series, 4)
        fold = small(target_leads=leads).fit(W[:150], y[:150])
        then = small(target_leads=0).fit(W[:150], np.asarray(forecast_targets(series[:150], 4)))
        # The targets are the same; only the validation rows of ``then`` have no gap.
        assert fold.window_counts_["unknown target"] == then.window_counts_["unknown target"] == 1
        assert_array_equal(fold.target_leads_, [1, 2, 3, 4])
        now = small().fit(W[:150], forecast_targets(series[:150], 4))
        assert_array_equal(fold.predict(W), now.predict(W))

    def test_each_output_is_known_at_its_own_row(self):
        y = np.column_stack([Y, Y])
        model = alone(target_leads=(0, 30), early_stopping=False).fit(W, y)
        y[170:, 1] = np.nan
        by_hand = alone(early_stopping=False).fit(W, y)
        assert_array_equal(model.predict(W), by_hand.predict(W))
        assert model.window_counts_ == by_hand.window_counts_

    @pytest.mark.parametrize("counted", ["steps", "rows"])
    def test_around_a_hole_no_target_is_known_too_early(self, counted):
        # A lead of steps may be counted as one of rows: then a target is hidden that is known.
        rows = pd.DataFrame(X).drop(range(190, 193))
        hole = SlidingWindowTransformer(6).fit(rows).transform(rows)
        target = pd.Series(Y, index=range(200))
        ahead = {"steps": target[rows.index], "rows": target[rows.index].shift(-12)}[counted]
        fits = []
        for later in (0.0, 1e6):
            y = ahead.to_numpy().copy()
            y[-12:] += later  # not known at the last row, whatever is counted
            fits.append(small(early_stopping=False, target_leads=12).fit(hole, y).predict(hole))
        assert_array_equal(*fits)

    def test_all_targets_unknown_is_an_error_whose_advice_works(self):
        model = small().fit(W, Y)
        before = model.predict(W)
        with pytest.raises(ValueError, match=r"200 row\(s\).*become known 200 .*target_leads=0"):
            model.set_params(target_leads=200).fit(W, Y)
        assert_array_equal(model.predict(W), before)
        model.set_params(target_leads=0).fit(W, Y)

    def test_partial_fit_keeps_the_leads_and_knows_what_its_block_knows(self):
        y = forecast_targets(pd.Series(X[:, 0], name="load"), 3)
        names = small().partial_fit(W[:100], y[:100]).partial_fit(W[100:], y[100:])
        y = y.to_numpy()
        arrays = small().partial_fit(W[:100], y[:100]).partial_fit(W[100:], y[100:])
        assert_array_equal(names.predict(W), arrays.predict(W))
        assert names.window_counts_["unknown target"] == 1
        with pytest.raises(ValueError, match="target_leads=0"):
            arrays.partial_fit(W[100:101], y[100:101])
        arrays.set_params(target_leads=0).partial_fit(W[100:101], y[100:101])

    @pytest.mark.parametrize("leads", [-1, 1.5, "7", None, True, [1, 2], [[1]], []])
    def test_other_leads_are_refused(self, leads):
        with pytest.raises(ValueError, match="target_leads"):
            small(target_leads=leads).fit(W, Y)


class Recorder(Callback):
    """Records the training and validation windows."""

    def on_epoch_end(self, net, dataset_train=None, dataset_valid=None, **kwargs):
        self.train = dataset_train.starts.numpy()
        self.valid = None if dataset_valid is None else dataset_valid.starts.numpy()


class TestEarlyStopping:
    def test_auto_needs_ten_rows_for_validation(self):
        assert small(max_epochs=1).fit(W[:90], Y[:90]).validation_loss_curve_ is None
        rows = series(110)
        model = small(max_epochs=1).fit(windows(rows), rows[:, 0])
        assert model.validation_loss_curve_ is not None

    @pytest.mark.parametrize(
        ("leads", "gap"), [(0, 0), ([0, 0], 0), (1, 0), (7, 6), ([1, 2, 3], 2), ([13, 7], 12)]
    )
    def test_validates_on_the_latest_rows_after_a_gap(self, leads, gap):
        seen = Recorder()
        y = np.column_stack([Y] * np.size(leads))
        early = {"early_stopping": True, "validation_fraction": 0.2}
        model = small(callbacks=[seen], target_leads=leads, **early).fit(W, y)
        n_rows = 200 - np.min(leads)  # an output is known at the last of them
        n_valid = round(0.2 * (n_rows - 2))
        assert_array_equal(seen.valid, np.arange(n_rows - n_valid, n_rows))
        assert_array_equal(seen.train, np.arange(2, n_rows - n_valid - gap))
        # A row trains if its targets are known at the first validation row.
        assert seen.train[-1] + max(np.max(leads), 1) == seen.valid[0]
        assert model.window_counts_ == {
            "training": len(seen.train),
            "validation": n_valid,
            "gap": gap,
            "incomplete": 2,
            "unknown target": np.min(leads),
            "no weight": 0,
        }

    def test_restores_the_weights_of_the_best_epoch(self):
        noise = np.random.RandomState(0).randn(300, 5, 1)
        y = np.random.RandomState(1).randn(300)  # noise: overfits from the first epoch
        model = alone(
            early_stopping=True, max_epochs=60, learning_rate=0.02, n_iter_no_change=8, tol=0
        ).fit(noise, y)
        curve = model.validation_loss_curve_
        assert np.argmin(curve) == len(curve) - 1 - 8
        valid = slice(270, 300)
        error = (model.predict(noise[valid]) - y[valid]) / model.target_scale_
        assert_allclose(np.mean(error**2), min(curve), rtol=1e-4)

    def test_without_it_training_stops_when_the_training_loss_does(self):
        model = small(max_epochs=500, n_iter_no_change=2, tol=0.5, early_stopping=False)
        assert model.fit(W, Y).n_iter_ < 10


class TestRepeating:
    def test_same_random_state_same_result(self):
        assert_array_equal(
            small(dropout=0.2).fit(W, Y).predict(W), small(dropout=0.2).fit(W, Y).predict(W)
        )

    def test_another_random_state_another_result(self):
        assert not np.array_equal(
            small().fit(W, Y).predict(W), small(random_state=1).fit(W, Y).predict(W)
        )

    def test_without_random_state_every_fit_differs(self):
        np.random.seed(0)
        torch.manual_seed(0)
        first = small(random_state=None).fit(W, Y).predict(W)
        np.random.seed(0)
        torch.manual_seed(0)
        assert not np.array_equal(first, small(random_state=None).fit(W, Y).predict(W))

    def test_a_random_state_instance_advances(self):
        generator = np.random.RandomState(0)
        model = small(random_state=generator)
        assert not np.array_equal(model.fit(W, Y).predict(W), model.fit(W, Y).predict(W))

    @pytest.mark.family("bit identity")
    @pytest.mark.precision
    @pytest.mark.parametrize("precision", ["float32", "float64"])
    @pytest.mark.parametrize("hidden_layer_sizes", [4, 64, (32, 16)])
    def test_a_row_alone_is_predicted_as_in_a_batch(self, hidden_layer_sizes, precision):
        model = small(hidden_layer_sizes=hidden_layer_sizes, precision=precision).fit(W, Y)
        together = model.predict(W)
        alone = np.concatenate([model.predict(W[i : i + 1]) for i in range(len(W))])
        assert_array_equal(alone, together)
        assert_array_equal(model.predict(W[17:120]), together[17:120])

    @pytest.mark.family("bit identity")
    @pytest.mark.precision
    @pytest.mark.parametrize("size", [5, 9, 33])
    @pytest.mark.parametrize("n_outputs", [2, 5, 8])
    def test_a_row_alone_is_predicted_as_in_a_batch_by_layers_of_odd_sizes(self, size, n_outputs):
        y = np.column_stack([Y] * n_outputs)
        model = small(hidden_layer_sizes=size, max_epochs=1).fit(W, y)
        alone = np.concatenate([model.predict(W[i : i + 1]) for i in range(len(W))])
        assert_array_equal(alone, model.predict(W))

    def test_autocast_of_the_user_does_not_matter(self):
        expected = small().fit(W, Y).predict(W)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert_array_equal(small().fit(W, Y).predict(W), expected)

    @pytest.mark.family("bit identity")
    def test_fits_that_overlap_in_threads_are_as_alone_and_leave_the_threads_as_before(self):
        def fit(seed):
            return small(random_state=seed, dropout=0.2).fit(W, Y).predict(W)

        torch.set_num_threads(2)
        try:
            with ThreadPoolExecutor(4) as pool:
                together = list(pool.map(fit, range(4)))
            with ThreadPoolExecutor(1) as pool:
                assert pool.submit(torch.get_num_threads).result() == 2
        finally:
            torch.set_num_threads(THREADS)
        for seed in range(4):
            assert_array_equal(together[seed], fit(seed))

    @pytest.mark.family("global state")
    @pytest.mark.parametrize("fails", [False, True])
    @pytest.mark.parametrize("method", ["fit", "partial_fit", "predict"])
    def test_global_state_is_as_before(self, method, fails):
        model = small(dropout=0.2, random_state=None).fit(W, Y)
        broken = W.copy()
        broken[100, 3, 0] = np.inf
        arguments = [broken if fails else W] + ([Y] if method != "predict" else [])

        before = _global_state()
        if fails:
            with pytest.raises(ValueError, match="infinity"):
                getattr(model, method)(*arguments)
        else:
            getattr(model, method)(*arguments)
        assert _global_state() == before

    @pytest.mark.family("global state")
    def test_global_state_is_as_before_after_an_error_in_training(self):
        before = _global_state()
        with pytest.raises(RuntimeError, match="stop here"):
            small(dropout=0.2, n_jobs=2, callbacks=[Raiser(RuntimeError)]).fit(W, Y)
        assert _global_state() == before

    @pytest.mark.family("global state")
    def test_global_dtype_and_grad_mode_do_not_matter(self):
        expected = small(dropout=0.2).fit(W, Y).predict(W)
        torch.set_default_dtype(torch.float64)
        try:
            with torch.inference_mode():
                assert_array_equal(small(dropout=0.2).fit(W, Y).predict(W), expected)
        finally:
            torch.set_default_dtype(torch.float32)
        with torch.no_grad():
            assert_array_equal(small(dropout=0.2).fit(W, Y).predict(W), expected)

    @pytest.mark.family("global state")
    @pytest.mark.parametrize("optimizer", ["adam", torch.optim.NAdam])
    @pytest.mark.parametrize("setting", ["with", "device", "float64", "float16"])
    def test_default_device_and_dtype_do_not_matter(self, setting, optimizer):
        def run():
            model = small(dropout=0.2, early_stopping=False, optimizer=optimizer).fit(W, Y)
            first = model.predict(W)
            model = pickle.loads(pickle.dumps(model))
            return np.concatenate([first, model.predict(W), model.partial_fit(W, Y).predict(W)])

        expected = run()
        try:
            if setting == "with":
                with torch.device("meta"):
                    found = run()
            elif setting == "device":
                torch.set_default_device("meta")
                found = run()
            else:
                torch.set_default_dtype(getattr(torch, setting))
                found = run()
                assert torch.get_default_dtype() == getattr(torch, setting)
        finally:
            torch.set_default_device(None)
            torch.set_default_dtype(torch.float32)
        assert_array_equal(found, expected)


def _global_state():
    return (
        torch.get_rng_state().tolist(),
        repr(np.random.get_state()),
        random.getstate(),
        torch.get_num_threads(),
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
    )


class Raiser(Callback):
    """Raises an error in the middle of training."""

    def __init__(self, error):
        self.error = error

    def on_batch_end(self, net, **kwargs):
        raise self.error("stop here")


class TestGoingOn:
    def test_partial_fit_trains_one_epoch_a_call(self):
        model = small()
        for epoch in range(1, 4):
            model.partial_fit(W, Y)
            assert model.n_iter_ == epoch == len(model.loss_curve_)
        assert model.loss_curve_[-1] < model.loss_curve_[0]

    def test_a_warm_start_names_targets_that_are_no_array(self):
        model = small(warm_start=True).fit(W, Y)
        before = model.predict(W)
        with pytest.raises(ValueError, match="^y "):
            model.fit(W, [[1.0], [2.0, 3.0]] * 100)
        assert_array_equal(model.predict(W), before)

    def test_partial_fit_keeps_the_first_standardisation(self):
        model = small().partial_fit(W, Y)
        mean = model.feature_mean_.copy()
        model.partial_fit(W * 10 + 5, Y)
        assert_array_equal(model.feature_mean_, mean)

    def test_partial_fit_after_a_pickle_is_as_without(self):
        model = small(dropout=0.2).partial_fit(W, Y)
        loaded = pickle.loads(pickle.dumps(model))
        assert_array_equal(loaded.partial_fit(W, Y).predict(W), model.partial_fit(W, Y).predict(W))

    def test_warm_start_goes_on_from_the_last_fit(self):
        model = small(warm_start=True).fit(W, Y)
        first = model.loss_curve_[:]
        model.fit(W, Y)
        assert model.n_iter_ == 6
        assert model.loss_curve_[:3] == first
        assert model.loss_curve_[3] < first[0]

    def test_without_warm_start_fit_begins_again(self):
        model = small().fit(W, Y)
        expected = model.predict(W)
        assert_array_equal(model.fit(W, Y).predict(W), expected)
        assert model.n_iter_ == 3

    def test_warm_start_with_other_layers_is_refused(self):
        model = small(warm_start=True).fit(W, Y)
        with pytest.raises(ValueError, match=r"sizes=\(5,\), .* has hidden_layer_sizes=\(8,\)"):
            model.set_params(hidden_layer_sizes=5).fit(W, Y)

    @pytest.mark.parametrize("method", ["fit", "partial_fit"])
    @pytest.mark.parametrize(
        "params",
        [
            {"precision": "float64"},
            {"optimizer": "sgd"},
            {"loss": "absolute_error"},
            {"supervise": "last"},
            {"batch_size": 7},
            {"standardize": False},
            {"dropout": 0.1},
        ],
    )
    @pytest.mark.parametrize("precision", ["float32", "float64"])
    def test_training_goes_on_after_other_parameters(self, method, params, precision):
        model = small(warm_start=True, early_stopping=False, precision=precision).fit(W, Y)
        before = model.predict(W)
        model.set_params(learning_rate=1e-30, **params)  # so the weights stay where they are
        getattr(model, method)(W, Y)
        assert_allclose(model.predict(W), before, rtol=1e-4, atol=1e-5)
        dtype = getattr(torch, params.get("precision", precision))
        assert {value.dtype for value in model.net_.module_.state_dict().values()} == {dtype}

    @pytest.mark.parametrize(
        "params", [{"hidden_layer_sizes": (8, 8)}, {"bidirectional": True}, {"linear_skip": False}]
    )
    def test_a_network_of_another_shape_is_refused_by_the_name_of_the_parameter(self, params):
        model = small().fit(W, Y)
        before, net = model.predict(W), model.net_
        with pytest.raises(ValueError, match=f"Training cannot go on with {next(iter(params))}="):
            model.set_params(**params).partial_fit(W, Y)
        assert model.net_ is net
        assert_array_equal(model.predict(W), before)
        assert model.fit(W, Y).n_iter_ == 3  # as the message advises

    @pytest.mark.parametrize("optimizer", ["adam", "sgd", torch.optim.LBFGS, torch.optim.NAdam])
    @pytest.mark.parametrize(
        "params",
        [
            {"device": "nowhere"},
            {"device": 5},
            {"optimizer": "none"},
            {"optimizer": "adamw"},
            {"precision": "half"},
            {"loss": None},
            {"callbacks": 3},
            {"learning_rate": "x"},
        ],
    )
    def test_nothing_that_was_set_after_the_fit_changes_what_is_saved(self, optimizer, params):
        model = small(optimizer=optimizer, early_stopping=False, batch_size=64).fit(W, Y)
        before = {name: getattr(model, name) for name in params}
        expected = model.predict(W)
        model.set_params(**params)
        copies = [pickle.loads(pickle.dumps(model)), copy.deepcopy(model)]
        copies.append(pickle.loads(pickle.dumps(copies[0])))
        after = model.set_params(**before).partial_fit(W, Y).predict(W)
        for copied in copies:
            assert_array_equal(copied.predict(W), expected)
            assert_array_equal(copied.set_params(**before).partial_fit(W, Y).predict(W), after)

    def test_partial_fit_with_another_number_of_outputs_is_refused(self):
        model = small().partial_fit(W, Y)
        with pytest.raises(ValueError, match=r"y has shape \(200, 2\).* had 1 output"):
            model.partial_fit(W, np.column_stack([Y, Y]))

    def test_parameters_changed_after_the_fit_do_not_break_the_pickle(self):
        model = small().fit(W, Y)
        expected = model.predict(W)
        model.set_params(hidden_layer_sizes=(3, 3), optimizer="sgd", precision="float64")
        assert_array_equal(pickle.loads(pickle.dumps(model)).predict(W), expected)
        model.set_params(optimizer="none", learning_rate="x", device="nowhere", callbacks=3)
        assert_array_equal(pickle.loads(pickle.dumps(model)).predict(W), expected)

    def test_a_warm_start_without_improvement_keeps_the_weights(self):
        model = small(early_stopping=True, max_epochs=30, warm_start=True).fit(W, Y)
        expected = model.predict(W)
        model.set_params(max_epochs=1, learning_rate=5.0).fit(W, Y)
        assert model.n_iter_ == 31
        assert_array_equal(model.predict(W), expected)

    def test_training_goes_on_after_restored_weights(self):
        model = small(max_epochs=10, callbacks=[Breaker(epoch=6)])
        with pytest.warns(UserWarning, match="were restored"):
            model.fit(W, Y)
        model.set_params(callbacks=None).partial_fit(W, Y)
        assert model.n_iter_ == 7
        assert np.isfinite(model.loss_curve_).all()

    def test_the_state_of_callbacks_is_not_pickled(self):
        scheduler = LRScheduler("StepLR", step_size=1)
        model = small(callbacks=[scheduler]).fit(W, Y)
        pickled = pickle.dumps(model)
        assert b"torch" not in pickled
        assert_array_equal(pickle.loads(pickled).predict(W), model.predict(W))
        assert pickle.loads(pickled).partial_fit(W, Y).n_iter_ == 4

    def test_the_net_can_be_used_by_itself(self):
        model = small(standardize=False).fit(W, Y)
        for net in (model.net_, pickle.loads(pickle.dumps(model)).net_):
            prediction = net.predict(W[5:].astype(np.float32))
            assert_allclose(prediction[:, 0], model.predict(W)[5:], rtol=1e-5, atol=1e-6)

    def test_the_trained_net_holds_no_data(self):
        model = small(early_stopping=True).fit(np.tile(W, (20, 1, 1)), np.tile(Y, 20))
        assert len(pickle.dumps(model)) < 20_000


BAD_INPUT = {
    "too few rows": (W[:2], Y[:2], "In each of the 2 windows in X, more than half of the 6 steps"),
    "no window with enough steps has a target": (
        W,
        np.where(np.arange(200) < 2, Y, np.nan),
        r"None of the 198 windows \(of 200\) that have at least half .* known target",
    ),
    "no target": (W, np.full(200, np.nan), "y is NaN for every row"),
    "inf in y": (W, np.where(np.arange(200) == 9, np.inf, Y), "Input y contains infinity"),
    "no y": (W, None, "requires y to be passed"),
    "length of y": (W, Y[:-1], "X has 200 rows, y has 199"),
    "form of y": (W, Y.reshape(-1, 1, 1), r"y has shape \(200, 1, 1\), but expected \(n,\)"),
    "four dimensions": (W[None], Y, "X has 4 dimensions"),
    "one dimension": (Y, Y, "Expected 2D array, got 1D array instead"),
    "no dimension of y": (W, np.float64(1), r"y has shape \(\), but expected \(n,\)"),
    "empty y": (W, [], "X has 200 rows, y has 0"),
    "ragged y": (W, [[1], [1, 2]] * 100, "y of type list cannot be turned into an array"),
    "complex": (W + 1j, Y, "Complex data not supported: X holds complex128"),
    "complex y": (W, Y + 1j, "Complex data not supported: y holds complex128"),
    "dates": (W.astype("M8[s]"), Y, "X holds datetime64"),
    "durations": (W[5:, :, 0].astype("m8[s]"), Y[5:], "X holds timedelta64"),
    "text in windows": (
        np.char.add(W.astype(str), "h"),
        Y,
        "X holds 'nanh' in window 0, step 0, feature 0",
    ),
    "column of dates": (pl.DataFrame({"when": [date(2024, 1, 1)] * 200}), Y, "Column 'when' of X"),
    "column of text": (pd.DataFrame({"kind": ["a"] * 200}), Y, "Column 'kind' of X holds 'a'"),
    "structured": (np.zeros((200, 6), dtype=[("a", float)]), Y, "X is a structured array"),
    "no feature": (W[:, :, :0], Y, "at least one step and one feature"),
    "text": (np.full((200, 6), "a"), Y, "could not convert"),
}


class WithoutRate(torch.optim.SGD):
    def __init__(self, params):
        super().__init__(params, lr=0.1)


def windows_with(value, step=3):
    rows = W[5:].copy()
    rows[30, step, 1] = value
    return rows


ROUNDED = W[5:].astype(np.float32)  # complete windows
WINDOWS = {
    "list": lambda values: values.tolist(),
    "tensor": torch.tensor,
    "tensor of a graph": lambda values: torch.tensor(values, requires_grad=True),
    "objects": lambda values: values.astype(object),
    "text": lambda values: values.astype(str),
    "masked": lambda values: np.ma.masked_array(values, np.zeros(values.shape, dtype=bool)),
    "longdouble": lambda values: values.astype(np.longdouble),
}
TABLES = WINDOWS | {
    "pandas": pd.DataFrame,
    "nullable": lambda values: pd.DataFrame(values).astype("Float64"),
    "polars": pl.DataFrame,
    "pyarrow": lambda values: pa.table({f"x{k}": column for k, column in enumerate(values.T)}),
}


@pytest.mark.family("equal bits")
class TestContainers:
    """Every container gives the bits of the array. Its values are the same in float32."""

    @pytest.mark.parametrize("make", WINDOWS.values(), ids=WINDOWS)
    def test_of_windows(self, make):
        values = ROUNDED.astype(np.float64)
        expected = small().fit(values, Y[5:]).predict(values)
        given = make(values)
        assert_array_equal(small().fit(given, Y[5:]).predict(given), expected)

    @pytest.mark.parametrize("make", TABLES.values(), ids=TABLES)
    def test_of_univariate_windows(self, make):
        values = ROUNDED[:, :, 0].astype(np.float64)
        expected = small().fit(values, Y[5:]).predict(values)
        given = make(values)
        assert_array_equal(small().fit(given, Y[5:]).predict(given), expected)

    @pytest.mark.parametrize("make", TABLES.values(), ids=TABLES)
    def test_of_targets(self, make):
        y = np.column_stack([Y, -Y])
        assert_array_equal(small().fit(W, make(y)).predict(W), small().fit(W, y).predict(W))

    @pytest.mark.parametrize("make", [*WINDOWS.values(), pd.Series, pl.Series, pa.array])
    def test_of_weights(self, make):
        expected = small().fit(W, Y, np.abs(Y)).predict(W)
        assert_array_equal(small().fit(W, Y, make(np.abs(Y))).predict(W), expected)

    def test_masked_steps_are_missing_steps(self):
        values, mask = ROUNDED.astype(np.float64), np.zeros(ROUNDED.shape, dtype=bool)
        mask[::7, 2] = True
        missing, masked = np.where(mask, np.nan, values), np.ma.masked_array(values, mask)
        expected = small().fit(missing, Y[5:]).predict(missing)
        assert_array_equal(small().fit(masked, Y[5:]).predict(masked), expected)


class TestRefusing:
    @pytest.mark.family("malformed input")
    @pytest.mark.parametrize("case", BAD_INPUT)
    def test_bad_input_never_trains_and_never_loses_a_fitted_model(self, case):
        X_bad, y_bad, message = BAD_INPUT[case]
        model = small().fit(W, Y)
        before, expected = dict(vars(model)), model.predict(W)
        for estimator in (small(callbacks=[Raiser(AssertionError)]), model):
            with pytest.raises(ValueError, match=message):
                estimator.fit(X_bad, y_bad)
        assert vars(model) == before
        assert_array_equal(model.predict(W), expected)

    @pytest.mark.parametrize("copied", [True, False])
    def test_infinity_is_named_by_its_place_and_may_be_replaced_by_nan(self, copied):
        if copied:
            rows, window, step = windows_with(np.inf), 30, 3
        else:
            base = X.copy()
            base[30, 1] = np.inf
            rows = np.lib.stride_tricks.sliding_window_view(base, 6, axis=0).transpose(0, 2, 1)
            window, step = 25, 5
        message = rf"infinity in feature\(s\) 1 of step {step} of window {window}.*Put NaN"
        with pytest.raises(ValueError, match=message):
            small().fit(rows, Y[5:])
        with pytest.raises(ValueError, match=message):
            small().fit(W, Y).predict(rows)
        advised = np.where(np.isinf(rows), np.nan, rows)
        assert np.isfinite(small().fit(advised, Y[5:]).predict(advised)).all()

    def test_rows_outside_all_windows_are_not_checked(self):
        rows = X.copy()
        rows[10::20] = np.inf
        picked = np.lib.stride_tricks.sliding_window_view(rows, 6, axis=0).transpose(0, 2, 1)[::20]
        assert np.isfinite(small().fit(picked, Y[5::20]).predict(picked)).all()

    def test_values_too_large_for_float32_are_refused_and_fit_in_float64(self):
        huge = W[5:].copy()
        huge[7] = 1e45
        with pytest.raises(ValueError, match="1e.45 in feature 1, .* too large for torch.float32"):
            small().fit(W, Y).predict(huge)
        assert np.isfinite(small(precision="float64").fit(W, Y).predict(huge)).all()

    def test_targets_that_are_no_numbers_are_refused(self):
        for y in (np.arange(200).astype("datetime64[D]"), np.full(200, "a")):
            with pytest.raises(ValueError, match="y holds .* but expected numbers"):
                small().fit(W, y)

    def test_a_sparse_matrix_is_refused_by_name(self):
        with pytest.raises(TypeError, match="Sparse data was passed for X.*toarray"):
            small().fit(scipy.sparse.csr_array(W[5:, :, 0]), Y[5:])

    def test_other_windows_at_predict_are_named_with_both_numbers(self):
        model = small().fit(W, Y)
        with pytest.raises(ValueError, match="windows of 7 steps.* windows of 6 steps"):
            model.predict(windows(X, 7))
        with pytest.raises(ValueError, match="X has 3 features.* expecting 2 features"):
            model.predict(windows(series(n_features=3)))
        with pytest.raises(ValueError, match="X has 7 features.* expecting 6 features"):
            small().fit(W[5:, :, 0], Y[5:]).predict(np.ones((3, 7)))

    def test_weights_are_checked(self):
        for weight, message in [
            (np.ones(3), r"sample_weight has shape \(3,\), but expected \(200,\)"),
            (-np.ones(200), "must not be negative"),
            (np.zeros(200), "zero for every row"),
            (np.ones((200, 1)), r"sample_weight has shape \(200, 1\), but expected \(200,\)"),
            (np.ones((200, 1, 1)), r"sample_weight has shape \(200, 1, 1\)"),
            (np.array(1.0), r"sample_weight has shape \(\), but expected \(200,\)"),
            (np.full(200, np.inf), "sample_weight contains infinity"),
            (
                np.where(np.arange(200) == 9, np.nan, 1),
                "sample_weight contains NaN, first in row 9",
            ),
            (np.ma.masked_array(np.ones(200), np.arange(200) == 9), "contains NaN, first in row 9"),
            (pd.Series(1.0, range(200), dtype="Float64").replace(1.0, pd.NA), "contains NaN"),
            (np.ones(200) + 0j, "Complex data not supported: sample_weight holds complex128"),
            (np.full(200, "a"), "sample_weight holds 'a' in row 0"),
            (np.arange(200).astype("M8[D]"), "sample_weight holds datetime64"),
            (np.arange(200).astype("m8[D]"), "sample_weight holds timedelta64"),
        ]:
            with pytest.raises(ValueError, match=message):
                small().fit(W, Y, sample_weight=weight)

    def test_a_weight_of_zero_leaves_an_unknown_weight_out(self):
        weight = np.where(np.arange(200) == 9, np.nan, 1)
        with pytest.raises(ValueError, match="Set it to 0 to leave a row out"):
            small().fit(W, Y, weight)
        without = np.where(np.arange(200) == 9, np.nan, Y)
        params = {"standardize": False, "early_stopping": False}
        assert_allclose(
            alone(**params).fit(W, Y, np.nan_to_num(weight)).predict(W),
            alone(**params).fit(W, without).predict(W),
            rtol=1e-5,
        )

    @pytest.mark.parametrize("changed", ["y", "sample_weight"])
    def test_labels_of_other_rows_are_refused_and_the_fitted_model_is_kept(self, changed):
        days = pd.date_range("2024-01-01", periods=48)
        frame = pd.DataFrame(series(48, 6), index=days)
        inputs = {"y": frame[0], "sample_weight": frame[1].abs()}
        model = small().fit(frame[:24], inputs["y"][:24], inputs["sample_weight"][:24])
        expected = model.predict(frame)
        rows = {name: values[:24] for name, values in inputs.items()}
        with pytest.raises(ValueError, match=f"X and {changed} have different indexes"):
            model.fit(frame[:24], **(rows | {changed: inputs[changed][24:]}))
        with pytest.raises(ValueError, match="y and sample_weight have different indexes"):
            model.fit(W[:24], rows["y"], inputs["sample_weight"][24:])
        assert_array_equal(model.predict(frame), expected)

    @pytest.mark.family("malformed input")
    @pytest.mark.parametrize(
        ("params", "message"),
        [
            ({"max_epochs": 0}, "'max_epochs' parameter of LSTMRegressor must be an int in"),
            ({"dropout": 1.0}, "'dropout' parameter"),
            ({"learning_rate": -1}, "'learning_rate' parameter"),
            ({"loss": "mse"}, "'loss' parameter .*'squared_error'"),
            ({"hidden_layer_sizes": ()}, r"ints of at least 1, for instance \(64, 32\); got \(\)"),
            ({"hidden_layer_sizes": (8, 0)}, "hidden_layer_sizes must hold the units"),
            ({"hidden_layer_sizes": (8.5,)}, "hidden_layer_sizes must hold the units"),
            ({"optimizer": int}, "subclass of torch.optim.Optimizer"),
            ({"n_jobs": 0}, "'n_jobs' parameter .*Got 0"),
            ({"device": "gpu"}, "device must be 'auto', 'cpu', 'cuda'"),
            ({"device": "meta"}, "device must be 'auto', 'cpu', 'cuda'"),
            ({"optimizer": torch.optim.LBFGS, "weight_decay": 0.1}, "LBFGS has no such parameter"),
            ({"precision": "float16"}, "'precision' parameter"),
            ({"early_stopping": "yes"}, "'early_stopping' parameter"),
            ({"callbacks": "none"}, "'callbacks' parameter"),
            ({"callbacks": ["foo"]}, "callbacks must hold skorch callbacks.* got 'foo'"),
            ({"optimizer": WithoutRate}, "optimizer=WithoutRate cannot .* argument 'lr'.*Pass a"),
            ({"optimizer": torch.optim.SparseAdam}, "does not support dense gradients"),
            ({"hidden_layer_sizes": 10**12}, r"=1000000000000 needs 4.0e\+24 weights"),
            ({"hidden_layer_sizes": [10**6, 10**6]}, r"needs 1.2e\+13 weights, more than"),
            ({"hidden_layer_sizes": [True, 2]}, "hidden_layer_sizes must hold the units"),
            ({"hidden_layer_sizes": [[1], [2, 3]]}, "hidden_layer_sizes must hold the units"),
            ({"hidden_layer_sizes": True}, "'hidden_layer_sizes' parameter .*Got True"),
            ({"device": 5}, "'device' parameter .*Got 5"),
            ({"device": None}, "'device' parameter .*Got None"),
            ({"batch_size": True}, r"'batch_size' parameter .* an int in the range .*Got True"),
            ({"max_epochs": True}, "'max_epochs' parameter .*Got True"),
            ({"learning_rate": True}, "'learning_rate' parameter .* a float .*Got True"),
            ({"learning_rate": 10**400}, "'learning_rate' parameter"),
            ({"learning_rate": 1e39, "optimizer": "sgd"}, "'learning_rate' parameter"),
            ({"weight_decay": 1e39, "optimizer": "sgd"}, "'weight_decay' parameter"),
            ({"random_state": True}, "'random_state' parameter .*Got True"),
            ({"n_jobs": True}, "'n_jobs' parameter .*Got True"),
        ],
    )
    def test_a_bad_parameter_is_named_before_any_training(self, params, message):
        with pytest.raises(ValueError, match=message):
            small(**params).fit(W, Y)

    @pytest.mark.parametrize("device", ["cuda:99", "xpu:99"])
    def test_a_device_that_is_not_here_is_refused(self, device):
        with pytest.raises(ValueError, match=f"device='{device}', but torch finds no such device"):
            small(device=device).fit(W, Y)

    def test_early_stopping_that_leaves_nothing_to_train_on_is_refused(self):
        y = forecast_targets(Y, 20)
        with pytest.raises(ValueError, match=r"\(target_leads\), which leaves none to train on"):
            small(early_stopping=True).fit(W[:20], y[:20])

    def test_a_loss_that_is_not_finite_names_the_epoch_and_what_to_change(self):
        model = alone(gradient_clip=None, optimizer="sgd", learning_rate=1e30)
        with pytest.raises(ValueError, match="not finite in epoch 1. Lower learning_rate"):
            model.fit(W, Y)
        assert not hasattr(model, "net_")

    def test_the_best_weights_are_restored_with_a_warning_if_the_loss_diverges(self):
        model = small(max_epochs=10, callbacks=[Breaker(epoch=6)])
        with pytest.warns(UserWarning, match="not finite in epoch 7.* were restored"):
            model.fit(W, Y)
        assert model.n_iter_ == 6
        assert_array_equal(model.predict(W), small(max_epochs=6).fit(W, Y).predict(W))

    def test_a_loss_that_diverges_in_partial_fit_does_not_change_the_model(self):
        model = small(gradient_clip=None).partial_fit(W, Y)
        expected = model.predict(W)
        model.set_params(optimizer="sgd", learning_rate=1e30)
        with pytest.raises(ValueError, match="not finite"):
            model.partial_fit(W, Y)
        assert_array_equal(model.predict(W), expected)

    @pytest.mark.parametrize("fitted", [True, False])
    def test_keyboard_interrupt_propagates_and_leaves_the_model_as_it_was(self, fitted):
        model = small()
        if fitted:
            model.fit(W, Y)
        before = dict(vars(model))
        callbacks = [Raiser(KeyboardInterrupt)]
        with pytest.raises(KeyboardInterrupt):
            model.set_params(callbacks=callbacks).fit(W, Y)
        assert vars(model) == before | {"callbacks": callbacks}

    def test_the_users_own_early_stopping_stops(self):
        stop = EarlyStopping("train_loss", patience=2, threshold=10, threshold_mode="abs")
        model = small(max_epochs=50, callbacks=[("mine", stop)], early_stopping=False)
        assert model.fit(W, Y).n_iter_ == 3

    def test_a_batch_larger_than_any_number_of_rows_holds_all_rows(self):
        whole = small(batch_size=10**6).fit(W, Y).predict(W)
        assert_array_equal(small(batch_size=10**30).fit(W, Y).predict(W), whole)


INTEGERS = [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64]


class TestNumbers:
    @pytest.mark.parametrize("kind", INTEGERS)
    def test_integers_of_every_type_give_the_same_bits(self, kind, capsys):
        def predictions(kind):
            sizes = [kind(8), kind(4)]
            epochs = {"max_epochs": kind(12), "n_iter_no_change": kind(11), "verbose": kind(1)}
            others = {"batch_size": kind(100), "n_jobs": kind(2), "random_state": kind(7)}
            return small(hidden_layer_sizes=sizes, **epochs, **others).fit(W, Y).predict(W)

        assert_array_equal(predictions(kind), predictions(int))

    @pytest.mark.parametrize("kind", [np.float16, np.float32, np.longdouble, Fraction])
    def test_reals_of_every_type_give_the_same_bits(self, kind):
        names = ("learning_rate", "tol", "validation_fraction", "dropout", "ema_decay")
        names += ("gradient_clip", "weight_decay")
        given = small(**dict.fromkeys(names, kind(0.25))).fit(W, Y).predict(W)
        assert_array_equal(given, small(**dict.fromkeys(names, 0.25)).fit(W, Y).predict(W))

    @pytest.mark.parametrize("value", [Decimal("0.1"), np.array(0.1), "0.1", 1j])
    def test_what_is_no_real_number_is_refused(self, value):
        with pytest.raises(ValueError, match="'learning_rate' parameter of LSTMRegressor"):
            small(learning_rate=value).fit(W, Y)


class Breaker(Callback):
    """Sets the bias of the head to infinity after the epoch with this number."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_batch_begin(self, net, **kwargs):
        if len(net.history) > self.epoch:
            with torch.no_grad():
                net.module_.head.bias.fill_(torch.inf)


class TestVerbose:
    def test_is_silent_by_default(self, capsys):
        small().fit(W, Y)
        assert capsys.readouterr() == ("", "")


class TestEveryStep:
    def test_a_loss_at_every_step_fits_as_well_as_one_at_the_last(self):
        rows = series(2000)
        y = rows[:, 0] * np.roll(rows[:, 1], 1)
        scores = {}
        for supervise in ("last", "every_step"):
            model = small(supervise=supervise, hidden_layer_sizes=32, max_epochs=60)
            model.fit(windows(rows[:1500], 12), y[:1500])
            scores[supervise] = model.score(windows(rows[1500:], 12)[12:], y[1512:])
        assert scores["every_step"] > 0.8
        assert scores["every_step"] > scores["last"] - 0.1

    def test_auto_takes_windows_of_every_row_and_layers_of_one_direction(self):
        every = small(supervise="every_step").fit(W, Y)
        last = small(supervise="last").fit(W, Y)
        assert_array_equal(small().fit(W, Y).predict(W), every.predict(W))
        assert every.loss_curve_ != last.loss_curve_
        apart = W[5::2]
        alone_ = small(supervise="last").fit(apart, Y[5::2])
        assert_array_equal(small().fit(apart, Y[5::2]).predict(W), alone_.predict(W))
        small(bidirectional=True).fit(W, Y)

    @pytest.mark.parametrize(
        ("every", "taken"), [(1, "every_step"), (2, "every_step"), (8, "last")]
    )
    def test_auto_takes_the_last_step_where_known_targets_are_sparse(self, every, taken):
        X12, y = windows(series(400), 12), np.full(400, np.nan)
        y[::every] = series(400)[::every, 0]  # 12, 6 and 1.5 of the 12 steps of a window
        expected = small(supervise=taken).fit(X12, y)
        auto = small().fit(X12, y)
        assert auto.loss_curve_ == expected.loss_curve_
        assert_array_equal(auto.predict(X12), expected.predict(X12))
        other = "last" if taken == "every_step" else "every_step"
        assert small(supervise=other).fit(X12, y).loss_curve_ != auto.loss_curve_

    @pytest.mark.parametrize(
        ("params", "X", "match"),
        [
            ({}, W[5::2], "the windows in X do not follow each other row by row"),
            ({}, W[:4:-1].copy(), "the windows in X do not follow each other row by row"),
            ({"bidirectional": True}, W[5:], "with bidirectional=True the output of a step"),
        ],
    )
    def test_every_step_is_refused_for_other_windows_and_two_directions(self, params, X, match):
        with pytest.raises(ValueError, match=match):
            small(supervise="every_step", **params).fit(X, X[:, -1, 0])


def test_score_reads_targets_and_weights_as_fit_does(small_lstm):
    X, y = np.random.RandomState(0).rand(30, 4), np.arange(30.0)
    model = small_lstm().fit(X, y)
    predicted, known = model.predict(X), np.arange(30) != 7
    residual, spread = (y - predicted)[known], (y - y[known].mean())[known]
    right = 1 - (residual**2).sum() / (spread**2).sum()
    hidden = np.ma.masked_array(np.where(known, y, 1e6), mask=~known)
    assert model.score(X, hidden) == pytest.approx(right)
    assert model.score(X, y, known) == pytest.approx(right)
    with pytest.raises(ValueError, match="^sample_weight must not be negative"):
        model.score(X, y, -np.ones(30))
    with pytest.raises(ValueError, match="^Found input variables .* X has 30 rows, y has 29"):
        model.score(X, y[1:])
    dates = pd.date_range("2024-01-01", periods=31)
    with pytest.raises(ValueError, match="^y and sample_weight have different indexes"):
        model.score(X, pd.Series(y, dates[:-1]), pd.Series(y, dates[1:]))


class TestUnknownFeatures:
    """NaN at the end of a window, of features that a fit always knew."""

    def fitted(self, rows):
        return SlidingWindowTransformer(6).fit(rows), small().fit(windows(rows), rows[:, 0])

    def test_are_told_with_the_windows_and_features(self):
        rows = np.random.RandomState(0).randn(200, 3)
        window, model = self.fitted(rows)
        later = np.random.RandomState(1).randn(50, 3)
        later[-4:, 1] = np.nan
        with pytest.warns(UserWarning, match=r"last step of 4 of 50 windows lacks feature\(s\) 1,"):
            model.predict(window.transform(later))

    def test_are_not_told_where_they_were_unknown_before_or_whole_rows_are_missing(self):
        rows = np.random.RandomState(0).randn(200, 3)
        later = np.random.RandomState(1).randn(50, 3)
        later[7:9] = np.nan
        window, model = self.fitted(rows)
        model.predict(window.transform(later))
        rows[100, 1] = later[-4:, 1] = np.nan
        window, model = self.fitted(rows)
        copy.deepcopy(model).predict(window.transform(later))


class TestLinearCoefficients:
    """The linear map in units of features and targets."""

    def fitted(self, X, y, window=5, **params):
        """A regressor whose network adds nothing."""
        params = {"early_stopping": False, "linear_skip": True} | params
        lstm = small(**params).fit(windows(X, window), y)
        lstm.net_.module_.skip.network_weight.zero_()
        return lstm

    @pytest.mark.parametrize("precision", ["float32", "float64"])
    @pytest.mark.parametrize("standardize", [True, False])
    @pytest.mark.parametrize("n_outputs", [1, 3])
    @pytest.mark.parametrize("window", [1, 5])
    def test_are_those_of_predictions(self, precision, standardize, n_outputs, window):
        rng = np.random.RandomState(0)
        X = rng.randn(150, 2).cumsum(axis=0) * [1, 20] + [300, -5]  # differences, levels
        y = forecast_targets(X[:, 1], n_outputs)
        lstm = self.fitted(X, y, window, precision=precision, standardize=standardize)
        assert lstm.linear_coef_.shape == (n_outputs, window, 2)
        assert lstm.linear_intercept_.shape == (n_outputs,)
        assert lstm.linear_coef_.dtype == lstm.linear_intercept_.dtype == np.float64
        by_hand = [
            [
                intercept + sum(float(c * v) for c, v in zip(coef.flat, rows.flat, strict=True))
                for coef, intercept in zip(lstm.linear_coef_, lstm.linear_intercept_, strict=True)
            ]
            for rows in windows(X, window)[window:]
        ]
        predicted = lstm.predict(windows(X, window))[window:].reshape(-1, n_outputs)
        close = {"rtol": 1e-12, "atol": 1e-9} if precision == "float64" else {"atol": 5e-3}
        assert_allclose(by_hand, predicted, **close)

    def test_a_map_that_is_known_is_found(self):
        X = np.random.RandomState(0).randn(400, 2) * [3, 0.1] + [10, 7]
        y = 2 * X[:, 0] - 30 * np.roll(X[:, 1], 2) + 5
        y[:2] = np.nan
        lstm = self.fitted(X, y, 4, precision="float64", target_leads=0)
        expected = np.zeros((1, 4, 2))
        expected[0, 3, 0], expected[0, 1, 1] = 2, -30
        assert_allclose(lstm.linear_coef_, expected, atol=0.02)
        assert_allclose(lstm.linear_intercept_, [5], atol=0.2)

    def test_are_zero_for_a_feature_without_a_known_value(self):
        X = np.random.RandomState(0).randn(80, 3)
        X[:, 1] = np.nan
        X[:, 2] = 4.0  # constant
        lstm = self.fitted(X, X[:, 0], target_leads=0)
        assert (lstm.linear_coef_[:, :, 1] == 0).all()
        assert np.isfinite(lstm.linear_coef_).all()
        assert np.isfinite(lstm.linear_intercept_).all()

    def test_of_several_series_are_in_their_units(self):
        names, days = np.repeat(["x", "y"], 80), np.tile(np.arange(80), 2)
        index = pd.MultiIndex.from_arrays([names, days], names=["shop", "day"])
        scale = np.where(names == "x", 1.0, 1000)
        values = np.random.RandomState(0).randn(160).cumsum() % 7
        frame = pd.DataFrame({"sales": values * scale, "price": values[::-1]}, index)
        y = forecast_targets(frame["sales"], 1)
        of_series = windows(frame, 3)
        lstm = small(linear_skip=True, precision="float64").fit(of_series, y)
        lstm.net_.module_.skip.network_weight.zero_()
        units = lstm._scaling.target_scale[(names == "y").astype(int)]
        complete = days >= 2
        in_units = np.asarray(of_series)[complete]
        in_units[:, :, 0] /= units[complete]
        by_hand = np.einsum("nwf,owf->n", in_units, lstm.linear_coef_) + lstm.linear_intercept_
        assert_allclose(
            by_hand * units[complete, 0], lstm.predict(of_series)[complete, 0], rtol=1e-9
        )

    @pytest.mark.parametrize("way", COPIES)
    def test_survive_copies_and_further_training(self, way):
        X = np.random.RandomState(0).randn(100, 2)
        lstm = self.fitted(X, X[:, 0] + 1, target_leads=0)
        copied = COPIES[way](lstm)
        assert_array_equal(copied.linear_coef_, lstm.linear_coef_)
        assert_array_equal(copied.linear_intercept_, lstm.linear_intercept_)
        copied.partial_fit(windows(X + 1, 5), X[:, 0])
        assert_array_equal(copied.linear_coef_, lstm.linear_coef_)

    def test_are_there_only_where_there_is_a_map(self):
        X = np.random.RandomState(0).randn(60, 2)
        assert not hasattr(LSTMRegressor(), "linear_coef_")
        with pytest.raises(NotFittedError, match="This LSTMRegressor instance is not fitted yet"):
            LSTMRegressor().linear_intercept_  # noqa: B018
        alone = small(linear_skip=False).fit(windows(X, 3), X[:, 0])
        assert not hasattr(alone, "linear_coef_")
        with pytest.raises(AttributeError, match="linear_coef_ is that of the linear map, but"):
            alone.linear_coef_  # noqa: B018
        alone._repr_html_()
        refitted = alone.set_params(linear_skip=True).fit(windows(X, 3), X[:, 0])
        assert refitted.linear_coef_.shape == (1, 3, 2)
        assert not {"linear_coef_", "linear_intercept_"} & set(vars(refitted))


class TestQuantiles:
    Y2 = np.column_stack([Y, 10 * Y + X[:, 1]])

    def fitted(self, y=Y, **params):
        return small(**({"loss": "quantile", "max_epochs": 2} | params)).fit(W, y)

    def test_all_quantiles_of_all_outputs_are_predicted_in_order(self):
        quantiles = [0.05, 0.3, 0.5, 0.95]
        model = self.fitted(self.Y2, quantiles=quantiles)
        found = model.predict_quantiles(W)
        assert found.shape == (200, 2, 4)
        assert (np.diff(found) >= 0).all()
        assert_array_equal(model.predict(W), found[:, :, 2])
        assert_array_equal(model.quantiles_, quantiles)
        assert model.n_outputs_ == 2
        assert self.fitted().predict_quantiles(W).shape == (200, 3)

    def test_without_a_median_the_middle_quantile_is_predicted(self):
        model = self.fitted(quantiles=(0.8, 0.9, 0.95))
        assert_array_equal(model.predict(W), model.predict_quantiles(W)[:, 1])

    @pytest.mark.parametrize(
        "params",
        [
            {"linear_skip": False},
            {"supervise": "last"},
            {"supervise": "every_step"},
            {"standardize": False},
            {"early_stopping": False},
            {"ema_decay": 0},
            {"precision": "float64"},
            {"hidden_layer_sizes": (5, 4), "dropout": 0.3},
            {"bidirectional": True},
            {"learning_rate": 1.0},
            {"quantiles": [0.5]},
            {"quantiles": np.linspace(0.01, 0.99, 99)},
        ],
    )
    def test_quantiles_do_not_cross_and_do_not_depend_on_other_rows(self, params):
        y = self.Y2 * [1, 1e3] + [0, 1e6]
        y[::3, 0], y[1::4, 1] = np.nan, np.nan
        model = self.fitted(y, **params)
        found = model.predict_quantiles(W)
        assert np.isfinite(found).all()
        assert (np.diff(found) >= 0).all()
        assert_array_equal(model.predict_quantiles(W[57:58])[0], found[57])
        assert_array_equal(model.predict_quantiles(W[20:91]), found[20:91])
        assert_array_equal(pickle.loads(pickle.dumps(model)).predict_quantiles(W), found)
        model.partial_fit(W, y)
        assert (np.diff(model.predict_quantiles(W)) >= 0).all()

    def test_with_a_network_weight_of_zero_they_are_the_map_and_quantiles_of_residuals(self):
        few = slice(90)  # too few validation rows
        y = self.Y2 + series(seed=3)
        model = small(loss="quantile", quantiles=(0.2, 0.5, 0.8)).fit(W[few], y[few])
        assert model.network_weight_ == 0
        map_ = small().fit(W[few], y[few]).predict(W)
        apart = model.predict_quantiles(W) - map_[:, :, np.newaxis]
        assert_allclose(apart, np.broadcast_to(apart[0], apart.shape), atol=1e-4)
        # The residuals that the map has at its own rows are smaller than at others.
        residuals = (y - map_)[5:90]
        expected = np.quantile(residuals, [0.2, 0.5, 0.8], axis=0).T
        width, least = np.ptp(apart[0], axis=1), np.ptp(expected, axis=1)
        assert (width >= least).all()
        assert (width < 1.5 * least).all()

    def test_the_spread_of_each_hour_is_learnt(self):
        rng, hour = np.random.RandomState(0), np.arange(2400) % 24
        scale = np.where(hour < 12, 0.2, 1.0)
        rows = np.column_stack([scale * rng.randn(2400), hour >= 12, (hour + 1) % 24 >= 12])
        known = windows(rows, 4)
        later = forecast_targets(rows[:, 0] * 10 + 5, 1)[:, 0]
        model = small(loss="quantile", max_epochs=60).fit(known[:1920], later[:1920])
        low, median, high = model.predict_quantiles(known[1920:-1]).T
        loud = scale[1921:] == 1
        # 1.645 standard deviations on either side, 90 % of all between them.
        assert np.median(high[loud] - low[loud]) == pytest.approx(2 * 1.645 * 10, rel=0.15)
        assert np.median(high[~loud] - low[~loud]) == pytest.approx(2 * 1.645 * 2, rel=0.3)
        assert np.abs(median - 5).mean() < 1
        inside = (later[1920:-1] >= low) & (later[1920:-1] <= high)
        assert inside.mean() == pytest.approx(0.9, abs=0.05)
        assert inside[loud].mean() == pytest.approx(0.9, abs=0.07)
        assert inside[~loud].mean() == pytest.approx(0.9, abs=0.07)

    def test_quantiles_are_in_the_unit_of_the_target(self):
        plain = self.fitted(precision="float64").predict_quantiles(W)
        scaled = self.fitted(Y * 1e6 - 3e8, precision="float64").predict_quantiles(W)
        assert_allclose((scaled + 3e8) / 1e6, plain, rtol=1e-6, atol=1e-6)

    def test_mostly_equal_targets_have_quantiles(self):
        y = np.where(np.random.RandomState(0).rand(200) < 0.97, 0.0, 50.0)
        for params in ({}, {"linear_skip": False}):
            found = self.fitted(y, **params).predict_quantiles(W)
            assert (np.diff(found) >= 0).all()

    def test_a_target_that_the_map_fits_exactly_has_quantiles_close_to_it(self):
        found = small(loss="quantile").fit(W, 3 * X[:, 0] + 1).predict_quantiles(W[10:])
        assert_allclose(found, np.tile(3 * X[10:, :1] + 1, 3), atol=0.05)

    def test_weights_count_in_the_quantiles(self):
        y, few = np.random.RandomState(0).randn(90), slice(90)
        weight = np.where(y > 0, 1.0, 1e-3)
        model = small(loss="quantile").fit(W[few], y, sample_weight=weight)
        assert (model.predict_quantiles(W[few])[10:, 0] > -0.6).mean() > 0.8

    def test_a_warm_start_goes_on_with_the_same_quantiles(self):
        model = self.fitted(warm_start=True)
        assert model.fit(W, Y).n_iter_ == 4
        with pytest.raises(ValueError, match=r"quantiles=\(0.1, 0.5, 0.9\), .*\(0.05, 0.5, 0.95\)"):
            model.set_params(quantiles=(0.1, 0.5, 0.9)).partial_fit(W, Y)
        with pytest.raises(ValueError, match="loss='squared_error', .* has quantiles.*'quantile'"):
            model.set_params(loss="squared_error").partial_fit(W, Y)
        assert model.predict_quantiles(W).shape == (200, 3)  # of the fit
        model.set_params(loss="quantile", quantiles=[0.05, 0.5, 0.95]).partial_fit(W, Y)
        assert model.n_iter_ == 5
        plain = small(warm_start=True).fit(W, Y)
        with pytest.raises(ValueError, match="has no quantiles.*loss='squared_error'"):
            plain.set_params(loss="quantile").fit(W, Y)
        plain.set_params(warm_start=False).fit(W, Y)
        assert plain.predict_quantiles(W).shape == (200, 3)

    @pytest.mark.parametrize(
        "quantiles",
        [(), 0.5, (0.0, 0.5), (0.5, 1.0), (0.9, 0.5, 0.1), (0.5, 0.5, 0.9), (0.1, np.nan, 0.9),
         ("low", "high", "x"), [[0.1, 0.5, 0.9]], (5, 50, 95), None, (None, 0.5)],
    )  # fmt: skip
    def test_numbers_that_are_no_quantiles_are_an_error(self, quantiles):
        with pytest.raises(ValueError, match="quantiles"):
            small(loss="quantile", quantiles=quantiles).fit(W, Y)

    def test_quantiles_without_a_middle_are_an_error_that_says_what_to_add(self):
        with pytest.raises(ValueError, match=r"quantiles=\(0.1, 0.9\) .* Add 0.5"):
            small(loss="quantile", quantiles=(0.1, 0.9)).fit(W, Y)
        self.fitted(quantiles=(0.1, 0.5, 0.9))

    def test_quantiles_are_ignored_with_another_loss(self):
        model = small(quantiles=(0.9, 0.1)).fit(W, Y)
        assert_array_equal(model.predict(W), small().fit(W, Y).predict(W))
        assert len(model.quantiles_) == 0

    def test_another_loss_has_no_quantiles_to_predict(self):
        model = small().fit(W, Y)
        with pytest.raises(ValueError, match="needs loss='quantile', .*loss='squared_error'"):
            model.predict_quantiles(W)
        model.set_params(loss="quantile").fit(W, Y).predict_quantiles(W)
        with pytest.raises(AttributeError):
            _ = small().quantiles_
