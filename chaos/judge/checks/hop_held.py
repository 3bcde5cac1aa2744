"""Did every fallback hop that was contacted hold, by its own bytes?

Attempts that the witness answered itself say nothing about a hop. An attempt that failed and
was made good by a retry at the same hop held.
"""

import re
import shlex

from chaos.gateway.topology import Deployment
from chaos.http_client import redirects
from chaos.judge.blame import Side
from chaos.judge.check import Check, Finding, Kind, Result, Where, failed, passed, unknown
from chaos.judge.checks.answer_kept import problem_of as answer_problem
from chaos.judge.checks.tool_calls import problem_of as call_problem
from chaos.judge.evidence import at_hop, got_error, quote, told
from chaos.judge.hop_reply import TRANSLATED, knows_no_such_endpoint, trouble, turned_away
from chaos.judge.observation import Observation, Sample
from chaos.scenario.expectation import Expected
from chaos.scenario.plan import DrillPlan, HopRole, PlannedHop
from chaos.witness.wire_record import AttemptOutcome, WireRecord

NAME = "hop_held"

_FLAG = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]+")


def judge(plan: DrillPlan, seen: Observation) -> Finding:
    """Look at the last attempt at every hop that was not meant to fail."""
    findings = [
        _judge_hop(plan, seen, hop)
        for hop in plan.hops
        if hop.role is not HopRole.FAIL or hop.group in plan.may_serve
    ]
    told = [finding for finding in findings if finding is not None]
    if plan.expect is not Expected.SERVED:
        # No hop has to hold. That one could not be asked for real still shows no error of its own.
        told = [finding for finding in told if finding.result is Result.UNKNOWN]
    stranger = next((record for record in seen.wire if record.group is None), None)
    if stranger is not None:
        told.append(_unrecognised(stranger))
    told.sort(key=lambda finding: finding.result.value)  # failed before unknown
    return told[0] if told else passed(NAME, _held(plan, seen))


def _judge_hop(plan: DrillPlan, seen: Observation, hop: PlannedHop) -> Finding | None:
    attempts = [r for r in at_hop(seen, hop.group) if r.outcome is not AttemptOutcome.FAULTED]
    if not attempts:
        return None
    last = attempts[-1]
    if last.outcome is AttemptOutcome.STOOD_IN:
        return None
    if last.outcome is AttemptOutcome.REFUSED:
        return _refused(seen, hop, last)
    wrong = trouble(last)
    if wrong is None:
        return None
    if plan.canary and turned_away(last):
        return unknown(
            NAME,
            Kind.HOP_NOT_FORWARDABLE,
            f"{hop.group} turned the drill's canary key away: {wrong}.",
            hop=hop.group,
            remedy=_key_remedy(hop, last),
        )
    if not _local(hop, last) and _passing(last):
        return unknown(
            NAME,
            Kind.HOP_UNAVAILABLE,
            f"{hop.group} is a remote provider and was itself unavailable: {wrong}.",
            hop=hop.group,
            remedy="Drill again; if it recurs, this hop is no safe place to fall to.",
        )
    return failed(
        NAME,
        Kind.HOP_FAILED,
        f"{hop.group} was contacted and itself failed: {wrong}{_on_chat(seen, hop)}.",
        where=Where.HOP,
        hop=hop.group,
        remedy=_remedy(plan, seen, hop, last),
    )


def _refused(seen: Observation, hop: PlannedHop, record: WireRecord) -> Finding | None:
    if record.status is not None and record.status >= 400:
        return unknown(
            NAME,
            Kind.HOP_NOT_FORWARDABLE,
            f"{hop.group} was contacted, and the witness could not pass the request on: "
            f"{quote(record.upstream_message)}.",
            hop=hop.group,
            remedy="Its real address is not known for certain; drill it with the twin.",
        )
    if seen.reply.timed_out:
        return None  # in_time says so
    if record.cut and not got_error(seen):
        return unknown(
            NAME,
            Kind.HOP_UNAVAILABLE,
            f"{hop.group} was contacted and was still answering when the drill ended; the client "
            "did not have to wait for it.",
            hop=hop.group,
            remedy="Ask it directly with the same request, and see how long it takes.",
        )
    until = f"the client got {told(seen)}" if record.cut else "the gateway gave up on it"
    waited_s = record.ended_at_s - record.started_at_s
    return failed(
        NAME,
        Kind.HOP_FAILED,
        f"{hop.group} was contacted and had not answered when {until}"
        + (f" after {waited_s:.1f} s." if waited_s > 0 else "."),
        where=Where.HOP,
        hop=hop.group,
        remedy="See whether the engine makes progress: it may hang while its health is green.",
    )


def _unrecognised(record: WireRecord) -> Finding:
    return unknown(
        NAME,
        Kind.HOP_NOT_FORWARDABLE,
        f"Attempt {record.ordinal} fits no known upstream (model {quote(record.model, 60)}), "
        "so the witness let nothing through.",
        remedy="Drill with the twin, where every deployment has an address of its own.",
    )


def _key_remedy(hop: PlannedHop, record: WireRecord) -> str:
    if _local(hop, record):
        return (
            "Name the engine's key in the configuration file: "
            f"engines: {{{hop.group}: {{url: …, key: {{env: NAME}}}}}}"
        )
    return "Drill this hop with --real-keys and a budget."


def _passing(record: WireRecord) -> bool:
    error = record.reply.error if record.reply else None
    status = record.status
    if status is not None and status < 300 and error is not None:
        status = error.status
    return status is None or status == 429 or status >= 500


def _local(hop: PlannedHop, record: WireRecord) -> bool:
    own = [d for d in hop.deployments if d.id == record.deployment]
    return _all_local(own or list(hop.deployments))


def _all_local(deployments: list[Deployment]) -> bool:
    return bool(deployments) and all(deployment.local for deployment in deployments)


def _on_chat(seen: Observation, hop: PlannedHop) -> str:
    """Say what a hop without the endpoint answered on chat completions, if it was asked."""
    sample = _chat_sample(seen, hop)
    if sample is None:
        return ""
    if sample.reading is None or not _answers(sample):
        return "; asked on chat completions, it fails there, too"
    for problem_of in (call_problem, answer_problem):
        problem = problem_of(sample.plan, sample.reading, Side.UPSTREAM)
        if problem is not None:
            return f"; on chat completions the same hop answers, and {problem.what}"
    return "; on chat completions the same hop answers well"


def _chat_sample(seen: Observation, hop: PlannedHop) -> Sample | None:
    return next((s for s in seen.on_chat if s.plan.scenario.group == hop.group), None)


def _answers(sample: Sample) -> bool:
    reading = sample.reading
    return reading is not None and reading.error is None and reading.has_output


def _remedy(plan: DrillPlan, seen: Observation, hop: PlannedHop, record: WireRecord) -> str:
    if redirects(record.status):
        return f"Give {hop.group} the api_base at which its upstream itself answers."
    flags = dict.fromkeys(_FLAG.findall(record.upstream_message or ""))
    if flags:
        return f"The engine's own message names what it lacks: start it with {' '.join(flags)}."
    if knows_no_such_endpoint(record):
        return _endpoint_remedy(plan, seen, hop, record)
    if record.status == 404:
        return f"Check that {hop.group} names a model which its upstream serves."
    if record.status is None:
        return f"Check that the upstream of {hop.group} runs where the gateway looks for it."
    return f"Ask {hop.group} directly with the same request, and fix what it complains about."


def _endpoint_remedy(
    plan: DrillPlan, seen: Observation, hop: PlannedHop, record: WireRecord
) -> str:
    """Say how a hop is asked for what it knows.

    Source: LiteLLM 1.103.0 and 1.106.2, run: with the parameter ``openai/`` and ``hosted_vllm/``
    are asked for chat completions on both endpoints. Without, ``hosted_vllm/`` is so for messages.
    """
    lacks = f"{hop.group} knows no such endpoint ({record.operation or plan.scenario.surface})."
    sample = _chat_sample(seen, hop)
    failed_too = sample is not None and not _answers(sample)
    if failed_too or plan.scenario.surface not in TRANSLATED:
        return f"{lacks} Check its api_base, which most servers want with /v1, and what it serves."
    translate = (
        "let LiteLLM (1.103.0 or later) translate: use_chat_completions_api: true in the "
        f"litellm_params of {hop.group}"
    )
    if sample is not None:
        return f"{lacks} {translate[:1].upper()}{translate[1:]}."
    return (
        f"{lacks} Compare what it says to chat: understudy drill --group "
        f"{shlex.quote(plan.scenario.group)} --surface chat_completions. If that holds, "
        f"{translate}; or give these clients a chain that ends elsewhere."
    )


def _held(plan: DrillPlan, seen: Observation) -> str:
    held = [
        hop.group
        for hop in plan.hops
        if any(r.outcome is AttemptOutcome.SERVED for r in at_hop(seen, hop.group))
    ]
    if held:
        return f"{', '.join(held)} answered by itself."
    return "No hop that could have failed by itself was passed a request."


HOP_HELD = Check(NAME, "A fallback hop that was contacted answered, by its own bytes.", judge)
