"""The token that lets its bearer change something: the configured one, or one of our own.

Our own is written beside the store, for its owner's eyes only, where the command line finds it.
"""

import os
import secrets
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import URL

from chaos.errors import UsageError
from supervisor.settings.daemon import WebSettings
from supervisor.store.location import state_beside

FILE = "api-token"


def token_file(url: URL) -> Path:
    """Name the file that holds our own token, where the store is at *url*."""
    return state_beside(url) / FILE


def own_token(settings: WebSettings, url: URL) -> SecretStr:
    """Give the token: as configured, as it was written before, or a new one.

    Raises:
        UsageError: It is not where it should be, or a new one cannot be written.
    """
    known = known_token(settings, url)
    if known is not None:
        return known
    file, token = token_file(url), secrets.token_urlsafe(32)
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Whole or not at all: half a token would be refused for ever.
        unfinished = file.with_name(f"{FILE}.unfinished")
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as opened:
            opened.write(f"{token}\n")
        unfinished.replace(file)
    except OSError as error:
        raise UsageError(
            f"the API's token cannot be written to {file}: {error.strerror}",
            remedy="Let this user write there, or name a token with web.token.",
        ) from error
    return SecretStr(token)


def known_token(settings: WebSettings, url: URL) -> SecretStr | None:
    """Find the token that a daemon with these settings uses; None if it has none yet.

    Raises:
        UsageError: It is configured, and not where it should be; or it may not be read.
    """
    if settings.token is not None:
        return settings.token.reveal()
    file = token_file(url)
    try:
        text = file.read_text("ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UsageError(
            f"the API's token in {file} cannot be read: {why}",
            remedy="Run this as the daemon's user, or name a token with web.token.",
        ) from error
    return SecretStr(text) if text else None
