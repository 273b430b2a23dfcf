"""What all displays have in common: axes, docstrings, pictures against those in baseline/.

Renew the pictures with `python -m tests.plot.test_drawing`, and look at them.
"""

import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from matplotlib.testing.compare import compare_images
from matplotlib.testing.decorators import remove_ticks_and_titles
from numpydoc.validate import validate as numpydoc_validate

import sklstm
from tests.plot.made_up import MADE_UP

BASELINE = Path(__file__).parent / "baseline"
DISPLAYS = [type(made_up()) for made_up in MADE_UP.values()]


def draw(name, path):
    """Draw a display without its texts, which depend on the version of FreeType."""
    with plt.style.context("default"):
        figure, ax = plt.subplots(figsize=(4, 3), dpi=60)
        display = MADE_UP[name]().plot(ax)
        remove_ticks_and_titles(figure)
        for axes in figure.axes:
            axes.set(xlabel="", ylabel="")
            axes.set_title("", loc="left")
        if display.ax_.get_legend() is not None:
            display.ax_.get_legend().remove()
        figure.savefig(path)
        plt.close(figure)


@pytest.mark.parametrize("name", MADE_UP)
def test_pictures_are_as_they_were(name, tmp_path):
    path = tmp_path / f"{name}.png"
    draw(name, path)
    # Of 255. From matplotlib 3.8 to 3.11 the heat maps differ by 2.3, the others not at all;
    # without the mark of the best epoch, the smallest of what is drawn, it would be 4.7.
    assert compare_images(BASELINE / f"{name}.png", path, tol=3) is None


@pytest.mark.parametrize("name", MADE_UP)
def test_a_display_can_be_drawn_again(name):
    display = MADE_UP[name]()
    assert display.plot() is display
    first = display.ax_
    assert display.figure_ is first.figure
    display.plot()
    assert display.ax_ is not first


@pytest.mark.parametrize("name", MADE_UP)
def test_a_display_draws_into_the_axes_that_are_passed_and_no_others(name):
    figure, (left, right) = plt.subplots(1, 2)
    display = MADE_UP[name]().plot(right)
    assert display.ax_ is right
    assert display.figure_ is figure
    assert not left.has_data()
    assert left.get_legend() is None
    assert len(plt.get_fignums()) == 1


@pytest.mark.parametrize("name", MADE_UP)
def test_without_matplotlib_the_error_names_the_extra(name, monkeypatch):
    display = MADE_UP[name]()
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"Display.plot needs matplotlib: .*'sklstm\[plot\]'"):
        display.plot()


def test_importing_the_package_does_not_import_matplotlib():
    code = "import sys, sklstm; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("display", DISPLAYS)
def test_docstrings_follow_numpydoc(display):
    names = [name for name in vars(display) if not name.startswith("_")]
    for name in ["", *names]:
        target = ".".join(filter(None, ["sklstm", display.__name__, name]))
        errors = numpydoc_validate(target)["errors"]
        # As scikit-learn: methods need no examples, and what they return has a name.
        allowed = {"EX01", "SA01", "ES01", "GL01", "YD01", "RT02"}
        assert [error for error in errors if error[0] not in allowed] == []


def test_every_public_display_is_made_up():
    public = {name for name in sklstm.__all__ if name.endswith("Display")}
    assert {display.__name__ for display in DISPLAYS} == public


if __name__ == "__main__":
    BASELINE.mkdir(exist_ok=True)
    for name in MADE_UP:
        draw(name, BASELINE / f"{name}.png")
