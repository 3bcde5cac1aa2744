"""docs/extending.md is followed literally, in a copy of the repository."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "extending.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"(?ms)^## ([^\n]+)\n(.*?)(?=^## |\Z)", PAGE))
STEP = re.compile(r"(?ms)(?:^(?:Create|In|in) `([^`]+)`:\n\n)?^```(python|diff|sh)\n(.*?)^```$")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Everything that is or would be in the repository."""
    listed = subprocess.run(
        # Also where somebody else owns the clone.
        [
            *("git", "-c", "safe.directory=*", "ls-files", "-z"),
            *("--cached", "--others", "--exclude-standard"),
        ],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("title", SECTIONS)
def test_a_section_can_be_followed_as_it_is_written(title: str, copy: Path):
    """Each file is created, each line found its place, and each command passes."""
    steps = STEP.findall(SECTIONS[title])
    assert {language for _, language, _ in steps} == {"python", "diff", "sh"}
    if any(language == "python" and (copy / name).exists() for name, language, _ in steps):
        pytest.skip("somebody has followed this section here")
    for name, language, text in steps:
        if language == "python":
            (copy / name).write_text(text, "utf-8")
        elif language == "diff":
            file = copy / name
            file.write_text(patched(file.read_text("utf-8"), text, name), "utf-8")
        else:
            for line in text.splitlines():
                run(line, copy)
    lint("check", copy)
    lint("format --check", copy)
    run("mypy", copy)


def patched(text: str, diff: str, name: str) -> str:
    """Add the lines of *diff* that begin with a plus where its other lines are."""
    for hunk in diff.split("@@\n"):
        lines = hunk.splitlines(keepends=True)
        old = "".join(line[1:] for line in lines if not line.startswith("+"))
        assert text.count(old) == 1, f"{name}: {text.count(old)} places look like\n{old}"
        text = text.replace(old, "".join(line[1:] for line in lines))
    return text


def lint(what: str, copy: Path) -> None:
    """Run ruff."""
    run(f"ruff {what} --no-cache", copy)


def run(line: str, copy: Path) -> None:
    """Run a tool of Python's on the copy's own code."""
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(line)],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy), "MYPY_CACHE_DIR": str(ROOT / ".mypy_cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{line}\n{done.stdout[-6000:]}{done.stderr[-2000:]}"


def test_a_place_that_is_not_there_is_noticed():
    """A line of the page that the code no longer has fails."""
    with pytest.raises(AssertionError, match="0 places look like"):
        patched("a\n", " b\n+c\n", "some.py")
    assert patched("a\nb\n", " a\n+c\n", "some.py") == "a\nc\nb\n"
