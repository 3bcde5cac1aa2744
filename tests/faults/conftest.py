"""Fixtures of stores, and the figures that docs/reliability.md is written from."""

from collections.abc import Callable

import pytest

from tests.supervisor.conftest import server, url  # noqa: F401 -- fixtures

_FIGURES = pytest.StashKey[list[str]]()


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Say a figure, to be printed at the end."""
    said = request.config.stash.setdefault(_FIGURES, [])
    return lambda text: said.append(f"{request.node.name}: {text}")


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the figures."""
    said = config.stash.get(_FIGURES, [])
    if said:
        terminalreporter.section("faults")
        for line in said:
            terminalreporter.write_line(line)
