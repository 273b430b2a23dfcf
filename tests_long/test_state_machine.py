"""More sequences of calls of one LSTMRegressor than tests/test_state_machine.py has."""

import pytest

from tests.test_state_machine import DIVERGED, run_sequences


@pytest.mark.filterwarnings(f"ignore:The {DIVERGED}")
def test_calls_in_any_order_equal_a_fresh_fit_or_are_refused_by_name():
    run_sequences(500)
