"""Engines that cannot read their model's tool calls."""

from collections.abc import Iterable

from supervisor.audit import Audited, AuditFinding

ENOUGH = 20
"""Requests with tools from which on none answered by a call is no accident."""


def engine_tool_calls_disabled(audited: Audited) -> Iterable[AuditFinding]:
    """Name vLLM engines without a tool-call parser: they refuse every request with tools.

    Source: vLLM 0.32.0, run: the parser's metric is there, at 0, only if there is a parser.
    """
    for facts in audited.engines:
        group = audited.topology.groups.get(facts.group)
        if facts.has_tool_parser is not False or (group is not None and group.embeds):
            continue
        yield AuditFinding(
            code="engine_tool_calls_disabled",
            severity="error",
            subject=facts.group,
            message=f"the engine of {facts.group!r} at {facts.url} runs without a tool-call "
            "parser: it answers 400 to every request with tools",
            remedy="Start vLLM with the parser of its model:\n"
            "--enable-auto-tool-choice --tool-call-parser NAME",
        )


def engine_parser_unknown(audited: Audited) -> Iterable[AuditFinding]:
    """Name engines of which cannot be told that their parser reads their model's calls."""
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
                message=f"the engine of {facts.group!r} at {facts.url} does not tell whether it "
                "parses tool calls: it publishes no metrics of vLLM",
                remedy=f"Drill it: understudy drill --shape tool_call --group {facts.group}",
            )
        elif facts.calls_missed >= ENOUGH and not facts.calls_parsed:
            yield AuditFinding(
                code="engine_parser_unknown",
                severity="warning",
                subject=facts.group,
                message=f"the engine of {facts.group!r} answered {facts.calls_missed} requests "
                "with tools and found a call in none: its parser may be another model's",
                remedy=f"Drill it: understudy drill --shape tool_call --group {facts.group}\n"
                "and compare --tool-call-parser with the model's own.",
            )
