"""Units of several series, against loops over the values of each."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklstm import SlidingWindowTransformer
from sklstm._series import storage
from sklstm._series.overlap import find_windows
from sklstm._series.panel import panel_of
from sklstm._series.scaling import (
    SeriesScaling,
    columns_of_equal_size,
    scaling_of_series,
    shrunk,
)

NAN = np.nan
WINDOW = 4
LENGTHS = {
    "a": 40,
    "b": 30,
    "c": 25,
    "d": 12,
    "e": 22,
    "flat": 15,
    "one": 1,
    "short": 6,
    "zero": 21,
}
RANDOM = np.random.RandomState(0)


def frame():
    """Make sales, price and stock; some series do not vary, one is not known."""
    parts = {}
    for number, (name, n) in enumerate({**LENGTHS, "none": 10}.items()):
        sales = 5 + RANDOM.randn(n) + np.arange(n) % 7
        sales[RANDOM.rand(n) < 0.1] = NAN
        sales = {"flat": np.full(n, 60.0), "zero": np.zeros(n), "none": np.full(n, NAN)}.get(
            name, sales * 3.0**number
        )
        price, stock = RANDOM.rand(n), sales * (2 + 0.1 * RANDOM.rand(n))
        parts[name] = pd.DataFrame(
            {"price": price, "sales": sales, "stock": stock},
            pd.date_range("2024-03-01", periods=n),
        )
    return pd.concat(parts).sort_index()


X = frame()
PANEL = panel_of(X.index)
WINDOWS = find_windows(SlidingWindowTransformer(WINDOW).fit_transform(X))
NAMES = sorted([*LENGTHS, "none"])
ALL = np.arange(len(X))


ROWS = {name: np.flatnonzero(X.index.get_level_values(0) == name).tolist() for name in NAMES}


def in_windows(training):
    """The rows that lie in the windows of these rows."""
    used = set()
    for rows in ROWS.values():
        for row in set(rows).intersection(training.tolist()):
            used.update(range(max(row - WINDOW + 1, rows[0]), row + 1))
    return used


def sales_frame(sales, index):
    return pd.DataFrame({"sales": sales}, index)


def facts(values, used):
    """Number, standard deviation and size of the values of each series."""
    found = []
    for name in NAMES:
        own = [values[row] for row in ROWS[name] if row in used]
        own = np.array(own or values[ROWS[name]])
        known = own[~np.isnan(own)]
        varies = len(known) > 0 and known.min() < known.max()
        size = np.abs(known).mean() if len(known) else 0.0
        found.append((len(known), known.std() if varies else 0.0, size))
    return found


def scales(found, ratio=None):
    """The scale of each series by the formulas of James and Stein, and the usual ratio."""
    ratio_is_known = ratio is not None
    if not ratio_is_known:
        told = [(n, spread / size) for n, spread, size in found if spread > 0 and size > 0]
        long = [one for n, one in told if n >= 20]
        ratio = np.median(long or [one for _, one in told] or [1.0])
    scale = [np.sqrt((n * s**2 + 10 * (ratio * m) ** 2) / (n + 10)) for n, s, m in found]
    scale = [one if one > 0 else 1.0 for one in scale]
    if ratio_is_known:
        return scale, ratio
    vary = [one for one, (_, spread, _) in zip(scale, found, strict=True) if spread > 0]
    for number, (_, spread, size) in enumerate(found):
        if vary and spread == 0 and (size == 0 or scale[number] < min(vary)):
            scale[number] = np.median(vary)
    return scale, ratio


TRAINING = {
    "all": ALL,
    "early rows": ALL[X.groupby(level=0).cumcount() < 15],
    "few": ALL[X.groupby(level=0).cumcount() < 8],
    "not those of two series": ALL[~np.isin(X.index.get_level_values(0), ["c", "short"])],
}


ORDERS = [["price", "sales", "stock"], ["sales", "stock", "price"]]
WINDOWS_OF = [find_windows(SlidingWindowTransformer(WINDOW).fit_transform(X[o])) for o in ORDERS]


@pytest.mark.parametrize("rows", TRAINING)
@pytest.mark.parametrize("known_ratio", [None, np.array([0.5, 0.7, 0.6])])
@pytest.mark.parametrize("number", [0, 1])
def test_scales_are_those_of_each_series_by_hand(rows, known_ratio, number):
    """The outputs are a later value of the sales, in other units too, one of none and of stock."""
    training, used = TRAINING[rows], in_windows(TRAINING[rows])
    order, windows = ORDERS[number], WINDOWS_OF[number]
    at, at_stock = order.index("sales"), order.index("stock")
    sales, stock = X["sales"].to_numpy(), X["stock"].to_numpy()
    y = np.column_stack([sales, 7 - 2 * sales, np.sqrt(sales + 1), 0.5 * stock])
    columns, slopes = np.array([at, at, -1, at_stock]), np.array([1.0, -2, 1, 0.5])
    lines = slopes, np.array([-3.0, 7, 0, 0])
    found = scaling_of_series(windows, PANEL, y, training, columns, lines, known_ratio)
    assert found.names == NAMES
    origin, expected, ratios = np.zeros(3), np.ones((len(NAMES), 3)), np.zeros(3)
    origin[at] = 3
    for column in (at, at_stock):
        given = None if known_ratio is None else known_ratio[column]
        values = X[order[column]].to_numpy() - origin[column]
        expected[:, column], ratios[column] = scales(facts(values, used), given)
    assert_array_equal(found.origin, origin)
    assert_allclose(found.ratio, ratios, rtol=1e-12)
    assert_allclose(found.scale, expected, rtol=1e-12)
    other, _ = scales(facts(y[:, 2], set(training.tolist())))
    units = [expected[:, at], 2 * expected[:, at], other, expected[:, at_stock] / 2]
    assert_allclose(found.target_scale, np.column_stack(units), rtol=1e-12)
    assert_array_equal(found.columns, columns)
    assert_array_equal(found.slopes, slopes)


def test_series_of_twenty_values_tell_the_usual_ratio():
    sales = np.concatenate([np.tile([1.0, 3], 10), np.tile([0.01, 0.05], 9), [0.02]])
    days = pd.date_range("2024-03-01", periods=20)
    index = pd.MultiIndex.from_product([["a", "b"], days])[:39]
    windows = find_windows(SlidingWindowTransformer(2).fit_transform(sales_frame(sales, index)))
    lines = np.ones(1), np.zeros(1)
    for begin, ratio in ((0, 1 / 2), (1, None)):  # 19 values of each
        training = np.arange(begin + 1, 39)
        found = scaling_of_series(
            windows, panel_of(index), sales[:, np.newaxis], training, np.array([0]), lines
        )
        if begin:
            own = [np.std(part) / np.mean(part) for part in (sales[1:20], sales[20:])]
            ratio = np.median(own)
        assert found.ratio[0] == pytest.approx(ratio)


def test_series_without_rows_have_no_scale():
    rows = np.flatnonzero(np.isin(X.index.get_level_values(0), ["b", "e"]))
    windows = find_windows(SlidingWindowTransformer(WINDOW).fit_transform(X.iloc[rows]))
    y, column, lines = X[["sales"]].to_numpy(), np.array([1]), (np.ones(1), np.zeros(1))
    every = np.arange(len(rows))
    found = scaling_of_series(windows, PANEL.take(rows), y[rows], every, column, lines)
    assert found.names == ["b", "e"]
    expected = scaling_of_series(WINDOWS, PANEL, y, ALL, column, lines, found.ratio)
    assert_allclose(found.scale, expected.scale[[1, 4]], rtol=1e-12)
    assert_allclose(found.target_scale, expected.target_scale[[1, 4]], rtol=1e-12)


def test_the_first_line_of_a_column_gives_its_origin():
    y = np.column_stack([X["stock"], X["sales"], X["sales"]])
    lines = np.array([1.0, 2.0, 1.0]), np.array([-1.0, 8.0, 6.0])
    found = scaling_of_series(WINDOWS, PANEL, y, ALL, np.array([2, 1, 1]), lines)
    assert_array_equal(found.origin, [0, -4, 1])


@pytest.mark.parametrize(("offset", "origin"), [(1e-10, 0), (-1e-10, 0), (-1e-7, 1e-7)])
def test_an_origin_by_rounding_is_zero(offset, origin):
    """The largest value is that of a negative series."""
    windows = find_windows(SlidingWindowTransformer(WINDOW).fit_transform(-X[["sales"]]))
    y = -X[["sales"]].to_numpy()
    lines = np.ones(1), np.array([offset])
    found = scaling_of_series(windows, PANEL, y, ALL, np.zeros(1, dtype=int), lines)
    assert_array_equal(found.origin, [origin])


@pytest.mark.parametrize("values", [0.0, NAN, 4.0])
def test_series_that_never_vary_have_a_scale_of_their_size(values):
    """The usual ratio of scale and size is one; ten values of that are added to the others."""
    same = X * 0 + 1
    same[:] = values
    windows = find_windows(SlidingWindowTransformer(WINDOW).fit_transform(same))
    lines = np.ones(1), np.zeros(1)
    y = same[["sales"]].to_numpy()
    found = scaling_of_series(windows, PANEL, y, ALL, np.array([1]), lines)
    n = X.groupby(level=0).size().to_numpy()
    expected = np.sqrt(10 * 16 / (n + 10)) if values == 4 else np.ones(len(n))
    assert_allclose(found.scale[:, 1], expected)
    assert_array_equal(found.ratio, [0, 1, 0])


@pytest.mark.parametrize("rows", TRAINING)
@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("of", ["sales", "stock"])
def test_an_output_of_no_column_takes_the_feature_that_is_large_where_it_is(rows, number, of):
    training, used = TRAINING[rows], in_windows(TRAINING[rows])
    order, windows = ORDERS[number], WINDOWS_OF[number]
    sums = X[of].groupby(level=0).rolling(2).sum().droplevel(0).to_numpy()
    y = np.column_stack([X["price"], sums, RANDOM.rand(len(X))])
    before = np.array([0, -1, -1]), np.array([4.0, 5, 6])
    columns, slopes = columns_of_equal_size(windows, PANEL, y, training, *before)
    expected = []
    of_output = np.array([spread for _, spread, _ in facts(sums, set(training.tolist()))])
    for feature in ("sales", "stock"):
        spreads = np.array([s for _, s, _ in facts(X[feature].to_numpy(), used)])
        varies = (of_output > 0) & (spreads > 0)
        ratios = np.log(of_output[varies] / spreads[varies])
        share = ratios.std() / np.log(of_output[varies]).std()
        assert share < 0.3
        expected.append((share, order.index(feature), np.exp(np.median(ratios))))
    _, column, slope = min(expected)
    assert_array_equal(columns, [0, column, -1])  # the last has one size in all series
    assert_allclose(slopes, [4, slope, 6])
    assert_array_equal(before[0], [0, -1, -1])
    assert_array_equal(before[1], [4, 5, 6])


@pytest.mark.parametrize(("n_series", "column"), [(5, 1), (4, -1)])
@pytest.mark.parametrize("n_flat", [0, 1, 5, 6])
def test_at_least_five_series_and_half_of_them_tell_of_one_size(n_series, column, n_flat):
    sizes = [10.0**number for number in range(n_series)] + [0.0] * n_flat
    index = pd.MultiIndex.from_product([range(len(sizes)), pd.date_range("2024-03-01", periods=9)])
    values = (RANDOM.rand(len(sizes), 9) * np.array([sizes]).T).reshape(-1, 1)
    rows = pd.DataFrame(np.hstack([np.ones_like(values), values]), index)  # the first never varies
    windows = find_windows(SlidingWindowTransformer(2).fit_transform(rows))
    columns, _ = columns_of_equal_size(
        windows, panel_of(index), 3 * values, np.arange(len(rows)), np.array([-1]), np.ones(1)
    )
    found = column if n_flat <= 5 else -1
    assert_array_equal(columns, [found])


def test_a_feature_whose_ratio_spreads_is_of_another_size():
    sizes, factors = 10.0 ** np.arange(8), np.exp([0.0, 2, 4, 6, 0, 6, 4, 2])
    index = pd.MultiIndex.from_product([range(8), pd.date_range("2024-03-01", periods=9)])
    noise = RANDOM.rand(9)
    rows = pd.DataFrame({"x": np.outer(sizes, noise).ravel()}, index)
    windows = find_windows(SlidingWindowTransformer(2).fit_transform(rows))
    for power, column in ((0.5, 0), (1.5, -1)):  # 0.3 of the spread lies between
        y = np.outer(sizes * factors**power, noise).ravel()[:, np.newaxis]
        share = power * np.log(factors).std() / np.log(sizes * factors**power).std()
        assert (share < 0.3) == (column == 0)
        columns, _ = columns_of_equal_size(
            windows, panel_of(index), y, np.arange(72), np.array([-1]), np.ones(1)
        )
        assert_array_equal(columns, [column])


SCALING = SeriesScaling(
    names=["a", "b", "d"],
    scale=np.array([[1.0, 2], [1, 4], [1, 8]]),
    target_scale=np.array([[2.0, 6, 0.1], [4, 12, 0.2], [8, 24, 0.9]]),
    origin=np.array([0.0, 3]),
    ratio=np.array([0.0, 0.4]),
    columns=np.array([1, 1, -1]),
    slopes=np.array([1.0, -3, 1]),
)


def index_of(*names):
    return pd.MultiIndex.from_product([names, pd.date_range("2024-03-01", periods=5)])


def test_a_name_has_its_number_and_a_new_one_the_next():
    numbers = SCALING.numbers(panel_of(index_of("a", "c", "d", "z")))
    assert_array_equal(numbers, [0, 3, 2, 3])
    assert numbers.dtype.kind == "i"


@pytest.mark.parametrize("block_bytes", [2**20, 8 * 6])
def test_targets_are_in_the_units_of_their_series_and_predictions_come_back(
    block_bytes, monkeypatch
):
    monkeypatch.setattr(storage, "_BLOCK_BYTES", block_bytes)
    panel = panel_of(index_of("b", "d"))
    y = RANDOM.rand(10, 3)
    units = np.repeat([[4, 12, 0.2], [8, 24, 0.9]], 5, axis=0)
    before = y.copy()
    scaled = SCALING.targets(y, panel)
    assert_allclose(scaled, y / units)
    quantiles = np.stack([scaled, scaled + 1], axis=2)
    back = SCALING.predictions(quantiles, panel)
    assert_allclose(back[:, :, 0], y)
    assert_allclose(back[:, :, 1], y + units)
    assert_array_equal(y, before)


def test_rows_are_scaled_when_they_are_read():
    index = index_of("a", "d", "new")
    rows = pd.DataFrame(RANDOM.rand(15, 2), index)
    windows = find_windows(SlidingWindowTransformer(3).fit_transform(rows))
    scaled = SCALING.scaled(windows, panel_of(index)).rows
    assert scaled.series.dtype == np.uint8  # one number per row
    assert scaled.shape == windows.rows.shape
    assert len(scaled) == len(windows.rows)
    assert scaled.dtype == np.float64
    for row, start in zip(rows.to_numpy(), windows.starts, strict=True):
        unit = SCALING.scale[[0, 2]][min(start // 7, 1)] if start < 14 else np.array([np.inf] * 2)
        assert_allclose(scaled[start + 2], (row - [0, 3]) / unit)


def test_windows_of_new_series_are_scaled_by_their_known_values():
    values = 3 + 2 * RANDOM.randn(6, 5, 2)
    values[1, :3] = NAN
    values[2, 1:, 1] = NAN
    values[3] = NAN
    values[4, :, 1] = 50
    values[5, :, 1] = 3
    scaled, target_scale = SCALING.of_windows(values)
    for number, window in enumerate(values):
        known = window[~np.isnan(window[:, 1]), 1] - 3
        n, spread, size = len(known), 0.0, 0.0
        if n:
            spread, size = known.std(), np.abs(known).mean()
        scale = np.sqrt((n * spread**2 + 10 * (0.4 * size) ** 2) / (n + 10)) or 1.0
        assert_allclose(scaled[number], (window - [0, 3]) / [1, scale], rtol=1e-12)
        assert_allclose(target_scale[number], [scale, 3 * scale, 0.2], rtol=1e-12)


@pytest.mark.parametrize("unit", [1e-300, 1e-160, 1.0, 1e160, 1e300])
def test_windows_of_any_size_are_scaled(unit):
    scaling = SeriesScaling(
        ["a"],
        np.ones((1, 1)),
        np.ones((1, 1)),
        np.zeros(1),
        np.ones(1),
        np.zeros(1, int),
        np.ones(1),
    )
    values = np.array([-1.0, 2, 5])[np.newaxis, :, np.newaxis]
    expected = np.sqrt((3 * 6 + 10 * (8 / 3) ** 2) / 13)
    scaled, target_scale = scaling.of_windows(unit * values)
    assert_allclose(scaled, values / expected)
    assert_allclose(target_scale / unit, [[expected]])


@pytest.mark.parametrize("unit", [1e-300, 1e-160, 1.0, 1e160, 1e300])
def test_few_values_have_a_scale_nearer_to_that_of_their_size(unit):
    found = shrunk(
        np.array([[0.0, 5, 30, 3]]),
        unit * np.array([[0.0, 2, 2, 0]]),
        unit * np.array([[6.0, 9, 9, 0]]),
        np.array([0.5, 0.5, 0.5, 1]),
    )
    expected = [3, np.sqrt((20 + 10 * 4.5**2) / 15), np.sqrt((120 + 10 * 4.5**2) / 40)]
    assert_allclose(found[0, :3] / unit, expected)
    assert found[0, 3] == 1


def test_new_series_of_a_fit_that_goes_on_are_added():
    other = SeriesScaling(
        ["b", "new", "a", "newer"],
        RANDOM.rand(4, 2),
        RANDOM.rand(4, 3),
        np.zeros(2),
        np.ones(2),
        np.zeros(3, dtype=int),
        np.ones(3),
    )
    found = SCALING.extended(other)
    assert found.names == ["a", "b", "d", "new", "newer"]
    assert_array_equal(found.scale, np.vstack([SCALING.scale, other.scale[[1, 3]]]))
    assert_array_equal(
        found.target_scale, np.vstack([SCALING.target_scale, other.target_scale[[1, 3]]])
    )
    assert_array_equal(found.origin, SCALING.origin)
    assert_array_equal(found.ratio, SCALING.ratio)
