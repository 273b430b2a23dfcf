"""Progress of a fit with ``verbose=1``: lines of text, or a bar."""

import io
import re
import sys
import threading
import types
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout

import numpy as np
import pytest
from joblib import Parallel, delayed
from skorch.callbacks import Callback, EarlyStopping, LRScheduler

from sklstm._network.progress import counting

X = np.random.RandomState(0).randn(60, 4, 1)
Y = X[:, :, 0].sum(axis=1)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def on_terminal():
    """Call a function with a terminal as output; return what was written to it."""

    def call(function, *args):
        with redirect_stdout(Terminal()) as terminal:
            function(*args)
        return terminal.getvalue()

    return call


def bars(written):
    """Return the states of a bar, each of which overwrites the one before."""
    return [state for state in re.split(r"[\r\n]", written) if state.strip()]


class TestLines:
    def test_one_line_per_tenth_of_the_epochs_where_the_output_is_no_terminal(
        self, small_lstm, capsys
    ):
        small_lstm(verbose=1, max_epochs=50, early_stopping=False, tol=0).fit(X, Y)
        out, err = capsys.readouterr()
        lines = out.splitlines()
        epochs = [re.match(r"LSTMRegressor: epoch (\d+)/50, train loss \d", line) for line in lines]
        assert [int(epoch[1]) for epoch in epochs] == list(range(5, 51, 5))
        assert all(re.search(r", at most \d+ s left$", line) for line in lines[:-1])
        assert lines[-1].startswith("LSTMRegressor: epoch 50/50, train loss")
        assert "left" not in lines[-1]
        assert err == ""

    def test_a_line_per_epoch_where_there_are_fewer_than_ten(self, small_lstm, capsys):
        small_lstm(verbose=1, max_epochs=3).fit(X, Y)
        assert len(capsys.readouterr().out.splitlines()) == 3

    def test_the_validation_loss_is_shown_where_there_is_one(self, small_lstm, capsys):
        model = small_lstm(verbose=1, max_epochs=2, early_stopping=True).fit(X, Y)
        assert f"valid loss {model.validation_loss_curve_[-1]:.4f}" in capsys.readouterr().out

    def test_the_last_line_says_where_training_stopped_early(self, small_lstm, capsys):
        model = small_lstm(
            verbose=1, max_epochs=1000, n_iter_no_change=2, tol=1.0, early_stopping=True
        ).fit(X, Y)
        last = capsys.readouterr().out.splitlines()[-1]
        assert last.startswith(f"LSTMRegressor: epoch {model.n_iter_}/1000, ")
        assert last.endswith(", stopped")

    def test_no_line_comes_twice_where_training_stops_at_a_tenth(self, small_lstm, capsys):
        stop = EarlyStopping("train_loss", patience=2, threshold=10, threshold_mode="abs")
        options = {"max_epochs": 10, "early_stopping": False, "callbacks": [("mine", stop)]}
        model = small_lstm(verbose=1, **options).fit(X, Y)
        assert model.n_iter_ < 10
        assert len(capsys.readouterr().out.splitlines()) == model.n_iter_

    def test_partial_fit_and_a_warm_start_count_their_own_epochs(self, small_lstm, capsys):
        model = small_lstm(verbose=1, max_epochs=2, warm_start=True).fit(X, Y)
        capsys.readouterr()
        model.partial_fit(X, Y)
        assert "epoch 1/1, " in capsys.readouterr().out
        model.fit(X, Y)
        assert [line.split(",")[0][-3:] for line in capsys.readouterr().out.splitlines()] == [
            "1/2",
            "2/2",
        ]

    def test_a_fit_outside_the_main_thread_writes_lines_to_a_terminal(
        self, small_lstm, on_terminal
    ):
        with ThreadPoolExecutor(1) as pool:
            written = on_terminal(lambda: pool.submit(small_lstm(verbose=1).fit, X, Y).result())
        assert "\r" not in written
        assert written.count("\n") == 2

    def test_a_parallel_worker_draws_no_bar_on_a_terminal(self, small_lstm):
        (written,) = Parallel(n_jobs=2)([delayed(written_by_a_fit)(small_lstm(verbose=1))])
        assert "\r" not in written
        assert written.count("LSTMRegressor: epoch") == 2


def written_by_a_fit(model):
    """Return what a fit writes to a terminal; called in a worker."""
    with redirect_stdout(Terminal()) as terminal:
        model.fit(X, Y)
    return terminal.getvalue()


class TestBar:
    def test_a_terminal_shows_one_bar_with_epochs_losses_and_time_left(
        self, small_lstm, on_terminal
    ):
        model = small_lstm(verbose=1, max_epochs=30, early_stopping=False, tol=0)
        written = on_terminal(model.fit, X, Y)
        assert written.count("\n") == 1  # the bar stays on its line
        last = bars(written)[-1]
        assert last.startswith("LSTMRegressor: 100%|")
        assert "30/30" in last
        assert f"train loss={model.loss_curve_[-1]:.4f}" in last
        assert re.search(r"\[\d\d:\d\d<\d\d:\d\d", last)  # elapsed, left

    def test_an_error_in_training_closes_the_bar(self, small_lstm, on_terminal):
        class Fail(Callback):
            def on_epoch_end(self, net, **kwargs):
                raise RuntimeError("from the user's callback")

        def fit():
            with pytest.raises(RuntimeError, match="from the user's callback"):
                small_lstm(verbose=1, callbacks=[Fail()]).fit(X, Y)

        assert on_terminal(fit).endswith("\n")

    def test_it_leaves_no_thread_behind(self, small_lstm, on_terminal):
        before = threading.active_count()
        assert "LSTMRegressor" in on_terminal(small_lstm(verbose=1).fit, X, Y)
        assert threading.active_count() == before

    def test_a_notebook_without_widgets_gets_the_bar_of_a_terminal(
        self, small_lstm, capsys, monkeypatch
    ):
        monkeypatch.setitem(sys.modules, "ipykernel.zmqshell", types.ModuleType("zmqshell"))
        small_lstm(verbose=1).fit(X, Y)
        out, err = capsys.readouterr()
        assert bars(out)[-1].startswith("LSTMRegressor: 100%|")
        assert err == ""


def test_verbose_2_prints_the_table_of_skorch_and_no_bar(small_lstm, on_terminal):
    lines = on_terminal(small_lstm(verbose=2, max_epochs=2).fit, X, Y).strip().splitlines()
    assert len(lines) == 2 + 2
    assert lines[0].split() == ["epoch", "train_loss", "dur"]
    assert not any("LSTMRegressor" in line for line in lines)


@pytest.mark.parametrize("verbose", [0, 1])
def test_a_callback_of_the_user_may_have_any_name(small_lstm, verbose, capsys):
    """Non-regression test: a callback named "progress" was taken for that of sklstm."""
    model = small_lstm(verbose=verbose, callbacks=[("progress", LRScheduler)])
    assert model.fit(X, Y).n_iter_ == 2


@pytest.mark.parametrize("output", [None, types.SimpleNamespace(write=len, flush=int)])
def test_a_program_without_a_terminal_of_its_own_can_fit(small_lstm, output):
    """Non-regression test: windowed programs have no standard output, loggers no isatty."""
    with redirect_stdout(output):
        small_lstm(verbose=1).fit(X, Y)


def test_a_fit_is_the_same_with_and_without_progress(small_lstm, capsys):
    silent, loud = (small_lstm(verbose=verbose).fit(X, Y) for verbose in (0, 1))
    np.testing.assert_array_equal(silent.predict(X), loud.predict(X))


class TestCounting:
    """Progress of other work than epochs, such as the folds of a backtest."""

    def count(self, n_done, n=4):
        with counting(n, "backtest", "fold") as done:
            for _ in range(n_done):
                done()

    def test_a_terminal_shows_one_bar(self, on_terminal):
        written = on_terminal(self.count, 4)
        assert written.count("\n") == 1
        assert bars(written)[-1].startswith("backtest: 100%|")
        assert "4/4" in bars(written)[-1]

    def test_other_outputs_get_lines(self, capsys):
        self.count(4)
        lines = capsys.readouterr().out.splitlines()
        assert [line.split(",")[0] for line in lines] == [
            f"backtest: fold {number}/4" for number in (1, 2, 3, 4)
        ]

    def test_an_error_ends_the_lines_and_the_bar(self, on_terminal, capsys):
        def stop_after_one():
            with counting(100, "backtest", "fold") as done:
                done()
                raise ValueError("of a fit")

        def fail():
            with pytest.raises(ValueError, match="of a fit"):
                stop_after_one()

        assert on_terminal(fail).endswith("\n")
        fail()
        assert capsys.readouterr().out == "backtest: fold 1/100, stopped\n"
