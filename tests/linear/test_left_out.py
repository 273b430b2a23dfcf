"""Blocks of rows that are left out in turn."""

import numpy as np
import pytest
import torch

from sklstm._linear.left_out import left_out_blocks, within_a_standard_error
from sklstm._linear.samples import Samples
from tests.linear.data import dataset

INDEX = np.delete(np.arange(300), np.s_[90:120])  # the windows of the data set


@pytest.mark.parametrize("gap", [0, 7, 40])
def test_others_are_the_rows_further_from_the_block_than_the_gap(gap):
    samples = Samples(dataset(INDEX), torch.arange(len(INDEX)), slice(None))
    blocks = list(left_out_blocks(samples, gap))
    assert len(blocks) == 3
    np.testing.assert_array_equal(np.concatenate([b.block.places for b in blocks]), samples.places)
    for left_out in blocks:
        block = INDEX[left_out.block.places]
        margins = np.concatenate([INDEX[margin.places] for margin in left_out.margins])
        rest = np.setdiff1d(INDEX, block)
        near = [row for row in rest if min(abs(row - other) for other in block) <= gap]
        np.testing.assert_array_equal(margins, near)
        np.testing.assert_array_equal(INDEX[left_out.others.places], np.setdiff1d(rest, near))


@pytest.mark.parametrize("size", [2.0**-1000, 2.0**1000])
def test_the_unit_of_the_errors_decides_nothing(size):
    errors = np.random.RandomState(0).rand(3, 15)
    expected = within_a_standard_error(errors)
    assert 0 < expected.sum() < 15
    np.testing.assert_array_equal(within_a_standard_error(errors * size), expected)
