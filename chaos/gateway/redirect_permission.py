r"""The permission by which LiteLLM lets a request redirect a deployment to the witness.

    configurable_clientside_auth_params: [{api_base: "^http://127\\.0\\.0\\.1:8941/lane/[0-3]\\Z"}]

Source: LiteLLM 1.106.2, run: it matches with ``re.match`` and reads the last deployment's only.
"""

import json
import re
from collections.abc import Sequence

LANES = 4
"""Few and fixed: every new URL leaves a new deployment id and new series in LiteLLM."""

WITNESS_PORT = 8941
"""Where the witness listens unless it is told otherwise."""


def lane_urls(witness_url: str) -> tuple[str, ...]:
    """Name every lane of a witness."""
    return tuple(f"{witness_url}/lane/{lane}" for lane in range(LANES))


def redirect_permission(witness_port: int = WITNESS_PORT) -> str:
    """Write the pattern for a witness on LiteLLM's own host."""
    return permission_pattern(lane_urls(f"http://127.0.0.1:{witness_port}"))


def permits(pattern: str | None, urls: Sequence[str]) -> bool:
    """Tell whether LiteLLM would take every one of *urls*; it matches with ``re.match``."""
    if pattern is None:
        return False
    try:
        return all(re.match(pattern, url) for url in urls)
    except re.error:
        return False


def permission_lines(lane_urls: tuple[str, ...]) -> str:
    """Write the permission for exactly these lanes, as LiteLLM's YAML takes it."""
    pattern = permission_pattern(lane_urls)
    return f"configurable_clientside_auth_params: [{{api_base: {json.dumps(pattern)}}}]"


def permission_pattern(lane_urls: tuple[str, ...]) -> str:
    """Write the pattern for exactly these lanes; anchored, as ``re.match`` and ``$`` are not."""
    base = lane_urls[0].rpartition("/")[0] if lane_urls else f"http://127.0.0.1:{WITNESS_PORT}/lane"
    last = max(len(lane_urls) - 1, 0)
    # Not re.escape(), which also escapes what needs it only in other places, as '-'.
    escaped = re.sub(r"([.\\+*?\[^\]$(){}=!<>|])", r"\\\1", base)
    return rf"^{escaped}/[0-{last}]\Z"
