"""Change what is in a saved file, and seal it again: as someone would who wants to do harm."""

import io
import json
import zipfile

import numpy as np

from sklstm._saving.archive import check_seal, sealed

SCHEMA = "schema.json"


def members(data):
    """Return the content of each member by its name; that of the schema as parsed."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    return content | {SCHEMA: json.loads(content[SCHEMA])}


def archive_of(content, **options):
    """Return an archive with these members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **options) as archive:
        for name, value in content.items():
            value = json.dumps(value) if isinstance(value, (dict, list)) else value
            archive.writestr(name, value)
    return file.getvalue()


def changed(data, change):
    """Return the file after ``change(members)``, with a checksum that fits."""
    content = members(data)
    content = change(content) or content
    return sealed(archive_of(content), check_seal(data))


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def nodes(value):
    """Yield all nodes of a schema."""
    if isinstance(value, dict):
        if "__loader__" in value:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from nodes(item)


def node(content, **fields):
    """Return a node for a schema, with a number of its own."""
    number = fields.pop("number", None)
    node.number += 1
    return {"__id__": node.number if number is None else number, "content": content} | fields


node.number = 10**6


def json_node(value):
    return node(
        json.dumps(value),
        __class__="str",
        __module__="builtins",
        __loader__="JsonNode",
        is_json=True,
    )


def list_node(items, **fields):
    return node(items, __class__="list", __module__="builtins", __loader__="ListNode", **fields)


def find(content, key):
    """Return the dict of the schema whose ``content`` has ``key``: the state of an object."""
    for one in nodes(content[SCHEMA]):
        if one["__loader__"] == "DictNode" and key in one["content"]:
            return one["content"]
    raise KeyError(key)
