"""Ask an engine for one streamed reply, and note when each piece of it came."""

import json
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from chaos.clock import Clock
from chaos.http_client import read_within
from chaos.protocol.sse import SseReader

MOST_ERROR_BYTES = 64 << 10
MOST_QUOTED = 300
TEXTS_OF_A_DELTA = ("content", "reasoning", "reasoning_content")

EXTENSIONS = ("cache_salt", "ignore_eos", "stream_options", "temperature")
"""Left out one by one where an engine refuses them by name."""


class NoReplyError(Exception):
    """The engine gave no reply that could be timed; its text says why."""


@dataclass(slots=True)
class Timed:
    """One reply. Times are seconds since the request was sent.

    Attributes:
        arrivals_s: Of each chunk that carries text, in order.
        last_s: Of the last chunk that belongs to the answer, with text or without: where the
            model ends by itself, its last token has none.
        end_s: Of the stream's end.
        tokens: Generated, by the engine's usage; None if it sent none.
    """

    arrivals_s: list[float] = field(default_factory=list)
    last_s: float = 0.0
    end_s: float = 0.0
    tokens: int | None = None
    prompt_tokens: int | None = None
    fingerprint: str | None = None

    @property
    def ttft_s(self) -> float | None:
        """To the first text."""
        return self.arrivals_s[0] if self.arrivals_s else None

    @property
    def itl_s(self) -> float | None:
        """Between two tokens, on average: by tokens, not by chunks."""
        if self.tokens is None or self.tokens < 2 or not self.arrivals_s:
            return None
        took_s = self.last_s - self.arrivals_s[0]
        return took_s / (self.tokens - 1) if took_s > 0 else None

    @property
    def gaps_s(self) -> list[float]:
        """Between the chunks with text."""
        return [b - a for a, b in zip(self.arrivals_s, self.arrivals_s[1:], strict=False)]

    @property
    def gap_p99_s(self) -> float | None:
        """What a reader waits for at worst, but for one chunk in a hundred."""
        gaps = self.gaps_s
        if len(gaps) < 2:
            return gaps[0] if gaps else None
        return statistics.quantiles(gaps, n=100, method="inclusive")[98]


async def timed(
    session: aiohttp.ClientSession,
    clock: Clock,
    root: str,
    body: Mapping[str, Any],
    *,
    key: str | None,
    within_s: float,
) -> Timed:
    """Send *body* to ``ROOT/v1/chat/completions`` and time the reply.

    Definitions: ``vllm bench serve`` of vLLM 0.32.0 takes the first chunk with choices, which
    comes together with the first token and has no text; here the first text counts, which other
    engines send later than their first chunk. The difference was 0.2 % of 512 tokens.

    Raises:
        NoReplyError: It refuses, says nothing that can be read, or does not end in time.
    """
    asked = dict(body)
    while True:
        try:
            return await _once(session, clock, root, asked, key=key, within_s=within_s)
        except _RefusedError as error:
            unknown = next(
                (name for name in EXTENSIONS if name in asked and name in str(error)), ""
            )
            if not unknown:
                raise NoReplyError(str(error)) from None
            del asked[unknown]


class _RefusedError(Exception):
    """The engine answers with an error of the client's."""


async def _once(
    session: aiohttp.ClientSession,
    clock: Clock,
    root: str,
    body: Mapping[str, Any],
    *,
    key: str | None,
    within_s: float,
) -> Timed:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    found, reader = Timed(), SseReader()
    sent_s = clock.monotonic()
    try:
        async with session.post(
            f"{root}/v1/chat/completions",
            json=body,
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=within_s),
            allow_redirects=False,
        ) as reply:
            if reply.status != 200:
                said = (await read_within(reply, MOST_ERROR_BYTES)).decode("utf-8", "replace")
                words = f"it answers {reply.status}: {said[:MOST_QUOTED]}"
                raise _RefusedError(words) if reply.status in (400, 422) else NoReplyError(words)
            async for piece in reply.content.iter_any():
                at_s = clock.monotonic() - sent_s
                for event in reader.feed(piece):
                    _take(found, event.data, at_s)
    except TimeoutError:
        raise NoReplyError(f"no whole reply within {within_s:g} s") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise NoReplyError(
            f"no whole reply: {str(error) or type(error).__name__}"[:MOST_QUOTED]
        ) from None
    found.end_s = clock.monotonic() - sent_s
    if not found.arrivals_s:
        raise NoReplyError("its stream has no text")
    return found


def _take(found: Timed, data: str, at_s: float) -> None:
    """Note what one event of the stream says; what is not understood says nothing."""
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        return
    if not isinstance(event, Mapping):
        return
    if "error" in event:
        raise NoReplyError(f"an error in its stream: {json.dumps(event['error'])[:MOST_QUOTED]}")
    usage = event.get("usage")
    if isinstance(usage, Mapping):
        found.tokens = _count(usage.get("completion_tokens"), found.tokens)
        found.prompt_tokens = _count(usage.get("prompt_tokens"), found.prompt_tokens)
    fingerprint = event.get("system_fingerprint")
    if isinstance(fingerprint, str):
        found.fingerprint = fingerprint
    choices = event.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
        return
    delta = choices[0].get("delta")
    text = isinstance(delta, Mapping) and any(delta.get(name) for name in TEXTS_OF_A_DELTA)
    if text:
        found.arrivals_s.append(at_s)
    if text or choices[0].get("finish_reason") is not None:
        found.last_s = at_s


def _count(value: Any, otherwise: int | None) -> int | None:
    fits = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if fits else otherwise
