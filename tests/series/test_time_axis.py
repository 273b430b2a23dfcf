"""The positions of rows in time, from their index."""

import datetime
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklstm._series.time_axis import (
    check_same_labels,
    index_of_label,
    infer_time_axis,
    is_default,
    is_pandas,
    plain_label,
    time_index,
)


def positions(axis, index):
    return axis.positions(axis.ticks(index)).tolist()


def test_pandas_is_optional():
    code = (
        "import importlib.abc, sys\n"
        "class NoPandas(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name.split('.')[0] == 'pandas':\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, NoPandas())\n"
        "import numpy as np\n"
        "from sklstm import SlidingWindowTransformer, forecast_targets\n"
        "X = np.arange(9.0)[:, np.newaxis]\n"
        "windows = SlidingWindowTransformer(3).fit(X[:6]).partial_fit(X[6:7]).transform(X[7:])\n"
        "print(windows[0, :, 0].tolist(), forecast_targets(X, 1).shape)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.split("\n")[0] == "[5.0, 6.0, 7.0] (9, 1)", done.stderr


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (pd.DataFrame({"a": [1.0]}), True),
        (pd.Series([1.0]), True),
        (pd.Index([1.0]), False),
        (np.zeros((1, 1)), False),
        ([[1.0]], False),
        (pl.DataFrame({"a": [1.0]}), False),
        (None, False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_only_frames_and_series_of_pandas_are_pandas(X, expected):
    assert is_pandas(X) is expected
    assert (time_index(X) is not None) is expected


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (pd.RangeIndex(5), True),
        (pd.DataFrame({"a": [1, 2]}).index, True),
        (pd.RangeIndex(1, 5), False),
        (pd.RangeIndex(0, 10, 2), False),
        (pd.Index([0, 1, 2]), False),
        (pd.date_range("2024-01-01", periods=3), False),
    ],
)
def test_the_default_index_counts_from_zero(index, expected):
    assert is_default(index) is expected


@pytest.mark.parametrize(
    "index",
    [
        ["b", "a", "a"],
        pd.Index(["b", "a", "a"], dtype="category"),
        pd.Index([True, False, True]),
        pd.Index([None, "a", "b"], dtype=object),
    ],
    ids=["text", "category", "bool", "text and None"],
)
def test_labels_without_time_have_no_time_index(index):
    assert time_index(pd.Series([1.0, 2.0, 3.0], index=index)) is None


@pytest.mark.parametrize("container", [pd.DataFrame, pd.Series])
@pytest.mark.parametrize(
    ("index", "message"),
    [
        (
            pd.MultiIndex.from_product([["a"], [0, 1, 2]]),
            "several levels.*one estimator per series",
        ),
        (pd.Index([0.0, np.nan, 2.0]), "missing labels, but every row needs its place in time"),
        (pd.PeriodIndex(["2024-01", "NaT", "2024-03"], freq="M"), "missing labels"),
        (pd.Index([0, 2, 1]), r"not increasing.*X\.sort_index\(\).*TimeSeriesSplit"),
        (pd.timedelta_range("3h", "1h", freq="-1h"), "not increasing"),
        (pd.Index([7, 7, 9]), r"duplicates \(first: .*7.*\).*X\.reset_index\(drop=True\)"),
    ],
    ids=["levels", "NaN", "NaT", "order", "backwards", "duplicates"],
)
def test_an_index_that_is_not_one_series_is_refused(container, index, message):
    with pytest.raises(ValueError, match=f"The index of X .*{message}"):
        time_index(container(np.zeros(3), index=index))


@pytest.mark.parametrize(
    ("index", "kind", "scale", "regular"),
    [
        (pd.RangeIndex(9), "integer", "value", True),
        (pd.RangeIndex(0, 90, 10), "integer", "value", True),
        (pd.Index(np.arange(5, 9, dtype=np.uint8)), "integer", "value", True),
        (pd.Index(range(5), dtype="Int64"), "integer", "value", True),
        (pd.date_range("2024-01-01", periods=9, freq="h"), "datetime", "value", True),
        (pd.date_range("2024-01-01", periods=9, unit="s"), "datetime", "value", True),
        (pd.date_range("2024-01-01", periods=9, freq="W"), "datetime", "value", True),
        (pd.bdate_range("2024-01-01", periods=9), "datetime", "business_day", True),
        (pd.date_range("2024-01-01", periods=9, freq="MS"), "datetime", "month", True),
        (pd.date_range("2024-01-01", periods=9, freq="ME"), "datetime", "month", True),
        (pd.date_range("2024-01-01", periods=9, freq="QS"), "datetime", "month", True),
        (pd.date_range("2024-01-01", periods=9, freq="YE"), "datetime", "month", True),
        (
            pd.date_range("2024-03-28", periods=9, tz="Europe/Berlin"),
            "datetime in Europe/Berlin",
            "wall",
            True,
        ),
        (
            pd.date_range("2024-03-31", periods=9, freq="h", tz="Europe/Berlin"),
            "datetime in Europe/Berlin",
            "value",
            True,
        ),
        (pd.period_range("2024-01", periods=9, freq="M"), "period[M]", "value", True),
        (pd.period_range("2024-01", periods=9, freq="2h"), "period[2h]", "value", True),
        (pd.timedelta_range("0h", periods=9, freq="h"), "timedelta64", "value", True),
        (
            pd.DatetimeIndex(["2024-01-01", "2024-01-02", "2024-01-09 07:00"]),
            "datetime",
            "value",
            False,
        ),
        (pd.Index([0.1, 0.5, 7.0]), "floating", "value", False),
        (pd.RangeIndex(3, 4), "integer", "value", False),
        (pd.date_range("2024-01-01", periods=1), "datetime", "value", False),
    ],
    ids=str,
)
def test_the_time_axis_of_an_index(index, kind, scale, regular):
    axis = infer_time_axis(index)
    assert (axis.kind, axis.scale, axis.step is not None) == (kind, scale, regular)
    assert positions(axis, index) == list(range(len(index)))
    if regular:
        assert positions(axis, index.delete(2)) == [0, 1, *range(3, len(index))]


@pytest.mark.parametrize(
    "index",
    [
        [datetime.date(2024, 1, day) for day in (1, 2, 3, 4, 6, 7)],
        pd.Index([datetime.datetime(2024, 1, day) for day in (1, 2, 3, 4, 6, 7)], dtype=object),
        pd.DatetimeIndex([f"2024-01-0{day}" for day in (1, 2, 3, 4, 6, 7)]),
        pd.Index(list(pd.period_range("2024-01-01", periods=7).delete(4)), dtype=object),
        pd.date_range("2024-01-01", periods=7).delete(4).astype("timestamp[ns][pyarrow]"),
        pd.date_range("3024-01-01", periods=7, unit="s").delete(4),
        pd.date_range("1024-01-01", periods=7, unit="s").delete(4),
        pd.Index([0, 1, 2, 3, 5, 6], dtype="int64[pyarrow]"),
        pd.Index([0, 1, 2, 3, 5, 6], dtype=object),
    ],
    ids=[
        "dates",
        "datetimes",
        "DatetimeIndex",
        "periods",
        "arrow times",
        "year 3024",
        "year 1024",
        "arrow integers",
        "integers",
    ],
)
def test_times_and_numbers_have_a_time_axis_however_they_are_stored(index):
    index = time_index(pd.Series(np.zeros(6), index=index))
    assert positions(infer_time_axis(index), index) == [0, 1, 2, 3, 5, 6]


@settings(deadline=None, max_examples=100, database=None)
@given(
    st.integers(-50, 50),
    st.integers(1, 7),
    st.lists(st.integers(2, 40), max_size=2),
    st.integers(1, 9),
)
def test_positions_count_the_steps_left_out(start, step, holes, rows_between):
    steps = [0, *[1] * rows_between]
    for hole in holes:
        steps += [hole, *[1] * rows_between]
    expected = np.cumsum(steps)
    index = pd.Index(start + step * expected)
    assert positions(infer_time_axis(index), index) == expected.tolist()


@pytest.mark.parametrize(
    ("fitted", "passed", "expected"),
    [
        ("2024-01-01", pd.DatetimeIndex(["2024-02-01", "2024-02-02", "2024-02-05"]), [0, 1, 4]),
        ("2024-01-01", pd.DatetimeIndex(["2024-02-01", "2024-02-29"]), [0, 28]),
    ],
)
def test_a_time_axis_counts_in_the_steps_it_was_made_with(fitted, passed, expected):
    axis = infer_time_axis(pd.date_range(fitted, periods=20))
    assert positions(axis, passed) == expected


def test_business_days_are_counted_over_weekends_and_holidays_are_holes():
    axis = infer_time_axis(pd.bdate_range("2024-01-01", periods=10))
    friday_to_tuesday = pd.DatetimeIndex(["2024-03-28", "2024-03-29", "2024-04-02"])
    assert positions(axis, friday_to_tuesday) == [0, 1, 3]


def test_business_days_with_holidays_among_them_count_as_consecutive():
    index = pd.bdate_range("2024-01-01", periods=30).delete([8, 20])
    assert infer_time_axis(index).step is None
    assert positions(infer_time_axis(index), index) == list(range(28))


@pytest.mark.parametrize(
    ("fitted", "passed"),
    [
        (
            pd.date_range("2024-01-01", periods=9, freq="h"),
            pd.date_range("2024-02-01", periods=9, freq="7min"),
        ),
        (pd.bdate_range("2024-01-01", periods=9), pd.date_range("2024-02-01", periods=9)),
        (pd.date_range("2024-01-01", periods=9, freq="MS"), pd.date_range("2025-02-01", periods=9)),
        (
            pd.date_range("2024-03-28", periods=9, tz="Europe/Berlin"),
            pd.date_range("2024-10-27", periods=9, freq="h", tz="Europe/Berlin"),
        ),
    ],
    ids=["minutes in hours", "weekends in business days", "days in months", "hours in days"],
)
def test_no_two_rows_share_a_position(fitted, passed):
    assert np.all(np.diff(positions(infer_time_axis(fitted), passed)) >= 1)


@pytest.mark.parametrize("every", [0.15, 0.25, 0.4])
def test_rows_picked_from_a_regular_index_are_refused_with_their_numbers(every):
    kept = np.flatnonzero(np.random.default_rng(0).random(400) > every)
    left_out = kept[-1] - kept[0] + 1 - len(kept)
    places = np.count_nonzero(np.diff(kept) > 1)
    message = f"steps over {left_out} rows in {places} places, for {len(kept)} rows"
    with pytest.raises(ValueError, match=message):
        infer_time_axis(pd.Index(kept))


@pytest.mark.parametrize("n_holes", [1, 2, 9])
def test_one_hole_in_ten_steps_is_a_regular_index(n_holes):
    kept = np.delete(np.arange(100), 3 + 10 * np.arange(n_holes))
    assert positions(infer_time_axis(pd.Index(kept)), pd.Index(kept)) == kept.tolist()


def test_labels_of_another_kind_are_refused_with_both_kinds():
    axis = infer_time_axis(pd.date_range("2024-01-01", periods=9))
    axis.check_kind(pd.date_range("2025-01-01", periods=2, freq="7min"))
    with pytest.raises(ValueError, match="of kind 'integer', but that of the fitted rows was 'dat"):
        axis.check_kind(pd.RangeIndex(3))


@pytest.mark.parametrize(
    "index",
    [
        pd.RangeIndex(7, 9),
        pd.Index([3, 4], dtype="Int64"),
        pd.Index([0.25, 0.75]),
        pd.Index(["a", "b"]),
        pd.date_range("2024-01-01 00:00:00.123456789", periods=2),
        pd.date_range("3024-01-01", periods=2, unit="s"),
        pd.date_range("2024-03-30 23:00", periods=2, tz="Europe/Berlin"),
        pd.date_range("2024-03-30", periods=2, tz=datetime.timezone(datetime.timedelta(hours=2))),
        pd.period_range("2024-01", periods=2, freq="M"),
        pd.timedelta_range("1ns", periods=2, freq="h"),
        pd.Index([7, 8], dtype="uint8"),
        pd.Index([2**63, 2**63 + 1], dtype="uint64"),
        pd.Index([7, 8], dtype="UInt64"),
        pd.Index([7, 8], dtype=object),
    ],
    ids=str,
)
def test_a_label_comes_back_from_its_plain_value(index):
    label, dtype = plain_label(index[:1])
    assert type(label) in (int, float, str)
    back = index_of_label(label, dtype, like=index)
    assert list(back) == list(index[:1])
    assert back.dtype == index.dtype
    assert getattr(back, "tz", None) == getattr(index, "tz", None)
    assert back.append(index[1:]).inferred_type == index.inferred_type


HOURS = pd.date_range("2024-10-26 20:00", periods=6, freq="h", tz="UTC")  # over the change of hour


def on(index):
    return pd.Series(np.arange(len(index)), index=index)


@pytest.mark.parametrize(
    ("labels", "plain"),
    [
        (pd.Series(HOURS.tz_localize(None)).astype("timestamp[ns][pyarrow]"), "value"),
        (pd.Series(HOURS).astype("timestamp[us, tz=Europe/Berlin][pyarrow]"), "value"),
        (pd.Series(HOURS - HOURS[0]).astype("duration[ms][pyarrow]"), "value"),
        (pd.Series(list((HOURS - HOURS[0]).to_pytimedelta()), dtype=object), "value"),
        (pd.Series(pd.date_range("2024-03-01", periods=6).date).astype("date32[pyarrow]"), "value"),
        (pd.Series(pd.date_range("2024-03-01", periods=6).date, dtype=object), "value"),
    ],
    ids=["timestamps", "time zone", "durations", "timedeltas of Python", "days", "days of Python"],
)
def test_times_of_pyarrow_and_python_are_times(labels, plain):
    index = time_index(on(pd.Index(labels)).drop(labels[3]))
    axis = infer_time_axis(index)
    assert axis.scale == plain
    assert positions(axis, index) == [0, 1, 2, 4, 5]
    with pytest.raises(ValueError, match="The index of y is not increasing"):
        time_index(on(pd.Index(labels)[::-1]), "y")


LABELS = {
    "times": pd.date_range("2024-01-01", periods=6, freq="h"),
    "times with a zone": HOURS,
    "periods": pd.period_range("2024-01", periods=6, freq="M"),
    "durations": pd.timedelta_range("1h", periods=6, freq="h"),
    "integers": pd.RangeIndex(10, 16),
    "floats": pd.Index([0.5, 1.0, 1.5, 2.0, 2.5, 3.0]),
    "text": pd.Index(list("abcdef")),
    "categories": pd.CategoricalIndex(list("abcdef")),
    "two levels": pd.MultiIndex.from_product([["a"], range(6)]),
    "missing integers": pd.Index([1, pd.NA, 3, 4, 5, 6], dtype="Int64"),
    "missing times": pd.DatetimeIndex(
        ["2024-01-01", "NaT", *pd.date_range("2024-01-02", periods=4)]
    ),
}


@pytest.mark.parametrize("index", LABELS.values(), ids=LABELS)
def test_the_first_label_that_differs_is_named_on_both_sides(index):
    X, y = on(index).to_frame(), on(index)
    check_same_labels(X=X, y=y.copy(), sample_weight=None)
    swapped = y.iloc[[0, 1, 2, 3, 5, 4]]
    with pytest.raises(ValueError, match="X and y have different indexes.* in row 4: ") as error:
        check_same_labels(X=X, y=swapped)
    label, other = index.tolist()[4:]
    assert f"{label!r} in X, {other!r} in y" in str(error.value)


@pytest.mark.parametrize("index", LABELS.values(), ids=LABELS)
def test_the_advice_about_other_labels_can_be_followed(index):
    X, y = on(index).to_frame(), on(index).iloc[::-1]
    aligned = y.reindex(X.index)
    check_same_labels(X=X, y=aligned)
    assert aligned.tolist() == [0, 1, 2, 3, 4, 5]
    check_same_labels(X=X, y=y.to_numpy())


@pytest.mark.parametrize("method", ["reindex", "loc"])
def test_a_longer_series_gives_the_targets_of_the_rows(method):
    days = pd.date_range("2024-01-01", periods=9)
    X, series = on(days[:6]).to_frame(), on(days)
    with pytest.raises(ValueError, match=r"Timestamp\('2024-01-01.* in X, Timestamp\('2024-01-04"):
        check_same_labels(X=X, y=series[3:])
    aligned = series.reindex(X.index) if method == "reindex" else series.loc[X.index]
    check_same_labels(X=X, y=aligned)
    assert aligned.tolist() == [0, 1, 2, 3, 4, 5]
    assert series[3:].reindex(X.index).isna().tolist() == [True] * 3 + [False] * 3


@pytest.mark.parametrize(
    ("index", "other"),
    [
        (HOURS, HOURS.tz_convert("Europe/Berlin")),
        (HOURS, HOURS.as_unit("ns")),
        (HOURS, pd.Index(pd.Series(HOURS).astype("timestamp[ms, tz=UTC][pyarrow]"))),
        (HOURS - HOURS[0], pd.Index(list((HOURS - HOURS[0]).to_pytimedelta()), dtype=object)),
        (pd.DatetimeIndex(["2024-01-01"]), pd.Index([datetime.date(2024, 1, 1)])),
        (pd.Index([1, 2]), pd.Index([1.0, 2.0])),
        (pd.Index(["a", "b"]), pd.CategoricalIndex(["a", "b"])),
        (pd.Index([1, 2], dtype="Int64"), pd.Index([1, 2], dtype="int8")),
    ],
    ids=["time zone", "unit", "pyarrow", "Python", "days", "floats", "categories", "nullable"],
)
def test_equal_labels_of_other_types_are_equal(index, other):
    check_same_labels(X=on(index), y=on(other))
    check_same_labels(X=on(other), y=on(index))


def test_times_without_a_zone_are_not_those_with_one():
    with pytest.raises(ValueError, match="different indexes"):
        check_same_labels(X=on(HOURS), y=on(HOURS.tz_localize(None)))


@pytest.mark.parametrize(
    "silent",
    [
        on(pd.RangeIndex(6)),
        on(pd.RangeIndex(10, 16)),  # rows picked from a default index, as by a splitter
        np.arange(6),
        list(range(6)),
        pl.Series(range(6)),
        None,
        on(HOURS[:5]),  # lengths are checked elsewhere
    ],
    ids=["default", "row numbers", "array", "list", "polars", "None", "length"],
)
def test_what_says_nothing_about_labels_fits_all(silent):
    check_same_labels(X=on(HOURS), y=silent)
    check_same_labels(X=silent, y=on(HOURS))


def test_every_pair_of_inputs_is_compared():
    with pytest.raises(ValueError, match="y and sample_weight have different indexes"):
        check_same_labels(X=np.zeros(6), y=on(HOURS), sample_weight=on(HOURS + pd.Timedelta("1h")))
