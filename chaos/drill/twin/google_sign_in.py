"""Stand in for Google's sign-in, so that a twin's Vertex AI hops ask at all.

LiteLLM signs in before it asks Vertex AI. A twin has no credentials of the gateway's; it gets an
external account whose token is exchanged here, on loopback, for the drill's canary key.

Source: LiteLLM 1.106.2 with google-auth 2.63, run: a GET of the subject token, then the exchange.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

TOKEN_LIVES_S = 43_200
PROVIDERS = ("vertex_ai", "vertex_ai_beta")


@asynccontextmanager
async def google_sign_in(token: str) -> AsyncIterator[str]:
    """Answer every sign-in with *token* until exit; yields the credentials to sign in with."""

    async def subject(_: web.Request) -> web.Response:
        return web.Response(text="understudy")

    async def exchange(_: web.Request) -> web.Response:
        return web.json_response(
            {
                "access_token": token,
                "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
                "token_type": "Bearer",
                "expires_in": TOKEN_LIVES_S,
            }
        )

    app = web.Application()
    app.router.add_get("/subject", subject)
    app.router.add_post("/token", exchange)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield credentials(f"http://{host}:{port}")
    finally:
        await runner.cleanup()


def has_google_auth(executable: Path | None) -> bool:
    """Tell whether the LiteLLM of *executable* can sign in with Google.

    LiteLLM does not bring google-auth along: its container images have it, a plain installation
    has not. Where the environment of *executable* cannot be seen, it is taken to be there.
    """
    if executable is None:
        return True
    packages = list(executable.parent.parent.glob("lib/python3*/site-packages"))
    return not packages or any((one / "google" / "auth").is_dir() for one in packages)


def credentials(url: str) -> str:
    """Write the external account that signs in at *url*, as LiteLLM's ``vertex_credentials``."""
    return json.dumps(
        {
            "type": "external_account",
            "audience": "understudy",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": f"{url}/token",
            "credential_source": {"url": f"{url}/subject"},
        }
    )
