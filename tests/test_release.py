"""What a release states about itself in several files."""

import re
from pathlib import Path

import pytest

import sklstm

ROOT = Path(__file__).parents[1]


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_citation_and_the_changelog_name_the_version_of_the_package():
    cited = re.search(r"^version: (.+)$", read("CITATION.cff"), re.M)[1]
    newest = re.search(r"^## (\S+)", read("CHANGELOG.md"), re.M)[1]
    assert cited == newest == sklstm.__version__


@pytest.mark.parametrize("name", sklstm.__all__)
def test_the_changelog_names_every_public_name(name):
    assert re.search(rf"\b{name}\b", read("CHANGELOG.md"))
