"""What a benchmark runs on: asked of the engine, its log, its container and this machine.

Whatever cannot be read is left open, never an error: the speed is known all the same.
"""

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from chaos.errors import UnderstudyError
from supervisor.baseline.counters import read_counters
from supervisor.baseline.record import Boot, Conditions
from supervisor.engine.capacity import Capacity, from_log, merge
from supervisor.engine.facts import EngineFacts, read_engine_facts, read_json, root_of
from supervisor.engine.http import get_metrics, get_text
from supervisor.engine.log import read_log
from supervisor.engine.log_source import fetch_log
from supervisor.settings.model import EngineSettings

DRIVER = Path("/proc/driver/nvidia/version")
_DRIVER = re.compile(r"Kernel Module\s+(?:for \S+\s+)?(\d+[\d.]*)")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})
VERSION_WITHIN_S = 10.0


async def look_at(
    session: aiohttp.ClientSession,
    engine: EngineSettings,
    *,
    asked_for: str | None = None,
    key: str | None,
) -> tuple[EngineFacts, Conditions, Boot | None]:
    """Read everything that is to be kept beside the figures.

    Args:
        asked_for: The name of the model that is measured; by default the first that is served.
    """
    facts, roots, written, version, page, container = await asyncio.gather(
        read_engine_facts(session, engine.url, key=key),
        _roots(session, engine.url, key),
        fetch_log(engine),
        _version(session, engine.url),
        get_metrics(session, engine.url),
        _container(engine.container),
    )
    log = read_log(written.text) if written is not None and written.text else None
    capacity = merge(facts.capacity, from_log(log) if log is not None else Capacity())
    image, digest, started_at, arguments_hash = container
    served_name = asked_for or (facts.names[0] if facts.names else None)
    conditions = Conditions(
        # Several names may stand for one checkpoint; where none is told, the name has to do.
        model=roots.get(served_name or "") or served_name,
        served_name=served_name,
        version=version or (log.version if log is not None else None),
        image=image,
        image_digest=digest,
        arguments=dict(log.flags) if log is not None and log.flags is not None else None,
        arguments_hash=arguments_hash,
        quantization=capacity.quantization,
        moe_backend=capacity.moe_backend,
        attention_backend=log.attention_backend if log is not None else None,
        weights_gib=capacity.weights_gib,
        kv_cache_tokens=capacity.kv_cache_tokens,
        max_model_len=capacity.max_model_len,
        driver=driver() if urlsplit(facts.url).hostname in _LOOPBACK else None,
    )
    if started_at is not None:
        return facts, conditions, Boot(started_at=started_at, told_by="container")
    began_s = read_counters(page).started_at_s
    if began_s is None:
        return facts, conditions, None
    try:
        began = datetime.fromtimestamp(began_s, UTC)
    except (OverflowError, ValueError, OSError):
        return facts, conditions, None
    return facts, conditions, Boot(started_at=began, told_by="process")


def driver() -> str | None:
    """Name NVIDIA's driver on this machine, such as ``580.95.05``; None without one."""
    try:
        found = _DRIVER.search(DRIVER.read_text("utf-8", "replace"))
    except OSError:
        return None
    return found[1] if found else None


async def _version(session: aiohttp.ClientSession, url: str) -> str | None:
    try:
        status, text = await get_text(session, f"{root_of(url)}/version", VERSION_WITHIN_S)
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
        return None
    said = read_json(text) if status == 200 else None
    version = said.get("version") if isinstance(said, dict) else None
    return version if isinstance(version, str) else None


async def _roots(session: aiohttp.ClientSession, url: str, key: str | None) -> dict[str, str]:
    """Say which checkpoint, or adapter, is behind each name that is served; vLLM's own."""
    try:
        status, text = await get_text(session, f"{root_of(url)}/v1/models", VERSION_WITHIN_S, key)
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
        return {}
    said = read_json(text) if status == 200 else None
    rows = said.get("data") if isinstance(said, dict) else None
    return {
        str(row.get("id")): row["root"]
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict) and isinstance(row.get("root"), str)
    }


_Container = tuple[str | None, str | None, datetime | None, str | None]


async def _container(name: str | None) -> _Container:
    """Ask Docker for image, digest, start and a hash of the arguments, where a name is given."""
    if name is None:
        return None, None, None, None
    return await asyncio.to_thread(_asked, name)


def _asked(name: str) -> _Container:
    from supervisor.engine import container as containers  # noqa: PLC0415 -- many megabytes

    try:
        with containers.open_container(name) as found:
            state = containers.parse_state(name, found.attrs)
            image, digest = containers.image_of(found)
            return image, digest, state.started_at, state.arguments_hash
    except UnderstudyError:
        return None, None, None, None
