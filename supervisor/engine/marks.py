"""What tells that an engine is not what it was: its names, lengths, version and start."""

import aiohttp

from supervisor.engine.facts import read_json, root_of
from supervisor.engine.http import get_metrics, get_text
from supervisor.engine.metrics import read_vitals

WITHIN_S = 10.0


async def mark_of(
    session: aiohttp.ClientSession, base_url: str, key: str | None = None
) -> str | None:
    """Name what the engine behind *base_url* is now; None if it cannot be asked.

    A restart is a change, too: no answer of vLLM's names the parsers that it was started with.
    """
    root = root_of(base_url)
    try:
        status, models = await get_text(session, f"{root}/v1/models", WITHIN_S, key)
        _, version = await get_text(session, f"{root}/version", WITHIN_S)
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
        return None
    if status != 200:
        return None
    metrics = await get_metrics(session, root)
    started_s = read_vitals(metrics).started_at_s if metrics is not None else None
    rows = (read_json(models) or {}).get("data") or []
    served = sorted(
        f"{row.get('id')}/{row.get('root')}/{row.get('max_model_len')}"
        for row in rows
        if isinstance(row, dict)
    )
    said = read_json(version)
    number = said.get("version") if isinstance(said, dict) else None
    began = None if started_s is None else round(started_s)
    return f"{', '.join(served)} version {number} started {began}"
