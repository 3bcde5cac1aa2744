"""Which models an engine that loads them on demand has in memory, by its own listing.

Source: Ollama's ``GET /api/ps`` and llama-swap's ``GET /running``, from their documentation; not
run here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from supervisor.engine.facts import read_json, root_of
from supervisor.engine.http import get_text

WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Listing:
    """One way to ask.

    Attributes:
        path: Where.
        rows: The field that holds the loaded models.
        names: Fields of a row that hold the model's name.
    """

    path: str
    rows: str
    names: tuple[str, ...]


LISTINGS = (
    Listing("/api/ps", "models", ("name", "model")),
    Listing("/running", "running", ("model",)),
)


async def loaded_models(
    session: aiohttp.ClientSession, base_url: str, key: str | None = None
) -> frozenset[str] | None:
    """List what is loaded; None where the engine does not load models on demand, or is silent."""
    for listing in LISTINGS:
        url = f"{root_of(base_url)}{listing.path}"
        try:
            status, body = await get_text(session, url, WITHIN_S, key)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            return None
        rows = _rows(read_json(body), listing) if status == 200 else None
        if rows is not None:
            return rows
    return None


def is_loaded(model: str, loaded: frozenset[str]) -> bool:
    """Report whether *model* is among them; Ollama leaves the tag ``latest`` out."""
    return bool({model, f"{model}:latest", model.removesuffix(":latest")} & loaded)


def _rows(answer: Any, listing: Listing) -> frozenset[str] | None:
    rows = answer.get(listing.rows) if isinstance(answer, Mapping) else None
    if not isinstance(rows, list):
        return None
    found = (row.get(name) for row in rows if isinstance(row, Mapping) for name in listing.names)
    return frozenset(name for name in found if isinstance(name, str))
