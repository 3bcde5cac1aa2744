"""Virtual keys in a real LiteLLM without a database, by its own checks and rows of its own type.

LiteLLM's database client is a binary that no package registry has. What a key may do is decided
by LiteLLM all the same: its ``custom_auth`` gives each request the key's row, and model access,
budgets and router settings follow from that row. ``/key/info`` answers as LiteLLM does, from the
same rows, to the master key alone.
"""

from collections.abc import Mapping
from typing import Any

AUTH = "virtual_keys.auth"
"""For ``custom_auth``. The settings of a team need LiteLLM's database, those of a key do not."""

GENERAL_SETTINGS: Mapping[str, Any] = {
    "custom_auth": AUTH,
    "custom_auth_run_common_checks": True,
}


def module(master_key: str, keys: Mapping[str, Mapping[str, Any]]) -> str:
    """Write ``virtual_keys.py``, which lies beside LiteLLM's configuration.

    Args:
        keys: Rows of ``LiteLLM_VerificationToken`` by key, as far as they are not usual.
    """
    return f"""
from hashlib import sha256

import litellm
from fastapi import HTTPException, Request
from fastapi.routing import APIRoute
from litellm.proxy._types import LiteLLM_VerificationToken, LitellmUserRoles, UserAPIKeyAuth
from litellm.proxy import proxy_server
from litellm.proxy.auth.auth_checks import virtual_key_max_budget_check

litellm.enable_post_custom_auth_checks = True
MASTER, KEYS = {master_key!r}, {dict(keys)!r}
HASHES = {{sha256(key.encode()).hexdigest(): row for key, row in KEYS.items()}}


async def auth(request, api_key):
    if api_key == MASTER:
        return UserAPIKeyAuth(api_key=api_key, user_role=LitellmUserRoles.PROXY_ADMIN)
    row = KEYS.get(api_key)
    if row is None:
        raise HTTPException(401, "no such key")
    hashed = sha256(api_key.encode()).hexdigest()
    found = UserAPIKeyAuth(api_key=api_key, token=hashed, **row)
    if "/chat/completions" in request.url.path:
        # LiteLLM asks this of keys from its database, and of no others.
        await virtual_key_max_budget_check(found, proxy_server.proxy_logging_obj)
    return found


async def key_info(request: Request, key: str):
    if request.headers.get("authorization") != f"Bearer {{MASTER}}" or key not in HASHES:
        raise HTTPException(404, "no such key")
    row = LiteLLM_VerificationToken(token=key, **HASHES[key]).model_dump(mode="json")
    row.pop("token")
    return {{"key": key, "info": row}}


proxy_server.app.router.routes.insert(0, APIRoute("/key/info", key_info, methods=["GET"]))
"""
