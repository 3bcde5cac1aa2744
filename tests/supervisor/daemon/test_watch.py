"""A daemon watches: what it sees is confirmed, written, shown, and never lost by a restart."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chaos.lab.engine_flags import EngineFlags
from chaos.lab.simulated_engine import SimulatedEngine
from supervisor.probes.probe import PartKind
from supervisor.store.errors import StoreError
from tests.fakes.daemons import Daemon, Site, site
from tests.fakes.manual_clock import ManualClock

FAST = {"every": 1, "token_every": 1}


def simulated() -> SimulatedEngine:
    """Make an engine that serves what this gateway asks for."""
    return SimulatedEngine(EngineFlags(served_model_names=("backup",)))


async def engine_at(here: Site, engine: SimulatedEngine) -> None:
    """Put the local engine of the gateway where *engine* is."""
    here.config["engines"] = {"backup": engine.url}
    groups = dict(here.gateway._topology.groups)
    group = groups["backup"]
    moved = tuple(replace(one, base_url=engine.base_url, local=True) for one in group.deployments)
    groups["backup"] = replace(group, deployments=moved)
    here.gateway._topology = replace(here.gateway._topology, groups=groups)


def named(status: Any, part: str, name: str = "") -> Any:
    """Find a part in the answer of the API."""
    found = [one for one in status["parts"] if (one["part"], one["name"]) == (part, name)]
    return found[0] if found else None


async def stands(daemon: Daemon, part: str, name: str, state: str) -> Any:
    """Wait until a part stands so; gives what is said of it."""

    def so(status: Any) -> bool:
        one = named(status, part, name)
        return one is not None and one["state"] == state

    return named(await daemon.until("/api/v1/status", so), part, name)


async def test_gateway_host_and_engines_are_watched(tmp_path: Path):
    """With nothing but a gateway: it, its local engine and this machine, each with evidence."""
    async with simulated() as engine, site(tmp_path, watch=FAST) as here:
        await engine_at(here, engine)
        async with here.daemon() as daemon:
            assert (await stands(daemon, "gateway", "", "up"))["evidence"]
            assert (await stands(daemon, "engine", "backup", "up"))["evidence"]
            status = await daemon.get("/api/v1/status")
            assert named(status, "host") is not None


async def test_a_gateway_that_goes_away_is_down_and_comes_back(tmp_path: Path):
    """Two looks confirm each, and both changes are kept with their times."""
    async with site(tmp_path, watch=FAST) as here, here.daemon() as daemon:
        await stands(daemon, "gateway", "", "up")
        here.gateway.up = False
        down = await stands(daemon, "gateway", "", "down")
        assert down["reason"] == "connection refused"
        here.gateway.up = True
        await stands(daemon, "gateway", "", "up")
        changes = (await daemon.get("/api/v1/status"))["part_changes"]
        told = [(c["was"], c["state"]) for c in changes if c["part"] == "gateway"]
        assert told == [("down", "up"), ("up", "down"), ("unknown", "up")]


async def test_an_engine_that_lost_its_flags_has_drifted_until_it_is_proven(tmp_path: Path):
    """What it has become is what it should be once every path over it has passed anew."""
    async with simulated() as engine, site(tmp_path, watch=FAST) as here:
        await engine_at(here, engine)
        async with here.daemon() as daemon:
            await stands(daemon, "engine", "backup", "up")
            await daemon.drilled()
            engine._clock = ManualClock()  # Another second than that of its first start.
            await engine.restart(enable_auto_tool_choice=False, tool_call_parser=None)
            drifted = await stands(daemon, "engine", "backup", "drifted")
            assert "tool-call parser was there and is missing" in drifted["reason"]
            # Plain chat is all that this gateway's clients use, and it passes without the flags.
            await stands(daemon, "engine", "backup", "up")


async def test_drift_outlives_a_restart_of_the_daemon(tmp_path: Path):
    """The daemon that starts next compares with what the one before it has seen."""
    rehearse = {"enabled": False}
    async with simulated() as engine, site(tmp_path, watch=FAST, rehearse=rehearse) as here:
        await engine_at(here, engine)
        async with here.daemon() as daemon:
            await stands(daemon, "engine", "backup", "up")
        await engine.restart(version="0.33.0")
        async with here.daemon() as daemon:
            drifted = await stands(daemon, "engine", "backup", "drifted")
            assert drifted["reason"].startswith("its version was 0.32.0 and is 0.33.0")


async def test_a_restarted_engine_has_the_gateway_read_at_once(tmp_path: Path):
    """Its paths are rehearsed anew within seconds, not when the gateway is read next."""
    config = {"read_gateway_every": "1h", "name": "spark-1"}
    async with simulated() as engine, site(tmp_path, watch=FAST, daemon=config) as here:
        await engine_at(here, engine)
        async with here.daemon() as daemon:
            await stands(daemon, "engine", "backup", "up")
            await daemon.drilled()
            before = (await daemon.get("/api/v1/status"))["gateway_read_at"]
            await engine.restart(version="0.33.0")
            await daemon.until("/api/v1/status", lambda s: s["gateway_read_at"] > before)


async def test_a_heartbeat_is_taken_and_seen_at_once(tmp_path: Path):
    """By its own secret, and without waiting for the next look."""
    (tmp_path / "secret").write_text("s3cret")
    beat = {"period": "1h", "secret": {"file": str(tmp_path / "secret")}}
    async with (
        site(tmp_path, heartbeats={"backup": beat}) as here,
        here.daemon() as daemon,
    ):
        await stands(daemon, "heartbeat", "backup", "unknown")
        url = f"{daemon.url}/api/v1/heartbeats/backup?secret=s3cret"
        async with daemon.session.get(url) as answer:
            assert answer.status == 200
        await stands(daemon, "heartbeat", "backup", "up")
        (shown,) = (await daemon.get("/api/v1/heartbeats"))["heartbeats"]
        assert (shown["status"], shown["count"]) == ("on_time", 1)


async def test_a_reload_changes_what_is_watched(tmp_path: Path):
    """A heartbeat that is named from now on is waited for, and one that is not is forgotten."""
    async with (
        site(tmp_path, heartbeats={"old": {"period": "1h"}}) as here,
        here.daemon() as daemon,
    ):
        await stands(daemon, "heartbeat", "old", "unknown")
        here.config["heartbeats"] = {"new": {"period": "1h"}}
        daemon.service.reload()
        await stands(daemon, "heartbeat", "new", "unknown")
        status = await daemon.get("/api/v1/status")
        assert named(status, "heartbeat", "old") is None


async def test_a_store_that_is_away_loses_no_change(tmp_path: Path, monkeypatch):
    """What cannot be written waits, and is written in order when the store is back."""
    async with site(tmp_path, watch=FAST) as here, here.daemon() as daemon:
        await stands(daemon, "gateway", "", "up")
        assert daemon.service.watch is not None
        store = daemon.service.watch.store
        write = store.note_standing

        async def failing(*_):
            raise StoreError("the disk is full", remedy="Free some of it.")

        monkeypatch.setattr(store, "note_standing", failing)
        here.gateway.up = False
        await stands(daemon, "gateway", "", "down")
        monkeypatch.setattr(store, "note_standing", write)
        here.gateway.up = True
        await stands(daemon, "gateway", "", "up")
        told = [
            (c.was, c.state) for c in await store.part_changes() if c.part.kind is PartKind.GATEWAY
        ]
        assert told == [("down", "up"), ("up", "down"), ("unknown", "up")]


@pytest.mark.parametrize("enabled", [True, False])
async def test_nothing_is_looked_at_where_that_is_not_wanted(tmp_path: Path, *, enabled: bool):
    """Without the watch no part is listed, and drills go on."""
    async with site(tmp_path, watch={"enabled": enabled}) as here, here.daemon() as daemon:
        status = await daemon.drilled()
        assert bool(status["parts"]) == enabled
