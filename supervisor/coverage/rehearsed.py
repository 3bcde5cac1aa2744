"""Which paths a gateway has, and which faults take turns on each. Pure.

What is rehearsed is what is used: not the whole product of everything, but what the settings
select for each group.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from chaos.errors import UsageError
from chaos.faults.fault import FaultName
from chaos.faults.kinds import FAULTS, parse_fault
from chaos.gateway.topology import Deployment, ModelGroup, Topology, Trigger
from chaos.scenario.catalogue import CATALOGUE
from chaos.scenario.expand import (
    TRIGGERS,
    Profile,
    Selection,
    chain_for,
    drilled_once,
    expand,
    worth_drilling,
)
from chaos.scenario.expectation import Expectation
from chaos.scenario.scenario import FallbackPath, Scenario
from chaos.traffic.as_client import name_as_client
from supervisor.coverage.ledger import Wish
from supervisor.settings.rehearse import GroupRehearsal, RehearseSettings

_ONE_PER_PATH = ("server_error", *TRIGGERS)
"""One fault for each trigger: applied everywhere, they find every path once."""


def rehearsed_paths(
    topology: Topology,
    settings: RehearseSettings,
    engines: Mapping[str, str] | None = None,
    expectations: Sequence[Expectation] = (),
) -> dict[FallbackPath, Wish]:
    """List the paths that are to be proven, with what the settings ask of each.

    Args:
        engines: What tells that an engine is not what it was, by model group.
        expectations: How drills should end; what was proven of another end proves nothing of it.
    """
    wanted: dict[FallbackPath, Wish] = {}
    counts: dict[tuple[object, ...], int] = {}
    names = tuple(FaultName(name) for name in _ONE_PER_PATH)
    once = drilled_once(topology)
    for group in worth_drilling(topology):
        own = settings.of(group)
        if not own.enabled:
            continue
        chosen = _chosen_faults(own)
        prints: dict[Trigger, str] = {}
        found = _scenarios(topology, group, own, names)
        for scenario in found[:1] if group in once else found:
            path = scenario.path
            general = path.trigger is Trigger.GENERAL
            # How many faults take turns depends on the request alone, but for special triggers,
            # whose fault some providers lack.
            what = (path.surface, path.shape, path.stream, own.faults, None if general else path)
            if what not in counts:
                counts[what] = len(_on_path(topology, own, path, chosen))
            if path.trigger not in prints:
                prints[path.trigger] = fingerprint(topology, group, path.trigger, engines)
            if counts[what]:
                wanted[path] = Wish(
                    _target_s(own),
                    bool(own.critical),
                    counts[what],
                    _with_ends(prints[path.trigger], scenario, chosen, expectations),
                )
    return wanted


def scenarios_of(
    topology: Topology, settings: RehearseSettings, path: FallbackPath
) -> dict[str, Scenario]:
    """List what is drilled on *path*, by fault, in the order in which faults take turns."""
    if topology.find(path.group) is None:
        return {}
    own = settings.of(path.group)
    return {
        str(scenario.fault): scenario
        for scenario in _on_path(topology, own, path, _chosen_faults(own))
    }


def fingerprint(
    topology: Topology, group: str, trigger: Trigger, engines: Mapping[str, str] | None = None
) -> str:
    """Name what the paths of *group* lead over, so that a change of it is seen.

    The gateway's version, its router, and every deployment and engine of the chain.
    """
    chain = chain_for(topology, group, trigger)
    groups = [topology.find(name) or ModelGroup(name, ()) for name in chain.meant]
    parts = (
        topology.litellm_version,
        repr(_stable_settings(topology)),
        repr(chain.meant),
        *(repr(sorted(map(_stable, group.deployments))) for group in groups),
        *((engines or {}).get(group.name, "") for group in groups),
    )
    return sha256("\n".join(parts).encode()).hexdigest()[:16]


def _with_ends(
    made: str,
    scenario: Scenario,
    faults: Sequence[FaultName],
    expectations: Sequence[Expectation],
) -> str:
    """Add to a fingerprint how drills of a path should end, where that is not as usual."""
    if not expectations:
        return made
    keys = [replace(scenario, fault=one).key for one in _of_trigger(faults, scenario.trigger)]
    ends = [repr(one) for one in expectations if any(map(one.covers, keys))]
    return sha256("\n".join((made, *ends)).encode()).hexdigest()[:16] if ends else made


def _stable(deployment: Deployment) -> str:
    """Write what a deployment is, without what says nothing about real requests.

    Whether its name resolves just now, and whether drills may redirect it.
    """
    return repr(replace(deployment, resolves=True, redirect_permission=None, redirectable=True))


def _stable_settings(topology: Topology) -> object:
    """Leave out the chains: each path looks at its own."""
    return replace(
        topology.settings,
        fallbacks=(),
        context_window_fallbacks=(),
        content_policy_fallbacks=(),
        caches=None,
    )


def _target_s(own: GroupRehearsal) -> float:
    if own.target is None:
        raise UsageError("no target is set", remedy="Set rehearse.target.")
    return own.target.total_seconds()


def _chosen_faults(own: GroupRehearsal) -> tuple[FaultName, ...]:
    if own.faults:
        return tuple(parse_fault(text)[1] for text in own.faults)
    return tuple(FaultName(name) for name, fault in FAULTS.items() if not fault.twin_only)


def _of_trigger(faults: Sequence[FaultName], trigger: Trigger) -> tuple[FaultName, ...]:
    return tuple(f for f in faults if TRIGGERS.get(f.name, Trigger.GENERAL) is trigger)


def _on_path(
    topology: Topology, own: GroupRehearsal, path: FallbackPath, faults: tuple[FaultName, ...]
) -> list[Scenario]:
    own = own.model_copy(
        update={
            "surfaces": (path.surface,),
            "shapes": (path.shape,),
            "streaming": "streamed" if path.stream else "whole",
            "clients": (),
            "profile": None,
        }
    )
    # Only those of the path's own trigger: of thousands of groups all paths are asked for.
    named = _of_trigger(faults, path.trigger)
    if not named:
        return []
    found = _scenarios(topology, path.group, own, named)
    return [scenario for scenario in found if scenario.path == path]


def _scenarios(
    topology: Topology, group: str, own: GroupRehearsal, faults: tuple[FaultName, ...]
) -> list[Scenario]:
    streams: Mapping[str, bool | None] = {"streamed": True, "whole": False}
    selection = Selection(
        groups=(group,),
        faults=faults,
        shapes=own.shapes or (),
        surfaces=own.surfaces or (),
        stream=streams.get(own.streaming or "both"),
        profile=Profile.EXHAUSTIVE,
    )
    if not own.asked_by:
        return expand(topology, selection, CATALOGUE)
    # The clients are what asks as agents do; each on the surface that it uses.
    others = tuple(shape for shape in own.shapes or CATALOGUE.usual_shapes if shape != "agent")
    agents = tuple(name_as_client("agent", client) for client in own.asked_by)
    wanted = [replace(selection, shapes=agents, surfaces=())]
    if others:
        wanted.insert(0, replace(selection, shapes=others))
    return [scenario for one in wanted for scenario in expand(topology, one, CATALOGUE)]
