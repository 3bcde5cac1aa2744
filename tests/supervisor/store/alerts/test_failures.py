"""Failures that stand are listed with the drill that saw the newest, on both databases."""

from datetime import timedelta

from chaos.judge.check import Kind
from chaos.judge.verdict import Outcome
from supervisor.store.store import Store
from tests.fakes.ledgers import entry, path, wish
from tests.fakes.manual_clock import NOON, ManualClock

CHAT, TOOLS = path(), path(shape="tool_call")
OTHER = path("gpt")


async def failed(store: Store, name: str, which=CHAT, *, after_s: float = 0, **changes) -> None:
    """Write a drill that failed."""
    at = NOON + timedelta(seconds=after_s)
    kind = changes.pop("kind", Kind.HOP_FAILED)
    await store.add_drill(entry(name, which, at=at, outcome=Outcome.FAILED, kind=kind, **changes))


async def known(store: Store) -> list[tuple[str, str | None, int, bool]]:
    """What stands: shape, drill, how often it failed, and whether its row was read."""
    return [
        (
            f"{one.path.group} {one.path.shape}",
            one.verdict.drill,
            one.verdict.fails,
            one.row is not None,
        )
        for one in await store.failures()
    ]


async def test_the_newest_of_each_hop_comes_with_its_row(store: Store):
    """An alert shows what that drill has found; the others are only counted."""
    await store.sync({one: wish() for one in (CHAT, TOOLS, OTHER)})
    await failed(store, "d1", CHAT, after_s=1)
    await failed(store, "d2", TOOLS, after_s=2)
    await failed(store, "d3", OTHER, after_s=3)
    assert await known(store) == [
        ("gpt chat", "d3", 1, True),
        ("claude tool_call", "d2", 1, True),
        ("claude chat", "d1", 1, False),
    ]


async def test_failures_in_a_row_are_counted_and_a_pass_ends_them(store: Store):
    """By fault; another fault's pass ends nothing."""
    await store.sync({CHAT: wish()})
    await failed(store, "d1", after_s=1)
    await failed(store, "d2", after_s=2)
    assert await known(store) == [("claude chat", "d2", 2, True)]
    await store.add_drill(entry("d3", CHAT, at=NOON + timedelta(seconds=3), fault="rate_limit"))
    assert len(await known(store)) == 1
    await store.add_drill(entry("d4", CHAT, at=NOON + timedelta(seconds=4)))
    assert await known(store) == []


async def test_what_is_explained_does_not_stand(store: Store, clock: ManualClock):
    """A known gap never, an accepted failure until its day is over, a wrong story never."""
    await store.sync({one: wish() for one in (CHAT, TOOLS, OTHER)})
    await failed(store, "d1", CHAT, known_gap="corpus")
    until = NOON + timedelta(days=1)
    await failed(store, "d2", TOOLS, known_gap="ours", accepted_until=until)
    await failed(store, "d3", OTHER, kind=Kind.MISREPORTED)
    assert await known(store) == []
    clock.advance(86_400)
    assert [drill for _, drill, _, _ in await known(store)] == ["d2"]


async def test_a_path_that_is_rehearsed_no_more_is_not_listed(store: Store):
    """Its history stays, and wakes nobody."""
    await store.sync({CHAT: wish(), TOOLS: wish()})
    await failed(store, "d1", CHAT)
    await store.sync({TOOLS: wish()})
    assert await known(store) == []
