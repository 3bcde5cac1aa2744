"""What is watched, how often, and by what signs of life clients are known to be well.

watch: {every: 15s, docker: true}
heartbeats:
  nightly-eval: {period: 24h, grace: 1h, secret: {env: NIGHTLY_EVAL_SECRET}}
"""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from supervisor.settings.values import Duration, Interval, Secret, Section

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class WatchSettings(Section):
    """The gateway, the engines, their containers and this machine."""

    enabled: bool = Field(True, description="False: nothing is looked at between drills.")
    every: Interval = Field(timedelta(seconds=15), description="How often each part is looked at.")
    confirm: int = Field(
        2, ge=1, le=20, description="Looks in a row that must find a part bad before it is so."
    )
    recover: int = Field(2, ge=1, le=20, description="Looks in a row that must find it well again.")
    answer_within: Interval = Field(
        timedelta(seconds=10), description="How long an answer of the gateway may take."
    )
    token_every: Interval = Field(
        timedelta(minutes=1),
        description="How often an idle engine is asked for one token: engines die idle, and "
        "nothing else shows it.",
    )
    fallback_quiet: Interval = Field(
        timedelta(minutes=10),
        description="Without a fallback of users for so long, a group is on its primary again.",
    )
    engines_serve_only_fallbacks: bool = Field(
        False,
        description="Nobody asks your local engines but fallbacks: where LiteLLM publishes no "
        "metrics, what an engine serves is then taken for users on a fallback.",
    )
    docker: bool = Field(
        False,
        description="Ask Docker how the containers named under engines are. Who may ask Docker is "
        "root; a socket proxy that allows GET /containers/NAME/json is enough (DOCKER_HOST).",
    )
    low_memory_ratio: float = Field(
        0.03, ge=0, lt=1, description="Less available memory than this share is reported."
    )


class HeartbeatSettings(Section):
    """A client that says regularly that it is alive."""

    period: Interval = Field(description="How often it says so.")
    grace: Duration = Field(
        timedelta(minutes=5), description="How late it may be before it is missed."
    )
    secret: Secret | None = Field(
        None,
        description="Lets its bearer send this sign of life, with ?secret=, instead of the token.",
    )


def _plain(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError("not a name of letters, digits, dots, dashes and underscores")
    return name


PlainName = Annotated[str, AfterValidator(_plain)]
"""Of a heartbeat or a notifier: it is part of addresses and labels."""
