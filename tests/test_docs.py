"""Every block of Python in README.md and docs/ runs, and prints what the page says."""

import contextlib
import io
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.utils import Bunch

from sklstm.datasets import load_chicago_ridership

ROOT = Path(__file__).parents[1]
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if "_build" not in path.parts
}
# test_cluster.py runs the code that needs a cluster, on local clusters; make test-clients runs that
# of other libraries, which it installs.
RUN_BY = {
    "docs/cluster.md": "tests/test_cluster.py",
    "docs/guide/other_libraries.md": "tests_clients/test_other_libraries.py",
}

WITH_CODE = [page for page, text in PAGES.items() if "```python" in text]

# A block of code, and the block of its output if one follows at once or after "It prints".
BLOCK = re.compile(
    r"^```python\n(.*?)^```\n(?:\n(?:It prints\n\n)?```text\n(.*?)^```)?", re.DOTALL | re.MULTILINE
)
DECIMAL = re.compile(r"-?\d+\.\d*(?:e[+-]\d+)?")


def run(page, namespace):
    """Run the blocks of a page in order; yield the output of each and the expected one."""
    text = PAGES[page]
    for block in BLOCK.finditer(text):
        code, expected = block.groups()
        lines_before = text.count("\n", 0, block.start(1))  # so that a traceback has the right line
        compiled = compile("\n" * lines_before + code, ROOT / page, "exec")
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            try:
                exec(compiled, namespace)
            except Exception as error:
                if not (expected or "").startswith(f"{type(error).__name__}:"):
                    raise
                print(f"{type(error).__name__}: {error}")
        yield printed.getvalue(), expected


def assert_same(printed, expected):
    """Compare words and whole numbers exactly; decimals roughly, since processors differ."""
    words = ["".join(DECIMAL.sub("#", text).split()) for text in (printed, expected)]
    assert words[0] == words[1], f"\n{printed}\nis printed, but the page says\n{expected}"
    decimals = [[float(number) for number in DECIMAL.findall(t)] for t in (printed, expected)]
    np.testing.assert_allclose(*decimals, rtol=0.05, atol=0.05)


def the_readme_forecasts_a_week(namespace, printed):
    # Scores are close, so rounding on another processor can change the chosen candidate.
    assert "window__window_size" in printed
    week_ahead = namespace["search"].predict(namespace["X"])[-1]
    assert week_ahead.shape == (7,)
    assert np.all((week_ahead > 0) & (week_ahead < 30))  # thousands of entries a day


def the_lstm_is_better_than_ridge(namespace, printed):
    lstm, ridge = (np.fromstring(line.strip("[]"), sep=" ") for line in printed.splitlines())
    assert np.mean(lstm) < np.mean(ridge)


INSTEAD_OF_THE_SAME_TEXT = {
    "README.md": the_readme_forecasts_a_week,
    "docs/when_lstm_helps.md": the_lstm_is_better_than_ridge,
}
# Use the end of the series only, since a search on all of it takes a minute or more.
N_ROWS = {"README.md": 500}


@pytest.mark.parametrize("page", [page for page in WITH_CODE if page not in RUN_BY])
def test_blocks_run_one_after_the_other_and_print_what_the_page_says(page, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    if page in N_ROWS:
        end = load_chicago_ridership(as_frame=True).data[-N_ROWS[page] :]
        monkeypatch.setattr(
            "sklstm.datasets.load_chicago_ridership", lambda as_frame: Bunch(data=end)
        )
    namespace, all_printed = {}, ""
    for printed, expected in run(page, namespace):
        all_printed += printed
        if page not in INSTEAD_OF_THE_SAME_TEXT:
            assert_same(printed, expected or "")
    if page in INSTEAD_OF_THE_SAME_TEXT:
        INSTEAD_OF_THE_SAME_TEXT[page](namespace, all_printed)


@pytest.mark.parametrize("page", RUN_BY)
def test_what_needs_other_packages_is_run_by_its_own_tests(page):
    tests = (ROOT / RUN_BY[page]).read_text(encoding="utf-8")
    assert page in WITH_CODE
    assert " / ".join(f'"{part}"' for part in Path(page).parts) in tests
    assert "page_code(" in tests


@pytest.mark.parametrize("page", PAGES)
def test_no_code_stands_in_a_fence_that_nothing_runs(page):
    text = PAGES[page]
    fences = re.findall(r"^ *(?:```+|~~~+|:::+)([^`~:\s].*)$", text, flags=re.MULTILINE)
    assert {fence for fence in fences if fence[0] != "{"} <= {"python", "text", "bash"}
    assert not re.search(r"\{(code|code-block|code-cell|sourcecode|doctest)\}", text)
    assert len(BLOCK.findall(text)) == text.count("```python")


def test_the_quickstart_of_the_readme_is_under_twenty_lines():
    quickstart = BLOCK.search(PAGES["README.md"])[1]
    assert len(quickstart.strip().splitlines()) < 20
