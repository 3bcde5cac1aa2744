"""The daemon itself: its name, where it remembers, and where it answers.

daemon: {name: spark-1}
store: {url: sqlite:////var/lib/understudy/understudy.db}
web: {listen: ["127.0.0.1:8940"], token: {file: /etc/understudy/web-token}}
"""

import socket
from datetime import timedelta

from pydantic import Field, SecretStr

from supervisor.settings.values import Address, Interval, Secret, Section

WEB_PORT = 8940


class DaemonSettings(Section):
    """Which daemon this is, where several share one store."""

    name: str = Field(
        default_factory=socket.gethostname,
        min_length=1,
        max_length=200,
        description="Its name, unique among the daemons of one store (default: the host's).",
    )
    read_gateway_every: Interval = Field(
        timedelta(minutes=1), description="How often the gateway is asked what it would do."
    )


class StoreSettings(Section):
    """What survives a restart."""

    url: SecretStr | None = Field(
        None,
        description="sqlite:///FILE or postgresql://USER@HOST/DATABASE; by default understudy.db "
        "in $STATE_DIRECTORY, else in $XDG_STATE_HOME/understudy, else in "
        "~/.local/state/understudy.",
    )
    password: Secret | None = Field(None, description="PostgreSQL's, where the URL has none.")
    keep_verdicts: int = Field(
        100, ge=1, le=10_000, description="Verdicts of each path that are kept, however old."
    )
    keep_failures: Interval = Field(
        timedelta(days=90), description="How long every failure is kept with its evidence."
    )
    keep_evidence: Interval = Field(
        timedelta(days=2), description="How long the evidence of drills that passed is kept."
    )


class WebSettings(Section):
    """The API."""

    listen: tuple[Address, ...] = Field(
        (f"127.0.0.1:{WEB_PORT}",), min_length=1, description="Addresses to listen on."
    )
    token: Secret | None = Field(
        None,
        description="Lets its bearer change something, and read from other machines; without "
        "one, a random token is written beside the store.",
    )
    badges: bool = Field(
        False,
        description="Let everybody who reaches the port see /badge/GROUP.svg: whether a group's "
        "fallback is proven, and nothing else.",
    )
