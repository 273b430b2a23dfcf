"""A saved state of fitted series is checked part by part, before it is used."""

import copy

import numpy as np
import pandas as pd
import pytest

from sklstm import SlidingWindowTransformer
from sklstm._series.saved import check_saved_panel, check_saved_series

DAYS = pd.date_range("2024-03-01", periods=20)
X = pd.DataFrame(np.random.RandomState(0).randn(20, 2), DAYS)


def state_of(rows):
    """Return the state of fitted rows and their history, of windows of four rows."""
    state = SlidingWindowTransformer(4).fit(rows).__getstate__()
    return {**state["_fitted_series"], "history_": state["history_"]}


ONE = state_of(X[:8])


def check_one(state):
    check_saved_series({k: v for k, v in state.items() if k != "history_"}, state["history_"], 2)


MANY = state_of(pd.concat({"a": X, "b": X[:9], "c": X[:2]}))


def check_many(state):
    check_saved_panel({k: v for k, v in state.items() if k != "history_"}, state["history_"], 2)


def put(state, path, value):
    """Put a value at a path of keys; of a function, what it makes of the old value."""
    *path, last = path.split(".")
    for key in path:
        state = state[int(key) if isinstance(state, list) else key]
    last = int(last) if isinstance(state, list) else last
    state[last] = value(state[last]) if callable(value) else value


AXIS = [
    ("scale", "other"),
    ("scale", None),
    ("step", 0),
    ("step", -1),
    ("step", 1.0),
    ("step", True),
    ("kind", None),
    ("unit", 1),
    ("anchor", 0.5),
    ("anchor", "a"),
    ("other_anchor", False),
    ("limit", 1.5),
]
EXTREMES = [
    ("extremes", lambda old: old[:1]),
    ("extremes", lambda old: np.vstack([old, old])),
    ("extremes", lambda old: old[:, :1]),
    ("extremes", lambda old: old.tolist()),
    ("extremes", lambda old: old.astype(int)),
    ("extremes", lambda old: old.astype(object)),
    ("extremes", lambda old: old[0]),
    ("extremes", lambda old: old[np.newaxis]),
]
OF_ONE = [
    *((f"timeline.axis.{key}", value) for key, value in AXIS),
    *EXTREMES,
    ("history_", lambda old: old[:, :1]),
    ("history_", lambda old: old.tolist()),
    ("history_", None),
    ("head", lambda old: old[:, [0, 1, 1]]),
    ("head", lambda old: old.astype(np.float16)),
    ("head", 1),
    ("first_repeats", None),
    ("first_repeats", 0),
    ("timeline.first_tick", None),
    ("timeline.first_tick", "a"),
    ("timeline.last_tick", 1.5),
    ("timeline.last_tick", True),
    ("timeline.history_ticks", lambda old: old[1:]),
    ("timeline.history_ticks", lambda old: np.append(old, old[-1])),
    ("timeline.history_ticks", lambda old: old.tolist()),
    ("timeline.history_ticks", lambda old: old[:, np.newaxis]),
    ("timeline.history_ticks", lambda old: old > 0),
    ("timeline.history_ticks", lambda old: old.astype(complex)),
    ("timeline.history_ticks", lambda old: np.array([1, 2, 3], dtype=object)),
    ("timeline.history_ticks", lambda old: np.array(["a", "b", 3], dtype=object)),
    ("timeline.history_ticks", np.array(["a", "b", "c"])),
    ("few_labels", lambda old: list(old)),
    ("few_labels", lambda old: old[:1]),
    ("few_labels", lambda old: (*old, 1)),
    ("few_labels", lambda old: (tuple(old[0]), old[1])),
    ("few_labels", lambda old: (old[0], 1)),
    ("few_labels", "ab"),
]
OF_PANEL = [
    *((f"axis.{key}", value) for key, value in AXIS),
    *EXTREMES,
    ("names", ("a", "b", "c")),
    ("names", ["a", "b"]),
    ("names", ["a", "b", "d"]),
    ("history_.names", ["a", "b", "d"]),
    ("n_rows", 0),
    ("n_rows", -1),
    ("n_rows", 31.0),
    ("n_rows", True),
    ("first", lambda old: old[:2]),
    ("first", tuple),
    ("last", lambda old: [*old, old[0]]),
    ("last", tuple),
    ("n_ticks", lambda old: old[:2]),
    ("n_ticks", tuple),
    ("history_.rows", lambda old: old[:2]),
    ("history_.rows", tuple),
    ("history_.rows.1", lambda old: old[:, :1]),
    ("history_.rows.2", lambda old: old.tolist()),
    ("n_ticks.1", 2),
    ("n_ticks.1", 3.0),
    ("ticks", lambda old: old[1:]),
    ("ticks", lambda old: np.array(["a"] * len(old))),
    ("first.2", "a"),
    ("last.0", None),
]


NAMED = {  # where it is not the last key
    "first_tick": "ticks at the ends",
    "last_tick": "ticks at the ends",
    "first.2": "ticks at the ends",
    "last.0": "ticks at the ends",
    "history_ticks": "ticks( at the ends)?",
    "ticks": "ticks( at the ends)?",
    "n_ticks.1": "n_ticks",
    "history_.rows.1": "history_",
    "history_.rows.2": "history_",
    **dict.fromkeys(["first", "last", "n_ticks", "history_.rows"], "names"),
}


def check_refused(state, check, path, value):
    check(state)
    put(state := copy.deepcopy(state), path, value)
    name = NAMED.get(path) or NAMED.get(end := path.rpartition(".")[2], end)
    message = f"^The saved state of a transformer has {name}="
    with pytest.raises(ValueError, match=message):
        check(state)


def ids(cases):
    return [f"{number} {path}" for number, (path, _) in enumerate(cases)]


@pytest.mark.parametrize(("path", "value"), OF_ONE, ids=ids(OF_ONE))
def test_a_part_that_no_fit_of_one_series_leaves_is_named(path, value):
    check_refused(ONE, check_one, path, value)


@pytest.mark.parametrize(("path", "value"), OF_PANEL, ids=ids(OF_PANEL))
def test_a_part_that_no_fit_of_several_series_leaves_is_named(path, value):
    check_refused(MANY, check_many, path, value)


@pytest.mark.parametrize(
    "rows",
    [
        X,
        X.astype(np.float32),
        X.to_numpy(),
        X.set_axis(np.arange(20.0) ** 2),
        X.set_axis(np.arange(20) + np.arange(20) ** 2),
        X.set_axis([f"row {number:02d}" for number in range(20)]),
        X.set_axis(pd.date_range("2024-03-29", periods=20, freq="h", tz="Europe/Berlin")),
        X.set_axis(pd.date_range("2024-03-29", periods=20, freq="MS")),
        X[:1],
    ],
    ids=["days", "float32", "array", "floats", "integers", "text", "zone", "months", "one row"],
)
def test_what_a_fit_leaves_is_taken(rows):
    check_one(state_of(rows))


def test_times_of_other_numbers_are_taken_and_a_long_value_is_cut():
    state = state_of(X.set_axis(np.arange(20.0) ** 2))
    put(state, "timeline.first_tick", 0)  # a whole number may come back from a file as one
    check_one(state)
    put(state, "timeline.axis.scale", "a" * 300)
    with pytest.raises(ValueError, match="has scale=a{200}[.]$"):
        check_one(state)
