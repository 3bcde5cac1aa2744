"""The gateway of the settings, opened with the keys that they name."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from chaos.errors import UsageError
from chaos.gateway.client import Gateway, open_gateway
from supervisor.settings.model import Settings
from supervisor.settings.values import Secret


@asynccontextmanager
async def connected_or_none(settings: Settings) -> AsyncIterator[Gateway | None]:
    """Open the gateway of *settings*; None where a twin of a configuration is all that is asked.

    Raises:
        UsageError: The settings name no gateway or no key, and no such configuration.
    """
    alone = settings.drills.injector == "twin" and settings.twin.litellm_config is not None
    if settings.gateway.url is None and alone:
        yield None
        return
    async with connected(settings, as_key=settings.gateway.as_key) as gateway:
        yield gateway


@asynccontextmanager
async def connected(settings: Settings, *, as_key: Secret | None = None) -> AsyncIterator[Gateway]:
    """Open the gateway of *settings*.

    Args:
        as_key: A virtual key that sends the drills in the place of the settings' own key.

    Raises:
        UsageError: The settings name no gateway or no key.
    """
    if settings.gateway.url is None:
        raise UsageError(
            "no gateway is named",
            remedy="Give --gateway http://127.0.0.1:4000 --key-env NAME, or a file with --config. "
            "To drill a configuration without a running gateway: --injector twin "
            "--litellm-config FILE. To try without either: understudy demo",
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
        key=(as_key.reveal() if as_key is not None else key).get_secret_value(),
        admin_key=admin_key.get_secret_value(),
        engines=settings.engine_urls,
        paid=settings.paid,
        default_bases=settings.providers,
        wildcards=settings.wildcards,
        answer_within_s=settings.gateway.answer_within_s,
        as_key=as_key is not None,
    ) as gateway:
        yield gateway
