"""Ask the gateway who serves while an engine does not: by the daemon's drills, or by our own."""

from typing import TYPE_CHECKING

from chaos.drill.report import DrillReport
from chaos.errors import UnderstudyError
from chaos.faults.kinds import parse_fault
from chaos.scenario.expand import Profile, Selection
from supervisor.campaign.connection import connected
from supervisor.campaign.request import DrillRequest
from supervisor.campaign.run import run_drills
from supervisor.cli.console import err, say
from supervisor.cli.handover import daemon_of, drilled_there, session
from supervisor.cli.progress import LiveDrills
from supervisor.rollout.meanwhile import FAULT, SHAPES, SURFACE, GroupCover, Question, who_serves
from supervisor.settings.deciding import said
from supervisor.settings.model import Settings
from supervisor.stop import Stop
from supervisor.web.drill_order import DrillOrder

if TYPE_CHECKING:
    from chaos.gateway.client import Gateway


async def covers_of(
    settings: Settings, engine: str, stop: Stop
) -> tuple[tuple[GroupCover, ...] | None, str]:
    """Ask who serves; None, and why, where nobody can be asked.

    Raises:
        UsageError: The gateway has no group of that name.
        UnderstudyError: It cannot be asked.
    """
    if settings.gateway.url is None:
        return None, "no gateway is named (--gateway URL --key-env NAME)"
    async with connected(settings) as gateway:
        topology = await gateway.topology()

        async def drill(question: Question) -> DrillReport:
            return await drilled(settings, gateway, question, stop)

        return await who_serves(topology, engine, drill), ""


async def drilled(
    settings: Settings, gateway: "Gateway", question: Question, stop: Stop
) -> DrillReport:
    """Run the drills of a question, through the daemon of this gateway if there is one."""
    async with session() as opened:
        daemon = await daemon_of(opened, settings)
        if daemon is not None:
            order = DrillOrder(
                groups=question.groups,
                faults=(FAULT,),
                shapes=SHAPES,
                surfaces=(SURFACE,),
                depth=question.depth,
                profile=Profile.EXHAUSTIVE,
                known_gaps=False,
            )
            order = order.model_copy(update={"configured": order.left_of(said(settings))})
            say(f"the daemon at {daemon.base} drills who serves meanwhile")
            with LiveDrills(err) as live:
                report, stopped = await drilled_there(daemon, order, stop, live, say)
            if stopped:
                raise UnderstudyError(
                    "the drills were stopped", remedy="Ask again, or plan with --no-drills."
                )
            return report
    request = DrillRequest(
        selection=Selection(
            groups=question.groups,
            faults=(parse_fault(FAULT)[1],),
            shapes=SHAPES,
            surfaces=(SURFACE,),
            depth=question.depth,
            profile=Profile.EXHAUSTIVE,
        ),
        known_gaps=False,
    )
    with LiveDrills(err) as live:
        return await run_drills(gateway, settings, request, stop=stop, listen=live.take, say=say)
