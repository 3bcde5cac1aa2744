"""The options that commands share: the gateway, as one dataclass, and the form of output.

Nothing heavy is imported before a command runs: ``--help`` reads this file too.
"""

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

import typer

from chaos.errors import UsageError

if TYPE_CHECKING:
    from supervisor.settings.model import Settings

Format = Literal["table", "json"]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="Configuration file "
        "(default: $UNDERSTUDY_CONFIG, then /etc/understudy/understudy.yaml)",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How to reach the gateway, as given on the command line; laid over the file."""

    config: ConfigOption = None
    gateway: Annotated[
        str | None,
        typer.Option("--gateway", help="LiteLLM's base URL, such as http://127.0.0.1:4000"),
    ] = None
    key_env: Annotated[
        str | None,
        typer.Option("--key-env", help="Environment variable with the key that sends drills."),
    ] = None
    key_file: Annotated[
        Path | None, typer.Option("--key-file", help="File with the key that sends drills.")
    ] = None
    admin_key_env: Annotated[
        str | None,
        typer.Option(
            "--admin-key-env",
            help="Environment variable with the key that reads the topology "
            "(default: the same key).",
        ),
    ] = None
    admin_key_file: Annotated[
        Path | None,
        typer.Option("--admin-key-file", help="File with the key that reads the topology."),
    ] = None

    def settings(self, *, may_be_empty: bool = True) -> "Settings":
        """Read the file and lay the options over it; a file may say nothing, or not.

        Raises:
            UsageError: Two places were named for one key, or the file is broken.
            GatewayError: The gateway's URL is none.
        """
        from chaos.gateway.client import mended_url
        from supervisor.settings.file import load_settings
        from supervisor.settings.model import GatewaySettings
        from supervisor.settings.values import Secret

        settings = load_settings(self.config, may_be_empty=may_be_empty)
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


def finite(value: float | None) -> float | None:
    """Refuse a number that is not finite; every option that takes a fraction has this callback.

    A least value lets infinity through, and a wait without an end is never over.

    Raises:
        BadParameter: It is infinite, or not a number.
    """
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is not a finite number.")
    return value


def with_access(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of ``Access``, in the place of its parameter ``access``."""
    hints = get_type_hints(Access, include_extras=True)
    options = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=hint)
        for name, hint in hints.items()
    ]

    def accessed(**given: Any) -> None:
        access = Access(**{name: given.pop(name) for name in hints})
        command(access=access, **given)

    signature = inspect.signature(command)
    own = [one for name, one in signature.parameters.items() if name != "access"]
    arguments = [one for one in own if one.kind is not inspect.Parameter.KEYWORD_ONLY]
    own_options = [one for one in own if one.kind is inspect.Parameter.KEYWORD_ONLY]
    accessed.__signature__ = signature.replace(  # type: ignore[attr-defined]  # typer reads it
        parameters=[*arguments, *options, *own_options]
    )
    accessed.__doc__ = command.__doc__
    accessed.__annotations__ = hints | {
        name: hint for name, hint in command.__annotations__.items() if name != "access"
    }
    return accessed
