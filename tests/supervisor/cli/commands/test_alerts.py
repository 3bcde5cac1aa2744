"""``understudy alerts``: beside a running daemon, and from its store."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
import yaml

from chaos.process.ports import free_port
from supervisor.store.location import parse_url
from supervisor.store.records import Home
from supervisor.store.store import Store
from tests.fakes.alerts import alert_change, alert_state
from tests.fakes.daemons import site
from tests.fakes.manual_clock import ManualClock
from tests.fakes.server import serving
from tests.fakes.stores import filled
from tests.supervisor.daemon.test_alerting import Hook


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration whose store is empty."""
    return filled(tmp_path, {}, [])


def write(config: Path, *states: Any, changes: Any = ()) -> None:
    """Write alerts into the store of a daemon that does not run."""
    sections = yaml.safe_load(config.read_text())
    home = Home("spark-1", "http://gateway:4000")

    async def writing() -> None:
        async with Store.opened(
            parse_url(sections["store"]["url"]), home, ManualClock(datetime.now(UTC))
        ) as store:
            await store.write_alerts(states, changes)

    asyncio.run(writing())


@contextmanager
def daemon(folder: Path, status: int = 200, **sections: Any) -> Iterator[Path]:
    """Run a daemon with one notifier in a thread; yields its configuration."""
    ready, stop = threading.Event(), threading.Event()
    file = folder / "understudy.yaml"

    async def running() -> None:
        hook = Hook(status=status)
        async with serving(hook.handle) as url:
            sections.setdefault("notifiers", {"ops": {"webhook": {"url": f"{url}/hook"}}})
            sections["web"] = {"listen": [f"127.0.0.1:{free_port()}"]}
            async with site(folder, **sections) as here, here.daemon():
                file.write_text(yaml.safe_dump(here.config))
                ready.set()
                while not stop.is_set():
                    await asyncio.sleep(0.01)

    thread = threading.Thread(target=lambda: asyncio.run(running()))
    thread.start()
    ready.wait()
    try:
        yield file
    finally:
        stop.set()
        thread.join()


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The key that the configuration names; and the daemon's log goes nowhere."""
    monkeypatch.setenv("TEST_KEY", "sk-test")
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    yield
    structlog.reset_defaults()


def test_without_alerts_it_says_so(invoke, config):
    """Nothing that pages fires: exit code 0."""
    told = invoke("alerts", "list", "--config", config)
    assert told.code == 0
    assert "No alert fires." in told.out


def test_what_pages_ends_with_1(invoke, config):
    """From the store, too: what fired when the daemon ended is shown."""
    write(config, alert_state(), changes=[(alert_change(), ("ops",))])
    told = invoke("alerts", "list", "--config", config)
    assert told.code == 1
    assert "FallbackBroken" in told.out
    assert "gemma does not hold" in told.out
    as_json = invoke("alerts", "list", "--config", config, "--format", "json")
    assert json.loads(as_json.out)["alerts"][0]["alertname"] == "FallbackBroken"


def test_a_silence_is_begun_listed_and_ended(invoke, config):
    """The name of an alert alone is short for its label."""
    told = invoke(
        *("alerts", "silence", "FallbackBroken", "group=claude-*", "--for", "2h"),
        *("--reason", "new driver", "--config", config),
    )
    assert told.code == 0, told.err
    assert "Silence 1 holds until" in told.out
    listed = invoke("alerts", "list", "--config", config).out
    assert "alertname=FallbackBroken, group=claude-*" in " ".join(listed.split())
    assert invoke("alerts", "unsilence", "1", "--config", config).out == "Silence 1 is over.\n"
    told = invoke("alerts", "unsilence", "1", "--config", config)
    assert told.code == 2
    assert "no silence 1 holds" in told.err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("X", "--for", "a while", "--reason", "x"), "--for 'a while' is not a duration"),
        (("X", "--for", "0s", "--reason", "x"), "an end later than now"),
        (("=x", "--for", "1h", "--reason", "x"), "names no label"),
        (("X", "--for", "1h"), "--reason"),
        (("X", "--reason", "x"), "--for"),
    ],
)
def test_a_silence_without_end_or_reason_is_refused(invoke, config, arguments, complaint):
    """Each in its own words."""
    told = invoke("alerts", "silence", *arguments, "--config", config)
    assert told.code == 2
    assert complaint in " ".join(told.err.split())


def test_a_test_needs_a_daemon(invoke, config):
    """It travels through the running one."""
    told = invoke("alerts", "test", "--config", config)
    assert told.code == 2
    assert "no daemon answers" in told.err
    assert "understudy run" in told.err


def test_a_test_reports_what_arrived_and_how_long_it_took(invoke, tmp_path):
    """By the daemon's own notifiers."""
    with daemon(tmp_path) as config:
        told = invoke("alerts", "test", "--config", config)
        assert told.code == 0, told.err
        assert "ops" in told.out
        assert "taken" in told.out
        as_json = invoke("alerts", "test", "--config", config, "--format", "json")
        (delivery,) = json.loads(as_json.out)["deliveries"]
        assert (delivery["state"], delivery["result"], delivery["tries"]) == ("taken", "ok", 1)


def test_a_test_that_is_refused_ends_with_1(invoke, tmp_path):
    """With what the receiver has answered."""
    with daemon(tmp_path, status=403) as config:
        told = invoke("alerts", "test", "--config", config)
    assert told.code == 1
    assert "dead" in told.out
    assert "authError" in told.out


def test_a_test_that_is_not_taken_in_time_ends_with_1(invoke, tmp_path):
    """It goes on being tried."""
    with daemon(tmp_path, status=503) as config:
        # The daemon tells at its next turn, which a slow machine may not reach within a second.
        waits_s = iter((1, 5, 25, 125))
        while (
            told := invoke("alerts", "test", "--config", config, "--within", next(waits_s))
        ).code == 2:
            pass
    assert told.code == 1
    assert "waiting" in told.out


def test_a_daemon_that_tells_nobody_cannot_be_tested(invoke, tmp_path):
    """It says where to name somebody."""
    with daemon(tmp_path, notifiers={}) as config:
        told = invoke("alerts", "test", "--config", config)
    assert told.code == 2
    assert "no notifiers" in told.err
