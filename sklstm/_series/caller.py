"""The line that called the package, which warnings name."""

from __future__ import annotations

import sys

# Calls pass through these too: pipelines, their cache, and from scikit-learn 1.9 on its callbacks.
_BETWEEN = ("sklstm", "sklearn", "joblib", "skops")


def level_of_caller() -> int:
    """Return the ``stacklevel`` at which a warning names the line that called the package."""
    frame, level = sys._getframe(1), 1
    while frame.f_back and frame.f_globals.get("__name__", "").split(".")[0] in _BETWEEN:
        frame, level = frame.f_back, level + 1
    return level
