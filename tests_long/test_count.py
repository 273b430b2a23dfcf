"""The page says how many cases each family has, and each has as many as asked."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_page_has_the_counts_that_the_command_prints():
    command = [sys.executable, "tests_long/count.py"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert printed.returncode == 0, printed.stdout + printed.stderr
    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    assert f"```text\n{printed.stdout}```" in page
    counts = [line.rsplit(maxsplit=2) for line in printed.stdout.splitlines()[1:]]
    assert all(int(cases) >= int(least) for _, cases, least in counts)
