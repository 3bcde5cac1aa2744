"""What a rollout writes down before it does it, and what its states are called."""

import functools
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

from chaos.errors import UnderstudyError
from supervisor.store.engines.rollouts import RolloutState
from supervisor.store.errors import StoreError
from supervisor.store.store import Store


class Journal:
    """One rollout's own pages of the journal.

    Attributes:
        trouble: Why something could not be written; empty if everything was.
    """

    def __init__(self, store: Store, name: str) -> None:
        self.name = name
        self.trouble = ""
        self._store = store
        self._state = RolloutState.STAGING
        self._must = True

    def on_the_way_back(self) -> None:
        """From now on go on where nothing can be written: people wait for an engine."""
        self._must = False

    async def _written(self, writing: Awaitable[None]) -> None:
        try:
            await writing
        except StoreError as error:
            if self._must:
                raise
            self.trouble = self.trouble or error.message

    async def begin(self, *, engine: str, container: str, row: Any) -> None:
        """Open it."""
        await self._store.begin_rollout(
            self.name, engine=engine, container=container, state=self._state, row=row
        )

    @asynccontextmanager
    async def step(self, name: str, /, **detail: Any) -> AsyncIterator[dict[str, Any]]:
        """Write that a step begins, and at exit how it ended; yields what is told of its end."""
        note = functools.partial(self._store.note_rollout_step, self.name, name)
        await self._written(note("begun", detail))
        told: dict[str, Any] = {}
        try:
            yield told
        except BaseException as error:
            why = error.message if isinstance(error, UnderstudyError) else type(error).__name__
            await self._written(note("failed", {**told, "why": why}))
            raise
        await self._written(note("done", told))

    async def become(self, state: RolloutState, **row: Any) -> None:
        """Write what it is now, and what became known."""
        self._state = state
        await self._written(self._store.change_rollout(self.name, state=state, row=row))
