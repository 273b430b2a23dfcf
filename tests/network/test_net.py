"""The training step."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback, EpochScoring
from torch.utils._python_dispatch import TorchDispatchMode

from sklstm import LSTMRegressor, SlidingWindowTransformer
from sklstm._network import net as net_module
from sklstm._network.architecture import Architecture
from sklstm._network.loss import TargetLoss
from sklstm._network.module import StackedLSTM
from sklstm._network.net import WindowNet, clip_norm


def a_net(**params):
    return WindowNet(
        StackedLSTM,
        module__architecture=Architecture(2, (4, 3), 2, precision="float64"),
        module__generator=torch.Generator().manual_seed(0),
        criterion=TargetLoss,
        criterion__loss="squared_error",
        **params,
    ).initialize()


def a_batch(n=10, weighted=False):
    generator = torch.Generator().manual_seed(1)
    x, y, weight = (
        torch.rand(n, *shape, dtype=torch.float64, generator=generator)
        for shape in ((6, 2), (2,), (2,))
    )
    return x, (y, weight) if weighted else y


def step_of(net, batch):
    step = net.train_step_single(batch)
    return step, [weight.grad.clone() for weight in net.module_.parameters()]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("microbatch_size", [1, 4, 5, 9])
@pytest.mark.parametrize("threads", [1, 3])
def test_microbatches_give_the_step_of_the_whole_batch(microbatch_size, threads, weighted):
    batch = a_batch(weighted=weighted)
    whole, gradients = step_of(a_net(), batch)
    net = a_net(microbatch_size=microbatch_size)
    with ThreadPoolExecutor(threads) as pool:
        net.map_ = pool.map
        step, parts = step_of(net, batch)
    torch.testing.assert_close(step["loss"], whole["loss"])
    torch.testing.assert_close(step["y_pred"], whole["y_pred"])
    for part, gradient in zip(parts, gradients, strict=True):
        torch.testing.assert_close(part, gradient)


def test_each_microbatch_draws_its_own_dropout():
    generators = [torch.Generator().manual_seed(seed) for seed in (3, 4)]
    net = a_net(module__dropout=0.5, microbatch_size=5, generators=generators)
    x = a_batch()[0][:1].expand(10, -1, -1)
    y_pred = net.train_step_single((x, torch.zeros(10, 2)))["y_pred"]
    assert not torch.equal(y_pred[:5], y_pred[5:])


@pytest.mark.parametrize("largest", [1e-3, 0.5, 1e3])
def test_the_gradient_is_clipped_as_torch_does(largest):
    weights = [torch.nn.Parameter(torch.zeros(*shape)) for shape in ((3, 4), (5,))]
    for seed, weight in enumerate(weights):
        weight.grad = torch.randn(weight.shape, generator=torch.Generator().manual_seed(seed))
    gradients = [weight.grad.clone() for weight in weights]
    clip_norm(gradients, largest)
    torch.nn.utils.clip_grad_norm_(weights, largest)
    for gradient, weight in zip(gradients, weights, strict=True):
        torch.testing.assert_close(gradient, weight.grad)


def test_the_gradient_clip_is_that_of_the_whole_batch():
    net = a_net(microbatch_size=4, gradient_clip=1e-3)
    _, gradients = step_of(net, a_batch())
    norm = torch.cat([gradient.flatten() for gradient in gradients]).norm().item()
    assert norm == pytest.approx(1e-3, rel=1e-2)


def test_weights_that_a_user_has_frozen_get_no_gradient():
    net = a_net()
    net.module_.head.weight.requires_grad_(False)
    net.train_step_single(a_batch())
    assert net.module_.head.weight.grad is None
    assert net.module_.head.bias.grad is not None


def test_callbacks_are_called_if_they_define_the_method():
    calls = []

    class Listener(Callback):
        def on_batch_end(self, net, loss, y_pred, **kwargs):
            calls.append(("batch", loss.item(), tuple(y_pred.shape)))

        def on_grad_computed(self, net, named_parameters, **kwargs):
            calls.append(("gradient", [name for name, _ in named_parameters][-1]))

    class Silent(Callback):
        pass

    net = a_net(callbacks=[Listener(), Silent()])
    net.callbacks_[-1][1].on_epoch_begin = lambda net, **kwargs: calls.append("set on the object")
    batch = a_batch()
    step = net.train_step(batch)
    net.notify("on_batch_end", batch=batch, training=True, **step)
    net.notify("on_epoch_begin", dataset_train=None, dataset_valid=None)
    assert calls == [
        ("gradient", "head.bias"),
        ("batch", step["loss"].item(), (10, 2)),
        "set on the object",
    ]


def test_an_optimizer_can_compute_the_gradient_several_times_per_step():
    net = a_net(optimizer=torch.optim.LBFGS, lr=0.1)
    batch = a_batch()
    losses = [net.train_step(batch)["loss"].item() for _ in range(3)]
    assert losses[2] < losses[1] < losses[0]
    assert np.isfinite(losses).all()


def test_weights_between_epochs_are_averages_over_the_steps():
    windows = SlidingWindowTransformer(3).fit_transform(np.random.RandomState(0).randn(300, 1))
    steps, between = [], []

    class Follow(Callback):
        def on_train_begin(self, net, **kwargs):
            steps.append(net.module_.head.bias.item())

        def on_batch_end(self, net, training=False, **kwargs):
            if training:
                steps.append(net.module_.head.bias.item())

        def on_epoch_end(self, net, **kwargs):
            between.append(net.module_.head.bias.item())

    LSTMRegressor(
        4,
        linear_skip=False,
        early_stopping=False,
        precision="float64",
        ema_decay=0.8,
        max_epochs=3,
        random_state=0,
        callbacks=[Follow()],
    ).fit(windows, windows[:, -1, 0])
    average, expected = steps[0], []
    per_epoch = (len(steps) - 1) // 3
    for number, weight in enumerate(steps[1:], start=1):
        decay = min(0.8, number / (number + 9))
        average = decay * average + (1 - decay) * weight
        if number % per_epoch == 0:
            expected.append(average)
    np.testing.assert_allclose(between, expected)


@pytest.mark.parametrize("supervise", ["last", "every_step"])
@pytest.mark.parametrize("weighted", [False, True])
def test_scores_of_training_batches_are_those_of_known_targets(supervise, weighted):
    """Non-regression test: y was a pair of targets and weights, or had three dimensions."""
    rows = np.random.RandomState(0).randn(120, 2)
    windows = SlidingWindowTransformer(6).fit_transform(rows)
    weight = np.r_[np.zeros(40), np.ones(80)] if weighted else None
    score = EpochScoring("neg_mean_squared_error", on_train=True, name="score")
    whole = {"batch_size": 500, "learning_rate": 1e-30, "max_epochs": 1, "linear_skip": False}
    model = LSTMRegressor(4, supervise=supervise, random_state=0, callbacks=[score], **whole)
    model.fit(windows, rows[:, 0], weight)
    assert np.isfinite(model.net_.history[-1, "score"])
    if supervise == "last":
        loss = model.net_.history[-1, "train_loss"]
        np.testing.assert_allclose(-model.net_.history[-1, "score"], loss, rtol=1e-5)


def test_scores_of_a_fit_of_quantiles_are_those_of_the_median():
    rows = np.random.RandomState(0).randn(120, 1)
    windows = SlidingWindowTransformer(6).fit_transform(rows)
    score = EpochScoring("neg_mean_absolute_error", name="score")
    params = {"loss": "quantile", "quantiles": (0.2, 0.5), "learning_rate": 1e-30, "max_epochs": 1}
    model = LSTMRegressor(4, linear_skip=False, random_state=0, callbacks=[score], **params)
    model.fit(windows, rows[:, 0])
    absolute = np.abs(rows[-12:, 0] - model.predict(windows[-12:])) / model.target_scale_
    np.testing.assert_allclose(-model.net_.history[-1, "score"], absolute.mean(), rtol=1e-5)


def many_batches(n_rows, holes=False, **params):
    """Fit on so many rows, in batches of 8."""
    rows = np.random.RandomState(0).randn(n_rows, 2)
    target = rows[:, 0].copy()
    if holes:
        rows[5::40] = rows[7::31, 0] = np.nan
    windows = SlidingWindowTransformer(6).fit_transform(rows)
    fast = {"hidden_layer_sizes": 4, "max_epochs": 2, "batch_size": 8, "random_state": 0}
    return LSTMRegressor(**(fast | params)).fit(windows, target), windows


class Watch(Callback):
    """Read the loss of each batch, as the history has it."""

    def on_train_begin(self, net, **kwargs):
        self.seen = []

    def on_batch_end(self, net, training=False, **kwargs):
        name = "train_loss" if training else "valid_loss"
        self.seen.append(net.history[-1, "batches", -1, name])


@pytest.mark.parametrize("ema_decay", [0.0, 0.9])
@pytest.mark.parametrize("on_cpu", [True, False])
def test_losses_are_the_same_whether_a_callback_reads_each_of_them_or_not(
    ema_decay, on_cpu, monkeypatch
):
    monkeypatch.setattr(net_module, "is_cpu", lambda device: on_cpu)
    watch = Watch()
    alone, windows = many_batches(1_300, ema_decay=ema_decay)
    watched, _ = many_batches(1_300, ema_decay=ema_decay, callbacks=[watch])
    assert len(watch.seen) > 2 * 130
    assert all(type(loss) is float for loss in watch.seen)
    assert watched.loss_curve_ == alone.loss_curve_
    assert watched.validation_loss_curve_ == alone.validation_loss_curve_
    np.testing.assert_array_equal(watched.predict(windows), alone.predict(windows))
    counts = [epoch["train_batch_count"] for epoch in alone.net_.history]
    assert counts == [epoch["train_batch_count"] for epoch in watched.net_.history]


class HostReads(TorchDispatchMode):
    """Count the operations for which the processor waits for a GPU."""

    NAMES = (
        "aten::_local_scalar_dense",
        "aten::nonzero",
        "aten::masked_select",
        "aten::is_nonzero",
    )

    def __init__(self):
        super().__init__()
        self.number = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        places = args[1] if func._schema.name.startswith("aten::index") and len(args) > 1 else ()
        by_mask = isinstance(places, (list, tuple)) and any(
            isinstance(place, torch.Tensor) and place.dtype == torch.bool for place in places
        )
        self.number += func._schema.name in self.NAMES or by_mask
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize("supervise", ["last", "every_step"])
@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_on_a_gpu_no_training_step_waits_for_a_value(as_on_a_gpu, holes, supervise, dropout):
    params = {"supervise": supervise, "dropout": dropout, "linear_skip": False}
    numbers = []
    for n_rows in (200, 1_000):
        with HostReads() as reads:
            many_batches(n_rows, holes, **params)
        numbers.append(reads.number)
    assert numbers[0] == numbers[1] > 0


def test_a_callback_that_reads_the_losses_makes_each_step_wait(as_on_a_gpu):
    """So the count above sees what it is meant to see."""
    numbers = []
    for n_rows in (200, 1_000):
        with HostReads() as reads:
            many_batches(n_rows, linear_skip=False, callbacks=[Watch()])
        numbers.append(reads.number)
    assert numbers[1] > numbers[0] + 100


@pytest.mark.parametrize(("on_cpu", "n_steps"), [(True, 2), (False, 64)])
def test_a_loss_that_is_not_finite_ends_the_training_where_it_is_read(on_cpu, n_steps, monkeypatch):
    monkeypatch.setattr(net_module, "is_cpu", lambda device: on_cpu)
    steps = []

    class Breaks(torch.optim.SGD):
        def step(self, closure=None):
            steps.append(super().step(closure))
            if len(steps) == 2:
                self.param_groups[0]["params"][0].data.fill_(torch.nan)

    with pytest.raises(ValueError, match="not finite in epoch 1. Lower learning_rate"):
        many_batches(1_300, optimizer=Breaks, linear_skip=False, early_stopping=False)
    assert len(steps) == 1 + n_steps  # one with which the optimizer is tried
