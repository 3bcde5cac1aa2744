"""``understudy halt`` and ``resume``, before a daemon runs."""

import json

import pytest

from supervisor.store.errors import StoreError
from supervisor.store.store import Store
from tests.fakes.stores import filled


@pytest.fixture
def config(tmp_path):
    """A configuration whose store is empty."""
    return filled(tmp_path, {}, [])


def halted(invoke, config):
    """Say which halt holds."""
    return json.loads(invoke("status", "--config", config, "--format", "json").out)["halt"]


def test_a_halt_holds_until_it_is_ended(invoke, config):
    """With its reason, for every daemon of the store."""
    told = invoke("halt", "--config", config, "--reason", "a new driver")
    assert told.out == "Halted. 'understudy resume' goes on.\n"
    found = halted(invoke, config)
    assert (found["reason"], found["until"], found["daemon"]) == ("a new driver", None, None)
    assert invoke("resume", "--config", config).out == "Drills go on.\n"
    assert halted(invoke, config) is None


def test_a_halt_may_have_an_end_and_be_one_daemons_own(invoke, config):
    """Both are shown."""
    told = invoke("halt", "--config", config, "--for", "2h", "--this-daemon")
    assert told.out.startswith("Halted until 20")
    found = halted(invoke, config)
    assert found["daemon"] == "spark-1"
    assert found["until"]
    invoke("resume", "--config", config, "--this-daemon")
    assert halted(invoke, config) is None


def test_a_length_that_is_none_is_refused(invoke, config):
    """With an example."""
    told = invoke("halt", "--config", config, "--for", "a while")
    assert told.code == 2
    assert "--for 30m" in told.err
    assert halted(invoke, config) is None


def test_where_the_store_cannot_be_written_a_file_halts(invoke, config, monkeypatch):
    """A full disk, say; resume removes it."""

    async def full(*_: object) -> None:
        raise StoreError("the disk is full", remedy="Free space.")

    monkeypatch.setattr(Store, "halt", full)
    told = invoke("halt", "--config", config, "--reason", "no room")
    assert told.code == 0
    assert "the disk is full" in told.err
    assert f"Halted by the file {config.parent / 'halt'}" in told.out
    assert halted(invoke, config)["reason"] == "no room"
    invoke("resume", "--config", config)
    assert halted(invoke, config) is None
