"""LiteLLM is installed once, exactly, and never half.

Real environments and the real pip, but from two wheels that hold nothing: no network is needed.
"""

import asyncio
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chaos.errors import SetupError, UsageError
from chaos.gateway import install as module
from chaos.gateway.install import CONSTRAINTS, install_litellm, litellm_bin
from chaos.gateway.releases import LITELLM_VERSION, tried_versions
from chaos.process import environment
from chaos.process.environment import default_folder
from tests.fakes.wheels import ignore, make_wheel
from tests.patience import PATIENCE_S

PINNED = CONSTRAINTS / f"litellm-{LITELLM_VERSION}.txt"


@pytest.fixture
def litellm_wheels(wheels) -> Path:
    """The folder, with a LiteLLM and a prometheus_client of the right versions in it."""
    pinned = re.search(r"^prometheus_client==(\S+)$", PINNED.read_text(), re.MULTILINE)
    assert pinned is not None
    make_wheel(wheels, "litellm", LITELLM_VERSION, script=True)
    make_wheel(wheels, "prometheus_client", pinned[1])
    return wheels


async def test_two_callers_share_one_install_and_a_third_finds_it_at_once(
    tmp_path, litellm_wheels, monkeypatch
):
    """Of two callers one installs and one waits; who comes later needs no pip at all."""
    lab = tmp_path / "lab"
    said: list[str] = []

    found = await asyncio.gather(
        install_litellm(lab, say=said.append), install_litellm(lab, say=said.append)
    )

    assert set(found) == {lab / "litellm" / "bin" / "litellm"}
    assert os.access(found[0], os.X_OK)
    assert len([line for line in said if line.startswith("Making an environment")]) == 1
    assert len([line for line in said if line.startswith("Waiting for another")]) == 1

    monkeypatch.setattr(environment, "_run", None)  # A call of it would raise.
    assert await install_litellm(lab, say=pytest.fail) == litellm_bin(lab) == found[0]

    other = tmp_path / "constraints" / PINNED.name
    other.parent.mkdir()
    other.write_bytes(PINNED.read_bytes())
    monkeypatch.setattr(module, "CONSTRAINTS", other.parent)
    assert litellm_bin(lab) == found[0], "another clone needs no other environment"
    other.write_text("litellm==0\n")
    assert litellm_bin(lab) is None, "other constraints need another environment"


async def test_what_pip_cannot_find_is_told_in_its_own_words(tmp_path, wheels):
    """Where pip fails the error quotes it, has a remedy, and no environment counts as made."""
    with pytest.raises(SetupError, match="No matching distribution found for litellm") as caught:
        await install_litellm(tmp_path / "lab", say=ignore)

    assert caught.value.remedy
    assert litellm_bin(tmp_path / "lab") is None


async def test_a_directory_that_cannot_be_made_is_a_setup_error(tmp_path):
    """A file where the directory should be is told with the way out, not with a traceback."""
    (tmp_path / "lab").write_text("in the way")

    with pytest.raises(SetupError, match="cannot hold LiteLLM") as caught:
        await install_litellm(tmp_path / "lab", say=ignore)

    assert "--dir" in caught.value.remedy


@pytest.fixture
def slow_python(tmp_path) -> Path:
    """A Python that begins to make an environment, writes its process id, and never ends."""
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\nmkdir -p "$3/bin"\necho $$ > "$0.pid"\nexec sleep 100000\n')
    python.chmod(0o755)
    return python


async def process_of(python: Path) -> int:
    """Wait until *python* runs, and give its process id."""
    pid_file = python.with_name("python.pid")
    async with asyncio.timeout(PATIENCE_S):
        while not pid_file.exists() or not pid_file.read_text().strip():
            await asyncio.sleep(0.01)
    return int(pid_file.read_text())


def alive(pid: int) -> bool:
    """Say whether process *pid* still runs; a zombie does not."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


async def test_a_cancelled_install_leaves_no_environment_and_no_process(
    tmp_path, slow_python, monkeypatch
):
    """Ctrl-C in the middle of an install ends it, and the next call does not trust the rest."""
    lab = tmp_path / "lab"
    monkeypatch.setattr(sys, "executable", str(slow_python))

    async with asyncio.TaskGroup() as tasks:
        install = tasks.create_task(install_litellm(lab, say=ignore))
        python = await process_of(slow_python)
        assert alive(python)
        install.cancel()

    assert not alive(python)
    assert litellm_bin(lab) is None


async def test_an_install_dies_with_a_killed_installer(tmp_path, slow_python):
    """After kill -9 neither a process of ours nor an environment that looks ready is left."""
    lab = tmp_path / "lab"
    installer = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "import asyncio, pathlib, sys; from chaos.gateway.install import install_litellm\n"
        f"sys.executable = {str(slow_python)!r}\n"
        f"asyncio.run(install_litellm(pathlib.Path({str(lab)!r}), say=print))",
        stdout=subprocess.DEVNULL,
    )
    python = await process_of(slow_python)
    assert alive(python)

    installer.send_signal(signal.SIGKILL)
    await installer.wait()

    async with asyncio.timeout(PATIENCE_S):
        while alive(python):
            await asyncio.sleep(0.01)
    assert litellm_bin(lab) is None


async def test_an_environment_without_its_stamp_is_made_anew(tmp_path, wheels):
    """What a killed install left behind is removed before the next one begins."""
    left_behind = tmp_path / "lab" / "litellm" / "left-behind"
    left_behind.parent.mkdir(parents=True)
    left_behind.touch()

    with pytest.raises(SetupError):  # There is no LiteLLM in the folder.
        await install_litellm(tmp_path / "lab", say=ignore)

    assert not left_behind.exists()


@pytest.fixture
def fake_uv(tmp_path, monkeypatch) -> Path:
    """A uv on the path that notes what it is told, and ends as it is told."""
    folder = tmp_path / "bin"
    folder.mkdir()
    uv = folder / "uv"
    uv.write_text('#!/bin/sh\necho "$@" > "$0.told"\n. "$0.does"\n')
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setattr(Path, "with_name", _nowhere_for_uv(Path.with_name))
    return uv


def _nowhere_for_uv(with_name):
    """Hide the uv that belongs to the Python which runs the tests."""

    def hidden(path, name):
        return Path("/nonexistent/uv") if name == "uv" else with_name(path, name)

    return hidden


async def test_uv_installs_where_there_is_one(tmp_path, fake_uv, monkeypatch):
    """The same requirements, into the same place, with bytecode compiled."""
    for name in ("PIP_NO_INDEX", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    fake_uv.with_suffix(".does").write_text(
        f"echo Installed 2 packages\ntouch {tmp_path}/lab/litellm/bin/litellm\n"
    )
    said: list[str] = []
    found = await install_litellm(tmp_path / "lab", say=said.append)
    assert found == tmp_path / "lab" / "litellm" / "bin" / "litellm"
    told = fake_uv.with_suffix(".told").read_text()
    assert told.startswith(f"pip install --python {tmp_path}/lab/litellm/bin/python --compile")
    assert f"litellm[proxy]=={LITELLM_VERSION}" in told
    assert "Installed 2 packages" in said
    assert re.fullmatch(rf"LiteLLM {LITELLM_VERSION} is ready, after \d+ s", said[-1])


async def test_what_uv_cannot_install_pip_tries(tmp_path, fake_uv, litellm_wheels, monkeypatch):
    """An index behind a login that only pip knows is one reason."""
    fake_uv.with_suffix(".does").write_text("echo no such index\nexit 2\n")
    monkeypatch.setattr(environment, "_uv", lambda: str(fake_uv))
    said: list[str] = []
    found = await install_litellm(tmp_path / "lab", say=said.append)
    assert os.access(found, os.X_OK)
    (fell_back,) = [line for line in said if "Trying with pip" in line]
    assert "no such index" in fell_back


async def test_an_index_that_pip_was_given_is_asked_by_pip(tmp_path, fake_uv, litellm_wheels):
    """Uv would know nothing of it, and would ask the public one."""
    await install_litellm(tmp_path / "lab", say=ignore)
    assert not fake_uv.with_suffix(".told").exists()


def test_the_directory_is_chosen_by_the_environment(tmp_path, monkeypatch):
    """UNDERSTUDY_LAB_DIR wins over the cache in the home directory."""
    monkeypatch.setenv("UNDERSTUDY_LAB_DIR", str(tmp_path))
    assert default_folder() == tmp_path
    monkeypatch.delenv("UNDERSTUDY_LAB_DIR")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_folder() == tmp_path / ".cache" / "understudy"


@pytest.mark.parametrize("version", tried_versions())
def test_constraints_are_exact_and_hold_what_is_asked_for(version):
    """Every line names one version and no place, so that every install is the same."""
    text = (CONSTRAINTS / f"litellm-{version}.txt").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9_.-]+==[\w.]+", line)] == []
    assert f"litellm=={version}" in lines


async def test_another_version_has_an_environment_of_its_own(tmp_path, litellm_wheels):
    """Beside the verified one; that nobody has tried it is said."""
    make_wheel(litellm_wheels, "litellm", "1.200.0", script=True)
    said: list[str] = []
    found = await install_litellm(tmp_path, "1.200.0", say=said.append)
    assert found == tmp_path / "litellm-1.200.0" / "bin" / "litellm"
    assert litellm_bin(tmp_path, "1.200.0") == found
    assert litellm_bin(tmp_path) is None
    assert "LiteLLM 1.200.0 was not run with this Understudy" in said[0]


@pytest.mark.parametrize(
    ("version", "words"),
    [("1.82.8", "24512"), ("1.107.0", "malware"), ("latest", "no version"), ("../x", "no version")],
)
async def test_what_nobody_should_run_is_not_installed(tmp_path, version, words):
    """Before pip is asked for anything."""
    with pytest.raises(UsageError, match=words):
        await install_litellm(tmp_path, version, say=pytest.fail)
    assert litellm_bin(tmp_path, version) is None
    assert not list(tmp_path.iterdir())


@pytest.mark.litellm
def test_the_real_litellm_is_the_version_that_was_asked_for(litellm_executable):
    """What make installed says itself that it is the pinned version."""
    python = litellm_executable.with_name("python")
    ask = "from importlib.metadata import version; print(version('litellm'))"
    asked = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True)
    assert asked.stdout.strip() == LITELLM_VERSION
