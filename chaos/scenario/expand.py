"""Which drills there are: chain x depth x fault x shape x surface x streaming, and their keys.

Pure. Names of faults, shapes and surfaces are handed in as what the registries hold, so that a
new plugin is drilled without a change here.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from chaos.faults.fault import Fault, FaultName, Phase
from chaos.gateway.topology import Chain, Deployment, Topology, Trigger
from chaos.protocol.dialect import Dialect
from chaos.protocol.surface import Surface
from chaos.traffic.shape import Task, TrafficShape


class Profile(StrEnum):
    """How much of the product of everything to drill."""

    SMOKE = "smoke"
    FULL = "full"
    EXHAUSTIVE = "exhaustive"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing to rehearse.

    Attributes:
        chain: Model groups, hop 0 first.
        depth: How many hops are made to fail. From 1 to ``len(chain)``.
        fault: The fault that was asked for.
        faults: What each failing hop really gets: a dialect may lack the fault.
    """

    group: str
    chain: tuple[str, ...]
    trigger: Trigger
    depth: int
    fault: str
    faults: Mapping[str, str]
    shape: str
    surface: str
    stream: bool

    @property
    def expected_hop(self) -> str | None:
        """The hop that must serve; None if everything is made to fail."""
        return self.chain[self.depth] if self.depth < len(self.chain) else None

    @property
    def everything_down(self) -> bool:
        """No hop is left to serve."""
        return self.depth >= len(self.chain)

    @property
    def key(self) -> str:
        """Its text form; stable, and the identity of the scenario across runs."""
        streaming = "stream" if self.stream else "whole"
        return "/".join(
            (
                self.group,
                self.trigger.value,
                str(self.depth),
                self.fault,
                self.shape,
                self.surface,
                streaming,
            )
        )


class HopRole(StrEnum):
    """What a hop has to do in a drill."""

    FAIL = "fail"
    SERVE = "serve"
    SPARE = "spare"  # after the serving hop; contacted only if something went wrong


@dataclass(frozen=True, slots=True)
class PlannedHop:
    """One hop of the plan.

    Attributes:
        fault: What makes it fail; None for hops that must not.
        attempts_allowed: 1 + the gateway's retries, for all deployments of the group.
        stand_in: The witness answers for it, instead of the real upstream.
    """

    group: str
    role: HopRole
    deployments: tuple[Deployment, ...]
    attempts_allowed: int
    fault: FaultName | None = None
    stand_in: bool = False


@dataclass(frozen=True, slots=True)
class DrillPlan:
    """Everything that is decided before a drill's request is sent.

    Attributes:
        nonce: In the prompt, and to come back in the answer.
        phase: Of the faults that are played.
        canary: The request carried our canary key instead of real ones.
        known_groups: Every model group of the gateway, to tell whom a claim names.
    """

    id: str
    scenario: Scenario
    nonce: str
    task: Task
    hops: tuple[PlannedHop, ...]
    phase: Phase
    deadline_s: float = 60.0
    first_token_s: float = 30.0
    canary: bool = True
    injector: str = "redirect"
    attempt: int = 1
    known_groups: frozenset[str] = field(default_factory=frozenset)

    @property
    def may_serve(self) -> frozenset[str]:
        """The groups whose answer is right: the expected hop, or one that fails only once."""
        once = {hop.group for hop in self.hops if hop.fault is not None and hop.fault.once}
        expected = self.scenario.expected_hop
        return frozenset(once | ({expected} if expected is not None else set()))

    def hop(self, group: str) -> PlannedHop | None:
        """Find the hop of *group*."""
        return next((hop for hop in self.hops if hop.group == group), None)


@dataclass(frozen=True, slots=True)
class Selection:
    """What the user asked to drill; an empty tuple means whatever the profile says.

    Attributes:
        stream: True, False, or None for both.
        depth: None for all.
        has_twin: Faults that only a twin can have are drilled without being asked for.
    """

    groups: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
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


SMOKE_FAULTS = ("billing", "rate_limit", "server_error")
SMOKE_SHAPES = ("chat", "tool_call", "agent", "embedding")
SMOKE_SURFACES = ("chat_completions", "embeddings")
SUBSTITUTE = "server_error"
"""What a hop gets whose dialect lacks the status fault that was asked for."""

TRIGGERS = {"context_window": Trigger.CONTEXT_WINDOW, "content_policy": Trigger.CONTENT_POLICY}
"""Faults that LiteLLM answers with a chain of their own, where one is configured."""


def expand(topology: Topology, selection: Selection, catalogue: Catalogue) -> list[Scenario]:
    """List the scenarios of *selection*, in the order in which they are best drilled.

    Groups come in the gateway's order; a group that is only somebody's last resort is left out
    unless it is asked for by name, because its failing *is* everything down.
    """
    groups = selection.groups or _worth_drilling(topology)
    seen: dict[str, Scenario] = {}
    for group in groups:
        for scenario in _of_group(topology, group, selection, catalogue):
            seen.setdefault(scenario.key, scenario)
    return list(seen.values())


def _worth_drilling(topology: Topology) -> tuple[str, ...]:
    targets = {hop for chain in topology.chains for hop in chain.fallbacks}
    keyed = {group for entry in topology.settings.fallbacks for group in entry}
    named = (name for name in topology.other_names if name in keyed)
    return tuple(
        name
        for name in (*topology.groups, *named)
        if name not in topology.wildcards
        and (topology.chain(name).fallbacks or name not in targets)
    )


def _of_group(
    topology: Topology, group: str, selection: Selection, catalogue: Catalogue
) -> Iterator[Scenario]:
    asked = topology.find(group)
    embeds = asked is not None and asked.embeds
    for surface, shape, stream in _requests(selection, catalogue, embeds=embeds):
        for fault_text in _faults(selection, catalogue):
            fault = catalogue.faults[FaultName.parse(fault_text).name]
            if not _applies(fault, catalogue.shapes[shape], embeds=embeds, stream=stream):
                continue
            trigger = TRIGGERS.get(fault.name, Trigger.GENERAL)
            played = _played(topology, group, fault_text, fault, catalogue)
            if trigger is not Trigger.GENERAL and played != fault_text:
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
                    fault=fault_text,
                    faults={
                        hop: _played(topology, hop, fault_text, fault, catalogue)
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
    surfaces = selection.surfaces or (SMOKE_SURFACES if smoke else tuple(catalogue.surfaces))
    shapes = selection.shapes or (SMOKE_SHAPES if smoke else tuple(catalogue.shapes))
    for surface_name in surfaces:
        surface = catalogue.surfaces.get(surface_name)
        for shape_name in shapes:
            shape = catalogue.shapes.get(shape_name)
            if surface is None or shape is None or surface_name not in shape.surfaces:
                continue
            if embeds != (surface_name == "embeddings"):
                continue
            for stream in (False, True):
                if stream and not surface.streams:
                    continue
                if selection.stream is None or selection.stream == stream:
                    yield surface_name, shape_name, stream


def _faults(selection: Selection, catalogue: Catalogue) -> Iterable[str]:
    if selection.faults:
        return selection.faults
    if selection.profile == Profile.SMOKE:
        return [name for name in SMOKE_FAULTS if name in catalogue.faults]
    return [name for name, f in catalogue.faults.items() if selection.has_twin or not f.twin_only]


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
    topology: Topology, hop: str, fault_text: str, fault: Fault, catalogue: Catalogue
) -> str:
    """Name the fault that *hop* gets: the one asked for, or the substitute it has."""
    if not fault.status_fault:
        return fault_text
    wanted = FaultName.parse(fault_text)
    row = ".".join(filter(None, (wanted.name, wanted.variant)))
    group = topology.find(hop)
    dialects = {d.dialect for d in group.deployments} if group else set()
    has_row = all(
        name is not None and name in catalogue.dialects and row in catalogue.dialects[name].rows
        for name in dialects
    )
    return fault_text if has_row else str(FaultName(SUBSTITUTE, None, wanted.once))
