"""Drills that are handed to a running daemon."""

import asyncio
from pathlib import Path

import pytest
from rich.console import Console

from chaos import rehearsal
from chaos.errors import UsageError
from chaos.judge.verdict import Outcome
from chaos.process.ports import free_port
from supervisor.cli import handover
from supervisor.cli.handover import _same, daemon_of, drilled_there, session
from supervisor.cli.knowledge import DaemonError
from supervisor.cli.progress import LiveDrills
from supervisor.stop import Stop
from supervisor.web.drill_order import DrillOrder
from tests.fakes.daemons import site
from tests.patience import PATIENCE_S
from tests.supervisor.daemon.test_service import Hanging

CHAT = DrillOrder(shapes=("chat",), stream=False, faults=("billing",))


@pytest.fixture
async def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A gateway with six paths, and where the API of its daemons will be."""
    monkeypatch.setenv("TEST_KEY", "sk-test")
    address = f"127.0.0.1:{free_port()}"
    async with site(tmp_path, web={"listen": [address]}) as made:
        yield made


def live():
    """Show nothing."""
    return LiveDrills(Console(quiet=True))


async def test_the_report_is_that_of_drills_here(here):
    """Rows, summary and gateway; and the daemon remembers them."""
    async with here.daemon() as daemon, session() as opened:
        await daemon.drilled()
        api = await daemon_of(opened, here.load())
        assert api is not None
        states = []
        report, stopped = await drilled_there(
            api, CHAT, Stop(), live(), grew=lambda make: states.append(make())
        )
        assert not stopped
        assert [(len(one.drills), one.summary.not_started) for one in states] == [(1, 1), (2, 0)]
        assert all((one.gateway, one.seed) == (report.gateway, report.seed) for one in states)
        assert states[-1].summary.requests == report.summary.requests
        assert [row.outcome for row in report.drills] == [Outcome.PASSED] * 2
        assert (report.summary.passed, report.gateway.litellm_version) == (2, "1.106.2")
        assert report.seed is not None
        kept = {d["drill"]["id"] for d in (await daemon.get("/api/v1/drills"))["drills"]}
        assert {row.id for row in report.drills} <= kept


async def test_a_daemon_of_another_gateway_is_none(here):
    """Nor is one that does not run."""
    async with session() as opened:
        assert await daemon_of(opened, here.load()) is None
        async with here.daemon():
            here.config["gateway"]["url"] = "http://elsewhere:4000"
            assert await daemon_of(opened, here.load()) is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://localhost:4000", "http://127.0.0.1:4000", True),
        ("http://127.0.0.1:4000/", "http://127.0.0.1:4000", True),
        ("http://gateway:4000/llm", "http://gateway:4000/llm/", True),
        ("http://localhost:4000", "http://127.0.0.1:4001", False),
        ("http://gateway:4000", "https://gateway:4000", False),
        ("http://127.0.0.1:4000", "", False),
    ],
)
def test_a_gateway_is_known_by_either_name_of_this_machine(one, other, same):
    """Else its witness would want the port that the daemon's has."""
    assert _same(one, other) is same


async def test_what_is_waited_for_is_said(here, monkeypatch):
    """A drill beside a hanging provider takes minutes, and looks like a command that hangs."""
    monkeypatch.setattr(handover, "PATIENT_S", 0.05)
    hanging, stop, said = Hanging(), Stop(), []
    async with hanging.running() as url:
        here.gateway.url = url
        here.config["gateway"]["url"] = url
        async with here.daemon() as daemon, session() as opened:
            await hanging.came.wait()
            running = (await daemon.get("/api/v1/status"))["running"]["scenario"]
            api = await daemon_of(opened, here.load())
            assert api is not None

            def say(line: str) -> None:
                said.append(line)
                stop.event.set()

            async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
                waiting = tasks.create_task(drilled_there(api, CHAT, stop, live(), say))
                await stop.event.wait()
                waiting.cancel()
    assert said == [f"waiting for the daemon's drill in progress: {running}"]


async def test_how_long_a_campaign_will_take_is_said_here_too(here, monkeypatch):
    """What the daemon says of these drills comes to the terminal, not only into its log."""
    monkeypatch.setattr(rehearsal, "FROM", 1)
    said: list[str] = []
    async with here.daemon() as daemon, session() as opened:
        await daemon.drilled()
        api = await daemon_of(opened, here.load())
        assert api is not None
        await drilled_there(api, CHAT, Stop(), live(), said.append)
    (line,) = [line for line in said if "drills, about" in line]
    assert line.startswith("2 drills, about 1 min at this gateway's")


async def test_a_stop_breaks_the_campaign_off(here):
    """What has ended by then is reported."""
    here.config["rehearse"]["enabled"] = False
    hanging, stop = Hanging(), Stop()
    async with hanging.running() as url:
        here.gateway.url = url
        here.config["gateway"]["url"] = url
        async with here.daemon() as daemon, session() as opened:
            await daemon.until("/api/v1/status", lambda s: s["gateway_read_at"])
            api = await daemon_of(opened, here.load())
            assert api is not None

            async def stop_soon() -> None:
                await hanging.came.wait()
                stop.event.set()

            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(stop_soon())
                report, stopped = await drilled_there(api, CHAT, stop, live())
            assert stopped
            assert report.summary.passed == 0


async def test_what_the_daemon_refuses_is_said(here):
    """In its words."""
    async with here.daemon() as daemon, session() as opened:
        await daemon.drilled()
        api = await daemon_of(opened, here.load())
        assert api is not None
        with pytest.raises(DaemonError, match="'nobody' is not a model group"):
            await drilled_there(api, DrillOrder(groups=("nobody",)), Stop(), live())


async def test_what_fails_in_the_daemon_is_said(here, monkeypatch):
    """A campaign that cannot be opened, say."""

    async def broken(*_: object) -> None:
        raise UsageError("the twin does not start", remedy="Look at its log.")

    async with here.daemon() as daemon, session() as opened:
        await daemon.drilled()
        monkeypatch.setattr("supervisor.daemon.campaigns.Campaigns._run", broken)
        api = await daemon_of(opened, here.load())
        assert api is not None
        with pytest.raises(ExceptionGroup) as caught:
            await drilled_there(api, CHAT, Stop(), live())
        assert caught.group_contains(UsageError, match="the twin does not start")
