"""Ask a local engine what it serves and whether it reads tool calls; no model request is sent.

An engine that cannot be asked is a fact too, never an error: the audits judge.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp

from chaos.exposition import samples
from supervisor.engine.capacity import Capacity, from_metrics, from_models, merge
from supervisor.engine.http import get_text
from supervisor.engine.inspection import Inside

PARSER_METRIC = "vllm:tool_call_parser_invocations_total"
"""Registered, at 0, if and only if vLLM was started with ``--tool-call-parser``.

Source: vLLM 0.32.0, run.
"""


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """What one engine said about itself. None means that it did not say.

    Attributes:
        group: The model group that it serves.
        url: Its root, without ``/v1``.
        asked_for: The names by which the gateway asks it for models.
        problem: Why it could not be asked; empty if it could.
        foreign_name: Its host has no address here, so the problem may be only ours.
        names: What it serves.
        max_model_len: Context length by served name.
        has_tool_parser: It was started with a tool-call parser.
        calls_parsed: Answers in which its parser found tool calls, since it started ...
        calls_missed: ... and answers to requests with tools in which it found none.
        owned_by: Whose its first model is, which names the engine: ``vllm``, ``llamacpp``,
            ``library`` (Ollama).
        root: The checkpoint that it was started with.
        version: Of its package.
        fingerprint: What its replies carry: version and a hash of its configuration, parsers
            not included.
        started_at_s: When its process was started, in seconds since 1970.
        auto_tools: It takes requests with tools and ``tool_choice`` auto.
        tool_formats: Formats of tool calls that it was seen to read, of those that were tried.
        has_reasoning_parser: It counts tokens of reasoning.
        reasoning_formats: Formats of thoughts that it was seen to set apart.
        capacity: What fits into it, as far as it says.
        inside: What its log and its package say; None if the settings name neither.
    """

    group: str
    url: str
    asked_for: tuple[str, ...] = ()
    problem: str = ""
    foreign_name: bool = False
    names: tuple[str, ...] | None = None
    max_model_len: Mapping[str, int] = field(default_factory=dict)
    has_tool_parser: bool | None = None
    calls_parsed: int = 0
    calls_missed: int = 0
    owned_by: str | None = None
    root: str | None = None
    version: str | None = None
    fingerprint: str | None = None
    started_at_s: float | None = None
    auto_tools: bool | None = None
    tool_formats: tuple[str, ...] | None = None
    has_reasoning_parser: bool | None = None
    reasoning_formats: tuple[str, ...] | None = None
    capacity: Capacity = field(default_factory=Capacity)
    inside: Inside | None = None


def root_of(base_url: str) -> str:
    """Name an engine's root: its base URL without ``/v1``."""
    return base_url.rstrip("/").removesuffix("/v1")


async def read_engine_facts(
    session: aiohttp.ClientSession,
    base_url: str,
    *,
    group: str = "",
    asked_for: tuple[str, ...] = (),
    within_s: float = 10.0,
    key: str | None = None,
) -> EngineFacts:
    """Ask the engine at *base_url* for ``/v1/models`` and ``/metrics``.

    Args:
        key: Its own key, which vLLM asks for below ``/v1`` only.
    """
    url = root_of(base_url)
    try:
        status, body = await get_text(session, f"{url}/v1/models", within_s, key)
        metrics_status, metrics = await get_text(session, f"{url}/metrics", within_s)
    except aiohttp.ClientConnectorDNSError as error:
        return EngineFacts(group, url, asked_for, f"{error.host} has no address here", True)
    except TimeoutError:
        return EngineFacts(group, url, asked_for, f"no answer within {within_s:g} s")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return EngineFacts(group, url, asked_for, why)
    facts = EngineFacts(
        group=group,
        url=url,
        asked_for=asked_for,
        problem=f"it answers {status} to GET /v1/models" if status >= 500 else "",
    )
    return read_facts(
        facts,
        models=body if status == 200 else "",
        metrics=metrics if metrics_status == 200 else "",
    )


def read_facts(
    facts: EngineFacts, *, models: str | None = None, metrics: str | None = None
) -> EngineFacts:
    """Add to *facts* what the bodies of ``/v1/models`` and ``/metrics`` say; None: not asked."""
    if models is not None:
        names, lengths = _models(models)
        told = merge(facts.capacity, from_models(lengths))
        facts = replace(
            facts,
            names=names,
            max_model_len=lengths,
            owned_by=_of_first(models, "owned_by"),
            root=_of_first(models, "root"),
            capacity=told,
        )
    if metrics is not None:
        parser, parsed, missed = _parser(metrics)
        facts = replace(
            facts,
            has_tool_parser=parser,
            calls_parsed=parsed,
            calls_missed=missed,
            capacity=merge(from_metrics(metrics), facts.capacity),
        )
    return facts


def read_json(text: str) -> Any:
    """Read what somebody sent as JSON; None if it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # The second: brackets nested without end.
        return None


def _models(body: str) -> tuple[tuple[str, ...] | None, dict[str, int]]:
    """Read ``{"data": [{"id": str, "max_model_len": int}]}``; the length is vLLM's own."""
    answer = read_json(body)
    rows = answer.get("data") if isinstance(answer, Mapping) else None
    if not isinstance(rows, list):
        return None, {}
    named: list[Mapping[str, Any]] = [
        row for row in rows if isinstance(row, Mapping) and isinstance(row.get("id"), str)
    ]
    lengths = {
        row["id"]: row["max_model_len"]
        for row in named
        if isinstance(row.get("max_model_len"), int)
    }
    return tuple(row["id"] for row in named), lengths


def _of_first(body: str, key: str) -> str | None:
    """Read a text of the first model; of an adapter its base model comes first.

    ``root`` is vLLM's own. Source of ``owned_by``: vLLM 0.32.0, run; llama.cpp's and Ollama's
    sources.
    """
    try:
        value = read_json(body)["data"][0][key]
    except (LookupError, TypeError):
        return None
    return value if isinstance(value, str) else None


def _parser(metrics: str) -> tuple[bool | None, int, int]:
    """Read whether there is a tool parser, and what it did; None if these are not vLLM's."""
    vllm = present = False
    counts = {"tool_call": 0.0, "no_tool_call": 0.0}
    for line in metrics.splitlines():
        vllm = vllm or line.startswith(("vllm:", "# TYPE vllm:"))
        present = present or line.startswith(PARSER_METRIC)
    for sample in samples(metrics):
        outcome = sample.labels.get("outcome", "")
        if sample.name.startswith(PARSER_METRIC) and outcome in counts:
            counts[outcome] += sample.value
    return (present if vllm else None), int(counts["tool_call"]), int(counts["no_tool_call"])


async def read_all(
    session: aiohttp.ClientSession,
    wanted: Mapping[str, Mapping[str, tuple[str, ...]]],
    keys: Mapping[str, str] | None = None,
) -> tuple[EngineFacts, ...]:
    """Ask several engines at once.

    Args:
        wanted: By group: the names asked for, by base URL.
        keys: The engines' own keys, by group.
    """
    keys = keys or {}
    async with asyncio.TaskGroup() as tasks:
        asked = [
            tasks.create_task(
                read_engine_facts(session, url, group=group, asked_for=names, key=keys.get(group))
            )
            for group, urls in wanted.items()
            for url, names in urls.items()
        ]
    return tuple(task.result() for task in asked)
