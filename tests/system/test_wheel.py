"""The wheel in an empty environment, far from the repository."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.fakes.commandline import environment
from tests.fakes.debian_box import REPOSITORY
from tests.patience import PATIENCE_S

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that has the wheel, what it needs, and nothing else; gives its command."""
    folder = tmp_path_factory.mktemp("wheel")
    wheels = folder / "wheels"
    run(sys.executable, REPOSITORY / ".ci" / "wheelhouse.py", wheels)
    run(sys.executable, "-m", "venv", folder / "env")
    pip = folder / "env" / "bin" / "pip"
    run(pip, "install", "--quiet", "--no-index", "--find-links", wheels, PROJECT["name"])
    return folder / "env" / "bin" / "understudy"


def run(*command: object, cwd: Path = Path("/"), **variables: str) -> str:
    """Run a command that must succeed, away from the repository; gives what it printed."""
    done = subprocess.run(
        [*map(str, command)],
        env={
            name: value for name, value in environment(**variables).items() if name != "PYTHONPATH"
        },
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


@pytest.mark.litellm
def test_the_demo_is_told_from_the_wheel_alone(installed: Path, litellm_executable: Path):
    """Every step comes out as told; templates, tables and documents are packed."""
    assert re.fullmatch(r"understudy \d\S*\n", run(installed, "--version"))
    told = run(installed, "demo", "--once", UNDERSTUDY_LITELLM_BIN=str(litellm_executable))
    assert "Every path is proven again, and every alert is over." in told


def test_the_documentation_is_packed_and_the_licence_is_one(installed: Path):
    """Pages for /docs/, and one licence in the file, the metadata and the classifiers."""
    site = next((installed.parents[1] / "lib").glob("python3*/site-packages"))
    packed = {page.name for page in (site / "supervisor/web/page/docs").iterdir()}
    assert packed == {page.name for page in (REPOSITORY / "docs").glob("*.md")}
    metadata = next(site.glob("understudy-*.dist-info")) / "METADATA"
    assert "\nLicense-Expression: MIT\n" in metadata.read_text("utf-8")
    # With a licence expression no classifier may say it again (PEP 639).
    assert not [one for one in PROJECT["classifiers"] if one.startswith("License ::")]
    assert (REPOSITORY / "LICENSE").read_text("utf-8").startswith("MIT License\n")


def test_the_version_is_the_tags(tmp_path: Path):
    """A release is a tag, and nothing else names its number."""
    clone = tmp_path / "clone"
    clone.mkdir()
    for name in ("chaos", "supervisor", "deploy", "docs"):
        shutil.copytree(REPOSITORY / name, clone / name)
    for file in (path for path in REPOSITORY.iterdir() if path.is_file() and path.name != ".git"):
        shutil.copy(file, clone)
    who = ("-c", "user.name=tests", "-c", "user.email=tests@understudy.example")
    run("git", "init", "--quiet", cwd=clone)
    run("git", "add", "--all", cwd=clone)
    run("git", *who, "commit", "--quiet", "--message=All", cwd=clone)
    run("git", "tag", "v9.8.7", cwd=clone)
    build = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation")
    run(*build, "--wheel-dir", tmp_path, clone, PATH=os.environ["PATH"])
    assert [wheel.name for wheel in tmp_path.glob("*.whl")] == ["understudy-9.8.7-py3-none-any.whl"]
