"""Ask through the gateway as a user would, the whole time: who answered, and who was lost.

One short request after another, every half second. Nothing that could cost money is asked: where
a hop behind the engine is a paid one, only the engine itself is asked.
"""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp

EVERY_S = 0.5
WITHIN_S = 60.0
MOST_AT_ONCE = 16


@dataclass(slots=True)
class Served:
    """What users of the engine felt.

    Attributes:
        asked: How they asked: through the gateway, or the engine alone, and why.
        by: How many requests each one answered, by the gateway's own word.
        lost: How many got no answer.
        first_lost: What the first of them got.
        lost_s: From the first request that was lost to the first that was answered after the last.
        slowest_s: The longest wait of one that was answered.
    """

    asked: str = ""
    by: dict[str, int] = field(default_factory=dict)
    lost: int = 0
    first_lost: str = ""
    lost_s: float = 0.0
    slowest_s: float = 0.0


class Users:
    """Asks until it is stopped."""

    def __init__(
        self, session: aiohttp.ClientSession, url: str, key: str | None, model: str, asked: str
    ) -> None:
        self.served = Served(asked)
        self._session = session
        self._url = f"{url.rstrip('/')}/chat/completions"
        self._headers = {"authorization": f"Bearer {key}"} if key else {}
        self._model = model
        self._quiet = False
        self._lost_since_s: float | None = None
        self._last_lost_s = 0.0
        self._answered_s = 0.0

    def quiet(self, wanted: bool) -> None:
        """Ask nothing for a while: what is measured would be disturbed."""
        self._quiet = wanted

    async def ask(self) -> None:
        """Ask until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            room = asyncio.Semaphore(MOST_AT_ONCE)
            while True:
                if self._quiet:
                    await asyncio.sleep(EVERY_S)
                    continue
                await room.acquire()
                tasks.create_task(self._one(room))
                await asyncio.sleep(EVERY_S)

    def ended(self) -> Served:
        """Sum up: who was lost and not answered since is lost until now."""
        if self._lost_since_s is not None:
            self.served.lost_s += time.monotonic() - self._lost_since_s
            self._lost_since_s = None
        return self.served

    async def _one(self, room: asyncio.Semaphore) -> None:
        began_s = time.monotonic()
        body: dict[str, Any] = {
            "model": self._model,
            "messages": [{"role": "user", "content": "Say hello."}],
            "max_tokens": 8,
        }
        try:
            async with self._session.post(
                self._url,
                json=body,
                headers=self._headers,
                timeout=aiohttp.ClientTimeout(total=WITHIN_S),
                allow_redirects=False,
            ) as reply:
                text = await reply.text(errors="replace")
                if reply.status == 200:
                    self._answered(reply, began_s)
                else:
                    self._lost(f"status {reply.status}: {text[:160]}", began_s)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            self._lost(str(error) or type(error).__name__, began_s)
        finally:
            room.release()

    def _answered(self, reply: aiohttp.ClientResponse, began_s: float) -> None:
        group = reply.headers.get("x-litellm-model-group") or "the engine"
        fallbacks = reply.headers.get("x-litellm-attempted-fallbacks", "0")
        name = f"{group}, a fallback" if fallbacks not in ("", "0") else group
        self.served.by[name] = self.served.by.get(name, 0) + 1
        now_s = time.monotonic()
        self.served.slowest_s = max(self.served.slowest_s, now_s - began_s)
        self._answered_s = max(self._answered_s, now_s)
        if self._lost_since_s is not None and began_s > self._last_lost_s:
            self.served.lost_s += now_s - self._lost_since_s
            self._lost_since_s = None

    def _lost(self, why: str, began_s: float) -> None:
        self.served.lost += 1
        self.served.first_lost = self.served.first_lost or why
        if self._lost_since_s is None:
            # Others that came later may have been answered while this one waited.
            self._lost_since_s = max(began_s, self._answered_s)
        self._last_lost_s = max(self._last_lost_s, began_s)
