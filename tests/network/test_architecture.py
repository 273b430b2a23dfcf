"""The shape of the network."""

import pytest

from sklstm._network import architecture
from sklstm._network.architecture import Architecture


def test_work_is_counted_in_multiply_adds():
    work = Architecture(2, (5, 3), 1).multiply_adds(window_size=7, n_windows=11)
    assert work == 11 * 7 * 4 * (5 * (2 + 5) + 3 * (5 + 3))


@pytest.mark.parametrize("hidden", [1, 64, 300])
def test_batches_of_predictions_in_float64_are_whole_twelves_or_single_windows(hidden):
    shape = Architecture(2, (hidden,), 1, precision="float64")
    assert shape.prediction_batch(24) == 24
    assert shape.prediction_batch(100_000) == 1  # little memory


def test_windows_go_one_by_one_in_float64_where_equal_rows_have_unequal_products(monkeypatch):
    monkeypatch.setattr(architecture, "_rounds_by_place", lambda length: length == 7)
    shapes = {(7, (8,)): 1, (8, (7,)): 1, (8, (8, 7)): 1, (8, (8,)): 24}
    for (n_features, hidden), batch in shapes.items():
        shape = Architecture(n_features, hidden, 1, precision="float64")
        assert shape.prediction_batch(24) == batch
        assert Architecture(n_features, hidden, 1).prediction_batch(24) > 1  # of float32
    beside = Architecture(7, (8,), 1, beside_linear=True, precision="float64")
    assert beside.prediction_batch(24) == 24  # fourteen inputs


@pytest.mark.parametrize("precision", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize("hidden", [(1,), (64, 64), (256, 256)])
def test_a_gpu_predicts_thousands_of_windows_at_a_time_as_its_memory_allows(hidden, precision):
    shape = Architecture(8, hidden, 1, precision=precision)
    size = 8 if precision == "float64" else 4
    for window_size in (1, 48, 96, 1_000, 30_000, 10**9):
        batch = shape.prediction_batch(window_size, on_cpu=False)
        assert batch == 1 or batch % 16 == 0
        gates = batch * window_size * 4 * hidden[0] * size  # bytes
        assert batch == 1 or gates < 2**30
        assert batch <= 4096
    assert shape.prediction_batch(48, on_cpu=False) > 1_000
    both = Architecture(8, hidden, 1, bidirectional=True, precision=precision)
    assert both.prediction_batch(1_000, False) <= shape.prediction_batch(1_000, False)
