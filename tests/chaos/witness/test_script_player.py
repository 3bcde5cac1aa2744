"""Scripts become bytes, ends and resets on a real connection."""

import asyncio
import errno

import aiohttp
import pytest
from aiohttp import web

from chaos.faults.script import Close, Head, Repeat, Reset, Script, Send, Silence, Wait
from chaos.witness.script_player import KEPT_BYTES, Played, play
from tests.fakes.server import serving
from tests.patience import PATIENCE_S

STREAM = (("content-type", "text/event-stream"),)


class Stage:
    """Plays one script to whoever asks, and keeps how far it came."""

    def __init__(self, *steps):
        self.script = Script(steps)
        self.played = Played()
        self.until = asyncio.Event()
        self.ended = asyncio.Event()

    async def __call__(self, request):
        try:
            await play(request, self.script, until=self.until, played=self.played)
            return self.played.response or web.StreamResponse()
        finally:
            self.ended.set()


async def fetch(stage):
    """Ask *stage* once; the status, the body and what broke."""
    async with serving(stage) as url, aiohttp.ClientSession() as session:
        try:
            async with session.get(url) as reply:
                body = bytearray()
                try:
                    async for data in reply.content.iter_any():
                        body += data
                except aiohttp.ClientPayloadError as error:
                    return reply.status, bytes(body), error
                return reply.status, bytes(body), None
        except aiohttp.ClientConnectionError as error:
            return None, b"", error


async def test_a_status_its_headers_and_body_arrive_as_written():
    """Most faults are one plain error answer."""
    stage = Stage(Head(429, (("retry-after", "20"),)), Send(b"{}"))
    assert await fetch(stage) == (429, b"{}", None)
    assert (stage.played.status, stage.played.whole, bytes(stage.played.sent)) == (429, True, b"{}")


async def test_a_reset_before_any_byte_is_a_real_rst():
    """A closed connection and a broken one are not the same to a client's library."""
    status, _, error = await fetch(Stage(Reset()))
    assert status is None
    assert isinstance(error, OSError)
    assert error.errno == errno.ECONNRESET


async def test_a_closed_connection_leaves_the_body_without_its_end():
    """What was sent arrives; then the end of the connection, no reset and no last chunk."""
    stage = Stage(Head(200, STREAM), Send(b"data: a\n\n"), Close())
    status, body, error = await fetch(stage)
    assert (status, body) == (200, b"data: a\n\n")
    assert error is not None
    assert not isinstance(error.__cause__, ConnectionResetError)
    assert not stage.played.whole


async def test_what_was_sent_before_a_reset_arrives():
    """A stream that is cut had begun: its first event must not be lost with the cut."""
    stage = Stage(Head(200, STREAM), Send(b"data: a\n\n"), Wait(0.01), Reset())
    status, body, error = await fetch(stage)
    assert (status, body) == (200, b"data: a\n\n")
    assert error is not None
    assert stage.played.whole is False


async def test_a_clean_end_in_mid_answer_looks_like_a_whole_reply():
    """The transport cannot tell a truncated stream from a finished one; only a reader can."""
    stage = Stage(Head(200, STREAM), Send(b"data: a\n\n"), Wait(0.01))
    assert await fetch(stage) == (200, b"data: a\n\n", None)
    assert stage.played.whole is True


@pytest.mark.parametrize("step", [Silence(), Repeat(b": ping\n\n", 0.01), Wait(3600)])
async def test_the_end_of_the_lease_ends_what_would_last_for_ever(step):
    """A gateway that waits for ever is let go when the drill is over."""
    stage = Stage(Head(200, STREAM), step)
    async with (
        serving(stage) as url,
        aiohttp.ClientSession() as session,
        session.get(url) as reply,
    ):
        stage.until.set()
        with pytest.raises(aiohttp.ClientPayloadError):
            await reply.read()
    await stage.ended.wait()
    assert stage.played.whole is False


async def test_a_caller_who_leaves_ends_the_silence():
    """Nothing keeps waiting for a gateway that has hung up."""
    stage = Stage(Silence())
    async with serving(stage) as url, aiohttp.ClientSession() as session:
        with pytest.raises(TimeoutError):
            await session.get(url, timeout=aiohttp.ClientTimeout(total=0.05))
        async with asyncio.timeout(PATIENCE_S):
            await stage.ended.wait()
    assert stage.played.response is None


async def test_a_body_before_its_head_is_a_bug_in_the_fault():
    """A script that cannot be played must not pass for a fault that was."""
    stage = Stage(Wait(0), Send(b"x"))
    async with (
        serving(stage) as url,
        aiohttp.ClientSession() as session,
        session.get(url) as reply,
    ):
        assert reply.status == 500
    assert stage.played.whole is False


def test_only_the_first_bytes_of_a_long_reply_are_kept():
    """Everything that grows has a bound."""
    played = Played()
    played.note(b"x" * (KEPT_BYTES - 1))
    played.note(b"yz")
    assert (played.sent_bytes, len(played.sent)) == (KEPT_BYTES + 1, KEPT_BYTES)
    assert bytes(played.sent[-1:]) == b"y"
