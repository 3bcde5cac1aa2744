"""Fixtures that every test may ask for."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from chaos.gateway.install import litellm_bin
from chaos.process.environment import default_folder

HANGS_AFTER_S = {"vllm": 5400, "litellm": 2700}
"""What only hangs, by kind of test: those that start a slow program have to wait for it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each kind of test its own limit."""
    for item in items:
        kinds = [kind for kind in HANGS_AFTER_S if item.get_closest_marker(kind)]
        if kinds and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(HANGS_AFTER_S[kinds[0]]))


@pytest.fixture(scope="session")
def lab_dir() -> Path:
    """Where the lab keeps its LiteLLM; make says `.lab` of this repository."""
    return default_folder()


@pytest.fixture(scope="session")
def litellm_executable(lab_dir: Path) -> Path:
    """The real LiteLLM; a test that asks for it carries the marker ``litellm``."""
    executable = litellm_bin(lab_dir)
    if executable is None:
        pytest.fail(f"no LiteLLM in {lab_dir}: run `make lab`, or only `make test-unit`")
    return executable


@pytest.fixture(autouse=True)
def state_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep logs of failed starts out of the home of whoever runs the tests."""
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))


@pytest.fixture(autouse=True)
def own_resolver(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask no name server: names in tests are examples, and have no address."""
    if request.path.name == "test_locality.py":
        return

    async def look_up(hosts: Iterable[str]) -> dict[str, tuple[str, ...]]:
        return {host: ("127.0.0.1",) if host == "localhost" else () for host in hosts}

    monkeypatch.setattr("chaos.gateway.client.look_up", look_up)
