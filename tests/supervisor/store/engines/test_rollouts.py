"""The journal of rollouts outlives a restart."""

import pytest
from sqlalchemy import URL

from supervisor.store import upkeep
from supervisor.store.engines import rollouts as module
from supervisor.store.engines.rollouts import JournalRollout, JournalStep
from supervisor.store.errors import StoreError
from supervisor.store.records import Home
from supervisor.store.store import Store
from supervisor.store.upkeep import Limits
from tests.fakes.manual_clock import NOON, ManualClock
from tests.supervisor.store.conftest import HOME

NAME = "20260301-120000-vllm"
KEY = "sk-" + "1a" * 12


async def begin(store: Store, name: str = NAME, **changes) -> None:
    """Begin a rollout of the container vllm."""
    values = {"engine": "gemma", "container": "vllm", "state": "staging", "row": {}, **changes}
    await store.begin_rollout(name, **values)


async def names(store: Store, container: str | None = None) -> list[str]:
    """The rollouts that are read, in their order."""
    return [one.id for one in await store.rollouts(container)]


async def test_a_rollout_comes_back_whole(url: URL, clock: ManualClock):
    """With its steps in their order, and when each was written."""
    async with Store.opened(url, HOME, clock) as first:
        await begin(first, row={"image": "new", "memory_gib": 90.5})
        clock.advance(1)
        await first.note_rollout_step(NAME, "pin", "begun", {"image": "new"})
        clock.advance(1)
        await first.note_rollout_step(NAME, "pin", "done", {})
    async with Store.opened(url, HOME, clock) as second:
        assert await second.rollouts() == (
            JournalRollout(
                id=NAME,
                engine="gemma",
                container="vllm",
                state="staging",
                begun_at=NOON,
                changed_at=NOON.replace(second=2),
                row={"image": "new", "memory_gib": 90.5},
                steps=(
                    JournalStep("pin", "begun", NOON.replace(second=1), {"image": "new"}),
                    JournalStep("pin", "done", NOON.replace(second=2), {}),
                ),
            ),
        )


async def test_an_empty_journal_has_none(store: Store):
    """Nothing was ever exchanged."""
    assert await store.rollouts() == ()


async def test_what_becomes_known_is_laid_over_what_is(store: Store, clock: ManualClock):
    """The state is the last one, and when it began does not change."""
    await begin(store, row={"image": "new", "old_id": None})
    clock.advance(5)
    await store.change_rollout(NAME, state="staged", row={"old_id": "c0ffee"})
    (found,) = await store.rollouts()
    assert (found.state, found.row) == ("staged", {"image": "new", "old_id": "c0ffee"})
    assert (found.begun_at, found.changed_at) == (NOON, NOON.replace(second=5))


async def test_a_change_is_of_one_rollout_alone(store: Store):
    """The others stay as they are."""
    await begin(store)
    await begin(store, "20260301-130000-vllm")
    await store.change_rollout(NAME, state="replaced", row={"by": "other"})
    newer, older = await store.rollouts()
    assert (newer.state, newer.row) == ("staging", {})
    assert (older.state, older.row) == ("replaced", {"by": "other"})


async def test_the_newest_comes_first_and_each_has_its_own_steps(store: Store):
    """In the order in which they began, whatever they are called."""
    for name in ("b", "c", "a"):
        await begin(store, name)
    await store.note_rollout_step("b", "of b", "begun", {})
    await store.note_rollout_step("a", "of a", "begun", {})
    found = await store.rollouts()
    assert [one.id for one in found] == ["a", "c", "b"]
    assert [[step.step for step in one.steps] for one in found] == [["of a"], [], ["of b"]]


async def test_those_of_one_container_can_be_read_alone(store: Store):
    """One machine may have several engines."""
    await begin(store, "one")
    await begin(store, "other", container="qwen")
    assert await names(store, "vllm") == ["one"]
    assert await names(store, "qwen") == ["other"]
    assert await names(store, "none") == []


async def test_only_the_newest_are_read(store: Store, monkeypatch):
    """The rest is kept and not shown."""
    monkeypatch.setattr(module, "MOST_READ", 2)
    for name in ("1", "2", "3"):
        await begin(store, name)
    assert await names(store) == ["3", "2"]


async def test_another_daemons_rollouts_are_not_ours(url: URL, clock: ManualClock, store: Store):
    """Two boxes may both have a container called vllm."""
    await begin(store)
    async with Store.opened(url, Home("spark-2", HOME.gateway), clock) as other:
        assert await names(other) == []
        await begin(other, "20260301-120000-theirs")
        assert await names(other, "vllm") == ["20260301-120000-theirs"]
    assert await names(store) == [NAME]


async def test_one_name_is_given_once(store: Store):
    """The second is refused, and the first stays."""
    await begin(store, row={"image": "new"})
    with pytest.raises(StoreError):
        await begin(store, row={"image": "other"})
    (found,) = await store.rollouts()
    assert found.row == {"image": "new"}


async def test_a_step_of_a_rollout_that_is_not_there_is_an_error(store: Store):
    """It must not be taken for written."""
    await begin(store)
    with pytest.raises(StoreError, match="the journal has no rollout none") as raised:
        await store.note_rollout_step("none", "pin", "begun", {})
    assert "understudy rollout status" in raised.value.remedy
    (found,) = await store.rollouts()
    assert found.steps == ()


async def test_the_newest_of_each_daemon_are_kept(
    url: URL, clock: ManualClock, store: Store, monkeypatch
):
    """The older ones go with their steps, and how many went is told."""
    monkeypatch.setattr(upkeep, "KEEP_ROLLOUTS", 2)
    async with Store.opened(url, Home("spark-2", HOME.gateway), clock) as other:
        await begin(other, "theirs")
        for name in ("1", "2", "3", "4"):
            await begin(store, name)
            await store.note_rollout_step(name, "pin", "begun", {})
        assert await store.retention(Limits()) == 2
        assert await names(store) == ["4", "3"]
        assert [len(one.steps) for one in await store.rollouts()] == [1, 1]
        assert await names(other) == ["theirs"]
        assert await store.retention(Limits()) == 0
        with pytest.raises(StoreError):
            await store.note_rollout_step("1", "pin", "done", {})


async def test_what_looks_like_a_secret_is_not_kept(store: Store):
    """Neither in what a rollout is about, nor in a change of it, nor in a step."""
    await begin(store, row={"said": f"docker: {KEY} is wrong", "api_key": "plain"})
    await store.change_rollout(NAME, state="staged", row={"command": ["--api-key", KEY]})
    await store.note_rollout_step(NAME, "pin", "failed", {"why": KEY, "password": "plain"})
    (found,) = await store.rollouts()
    assert KEY not in str(found)
    assert "plain" not in str(found)
    assert found.row["said"].startswith("docker: ")
    assert found.row["said"].endswith(" is wrong")


async def test_the_newest_of_each_container_is_what_a_snapshot_shows(
    store: Store, clock: ManualClock
):
    """Without steps, which may be many."""
    await begin(store, "1")
    clock.advance(1)
    await begin(store, "2", container="other")
    await begin(store, "3", state="staged")
    await store.note_rollout_step("3", "pin", "begun", {})
    found = await store.newest_rollouts()
    assert [(one.id, one.container, one.state, one.steps) for one in found] == [
        ("3", "vllm", "staged", ()),
        ("2", "other", "staging", ()),
    ]
