"""Run one campaign as the settings say, tell a listener what happens, and report."""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

from chaos.clock import SystemClock
from chaos.drill.campaign import Assignment
from chaos.drill.events import CampaignEnded, DrillEnded, Event
from chaos.drill.report import DrillReport, ReportBuilder
from chaos.errors import UsageError
from chaos.gateway.client import Gateway
from chaos.gateway.topology import Topology
from chaos.gateway.wildcards import in_words
from chaos.http_client import open_session
from chaos.judge.check import Kind
from chaos.rehearsal import Rehearsal
from chaos.scenario.catalogue import CATALOGUE
from chaos.scenario.expand import closed_to_caller, not_covered, only_by_twin, scenarios_for
from chaos.scenario.scenario import Scenario
from supervisor.campaign.engine_names import refuse_unknown_engines
from supervisor.campaign.guard import Guard
from supervisor.campaign.halts import halts_of, refuse_when_halted, unless_halted
from supervisor.campaign.request import DrillRequest, known_gaps, rehearsal_options
from supervisor.campaign.wildcard_names import ineffective
from supervisor.settings.model import Settings
from supervisor.stop import Stop


def ignore(_: object) -> None:
    """Listen to nothing."""


async def run_drills(
    gateway: Gateway | None,
    settings: Settings,
    request: DrillRequest,
    *,
    stop: Stop | None = None,
    listen: Callable[[Event], None] = ignore,
    grew: Callable[[Callable[[], DrillReport]], None] = ignore,
    say: Callable[[str], None] = lambda _: None,
) -> DrillReport:
    """Drill the gateway as *settings* and *request* say, and report.

    Args:
        gateway: None to drill the configuration of ``twin.litellm_config`` without one.
        grew: Is given, after each drill, what makes the report of all so far.

    Raises:
        UsageError: Nothing can be drilled as asked, or drills are halted; nothing has been sent.
        WitnessError: The witness cannot listen.
        GatewayError: The gateway cannot be asked.
    """
    clock = SystemClock()
    options = rehearsal_options(settings, request)
    async with AsyncExitStack() as stack:
        halted = await stack.enter_async_context(halts_of(settings, clock, say))
        refuse_when_halted(await halted())
        # The engines' own connections: a drill's are never used twice.
        engines = await stack.enter_async_context(open_session())
        rehearsal = await stack.enter_async_context(
            Rehearsal.opened(
                gateway,
                options,
                guard=unless_halted(halted, Guard(engines, settings.engine_urls).may_run),
                clock=clock,
                say=say,
            )
        )
        refuse_unknown_engines(settings.engines, rehearsal.topology)
        scenarios = rehearsal.scenarios(request.selection)
        if request.keys is not None:
            scenarios = [one for one in scenarios if one.key in request.keys]
        if not request.selection.groups and (others := not_covered(rehearsal.topology)):
            listed_ = ", ".join(f"{name} ({mode})" for name, mode in others.items())
            say(f"not covered, because no drill asks for that: {listed_}")
        by_twin = () if options.twin_wanted else only_by_twin(rehearsal.topology)
        if by_twin and not request.selection.groups:
            say(f"not covered, because hidden aliases need a twin: {', '.join(by_twin)}")
        caller, closed = rehearsal.topology.caller, closed_to_caller(rehearsal.topology)
        if caller is not None:
            say(f"drilling as the key {caller.name}")
        if caller is not None and caller.unusable is not None:
            say(f"the gateway may refuse the key {caller.name}: {caller.unusable}")
        for name, reason in closed.items():
            say(f"not covered: {name}, because {reason}")
        scenarios = scenarios[: request.max_drills or None]
        say_wildcards(settings, rehearsal.topology, scenarios, say)
        assignments = rehearsal.plan(scenarios)
        refuse_the_impossible(assignments)
        report = ReportBuilder(
            _address(gateway, settings),
            rehearsal.topology.litellm_version,
            stripped=rehearsal.stripped,
            wildcards=rehearsal.topology.standing,
            spending=rehearsal.spending,
            gaps=known_gaps(settings, request, clock.now().date()),
            seed=request.seed,
            as_key=caller.name if caller is not None else None,
            closed=closed,
        )
        if stop is not None:
            stop.watched()
        async for event in rehearsal.run(assignments, stop.event if stop else None):
            report.take(event)
            listen(event)
            if isinstance(event, DrillEnded):
                grew(report.report)
            if isinstance(event, CampaignEnded):
                tell_the_end(event, report, len(assignments), say)
        return report.report()


async def listed(
    gateway: Gateway | None,
    settings: Settings,
    request: DrillRequest,
    *,
    say: Callable[[str], None] = lambda _: None,
) -> list[Scenario]:
    """List what ``run_drills`` would drill, and send no drill.

    Raises:
        UsageError: Nothing can be drilled as asked.
        GatewayError: The gateway cannot be asked.
        SetupError: The twin of a configuration without a gateway did not come up.
    """
    options = rehearsal_options(settings, request)
    if gateway is None:
        async with Rehearsal.opened(None, options, say=say) as rehearsal:
            refuse_unknown_engines(settings.engines, rehearsal.topology)
            found = rehearsal.scenarios(request.selection)[: request.max_drills or None]
            say_wildcards(settings, rehearsal.topology, found, say)
            return found
    selection = replace(request.selection, has_twin=options.twin_wanted)
    topology = await gateway.topology()
    refuse_unknown_engines(settings.engines, topology)
    found = scenarios_for(topology, selection, CATALOGUE)[: request.max_drills or None]
    say_wildcards(settings, topology, found, say)
    return found


def say_wildcards(
    settings: Settings,
    topology: Topology,
    scenarios: Sequence[Scenario],
    say: Callable[[str], None],
) -> None:
    """Say which model is drilled for which wildcard, and which choices have no effect."""
    for one in ineffective(settings.wildcards, topology):
        say(f"{one.message}. {one.remedy}")
    hops = {hop for scenario in scenarios for hop in scenario.chain}
    for line in in_words(topology.standing, hops):
        say(line)


def _address(gateway: Gateway | None, settings: Settings) -> str:
    """Say what was drilled: the gateway's URL, or the configuration's."""
    if gateway is not None:
        return gateway.url
    file = settings.twin.litellm_config
    assert file is not None  # noqa: S101 -- without a gateway there is only the file
    return file.absolute().as_uri()


def refuse_the_impossible(assignments: Sequence[Assignment]) -> None:
    """Refuse a campaign of which nothing can be drilled.

    Raises:
        UsageError: It is the gateway's set-up that forbids every drill.
    """
    refusals = [assignment.refusal for assignment in assignments]
    if refusals and all(r is not None and r.kind is Kind.GATEWAY_REFUSED for r in refusals):
        first = refusals[0]
        assert first is not None  # noqa: S101 -- all of them are refusals
        raise UsageError(f"nothing can be drilled: {first.reason}", remedy=first.remedy)


def tell_the_end(
    event: CampaignEnded, report: ReportBuilder, planned: int, say: Callable[[str], None]
) -> None:
    """Say what no row of the report shows."""
    if event.revised is not None:
        say(f"after the last drill: {'; '.join(event.revised.seen.collateral)}")
    if event.stopped:
        say(f"stopped after {report.ran} of {planned} drills")
    if event.late:
        say(
            f"{event.late} attempt(s) of the gateway came after their drill had ended and were "
            "refused; it goes on retrying after its client has left"
        )
    if event.strays:
        say(
            f"{event.strays} request(s) without a live drill's nonce came to the witness and were "
            "refused"
        )
