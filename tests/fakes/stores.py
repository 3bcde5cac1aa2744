"""Stores that a daemon has left, with the configuration that names them."""

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from chaos.process.ports import free_port
from chaos.scenario.scenario import FallbackPath
from supervisor.coverage.ledger import Wish
from supervisor.store.location import parse_url
from supervisor.store.records import DrillEntry, DrillFilter, Home, StoredDrill
from supervisor.store.store import Store
from tests.fakes.manual_clock import ManualClock


def filled(folder: Path, paths: Mapping[FallbackPath, Wish], entries: Iterable[DrillEntry]) -> Path:
    """Write a store into *folder*; returns the configuration that names it."""
    file = folder / "understudy.db"

    async def fill() -> None:
        home = Home("spark-1", "http://gateway:4000")
        async with Store.opened(parse_url(str(file)), home, ManualClock()) as store:
            await store.sync(paths)
            for entry in entries:
                await store.add_drill(entry)

    asyncio.run(fill())
    config = folder / "understudy.yaml"
    settings = {
        "store": {"url": f"sqlite:///{file}"},
        "web": {"listen": [f"127.0.0.1:{free_port()}"]},
        "daemon": {"name": "spark-1"},
    }
    config.write_text(yaml.safe_dump(settings))
    return config


async def every_drill(store: Store) -> list[StoredDrill]:
    """Read all of them, page after page, newest first."""
    found: list[StoredDrill] = []
    while page := await store.drills(
        DrillFilter(limit=1000, before=found[-1].row.id if found else None)
    ):
        found += page
    return found
