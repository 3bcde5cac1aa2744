"""Images of an engine for a Docker without a registry: the simulated vLLM, and a package to read.

An image holds what differs between versions: the package, its flags and parsers, and its own
files. Python, its libraries and our own code are this machine's, mounted read-only.
"""

import io
import sys
import sysconfig
import tarfile
from collections.abc import Mapping
from pathlib import Path

import docker

from tests.fakes.docker_engine import MOUNTED
from tests.fakes.vllm_package import lazily

ROOT = Path(__file__).parents[2]
ENVIRONMENT = "/opt/vllm"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
SITE = f"{ENVIRONMENT}/lib/python{PYTHON}/site-packages"
PATCHED = f"{SITE}/vllm/patched.py"
PATCHED_TEXT = "VERSION = 1\n"

FLAGS = (
    *("--host", "--port", "--served-model-name", "--max-model-len", "--enable-auto-tool-choice"),
    *("--tool-call-parser", "--reasoning-parser", "--api-key", "--max-num-seqs", "--model"),
    *("--gpu-memory-utilization", "--quantization", "--kv-cache-dtype", "--enforce-eager"),
    *("--tensor-parallel-size", "--dtype", "--seed", "--revision", "--tokenizer", "--swap-space"),
    *("--block-size", "--enable-prefix-caching", "--trust-remote-code", "--chat-template"),
)


def mounted(*further: Path) -> list[str]:
    """Say what every container of such an image mounts."""
    folders = {*map(Path, MOUNTED), Path(sys.base_prefix), Path(sys.prefix), ROOT, *further}
    # A folder that is below another one is there with it.
    tops = [one for one in folders if not any(other in one.parents for other in folders)]
    return [f"{one}:{one}:ro" for one in sorted(map(str, tops))]


def engine_image(
    client: docker.DockerClient,
    name: str,
    *,
    version: str = "0.32.0",
    flags: tuple[str, ...] = FLAGS,
    parsers: tuple[str, ...] = ("gemma4", "hermes", "pythonic"),
    patched: str = PATCHED_TEXT,
    files: Mapping[str, str] | None = None,
) -> str:
    """Make an image; returns its id.

    Args:
        patched: What is in the file that a patch may replace.
        files: Others, by their path.
    """
    declared = "\n".join(f'    parser.add_argument("{flag}")' for flag in flags)
    package = f"{SITE}/vllm"
    held = {
        f"{ENVIRONMENT}/pyvenv.cfg": f"home = {Path(sys.base_prefix) / 'bin'}\n",
        f"{ENVIRONMENT}/bin/vllm": (
            f"#!{ENVIRONMENT}/bin/python3\nfrom chaos.lab.engine_command import main\nmain()\n"
        ),
        # The simulation and its libraries are this checkout's.
        f"{SITE}/lab.pth": f"{ROOT}\n{sysconfig.get_paths()['purelib']}\n",
        f"{package}/__init__.py": "",
        f"{package}/_version.py": f"__version__ = version = {version!r}\n",
        f"{package}/engine/arg_utils.py": f"def add_cli_args(parser):\n{declared}\n",
        f"{package}/tool_parsers/__init__.py": lazily("TOOL", **{one: one for one in parsers}),
        f"{package}/reasoning/__init__.py": lazily("REASONING", gemma4="g", qwen3="q"),
        PATCHED: patched,
        **(files or {}),
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for folder in (*MOUNTED, "/dev", "/proc", "/sys", "/tmp", "/models"):
            entry = tarfile.TarInfo(folder.strip("/"))
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        for path, text in held.items():
            entry = tarfile.TarInfo(path.strip("/"))
            entry.size, entry.mode = len(text.encode()), 0o755
            tar.addfile(entry, io.BytesIO(text.encode()))
        link = tarfile.TarInfo(f"{ENVIRONMENT}/bin/python3".strip("/"))
        link.type = tarfile.SYMTYPE
        link.linkname = str(Path(sys.base_prefix) / "bin" / f"python{PYTHON}")
        tar.addfile(link)
    repository, _, tag = name.partition(":")
    client.api.import_image_from_data(
        packed.getvalue(),
        repository=repository,
        tag=tag,
        changes=[
            f"ENV PATH={ENVIRONMENT}/bin:/usr/bin:/bin",
            'ENTRYPOINT ["vllm", "serve"]',
            f"LABEL version={version}",
        ],
    )
    return str(client.images.get(name).id)
