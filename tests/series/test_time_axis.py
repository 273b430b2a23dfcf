"""How labels become steps of time, and what is said of labels that do not."""

import numpy as np
import pandas as pd
import pytest

from sklstm._series.frequency import time_axis

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
    ],
    ids=str,
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
    with pytest.raises(ValueError, match=f"round\\('{advised}'\\)") as error:
        time_axis(index)
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
    ids=str,
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
