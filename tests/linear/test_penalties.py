"""The choice of bases and penalties."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sklstm import SlidingWindowTransformer
from sklstm._linear import penalties
from sklstm._linear.fitting import fit_linear
from sklstm._linear.moments import Moments
from sklstm._linear.own_columns import OwnColumns, find_own_columns
from sklstm._linear.penalties import Member, _outputs_to_choose, stacked_members
from sklstm._network.batches import WindowDataset
from sklstm._network.series_tensor import standardised_series
from sklstm._series.overlap import find_windows
from tests.linear.data import TARGETS, VIEW, dataset
from tests.linear.test_own_columns import data_set


def test_noise_gets_large_and_an_exact_target_small_penalties():
    noise = np.random.RandomState(1).randn(*TARGETS.shape)
    for member in fit_linear(dataset(targets=noise), gap=1).choice:
        assert max(member.penalties) >= 1
    exact = np.repeat(VIEW.mean(axis=(1, 2))[:, None], 2, axis=1)
    for member in fit_linear(dataset(targets=exact), gap=1).choice:
        assert member.penalties[0] == penalties._PENALTIES[0]


def test_levels_have_less_weight_than_deviations_for_a_random_walk():
    walk = np.random.RandomState(0).randn(400, 1).cumsum(axis=0)
    view = SlidingWindowTransformer(20).fit_transform(walk)[19:-1]
    windows = find_windows(view)
    series = standardised_series(windows, 0.0, 1.0, torch.float64, "cpu")
    data = WindowDataset(series, windows, np.arange(len(view)), walk[20:], None)
    weights = {member.basis: member.weight for member in fit_linear(data, gap=0).choice}
    assert sum(weights.values()) == pytest.approx(1)
    assert weights.get("levels", 0) < weights["deviations"]


def test_the_map_is_the_mean_of_the_maps_of_its_penalties():
    maps = [
        fit_linear(dataset(), 1, (Member("deviations", penalties, 1.0),))
        for penalties in ((0.1,), (10.0,))
    ]
    both = fit_linear(
        dataset(),
        1,
        (
            Member(
                "deviations",
                (
                    0.1,
                    10.0,
                ),
                1.0,
            ),
        ),
    )
    torch.testing.assert_close(both.weights, (maps[0].weights + maps[1].weights) / 2)
    torch.testing.assert_close(both.intercept, (maps[0].intercept + maps[1].intercept) / 2)


@pytest.mark.parametrize(
    ("of_sum", "of_persistence", "expected"),
    [
        ([1.0, 1.0, 1.0], [2.0, 0.9, 0.9], True),  # better on the latest block and on most
        ([1.0, 1.0, 1.0], [0.9, 0.9, 2.0], False),  # not on the latest
        ([1.0, 1.0, 1.0], [2.0, 2.0, 0.9], False),  # not on most
        ([1.0, 1.0, 1.0], [2.0, 1.02, 1.02], True),  # hardly worse on the latest and on most
    ],
)
def test_each_column_has_persistence_or_the_sum(of_sum, of_persistence, expected):
    products = np.zeros((3, 4, 2, 2))  # blocks, outputs of columns 5, 2, 5, 2; one map, persistence
    products[:, :, 0, 0] = np.array(of_sum)[:, None]
    products[:, :, 1, 1] = np.array(of_persistence)[:, None]
    kinds = [("all", "deviations", np.ones(1)), ("own", "persistence", np.zeros(1))]
    columns = np.array([5, 2, 5, 2])
    members = stacked_members(products, kinds, columns=columns)
    persistence = Member("persistence", (0.0,), 1.0, "own")
    sum_ = Member("deviations", (1.0,), 1.0)
    assert members == ((persistence,) if expected else (sum_,))
    products[:, [1, 3], 1, 1] = 10.0  # column 2 is far from persistence
    members = stacked_members(products, kinds, columns=columns)
    of_one = replace(persistence, columns=(5,))
    assert members == ((sum_, of_one) if expected else (sum_,))


def test_a_smooth_column_among_random_walks_has_its_map_and_the_walks_have_persistence():
    rng, n = np.random.RandomState(0), 500
    walks = rng.randn(n, 4).cumsum(axis=0)
    smooth = np.sin(np.arange(n) / 9)[:, None] + 0.01 * rng.randn(n, 1)
    data, own = panel(np.hstack([walks[:, :2], smooth, walks[:, 2:]]), 12, 3)
    map_ = fit_linear(data, 2, own=own)
    *_, persistence = map_.choice
    assert persistence.columns == (0, 1, 3, 4)
    for output, column in enumerate(np.repeat(np.arange(5), 3)):
        expected = torch.zeros(12, 5, dtype=torch.float64)
        expected[-1, column] = 1.0
        is_persistence = torch.allclose(map_.weights[output], expected, atol=1e-6)
        assert is_persistence == (column != 2)


def panel(columns, window_size, horizon):
    """Windows and targets of all columns (n_rows, n_columns), and the column of each output."""
    targets = np.concatenate(
        [
            np.stack(
                [np.append(c[lead:], np.full(lead, np.nan)) for lead in leads(horizon)], axis=1
            )
            for c in columns.T
        ],
        axis=1,
    )
    data = data_set(targets, columns, window_size)
    n_known = len(columns) - horizon - window_size + 1
    data = data.part(slice(n_known))
    data.weights = None
    return data, find_own_columns(data, np.tile(leads(horizon), columns.shape[1]))


def leads(horizon):
    return np.arange(1, horizon + 1)


@pytest.mark.parametrize("seed", range(1, 5))
def test_random_walks_are_forecast_as_by_their_last_values(seed):
    walks = np.random.RandomState(seed).randn(1100, 3).cumsum(axis=0)
    data, own = panel(walks[:800], 10, 5)
    map_ = fit_linear(data, gap=4, own=own)
    rows = np.arange(800, 1080)
    windows = torch.from_numpy(np.stack([walks[rows - 9 + step] for step in range(10)], axis=1))
    predicted = torch.einsum("nwf,owf->no", windows, map_.weights) + map_.intercept
    actual = np.concatenate([walks[rows[:, np.newaxis] + leads(5), c] for c in range(3)], axis=1)
    errors, of_last = (
        np.square(forecast - actual).mean()
        for forecast in (predicted.numpy(), np.repeat(walks[rows], 5, axis=1))
    )
    assert errors < 1.02 * of_last


def test_seasons_are_not_forecast_by_their_last_values():
    time = np.arange(800)[:, np.newaxis]
    seasons = np.sin(2 * np.pi * time / [12, 12, 7]) + np.random.RandomState(0).randn(800, 3) / 5
    data, own = panel(seasons, 24, 5)
    members = fit_linear(data, gap=4, own=own).choice
    assert "persistence" not in {member.basis for member in members}
    assert {member.scope for member in members} >= {"own", "shared"}


@pytest.mark.parametrize("together", [True, False])
def test_maps_of_many_columns_are_compared_on_some_of_them(together):
    columns, zeros = np.repeat(np.arange(1000), 24), torch.zeros(24_000, dtype=torch.float64)
    own = OwnColumns(columns, np.tile(leads(24), 1000), zeros, zeros)
    chosen = _outputs_to_choose(Moments((), 3000, 1000, own, together))
    # The errors of maps of all columns would take gigabytes for a thousand outputs.
    assert len(chosen) == (250 if together else 1000)
    np.testing.assert_array_equal(columns[chosen], np.arange(0, 1000, 4 if together else 1))
