"""The wheel, installed outside the source tree: its contents and its types."""

import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
from pathlib import Path

import pytest

pytestmark = pytest.mark.family("built packages")

ROOT = Path(__file__).parents[1]
SCRIPT = Path(__file__).with_name("typed_script.py")


def run(*command, cwd):
    command = [str(part) for part in command]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """Return Python of an environment with the wheel and the dependencies of this one."""
    folder = tmp_path_factory.mktemp("installed")
    source = folder / "source"
    shutil.copytree(ROOT / "sklstm", source / "sklstm")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    run(*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", folder, source, cwd=folder)
    venv.create(folder / "env")
    python = folder / "env" / "bin" / "python"
    site = run(python, "-c", "import site; print(site.getsitepackages()[0])", cwd=folder).strip()
    run(*pip, "install", "--no-deps", "--target", site, *folder.glob("*.whl"), cwd=folder)
    Path(site, "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return python


def test_every_public_name_is_in_the_wheel(python, tmp_path):
    code = """
import sklstm, sklstm.datasets
for module in (sklstm, sklstm.datasets):
    for name in module.__all__:
        getattr(module, name)
    print(module.__file__)
sklstm.datasets.load_chicago_ridership()
"""
    for path in run(python, "-c", code, cwd=tmp_path).split():
        assert Path(path).is_relative_to(python.parents[1])


def test_a_script_with_every_public_name_runs(python, tmp_path):
    import sklstm

    script = SCRIPT.read_text(encoding="utf-8")
    assert all(name in script for name in sklstm.__all__)
    printed = run(python, SCRIPT, cwd=tmp_path)
    assert printed.split()[::2] == [
        "LossCurveDisplay",
        "GateActivityDisplay",
        "ForecastDisplay",
        "WindowSplitDisplay",
        "LagImportanceDisplay",
        "BacktestDisplay",
    ]


def test_a_script_with_every_public_name_passes_mypy_in_strict_mode(python, tmp_path):
    script = shutil.copy(SCRIPT, tmp_path)  # not in the source tree, whose source mypy would read
    command = [sys.executable, "-m", "mypy", "--strict", "--python-executable", python, script]
    assert "no issues found" in run(*command, cwd=tmp_path)


def test_the_source_archive_holds_every_file_of_the_repository(tmp_path):
    """Non-regression test: it had test files, but neither their data nor their fixtures."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout: the files of the repository are not known")
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    files = [name for name in listed.splitlines() if (ROOT / name).is_file()]
    source = tmp_path / "source"
    for name in files:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    code = "from setuptools import build_meta; build_meta.build_sdist('..')"
    run(sys.executable, "-c", code, cwd=source)
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        packed = {name.partition("/")[2] for name in tar.getnames()}
    assert set(files) <= packed
