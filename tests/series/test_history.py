"""What a fitted series remembers, as later calls of the transformer show it."""

import copy
import re
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sklstm import SlidingWindowTransformer

NAN = np.nan


def frame(labels, values=None):
    values = np.arange(float(len(labels))) if values is None else values
    return pd.DataFrame({0: values}, index=pd.Index(labels))  # without names, as arrays are


def first_window(transformer, rows):
    return transformer.transform(rows)[0, :, 0].tolist()


@pytest.mark.parametrize(
    "labels",
    [
        [0, 4, 8, 9, *range(10, 30)],  # every fourth at first
        [0, 5, 6, 7, 8, 9, 10, 12, 13],
        [*range(9), 11, 12],
    ],
)
def test_a_stream_of_rows_has_the_time_step_of_one_fit(labels):
    X = frame(labels)
    stream = SlidingWindowTransformer(4)
    for row in range(len(X)):
        stream.partial_fit(X[row : row + 1])
    later = frame([labels[-1] + 2, labels[-1] + 3], [100.0, 101.0])
    expected = SlidingWindowTransformer(4).fit(X).transform(later)
    np.testing.assert_array_equal(stream.transform(later), expected)


def test_labels_that_leave_the_time_step_open_are_refused_as_by_one_fit():
    labels = [0, 10, 20, 21, 22, 33, 34, 45, 46, 57, 58, 70]
    with pytest.raises(ValueError, match="index of X") as expected:
        SlidingWindowTransformer(3).fit(frame(labels))
    with pytest.raises(ValueError, match="index of X") as error:
        SlidingWindowTransformer(3).fit(frame(labels[:3])).partial_fit(frame(labels[3:]))
    assert str(error.value) == str(expected.value)


def test_after_rows_without_labels_the_time_step_is_known_for_good():
    transformer = SlidingWindowTransformer(3).fit(frame([0, 10])).partial_fit([[2.0]])
    assert first_window(transformer, frame([30], [3.0])) == [1, 2, 3]
    for use in (transformer.transform, transformer.partial_fit):
        with pytest.raises(ValueError, match="off the grid"):
            use(frame([25]))


def test_after_labels_without_a_step_and_rows_without_labels_all_rows_follow():
    X = frame([0.5, 1, 7, 7.5, 9, 9.1, 12])
    transformer = SlidingWindowTransformer(3).fit(X.iloc[:4]).partial_fit(X.iloc[4:5].to_numpy())
    assert first_window(transformer, X.iloc[5:]) == [3, 4, 5]
    assert first_window(transformer, X.iloc[5:].set_axis([1.5, 2])) == [3, 4, 5]
    transformer.partial_fit(X.iloc[5:6].set_axis([3.5]))
    assert first_window(transformer, X.iloc[6:]) == [4, 5, 6]


@pytest.mark.parametrize(("n_equal", "follows"), [(2, True), (3, False)])
def test_rows_begin_as_the_fitted_if_they_equal_these_up_to_the_first_hole(n_equal, follows):
    X = frame([0, 1, 2, 4, 5, 8, *range(9, 40)])
    transformer = SlidingWindowTransformer(2).fit(X)
    rows = X.to_numpy()[:6].copy()
    rows[n_equal:] = 99
    np.testing.assert_array_equal(
        first_window(transformer, rows), [X.iloc[-1, 0] if follows else NAN, 0]
    )


@pytest.mark.parametrize(
    ("labels", "freq", "window"),
    [([0, 1, 3], "rows", [0, 1, 2]), ([0, 2, 6], 2, [1, NAN, 2]), ([0, 2, 4], 1, [1, NAN, 2])],
)
def test_a_given_freq_counts(labels, freq, window):
    transformer = SlidingWindowTransformer(3, freq=freq).fit(frame(labels[:2]))
    np.testing.assert_array_equal(first_window(transformer, frame(labels)[2:]), window)


def test_a_given_freq_is_refused_where_no_labels_are():
    with pytest.raises(ValueError, match="freq='D' says how the labels .* X has no index"):
        SlidingWindowTransformer(3, freq="D").fit([[0.0], [1.0]])


@pytest.mark.parametrize("later", [[5.0, 6.0], [5.0, 0.0], [0.0, 6.0]])
def test_a_row_that_equals_the_first_one_follows_if_a_fitted_row_has_repeated_it(later):
    rows = np.array([[0.0], [1], [2]])
    repeats = 0.0 in later
    transformer = SlidingWindowTransformer(2).fit(rows).partial_fit(np.array([later]).T)
    for more in ([], [[7.0]]):
        if more:
            transformer.partial_fit(more)
        before = (more or [[later[-1]]])[0][0] if repeats else NAN
        np.testing.assert_array_equal(first_window(transformer, rows[:1]), [before, 0])


@pytest.mark.parametrize("history", ["auto", "none"])
def test_rows_after_a_change_of_clocks_decide_how_days_are_counted(history):
    days = pd.date_range("2024-07-01", periods=200, tz="Europe/Berlin")  # local midnights
    transformer = SlidingWindowTransformer(2, history=history).fit(frame(days[:50]))
    transformer.partial_fit(frame(days[50:150]))  # clocks change after 118 days
    same_time = days[150:153] - pd.Timedelta("1h")  # as far from each other, not at midnight
    with pytest.raises(ValueError, match="off the grid"):
        transformer.transform(frame(same_time))
    assert transformer.transform(frame(days[150:])).shape == (50, 2, 1)


def fitted_on(n_rows, low=10.0, high=11.0):
    return SlidingWindowTransformer(2).fit(np.resize([low, high], (n_rows, 1)))


def told(method, rows):
    """Call the method, and return its warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        method(rows)
    return [str(warning.message) for warning in caught]


def far_columns(transformer, *values):
    rows = np.array(values, dtype=float).reshape(len(values), -1)
    return told(transformer.partial_fit, rows)


@pytest.mark.parametrize(
    ("values", "warns"),
    [
        ([12.1], True),
        ([12.0], False),
        ([8.9], True),
        ([9.0], False),
        ([12.1, 11.9], False),  # one value may be an outlier
        ([NAN, 12.1], True),
        ([NAN, NAN], False),
    ],
)
def test_rows_further_away_than_the_range_of_those_before_are_told(values, warns):
    messages = far_columns(fitted_on(24), *values)
    assert len(messages) == warns
    assert all("All values in 1 column(s) of X, first column 0" in text for text in messages)


def test_fewer_than_24_rows_tell_nothing_of_the_range():
    assert far_columns(fitted_on(23), 100) == []


def test_the_range_is_that_of_all_rows_so_far():
    transformer = fitted_on(30)
    assert far_columns(transformer, 11.9) == []
    assert far_columns(transformer, 13.7) == []
    assert far_columns(transformer, 6.4) == []
    assert far_columns(transformer, 21.2) != []


def test_a_range_of_any_size_is_compared():
    assert far_columns(fitted_on(30, -1.7e308, 1.7e308), 1.0) == []
    assert far_columns(fitted_on(30, 1e-300, 2e-300), 4e-300) != []
    assert far_columns(fitted_on(30, NAN, NAN), 4.0) == []


def test_columns_that_are_far_away_are_counted_and_the_first_is_named():
    rows = np.column_stack([np.full(30, 5.0), *[np.linspace(0, 1, 30)] * 3])
    transformer = SlidingWindowTransformer(2).fit(rows)
    (message,) = far_columns(transformer, [99, 0.5, 9, 9])  # the first one was constant
    assert "in 2 column(s) of X, first column 2" in message


def test_the_advice_on_rows_that_an_earlier_step_has_not_changed_works():
    X = np.random.RandomState(0).normal(500, 100, (60, 1))
    pipe = Pipeline(
        [
            ("scale", StandardScaler()),
            ("window", SlidingWindowTransformer(2)),
            ("end", "passthrough"),
        ]
    ).fit(X[:40])
    window = copy.deepcopy(pipe["window"])
    (message,) = told(window.partial_fit, X[40:50])
    advice = re.search(r"(pipe\['window'\]\.partial_fit\(.*\)), if", message).group(1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        eval(advice, {"pipe": pipe, "X": X[40:50]})


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([43, 44, 45, 46, 47], "the last rows seen and X, 3 rows are missing, so that 1 of 5 "),
        ([10, 11, 12, 13, 14], "3 of 5 windows lack steps"),
        ([42, 43], None),  # half of a window is known
        ([36, 37], "2 of 2 windows lack steps"),
        ([38, 39], "2 of 2 windows lack steps"),  # rows 37 to 39 are kept
        ([39, 40], "1 of 2 windows lack steps"),
        ([40, 41], None),
        ([0, 1, 2], None),  # the fitted rows themselves
    ],
)
def test_windows_that_lack_rows_are_counted_in_a_warning(labels, message):
    transformer = SlidingWindowTransformer(4).fit(frame(range(40)))
    messages = told(transformer.transform, frame(labels))
    assert len(messages) == (message is not None)
    assert all(message in text for text in messages)


def test_rows_that_equal_repeated_fitted_rows_are_told():
    transformer = SlidingWindowTransformer(2).fit(np.tile([[1.0], [2.0], [3.0]], (5, 1)))
    (message,) = told(transformer.transform, [[1.0], [2.0]])
    assert "its 2 rows equal the first fitted ones" in message
    assert told(transformer.transform, [[1.0], [3.0]]) == []


def test_a_first_row_that_the_second_repeats_may_follow():
    transformer = SlidingWindowTransformer(2).fit([[0.0], [0.0], [1.0]])
    assert first_window(transformer, [[0.0]]) == [1, 0]


def test_without_history_labels_passed_do_not_change_the_time_step():
    transformer = SlidingWindowTransformer(3, history="none").fit(frame([0, 10]))
    with pytest.raises(ValueError, match="off the grid"):
        transformer.transform(frame([15, 20, 25, 30, 35]))


def test_few_labels_and_those_passed_show_the_time_step():
    transformer = SlidingWindowTransformer(3).fit(frame([0, 10]))
    later = frame([15, 20, 25, 30, 35], np.arange(5.0) + 50)
    np.testing.assert_array_equal(first_window(transformer, later), [NAN, 1, 50])


@pytest.mark.parametrize("start", [1, 20])
def test_rows_from_zero_lie_before_a_fitted_range_that_starts_later(start):
    transformer = SlidingWindowTransformer(2).fit(frame(range(start, 40)))
    np.testing.assert_array_equal(first_window(transformer, frame(range(1), [7.0])), [NAN, 7])
    from_zero = SlidingWindowTransformer(2).fit(frame(range(40)))
    np.testing.assert_array_equal(first_window(from_zero, frame(range(1), [7.0])), [39, 7])


def test_rows_picked_after_the_fitted_ones_are_refused_by_name():
    transformer = SlidingWindowTransformer(2).fit(frame(range(40)))
    with pytest.raises(ValueError, match="The index of X steps over 16 rows in 5 places, for 6 "):
        transformer.transform(frame([40, 43, 46, 50, 54, 61]))


@pytest.mark.parametrize("size", [1, 2, 4, 5])
@pytest.mark.parametrize("gap", range(7))
def test_windows_mostly_of_rows_never_passed_are_counted(size, gap):
    passed = np.arange(40 + gap, 46 + gap)
    missing = [
        sum(39 < label < 40 + gap for label in range(end - size + 1, end + 1)) for end in passed
    ]
    n_lacking = sum(2 * n > size for n in missing)
    messages = told(SlidingWindowTransformer(size).fit(frame(range(40))).transform, frame(passed))
    match = f"{gap} rows are missing, so that {n_lacking} of 6 windows"
    assert len(messages) == (n_lacking > 0)
    assert all(match in text for text in messages)


@pytest.mark.parametrize("size", [2, 5])
def test_windows_of_fitted_rows_that_are_not_kept_are_counted(size):
    transformer = SlidingWindowTransformer(size).fit(frame(range(40)))
    for start in range(1, 42):
        passed = range(start, start + 4)
        known = {*passed, *(label for label in range(40 - size + 1, 40) if label < start)}
        lack = [not known.issuperset(range(end - size + 1, end + 1)) for end in passed]
        n_lacking = sum(lack) if start < 40 else 0
        messages = told(transformer.transform, frame(passed))
        assert len(messages) == (n_lacking > 0), start
        assert all(f"{n_lacking} of 4 windows lack steps" in text for text in messages)


def test_a_gap_as_long_as_holes_before_is_no_news():
    labels = np.delete(np.arange(43), np.s_[38:41])
    transformer = SlidingWindowTransformer(5).fit(frame(labels))
    assert told(transformer.transform, frame([46, 47])) == []
    assert len(told(transformer.transform, frame([47, 48]))) == 1


def test_rows_that_need_no_history_lack_none():
    transformer = SlidingWindowTransformer(4, history="none").fit(frame(range(40)))
    for rows in (frame(range(10, 15)), frame(range(50, 60)), [[7.0]]):
        assert told(transformer.transform, rows) == []
    assert told(SlidingWindowTransformer(4).fit(frame(range(40))).transform, [[7.0]]) == []


def test_nights_without_rows_that_the_fitted_rows_do_not_show_are_refused():
    hours = pd.date_range("2024-01-01", periods=24 * 20, freq="h")
    transformer = SlidingWindowTransformer(4).fit(frame(hours[:24]))
    later = hours[24:][hours[24:].hour < 12]
    with pytest.raises(ValueError, match="again and again.*first 12 after '2024-01-02 11:00:00'"):
        transformer.transform(frame(later))
    given = SlidingWindowTransformer(4, freq="h").fit(frame(hours[:24]))
    assert given.transform(frame(later)).shape == (len(later), 4, 1)


@pytest.mark.parametrize(
    ("fitted", "passed", "repeats"),
    [
        ([1, 1, 1, 2], [1, 1], True),
        ([1, 2, 3, 1, 2], [1, 2], True),
        ([1, 2, 3, 2, 1], [1, 2], False),
        ([1, 2, 3, 1], [1, 2], False),
    ],
)
def test_fitted_rows_that_repeat_the_rows_passed_make_them_ambiguous(fitted, passed, repeats):
    transformer = SlidingWindowTransformer(2).fit(np.array([fitted], dtype=float).T)
    assert len(told(transformer.transform, np.array([passed], dtype=float).T)) == repeats


@pytest.mark.parametrize(("dtype", "follows"), [(np.float32, False), (np.float64, True)])
def test_rows_are_equal_up_to_the_rounding_of_their_type(dtype, follows):
    rows = np.random.RandomState(0).rand(30, 1).astype(dtype)
    rows[0] = 1
    transformer = SlidingWindowTransformer(2).fit(rows)
    nearly = (rows[:5] * (1 + 3e-7)).astype(dtype)
    assert np.isnan(transformer.transform(nearly)[0, 0, 0]) == (not follows)


def test_a_small_column_beside_a_large_one_is_compared():
    rows = np.column_stack([np.full(30, 1e12), np.random.RandomState(0).rand(30)])
    transformer = SlidingWindowTransformer(2).fit(rows[:20])
    np.testing.assert_array_equal(transformer.transform(rows[20:])[0], rows[19:21])


@pytest.mark.parametrize("n_fitted", [2, 3, 5, 8])
@pytest.mark.parametrize("freq", ["B", "D", "W-MON", "MS", "h"])
@pytest.mark.parametrize("zones", [("Asia/Tokyo", "UTC"), ("America/New_York", "Asia/Kolkata")])
def test_few_labels_are_read_again_in_the_zone_of_the_fit(zones, freq, n_fitted):
    """Non-regression test: they were read in the zone of the later rows, and windows wrong."""
    there, elsewhere = zones
    X = frame(pd.date_range("2024-02-26", periods=16, freq=freq, tz=there))
    of_zone, of_another = (SlidingWindowTransformer(3).fit(X[:n_fitted]) for _ in range(2))
    for start, stop in [(n_fitted, n_fitted + 1), (n_fitted + 1, 13), (13, 16)]:
        rows = X[start:stop]
        expected = of_zone.transform(rows)
        windows = of_another.transform(rows.tz_convert(elsewhere))
        np.testing.assert_array_equal(windows, expected)
        assert windows[-1, :, 0].tolist() == [stop - 3.0, stop - 2.0, stop - 1.0]
        of_zone.partial_fit(rows)
        of_another.partial_fit(rows.tz_convert(elsewhere))
        assert of_another.freq_ == of_zone.freq_


def test_calendars_refuse_later_labels_that_their_unit_cannot_count():
    labels = pd.DatetimeIndex(np.arange("2255-01", "2271-09", dtype="M8[M]").astype("M8[us]"))
    transformer = SlidingWindowTransformer(3, freq="MS").fit(frame(labels[:80].as_unit("ns")))
    with pytest.raises(ValueError, match="cannot be counted in the unit of the fitted labels"):
        transformer.transform(frame(labels[80:]))


def test_a_given_frequency_allows_any_holes_in_later_rows():
    X = frame(pd.date_range("2020-01-01", periods=60))
    kept = 40 + np.array([0, 3, 6, 7, 10, 12, 15, 17, 19])
    windows = SlidingWindowTransformer(4, freq="D").fit(X[:40]).transform(X.iloc[kept])
    known = set(range(40)) | set(kept.tolist())
    expected = [[row if row in known else NAN for row in range(at - 3, at + 1)] for at in kept]
    np.testing.assert_array_equal(windows[:, :, 0], expected)
    with pytest.raises(ValueError, match="over 11 rows in 7 places, for 9 rows"):
        SlidingWindowTransformer(4).fit(X[:40]).transform(X.iloc[kept])


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_rows_without_labels_whose_next_label_is_off_the_grid_are_refused():
    """Clocks skip two hours there, and pandas shifts the labels that they skip by one only."""
    labels = pd.date_range("2011-11-03 01:30", periods=160, freq="D")
    X = frame(labels.tz_localize("Antarctica/Troll", nonexistent="shift_forward"))
    transformer = SlidingWindowTransformer(4).fit(X[:40])
    with pytest.raises(ValueError, match="would follow the last row seen lie off the grid"):
        transformer.transform(X[40:].to_numpy())
