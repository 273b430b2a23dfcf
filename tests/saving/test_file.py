import errno
import os
import stat

import pytest

from sklstm._saving.file import replace_file
from tests.machine import needs_named_pipes


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    return path


def test_the_new_bytes_have_the_name_and_nothing_else_is_left(path):
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert os.listdir(path.parent) == ["file"]


def test_file_and_folder_are_on_the_disk_before_the_call_returns(path, monkeypatch):
    synced = []
    fsync = os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda fd: (synced.append(stat.S_IFMT(os.fstat(fd).st_mode)), fsync(fd))
    )
    replace_file(path, b"new")
    assert synced == [stat.S_IFREG, stat.S_IFDIR]


def test_permissions_of_the_replaced_file_are_kept(path):
    path.chmod(0o600)
    replace_file(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_new_file_has_the_usual_permissions(path):
    replace_file(path.with_name("other"), b"new")
    path.with_name("usual").write_bytes(b"")
    modes = {stat.S_IMODE(path.with_name(name).stat().st_mode) for name in ("other", "usual")}
    assert len(modes) == 1


def test_the_file_behind_a_link_is_replaced(path):
    link = path.with_name("link")
    link.symlink_to(path)
    replace_file(link, b"new")
    assert link.is_symlink()
    assert path.read_bytes() == b"new"


def test_a_name_as_long_as_names_may_be_is_written(tmp_path):
    path = tmp_path / ("n" * 255)
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("name", ["fsync", "replace", "open"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EIO])
def test_an_error_of_the_disk_leaves_the_old_file_and_nothing_beside_it(
    path, monkeypatch, name, number
):
    def fail(*args, **kwargs):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, name, fail)
    with pytest.raises(OSError, match=os.strerror(number)):
        replace_file(path, b"new")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert os.listdir(path.parent) == ["file"]


def test_a_folder_is_not_replaced(tmp_path):
    with pytest.raises(IsADirectoryError):
        replace_file(tmp_path, b"new")
    assert os.listdir(tmp_path) == []


@needs_named_pipes
def test_what_is_no_file_is_not_replaced(tmp_path):
    """Such as /dev/null, which all programs of a machine need."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="pipe is no file, but a device, a pipe or a socket"):
        replace_file(pipe, b"new")
    assert pipe.is_fifo()
    assert os.listdir(tmp_path) == ["pipe"]


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        replace_file(tmp_path / "none" / "file", b"new")
