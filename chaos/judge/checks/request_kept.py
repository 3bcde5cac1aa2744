"""Was every hop asked what the client asked?

``chaos.judge.request_changes`` compares, and says what a gateway may add and respell.
"""

from collections.abc import Iterator

from chaos.judge.check import Check, Finding, Kind, Where, failed, passed, unknown
from chaos.judge.observation import Observation
from chaos.judge.request_changes import as_tool_call, changes
from chaos.protocol.conversation import Ask
from chaos.protocol.surfaces import SURFACES
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
            "came another, of unknown origin.",
            hop=mixed.group,
            remedy="If the deployment adds it by itself (extra_headers), all is well.",
        )
    keys = " (the drill's canary key; real keys were not tried)" if plan.canary else ""
    return passed(NAME, f"{len(compared)} attempts asked what the client asked{keys}.")


def _changes(plan: DrillPlan, record: WireRecord) -> Iterator[str]:
    if plan.canary and record.key_owner is KeyOwner.OTHER:
        yield "a key other than the one in the request was sent"
    sent, asked = _sent(plan), record.asked
    if asked is None:
        return
    if plan.nonce in sent.text and plan.nonce not in asked.text:
        yield f"the nonce {plan.nonce!r} is gone from its text"
    wrapped = plan.scenario.stream and as_tool_call(sent, asked)
    # A schema as a forced call is asked for whole, and streamed to the client by the gateway.
    if not sent.inputs and record.stream != plan.scenario.stream and not wrapped:
        yield f"stream is {record.stream} instead of {plan.scenario.stream}"
    hop = plan.hop(record.group or "")
    deployments = hop.deployments if hop is not None else ()
    own_tools = {name for deployment in deployments for name in deployment.own_tools}
    renewed = set(hop.parameters) if hop is not None else set()
    if any(deployment.thinks for deployment in deployments) and _more(asked, sent):
        renewed.add("max_tokens")  # what goes into thoughts comes on top
    yield from changes(sent, asked, own_tools=own_tools, renewed=renewed)


def _sent(plan: DrillPlan) -> Ask:
    """Read what went out: a client profile's parameters take the place of ours."""
    ask = plan.task.ask
    if not ask.extra:
        return ask
    spoken = SURFACES[plan.scenario.surface].format
    model, stream = plan.scenario.group, plan.scenario.stream
    return spoken.read_ask(spoken.write_ask(ask, model=model, stream=stream))


def _more(asked: Ask, sent: Ask) -> bool:
    return (asked.max_tokens or 0) > (sent.max_tokens or 0)


REQUEST_KEPT = Check(NAME, "Every hop was asked what the client asked.", judge)
