"""A drill request as the command line has it, as JSON; what is missing is as the daemon has it."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from chaos.faults.kinds import parse_fault
from chaos.scenario.expand import Profile, Selection
from supervisor.campaign.asked_as import asked_as
from supervisor.settings.client_profile import ClientProfileFile
from supervisor.settings.rehearse import KnownClient, KnownFault, KnownShape, KnownSurface
from supervisor.settings.values import HttpUrl

LONGEST_S = 3600.0


MOST_NAMES = 1_000


class DrillOrder(BaseModel):
    """What to drill now; without anything the smoke profile of every group."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    groups: tuple[str, ...] = Field((), max_length=MOST_NAMES)
    faults: tuple[KnownFault, ...] = ()
    shapes: tuple[KnownShape, ...] = ()
    surfaces: tuple[KnownSurface, ...] = ()
    stream: bool | None = Field(None, description="Only streamed, or only whole; null for both.")
    depth: int | None = Field(None, ge=1, le=100, description="Hops made to fail; null for all.")
    profile: Profile | None = None
    max_drills: int | None = Field(None, ge=1)
    known_gaps: bool = Field(True, description="False: known gaps count as failures.")
    injector: Literal["auto", "redirect"] | None = None
    deadline_s: float | None = Field(None, gt=0, le=LONGEST_S)
    concurrency: int | None = Field(None, ge=1, le=4)
    budget_usd: float | None = Field(None, ge=0, description="Money that this campaign may spend.")
    real_keys: bool | None = None
    require_real: bool | None = None
    engines: dict[str, HttpUrl] = Field(default_factory=dict)
    client: KnownClient | ClientProfileFile | None = Field(
        None, description="As whom: a client that 'understudy clients' lists, or how yours asks."
    )
    seed: int | None = None
    configured: dict[str, JsonValue] = Field(
        default_factory=dict,
        max_length=MOST_NAMES,
        description="What the caller's configuration says of drills, by key such as "
        "drills.deadline_s: 409 where the daemon's says something else, because its own counts.",
    )

    def selection(self, default: Profile) -> Selection:
        """Say what is to be drilled.

        Raises:
            UsageError: The client does not ask like that.
        """
        selection = Selection(
            groups=self.groups,
            faults=tuple(parse_fault(text)[1] for text in self.faults),
            shapes=self.shapes,
            surfaces=self.surfaces,
            stream=self.stream,
            depth=self.depth,
            profile=self.profile or default,
        )
        return asked_as(selection, self.client) if isinstance(self.client, str) else selection

    @property
    def own_client(self) -> ClientProfileFile | None:
        """How a client of the user's own asks; None where one of the registry does."""
        return self.client if isinstance(self.client, ClientProfileFile) else None

    def left_of(self, configured: Mapping[str, Any]) -> dict[str, Any]:
        """Leave out of what a configuration says whatever this order says itself."""
        ordered = {f"drills.{name}" for name in self.overlay()}
        ordered |= {"drills.profile"} if self.profile is not None else set()
        ordered |= {"engines"} if self.engines else set()
        return {key: value for key, value in configured.items() if key not in ordered}

    def overlay(self) -> dict[str, Any]:
        """List what is different from the daemon's own ``drills`` section."""
        names = (
            *("injector", "deadline_s", "concurrency"),
            *("budget_usd", "real_keys", "require_real"),
        )
        return {name: value for name in names if (value := getattr(self, name)) is not None}
