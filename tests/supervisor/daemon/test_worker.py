"""One turn after the other: what goes wrong, and what is written down all the same."""

import json
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from chaos.errors import GatewayError, UsageError
from supervisor.coverage.ledger import next_fault
from supervisor.daemon import recorder
from supervisor.daemon import worker as module
from supervisor.store.errors import StoreError
from supervisor.store.store import Store
from tests.fakes.daemons import site


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once what could not be written."""
    monkeypatch.setattr(recorder, "FIRST_WAIT_S", 0.01)
    monkeypatch.setattr(recorder, "LONGEST_WAIT_S", 0.02)


async def test_a_full_disk_loses_no_drill_and_stops_the_drilling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The drill that has ended waits for room; it is said on the API, and goes on by itself."""
    full = StoreError("the disk is full", remedy="Free space.")
    add, tries, room = Store.add_drill, [], False

    async def add_drill(store, entry):
        tries.append(entry.row.id)
        if not room:
            raise full
        return await add(store, entry)

    monkeypatch.setattr(Store, "add_drill", add_drill)
    async with site(tmp_path) as here, here.daemon() as daemon:
        status = await daemon.until(
            "/api/v1/status", lambda s: len(tries) > 3 and "the disk is full" in s["problems"]
        )
        asked = len(here.server.asked)
        assert len(set(tries)) == 1
        room = True
        status = await daemon.drilled()
        assert status["problems"] == []
        drills = (await daemon.get("/api/v1/drills"))["drills"]
        assert len(drills) == 6
        assert drills[-1]["drill"]["id"] == tries[0]
        assert len(here.server.asked) > asked


async def test_a_gateway_that_is_down_at_the_start_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """It is said, and drilled as soon as it answers."""
    async with site(tmp_path) as here:
        right = here.gateway.topology

        async def down():
            raise GatewayError("nothing listens there", remedy="Start it.")

        monkeypatch.setattr(here.gateway, "topology", down)
        async with here.daemon() as daemon:
            await daemon.until(
                "/api/v1/status",
                lambda s: s["problems"] == ["nothing listens there"],
            )
            monkeypatch.setattr(here.gateway, "topology", right)
            assert (await daemon.drilled())["problems"] == []


async def test_a_path_that_cannot_be_evaluated_is_put_off_and_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    """The others are drilled, and there is no crash loop."""
    real, raised = next_fault, []

    def broken(record, *rest):
        if record.path.hop == "none":
            raised.append(record.path)
            raise ZeroDivisionError
        return real(record, *rest)

    monkeypatch.setattr(module, "next_fault", broken)
    async with site(tmp_path) as here, here.daemon() as daemon:
        status = await daemon.until(
            "/api/v1/status", lambda s: s["next"]["path"] is None and len(raised) == 3
        )
        assert status["states"] == {"routed": 3, "never_proven": 3}
        for _ in range(5):
            daemon.look()
            await daemon.get("/api/v1/status")
        assert len(raised) == 3
    assert "path.broken" in capsys.readouterr().out


async def test_what_is_accepted_in_the_settings_is_no_failure(tmp_path: Path):
    """Until its day; the path says so."""
    accept = [
        {
            "scenario": "paid/*",
            "until": "2999-12-31",
            "reason": "being fixed",
            "kinds": ["never_tried"],
        }
    ]
    async with site(tmp_path, accept=accept) as here:
        here.server.falls_back = False
        async with here.daemon() as daemon:
            status = await daemon.drilled()
            assert status["states"] == {"accepted": 6}
            (first, *_) = (await daemon.get("/api/v1/coverage?state=accepted"))["paths"]
            verdict = next(v for v in first["verdicts"] if v["outcome"])
            assert verdict["accepted_until"].startswith("3000-01-01T00:00:00")
            assert verdict["known_gap"] == "accepted until 2999-12-31: being fixed"


@pytest.mark.parametrize(
    "url", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)
async def test_a_database_that_is_lost_is_waited_for(tmp_path: Path, url, server):
    """It is said, nothing is drilled meanwhile, and nothing is lost when it is back."""
    store = {"url": url.render_as_string(hide_password=False)}
    async with site(tmp_path, store=store) as here, here.daemon() as daemon:
        await daemon.drilled()
        server.close(url, closed=True)
        here.gateway._topology = replace(here.gateway._topology, litellm_version="1.107.0")
        status = await daemon.until("/api/v1/status", lambda s: s["problems"])
        assert status["states"] == {"proven": 3, "routed": 3}
        asked = len(here.server.asked)
        for _ in range(5):
            daemon.look()
            await daemon.get("/api/v1/status")
        assert len(here.server.asked) == asked
        server.close(url, closed=False)
        status = await daemon.until("/api/v1/status", lambda s: not s["problems"])
        assert (await daemon.drilled())["drills_today"]["passed"] >= 6
        assert "none@" not in json.dumps(status)


async def test_a_defect_ends_no_daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    """It is said on the API and once in the log, and everything goes on when it is gone."""
    async with site(tmp_path) as here:
        right, tried = here.gateway.topology, []

        async def broken():
            tried.append(1)
            raise ZeroDivisionError

        monkeypatch.setattr(here.gateway, "topology", broken)
        async with here.daemon() as daemon:
            await daemon.until(
                "/api/v1/status", lambda s: s["problems"] == ["ZeroDivisionError, see the log"]
            )
            await daemon.until("/api/v1/status", lambda _: len(tried) > 3)
            monkeypatch.setattr(here.gateway, "topology", right)
            assert (await daemon.drilled())["problems"] == []
    assert capsys.readouterr().out.count("look.broken") == 1


async def test_a_key_that_vanishes_ends_no_daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """It waits for one that comes back."""
    async with site(tmp_path) as here:
        missing: list[int] = []

        @asynccontextmanager
        async def connect(settings):
            if missing:
                raise UsageError("the key is not set", remedy="Set it.")
            async with here.connect(settings) as gateway:
                yield gateway

        async with here.daemon() as daemon:
            await daemon.drilled()
            missing.append(1)
            assert daemon.service.worker is not None
            daemon.service.worker.connect = connect
            daemon.service.reload()
            await daemon.until("/api/v1/status", lambda s: s["problems"] == ["the key is not set"])
            missing.clear()
            await daemon.until("/api/v1/status", lambda s: s["problems"] == [])
