"""Run one campaign of the command line: gateway, witness, injectors, drills, report.

Everything that is opened is closed in the opposite order, whatever happens.
"""

import random
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from chaos.clock import SystemClock
from chaos.drill.campaign import Assignment, Campaign, Refusal
from chaos.drill.driller import Drill, Driller, engines_of
from chaos.drill.injector import Injector
from chaos.drill.injectors import choose
from chaos.drill.injectors.redirect import Redirect, version_objection
from chaos.drill.injectors.twin import Twin
from chaos.drill.report import DrillReport, DrillRow, GatewayRow, Spent, row_of, summarise
from chaos.errors import GatewayError, SetupError, UsageError
from chaos.faults.kinds import parse_fault
from chaos.gateway.client import Gateway
from chaos.gateway.install import litellm_bin
from chaos.gateway.topology import Topology
from chaos.judge.check import Kind
from chaos.judge.checks import CHECKS
from chaos.judge.known_gaps import Gap, load
from chaos.judge.verdict import Outcome, judge
from chaos.process.environment import default_folder
from chaos.process.readiness import StartLimit
from chaos.protocol.surfaces import SURFACES
from chaos.registry import lookup
from chaos.scenario.expand import Scenario, Selection, expand
from chaos.scenario.plan import DrillOptions
from chaos.traffic.shape import ClientProfile
from chaos.traffic.shapes import SHAPES
from chaos.witness.server import LANES, Witness
from supervisor.campaign.guard import CATALOGUE, Guard
from supervisor.settings.model import AcceptedFailure, Settings
from supervisor.stop import Stop


@dataclass(frozen=True, slots=True)
class DrillRequest:
    """What the user asked for, besides the settings.

    Attributes:
        seed: Replays nonces and ids; None for fresh ones.
    """

    selection: Selection = field(default_factory=Selection)
    max_drills: int | None = None
    known_gaps: bool = True
    profile: ClientProfile | None = None
    seed: int | None = None


@dataclass(slots=True)
class Watching:
    """Who is told what, while a campaign runs; every part may be left out."""

    planned: Callable[[int], None] = lambda _: None
    started: Callable[[Scenario], None] = lambda _: None
    ended: Callable[[DrillRow], None] = lambda _: None
    say: Callable[[str], None] = lambda _: None


def scenarios_for(
    topology: Topology, request: DrillRequest, *, has_twin: bool = False
) -> list[Scenario]:
    """List what to drill.

    Raises:
        UsageError: A name that does not exist, or nothing is left to drill.
    """
    selection = replace(request.selection, has_twin=has_twin)
    for group in selection.groups:
        names = {**topology.groups, **topology.other_names}
        lookup("model group of this gateway", group, names)
    for fault in selection.faults:
        parse_fault(fault)
    for shape in selection.shapes:
        lookup("traffic shape", shape, SHAPES)
    for surface in selection.surfaces:
        lookup("surface", surface, SURFACES)
    if not topology.groups:
        raise UsageError(
            "the gateway has no model groups",
            remedy="Add models to its configuration, or check that this key may see them.",
        )
    scenarios = expand(topology, selection, CATALOGUE)
    if not scenarios:
        raise UsageError(
            "there is nothing to drill: no scenario fits the options together",
            remedy="Leave out --depth, --shape, --surface or --fault; --list shows what is left. "
            "A stream fault needs --stream, tool_call_cut a shape with a tool call.",
        )
    return scenarios[: request.max_drills] if request.max_drills else scenarios


async def run_drills(
    gateway: Gateway,
    settings: Settings,
    request: DrillRequest,
    *,
    stop: Stop | None = None,
    watching: Watching | None = None,
) -> DrillReport:
    """Drill the gateway as *settings* and *request* say, and report.

    Raises:
        UsageError: Nothing can be drilled as asked; nothing has been sent.
        WitnessError: The witness cannot listen.
        GatewayError: The gateway cannot be asked.
    """
    watching = watching or Watching()
    topology = (await gateway.topology()).reached_at(settings.engine_urls)
    keys = engine_keys(topology, settings)
    scenarios = scenarios_for(topology, request, has_twin=twin_wanted(settings))
    began_s = time.monotonic()
    async with AsyncExitStack() as stack:
        witness = Witness(settings.witness.url)
        witness.engine_keys = keys
        listen = [_split(address) for address in settings.witness.listen]
        await stack.enter_async_context(witness.serving(listen))
        watching.say(f"witness: own one, listening on {', '.join(settings.witness.listen)}")
        injectors = await _injectors(stack, gateway, settings, witness, topology, watching)
        assignments = assign(scenarios, injectors, watching.say)
        watching.planned(len(assignments))
        # As many connections as lanes; a campaign is a polite client. None is used twice: one that
        # the gateway closes as a drill is sent on it would look like a gateway that is down.
        session = await stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=2 * LANES, force_close=True))
        )
        rows, spent = await _drill_all(
            assignments, gateway, settings, request, topology, session, stop, watching
        )
        if witness.counts.late:
            watching.say(
                f"{witness.counts.late} attempt(s) of the gateway came after their drill had "
                "ended and were refused; it goes on retrying after its client has left"
            )
        if witness.counts.strays:
            watching.say(
                f"{witness.counts.strays} request(s) without a live drill's nonce came to the "
                "witness and were refused"
            )
    stripped = tuple(part for injector in injectors for part in injector.stripped)
    return DrillReport(
        gateway=GatewayRow(
            url=gateway.url, litellm_version=topology.litellm_version, stripped=stripped
        ),
        summary=summarise(rows, duration_s=time.monotonic() - began_s, spent=spent),
        drills=tuple(rows),
    )


async def _drill_all(
    assignments: Sequence[Assignment],
    gateway: Gateway,
    settings: Settings,
    request: DrillRequest,
    topology: Topology,
    session: aiohttp.ClientSession,
    stop: Stop | None,
    watching: Watching,
) -> tuple[list[DrillRow], Spent]:
    rows: list[DrillRow] = []
    spent = Spent()
    gaps = known_gaps(settings.accept) if request.known_gaps else ()
    options = DrillOptions(
        deadline_s=settings.drills.deadline_s,
        first_token_s=settings.drills.first_token_s,
        real_keys=settings.drills.real_keys,
        profile=request.profile,
    )
    engines = {**engines_of(topology), **settings.engine_urls}

    looked = await _Collateral.since(gateway)
    last: list[Drill] = []

    def row(drill: Drill) -> DrillRow:
        return row_of(drill, litellm_version=topology.litellm_version, gaps=gaps)

    def ended(drill: Drill) -> None:
        spent.add(drill)
        guard.settle(drill.plan.scenario.key)
        rows.append(row(drill))
        if drill.plan.injector == Redirect.name and drill.requests:
            last[:] = [drill]
        watching.ended(rows[-1])

    async def may_run(scenario: Scenario) -> Refusal | None:
        return looked.refusal() or await guard.may_run(scenario)

    guard = Guard(
        topology,
        session,
        engines,
        spent=spent,
        budget_usd=settings.drills.budget_usd,
        options=options,
    )
    driller = Driller(
        session=session,
        catalogue=CATALOGUE,
        checks=CHECKS,
        options=options,
        clock=SystemClock(),
        rng=random.Random(request.seed),
        engines=engines,
        secrets=frozenset(engine_keys(topology, settings).values()),
        collateral=looked,
    )
    if stop is not None:
        stop.watched()
    await Campaign(
        driller=driller,
        assignments=assignments,
        concurrency=settings.drills.concurrency,
        may_run=may_run,
        on_start=watching.started,
        on_end=ended,
    ).run(stop.event if stop else None)
    if last and not looked.found and (found := await looked.look()):
        # Nobody has looked since the last drill began; it is the one that did it, or knows.
        (drill,) = last
        seen = replace(drill.seen, collateral=found)
        worse = replace(drill, seen=seen, verdict=judge(drill.plan, seen, CHECKS))
        rows[next(i for i, r in enumerate(rows) if r.id == drill.plan.id)] = row(worse)
        watching.say(f"after the last drill: {'; '.join(found)}")
    if stop is not None and stop.event.is_set():
        ran = sum(1 for row in rows if row.outcome is not Outcome.ABORTED)
        watching.say(f"stopped after {ran} of {len(assignments)} drills")
    return rows, spent


def engine_keys(topology: Topology, settings: Settings) -> dict[str, str]:
    """Fetch the keys of local engines, by the ``host:port`` at which each is asked.

    Raises:
        UsageError: A key that is named is not there.
    """
    keys = {}
    for name, engine in settings.engines.items():
        if engine.key is None:
            continue
        found = topology.find(name)
        own = [d.base_url for d in found.deployments if d.local] if found else []
        for url in (engine.url, *filter(None, own)):
            keys[urlsplit(url).netloc] = engine.key.reveal().get_secret_value()
    return keys


class _Collateral:
    """Looks at the gateway's model list after the first redirect, every twentieth, and the last.

    Attributes:
        found: What changed for others, once that was seen.
    """

    EVERY = 20

    def __init__(self, gateway: Gateway, before: frozenset[tuple[str, str]]) -> None:
        self.found: tuple[str, ...] = ()
        self._gateway = gateway
        self._before = before
        self._asked = 0

    @classmethod
    async def since(cls, gateway: Gateway) -> "_Collateral":
        return cls(gateway, await gateway.model_ids())

    async def __call__(self) -> tuple[str, ...]:
        self._asked += 1
        return await self.look() if self._asked % self.EVERY == 1 else ()

    async def look(self) -> tuple[str, ...]:
        """Look now, whoever has looked before."""
        try:
            after = await self._gateway.model_ids()
        except GatewayError:
            # A gateway that has gone says nothing about others; the drill itself tells of it.
            return ()
        self.found = self._gateway.changes(self._before, after)
        return self.found

    def refusal(self) -> Refusal | None:
        """Refuse every further drill once others have felt one."""
        if not self.found:
            return None
        return Refusal(
            Kind.HALTED,
            f"other traffic felt an earlier drill: {self.found[0]}",
            "Restart the gateway, or see that its model list is what it was, and drill a twin "
            "(--injector twin).",
        )


async def _injectors(
    stack: AsyncExitStack,
    gateway: Gateway,
    settings: Settings,
    witness: Witness,
    topology: Topology,
    watching: Watching,
) -> list[Injector]:
    wanted = settings.drills.injector
    injectors: list[Injector] = []
    if wanted in ("auto", "redirect"):
        objection = version_objection(topology.litellm_version)
        if objection is not None and wanted == "redirect":
            raise UsageError(objection.reason, remedy=objection.remedy)
        injectors.append(
            Redirect(
                witness,
                topology,
                url=gateway.url,
                key=gateway.key,
                session=gateway.session,
                real_keys=settings.drills.real_keys,
                has_metrics=await gateway.has_metrics(),
            )
        )
    if twin_wanted(settings):
        injectors.append(
            await stack.enter_async_context(_twin(settings, witness, topology, watching))
        )
    return injectors


def twin_wanted(settings: Settings) -> bool:
    """Tell whether a twin will be there: asked for, or possible where it is needed."""
    wanted = settings.drills.injector
    return wanted == "twin" or (wanted == "auto" and settings.twin.litellm_config is not None)


@asynccontextmanager
async def _twin(
    settings: Settings, witness: Witness, topology: Topology, watching: Watching
) -> AsyncIterator[Twin]:
    config = settings.twin.litellm_config
    if config is None:
        raise UsageError(
            "a twin needs LiteLLM's configuration file",
            remedy="Give --litellm-config FILE: the file that the gateway was started with.",
        )
    executable = settings.twin.litellm_bin or litellm_bin(default_folder())
    if executable is None and settings.twin.litellm_image is None:
        raise SetupError(
            "a twin needs a LiteLLM to start",
            remedy="Give --litellm-bin FILE, or install one: understudy lab --prepare",
        )
    watching.say("twin: starting a second LiteLLM from the same configuration")
    with tempfile.TemporaryDirectory(prefix="understudy-twin-") as folder:
        async with Twin.starting(
            witness,
            config,
            executable=executable,
            image=settings.twin.litellm_image,
            directory=Path(folder),
            expected_version=topology.litellm_version,
            engines=settings.engine_urls,
            default_bases=settings.providers,
            real_keys=settings.drills.real_keys,
            running_groups={*topology.groups, *topology.other_names},
            limit=StartLimit(settings.twin.start_within_s, "twin.start_within_s"),
            answer_within_s=settings.gateway.answer_within_s,
            say=watching.say,
        ) as twin:
            yield twin


def assign(
    scenarios: Sequence[Scenario], injectors: Sequence[Injector], say: Callable[[str], None]
) -> list[Assignment]:
    """Choose a way for each scenario, and say why wherever it is not the first.

    Raises:
        UsageError: No scenario can be drilled, and it is the gateway's set-up that forbids it.
    """
    assignments, told = [], set()
    for scenario in scenarios:
        chosen, objections = choose(injectors, scenario)
        reasons = "; ".join(f"no {name}: {o.reason}" for name, o in objections)
        if reasons and reasons not in told:
            told.add(reasons)
            say(f"{scenario.group}: {chosen.name if chosen else 'cannot be drilled'}, {reasons}")
        if chosen is not None:
            assignments.append(Assignment(scenario, chosen))
        else:
            last = objections[-1][1]
            refusal = Refusal(last.kind, last.reason, last.remedy)
            assignments.append(Assignment(scenario, injectors[0], refusal))
    refusals = [a.refusal for a in assignments]
    if refusals and all(r is not None and r.kind is Kind.GATEWAY_REFUSED for r in refusals):
        first = refusals[0]
        assert first is not None  # noqa: S101 -- all of them are refusals
        raise UsageError(f"nothing can be drilled: {first.reason}", remedy=first.remedy)
    return assignments


def known_gaps(accepted: Sequence[AcceptedFailure], today: date | None = None) -> tuple[Gap, ...]:
    """The package's known gaps, and the failures that the user accepts until their day."""
    day = today or SystemClock().now().date()
    own = tuple(Accepted(entry) for entry in accepted if entry.until >= day)
    return (*own, *load())


@dataclass(frozen=True, slots=True)
class Accepted:
    """A failure that the user's configuration accepts; looks like a known gap to a report."""

    entry: AcceptedFailure

    @property
    def source(self) -> str:
        """Say who accepts it, and for how long."""
        return f"accepted until {self.entry.until}: {self.entry.reason}"

    def explains(self, _v: str, scenario: Scenario, _k: Kind, _p: str | None) -> bool:
        """Tell whether the user's pattern names this scenario."""
        return fnmatchcase(scenario.key, self.entry.scenario)


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)
