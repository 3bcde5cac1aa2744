"""Which version this is."""

import importlib.metadata

import pytest

from supervisor.cli.version import installed_version


def test_it_is_the_one_that_is_installed():
    """As pip shows it."""
    assert installed_version() == importlib.metadata.version("understudy")


def test_a_tree_that_is_not_installed_has_none(monkeypatch: pytest.MonkeyPatch):
    """And says so."""

    def missing(_: str) -> str:
        raise importlib.metadata.PackageNotFoundError

    monkeypatch.setattr("importlib.metadata.version", missing)
    assert installed_version() == "unknown"
