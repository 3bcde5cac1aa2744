"""Ask an engine one thing over HTTP; whatever happens is an answer, never an error."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import aiohttp

from chaos.clock import Clock
from supervisor.engine.facts import read_json
from supervisor.engine.http import MOST_BYTES


class Trouble(StrEnum):
    """Why there is no reply."""

    NAMELESS = "nameless"  # its host has no address here, which may be only our problem
    REFUSED = "refused"  # nobody listens
    SILENT = "silent"  # somebody does, and said nothing in time
    BROKEN = "broken"  # the connection or the reply broke


@dataclass(frozen=True, slots=True)
class Asked:
    """One question's outcome.

    Attributes:
        status: None if there was no reply.
        problem: Why there was none, for people.
    """

    status: int | None
    text: str = ""
    trouble: Trouble | None = None
    problem: str = ""
    took_s: float = 0.0

    @property
    def ok(self) -> bool:
        """A reply of status 200."""
        return self.status == 200

    @property
    def json(self) -> Any:
        """The body as JSON; None if it is none."""
        return read_json(self.text)

    @property
    def is_page(self) -> bool:
        """A page of HTML, which no engine sends."""
        return self.text.lstrip()[:1] == "<"

    @property
    def told(self) -> str:
        """What came, in few words."""
        if self.status is None:
            return self.problem
        kind = ""
        if self.is_page:
            kind = ", a page of HTML"
        elif self.text and self.json is None and self.text.lstrip()[:1] in ("{", "["):
            kind = ", broken JSON"
        return f"status {self.status}{kind}"


@dataclass(frozen=True, slots=True)
class Line:
    """How to reach one engine.

    Attributes:
        url: Its root, without ``/v1``.
        key: Its own key, if it wants one.
    """

    session: aiohttp.ClientSession
    clock: Clock
    url: str
    key: str | None = None

    async def get(self, path: str, *, within_s: float) -> Asked:
        """Ask for *path*."""
        return await self._ask("GET", path, None, within_s)

    async def post(self, path: str, body: Mapping[str, Any], *, within_s: float) -> Asked:
        """Send *body* to *path*."""
        return await self._ask("POST", path, body, within_s)

    async def _ask(
        self, method: str, path: str, body: Mapping[str, Any] | None, within_s: float
    ) -> Asked:
        began_s = self.clock.monotonic()
        # A connection for each question: most balancers deal out connections, not requests, and
        # so does Linux between servers that share a port. On one connection two engines look
        # like one.
        headers = {"connection": "close"}
        if self.key:
            headers["authorization"] = f"Bearer {self.key}"
        try:
            async with self.session.request(
                method,
                self.url + path,
                json=body,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=within_s),
                allow_redirects=False,
            ) as reply:
                parts: list[bytes] = []
                left = MOST_BYTES
                async for part in reply.content.iter_any():
                    parts.append(part[:left])
                    left -= len(parts[-1])
                    if left <= 0:
                        break
                text = b"".join(parts).decode("utf-8", "replace")
                return Asked(reply.status, text, took_s=self.clock.monotonic() - began_s)
        except aiohttp.ClientConnectorDNSError as error:
            return self._none(Trouble.NAMELESS, f"{error.host} has no address here", began_s)
        except aiohttp.ClientSSLError as error:
            return self._none(Trouble.BROKEN, f"no TLS with it: {error}"[:200], began_s)
        except aiohttp.ClientConnectorError as error:
            why = error.strerror or str(error)
            return self._none(Trouble.REFUSED, f"cannot be reached: {why}", began_s)
        except TimeoutError:
            return self._none(Trouble.SILENT, f"no answer within {within_s:g} s", began_s)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            why = str(error) or type(error).__name__
            return self._none(Trouble.BROKEN, f"no whole answer: {why[:200]}", began_s)

    def _none(self, trouble: Trouble, problem: str, began_s: float) -> Asked:
        took_s = self.clock.monotonic() - began_s
        return Asked(None, trouble=trouble, problem=problem, took_s=took_s)
