"""Leads in the names of columns."""

import pytest

from sklstm._series.lead_names import lead_name, read_leads, without_lead


@pytest.mark.parametrize(
    ("names", "leads"),
    [
        (["load_lead1", "load_lead2"], [1, 2]),
        (["load_lead13", "wind_lead24"], [13, 24]),
        (["a b_lead007"], [7]),
        (["load\n_lead3"], [3]),
        (["load_lead0"], [0]),
        (["load_lead24", "sensor"], [24, 0]),  # each column by its own name
        (["sensor", None, 3, ("load_lead1", "x"), "load_lead2"], [0, 0, 0, 0, 2]),
        ([("a", "load_lead1"), ("a", "b_lead9", "load_lead2")], [1, 2]),  # the last level
        (["load", "mislead1", "load_lead", "load_lead1h", "load_lead-1", "load_lead1.5"], None),
        (["load_lag1", "lead_1_load", "load(t+1)"], None),
        ([None], None),
        ([0, 1], None),
        ([f"load_lead{10**18}"], None),  # no int of 64 bits
    ],
)
def test_leads_are_read_from_the_names_of_forecast_targets(names, leads):
    assert read_leads(names) == leads


@pytest.mark.parametrize("name", ["load", "load_lead2", None, 7, ("a", "b")])
def test_names_that_are_given_are_read(name):
    assert read_leads([lead_name(name, lead) for lead in (1, 24)]) == [1, 24]


@pytest.mark.parametrize("name", ["load", "y_lead1", "load\nof", "a_lead2_b", ""])
def test_the_name_of_the_series_is_that_without_its_lead(name):
    assert without_lead(lead_name(name, 24)) == name


def test_a_series_without_a_name_is_y():
    assert lead_name(None, 3) == "y_lead3"


def test_a_name_without_a_lead_is_that_of_the_series():
    assert without_lead("misled") == "misled"
    assert without_lead("load_lead1h") == "load_lead1h"
