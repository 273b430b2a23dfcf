"""The skorch net, built from architecture, hyperparameters and training run."""

from dataclasses import replace

import pytest
import torch
from skorch.callbacks import EpochScoring

from sklstm import LSTMRegressor
from sklstm._network.architecture import Architecture
from sklstm._network.building import Hyperparameters, TrainingRun, build_net, has_weight_decay
from sklstm._network.epoch_tasks import EpochTasks

ARCHITECTURE = Architecture(n_features=2, hidden_layer_sizes=(4, 3), n_outputs=1)
DEFAULTS = Hyperparameters.of(LSTMRegressor())
OURS = ["keep_best", "epoch_tasks", "early_stopping"]
RUN = TrainingRun(
    batch_size=8,
    window_size=5,
    threads=2,
    seed=0,
    every_step=False,
    callbacks=(),
    epoch_tasks=EpochTasks(lambda: lambda: False),
)


def build(run=RUN, **hyperparameters):
    return build_net(ARCHITECTURE, replace(DEFAULTS, **hyperparameters), "cpu", run)


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [
        ("adam", {"lr": 0.02, "weight_decay": 0.1, "fused": True}),
        ("adamw", {"lr": 0.02, "weight_decay": 0.1, "fused": True}),
        ("sgd", {"lr": 0.02, "weight_decay": 0.1, "momentum": 0.9, "nesterov": True}),
        (torch.optim.RMSprop, {"lr": 0.02, "weight_decay": 0.1}),
    ],
)
def test_the_optimizer_gets_its_options(optimizer, expected):
    net = build(optimizer=optimizer, learning_rate=0.02, weight_decay=0.1)
    group = net.optimizer_.param_groups[0]
    assert {name: group[name] for name in expected} == expected


def test_optimizers_without_weight_decay_are_known():
    assert [has_weight_decay(o) for o in ("adam", "sgd", torch.optim.LBFGS)] == [True, True, False]


@pytest.mark.parametrize(
    ("verbose", "names"),
    [
        (0, ["epoch_timer", "train_loss", "valid_loss", *OURS, "mine"]),
        (1, ["epoch_timer", "train_loss", "valid_loss", "keep_best", "epoch_progress"]),
        (2, ["epoch_timer", "train_loss", "valid_loss", *OURS, "mine"]),
    ],
)
def test_callbacks_stand_in_the_order_in_which_they_are_called(verbose, names):
    mine = ("mine", EpochScoring("r2"))
    net = build(replace(RUN, callbacks=[mine]), verbose=verbose)
    found = [name for name, _ in net.callbacks_]
    assert found[: len(names)] == names
    assert found.index("early_stopping") < found.index("mine")
    assert ("print_log" in found) is (verbose == 2)


@pytest.mark.parametrize(("dropout", "n_generators"), [(0.0, 0), (0.5, 2)])
def test_each_microbatch_has_a_generator_if_something_is_drawn(dropout, n_generators):
    net = build(dropout=dropout)
    assert net.microbatch_size == 4  # two threads
    seeds = [generator.initial_seed() for generator in net.generators]
    assert seeds == list(range(n_generators))


def test_a_net_that_is_not_trained_draws_no_weights():
    net = build(run=None)
    assert net.batch_size == -1
    assert net.microbatch_size is None
    assert net.module__generator is None


def test_hyperparameters_are_parameters_of_the_estimator():
    names = set(Hyperparameters.__dataclass_fields__)
    assert names <= set(LSTMRegressor().get_params())
