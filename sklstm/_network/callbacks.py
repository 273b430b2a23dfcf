"""The user's callbacks: a check of what they are, and copies without what training added."""

from __future__ import annotations

import copy
import inspect
import pickle
from typing import Any

import numpy as np
from skorch.callbacks import Callback

# Names that skorch and this package give to callbacks of their own.
_TAKEN = {
    "epoch_timer",
    "train_loss",
    "valid_loss",
    "print_log",
    "keep_best",
    "epoch_progress",
    "epoch_tasks",
    "early_stopping",
}


def check_callbacks(callbacks: list[Any] | None) -> None:
    """Raise an error for what skorch does not take as callbacks."""
    names: set[str] = set()
    for item in callbacks or []:
        is_named = isinstance(item, (tuple, list))
        if is_named and not (len(item) == 2 and isinstance(item[0], str)):
            _refuse(item, "is no pair of a name and a callback")
        callback = item[1] if is_named else item
        of_class = isinstance(callback, type)
        if not (issubclass(callback, Callback) if of_class else isinstance(callback, Callback)):
            _refuse(item, "is none of these")
        if is_named:
            if item[0] in _TAKEN | names:
                _refuse(item, "has a name that another callback has, so choose another name")
            names.add(item[0])
        if of_class:
            try:
                inspect.signature(callback).bind()
            except TypeError as error:
                _refuse(item, f"is a class that cannot be called without arguments ({error})")


def _refuse(item: Any, reason: str) -> None:
    raise ValueError(
        f"callbacks must hold skorch callbacks: instances, classes or (name, callback) tuples; "
        f"got {item!r}, which {reason}."
    )


def untrained(callbacks: Any) -> Any:
    """Copy callbacks without what training added: it can be tensors, even on a GPU, or open files.

    What is not a list of callbacks is returned as it is.
    """
    if isinstance(callbacks, (list, tuple)):
        return type(callbacks)(untrained(item) for item in callbacks)
    return _untrained(callbacks) if isinstance(callbacks, Callback) else callbacks


def _untrained(callback: Callback) -> Callback:
    """Make a new callback with the same parameters, and those attributes that are plain values.

    By the convention of skorch, an attribute with an underscore at its end is left by training.
    """
    kept = {name: value for name, value in vars(callback).items() if not name.endswith("_")}
    plain = {name: value for name, value in kept.items() if _is_plain(value)}
    try:
        parameters = inspect.signature(type(callback)).parameters.values()
        # **kwargs of skorch's classes are attributes: their plain values, and functions.
        takes_more = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
        arguments = {k: v for k, v in kept.items() if _is_plain(v) or inspect.isroutine(v)}
        arguments = arguments if takes_more else {}
        for parameter in parameters:
            if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                arguments[parameter.name] = getattr(callback, parameter.name)
        other = type(callback)(**copy.deepcopy(arguments))
    except Exception:  # not made by its parameters alone: keep all that can be saved
        other = object.__new__(type(callback))
        plain = {name: value for name, value in kept.items() if _can_be_saved(value)}
    vars(other).update(copy.deepcopy(plain))
    return other


def _is_plain(value: Any) -> bool:
    if isinstance(value, (list, tuple, set, frozenset)):
        return all(_is_plain(item) for item in value)
    if isinstance(value, dict):
        return all(_is_plain(part) for item in value.items() for part in item)
    if isinstance(value, np.ndarray):
        return value.dtype.kind != "O"
    return value is None or isinstance(value, (bool, int, float, complex, str, bytes, np.generic))


def _can_be_saved(value: Any) -> bool:
    try:
        pickle.dumps(value)
    except Exception:  # the type of error depends on the value
        return False
    return True
