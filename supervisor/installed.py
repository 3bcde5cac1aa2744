"""What is installed of each local engine: how its last swap stands, and what is mounted over it.

Pure: read from a snapshot, for alerts, metrics, page and API alike.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from supervisor.probes.probe import PartKind
from supervisor.status import Status
from supervisor.store.engines.patches import PatchLook
from supervisor.store.engines.rollouts import JournalRollout, RolloutState

UNDER_WAY = (RolloutState.SWAPPING, RolloutState.RESTORING)
SETTLES_WITHIN = timedelta(minutes=5)
"""What a swap has changed is seen by then, by every look."""

_TO_DO: Mapping[str, str] = {
    RolloutState.STAGED: "understudy rollout swap",
    RolloutState.SWAPPING: "understudy rollout swap --resume, or: understudy rollout rollback",
    RolloutState.RESTORING: "understudy rollout rollback",
    RolloutState.STRANDED: "understudy rollout rollback; where memory is missing, reboot before it",
}


@dataclass(frozen=True, slots=True)
class Swap:
    """The last swap of one container.

    Attributes:
        under_way: Somebody is at it, as far as can be told.
        trouble: Why a person is wanted; empty if none is.
        to_do: The command that goes on with it; empty if it has ended.
    """

    rollout: JournalRollout
    under_way: bool
    trouble: str
    to_do: str


@dataclass(frozen=True, slots=True)
class Patch:
    """A file that is mounted over one of the running image's own.

    Attributes:
        look: The newest look at it: of the image that runs, if there is one.
        trouble: Why the mount may be obsolete; empty if it fits.
    """

    engine: str
    look: PatchLook
    trouble: str


def swaps(status: Status) -> Iterator[Swap]:
    """Say how the last swap of each container stands."""
    for one in status.rollouts:
        quiet_s = float(one.row.get("quiet_s") or 0)
        lately = (status.at - one.changed_at).total_seconds() <= quiet_s
        begun = one.state in UNDER_WAY
        yield Swap(
            one,
            under_way=begun and lately,
            trouble=_trouble(one) if not lately or not begun else "",
            to_do=_TO_DO.get(one.state, ""),
        )


def _trouble(one: JournalRollout) -> str:
    if one.state == RolloutState.STRANDED:
        return str(one.row.get("why") or "neither the old engine nor the new one serves")
    if one.state in UNDER_WAY:
        return f"it was interrupted while {one.state}, and nobody goes on with it"
    return ""


def changed_by_swap(status: Status, engine: str, since: datetime) -> bool:
    """Tell whether what *engine* has become since then is what a swap of it has made.

    Its gates have shown that it works, and its paths are drilled anew.
    """
    return any(
        one.engine == engine
        and one.state in (*UNDER_WAY, RolloutState.ACCEPTED, RolloutState.RESTORED)
        and one.begun_at <= since <= one.changed_at + SETTLES_WITHIN
        for one in status.rollouts
    )


def patches(status: Status) -> Iterator[Patch]:
    """Say what each file hides that is mounted over the image of a container that is watched.

    Of one that was never seen nothing is said; of one that cannot be seen now, what it was.
    """
    for part, standing in status.condition.parts.items():
        if part.kind is not PartKind.CONTAINER:
            continue
        name, image = standing.facts.get("container"), standing.facts.get("image_id")
        mounts = standing.facts.get("mounts") or ()
        newest: dict[str, PatchLook] = {}
        for look in status.patches:
            of_this = newest.get(look.target)
            if look.container == name and (of_this is None or of_this.image != image):
                newest[look.target] = look
        for target, look in newest.items():
            if target in mounts:
                yield Patch(part.name, look, _hidden(look, str(image)))


def _hidden(look: PatchLook, image: str) -> str:
    if look.image == image:
        return look.trouble
    return (
        f"the container runs another image ({_short(image)}) than the one that the mounted file "
        f"was compared with ({_short(look.image)}): what the mount hides is not known"
    )


def _short(image: str) -> str:
    return image.removeprefix("sha256:")[:12]
