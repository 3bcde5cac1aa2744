"""A real Docker engine of its own, with everything below one folder, and gone with its block."""

import io
import os
import shutil
import socket
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import docker
from docker.errors import DockerException

from tests.patience import PATIENCE_S

MOUNTED = [folder for folder in ("/usr", "/lib", "/lib64", "/bin") if Path(folder).exists()]
"""What a container needs to run this machine's own programs."""


def empty_image(client: docker.DockerClient, image: str) -> None:
    """Make an image that has nothing but places for what is mounted."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for folder in (*MOUNTED, "/dev", "/proc", "/sys", "/tmp"):
            entry = tarfile.TarInfo(folder.strip("/"))
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
    name, tag = image.split(":")
    client.api.import_image_from_data(packed.getvalue(), repository=name, tag=tag)


@contextmanager
def dockerd(folder: Path, *options: str) -> Iterator[str]:
    """Run an engine with everything of its own below *folder*; yields what DOCKER_HOST must be."""
    url, log = f"unix://{folder}/docker.sock", folder / "log"
    (folder / "daemon.json").write_text("{}")
    command = [
        "dockerd",
        f"--host={url}",
        f"--config-file={folder}/daemon.json",
        f"--data-root={folder}/data",
        f"--exec-root={folder}/exec",
        f"--pidfile={folder}/pid",
        # An engine that this machine may have besides keeps its containers to itself.
        "--containerd-namespace=understudy-test",
        "--containerd-plugins-namespace=understudy-test-plugins",
        "--bridge=none",
        "--iptables=false",
        "--ip-masq=false",
        *options,
    ]
    with log.open("wb") as output:
        engine = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        while not listens(folder / "docker.sock"):
            if engine.poll() is not None:
                why = "\n".join(log.read_text(errors="replace").splitlines()[-3:])
                raise DockerException(f"dockerd ended with {engine.returncode}: {why}")
            time.sleep(0.05)
        yield url
    finally:
        engine.terminate()
        engine.wait(PATIENCE_S)
        # An engine that ends while it starts leaves its own folder mounted on itself.
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for mount in reversed([path for path in mounts if path.startswith(f"{folder}/")]):
            subprocess.run(["umount", mount], check=True)


def listens(path: Path) -> bool:
    """Whether somebody listens on a socket."""
    with socket.socket(socket.AF_UNIX) as trying:
        return trying.connect_ex(str(path)) == 0


@contextmanager
def restartable_dockerd() -> Iterator[tuple[str, Callable[[], None], Callable[[], None]]]:
    """Run an engine that can be ended and started again; yields what does both.

    Its containers end with it, as without live restore they do.
    """
    with TemporaryDirectory(prefix="understudy-docker-") as folder, ExitStack() as stack:

        def start() -> None:
            stack.enter_context(dockerd(Path(folder)))

        start()
        yield f"unix://{folder}/docker.sock", stack.close, start


@contextmanager
def any_dockerd() -> Iterator[str]:
    """Run an engine with the storage that works here; yields what DOCKER_HOST must be.

    Raises:
        DockerException: None comes up here; the message says why.
    """
    if os.geteuid() != 0 or shutil.which("dockerd") is None:
        raise DockerException("a Docker engine of its own needs dockerd and root")
    problems = []
    for options in ([], ["--storage-driver=vfs"]):
        # A socket's path must be short, which those of pytest's folders are not.
        with TemporaryDirectory(prefix="understudy-docker-") as folder, ExitStack() as stack:
            try:
                url = stack.enter_context(dockerd(Path(folder), *options))
            except DockerException as error:
                problems.append(str(error))
                continue
            yield url
            return
    raise DockerException(f"no Docker engine comes up here: {'; '.join(problems)}")
