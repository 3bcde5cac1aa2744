"""What is told, to whom, and how often.

alerts: {remind_every: 4h, rules: {FallbackStale: {for: 1h}, Halted: {enabled: false}}}
notifiers:
  ops: {webhook: {url: "https://ops.example/understudy", secret: {env: WEBHOOK_SECRET}}}
  alertmanager: {alertmanager: {url: "http://127.0.0.1:9093"}}
  phone: {apprise: {url: {env: NTFY_URL}}, only: [FallbackBroken, EngineDown], watchdog: false}
"""

from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic.fields import FieldInfo

from chaos.registry import suggestion
from supervisor.settings.values import Duration, HttpUrl, Interval, Secret, Section

SeverityName = Literal["page", "ticket", "info"]

ALERTS = (
    "FallbackBroken",
    "FallbackStale",
    "FallbackNeverProven",
    "RunningOnFallback",
    "GatewayDown",
    "EngineDown",
    "EngineHung",
    "EngineDrifted",
    "HeartbeatMissed",
    "ThroughputRegressed",
    "SwapUnfinished",
    "PatchOutdated",
    "DrillCollateral",
    "ConfigRejected",
    "NotifierBroken",
    "Halted",
    "Watchdog",
    "UnderstudyTest",
)
"""Every alert that there may be; the rules' own test holds this list to them."""


def _alert(name: str) -> str:
    if name not in ALERTS:
        raise ValueError(f"not an alert; {suggestion(name, ALERTS)}")
    return name


def _pattern(pattern: str) -> str:
    if not any(fnmatchcase(name, pattern) for name in ALERTS):
        raise ValueError(
            f"not the name of an alert, nor a pattern of one; {suggestion(pattern, ALERTS)}"
        )
    return pattern


AlertName = Annotated[str, AfterValidator(_alert)]
AlertPattern = Annotated[str, AfterValidator(_pattern)]


class RuleSettings(Section):
    """What is different for one alert."""

    enabled: bool = Field(True, description="False: it never fires.")
    hold: Duration | None = Field(
        None, alias="for", description="How long the condition must hold before it fires."
    )
    severity: SeverityName | None = Field(
        None, description="How urgent it is, in place of its own severity."
    )


class AlertSettings(Section):
    """When something is told."""

    remind_every: Interval = Field(
        timedelta(hours=4), description="How often a firing alert is sent again."
    )
    watchdog_every: Interval = Field(
        timedelta(minutes=15), description="How often the alert that always fires is sent again."
    )
    external_url: HttpUrl | None = Field(
        None, description="Where people reach the daemon; by default its first address."
    )
    rules: dict[AlertName, RuleSettings] = Field(
        default_factory=dict, description="What is different for single alerts, by name."
    )


def _place(raw: Any) -> Any:
    """Take a plain address, or the place of one that holds a secret."""
    return {"plain": raw} if isinstance(raw, str) else raw


class Target(Section):
    """An address: written down, or, where it holds a secret itself, by its place."""

    plain: HttpUrl | None = Field(None, description="The address.")
    env: str | None = Field(None, description="Name of the environment variable that holds it.")
    file: Path | None = Field(None, description="File that holds it.")
    credential: str | None = Field(None, description="Name of the credential that holds it.")

    @model_validator(mode="after")
    def _one(self) -> "Target":
        places = (self.plain, self.env, self.file, self.credential)
        if sum(value is not None for value in places) != 1:
            raise ValueError("give the address itself, or exactly one of: env, file, credential")
        if self.plain is None:
            self.secret  # noqa: B018 -- a place that cannot be is said now
        return self

    @property
    def secret(self) -> Secret | None:
        """Its place; None where the address is written down."""
        if self.plain is not None:
            return None
        return Secret(env=self.env, file=self.file, credential=self.credential)

    def reveal(self) -> SecretStr:
        """Fetch it.

        Raises:
            UsageError: Its place is empty or cannot be read.
        """
        secret = self.secret
        return SecretStr(str(self.plain)) if secret is None else secret.reveal()


Place = Annotated[Target, BeforeValidator(_place)]


class WebhookSettings(Section):
    """A receiver of Alertmanager's webhook format, version 4."""

    url: Place
    secret: Secret | None = Field(
        None, description="Signs each body: X-Understudy-Signature: sha256=HMAC(body)."
    )
    token: Secret | None = Field(None, description="Sent as 'Authorization: Bearer TOKEN'.")


class AlertmanagerSettings(Section):
    """An Alertmanager, by its API version 2."""

    url: HttpUrl = Field(description="Its root, such as http://127.0.0.1:9093")
    token: Secret | None = Field(None, description="Sent as 'Authorization: Bearer TOKEN'.")


class AppriseSettings(Section):
    """Any human channel that apprise knows: https://github.com/caronc/apprise/wiki."""

    url: Secret = Field(description="Its URL, which holds keys and so is named by its place.")


class NotifierSettings(Section):
    """One way to tell somebody: exactly one of the sections that come first."""

    webhook: WebhookSettings | None = None
    alertmanager: AlertmanagerSettings | None = None
    apprise: AppriseSettings | None = None
    only: tuple[AlertPattern, ...] = Field(
        (), description="Alerts that it gets, with * and ?; else all."
    )
    severities: tuple[SeverityName, ...] = Field(
        (), description="Severities that it gets; by default all, and apprise no info."
    )
    watchdog: bool | None = Field(
        None,
        description="Whether it gets the alert that always fires; by default all but apprise do.",
    )
    reminders: bool = Field(True, description="Whether it is told again while an alert fires.")

    @model_validator(mode="after")
    def _one_kind(self) -> "NotifierSettings":
        if len(self.kinds) != 1:
            known = [
                name for name, field in NotifierSettings.model_fields.items() if _is_section(field)
            ]
            raise ValueError(f"name exactly one of: {', '.join(known)}")
        return self

    @property
    def kinds(self) -> tuple[str, ...]:
        """Which it is."""
        return tuple(name for name, value in self if isinstance(value, Section))


def _is_section(field: FieldInfo) -> bool:
    choices = get_args(field.annotation)
    return any(isinstance(one, type) and issubclass(one, Section) for one in choices)
