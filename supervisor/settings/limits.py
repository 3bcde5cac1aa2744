"""When drills may run, and what they may use up.

schedule:
  time_zone: Europe/Berlin
  windows: ["Mon-Fri 07:00-20:00"]
  blackouts: ["2026-12-24 00:00/2026-12-27 00:00", "Sun 02:00-04:00"]
budget: {usd: 1.50, requests: 2000, providers: {anthropic: {usd: 0.50}}}
"""

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

from supervisor.settings.values import Section
from supervisor.settings.windows import parse_window


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("not a time zone such as Europe/Berlin or UTC") from error
    return name


def _window(text: str) -> str:
    parse_window(text)
    return text


Window = Annotated[str, AfterValidator(_window)]


class ScheduleSettings(Section):
    """When the daemon may drill, and how much of an engine's time that may take."""

    time_zone: Annotated[str, AfterValidator(_zone)] = Field(
        "UTC", description="The time zone of the windows, such as Europe/Berlin."
    )
    windows: tuple[Window, ...] = Field(
        (), description="When drills may run; always, if there is none."
    )
    blackouts: tuple[Window, ...] = Field(
        (), description="When no drill may run: quiet hours, maintenance."
    )
    load_windows: tuple[Window, ...] = Field(
        (),
        description="When a drill may have an engine load another model (Ollama, llama-swap), "
        "which evicts the one in use; never, if there is none.",
    )
    engine_share: float = Field(
        0.02, gt=0, le=1, description="Share of a local engine's day that drills may take."
    )


class Budget(Section):
    """What a day's drills may use up; a day begins at 00:00 UTC."""

    usd: float | None = Field(None, ge=0, description="Money a day.")
    requests: int | None = Field(None, ge=0, description="Requests a day; without it no limit.")
    tokens: int | None = Field(None, ge=0, description="Tokens a day; without it no limit.")


class BudgetSettings(Budget):
    """What the daemon's drills of a day may use up at real upstreams, in all and at each."""

    usd: float | None = Field(
        0.0, ge=0, description="Money a day; counts where drills.real_keys is set."
    )
    providers: dict[str, Budget] = Field(
        default_factory=dict, description="Limits by LiteLLM's provider prefix, such as anthropic."
    )
