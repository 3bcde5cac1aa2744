"""Strangers at both ports: what they send costs bounded memory, and nobody else is disturbed."""

import asyncio
import contextlib
import gzip
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial

import aiohttp
import pytest

from chaos.witness.bounded_server import MOST_CONNECTIONS
from chaos.witness.request import MOST_UNKEYED_BYTES
from tests.fakes.upstreams import CANARY, NONCE, chat_request
from tests.fakes.witness_process import (
    KEYED,
    SECOND_NONCE,
    UNKEYED,
    Process,
    listening_process,
)
from tests.fakes.world import BEARER

STRANGERS = MOST_CONNECTIONS + 64
FAULTED = 429
OTHER_FILES = 32
MOST_MB = 128
"""What a flood may add to a witness that a drill has already used."""


@dataclass(frozen=True)
class Stranger:
    """What one connection sends.

    Attributes:
        piece: Sent *times* times after the head, as fast as it is taken.
        half_open: Then says that it has no more to send, and stays.
    """

    head: bytes = b""
    piece: bytes = b""
    times: int = 1
    half_open: bool = False


def post(lane: object, *headers: str, path: str = "chat/completions") -> bytes:
    """Write the head of a request without its end."""
    lines = (f"POST /lane/{lane}/{path} HTTP/1.1", "host: x", *headers)
    return "\r\n".join(lines).encode() + b"\r\n"


BLOB = b'{"model": "a", "messages": [' + b"[]," * 300_000
FITS = f"content-length: {MOST_UNKEYED_BYTES}"
GIGABYTE = f"content-length: {1 << 30}"
KINDS = {
    "silence": Stranger(),
    "half a request line": Stranger(b"POST /lane/0/" + b"a" * 8000),
    "an endless request line": Stranger(b"GET /", b"a" * 65536, 64),
    "headers that never end": Stranger(post(KEYED), b"x-%d: %s\r\n" % (1, b"a" * 15000), 100),
    "ten thousand small headers": Stranger(post(KEYED), b"a: b\r\n" * 1000, 10),
    "a large body to no drill": Stranger(post(3, GIGABYTE) + b"\r\n", bytes(1 << 20), 8),
    "a large body without the key": Stranger(post(KEYED, GIGABYTE) + b"\r\n", bytes(1 << 20), 8),
    "a large body beside real keys": Stranger(post(UNKEYED, GIGABYTE) + b"\r\n", bytes(1 << 20), 8),
    "a body that almost ends": Stranger(
        post(UNKEYED, FITS) + b"\r\n", b" " * (MOST_UNKEYED_BYTES - 1)
    ),
    "a body of chunks without end": Stranger(
        post(UNKEYED, "transfer-encoding: chunked") + b"\r\n",
        b"10000\r\n" + bytes(1 << 16) + b"\r\n",
        64,
    ),
    "a whole body of empty lists": Stranger(
        post(UNKEYED, f"content-length: {len(BLOB)}") + b"\r\n", BLOB
    ),
    "a packed body": Stranger(
        post(UNKEYED, "content-encoding: gzip", GIGABYTE) + b"\r\n",
        gzip.compress(bytes(16 << 20)),
        4,
    ),
    "pipelined requests": Stranger(b"", b"GET / HTTP/1.1\r\nhost: x\r\n\r\n" * 1000, 10),
    "half a request and an end": Stranger(post(UNKEYED, FITS) + b"\r\n", b"{", half_open=True),
    "what is not HTTP": Stranger(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", bytes(65536), 8),
}


def change(*headers: str) -> bytes:
    """Write the head of a change at the API without its end."""
    return (
        "\r\n".join(("POST /api/v1/halt HTTP/1.1", "host: localhost", *headers)).encode() + b"\r\n"
    )


READ = b"GET /api/v1/openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n"
TOKEN_LINE = f"authorization: {BEARER['Authorization']}"
API_KINDS = {
    "silence": KINDS["silence"],
    "an endless request line": KINDS["an endless request line"],
    "headers that never end": KINDS["headers that never end"],
    "what is not HTTP": KINDS["what is not HTTP"],
    "a large body without the token": Stranger(change(GIGABYTE) + b"\r\n", bytes(1 << 20), 8),
    "a large body with the token": Stranger(
        change(TOKEN_LINE, "transfer-encoding: chunked", "content-type: application/json")
        + b"\r\n",
        b"10000\r\n" + bytes(1 << 16) + b"\r\n",
        64,
    ),
    "a packed body": Stranger(
        change(TOKEN_LINE, GIGABYTE, "content-type: application/json", "content-encoding: gzip")
        + b"\r\n",
        gzip.compress(bytes(16 << 20)),
        4,
    ),
    "answers that nobody reads": Stranger(b"", READ * 200, 4),
    "half a request and an end": Stranger(change("content-length: 9") + b"\r\n", half_open=True),
}


@pytest.fixture(scope="module")
def api() -> Iterator[Process]:
    """An API of its own; every kind of stranger meets the same one."""
    with listening_process("tests.fakes.api_process") as running:
        yield running


@pytest.fixture(scope="module")
def witness() -> Iterator[Process]:
    """A witness of its own, with two leases; every kind of stranger meets the same one."""
    with listening_process("tests.fakes.witness_process") as running:
        yield running


async def drilled(session: aiohttp.ClientSession, witness: Process) -> None:
    """Send what the gateway sends for two drills; both faults have to be injected."""
    for lane, key, nonce in ((KEYED, CANARY, NONCE), (UNKEYED, "sk-real", SECOND_NONCE)):
        async with session.post(
            f"http://127.0.0.1:{witness.port}/lane/{lane}/chat/completions",
            headers={"authorization": f"Bearer {key}"},
            json=chat_request("a", nonce=nonce),
        ) as reply:
            assert reply.status == FAULTED


async def served(session: aiohttp.ClientSession, api: Process) -> None:
    """Read, and change something with the token."""
    url = f"http://127.0.0.1:{api.port}/api/v1"
    async with session.get(f"{url}/status") as reply:
        assert reply.status == 200
    async with session.post(f"{url}/halt", headers=BEARER, json={"reason": "a test"}) as reply:
        assert reply.status == 200


async def served_anew(api: Process) -> None:
    """Be served on a connection of one's own."""
    async with aiohttp.ClientSession() as session:
        await served(session, api)


async def press(port: int, stranger: Stranger, done: list[None], over: asyncio.Event) -> None:
    """Be one stranger, who never reads an answer and stays until *over*."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        with contextlib.suppress(OSError):
            writer.write(stranger.head)
            for _ in range(stranger.times):
                writer.write(stranger.piece)
                await writer.drain()
            if stranger.half_open:
                writer.write_eof()
        done.append(None)
        await over.wait()
    finally:
        writer.transport.abort()


async def flood(
    process: Process,
    stranger: Stranger,
    others: Callable[[], Awaitable[None]],
    newcomer: Callable[[], Awaitable[None]] | None = None,
) -> float:
    """Have strangers press while *others* get what they want; gives the memory it took, in MB.

    Args:
        newcomer: Comes when all of them are there, and gets what he wants too.
    """
    done: list[None] = []
    over = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        await others()
        before_mb = process.forget_peak_mb()
        for _ in range(STRANGERS):
            tasks.create_task(press(process.port, stranger, done, over))
        while len(done) < STRANGERS:
            await others()
        await others()
        if newcomer is not None:
            await newcomer()
        assert process.open_files() < MOST_CONNECTIONS + OTHER_FILES
        took_mb = process.peak_mb() - before_mb
        over.set()
    return took_mb


@pytest.mark.parametrize("kind", KINDS)
async def test_a_flood_costs_bounded_memory_and_no_drill(witness: Process, kind: str) -> None:
    """Whatever hundreds of strangers send, both leased drills still meet their fault."""
    # A gateway keeps its connection from one request to the next.
    async with aiohttp.ClientSession() as gateway:
        assert await flood(witness, KINDS[kind], partial(drilled, gateway, witness)) < MOST_MB


@pytest.mark.parametrize("kind", API_KINDS)
async def test_a_flood_at_the_api_shuts_nobody_out(api: Process, kind: str) -> None:
    """Whatever hundreds of strangers send, its owner still reads and halts."""
    async with aiohttp.ClientSession() as owner:
        newcomer = partial(served_anew, api)
        took_mb = await flood(api, API_KINDS[kind], partial(served, owner, api), newcomer)
        assert took_mb < MOST_MB
