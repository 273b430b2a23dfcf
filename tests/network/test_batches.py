"""Batches, copied from the series."""

import numpy as np
import pytest
import torch

from sklstm._network.batches import (
    EveryStepDataset,
    WindowBatches,
    WindowDataset,
    labels_are_sparse,
)
from tests.network.data import setup


@pytest.mark.parametrize("copy", [False, True])
@pytest.mark.parametrize("dilation", [1, 3])
def test_a_batch_holds_the_windows_and_targets_asked_for(copy, dilation):
    view, windows, series = setup(copy=copy, dilation=dilation)
    index = np.array([3, 7, 8, 20])
    targets = np.arange(4.0)[:, np.newaxis]
    dataset = WindowDataset(series, windows, index, targets, weights=targets * 10)
    x, (y, weight) = next(dataset.batches(torch.tensor([2, 0, 1]), batch_size=2))
    np.testing.assert_array_equal(x, view[[8, 3]])
    np.testing.assert_array_equal(y, [[2], [0]])
    np.testing.assert_array_equal(weight, [[20], [0]])


@pytest.mark.parametrize("batch_size", [1, 7, 47, 100])
def test_an_epoch_has_every_window_once(batch_size):
    _, windows, series = setup()
    dataset = WindowDataset(series, windows, np.arange(47), np.arange(47.0)[:, np.newaxis])
    shuffled = WindowBatches(dataset, batch_size, torch.Generator().manual_seed(0))
    first, second = ([int(v) for _, y in shuffled for v in y[:, 0]] for _ in range(2))
    assert len(list(shuffled)) == len(shuffled)
    assert sorted(first) == sorted(second) == list(range(47))
    assert first != second
    in_order = [int(v) for _, y in WindowBatches(dataset, batch_size) for v in y[:, 0]]
    assert in_order == list(range(47))


class TestEveryStep:
    """A target for every step of a window."""

    @staticmethod
    def every_step(index, window_size=4, dilation=1, weights=None):
        view, windows, series = setup(window_size=window_size, dilation=dilation)
        targets = 10.0 * index[:, np.newaxis]  # ten times the number of the window
        plain = WindowDataset(series, windows, index, targets, weights)
        return view, EveryStepDataset(plain)

    @pytest.mark.parametrize("dilation", [1, 3])
    def test_each_step_has_the_target_of_its_own_row(self, dilation):
        index = np.arange(47 - 3 * (dilation - 1))
        view, dataset = self.every_step(index, dilation=dilation)
        x, (y, weight) = next(dataset.batches(torch.tensor([20, 5, 1]), batch_size=3))
        np.testing.assert_array_equal(x, view[[20, 5, 1]])
        at = np.array([20, 5, 1])[:, np.newaxis] - dilation * np.arange(3, -1, -1)
        np.testing.assert_array_equal(weight[:, :, 0] > 0, at >= 0)
        np.testing.assert_array_equal(y[:, :, 0].numpy()[at >= 0], 10.0 * at[at >= 0])
        assert float(weight.mean()) == pytest.approx(1)

    def test_rows_outside_the_training_part_have_weight_zero_at_every_step(self):
        index = np.setdiff1d(np.arange(30), [11, 12, 25])  # the others have no target in training
        _, dataset = self.every_step(index)
        for _, (y, weight) in dataset.batches(torch.arange(len(index)), 7):
            targets = y[weight > 0] / 10
            assert not np.isin(targets, [11, 12, 25]).any()
            assert targets.max() < 30

    @pytest.mark.parametrize("dilation", [1, 3])
    def test_a_step_that_is_filled_from_a_later_one_has_no_weight(self, dilation):
        # It would know of rows after its own.
        rng = np.random.RandomState(0)
        rows = rng.randn(60, 2)
        rows[rng.rand(60, 2) < 0.3] = np.nan
        _, windows, series = setup(rows=rows, dilation=dilation)
        index = np.arange(10, windows.n_windows)
        plain = WindowDataset(series, windows, index, np.ones((len(index), 1)))
        dataset, seen = EveryStepDataset(plain), set()
        starts = windows.starts[index]
        x, (_, weight) = next(dataset.batches(torch.arange(len(index)), batch_size=100))
        assert not x.isnan().any()
        for start, weights in zip(starts, weight[:, :, 0], strict=True):
            steps = rows[start : start + 3 * dilation + 1 : dilation]
            for step in range(4):
                later = [
                    np.isnan(feature[: step + 1]).all() and not np.isnan(feature).all()
                    for feature in steps.T
                ]
                own = start - (3 - step) * dilation
                assert (weights[step] > 0) == (own >= starts[0] and not any(later))
                seen.add((own >= starts[0], any(later)))
        assert seen == {(True, True), (True, False), (False, True), (False, False)}

    def test_weights_of_targets_count(self):
        index = np.arange(20)
        weights = np.ones((20, 1))
        weights[7] = 3
        _, dataset = self.every_step(index, weights=weights)
        _, (_, weight) = next(dataset.batches(torch.tensor([10]), 1))
        np.testing.assert_allclose(weight[0, :, 0], [3, 1, 1, 1])

    def test_an_epoch_has_windows_a_quarter_apart_from_a_random_start(self):
        index = np.arange(36)
        _, dataset = self.every_step(index, window_size=12)
        generator = torch.Generator().manual_seed(0)
        starts = set()
        for _ in range(30):
            order = dataset.order(generator)
            assert set(np.diff(np.sort(order))) == {3}
            assert abs(len(order) - len(dataset)) <= 1
            starts.add(int(order.min()))
        assert starts == {0, 1, 2}


@pytest.mark.parametrize("window_size", [1, 3, 6, 12, 24])
@pytest.mark.parametrize("dilation", [1, 3])
def test_labels_are_sparse_below_four_in_a_window_or_a_third_of_its_steps(window_size, dilation):
    rng = np.random.RandomState(0)
    seen = set()
    _, windows, _ = setup(n=300, window_size=window_size, dilation=dilation)
    for fraction in (0.02, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.6, 1):
        known = rng.rand(windows.n_windows) < fraction
        known[[5, 100]] = True
        index = np.flatnonzero(known).astype(np.int32)
        steps = []  # of all windows, from the first known target on: whether it is known
        for last in index:
            rows = [last - lag * dilation for lag in range(window_size)]
            steps += [known[row] for row in rows if row >= index[0]]
        expected = np.mean(steps) * window_size < min(4, window_size / 3)
        assert labels_are_sparse(index, windows) == expected
        seen.add(expected)
    assert seen == ({False} if window_size < 4 else {False, True})


@pytest.mark.parametrize("n_rows", [1, 2, 5, 40])
@pytest.mark.parametrize("first", [0, 6])
def test_targets_of_rows_in_sequence_are_never_sparse(n_rows, first):
    _, windows, _ = setup(n=80, window_size=24)
    assert not labels_are_sparse(np.arange(first, first + n_rows), windows)
