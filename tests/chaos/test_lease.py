"""Which hop a request is for, and how an attempt becomes a record."""

import asyncio
import gzip
import time

from chaos.dialect import RawCall
from chaos.lease import MOST_RECORDS, Action, Lease, LeasedHop
from chaos.wire import AttemptOutcome
from tests.fakes.upstreams import NONCE, as_bytes, chat_request, hop, upstream


def lease(*hops, others=()):
    """A lease on lane 0."""
    return Lease(NONCE, 0, hops, tuple(others), expires_at_s=time.monotonic() + 5)


def call(model, path="/chat/completions"):
    """A request for *model*."""
    return RawCall("POST", path, {}, chat_request(model))


def test_a_hop_is_known_by_dialect_and_model():
    """On a lane there is nothing else to go by."""
    made = lease(hop("a"), hop("b"))
    found, upstreams, _ = made.match(call("b"), None)
    assert (found.group, [u.group for u in upstreams]) == ("b", ["b"])
    assert made.match(call("zzz"), None) == (None, (), None)
    assert made.match(call("b", "/nowhere"), None) == (None, (), None)


def test_a_hop_of_the_chain_is_meant_before_any_other_group():
    """A group outside the chain that looks like a hop of it was not asked for."""
    made = lease(hop("a"), others=[upstream("elsewhere", model="a")])
    assert made.match(call("a"), None)[0].group == "a"


def test_among_look_alikes_the_first_with_attempts_left_is_meant():
    """Hops that all have to fail are walked in order."""
    one = LeasedHop("one", (upstream("one", model="m"),), Action.FAULT, attempts_allowed=1)
    two = LeasedHop("two", (upstream("two", model="m"),), Action.FAULT, attempts_allowed=1)
    made = lease(one, two)
    assert made.match(call("m"), None)[0].group == "one"
    made.place(made.begin(), "one")
    assert made.match(call("m"), None)[0].group == "two"


def test_a_twin_knows_a_hop_by_its_address():
    """Every deployment has one of its own, whatever the model is called."""
    one = LeasedHop("one", (upstream("one", model="m", address="t/0"),), Action.STAND_IN)
    two = LeasedHop("two", (upstream("two", model="m", address="t/1"),), Action.STAND_IN)
    assert lease(one, two).match(call("m"), "t/1")[0].group == "two"
    assert lease(one, two).match(call("m"), "t/9") == (None, (), None)


def attempt_with(body, **changes):
    """An attempt that was answered with *body*."""
    made = lease(hop("a"))
    attempt = made.begin()
    attempt.group, attempt.outcome = "a", AttemptOutcome.SERVED
    attempt.call = made.match(call("a"), None)[2]
    attempt.body = chat_request("a")
    attempt.played.status = 200
    attempt.played.note(body)
    for name, value in changes.items():
        setattr(attempt, name, value)
    return attempt


GOOD = as_bytes(
    {
        "id": "x",
        "model": "a",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}
        ],
    }
)


def test_a_record_holds_the_request_and_the_reply_read():
    """Checks compare what the hop was asked with what the client asked."""
    record = attempt_with(GOOD).record()
    assert record.reply.text == "hi"
    assert NONCE in record.asked.text
    assert record.operation == "chat_completions"


def test_a_compressed_reply_is_read():
    """Upstreams compress, and the copy for the record comes before anybody unpacks it."""
    assert attempt_with(gzip.compress(GOOD), encoding="gzip").record().reply.text == "hi"
    assert attempt_with(b"\x1f\x8bbroken", encoding="gzip").record().reply is None
    assert attempt_with(b"?", encoding="br").record().reply is None


def test_attempts_beyond_the_bound_are_counted_not_kept():
    """A gateway that loops must not fill our memory."""
    made = lease(hop("a"))
    for _ in range(MOST_RECORDS + 2):
        made.finish(made.begin())
    assert (len(made.attempts), made.unrecorded, made.in_flight) == (MOST_RECORDS, 2, 0)


async def test_ending_waits_for_attempts_that_still_answer():
    """The record of the serving hop is not lost to a race with the client's reply."""
    made = lease(hop("a"))
    attempt = made.begin()

    async def answer():
        await made.over.wait()
        attempt.played.status = 200
        made.finish(attempt)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(answer())
        (record,) = await made.end()
    assert record.status == 200


async def test_what_was_recorded_at_the_end_stays():
    """The drill and those who clean up after it see the same records, read once."""
    made = lease(hop("a"))
    made.finish(made.begin())
    ended = await made.end()
    assert made.records() is ended
    assert await made.end() == ended


def test_attempts_without_a_record_are_counted():
    """A gateway that loops does not become a gateway that has attempts left."""
    made = lease(hop("a"))
    for _ in range(MOST_RECORDS + 1):
        made.place(made.begin(), "a")
    assert (len(made.attempts), made.attempts_at("a")) == (MOST_RECORDS, MOST_RECORDS + 1)
