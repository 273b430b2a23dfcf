"""What is remembered of several series, and the windows that follow them.

Generated frames are in tests/test_several_series.py; here are the parts, in small frames.
"""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from sklstm import SlidingWindowTransformer
from sklstm._series.fitted_panel import (
    FittedPanel,
    histories_of_plain,
    last_rows_of_series,
    plain_histories,
)
from sklstm._series.panel import panel_of

NAN = np.nan
START, DAY = pd.Timestamp("2024-03-01"), pd.Timedelta(days=1)


def frame(days_of, step=DAY):
    """Make a frame from the numbers of the days of each series; each value tells of its label."""
    rows = [(name, START + day * step) for name, days in days_of.items() for day in days]
    values = [
        [1000 * number + day, -day] for number, days in enumerate(days_of.values()) for day in days
    ]
    return pd.DataFrame(np.array(values, dtype=float), pd.MultiIndex.from_tuples(rows))


PAST = frame({"a": range(12), "b": range(3, 15), "c": [*range(6), *range(8, 14)]})
LATER = frame({"a": [12, 13], "b": [17, 16], "between": [15, 16], "c": [14]})


def looked_up(X, past, size, dilation, padding):
    """Look each step of each window up by its label."""
    known = {label: row.to_numpy() for part in (past, X) for label, row in part.iterrows()}
    windows = np.full((len(X), size, 2), NAN)
    for window, (name, time) in zip(windows, X.index, strict=True):
        times = sorted(day for other, day in known if other == name)
        for step in range(size):
            wanted = time - (size - 1 - step) * dilation * DAY
            if padding == "edge":
                wanted = max([day for day in times if day <= wanted], default=times[0])
            window[step] = known.get((name, wanted), NAN)
    return windows


@pytest.mark.parametrize("padding", ["nan", "edge"])
@pytest.mark.parametrize(("size", "dilation"), [(4, 1), (3, 2), (1, 1)])
@pytest.mark.parametrize("freq", ["auto", "D"])
def test_later_rows_have_the_history_of_their_series(size, dilation, padding, freq):
    transformer = SlidingWindowTransformer(size, dilation=dilation, padding=padding, freq=freq)
    transformer.fit(PAST)
    reach = (size - 1) * dilation
    past = PAST.groupby(level=0).tail(reach) if reach else PAST[:0]
    expected = looked_up(LATER, past, size, dilation, padding)
    if padding == "edge" and reach:  # before the history too stands its first row
        assert not np.isnan(expected).any()
    assert_array_equal(np.asarray(transformer.transform(LATER)), expected)
    alone = transformer.set_params(history="none").transform(LATER)
    assert_array_equal(np.asarray(alone), looked_up(LATER, LATER[:0], size, dilation, padding))


@pytest.mark.parametrize("freq", ["auto", "D"])
def test_rows_in_two_parts_are_remembered_as_in_one(freq):
    transformer = SlidingWindowTransformer(4, freq=freq).fit(PAST)
    found = transformer.partial_fit(LATER)._fitted_series
    both = pd.concat([PAST, LATER])
    whole = SlidingWindowTransformer(4, freq=freq).fit(both)
    expected = whole._fitted_series
    assert found.axis == expected.axis
    assert found.timelines.keys() == expected.timelines.keys() == {"a", "b", "between", "c"}
    for name, timeline in expected.timelines.items():
        days = both.loc[name].index.sort_values().as_unit("ns").asi8
        for one in (found.timelines[name], timeline):
            assert one.axis == found.axis
            assert (one.first_tick, one.last_tick) == (days[0], days[-1])
            assert_array_equal(one.history_ticks, days[-3:])
        assert_array_equal(transformer.history_[name], whole.history_[name])
        assert_array_equal(whole.history_[name], both.loc[name].sort_index()[-3:])
    low_high = [both.min(), both.max()]
    assert_array_equal(found.extremes, low_high)
    assert_array_equal(expected.extremes, low_high)
    assert found.n_rows == expected.n_rows == len(both)
    assert found.few_labels is expected.few_labels is None
    assert found.freq == transformer.freq_ == "D"


def test_the_state_holds_plain_values_by_series():
    X = frame({("a", 1): [0, 1, 2, 4], ("b", 2): [1, 2]})
    X.index = pd.MultiIndex.from_tuples([(*name, time) for name, time in X.index])
    state = SlidingWindowTransformer(4).fit(X)._fitted_series.to_plain()
    days = pd.date_range(START, periods=5).as_unit("ns").asi8.tolist()
    assert state["axis"]["freq"] == "D"
    assert state["names"] == [("a", 1), ("b", 2)]
    assert state["first"] == [days[0], days[1]]
    assert state["last"] == [days[4], days[2]]
    assert state["n_ticks"] == [3, 2]
    assert_array_equal(state["ticks"], [*days[1:3], days[4], *days[1:3]])
    assert_array_equal(state["extremes"], [[0, -4], [1002, 0]])
    assert state["n_rows"] == 6
    few = state["few_labels"]
    assert few["names"] == [("a", 1), ("b", 2)]
    assert_array_equal(few["series"], [0, 0, 0, 0, 1, 1])
    assert_array_equal(few["clock"], [0, 1, 2, 3, 1, 2])
    assert len(few["times"][0]) == 4


@pytest.mark.parametrize("n_rows", [5, 20])
@pytest.mark.parametrize("names", [list("abc"), [START, START + DAY, START + 9 * DAY], [1, 2, 3]])
def test_what_comes_back_from_plain_values_goes_on_as_before(n_rows, names):
    X = frame({names[0]: range(n_rows), names[1]: range(2, n_rows), names[2]: [1, 2]})
    later = frame({names[1]: [n_rows, n_rows + 1], names[0]: [n_rows]})
    transformer = SlidingWindowTransformer(4).fit(X)
    fitted = transformer._fitted_series
    back = FittedPanel.from_plain(fitted.to_plain())
    assert back.axis == fitted.axis
    assert back.n_rows == len(X)
    assert list(back.timelines) == names
    histories = histories_of_plain(plain_histories(transformer.history_))
    assert list(histories) == names
    found = back.windows(later.to_numpy(), panel_of(later.index), histories, True, 4, 1, "nan")
    assert_array_equal(np.asarray(found), np.asarray(transformer.transform(later)))
    more = [one.append(later.to_numpy(), panel_of(later.index), 3) for one in (fitted, back)]
    for one, other in zip(*(one.timelines.values() for one in more), strict=True):
        assert one.last_tick == other.last_tick
        assert_array_equal(one.history_ticks, other.history_ticks)
    assert (more[0].few_labels is None) == (more[1].few_labels is None) == (n_rows == 20)


def test_the_last_rows_of_each_series_are_copied():
    X = frame({"a": range(5), "b": [0]})[::-1]
    rows = X.to_numpy().copy()
    found = last_rows_of_series(rows, panel_of(X.index), 2)
    rows[:] = 0
    assert_array_equal(found["a"], [[3, -3], [4, -4]])
    assert_array_equal(found["b"], [[1000, 0]])
    assert plain_histories(found)["names"] == ["a", "b"]


# Few labels ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("n_rows", "are_few"), [(9, True), (10, False)])
def test_labels_are_kept_while_the_longest_series_has_nine(n_rows, are_few):
    X = frame({"a": [0, 1], "b": range(n_rows)})
    few = SlidingWindowTransformer(3).fit(X)._fitted_series.few_labels
    assert (few is not None) == are_few
    assert SlidingWindowTransformer(3, freq="D").fit(X)._fitted_series.few_labels is None


def test_later_labels_show_that_rows_are_missing_among_the_few():
    """From two labels a step of two days is read; those of the next call show single days."""
    few = frame({"a": [0, 2], "b": [0, 2]})
    later = frame({"a": range(3, 30), "b": range(4, 30)})
    transformer = SlidingWindowTransformer(4).fit(few)
    assert transformer.freq_ == "2D"
    expected = looked_up(later, few, 4, 1, "nan")
    assert_array_equal(np.asarray(transformer.transform(later)), expected)
    assert transformer.freq_ == "2D"  # a prediction changes nothing
    with pytest.raises(ValueError, match="off the grid of freq='2D'"):
        SlidingWindowTransformer(4, history="none").fit(few).transform(later)
    assert transformer.partial_fit(later).freq_ == "D"
    again = frame({"b": [31]})
    expected = looked_up(again, later, 4, 1, "nan")
    assert_array_equal(np.asarray(transformer.transform(again)), expected)
    assert transformer._fitted_series.few_labels is None


def test_labels_stay_few_until_a_series_has_ten():
    transformer = SlidingWindowTransformer(4).fit(frame({"a": [0], "b": [1]}))
    transformer.partial_fit(frame({"a": [1, 2, 3], "b": [2, 3]}))
    fitted = transformer._fitted_series
    assert fitted.freq == fitted.timelines["a"].axis.freq == fitted.timelines["b"].axis.freq == "D"
    few = fitted.few_labels
    assert_array_equal(few["series"], [0, 0, 0, 0, 1, 1, 1])
    assert_array_equal(few["clock"], [0, 1, 2, 3, 1, 2, 3])
    assert transformer.partial_fit(frame({"a": range(4, 10)}))._fitted_series.few_labels is None


def test_labels_that_leave_the_step_open_keep_that_of_the_fit_and_are_not_learned():
    transformer = SlidingWindowTransformer(4).fit(frame({"a": [0, 2], "b": [0, 2, 4]}))
    later = frame({"a": range(4, 9), "b": range(5, 13)})
    with pytest.raises(ValueError, match="'2024-03-06' .* off the grid of freq='2D'"):
        transformer.transform(later)
    with pytest.raises(ValueError, match="Set freq|set freq|freq=") as error:
        transformer.partial_fit(later)
    assert "off the grid of freq='2D'" not in str(error.value)
    even = frame({"a": [4, 6], "b": [6]})
    past = frame({"a": [0, 2], "b": [0, 2, 4]})
    windows = np.asarray(transformer.transform(even))
    assert_array_equal(windows[0, -3:], [*past.loc["a"].to_numpy().tolist(), [4, -4]])


# Warnings and refusals -----------------------------------------------------------------------


@pytest.mark.parametrize(("n_rows", "warns"), [(12, True), (11, False)])
def test_known_series_of_another_size_are_a_sign_of_an_earlier_step_left_out(n_rows, warns):
    """Of 24 rows or more; the two series have as many."""
    X = frame({"a": range(n_rows), "b": range(n_rows)})
    later = frame({"b": [12, 13], "new": [12]})
    later.loc["b"] = 1e9
    transformer = SlidingWindowTransformer(3).fit(X)
    if warns:
        with pytest.warns(UserWarning, match="2 column.*earlier steps must change X first"):
            transformer.partial_fit(later)
    else:
        transformer.partial_fit(later)
    later.loc["b"], later.loc["new"] = 5.0, 1e9  # a new series may have any size
    SlidingWindowTransformer(3).fit(X).partial_fit(later)


def test_windows_that_lack_fitted_rows_are_counted_over_their_series():
    X = frame({name: range(30) for name in "abcde"})
    transformer = SlidingWindowTransformer(4).fit(X)
    middle = X[X.index.get_level_values(1).isin([START + 9 * DAY, START + 10 * DAY])]
    message = r"^10 of 10 windows \(of series 'a', 'b', 'c', \.\.\.\) lack steps"
    with pytest.warns(UserWarning, match=message):
        transformer.transform(middle)
    with pytest.warns(UserWarning, match=r"^2 of 5 windows \(of series 'b'\) lack steps"):
        transformer.transform(
            pd.concat([middle.loc[["b"]], frame({"a": [30], "c": [30], "d": [30]})])
        )


def test_windows_after_missing_rows_are_counted_with_the_longest_hole():
    X = frame({name: range(30) for name in "abc"})
    transformer = SlidingWindowTransformer(4).fit(X)
    later = frame({"a": [33, 34], "b": [40, 41, 42], "c": [30]})
    message = (
        r"^Between the last rows seen and X, 10 rows are missing, so that 2 of 6 windows "
        r"\(of series 'a', 'b'\) consist of missing steps"
    )
    with pytest.warns(UserWarning, match=message):
        transformer.transform(later)


def test_rows_that_leave_out_most_steps_may_have_been_picked():
    X = frame({name: range(30) for name in "ab"})
    later = {"a": [30, 32, 33, 36, 37, 38], "b": [30, 31, 32, 34, 37, 39]}  # 2 and 3 holes
    transformer = SlidingWindowTransformer(4).fit(X)
    transformer.transform(frame(later))
    transformer.transform(frame({"a": [30, 32, 35]}))  # two holes may be chance
    later["b"] = [30, 32, 34, 35, 37, 40, 41]
    later["a"] = [30, 32, 33, 36, 38, 40]
    message = "^The index of X steps over 10 rows in 8 places, for 13 rows, so"
    with pytest.raises(ValueError, match=message):
        transformer.transform(frame(later))
    message = "^The index of X steps over 3 rows in 3 places, for 5 rows, so"
    with pytest.raises(ValueError, match=message):
        transformer.transform(frame({"a": [30, 32], "b": [30, 32, 34]}))
    SlidingWindowTransformer(4, freq="D").fit(X).transform(frame(later))


@pytest.mark.parametrize("method", ["transform", "partial_fit"])
def test_names_of_another_type_are_refused(method):
    X = frame({"a": range(12), "b": range(12)})
    numbers = frame({7: range(12, 14), 8: range(12, 14)})
    message = (
        "^X has the series 7, 8, but the fitted ones have names of another type: 'a', 'b'. Name "
        "the series as in the fit.$"
    )
    with pytest.raises(ValueError, match=message):
        getattr(SlidingWindowTransformer(3).fit(X), method)(numbers)
    getattr(SlidingWindowTransformer(3).fit(X), method)(frame({"x": [12, 13]}))
    mixed = frame({"a": range(12), 7: range(12)})
    getattr(SlidingWindowTransformer(3).fit(mixed), method)(numbers)
    pairs = [(*name, time) for name, time in frame({("a", 1): range(12)}).index]
    X = pd.DataFrame({"x": np.arange(12.0)}, pd.MultiIndex.from_tuples(pairs))
    other = X.set_axis(X.index.set_levels(["1"], level=1))
    with pytest.raises(ValueError, match=r"^X has the series \('a', '1'\), but"):
        getattr(SlidingWindowTransformer(3).fit(X), method)(other)


@pytest.mark.parametrize("method", ["transform", "partial_fit"])
def test_labels_of_another_kind_are_refused_with_a_series(method):
    X = frame({"a": range(12), "b": range(12)})
    other = X.set_axis(X.index.set_levels(range(12), level=1))
    with pytest.raises(ValueError, match="^Series 'a': "):
        getattr(SlidingWindowTransformer(3).fit(X), method)(other)


@pytest.mark.parametrize("method", ["transform", "partial_fit"])
def test_a_new_series_is_compared_with_the_fitted_ones(method):
    transformer = SlidingWindowTransformer(3).fit(frame({"a": range(12), "b": range(12)}))
    message = (
        "^Series 'new': .* index of X go on with 7 times freq='D', .* series 'a' with freq='D'"
    )
    with pytest.raises(ValueError, match=message):
        getattr(transformer, method)(frame({"new": range(0, 35, 7)}))
    with pytest.raises(
        ValueError, match="^Series 'b': The label '2024-03-13 12:00:00'.*off the grid"
    ):
        getattr(transformer, method)(frame({"a": [12], "b": [12.5]}))


def test_rows_before_the_end_of_their_series_are_not_appended():
    transformer = SlidingWindowTransformer(3).fit(frame({"a": range(12), "b": range(12)}))
    with pytest.raises(ValueError, match="^Series 'b': The index of X starts at '2024-03-12'"):
        transformer.partial_fit(frame({"a": [12], "b": [11, 12]}))


# Clocks that change --------------------------------------------------------------------------


def in_berlin(days_of, wall):
    """Make a frame of midnights in Berlin, or of every 24 hours; clocks change on day 30."""
    index = frame(days_of).index
    days = index.levels[1]
    zone = "Europe/Berlin"
    times = days.tz_localize(zone) if wall else days.tz_localize("Etc/GMT-1").tz_convert(zone)
    return frame(days_of).set_axis(index.set_levels(times, level=1))


@pytest.mark.parametrize("wall", [True, False])
@pytest.mark.parametrize("deciding", ["a", "new"])
def test_the_first_rows_after_a_change_of_clocks_decide_for_all_series(wall, deciding):
    fitted = in_berlin({"a": range(12, 28), "b": range(12, 28)}, wall)
    transformer = SlidingWindowTransformer(4).fit(fitted)
    transformer.partial_fit(in_berlin({deciding: range(28, 35)}, wall))
    panel = transformer._fitted_series
    assert panel.axis.scale == ("wall" if wall else "value")
    assert panel.axis.other_anchor is None
    for timeline in panel.timelines.values():
        assert timeline.axis == panel.axis
    transformer.partial_fit(in_berlin({"b": range(28, 35)}, wall))
    with pytest.raises(ValueError, match="off the grid"):
        transformer.partial_fit(in_berlin({"b": range(35, 40)}, not wall))


@pytest.mark.parametrize("deciding", ["a", "A"])
def test_series_of_one_call_have_one_way_to_count_over_a_change_of_clocks(deciding):
    fitted = in_berlin({"a": range(12, 28), "b": range(12, 28)}, wall=True)
    transformer = SlidingWindowTransformer(4).fit(fitted)
    parts = [in_berlin({deciding: range(28, 35)}, True), in_berlin({"b": range(28, 35)}, False)]
    with pytest.raises(ValueError, match="^Series 'b': .*off the grid"):
        transformer.partial_fit(pd.concat(parts))


@pytest.mark.parametrize("freq", ["B", "W-MON", "MS"])
def test_few_labels_are_read_again_in_the_zone_of_the_fit(freq):
    labels = pd.date_range("2024-02-26", periods=12, freq=freq, tz="Asia/Tokyo")

    def rows(start, stop, zone):
        times = labels[start:stop].tz_convert(zone)
        part = pd.DataFrame({"day": np.arange(float(start), stop)}, times)
        return pd.concat({"a": part, "b": part + 100})

    fitted = SlidingWindowTransformer(3).fit(rows(0, 5, "Asia/Tokyo"))
    for start, stop in [(5, 6), (6, 10), (10, 12)]:
        windows = np.asarray(fitted.transform(rows(start, stop, "UTC")))[:, :, 0]
        expected = [[day - 2, day - 1, day] for day in range(start, stop)]
        assert_array_equal(windows, np.concatenate([expected, np.add(expected, 100)]))
        fitted.partial_fit(rows(start, stop, "UTC"))
