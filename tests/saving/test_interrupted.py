"""A save that is killed, or finds the disk full or closed, leaves the old file or the new one."""

import os
import resource
import signal
import stat
import tempfile
from pathlib import Path

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from sklstm import LSTMRegressor, SlidingWindowTransformer, load, save
from sklstm._saving import file as file_module
from sklstm._saving import saving

pytestmark = pytest.mark.family("interrupted saves")

X = np.random.RandomState(0).rand(60, 1)
N_WRITES = 12  # pieces that the bytes of a file are written in, to be killed between them


def model(seed):
    lstm = LSTMRegressor(2, max_epochs=1, n_jobs=1, random_state=seed, linear_skip=False)
    return make_pipeline(SlidingWindowTransformer(3), lstm).fit(X, X[:, 0])


@pytest.fixture(scope="module")
def old():
    return model(0)


@pytest.fixture(scope="module")
def new():
    return model(1)


@pytest.fixture
def path(tmp_path, old):
    path = tmp_path / "model.sklstm"
    save(old, path)
    return path


def in_a_child(task):
    """Run a task in a forked process; return how it ended, and the errno of an OSError."""
    child = os.fork()
    if child == 0:
        code = 99
        try:
            task()
            code = 0
        except OSError as error:
            code = error.errno
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return status


class Killed:
    """Kill the process at the given one of all steps that touch the disk."""

    def __init__(self, at):
        self.left = at

    def step(self):
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1

    def around(self, function):
        """Count a step before the call, and one after it."""

        def call(*args, **kwargs):
            self.step()
            result = function(*args, **kwargs)
            self.step()
            return result

        return call

    def opened(self, *args):
        file = open(*args)  # noqa: SIM115
        write = file.write

        def in_pieces(data):
            for piece in np.array_split(np.frombuffer(data, np.uint8), N_WRITES):
                write(piece.tobytes())
                file.flush()
                self.step()

        killed = self

        class File:
            def __enter__(self):
                return self

            def __exit__(self, *error):
                file.close()

            def write(self, data):
                in_pieces(data)

            def flush(self):
                killed.step()

            def fileno(self):
                return file.fileno()

        return File()


# open, chmod, the pieces, flush, two fsyncs, replace and the folder
STEPS = 2 * 6 + N_WRITES + 1


@pytest.mark.parametrize("at", range(STEPS + 1))
def test_a_save_that_is_killed_leaves_the_old_model_or_the_new_one(path, old, new, at):
    def task():
        killed = Killed(at)
        for name in ("open", "chmod", "fsync", "replace"):
            setattr(os, name, killed.around(getattr(os, name)))
        file_module.open = killed.opened
        save(new, path)

    status = in_a_child(task)
    if at < STEPS:
        assert os.WTERMSIG(status) == signal.SIGKILL
    else:  # there is no step that this test does not know of
        assert status == 0
    is_new = at > STEPS - 6  # after the rename
    expected = (new if is_new else old).predict(X)
    np.testing.assert_array_equal(load(path).predict(X), expected)
    beside = [name for name in os.listdir(path.parent) if name != path.name]
    assert all(name.startswith(".sklstm-") and name.endswith(".new") for name in beside)
    save(new, path)
    np.testing.assert_array_equal(load(path).predict(X), new.predict(X))


@pytest.mark.parametrize("limit", [0, 1000, 50_000])
def test_a_full_disk_is_an_error_and_leaves_the_old_model(path, old, new, limit):
    assert path.stat().st_size > limit

    def task():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        save(new, path)

    assert os.waitstatus_to_exitcode(in_a_child(task)) == 27  # EFBIG
    np.testing.assert_array_equal(load(path).predict(X), old.predict(X))
    assert os.listdir(path.parent) == [path.name]


def test_a_folder_without_permission_is_an_error_and_leaves_the_old_model(old, new):
    def write(path, data):
        if os.getuid() == 0:  # root may write everywhere; others may not read all of a checkout
            os.setuid(65534)
        file_module.replace_file(path, data)

    def task():
        saving.replace_file = write  # of a forked process only
        save(new, path)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.sklstm")
        save(old, path)
        os.chmod(folder, stat.S_IRUSR | stat.S_IXUSR | stat.S_IRGRP | stat.S_IXGRP | 0o005)
        assert os.waitstatus_to_exitcode(in_a_child(task)) == 13  # EACCES
        np.testing.assert_array_equal(load(path).predict(X), old.predict(X))
        assert os.listdir(folder) == [path.name]
        os.chmod(folder, 0o700)
