"""How many rows later a target is in the features."""

import numpy as np
import pandas as pd
import pytest

from sklstm import SlidingWindowTransformer
from sklstm._series.overlap import find_windows
from sklstm._series.rows_later import rows_later
from sklstm._series.windows import Windows

NAN = np.nan
ROWS = np.random.RandomState(0).randn(300, 3).cumsum(axis=0)


def shifted(column, rows):
    return pd.Series(column, dtype=float).shift(-rows).to_numpy(copy=True)


def later(target, rows=ROWS):
    """Of windows of one step."""
    return rows_later(np.asarray(target, float), Windows(rows, np.arange(len(rows)), 1, 1))


def windows_of(rows, size=5, **params):
    return SlidingWindowTransformer(size, **params).fit_transform(rows)


@pytest.mark.parametrize("rows", [-30, -1, 0, 1, 7, 90])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_shift_is_counted_in_any_unit(rows, dtype):
    features = ROWS.astype(dtype)
    for size in (1e-200, -2.0, 1e200):
        assert later(3 * size + size * shifted(features[:, 1], rows), features) == rows


@pytest.mark.parametrize("column", [0, 1, 2])
def test_features_of_any_sizes_side_by_side_are_compared(column):
    rows = ROWS * [1e-200, 1.0, 1e200]
    assert later(shifted(rows[:, column], 4), rows) == 4


@pytest.mark.parametrize(("n", "most"), [(900, 300), (3000, 366)])
def test_a_shift_is_found_up_to_366_rows_and_a_third_of_all(n, most):
    rows = np.random.RandomState(0).randn(n, 1)
    assert later(shifted(rows[:, 0], most), rows) == most
    assert later(shifted(rows[:, 0], most + 1), rows) is None


def test_of_many_features_nearer_shifts_are_found():
    rows = np.random.RandomState(0).randn(1000, 400)
    assert later(shifted(rows[:, 399], 81), rows) == 81
    assert later(shifted(rows[:, 399], 82), rows) is None
    rows = np.random.RandomState(0).randn(30, 40_000)
    assert later(shifted(rows[:, 7], 1), rows) == 1
    assert later(shifted(rows[:, 7], 2), rows) is None


@pytest.mark.parametrize("params", [{}, {"dilation": 3}, {"padding": "edge"}])
@pytest.mark.parametrize("as_copy", [False, True])
def test_windows_show_it_at_their_last_step(params, as_copy):
    windows = windows_of(ROWS, **params)
    windows = find_windows(np.ascontiguousarray(windows).copy() if as_copy else windows)
    for rows in (0, 1, 24):
        assert rows_later(shifted(ROWS[:, 2], rows), windows) == rows


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.float16])
def test_features_of_any_type_are_compared(dtype):
    counts = np.random.RandomState(0).poisson(3, (300, 2)).astype(dtype)
    assert later(shifted(counts[:, 0], 6), counts) == 6


def test_what_no_feature_is_has_no_shift():
    assert later(ROWS[:, 0] ** 2) is None
    assert later(ROWS[:, 0] + ROWS[:, 1]) is None
    noisy = ROWS[:, 0] + 0.01 * ROWS[:, 0].std() * np.random.RandomState(1).randn(300)
    assert later(shifted(noisy, 1)) is None
    assert later(shifted(1e4 + noisy, 1)) is None
    some_known = np.where(np.random.RandomState(2).rand(300, 3) < 0.1, NAN, ROWS)
    assert later(shifted(noisy, 1), some_known) is None
    average = pd.Series(ROWS[:, 0]).rolling(3).mean().shift(-3)
    assert later(average) is None


def test_the_first_row_that_has_the_value_counts():
    load = ROWS[:, 0]
    yesterday = np.append(NAN, load[:-1])
    both = np.column_stack([load, yesterday])
    assert later(load, both) == 0
    assert later(shifted(load, 1), both) == 1
    assert later(load, yesterday[:, np.newaxis]) == 1  # known when the next row is


def test_what_repeats_itself_is_known_at_its_own_row():
    wave = np.tile(np.random.RandomState(0).randn(10), 30)[:, np.newaxis]
    assert later(wave[:, 0], wave) <= 0
    assert later(shifted(wave[:, 0], 3), wave) <= 0
    hours = np.sin(np.arange(300) * 2 * np.pi / 24)
    assert later(shifted(hours, 1), hours[:, np.newaxis]) <= 0
    assert later(np.arange(300.0), np.arange(300.0)[:, np.newaxis]) <= 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_shift_of_a_trend_is_found_among_rows_that_are_nearly_equal(dtype):
    meter = np.random.RandomState(0).rand(20_000, 1).cumsum(axis=0).astype(dtype)
    assert np.corrcoef(meter[1:, 0], meter[:-1, 0])[0, 1] ** 2 > 1 - 1e-6
    assert later(shifted(meter[:, 0], 2), meter) == 2


@pytest.mark.parametrize("n", [1, 2, 9, 10, 12, 20, 40])
def test_from_ten_rows_on_the_next_row_is_found(n):
    rows = ROWS[:n, :1]
    assert later(shifted(rows[:, 0], 1), rows) == (1 if n >= 10 else None)
    assert later(rows[:, 0], rows) == (0 if n >= 10 else None)


def test_missing_and_constant_features_are_passed_over():
    rows = ROWS.copy()
    rows[:, 0], rows[::5, 1], rows[::3, 2], rows[7] = 0.1, NAN, np.inf, NAN
    assert later(shifted(ROWS[:, 1], 4), rows) == 4
    assert later(shifted(rows[:, 1], 4), rows) == 4
    assert later(500 - 3 * shifted(ROWS[:, 1], 4), rows) == 4
    assert later(np.full(300, 0.1), rows) is None
    assert later(np.full(300, NAN), rows) is None
    assert later(shifted(ROWS[:, 0], 4), rows) is None


def test_rare_events_are_compared_where_they_are():
    rng = np.random.RandomState(0)
    events = (rng.rand(20_000, 4) < 0.003).astype(float)
    assert later(shifted(events[:, 2], 5), events) == 5
    assert later((rng.rand(20_000) < 0.003).astype(float), events) is None
    for n_events in (7, 8):  # fewer than eight may be chance
        few = np.zeros((20_000, 1))
        few[1000 : 1000 + 2000 * n_events : 2000] = 1
        assert later(shifted(few[:, 0], 5), few) == (5 if n_events == 8 else None)


@pytest.mark.parametrize("lead", [1, 3])
def test_targets_known_in_some_rows_are_found(lead):
    target = shifted(ROWS[:, 1], lead)
    target[np.arange(300) % 7 > 0] = NAN
    assert later(target) == lead


@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("lead", [1, 5])
@pytest.mark.parametrize("by", ["rows", "days"])
def test_it_is_found_over_holes_of_an_index(by, lead, dilation):
    frame = pd.DataFrame(ROWS, pd.date_range("2024", periods=300))
    holes = frame.drop(frame.index[[20, 21, 80, 150, 260]])
    target = (holes if by == "rows" else frame)[1].shift(-lead).reindex(holes.index).to_numpy()
    windows = find_windows(windows_of(holes, dilation=dilation))
    assert rows_later(target, windows) == lead


@pytest.mark.parametrize("lead", [1, 5])
def test_it_is_found_where_a_fold_was_left_out(lead):
    kept = np.delete(np.arange(5, 300), np.s_[100:150])
    windows = find_windows(np.asarray(windows_of(ROWS))[kept])
    assert rows_later(shifted(ROWS[:, 1], lead)[kept], windows) == lead


@pytest.mark.parametrize(
    ("lead", "rows"), [(-1, 0), (0, 0), (1, 1), (2, 1), (3, 2), (4, 2), (9, 5)]
)
def test_of_every_other_window_the_row_counts_that_has_the_step(lead, rows):
    windows = find_windows(np.asarray(windows_of(ROWS))[5::2])
    assert rows_later(shifted(ROWS[:, 1], lead)[5::2], windows) == rows


def test_windows_that_share_no_row():
    # Seven steps of each eight: the next window begins after one more.
    windows = find_windows(np.asarray(windows_of(ROWS, 7))[7::8])
    assert windows.rows.shape == (37 * 7, 3)
    assert rows_later(shifted(ROWS[:, 1], 8)[7::8], windows) == 1
    assert rows_later(shifted(ROWS[:, 1], 24)[7::8], windows) == 3
