"""Engines that cannot read their model's tool calls."""

import shlex
from collections.abc import Iterable

from chaos.gateway.topology import Trigger
from supervisor.audit.advice import chain_advice
from supervisor.audit.finding import Audited, AuditFinding
from supervisor.engine.facts import EngineFacts
from supervisor.engine.flag_advice import (
    flags_known,
    odd_parser,
    reasoning_flag,
    started_with,
    tool_flags,
)

ENOUGH = 20
"""Requests with tools from which on none answered by a call is no accident."""


def engine_tool_calls_disabled(audited: Audited) -> Iterable[AuditFinding]:
    """A vLLM engine refuses requests with tools, because a flag is missing.

    Source: vLLM 0.32.0, run: the parser's metric is there, at 0, only if there is a parser; the
    other flag only its log shows.
    """
    for facts in audited.engines:
        group = audited.topology.groups.get(facts.group)
        if group is not None and group.embeds:
            continue
        if facts.has_tool_parser is False:
            yield AuditFinding(
                code="engine_tool_calls_disabled",
                severity="error",
                subject=facts.group,
                message=f"the engine of {facts.group!r} at {facts.url} runs without a tool-call "
                "parser: it answers 400 to every request with tools",
                remedy=tool_flags(facts),
                cause=f"{facts.url} none",
            )
        elif _refuses_auto(facts):
            yield AuditFinding(
                code="engine_tool_calls_disabled",
                severity="error",
                subject=facts.group,
                message=f"the engine of {facts.group!r} at {facts.url} has a tool-call parser, "
                "but automatic tool choice is off: it answers 400 to every request with tools",
                remedy="Start vLLM with:\n--enable-auto-tool-choice",
                cause=f"{facts.url} auto",
            )


def _refuses_auto(facts: EngineFacts) -> bool:
    if facts.auto_tools is not None:  # it was asked, which counts for more than its log
        return not facts.auto_tools
    return (
        flags_known(facts)
        and bool(started_with(facts, "tool_call_parser"))
        and not started_with(facts, "enable_auto_tool_choice")
    )


def engine_parser_unknown(audited: Audited) -> Iterable[AuditFinding]:
    """An engine's parser may not read its model's calls."""
    for facts in audited.engines:
        if facts.problem or facts.names is None:
            continue
        group = audited.topology.groups.get(facts.group)
        if group is not None and group.embeds:
            continue
        if facts.has_tool_parser is None:
            yield AuditFinding(
                code="engine_parser_unknown",
                severity="info",
                subject=facts.group,
                message=f"the engine of {facts.group!r} at {facts.url} does not report whether it "
                "parses tool calls: it publishes no metrics of vLLM",
                remedy=_drill(audited, facts.group),
                cause=f"{facts.url} unknown",
            )
        elif facts.calls_missed >= ENOUGH and not facts.calls_parsed:
            yield AuditFinding(
                code="engine_parser_unknown",
                severity="warning",
                subject=facts.group,
                message=f"the engine of {facts.group!r} answered {facts.calls_missed} requests "
                "with tools and found a call in none: its parser may be another model's",
                remedy=f"{_drill(audited, facts.group)}\n{_other_parser(facts)}",
                cause=f"{facts.url} parser",
            )
        elif (odd := odd_parser(facts)) is not None:
            yield AuditFinding(
                code="engine_parser_unknown",
                severity="info",
                subject=facts.group,
                message=f"the engine of {facts.group!r} runs with the tool-call parser {odd[0]!r}, "
                f"and its package offers {odd[1]!r}, which is named after its model",
                remedy=f"{_drill(audited, facts.group)}\n{_other_parser(facts)}",
                cause=f"{facts.url} parser",
            )
        missing = reasoning_flag(facts)
        if missing is not None and facts.has_tool_parser:  # else the other finding names it
            yield AuditFinding(
                code="engine_parser_unknown",
                severity="info",
                subject=facts.group,
                message=f"the engine of {facts.group!r} runs without a reasoning parser, and its "
                "package offers one that is named after its model: what the model thinks may "
                "stand in its answers",
                remedy=f"Start vLLM with:\n{missing}",
                cause=f"{facts.url} reasoning",
            )


def _drill(audited: Audited, engine: str) -> str:
    """Write the drill in which the group of an engine has to serve: it is the last hop that may.

    A drill of the engine's own group would make the engine itself fail.
    """
    topology = audited.topology
    found = [
        (chain.meant.index(engine), chain.group)
        for chain in topology.chains
        if chain.trigger is Trigger.GENERAL
        and chain.group in audited.groups
        and engine in chain.fallbacks
    ]
    if found:
        depth, group = min(found, key=lambda one: one[0])
        return f"Drill it:\n{_command(group, depth)}"
    others = (name for name, group in audited.groups.items() if group.family == "chat")
    group = next((name for name in others if name != engine), "YOUR-GROUP")
    hops = [*topology.chain(group).fallbacks, engine]
    lines = chain_advice(audited, group, hops).text
    return f"No group falls back to it, so that no drill reaches it.\n{lines}\nThen drill it:\n" + (
        _command(group, len(hops))
    )


def _command(group: str, depth: int) -> str:
    words = ("understudy", "drill", "--group", group, "--shape", "tool_call")
    return shlex.join([*words, "--depth", str(depth)])


def _other_parser(facts: EngineFacts) -> str:
    odd = odd_parser(facts)
    if odd is None:
        return "and compare --tool-call-parser with the model's own."
    return f"If it fails, start vLLM with:\n--enable-auto-tool-choice --tool-call-parser {odd[1]}"
