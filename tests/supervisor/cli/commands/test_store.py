"""``understudy store``: check, backup and vacuum."""

import sqlite3
from pathlib import Path

import pytest

from tests.fakes.ledgers import entry, path, wish
from tests.fakes.stores import filled


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration whose store has a drill."""
    return filled(tmp_path, {path(): wish()}, [entry("d1")])


def test_a_store_in_good_order_says_so(invoke, config):
    """With its place and size."""
    told = invoke("store", "check", "--config", config)
    assert told.code == 0
    assert f"{config.parent / 'understudy.db'} is in good order, 0." in told.out


def test_damage_is_listed(invoke, config):
    """A row that leads nowhere, say; exit code 1."""
    with sqlite3.connect(config.parent / "understudy.db") as connection:
        connection.execute("DELETE FROM paths")
    connection.close()
    told = invoke("store", "check", "--config", config)
    assert told.code == 1
    assert "a row of drills refers to a row of paths that is gone" in told.out


def test_a_backup_is_a_store(invoke, config, tmp_path: Path):
    """Whole, and under the name that was given."""
    copy = tmp_path / "copy.db"
    assert invoke("store", "backup", copy, "--config", config).code == 0
    with sqlite3.connect(copy) as connection:
        assert connection.execute("SELECT id FROM drills").fetchall() == [("d1",)]
    connection.close()
    again = invoke("store", "backup", copy, "--config", config)
    assert again.code == 2
    assert "is there already" in again.err
    folder = tmp_path / "folder"
    folder.mkdir()
    assert invoke("store", "backup", folder, "--config", config).code == 0
    assert (folder / "understudy.db").exists()


def test_a_store_can_be_packed(invoke, config):
    """And holds the same afterwards."""
    assert invoke("store", "vacuum", "--config", config).code == 0
    assert "d1" in invoke("history", "--config", config).out


@pytest.mark.parametrize("command", ["check", "vacuum", "backup"])
def test_a_store_that_is_not_there_is_not_made(invoke, tmp_path: Path, command):
    """It ends with 2."""
    arguments = [tmp_path / "copy"] if command == "backup" else []
    told = invoke("store", command, *arguments, XDG_STATE_HOME=str(tmp_path))
    assert told.code == 2
    assert str(tmp_path / "understudy") in told.err
    assert not (tmp_path / "understudy").exists()
