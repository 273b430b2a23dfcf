"""The README's code runs."""

import contextlib
import io
import re
from pathlib import Path

import numpy as np

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_every_block_of_the_readme_runs_one_after_the_other():
    blocks = re.findall(r"^```python\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)
    assert len(blocks) == README.count("```python") >= 2
    namespace, printed = {}, io.StringIO()
    with contextlib.redirect_stdout(printed):
        for block in blocks:
            exec(compile(block, "README.md", "exec"), namespace)
    assert "window__window_size" in printed.getvalue()
    week_ahead = namespace["search"].predict(namespace["X"])[-1]
    assert week_ahead.shape == (7,)
    assert np.all((week_ahead > 0) & (week_ahead < 30))  # thousands of entries a day


def test_the_comparison_with_ridge_runs():
    page = Path(__file__).parents[1] / "docs" / "when_lstm_helps.md"
    (block,) = re.findall(
        r"^```python\n(.*?)^```", page.read_text(), flags=re.DOTALL | re.MULTILINE
    )
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(block, str(page), "exec"), {})
    lstm, ridge = (
        np.fromstring(line.strip("[]"), sep=" ") for line in printed.getvalue().splitlines()
    )
    assert np.mean(lstm) < np.mean(ridge)


def test_the_quickstart_is_under_twenty_lines():
    quickstart = re.search(r"^```python\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)[1]
    assert len(quickstart.strip().splitlines()) < 20
