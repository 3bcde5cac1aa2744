"""Debian's Prometheus scrapes a daemon, and every rule is evaluated on what it really serves."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import yaml

from tests.fakes.daemons import Daemon, site
from tests.fakes.monitoring import CONFIG, ask, eventually, prometheus

pytestmark = pytest.mark.prometheus

BEATS = {"backup": {"period": "1h"}}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key that the configuration names."""
    monkeypatch.setenv("TEST_KEY", "sk-test")


@pytest.fixture
async def scraped(tmp_path: Path) -> AsyncIterator[tuple[Daemon, str]]:
    """A daemon whose paths are proven, and a Prometheus that scrapes it."""
    async with (
        site(tmp_path, watch={"every": 1}, heartbeats=BEATS) as here,
        here.daemon() as daemon,
    ):
        await daemon.drilled()
        async with prometheus(tmp_path, urlsplit(daemon.url).netloc, None) as url:
            yield daemon, url


async def query(daemon: Daemon, url: str, expression: str) -> list[Any]:
    """Ask Prometheus."""
    address = f"{url}/api/v1/query?query={quote(expression)}"
    answer = await ask(daemon.session, address)
    assert answer["status"] == "success", answer
    found: list[Any] = answer["data"]["result"]
    return found


async def test_a_daemon_is_scraped_and_every_rule_is_evaluated(scraped: tuple[Daemon, str]):
    """The target is up, no rule has an error, and nothing fires but what always does."""
    daemon, url = scraped

    async def up() -> bool:
        targets = (await ask(daemon.session, f"{url}/api/v1/targets"))["data"]["activeTargets"]
        return [target["health"] for target in targets] == ["up"]

    await eventually(up)

    async def evaluated() -> bool:
        groups = (await ask(daemon.session, f"{url}/api/v1/rules"))["data"]["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        assert not [rule for rule in rules if rule.get("lastError")], rules
        # One group is evaluated every five minutes; its expressions are asked below.
        often = [rule for group in groups if group["interval"] < 60 for rule in group["rules"]]
        return bool(often) and all(rule["health"] == "ok" for rule in often)

    await eventually(evaluated)

    async def only_the_watchdog() -> bool:
        alerts = (await ask(daemon.session, f"{url}/api/v1/alerts"))["data"]["alerts"]
        return [one["labels"]["alertname"] for one in alerts] == ["Watchdog"]

    await eventually(only_the_watchdog)
    for group in yaml.safe_load((CONFIG / "understudy.rules.yml").read_text())["groups"]:
        for rule in group["rules"]:
            found = await query(daemon, url, rule["expr"])
            assert bool(found) == (rule.get("alert") == "Watchdog"), rule


async def test_the_documented_queries_find_what_they_are_for(scraped: tuple[Daemon, str]):
    """Every path is proven, none is without a pass, and each part that is known serves."""
    daemon, url = scraped

    async def scraped_once() -> bool:
        return bool(await query(daemon, url, "understudy_path_ok"))

    await eventually(scraped_once)
    assert len(await query(daemon, url, "understudy_path_ok == 1")) == 6
    never = (
        "understudy_path_freshness_target_seconds unless "
        "understudy_path_last_passed_timestamp_seconds"
    )
    assert await query(daemon, url, never) == []
    (gateway,) = await query(daemon, url, 'understudy_probe_up{probe="gateway"}')
    assert gateway["value"][1] == "1"
    (drills,) = await query(daemon, url, "sum(understudy_drills_total)")
    assert drills["value"][1] == "6"
