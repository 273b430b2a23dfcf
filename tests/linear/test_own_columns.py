"""The column whose future an output is."""

import numpy as np
import pandas as pd
import pytest
import torch

from sklstm import SlidingWindowTransformer
from sklstm._linear.own_columns import find_own_columns
from sklstm._network.batches import WindowDataset
from sklstm._network.series_tensor import standardised_series
from sklstm._series.overlap import find_windows

ROWS = np.random.RandomState(0).randn(300, 3).cumsum(axis=0)


def data_set(targets, rows=ROWS, window_size=4, weights=None):
    """Windows of the rows that have one, and their targets (n_rows, outputs)."""
    windows = find_windows(SlidingWindowTransformer(window_size).fit_transform(rows))
    series = standardised_series(windows, 0.0, 1.0, torch.float64, "cpu")
    usable = np.arange(window_size - 1, len(rows))
    known = ~np.isnan(targets[usable])
    weights = known.astype(float) if weights is None else weights
    return WindowDataset(series, windows, usable, np.nan_to_num(targets[usable]), weights)


def ahead(column, lead):
    return np.append(ROWS[lead:, column], np.full(lead, np.nan))


def test_columns_leads_and_units_are_found():
    targets = np.stack([3 * ahead(2, 5) - 7, -ahead(0, 1), ahead(2, 2)], axis=1)
    own = find_own_columns(data_set(targets), np.array([5, 1, 2]))
    assert own.columns.tolist() == [2, 0, 2]
    np.testing.assert_allclose(own.slopes, [3, -1, 1], rtol=1e-9)
    np.testing.assert_allclose(own.offsets, [-7, 0, 0], atol=1e-8)
    assert own.used == [0, 2]
    assert own.outputs_of(2).tolist() == [2, 0]  # by lead
    assert not own.have_same_leads


@pytest.mark.parametrize(
    ("targets", "leads"),
    [
        (np.stack([ahead(0, 1), ahead(1, 1) + ahead(2, 1)], axis=1), [1, 1]),
        (np.stack([ahead(0, 1), np.ones(300)], axis=1), [1, 1]),
        (np.stack([ahead(0, 1), ahead(1, 2)], axis=1), [1, 1]),
        (ROWS[:, :1], [0]),
        (np.stack([ahead(0, 295)], axis=1), [295]),
    ],
    ids=["a sum", "a constant", "another lead", "at once", "few rows"],
)
def test_an_output_without_a_column_leaves_all_without(targets, leads):
    assert find_own_columns(data_set(targets), np.array(leads)) is None


def test_columns_are_found_over_missing_rows():
    rows = ROWS.copy()
    rows[[40, 41, 90, 200]] = np.nan
    targets = np.stack(
        [np.append(rows[lead:, 1], np.full(lead, np.nan)) for lead in (1, 3)], axis=1
    )
    own = find_own_columns(data_set(targets, rows), np.array([1, 3]))
    assert own.columns.tolist() == [1, 1]
    np.testing.assert_allclose(own.slopes, 1, rtol=1e-9)


@pytest.mark.parametrize("lead", [1, 24])
def test_columns_shifted_by_rows_are_found_over_holes_of_the_index(lead):
    every_day = pd.DataFrame(ROWS, pd.date_range("2024", periods=300))
    frame = every_day.drop(every_day.index[[40, 41, 90, 200]])
    own = find_own_columns(data_set(frame[[2]].shift(-lead).to_numpy(), frame), np.array([lead]))
    assert own.columns.tolist() == [2]
    np.testing.assert_allclose(own.slopes, 1, rtol=1e-9)


def test_same_leads_of_several_columns():
    targets = np.stack([ahead(c, lead) for lead in (2, 1) for c in (1, 0)], axis=1)
    own = find_own_columns(data_set(targets), np.array([2, 2, 1, 1]))
    assert own.have_same_leads
    assert own.some(np.array([0, 3])).columns.tolist() == [1, 0]
    one = find_own_columns(data_set(targets[:, [0, 2]]), np.array([2, 1]))
    assert not one.have_same_leads  # of one column there is nothing to share
