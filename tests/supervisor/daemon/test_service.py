"""A daemon from its first step to its last, beside a small gateway."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from chaos.clock import SystemClock
from chaos.errors import UsageError
from supervisor.daemon.gateway import MARKS
from supervisor.daemon.service import home_of
from supervisor.log import configure
from supervisor.settings.model import Settings
from supervisor.store import daemon_lock
from supervisor.store.errors import StoreError
from supervisor.store.location import parse_url
from supervisor.store.records import Home
from supervisor.store.store import Store
from tests.fakes.daemons import site
from tests.fakes.gateway import FakeGateway
from tests.fakes.model_lists import Losing


async def test_it_proves_every_path_by_itself(tmp_path: Path):
    """With nothing but a gateway and a key: each path is drilled, judged and written down."""
    async with site(tmp_path) as here, here.daemon() as daemon:
        status = await daemon.drilled()
        assert status["states"] == {"proven": 3, "routed": 3}
        assert status["coverage_ratio"] == 1.0
        assert status["drills_today"] == {"passed": 6}
        assert status["problems"] == []
        coverage = await daemon.get("/api/v1/coverage")
        assert len(coverage["paths"]) == 6
        drills = (await daemon.get("/api/v1/drills"))["drills"]
        assert {drill["path"] for drill in drills} == {p["path"] for p in coverage["paths"]}


async def test_a_second_daemon_on_the_same_file_is_refused_and_learns_who_is_first(
    tmp_path: Path,
):
    """Before it has touched anything."""
    async with site(tmp_path) as here, here.daemon():
        with pytest.raises(StoreError, match=r"running daemon: 'spark-1' \(process \d+, since"):
            async with here.daemon():
                pass
    assert daemon_lock.holder(tmp_path / "understudy.db") is None


async def test_what_it_knew_it_knows_after_a_restart(tmp_path: Path):
    """And drills nothing again that is not due."""
    async with site(tmp_path) as here:
        async with here.daemon() as daemon:
            await daemon.drilled()
        asked = len(here.server.asked)
        async with here.daemon() as daemon:
            status = await daemon.until("/api/v1/status", lambda s: s["gateway_read_at"])
            assert status["states"] == {"proven": 3, "routed": 3}
            assert len((await daemon.get("/api/v1/drills"))["drills"]) == 6
        assert len(here.server.asked) == asked


class Hanging(FakeGateway):
    """Answers no drill, and says when one has come."""

    def __init__(self) -> None:
        super().__init__({})
        self.came = asyncio.Event()

    async def _handle(self, request):
        if request.method == "POST":  # An audit asks, too.
            self.came.set()
        await asyncio.Event().wait()


async def test_a_stop_ends_the_running_drill_and_writes_it_down_as_aborted(tmp_path: Path):
    """Through its own finally: no lease and no task is left, and nothing is waited for."""
    async with site(tmp_path) as here:
        hanging = Hanging()
        async with hanging.running() as url:
            here.gateway.url = url
            async with here.daemon() as daemon:
                await hanging.came.wait()
                running = (await daemon.get("/api/v1/status"))["running"]
                assert running is not None
        here.config["rehearse"]["enabled"] = False
        async with here.daemon() as daemon:
            (drill,) = (await daemon.get("/api/v1/drills"))["drills"]
            assert (drill["drill"]["id"], drill["drill"]["outcome"]) == (running["id"], "aborted")


async def test_a_halt_stops_the_running_drill_and_holds_after_a_restart(tmp_path: Path):
    """Until somebody resumes; then the path that was broken off is drilled again."""
    async with site(tmp_path) as here:
        hanging, right = Hanging(), here.gateway.url
        async with hanging.running() as url:
            here.gateway.url = url
            async with here.daemon() as daemon:
                await hanging.came.wait()
                headers = {
                    "Authorization": f"Bearer {(tmp_path / 'api-token').read_text().strip()}"
                }
                order = {"reason": "a deployment"}
                async with daemon.session.post(
                    f"{daemon.url}/api/v1/halt", json=order, headers=headers
                ) as response:
                    assert (await response.json())["reason"] == "a deployment"
                status = await daemon.until("/api/v1/status", lambda s: s["running"] is None)
                assert status["halt"]["reason"] == "a deployment"
        here.gateway.url = right
        asked = len(here.server.asked)
        async with here.daemon() as daemon:
            await daemon.until("/api/v1/status", lambda s: s["gateway_read_at"])
            assert len(here.server.asked) == asked
            async with daemon.session.delete(
                f"{daemon.url}/api/v1/halt", headers=headers
            ) as response:
                assert response.status == 204
            assert (await daemon.drilled())["halt"] is None


async def test_a_broken_reload_changes_nothing_and_says_so(tmp_path: Path):
    """State is kept by path, never by a configuration."""
    async with site(tmp_path) as here, here.daemon() as daemon:
        before = await daemon.drilled()
        here.config["rehearse"] = {"shapes": ["no such shape"]}
        daemon.service.reload()
        after = await daemon.get("/api/v1/status")
        assert "no such shape" in after["reload_refused"]
        assert after["states"] == before["states"]
        here.config["rehearse"] = {"shapes": ["chat"], "streaming": "whole", "faults": ["billing"]}
        daemon.service.reload()
        after = await daemon.until(
            "/api/v1/status", lambda s: sum(s["states"].values()) == 2 and not s["reload_refused"]
        )
        assert after["states"] == {"proven": 1, "routed": 1}


async def test_a_lost_fallback_is_seen_when_the_gateway_has_changed(tmp_path: Path):
    """A gateway that no longer falls back fails its paths, with the reason."""
    async with site(tmp_path) as here, here.daemon() as daemon:
        await daemon.drilled()
        here.server.falls_back = False
        here.gateway._topology = replace(here.gateway._topology, litellm_version="1.107.0")
        daemon.service.reload()
        status = await daemon.until("/api/v1/status", lambda s: s["states"].get("failed") == 6)
        failed = (await daemon.get("/api/v1/coverage?state=failed"))["paths"]
        assert {path["kind"] for path in failed} == {"never_tried"}
        assert status["coverage_ratio"] == 0.0


async def test_other_traffic_that_feels_a_drill_halts_the_daemon(tmp_path: Path):
    """Until a person has looked: nothing more is drilled."""
    async with site(tmp_path) as here:
        here.gateway._models = Losing(2)
        async with here.daemon() as daemon:
            status = await daemon.until("/api/v1/status", lambda s: s["halt"])
            assert "other traffic felt the drill" in status["halt"]["reason"]
            assert status["drills_today"] == {"failed": 1}


async def test_a_damaged_store_is_refused_at_the_start(tmp_path: Path):
    """Not written to, and not replaced: a person decides."""
    async with site(tmp_path) as here:
        async with here.daemon() as daemon:
            await daemon.drilled()
        file = tmp_path / "understudy.db"
        whole = file.read_bytes()
        file.write_bytes(whole[:4096] + b"\xa5" * 8192 + whole[4096 + 8192 :])
        damaged = file.read_bytes()
        with pytest.raises(StoreError, match="damaged"):
            async with here.daemon():
                pass
        assert file.read_bytes() == damaged


def test_a_daemon_needs_a_gateway():
    """And says how one is named."""
    with pytest.raises(UsageError, match="no gateway is named") as caught:
        home_of(Settings())
    assert "--gateway" in caught.value.remedy


async def test_its_log_has_one_line_for_each_drill(tmp_path: Path, capsys):
    """As JSON, where nobody sits at a terminal, with the ids to find them by."""
    configure()
    async with site(tmp_path) as here, here.daemon() as daemon:
        await daemon.drilled()
        ids = {d["drill"]["id"] for d in (await daemon.get("/api/v1/drills"))["drills"]}
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert {line["drill"] for line in lines if line["event"] == "drill.ended"} == ids
    assert [line["event"] for line in lines][-2:] == ["daemon.stopping", "daemon.stopped"]
    assert "sk-test" not in json.dumps(lines)


async def test_a_group_is_asked_as_its_own_clients_ask(tmp_path: Path):
    """Its profile is laid over the agent shape, and no other group's."""
    profile = tmp_path / "agent.yaml"
    profile.write_text("system: You are the clerk of group paid.\nparameters: {top_p: 0.5}\n")
    rehearse = {
        "shapes": ["agent"],
        "streaming": "whole",
        "faults": ["billing"],
        "groups": {"paid": {"profile": str(profile)}, "backup": {"enabled": False}},
    }
    async with site(tmp_path, rehearse=rehearse) as here, here.daemon() as daemon:
        await daemon.drilled()
        (first, *_) = here.server.asked
        assert first["top_p"] == 0.5
        assert first["messages"][0]["content"] == "You are the clerk of group paid."


async def test_a_file_halts_where_nothing_else_can(tmp_path: Path):
    """The running drill too; and its removal, or a resume, ends that."""
    async with site(tmp_path) as here:
        hanging, right = Hanging(), here.gateway.url
        async with hanging.running() as url:
            here.gateway.url = url
            async with here.daemon() as daemon:
                await hanging.came.wait()
                (tmp_path / "halt").write_text("by hand")
                status = await daemon.until("/api/v1/status", lambda s: s["drills_today"])
                assert status["halt"]["reason"] == "by hand"
                assert status["drills_today"] == {"aborted": 1}
        here.gateway.url = right
        async with here.daemon() as daemon:
            await daemon.until("/api/v1/status", lambda s: s["gateway_read_at"])
            assert here.server.asked == []
            (tmp_path / "halt").unlink()
            assert (await daemon.drilled())["halt"] is None


async def test_outside_its_windows_nothing_is_drilled(tmp_path: Path):
    """It is said why, and counted once; a window that opens lets everything go on."""
    never = {"windows": ["2026-01-01 00:00/2026-01-01 00:01"]}
    async with site(tmp_path, schedule=never) as here, here.daemon() as daemon:
        status = await daemon.until("/api/v1/status", lambda s: s["refused_today"] and s["closed"])
        assert status["closed"].startswith("outside every window: 2026-01-01 00:00")
        for _ in range(3):
            daemon.look()
            status = await daemon.get("/api/v1/status")
        (refused,) = status["refused_today"]
        assert (refused["kind"], refused["count"]) == ("closed", 1)
        assert here.server.asked == []
        here.config["schedule"] = {}
        daemon.service.reload()
        assert (await daemon.drilled())["closed"] is None


async def test_a_refused_drill_is_counted_and_is_no_drill(tmp_path: Path):
    """It leaves no row behind, and its path is looked at again later."""
    real = {"injector": "redirect", "real_keys": True}
    async with site(tmp_path, drills=real) as here, here.daemon() as daemon:
        status = await daemon.until("/api/v1/status", lambda s: s["refused_today"])
        status = await daemon.until("/api/v1/status", lambda s: s["next"]["path"] is None)
        (refused,) = status["refused_today"]
        assert (refused["kind"], refused["count"]) == ("over_budget", 3)
        assert "there is no price" in refused["reason"]
        assert status["states"] == {"never_proven": 3, "proven": 3}
        assert len((await daemon.get("/api/v1/drills"))["drills"]) == 3


async def test_an_engine_that_was_started_anew_has_its_paths_drilled_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """No answer of it names the parsers that it was started with."""
    marks = {"started": 1}

    async def mark_of(*_: object) -> str:
        return f"started {marks['started']}"

    monkeypatch.setattr("supervisor.daemon.gateway.mark_of", mark_of)
    engines = {"backup": "http://127.0.0.1:1"}
    async with site(tmp_path, engines=engines) as here:
        async with here.daemon() as daemon:
            before = await daemon.drilled()
            marks["started"] = 2
            daemon.service.reload()
            after = await daemon.until(
                "/api/v1/status",
                lambda s: sum(s["drills_today"].values()) > sum(before["drills_today"].values()),
            )
            assert after["states"] == before["states"]
        assert (await _kept_marks(tmp_path)) == {"backup": "started 2"}


async def _kept_marks(folder: Path) -> object:
    url = parse_url(str(folder / "understudy.db"))
    async with Store.opened(url, Home("spark-1", ""), SystemClock()) as store:
        return await store.recall(MARKS)
