"""Print how many cases each reliability family has: the table of docs/reliability.md.

    python tests_long/count.py

A case is an item that pytest collects; its mark ``family`` says which family it is of, and how many
cases it is where it is a loop.
"""

import contextlib
import io
import os
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ASKED = {
    "malformed input": 200,
    "equal bits": 60,
    "leakage": 40,
    "bit identity": 30,
    "global state": 15,
    "faults in training": 300,
    "processes": 12,
    "interrupted saves": 24,
    "crafted files": 20,
    "damaged files": 20_000,
    "memory": 6,
    "built packages": 4,
}


class _Counts:
    """A plugin of pytest that counts the collected items by family."""

    def __init__(self) -> None:
        self.cases: Counter[str] = Counter()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            if (mark := item.get_closest_marker("family")) is not None:
                name, *n_cases = mark.args
                self.cases[name] += n_cases[0] if n_cases else 1


def table() -> str:
    """Collect the files that have the mark, and return the table."""
    files = [*(ROOT / "tests").rglob("test_*.py"), *(ROOT / "tests_long").glob("test_*.py")]
    marked = [str(file) for file in sorted(files) if "mark.family(" in file.read_text("utf-8")]
    counts, printed = _Counts(), io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = pytest.main(["--collect-only", "-q", "-p", "no:xdist", *marked], plugins=[counts])
    if code != 0:
        sys.exit(printed.getvalue())
    rows = [(name, counts.cases[name], asked) for name, asked in ASKED.items()]
    if unknown := counts.cases.keys() - ASKED.keys():
        sys.exit(f"not asked for: {sorted(unknown)}")
    lines = [f"{name:<20}{n:>7}{asked:>9}" for name, n, asked in rows]
    return "\n".join([f"{'family':<20}{'cases':>7}{'at least':>9}", *lines])


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    print(table())
