"""The parts of an estimator that an archive cannot hold."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from sklstm._series.labels import loaded_pandas


class _PlainArrays(pickle.Pickler):
    """Pickles what is like an array as an array."""

    found = False

    def reducer_override(self, obj: Any) -> Any:
        pandas = loaded_pandas()
        if isinstance(obj, np.memmap):
            array = obj.view(np.ndarray)
        elif pandas and isinstance(obj, pandas.Index) and obj.inferred_type == "string":
            array = obj.to_numpy(dtype=object)
        else:
            return NotImplemented
        self.found = True
        return np.asarray, (array,)


def with_plain_arrays(estimator: Any) -> Any:
    """Copy an estimator with arrays in the place of what is like one; None without any.

    A FeatureUnion keeps pandas' names of columns if its output is pandas, and joblib loads arrays
    of a file with ``mmap_mode``.
    """
    file = io.BytesIO()
    pickler = _PlainArrays(file)
    try:
        pickler.dump(estimator)
    except Exception:  # parts of any type raise errors of any type
        return None
    return pickle.loads(file.getvalue()) if pickler.found else None


def part_that_fails(
    whole: Any, name: str, dump: Callable[[Any], object], error: Exception
) -> tuple[str, Exception]:
    """Return the way to the smallest part of an object on which ``dump`` fails, and its error."""
    seen = {id(whole)}  # a part may hold what it is a part of
    while True:
        for path, part in _parts(whole, name):
            if id(part) not in seen and (of_part := _error(dump, part)) is not None:
                whole, name, error = part, path, of_part
                seen.add(id(part))
                break
        else:
            return name, error


def _parts(whole: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(whole, (list, tuple)):
        yield from ((f"{name}[{place}]", part) for place, part in enumerate(whole))
    elif isinstance(whole, dict):
        yield from ((f"{name}[{key!r}]", part) for key, part in whole.items())
    elif isinstance(state := getattr(whole, "__dict__", None), dict):
        yield from ((f"{name}.{key}", part) for key, part in state.items())


def _error(dump: Callable[[Any], object], part: Any) -> Exception | None:
    try:
        dump(part)
    except Exception as error:  # parts of any type raise errors of any type
        return error
    return None
