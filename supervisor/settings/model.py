"""One YAML file, validated at once, frozen afterwards; the command line is laid over it.

Nothing but the gateway's URL and key is needed. Secrets are named by where they are (an
environment variable or a file), never written down, and cannot be printed.
"""

import os
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from chaos.gateway.redirect_permission import WITNESS_PORT
from chaos.judge.check import Kind
from chaos.scenario.expand import Profile
from chaos.scenario.expectation import Expected
from supervisor.settings.alerting import AlertSettings, NotifierSettings
from supervisor.settings.benchmark import BenchmarkSettings
from supervisor.settings.daemon import DaemonSettings, StoreSettings, WebSettings
from supervisor.settings.limits import BudgetSettings, ScheduleSettings
from supervisor.settings.rehearse import RehearseSettings
from supervisor.settings.values import (
    Address,
    HttpUrl,
    Secret,
    Section,
    address,
    http_url,
    pattern,
    url_of,
)
from supervisor.settings.watch import HeartbeatSettings, PlainName, WatchSettings
from supervisor.settings.wildcards import WildcardModels


class GatewaySettings(Section):
    """The running LiteLLM proxy."""

    url: HttpUrl | None = Field(None, description="Base URL, such as http://127.0.0.1:4000")
    key: Secret | None = Field(
        None, description="Sends the drills; best a virtual key with the alias 'understudy'."
    )
    admin_key: Secret | None = Field(
        None, description="Reads the topology (a proxy_admin_viewer may); default: the key."
    )
    as_key: Secret | None = Field(
        None,
        description="`understudy drill` drills as this virtual key, with its own fallbacks, access "
        "and budget; the daemon does not.",
    )
    answer_within_s: float = Field(
        60.0, gt=0, description="Seconds for each of its answers about models and settings."
    )


class WitnessSettings(Section):
    """Where the witness listens, and what the gateway dials to reach it."""

    listen: tuple[Address, ...] = Field(
        (f"127.0.0.1:{WITNESS_PORT}",), description="Addresses to listen on, ADDRESS:PORT."
    )
    url: HttpUrl = Field(
        f"http://127.0.0.1:{WITNESS_PORT}",
        description="What LiteLLM dials: by default the first address to listen on; differs in a "
        "container.",
    )

    @model_validator(mode="before")
    @classmethod
    def _dialled_where_it_listens(cls, raw: Any) -> Any:
        """Say only once where the witness is."""
        listen = raw.get("listen") if isinstance(raw, dict) else None
        if not isinstance(listen, list | tuple) or not listen or raw.get("url") is not None:
            return raw
        try:
            url = url_of(address(listen[0]))
        except (ValueError, AttributeError):
            return raw  # It is told as what it is.
        return raw if url is None else {**raw, "url": url}


class TwinSettings(Section):
    """A second LiteLLM, started from the same configuration for drills and stopped afterwards."""

    litellm_config: Path | None = Field(None, description="LiteLLM's configuration file.")
    litellm_bin: Path | None = Field(None, description="LiteLLM's executable.")
    litellm_image: str | None = Field(None, description="LiteLLM's container image.")
    litellm_version: str | None = Field(
        None,
        pattern=r"^[0-9][0-9A-Za-z.+!-]*$",
        description="LiteLLM's version, which is installed where it is not there.",
    )
    start_within_s: float = Field(600.0, gt=0, description="Seconds that its start may take.")


MOST_OFTEN_S = 0.2
"""Requests of a sequence do not come closer: it is no load test."""


class DrillSettings(Section):
    """What is drilled, and within which limits."""

    injector: Literal["auto", "redirect", "twin"] = Field(
        "auto",
        description="How a drill reaches the witness: through the running gateway, by a second "
        "LiteLLM, or auto, which prefers the first.",
    )
    profile: Profile = Field(Profile.SMOKE, description="How much one run drills.")
    deadline_s: float = Field(60.0, gt=0, description="Seconds for a whole reply.")
    first_token_s: float = Field(30.0, gt=0, description="Seconds to the first token.")
    concurrency: int = Field(1, ge=1, le=4, description="Drills at once; the witness has 4 lanes.")
    every_s: float = Field(
        2.0,
        ge=MOST_OFTEN_S,
        le=3600,
        description="In an outage drill: seconds from one request to the next.",
    )
    recover_within_s: float = Field(
        30.0,
        gt=0,
        le=3600,
        description="In an outage drill: seconds after its end in which the primary has to serve "
        "again.",
    )
    budget_usd: float = Field(0.0, ge=0, description="Money that one run may spend.")
    real_keys: bool = Field(False, description="Let hops that cost money be called for real.")
    require_real: bool = Field(False, description="Report a pass by a stand-in as inconclusive.")


class EngineSettings(Section):
    """A local engine: its URL alone, or with places where more about it can be read."""

    url: HttpUrl = Field(description="Its root, such as http://127.0.0.1:8000")
    container: str | None = Field(
        None,
        min_length=1,
        description="Its container: Docker is asked for the log and for the parsers on offer, "
        "and never without this setting, because who may ask Docker is root.",
    )
    log: Path | None = Field(None, description="File that its log is written to.")
    python: Path | None = Field(
        None, description="A Python that has its vLLM, or the environment's folder."
    )
    key: Secret | None = Field(None, description="Key that it asks for, if it was given one.")

    @model_validator(mode="before")
    @classmethod
    def _from_url(cls, raw: Any) -> Any:
        """Take a plain URL for an engine of which no more is said."""
        if isinstance(raw, str):
            return {"url": http_url(raw)}
        if not isinstance(raw, dict | EngineSettings):
            keys = ", ".join(cls.model_fields)
            raise ValueError(f"neither a URL nor a section with any of: {keys}")  # noqa: TRY004 -- pydantic reads it
        return raw

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        section = handler.resolve_ref_schema(handler(core_schema))
        url = {"type": "string", "pattern": "^https?://", "description": "Its URL."}
        return {"anyOf": [url, {**section}]}


def _scenario(value: str) -> str:
    if "*" not in value and value.count("/") < SLASHES:
        raise ValueError(
            "no pattern of a scenario such as claude/*/billing/*, and matches nothing; "
            "'understudy drill --list' prints scenarios"
        )
    return pattern(value)


SLASHES = 6
"""In the key of a scenario, at least: the name of a group may have some of its own."""

ScenarioPattern = Annotated[str, AfterValidator(_scenario)]


class AcceptedFailure(Section):
    """A failure that is known and accepted for a while."""

    scenario: ScenarioPattern = Field(description="Pattern for scenario keys, with * and ?.")
    kinds: tuple[Kind, ...] = Field(
        (),
        description="The kinds of failure that are accepted; without them any one kind, alone.",
    )
    hop: str | None = Field(None, description="The model group that may fail so; default: any.")
    until: date = Field(description="The last day on which it is accepted.")
    reason: str = Field(min_length=1, description="Why, for whoever reads the report.")


class ExpectedOutcome(Section):
    """How drills should end: failing closed can be right."""

    scenario: ScenarioPattern = Field(description="Pattern for scenario keys, with * and ?.")
    outcome: Expected = Field(
        description="served: a fallback answers, as without an entry. refused: one 4xx, and no "
        "fallback is asked. error: one well-formed error, whichever hops are asked.",
    )
    reason: str = Field(min_length=1, description="Why, for whoever reads the report.")


class Settings(Section):
    """Everything that the configuration file may say."""

    @model_validator(mode="before")
    @classmethod
    def _without_empty_sections(cls, raw: Any) -> Any:
        """Take a section whose keys are all commented out for one that is not there."""
        if isinstance(raw, dict):
            return {name: value for name, value in raw.items() if value is not None}
        return raw

    gateway: GatewaySettings = GatewaySettings()
    witness: WitnessSettings = WitnessSettings()
    twin: TwinSettings = TwinSettings()
    drills: DrillSettings = DrillSettings()
    engines: dict[str, EngineSettings] = Field(
        default_factory=dict,
        description="Local engines by model group: counted as free. A URL, or a section.",
    )
    providers: dict[str, HttpUrl] = Field(
        default_factory=dict,
        description="Where providers really are, by LiteLLM's prefix: what is not named with "
        "api_base is called with real keys only at an address from here.",
    )
    wildcards: WildcardModels = Field(
        default_factory=dict,
        description="Models that stand for wildcards, by pattern such as 'openai/*': those that "
        "your clients use. By default the first by name that chats.",
    )
    paid: tuple[str, ...] = Field(
        (),
        description="Model groups that cost money although they look local: a hosted vLLM, say.",
    )
    accept: tuple[AcceptedFailure, ...] = Field(
        (), description="Failures that are known and accepted until a day."
    )
    expect: tuple[ExpectedOutcome, ...] = Field(
        (),
        description="How drills should end, where a fallback should not answer; the first entry "
        "that fits a scenario counts.",
    )
    rehearse: RehearseSettings = RehearseSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    budget: BudgetSettings = BudgetSettings()
    watch: WatchSettings = WatchSettings()
    benchmarks: BenchmarkSettings = BenchmarkSettings()
    heartbeats: dict[PlainName, HeartbeatSettings] = Field(
        default_factory=dict, description="Clients that say regularly that they are alive."
    )
    alerts: AlertSettings = AlertSettings()
    notifiers: dict[PlainName, NotifierSettings] = Field(
        default_factory=dict, description="Who is told, by a name of yours."
    )
    daemon: DaemonSettings = DaemonSettings()
    store: StoreSettings = StoreSettings()
    web: WebSettings = WebSettings()

    @property
    def engine_urls(self) -> dict[str, str]:
        """Where each engine is, by model group."""
        return {group: engine.url for group, engine in self.engines.items()}

    def engine_key(self, group: str) -> str | None:
        """Fetch an engine's own key; None if it has none.

        Raises:
            UsageError: It is named, and is not there.
        """
        named = self.engines.get(group)
        return named.key.reveal().get_secret_value() if named and named.key else None


DEFAULT_FILE = Path("/etc/understudy/understudy.yaml")


def settings_path(given: Path | None) -> Path | None:
    """Find the configuration file: the one given, ``$UNDERSTUDY_CONFIG``, or the default.

    Returns:
        None if none was named and the default is not there: defaults hold.
    """
    named = given or (Path(os.environ["UNDERSTUDY_CONFIG"]) if _named_by_environment() else None)
    if named is not None:
        return named
    return DEFAULT_FILE if DEFAULT_FILE.is_file() else None


def _named_by_environment() -> bool:
    return bool(os.environ.get("UNDERSTUDY_CONFIG"))
