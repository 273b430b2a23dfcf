"""Replace a file by a complete new one, or leave it as it is."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from pathlib import Path


def replace_file(path: Path, data: bytes) -> None:
    """Write ``data`` beside ``path`` and rename it, so that no half-written file has the name.

    Whatever fails or ends the process, ``path`` has the old bytes or the new ones. After the
    return the new ones are on the disk, also if the power fails. A new file has the permissions of
    the one that it replaces.

    Raises
    ------
    OSError
        If the file cannot be written, or ``path`` is a device, a pipe or a socket. What was written
        is deleted.
    """
    path = Path(os.path.realpath(path))  # what a link points to is replaced, not the link
    if path.exists() and not (path.is_file() or path.is_dir()):  # a folder is the usual error
        raise OSError(
            f"{path} is no file, but a device, a pipe or a socket, which would be replaced. Write "
            "to a file."
        )
    # In the same folder, since a rename is one step only on one file system; with a name of its
    # own, since another process may save to the same path.
    beside = path.with_name(f".sklstm-{secrets.token_hex(8)}.new")
    try:
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:
            with contextlib.suppress(FileNotFoundError):
                os.chmod(beside, stat.S_IMODE(path.stat().st_mode))
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise
    _sync_names(path.parent)


def _sync_names(folder: Path) -> None:
    """Write the names in a folder to the disk: a rename is not there before."""
    if os.name == "nt":  # Windows opens no folders
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a file system on which names need no such call
            raise
    finally:
        os.close(opened)
