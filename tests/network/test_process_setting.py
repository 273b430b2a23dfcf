"""A setting of the process that is changed during calls."""

import pytest

from sklstm._network.process_setting import ProcessSetting


@pytest.fixture
def log():
    return []


@pytest.fixture
def setting(log):
    def begin():
        log.append("begin")
        return "before"

    return ProcessSetting(begin, log.append)


def test_the_first_of_overlapping_calls_begins_and_the_last_ends(setting, log):
    with setting as outer:
        with setting as inner:
            assert log == ["begin"]
        assert log == ["begin"]
    assert outer == inner == "before"
    assert log == ["begin", "before"]


def test_an_error_puts_the_setting_back(setting, log):
    with pytest.raises(ArithmeticError), setting:
        raise ArithmeticError
    assert log == ["begin", "before"]
    with setting:
        assert log == ["begin", "before", "begin"]
