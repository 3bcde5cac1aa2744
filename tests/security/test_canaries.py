"""Canaries in the place of every secret: a day is lived, and none is seen anywhere."""

import base64
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml

from chaos.faults.kinds import FAULTS
from chaos.lab.engine_flags import EngineFlags
from chaos.lab.lab import running_lab
from chaos.lab.setups import SETUPS
from chaos.lab.simulated_engine import SimulatedEngine
from chaos.process.ports import free_port
from tests.fakes.alert_receiver import Receiver
from tests.fakes.canaries import Canaries, secret
from tests.fakes.commandline import understudy
from tests.fakes.lab_day import BY_TWIN, PRIVATE, SLOW, Day
from tests.fakes.server import serving
from tests.fakes.talkative_gateway import LOUD, hostile_gateway

LAB_PROVIDER = "sk-lab-claudeopus-0123456789abcdef"
"""What the lab writes into LiteLLM's configuration for its first group."""

COMMANDS_A_TERMINAL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]")
PROVIDER = "sk-ant-api03-Kanarie0Provider7Qx4Zw9Kanarie0Provider"
"""A key that Understudy is never given: it can be known by its looks only."""


@pytest.mark.parametrize(
    "leak",
    [
        lambda s: f"log line with {s}".encode(),
        lambda s: f"cut off: {s[:14]}…".encode(),
        lambda s: base64.b64encode(f"user:{s}".encode()),
        lambda s: base64.b64encode(f"me:{s}!".encode()),
        lambda s: b"\0\x01" + s.encode() + b"\xff",
        lambda s: quote(s).encode(),
    ],
)
def test_a_canary_is_found_in_any_spelling(leak):
    """A search that finds nothing anyhow would prove nothing."""
    canaries = Canaries({"one": secret("one"), "two": secret("two")})
    canaries.see("here", leak(secret("two")))
    (found,) = canaries.found()
    assert found.startswith("two in here")


async def test_no_secret_is_seen_in_a_day_beside_a_hostile_gateway(tmp_path: Path):
    """The gateway repeats its callers' keys and its providers', a receiver all that it gets; no
    output, log, file of the store, answer, alert or list of processes holds one.
    """
    secrets = {name: secret(name) for name in PRIVATE}
    canaries = Canaries({**secrets, "provider": PROVIDER})
    port = free_port()
    async with (
        SimulatedEngine(EngineFlags(api_key=secrets["engine"])) as engine,
        hostile_gateway(engine.base_url, port, PROVIDER) as (gateway, url),
    ):
        day = Day(
            tmp_path,
            canaries,
            url,
            port,
            engine,
            drills=200,
            rehearse={
                "groups": {"gpt-[d-f]": {"enabled": False}},
                "faults": [name for name in FAULTS if name not in (*SLOW, *BY_TWIN)],
            },
        )
        async with serving(day.hook) as hook_url, serving(day.loud) as loud_url:
            day.configure(hook_url, loud_url)
            await day.live()
    assert canaries.found() == []
    shown = {where: data for where, data in canaries.seen.items() if "output of" in where}
    assert [where for where, data in shown.items() if COMMANDS_A_TERMINAL.search(data)] == []
    assert any(b"owned" in data for data in shown.values())
    # Every secret was used for what it is for, so that it could have been seen.
    assert gateway.keys >= {secrets["gateway"], secrets["admin"]}
    assert secrets["engine"] in {request.key for request in engine.seen}
    assert {secrets["url"], secrets["chat"]} <= _paths(day.hook) | _paths(day.loud)
    assert any(secrets["bearer"] in came.headers["authorization"] for came in day.hook.came)
    assert LOUD in canaries.seen["the events"].decode()
    assert (day.ended, day.core_limit, day.core_pages) == (143, ["0", "0"], 0)


@pytest.mark.litellm
async def test_no_secret_is_seen_in_a_day_beside_the_real_litellm(
    litellm_executable: Path, tmp_path: Path
):
    """As above, with the keys of the lab's providers in LiteLLM's own configuration."""
    secrets = {name: secret(name) for name in PRIVATE}
    setup = replace(SETUPS["healthy"], engine=EngineFlags(api_key=secrets["engine"]))
    (tmp_path / "lab").mkdir()
    (tmp_path / "day").mkdir()
    async with running_lab(
        setup,
        tmp_path / "lab",
        say=lambda _: None,
        witness_port=free_port(),
        litellm=litellm_executable,
    ) as lab:
        assert isinstance(lab.engine, SimulatedEngine)
        keys = {"gateway": lab.key, "admin": lab.admin_key, "provider": LAB_PROVIDER}
        day = Day(
            tmp_path / "day",
            canaries := Canaries({**secrets, **keys}),
            lab.gateway_url,
            lab.witness_port,
            lab.engine,
            drills=100,
            deadline_s=5.0,
            rehearse={
                "groups": {"gemini-*": {"enabled": False}, "*-[hm]*": {"enabled": False}},
                "faults": [name for name in FAULTS if name not in (*SLOW, *BY_TWIN)],
            },
        )
        async with serving(day.hook) as hook_url, serving(day.loud) as loud_url:
            day.configure(hook_url, loud_url)
            await day.live()
        assert secrets["engine"] in {request.key for request in lab.engine.seen}
    assert canaries.found() == []
    assert (day.ended, day.core_limit, day.core_pages) == (143, ["0", "0"], 0)


@pytest.mark.parametrize("command", ["run", "status", "store check", "history", "doctor"])
def test_the_store_s_password_is_not_seen_where_it_cannot_be_reached(tmp_path: Path, command: str):
    """Drivers name the address that they were given; its password stays out of it."""
    canaries = Canaries({"store": secret("store")})
    config = tmp_path / "understudy.yaml"
    url = f"postgresql://understudy@127.0.0.1:{free_port()}/understudy"
    sections = {
        "gateway": {"url": f"http://127.0.0.1:{free_port()}", "key": {"env": "KEY"}},
        "web": {"listen": [f"127.0.0.1:{free_port()}"]},
        "witness": {"listen": [f"127.0.0.1:{free_port()}"]},
        "store": {"url": url, "password": {"env": "PASSWORD"}},
    }
    for one in (sections, {**sections, "store": {"url": url.replace("@", f":{secret('store')}@")}}):
        config.write_text(yaml.safe_dump(one))
        ended = understudy(*command.split(), "--config", config, KEY="k", PASSWORD=secret("store"))
        canaries.see(command, ended.stdout + ended.stderr)
        assert ended.returncode != 0, ended.stdout
        assert "Traceback" not in ended.stderr
    assert canaries.found() == []


def _paths(receiver: Receiver) -> set[str]:
    return {part for came in receiver.came for part in came.path.split("/")}
