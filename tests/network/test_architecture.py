"""The shape of the network."""

import pytest

from sklstm._network.architecture import Architecture


def test_work_is_counted_in_multiply_adds():
    work = Architecture(2, (5, 3), 1).multiply_adds(window_size=7, n_windows=11)
    assert work == 11 * 7 * 4 * (5 * (2 + 5) + 3 * (5 + 3))


@pytest.mark.parametrize("hidden", [1, 64, 300])
def test_batches_of_predictions_in_float64_are_whole_twelves_or_single_windows(hidden):
    shape = Architecture(2, (hidden,), 1, precision="float64")
    assert shape.prediction_batch(24) == 24
    assert shape.prediction_batch(100_000) == 1  # little memory
    assert shape.prediction_batch(24, on_cpu=False) % 16 == 0
