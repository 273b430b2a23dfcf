"""The wheel and the source archive, installed outside the tree with newest and lowest versions."""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

pytestmark = pytest.mark.family("built packages")

ROOT = Path(__file__).parents[1]
OLDEST = ROOT / ".venv-oldest" / "bin" / "python"
# Environments with the dependencies: torch alone takes minutes to install.
PYTHONS = {
    "newest": sys.executable,
    "lowest": pytest.param(
        OLDEST,
        marks=pytest.mark.skipif(
            not OLDEST.exists(), reason=".venv-oldest is missing, which make test-long makes"
        ),
    ),
}


def run(*command, cwd):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=environment | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build both as a release does: the archive from the tree, the wheel from the archive."""
    folder = tmp_path_factory.mktemp("built")
    source = folder / "source"
    names = ["sklstm", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE"]
    for name in names:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        source.mkdir(exist_ok=True)
        copy(ROOT / name, source / name)
    code = "from setuptools import build_meta; build_meta.build_sdist('..')"
    run(sys.executable, "-c", code, cwd=source)
    (archive,) = folder.glob("*.tar.gz")
    wheel = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    run(sys.executable, *wheel, "-w", folder, archive, cwd=folder)
    (wheel,) = folder.glob("*.whl")
    return {"wheel": wheel, "sdist": archive}


@pytest.mark.parametrize("versions", PYTHONS.values(), ids=PYTHONS)
@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_a_built_package_installs_with_its_dependencies_and_every_public_name_works(
    kind, versions, built, tmp_path
):
    venv.create(tmp_path / "env")
    python = tmp_path / "env" / "bin" / "python"
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    dependencies = run(versions, "-c", where, cwd=tmp_path).strip()
    site = run(python, "-c", where, cwd=tmp_path).strip()
    Path(site, "dependencies.pth").write_text(dependencies)
    pip = [versions, "-m", "pip", "--disable-pip-version-check", "--python", python]
    options = ["--no-index", "--no-deps", "--no-build-isolation", "--ignore-installed"]
    run(*pip, "install", *options, built[kind], cwd=tmp_path)
    assert "No broken requirements" in run(*pip, "check", cwd=tmp_path)
    code = "import sklstm; print(sklstm.__file__)"
    assert Path(run(python, "-c", code, cwd=tmp_path).strip()).is_relative_to(site)
    script = shutil.copy(ROOT / "tests" / "typed_script.py", tmp_path)
    assert "LossCurveDisplay" in run(python, script, cwd=tmp_path)
