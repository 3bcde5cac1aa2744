"""Each step is in the journal before it is taken."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chaos.errors import SetupError
from supervisor.rollout.journal import Journal
from supervisor.store.engines.rollouts import JournalRollout, RolloutState
from supervisor.store.errors import StoreError
from supervisor.store.location import parse_url
from supervisor.store.records import Home
from supervisor.store.store import Store
from tests.fakes.manual_clock import NOON, ManualClock

NAME = "20260301-120000-vllm"


@pytest.fixture
def clock() -> ManualClock:
    """Noon."""
    return ManualClock()


@pytest.fixture
async def store(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Store]:
    """An empty store in a file."""
    home = Home("spark-1", "http://gateway:4000")
    async with Store.opened(parse_url(str(tmp_path / "understudy.db")), home, clock) as opened:
        yield opened


@pytest.fixture
async def journal(store: Store) -> Journal:
    """A rollout that has begun."""
    journal = Journal(store, NAME)
    await journal.begin(engine="gemma", container="vllm", row={"image": "new"})
    return journal


async def only(store: Store) -> JournalRollout:
    """The one rollout."""
    (found,) = await store.rollouts()
    return found


def steps(found: JournalRollout) -> list[tuple[str, str]]:
    """What was written of each step."""
    return [(one.step, one.state) for one in found.steps]


async def test_a_rollout_begins_with_what_it_is_about(store, journal):
    """Nothing that serves is touched yet."""
    found = await only(store)
    assert (found.id, found.engine, found.container) == (NAME, "gemma", "vllm")
    assert (found.state, found.row, found.steps) == (RolloutState.STAGING, {"image": "new"}, ())
    assert journal.name == NAME


async def test_a_step_is_in_the_store_before_it_runs(store, journal):
    """Who dies in the middle of it has told what was being done."""
    async with journal.step("create", image="new"):
        before = await only(store)
    assert steps(before) == [("create", "begun")]
    assert before.steps[0].detail == {"image": "new"}


async def test_a_step_that_ends_tells_what_came_of_it(store, clock, journal):
    """When, and what it was told."""
    async with journal.step("create") as told:
        clock.advance(7)
        told["id"] = "c0ffee"
    begun, done = (await only(store)).steps
    assert (done.step, done.state, done.detail) == ("create", "done", {"id": "c0ffee"})
    assert (begun.at, (done.at - begun.at).total_seconds()) == (NOON, 7.0)


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (SetupError("there is no Docker to ask", remedy="Start it."), "there is no Docker to ask"),
        (ZeroDivisionError("secret words"), "ZeroDivisionError"),
        (asyncio.CancelledError(), "CancelledError"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
    ],
    ids=["one of ours", "another", "cancelled", "interrupted"],
)
async def test_a_step_that_fails_is_written_as_failed_and_the_error_goes_on(
    store, journal, error, why
):
    """With why, in words that are ours, and with what was told before."""
    with pytest.raises(type(error)) as raised:  # noqa: PT012 -- the block is the step
        async with journal.step("create") as told:
            told["id"] = "c0ffee"
            raise error
    assert raised.value is error
    found = await only(store)
    assert steps(found) == [("create", "begun"), ("create", "failed")]
    assert found.steps[1].detail == {"id": "c0ffee", "why": why}


async def test_a_step_that_cannot_be_written_is_not_taken(store):
    """Its rollout is not in the journal."""
    taken = []
    with pytest.raises(StoreError, match="no rollout"):
        async with Journal(store, "20260301-none").step("create"):
            taken.append("create")
    assert taken == []


@pytest.mark.parametrize("state", list(RolloutState))
async def test_what_it_is_now_is_written_with_what_became_known(store, journal, state):
    """What was known before stays."""
    await journal.become(state, old_id="c0ffee")
    found = await only(store)
    assert (found.state, found.row) == (state, {"image": "new", "old_id": "c0ffee"})


async def test_a_step_changes_no_state(store, journal):
    """Only what is said so does."""
    await journal.become(RolloutState.STAGED)
    async with journal.step("look"):
        pass
    assert (await only(store)).state == RolloutState.STAGED
