"""The whole of it: a real LiteLLM, a daemon, Prometheus, Alertmanager and a webhook's receiver.

What breaks behind everyone's back arrives at each of them by itself, and so does its end.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
import yaml

from chaos.lab.lab import Lab, running_lab
from chaos.lab.simulated_engine import SimulatedEngine
from chaos.process.ports import free_port
from tests.fakes.alert_receiver import Receiver
from tests.fakes.monitoring import alertmanager, ask, eventually, prometheus
from tests.fakes.server import serving
from tests.system.test_daemon import api, configured, logging_to, proven, until

pytestmark = [pytest.mark.litellm, pytest.mark.prometheus]


@dataclass
class Box:
    """Everything that runs side by side."""

    lab: Lab
    daemon: str
    prometheus: str
    alertmanager: str
    hook: Receiver
    session: aiohttp.ClientSession

    @property
    def engine(self) -> SimulatedEngine:
        """The local engine, which can be changed."""
        assert isinstance(self.lab.engine, SimulatedEngine)
        return self.lab.engine

    def told(self, name: str) -> list[dict[str, Any]]:
        """What the webhook's receiver got of one alert, in order."""
        messages = [json.loads(came.body) for came in self.hook.came]
        alerts = [alert for message in messages for alert in message["alerts"]]
        return [alert for alert in alerts if alert["labels"]["alertname"] == name]

    async def fires_everywhere(self, name: str) -> None:
        """Wait until an alert fires in Prometheus, in Alertmanager and at the webhook."""
        await self._everywhere(name, firing=True)

    async def is_over_everywhere(self, name: str) -> None:
        """Wait until it fires at none of them."""
        await self._everywhere(name, firing=False)

    async def _everywhere(self, name: str, *, firing: bool) -> None:
        async def at_prometheus() -> bool:
            found = (await ask(self.session, f"{self.prometheus}/api/v1/alerts"))["data"]["alerts"]
            names = {one["labels"]["alertname"] for one in found if one["state"] == "firing"}
            return (name in names) == firing

        async def at_alertmanager() -> bool:
            found = await ask(self.session, f"{self.alertmanager}/api/v2/alerts?active=true")
            return (name in {one["labels"]["alertname"] for one in found}) == firing

        async def at_the_webhook() -> bool:
            last = {json.dumps(one["labels"]): one["status"] for one in self.told(name)}
            return bool(last) and (("firing" in last.values()) == firing)

        for holds in (at_the_webhook, at_alertmanager, at_prometheus):
            await eventually(holds)


@asynccontextmanager
async def everything(
    litellm: Path, folder: Path, every: str = "2s", token_every: str = "2s"
) -> AsyncIterator[Box]:
    """Run all of it until exit, with every path proven.

    Args:
        every: How often parts are looked at; an idle engine is asked for a token *token_every*.
    """
    hook, manager_hook = Receiver(), Receiver()
    for name in ("lab", "daemon", "monitoring"):
        (folder / name).mkdir()
    async with (
        running_lab(
            "healthy",
            folder / "lab",
            say=lambda _: None,
            witness_port=free_port(),
            litellm=litellm,
        ) as lab,
        serving(hook) as hook_url,
        serving(manager_hook) as manager_hook_url,
        alertmanager(folder / "monitoring", manager_hook_url) as manager,
        aiohttp.ClientSession() as session,
    ):
        config = configured(
            lab, folder / "daemon", faults=["billing", "rate_limit", "server_error"]
        )
        sections = yaml.safe_load(config.read_text())
        sections["watch"] = {"every": every, "token_every": token_every}
        sections["notifiers"] = {
            "hook": {"webhook": {"url": f"{hook_url}/hook"}},
            "manager": {"alertmanager": {"url": manager}},
        }
        config.write_text(yaml.safe_dump(sections))
        process = logging_to(folder / "daemon" / "log", config, lab)
        try:
            await until(f"{api(config)}/api/v1/status", proven)
            daemon = urlsplit(api(config)).netloc
            async with prometheus(folder / "monitoring", daemon, manager) as scraper:
                yield Box(lab, api(config), scraper, manager, hook, session)
        finally:
            process.terminate()
            await asyncio.to_thread(process.wait)


async def test_what_breaks_behind_everyone_s_back_is_told_everywhere(
    litellm_executable: Path, tmp_path: Path
):
    """The flags vanish and are named; the engine is mended and everything resolves by itself; it
    freezes with its health green, and that is told too; nothing else ever fires.
    """
    async with everything(litellm_executable, tmp_path) as box:
        await box.engine.restart(enable_auto_tool_choice=False, tool_call_parser=None)
        await box.fires_everywhere("FallbackBroken")
        first = box.told("FallbackBroken")[0]
        assert "--enable-auto-tool-choice" in first["annotations"]["description"]
        assert "--tool-call-parser" in first["annotations"]["description"]
        assert first["annotations"]["kind"] == "hop_failed"
        assert first["labels"]["hop"] == "gemma"

        await box.engine.restart(enable_auto_tool_choice=True, tool_call_parser="gemma4")
        await box.is_over_everywhere("FallbackBroken")
        await box.is_over_everywhere("EngineDrifted")

        # Frozen, as by SIGSTOP: everything answers but requests.
        box.engine.flags = replace(box.engine.flags, hung=True)
        async with box.session.get(f"{box.lab.engines['gemma']}/health") as health:
            assert health.status == 200
        await box.fires_everywhere("EngineHung")
        box.engine.flags = replace(box.engine.flags, hung=False)
        await box.is_over_everywhere("EngineHung")
        await box.is_over_everywhere("FallbackBroken")

        names = [json.loads(came.body)["groupLabels"]["alertname"] for came in box.hook.came]
        assert set(names) <= {
            "Watchdog",
            "FallbackBroken",
            "EngineDrifted",
            "EngineHung",
        }, sorted(names)
