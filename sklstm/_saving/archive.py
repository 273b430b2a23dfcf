"""The file of a saved estimator: an archive of skops whose comment tells what it is.

The comment is text at the end of the file (``unzip -z`` prints it)::

    sklstm format 1
    {"versions": ..., ...}
    sha256 0123...

The checksum is that of all bytes before its own digits, so any byte that differs is found. It is
there against accidents. Who changes a file on purpose can change the checksum as well: against
them, :mod:`sklstm._saving.limits` checks what the file declares.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from typing import Any

FORMAT = 1
"""Raised by one when a file is written that the version before could not read."""

_DIGITS = 64
_COMMENT = re.compile(
    rb"sklstm format (?P<format>[0-9]{1,9})\n(?P<facts>[^\n]*)\nsha256 (?P<digits>[0-9a-f]{64})"
)


def sealed(archive: bytes, facts: dict[str, Any]) -> bytes:
    """Return the archive with format, facts and checksum in its comment."""
    content = io.BytesIO(archive)
    with zipfile.ZipFile(content, "a") as file:
        head = f"sklstm format {FORMAT}\n{json.dumps(facts)}\nsha256 "
        file.comment = head.encode() + b"0" * _DIGITS
    data = content.getvalue()[:-_DIGITS]
    return data + hashlib.sha256(data).hexdigest().encode()


def check_seal(data: bytes) -> dict[str, Any]:
    """Return the facts in the comment of a file.

    Raises
    ------
    ValueError
        If it is no file of :func:`sealed`, of a later format, or not as it was written.
    """
    comment = _comment(data)
    match = _COMMENT.fullmatch(comment)
    number = re.match(rb"sklstm format ([0-9]{1,9})\n", comment)
    if number and int(number[1]) > FORMAT:
        raise ValueError(
            f"it has format {int(number[1])}, and this version of sklstm reads formats up to "
            f"{FORMAT}. Install the version that saved it, or a later one. What the file says of "
            f"itself: {comment[:200]!r}"
        )
    if match is None or int(match["format"]) != FORMAT:
        raise ValueError(
            "it is not a file of sklstm.save, or not a complete one: it does not end with a format "
            "and a checksum. A file of skops.io.dump is read by skops.io.load(path, "
            "trusted=sklstm.TRUSTED_TYPES), a pickle that you trust by pickle.load or joblib.load"
        )
    if hashlib.sha256(data[:-_DIGITS]).hexdigest().encode() != match["digits"]:
        raise ValueError(
            "its checksum is that of other bytes, so it was damaged or changed after it was saved. "
            "Copy it again from where it was saved, or save the estimator again"
        )
    return dict(json.loads(match["facts"]))


def _comment(data: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            return file.comment
    except Exception:  # zipfile raises what its parts raise
        return b""
