"""What a finding says to write is loaded into a real LiteLLM, and the finding is gone."""

import ast
from pathlib import Path
from typing import Any

import pytest

import supervisor.audit.rules
from chaos.gateway.client import open_gateway
from chaos.gateway.process import running_litellm
from supervisor.audit.facts import gather
from supervisor.audit.finding import Audited, AuditFinding
from supervisor.audit.rules import AUDITS, run_audits
from supervisor.settings.model import Settings
from tests.fakes.http_server import answering, as_json
from tests.fakes.litellm_fragments import with_fragment

KEY = "sk-made-up-for-a-test"
SHRUNK = {"max_input_tokens": 8_192}
ROOM = {"max_input_tokens": 200_000}
OPEN = {"configurable_clientside_auth_params": ["api_base"]}
PART = {
    "configurable_clientside_auth_params": [{"api_base": r"^http://127\.0\.0\.1:8941/lane/[0-3]\Z"}]
}
WIDE = {"configurable_clientside_auth_params": [{"api_base": "^http"}]}


def row(name, *, model=None, info=None, **params):
    """A deployment that nothing is ever sent to.

    Its model is its own: LiteLLM keeps what is said of a model for every group that has it.
    """
    return {
        "model_name": name,
        "litellm_params": {
            "model": model or f"anthropic/{name}",
            "api_key": "sk-none",
            "api_base": "https://api.example",
            **params,
        },
        "model_info": info or {"mode": "chat"},
    }


def local(name, base, *, model=None, info=None, **params):
    """An engine of this house."""
    return row(name, model=f"hosted_vllm/{model or name}", info=info, api_base=base, **params)


def broken(engine: str) -> dict[str, Any]:
    """A configuration that has everything that can be mended by lines."""
    return {
        "model_list": [
            row("alone"),
            row("paid-chain"),
            row("paid-end"),
            row("self"),
            row("embed", model="openai/text-embedding-3-small", info={"mode": "embedding"}),
            row("no-tools", info={"mode": "chat", "supports_function_calling": False}),
            row("calls"),
            row("asked"),
            row("keeps", model="mistral/mistral-large-latest"),
            row("roomy", info={"mode": "chat", **ROOM}),
            row("short", info={"mode": "chat", **SHRUNK}),
            row("long", info={"mode": "chat", **ROOM}),
            row("wide", **WIDE),
            row("open", **OPEN),
            row("partly", **PART),
            row("partly", api_base="https://other.example"),
            *(row(f"deep-{n}") for n in range(8)),
            local("renamed", engine, model="old-name"),
            local("local", engine, model="gemma"),
            local("local-embed", engine, model="gemma", info={"mode": "embedding"}),
        ],
        "litellm_settings": {},
        "router_settings": {
            "model_group_alias": {"nickname": "alone"},
            "fallbacks": [
                {"paid-chain": ["paid-end"]},
                {"self": ["self"]},
                {"embed": ["local"]},
                {"calls": ["no-tools", "local"]},
                {"asked": ["keeps", "local"]},
                {"roomy": ["short", "local"]},
                *({f"deep-{n}": [f"deep-{n + 1}"]} for n in range(7)),
                {"long": ["local"]},
            ],
            "context_window_fallbacks": [{"long": ["local"]}],
        },
        "general_settings": {
            "allow_client_side_credentials": True,
            "background_health_checks": True,
            "enable_health_check_routing": True,
            "health_check_interval": 86_400,
        },
    }


def wildcard(engine: str) -> dict[str, Any]:
    """A wildcard group without a default, which would hide most of the rest."""
    return {
        "model_list": [
            row("anthropic/*", model="anthropic/*"),
            local("local", engine, model="gemma"),
        ],
        "router_settings": {"num_retries": 0},
    }


AGENTS_ASK = Settings.model_validate({"rehearse": {"groups": {"asked": {"clients": ["hermes"]}}}})
ENGINE = {"/v1/models": as_json({"data": [{"id": "gemma", "owned_by": "vllm"}]})}
MOST_ROUNDS = 3
"""A chain that is added may lack its lines in the lists for long prompts, and so on."""


async def audit(executable: Path, config: dict[str, Any], folder: Path) -> Audited:
    """Start LiteLLM with *config* and look at it."""
    async with (
        running_litellm(executable, config, directory=folder, master_key=KEY) as litellm,
        open_gateway(litellm.url, key=KEY, admin_key=KEY) as gateway,
    ):
        file = folder / "given.yaml"
        file.write_text(as_json(config)[2].decode())
        return await gather(gateway, AGENTS_ASK, file)


async def mended(
    executable: Path, config: dict[str, Any], folder: Path
) -> tuple[list[AuditFinding], tuple[AuditFinding, ...]]:
    """Write the lines of all that is found until nothing has any; tells what had, and the rest."""
    told: list[AuditFinding] = []
    found = run_audits(await audit(executable, config, folder / "first"))
    for number in range(MOST_ROUNDS):
        with_lines = [finding for finding in found if finding.config is not None]
        if not with_lines:
            break
        told += with_lines
        for finding in with_lines:
            config = with_fragment(config, finding.config)
        found = run_audits(await audit(executable, config, folder / str(number)))
    return told, found


@pytest.mark.litellm
@pytest.mark.parametrize("make", [broken, wildcard])
async def test_who_writes_the_lines_of_every_remedy_is_rid_of_every_finding(
    make, litellm_executable, tmp_path
):
    """Advice that changes nothing costs its reader an evening."""
    with answering(ENGINE) as url:
        told, after = await mended(litellm_executable, make(f"{url}/v1"), tmp_path)
    assert [finding for finding in after if finding.config is not None] == []
    assert {finding.code for finding in told} >= CODES[make]
    left = {(finding.code, finding.subject): finding for finding in after}
    again = [left[f.code, f.subject] for f in told if (f.code, f.subject) in left]
    # A short hop stays short: what changes is that long requests go on from it.
    assert {(f.code, f.severity) for f in again} <= {("context_shrinks", "info")}


def codes_with_lines() -> set[str]:
    """Read from the source which codes have lines that can be loaded."""
    folder = Path(supervisor.audit.rules.__file__).parent
    codes = set()
    for file in folder.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "AuditFinding":
                given = {word.arg: word.value for word in node.keywords}
                if "config" in given:
                    code = given["code"]
                    assert isinstance(code, ast.Constant)
                    codes.add(str(code.value))
    return codes


def test_every_remedy_with_lines_for_litellm_has_the_fragment():
    """Else nobody would try them; what only LiteLLM's reader can fill in has none."""
    known = {audit.__name__ for audit in AUDITS}
    assert codes_with_lines() <= known
    assert {"no_fallback", "health_check_routing_on", "redirect_unavailable"} <= codes_with_lines()


CODES = {
    broken: codes_with_lines() - {"wildcard_without_fallback"},
    wildcard: {"wildcard_without_fallback"},
}
"""What each of the configurations must have been found to have, so that it is tried."""
