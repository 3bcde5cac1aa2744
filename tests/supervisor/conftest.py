"""One real lab for all tests of the command line, and a way to run commands in this process."""

import json
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import URL

from chaos.lab.lab import BIN_VARIABLE
from chaos.process.ports import free_port
from supervisor.cli.main import main
from supervisor.store.location import parse_url
from tests.fakes import postgresql
from tests.fakes.commandline import starting
from tests.patience import PATIENCE_S


@dataclass(frozen=True)
class RunningLab:
    """A lab in another process.

    Attributes:
        witness_port: The only one that its permission covers.
        config: The file that its LiteLLM was started with.
    """

    url: str
    key: str
    witness_port: int
    config: Path

    @property
    def options(self) -> list[str]:
        """What ``understudy drill`` needs to find it; the key is in LAB_KEY."""
        listen = f"127.0.0.1:{self.witness_port}"
        return ["--gateway", self.url, "--key-env", "LAB_KEY", "--witness-listen", listen]


@pytest.fixture(scope="session")
def shared_lab(
    litellm_executable: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningLab]:
    """A lab whose engine refuses tool calls: plain chat passes, and the rest does not."""
    port, folder = free_port(), tmp_path_factory.mktemp("lab")
    process = starting(
        *("lab", "--setup", "no_tool_flags", "--witness-port", port, "--format", "json"),
        **{BIN_VARIABLE: str(litellm_executable), "TMPDIR": str(folder)},
    )
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        (config,) = folder.glob("*/litellm.yaml")
        yield RunningLab(told["gateway_url"], told["key"], port, config)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)


@dataclass(frozen=True)
class Ended:
    """What a command came to."""

    code: int
    out: str
    err: str


@pytest.fixture
def invoke(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Ended]:
    """Run the command line in this process, as its script does."""
    monkeypatch.delenv("UNDERSTUDY_CONFIG", raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    # The limit holds for a process for good, and this one has other tests to run.
    monkeypatch.setattr("supervisor.cli.main.forbid_core_dumps", lambda: None)

    def run(*arguments: object, **env: str) -> Ended:
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("sys.argv", ["understudy", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Ended(ended.value.code, said.out, said.err)

    return run


@pytest.fixture(scope="session")
def server() -> Iterator[postgresql.PostgreSQL]:
    """A PostgreSQL that is running."""
    with postgresql.running() as running:
        yield running


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[URL]:
    """Where a store may be made; there is none yet."""
    if request.param == "sqlite":
        yield parse_url(str(tmp_path / "understudy.db"))
        return
    with request.getfixturevalue("server").database() as made:
        yield parse_url(made)
