"""Sums of products, against products of the windows written out."""

import numpy as np
import pytest
import torch

from sklstm import SlidingWindowTransformer
from sklstm._linear import products
from sklstm._linear.products import gram_matrices
from sklstm._linear.samples import Samples
from sklstm._network.batches import WindowDataset
from sklstm._network.series_tensor import standardised_series
from sklstm._series.overlap import find_windows

N, FEATURES, WINDOW = 900, 3, 7
RNG = np.random.RandomState(0)
ROWS = RNG.randn(N, FEATURES).cumsum(axis=0) / 5
TARGETS = RNG.randn(N, 4)


def dataset(rows=ROWS, dilation=1, index=None, weights=None):
    windows = SlidingWindowTransformer(WINDOW, dilation=dilation).fit_transform(rows)
    view = find_windows(windows)
    series = standardised_series(view, 0.0, 1.0, torch.float32, "cpu")
    index = np.arange((WINDOW - 1) * dilation, N) if index is None else index
    weights = None if weights is None else weights[index]
    return windows, WindowDataset(series, view, index, TARGETS[index], weights)


def by_hand(windows, places, features=slice(None), outputs=slice(None), weights=None):
    """Sum over the rows, each a vector of deviations, the last step, a one and the targets."""
    weights = np.ones(N) if weights is None else weights
    total = 0
    for row in places:
        window = windows[row, :, features].astype(np.float32).astype(np.float64)
        deviations = np.concatenate([window[:-1] - window[-1], window[-1:]]).ravel()
        targets = TARGETS[row, outputs].astype(np.float32)
        columns = np.concatenate([deviations, [1], targets])
        total = total + weights[row] * np.outer(columns, columns)
    return total


@pytest.fixture(params=["stretches", "windows"])
def way(request, monkeypatch):
    """Products of few windows come from the ends of stretches, or from whole windows."""
    monkeypatch.setattr(products, "_LEAST_PRODUCTS", 1 if request.param == "stretches" else np.inf)
    monkeypatch.setattr(products, "_VALUES_OF_A_BLOCK", 1000)  # several blocks
    used = []
    over_stretch = products._over_stretch

    def spy(*args):
        used.append(1)
        return over_stretch(*args)

    monkeypatch.setattr(products, "_over_stretch", spy)
    yield request.param
    assert bool(used) == (request.param == "stretches")


CASES = {
    "all rows": {},
    "every second row": {"step": 2},
    "every fourth row of a dilated window": {"dilation": 6, "step": 4},
    "a dilated window": {"dilation": 3},
    "holes in the rows": {"left_out": [*range(300, 320), 500, 777]},
    "missing values": {"missing": [200, 201, 450, 898]},
    "equal weights": {"weights": np.full(N, 2.5)},
}


@pytest.mark.parametrize("case", CASES)
def test_sums_of_products_are_those_of_the_windows(way, case):
    options = dict(CASES[case])
    rows, dilation = ROWS.copy(), options.get("dilation", 1)
    rows[options.get("missing", []), 1] = np.nan
    known = np.setdiff1d(np.arange((WINDOW - 1) * dilation, N), options.get("left_out", []))
    weights = options.get("weights")
    columns = None if weights is None else np.repeat(weights[:, None], 4, axis=1)
    windows, data = dataset(rows, dilation, known, columns)
    filled = filled_by_hand(windows)
    samples = Samples(data, torch.arange(0, len(known), options.get("step", 1)), slice(None))
    (found,) = gram_matrices(samples, [(slice(None), slice(None))])
    expected = by_hand(filled, known[samples.places], weights=weights)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def filled_by_hand(windows):
    """Fill each window on its own: forwards, then backwards."""
    filled = windows.copy()
    for row in range(len(filled)):
        for feature in range(filled.shape[2]):
            values = filled[row, :, feature]
            for step in range(1, len(values)):
                if np.isnan(values[step]):
                    values[step] = values[step - 1]
            for step in range(len(values) - 2, -1, -1):
                if np.isnan(values[step]):
                    values[step] = values[step + 1]
    return filled


def test_each_column_with_its_outputs(way):
    windows, data = dataset()
    places = torch.arange(len(data))
    parts = [(slice(0, 1), np.array([3, 1])), (slice(2, 3), np.array([0]))]
    found = gram_matrices(Samples(data, places, slice(None)), parts)
    for gram, (features, outputs) in zip(found, parts, strict=True):
        expected = by_hand(windows, np.arange(WINDOW - 1, N), features, outputs)
        np.testing.assert_allclose(gram, expected, rtol=1e-9, atol=1e-9)


def test_weights_that_differ_are_those_of_whole_windows(monkeypatch):
    monkeypatch.setattr(products, "_LEAST_PRODUCTS", 1)
    weights = RNG.rand(N)
    windows, data = dataset(weights=np.repeat(weights[:, None], 4, axis=1))
    (found,) = gram_matrices(
        Samples(data, torch.arange(len(data)), slice(None)), [(slice(None), slice(None))]
    )
    expected = by_hand(windows, np.arange(WINDOW - 1, N), weights=weights)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


def test_without_rows_all_sums_are_zero():
    _, data = dataset()
    (found,) = gram_matrices(Samples(data, torch.arange(0), slice(None)), [(slice(0, 1), [0, 2])])
    assert found.shape == (WINDOW + 3, WINDOW + 3)
    assert not found.any()
