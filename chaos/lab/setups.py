"""The lab's set-ups: one that is well, and eight ways in which real ones are not.

To add one: a line in ``SETUPS``; it says what differs from a healthy lab. The command line's
help and the tests follow.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from chaos.gateway.redirect_permission import WITNESS_PORT, redirect_permission
from chaos.lab.engine_flags import GEMMA, EngineFlags
from chaos.registry import index

LOCAL_GROUP = "gemma"
SHORT_CONTEXT = 8_192
"""Enough for a question, not for an agent."""


@dataclass(frozen=True, slots=True)
class CloudGroup:
    """A model group of a paid provider; *dialect* names the simulated one behind it."""

    name: str
    dialect: str
    litellm_model: str


CLOUD_GROUPS = (
    CloudGroup("claude-opus", "anthropic", "anthropic/claude-opus-4-5"),
    CloudGroup("claude-sonnet", "anthropic", "anthropic/claude-sonnet-4-5"),
    CloudGroup("claude-haiku", "anthropic", "anthropic/claude-haiku-4-5"),
    CloudGroup("gpt-5", "openai", "openai/gpt-5"),
    CloudGroup("gpt-5-mini", "openai", "openai/gpt-5-mini"),
    CloudGroup("gemini-pro", "gemini", "gemini/gemini-2.5-pro"),
    CloudGroup("gemini-flash", "gemini", "gemini/gemini-2.5-flash"),
)


@dataclass(frozen=True, slots=True)
class Setup:
    """One lab: how its engine is started and whether its gateway has fallbacks.

    Attributes:
        summary: What is wrong with it, for people; empty if nothing is.
    """

    name: str
    summary: str
    engine: EngineFlags
    fallbacks: bool = True


HEALTHY = EngineFlags(tokens_per_s=500.0, writes_tokens=256)
SETUPS: Mapping[str, Setup] = index(
    Setup("healthy", "Every group falls back to a local engine that holds.", HEALTHY),
    Setup("no_fallbacks", "No group has a fallback.", HEALTHY, fallbacks=False),
    Setup(
        "no_tool_flags",
        "The engine runs without its tool-call flags: it refuses every request with tools.",
        replace(HEALTHY, enable_auto_tool_choice=False, tool_call_parser=None),
    ),
    Setup(
        "wrong_parser",
        "The engine's tool parser is another model's: calls stay in the text.",
        replace(HEALTHY, tool_call_parser="hermes"),
    ),
    Setup(
        "no_reasoning_parser",
        "The engine has no reasoning parser: thoughts stay in the text.",
        replace(HEALTHY, reasoning_parser=None),
    ),
    Setup(
        "renamed",
        "The engine serves its model under another name than the gateway asks for.",
        replace(HEALTHY, served_model_names=("gemma-4-26b",)),
    ),
    Setup(
        "short_context",
        "The engine's context is too short for what agents ask.",
        replace(HEALTHY, max_model_len=SHORT_CONTEXT),
    ),
    Setup(
        "hung",
        "The engine makes no progress while its health is green.",
        replace(HEALTHY, hung=True),
    ),
    Setup("down", "The engine does not run.", replace(HEALTHY, down=True)),
)


def gateway_config(
    *,
    provider_bases: Mapping[str, str],
    engine_base: str,
    fallbacks: bool,
    witness_port: int = WITNESS_PORT,
    served_name: str = GEMMA,
    max_model_len: int = HEALTHY.max_model_len,
    sees_pictures: bool = True,
) -> dict[str, Any]:
    """Write LiteLLM's configuration for the lab, its master key apart.

    Args:
        provider_bases: ``api_base`` by dialect.
        engine_base: ``api_base`` of the local group.
        served_name: What the gateway believes the engine to serve.
    """
    permission = {
        "configurable_clientside_auth_params": [{"api_base": redirect_permission(witness_port)}]
    }
    cloud = [
        {
            "model_name": group.name,
            "litellm_params": {
                "model": group.litellm_model,
                "api_base": provider_bases[group.dialect],
                # Made up: the simulated providers take any key, and show which one came.
                "api_key": f"sk-lab-{re.sub('[^a-z0-9]', '', group.name)}-0123456789abcdef",
                **permission,
            },
        }
        for group in CLOUD_GROUPS
    ]
    local = {
        "model_name": LOCAL_GROUP,
        "litellm_params": {
            "model": f"hosted_vllm/{served_name}",
            "api_base": engine_base,
            **permission,
        },
        "model_info": {
            "max_input_tokens": max_model_len,
            "supports_function_calling": True,
            "supports_vision": sees_pictures,
            "input_cost_per_token": 0.0,
            "output_cost_per_token": 0.0,
        },
    }
    # Retries would hide in the demo what it is there to show, and make everybody wait.
    settings: dict[str, Any] = {"num_retries": 0, "timeout": 60}
    if fallbacks:
        settings["fallbacks"] = [{group.name: [LOCAL_GROUP]} for group in CLOUD_GROUPS]
    return {"model_list": [*cloud, local], "router_settings": settings}
