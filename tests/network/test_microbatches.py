"""The size of a microbatch."""

import pytest

from sklstm._network import microbatches


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("batch_size", [1, 64, 100, 256])
def test_the_size_of_a_microbatch_depends_on_threads_and_memory(batch_size, threads):
    small = microbatches.microbatch_size(batch_size, 16, 12, "float32", threads)
    assert small == -(-batch_size // threads)
    for window_size in (168, 2_000, 50_000):
        size = microbatches.microbatch_size(batch_size, 64, window_size, "float32", threads)
        assert 1 <= size <= small
        taken = threads * size * microbatches._BYTES_PER_UNIT["float32"] * 64 * window_size
        assert size == 1 or taken <= 2 * microbatches._TRAINING_BYTES
        assert (
            microbatches.microbatch_size(batch_size, 64, window_size, "bfloat16", threads) >= size
        )
