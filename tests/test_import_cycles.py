"""A circle of imports is found without an import, as Python would find it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.import_cycles import import_cycle

FIRST = "import importlib, sys; importlib.import_module(sys.argv[1])"

FINE = {
    "a chain": {"a": "from p.b import x", "b": "from p.c import x", "c": "x = 1"},
    "a late import": {"a": "from p.b import f", "b": "def f():\n    from p.a import f\n"},
    "an import for types": {
        "a": "from p.b import x",
        "b": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from p.a import y\nx = 1",
    },
    "a registry in its package": {
        "a": "from p.kinds import ALL",
        "kinds": "from p.kinds import one\nALL = [one.x]",
        "kinds.one": "from p.kinds.base import x",
        "kinds.base": "x = 1",
    },
}
BROKEN = {
    "two": {"a": "from p.b import x\ny = 1", "b": "from p.a import y\nx = 1"},
    "three": {
        "a": "from p.b import x\ny = 1",
        "b": "from p.c import x",
        "c": "from p.a import y\nx = 1",
    },
    "in a class": {"a": "from p.b import x\ny = 1", "b": "class C:\n    from p.a import y\nx = 1"},
    "in a branch": {
        "a": "from p.b import x\ny = 1",
        "b": "import sys\nif sys.argv:\n    from p.a import y\nx = 1",
    },
    "through a package": {
        "a": "from p.kinds.one import x\ny = 1",
        "kinds": "from p.kinds import two",
        "kinds.one": "x = 1",
        "kinds.two": "from p.a import y",
    },
    "a registry that a kind needs": {
        "kinds": "from p.kinds import one\nALL = []",
        "kinds.one": "from p.other import x",
        "other": "from p.kinds import ALL\nx = 1",
    },
}


def written(parts: dict[str, str], folder: Path) -> dict[str, str]:
    """Write a package *p* of these modules; returns the text of each."""
    sources = {"p": "", **{f"p.{name}": text for name, text in parts.items()}}
    for name, text in sources.items():
        path = folder.joinpath(*name.split("."))
        held = any(other.startswith(f"{name}.") for other in sources)
        file = path / "__init__.py" if held else path.with_suffix(".py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return sources


def fails_first(name: str, folder: Path) -> bool:
    """Import a module before any other."""
    tried = subprocess.run(
        [sys.executable, "-c", FIRST, name], cwd=folder, capture_output=True, check=False
    )
    return tried.returncode != 0


@pytest.mark.parametrize("parts", FINE.values(), ids=list(FINE))
def test_modules_that_can_all_be_imported_first_have_no_circle(parts, tmp_path):
    """As Python itself says of each."""
    sources = written(parts, tmp_path)
    assert not any(fails_first(name, tmp_path) for name in sources)
    assert import_cycle(sources) == []


@pytest.mark.parametrize("parts", BROKEN.values(), ids=list(BROKEN))
def test_modules_of_which_one_cannot_be_imported_first_have_a_circle(parts, tmp_path):
    """It is named, and one of it fails."""
    sources = written(parts, tmp_path)
    found = import_cycle(sources)
    assert len(found) > 2
    assert found[0] == found[-1]
    assert any(fails_first(name, tmp_path) for name in found)
