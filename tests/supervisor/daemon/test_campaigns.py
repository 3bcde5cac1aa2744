"""Campaigns that somebody asked for, in a daemon beside a small gateway."""

import asyncio
import json
from pathlib import Path

import pytest

from chaos.scenario.expand import Profile
from supervisor.daemon.campaigns import MOST_WAITING, ordered
from supervisor.settings.model import Settings
from supervisor.web.drill_order import DrillOrder
from tests.fakes.daemons import Daemon, site
from tests.supervisor.daemon.test_service import Hanging

CHAT = {"shapes": ["chat"], "stream": False, "faults": ["billing"], "depth": 1}


async def begin(daemon: Daemon, folder: Path, order=CHAT, status=202):
    """Ask for a campaign."""
    token = (folder / "api-token").read_text().strip()
    async with daemon.session.post(
        f"{daemon.url}/api/v1/drills", json=order, headers={"Authorization": f"Bearer {token}"}
    ) as response:
        answer = await response.json()
        assert response.status == status, answer
        return answer


async def events(daemon: Daemon, campaign: str):
    """Read the events of a campaign to its end."""
    found = []
    async with daemon.session.get(f"{daemon.url}/api/v1/events?campaign={campaign}") as response:
        name = ""
        async for raw in response.content:
            field, _, value = raw.decode().strip().partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                found.append((name, json.loads(value)))
                if name in ("campaign.ended", "campaign.failed"):
                    return found
    raise AssertionError(found)


async def test_a_campaign_is_drilled_written_and_told(tmp_path: Path):
    """Its rows are those of the report, and in the store under its id."""
    async with site(tmp_path) as here, here.daemon() as daemon:
        await daemon.drilled()
        started = await begin(daemon, tmp_path)
        told = await events(daemon, started["id"])
        assert [name for name, _ in told] == [
            "campaign.planned",
            "drill.started",
            "drill.ended",
            "campaign.ended",
        ]
        (drill,) = (await daemon.get(f"/api/v1/drills?campaign={started['id']}"))["drills"]
        assert drill["drill"] == told[2][1]["drill"]
        assert told[3][1]["summary"]["passed"] == 1
        assert told[3][1]["summary"]["routed"] == 1
        assert not told[3][1]["stopped"]
        assert isinstance(told[3][1]["seed"], int)


async def test_a_campaign_counts_for_the_ledger(tmp_path: Path):
    """A failure that it finds is a failure of the path."""
    async with site(tmp_path) as here, here.daemon() as daemon:
        await daemon.drilled()
        here.server.falls_back = False
        await events(daemon, (await begin(daemon, tmp_path))["id"])
        status = await daemon.get("/api/v1/status")
        assert status["states"]["failed"] >= 1


async def test_an_engine_of_no_group_in_the_settings_is_warned_of(tmp_path: Path, capsys):
    """The daemon has other work to do."""
    async with site(tmp_path) as here:
        here.config["engines"] = {"bakcup": "http://127.0.0.1:1"}
        async with here.daemon() as daemon:
            await daemon.drilled()
    said = capsys.readouterr().out
    assert "engine.unknown" in said
    assert "did you mean 'backup'?" in said


async def test_an_engine_of_no_group_is_refused_with_the_order(tmp_path: Path):
    """The daemon's own settings are only warned of: it has other work to do."""
    async with site(tmp_path) as here, here.daemon() as daemon:
        await daemon.drilled()
        order = {**CHAT, "engines": {"no-such-group": "http://127.0.0.1:1"}}
        answer = await begin(daemon, tmp_path, order, status=422)
        assert "no-such-group" in json.dumps(answer)


async def test_a_campaign_can_be_broken_off(tmp_path: Path):
    """Its running drill ends as aborted, and the campaign says that it was stopped."""
    async with site(tmp_path, rehearse={"enabled": False}) as here:
        hanging = Hanging()
        async with hanging.running() as url:
            here.gateway.url = url
            async with here.daemon() as daemon:
                await daemon.until("/api/v1/status", lambda s: s["gateway_read_at"])
                started = await begin(daemon, tmp_path, {**CHAT, "depth": None})
                await hanging.came.wait()
                token = (tmp_path / "api-token").read_text().strip()
                async with daemon.session.delete(
                    f"{daemon.url}/api/v1/drills/{started['id']}",
                    headers={"Authorization": f"Bearer {token}"},
                ) as response:
                    assert response.status == 204
                told = await events(daemon, started["id"])
                name, last = told[-1]
                assert (name, last["stopped"]) == ("campaign.ended", True)
                assert last["summary"]["aborted"] <= 1
                assert last["summary"]["passed"] == 0


@pytest.mark.parametrize(
    ("order", "status", "why"),
    [
        ({"groups": ["nobody"]}, 422, "'nobody' is not a model group"),
        ({**CHAT, "depth": 9}, 422, "there is nothing to drill"),
        (
            {**CHAT, "real_keys": True, "engines": {"backup": "http://127.0.0.1:9"}},
            422,
            "cannot use real keys",
        ),
    ],
)
async def test_what_cannot_be_drilled_is_refused_at_once(tmp_path: Path, order, status, why):
    """Before anything is in line."""
    async with site(tmp_path) as here, here.daemon() as daemon:
        await daemon.drilled()
        assert why in (await begin(daemon, tmp_path, order, status))["why"]


async def test_a_halted_daemon_takes_no_campaign(tmp_path: Path):
    """It says why."""
    async with site(tmp_path) as here:
        (tmp_path / "halt").write_text("lunch")
        async with here.daemon() as daemon:
            await daemon.until("/api/v1/status", lambda s: s["refused_today"])
            assert "halted: lunch" in (await begin(daemon, tmp_path, CHAT, 409))["why"]


async def test_the_line_is_bounded(tmp_path: Path):
    """Who asks too often is told to wait."""
    async with site(tmp_path, rehearse={"enabled": False}) as here:
        hanging = Hanging()
        async with hanging.running() as url:
            here.gateway.url = url
            async with here.daemon() as daemon:
                await daemon.until("/api/v1/status", lambda s: s["gateway_read_at"])
                await begin(daemon, tmp_path)
                await hanging.came.wait()
                for _ in range(MOST_WAITING):
                    await begin(daemon, tmp_path)
                answer = await begin(daemon, tmp_path, CHAT, 409)
                assert f"{MOST_WAITING} campaigns wait already" in answer["why"]
        await asyncio.sleep(0)


async def test_an_order_by_another_configuration_is_refused(tmp_path: Path):
    """It would be judged by the daemon's, and a pass would mean something else."""
    async with site(tmp_path) as here, here.daemon() as daemon:
        await daemon.drilled()
        same = {"drills.first_token_s": 30.0, "expect": []}
        await begin(daemon, tmp_path, CHAT | {"configured": same})
        closed = [{"scenario": "*", "outcome": "refused", "reason": "policy"}]
        other = {"drills.first_token_s": 1.0, "expect": closed}
        answer = await begin(daemon, tmp_path, CHAT | {"configured": other}, 409)
        assert answer["why"] == (
            "the daemon drills by another configuration: drills.first_token_s is 30.0 there and "
            "1.0 here, expect says something else there"
        )
        assert "reload" in answer["remedy"]


def test_an_order_is_laid_over_the_settings():
    """And leaves the rest as it is."""
    settings = Settings.model_validate({"engines": {"gemma": "http://g"}})
    order = DrillOrder(deadline_s=5, engines={"qwen": "http://q"}, profile=Profile.FULL)
    made = ordered(settings, order)
    assert (made.drills.deadline_s, made.drills.first_token_s) == (5, 30)
    assert made.engine_urls == {"gemma": "http://g", "qwen": "http://q"}
