"""A daemon that tells: what breaks is told once, and so is that it is well again."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from chaos.errors import GatewayError, UsageError
from supervisor.store.alerts.records import Phase
from tests.fakes.daemons import Daemon, Site, site
from tests.fakes.gateway import FakeGateway
from tests.fakes.server import serving
from tests.patience import until

FAST = {"every": 1, "token_every": 1}


@dataclass
class Hook:
    """A receiver of webhooks.

    Attributes:
        got: Every alert that came: (alertname, firing, id of the delivery).
        status: What it answers.
    """

    got: list[tuple[str, bool, str]] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.bodies.append(body)
        if self.status == 200:
            (alert,) = body["alerts"]
            name = alert["labels"]["alertname"]
            identity = request.headers["X-Understudy-Delivery"]
            self.got.append((name, alert["status"] == "firing", identity))
        return web.Response(status=self.status)

    def about(self, name: str) -> list[bool]:
        """What came of one alert: whether it fired, in order."""
        return [firing for alertname, firing, _ in self.got if alertname == name]


@asynccontextmanager
async def hooked(folder: Path, **sections: Any):
    """A gateway, a receiver, and the configuration of a daemon between them."""
    hook = Hook()
    async with serving(hook.handle) as url:
        notifiers = {"ops": {"webhook": {"url": f"{url}/hook"}}}
        async with site(folder, notifiers=notifiers, **sections) as here:
            yield hook, here


async def alerts(daemon: Daemon) -> set[str]:
    """The names of what fires."""
    known = await daemon.get("/api/v1/alerts")
    return {one["alertname"] for one in known["alerts"] if one["phase"] == "firing"}


async def test_a_gateway_that_goes_away_is_told_once_and_so_is_its_return(tmp_path: Path):
    """With what it said; the alert that always fires comes too."""
    async with hooked(tmp_path, watch=FAST) as (hook, here), here.daemon() as daemon:
        await until(lambda: hook.about("Watchdog"))
        here.gateway.up = False
        await until(lambda: hook.about("GatewayDown"))
        assert await alerts(daemon) == {"Watchdog", "GatewayDown"}
        here.gateway.up = True
        await until(lambda: len(hook.about("GatewayDown")) == 2)
    assert hook.about("GatewayDown") == [True, False]
    assert len({identity for _, _, identity in hook.got}) == len(hook.got)


async def test_a_broken_fallback_is_told_with_the_drill_that_saw_it(tmp_path: Path):
    """Two drills have seen it; once it passes again, that is told by itself."""
    server = FakeGateway({})
    async with hooked(tmp_path, server=server) as (hook, here), here.daemon() as daemon:
        await daemon.drilled()
        assert hook.about("FallbackBroken") == []
        server.falls_back = False
        await due_now(here, daemon)
        await until(lambda: True in hook.about("FallbackBroken"))
        body = next(b for b in hook.bodies if b["groupLabels"] == {"alertname": "FallbackBroken"})
        (alert,) = body["alerts"]
        drill = alert["annotations"]["drill"]
        assert (await daemon.get(f"/api/v1/drills/{drill}"))["drill"]["outcome"] == "failed"
        assert alert["generatorURL"].endswith(f"/drills/{drill}")
        server.falls_back = True
        await due_now(here, daemon)
        await until(lambda: set(labels_of(hook, firing=True)) == set(labels_of(hook, firing=False)))


def labels_of(hook: Hook, *, firing: bool):
    """Group and hop of each FallbackBroken that came."""
    for body in hook.bodies:
        (alert,) = body["alerts"]
        if alert["labels"]["alertname"] != "FallbackBroken":
            continue
        if (alert["status"] == "firing") == firing:
            yield alert["labels"]["group"], alert["labels"]["hop"]


async def due_now(here: Site, daemon: Daemon) -> None:
    """Have every path drilled with every fault, at once, as after a change of the gateway."""
    known = here.gateway._topology
    here.gateway._topology = replace(known, litellm_version=f"{known.litellm_version}.1")
    assert daemon.service.worker is not None
    daemon.service.worker.read_anew()


async def test_what_healed_while_the_daemon_was_dead_gets_its_one_resolve(tmp_path: Path):
    """The next daemon judges what fires anew, and tells it once."""
    async with hooked(tmp_path, watch=FAST) as (hook, here):
        async with here.daemon():
            here.gateway.up = False
            await until(lambda: hook.about("GatewayDown"))
        here.gateway.up = True
        async with here.daemon():
            await until(lambda: len(hook.about("GatewayDown")) == 2)
        async with here.daemon():
            await until(lambda: len(hook.about("Watchdog")) >= 1)
    assert hook.about("GatewayDown") == [True, False]


async def test_what_still_holds_after_a_restart_is_not_told_again(tmp_path: Path):
    """Nor resolved before it was looked at."""
    async with hooked(tmp_path, watch=FAST) as (hook, here):
        here.gateway.up = False
        async with here.daemon():
            await until(lambda: hook.about("GatewayDown"))
        async with here.daemon() as daemon:

            def looked(status: Any) -> bool:
                return any(one["part"] == "gateway" and one["at"] for one in status["parts"])

            await daemon.until("/api/v1/status", looked)
            assert daemon.service.alerting is not None
            daemon.service.alerting.look()
            await asyncio.sleep(0)
            assert "GatewayDown" in await alerts(daemon)
    assert hook.about("GatewayDown") == [True]


async def test_an_engine_that_is_still_down_after_a_restart_is_not_resolved_before_it_is_known(
    tmp_path: Path,
):
    """The engines are the gateway's to name: until it was read, what fires stays as it is."""
    idle = {"enabled": False}
    async with hooked(tmp_path, watch=FAST, rehearse=idle) as (hook, here):
        groups = dict(here.gateway._topology.groups)
        dead = replace(
            groups["backup"].deployments[0], base_url="http://127.0.0.1:9/v1", local=True
        )
        groups["backup"] = replace(groups["backup"], deployments=(dead,))
        here.gateway._topology = replace(here.gateway._topology, groups=groups)
        async with here.daemon():
            await until(lambda: hook.about("EngineDown"))
        # The gateway cannot be read any more, and still answers those who watch it.
        here.gateway.topology = refusing
        async with here.daemon() as daemon:
            await daemon.until("/api/v1/status", lambda s: s["problems"] and s["parts"])
            assert daemon.service.alerting is not None
            await daemon.service.alerting._evaluate()
            known = await daemon.get("/api/v1/alerts")
            assert "EngineDown" in {one["alertname"] for one in known["alerts"]}
    assert hook.about("EngineDown") == [True]


async def refusing():
    """A gateway that does not say what it has."""
    raise GatewayError("status 500", remedy="Look at its log.")


async def test_twenty_reloads_keep_what_is_pending(tmp_path: Path):
    """It fires at its time, once."""
    slow = {"rules": {"GatewayDown": {"for": "3s"}}}
    async with (
        hooked(tmp_path, watch=FAST, alerts=slow) as (hook, here),
        here.daemon() as daemon,
    ):
        here.gateway.up = False
        pending = await daemon.until("/api/v1/alerts", pending_of)
        began = pending_of(pending)[0]["starts_at"]
        for _ in range(20):
            daemon.service.reload()
            await asyncio.sleep(0.01)
        await until(lambda: hook.about("GatewayDown"))
        known = await daemon.get("/api/v1/alerts")
        (fired,) = [one for one in known["alerts"] if one["alertname"] == "GatewayDown"]
        assert fired["starts_at"] == began
    assert hook.about("GatewayDown") == [True]


def pending_of(known: Any) -> list[Any]:
    """What of the gateway is pending."""
    return [
        one
        for one in known["alerts"]
        if one["alertname"] == "GatewayDown" and one["phase"] == Phase.PENDING
    ]


async def test_a_test_travels_as_a_real_alert_does(tmp_path: Path):
    """Through the same table and worker, and what became of it can be read."""
    async with hooked(tmp_path) as (hook, here), here.daemon() as daemon:
        token = (tmp_path / "api-token").read_text().strip()
        async with daemon.session.post(
            f"{daemon.url}/api/v1/alerts/test", headers={"Authorization": f"Bearer {token}"}
        ) as answer:
            test = (await answer.json())["test"]

        def taken(known: Any) -> bool:
            own = [one for one in known["told"] if one["labels"].get("test") == test]
            return bool(own) and own[0]["deliveries"][0]["state"] == "taken"

        known = await daemon.until("/api/v1/alerts", taken)
        (told,) = [one for one in known["told"] if one["labels"].get("test") == test]
        assert told["deliveries"][0]["took_s"] >= 0
        assert told["id"] in {identity for _, _, identity in hook.got}


async def test_a_receiver_that_refuses_is_a_dead_letter_and_an_alert(tmp_path: Path):
    """NotifierBroken goes through the others."""
    good = Hook()
    async with hooked(tmp_path) as (hook, here), serving(good.handle) as url:
        here.config["notifiers"]["good"] = {"webhook": {"url": f"{url}/hook"}}
        hook.status = 403
        async with here.daemon() as daemon:
            await until(lambda: good.about("NotifierBroken"))
            known = await daemon.get("/api/v1/alerts")
            (ops,) = [one for one in known["notifiers"] if one["name"] == "ops"]
            assert (ops["last_result"], ops["dead"] > 0) == ("authError", True)
            page = await (await daemon.session.get(f"{daemon.url}/metrics")).text()
            (line,) = [
                line
                for line in page.splitlines()
                if 'notifications_total{notifier="ops",result="authError"}' in line
            ]
            assert float(line.split()[-1]) > 0
            assert 'alerts_firing{alertname="NotifierBroken",severity="ticket"} 1.0' in page


async def test_a_reload_that_names_a_new_notifier_tells_it_what_fires_from_then_on(
    tmp_path: Path,
):
    """And gives up what waits for one that is gone."""
    late = Hook()
    async with hooked(tmp_path, watch=FAST) as (hook, here), serving(late.handle) as url:
        hook.status = 503
        async with here.daemon() as daemon:
            await until(lambda: hook.bodies)
            here.config["notifiers"] = {"late": {"webhook": {"url": f"{url}/hook"}}}
            daemon.service.reload()
            here.gateway.up = False
            await until(lambda: late.about("GatewayDown"))
            known = await daemon.get("/api/v1/alerts")
            (ops,) = [one for one in known["notifiers"] if one["name"] == "ops"]
            assert (ops["waiting"], ops["dead"] > 0) == (0, True)


async def test_a_silence_keeps_an_alert_from_people(tmp_path: Path):
    """It fires, is kept, and goes to nobody."""
    async with hooked(tmp_path, watch=FAST) as (hook, here), here.daemon() as daemon:
        await until(lambda: hook.about("Watchdog"))
        service = daemon.service
        assert service.alerting is not None
        token = (tmp_path / "api-token").read_text().strip()
        order = {"matchers": {"alertname": "GatewayDown"}, "reason": "lunch", "for_s": 3600}
        async with daemon.session.post(
            f"{daemon.url}/api/v1/silences",
            json=order,
            headers={"Authorization": f"Bearer {token}"},
        ) as answer:
            assert answer.status == 201
        here.gateway.up = False
        known = await daemon.until(
            "/api/v1/alerts",
            lambda known: [o for o in known["told"] if o["alertname"] == "GatewayDown"],
        )
        (told,) = [one for one in known["told"] if one["alertname"] == "GatewayDown"]
        assert (told["silence"], told["deliveries"]) == ("lunch", [])
    assert hook.about("GatewayDown") == []


@pytest.mark.parametrize("name", ["env", "file"])
async def test_a_secret_that_is_not_there_is_missed_at_the_start(tmp_path: Path, name: str):
    """Not in the night in which somebody should be told."""
    place = {name: "UNDERSTUDY_NO_SUCH" if name == "env" else str(tmp_path / "nowhere")}
    notifiers = {"ops": {"webhook": {"url": place}}}
    async with site(tmp_path, notifiers=notifiers) as here:
        with pytest.raises(UsageError, match=r"UNDERSTUDY_NO_SUCH|nowhere"):
            async with here.daemon():
                pass


async def test_a_receiver_that_forgets_is_reminded_only_of_what_it_gets(tmp_path: Path):
    """Neither of what others get, nor of the alert that always fires, if it does not want it."""
    only = {"alertmanager": {"url": "http://127.0.0.1:9"}, "only": ["FallbackBroken"]}
    async with hooked(tmp_path, watch=FAST) as (hook, here):
        here.config["notifiers"]["am"] = {**only, "watchdog": False}
        async with here.daemon() as daemon:
            here.gateway.up = False
            await until(lambda: hook.about("GatewayDown"))
            alerting = daemon.service.alerting
            assert alerting is not None
            assert {one.alertname for one in alerting._firing("ops")} == {
                "Watchdog",
                "GatewayDown",
            }
            assert alerting._firing("am") == ()
            assert alerting._firing("nobody") == ()


@pytest.mark.parametrize("at", ["start", "reload"])
async def test_a_notifier_that_cannot_be_built_is_refused(tmp_path: Path, monkeypatch, at: str):
    """At the start, or with the reload that brings it: not in the night in which it is needed."""
    monkeypatch.setenv("BAD", "no-such-channel://x")
    async with hooked(tmp_path) as (_, here):
        bad = {"apprise": {"url": {"env": "BAD"}}}
        if at == "start":
            here.config["notifiers"]["phone"] = bad
            with pytest.raises(UsageError, match=r"notifiers\.phone"):
                async with here.daemon():
                    pass
            return
        async with here.daemon() as daemon:
            here.config["notifiers"]["phone"] = bad
            daemon.service.reload()
            status = await daemon.get("/api/v1/status")
            assert "notifiers.phone" in status["reload_refused"]


async def test_a_store_that_was_away_for_a_moment_stops_no_alert(tmp_path: Path):
    """Whoever else has noted that, what can be read is judged, and what can be written is told."""
    async with hooked(tmp_path, watch=FAST) as (hook, here), here.daemon() as daemon:
        await until(lambda: hook.about("Watchdog"))
        board = daemon.service.board
        assert board is not None
        board.note(store_trouble="the disk was full for a moment")
        here.gateway.up = False
        await until(lambda: hook.about("GatewayDown"))
