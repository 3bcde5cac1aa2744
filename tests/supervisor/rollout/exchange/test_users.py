"""Whoever asks as a user feels what users feel."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from chaos.http_client import open_session
from chaos.process.ports import free_port
from supervisor.rollout.exchange import users as module
from supervisor.rollout.exchange.users import Served, Users
from tests.fakes.server import Handler, serving
from tests.patience import until

GROUP, FALLBACKS = "x-litellm-model-group", "x-litellm-attempted-fallbacks"


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """A client."""
    async with open_session() as opened:
        yield opened


class Time:
    """Stands still until a test sets it."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    """The time that users are told."""
    made = Time()
    monkeypatch.setattr(module, "time", made)
    return made


def alone(session: Any = None, url: str = "http://127.0.0.1:9/v1", key: str | None = None) -> Users:
    """Users who have not asked yet."""
    return Users(session, url, key, "gemma", "as a user of gemma")


def answered(users: Users, time: Time, began_s: float, ended_s: float, **headers: str) -> None:
    """Have a request answered that began and ended then."""
    time.now_s = ended_s
    named: Mapping[str, str] = {name.replace("_", "-"): value for name, value in headers.items()}
    reply: Any = SimpleNamespace(headers=named)
    users._answered(reply, began_s)


def lost(users: Users, time: Time, began_s: float, ended_s: float, why: str = "gone") -> None:
    """Have a request lost that began and ended then."""
    time.now_s = ended_s
    users._lost(why, began_s)


@contextlib.asynccontextmanager
async def asking(users: Users) -> AsyncIterator[None]:
    """Have them ask while the block runs."""
    task = asyncio.ensure_future(users.ask())  # noqa: TID251 -- cancelled below
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def one(session: Any, handler: Handler, key: str | None = None) -> Served:
    """Ask once; gives what came of it."""
    room = asyncio.Semaphore(1)
    await room.acquire()
    async with serving(handler) as url:
        users = alone(session, f"{url}/v1/", key)
        await users._one(room)
    assert not room.locked()
    return users.served


# --- one request ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ({}, "the engine"),
        ({GROUP: "gemma"}, "gemma"),
        ({GROUP: "gemma", FALLBACKS: "0"}, "gemma"),
        ({GROUP: "gemma", FALLBACKS: ""}, "gemma"),
        ({GROUP: "qwen", FALLBACKS: "1"}, "qwen, a fallback"),
        ({FALLBACKS: "2"}, "the engine, a fallback"),
    ],
)
async def test_who_answered_is_the_gateway_s_own_word(session, headers, name):
    """A fallback is called so; an engine that is asked alone has no headers of a gateway."""

    async def chat(_: Any) -> web.Response:
        return web.json_response({}, headers=headers)

    served = await one(session, chat)
    assert (served.by, served.lost, served.first_lost) == ({name: 1}, 0, "")
    assert served.slowest_s > 0


@pytest.mark.parametrize("key", ["sk-user", None])
async def test_a_request_is_short_and_carries_the_user_s_key(session, key):
    """As small as a request can be that is answered in words."""
    seen: list[tuple[str, str | None, Any]] = []

    async def chat(request: Any) -> web.Response:
        asked = await request.json()
        seen.append((request.path, request.headers.get("authorization"), asked))
        return web.json_response({})

    await one(session, chat, key)
    ((path, authorization, body),) = seen
    assert path == "/v1/chat/completions"
    assert authorization == (f"Bearer {key}" if key else None)
    assert (body["model"], body["max_tokens"]) == ("gemma", 8)


@pytest.mark.parametrize(
    ("status", "text", "first"),
    [
        (500, "no fallback left", "status 500: no fallback left"),
        (429, "x" * 1000, f"status 429: {'x' * 160}"),
        (302, "", "status 302: "),
        (204, "", "status 204: "),
    ],
)
async def test_any_status_but_200_is_a_user_lost(session, status, text, first):
    """With the beginning of what it said."""

    async def refusing(_: Any) -> web.Response:
        headers = {"location": "/elsewhere"} if status == 302 else {}
        return web.Response(status=status, text=text or None, headers=headers)

    served = await one(session, refusing)
    assert (served.by, served.lost, served.first_lost) == ({}, 1, first)


async def test_an_answer_that_breaks_off_is_a_user_lost(session):
    """Its status was 200, and its text is not whole."""

    async def breaking(request: Any) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"content-length": "1000"})
        await reply.prepare(request)
        await reply.write(b"half")
        request.transport.close()
        return reply

    served = await one(session, breaking)
    assert (served.by, served.lost) == ({}, 1)
    assert served.first_lost


async def test_an_engine_that_says_nothing_is_a_user_lost(session, monkeypatch):
    """After as long as a user waits."""
    monkeypatch.setattr(module, "WITHIN_S", 0.05)

    async def silent(_: Any) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    served = await one(session, silent)
    assert (served.by, served.lost, served.slowest_s) == ({}, 1, 0.0)
    assert served.first_lost


async def test_nobody_who_listens_is_a_user_lost(session):
    """With why, and there is room for the next one."""
    users = alone(session, f"http://127.0.0.1:{free_port()}/v1")
    room = asyncio.Semaphore(1)
    await room.acquire()
    await users._one(room)
    assert not room.locked()
    assert users.served.lost == 1
    assert "Cannot connect" in users.served.first_lost


# --- how long they were lost ------------------------------------------------------------


def test_who_was_lost_is_lost_until_the_first_answer_to_a_later_request(time):
    """From the beginning of the first that was lost; its reason is kept."""
    users = alone()
    answered(users, time, 100, 101)
    lost(users, time, 102, 103, "refused")
    lost(users, time, 104, 105, "status 500")
    assert users.served.lost_s == 0
    answered(users, time, 106, 108)
    answered(users, time, 109, 110)
    served = users.ended()
    assert (served.lost, served.first_lost) == (2, "refused")
    assert served.lost_s == 6
    assert served.by == {"the engine": 3}


def test_an_answer_to_a_request_that_began_before_the_last_loss_ends_nothing(time):
    """It was on its way already."""
    users = alone()
    lost(users, time, 102, 103)
    lost(users, time, 106, 107)
    answered(users, time, 104, 108)
    assert users.served.lost_s == 0
    answered(users, time, 107, 112)
    assert users.served.lost_s == 10


def test_a_loss_that_is_known_late_does_not_move_the_last_one_back(time):
    """A request that began earlier may end later."""
    users = alone()
    lost(users, time, 106, 107)
    lost(users, time, 102, 109)
    answered(users, time, 104, 110)
    assert users.served.lost_s == 0
    answered(users, time, 108, 111)
    assert users.served.lost_s == 5


def test_each_time_that_users_were_lost_counts(time):
    """What lies between does not."""
    users = alone()
    lost(users, time, 100, 101)
    answered(users, time, 102, 103)
    lost(users, time, 110, 111)
    answered(users, time, 112, 114)
    assert users.ended().lost_s == 3 + 4


def test_who_is_not_answered_since_is_lost_until_now(time):
    """And no longer, however often it is asked."""
    users = alone()
    lost(users, time, 102, 103)
    time.now_s = 110
    assert users.ended().lost_s == 8
    time.now_s = 200
    assert users.ended().lost_s == 8


def test_a_sum_without_a_loss_has_none(time):
    """It tells how they asked, who answered and the longest wait of those."""
    users = alone()
    answered(users, time, 100, 103, x_litellm_model_group="gemma")
    answered(users, time, 103, 104, x_litellm_model_group="gemma")
    fallback = {"x_litellm_model_group": "qwen", "x_litellm_attempted_fallbacks": "1"}
    answered(users, time, 104, 106, **fallback)
    assert users.ended() == Served(
        "as a user of gemma", {"gemma": 2, "qwen, a fallback": 1}, slowest_s=3.0
    )


# --- the whole time ---------------------------------------------------------------------


async def test_they_ask_one_after_the_other_until_cancelled(session, monkeypatch):
    """A request that is not answered holds up nobody."""
    monkeypatch.setattr(module, "EVERY_S", 0)
    asked = 0

    async def first_hangs(_: Any) -> web.Response:
        nonlocal asked
        asked += 1
        if asked == 1:
            await asyncio.Event().wait()
        return web.json_response({}, headers={GROUP: "gemma"})

    async with serving(first_hangs) as url:
        users = alone(session, f"{url}/v1")
        async with asking(users):
            await until(lambda: users.served.by.get("gemma", 0) >= 5)
    assert users.served.lost == 0


async def test_only_so_many_wait_at_once(session, monkeypatch):
    """An engine that hangs is not buried in requests."""
    monkeypatch.setattr(module, "EVERY_S", 0)
    monkeypatch.setattr(module, "MOST_AT_ONCE", 3)
    go_on, waiting, most = asyncio.Event(), 0, 0

    async def hanging(_: Any) -> web.Response:
        nonlocal waiting, most
        waiting += 1
        most = max(most, waiting)
        await go_on.wait()
        waiting -= 1
        return web.json_response({})

    async with serving(hanging) as url:
        users = alone(session, f"{url}/v1")
        async with asking(users):
            await until(lambda: waiting == 3)
            go_on.set()
            await until(lambda: sum(users.served.by.values()) >= 10)
    assert most == 3


async def test_quiet_users_ask_nothing_until_they_may_again(session, monkeypatch):
    """What is measured is not disturbed."""
    looks, asked = 0, 0

    async def chat(_: Any) -> web.Response:
        nonlocal asked
        asked += 1
        return web.json_response({})

    sleep = asyncio.sleep

    async def looked(_: float) -> None:
        nonlocal looks
        looks += 1
        await sleep(0)

    fake = SimpleNamespace(**{**vars(asyncio), "sleep": looked})
    monkeypatch.setattr(module, "asyncio", fake)
    async with serving(chat) as url:
        users = alone(session, f"{url}/v1")
        users.quiet(True)
        async with asking(users):
            await until(lambda: looks >= 20)
            assert asked == 0
            users.quiet(False)
            await until(lambda: users.served.by)


async def test_a_page_in_another_encoding_is_lost_like_any_other():
    """Asking goes on."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=502, body="Zeitüberschreitung".encode("latin-1"))

    async with serving(answer) as url, open_session() as session:
        users = Users(session, str(url), None, "gemma", "")
        await users._one(asyncio.Semaphore(1))
    assert users.served.lost == 1
    assert "status 502" in users.served.first_lost
