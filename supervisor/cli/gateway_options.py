"""From the command line's options to settings and an open gateway; shared by every command."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from chaos.errors import UsageError
from chaos.gateway.client import Gateway, mended_url, open_gateway
from supervisor.settings.file import load_settings
from supervisor.settings.model import GatewaySettings, Secret, Settings

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="Configuration file "
        "(default: $UNDERSTUDY_CONFIG, then /etc/understudy/understudy.yaml)",
    ),
]
GatewayOption = Annotated[
    str | None, typer.Option("--gateway", help="LiteLLM's base URL, such as http://127.0.0.1:4000")
]
KeyEnvOption = Annotated[
    str | None,
    typer.Option("--key-env", help="Environment variable with the key that sends drills."),
]
KeyFileOption = Annotated[
    Path | None, typer.Option("--key-file", help="File with the key that sends drills.")
]
AdminKeyEnvOption = Annotated[
    str | None,
    typer.Option(
        "--admin-key-env",
        help="Environment variable with the key that reads the topology (default: the same key).",
    ),
]
AdminKeyFileOption = Annotated[
    Path | None, typer.Option("--admin-key-file", help="File with the key that reads the topology.")
]


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach the gateway, as given on the command line; laid over the file."""

    config: Path | None = None
    gateway: str | None = None
    key_env: str | None = None
    key_file: Path | None = None
    admin_key_env: str | None = None
    admin_key_file: Path | None = None

    def settings(self) -> Settings:
        """Read the file and lay the options over it.

        Raises:
            UsageError: Two places were named for one key, or the file is broken.
            GatewayError: The gateway's URL is none.
        """
        settings = load_settings(self.config)
        given: dict[str, object] = {}
        if self.gateway is not None:
            given["url"] = mended_url(self.gateway)
        for name, env, file in (
            ("key", self.key_env, self.key_file),
            ("admin_key", self.admin_key_env, self.admin_key_file),
        ):
            if env is not None and file is not None:
                option = name.replace("_", "-")
                raise UsageError(
                    f"--{option}-env and --{option}-file both name a key",
                    remedy="Give one of them.",
                )
            if env is not None or file is not None:
                given[name] = Secret(env=env, file=file)
        gateway = GatewaySettings.model_validate({**dict(settings.gateway), **given})
        return settings.model_copy(update={"gateway": gateway})


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[Gateway]:
    """Open the gateway of *settings*.

    Raises:
        UsageError: The settings name no gateway or no key.
    """
    if settings.gateway.url is None:
        raise UsageError(
            "no gateway is named",
            remedy="Give --gateway http://127.0.0.1:4000 --key-env NAME, or a file with --config. "
            "To try without a gateway of your own: understudy demo",
        )
    if "@" in urlsplit(settings.gateway.url).netloc:
        raise UsageError(
            "the gateway's URL holds a user name or password",  # which this must not repeat
            remedy="Leave it out; keys are named by --key-env or --key-file.",
        )
    if settings.gateway.key is None:
        raise UsageError(
            f"no key for the gateway at {settings.gateway.url} is named",
            remedy="Give --key-env NAME or --key-file FILE: the key that sends the drills.",
        )
    key = settings.gateway.key.reveal()
    admin_key = settings.gateway.admin_key.reveal() if settings.gateway.admin_key else key
    async with open_gateway(
        settings.gateway.url,
        key=key.get_secret_value(),
        admin_key=admin_key.get_secret_value(),
        engines=settings.engine_urls,
        paid=settings.paid,
        default_bases=settings.providers,
        answer_within_s=settings.gateway.answer_within_s,
    ) as gateway:
        yield gateway
