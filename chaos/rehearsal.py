"""The face of the drill engine: a rehearsal of one gateway's fallbacks.

The only place where witness, injectors, guard and checks are put together. It opens a witness of
its own or is given a living one, lists scenarios, plans them, and runs plans, yielding what
happens. ``docs/library.md`` has an example.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Self

import aiohttp

from chaos.clock import Clock, SystemClock
from chaos.drill.campaign import Assignment, Campaign
from chaos.drill.collateral import CollateralWatch
from chaos.drill.drill import Drill, MayRun, Refusal, always
from chaos.drill.driller import Driller
from chaos.drill.engine_keys import keys_by_address
from chaos.drill.events import CampaignEnded, CampaignPlanned, DrillEnded, Event
from chaos.drill.forecast import FROM, forecast
from chaos.drill.injector import Injector, Setting, TwinOptions
from chaos.drill.injectors import INJECTORS, choose
from chaos.drill.pace import Pace
from chaos.drill.spending import Spending
from chaos.drill.ways import Ways
from chaos.errors import UsageError
from chaos.gateway.client import Gateway
from chaos.gateway.redirect_permission import LANES, WITNESS_PORT, lane_urls
from chaos.gateway.topology import Topology
from chaos.http_client import open_session
from chaos.judge.checks import CHECKS
from chaos.judge.verdict import judge
from chaos.registry import lookup
from chaos.scenario.catalogue import CATALOGUE
from chaos.scenario.expand import Selection, scenarios_for
from chaos.scenario.plan import DrillOptions, DrillPlan, Planner, fresh_nonce
from chaos.scenario.scenario import Scenario
from chaos.witness.server import Witness

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class RehearsalOptions:
    """How a gateway is rehearsed; the defaults are safe.

    Attributes:
        injector: ``auto``, or the name of one.
        drills: What holds for every drill.
        budget_usd: What hops that cost money may cost in all, where real keys are allowed.
        concurrency: Drills at once; at most as many as the witness has lanes.
        witness_listen: Host and port of each address on which an own witness listens.
        witness_url: What the gateway dials to reach it.
        engine_urls: Where this machine reaches local engines, by model group.
        engine_keys: What they ask for, by model group.
        paid: Model groups that cost money, whatever their address.
        default_bases: Real base URLs of providers, by LiteLLM's prefix.
        wildcards: Models that stand for wildcards, by pattern, in a twin; a gateway that is given
            knows them already.
        seed: Replays ids; None for fresh ones.
        nonces: Gives nonces; for tests of models that copy some better than others.
    """

    injector: str = AUTO
    drills: DrillOptions = field(default_factory=DrillOptions)
    budget_usd: float = 0.0
    concurrency: int = 1
    witness_listen: tuple[tuple[str, int], ...] = (("127.0.0.1", WITNESS_PORT),)
    witness_url: str = f"http://127.0.0.1:{WITNESS_PORT}"
    engine_urls: Mapping[str, str] = field(default_factory=dict)
    engine_keys: Mapping[str, str] = field(default_factory=dict)
    paid: Collection[str] = ()
    default_bases: Mapping[str, str] = field(default_factory=dict)
    wildcards: Mapping[str, str] = field(default_factory=dict)
    twin: TwinOptions = field(default_factory=TwinOptions)
    seed: int | None = None
    nonces: Callable[[], str] = fresh_nonce

    @property
    def twin_wanted(self) -> bool:
        """A twin will be there: it was asked for, or is possible where it may be needed."""
        return self.injector == "twin" or (
            self.injector == AUTO and self.twin.config_file is not None
        )


class Rehearsal:
    """One gateway's fallbacks, ready to be drilled; made by ``Rehearsal.opened``.

    Attributes:
        topology: Of the running gateway, read when the rehearsal was opened; of the twin, where
            only a configuration is rehearsed.
        spending: What its drills have used.
        stripped: What a twin's configuration had to leave out.
    """

    def __init__(
        self,
        gateway: Gateway,
        topology: Topology,
        options: RehearsalOptions,
        *,
        witness: Witness,
        injectors: Sequence[Injector],
        session: aiohttp.ClientSession,
        guard: MayRun,
        clock: Clock,
        say: Callable[[str], None],
    ) -> None:
        self.topology = topology
        self.spending = Spending(options.budget_usd)
        self.stripped = tuple(part for injector in injectors for part in injector.stripped)
        self._gateway = gateway
        self._options = options
        self._witness = witness
        self._injectors = tuple(injectors)
        self._session = session
        self._guard = guard
        self._clock = clock
        self._say = say
        rng = random.Random(options.seed)
        self._planners = {
            injector.name: Planner(
                injector.topology, CATALOGUE, options.drills, rng, injector.name, options.nonces
            )
            for injector in injectors
        }

    @classmethod
    @asynccontextmanager
    async def opened(
        cls,
        gateway: Gateway | None,
        options: RehearsalOptions | None = None,
        *,
        witness: Witness | None = None,
        guard: MayRun = always,
        clock: Clock | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> AsyncIterator[Self]:
        """Read the gateway, and open what its drills need until exit.

        Args:
            gateway: The running one; None to rehearse a configuration by a twin alone.
            witness: One that is serving; by default one is opened as *options* say.
            guard: Asked right before each drill and each direct sample, besides the budget and
                the watch for collateral.
            say: Takes progress, for people.

        Raises:
            UsageError: Nothing can be drilled as asked; nothing has been sent.
            WitnessError: The witness cannot listen.
            GatewayError: The gateway cannot be asked.
            SetupError: A twin did not come up.
        """
        options = options or RehearsalOptions()
        running = None
        if gateway is not None:
            running = (await gateway.topology()).reached_at(options.engine_urls)
        async with AsyncExitStack() as stack:
            if witness is None:
                witness = Witness(options.witness_url)
                await stack.enter_async_context(witness.serving(options.witness_listen))
                listen = ", ".join(
                    f"{host}:{port}" if port else f"a free port of {host}"
                    for host, port in options.witness_listen
                )
                say(f"witness: own one, listening on {listen}")
            setting = Setting(
                gateway=gateway,
                witness=witness,
                topology=running,
                real_keys=options.drills.real_keys,
                engine_urls=options.engine_urls,
                paid=options.paid,
                default_bases=options.default_bases,
                wildcards=options.wildcards,
                twin=options.twin,
                say=say,
            )
            injectors = [
                await stack.enter_async_context(one.opened(setting))
                for one in _wanted(options.injector, setting)
            ]
            topology = running or injectors[0].topology.reached_at(options.engine_urls)
            witness.engine_keys.clear()
            witness.engine_keys.update(
                keys_by_address(topology, options.engine_urls, options.engine_keys)
            )
            # As many connections as lanes; a campaign is a polite client. None is used twice: one
            # that the gateway closes as a drill is sent on it would look like a gateway that is
            # down.
            connector = aiohttp.TCPConnector(limit=2 * LANES, force_close=True)
            session = await stack.enter_async_context(open_session(connector=connector))
            yield cls(
                gateway or injectors[0].gateway,
                topology,
                options,
                witness=witness,
                injectors=injectors,
                session=session,
                guard=guard,
                clock=clock or SystemClock(),
                say=say,
            )

    def scenarios(self, selection: Selection | None = None) -> list[Scenario]:
        """List what to drill; by default the smoke profile of every group.

        Raises:
            UsageError: A name that does not exist, or nothing is left to drill.
        """
        selection = replace(selection or Selection(), has_twin="twin" in self._planners)
        return scenarios_for(self.topology, selection, CATALOGUE)

    def plan(self, scenarios: Sequence[Scenario]) -> list[Assignment]:
        """Choose a way for each scenario and plan it, once; say why where it is not the first."""
        assignments: list[Assignment] = []
        ways = Ways()
        for scenario in scenarios:
            chosen, objections = choose(self._injectors, scenario)
            reasons = "; ".join(f"no {name}: {o.reason}" for name, o in objections)
            if reasons:
                ways.add(scenario.group, chosen.name if chosen else "cannot be drilled", reasons)
            planner = self._planners[(chosen or self._injectors[0]).name]
            refusal = None
            if chosen is None:
                last = objections[-1][1]
                refusal = Refusal(last.kind, last.reason, last.remedy)
            assignments.append(Assignment(planner.plan(scenario), refusal))
        for line in ways.lines():
            self._say(line)
        return assignments

    async def run(
        self, assignments: Sequence[Assignment], stop: asyncio.Event | None = None
    ) -> AsyncGenerator[Event, None]:
        """Carry plans out, and yield what happens.

        Args:
            stop: Set it to end; running drills are aborted, and yielded.

        Raises:
            GatewayError: The gateway's model list cannot be read.
        """
        late, strays = self._witness.counts.late, self._witness.counts.strays
        yield CampaignPlanned(tuple(assignment.plan for assignment in assignments))
        watch = await CollateralWatch.since_now(self._gateway, lane_urls(self._witness.url))
        injectors = {injector.name: injector for injector in self._injectors}
        counts = self._witness.counts
        pace = Pace(counts, say=self._say)
        ours = counts.ours
        driller = Driller(
            session=self._session,
            planners=self._planners,
            injectors=injectors,
            checks=CHECKS,
            clock=self._clock,
            collateral=watch,
            may_sample=self._guard,
            secrets=frozenset(self._witness.engine_keys.values()),
            reached=lambda: counts.ours > ours,
            pace=pace,
        )

        async def may_run(plan: DrillPlan) -> Refusal | None:
            await pace.ready()
            refusal = watch.refusal() or pace.refusal()
            return refusal or self.spending.reserve(plan) or await self._guard(plan)

        async def drilled(plan: DrillPlan) -> Drill:
            ended = await driller.drill(plan)
            pace.note(ended)
            return ended

        async def measure() -> None:
            await self._measure(driller, pace, assignments)

        campaign = Campaign(
            drill=drilled,
            assignments=assignments,
            clock=self._clock,
            concurrency=self._options.concurrency,
            may_run=may_run,
            prepare=measure,
        )
        last: Drill | None = None
        done = 0
        async for event in campaign.run(stop):
            if isinstance(event, DrillEnded):
                drill = event.drill
                done += 1
                self.spending.settle(drill)
                if drill.requests and injectors[drill.plan.injector].touches_others:
                    last = drill
            yield event
        yield CampaignEnded(
            stopped=done < len(assignments) or (stop is not None and stop.is_set()),
            revised=await _revised(last, watch),
            late=self._witness.counts.late - late,
            strays=self._witness.counts.strays - strays,
        )

    async def _measure(
        self,
        driller: Driller,
        pace: Pace,
        assignments: Sequence[Assignment],
    ) -> None:
        """Ask once without a fault, where several drills follow: how fast is the gateway?"""
        plans = [assignment.plan for assignment in assignments if assignment.refusal is None]
        if len(plans) < 2:
            return
        found = await driller.undisturbed(plans[0])
        if found is None:
            return
        measured, sent = found
        pace.measured(measured, deadline_s=plans[0].deadline_s)
        self.spending.settle(sent)
        if len(plans) > FROM and measured.reply_s is not None:
            many = self._options.concurrency
            self._say(forecast(plans, reply_s=measured.reply_s, concurrency=many))


async def _revised(last: Drill | None, watch: CollateralWatch) -> Drill | None:
    """Judge the last drill anew if others felt it: nobody has looked since it began."""
    if last is None or watch.found or not (found := await watch.look()):
        return None
    seen = replace(last.seen, collateral=found)
    return replace(last, seen=seen, verdict=judge(last.plan, seen, CHECKS))


def _wanted(name: str, setting: Setting) -> list[type[Injector]]:
    """Choose what to open: the one that is named, or all that lack nothing.

    Raises:
        UsageError: There is no injector of that name, or each lacks something.
    """
    if name != AUTO:
        return [lookup("injector", name, INJECTORS)]
    lacking = {one: one.lacks(setting) for one in INJECTORS.values()}
    wanted = [one for one, objection in lacking.items() if objection is None]
    if not wanted:
        objections = [objection for objection in lacking.values() if objection is not None]
        raise UsageError(
            "; ".join(objection.reason for objection in objections),
            remedy=" Or: ".join(objection.remedy for objection in objections),
        )
    return wanted
