"""What a file may declare: checked before anything is built of it.

A header costs its writer a few bytes, and may ask its reader for any amount of memory or time. So
all that a file declares has to be in the file.
"""

from __future__ import annotations

import io
import json
import math
import re
import zipfile
from typing import Any

import numpy as np

from sklstm._saving.trusted import TRUSTED_TYPES

_SCHEMA = "schema.json"
_MEMBERS = re.compile(r"[0-9]{1,20}\.npy|[0-9a-f-]{36}\.bin")  # as skops names them

# Nodes that read a member, and the kind of it. Not those of sparse matrices, which are archives in
# the archive: no estimator on windows has one.
_READING = {"NdArrayNode": ".npy", "BytesNode": ".bin", "BytearrayNode": ".bin"}
_OTHERS = {
    "ConstructorFromReduceNode",
    "DTypeNode",
    "DefaultDictNode",
    "DictNode",
    "FunctionNode",
    "JsonNode",
    "ListNode",
    "LossNode",
    "MaskedArrayNode",
    "MethodNode",
    "ObjectNode",
    "OperatorFuncNode",
    "PartialNode",
    "RandomGeneratorNode",
    "RandomStateNode",
    "SetNode",
    "SliceNode",
    "TreeNode",
    "TupleNode",
    "TypeNode",
}
# What differs from node to node of an object: a part may be made anew each time that it is asked
# for its state, and then has another number, and members of other names.
_OWN_NAMES = frozenset({"__id__", "file"})
_LARGEST_POOL = 64  # numpy's own has 4 numbers
_WITH_A_PLACE = {"MT19937", "Philox"}  # among their own numbers, which numpy does not check
_KEYS_OF_RANDOM_STATE = 624
_SCALARS_OF_ANY_SIZE = {"bytes_", "str_", "void"}
_PROTOCOL = 2  # of skops; files with a lower one would be read by other nodes


def check_limits(data: bytes) -> None:
    """Refuse an archive of skops that declares more than it holds.

    Raises
    ------
    Exception
        Of any type: it may be damaged everywhere.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = _check_members(archive, len(data))
        schema = json.loads(archive.read(_SCHEMA))
        if schema["protocol"] != _PROTOCOL:
            raise ValueError(f"it has protocol {schema['protocol']!r} of skops")
        nodes = _Nodes(names)
        nodes.check(schema)
        for name in names:
            if name.endswith(".npy"):
                _check_array(name, archive.read(name), nodes.types.get(name))


def _check_members(archive: zipfile.ZipFile, n_bytes: int) -> set[str]:
    """Refuse members that are packed, twice there, or larger than the file; return their names."""
    members = archive.infolist()
    names = {member.filename for member in members}
    if len(names) != len(members):
        raise ValueError("two of its members have one name")
    for member in members:
        name = member.filename
        if name != _SCHEMA and not _MEMBERS.fullmatch(name):
            raise ValueError(f"skops gives no member the name {name!r}")
        if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
            raise ValueError(f"its member {name} is compressed or encrypted")
        if member.file_size != member.compress_size:
            raise ValueError(f"its member {name} declares another size than it has")
    if sum(member.file_size for member in members) > n_bytes:
        raise ValueError("its members are larger than the file")
    return names - {_SCHEMA}


class _Nodes:
    """A walk over the nodes of a schema.

    skops builds a node once for each number of an object (``__id__``), and takes it again for every
    later node of this number. In what it writes, these say the same. If they did not, a few bytes
    could stand for any number of nodes, or for an endless one.
    """

    def __init__(self, members: set[str]) -> None:
        self.members = members
        self.objects: dict[int, int | None] = {}  # what their nodes say, as a hash; None: not yet
        self.readers: dict[str, int] = {}  # the object that reads a member
        self.types: dict[str, str] = {}  # the type of this object

    def check(self, value: Any) -> int:
        """Check the nodes in a part of the schema; return a hash of what it says."""
        if isinstance(value, list):
            return hash(tuple(map(self.check, value)))
        if not isinstance(value, dict):
            return hash(repr(value))
        number, own_names = None, frozenset[str]()
        if "__id__" in value or "__loader__" in value:
            own_names = _OWN_NAMES
            number = value["__id__"]
            if type(number) is not int or self.objects.get(number, 0) is None:
                raise ValueError(f"the object {number!r} is a part of itself")
            self._check_node(value, number)
            told = self.objects.setdefault(number, None)
        says = hash(
            tuple((name, self.check(part)) for name, part in value.items() if name not in own_names)
        )
        if number is not None:
            if told not in (None, says):
                raise ValueError(f"the object {number} is there twice, with different parts")
            self.objects[number] = says
        return says

    def _check_node(self, node: dict[str, Any], number: int) -> None:
        loader, member = node["__loader__"], node.get("file")
        if loader not in _OTHERS and loader not in _READING:
            raise ValueError(f"it holds a part of kind {loader!r}, which is not taken")
        name = f"{node.get('__module__')}.{node.get('__class__')}"
        if name in TRUSTED_TYPES and loader != "ObjectNode":
            raise ValueError(f"a part of kind {loader!r} has the name of a class of this package")
        if loader == "RandomGeneratorNode":
            _check_generator(node["content"])
        if loader == "RandomStateNode":
            _check_random_state(node["content"])
        if member is None:
            return
        if member not in self.members or not member.endswith(_READING.get(loader, "no other")):
            raise ValueError(f"a part of kind {loader!r} reads {member!r}")
        if self.readers.setdefault(member, number) != number:
            raise ValueError(f"several objects read {member!r}")
        self.types[member] = node["__class__"]


def _check_generator(parts: dict[str, Any]) -> None:
    """Refuse what reads beside its memory, and a seed that takes the square of its size in time."""
    seed, size = parts["seed_seq"], parts["seed_seq"]["content"]["pool_size"]
    if (seed["__loader__"], size["__loader__"]) != ("DictNode", "JsonNode"):
        raise ValueError("the seed of a random generator is none")
    if json.loads(size["content"]) > _LARGEST_POOL:
        raise ValueError("the seed of a random generator has a pool that is too large")
    if json.loads(parts["bit_generator"]["content"]["bit_generator"]["content"]) in _WITH_A_PLACE:
        raise ValueError("a random generator is of a kind that default_rng does not make")


def _check_random_state(node: dict[str, Any]) -> None:
    """Refuse a place beside the keys: numpy would read its next number there."""
    for name in ("state", "pos"):
        if node["__loader__"] != "DictNode":
            break
        node = node["content"][name]
    pos = json.loads(node["content"]) if node["__loader__"] == "JsonNode" else None
    if type(pos) is not int or not 0 <= pos <= _KEYS_OF_RANDOM_STATE:
        raise ValueError(f"a random state has no such place: {pos!r}")


def _check_array(name: str, content: bytes, of_type: str | None) -> None:
    """Refuse an array whose header declares anything but the bytes behind it.

    ``of_type`` is what is built of it: an array, or a scalar. A scalar of some types takes a number
    for its own size.
    """
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }[version]
    shape, _, dtype = read(file)
    if dtype.hasobject:
        raise ValueError(f"the array {name} holds objects")
    if of_type in _SCALARS_OF_ANY_SIZE and dtype.type.__name__ != of_type:
        raise ValueError(f"the array {name} is no {of_type}")
    if any(type(length) is not int or length < 0 for length in shape):
        raise ValueError(f"the array {name} has shape {shape}")
    declared = math.prod(shape) * dtype.itemsize
    if declared != len(content) - file.tell():
        raise ValueError(f"the array {name} declares {declared} bytes, and has others")
