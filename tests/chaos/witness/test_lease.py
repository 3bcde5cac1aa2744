"""Which hop a request is for, and how an attempt becomes a record."""

import asyncio
import time

from chaos.protocol.dialect import RawCall
from chaos.witness.lease import MOST_KEPT_BYTES, MOST_RECORDS, Action, Lease, LeasedHop
from chaos.witness.script_player import KEPT_BYTES
from tests.fakes.upstreams import NONCE, chat_request, hop, upstream
from tests.patience import PATIENCE_S


def lease(*hops, others=()):
    """A lease on lane 0."""
    return Lease(NONCE, 0, hops, tuple(others), expires_at_s=time.monotonic() + PATIENCE_S)


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


async def test_a_lease_whose_end_is_cancelled_is_released_all_the_same():
    """Who stops a drill twice must not leave a lane taken and a call running."""
    aborted: list[str] = []
    released: list[Lease] = []
    made = Lease(NONCE, 0, (hop("a"),), (), time.monotonic() + 60, release=released.append)
    made.begin().abort = lambda: aborted.append("call")
    async with asyncio.TaskGroup() as tasks:
        ending = tasks.create_task(made.end(grace_s=60.0))
        await asyncio.sleep(0)
        ending.cancel()
    assert (aborted, released) == (["call"], [made])


async def test_attempts_without_a_record_end_with_the_lease_too():
    """Nothing outlives its lease, kept or not."""
    aborted = []
    made = lease(hop("a"))
    for number in range(MOST_RECORDS + 1):
        made.begin().abort = lambda number=number: aborted.append(number)
    await made.end(grace_s=0.0)
    assert len(aborted) == MOST_RECORDS + 1


def test_all_kept_replies_of_a_lease_together_have_a_bound():
    """A gateway that loops over long replies must not fill our memory."""
    made = lease(hop("a"))
    reply = b"x" * KEPT_BYTES
    for _ in range(MOST_KEPT_BYTES // KEPT_BYTES + 2):
        attempt = made.begin()
        attempt.played.note(reply)
        made.finish(attempt)
    assert sum(len(attempt.played.sent) for attempt in made.attempts) == MOST_KEPT_BYTES
    assert made.attempts[-1].played.sent_bytes == KEPT_BYTES


def test_a_request_is_passed_on_only_to_a_certain_address():
    """With a key, every upstream that it can be for has to be there, outside the chain too."""
    chain = hop("a", Action.FORWARD, model="m", base_url="http://one")
    near = upstream("b", model="m", base_url="http://one")
    far = upstream("c", model="m", base_url="http://two")

    def address(*hops, others=(), keyed=True):
        return lease(*hops, others=others).real_address(call("m"), None, keyed=keyed)

    assert address(chain) == "http://one"
    assert address(chain, others=[near]) == "http://one"
    assert address(chain, others=[far]) is None
    assert address(chain, others=[far], keyed=False) == "http://one"
    assert address(hop("a", model="m")) is None
