"""Was every hop tried whose turn had come?"""

from collections.abc import Iterator, Sequence

from chaos.judge.check import Check, Finding, Kind, Where, failed, passed, unknown
from chaos.judge.evidence import (
    asked_besides,
    at_hop,
    claims_success,
    got_error,
    last_reason,
    quote,
    struck_late,
    times,
    told,
)
from chaos.judge.observation import Observation
from chaos.scenario.expectation import Expected
from chaos.scenario.plan import DrillPlan, PlannedHop
from chaos.witness.wire_record import AttemptOutcome

NAME = "chain_walked"
_FAILURES = frozenset({AttemptOutcome.FAULTED, AttemptOutcome.ERRORED, AttemptOutcome.REFUSED})


def judge(plan: DrillPlan, seen: Observation) -> Finding:
    """Compare the hops that were contacted with those whose turn had come."""
    primary, *fallbacks = plan.hops
    if plan.expect is Expected.REFUSED:
        return _nobody_else(plan, seen)
    if plan.expect is Expected.ERROR:
        return passed(NAME, "The settings expect an error, whichever hops are asked.")
    if not fallbacks:
        return _without_chain(primary, seen)
    contacted = [hop for hop in fallbacks if at_hop(seen, hop.group)]
    if any(record.group is None for record in seen.wire):
        # Which hop an unrecognised request was meant for cannot be told; hop_held says so.
        return passed(NAME, "Not every attempt on the wire could be matched to a hop.")
    if seen.strays and next(_skipped(plan, seen), None) is not None:
        return unknown(
            NAME,
            Kind.NONCE_LOST,
            f"A request came without the drill's nonce ({times(seen.strays)}) and was refused: it "
            "may have been for a hop whose turn had come.",
            hop=fallbacks[0].group,
            remedy="Look for guardrails or prompt hooks that rewrite the prompt on its way to a "
            "fallback, and exempt the key that sends drills from them.",
        )
    if not contacted and got_error(seen) and not struck_late(plan, seen):
        chain = ", ".join(map(_named, fallbacks))
        reason = last_reason(seen)
        # Without the status, which is the fault's own: one cause, whatever was played.
        got = f"an error, which says of the fallback: {quote(reason)}"
        return failed(
            NAME,
            Kind.NEVER_TRIED,
            f"{primary.group} failed and the client got {told(seen) if reason is None else got}; "
            f"no hop of the chain ({chain}) was contacted.",
            where=Where.GATEWAY,
            hop=fallbacks[0].group,
            remedy=_why_never(fallbacks, reason),
        )
    for hop, why in _skipped(plan, seen):
        return failed(
            NAME,
            Kind.HOP_SKIPPED,
            f"{_named(hop)} was not contacted although its turn had come: {why}.",
            where=Where.GATEWAY,
            hop=hop.group,
            remedy="Check that the hop exists under this name, that the key may use it and has "
            "budget left, and that the gateway's limit on fallbacks is not reached.",
        )
    walked = " → ".join(hop.group for hop in plan.hops if at_hop(seen, hop.group))
    return passed(NAME, f"The chain was walked as far as it had to be: {walked or 'nowhere'}.")


def _nobody_else(plan: DrillPlan, seen: Observation) -> Finding:
    """Judge a chain that the user wants not to be walked."""
    others = asked_besides(plan, seen)
    if others:
        why = f": {plan.expectation.reason}" if plan.expectation.reason else ""
        return failed(
            NAME,
            Kind.WRONG_HOP,
            f"{others[0]} was contacted, where the settings expect a refusal{why}.",
            where=Where.GATEWAY,
            hop=others[0],
            remedy="Keep the gateway from falling back here, or change the expectation.",
        )
    if seen.strays:
        return unknown(
            NAME,
            Kind.NONCE_LOST,
            f"A request came without the drill's nonce ({times(seen.strays)}) and was refused: it "
            "may have been for a fallback, which the settings do not expect to be asked.",
            hop=plan.hops[0].group,
            remedy="Look for guardrails or prompt hooks that rewrite the prompt on its way to a "
            "fallback, and exempt the key that sends drills from them.",
        )
    return passed(NAME, "No fallback was contacted, as the settings expect.")


def _named(hop: PlannedHop) -> str:
    return hop.group if hop.deployments else f"{hop.group}, which the gateway does not have,"


_REFUSES_PARAMETERS = ("UnsupportedParamsError", "not support parameters")
"""How LiteLLM says it: its Responses bridge has other words, but the same error."""


def _why_never(fallbacks: Sequence[PlannedHop], reason: str | None) -> str:
    if not any(hop.deployments for hop in fallbacks):
        # LiteLLM skips names that it does not know without a word.
        names = ", ".join(hop.group for hop in fallbacks)
        return f"Correct the chain: the gateway has no model group called {names}."
    first = fallbacks[0]
    if first.closed_to is not None:
        return (
            f"The key {first.closed_to} may not ask for {first.group}. If it should, give it "
            "access in LiteLLM; if it should not, expect a refusal of these drills (expect: in "
            "the configuration)."
        )
    if reason is not None and any(words in reason for words in _REFUSES_PARAMETERS):
        return (
            f"LiteLLM refuses a parameter of the request before it asks {fallbacks[0].group}: "
            "litellm_settings: {drop_params: true} drops what a hop does not take, or "
            "additional_drop_params in the hop's litellm_params."
        )
    if reason is not None:
        return f"LiteLLM began with {fallbacks[0].group} and did not ask it: mend what it says."
    return (
        "The gateway takes this failure for final on this endpoint: look at its fallbacks for "
        "this kind of error, at fallbacks in the request, and at the key's access to the hop."
    )


def _without_chain(primary: PlannedHop, seen: Observation) -> Finding:
    if claims_success(seen):
        return passed(NAME, f"{primary.group} has no chain, and the client got no error.")
    return failed(
        NAME,
        Kind.NO_FALLBACK,
        f"{primary.group} has no chain for this failure, and the client got {told(seen)}.",
        where=Where.GATEWAY,
        hop=primary.group,
        remedy=f"Give {primary.group} a fallback in the gateway's router settings.",
    )


def _skipped(plan: DrillPlan, seen: Observation) -> Iterator[tuple[PlannedHop, str]]:
    """Yield the hops that were passed over, and how that is known."""
    failing = got_error(seen) and not struck_late(plan, seen)
    for place, hop in enumerate(plan.hops[1:], start=1):
        if at_hop(seen, hop.group):
            continue
        later = next((h.group for h in plan.hops[place + 1 :] if at_hop(seen, h.group)), None)
        if later is not None:
            yield hop, f"{later} after it was"
        earlier = plan.hops[place - 1]
        tried = at_hop(seen, earlier.group)
        if failing and tried and tried[-1].outcome in _FAILURES:
            yield hop, f"{earlier.group} before it failed, and the client got {told(seen)}"


CHAIN_WALKED = Check(NAME, "Every hop of the chain was contacted when its turn had come.", judge)
