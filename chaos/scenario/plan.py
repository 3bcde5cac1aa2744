"""Decide everything about a drill before its request is sent, and only once.

A scenario becomes a plan; the canary, the second try and the direct samples are made from that
plan and keep its id, so that guard, driller, progress and report speak of one thing.
"""

import random
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from chaos.faults.fault import FaultName, Phase
from chaos.faults.http_error import row_of
from chaos.gateway.topology import Deployment, ModelGroup, Topology
from chaos.protocol.dialects.generic import GENERIC
from chaos.scenario.attempts import attempts_allowed
from chaos.scenario.expand import Catalogue
from chaos.scenario.expectation import AS_USUAL, Expectation, Expected
from chaos.scenario.scenario import Scenario
from chaos.traffic.shape import ClientProfile, Task


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
        parameters: Names of parameters that the chain itself sets anew for this hop.
        fails_over: The gateway may go on to other deployments of the same group.
        spared: Ids of deployments that are not made to fail, because they are the fallback of a
            group that has no other.
        closed_to: The virtual key that drills, where it may not ask for the group itself.
    """

    group: str
    role: HopRole
    deployments: tuple[Deployment, ...]
    attempts_allowed: int
    fault: FaultName | None = None
    stand_in: bool = False
    parameters: frozenset[str] = frozenset()
    fails_over: bool = False
    spared: frozenset[str] = frozenset()
    closed_to: str | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """How a fault that ends is drilled: many requests, before it, in it and after it.

    Attributes:
        down_s: How long it lasts.
        every_s: From the beginning of one request to that of the next; a later one waits for it.
        recover_within_s: How long after its end the primary may take to serve again.
    """

    down_s: float
    every_s: float
    recover_within_s: float

    @property
    def most_s(self) -> float:
        """How long the whole course takes at most, beside its last request."""
        return self.down_s + 2 * self.recover_within_s + 2 * self.every_s


@dataclass(frozen=True, slots=True)
class DrillPlan:
    """Everything that is decided before a drill's request is sent.

    Attributes:
        nonce: In the prompt, and to come back in the answer.
        phase: Of the faults that are played.
        canary: The request carried our canary key instead of real ones.
        id: Names the drill; what is derived from a plan keeps it.
        secret: In the prompt besides the nonce where no canary key marks the request as ours.
        known_groups: Every model group of the gateway, to tell whom a claim names.
        course: Of a fault that ends; None for the others, which one request is enough for.
        client: As whom it asks: a client of the registry, or a profile of the user's own.
        expectation: How it should end, and why, as the user says.
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
    require_real: bool = False
    secret: str | None = None
    known_groups: frozenset[str] = field(default_factory=frozenset)
    course: Course | None = None
    client: str | None = None
    expectation: Expectation = AS_USUAL

    @property
    def most_s(self) -> float:
        """How long the drill takes at most."""
        return self.deadline_s * 2 + self.course.most_s if self.course else self.deadline_s

    @property
    def expect(self) -> Expected:
        """How it should end."""
        return self.expectation.outcome

    @property
    def may_serve(self) -> frozenset[str]:
        """The groups whose answer is right: the expected hop, or one that fails only in part.

        None is where the user expects no answer.
        """
        if self.expect is not Expected.SERVED:
            return frozenset()
        once = {hop.group for hop in self.hops if hop.fault and (hop.fault.once or hop.spared)}
        expected = self.scenario.expected_hop
        return frozenset(once | ({expected} if expected is not None else set()))

    def hop(self, group: str) -> PlannedHop | None:
        """Find the hop of *group*."""
        return next((hop for hop in self.hops if hop.group == group), None)


MAX_TOKENS = 512
MAX_TOKENS_REASONING = 2048
BUDGET_FACTOR = 4
"""How much more a second try gets when all tokens went into reasoning."""


@dataclass(frozen=True, slots=True)
class DrillOptions:
    """What holds for every drill of a campaign.

    Attributes:
        real_keys: Hops that cost money may be called with the gateway's own keys.
        require_real: A pass by a stand-in is not taken for one.
        profile: How the user's own clients ask.
        group_profiles: How those of single groups do, by the group's name.
        every_s: From one request of a sequence to the next.
        recover_within_s: How long a primary may take to serve again after its outage.
        expectations: How drills should end; the first that covers a scenario counts.
    """

    deadline_s: float = 60.0
    first_token_s: float = 30.0
    real_keys: bool = False
    require_real: bool = False
    profile: ClientProfile | None = None
    group_profiles: Mapping[str, ClientProfile] = field(default_factory=dict)
    every_s: float = 2.0
    recover_within_s: float = 30.0
    expectations: tuple[Expectation, ...] = ()

    def expectation_of(self, scenario: Scenario) -> Expectation:
        """Say how a drill of *scenario* should end; without a failing hop, as usual."""
        if scenario.depth == 0:
            return AS_USUAL
        covering = (one for one in self.expectations if one.covers(scenario.key))
        return next(covering, AS_USUAL)

    def profile_of(self, group: str) -> ClientProfile | None:
        """Say how the clients of *group* ask."""
        return self.group_profiles.get(group, self.profile)

    @property
    def all_headers(self) -> tuple[Mapping[str, str], ...]:
        """What any client sends besides: the client's own keys are among it."""
        profiles = (self.profile, *self.group_profiles.values())
        return tuple({k: str(v) for k, v in p.headers.items()} for p in profiles if p is not None)


def fresh_nonce() -> str:
    """Make eight hexadecimal digits that no other process repeats on purpose."""
    return secrets.token_hex(4)


@dataclass(frozen=True, slots=True)
class Planner:
    """Makes the plans of one injector, with the topology of the gateway that it drills.

    Attributes:
        rng: Gives ids, so that a seed names drills again.
        injector: The injector's name.
        nonce: Gives nonces. Fresh ones by default, whatever the seed: a late request or a cached
            answer of another run must not fit this one.
    """

    topology: Topology
    catalogue: Catalogue
    options: DrillOptions
    rng: random.Random
    injector: str
    nonce: Callable[[], str] = fresh_nonce

    def plan(self, scenario: Scenario) -> DrillPlan:
        """Plan one drill of *scenario*."""
        return self._made(scenario, f"{self.rng.getrandbits(48):012x}")

    def canary(self, plan: DrillPlan) -> DrillPlan:
        """Make the same drill without the gateway's own keys, to see where its request arrives."""
        return self._made(plan.scenario, plan.id, real_keys=False)

    def again(self, plan: DrillPlan) -> DrillPlan:
        """Make the same drill once more, with a nonce of its own."""
        made = self._made(plan.scenario, plan.id, attempt=plan.attempt)
        return replace(made, task=with_vector_size(made.task, plan.task.expect.vector_size))

    def retry(self, plan: DrillPlan) -> DrillPlan:
        """Make the second try of *plan*, whose answer may be longer."""
        return self._made(plan.scenario, plan.id, attempt=plan.attempt + 1)

    def direct(
        self, plan: DrillPlan, group: str | None = None, surface: str | None = None
    ) -> DrillPlan:
        """Ask one group alone, without a fault: what it answers when nothing went wrong.

        Args:
            group: By default the hop that has to serve.
            surface: By default the drill's own.
        """
        scenario = plan.scenario
        asked = group or scenario.expected_hop or scenario.group
        alone = replace(
            scenario,
            group=asked,
            chain=(asked,),
            depth=0,
            faults={},
            surface=surface or scenario.surface,
        )
        return self._made(alone, plan.id)

    def undisturbed(self, plan: DrillPlan, deadline_s: float) -> DrillPlan:
        """Ask the group itself, without a fault and without real keys: how fast the gateway is."""
        scenario = plan.scenario
        alone = replace(scenario, chain=(scenario.group,), depth=0, faults={})
        made = self._made(alone, plan.id, real_keys=False)
        return replace(made, deadline_s=deadline_s, first_token_s=deadline_s)

    def _made(
        self, scenario: Scenario, identity: str, *, attempt: int = 1, real_keys: bool = True
    ) -> DrillPlan:
        topology, options = self.topology, self.options
        serving = topology.find(scenario.expected_hop or "")
        expectation = options.expectation_of(scenario)
        # What should not be served is shown by one request.
        course = self._course(scenario) if expectation.outcome is Expected.SERVED else None
        # Never a long context for money, nor what is sent many times, and never money for an
        # answer that nobody should get.
        worth = (
            pays(scenario, serving)
            and not self.catalogue.shapes[scenario.shape].long
            and course is None
            and expectation.outcome is Expected.SERVED
        )
        real = options.real_keys and real_keys and worth
        nonce = self.nonce()
        max_tokens = _max_tokens(serving) * (BUDGET_FACTOR if attempt > 1 else 1)
        hops = tuple(
            self._hop(place, group, scenario, real=real, expect=expectation.outcome)
            for place, group in enumerate(scenario.chain)
        )
        secret = secrets.token_hex(16) if real else None
        task = _marked(self._task(scenario, nonce, max_tokens), secret)
        own = topology.find(scenario.group)
        if own is not None and any(h.role is HopRole.SERVE and not h.stand_in for h in hops):
            task = with_vector_size(task, own.vector_size)
        return DrillPlan(
            id=identity,
            scenario=scenario,
            nonce=nonce,
            task=task,
            secret=secret,
            hops=hops,
            phase=self._phase(scenario),
            deadline_s=options.deadline_s,
            first_token_s=min(options.first_token_s, options.deadline_s),
            canary=not real,
            injector=self.injector,
            attempt=attempt,
            require_real=options.require_real,
            # Who asks by an alias is given the group's own name, and rightly.
            known_groups=frozenset(topology.groups) - {topology.aliases.get(scenario.group)},
            course=course,
            client=self._client(scenario),
            expectation=expectation,
        )

    def _course(self, scenario: Scenario) -> Course | None:
        """Say how the scenario's fault is drilled that ends; None if it is none, or is not due."""
        if not scenario.depth:
            return None
        down_s = self.catalogue.faults[scenario.fault.name].lasts_s(scenario.fault.variant)
        if down_s is None:
            return None
        return Course(down_s, self.options.every_s, self.options.recover_within_s)

    def _client(self, scenario: Scenario) -> str | None:
        profile = self.options.profile_of(scenario.group)
        named = self.catalogue.shapes[scenario.shape].client
        return named or (profile.name if profile is not None else None)

    def _hop(
        self, place: int, group: str, scenario: Scenario, *, real: bool, expect: Expected
    ) -> PlannedHop:
        topology = self.topology
        caller = topology.caller
        model_group = topology.find(group) or ModelGroup(group, ())
        role = HopRole.SPARE
        if place < scenario.depth:
            role = HopRole.FAIL
        elif place == scenario.depth:
            role = HopRole.SERVE
        fault = scenario.faults[group] if role is HopRole.FAIL else None
        statuses = self._statuses(fault, model_group) if fault is not None else None
        return PlannedHop(
            group=group,
            role=role,
            deployments=model_group.deployments,
            attempts_allowed=attempts_allowed(model_group, topology, statuses),
            fault=fault,
            # Where nobody may be asked, no drill reaches a hop for real: a refusal proves none.
            stand_in=expect is Expected.REFUSED
            or (not model_group.local and not (real and role is HopRole.SERVE)),
            parameters=topology.settings.target_parameters.get(group, frozenset()),
            fails_over=model_group.ordered or topology.settings.enable_weighted_failover,
            spared=_later(model_group) if fault and len(scenario.chain) == 1 else frozenset(),
            closed_to=caller.name if caller and not caller.may_ask(group) else None,
        )

    def _statuses(self, name: FaultName, group: ModelGroup) -> frozenset[int] | None:
        """Say with which statuses the group's deployments fail; None if a fault has none."""
        fault = self.catalogue.faults[name.name]
        if not fault.status_fault:
            return None if fault.taken_for is None else frozenset({fault.taken_for})
        dialects = (self.catalogue.dialects.get(d.dialect or GENERIC) for d in group.deployments)
        rows = (row_of(dialect, name) for dialect in dialects if dialect is not None)
        return frozenset(row.status for _, row in rows) or None

    def _phase(self, scenario: Scenario) -> Phase:
        first = scenario.faults.get(scenario.chain[0])
        if first is None:
            return Phase.BEFORE_FIRST_BYTE
        return self.catalogue.faults[first.name].phase

    def _task(self, scenario: Scenario, nonce: str, max_tokens: int) -> Task:
        shape = self.catalogue.shapes[scenario.shape]
        profile = self.options.profile_of(scenario.group)
        task = shape.task_on(
            scenario.surface,
            nonce,
            model=scenario.group,
            max_tokens=max_tokens,
            profile=profile,
        )
        if shape.client is not None:
            return task  # nothing is added to what a client really sends
        if profile is not None:
            headers = {name: str(value) for name, value in profile.headers.items()}
            task = replace(task, headers=headers)
        contacted = [g for name in scenario.chain if (g := self.topology.find(name))]
        steady = all(d.accepts_temperature for group in contacted for d in group.deployments)
        if steady and not task.ask.inputs and "temperature" not in (task.ask.extra or {}):
            return replace(task, ask=replace(task.ask, temperature=0.0))
        return task


def with_vector_size(task: Task, size: int | None) -> Task:
    """Expect embeddings of *size* numbers, as the group's own have."""
    if not task.expect.vectors:
        return task
    return replace(task, expect=replace(task.expect, vector_size=size))


def _marked(task: Task, secret: str | None) -> Task:
    """Put *secret* at the end of what is asked."""
    if secret is None:
        return task
    ask, mark = task.ask, f" (Reference {secret}, which is no part of the task.)"
    if ask.inputs:
        return replace(task, ask=replace(ask, inputs=tuple(text + mark for text in ask.inputs)))
    place = max(n for n, turn in enumerate(ask.turns) if turn.role == "user")
    turns = list(ask.turns)
    turns[place] = replace(turns[place], text=turns[place].text + mark)
    return replace(task, ask=replace(ask, turns=tuple(turns)))


def _later(group: ModelGroup) -> frozenset[str]:
    """List the deployments that LiteLLM tries only after others of the same group."""
    orders = [d.order for d in group.deployments if d.order is not None]
    return frozenset(
        d.id for d in group.deployments if d.order is not None and d.order > min(orders)
    )


def pays(scenario: Scenario, serving: ModelGroup | None) -> bool:
    """Tell whether a real answer of the serving hop costs money."""
    return scenario.expected_hop is not None and serving is not None and not serving.local


def _max_tokens(serving: ModelGroup | None) -> int:
    if serving is not None and any(d.supports_reasoning for d in serving.deployments):
        return MAX_TOKENS_REASONING
    return MAX_TOKENS
