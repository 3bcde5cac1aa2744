"""Was every hop asked what the client asked?

Additions are not changes (default limits, usage options, the deployment's own tools), nor is the
spelling that a wire format forces on a schema. A schema for the answer may be handed on as one
forced tool call with that very schema.
"""

from collections import Counter
from collections.abc import Iterator

from chaos.judge.check import Check, Finding, Kind, Where, failed, passed, unknown
from chaos.judge.evidence import quote
from chaos.judge.observation import Observation
from chaos.judge.schema_meaning import same_meaning
from chaos.protocol.conversation import Ask
from chaos.scenario.plan import DrillPlan
from chaos.witness.wire_record import KeyOwner, WireRecord

NAME = "request_kept"


def judge(plan: DrillPlan, seen: Observation) -> Finding:
    """Compare the request sent with what each hop was asked."""
    planned = {hop.group for hop in plan.hops}
    compared = [record for record in seen.wire if record.group in planned]
    for record in compared:
        for change in _changes(plan, record):
            return failed(
                NAME,
                Kind.REQUEST_CHANGED,
                f"{record.group} was asked something else than the client asked: {change}.",
                where=Where.GATEWAY,
                hop=record.group,
                remedy="Look for hooks, parameter dropping and per-hop settings in the gateway.",
            )
    mixed = next((record for record in compared if record.key_owner is KeyOwner.MIXED), None)
    if plan.canary and mixed is not None:
        return unknown(
            NAME,
            Kind.REQUEST_CHANGED,
            f"{mixed.group} was asked what the client asked, but beside the drill's canary key "
            "came another: whose it is cannot be told.",
            hop=mixed.group,
            remedy="If the deployment adds it by itself (extra_headers), all is well.",
        )
    keys = " (the drill's canary key; real keys were not tried)" if plan.canary else ""
    return passed(NAME, f"{len(compared)} attempts asked what the client asked{keys}.")


def _changes(plan: DrillPlan, record: WireRecord) -> Iterator[str]:
    if plan.canary and record.key_owner is KeyOwner.OTHER:
        yield "a key other than the one in the request was sent"
    sent, asked = plan.task.ask, record.asked
    if asked is None:
        return
    yield from _text_changes(plan, sent, asked)
    if not sent.inputs and record.stream != plan.scenario.stream:
        yield f"stream is {record.stream} instead of {plan.scenario.stream}"
    yield from _tool_changes(sent, asked)
    wrapped = _wrapped(sent, asked)
    if sent.response_schema is not None and not wrapped:
        own = asked.response_schema
        if own is None:
            yield "the response schema is gone"
        elif not same_meaning(sent.response_schema.schema, own.schema):
            yield "the response schema is another"
    if sent.tools and not wrapped and _choice(sent) != _choice(asked):
        yield f"tool_choice is {asked.tool_choice!r} instead of {sent.tool_choice!r}"
    if sent.dimensions is not None and asked.dimensions != sent.dimensions:
        yield f"dimensions is {asked.dimensions} instead of {sent.dimensions}"


def _text_changes(plan: DrillPlan, sent: Ask, asked: Ask) -> Iterator[str]:
    text = _flat(asked.text)
    if plan.nonce in sent.text and plan.nonce not in asked.text:
        yield f"the nonce {plan.nonce!r} is gone from its text"
    for turn in sent.turns:
        if turn.role in ("user", "system") and _flat(turn.text) not in text:
            yield f"the {turn.role} turn {quote(turn.text, 80)} is gone or changed"
        if turn.image_png_base64 and not any(t.image_png_base64 for t in asked.turns):
            yield "the picture is gone"
    if any(_flat(given) not in text for given in sent.inputs):
        yield "a text to embed is gone or changed"
    results = [sum(turn.role == "tool" for turn in ask.turns) for ask in (sent, asked)]
    if results[1] < results[0]:
        yield f"{results[0] - results[1]} of {results[0]} tool results are gone"
    earlier = [_called(ask) for ask in (sent, asked)]
    if earlier[0] - earlier[1]:
        yield f"the earlier call of {next(iter(earlier[0] - earlier[1]))} is gone"


def _tool_changes(sent: Ask, asked: Ask) -> Iterator[str]:
    offered = {tool.name: tool for tool in asked.tools}
    for tool in sent.tools:
        if tool.name not in offered:
            yield f"the tool {tool.name} is gone or renamed"
        elif not same_meaning(tool.parameters, offered[tool.name].parameters):
            yield f"the schema of the tool {tool.name} is another"


def _wrapped(sent: Ask, asked: Ask) -> bool:
    """Tell whether the schema for the answer was handed on as a forced tool call."""
    if sent.response_schema is None or asked.response_schema is not None:
        return False
    known = {tool.name for tool in sent.tools}
    return any(
        tool.name not in known
        and asked.tool_choice in ("required", tool.name)
        and same_meaning(tool.parameters, sent.response_schema.schema)
        for tool in asked.tools
    )


def _choice(ask: Ask) -> str:
    # With a single tool, forcing any and forcing that one are the same.
    if len(ask.tools) == 1 and ask.tool_choice == ask.tools[0].name:
        return "required"
    return ask.tool_choice


def _called(ask: Ask) -> Counter[str]:
    return Counter(call.name for turn in ask.turns for call in turn.tool_calls)


def _flat(text: str) -> str:
    return " ".join(text.split())


REQUEST_KEPT = Check(NAME, "Every hop was asked what the client asked.", judge)
