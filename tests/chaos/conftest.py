"""Fixtures that several packages of the drill engine share."""

import os
from pathlib import Path

import pytest


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
