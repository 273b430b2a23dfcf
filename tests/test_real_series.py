"""Series as they are: holes, odd labels, local time, calendars, rows that arrive later.

Each test is a situation that users have reported, with the values that are right.
"""

import io
import sys
import warnings
from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklstm import ForecastDisplay, SlidingWindowTransformer, forecast_targets

NAN = np.nan
many = settings(deadline=None, max_examples=500, database=None)


def series(index):
    return pd.Series(np.arange(float(len(index))), index=index, name="load")


def frame(index):
    return series(index).to_frame()


def n_complete(X, window_size, **params):
    windows = SlidingWindowTransformer(window_size, **params).fit_transform(X)
    return int((~np.isnan(windows)).all(axis=(1, 2)).sum())


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


# ---- the time axis --------------------------------------------------------------------------


def test_targets_before_a_hole_are_unknown_and_one_wrong_label_does_not_close_it():
    hours = pd.date_range("2020-01-01", periods=3336, freq="h").delete(range(1502, 1838))
    assert np.isnan(forecast_targets(series(hours), 2).iloc[1501]).all()
    wrong = pd.DatetimeIndex([*hours[:99], hours[99] + pd.Timedelta("1s"), *hours[100:]])
    for freq in ("auto", "h"):
        with pytest.raises(ValueError, match="03:00:01.*in the index of series.*freq='rows'"):
            forecast_targets(series(wrong), 2, freq=freq)
        with pytest.raises(ValueError, match="03:00:01.*in the index of X.*freq='rows'"):
            SlidingWindowTransformer(3, freq=freq).fit(frame(wrong))
    assert forecast_targets(series(wrong), 2, freq="rows").iloc[1501].tolist() == [1502, 1503]
    assert np.isnan(forecast_targets(series(wrong.round("h")), 2).iloc[1501]).all()


@pytest.mark.parametrize("steps_are", ["local", "in UTC"])
@pytest.mark.parametrize("freq", ["auto", "6h"])
def test_a_fold_before_the_clock_change_goes_on_after_it(steps_are, freq):
    naive = pd.date_range("2024-03-20", periods=80, freq="6h")
    berlin = "Europe/Berlin"
    utc = naive.tz_localize("UTC").tz_convert(berlin)
    X = frame(naive.tz_localize(berlin) if steps_are == "local" else utc)
    windows = SlidingWindowTransformer(3, freq=freq).fit(X[:30])
    expected = [[row - 2, row - 1, row] for row in range(30, 80)]
    assert windows.transform(X[30:])[:, :, 0].tolist() == expected
    windows.partial_fit(X[30:60])
    assert windows.transform(X[60:])[:, :, 0].tolist() == expected[30:]


@pytest.mark.parametrize("freq", ["auto", "D"])
def test_days_that_begin_at_one_in_the_morning_go_on(freq):
    hours = pd.date_range("2018-10-20", "2018-11-20", freq="h", tz="America/Sao_Paulo")
    X = frame(series(hours).resample("D").mean().index)
    assert X.index[15].hour == 1
    for n_fitted in (10, 15, 16, 17):
        windows = SlidingWindowTransformer(3, freq=freq).fit(X[:n_fitted])
        expected = [[row - 2, row - 1, row] for row in range(n_fitted, len(X))]
        assert windows.transform(X[n_fitted:])[:, :, 0].tolist() == expected


def test_days_as_integers_are_dates_or_rows():
    days = pd.date_range("2020-01-01", periods=700)
    X = frame(pd.Index(days.strftime("%Y%m%d").astype(int)))
    with pytest.raises(ValueError, match="integers that read as dates"):
        n_complete(X, 14)
    assert n_complete(X, 14, freq="rows") == 687
    assert n_complete(X.set_axis(pd.to_datetime(X.index.astype(str), format="%Y%m%d")), 14) == 687


def test_trading_bars_are_rows_or_have_nights():
    times = pd.timedelta_range("9h30min", "16h", freq="30min")
    days = pd.bdate_range("2020-01-01", periods=60)
    X = frame(pd.DatetimeIndex([day + time for day in days for time in times]))
    with pytest.raises(ValueError, match="again and again, first 34 after"):
        n_complete(X, 12)
    assert n_complete(X, 12, freq="rows") == 60 * 14 - 11
    assert n_complete(X, 12, freq="30min") == 60 * 3


@pytest.mark.parametrize("freq", ["15min", "2D", "2M", "3h", "M", "W"])
def test_a_forecast_of_periods_is_drawn_at_the_next_periods(freq):
    pytest.importorskip("matplotlib")
    periods = pd.period_range("2024-01-01", periods=30, freq=freq)
    display = ForecastDisplay.from_predictions(series(periods[:25]), np.zeros((25, 4)), row=20)
    assert display.forecast_index.equals(periods[21:25])


@pytest.mark.parametrize(
    "freq", ["BME", "BMS", pd.DateOffset(months=1, day=30), "ME", "QE", "W-THU", "B"], ids=str
)
def test_a_forecast_is_drawn_at_the_next_labels_of_the_calendar(freq):
    pytest.importorskip("matplotlib")
    calendar = pd.date_range("2023-12-30", periods=60, freq=freq)[1:]
    known = series(pd.DatetimeIndex(list(calendar[:40])))
    display = ForecastDisplay.from_predictions(known, np.zeros((40, 12)))
    assert list(display.forecast_index) == list(calendar[40:52])


def test_a_display_takes_the_frequency_of_the_pipeline():
    pytest.importorskip("matplotlib")
    days = [day for day in pd.date_range("2024-01-01", periods=100) if day.weekday()]
    known = series(pd.DatetimeIndex(days))
    model = make_pipeline(SlidingWindowTransformer(3, freq="D", flatten=True), Persistence())
    model.fit(known.to_frame(), known)
    display = ForecastDisplay.from_estimator(model, known.to_frame(), known)
    assert list(display.forecast_index) == [days[-1] + pd.Timedelta(days=1)]
    with pytest.raises(ValueError, match="again and again.*freq='D'"):
        ForecastDisplay.from_predictions(known, np.zeros(len(days)))
    ForecastDisplay.from_predictions(known, np.zeros(len(days)), freq="D")


class Persistence(RegressorMixin, BaseEstimator):
    def fit(self, X, y):
        self.n_features_in_ = X.shape[-1]
        return self

    def predict(self, X):
        return X[:, -1]


def test_a_holiday_is_no_hole_before_or_after_the_fit():
    days = pd.bdate_range("2020-01-01", periods=300)
    X = frame(days).drop(days[250])
    for n_fitted in (200, len(X)):
        rows = SlidingWindowTransformer(4).fit(X[:n_fitted])
        assert rows.freq_ == "rows"
        assert rows.transform(X)[250, :, 0].tolist() == [247, 248, 249, 251]
        given = SlidingWindowTransformer(4, freq="B").fit(X[:n_fitted]).transform(X)
        np.testing.assert_array_equal(given[250, :, 0], [248, 249, NAN, 251])
    later = SlidingWindowTransformer(4).fit(X[:200]).transform(X[200:])
    assert later[50, :, 0].tolist() == [247, 248, 249, 251]


def test_a_shop_closed_on_mondays_is_told_and_both_answers_work():
    days = pd.DatetimeIndex([d for d in pd.date_range("2020-01-01", periods=200) if d.weekday()])
    with pytest.raises(ValueError, match="again and again") as error:
        n_complete(frame(days), 3)
    assert "asfreq" not in str(error.value)
    assert n_complete(frame(days), 3, freq="rows") == len(days) - 2
    windows = SlidingWindowTransformer(3, freq="D").fit_transform(frame(days))
    by_day = dict(zip(days, np.arange(float(len(days))), strict=True))
    expected = [
        [by_day.get(day - pd.Timedelta(days=lag), NAN) for lag in (2, 1, 0)] for day in days
    ]
    np.testing.assert_array_equal(np.asarray(windows)[:, :, 0], expected)


def test_labels_count_to_the_nanosecond():
    index = pd.date_range("2020-01-01", periods=100, freq="1500ns")
    transformer = SlidingWindowTransformer(3).fit(frame(index)[:50])
    assert transformer.freq_ == "1500ns"
    expected = SlidingWindowTransformer(3).fit_transform(frame(index).to_numpy())
    np.testing.assert_array_equal(transformer.transform(frame(index)), expected)
    given = SlidingWindowTransformer(3, freq="1500ns").fit_transform(frame(index))
    np.testing.assert_array_equal(given, expected)


def test_labels_that_fit_no_64_bits_are_refused():
    with pytest.raises(ValueError, match=r"below 2\*\*62"):
        n_complete(frame(pd.Index(np.arange(99, dtype=np.uint64) + np.uint64(2**63 - 50))), 3)


# ---- local time -------------------------------------------------------------------------------

OCTOBER = pd.date_range("2020-10-24", periods=100, freq="h", tz="Europe/Berlin")


def test_local_times_over_the_autumn_change_need_their_zone():
    local = frame(OCTOBER.tz_localize(None))
    with pytest.raises(ValueError, match="clocks go back.*tz_localize.*UTC"):
        n_complete(local, 3)
    assert n_complete(local.tz_localize("Europe/Berlin", ambiguous="infer"), 3) == 98


@pytest.mark.parametrize("freq", ["h", "D"])
def test_another_time_zone_is_the_same_instant(freq):
    index = pd.date_range("2020-10-01", periods=60, freq=freq, tz="Europe/Berlin")
    X = frame(index).drop(index[45])
    transformer = SlidingWindowTransformer(4).fit(X[:40])
    elsewhere = transformer.transform(X[40:].tz_convert("Asia/Tokyo"))
    np.testing.assert_array_equal(elsewhere, transformer.transform(X[40:]))
    np.testing.assert_array_equal(np.asarray(elsewhere)[5, :, 0], [43, 44, NAN, 46])


def test_times_without_a_zone_after_times_with_one_are_refused_and_the_advice_works():
    july = pd.date_range("2020-07-01", periods=100, freq="h", tz="Europe/Berlin")
    transformer = SlidingWindowTransformer(3).fit(frame(july)[:20])
    naive = frame(july)[20:40].tz_localize(None)
    with pytest.raises(ValueError, match="Give the zone to the labels") as error:
        transformer.transform(naive)
    assert "tz_localize('Europe/Berlin')" in str(error.value)
    for rows in (naive, naive.set_axis(naive.index.strftime("%Y-%m-%dT%H:%M:%S"))):
        corrected = eval(advised(error), {"pd": pd, "X": rows})
        np.testing.assert_array_equal(transformer.transform(corrected)[0, :, 0], [18, 19, 20])
    transformer.fit(frame(july.tz_localize(None)[:20]))
    utc = frame(july)[20:30].tz_convert("UTC")
    for rows in (utc, utc.set_axis(utc.index.strftime("%Y-%m-%dT%H:%M:%SZ"))):
        with pytest.raises(ValueError, match="Use local times as in the fit") as error:
            transformer.transform(rows)
        corrected = eval(advised(error), {"pd": pd, "X": rows})
        np.testing.assert_array_equal(transformer.transform(corrected)[0, :, 0], [18, 19, 20])


def advised(error):
    """Return the expression after the last colon of a message."""
    return str(error.value).rpartition(": ")[2].rstrip(".")


@pytest.mark.parametrize("freq", ["SMS", "SME"])
def test_half_months_are_a_calendar(freq):
    days = pd.date_range("1980-02-01", periods=150, freq=freq)
    X = frame(days).drop(days[20:60])
    transformer = SlidingWindowTransformer(3).fit(X)
    assert transformer.freq_.startswith(freq)
    np.testing.assert_array_equal(transformer.transform(X)[20, :, 0], [NAN, NAN, 60])
    display = ForecastDisplay.from_predictions(X["load"], np.zeros(4))
    following = pd.date_range(days[-1], periods=5, freq=freq)[1:]
    assert list(display.forecast_index) == list(following)


@pytest.mark.parametrize("start", pd.date_range("2015-01-01", periods=24, freq="MS"))
@pytest.mark.parametrize("n_rows", [2, 3])
def test_few_labels_of_weeks_of_months_can_be_fitted(start, n_rows):
    X = frame(pd.date_range(start, periods=n_rows + 1, freq="WOM-2FRI"))
    windows = SlidingWindowTransformer(2).fit(X[:n_rows]).transform(X[n_rows:])
    np.testing.assert_array_equal(windows[:, :, 0], [[n_rows - 1, n_rows]])


def test_a_label_at_a_skipped_midnight_may_be_the_first():
    months = pd.date_range("2023-01-01", periods=24, freq="MS")
    months = months.tz_localize("America/Asuncion", nonexistent="shift_forward")
    X, row = frame(months), list(months.hour).index(1)
    transformer = SlidingWindowTransformer(3, history="none").fit(X)
    for windows in (transformer.transform(X[row:]), transformer.fit_transform(X[row:])):
        np.testing.assert_array_equal(windows[2, :, 0], [row, row + 1, row + 2])


@pytest.mark.parametrize(("part", "largest"), [("weeks", 52), ("days", 366)])
def test_integers_of_weeks_and_days_of_years_are_refused_and_the_advice_works(part, largest):
    factor = 100 if part == "weeks" else 1000
    labels = [2000 * factor + k for k in range(1, largest + 1)]
    labels += [2001 * factor + k for k in range(1, 40)]
    X = frame(pd.Index(labels))
    with pytest.raises(ValueError, match="integers that read as dates") as error:
        SlidingWindowTransformer(3).fit(X)
    advice = str(error.value).split("X.index = ")[1].split(". Or say")[0]
    X.index = pd.DatetimeIndex(eval(advice, {"pd": pd, "X": X}))
    windows = np.asarray(SlidingWindowTransformer(3).fit_transform(X))
    np.testing.assert_array_equal(windows[:, 0, 0][2:], np.arange(len(X) - 2.0))
    for plain in (pd.Index(range(200001, 200053)), pd.Index(range(199990, 200210))):
        assert SlidingWindowTransformer(3).fit(frame(plain)).freq_ == 1


@pytest.mark.parametrize("kind", ["text", "datetimes", "read from a file"])
def test_times_with_the_offsets_of_two_seasons_are_times(kind):
    times = pd.date_range("2024-03-20", periods=500, freq="h", tz="Europe/Berlin")
    kept = times.delete(range(100, 150))
    labels = [time.isoformat() for time in kept]
    if kind == "datetimes":
        labels = [datetime.fromisoformat(label) for label in labels]
    X = pd.DataFrame({"a": np.delete(np.arange(500.0), range(100, 150))}, pd.Index(labels))
    if kind == "read from a file":
        X = pd.read_csv(io.StringIO(X.to_csv()), index_col=0)
    targets = forecast_targets(X["a"], 2)
    np.testing.assert_array_equal(targets.iloc[[98, 99]], [[99, NAN], [NAN, NAN]])
    transformer = SlidingWindowTransformer(3).fit(X[:200])
    assert transformer.freq_ == "h"
    np.testing.assert_array_equal(transformer.transform(X[200:])[0, :, 0], [248, 249, 250])
    with pytest.raises(ValueError, match="not increasing"):
        transformer.fit(X[::-1])


def test_times_as_categories_are_times():
    days = pd.date_range("2024-01-01", periods=40)
    for labels in (days, days.astype(str)):
        X = pd.DataFrame({"a": np.arange(40.0)}, index=pd.CategoricalIndex(labels))
        X = X.iloc[np.delete(np.arange(40), 30)]
        windows = np.asarray(SlidingWindowTransformer(3).fit_transform(X))
        np.testing.assert_array_equal(windows[30, :, 0], [29, NAN, 31])
        with pytest.raises(ValueError, match="not increasing"):
            SlidingWindowTransformer(3).fit(X[::-1])


# ---- history ----------------------------------------------------------------------------------


@pytest.mark.parametrize("n_fitted", [1, 2, 5, 9])
def test_rows_without_labels_after_few_with_labels_are_history(n_fitted):
    X = frame(pd.date_range("2024-01-01", periods=40))
    transformer = SlidingWindowTransformer(4).fit(X[:n_fitted])
    for start, stop in ((n_fitted, 15), (15, 20)):
        transformer.partial_fit(X[start:stop].reset_index(drop=True))
    if n_fitted > 1:  # else the step is not known
        np.testing.assert_array_equal(transformer.transform(X[20:21])[0, :, 0], [17, 18, 19, 20])
    rows = X[20:22].reset_index(drop=True)
    np.testing.assert_array_equal(transformer.transform(rows)[0, :, 0], [17, 18, 19, 20])


@pytest.mark.parametrize("n_fitted", [1, 5, 9])
def test_rows_are_asked_about_when_they_arrive_as_in_a_fit(n_fitted):
    kept = np.delete(np.arange(40), np.r_[10, 11, 20, 21, 24, 25, 28, 29, 32, 33, 36, 37])
    X = frame(pd.date_range("2024-01-01", periods=40))
    transformer = SlidingWindowTransformer(3).fit(X.iloc[kept[:n_fitted]])
    rest = X.iloc[kept[n_fitted:]]
    with pytest.raises(ValueError, match="again and again|in 6 places"):
        transformer.partial_fit(rest)
    np.testing.assert_array_equal(transformer.transform(X[9:10])[0, -1, 0], 9)  # kept its fit


@pytest.mark.parametrize("seed", range(20))
def test_outages_at_the_same_hour_are_missing_rows_in_later_rows_and_short_series(seed):
    rng = np.random.default_rng(seed)
    hours = pd.date_range("2024-01-01", periods=300, freq="h")
    lost = 250 + rng.choice(48, 4, replace=False)
    X = frame(hours).drop(hours[[*lost, 270, 294]], errors="ignore")
    transformer = SlidingWindowTransformer(3).fit(X[:250])
    labels = {label: value for value, label in enumerate(hours) if label in X.index}
    for row, window in zip(X.index[250:], np.asarray(transformer.transform(X[250:])), strict=True):
        expected = [labels.get(row - pd.Timedelta(k, "h"), NAN) for k in (2, 1, 0)]
        np.testing.assert_array_equal(window[:, 0], expected)
    few = frame(hours[:60]).drop(hours[[20, 44]])  # the same hour on two days
    assert SlidingWindowTransformer(3).fit(few).freq_ == "h"


def test_rows_among_the_fitted_ones_are_told_to_lack_steps():
    X = frame(pd.date_range("2020-01-01", periods=80))
    transformer = SlidingWindowTransformer(5).fit(X)
    with pytest.warns(UserWarning, match="4 of 5 windows lack steps"):
        windows = transformer.transform(X[50:55])
    assert np.isnan(windows).any(axis=(1, 2)).sum() == 4
    with pytest.warns(UserWarning, match="2 of 2 windows lack steps"):
        transformer.transform(X[75:77])  # the history begins at row 76
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        transformer.transform(X[:55])
        SlidingWindowTransformer(5, history="none").fit(X).transform(X[50:55])


def test_rows_that_were_never_passed_are_told_if_most_of_a_window_is_missing():
    index = pd.date_range("2020-01-01", periods=300, freq="h")
    transformer = SlidingWindowTransformer(48).fit(frame(index)[:100])
    with pytest.warns(UserWarning, match="47 rows are missing, so that 23 of 48 windows"):
        # Rows 147 to 194: in the windows of 147 to 169, more than 24 steps are missing.
        transformer.transform(frame(index)[147:195])
    transformer.partial_fit(frame(index)[100:147])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        transformer.transform(frame(index)[147:195])
        transformer.transform(frame(index)[157:])


def test_rows_that_were_not_scaled_are_told():
    X = frame(pd.date_range("2020-01-01", periods=80)) + 1000
    pipe = make_pipeline(StandardScaler(), SlidingWindowTransformer(5), KeepsNothing())
    pipe.set_output(transform="pandas").fit(X[:60], np.zeros(60))
    with pytest.warns(UserWarning, match=r"pipe\[:-2\].transform\(X\)"):
        pipe[1].partial_fit(X[60:])
    pipe.fit(X[:60], np.zeros(60))
    pipe[1].partial_fit(pipe[:-2].transform(X[60:]))
    expected = pipe[0].transform(X).to_numpy()[-4:]
    np.testing.assert_array_equal(pipe[1].history_, expected)


class KeepsNothing(Persistence):
    def set_output(self, transform=None):
        return self


def test_a_single_row_equal_to_the_first_by_chance_has_its_history():
    counts = np.array([3.0, 1, 2, 3, 1, 5, 3, 2] * 20)[:, np.newaxis]
    transformer = SlidingWindowTransformer(4).fit(counts[:100])
    for row in range(100, 160):
        window = transformer.transform(counts[row : row + 1])[0, :, 0]
        np.testing.assert_array_equal(window, counts[row - 3 : row + 1, 0])
        transformer.partial_fit(counts[row : row + 1])


def test_several_rows_equal_to_the_first_by_chance_are_told():
    counts = np.array([3.0, 1, 2, 3, 1, 5, 3, 2] * 20)[:, np.newaxis]
    transformer = SlidingWindowTransformer(4).fit(counts[:96])
    with pytest.warns(UserWarning, match="2 rows equal the first fitted ones"):
        assert np.isnan(transformer.transform(counts[96:98])[0, 0, 0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SlidingWindowTransformer(4).fit(np.sin(counts.cumsum(axis=0))).transform(np.sin(counts[:2]))


def test_the_first_fitted_row_alone_is_recognised_where_its_values_are_its_own():
    rows = np.random.default_rng(0).normal(size=(200, 2))
    windows = SlidingWindowTransformer(4).fit(rows).transform(rows[:1])
    assert np.isnan(windows[0, :3]).all()


# ---- every row by its label ---------------------------------------------------------------------


@st.composite
def labelled_rows(draw):
    """Draw a frequency, its calendar, and the numbers of the rows that are not missing."""
    freq = draw(st.sampled_from(["h", "15min", "D", "W-MON", "MS", "BME", "QS", "B", "90s", "3h"]))
    zone = draw(st.sampled_from([None, "UTC", "Europe/Berlin", "America/New_York"]))
    n_rows = draw(st.integers(4, 40))
    calendar = pd.date_range("2024-03-20", periods=n_rows, freq=freq, tz=zone)
    lost = draw(st.sets(st.integers(0, n_rows - 1), max_size=n_rows - 2))
    few = draw(st.sampled_from([lost, set(sorted(lost)[:3])]))
    return freq, calendar, [number for number in range(n_rows) if number not in few]


def by_label(calendar, kept, window_size, dilation):
    """Look each step of each window up by its label."""
    place = {label: number for number, label in enumerate(calendar)}
    value = {calendar[number]: float(row) for row, number in enumerate(kept)}
    windows = np.full((len(kept), window_size), NAN)
    for window, number in zip(windows, kept, strict=True):
        for step in range(window_size):
            at = place[calendar[number]] - (window_size - 1 - step) * dilation
            window[step] = value.get(calendar[at], NAN) if at >= 0 else NAN
    return windows


@many
@given(labelled_rows(), st.integers(1, 6), st.integers(1, 3))
def test_windows_equal_a_dictionary_by_label(drawn, window_size, dilation):
    freq, calendar, kept = drawn
    X = frame(pd.DatetimeIndex(list(calendar[kept])))
    windows = SlidingWindowTransformer(window_size, dilation=dilation, freq=freq).fit_transform(X)
    expected = by_label(calendar, kept, window_size, dilation)
    np.testing.assert_array_equal(np.asarray(windows)[:, :, 0], expected)


@pytest.mark.filterwarnings("ignore:Between the last rows seen:UserWarning")
@many
@given(labelled_rows(), st.integers(1, 6), st.integers(1, 39))
def test_rows_after_the_fit_equal_a_dictionary_by_label(drawn, window_size, n_fitted):
    freq, calendar, kept = drawn
    n_fitted = min(n_fitted, len(kept) - 1)
    X = frame(pd.DatetimeIndex(list(calendar[kept])))
    expected = by_label(calendar, kept, window_size, 1)
    transformer = SlidingWindowTransformer(window_size, freq=freq).fit(X[:n_fitted])
    later = transformer.transform(X[n_fitted:])
    np.testing.assert_array_equal(np.asarray(later)[:, :, 0], expected[n_fitted:])
    for row in range(n_fitted, len(X)):
        window = np.asarray(transformer.transform(X[row : row + 1]))[0, :, 0]
        np.testing.assert_array_equal(window, expected[row])
        transformer.partial_fit(X[row : row + 1])


@many
@given(labelled_rows(), st.integers(1, 9))
def test_targets_equal_a_dictionary_by_label(drawn, horizon):
    freq, calendar, kept = drawn
    index = pd.DatetimeIndex(list(calendar[kept]))
    value = {label: float(row) for row, label in enumerate(index)}
    targets = forecast_targets(series(index), horizon, freq=freq)
    for row, number in enumerate(kept):
        labels = calendar[number + 1 : number + 1 + horizon]
        expected = [value.get(label, NAN) for label in labels] + [NAN] * (horizon - len(labels))
        np.testing.assert_array_equal(targets.iloc[row], expected)


@many
@given(labelled_rows(), st.integers(1, 6))
def test_rows_follow_each_other_with_freq_rows(drawn, window_size):
    _, calendar, kept = drawn
    X = frame(pd.DatetimeIndex(list(calendar[kept])))
    windows = SlidingWindowTransformer(window_size, freq="rows").fit_transform(X)
    expected = by_label(calendar, range(len(kept)), window_size, 1)
    np.testing.assert_array_equal(windows[:, :, 0], expected)


@many
@given(labelled_rows(), st.integers(0, 39), st.sampled_from(["1s", "-1s", "7min", "1ns"]))
def test_a_moved_label_is_refused_by_name(drawn, row, by):
    freq, calendar, kept = drawn
    labels = list(calendar[kept])
    row = min(row, len(labels) - 1)
    labels[row] += pd.Timedelta(by)
    X = frame(pd.DatetimeIndex(labels))
    assume(len(labels) >= 12 and X.index.is_monotonic_increasing)
    with pytest.raises(ValueError, match="off the grid") as error:
        SlidingWindowTransformer(3, freq=freq).fit(X)
    assert str(X.index[row]).removesuffix(" 00:00:00") in str(error.value)


@many
@given(
    st.integers(10, 60),
    st.integers(-40, 40),
    st.integers(1, 5),
    st.integers(0, 10**6),
    st.integers(1, 6),
)
def test_integers_equal_a_dictionary_by_label(n_rows, start, step, seed, window_size):
    rng = np.random.default_rng(seed)
    kept = np.sort(rng.choice(n_rows, max(n_rows - rng.integers(1, n_rows - 3), 2), replace=False))
    labels = start + step * kept
    X = frame(pd.Index(labels))
    windows = SlidingWindowTransformer(window_size, freq=step).fit_transform(X)
    value = {label: float(row) for row, label in enumerate(labels)}
    expected = [
        [value.get(label - lag * step, NAN) for lag in reversed(range(window_size))]
        for label in labels
    ]
    np.testing.assert_array_equal(np.asarray(windows)[:, :, 0], expected)


@many
@given(st.integers(0, 10**6), st.integers(20, 90), st.integers(1, 6))
def test_jittered_rows_follow_each_other_or_are_refused(seed, n_rows, window_size):
    rng = np.random.default_rng(seed)
    seconds = np.arange(n_rows) * 60 + rng.integers(-3, 4, n_rows)
    hole = rng.integers(0, 3) * 60
    seconds[n_rows // 2 :] += hole
    X = frame(pd.Timestamp("2024-01-01") + pd.to_timedelta(seconds, unit="s"))
    transformer = SlidingWindowTransformer(window_size)
    if hole:
        with pytest.raises(ValueError, match="hole|off the grid"):
            transformer.fit(X)
    else:
        expected = by_label(X.index, range(n_rows), window_size, 1)
        np.testing.assert_array_equal(transformer.fit_transform(X)[:, :, 0], expected)


@many
@given(labelled_rows(), st.randoms(use_true_random=False))
def test_no_order_but_that_of_time_is_taken(drawn, random):
    freq, calendar, kept = drawn
    X = frame(calendar[kept])
    order = list(range(len(kept)))
    random.shuffle(order)
    assume(order != sorted(order))
    for form in (None, "%Y-%m-%d %H:%M:%S"):
        labels = X.index if form is None else X.index.tz_localize(None).strftime(form)
        assume(labels.is_unique)
        with pytest.raises(ValueError, match="not increasing|dates as text|clocks go back"):
            SlidingWindowTransformer(3, freq=freq).fit(X.set_axis(labels).iloc[order])
