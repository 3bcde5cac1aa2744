"""The wheel in an empty environment, far from the repository."""

import os
import re
import shutil
import sys
import tomllib
from pathlib import Path

import pytest

from tests.fakes.commandline import succeeds
from tests.fakes.debian_box import REPOSITORY

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that has the wheel, what it needs, and nothing else; gives its command."""
    folder = tmp_path_factory.mktemp("wheel")
    wheels = folder / "wheels"
    succeeds(sys.executable, REPOSITORY / ".ci" / "wheelhouse.py", wheels)
    succeeds(sys.executable, "-m", "venv", folder / "env")
    pip = folder / "env" / "bin" / "pip"
    succeeds(pip, "install", "--quiet", "--no-index", "--find-links", wheels, PROJECT["name"])
    return folder / "env" / "bin" / "understudy"


@pytest.mark.litellm
def test_the_demo_is_told_from_the_wheel_alone(installed: Path, litellm_executable: Path):
    """Every step comes out as told; templates, tables and documents are packed."""
    assert re.fullmatch(r"understudy \d\S*\n", succeeds(installed, "--version"))
    told = succeeds(installed, "demo", "--once", UNDERSTUDY_LITELLM_BIN=str(litellm_executable))
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
    succeeds("git", "init", "--quiet", cwd=clone)
    succeeds("git", "add", "--all", cwd=clone)
    succeeds("git", *who, "commit", "--quiet", "--message=All", cwd=clone)
    succeeds("git", "tag", "v9.8.7", cwd=clone)
    build = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation")
    succeeds(*build, "--wheel-dir", tmp_path, clone, PATH=os.environ["PATH"])
    assert [wheel.name for wheel in tmp_path.glob("*.whl")] == ["understudy-9.8.7-py3-none-any.whl"]
