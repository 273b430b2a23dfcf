"""Files made to do harm, with a checksum that fits: each is a ValueError that says why."""

import copy
import io
import json
import pickle
import struct
import zipfile

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklstm import LSTMRegressor, SlidingWindowTransformer, load, save
from sklstm._saving.archive import check_seal, sealed
from tests.saving.crafted import (
    SCHEMA,
    archive_of,
    changed,
    find,
    json_node,
    list_node,
    members,
    node,
    nodes,
    npy,
)

pytestmark = pytest.mark.family("crafted files")

X = np.random.RandomState(0).rand(60, 1)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The bytes of a saved pipeline. Tests must not change them."""
    path = tmp_path_factory.mktemp("saved") / "model.sklstm"
    lstm = LSTMRegressor(2, max_epochs=1, n_jobs=1, random_state=0, standardize=True)
    save(make_pipeline(SlidingWindowTransformer(3), lstm).fit(X, X[:, 0]), path)
    return path.read_bytes()


@pytest.fixture
def refused(tmp_path):
    """Check that a file is refused with a message."""

    def check(data, message):
        path = tmp_path / "model.sklstm"
        path.write_bytes(data)
        with pytest.raises(ValueError, match="cannot be loaded: ") as caught:
            load(path)
        assert type(caught.value) is ValueError
        assert message in str(caught.value)

    return check


def test_a_file_that_is_sealed_again_without_a_change_loads(saved, tmp_path):
    path = tmp_path / "model.sklstm"
    path.write_bytes(changed(saved, lambda content: None))
    assert load(path).predict(X).shape == (60,)


# --- types and parts of skops ----------------------------------------------------------------


def instead(part):
    """Put a part in the place of the parameter ``tol`` of the LSTM."""

    def change(content):
        find(content, "tol")["tol"] = part

    return change


def function(module, name, loader="FunctionNode", **fields):
    return node(None, __class__=name, __module__=module, __loader__=loader, **fields)


def call(module, name, *arguments):
    content = list_node([json_node(argument) for argument in arguments])
    return node(content, __class__=name, __module__=module, __loader__="ConstructorFromReduceNode")


def dict_node(content):
    types = list_node([function("builtins", "str", "TypeNode") for _ in content])
    kind = {"__class__": "dict", "__module__": "builtins", "__loader__": "DictNode"}
    return node(content, key_types=types, **kind)


def partial():
    parts = {
        "func": function("os", "system"),
        "args": list_node([json_node("true")]),
        "kwds": json_node({}),
        "namespace": json_node(None),
    }
    return node(parts, __class__="partial", __module__="functools", __loader__="PartialNode")


def method():
    estimator = function("sklearn.dummy", "DummyRegressor", "ObjectNode")
    return node(
        {"func": "fit", "obj": estimator},
        __class__="DummyRegressor",
        __module__="sklearn.dummy",
        __loader__="MethodNode",
    )


def operator():
    attrs = list_node([json_node("os"), json_node("x")])
    part = function("operator", "methodcaller", "OperatorFuncNode")
    return part | {"attrs": attrs}


WITH_CODE = {
    "a function": (function("os", "system"), "os.system"),
    "a call": (call("os", "system", "true"), "os.system"),
    "a class": (function("subprocess", "Popen", "TypeNode"), "subprocess.Popen"),
    "an object": (function("ftplib", "FTP", "ObjectNode"), "ftplib.FTP"),
    "a partial": (partial(), "functools.partial, os.system"),
    "a method": (method(), "sklearn.dummy.DummyRegressor.fit"),
    "an operator": (operator(), "operator.methodcaller"),
    "a call of a scorer of this package": (call("sklstm", "pinball_scorer", 1), "pinball_scorer"),
    "a class with the name of a trusted one": (
        function("sklstm.evil", "LSTMRegressor", "ObjectNode"),
        "sklstm.evil.LSTMRegressor",
    ),
    "a private class of this package": (
        function("sklstm._base", "BaseLSTM", "ObjectNode"),
        "sklstm._base.BaseLSTM",
    ),
}


@pytest.mark.parametrize(("part", "named"), WITH_CODE.values(), ids=WITH_CODE)
def test_what_could_run_code_is_named_and_not_built(saved, refused, part, named):
    data = changed(saved, instead(part))
    refused(data, "types that are not trusted: ")
    refused(data, named)


def test_a_sparse_matrix_which_is_an_archive_in_the_archive_is_refused(saved, refused):
    part = function("scipy.sparse._matrix", "spmatrix", "SparseMatrixNode")
    part |= {"type": "scipy", "file": "1.npz"}
    refused(changed(saved, instead(part)), "'SparseMatrixNode', which is not taken")
    refused(changed(saved, lambda c: c | {"1.npz": b""}), "gives no member the name '1.npz'")


def generator(name, pool_size=4):
    seed = dict_node({"pool_size": json_node(pool_size)})
    return node(
        {"bit_generator": dict_node({"bit_generator": json_node(name)}), "seed_seq": seed},
        __class__="Generator",
        __module__="numpy.random._generator",
        __loader__="RandomGeneratorNode",
    )


def test_a_seed_that_would_take_years_is_refused(saved, refused):
    refused(changed(saved, instead(generator("PCG64", 10**7))), "a pool that is too large")


@pytest.mark.parametrize("name", ["MT19937", "Philox"])
def test_a_generator_that_may_read_beside_its_memory_is_refused(saved, refused, name):
    refused(changed(saved, instead(generator(name))), "that default_rng does not make")


def test_an_attribute_of_numpy_random_is_named_and_not_called(saved, refused):
    refused(changed(saved, instead(generator("seed"))), "types that are not trusted: numpy.random")


def random_state(pos, of_state=dict_node):
    state = of_state({"key": list_node([json_node(1)] * 624), "pos": pos})
    content = dict_node({"bit_generator": json_node("MT19937"), "state": state})
    return node(
        content,
        __class__="RandomState",
        __module__="numpy.random.mtrand",
        __loader__="RandomStateNode",
    )


def test_a_random_state_loads(saved, tmp_path):
    path = tmp_path / "model.sklstm"
    path.write_bytes(changed(saved, instead(random_state(json_node(624)))))
    assert 0 <= load(path)[-1].tol.rand() < 1


RANDOM_STATES = {
    "after the end": random_state(json_node(10**8)),
    "before the start": random_state(json_node(-1)),
    "no whole number": random_state(json_node(1e8)),
    "no plain number": random_state(list_node([json_node(1)])),
    "in a list": random_state(json_node(1), lambda content: list_node(list(content.values()))),
}


@pytest.mark.parametrize("part", RANDOM_STATES.values(), ids=RANDOM_STATES)
def test_a_random_state_that_reads_beside_its_memory_is_refused(saved, refused, part):
    refused(changed(saved, instead(part)), "a random state has no such place")


@pytest.mark.parametrize("loader", ["FunctionNode", "ConstructorFromReduceNode", "PartialNode"])
def test_the_name_of_a_trusted_class_is_taken_for_objects_only(saved, refused, loader):
    """Else a part of any kind could bear it, and skops would build it."""
    part = partial() | {"__class__": "LSTMRegressor", "__module__": "sklstm", "__loader__": loader}
    refused(changed(saved, instead(part)), f"'{loader}' has the name of a class")


@pytest.mark.parametrize("kind", ["void", "bytes_", "str_"])
def test_a_scalar_of_another_type_than_its_array_is_refused(saved, refused, kind):
    """``numpy.void(2**31 - 1)`` has two gigabytes, and its text ends the process."""
    part = function("numpy", kind, "NdArrayNode", type="numpy", file="1.npy")
    huge = npy(np.array(2**31 - 1))
    data = changed(saved, lambda content: instead(part)(content) or content | {"1.npy": huge})
    refused(data, f"1.npy is no {kind}")


def test_scalars_of_numpy_load(tmp_path):
    values = [np.void(b"ab"), np.str_("ab"), np.float32(1.5), np.longlong(3)]
    save(FunctionTransformer(kw_args={"values": values}).fit(X), tmp_path / "model.sklstm")
    loaded = load(tmp_path / "model.sklstm").kw_args["values"]
    assert [(type(value), value) for value in loaded] == [(type(v), v) for v in values]


@pytest.mark.parametrize(
    "zone", ["dateutil//etc/passwd", "dateutil/:/etc/passwd", "dateutil/../../../etc/passwd"]
)
def test_a_time_zone_opens_no_file_but_those_of_zones(saved, refused, zone):
    time = list_node([json_node("2024-01-01T00:00:00+00:00"), json_node(zone)])
    refused(changed(saved, instead(dict_node({"Timestamp": time}))), "is no time zone")


def test_a_node_of_an_older_protocol_is_refused(saved, refused):
    refused(changed(saved, lambda c: c[SCHEMA].update(protocol=0)), "protocol 0")


# --- the schema --------------------------------------------------------------------------------


def test_lists_in_lists_without_end_are_refused(saved, refused):
    deep = json_node(1)
    for _ in range(400):
        deep = list_node([deep])
    refused(changed(saved, instead(deep)), "RecursionError")


def test_an_object_that_is_a_part_of_itself_is_refused(saved, refused):
    loop = list_node([], number=77)
    loop["content"] = [list_node([], number=77)]
    refused(changed(saved, instead(loop)), "the object 77 is a part of itself")


def test_a_few_nodes_cannot_stand_for_many(saved, refused):
    """skops would look at 2**60 of them."""
    last = list_node([json_node(1)])
    for _ in range(60):
        last = list_node([last, {"__id__": last["__id__"], "__loader__": "ListNode"}])
    refused(changed(saved, instead(last)), "is there twice, with different parts")
    # A node has "file" too, where it names a member.
    refused(changed(saved, instead(dict_node({"file": last}))), "with different parts")


def test_objects_cannot_share_the_bytes_of_an_array(saved, refused):
    """Each of them would read a copy."""

    def change(content):
        array = next(one for one in nodes(content[SCHEMA]) if "file" in one)
        find(content, "tol")["tol"] = list_node([array | {"__id__": n} for n in range(1, 9)])

    refused(changed(saved, change), "several objects read")


def test_an_array_cannot_read_another_kind_of_member(saved, refused):
    def change(content):
        name = "00000000-0000-0000-0000-000000000000.bin"
        next(one for one in nodes(content[SCHEMA]) if "file" in one)["file"] = name
        return content | {name: pickle.dumps(print)}

    refused(changed(saved, change), "a part of kind 'NdArrayNode' reads")


# --- the archive -------------------------------------------------------------------------------


def test_a_packed_member_is_refused(saved, refused):
    """A kilobyte of it can be a megabyte, and so on: a bomb."""
    content = members(saved)
    bomb = archive_of(content, compression=zipfile.ZIP_DEFLATED)
    refused(sealed(bomb, {}), "is compressed or encrypted")


def test_a_member_that_declares_more_than_it_has_is_refused(saved, refused):
    size = struct.pack("<I", len(archive_of(members(saved))))
    data = bytearray(sealed(archive_of({"1.npy": b"a" * 999} | members(saved)), {}))
    at = data.index(b"PK\x01\x02")
    data[at + 24 : at + 28] = size  # of the first member, unpacked
    refused(sealed(bytes(data), {}), "declares another size than it has")


def test_members_that_lie_over_each_other_are_refused(saved, refused):
    """Ten thousand names for the same bytes would be a bomb too."""
    file = io.BytesIO(archive_of(members(saved)))
    with zipfile.ZipFile(file, "a") as archive:
        largest = max(archive.infolist(), key=lambda member: member.file_size)
        for number in range(40):
            twin = copy.copy(largest)
            twin.filename = f"{number}.npy"
            archive.filelist.append(twin)
            archive.NameToInfo[twin.filename] = twin
        archive.comment = b"changed"
    refused(sealed(file.getvalue(), {}), "")


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_two_members_of_one_name_are_refused(saved, refused):
    file = io.BytesIO(archive_of(members(saved)))
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(SCHEMA, "{}")
    refused(sealed(file.getvalue(), {}), "two of its members have one name")


@pytest.mark.parametrize("name", ["../evil.npy", "/etc/evil.npy", "folder/", "C:\\evil.npy"])
def test_a_member_of_another_name_is_refused(saved, refused, name):
    refused(changed(saved, lambda content: content | {name: b"evil"}), "gives no member the name")


def test_a_link_as_a_member_is_refused(saved, refused):
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    file = io.BytesIO(archive_of(members(saved)))
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    refused(sealed(file.getvalue(), {}), "gives no member the name 'link'")


def test_an_archive_without_a_schema_is_refused(refused):
    refused(sealed(archive_of({"1.npy": npy(np.zeros(3))}), {}), "schema.json")


# --- arrays ------------------------------------------------------------------------------------


def header(shape, dtype="<f8", order="False", version=b"\x01\x00"):
    text = f"{{'descr': {dtype!r}, 'fortran_order': {order}, 'shape': {shape}, }}"
    text = text.ljust(117) + "\n"
    return b"\x93NUMPY" + version + struct.pack("<H", len(text)) + text.encode()


ARRAYS = {
    "one that declares 8 TB": (header("(1000000000000,)") + bytes(8), "declares 8000000000000"),
    "negative sizes": (header("(-1, -1)") + bytes(8), "has shape (-1, -1)"),
    "one that is too long": (header("(1,)") + bytes(16), "declares 8 bytes"),
    "objects": (header("(1,)", "|O") + pickle.dumps([print]), "holds objects"),
    "a pickle": (pickle.dumps(print), "magic string"),
    "another version": (header("(1,)", version=b"\x09\x00") + bytes(8), "KeyError"),
    "code in the header": (header("__import__('os').system('true')"), "ValueError"),
    "a shape that is no tuple": (header("[1]") + bytes(8), "shape is not valid"),
    "nothing": (b"", "magic"),
}


@pytest.mark.parametrize(("array", "message"), ARRAYS.values(), ids=ARRAYS)
def test_an_array_that_is_not_what_it_declares_is_refused(saved, refused, array, message):
    def change(content):
        content[max(name for name in content if name.endswith(".npy"))] = array

    data = changed(saved, change)
    refused(data, "" if message == "ValueError" else message)


# --- the state of this package's estimators ----------------------------------------------------


def array_at(content, *path):
    """Return the name of the member of an array in the state of the LSTM."""
    at = find(content, "net_")
    for key in path:
        at = at[key]["content"] if key != path[-1] else at[key]
    return at["file"]


def with_array(*path, **made):
    def change(content):
        name = array_at(content, *path)
        old = np.load(io.BytesIO(content[name]))
        content[name] = npy(made["make"](old))

    return change


def with_value(value, *path):
    def change(content):
        at, types = find(content, "net_"), []
        for key in path[:-1]:
            types = at[key]["key_types"]["content"]
            at = at[key]["content"]
        if path[-1] not in at:  # skops leaves out a key whose type is not told
            types.append(function("builtins", "str", "TypeNode"))
        at[path[-1]] = json_node(value)

    return change


def without(*path):
    def change(content):
        at = find(content, "net_")
        for key in path[:-1]:
            at = at[key]["content"]
        del at[path[-1]]

    return change


def larger(content):
    sizes = find(content, "net_")["net_"]["content"]["architecture"]["content"]
    sizes["hidden_layer_sizes"]["content"] = [json_node(10**7)]


def of_series(key, part):
    """Put a part into the state of the transformer, which has no index."""

    def change(content):
        state = find(content, "history_")
        inside = state if key in state else state["_fitted_series"]["content"]
        inside[key] = part

    return change


def with_rows(key, make):
    def change(content):
        state = find(content, "history_")
        inside = state if key in state else state["_fitted_series"]["content"]
        name = inside[key]["file"]
        content[name] = npy(make(np.load(io.BytesIO(content[name]))))

    return change


def two_targets(content):
    for name in ("mean", "scale"):
        with_array("_codec", name, make=lambda values: np.ones(2))(content)


HEAD = ("net_", "weights", "head.weight")
MOMENTS = ("net_", "optimizer_state")
STATES = {
    "weights of another shape": (with_array(*HEAD, make=lambda w: w[:, :1]), "of the shapes"),
    "weights of another type": (with_array(*HEAD, make=lambda w: w.astype("S4")), "of the shapes"),
    "weights that are NaN": (with_array(*HEAD, make=lambda w: w * np.nan), "are not finite"),
    "a weight too few": (without(*HEAD), "of the shapes"),
    "a weight too many": (with_value(1, "net_", "weights", "evil"), "of the shapes"),
    "a network larger than memory": (larger, "of the shapes"),
    "a layer of a negative size": (
        with_value(-1, "net_", "architecture", "n_outputs"),
        "n_outputs",
    ),
    "a size that is a bool": (with_value(True, "net_", "architecture", "n_features"), "n_features"),
    "an unknown field": (with_value(1, "net_", "architecture", "evil"), "TypeError"),
    "a missing field": (without("net_", "hyperparameters", "loss"), "TypeError"),
    "an unknown optimizer": (with_value("evil", "net_", "hyperparameters", "optimizer"), "evil"),
    "an unknown loss": (with_value("evil", "net_", "hyperparameters", "loss"), "evil"),
    "a mean of another shape": (
        with_array("feature_mean_", make=lambda mean: np.zeros(2)),
        "feature_mean_",
    ),
    "a scale of zero": (with_array("feature_scale_", make=np.zeros_like), "feature_scale_"),
    "targets of another number": (two_targets, "_codec['is_1d']"),
    "a target scale of NaN": (
        with_array("_codec", "scale", make=lambda scale: scale * np.nan),
        "_codec['scale']",
    ),
    "a window of no length": (with_value(0, "window_size_"), "window_size_"),
    "a window of another length": (with_value(5, "window_size_"), "of the shapes"),
    "a history of two features": (
        with_rows("history_", lambda rows: np.hstack([rows, rows])),
        "history_",
    ),
    "a history of text": (with_rows("history_", lambda rows: rows.astype("S8")), "history_"),
    "a range of no rows": (with_rows("extremes", lambda rows: rows[:0]), "extremes"),
    "no history": (of_series("history_", json_node(None)), "history_"),
    "a timeline that is none": (of_series("timeline", json_node(1)), "TypeError"),
    "no mean": (without("feature_mean_"), "KeyError"),
}


@pytest.mark.parametrize(("change", "message"), STATES.values(), ids=STATES)
def test_a_state_that_no_fit_leaves_is_refused(saved, refused, change, message):
    refused(changed(saved, change), message)


def test_moments_of_another_shape_are_refused(saved, refused):
    """torch's own kernel would write beyond their end."""

    def change(content):
        (of_weights, *_) = find(content, "net_")["net_"]["content"]["optimizer_state"][
            "content"
        ].values()
        content[of_weights["content"]["exp_avg"]["file"]] = npy(np.zeros(1, np.float32))

    refused(changed(saved, change), "exp_avg of another shape")


# --- the seal ----------------------------------------------------------------------------------


def test_a_later_format_says_which_versions_saved_it(saved, refused):
    later = saved.replace(b"sklstm format 1\n", b"sklstm format 2\n")
    refused(later, "it has format 2, and this version of sklstm reads formats up to 1")
    refused(later, '"sklstm": "')


@pytest.mark.parametrize(
    "end", [b"", b"md5 " + b"0" * 32, b"sha256 " + b"0" * 64, b"sha256 "], ids=repr
)
def test_another_checksum_or_none_is_refused(saved, refused, end):
    file = io.BytesIO(saved)
    head = b"sklstm format 1\n" + json.dumps(check_seal(saved)).encode() + b"\n"
    with zipfile.ZipFile(file, "a") as archive:
        archive.comment = head + end
    refused(file.getvalue(), "checksum")


OTHERS = {
    "nothing": b"",
    "text": b"not a model",
    "a pickle": pickle.dumps(np.zeros(3)),
    "an archive": archive_of({"a": b"b"}),
    "half a file": None,
}


@pytest.mark.parametrize("kind", OTHERS)
def test_what_save_did_not_write_is_refused(saved, refused, kind):
    data = saved[: len(saved) // 2] if kind == "half a file" else OTHERS[kind]
    refused(data, "it is not a file of sklstm.save")


def test_a_folder_and_no_file_are_the_usual_errors(tmp_path):
    with pytest.raises(IsADirectoryError):
        load(tmp_path)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none")


def test_any_changed_bit_is_found(saved, refused):
    rng = np.random.RandomState(0)
    for at in rng.randint(len(saved), size=50):
        wrong = bytearray(saved)
        wrong[at] ^= 1 << rng.randint(8)
        refused(bytes(wrong), "")
