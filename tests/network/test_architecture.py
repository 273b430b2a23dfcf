"""The shape of the network."""

from sklstm._network.architecture import Architecture


def test_work_is_counted_in_multiply_adds():
    work = Architecture(2, (5, 3), 1).multiply_adds(window_size=7, n_windows=11)
    assert work == 11 * 7 * 4 * (5 * (2 + 5) + 3 * (5 + 3))
