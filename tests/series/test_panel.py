"""Which series and which time each row has, against loops over the labels."""

import re
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from sklstm._series.panel import (
    Panel,
    check_labels_of,
    of_series,
    panel_of,
    series_index,
    some_names,
)

DAYS = pd.date_range("2024-03-01", periods=6)
RANDOM = np.random.RandomState(0)


def index_of(**days_of):
    """Make an index from the numbers of the days of each series."""
    return pd.MultiIndex.from_tuples(
        [(name, DAYS[day]) for name, days in days_of.items() for day in days]
    )


SORTED = index_of(a=[0, 1, 3], b=[2], c=[0, 1, 2, 3, 4, 5], d=[4, 5])
SHUFFLED = SORTED[RANDOM.permutation(len(SORTED))]
SPARSE = pd.MultiIndex.from_tuples([(n % 40, 39 - n, n) for n in range(40)])
INDEXES = {
    "by series": SORTED,
    "by time": SORTED[np.argsort(SORTED.get_level_values(1), kind="stable")],
    "shuffled": SHUFFLED,
    "some of the labels": SHUFFLED[SHUFFLED.get_level_values(0) != "b"][:7],
    "levels out of order": SORTED.set_levels([list("xaby"), DAYS[[3, 1, 0, 2, 5, 4]]]),
    "names of two levels": pd.MultiIndex.from_product([["b", "a"], [2, 1], DAYS]),
    "some of two levels": pd.MultiIndex.from_product([["b", "a"], [2, 1], DAYS])[[20, 3, 2, 9]],
    "names of many levels": SPARSE,
    "names of several types": pd.MultiIndex.from_product([["b", 3, "a", 2.5], DAYS]),
    "names as categories": pd.MultiIndex.from_product([pd.Categorical(["b", "a"]), DAYS]),
    "periods": pd.MultiIndex.from_product([["b", "a"], pd.period_range("2024", periods=3)]),
    "integers": pd.MultiIndex.from_product([["b", "a"], [5, 3, 9]]),
    "numbers": pd.MultiIndex.from_product([["b", "a"], [0.5, -3.0, 9]]),
    "one row": SORTED[:1],
}


@pytest.mark.parametrize("kind", INDEXES)
def test_each_row_has_the_name_and_the_time_of_its_label(kind):
    index = INDEXES[kind]
    panel = panel_of(index)
    assert len(panel) == len(index)
    for label, series, clock in zip(index, panel.series, panel.clock, strict=True):
        assert panel.names[series] == (label[:-1] if len(label) > 2 else label[0])
        assert panel.times[clock] == label[-1]
    assert set(panel.series) == set(range(len(panel.names)))
    assert set(panel.clock) == set(range(len(panel.times)))
    assert all(one < other for one, other in pairwise(panel.times))
    if kind != "names of several types":
        assert panel.names == sorted(panel.names)
    assert panel.series.dtype == panel.clock.dtype == np.int16  # one number per row


@pytest.mark.parametrize("kind", INDEXES)
def test_rows_lie_in_the_order_of_their_series_and_of_time(kind):
    panel = panel_of(INDEXES[kind])
    keys = list(zip(panel.series.tolist(), panel.clock.tolist(), strict=True))
    order = sorted(range(len(keys)), key=keys.__getitem__)
    assert_array_equal(panel.order, order)
    assert panel.order.dtype == np.int32
    assert panel.is_sorted == (order == list(range(len(keys))))
    of = [[row for row in order if keys[row][0] == number] for number in range(len(panel.names))]
    assert_array_equal(panel.edges, np.cumsum([0, *map(len, of)]))
    assert panel.longest == max(range(len(of)), key=lambda number: len(of[number]))
    left = np.empty(len(keys))
    for number, rows in enumerate(of):
        assert_array_equal(np.arange(len(panel))[panel.rows_of(number)], rows)
        assert isinstance(panel.rows_of(number), slice) == panel.is_sorted
        assert list(panel.times_of(number)) == [panel.times[panel.clock[row]] for row in rows]
        left[rows] = np.arange(len(rows))[::-1]
    assert_array_equal(panel.rows_left(), left)
    assert panel.rows_left().dtype == np.int32


def test_a_series_whose_rows_lie_apart_is_not_sorted():
    panel = panel_of(SORTED)
    assert panel.is_sorted
    assert not panel.take([0, 3, 1]).is_sorted  # of series, not in time
    assert not panel.take([1, 0]).is_sorted
    assert not panel.take([3, 0]).is_sorted
    assert panel.take([0, 1, 5]).is_sorted
    assert_array_equal(panel.take([0, 1, 5]).edges, [0, 2, 2, 3, 3])
    assert panel.take(slice(2, 5)).names is panel.names
    assert panel.take(panel.series == 2).longest == 2


@pytest.mark.parametrize(
    "other",
    [
        index_of(e=[1, 2]),
        index_of(a=[4, 5], b=[2], e=[0]),
        index_of(A=[5], c=[0, 1]).set_levels(DAYS[[0, 1, 5]] + pd.Timedelta("1h"), level=1),
        SHUFFLED,
    ],
    ids=["new", "more", "between", "same"],
)
def test_joined_panels_have_each_label_once(other):
    found = panel_of(SORTED).joined(panel_of(other))
    labels = [
        (found.names[series], found.times[clock])
        for series, clock in zip(found.series, found.clock, strict=True)
    ]
    assert labels == sorted({*SORTED, *other})
    assert found.names == sorted({name for name, _ in labels})


def test_names_of_several_types_lie_in_the_order_of_their_types():
    index = INDEXES["names of several types"]
    for order in (slice(None), slice(None, None, -1)):
        assert panel_of(index[order]).names == [2.5, 3, "a", "b"]
    more = pd.MultiIndex.from_product([["A", 10, 9], DAYS])
    found = panel_of(index).joined(panel_of(more))
    assert found.names == [2.5, 10, 3, 9, "A", "a", "b"]  # numbers as text
    labels = [found.names[series] for series in found.series]
    assert labels == [name for name in found.names for _ in DAYS]


def test_more_times_and_series_than_a_short_number_has():
    n = 40_000
    many = pd.MultiIndex.from_arrays([np.arange(n) // 2, np.arange(n)[::-1]])
    for index in (many, many.swaplevel()):
        panel = panel_of(index)
        assert_array_equal(np.array(panel.names)[panel.series], index.get_level_values(0))
        assert_array_equal(panel.times[panel.clock], index.get_level_values(1))


def test_no_rows_have_no_series():
    panel = panel_of(SORTED[:0])
    assert (len(panel), panel.names, len(panel.times)) == (0, [], 0)


@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_missing_label_is_named_by_its_level(level):
    labels = [["north", "a", DAYS[0]], ["north", "b", DAYS[1]]]
    labels[1][level] = None
    index = pd.MultiIndex.from_tuples(map(tuple, labels))
    message = (
        f"Level {level} of the index of y has missing labels, but every row needs the name of its "
        "series and its place in time. Drop the rows without a label, or give them one."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        panel_of(index, "y")


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_a_label_that_is_there_twice_is_named_with_its_series(order):
    index = SORTED.append(SORTED[[7]])[order]
    with pytest.raises(ValueError, match=r"^Series 'c': The index of y .*duplicates.*2024-03-04"):
        panel_of(index, "y")
    index = SORTED.append(SORTED[[0]])[order]
    with pytest.raises(ValueError, match=r"^Series 'a': The index of X .*duplicates"):
        panel_of(index)


# Which level is time -------------------------------------------------------------------------


def product(*levels):
    return pd.MultiIndex.from_product(levels)


NAMES = ["b", "a"]
YEARS = "If it counts months or days, make one level of times from both"


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (product(DAYS, NAMES), "holds 'a', but expected times or numbers: the last level is time, "
         "and the others name the series. Put level 0 last: y.swaplevel(0, -1)."),
        (product(["x"], DAYS, NAMES), "Put level 1 last: y.swaplevel(1, -1)."),
        (product(NAMES, ["x"]), "holds 'x', but expected times or numbers: the last level is time, "
         "and the others name the series. Put the times there."),
        (product(DAYS, [7, 8]), "holds 7, but expected times: the last level is time, and the "
         "others name the series. Level 0 holds times or years ('2024-03-01'). If the last level "
         "names the series, put level 0 last: y.swaplevel(0, -1). If it counts months"),
        (product([2001, 2002, 2003], [7, 8]), "Level 0 holds times or years (2001)."),
        (product([1900, 1901, 1902], [7, 8]), "If level 0 does name the series, make it text: "
         "y.index = y.index.set_levels([f'from {label}' for label in y.index.levels[0]], level=0)"),
        (product([2098, 2099, 2100], [7, 8]), YEARS),
        (product(NAMES, [2001, 2002, 2003], [7.0, 8]), "put level 1 last: y.swaplevel(1, -1)"),
        (product(NAMES, ["05/01/2024", "12/01/2024"]), "The last level of the index of y holds "
         "dates as text ('05/01/2024'), whose order as text need not be that of time. Turn them "
         "into times = pd.to_datetime(y.index.levels[-1], format='%d/%m/%Y')"),
        (product(NAMES, ["2024-01-05", "x"]), "holds 'x', but expected times or numbers"),
        (product(NAMES, [True, False]), "expected times or numbers"),
    ],
)  # fmt: skip
def test_a_last_level_that_is_no_time_is_refused(index, message):
    with pytest.raises(ValueError, match="^The last level of the index of y holds ") as error:
        panel_of(index, "y")
    assert message in str(error.value)


@pytest.mark.parametrize(
    "names",
    [
        [2001, 2002],
        [2001, 2002, 2004],
        [1899, 1900, 1901],
        [2099, 2100, 2101],
        [7, 8, 9],
        [2001.0, 2002.0, 2003.0],
        ["2001", "2002", "2003"],
        [DAYS[0], "x"],
    ],
    ids=str,
)
def test_numbers_follow_names_that_are_no_years(names):
    assert list(panel_of(product(names, [3, 4])).times) == [3, 4]


def test_years_follow_years():
    assert panel_of(product([2001, 2002, 2003], [1990, 1991, 1992])).names == [2001, 2002, 2003]


def test_names_may_be_times_before_times():
    panel = panel_of(product(DAYS[:2], DAYS))
    assert panel.names == DAYS[:2].to_list()
    assert panel.times.equals(DAYS)


# Labels of other inputs ----------------------------------------------------------------------


def frame(index):
    return pd.Series(np.arange(len(index)), index)


@pytest.mark.parametrize("kind", ["by series", "shuffled"])
def test_inputs_with_the_labels_of_the_windows_fit(kind):
    index = INDEXES[kind]
    panel = panel_of(index)
    order = None if panel.is_sorted else panel.order
    panel = panel if order is None else panel.take(order)
    fits = {
        "y": frame(index),
        "sample_weight": np.ones(len(index)),
        "rows": frame(DAYS),
        "shorter": frame(index[:5]),  # checked elsewhere
    }
    check_labels_of(panel, order, **fits)
    n = len(index)
    for row in range(n - 1):
        swapped = np.r_[:row, row + 1, row, row + 2 : n]
        start = "^X and z have different indexes. The first difference is in row "
        with pytest.raises(ValueError, match=start) as error:
            check_labels_of(panel, order, **fits, z=frame(index[swapped]))
        message = str(error.value)
        first = row if order is None else order[np.flatnonzero(np.isin(order, [row, row + 1]))[0]]
        in_x, in_z = index[first], index[swapped][first]
        assert f" in row {first}: " in message
        texts = [f"('{name}', '{time:%Y-%m-%d}')" for name, time in (in_x, in_z)]
        assert f"{texts[0]} in X, {texts[1]} in z. Pass z.reindex(X.index) of" in message


@pytest.mark.parametrize("row", range(len(SORTED)))
def test_a_label_that_the_windows_do_not_have_is_another_one(row):
    panel, (name, time) = panel_of(SORTED), SORTED[row]
    for other in (("z", time), (name, DAYS[-1] + pd.Timedelta("1h"))):
        index = pd.MultiIndex.from_tuples([*SORTED[:row], other, *SORTED[row + 1 :]])
        message = rf"row {row}: \('{name}', '{time:%Y-%m-%d}'\) in X, \('{other[0]}', '2024"
        with pytest.raises(ValueError, match=message):
            check_labels_of(panel, None, y=frame(index))


def test_an_error_in_the_labels_of_an_input_names_it():
    with pytest.raises(ValueError, match="^Series 'a': The index of y .*duplicates"):
        check_labels_of(panel_of(SORTED), None, y=frame(SORTED.append(SORTED[:1])))


def test_labels_of_several_series_beside_windows_of_one_are_refused():
    check_labels_of(None, None, y=frame(DAYS), z=np.ones(3))
    with pytest.raises(ValueError, match=r"^The index of z has several levels.*asarray\(windows\)"):
        check_labels_of(None, None, y=frame(DAYS), z=frame(SORTED))


# Messages ------------------------------------------------------------------------------------


def test_an_error_says_of_which_series_it_is():
    with pytest.raises(ValueError, match=r"^Series 'a': it is so$") as error, of_series("a"):
        raise ValueError("it is so")
    assert str(error.value.__cause__) == "it is so"
    with pytest.raises(KeyError), of_series("a"):
        raise KeyError("no error of values")
    with pytest.raises(ValueError, match="^Series ") as error, of_series(("a", 3)):
        raise ValueError("Sort X.index.")
    assert str(error.value) == (
        "Series ('a', 3): Sort X.index. Here .index stands for .index.levels[-1], and "
        ".index.set_levels(labels, level=-1) returns the index with other labels."
    )


def test_a_message_names_three_series():
    assert some_names(["a", "b", 3]) == "'a', 'b', 3"
    assert some_names(["a", "b", 3, "c"]) == "'a', 'b', 3, ..."


def test_an_index_of_several_levels_is_that_of_several_series():
    assert isinstance(series_index(frame(SORTED)), Panel)
    assert series_index(frame(DAYS)).equals(DAYS)
    assert series_index(np.ones(3)) is None
    with pytest.raises(ValueError, match="index of y"):
        series_index(frame(product(NAMES, ["x"])), "y")
    with pytest.raises(ValueError, match="The index of X is not increasing"):
        series_index(frame(DAYS[::-1]))
    with pytest.raises(ValueError, match="The index of y is not increasing"):
        series_index(frame(DAYS[::-1]), "y")
    dates = pd.date_range("2024-01-01", periods=9).strftime("%d/%m/%Y")
    with pytest.raises(ValueError, match=r"index of y .*dates"):
        series_index(frame(dates), "y")
    assert series_index(frame(dates), "y", "rows").equals(dates)
