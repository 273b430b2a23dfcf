"""Which text and which integers are dates, and the advice that turns them into dates."""

import numpy as np
import pandas as pd
import pytest

from sklstm._series.dates import dates_of_integers, dates_of_text, in_last_level


@pytest.mark.parametrize(
    ("labels", "dates"),
    [
        (["05.01.2024"], ["2024-01-05"]),
        (["Jan-20", "Feb-20", "Mar-20"], ["2020-01-01", "2020-02-01", "2020-03-01"]),
        (["01.01.1900"], ["1900-01-01"]),
        (["31.12.2100"], ["2100-12-31"]),
        # In order in one reading only; in the other, the first and last but one rows are as well.
        (["05/03/2024", "12/03/2024", "06/04/2024"], ["2024-03-05", "2024-03-12", "2024-04-06"]),
        (["06/04/2024", "12/03/2024", "05/03/2024"], ["2024-04-06", "2024-03-12", "2024-03-05"]),
        (["5. January 2024", "6. Feb 2024"], ["2024-01-05", "2024-02-06"]),  # no single format
        (["2023Q4", "2024Q1"], ["2023-10-01", "2024-01-01"]),
        (["  05.01.2024", "06.01.2024 "], ["2024-01-05", "2024-01-06"]),
        (["Mon 2024-01-29", "Thu 2024-02-01"], ["2024-01-29", "2024-02-01"]),
        (["Monday, 29.01.2024", "Thursday, 01.02.2024"], ["2024-01-29", "2024-02-01"]),
        (["1991-7", "1991-12"], ["1991-07-01", "1991-12-01"]),  # no days of a year
        (["1991-031", "1991-032"], ["1991-01-31", "1991-02-01"]),
        *(
            ([form.format("12"), form.format("2")], ["1991-12-01", "1991-02-01"])
            for form in ("1991 {}", "1991M{}", "1991 M{}", "1991-M{}", "{}-1991", "{} 1991")
        ),
        *(
            ([form.format(1970, 4), form.format(1971, 1)], ["1970-10-01", "1971-01-01"])
            for form in ("{}-Q{}", "{}q{}", "{} Q{}", "{} q{}")
        ),
        *(
            ([form.format(4, 1970), form.format(1, 1971)], ["1970-10-01", "1971-01-01"])
            for form in ("Q{} {}", "q{}-{}", "Q{}/{}", "{}Q{}", "{}Q {}")
        ),
        # Weeks by their Mondays.
        *(
            ([form.format(2022, 52), form.format(2023, 1)], ["2022-12-26", "2023-01-02"])
            for form in ("{}-W{:02}", "{} W{:02}", "{}w{:02}", "{}{:02}")
        ),
        *(
            ([form.format(1970, 2), form.format(1971, 1)], ["1970-07-01", "1971-01-01"])
            for form in ("{} H{}", "{}S{}", "{}-h{}")
        ),
        (["1970/71", "1971/72"], ["1970-01-01", "1971-01-01"]),
        (["1970/1971", "1971/1972"], ["1970-01-01", "1971-01-01"]),
    ],
    ids=str,
)
def test_the_advice_turns_text_into_its_dates(labels, dates):
    advice = dates_of_text(pd.Index(labels), "labels")
    assert " or " not in advice
    times = eval(advice, {"pd": pd, "labels": pd.Index(labels)})
    times = times.to_timestamp() if isinstance(times, pd.PeriodIndex) else times
    assert list(times) == [pd.Timestamp(date) for date in dates]


def test_all_readings_of_text_are_named():
    assert dates_of_text(pd.Index(["01-02-03"]), "labels") == (
        "pd.to_datetime(labels, format='%m-%d-%y'), or with format='%d-%m-%y' or format='%y-%m-%d'"
    )


@pytest.mark.parametrize(
    "labels",
    [
        ["01.01.1899"],
        ["01.01.2101"],
        ["marble 12", "maybe 13"],  # begin as names of months
        ["sensor 12", "Jan 5th 2024"],
        ["2023Q4", "2024Q5"],
        ["05.01.2024", "no date 12"],
        ["1970 Q1", "1970 Q5"],
        ["Q1 1970", "Q 1970"],
        ["1970 H1", "1970 H3"],
        ["1970-W02", "week 3 of 1970"],
        ["123456", "123457"],  # no year begins
        ["Mon 12", "Tue 13"],
    ],
    ids=str,
)
def test_other_text_is_no_date(labels):
    assert dates_of_text(pd.Index(labels), "labels") is None


@pytest.mark.parametrize(
    ("integers", "dates"),
    [
        ([20240101, 20240102], ["2024-01-01", "2024-01-02"]),
        ([200111, 200112, 200201], ["2001-11-01", "2001-12-01", "2002-01-01"]),
        ([19000101, 21001231], ["1900-01-01", "2100-12-31"]),
        ([20240101000000, 20240131235959], ["2024-01-01", "2024-01-31 23:59:59"]),
        # Weeks by their Mondays.
        ([202252, 202301, 202302], ["2022-12-26", "2023-01-02", "2023-01-09"]),
        ([202251, 202252, 202301], ["2022-12-19", "2022-12-26", "2023-01-02"]),
        ([202252, 202305], ["2022-12-26", "2023-01-30"]),
        ([202053, 202101], ["2020-12-28", "2021-01-04"]),
        ([190052, 190101], ["1900-12-24", "1900-12-31"]),
        ([209953, 210001], ["2099-12-28", "2100-01-04"]),
        # Days of years.
        ([2020366, 2021001], ["2020-12-31", "2021-01-01"]),
        ([1900365, 1901001], ["1900-12-31", "1901-01-01"]),
        ([2099365, 2100001, 2100002], ["2099-12-31", "2100-01-01", "2100-01-02"]),
    ],
    ids=str,
)
def test_the_advice_turns_integers_into_their_dates(integers, dates):
    labels = pd.Index(integers)
    times = eval(dates_of_integers(labels.to_numpy(), "labels"), {"pd": pd, "labels": labels})
    assert list(times) == [pd.Timestamp(date) for date in dates]


@pytest.mark.parametrize(
    "integers",
    [
        [200111, 200112],  # two months may be any numbers
        [18991231, 19000101],
        [21001231, 21010101],
        [20240001, 20240002, 20240003],
        [20241301, 20241302, 20241303],
        [20240100, 20240101],
        [20240131, 20240132],
        [2024010124, 2024010200],
        [202401010060, 202401010100],
        [20240101000060, 20240101000100],
        [20240101, 2024010102],
        # As weeks:
        [189952, 190001],
        [210052, 210101],
        [202252, 202300, 202301],
        [202254, 202301],
        [202251, 202252, 202253],  # no year begins
        [202230, 202301],
        [202252, 202330],
        [202252, 202307],
        [202251, 202252, 202301, 202330, 202401],
        [202252, 202401],  # a year is missing
        # As days of years:
        [2022365, 2023000, 2023001],
        [2022367, 2023001],
        [2022300, 2023001],
        [2022365, 2023100],
    ],
    ids=str,
)
def test_other_integers_are_no_dates(integers):
    assert dates_of_integers(np.array(integers), "labels") is None


def test_the_advice_for_a_last_level_puts_times_in_its_place():
    y = pd.Series(1.0, index=pd.MultiIndex.from_product([["a", "b"], [20240101, 20240103]]))
    dates = dates_of_integers(y.index.levels[-1].to_numpy(), "y.index.levels[-1]")
    advice = in_last_level(dates, "y")
    first, _, second = advice.partition(", and put these in their place: ")
    names = {"pd": pd, "y": y}
    exec(first.removeprefix("Turn them into "), names)
    exec(second.removesuffix("."), names)
    expected = [(name, pd.Timestamp(day)) for name in "ab" for day in ("2024-01-01", "2024-01-03")]
    assert y.index.tolist() == expected
