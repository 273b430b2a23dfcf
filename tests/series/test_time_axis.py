"""How labels become steps of time, and what is said of labels that do not."""

import numpy as np
import pandas as pd
import pytest

from sklstm._series.frequency import time_axis
from tests.series.frequencies import positions

DAYS = pd.date_range("2024-01-01", periods=12)


@pytest.mark.parametrize(
    ("index", "freq"),
    [
        (pd.RangeIndex(10, 46, 3), "auto"),
        (pd.period_range("2024-01", periods=12, freq="M"), "auto"),
        (pd.period_range("2024-01", periods=36, freq="M")[::3], "auto"),
        (pd.timedelta_range("1h", periods=12, freq="90min"), "auto"),
        (pd.date_range("2024-01-01", periods=12, freq="90s"), "auto"),
        (pd.date_range("2024-03-28", periods=12, freq="6h").tz_localize("Europe/Berlin"), "auto"),
        (DAYS, "D"),
        (pd.date_range("2024-01-01", periods=12, freq="MS"), "auto"),
        (pd.date_range("2500-01-01", periods=12, freq="6h", unit="s"), "auto"),
        (pd.date_range("2500-01-01", periods=12, freq="MS", unit="s"), "auto"),
    ],
)
def test_the_labels_after_a_row_go_on_in_steps(index, freq):
    axis = time_axis(index, freq)
    for row in (0, 7, 9):
        assert list(axis.next_labels(index, row, 2)) == list(index[row + 1 : row + 3])


@pytest.mark.parametrize("index", [pd.Index([0.5, 0.7, 3.1]), pd.Index(["a", "b", "c"]), DAYS])
def test_rows_do_not_tell_the_labels_after_them(index):
    assert time_axis(index, "rows").next_labels(index, 0, 1) is None


@pytest.mark.parametrize(
    ("apart", "start", "advised"),
    [
        ("3D", "2024-01-01", "3D"),
        ("2h", "2024-01-01", "2h"),
        ("1h", "2024-01-01", "h"),
        ("5min", "2024-01-01", "5min"),
        ("15s", "2024-01-01", "15s"),
        ("50ms", "2024-01-01", "50ms"),
        ("40us", "2024-01-01", "40us"),
        ("60ns", "2024-01-01", "60ns"),
        ("2h", "2500-01-01", "2h"),  # counted in microseconds
    ],
)
def test_a_hole_between_labels_on_no_grid_advises_the_nearest_grid(apart, start, advised):
    step = pd.Timedelta(apart).value
    span = max(step // 100, 2)
    jitter = np.random.default_rng(0).integers(-span, span + 1, 60)
    numbers = np.delete(np.arange(60) * step + jitter, slice(30, 40))
    index = pd.Timestamp(start) + pd.to_timedelta(numbers, unit="ns").as_unit(
        "us" if start > "2262" else "ns"
    )
    with pytest.raises(ValueError, match="rows are missing, put the labels on a grid: ") as error:
        time_axis(index)
    assert f"grid: X.set_axis(X.index.round('{advised}')). Say" in str(error.value)
    assert f"has a hole of {index[30] - index[29]} before '{index[30]}'" in str(error.value)


BERLIN = DAYS.tz_localize("Europe/Berlin")
MONTHS = pd.period_range("2024-01", periods=12, freq="M")


@pytest.mark.parametrize(
    ("fitted", "later", "advice"),
    [
        (BERLIN, DAYS, "Give the zone to the labels"),
        (DAYS, BERLIN, "Use local times as in the fit"),
        (MONTHS, MONTHS.to_timestamp(), "Turn dates into periods"),
        (DAYS, pd.RangeIndex(1, 13), None),
        (DAYS, DAYS - DAYS[0], None),
        (DAYS - DAYS[0], DAYS, None),
        (BERLIN, pd.RangeIndex(1, 13), None),
        (MONTHS, pd.RangeIndex(1, 13), None),
        (pd.RangeIndex(1, 13), DAYS, None),
        (pd.Index([0.5, 0.7]), pd.Index(["a", "b"]), None),
    ],
)
def test_labels_of_another_kind_are_refused_and_the_advice_works(fitted, later, advice):
    axis = time_axis(fitted)
    axis.check_kind(fitted)
    y = pd.Series(np.arange(float(len(later))), index=later)
    with pytest.raises(
        ValueError, match="The index of y .*so their order in time is unknown"
    ) as error:
        axis.check_kind(later, "y")
    text = str(error.value)
    if advice is None:
        assert text.endswith(
            "Pass y with an index of the fitted kind, or without one: y.reset_index(drop=True)."
        )
    else:
        corrected = eval(text[text.index("y.set_axis(") :].rstrip("."), {"pd": pd, "y": y})
        axis.check_kind(corrected.index)
        assert corrected.index.equals(fitted)
        assert advice in text


def test_only_names_after_times_are_refused_by_their_labels():
    axis = time_axis(DAYS)
    for labels in (pd.RangeIndex(3), DAYS[:3]):
        axis.check_has_times(pd.Series(1.0, index=labels), "y")
    axis.check_has_times(np.zeros(3), "y")
    time_axis(pd.RangeIndex(5)).check_has_times(pd.Series(1.0, index=list("abc")), "y")
    with pytest.raises(ValueError, match="index of y holds 'a', which is no time"):
        axis.check_has_times(pd.Series(1.0, index=list("abc")), "y")


def test_labels_that_fit_local_and_utc_grids_decide_nothing():
    winter = pd.date_range("2024-01-01", periods=12, freq="6h", tz="Europe/Berlin")
    axis = time_axis(winter)
    assert axis.other_anchor is not None
    assert axis.decided(axis.ticks(winter)) is axis


@pytest.mark.parametrize("row", [0, 1, 11])
def test_the_label_off_the_grid_is_named_wherever_it_is(row):
    axis = time_axis(DAYS)
    off = DAYS.to_series()
    off.iloc[row] += pd.Timedelta("1h")
    index = pd.DatetimeIndex(off)
    with pytest.raises(ValueError, match=f"The label '{index[row]}' in the index of y"):
        axis.positions(axis.ticks(index), index, "y")
    # Ticks of earlier rows stand before those of the index.
    with pytest.raises(ValueError, match=f"The label '{index[row]}' in the index of y"):
        axis.positions(axis.ticks(DAYS[:0].append([DAYS - pd.Timedelta("12D"), index])), index, "y")


SKIPPED = "America/Sao_Paulo"  # whose clocks skipped the midnight of 1 December 1949


@pytest.mark.parametrize(
    ("start", "n_months"),
    [
        ("1949-10-01", 30),
        ("1949-10-01 00:30", 30),
        ("1949-10-01", 244),  # up to 1970, where ticks are 0
        ("1949-10-01", 3800),  # counted in microseconds
    ],
)
def test_months_whose_midnight_clocks_skipped_are_counted(start, n_months):
    local = pd.date_range(start, periods=n_months, freq="MS", unit="us")
    summer = np.ones(n_months, dtype=bool)
    index = local.tz_localize(SKIPPED, nonexistent="shift_forward", ambiguous=summer)
    assert str(index[2]) == "1949-12-01 01:00:00-02:00"
    axis = time_axis(index)
    ticks = axis.ticks(index)
    assert ticks.dtype == np.int64
    assert (ticks == np.arange(1 - n_months, 1)).all()
    assert list(axis.next_labels(index, 2, 20)) == list(index[3:23])


@pytest.mark.parametrize("freq", ["D", "MS"])
@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_labels_in_another_zone_are_those_of_the_fitted_one(freq, zone):
    index = pd.date_range("2024-01-01", periods=15, freq=freq, tz="Europe/Berlin")
    axis, other = time_axis(index), index.tz_convert(zone)
    assert axis.positions(axis.ticks(other), other).tolist() == list(range(15))
    assert axis.next_labels(other, 3, 11).equals(other[4:])


def test_every_seventh_month_is_a_calendar():
    index = pd.date_range("2024-02-01", periods=12, freq="7MS")
    axis = time_axis(index.delete(4))
    assert axis.positions(axis.ticks(index), index).tolist() == list(range(12))


def test_a_local_day_that_comes_twice_is_named():
    # Clocks went back to midnight, so that this day begins twice.
    local = pd.date_range("2024-10-25", periods=20)
    index = local.tz_localize("America/Havana", ambiguous=np.ones(20, dtype=bool))
    twice = pd.DatetimeIndex([*index[:10], index[9] + pd.Timedelta("1h"), *index[10:]])
    with pytest.raises(ValueError, match="'2024-11-03 00:00:00-05:00' in the index of y"):
        time_axis(index).positions(time_axis(index).ticks(twice), twice, "y")


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Chicago"])
@pytest.mark.parametrize("scale", ["value", "wall"])
def test_labels_after_clocks_change_decide_between_utc_and_local_time(scale, zone):
    winter = pd.date_range("2024-01-01 01:00", periods=12, freq="6h", tz=zone)
    later = {
        "value": pd.date_range(winter[0], periods=600, freq="6h"),
        "wall": pd.date_range("2024-01-01 01:00", periods=600, freq="6h").tz_localize(zone),
    }
    axis = time_axis(winter)
    for index in later.values():
        assert axis.positions(axis.ticks(index), index).tolist() == list(range(600))
    decided = axis.decided(axis.ticks(later[scale]))
    assert decided.scale == scale
    index = later.pop(scale)
    assert decided.positions(decided.ticks(index), index).tolist() == list(range(600))
    for other in later.values():
        with pytest.raises(ValueError, match="off the grid of freq='6h'"):
            decided.positions(decided.ticks(other), other)


def test_integers_and_floats_can_be_compared_as_rows_only():
    whole, fractions = pd.RangeIndex(3, 9), pd.Index([0.5, 0.7, 9.5])
    time_axis(fractions).check_kind(whole)
    time_axis(whole, "rows").check_kind(fractions)
    with pytest.raises(ValueError, match="is of kind 'floating', but .* was 'integer'"):
        time_axis(whole).check_kind(fractions)
    with pytest.raises(ValueError, match="is of kind 'string', but .* was 'floating'"):
        time_axis(fractions).check_kind(pd.Index(["a", "b"]))


@pytest.mark.parametrize("row", [1, 3, 5])
def test_the_label_off_a_calendar_is_named_before_and_after_the_last_fitted_label(row):
    months = pd.date_range("2024-01-01", periods=7, freq="MS")
    off = months + pd.to_timedelta((np.arange(7) == row).astype(int), unit="D")
    with pytest.raises(ValueError, match=f"'{off[row].date()}' in the index of y .* freq='MS'"):
        time_axis(months[:4]).ticks(off, "y")


@pytest.mark.parametrize("names", [(), ("y",)])
def test_refusals_name_the_argument_which_is_X_if_not_said(names):
    far = pd.date_range("2500-01-01", periods=3, unit="s")
    axis, months = time_axis(DAYS), time_axis(pd.date_range("2024-01-01", periods=9, freq="MS"))
    steps = [*[9, 10, 11] * 9, 90]
    about = pd.Index(np.cumsum(steps))
    hours = DAYS + pd.to_timedelta(np.arange(12), unit="h")
    for refusal in (
        lambda: axis.ticks(far, *names),
        lambda: months.ticks(DAYS, *names),
        lambda: axis.positions(axis.ticks(hours), hours, *names),
        lambda: time_axis(about[:-1]).positions(about.to_numpy(), about, *names),
        lambda: axis.check_has_times(pd.Series(1.0, index=list("abc")), *names),
    ):
        with pytest.raises(ValueError, match=f"index of {names[0] if names else 'X'} "):
            refusal()


def test_a_hole_is_longer_than_one_and_a_half_steps():
    steps = [9, 10, 11] * 9
    fitted = time_axis(pd.Index(np.cumsum(steps)))
    index = pd.Index(np.cumsum([*steps, 15, 10, 16, 10]))
    at = [*range(29)]
    assert fitted.positions(index.to_numpy()[at], index[at]).tolist() == at
    with pytest.raises(ValueError, match=f"a hole of 16 before {index[29]}, while its other"):
        fitted.positions(index.to_numpy(), index)
    # Ticks of earlier rows stand before those of the index.
    with pytest.raises(ValueError, match=f"a hole of 16 before {index[29]}, .* on no grid. So"):
        fitted.positions(index.to_numpy(), index[29:])
    with pytest.raises(ValueError, match="If rows are missing, put the labels on a grid. Say freq"):
        fitted.positions(index.to_numpy(), index[29:])


@pytest.mark.parametrize(("freq", "period"), [("MS", "M"), ("W-WED", "W")])
def test_a_hole_between_about_months_or_weeks_advises_periods(freq, period):
    middle = pd.date_range("2020-01-01", periods=60, freq=freq) + pd.Timedelta("1D")
    jitter = np.random.default_rng(0).integers(-12, 13, 60)
    index = (middle + pd.to_timedelta(jitter, unit="h")).delete(range(30, 40))
    with pytest.raises(
        ValueError, match="has a hole of .*If rows are missing, use periods"
    ) as error:
        time_axis(index, name="y")
    assert f"use periods: y.set_axis(y.index.to_period('{period}')). Say" in str(error.value)
    periods = index.to_period(period)
    axis = time_axis(periods)
    assert axis.positions(axis.ticks(periods), periods).tolist() == [*range(30), *range(40, 60)]


@pytest.mark.parametrize(
    ("days", "n_labels", "code"),
    [
        (7, 60, "to_period('W')"),
        (29, 12, "to_period('M')"),
        (30, 12, "to_period('M')"),
        (31, 12, "to_period('M')"),
        (30, 60, "round('30D')"),  # some months would have two labels
        (32, 60, "round('32D')"),
    ],
)
def test_labels_a_month_or_a_week_apart_become_periods_that_differ(days, n_labels, code):
    steps = days + np.tile([-0.1, 0.1, 0.0], n_labels // 3)
    numbers = np.concatenate([[0.0], steps.cumsum()])
    numbers[-4:] += 5 * days
    index = pd.Timestamp("2001-01-18") + pd.to_timedelta(numbers, unit="D")
    with pytest.raises(ValueError, match="has a hole of") as error:
        time_axis(index, name="y")
    advice = "use periods" if "period" in code else "put the labels on a grid"
    assert f"missing, {advice}: y.set_axis(y.index.{code}). Say" in str(error.value)
    assert eval(f"index.{code}", {"index": index}).is_unique


def test_midnights_of_another_zone_are_put_on_the_grid_of_days_without_duplicates():
    midnights = pd.date_range("2024-03-01", periods=90, tz="Pacific/Auckland").tz_convert("UTC")
    index = midnights.delete(slice(40, 50)).tz_localize(None)  # at 11:00 or 12:00
    with pytest.raises(ValueError, match="has a hole of") as error:
        time_axis(index)
    assert "X.set_axis(X.index.floor('D')). Say" in str(error.value)
    days = index.floor("D")
    assert positions(days) == [*range(40), *range(50, 90)]


@pytest.mark.parametrize(
    ("freq", "zone", "code"),
    [
        # Rounded in local time, the hour that clocks repeat has two labels.
        ("h", "Europe/Berlin", ".tz_convert('UTC').round('h').tz_convert('Europe/Berlin')"),
        ("30min", "Europe/Berlin", ".tz_convert('UTC').round('30min').tz_convert('Europe/Berlin')"),
        (
            "15min",
            "Australia/Lord_Howe",
            ".tz_convert('UTC').round('15min').tz_convert('Australia/Lord_Howe')",
        ),
        ("D", "Europe/Berlin", ".round('D')"),
        ("h", "Asia/Tokyo", ".round('h')"),
    ],
)
def test_the_advice_to_round_works_for_all_labels(freq, zone, code):
    start, end = (pd.Timestamp(day, tz=zone) for day in ("2024-03-20", "2024-11-20"))
    labels = pd.date_range(start, end, freq=freq)
    off = labels.tolist()
    off[50] += pd.Timedelta("3min")
    off = pd.DatetimeIndex(off)
    with pytest.raises(ValueError, match="off the grid") as error:
        time_axis(off)
    assert f"Correct the label (such as X.index{code}), or say" in str(error.value)
    assert eval(f"off{code}", {"off": off}).equals(labels)


def test_no_advice_to_round_is_given_where_it_fails():
    days = pd.date_range("2024-04-01", "2024-04-25", tz="Africa/Cairo").tolist()
    days += pd.date_range("2024-04-26 01:00", periods=1, tz="Africa/Cairo").tolist()
    days += pd.date_range("2024-04-27", periods=30, tz="Africa/Cairo").tolist()
    days[5] += pd.Timedelta("3min")
    with pytest.raises(ValueError, match="Correct the label, or say freq='rows'"):
        time_axis(pd.DatetimeIndex(days))  # clocks skip a midnight, to which pandas rounds


@pytest.mark.parametrize(
    ("index", "advice"),
    [
        (DAYS, " (such as y.index.round('D'))"),
        (DAYS.tz_localize("Europe/Berlin"), " (such as y.index.round('D'))"),
        (pd.date_range("2024-01-01", periods=12, freq="6h"), " (such as y.index.round('6h'))"),
        (pd.timedelta_range("1h", periods=12, freq="h"), " (such as y.index.round('h'))"),
        # Rounding leaves the grid, or there is none for such labels.
        (pd.date_range("2024-01-01 00:30", periods=12, freq="h"), ""),
        (
            pd.date_range("2024-01-01 03:00", periods=12, freq="6h", tz="Asia/Tokyo"),
            " (such as y.index.tz_convert('UTC').round('6h').tz_convert('Asia/Tokyo'))",
        ),
        (pd.date_range("2024-01-01 04:00", periods=12, freq="6h", tz="Asia/Tokyo"), ""),
        (pd.timedelta_range("90min", periods=12, freq="h"), ""),
        (pd.period_range("2024-01-01", periods=36, freq="h")[::3], ""),
        (pd.period_range("2024-01-01", periods=99, freq="D")[::7], ""),
        (
            pd.date_range("2024-01-04", periods=12, freq="7D"),
            ", or use periods (y.set_axis(y.index.to_period('W')))",
        ),
        (
            pd.date_range("2024-01-01", periods=12, freq="MS"),
            ", or use periods (y.set_axis(y.index.to_period('M')))",
        ),
        (pd.date_range("2024-01-01", periods=12, freq="QS"), ""),
        (pd.RangeIndex(0, 120, 10), ""),
    ],
)
def test_the_advice_for_a_label_off_the_grid_is_for_its_frequency(index, advice):
    axis = time_axis(index)
    off = index[:1] + (pd.Timedelta("1min") if axis.unit else 1)
    with pytest.raises(ValueError, match="off the grid") as error:
        axis.positions(axis.ticks(off, "y"), off, "y")
    assert str(error.value).endswith(
        f" Correct the label{advice}, or say freq='rows' if each row follows the one before it."
    )


def test_the_label_off_the_grid_is_named_in_the_hour_that_clocks_repeat():
    hours = pd.date_range("2024-10-26 20:00", periods=12, freq="h", tz="Europe/Berlin")
    off = hours[4:5] + pd.Timedelta("10min")
    with pytest.raises(ValueError, match=r"'2024-10-27 00:10:00\+02:00'.* y.index.round\('h'\)"):
        time_axis(hours).positions(time_axis(hours).ticks(off), off, "y")
    off = hours[6:7] + pd.Timedelta("10min")
    with pytest.raises(ValueError, match=r"'2024-10-27 02:10:00\+02:00' in the index of y"):
        time_axis(hours).positions(time_axis(hours).ticks(off), off, "y")


def test_the_next_label_in_an_hour_that_clocks_repeat_is_the_first_one():
    labels = pd.date_range("2020-09-01 02:30", "2020-10-24 02:30", tz="Europe/Berlin")
    following = time_axis(labels, "D").next_labels(labels, len(labels) - 1, 1)
    assert following[0].isoformat() == "2020-10-25T02:30:00+02:00"


@pytest.mark.parametrize(
    ("labels", "code"),
    [
        (np.round(1949 + np.arange(60) / 12, 4), "* 12"),  # months of years, as R prints them
        (1960 + np.arange(60) / 4, "* 4"),
        (np.arange(60) * 0.5, "* 2"),
        (np.arange(60) * 2.5, "/ 2.5"),
        (np.arange(60) * 0.4, "/ 0.4"),
    ],
)
def test_floats_about_equally_far_apart_have_no_hole_and_the_advice_works(labels, code):
    """Non-regression test: holes of decimal years were closed up without a word."""
    index = pd.Index(np.delete(labels, slice(30, 40)))
    with pytest.raises(ValueError, match="has a hole of .* on no grid") as error:
        time_axis(index)
    code = f"(X.index {code}).round().astype(int)"
    assert f"If rows are missing, put the labels on a grid: X.set_axis({code}). Say" in str(
        error.value
    )
    on_grid = eval(code.replace("X.index", "index"), {"index": index})
    assert positions(on_grid) == [*range(30), *range(40, 60)]
    assert positions(index, "rows") == list(range(50))
    fitted = time_axis(index[:30])
    assert fitted.positions(index[:30].to_numpy(), index[:30]).tolist() == list(range(30))
    with pytest.raises(ValueError, match="has a hole of"):
        fitted.positions(index[25:].to_numpy(), index[25:])
