"""What a canary has to prove before a real key follows it on the same way.

The gateway itself puts a real key into a request, so nobody can look at the key first. The
canary goes the same way before, and only where it arrived beyond doubt does a key go too.
"""

from collections.abc import Collection

from chaos.drill.leasing import keyless
from chaos.judge.observation import Observation
from chaos.scenario.plan import DrillPlan
from chaos.witness.wire_record import KeyOwner


def doubt(plan: DrillPlan, seen: Observation, alike: Collection[str] = ()) -> str | None:
    """Say why the drill *seen* does not prove the way of *plan*; None if it does.

    Args:
        plan: A plan by canary.
        alike: Groups outside the chain that look like the expected hop on the wire. With any,
            only the gateway's own word tells which of them answered: the name of the group.
    """
    expected = plan.scenario.expected_hop
    records = [r for r in seen.wire if expected is None or r.group == expected]
    if not records:
        return f"the canary never arrived at {expected or 'any hop'}"
    if any(record.via_proxy for record in seen.wire):
        return "the canary came through a proxy, which would see a real key too"
    if not keyless(plan) and any(r.key_owner is not KeyOwner.CANARY for r in records):
        return f"the request at {expected or 'the last hop'} did not carry the canary key"
    peers = sorted({record.peer for record in seen.wire if record.peer is not None})
    if len(peers) > 1:
        return f"the canary came from several addresses ({', '.join(peers)}), not from one gateway"
    own = {d.id for hop in plan.hops if hop.group == expected for d in hop.deployments}
    headers = seen.reply.headers
    # A redirected deployment has an id of its own; its group keeps its name.
    named = headers.get("x-litellm-model-id") in own or (
        expected is not None and headers.get("x-litellm-model-group") == expected
    )
    if alike and not named:
        return (
            f"{' and '.join(sorted(alike))} looks like {expected} on the wire, and the gateway "
            "did not name the group that answered"
        )
    return None
