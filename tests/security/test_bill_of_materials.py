"""The wheel says what is in it, and what it was tested with."""

import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """A wheel as `pip wheel .` builds it, with the build's tools that are locked."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
    )
    (file,) = folder.glob("*.whl")
    return zipfile.ZipFile(file)


@pytest.fixture(scope="module")
def bill(wheel: zipfile.ZipFile) -> Any:
    """Its bill of materials: one file, where PEP 770 has it."""
    (name,) = (one for one in wheel.namelist() if re.search(r"\.dist-info/sboms/.", one))
    assert name.endswith(".cdx.json")
    return json.loads(wheel.read(name))


def test_the_bill_is_valid_cyclonedx(bill: Any):
    """By the schema of the format itself."""
    assert bill["specVersion"] == "1.6"
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is None
    broken = {**bill, "components": [{"name": "without a type"}]}
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(broken)) is not None


def test_the_bill_names_the_wheel_s_own_version(wheel: zipfile.ZipFile, bill: Any):
    """As its metadata does."""
    (metadata,) = (n for n in wheel.namelist() if n.endswith(".dist-info/METADATA"))
    version = re.search(r"(?m)^Version: (.*)$", wheel.read(metadata).decode())
    assert version is not None
    assert bill["metadata"]["component"]["version"] == version[1]


def test_every_runtime_dependency_is_in_the_bill(bill: Any):
    """At the version that the tests run with, and named as what Understudy itself needs."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    wanted = {re.split(r"[<>=!~\[]", one)[0].lower() for one in project["dependencies"]}
    locked = set((REPOSITORY / "requirements-dev.txt").read_text().splitlines())
    listed = {one["name"]: one["version"] for one in bill["components"]}
    assert wanted <= set(listed)
    assert {f"{name}=={version}" for name, version in listed.items()} <= locked
    direct = next(d["dependsOn"] for d in bill["dependencies"] if d["ref"] == "understudy")
    assert set(direct) == wanted


def test_what_dependencies_need_is_in_the_bill_and_tools_are_not(bill: Any):
    """Yarl comes with aiohttp; pytest and mypy never run at a user's."""
    listed = {one["name"] for one in bill["components"]}
    assert {"yarl", "multidict", "markupsafe", "urllib3"} <= listed
    assert not {"pytest", "mypy", "hatchling", "cyclonedx-python-lib"} & listed
    needs = {one["ref"]: one.get("dependsOn", []) for one in bill["dependencies"]}
    assert "yarl" in needs["aiohttp"]
