"""Does the gateway tell truly who served? Its headers and ``model`` field are claims.

Only contradictions count: a name that belongs to nobody else, or the name that the client asked
for, claims nothing.
"""

from collections.abc import Iterator

from chaos.gateway.topology import Deployment
from chaos.judge.check import Check, Finding, Kind, Where, failed, passed
from chaos.judge.evidence import ANSWERED, at_hop, claims_success, source
from chaos.judge.observation import Observation
from chaos.scenario.plan import DrillPlan
from chaos.witness.wire_record import WireRecord

NAME = "story"


def judge(plan: DrillPlan, seen: Observation) -> Finding:
    """Compare what headers and body say with the attempt whose output the client got."""
    record = source(seen) if claims_success(seen) else None
    if record is None or record.group is None or record.outcome not in ANSWERED:
        return passed(NAME, "No hop served, so no name could be misreported.")
    lies = list(_lies(plan, seen, record))
    if not lies:
        return passed(
            NAME, f"Nothing that the gateway says contradicts that {record.group} served."
        )
    return failed(
        NAME,
        Kind.MISREPORTED,
        f"{record.group} served, but {' and '.join(lies)}.",
        where=Where.GATEWAY,
        hop=record.group,
        remedy="Do not count fallbacks by these headers or fields; the answer itself is right.",
    )


def _lies(plan: DrillPlan, seen: Observation, record: WireRecord) -> Iterator[str]:
    headers, requested = seen.reply.headers, plan.scenario.group
    groups = {hop.group for hop in plan.hops} | plan.known_groups
    group = headers.get("x-litellm-model-group")
    if group in groups and group != record.group:
        yield f"x-litellm-model-group says {group!r}"
    count = headers.get("x-litellm-attempted-fallbacks", "")
    if count.isdigit():
        fell_back = record.group != requested
        contacted = any(at_hop(seen, hop.group) for hop in plan.hops[1:])
        if fell_back and int(count) == 0:
            yield "x-litellm-attempted-fallbacks says 0"
        elif not fell_back and not contacted and int(count) > 0 and not _fails_over(plan):
            yield f"x-litellm-attempted-fallbacks says {count}"
    deployment = headers.get("x-litellm-model-id")
    owner = next(
        (h.group for h in plan.hops for d in h.deployments if d.id == deployment), record.group
    )
    if owner != record.group:
        yield f"x-litellm-model-id names a deployment of {owner}"
    model = seen.reply.reading.models[-1] if seen.reply.reading.models else None
    if model is not None and model != requested and _names_another(plan, record, model):
        yield f"the reply's model is {model!r}"


def _fails_over(plan: DrillPlan) -> bool:
    """Tell whether LiteLLM may count a step inside the group as a fallback.

    It does so for another ``order``, and for another deployment with weighted failover.
    """
    return plan.hops[0].fails_over


def _names_another(plan: DrillPlan, record: WireRecord, model: str) -> bool:
    own = {record.group, record.model}
    others: set[str | None] = set(plan.known_groups)
    for hop in plan.hops:
        names = {hop.group}.union(*(_names(d) for d in hop.deployments))
        (own if hop.group == record.group else others).update(names)
    return model in others and model not in own


def _names(deployment: Deployment) -> set[str]:
    unprefixed = deployment.litellm_model.split("/", 1)[-1]
    return {deployment.litellm_model, unprefixed, deployment.upstream_model}


STORY = Check(NAME, "Headers and model field do not name another server than the one.", judge)
