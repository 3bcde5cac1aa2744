"""Which drills there are: chain x depth x fault x shape x surface x streaming.

Pure. Faults, shapes and surfaces are handed in as what the registries hold, so that a new plugin
is drilled without a change here.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice

from chaos.errors import UsageError
from chaos.faults.fault import Fault, FaultName
from chaos.faults.http_error import own_row
from chaos.gateway.topology import Chain, Topology, Trigger
from chaos.gateway.wildcards import a_choice
from chaos.protocol.dialect import Dialect
from chaos.protocol.dialects.generic import GENERIC
from chaos.protocol.surfaces import Surface
from chaos.registry import lookup
from chaos.scenario.scenario import Scenario
from chaos.traffic.shape import TrafficShape


class Profile(StrEnum):
    """How much of the product of everything to drill."""

    SMOKE = "smoke"
    FULL = "full"
    EXHAUSTIVE = "exhaustive"


@dataclass(frozen=True, slots=True)
class Selection:
    """What the user asked to drill; an empty tuple means whatever the profile says.

    Attributes:
        stream: True, False, or None for both.
        depth: None for all.
        has_twin: What only a twin can drill is drilled without being asked for: some faults, and
            hidden aliases.
    """

    groups: tuple[str, ...] = ()
    faults: tuple[FaultName, ...] = ()
    shapes: tuple[str, ...] = ()
    surfaces: tuple[str, ...] = ()
    stream: bool | None = None
    depth: int | None = None
    profile: Profile = Profile.SMOKE
    has_twin: bool = False


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What there is to drill with: the registries, handed in."""

    faults: Mapping[str, Fault]
    shapes: Mapping[str, TrafficShape]
    surfaces: Mapping[str, Surface]
    dialects: Mapping[str, Dialect]

    @property
    def usual_shapes(self) -> tuple[str, ...]:
        """Name the shapes that are drilled without being named; as a client only if one is."""
        return tuple(name for name, shape in self.shapes.items() if shape.client is None)


SMOKE_FAULTS = ("billing", "rate_limit", "server_error")
SMOKE_SHAPES = ("chat", "tool_call", "agent", "embedding")
SMOKE_SURFACES = ("chat_completions", "embeddings")
SUBSTITUTE = "server_error"
"""What a hop gets whose dialect lacks the status fault that was asked for."""

TRIGGERS = {"context_window": Trigger.CONTEXT_WINDOW, "content_policy": Trigger.CONTENT_POLICY}
"""Faults that LiteLLM answers with a chain of their own, where one is configured."""


def scenarios_for(topology: Topology, selection: Selection, catalogue: Catalogue) -> list[Scenario]:
    """List what to drill, and explain a selection that leaves nothing.

    Raises:
        UsageError: A name that does not exist, or nothing is left to drill.
    """
    for group in selection.groups:
        names = {**topology.groups, **topology.other_names, **topology.standing}
        lookup("model group of this gateway", group, names)
        if group in topology.wildcards:
            raise UsageError(
                f"no model stands for the wildcard {group!r}, of which LiteLLM lists no models",
                remedy=f"Name one in the configuration file: {a_choice(group)}",
            )
        found = topology.find(group)
        if found is not None and not found.drilled:
            raise UsageError(
                f"no drill asks for what {group!r} does: its mode is {found.mode}",
                remedy="Drill groups that chat or embed; 'understudy audit' lists those that no "
                "drill covers.",
            )
        closed = topology.closed(group)
        if closed is not None:
            raise UsageError(
                f"no drill can ask for {group!r}: {closed}",
                remedy="Drill the groups that the key may ask for, or as another key.",
            )
    for shape in selection.shapes:
        lookup("traffic shape", shape, catalogue.shapes)
    for surface in selection.surfaces:
        lookup("surface", surface, catalogue.surfaces)
    if not topology.groups:
        raise UsageError(
            "the gateway has no model groups",
            remedy="Add models to its configuration, or check that this key may see them.",
        )
    scenarios = expand(topology, selection, catalogue)
    if not scenarios:
        raise UsageError(
            "there is nothing to drill: no scenario fits the options together",
            remedy="Leave out --depth, --shape, --surface or --fault; --list shows what is left. "
            "A stream fault needs --stream, tool_call_cut a shape with a tool call.",
        )
    return scenarios


def expand(topology: Topology, selection: Selection, catalogue: Catalogue) -> list[Scenario]:
    """List the scenarios of *selection*, in the order in which they are best drilled.

    Groups come in the gateway's order; a group that is only somebody's last resort is left out
    unless it is asked for by name, because its failing *is* everything down.
    """
    named = dict.fromkeys(map(topology.called, selection.groups))
    groups = tuple(named) or worth_drilling(topology, has_twin=selection.has_twin)
    once = frozenset() if named else drilled_once(topology)
    seen: dict[str, Scenario] = {}
    for group in groups:
        found = _of_group(topology, group, selection, catalogue)
        for scenario in islice(found, 1) if group in once else found:
            seen.setdefault(scenario.key, scenario)
    return list(seen.values())


def worth_drilling(topology: Topology, *, has_twin: bool = False) -> tuple[str, ...]:
    """List what is drilled without being named, in the gateway's order: groups, then other names.

    Aliases are what clients ask for, and LiteLLM looks fallbacks up by the alias. Of the many
    other names those with a chain of their own are drilled.

    Args:
        has_twin: Hidden aliases are listed too, which only a twin can drill.
    """
    targets = {hop for chain in topology.chains for hop in chain.fallbacks}
    keyed = {group for entry in topology.settings.fallbacks for group in entry}

    def used(name: str) -> bool:
        in_chain = topology.chain(name).fallbacks or name not in targets
        return bool(in_chain) and _is_drilled(topology, name)

    groups = (name for name in topology.groups if name not in topology.wildcards and used(name))
    unreachable = frozenset() if has_twin else topology.hidden_aliases
    aliases = {alias for alias, group in topology.aliases.items() if used(group)}
    others = (
        name
        for name in topology.other_names
        if name not in unreachable
        and ((name in keyed and used(name)) or (name in aliases and _is_drilled(topology, name)))
    )
    return (*groups, *others)


def only_by_twin(topology: Topology) -> tuple[str, ...]:
    """List the hidden aliases that are worth drilling, and need a twin for it."""
    without = worth_drilling(topology)
    return tuple(name for name in worth_drilling(topology, has_twin=True) if name not in without)


def drilled_once(topology: Topology) -> frozenset[str]:
    """List the aliases whose chains are those of their groups, where one drill shows it."""
    return frozenset(
        alias
        for alias, group in topology.aliases.items()
        if all(_fallbacks(topology, alias, t) == _fallbacks(topology, group, t) for t in Trigger)
    )


def _fallbacks(topology: Topology, group: str, trigger: Trigger) -> tuple[str, ...]:
    return chain_for(topology, group, trigger).meant[1:]


def _is_drilled(topology: Topology, name: str) -> bool:
    group = topology.find(name)
    return group is not None and group.drilled and topology.closed(name) is None


def not_covered(topology: Topology) -> dict[str, str]:
    """List the groups that no drill can ask, with their mode, in the gateway's order."""
    return {name: group.family for name, group in topology.groups.items() if not group.drilled}


def closed_to_caller(topology: Topology) -> dict[str, str]:
    """List the groups that the virtual key cannot ask for, with the reason."""
    return {
        name: reason
        for name, group in topology.groups.items()
        if group.drilled and (reason := topology.closed(name)) is not None
    }


def _of_group(
    topology: Topology, group: str, selection: Selection, catalogue: Catalogue
) -> Iterator[Scenario]:
    asked = topology.find(group)
    embeds = asked is not None and asked.embeds
    for surface, shape, stream in _requests(selection, catalogue, embeds=embeds):
        for name in _faults(selection, catalogue):
            fault = catalogue.faults[name.name]
            if not _applies(fault, catalogue.shapes[shape], embeds=embeds, stream=stream):
                continue
            trigger = TRIGGERS.get(fault.name, Trigger.GENERAL)
            played = _played(topology, group, name, fault, catalogue)
            if trigger is not Trigger.GENERAL and played != name:
                continue  # the substitute is another kind of failure, with another chain
            chain = chain_for(topology, group, trigger)
            if not _in_profile(selection, catalogue, fault, surface, shape, stream, embeds):
                continue
            for depth in _depths(chain, selection.depth):
                yield Scenario(
                    group=group,
                    chain=chain.meant,
                    trigger=trigger,
                    depth=depth,
                    fault=name,
                    faults={
                        hop: _played(topology, hop, name, fault, catalogue)
                        for hop in chain.meant[:depth]
                    },
                    shape=shape,
                    surface=surface,
                    stream=stream,
                )


def chain_for(topology: Topology, group: str, trigger: Trigger) -> Chain:
    """Tell the chain that should be walked: the trigger's own, else the general one.

    A user who wrote only general fallbacks expects them for every failure. That LiteLLM may
    ignore them, once any group has a list of the special kind, is for the drill to find out.
    """
    own = topology.chain(group, trigger)
    if len(own.meant) > 1 or trigger == Trigger.GENERAL:
        return own
    return replace(topology.chain(group, Trigger.GENERAL), trigger=trigger)


def _depths(chain: Chain, wanted: int | None) -> Sequence[int]:
    depths = range(1, len(chain.meant) + 1)
    return [depth for depth in depths if wanted is None or depth == wanted]


def _requests(
    selection: Selection, catalogue: Catalogue, *, embeds: bool
) -> Iterator[tuple[str, str, bool]]:
    smoke = selection.profile == Profile.SMOKE
    usual = SMOKE_SURFACES if smoke else tuple(catalogue.surfaces)
    surfaces = selection.surfaces or dict.fromkeys((*usual, *catalogue.surfaces))
    shapes = selection.shapes or (SMOKE_SHAPES if smoke else catalogue.usual_shapes)
    for surface_name in surfaces:
        surface = catalogue.surfaces.get(surface_name)
        for shape_name in shapes:
            shape = catalogue.shapes.get(shape_name)
            if surface is None or shape is None or surface_name not in shape.surfaces:
                continue
            if not selection.surfaces and not _asked_on(surface_name, shape, usual):
                continue
            if embeds != (surface_name == "embeddings"):
                continue
            for stream in (False, True):
                if stream and not surface.streams:
                    continue
                if selection.stream is None or selection.stream == stream:
                    yield surface_name, shape_name, stream


def _asked_on(surface: str, shape: TrafficShape, usual: tuple[str, ...]) -> bool:
    """Tell whether *shape* is asked on *surface* where none is named; a client has its own."""
    return surface == shape.usual_surface if shape.usual_surface else surface in usual


def _faults(selection: Selection, catalogue: Catalogue) -> Iterable[FaultName]:
    if selection.faults:
        return selection.faults
    if selection.profile == Profile.SMOKE:
        return [FaultName(name) for name in SMOKE_FAULTS if name in catalogue.faults]
    # A fault that ends takes a minute by itself, and a twin of its own: it is asked for by name.
    faults = [(name, f) for name, f in catalogue.faults.items() if f.lasts_s(None) is None]
    return [FaultName(name) for name, f in faults if selection.has_twin or not f.twin_only]


def _applies(fault: Fault, shape: TrafficShape, *, embeds: bool, stream: bool) -> bool:
    if fault.streams_only and not stream:
        return False
    if fault.tools_only and not (shape.needs_tools and shape.name != "tool_result"):
        return False
    return not (embeds and fault.chats_only)


def _in_profile(
    selection: Selection,
    catalogue: Catalogue,
    fault: Fault,
    surface: str,
    shape: str,
    stream: bool,
    embeds: bool,
) -> bool:
    """Full: every fault on its first applicable shape, plus every shape with billing."""
    if selection.profile != Profile.FULL or fault.name == "billing":
        return True
    first = next(
        (
            (surface, name, stream)
            for wanted_surface, name, wanted_stream in _requests(
                selection, catalogue, embeds=embeds
            )
            if (wanted_surface, wanted_stream) == (surface, stream)
            and _applies(fault, catalogue.shapes[name], embeds=embeds, stream=stream)
        ),
        None,
    )
    return first == (surface, shape, stream)


def _played(
    topology: Topology, hop: str, wanted: FaultName, fault: Fault, catalogue: Catalogue
) -> FaultName:
    """Name the fault that *hop* gets: the one asked for, or the substitute it has."""
    if not fault.status_fault:
        return wanted
    group = topology.find(hop)
    dialects = {d.dialect or GENERIC for d in group.deployments} if group else set()
    has_row = [
        name in catalogue.dialects and own_row(catalogue.dialects[name], wanted) is not None
        for name in dialects
    ]
    # Several providers in one group fail each in its own way. Only a failure that has a chain of
    # its own must be the same for all.
    enough = all(has_row) if fault.name in TRIGGERS else any(has_row) or not has_row
    return wanted if enough else FaultName(SUBSTITUTE, None, wanted.once)
