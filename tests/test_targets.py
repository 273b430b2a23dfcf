"""forecast_targets: the next values of a series, row by row."""

import re
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklstm import LSTMRegressor, forecast_targets

NAN = np.nan


def looped_targets(values, positions, horizon):
    known = dict(zip(positions, values, strict=True))
    return np.array(
        [[known.get(t + lead, NAN) for lead in range(1, horizon + 1)] for t in positions]
    ).reshape(len(values), horizon)


@settings(deadline=None, max_examples=100, database=None)
@given(st.integers(1, 12), st.integers(1, 15), st.sampled_from([np.float32, np.float64, np.int64]))
def test_targets_equal_a_loop(n_rows, horizon, dtype):
    values = np.arange(n_rows).astype(dtype)
    targets = forecast_targets(values, horizon)
    assert targets.shape == (n_rows, horizon)
    assert targets.dtype == (np.float32 if dtype == np.float32 else np.float64)
    np.testing.assert_array_equal(targets, looped_targets(values, range(n_rows), horizon))


@settings(deadline=None, max_examples=100, database=None)
@given(st.lists(st.integers(1, 9), max_size=2), st.integers(1, 12), st.integers(3, 12))
def test_targets_over_holes_of_the_index_equal_a_loop(holes, horizon, rows_between):
    positions = []
    start = 5
    for hole in [0, *holes]:
        start += hole
        positions += range(start, start + rows_between)
        start += rows_between
    values = 0.5 + np.arange(len(positions))
    targets = forecast_targets(pd.Series(values, index=positions), horizon)
    np.testing.assert_array_equal(targets, looped_targets(values, positions, horizon))


@pytest.mark.parametrize(
    "series",
    [
        np.arange(4),
        np.arange(4.0)[:, np.newaxis],
        np.array([False, True, True, False]),
        [0, 1, 2, 3],
        (0.0, 1.0, 2.0, 3.0),
        pl.Series("load", [0, 1, 2, 3]),
        pl.DataFrame({"load": [0, 1, 2, 3]}),
    ],
    ids=lambda series: f"{type(series).__module__}.{type(series).__name__}",
)
def test_what_has_no_index_becomes_a_float_array(series):
    targets = forecast_targets(series, 2)
    assert type(targets) is np.ndarray
    assert targets.dtype == np.float64
    values = np.ravel(np.asarray(series))
    np.testing.assert_array_equal(targets, looped_targets(values, range(4), 2))


def test_array_targets_can_be_written_to_cell_by_cell():
    series = np.arange(4.0)
    targets = forecast_targets(series, 3)
    targets[0, 1] = -1.0
    np.testing.assert_array_equal(series, np.arange(4.0))
    assert np.count_nonzero(targets == -1.0) == 1


def test_frame_targets_can_be_written_to_cell_by_cell():
    series = pd.Series(np.arange(4.0))
    targets = forecast_targets(series, 3)
    targets.iloc[0, 1] = -1.0
    np.testing.assert_array_equal(series, np.arange(4.0))
    assert np.count_nonzero(targets == -1.0) == 1


def test_unknown_values_stay_unknown_targets():
    np.testing.assert_array_equal(forecast_targets([0.0, NAN, 2.0], 1), [[NAN], [2.0], [NAN]])


@pytest.mark.parametrize(
    ("series", "columns"),
    [
        (pd.Series([1.0, 2.0, 3.0], name="load"), ["load_lead1", "load_lead2"]),
        (pd.Series([1.0, 2.0, 3.0]), ["y_lead1", "y_lead2"]),
        (pd.Series([1.0, 2.0, 3.0], name=7), ["7_lead1", "7_lead2"]),
        (pd.DataFrame({"load": [1.0, 2.0, 3.0]}), ["load_lead1", "load_lead2"]),
    ],
    ids=["series", "no name", "number", "frame"],
)
def test_pandas_targets_are_named_after_the_series(series, columns):
    targets = forecast_targets(series, 2)
    assert list(targets.columns) == columns
    np.testing.assert_array_equal(targets, [[2.0, 3.0], [3.0, NAN], [NAN, NAN]])


@pytest.mark.parametrize(
    "index",
    [
        pd.RangeIndex(5, name="t"),
        pd.date_range("2024-02-27", periods=5, name="day"),
        pd.date_range("2024-10-25", periods=5, tz="Europe/Berlin"),
        pd.date_range("2024-01-31", periods=5, freq="ME"),
        pd.bdate_range("2024-02-29", periods=5),
        pd.period_range("2024-01", periods=5, freq="M"),
        pd.timedelta_range("1h", periods=5, freq="h"),
        pd.DatetimeIndex(["2024-01-01", "2024-01-02", "2024-01-09", "2024-01-31", "2024-03-03"]),
        pd.Index(["a", "b", "c", "d", "e"]),
        pd.Index([0.5, 1.0, 7.0, 7.5, 9.0]),
    ],
)
def test_pandas_targets_keep_the_index(index):
    targets = forecast_targets(pd.Series(np.arange(5.0), index=index), 1)
    pd.testing.assert_index_equal(targets.index, index)


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (np.float32, np.float32),
        ("Float32", np.float32),
        (np.float64, np.float64),
        (np.int16, np.float64),
        ("Int64", np.float64),
    ],
)
def test_pandas_targets_are_float(dtype, expected):
    targets = forecast_targets(pd.Series([1, 2, 3], dtype=dtype), 1)
    assert set(targets.dtypes) == {np.dtype(expected)}
    np.testing.assert_array_equal(targets, [[2.0], [3.0], [NAN]])


def test_a_hole_in_a_daily_index_makes_targets_unknown():
    index = pd.date_range("2024-01-01", periods=8).delete([3, 4])  # 4 and 5 January
    targets = forecast_targets(pd.Series([1.0, 2, 3, 6, 7, 8], index=index), 3)
    np.testing.assert_array_equal(
        targets,
        [
            [2, 3, NAN],
            [3, NAN, NAN],
            [NAN, NAN, 6],
            [7, 8, NAN],
            [8, NAN, NAN],
            [NAN, NAN, NAN],
        ],
    )


def test_a_horizon_may_be_longer_than_the_series():
    targets = forecast_targets([1.0, 2.0], 5)
    np.testing.assert_array_equal(targets, [[2, NAN, NAN, NAN, NAN], [NAN] * 5])


def test_a_hole_of_years_needs_no_memory_of_its_length():
    hours = pd.DatetimeIndex(
        [*pd.date_range("1900-01-01", periods=3, freq="h"), pd.Timestamp("2000-01-01")]
    )
    targets = forecast_targets(pd.Series([1.0, 2.0, 3.0, 4.0], index=hours), 2)
    np.testing.assert_array_equal(targets, [[2, 3], [3, NAN], [NAN, NAN], [NAN, NAN]])


NOT_INCREASING = [[0, 1], [1, 1], [2, 1], [], range(0), range(3), range(3, 0, -1), [1.0], [True, 2]]


@pytest.mark.parametrize(
    "horizon", [0, -1, 1.0, 2.5, "2", "12", None, True, {}, [[1]], *NOT_INCREASING]
)
def test_a_horizon_that_is_no_positive_int_is_refused(horizon):
    match = r"horizon must be an int of at least 1, or such ints in increasing order, .*, got "
    with pytest.raises(ValueError, match=match):
        forecast_targets([1.0, 2.0], horizon)


@pytest.mark.parametrize(
    "leads",
    [range(13, 38), [1], (2, 5), np.array([3, 255], np.uint8), range(2, 12, 3)],
)
@pytest.mark.parametrize("container", [pd.Series, np.asarray])
@pytest.mark.parametrize("holes", [False, True])
def test_the_leads_can_be_chosen(leads, container, holes):
    values, position = np.random.RandomState(0).rand(60), np.arange(60)
    if holes:
        position = np.delete(np.arange(70), [20, 21, 22, 30, 31, 40, 60, 61, 62, 63])
    series = pd.Series(values, position, name="load") if container is pd.Series else values
    targets = forecast_targets(series, leads)
    known = dict(zip(position if container is pd.Series else range(60), values, strict=True))
    expected = [[known.get(at + int(lead), NAN) for lead in leads] for at in known]
    np.testing.assert_array_equal(targets, expected)
    if container is pd.Series:
        assert list(targets.columns) == [f"load_lead{int(lead)}" for lead in leads]


def test_an_iterator_gives_leads():
    np.testing.assert_array_equal(forecast_targets([1.0, 2, 3], iter([2])), [[3], [NAN], [NAN]])


def test_an_lstm_learns_leads_that_start_later(chicago, small_lstm):
    series = chicago["ridership"]
    y = forecast_targets(series, range(13, 16))
    windows = chicago.to_numpy()[:, :1, np.newaxis]
    model = small_lstm().fit(windows, y)
    np.testing.assert_array_equal(model.target_leads_, [13, 14, 15])
    arrays = small_lstm(target_leads=range(13, 16))
    arrays.fit(windows, forecast_targets(series.to_numpy(), range(13, 16)))
    np.testing.assert_array_equal(model.predict(windows), arrays.predict(windows))


def test_a_numpy_int_is_a_horizon():
    assert forecast_targets([1.0, 2.0], np.int64(1)).shape == (2, 1)


@pytest.mark.parametrize(
    "series",
    [
        np.zeros((3, 2)),
        np.zeros((3, 0)),
        np.zeros((3, 1, 1)),
        np.float64(3.0),
        pd.DataFrame({"a": [1.0], "b": [2.0]}),
        pl.DataFrame({"a": [1.0], "b": [2.0]}),
    ],
    ids=lambda series: type(series).__name__,
)
def test_more_or_less_than_one_column_is_refused(series):
    shape = tuple(np.shape(series))
    with pytest.raises(ValueError, match=r"series has shape .* expected \(n_rows,\)") as error:
        forecast_targets(series, 1)
    assert str(shape) in str(error.value)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ([2, 1, 0], "not increasing"),
        ([0, 1, 1], r"duplicates \(first: .*1"),
        (pd.DatetimeIndex(["2024-01-01", "2024-01-02", "NaT"]), "missing labels"),
    ],
    ids=["decreasing", "duplicated", "NaT"],
)
def test_an_index_that_is_not_one_series_is_refused(index, message):
    with pytest.raises(ValueError, match=message):
        forecast_targets(pd.Series([1.0, 2.0, 3.0], index=index), 1)


@pytest.mark.parametrize("series", [[], np.zeros((0, 1)), pd.Series([], dtype=float)], ids=type)
def test_an_empty_series_is_refused(series):
    with pytest.raises(ValueError, match="series is empty"):
        forecast_targets(series, 1)


def test_rows_picked_from_a_series_are_refused():
    picked = pd.Series(np.arange(90.0)).sample(72, random_state=0).sort_index()
    with pytest.raises(ValueError, match="rows were picked from a series"):
        forecast_targets(picked, 1)


NUMBERS = np.array([0.5, -2.0, 8.0, 0.25, 4.0])
MASKED = np.ma.masked_array(NUMBERS, mask=[False, False, True, False, False])
GAPPED = {
    "masked": MASKED,
    "masked column": MASKED[:, np.newaxis],
    "masked ints": np.ma.masked_array(np.arange(5), mask=MASKED.mask),
    "masked float32": MASKED.astype(np.float32),
    "Float64": pd.Series(NUMBERS, dtype="Float64").mask(MASKED.mask),
    "Int64": pd.Series(range(5), dtype="Int64").mask(MASKED.mask),
    "pyarrow": pd.Series(NUMBERS, dtype="double[pyarrow]").mask(MASKED.mask),
    "NA in objects": pd.Series([0.5, -2.0, pd.NA, 0.25, 4.0], dtype=object),
    "NaT in objects": pd.Series([0.5, -2.0, pd.NaT, 0.25, 4.0], dtype=object),
    "Decimal and None": [Decimal("0.5"), Decimal(-2), None, Decimal("0.25"), Decimal(4)],
    "truth values": pd.Series([True, False, None, False, True], dtype="boolean"),
    "polars": pl.Series([0.5, -2.0, None, 0.25, 4.0]),
}


def known_values(series):
    """Read a series one value at a time; the third is unknown."""
    values = [float(np.ravel(series)[row]) for row in (0, 1, 3, 4)]
    return np.array([*values[:2], NAN, *values[2:]])


@pytest.mark.parametrize("series", GAPPED.values(), ids=GAPPED)
def test_what_is_masked_or_missing_is_an_unknown_target(series):
    targets = forecast_targets(series, 2)
    expected = looped_targets(known_values(series), range(5), 2)
    np.testing.assert_array_equal(targets, expected)
    float32 = getattr(series, "dtype", None) == np.float32
    assert np.asarray(targets).dtype == (np.float32 if float32 else np.float64)


@pytest.mark.parametrize("series", GAPPED.values(), ids=GAPPED)
def test_fit_reads_such_a_series_in_the_same_way(series):
    windows = np.sin(np.arange(15.0)).reshape(5, 3)
    quick = LSTMRegressor(2, max_epochs=1, n_jobs=1, random_state=0, early_stopping=False)
    expected = known_values(series).reshape(np.shape(series))
    read = quick.fit(windows, series).predict(windows)
    np.testing.assert_array_equal(read, quick.fit(windows, expected).predict(windows))


NO_NUMBERS = {
    "dates": np.arange("2024-01-01", "2024-01-21", dtype="M8[D]"),
    "NaT": np.full(20, "NaT", dtype="M8[ns]"),
    "dates with a time zone": pd.Series(pd.date_range("2024-01-01", periods=20, tz="UTC")),
    "durations": np.arange(20).astype("m8[s]"),
    "complex": np.arange(20) + 0j,
    "text": np.array(["a"] * 20),
    "objects": np.array([object()] * 20),
    "infinity": np.append(np.arange(19.0), np.inf),
    "structured": np.zeros(20, dtype=[("load", float)]),
}


@pytest.mark.parametrize("series", NO_NUMBERS.values(), ids=NO_NUMBERS)
def test_what_is_no_number_is_refused_here_and_in_fit(series):
    with pytest.raises((TypeError, ValueError), match="series (holds|is a|contains)"):
        forecast_targets(series, 1)
    with pytest.raises((TypeError, ValueError), match="y (holds|is a|contains)"):
        LSTMRegressor().fit(np.zeros((20, 3)), series)


@pytest.mark.parametrize("index", [[2, 1, 0], [0, 1, 1]])
def test_an_index_that_is_refused_is_that_of_the_series(index):
    with pytest.raises(ValueError, match=r"The index of series .*series\.(sort|reset)_index\("):
        forecast_targets(pd.Series([1.0, 2.0, 3.0], index=index), 1)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int16, np.uint64])
def test_a_horizon_of_every_integer_type_gives_the_same_targets(kind):
    series = np.arange(300.0)
    targets = forecast_targets(series, kind(120))
    assert targets.shape == (300, 120)
    assert targets[5].tolist() == list(range(6, 126))


@pytest.mark.parametrize("horizon", [True, 2.0, np.array(2), "2"])
def test_a_horizon_that_is_no_int_is_refused(horizon):
    with pytest.raises(ValueError, match="horizon must be an int of at least 1, or such ints"):
        forecast_targets(np.arange(9.0), horizon)


@pytest.mark.parametrize("horizon", [10**12, 10**18, 10**30, range(5, 10**13), [3, 10**18]])
def test_a_horizon_that_memory_does_not_hold_is_named(horizon):
    last = horizon if isinstance(horizon, int) else horizon[-1]
    match = f"horizon={horizon} needs an array of 2 rows for up to {last} steps ahead"
    with pytest.raises(ValueError, match=re.escape(match)):
        forecast_targets([1.0, 2.0], horizon)


def several(times):
    names = [("a", time) for time in times] + [("b", time) for time in times]
    return pd.MultiIndex.from_tuples(names)


DAYS = pd.date_range("2024", periods=40)
PICKED = DAYS[np.flatnonzero(np.random.RandomState(0).rand(40) > 0.3)]


@pytest.mark.parametrize(
    ("index", "freq", "message"),
    [
        (None, "D", "freq='D' says how the labels of the rows go on, but series has no index"),
        (None, 0, "freq must be .*, got 0"),
        (DAYS, 0, "freq must be .*, got 0"),
        (DAYS, 7, "freq=7 does not fit: the index of series"),
        (DAYS, "h", None),
        (PICKED, "auto", "The index of series steps over"),
        (several(DAYS), 7, "freq=7 does not fit: the index of series"),
        (several(PICKED), "auto", "The index of series steps over"),
    ],
)
def test_a_freq_that_does_not_fit_is_refused_by_the_name_of_the_argument(index, freq, message):
    n = 9 if index is None else len(index)
    series = np.arange(float(n)) if index is None else pd.Series(np.arange(float(n)), index)
    if message is None:
        assert np.isnan(forecast_targets(series, 2, freq=freq)).all(axis=None)  # no hour is there
        return
    with pytest.raises(ValueError, match=message):
        forecast_targets(series, 2, freq=freq)


@pytest.mark.parametrize(
    "index",
    [
        pd.DatetimeIndex(["2024-01-09", "2024-01-12"]),
        pd.DatetimeIndex(["2024-01-09", "2024-01-12"]).tz_localize("Europe/Berlin"),
        pd.Index(["2024-01-09", "2024-01-12"]),
        pd.PeriodIndex(["2024-01-09", "2024-01-12"], freq="D"),
        pd.to_timedelta(["9D", "12D"]),
        pd.Index([9, 12]),
    ],
)
def test_two_labels_that_do_not_tell_the_step_are_refused_and_the_advice_works(index):
    """Non-regression test: a hole between them was taken for the step."""
    series = pd.Series([1.0, 2.0], index)
    with pytest.raises(ValueError, match="series has two rows, .* do not tell how far") as caught:
        forecast_targets(series, 1)
    advice = eval(re.search(r"such as freq=(\S+) if none", str(caught.value)).group(1))
    assert forecast_targets(series, 1, freq=advice).iloc[0, 0] == 2.0
    of_series = 1 if index.inferred_type == "integer" else "D"
    assert forecast_targets(series, 1, freq=of_series).isna().all(axis=None)


@pytest.mark.parametrize(
    "index",
    [
        pd.date_range("2024-01-01", periods=9)[3:5],
        pd.date_range("2024-01-01", periods=9, freq="MS")[3:5],
        pd.period_range("2024-01-01", periods=2, freq="h"),
        pd.RangeIndex(9)[3:5],
        pd.Index([3, 4]),
        pd.Index([0.3, 0.7]),
        pd.Index(["a", "b"]),
        pd.DatetimeIndex(["2024-01-01", "2024-02-01"], freq="MS"),
    ],
)
def test_two_labels_that_tell_the_step_have_a_target(index):
    assert forecast_targets(pd.Series([1.0, 2.0], index), 1).iloc[0, 0] == 2.0
