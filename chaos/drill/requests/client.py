"""The drill's client: ask the gateway as an ordinary client would, and write down what came."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import aiohttp

from chaos.judge.observation import ClientReply
from chaos.protocol.reading import Defect, DefectFound, Reading
from chaos.protocol.surfaces import Surface
from chaos.witness.redaction import texts
from chaos.witness.wire_record import redact_headers

MOST_REPLY_BYTES = 16 << 20
"""A reply is read to here and no further; a gateway gone wild must not fill our memory."""


async def ask(
    session: aiohttp.ClientSession,
    surface: Surface,
    *,
    url: str,
    key: str,
    body: Mapping[str, Any],
    headers: Mapping[str, str] | None = None,
    stream: bool,
    deadline_s: float,
    keys: Callable[[], Collection[str]] = frozenset,
) -> ClientReply:
    """Send one request and read its reply, for at most *deadline_s* seconds.

    A connection that breaks, a reply that never ends and a reply that is not one are all
    results, never exceptions.

    Args:
        keys: Tells, at the end, the hops' keys that no reply may hold.
    """
    began_s = time.monotonic()
    state = _State(surface, stream)
    timed_out, broke_off = False, None
    timeout = aiohttp.ClientTimeout(total=deadline_s)
    try:
        async with session.post(
            url + surface.path,
            json=dict(body),
            headers={**surface.headers(key), **(headers or {})},
            timeout=timeout,
            # A redirect would carry our key, and the prompt, to whoever it names.
            allow_redirects=False,
        ) as reply:
            state.begin(reply)
            async for data in reply.content.iter_any():
                state.feed(data, time.monotonic() - began_s)
    except TimeoutError:
        timed_out = True
    except (aiohttp.ClientError, OSError) as error:
        broke_off = f"{type(error).__name__}: {error}"[:300]
    elapsed_s = time.monotonic() - began_s
    reading = state.reading()
    return ClientReply(
        status=state.status,
        reading=reading,
        headers=redact_headers(state.headers),
        ttft_s=state.ttft_s if stream else (elapsed_s if reading.has_output else None),
        total_s=None if timed_out else elapsed_s,
        timed_out=timed_out,
        broke_off=broke_off,
        disclosed=tuple(state.holding(keys(), reading)),
        asked_at_s=began_s,
        deadline_s=deadline_s,
    )


class _State:
    """What has come so far of one reply."""

    def __init__(self, surface: Surface, stream: bool) -> None:
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.ttft_s: float | None = None
        self._format = surface.format
        self._stream = stream
        self._reader = surface.format.stream_reader()
        self._body = bytearray()
        self._streamed = False

    def begin(self, reply: aiohttp.ClientResponse) -> None:
        """Take the status line and headers."""
        self.status = reply.status
        self.headers = {name.lower(): value for name, value in reply.headers.items()}
        # A stream was asked for: whatever comes with 2xx is read as one, JSON included, because
        # that is what the client's library would do with it.
        self._streamed = self._stream and 200 <= reply.status < 300

    def feed(self, data: bytes, at_s: float) -> None:
        if len(self._body) >= MOST_REPLY_BYTES:
            return
        self._body += data
        if self._streamed:
            self._reader.feed(data)
            if self.ttft_s is None and self._reader.has_output:
                self.ttft_s = at_s

    def holding(self, keys: Collection[str], reading: Reading) -> Iterator[str]:
        """Name the parts that hold one of *keys*, also one in pieces of a stream."""
        for name, value in self.headers.items():
            if any(key in value for key in keys):
                yield f"the header {name}"
        whole = self._body.decode("utf-8", "replace")
        if any(key in text for key in keys for text in (whole, *texts(reading))):
            yield "the body"

    def reading(self) -> Reading:
        if self.status is None:
            return Reading(defects=(DefectFound(Defect.NO_OUTPUT_FIELD, "no response came"),))
        if self._streamed:
            return self._reader.close()
        return self._format.read_reply(self.status, bytes(self._body))
