"""The witness: only a live lease's nonce gets anything but a refusal."""

import asyncio
import contextlib
import gzip
import json
import socket
from dataclasses import replace

import aiohttp
import pytest
from aiohttp import web

from chaos.errors import WitnessError
from chaos.gateway.redirect_permission import LANES
from chaos.witness.lease import Action, LeasedHop
from chaos.witness.server import Witness
from chaos.witness.wire_record import AttemptOutcome, KeyOwner
from tests.fakes.server import serving
from tests.fakes.upstreams import CANARY, NONCE, chat_request, hop, upstream
from tests.patience import PATIENCE_S as TTL_S

LISTEN = [("127.0.0.1", 0)]
AUTHORIZED = {"authorization": f"Bearer {CANARY}"}


@pytest.fixture
async def witness():
    """A witness that listens on a port of its own."""
    async with Witness().serving(LISTEN) as witness:
        yield witness


@pytest.fixture
async def session():
    """A gateway's HTTP client."""
    async with aiohttp.ClientSession(headers=AUTHORIZED) as session:
        yield session


async def ask(session, witness, lane, body, path="/chat/completions"):
    """Send *body* on a lane; the status and the JSON."""
    async with session.post(f"{witness.lane_url(lane)}{path}", json=body) as reply:
        return reply.status, await reply.json(content_type=None)


async def test_a_hop_that_must_fail_fails_and_the_wire_says_so(witness, session):
    """The fault is played to the request with the nonce, and recorded with its redacted key."""
    lease = await witness.lease(
        nonce=NONCE,
        hops=[hop("a", Action.FAULT, fault="server_error")],
        ttl_s=TTL_S,
        canary=CANARY,
    )
    status, _ = await ask(session, witness, lease.lane, chat_request("a"))
    (record,) = await lease.end()
    assert status == 500
    assert (record.group, record.outcome, record.status) == ("a", AttemptOutcome.FAULTED, 500)
    assert (record.fault, record.key_owner) == ("server_error", KeyOwner.CANARY)
    assert CANARY not in repr(record)


async def test_a_hop_whose_language_is_unknown_can_fail_and_is_never_stood_in_for(witness, session):
    """It is known by a twin's address; a reply in another language would be nonsense."""
    stranger = (upstream("a", "generic", address="0"),)
    for action, fault, wanted in (
        (Action.FAULT, "rate_limit", (429, AttemptOutcome.FAULTED)),
        (Action.STAND_IN, None, (400, AttemptOutcome.REFUSED)),
    ):
        hops = [replace(hop("a", action, fault=fault), upstreams=stranger)]
        lease = await witness.lease(nonce=NONCE, hops=hops, ttl_s=TTL_S, on_lane=False)
        body = {"inputs": f"Say {NONCE}."}
        async with session.post(f"{witness.url}/twin/0/generate", json=body) as reply:
            await reply.read()
        (record,) = await lease.end()
        assert (reply.status, record.outcome) == wanted
        assert record.asked is None


async def test_an_operation_right_behind_the_address_is_a_path(witness, session):
    """So does LiteLLM ask Vertex AI."""
    stranger = (upstream("a", "vertex", address="0"),)
    hops = [replace(hop("a", Action.FAULT, fault="rate_limit"), upstreams=stranger)]
    lease = await witness.lease(nonce=NONCE, hops=hops, ttl_s=TTL_S, on_lane=False)
    body = {"contents": [{"role": "user", "parts": [{"text": f"Say {NONCE}."}]}]}
    async with session.post(f"{witness.url}/twin/0:generateContent", json=body) as reply:
        await reply.read()
    (record,) = await lease.end()
    assert (reply.status, record.outcome) == (429, AttemptOutcome.FAULTED)
    assert record.asked is not None
    assert NONCE in record.asked.text


async def test_once_fails_the_first_attempt_only(witness, session):
    """A retry of the same hop is answered."""
    lease = await witness.lease(
        nonce=NONCE, hops=[hop("a", Action.FAULT, fault="server_error.once")], ttl_s=TTL_S
    )
    first, _ = await ask(session, witness, lease.lane, chat_request("a"))
    second, _ = await ask(session, witness, lease.lane, chat_request("a"))
    records = await lease.end()
    assert (first, second) == (500, 200)
    assert [r.outcome for r in records] == [AttemptOutcome.FAULTED, AttemptOutcome.STOOD_IN]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (json.dumps({**chat_request("a"), "user": "\ud800"}), 500),
        (f'{{"user": "{NONCE}", "model": {"[" * 100_000}', 400),
        (f'"{NONCE}"', 400),
    ],
    ids=["half of a surrogate pair", "nested too deep", "no object"],
)
async def test_whatever_json_comes_is_read_or_refused(witness, session, body, expected):
    """What Python's parser takes is faulted; anything else is for no hop, and no crash."""
    lease = await witness.lease(
        nonce=NONCE, hops=[hop("a", Action.FAULT, fault="server_error")], ttl_s=TTL_S
    )
    url = f"{witness.lane_url(lease.lane)}/chat/completions"
    async with session.post(url, data=body.encode()) as reply:
        assert reply.status == expected
        assert (await reply.json(content_type=None))["error"]
    await lease.end()


async def test_a_stand_in_answers_as_the_provider_would(witness, session):
    """The nonce comes back, so the gateway has a whole good reply to pass on."""
    lease = await witness.lease(nonce=NONCE, hops=[hop("a")], ttl_s=TTL_S)
    status, reply = await ask(session, witness, lease.lane, chat_request("a"))
    (record,) = await lease.end()
    assert status == 200
    assert NONCE in reply["choices"][0]["message"]["content"]
    assert record.outcome is AttemptOutcome.STOOD_IN
    assert record.reply is not None
    assert NONCE in record.reply.text


@pytest.mark.parametrize(("refuses", "status"), [(True, 400), (False, 200)])
async def test_a_stand_in_refuses_a_prefill_where_its_model_would(
    witness, session, refuses, status
):
    """A gateway that goes on with half an answer at another hop puts words into its mouth."""
    taken = upstream("a", "openai", refuses_prefill=refuses)
    lease = await witness.lease(
        nonce=NONCE, hops=[LeasedHop("a", (taken,), Action.STAND_IN)], ttl_s=TTL_S
    )
    body = chat_request("a")
    whole = await ask(session, witness, lease.lane, body)
    body["messages"] = [*body["messages"], {"role": "assistant", "content": "Half an ans"}]
    prefilled = await ask(session, witness, lease.lane, body)
    records = await lease.end()
    assert (whole[0], prefilled[0]) == (200, status)
    assert ("prefill" in str(prefilled[1])) is refuses
    expected = AttemptOutcome.ERRORED if refuses else AttemptOutcome.STOOD_IN
    assert [r.outcome for r in records] == [AttemptOutcome.STOOD_IN, expected]


async def test_faults_may_end_before_the_lease(witness, session):
    """A sequence lets its outage begin and end by the clock."""
    lease = await witness.lease(
        nonce=NONCE, hops=[hop("a", Action.FAULT, fault="server_error")], ttl_s=TTL_S
    )
    statuses = []
    for lease.striking in (False, True, False):
        statuses.append((await ask(session, witness, lease.lane, chat_request("a")))[0])
    await lease.end()
    assert statuses == [200, 500, 200]


async def test_what_an_answer_asks_to_wait_is_on_record(witness, session):
    """A pause in seconds; nothing where the answer asks for none."""
    for fault, told_s in (("rate_limit.retry_after_47", 47.0), ("rate_limit", None)):
        lease = await witness.lease(
            nonce=NONCE,
            hops=[hop("a", Action.FAULT, fault=fault, dialect="openai")],
            ttl_s=TTL_S,
        )
        await ask(session, witness, lease.lane, chat_request("a"))
        (record,) = await lease.end()
        assert record.retry_after_s == told_s


async def test_the_hop_that_must_serve_gets_the_request_itself(witness, session):
    """It arrives at the real upstream with its body and headers, and its reply comes back."""
    came = []

    async def engine(request):
        came.append((request.path_qs, dict(request.headers), await request.json()))
        return web.json_response({"choices": [], "hello": "x"}, headers={"x-own": "1"})

    async with serving(engine) as url:
        served = hop("a", Action.FORWARD, base_url=f"{url}/v1")
        lease = await witness.lease(nonce=NONCE, hops=[served], ttl_s=TTL_S)
        async with session.post(
            f"{witness.lane_url(lease.lane)}/chat/completions?x=1",
            json=chat_request("a"),
            headers={"x-extra": "kept"},
        ) as reply:
            answer = await reply.json()
            own = reply.headers["x-own"]
        (record,) = await lease.end()
    path, headers, body = came[0]
    assert (path, body, own) == ("/v1/chat/completions?x=1", chat_request("a"), "1")
    assert headers["x-extra"] == "kept"
    assert answer["hello"] == "x"
    assert (record.outcome, record.status) == (AttemptOutcome.SERVED, 200)


async def test_a_stream_passes_through_as_it_comes(witness, session):
    """The first event is with the caller while the upstream still holds back the second."""
    go_on = asyncio.Event()

    async def engine(request):
        reply = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await reply.prepare(request)
        await reply.write(b'data: {"one": 1}\n\n')
        await go_on.wait()
        await reply.write(b"data: [DONE]\n\n")
        return reply

    async with serving(engine) as url:
        lease = await witness.lease(
            nonce=NONCE, hops=[hop("a", Action.FORWARD, base_url=url)], ttl_s=TTL_S
        )
        async with session.post(
            f"{witness.lane_url(lease.lane)}/chat/completions", json=chat_request("a", stream=True)
        ) as reply:
            first = await reply.content.readuntil(b"\n\n")
            go_on.set()
            rest = await reply.content.read()
        (record,) = await lease.end()
    assert (first, rest) == (b'data: {"one": 1}\n\n', b"data: [DONE]\n\n")
    assert record.whole is True


async def test_an_upstream_that_breaks_off_breaks_off_here_too(witness, session):
    """The gateway must see what it would see without us."""

    async def engine(request):
        reply = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await reply.prepare(request)
        await reply.write(b'data: {"one": 1}\n\n')
        request.transport.abort()
        return reply

    async with serving(engine) as url:
        lease = await witness.lease(
            nonce=NONCE, hops=[hop("a", Action.FORWARD, base_url=url)], ttl_s=TTL_S
        )
        with pytest.raises(aiohttp.ClientError):
            async with session.post(
                f"{witness.lane_url(lease.lane)}/chat/completions",
                json=chat_request("a", stream=True),
            ) as reply:
                await reply.read()
        (record,) = await lease.end()
    assert (record.outcome, record.whole) == (AttemptOutcome.ERRORED, False)


async def test_a_dead_upstream_is_an_errored_attempt(witness, session):
    """Nothing listens at the real address; the record says so in words."""
    lease = await witness.lease(
        nonce=NONCE,
        hops=[hop("a", Action.FORWARD, base_url="http://127.0.0.1:9")],
        ttl_s=TTL_S,
    )
    with pytest.raises(aiohttp.ClientError):
        await ask(session, witness, lease.lane, chat_request("a"))
    (record,) = await lease.end()
    assert (record.outcome, record.status) == (AttemptOutcome.ERRORED, None)
    assert "no connection" in (record.upstream_message or "")


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/lane", "/lane/0", "/lane/x/chat/completions", "/v1/models"),
        *("/lane/7/chat/completions", f"/lane/{'9' * 5_000}/chat/completions"),
    ],
)
async def test_a_request_without_a_live_nonce_is_refused(witness, session, path):
    """Whoever finds the port gets a 400 that names us, and nothing is forwarded."""
    await witness.lease(nonce=NONCE, hops=[hop("a")], ttl_s=TTL_S)
    body = chat_request("a", nonce="00000000")
    async with session.post(f"{witness.url}{path}", json=body) as reply:
        assert reply.status == 400
        assert "Understudy" in (await reply.json())["error"]["message"]
    assert witness.counts.strays == 1


async def test_a_nonce_on_another_lane_is_refused(witness, session):
    """A lease is for its own lane only."""
    lease = await witness.lease(nonce=NONCE, hops=[hop("a")], ttl_s=TTL_S)
    status, _ = await ask(session, witness, (lease.lane + 1) % LANES, chat_request("a"))
    assert status == 400
    assert await lease.end() == ()
    assert lease.strays == 0


async def test_a_lost_nonce_is_a_stray_of_the_lane(witness, session):
    """A gateway that rewrites the prompt is told apart from one that never came."""
    lease = await witness.lease(nonce=NONCE, hops=[hop("a")], ttl_s=TTL_S)
    await ask(session, witness, lease.lane, chat_request("a", nonce="********"))
    assert (await lease.end(), lease.strays) == ((), 1)


async def test_a_late_attempt_is_refused_and_counted_as_such(witness, session):
    """Gateways go on retrying after the client has left; none of it may reach a provider."""
    lease = await witness.lease(nonce=NONCE, hops=[hop("a")], ttl_s=TTL_S, canary=CANARY)
    lane = lease.lane
    await lease.end()
    status, reply = await ask(session, witness, lane, chat_request("a"))
    assert status == 400
    assert "has ended" in reply["error"]["message"]
    assert (witness.counts.late, witness.counts.strays) == (1, 0)


async def test_a_late_attempt_on_a_lane_in_use_is_told_by_its_nonce(witness, session):
    """The next drill has the lane, and is not blamed for what the last one left."""
    first = await witness.lease(nonce=NONCE, hops=[hop("a")], ttl_s=TTL_S, canary=CANARY)
    await first.end()
    second = await leased(witness, nonce="0badcafe", lane=first.lane)
    await ask(session, witness, second.lane, chat_request("a"))
    assert (await second.end(), second.strays) == ((), 0)
    assert (witness.late_attempts(NONCE), witness.counts.late, witness.counts.strays) == (1, 1, 0)


async def test_what_begins_in_the_grace_at_a_lease_s_end_is_late(witness, session):
    """It is the drill's own retry, and no stray that softens a verdict."""
    lease = await witness.lease(nonce=NONCE, hops=[hop("a")], ttl_s=TTL_S, canary=CANARY)
    held = lease.begin()
    async with asyncio.TaskGroup() as tasks:
        ending = tasks.create_task(lease.end(grace_s=TTL_S))
        while not lease.over.is_set():
            await asyncio.sleep(0)
        status, _ = await ask(session, witness, lease.lane, chat_request("a"))
        lease.finish(held)
        await ending
    assert status == 400
    assert (witness.counts.late, witness.counts.strays, lease.strays) == (1, 0, 0)


# --- strangers -----------------------------------------------------------------------------


def leased(witness, **changes):
    """A lease as a redirect takes it: its requests carry the canary."""
    values = {"nonce": NONCE, "hops": [hop("a")], "ttl_s": TTL_S}
    return witness.lease(**{**values, "canary": CANARY, "wants_canary": True, **changes})


async def raw_ask(witness, head, body=b""):
    """Send bytes as they are; the status line, or nothing if the connection was closed."""
    host, _, port = witness.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(head.encode() + b"\r\n\r\n" + body)
    line = await reader.readline()
    writer.close()
    return line


async def test_a_stranger_is_refused_before_its_body_is_read(witness):
    """It announces 60 MiB and sends none of them: the answer does not wait."""
    lease = await leased(witness)
    for path in ("/", f"/lane/{lease.lane}/chat/completions", "/lane/3/chat/completions"):
        head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {60 << 20}"
        assert b"400" in await raw_ask(witness, head)
    assert (await lease.end(), lease.strays, witness.counts.strays) == ((), 0, 3)


async def test_a_right_nonce_with_a_wrong_key_is_a_stranger_s(witness):
    """A guess of eight digits is not enough."""
    lease = await leased(witness)
    async with aiohttp.ClientSession(headers={"authorization": "Bearer other"}) as session:
        status, _ = await ask(session, witness, lease.lane, chat_request("a"))
    assert (status, await lease.end(), lease.strays) == (400, (), 0)


async def test_a_packed_body_is_never_unpacked(witness, session):
    """A kilobyte of gzip can be a gigabyte."""
    lease = await leased(witness)
    bomb = gzip.compress(b"0" * (64 << 20))
    headers = {**AUTHORIZED, "content-encoding": "gzip"}
    url = f"{witness.lane_url(lease.lane)}/chat/completions"
    async with session.post(url, data=bomb, headers=headers) as reply:
        assert reply.status == 400
        assert "packed" in (await reply.json())["error"]["message"]
    assert await lease.end() == ()


async def test_a_body_that_is_too_long_or_never_ends_is_refused(witness, monkeypatch):
    """Also with the right key: what a drill sends is bounded."""
    monkeypatch.setattr("chaos.witness.request.BODY_WITHIN_S", 0.05)
    lease = await leased(witness)
    head = (
        f"POST /lane/{lease.lane}/chat/completions HTTP/1.1\r\nhost: x\r\n"
        f"authorization: Bearer {CANARY}\r\n"
    )
    assert b"400" in await raw_ask(witness, f"{head}content-length: {60 << 20}")
    assert b"400" in await raw_ask(witness, f"{head}content-length: 1000", b"{")


@pytest.mark.parametrize(
    "body",
    [
        {"model": "a", "messages": [], NONCE: "as a key"},
        {"model": "a", "messages": [{"role": "user", "content": "3fa91 c02"}]},
    ],
)
async def test_a_nonce_counts_only_in_the_request_s_own_text(witness, session, body):
    """Not as a key, and not where it is only nearly there."""
    lease = await leased(witness)
    status, _ = await ask(session, witness, lease.lane, body)
    assert (status, await lease.end(), lease.strays) == (400, (), 1)


async def test_with_real_keys_the_drill_s_secret_marks_its_requests(witness, session):
    """There is no canary in them, so the text carries more than a nonce."""
    lease = await leased(witness, wants_canary=False, secret="c0ffee" * 5)
    status, _ = await ask(session, witness, lease.lane, chat_request("a"))
    assert (status, lease.strays) == (400, 1)
    marked = chat_request("a")
    marked["messages"][-1]["content"] += " " + "c0ffee" * 5
    assert (await ask(session, witness, lease.lane, marked))[0] == 200


async def test_a_thousand_strangers_change_no_drill(witness, session, monkeypatch):
    """They are closed in turn; the attempt that is being answered is not."""
    monkeypatch.setattr("chaos.witness.bounded_server.MOST_CONNECTIONS", 32)
    lease = await leased(witness, hops=[hop("a", Action.FAULT, fault="hang")])
    host, _, port = witness.url.removeprefix("http://").partition(":")

    async def attempt():
        with contextlib.suppress(aiohttp.ClientError):  # it is cut off with its lease
            await ask(session, witness, lease.lane, chat_request("a"))

    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(attempt())
        while not lease.in_flight:
            await asyncio.sleep(0)
        strangers = []
        for number in range(1000):
            _, writer = await asyncio.open_connection(host, int(port))
            if number % 2:
                writer.write(b"POST /lane/0/x HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n")
            strangers.append(writer)
        assert not running.done()
        assert lease.in_flight == 1
        for writer in strangers:
            writer.close()
        (record,) = await lease.end(grace_s=0.0)
    assert (record.outcome, record.group, lease.strays) == (AttemptOutcome.FAULTED, "a", 0)


async def test_an_expired_lease_refuses(witness, session):
    """The safe state needs nobody alive: a lease that nobody ended is over by itself."""
    lease = await witness.lease(nonce=NONCE, hops=[hop("a")], ttl_s=0.01)
    await lease.over.wait()
    status, _ = await ask(session, witness, lease.lane, chat_request("a"))
    assert status == 400


async def test_a_model_that_no_hop_has_is_refused_but_recorded(witness, session):
    """The drill must see that the gateway asked for something else."""
    lease = await witness.lease(nonce=NONCE, hops=[hop("a")], ttl_s=TTL_S)
    status, _ = await ask(session, witness, lease.lane, chat_request("zzz"))
    (record,) = await lease.end()
    assert (status, record.group, record.outcome) == (400, None, AttemptOutcome.REFUSED)


async def test_a_group_outside_the_chain_is_stood_in_for(witness, session):
    """So the drill can tell which wrong hop was contacted, without costing anything."""
    lease = await witness.lease(
        nonce=NONCE, hops=[hop("a")], others=[upstream("paid", "openai")], ttl_s=TTL_S
    )
    status, _ = await ask(session, witness, lease.lane, chat_request("paid"))
    (record,) = await lease.end()
    assert (status, record.group, record.outcome) == (200, "paid", AttemptOutcome.STOOD_IN)


async def test_an_engine_that_wants_a_key_is_given_its_own(session):
    """It would turn the canary away, and no engine with a key could be drilled."""
    came = []

    async def engine(request):
        came.append(request.headers["authorization"])
        return web.json_response({})

    async with serving(engine) as url:
        witness = Witness()
        witness.engine_keys = {url.removeprefix("http://"): "engine-key"}
        async with witness.serving([("127.0.0.1", 0)]):
            lease = await witness.lease(
                nonce=NONCE, hops=[hop("a", Action.FORWARD, base_url=url)], ttl_s=TTL_S
            )
            assert lease.lane is not None
            async with session.post(
                f"{witness.lane_url(lease.lane)}/chat/completions",
                json=chat_request("a"),
                headers={"authorization": f"Bearer {CANARY}"},
            ) as reply:
                await reply.read()
            await lease.end()
    assert came == ["Bearer engine-key"]


async def test_a_hop_with_two_real_addresses_is_not_forwarded(witness, session):
    """It could hand one provider's key to another."""
    two = hop("a", Action.FORWARD, base_url="http://127.0.0.1:1")
    other = upstream("a", base_url="http://127.0.0.1:2", deployment="other")
    two = type(two)("a", (*two.upstreams, other), Action.FORWARD)
    lease = await witness.lease(nonce=NONCE, hops=[two], ttl_s=TTL_S)
    status, _ = await ask(session, witness, lease.lane, chat_request("a"))
    (record,) = await lease.end()
    assert (status, record.outcome) == (400, AttemptOutcome.REFUSED)


async def test_a_provider_key_is_told_apart_from_the_canary(witness, session):
    """Whose key came is recorded, never the key."""
    lease = await witness.lease(nonce=NONCE, hops=[hop("a")], ttl_s=TTL_S, canary=CANARY)
    async with session.post(
        f"{witness.lane_url(lease.lane)}/chat/completions",
        json=chat_request("a"),
        headers={"authorization": "Bearer sk-someone-elses"},
    ) as reply:
        await reply.read()
    (record,) = await lease.end()
    assert record.key_owner is KeyOwner.OTHER
    assert "sk-someone" not in repr(record)


async def test_lanes_are_few_and_come_back(witness):
    """A fifth lease waits for one of four lanes."""
    leases = [await witness.lease(nonce=f"0000000{n}", hops=[], ttl_s=TTL_S) for n in range(LANES)]
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(witness.lease(nonce="fffffff0", hops=[], ttl_s=TTL_S))
        await asyncio.sleep(0)
        assert not waiting.done()
        await leases[2].end()
    assert waiting.result().lane == leases[2].lane
    assert sorted(lease.lane for lease in leases) == list(range(LANES))


async def test_ending_a_lease_twice_frees_its_lane_once(witness):
    """A lane that came back twice would be leased to two drills at a time."""
    lease = await witness.lease(nonce=NONCE, hops=[], ttl_s=TTL_S)
    await lease.end()
    await lease.end()
    lanes = {
        (await witness.lease(nonce=f"0000000{n}", hops=[], ttl_s=TTL_S)).lane for n in range(LANES)
    }
    assert lanes == set(range(LANES))


async def test_a_taken_port_is_explained():
    """The message says who holds it."""
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(WitnessError, match=r"taken by .*\(pid \d+\)"),
    ):
        async with Witness().serving([taken.getsockname()[:2]]):
            pass


async def test_a_socket_that_is_held_already_is_listened_on(session):
    """Nobody else can take the port while the daemon is down, and nothing that came is lost."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        address = held.getsockname()[:2]
        passed = held.dup()
        passed.setblocking(False)
        async with asyncio.TaskGroup() as tasks:
            asked = tasks.create_task(ask_for_lane(session, address[1]))
            async with Witness().serving([address, ("127.0.0.1", 0)], [passed]) as witness:
                assert await asked == 400
                assert witness.counts.strays == 1
        assert held.getsockname()[:2] == address


async def ask_for_lane(session, port):
    """Ask as a gateway would; gives the status."""
    async with session.get(f"http://127.0.0.1:{port}/lane/0") as reply:
        return reply.status


async def test_an_address_of_another_machine_is_explained():
    """A typo in the address is not a taken port."""
    with pytest.raises(WitnessError, match=r"cannot listen on 192\.0\.2\.1"):
        async with Witness().serving([("192.0.2.1", 0)]):
            pass


async def test_nothing_listens_after_the_end():
    """A witness that is gone leaves no port behind."""
    async with Witness().serving(LISTEN) as witness:
        url = witness.url
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(url)


def packing(body, coding="gzip"):
    """An engine that answers with *body*, packed."""

    async def engine(request):
        headers = {"content-type": "application/json", "content-encoding": coding}
        return web.Response(body=gzip.compress(body), headers=headers)

    return engine


GOOD = json.dumps(
    {
        "id": "x",
        "model": "a",
        "choices": [{"index": 0, "message": {"content": "hi"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 1},
    }
).encode()


async def test_a_compressed_reply_of_the_hop_is_read(witness, session):
    """Gateways ask for gzip; the record holds what was said, the caller gets it as it came."""
    async with serving(packing(GOOD)) as url:
        lease = await witness.lease(
            nonce=NONCE, hops=[hop("a", Action.FORWARD, base_url=url)], ttl_s=TTL_S
        )
        status, reply = await ask(session, witness, lease.lane, chat_request("a"))
        (record,) = await lease.end()
    assert (status, reply) == (200, json.loads(GOOD))
    assert record.reply is not None
    assert (record.reply.text, record.reply.usage.output_tokens) == ("hi", 1)


def streaming(*events, hold):
    """An engine that streams *events* and keeps the connection open until *hold* is set."""

    async def engine(request):
        reply = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await reply.prepare(request)
        for event in events:
            await reply.write(event)
        await hold.wait()
        return reply

    return engine


CHUNK = (
    b'data: {"id": "x", "model": "a", "choices": [{"index": 0, "delta": {"content": "hi"}}]}\n\n'
)
LAST_CHUNK = (
    b'data: {"id": "x", "model": "a", "choices": '
    b'[{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\n'
)
DONE = b"data: [DONE]\n\n"


@pytest.mark.parametrize(
    ("events", "outcome"),
    [
        ((CHUNK, LAST_CHUNK, DONE), AttemptOutcome.SERVED),
        ((CHUNK, LAST_CHUNK), AttemptOutcome.SERVED),
        ((CHUNK,), AttemptOutcome.REFUSED),
    ],
    ids=["at its terminator", "at its finish", "before its end"],
)
async def test_a_reply_that_the_gateway_left_was_served_if_it_was_there(witness, events, outcome):
    """Client libraries close at the end of the answer, not at the end of the connection."""
    hold = asyncio.Event()
    async with serving(streaming(*events, hold=hold)) as url, aiohttp.ClientSession() as session:
        lease = await witness.lease(
            nonce=NONCE, hops=[hop("a", Action.FORWARD, base_url=url)], ttl_s=TTL_S
        )
        reply = await session.post(
            f"{witness.lane_url(lease.lane)}/chat/completions", json=chat_request("a", stream=True)
        )
        assert await reply.content.readexactly(len(b"".join(events))) == b"".join(events)
        reply.close()
        await lease.idle.wait()
        (record,) = await lease.end()
    assert (record.outcome, record.status, record.caller_left) == (outcome, 200, True)


async def test_an_attempt_that_our_own_end_cut_was_not_left_by_the_gateway(witness, session):
    """The drill was over, and somebody was still waiting."""
    hold = asyncio.Event()
    async with serving(streaming(CHUNK, hold=hold)) as url, asyncio.TaskGroup() as tasks:
        lease = await witness.lease(
            nonce=NONCE, hops=[hop("a", Action.FORWARD, base_url=url)], ttl_s=TTL_S
        )

        async def gateway():
            with pytest.raises(aiohttp.ClientError):
                await ask(session, witness, lease.lane, chat_request("a", stream=True))

        tasks.create_task(gateway())
        while not (lease.attempts and lease.attempts[0].played.sent_bytes):
            await asyncio.sleep(0)
        (record,) = await lease.end(grace_s=0.0)
        await lease.idle.wait()
    assert (record.outcome, record.cut, record.caller_left) == (AttemptOutcome.REFUSED, True, False)
    assert record.ended_at_s >= record.started_at_s > 0


async def test_a_paid_hop_is_called_no_more_often_than_was_reserved(witness, session):
    """What the gateway repeats beyond its own settings would cost money that nobody granted."""
    came = []

    async def provider(request):
        came.append(request.path)
        return web.Response(body=GOOD)

    async with serving(provider) as url:
        paid = LeasedHop(
            "a",
            (upstream("a", "openai", base_url=url, local=False),),
            Action.FORWARD,
            attempts_allowed=2,
        )
        lease = await witness.lease(nonce=NONCE, hops=[paid], ttl_s=TTL_S)
        asked = [await ask(session, witness, lease.lane, chat_request("a")) for _ in range(4)]
        records = await lease.end()
    assert [status for status, _ in asked] == [200, 200, 400, 400]
    assert len(came) == 2
    assert [r.forwarded for r in records] == [True, True, False, False]
    assert "2 attempts" in (records[2].upstream_message or "")


async def test_a_local_hop_may_be_called_again(witness, session):
    """It costs nothing; whether it is too often, a check says."""
    async with serving(packing(GOOD)) as url:
        local = hop("a", Action.FORWARD, base_url=url, attempts_allowed=1)
        lease = await witness.lease(nonce=NONCE, hops=[local], ttl_s=TTL_S)
        asked = [await ask(session, witness, lease.lane, chat_request("a")) for _ in range(2)]
        await lease.end()
    assert [status for status, _ in asked] == [200, 200]


async def test_a_key_is_not_handed_to_a_look_alike(witness, session):
    """A group outside the chain asks for the same model: whose key came, nobody can tell."""
    came = []

    async def provider(request):
        came.append(request.headers["authorization"])
        return web.Response(body=GOOD)

    async with serving(provider) as url:
        served = hop("a", Action.FORWARD, base_url=url, model="m")
        elsewhere = upstream("b", model="m", base_url="https://elsewhere.example/v1", local=False)
        same_place = upstream("c", model="m", base_url=url)
        statuses = []
        for others, canary in (([elsewhere], None), ([same_place], None), ([elsewhere], CANARY)):
            lease = await witness.lease(
                nonce=NONCE, hops=[served], others=others, ttl_s=TTL_S, canary=canary
            )
            status, _ = await ask(session, witness, lease.lane, chat_request("m"))
            statuses.append(status)
            await lease.end()
    assert statuses == [400, 200, 200]
    assert len(came) == 2


async def test_a_key_from_another_peer_than_the_canary_goes_nowhere(witness, session):
    """The canary proved a way for the gateway's address, and for no other."""
    came = []

    async def provider(request):
        came.append(request.headers["authorization"])
        return web.Response(body=GOOD)

    async with serving(provider) as url:
        served = hop("a", Action.FORWARD, base_url=url, model="m")
        statuses = []
        for peers in ({"127.0.0.1"}, {"192.0.2.7"}, None):
            lease = await witness.lease(
                nonce=NONCE,
                hops=[served],
                ttl_s=TTL_S,
                peers=peers and frozenset(peers),
            )
            status, _ = await ask(session, witness, lease.lane, chat_request("m"))
            statuses.append(status)
            records = await lease.end()
            if peers == {"192.0.2.7"}:
                assert "the canary from 192.0.2.7" in records[0].upstream_message
    assert statuses == [200, 400, 200]
    assert len(came) == 2


async def test_a_stray_of_a_twin_counts_for_the_lease_that_has_its_address(witness, session):
    """Every deployment of a twin has an address, so it is known whose request lost its nonce."""

    def addressed(name, address):
        return LeasedHop(name, (upstream(name, address=address),), Action.STAND_IN)

    mine = await witness.lease(nonce=NONCE, hops=[addressed("a", "0")], ttl_s=TTL_S, on_lane=False)
    other = await witness.lease(
        nonce="0badcafe", hops=[addressed("b", "1")], ttl_s=TTL_S, on_lane=False
    )
    body = chat_request("a", nonce="********")
    async with session.post(f"{witness.url}/twin/0/chat/completions", json=body) as reply:
        assert reply.status == 400
    assert (mine.strays, other.strays) == (1, 0)


@pytest.mark.parametrize(
    ("headers", "owner"),
    [
        ({"authorization": f"Bearer {CANARY}", "x-api-key": "corporate-key"}, KeyOwner.MIXED),
        ({"authorization": f"Bearer {CANARY}", "x-api-key": CANARY}, KeyOwner.CANARY),
        ({"authorization": "Bearer sk-other", "x-api-key": "corporate-key"}, KeyOwner.OTHER),
    ],
)
async def test_a_deployments_own_header_beside_the_canary_is_told_apart(witness, headers, owner):
    """A corporate gateway's key in extra_headers does not make the request's own key another."""
    async with aiohttp.ClientSession() as session:
        lease = await witness.lease(
            nonce=NONCE, hops=[hop("a", dialect="openai")], ttl_s=TTL_S, canary=CANARY
        )
        url = f"{witness.lane_url(lease.lane)}/chat/completions"
        async with session.post(url, json=chat_request("a"), headers=headers) as reply:
            await reply.read()
        (record,) = await lease.end()
    assert record.key_owner is owner


async def test_a_key_that_the_hop_repeats_is_not_kept(witness):
    """Providers quote the bad key in their error text; the caller gets it, the record does not."""

    async def provider(request):
        said = f"invalid key {request.headers['authorization']}"
        return web.json_response({"error": {"message": said}}, status=401)

    async with serving(provider) as url, aiohttp.ClientSession() as session:
        lease = await witness.lease(
            nonce=NONCE, hops=[hop("a", Action.FORWARD, base_url=url)], ttl_s=TTL_S
        )
        async with session.post(
            f"{witness.lane_url(lease.lane)}/chat/completions",
            json=chat_request("a"),
            headers={"authorization": "Bearer sk-the-real-one"},
        ) as reply:
            assert "sk-the-real-one" in await reply.text()
        (record,) = await lease.end()
    assert "sk-the-real-one" not in repr(record)
    assert record.upstream_message == "invalid key ***"


async def test_a_lane_that_is_held_outlives_its_leases(witness, session):
    """What puts a lane right after a fault must find the lane still its own."""
    async with witness.lane() as lane:
        for nonce in (NONCE, "0badcafe"):
            lease = await witness.lease(nonce=nonce, hops=[hop("a")], ttl_s=TTL_S, lane=lane)
            status, _ = await ask(session, witness, lane, chat_request("a", nonce=nonce))
            await lease.end()
            assert (lease.lane, status) == (lane, 200)
        free = [await witness.lease(nonce=f"0000000{n}", hops=[], ttl_s=TTL_S) for n in range(3)]
        assert lane not in {lease.lane for lease in free}
    assert (await witness.lease(nonce="fffffff0", hops=[], ttl_s=TTL_S)).lane == lane
