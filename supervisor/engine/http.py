"""Ask an engine over HTTP: bounded in time and size, and never redirected."""

import aiohttp
from yarl import URL

from chaos.http_client import read_within

MOST_BYTES = 8 << 20
"""Of one answer; a page of metrics of many models has a few hundred kilobytes."""

ANSWER_WITHIN_S = 10.0


async def get_text(
    session: aiohttp.ClientSession, url: str, within_s: float, key: str | None = None
) -> tuple[int, str]:
    """Fetch status and body.

    Args:
        key: The engine's own key, which vLLM asks for below ``/v1`` only.

    Raises:
        aiohttp.ClientError, OSError, ValueError: It cannot be asked.
        TimeoutError: It does not answer in time.
    """
    limit = aiohttp.ClientTimeout(total=within_s)
    headers = {"authorization": f"Bearer {key}"} if key else {}
    async with session.get(url, headers=headers, timeout=limit, allow_redirects=False) as reply:
        body = await read_within(reply, MOST_BYTES)
        return reply.status, body.decode("utf-8", "replace")


async def get_metrics(
    session: aiohttp.ClientSession, base_url: str, *, within_s: float = ANSWER_WITHIN_S
) -> str | None:
    """Fetch the metrics of the engine behind *base_url* (its ``/v1`` or its root).

    Returns:
        None if it has none that can be read whole: half a page could say that nobody waits.
    """
    try:
        url = str(URL(base_url).with_path("/metrics"))
        status, text = await get_text(session, url, within_s)
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
        return None
    return text if status == 200 else None
