"""What the gateway shows of the deployments that other traffic uses, before and after drills.

A drill that LiteLLM redirects has a deployment of its own. Others feel it only if that one joins
the model list, if a deployment of theirs vanishes, is asked by our requests, or is cooled down
without a failure of its own traffic to explain that. An administrator who adds a model does
nothing of this kind.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from chaos.exposition import Sample

COOLED = "litellm_deployment_cooled_down_total"
FAILED = "litellm_deployment_failure_responses_total"


@dataclass(frozen=True, slots=True)
class Listed:
    """A deployment as the model list has it."""

    group: str
    base_url: str | None = None


@dataclass(frozen=True, slots=True)
class OtherTraffic:
    """One look at the gateway.

    Attributes:
        deployments: By id.
        cooled: How often each was cooled down; empty where no metrics say it.
        failed: How often each failed for requests that were none of ours.
        failed_for_us: How often each failed for requests of ours.
    """

    deployments: Mapping[str, Listed]
    cooled: Mapping[str, float] = field(default_factory=dict)
    failed: Mapping[str, float] = field(default_factory=dict)
    failed_for_us: Mapping[str, float] = field(default_factory=dict)


def read_other_traffic(
    deployments: Mapping[str, Listed], metrics: Iterable[Sample], *, agent: str
) -> OtherTraffic:
    """Count what *metrics* say of the listed deployments.

    Args:
        agent: How our clients name themselves (``user-agent``); LiteLLM labels failures with it.
    """
    cooled: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    ours: Counter[str] = Counter()
    for sample in metrics:
        identity = sample.labels.get("model_id", "")
        if identity not in deployments:
            continue
        count = int(sample.value)
        if sample.name == COOLED:
            cooled[identity] += count
            if sample.labels.get("exception_status") == "401":
                # LiteLLM counts no failure for a 401 of an upstream, and cools it down at once.
                # A drill has deployments of its own, so it was not ours. Source: 1.106.2, run.
                failed[identity] += count
        elif sample.name == FAILED:
            (ours if sample.labels.get("user_agent") == agent else failed)[identity] += count
    return OtherTraffic(deployments, cooled, failed, ours)


def felt(before: OtherTraffic, after: OtherTraffic, lanes: Collection[str]) -> tuple[str, ...]:
    """Say in sentences what other traffic felt between two looks.

    Args:
        lanes: Addresses of the witness, at which no caller may ever be served.
    """
    changed = (*_left_behind(after, lanes), *_vanished(before, after))
    # Counters that fell are another process's, or those of a gateway that was started anew.
    return changed if _fell(before, after) else (*changed, *_hurt(before, after))


def _left_behind(after: OtherTraffic, lanes: Collection[str]) -> Iterable[str]:
    for identity, listed in after.deployments.items():
        if listed.base_url is not None and listed.base_url.startswith(tuple(lanes)):
            yield (
                f"deployment {identity[:12]} of group {listed.group!r} points at the witness "
                f"({listed.base_url})"
            )


def _vanished(before: OtherTraffic, after: OtherTraffic) -> Iterable[str]:
    for identity, listed in before.deployments.items():
        if identity not in after.deployments:
            yield f"deployment {identity[:12]} vanished from group {listed.group!r}"


def _hurt(before: OtherTraffic, after: OtherTraffic) -> Iterable[str]:
    for identity, listed in after.deployments.items():
        name = f"deployment {identity[:12]} of group {listed.group!r}"
        ours = _more(before.failed_for_us, after.failed_for_us, identity)
        if ours:
            yield f"{name} failed {_times(ours)} for requests of drills"
        cooled = _more(before.cooled, after.cooled, identity)
        # What fails for its own callers is cooled down for their sake.
        if cooled and not _more(before.failed, after.failed, identity):
            yield f"{name} was cooled down {_times(cooled)}, and none of its own traffic had failed"


def _fell(before: OtherTraffic, after: OtherTraffic) -> bool:
    counted = ("cooled", "failed", "failed_for_us")
    return any(
        getattr(after, name).get(identity, 0) < count
        for name in counted
        for identity, count in getattr(before, name).items()
        if identity in after.deployments
    )


def _more(before: Mapping[str, float], after: Mapping[str, float], identity: str) -> int:
    return max(0, int(after.get(identity, 0) - before.get(identity, 0)))


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
