"""Machines, a lab in their network, and the service as the install note makes it."""

import json
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fakes.commandline import SCRIPT, environment
from tests.fakes.debian_box import (
    PYTHONS,
    REPOSITORY,
    BoxError,
    DebianBox,
    debian_root,
    network,
    understudy_wheel,
    wheelhouse,
)
from tests.patience import PATIENCE_S

NOTE = REPOSITORY / "deploy" / "systemd" / "README.md"
LOCK = "requirements-dev.txt"
OLD, NEW = "1.0.0", "1.1.0"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here boots a machine."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.box)
            item.add_marker(pytest.mark.timeout(5400))


def commands_of(section: str) -> str:
    """Read the commands of a section of the install note, as they are."""
    text = NOTE.read_text().split(f"\n## {section}\n")[1].split("\n## ")[0]
    return "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))


@dataclass(frozen=True)
class LabInBox:
    """A real LiteLLM in the machines' network."""

    gateway_url: str
    key: str


@dataclass
class Installed:
    """A machine with the service.

    Attributes:
        before: Every file before the installation.
    """

    box: DebianBox
    lab: LabInBox
    before: set[str]

    def follow(self, script: str) -> str:
        """Run commands of the note; only the key and the gateway's port are this machine's."""
        script = script.replace("sk-your-key", self.lab.key)
        return self.box.sh(script.replace("http://127.0.0.1:4000", self.lab.gateway_url))

    def active(self) -> bool:
        """Whether it runs."""
        return self.box.show("ActiveState")["ActiveState"] == "active"

    def pid(self) -> int:
        """Which process the daemon is; 0 for none."""
        return int(self.box.show("MainPID")["MainPID"])

    def back(self, before: int) -> bool:
        """Whether it runs again, as another process than *before*."""
        return self.active() and self.pid() not in {0, before}


@pytest.fixture(scope="session")
def namespace() -> Iterator[str]:
    """The network of lab and machines."""
    try:
        with network() as name:
            yield name
    except BoxError as error:
        pytest.fail(f"no machine can be booted here: {error}")


@pytest.fixture(scope="session")
def lab(namespace: str, lab_dir: Path) -> Iterator[LabInBox]:
    """Start the lab in the machines' network."""
    process = subprocess.Popen(
        [
            *("ip", "netns", "exec", namespace, str(SCRIPT), "lab", "--dir", str(lab_dir)),
            *("--setup", "healthy", "--format", "json"),
        ],
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        started = json.loads(process.stdout.readline())
        yield LabInBox(started["gateway_url"], started["key"])
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """This version as an old one, and a newer one that changes the store's schema."""
    folder = tmp_path_factory.mktemp("wheels")
    newer = folder / "newer"
    for name in ("chaos", "supervisor", "deploy"):
        shutil.copytree(REPOSITORY / name, newer / name)
    for name in ("pyproject.toml", "hatch_build.py", LOCK, "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, newer / name)
    store = newer / "supervisor" / "store"
    tables = (store / "tables.py").read_text()
    head = re.findall(r'(?m)^HEAD = "(\d+)"', tables)[0]
    (store / "tables.py").write_text(tables.replace(f'HEAD = "{head}"', 'HEAD = "9000"'))
    (store / "migrations" / "r9000_later.py").write_text(
        f'import sqlalchemy as sa\nfrom alembic import op\n\nrevision = "9000"\n'
        f'down_revision = "{head}"\n\n\ndef upgrade() -> None:\n'
        '    op.create_table("later", sa.Column("number", sa.Integer(), primary_key=True))\n'
    )
    return {OLD: understudy_wheel(folder, OLD), NEW: understudy_wheel(folder, NEW, newer)}


@pytest.fixture(scope="module", params=PYTHONS)
def installed(
    request: pytest.FixtureRequest,
    namespace: str,
    lab: LabInBox,
    wheels: dict[str, Path],
    lab_dir: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installed]:
    """Boot a fresh machine, and follow the install note to the letter."""
    release, cache = request.param, lab_dir / "box"
    try:
        root = debian_root(release, cache, tmp_path_factory.mktemp("box"))
        shutil.copytree(wheelhouse(release, cache, wheels[OLD]), root / "root" / "wheelhouse")
        shutil.copy(wheels[OLD], root / "root")
        box = DebianBox(root, namespace)
        box.boot()
    except BoxError as error:
        pytest.fail(f"no machine can be booted here: {error}")
    try:
        here = Installed(box, lab, box.files())
        here.follow(commands_of("Install"))
        (root / "root" / wheels[OLD].name).unlink()
        yield here
    finally:
        box.stop()
        shutil.rmtree(root, ignore_errors=True)
