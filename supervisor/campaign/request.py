"""What a campaign is asked for, and how the settings become the options of a rehearsal."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from chaos.drill.injector import TwinOptions
from chaos.errors import UsageError
from chaos.faults.fault import FaultName
from chaos.faults.kinds import FAULTS
from chaos.judge.known_gaps import Gap, load
from chaos.process.readiness import StartLimit
from chaos.rehearsal import RehearsalOptions
from chaos.scenario.expand import Selection
from chaos.scenario.expectation import Expectation
from chaos.scenario.plan import DrillOptions, fresh_nonce
from chaos.traffic.shape import ClientProfile
from supervisor.campaign.accepted import Accepted
from supervisor.settings.model import Settings


@dataclass(frozen=True, slots=True)
class DrillRequest:
    """What the user asked for, besides the settings.

    Attributes:
        keys: Only scenarios of these keys; None for all that are selected.
        seed: Replays ids; one is drawn where none is given, so that a report can name it.
        nonces: Gives the drills' nonces.
    """

    selection: Selection = field(default_factory=Selection)
    max_drills: int | None = None
    keys: frozenset[str] | None = None
    known_gaps: bool = True
    profile: ClientProfile | None = None
    group_profiles: Mapping[str, ClientProfile] = field(default_factory=dict)
    seed: int | None = None
    nonces: Callable[[], str] = fresh_nonce

    def __post_init__(self) -> None:
        if self.seed is None:
            object.__setattr__(self, "seed", secrets.randbits(32))


def rehearsal_options(settings: Settings, request: DrillRequest) -> RehearsalOptions:
    """Say how the gateway is rehearsed.

    Raises:
        UsageError: A key that is named is not there, or faults that no one twin can play.
    """
    drills, twin = settings.drills, settings.twin
    return RehearsalOptions(
        injector=drills.injector,
        drills=DrillOptions(
            deadline_s=drills.deadline_s,
            first_token_s=drills.first_token_s,
            real_keys=drills.real_keys,
            require_real=drills.require_real,
            profile=request.profile,
            group_profiles=request.group_profiles,
            every_s=drills.every_s,
            recover_within_s=drills.recover_within_s,
            expectations=expectations(settings),
        ),
        budget_usd=drills.budget_usd,
        concurrency=drills.concurrency,
        # A twin dials ports of its own; the one that a gateway dials may be a daemon's.
        witness_listen=(
            (("127.0.0.1", 0),)
            if drills.injector == "twin"
            else tuple(map(split_address, settings.witness.listen))
        ),
        witness_url=settings.witness.url,
        engine_urls=settings.engine_urls,
        engine_keys={
            name: engine.key.reveal().get_secret_value()
            for name, engine in settings.engines.items()
            if engine.key is not None
        },
        paid=settings.paid,
        default_bases=settings.providers,
        wildcards=settings.wildcards,
        twin=TwinOptions(
            config_file=twin.litellm_config,
            executable=twin.litellm_bin,
            image=twin.litellm_image,
            version=twin.litellm_version,
            cooldowns=only_sequences(request.selection.faults),
            limit=StartLimit(twin.start_within_s, "twin.start_within_s"),
        ),
        seed=request.seed,
        nonces=request.nonces,
    )


def only_sequences(faults: Sequence[FaultName]) -> bool:
    """Tell whether *faults* are those that end, which need a twin of their own kind.

    Raises:
        UsageError: Some of them are, and some are not.
    """
    ends = {str(one): FAULTS[one.name].lasts_s(one.variant) is not None for one in faults}
    if any(ends.values()) and not all(ends.values()):
        sequence = next(name for name, is_one in ends.items() if is_one)
        raise UsageError(
            f"{sequence} is drilled by itself: its twin keeps LiteLLM's cooldowns, and other "
            "drills would poison one another there",
            remedy=f"Drill --fault {sequence} alone, and the other faults without it.",
        )
    return any(ends.values())


def expectations(settings: Settings) -> tuple[Expectation, ...]:
    """List how drills should end, in the order of the file: the first that covers one counts."""
    return tuple(Expectation(one.scenario, one.outcome, one.reason) for one in settings.expect)


def known_gaps(settings: Settings, request: DrillRequest, today: date) -> tuple[Gap, ...]:
    """List the package's known gaps, and the failures that the user accepts until their day."""
    if not request.known_gaps:
        return ()
    own = tuple(Accepted(entry) for entry in settings.accept if entry.until >= today)
    return (*own, *load())


def split_address(address: str) -> tuple[str, int]:
    """Take ``ADDRESS:PORT`` apart."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)
