"""The labels of a pandas index."""

import datetime
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest

from sklstm import SlidingWindowTransformer
from sklstm._series.frequency import time_axis
from sklstm._series.labels import (
    as_times,
    check_same_labels,
    index_of_labels,
    is_default,
    is_pandas,
    label_text,
    plain_labels,
    time_index,
)


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
            r"several levels.*one series.*X\.xs\('a'\)",
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


def test_a_row_that_was_stored_twice_can_be_dropped_as_advised():
    days = pd.date_range("2024-01-01", periods=5)
    X = pd.Series(np.arange(6.0), index=days[[0, 1, 1, 2, 3, 4]])
    with pytest.raises(ValueError, match=r"X\[~X\.index\.duplicated\(\)\]"):
        time_index(X)
    assert time_index(X[~X.index.duplicated()]).equals(days)


# ---- dates as text ------------------------------------------------------------------------

FORMATS = ["%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y%m%d", "%Y/%m/%d", "%d %b %Y", "%B %d, %Y"]
FORMATS += ["%d.%m.%y", "%m/%d/%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%m/%d/%Y %I:%M %p", "%Y%m%d%H"]


@pytest.mark.parametrize("order", ["in order", "newest first", "shuffled"])
@pytest.mark.parametrize("form", FORMATS)
def test_dates_as_text_are_refused_and_the_advice_works(form, order):
    days = pd.date_range("2020-01-20", periods=60)
    series = pd.Series(np.arange(60.0), index=days.strftime(form))
    rows = {"in order": range(60), "newest first": range(59, -1, -1)}.get(
        order, np.random.default_rng(0).permutation(60)
    )
    series = series.iloc[rows]
    with pytest.raises(ValueError, match="dates as text.*pd.to_datetime.*freq='rows'") as error:
        time_index(series)
    advised = re.search(r"format='(.*?)'\)", str(error.value)).group(1)
    series.index = pd.to_datetime(series.index, format=advised)
    assert time_index(series.sort_index()).equals(days) or "%d/%m" in form
    if order == "in order":
        series.index = days.strftime(form)
        assert time_index(series, freq="rows") is None or series.index.is_monotonic_increasing


def test_both_formats_are_named_if_dates_are_in_order_in_both():
    months = pd.date_range("2020-01-01", periods=36, freq="MS").strftime("%m/%d/%Y")
    with pytest.raises(ValueError, match="'%d/%m/%Y'\\), or with format='%m/%d/%Y'"):
        time_index(pd.Series(np.arange(36.0), index=months))
    days = pd.date_range("2020-03-08", periods=5).strftime("%y-%m-%d")
    with pytest.raises(ValueError, match="'%d-%m-%y'\\), or with format='%y-%m-%d'"):
        time_index(pd.Series(np.arange(5.0), index=days))


@pytest.mark.parametrize("form", ["%YM%m", "%Y_%m_%d", "%Y-%m-%d %H.%M", "%m.%Y", "%Y.%m", "%Y-%j"])
def test_rare_forms_of_dates_are_refused_and_the_advice_works(form):
    months = pd.date_range("2020-01-01", periods=60, freq="MS")
    series = pd.Series(np.arange(60.0), index=months.strftime(form))[::-1]
    with pytest.raises(ValueError, match="dates as text") as error:
        time_index(series)
    pattern = re.search(r"format='(.*?)'\)", str(error.value)).group(1)
    assert pd.to_datetime(series.index, format=pattern)[::-1].equals(months)


def test_dates_with_spaces_around_them_are_refused_and_the_advice_works():
    days = pd.date_range("2020-01-20", periods=60)
    series = pd.Series(np.arange(60.0), index=" " + days.strftime("%d.%m.%Y"))
    with pytest.raises(ValueError, match="dates as text") as error:
        time_index(series)
    advice = re.search(r"s.index = (.*\))\. Or", str(error.value).replace("X.", "s.")).group(1)
    assert pd.DatetimeIndex(eval(advice, {"pd": pd, "s": series})).equals(days)


@pytest.mark.parametrize(
    "form",
    ["%B %d %Y", "%a %b %d %Y", "%A, %d %B %Y", "%a, %d %b %Y %H:%M:%S", "%d/%b/%Y", "%d. %B %Y"],
)
def test_dates_with_names_of_months_are_refused_and_the_advice_works(form):
    days = pd.date_range("2020-01-20", periods=60)
    series = pd.Series(np.arange(60.0), index=days.strftime(form))
    with pytest.raises(ValueError, match=r"dates as text.*format='mixed'"):
        time_index(series[::-1])
    assert pd.to_datetime(series.index, format="mixed").equals(days)


@pytest.mark.parametrize("labels", [["1965Q1", "1965Q3"], ["1965-Q1", "1965-Q3"]])
def test_quarters_as_text_are_refused_and_the_advice_works(labels):
    with pytest.raises(ValueError, match=r"pd.PeriodIndex\(X.index, freq='Q'\)"):
        time_index(pd.Series([1.0, 2.0], index=labels))
    assert (pd.PeriodIndex(labels, freq="Q").astype("int64") % 4 == [0, 2]).all()


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m"])
def test_iso_text_is_read_as_dates(form):
    months = pd.date_range("2020-01-01", periods=9, freq="MS")
    series = pd.Series(np.arange(9.0), index=months.strftime(form))
    assert time_index(series).equals(months)
    with pytest.raises(ValueError, match="not increasing"):
        time_index(series[::-1])


@pytest.mark.parametrize("labels", ["shop {:03d}", "r{}", "v1.2.{}", "A-{:05d}", "{:02d}:00"])
def test_other_text_is_no_date(labels):
    index = [labels.format(number) for number in range(20)]
    assert time_index(pd.Series(np.arange(20.0), index=index[::-1])) is None


def test_text_in_increasing_order_lies_in_time_and_other_text_does_not():
    for labels, is_time in (("abc", True), ("a", True), ("acb", False), ("abb", False)):
        found = time_index(pd.Series(1.0, index=list(labels)))
        assert (found is not None and found.tolist() == list(labels)) is is_time


@pytest.mark.parametrize("labels", ["aabb", "aaabb", "aabbb", "bbaa", "aabbcc"])
def test_names_of_series_without_times_are_refused_unless_rows_follow_each_other(labels):
    series = pd.Series(1.0, index=list(labels))
    with pytest.raises(ValueError, match="look like the names of series"):
        time_index(series)
    assert time_index(series, freq="rows") is None


@pytest.mark.parametrize("labels", ["", "aa", "aaaa", "abb", "aab", "aabbc", "aabbaa", "abab"])
def test_text_that_comes_again_in_another_way_is_no_name_of_series(labels):
    assert time_index(pd.Series(1.0, index=pd.Index(list(labels), dtype=object))) is None


def test_the_first_series_of_several_levels_is_named():
    for names, first in ((["b", "a"], "'b'"), ([("b", 2), ("a", 1)], "('b', 2)")):
        keys = [(*name, 0) if isinstance(name, tuple) else (name, 0) for name in names]
        with pytest.raises(ValueError, match=re.escape(f"X.xs({first}).")):
            time_index(pd.Series([1.0, 2.0], index=pd.MultiIndex.from_tuples(keys)))


@pytest.mark.parametrize("kind", ["objects", "text"])
def test_times_with_several_offsets_are_read_in_utc_and_need_one_each(kind):
    hours = pd.date_range("2024-03-31", periods=4, freq="h", tz="Europe/Berlin")
    python = [hour.to_pydatetime() for hour in hours]
    fixed = [time.replace(tzinfo=datetime.timezone(time.utcoffset())) for time in python]
    assert len({time.utcoffset() for time in fixed}) == 2

    def index_of(times):
        if kind == "text":
            return pd.Index([time.isoformat() for time in times])
        return pd.Index(times, dtype=object)

    found = time_index(on(index_of(fixed)))
    assert str(found.tz) == "UTC"
    assert (found == hours).all()
    for row in (0, 3):
        some = [time.replace(tzinfo=None) if at == row else time for at, time in enumerate(fixed)]
        with pytest.raises(
            ValueError, match=f"'{some[row]}' without its offset to UTC".replace(" ", ".", 1)
        ):
            time_index(on(index_of(some)))


def test_categories_of_times_are_times():
    days = pd.date_range("2024-01-01", periods=3)
    assert time_index(on(pd.CategoricalIndex(days))).equals(days)


def test_text_that_looks_like_an_iso_date_and_is_none_is_a_name():
    assert time_index(pd.Series([1.0, 2.0], index=["2020-13-01", "2020-11-45"])) is None


# ---- clocks that change -------------------------------------------------------------------


@pytest.mark.parametrize("freq", ["h", "30min", "10min"])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Sydney"])
def test_local_times_without_a_zone_are_told_from_duplicates(zone, freq):
    year = pd.date_range("2024-01-01", "2024-12-31", freq=freq, tz=zone)
    series = pd.Series(np.arange(float(len(year))), index=year.tz_localize(None))
    with pytest.raises(ValueError, match=r"clocks go back.*tz_localize\(.*ambiguous='infer'\)"):
        time_index(series)
    # The advice, with the zone that it is.
    assert time_index(series.tz_localize(zone, ambiguous="infer")).equals(year)


@pytest.mark.parametrize(
    ("zone", "day", "freq", "unit", "again"),
    [
        ("Europe/London", "2024-10-27", "h", "ns", "01:00"),
        ("Europe/Helsinki", "2024-10-27", "h", "ns", "03:00"),
        ("Europe/Berlin", "1990-09-30", "h", "ns", "02:00"),
        ("Australia/Sydney", "2005-03-27", "h", "ns", "02:00"),
        ("Atlantic/Azores", "2024-10-27", "h", "ns", "00:00"),
        ("Europe/Berlin", "2024-10-27", "s", "s", "02:00"),
    ],
)
def test_the_hour_that_clocks_repeat_is_named(zone, day, freq, unit, again):
    start = (pd.Timestamp(day) - pd.Timedelta("2h")).tz_localize(zone).as_unit(unit)
    times = pd.date_range(start, periods=8 * 3600 if freq == "s" else 8, freq=freq)
    before = pd.Timestamp(f"{day} {again}")
    with pytest.raises(ValueError, match="clocks go back") as error:
        time_index(on(times.tz_localize(None)))
    assert f"(before {label_text(before)})" in str(error.value)


@pytest.mark.parametrize("at", ["2024-01-28 02:00", "2024-10-27 04:00", "2024-10-27 12:00"])
def test_an_hour_repeated_at_another_time_is_a_duplicate(at):
    hours = pd.date_range(at, periods=5, freq="h")
    with pytest.raises(ValueError, match="duplicates"):
        time_index(on(hours[[0, 0, 1, 2, 3]]))


def test_rows_that_go_back_by_a_whole_hour_in_autumn_are_not_increasing():
    hours = pd.date_range("2024-10-27 00:00", periods=4, freq="h")
    with pytest.raises(ValueError, match="not increasing"):
        time_index(on(hours[[0, 1, 3, 2]]))


def test_other_duplicates_are_duplicates():
    index = pd.date_range("2024-10-26 02:00", periods=3)
    with pytest.raises(ValueError, match="duplicates"):
        time_index(pd.Series(np.arange(4.0), index=index.append(index[-1:])))
    with pytest.raises(ValueError, match="not increasing"):
        time_index(pd.Series(np.arange(3.0), index=index[[0, 2, 1]]))


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
        pd.timedelta_range("1h", periods=2, freq="h").as_unit("s"),
        pd.Index([7, 8], dtype="uint8"),
        pd.Index([2**63, 2**63 + 1], dtype="uint64"),
        pd.Index([7, 8], dtype="UInt64"),
        pd.Index([7, 8], dtype=object),
    ],
)
def test_labels_come_back_from_their_plain_values(index):
    labels, dtype = plain_labels(index[:1])
    assert type(labels[0]) in (int, float, str)
    back = index_of_labels(labels, dtype, like=index)
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
    axis = time_axis(index)
    assert axis.scale == plain
    assert axis.positions(axis.ticks(index), index).tolist() == [0, 1, 2, 4, 5]
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
    assert f"{label_text(label)} in X, {label_text(other)} in y" in str(error.value)


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
    with pytest.raises(ValueError, match="'2024-01-01' in X, '2024-01-04' in y"):
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


@pytest.mark.parametrize(
    ("index", "other"),
    [
        (pd.Index([1, 2]), pd.Index([1.0, 3.0])),
        (pd.Index([1, 2]), pd.Index([1.0, 2.5])),
        (HOURS[:2], HOURS[:1].append(pd.DatetimeIndex(["NaT"], tz="UTC"))),
        (pd.Index([None, "a"]), pd.Index(["", "a"])),
    ],
    ids=["floats", "fractions", "missing", "empty text"],
)
def test_other_labels_are_told_apart(index, other):
    for X, y in ((index, other), (other, index)):
        with pytest.raises(ValueError, match="different indexes"):
            check_same_labels(X=on(X), y=on(y))


def test_rows_without_labels_fit_integers():
    check_same_labels(X=on(pd.Index([3, 4, 6])), y=on(pd.RangeIndex(3)))


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
    with pytest.raises(ValueError, match="y and sample_weight have different indexes"):
        check_same_labels(X=on(HOURS[1:]), y=on(HOURS), sample_weight=on(HOURS[::-1]))


@pytest.mark.parametrize(
    ("label", "text"),
    [
        (np.int64(5), "5"),
        (np.float64(0.5), "0.5"),
        (np.str_("a"), "'a'"),
        ("shop 1", "'shop 1'"),
        (("north", np.int64(5)), "('north', 5)"),
        ((pd.Timestamp("2024-01-01"),), "('2024-01-01',)"),
        (pd.Timestamp("2024-01-01"), "'2024-01-01'"),
        (pd.Timestamp("2024-01-01 05:30"), "'2024-01-01 05:30:00'"),
        (pd.Timestamp("2024-01-01", tz="Europe/Berlin"), "'2024-01-01 00:00:00+01:00'"),
        (np.datetime64("2024-01-01T00:00:00"), "'2024-01-01'"),
        (np.timedelta64(36, "h"), "'1 days 12:00:00'"),
        (pd.Timedelta("1h"), "'0 days 01:00:00'"),
        (pd.Period("2024-02", "M"), "'2024-02'"),
        (pd.NaT, "NaT"),
    ],
)
def test_messages_write_labels_as_a_user_does(label, text):
    assert label_text(label) == text


@pytest.mark.parametrize(
    ("index", "text"),
    [
        (pd.Index([1, 2, 2]), "first: 2)"),
        (pd.DatetimeIndex(["2024-01-01", "2024-01-02", "2024-01-02"]), "first: '2024-01-02')"),
        (pd.MultiIndex.from_tuples([(5, 1), (5, 2), (5, 2)]), "Series 5: .*first: 2)"),
    ],
)
def test_duplicates_are_named_as_a_user_writes_them(index, text):
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0]}, index)
    with pytest.raises(ValueError, match=text.replace(")", r"\)")):
        SlidingWindowTransformer(2).fit(frame)


@pytest.mark.parametrize("form", ["%d.%m.%Y", "%B %d, %Y"])
def test_dates_as_text_are_rows_if_the_user_says_so(form):
    text = pd.date_range("2024-01-01", periods=40).strftime(form)
    assert time_index(on(text.sort_values()), freq="rows").equals(text.sort_values())
    assert time_index(on(text.sort_values()[::-1]), freq="rows") is None


@pytest.mark.parametrize("name", [None, "day"])
def test_times_in_the_one_level_of_an_index_are_times(name):
    days = pd.date_range("2024-01-01", periods=3)
    assert time_index(on(pd.MultiIndex.from_arrays([days], names=[name]))).equals(days)


@pytest.mark.parametrize("dtype", ["float64", "float32", "Float64"])
def test_years_as_floats_are_integers(dtype):
    found = as_times(pd.Index([1950.0, 1951.0, 1953.0], dtype=dtype))
    assert found.dtype == np.int64
    assert found.tolist() == [1950, 1951, 1953]


@pytest.mark.parametrize(
    "labels",
    [[1950.0, 1950.5], [0.25, 0.75], [2.0**53, 2.0**53 + 2], [1950.0, np.nan], [-np.inf, 1950.0]],
)
@pytest.mark.parametrize("dtype", ["float64", "Float64"])
def test_floats_that_integers_cannot_replace_stay_floats(labels, dtype):
    index = pd.Index(labels, dtype=dtype)
    assert as_times(index) is index


def test_the_largest_whole_floats_that_have_a_next_one_are_integers():
    assert as_times(pd.Index([2.0**53 - 1, 2.0**53])).dtype == np.float64
    assert as_times(pd.Index([2.0**53 - 2, 2.0**53 - 1])).dtype == np.int64


@pytest.mark.parametrize("labels", [[-(2**62), 0, 5], [0, 1, 2**62], [2**62, 2**62 + 2, 2**62 + 4]])
def test_integers_whose_difference_may_overflow_are_refused(labels):
    largest = max(abs(labels[0]), abs(labels[-1]))
    with pytest.raises(ValueError, match=rf"the integer {largest}, but expected .* below 2\*\*62"):
        time_axis(pd.Index(labels), "rows").ticks(pd.Index(labels))
    fitting = [1 - 2**62, 0, 2**62 - 1]
    assert time_axis(pd.Index(fitting), "rows").ticks(pd.Index(fitting)).tolist() == fitting
