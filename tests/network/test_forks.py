import _thread
import os
import threading
import time

import numpy as np

from sklstm import LSTMRegressor
from sklstm._network import forks
from sklstm._network.forks import note_thread
from tests.machine import needs_fork, needs_proc


def forked():
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


@needs_fork
@needs_proc
def test_a_fork_waits_for_a_thread_that_has_computed_and_python_takes_for_ended():
    noted, events = threading.Event(), []

    def work():
        note_thread()
        noted.set()
        time.sleep(0.2)
        events.append("the thread ended")

    _thread.start_new_thread(work, ())  # threading does not list it, as one that has been joined
    noted.wait()
    forked()
    events.append("the fork ended")
    assert events == ["the thread ended", "the fork ended"]


@needs_fork
def test_a_fork_does_not_wait_for_threads_that_run_or_have_not_computed():
    begun, go_on = threading.Barrier(3), threading.Event()

    def work(first):
        first()
        begun.wait()
        go_on.wait()

    running = threading.Thread(target=work, args=(note_thread,))
    running.start()
    _thread.start_new_thread(work, (lambda: None,))
    begun.wait()
    forked()  # would wait for a second, and then forget the thread
    assert running.native_id in forks._have_computed
    go_on.set()
    running.join()


def test_a_thread_that_predicts_is_noted():
    X = np.random.RandomState(0).randn(40, 3)
    model = LSTMRegressor(hidden_layer_sizes=2, max_epochs=1, random_state=0).fit(X, X[:, 0])
    thread = threading.Thread(target=model.predict, args=(X,))
    thread.start()
    thread.join()
    assert thread.native_id in forks._have_computed
    assert threading.get_native_id() in forks._have_computed


@needs_fork
@needs_proc
def test_a_forked_process_that_computes_forks_without_waiting(monkeypatch):
    """For itself: threading may not know its main thread by the number that the system gave it."""

    def wait_in_vain(seconds):
        os._exit(1)

    child = os.fork()
    if child == 0:
        note_thread()
        monkeypatch.setattr(time, "sleep", wait_in_vain)
        forked()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


def test_threads_that_are_gone_are_forgotten(monkeypatch):
    monkeypatch.setattr(forks, "_MANY", 10)
    for _ in range(40):
        thread = threading.Thread(target=note_thread)
        thread.start()
        thread.join()
    assert len(forks._have_computed) <= 30
