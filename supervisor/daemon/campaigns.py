"""Campaigns that somebody asked for: they wait in line, and run before what is due."""

import asyncio
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp
import structlog

from chaos.drill.report import ReportBuilder
from chaos.errors import GatewayError, UnderstudyError, UsageError
from chaos.naming import some_of
from chaos.rehearsal import Rehearsal
from chaos.scenario.catalogue import CATALOGUE
from chaos.scenario.expand import scenarios_for
from supervisor.campaign.engine_names import refuse_unknown_engines
from supervisor.campaign.request import DrillRequest, known_gaps, rehearsal_options
from supervisor.campaign.run import refuse_the_impossible
from supervisor.coverage.rehearsed import scenarios_of
from supervisor.daemon.gateway import OpenGateway
from supervisor.daemon.guard import DaemonGuard
from supervisor.daemon.recorder import Order, Recorder
from supervisor.settings.deciding import differences
from supervisor.settings.model import EngineSettings, Settings
from supervisor.store.errors import StoreError
from supervisor.web.drill_order import DrillOrder
from supervisor.web.problem import ConflictError, NotReadyError

log = structlog.get_logger()

MOST_WAITING = 8
MOST_DIFFERENCES = 5


@dataclass(slots=True)
class Campaign:
    """One that waits or runs.

    Attributes:
        stop: Set it to end it; the running drill is broken off.
    """

    id: str
    order: DrillOrder
    stop: asyncio.Event = field(default_factory=asyncio.Event)


class Campaigns:
    """The line of campaigns.

    Args:
        guard: Makes the guard of one, for its own settings.
    """

    def __init__(
        self,
        recorder: Recorder,
        guard: Callable[[Settings, aiohttp.ClientSession], DaemonGuard],
    ) -> None:
        self._recorder = recorder
        self._guard = guard
        self._waiting: deque[Campaign] = deque()
        self._running: Campaign | None = None

    def add(self, order: DrillOrder, gateway: OpenGateway | None, settings: Settings) -> str:
        """Put a campaign in line, if there is something to drill.

        Returns:
            Its id.

        Raises:
            NotReadyError: The gateway has not been read yet.
            UsageError: Nothing can be drilled as ordered.
            ConflictError: Too many wait already, or whoever ordered has another configuration.
        """
        if gateway is None or gateway.topology is None:
            raise NotReadyError(
                "the gateway has not been read yet",
                remedy="Ask again in a moment; 'understudy status' says what keeps it.",
            )
        if len(self._waiting) >= MOST_WAITING:
            raise ConflictError(
                f"{MOST_WAITING} campaigns wait already", remedy="Wait until one has ended."
            )
        differ = differences(order.configured, settings)
        if differ:
            raise ConflictError(
                f"the daemon drills by another configuration: {some_of(differ, MOST_DIFFERENCES)}",
                remedy="Give the daemon this configuration and reload it, or name its own with "
                "--config. To drill by this one, stop the daemon: its witness holds the port.",
            )
        if order.engines and ordered(settings, order).drills.real_keys:
            # A group's real key goes where its engine is said to be.
            raise UsageError(
                "an order that names an engine's address cannot use real keys",
                remedy="Name the engine under 'engines' in the daemon's configuration.",
            )
        refuse_unknown_engines(order.engines, gateway.topology)
        scenarios_for(gateway.topology, order.selection(settings.drills.profile), CATALOGUE)
        campaign = Campaign(secrets.token_hex(8), order)
        self._waiting.append(campaign)
        return campaign.id

    @property
    def waiting(self) -> bool:
        """One waits for its turn."""
        return bool(self._waiting)

    def next(self) -> Campaign | None:
        """Take the one that waits longest; None if none does."""
        return self._waiting.popleft() if self._waiting else None

    def stop(self, name: str) -> bool:
        """Break one off; False if none of this id runs or waits."""
        known = [*self._waiting, *([self._running] if self._running else [])]
        for campaign in known:
            if campaign.id == name:
                campaign.stop.set()
        return any(campaign.id == name for campaign in known)

    def stop_all(self) -> None:
        """Break everything off: the daemon is to end."""
        for campaign in (*self._waiting, *([self._running] if self._running else [])):
            campaign.stop.set()

    async def run(self, campaign: Campaign, gateway: OpenGateway, settings: Settings) -> None:
        """Run one to its end; whatever happens, its end is told.

        Raises:
            StoreError: Nothing can be written.
        """
        self._running = campaign
        try:
            await self._run(campaign, gateway, ordered(settings, campaign.order))
        except StoreError:
            raise
        except UnderstudyError as error:
            if isinstance(error, GatewayError):
                gateway.forget()
            self._failed(campaign, error.message, error.remedy)
        except Exception:
            log.exception("campaign.broken", campaign=campaign.id)
            self._failed(
                campaign, "it broke off inside Understudy", "Report it, with the daemon's log."
            )
        finally:
            self._running = None

    async def _run(self, campaign: Campaign, gateway: OpenGateway, settings: Settings) -> None:
        recorder, order = self._recorder, campaign.order

        def say(line: str) -> None:
            log.info("rehearsal", campaign=campaign.id, says=line)
            recorder.events.tell("campaign.says", {"line": line}, campaign=campaign.id)

        own = order.own_client
        request = DrillRequest(
            selection=order.selection(settings.drills.profile),
            known_gaps=order.known_gaps,
            profile=own.profile if own is not None else None,
            seed=order.seed,
        )
        async with Rehearsal.opened(
            gateway.gateway,
            rehearsal_options(settings, request),
            witness=gateway.witness,
            guard=self._guard(settings, gateway.session).may_run,
            clock=gateway.clock,
            say=say,
        ) as rehearsal:
            scenarios = rehearsal.scenarios(request.selection)
            assignments = rehearsal.plan(scenarios[: order.max_drills or None])
            refuse_the_impossible(assignments)
            topology = rehearsal.topology
            report = ReportBuilder(
                gateway.gateway.url,
                topology.litellm_version,
                stripped=rehearsal.stripped,
                wildcards=rehearsal.topology.standing,
                spending=rehearsal.spending,
                gaps=known_gaps(settings, request, gateway.clock.now().date()),
                seed=request.seed,
            )
            how = Order(
                settings=settings,
                version=topology.litellm_version,
                faults_of=lambda path: tuple(scenarios_of(topology, settings.rehearse, path)),
                request=request,
                campaign=campaign.id,
                spending=rehearsal.spending,
                about={
                    "gateway": report.gateway.model_dump(mode="json"),
                    "seed": request.seed,
                },
            )
            # A profile of the user's own may hold a prompt, and keys.
            secret = {"client"} if own is not None else None
            asked_for = order.model_dump(mode="json", exclude=secret, exclude_defaults=True)
            await recorder.store.begin_campaign(campaign.id, asked_for, len(assignments))
            log.info("campaign.started", campaign=campaign.id, drills=len(assignments))
            async for event in rehearsal.run(assignments, campaign.stop):
                report.take(event)
                await recorder.take(event, how)
            stopped = campaign.stop.is_set()
            await recorder.store.end_campaign(campaign.id, stopped=stopped)
            made = report.report()
            log.info(
                "campaign.ended",
                campaign=campaign.id,
                stopped=stopped,
                **made.summary.model_dump(),
            )
            recorder.events.tell(
                "campaign.ended",
                {
                    "stopped": stopped,
                    "planned": len(assignments),
                    "gateway": made.gateway.model_dump(mode="json"),
                    "summary": made.summary.model_dump(mode="json"),
                    "seed": made.seed,
                },
                campaign=campaign.id,
            )

    def _failed(self, campaign: Campaign, why: str, remedy: str) -> None:
        log.warning("campaign.failed", campaign=campaign.id, why=why, remedy=remedy)
        self._recorder.events.tell(
            "campaign.failed", {"why": why, "remedy": remedy}, campaign=campaign.id
        )


def ordered(settings: Settings, order: DrillOrder) -> Settings:
    """Lay what was ordered over the daemon's own settings."""
    engines = {name: EngineSettings(url=url) for name, url in order.engines.items()}
    return settings.model_copy(
        update={
            "drills": settings.drills.model_copy(update=order.overlay()),
            "engines": {**settings.engines, **engines},
        }
    )
