"""Windows over rows that follow a history, against a plain Python loop."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st

from sklstm._series import storage
from sklstm._series.panel import panel_of
from sklstm._series.placement import windows_after, windows_of_panel
from sklstm._series.storage import stays_on_disk
from sklstm._series.window_array import WindowArray

quick = settings(deadline=None, max_examples=150, database=None)


def looped_windows(values, positions, n_past, window_size, dilation, padding):
    known = dict(zip(positions, values, strict=True))
    windows = np.full((len(values) - n_past, window_size, 1), np.nan)
    for window, end in zip(windows, positions[n_past:], strict=True):
        for step in range(window_size):
            position = end - (window_size - 1 - step) * dilation
            if padding == "edge":  # the row before, or the first row
                position = max([other for other in known if other <= position], default=0)
            window[step] = known.get(position, np.nan)
    return windows


def has_holes(positions):
    return any(np.diff(positions) > 1)


@quick
@given(
    steps=st.lists(st.sampled_from([1, 1, 1, 2, 3, 50]), max_size=14),
    n_past=st.integers(0, 8),
    window_size=st.integers(1, 6),
    dilation=st.integers(1, 3),
    padding=st.sampled_from(["nan", "edge"]),
)
def test_windows_after_a_history_equal_a_loop(steps, n_past, window_size, dilation, padding):
    positions = np.cumsum([0, *steps])
    n_past = min(n_past, len(steps))
    values = 1.0 + np.arange(len(positions))[:, np.newaxis]
    past, rows = values[:n_past], values[n_past:]
    windows = windows_after(past, rows, positions, window_size, dilation, padding)
    expected = looped_windows(values, positions, n_past, window_size, dilation, padding)
    np.testing.assert_array_equal(windows, expected)
    assert isinstance(windows, WindowArray) == (window_size > 1 and has_holes(positions[n_past:]))
    assert not windows[0].flags.writeable


@pytest.mark.parametrize("padding", ["nan", "edge"])
@pytest.mark.parametrize("n_past", [0, 2, 9, 20])
def test_rows_without_positions_follow_each_other(n_past, padding):
    values = 1.0 + np.arange(30)[:, np.newaxis]
    past, rows = values[:n_past], values[n_past:]
    expected = windows_after(past, rows, np.arange(30), 4, 3, padding)
    np.testing.assert_array_equal(windows_after(past, rows, None, 4, 3, padding), expected)


# Of three series: how many rows of history, and the positions of these and of the rows.
SERIES = [(2, [0, 1, 10, 12, 13]), (0, [0, 1, 2]), (3, [0, 2, 3, 4, 7])]


@pytest.mark.parametrize("padding", ["nan", "edge"])
@pytest.mark.parametrize(("window_size", "dilation"), [(4, 1), (2, 2), (1, 1)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("on_disk", [False, True])
def test_each_series_of_a_panel_has_the_windows_that_it_has_alone(
    padding, window_size, dilation, dtype, on_disk, tmp_path
):
    index = pd.MultiIndex.from_tuples(
        [(name, at) for name, (n, ats) in enumerate(SERIES) for at in ats[n:]]
    )
    order = np.random.RandomState(0).permutation(len(index))
    rows = np.random.RandomState(1).randn(len(index), 2).astype(dtype)
    if on_disk:
        rows.tofile(tmp_path / "rows")
        rows = np.memmap(tmp_path / "rows", dtype, "r", shape=rows.shape)
    placements, expected = [], np.empty((len(index), window_size, 2), dtype=dtype)
    for name, (n_past, positions) in enumerate(SERIES):
        past = np.random.RandomState(name).randn(n_past, 2).astype(dtype)
        placements.append((past, np.array(positions)))
        own = np.flatnonzero(index.get_level_values(0)[order] == name)
        own = own[np.argsort(index.get_level_values(1)[order][own])]
        expected[own] = windows_after(
            past, np.array(rows[own]), np.array(positions), window_size, dilation, padding
        )
    panel = panel_of(index[order])
    with sklearn.config_context(working_memory=0 if on_disk else 1):
        found = windows_of_panel(placements, rows, panel, window_size, dilation, padding)
        base = found.base
        assert stays_on_disk(base) == on_disk
    assert found.dtype == dtype
    assert found.panel is panel
    np.testing.assert_array_equal(found, expected)
    reach = (window_size - 1) * dilation
    n_steps = [
        1 + np.minimum(np.diff(positions[n_past:]), reach + 1).sum() for n_past, positions in SERIES
    ]
    assert len(base) == sum(n_steps) + 3 * reach  # holes are no longer than a window reaches


def test_windows_around_holes_have_a_base_of_their_own_steps():
    rows = np.ones((3, 1), dtype=np.float32)
    windows = windows_after(rows[:0], rows, np.array([0, 2, 90]), 3, 1, "nan")
    base = windows.base
    assert base.dtype == np.float32
    assert len(base) == 2 + 1 + 2 + 3


@pytest.mark.parametrize("of_panel", [False, True])
def test_rows_of_a_file_are_written_block_by_block_to_a_file(of_panel, tmp_path, monkeypatch):
    """After each block, the memory of the base is let go."""
    let_go = []

    class Recorded(storage._TemporaryMap):
        def madvise(self, *args):
            let_go.append(args)

    monkeypatch.setattr(storage, "_TemporaryMap", Recorded)
    monkeypatch.setattr(storage, "_BLOCK_BYTES", 8 * 2 * 10)
    values = np.random.RandomState(0).randn(45, 2)
    values.tofile(tmp_path / "rows")
    rows = np.memmap(tmp_path / "rows", np.float64, "r", shape=(45, 2))
    with sklearn.config_context(working_memory=0):
        if of_panel:
            panel = panel_of(pd.MultiIndex.from_product([["a"], range(45)]))
            placements = [(values[:0], np.arange(45))]
            windows = windows_of_panel(placements, rows, panel, 3, 1, "nan")
        else:
            windows = windows_after(values[:0], rows, None, 3, 1, "nan")
    assert len(let_go) == 5
    np.testing.assert_array_equal(windows[2:, 0], values[:-2])
