"""Did the drill hit its fault? If not, it proves nothing, and this says why."""

import re

from chaos.http_client import redirects
from chaos.judge.check import Check, Finding, Kind, passed, unknown
from chaos.judge.evidence import at_hop, has_answer, quote, times, told
from chaos.judge.observation import Observation
from chaos.protocol.conversation import ToolCall
from chaos.scenario.expectation import Expected
from chaos.scenario.plan import DrillPlan, HopRole
from chaos.witness.wire_record import AttemptOutcome

NAME = "fault_hit"

_COOLED = re.compile(r"cool[ _-]?down|no deployments? available|in cooldown", re.IGNORECASE)
_CONNECTING = re.compile(
    r"connect|unreachable|refused to|name or service|resolve|getaddrinfo|dns|no route|timed? ?out",
    re.IGNORECASE,
)


def judge(plan: DrillPlan, seen: Observation) -> Finding:
    """Look for the primary's fault on the wire, and for every other fault that was due."""
    primary = plan.hops[0]
    hits = _hits(seen, primary.group)
    if not hits:
        return _why_not(plan, seen)
    # That a fallback was asked where none may be is a failure, whatever answered there.
    due = plan.hops if plan.expect is not Expected.REFUSED else plan.hops[:1]
    for hop in due:
        if hop.role is HopRole.FAIL and at_hop(seen, hop.group) and not _hits(seen, hop.group):
            return unknown(
                NAME,
                Kind.FAULT_NOT_HIT,
                f"{hop.group} was contacted {times(len(at_hop(seen, hop.group)))}, "
                f"but {hop.fault} was never played there.",
                hop=hop.group,
            )
    return passed(NAME, f"{primary.fault} answered {primary.group} {times(hits)}.")


def _hits(seen: Observation, group: str) -> int:
    return sum(r.outcome is AttemptOutcome.FAULTED for r in at_hop(seen, group))


def _why_not(plan: DrillPlan, seen: Observation) -> Finding:
    primary = plan.hops[0].group
    attempts = seen.wire
    if seen.strays and not attempts:
        return unknown(
            NAME,
            Kind.NONCE_LOST,
            "A request reached the witness without the drill's nonce "
            f"({seen.strays} strays), so it was let alone.",
            hop=primary,
            remedy="Look for guardrails or prompt hooks that rewrite the prompt, and exempt the "
            "key that sends drills from them.",
        )
    if not attempts:
        return _nothing_on_the_wire(plan, seen)
    if not has_answer(seen) and _COOLED.search(_error_text(seen)):
        return _cooldown(primary, seen)
    reached = ", ".join(dict.fromkeys(r.group or "an unknown hop" for r in attempts))
    return unknown(
        NAME,
        Kind.FAULT_NOT_HIT,
        f"{primary} was never made to fail: the gateway went to {reached} "
        f"({len(attempts)} attempts), and the client got {told(seen)}.",
        hop=primary,
        remedy="See whether the gateway kept the primary out of rotation (cooldown, routing "
        "rules, tags), and drill again.",
    )


def _nothing_on_the_wire(plan: DrillPlan, seen: Observation) -> Finding:
    primary = plan.hops[0].group
    if has_answer(seen):
        return _answered_without_the_witness(plan, seen)
    text = _error_text(seen)
    status = seen.reply.status
    if status is None and not seen.reply.timed_out:
        return _down(f"The gateway gave no response: {quote(seen.reply.broke_off)}.")
    if _COOLED.search(text):
        return _cooldown(primary, seen)
    if status is None or status == 408 or (status >= 500 and _CONNECTING.search(text)):
        if seen.load.reached:
            return _busy(plan, seen)
        return unknown(
            NAME,
            Kind.WITNESS_UNREACHABLE,
            f"No hop reached the witness; the client got {told(seen)}.",
            hop=primary,
            remedy="Check that the gateway's host can reach the witness's URL: containers have "
            "a 127.0.0.1 of their own, and forward proxies need an exception (NO_PROXY).",
        )
    if redirects(status):
        return unknown(
            NAME,
            Kind.GATEWAY_REFUSED,
            f"The gateway answered with {told(seen)}. It was not followed: the key and the prompt "
            "would go wherever it leads.",
            hop=primary,
            remedy="Give --gateway the address at which LiteLLM itself answers.",
        )
    if status in (502, 503, 504) and seen.reply.reading.error is None:
        return _down(f"Something before the gateway answered status {status} in its place.")
    if status >= 400:
        return unknown(
            NAME,
            Kind.GATEWAY_REFUSED,
            f"The gateway refused the request before any hop was contacted: {told(seen)}.",
            hop=primary,
            remedy="Check the drill key's access, and that every deployment of the group permits "
            "the redirect; the gateway's log has the reason.",
        )
    return unknown(
        NAME,
        Kind.FAULT_NOT_HIT,
        f"Nothing crossed the wire, and the client got {told(seen)} without output.",
        hop=primary,
    )


def _busy(plan: DrillPlan, seen: Observation) -> Finding:
    return unknown(
        NAME,
        Kind.GATEWAY_BUSY,
        f"The gateway contacted no hop in time; the client got {told(seen)}. Others of its "
        "attempts reached the witness, before or too late: it is busy, with users or with "
        "earlier drills.",
        hop=plan.hops[0].group,
        remedy="Raise --deadline, lower --concurrency, or drill at a quieter time.",
    )


def _answered_without_the_witness(plan: DrillPlan, seen: Observation) -> Finding:
    reading = seen.reply.reading
    if plan.nonce in reading.text or _in_calls(plan.nonce, reading.tool_calls):
        return unknown(
            NAME,
            Kind.FAULT_NOT_HIT,
            "The answer carries the drill's nonce, but no hop was contacted through the "
            "witness: the gateway reached an upstream by another way.",
            hop=plan.hops[0].group,
            remedy="The redirect was ignored; drill with the twin (--injector twin).",
        )
    return unknown(
        NAME,
        Kind.CACHED_REPLY,
        "The client got an answer without the drill's nonce, and nothing crossed the wire: "
        "a cache has answered.",
        hop=plan.hops[0].group,
        remedy="Exempt drills from the cache of the gateway, or of the proxy in front of it.",
    )


def _in_calls(nonce: str, calls: tuple[ToolCall, ...]) -> bool:
    return any(nonce in call.arguments for call in calls)


def _cooldown(primary: str, seen: Observation) -> Finding:
    return unknown(
        NAME,
        Kind.COOLDOWN_OPEN,
        f"The gateway did not contact {primary}: it says that its deployments are in "
        f"cooldown ({told(seen)}).",
        hop=primary,
        remedy="Wait until the cooldown is over; if no drill caused it, look for a real incident.",
    )


def _down(message: str) -> Finding:
    return unknown(
        NAME, Kind.GATEWAY_DOWN, message, remedy="Start the gateway, or correct its address."
    )


def _error_text(seen: Observation) -> str:
    error = seen.reply.reading.error
    if error is None:
        return seen.reply.reading.text
    return " ".join(filter(None, (error.message, error.type, error.code)))


FAULT_HIT = Check(NAME, "The drill's fault answered the primary, or it proves nothing.", judge)
