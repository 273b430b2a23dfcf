"""Thousands of damaged and crafted files: a ValueError or the equal model, and no crash.

Damaged ones have any bytes changed. Crafted ones have values, arrays and parts of the schema
changed, and a checksum that fits: of them a load may give another model, since that is what they
say.
"""

import io
import json
import os
import random
import resource
import signal
from collections import Counter

import numpy as np
import pytest

from sklstm import load
from sklstm._saving.archive import sealed
from tests.saving.crafted import SCHEMA, archive_of, members, nodes, npy
from tests.saving.make_saved_files import FOLDER, models, results

N_DAMAGED, N_CRAFTED = 20_000, 2_000
FILES = sorted(FOLDER.glob("*.sklstm"))
ROWS = {name: X for name, _, X in models()}


def damaged(data, rng):
    """Return the bytes of a file after an accident."""
    n, at = len(data), rng.randrange(len(data))
    length = rng.choice([1, 2, 8, 512, 4096])
    some = bytes(rng.randrange(256) for _ in range(min(length, 16)))
    other = rng.randrange(n)
    return rng.choice(
        [
            lambda: data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :],
            lambda: data[:at] + some + data[at + len(some) :],
            lambda: data[:at] + some + data[at:],
            lambda: data[:at] + data[at + length :],
            lambda: data[:at] + bytes(length) + data[at + length :],
            lambda: data[:at] + data[other : other + length] + data[at + length :],
            lambda: data[:at],
            lambda: data[at:],
            lambda: data + some,
            lambda: some + data,
            lambda: data[:at] + data,
        ]
    )()


@pytest.mark.family("damaged files", N_DAMAGED)
def test_a_damaged_file_is_an_error_of_one_type_and_never_another_model(tmp_path):
    rng, path, counts = random.Random(0), tmp_path / "model.sklstm", Counter()
    for data in (path.read_bytes() for path in FILES):
        for _ in range(-(-N_DAMAGED // len(FILES))):
            wrong = damaged(data, rng)
            if wrong == data:  # zeros over zeros
                counts["the same file"] += 1
                continue
            path.write_bytes(wrong)
            with pytest.raises(ValueError, match="cannot be loaded") as caught:
                load(path)
            counts[type(caught.value)] += 1
    print(counts)
    assert set(counts) <= {ValueError, "the same file"}
    assert counts.total() >= N_DAMAGED


VALUES = [0, -1, 2, 10**6, -(10**12), 2**63, 1e308, np.nan, np.inf, "", "x", "cuda", "auto"]
VALUES += [None, True, False, [], {}, [1, 2], 3.5]
TYPES = [np.float32, np.float64, np.float16, np.int64, np.int8, np.bool_, "S3"]


def change_array(content, rng):
    name = rng.choice([name for name in content if name.endswith(".npy")])
    array = np.load(io.BytesIO(content[name]))
    flat = array.ravel().copy()
    if flat.size and array.dtype.kind == "f":
        flat[rng.randrange(flat.size)] = rng.choice([0, -1, 1e30, np.nan, np.inf])
    elif flat.size and array.dtype.kind == "i":
        flat[rng.randrange(flat.size)] = rng.choice([0, -1, 2, 11, 100])
    forms = [flat.reshape(array.shape), array.ravel(), array[..., np.newaxis], array.T]
    forms += [array[:1], array[:0], np.concatenate([array, array])] if array.ndim else []
    form = rng.choice(forms)
    with np.errstate(all="ignore"):
        content[name] = npy(form.astype(rng.choice(TYPES)) if rng.random() < 0.25 else form)


def change_schema(content, rng):
    every = list(nodes(content[SCHEMA]))
    one, other = rng.choice(every), rng.choice(every)
    inside = one.get("content")
    if one["__loader__"] == "JsonNode":
        one["content"] = json.dumps(rng.choice(VALUES))
    elif isinstance(inside, dict) and inside:
        key = rng.choice(list(inside))
        if rng.random() < 0.4:
            del inside[key]
        else:
            inside[key] = json.loads(json.dumps(other))
    elif isinstance(inside, list) and inside:
        if rng.random() < 0.5:
            inside.pop()
        else:
            inside.append(json.loads(json.dumps(other)))


def crafted(data, rng):
    content = members(data)
    for _ in range(rng.choice([1, 1, 2, 3])):
        rng.choice([change_array, change_schema])(content, rng)
    for number, one in enumerate(nodes(content[SCHEMA]), start=1):
        if "file" not in one:  # each object has a number of its own
            one["__id__"] = number
    return sealed(archive_of(content), {})


def outcome(path, X):
    """Load and predict in a process of its own, with little memory and time."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        told = "nothing"
        try:
            resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
            signal.alarm(60)
            try:
                model = load(path)
            except Exception as error:
                told = f"load: {type(error).__name__}"
            else:
                try:
                    results(model, X)
                    told = "predictions"
                except Exception:
                    told = "an error of predict"
        finally:
            os.write(writing, told.encode())
            os._exit(0)
    os.close(writing)
    told = os.read(reading, 200).decode()
    os.close(reading)
    _, status = os.waitpid(child, 0)
    return told if status == 0 else f"a crash or no end: {status}"


@pytest.mark.family("crafted files", -(-N_CRAFTED // len(FILES)))
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_crafted_file_neither_crashes_nor_hangs_the_process(path, tmp_path):
    rng, made, data = random.Random(0), tmp_path / "model.sklstm", path.read_bytes()
    X, counts = ROWS[path.stem.rpartition("_")[2]], Counter()
    results(load(path), X)  # imports here, once, and not in each process
    for _ in range(-(-N_CRAFTED // len(FILES))):
        made.write_bytes(crafted(data, rng))
        counts[outcome(made, X)] += 1
    print(counts)
    assert set(counts) <= {"load: ValueError", "predictions", "an error of predict"}
