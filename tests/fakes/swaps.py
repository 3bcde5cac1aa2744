"""A swap that is going on, as it is staged by ``supervisor/rollout/stage.py``, for its gates."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from chaos.clock import SystemClock
from chaos.lab.engine_flags import EngineFlags
from supervisor.rollout.exchange.running import Swapping
from supervisor.rollout.journal import Journal
from supervisor.rollout.way_back import way_back_of
from supervisor.settings.model import EngineSettings
from supervisor.store.engines.rollouts import RolloutState
from tests.fakes.rollouts import NEW_ID, ToldHost, container, rollout_file

NAME = "20260301-120000-vllm"
NEXT_ID = "decade" * 10 + "deca"
SERVED = "gemma"
"""The name that the new engine is to serve its model by."""


def flags(**changes: Any) -> EngineFlags:
    """Start an engine that every gate lets pass."""
    return EngineFlags(**{"served_model_names": (SERVED,), **changes})


def row(**changes: Any) -> dict[str, Any]:
    """Make what was written down; *old* and *next* are laid over, the rest replaces."""
    old = {
        "names": [SERVED],
        "model": "/models/gemma",
        "tools": True,
        "start_s": 185.0,
        "canary_nats": -2.0,
        **changes.pop("old", {}),
    }
    following = {
        "name": "vllm-next",
        "id": NEXT_ID,
        "image": NEW_ID,
        "model": "/models/gemma",
        **changes.pop("next", {}),
    }
    return {
        "without_baseline": None,
        "baseline": None,
        "changes": [],
        "uncovered": [],
        "away_s": 200.0,
        "folder": "/state/rollouts/20260301-120000-vllm",
        "needs_acceptance": False,
        "tools": True,
        "model_folder": "",
        "old": old,
        "way_back": way_back_of(container(), "vllm", NAME),
        "next": following,
        "findings": [],
        **changes,
    }


class RecordingJournal(Journal):
    """Keeps what is written in a list.

    Attributes:
        steps: Each step's name and what became of it.
        became: Each state with what was written beside it.
    """

    def __init__(self, name: str = NAME) -> None:
        self.name = name
        self.steps: list[tuple[str, str]] = []
        self.became: list[tuple[RolloutState, dict[str, Any]]] = []

    @asynccontextmanager
    async def step(self, name: str, /, **detail: Any) -> AsyncIterator[dict[str, Any]]:
        self.steps.append((name, "begun"))
        try:
            yield {}
        except BaseException:
            self.steps.append((name, "failed"))
            raise
        self.steps.append((name, "done"))

    async def become(self, state: RolloutState, **row: Any) -> None:
        self.became.append((state, row))


def swapping(
    url: str,
    session: aiohttp.ClientSession,
    *,
    expect: Mapping[str, Any] | None = None,
    old: Mapping[str, Any] | None = None,
    following: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Swapping:
    """Make a swap whose new engine answers at *url*.

    Args:
        expect: What the rollout file expects, instead of the model by its name.
        old: Laid over what was written of the old engine; *following* over the new one's.
        changes: Fields of ``Swapping``.
    """
    wanted = {"model": SERVED} if expect is None else dict(expect)
    values: dict[str, Any] = {
        "host": ToldHost(containers={"vllm": container()}),
        "journal": RecordingJournal(),
        "session": session,
        "clock": SystemClock(),
        "file": rollout_file(expect=wanted),
        "row": row(old=dict(old or {}), next=dict(following or {})),
        "folder": Path("/state/rollouts") / NAME,
        "url": url,
        "key": None,
        "engine": EngineSettings(url=url),
        "tools": True,
        **changes,
    }
    return Swapping(**values)
