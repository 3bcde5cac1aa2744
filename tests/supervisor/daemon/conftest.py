"""Daemons have a key, and leave the log as it was."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key that the configuration names."""
    monkeypatch.setenv("TEST_KEY", "sk-test")


@pytest.fixture(autouse=True)
def log() -> Iterator[None]:
    """Leave the log of the tests as it was."""
    yield
    structlog.reset_defaults()
