"""Blocks of rows that are left out in turn."""

import numpy as np
import pandas as pd
import pytest
import torch

from sklstm._linear.left_out import left_out_blocks, within_a_standard_error
from sklstm._linear.samples import Samples
from sklstm._series.panel import Panel
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


@pytest.mark.parametrize("gap", [0, 1, 3])
def test_a_series_that_pauses_takes_no_other_row_out_of_the_choice(gap):
    times = [np.concatenate([np.arange(10), np.arange(56, 66)]), *[np.arange(66)] * 5]
    series = np.repeat(np.arange(6), [len(part) for part in times])
    clock = np.concatenate(times)
    panel = Panel(list("abcdef"), series, pd.RangeIndex(66), clock)
    data = dataset(np.arange(len(clock)))
    data.panel = panel
    samples = Samples(data, torch.arange(len(clock)), slice(None))
    last = np.flatnonzero(np.diff(series, append=6))[series]
    known = clock[np.minimum(np.arange(len(clock)) + gap, last)]
    for left_out in left_out_blocks(samples, gap):
        block, others = left_out.block.places.numpy(), left_out.others.places.numpy()
        assert len(others) > 0.55 * len(clock)
        for row in block:
            between = (clock[others] >= clock[row]) & (clock[others] <= known[row])
            assert not between.any()
        before = others[clock[others] < clock[block].min()]
        assert (known[before] <= clock[block].min()).all()
        parts = [left_out.block, *left_out.margins, left_out.others]
        places = np.concatenate([part.places for part in parts])
        np.testing.assert_array_equal(np.sort(places), np.arange(len(clock)))


def test_a_block_of_rows_before_pauses_only_is_no_block():
    series = np.concatenate([np.arange(40), np.repeat(np.arange(40, 80), 2), np.arange(80, 85)])
    clock = np.concatenate([np.zeros(40, int), np.tile([1, 3], 40), np.full(5, 2)])
    data = dataset(np.arange(len(clock)))
    data.panel = Panel(list(range(85)), series, pd.RangeIndex(4), clock)
    samples = Samples(data, torch.arange(len(clock)), slice(None))
    blocks = [clock[left_out.block.places] for left_out in left_out_blocks(samples, 0)]
    assert [set(block) for block in blocks] == [{0}, {2, 3}]


@pytest.mark.parametrize("size", [2.0**-1000, 2.0**1000])
def test_the_unit_of_the_errors_decides_nothing(size):
    errors = np.random.RandomState(0).rand(3, 15)
    expected = within_a_standard_error(errors)
    assert 0 < expected.sum() < 15
    np.testing.assert_array_equal(within_a_standard_error(errors * size), expected)
