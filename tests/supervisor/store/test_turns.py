"""Whose turn it is, on both databases."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import URL

from chaos.judge.check import Kind
from chaos.judge.verdict import Outcome
from supervisor.coverage.ledger import PathState
from supervisor.store.records import Home
from supervisor.store.store import Store
from tests.fakes.alerts import alert_change, alert_state
from tests.fakes.ledgers import DAY_S, entry, path, wish
from tests.fakes.manual_clock import NOON, ManualClock
from tests.supervisor.store.conftest import HOME

TOMORROW = NOON + timedelta(days=1)
CLAUDE, GPT, GEMINI = path("claude"), path("gpt"), path("gemini")


@asynccontextmanager
async def another(
    url: URL, clock: ManualClock, name: str, gateway=HOME.gateway
) -> AsyncIterator[Store]:
    """Open the store as another daemon does."""
    async with Store.opened(url, Home(name, gateway), clock) as opened:
        yield opened


async def test_what_is_due_longest_by_its_weight_comes_first(store: Store, clock: ManualClock):
    """A critical path comes before one that is due as long; nothing comes before it is due."""
    await store.sync({CLAUDE: wish(), GPT: wish(critical=True)})
    clock.advance(60)
    turn = await store.due()
    assert turn is not None
    assert turn.record.path == GPT
    for one in (GPT, CLAUDE):
        await store.add_drill(entry(f"d-{one.group}", one, at=clock.now()))
    assert await store.due() is None
    due_at = await store.next_due()
    assert due_at is not None
    assert due_at > clock.now()


async def test_equal_risks_are_no_chance(store: Store, clock: ManualClock):
    """The same ledger at the same time gives the same path."""
    await store.sync({one: wish() for one in (CLAUDE, GPT, GEMINI)})
    clock.advance(1)
    chosen = {(await store.due()).record.path for _ in range(3)}  # type: ignore[union-attr]
    assert len(chosen) == 1


async def test_every_rate_of_risk_is_looked_at(store: Store, clock: ManualClock):
    """A path that is due shortly and weighs much comes before one that is due long and weighs
    little, and the other way round once that has waited long enough.
    """
    await store.sync({CLAUDE: wish(10 * DAY_S)})
    clock.advance(3600)
    await store.sync({CLAUDE: wish(10 * DAY_S), GPT: wish(3600.0)})
    clock.advance(60)
    assert (await store.due()).record.path == GPT  # type: ignore[union-attr]
    await store.sync({CLAUDE: wish(10 * DAY_S), GPT: wish(3600.0), GEMINI: wish(60.0)})
    clock.advance(1)
    # An hour over ten days is 0.004, a minute over an hour 0.017, a second over a minute 0.0167.
    assert (await store.due()).record.path == GPT  # type: ignore[union-attr]
    clock.advance(5)
    assert (await store.due()).record.path == GEMINI  # type: ignore[union-attr]


async def test_a_claimed_path_is_nobody_elses(store: Store, url: URL, clock: ManualClock):
    """Until its claim ends: by the drill, or by itself when the daemon has died."""
    await store.sync({CLAUDE: wish()})
    clock.advance(1)
    async with another(url, clock, "spark-2") as other:
        claimed = await store.claim(60)
        assert claimed is not None
        assert await other.claim(60) is None
        assert not await other.renew(CLAUDE, clock.now() + timedelta(minutes=9))
        await other.let_go(CLAUDE)
        assert await other.claim(60) is None
        assert await store.renew(CLAUDE, clock.now() + timedelta(minutes=2))
        clock.advance(61)
        assert await other.claim(60) is None
        clock.advance(60)
        taken = await other.claim(60)
        assert taken is not None
        assert taken.record.path == CLAUDE
        assert not await store.renew(CLAUDE, clock.now() + timedelta(minutes=9))


async def test_a_drill_ends_its_claim(store: Store, url: URL, clock: ManualClock):
    """And a path that was let go is anybody's."""
    await store.sync({CLAUDE: wish()})
    clock.advance(1)
    async with another(url, clock, "spark-2") as other:
        await store.claim(60)
        await store.add_drill(entry(which=CLAUDE, at=clock.now()))
        clock.advance(DAY_S)
        assert await other.claim(60) is not None
        await other.let_go(CLAUDE, clock.now() + timedelta(hours=1))
        assert await store.claim(60) is None
        clock.advance(3600)
        assert await store.claim(60) is not None


async def test_gateways_have_paths_of_their_own(store: Store, url: URL, clock: ManualClock):
    """Two daemons of two gateways share a store, and nothing else."""
    async with another(url, clock, "spark-2", "http://elsewhere") as other:
        await store.sync({CLAUDE: wish()})
        clock.advance(1)
        assert await other.due() is None
        assert await other.ledger() == {}
        await other.sync({CLAUDE: wish(), GPT: wish()})
        assert len(await store.ledger()) == 1
        assert await store.gateways() == ("http://elsewhere", HOME.gateway)


async def test_many_daemons_never_take_one_path_twice(url: URL, clock: ManualClock):
    """Each of forty paths is claimed once, whoever is faster."""
    paths = [path(f"group-{n:02}") for n in range(40)]
    async with AsyncExitStack() as stack:
        stores = [
            await stack.enter_async_context(another(url, clock, f"spark-{n}")) for n in range(3)
        ]
        await stores[0].sync({one: wish() for one in paths})
        clock.advance(1)
        taken = []
        for _ in range(len(paths)):
            for store in stores:
                turn = await store.claim(600)
                if turn is not None:
                    taken.append(turn.record.path)
                    await store.add_drill(entry(f"d{len(taken)}", turn.record.path, at=clock.now()))
        assert sorted(map(str, taken)) == sorted(map(str, paths))


async def test_time_changes_states_and_says_since_when(store: Store, clock: ManualClock):
    """Late and stale, each with the moment at which it became true; once."""
    await store.sync({CLAUDE: wish()})
    await store.add_drill(entry(which=CLAUDE, at=NOON))
    assert await store.turn() == []
    clock.advance(5 * DAY_S)
    late, stale = await store.turn()
    assert (late.was, late.state, late.at) == (
        PathState.PROVEN,
        PathState.LATE,
        NOON + timedelta(seconds=DAY_S),
    )
    assert (stale.was, stale.state, stale.at) == (
        PathState.LATE,
        PathState.STALE,
        NOON + timedelta(seconds=2 * DAY_S),
    )
    assert late.noticed_at == clock.now()
    assert await store.turn() == []
    assert [change.state for change in await store.changes()] == [
        PathState.STALE,
        PathState.LATE,
        PathState.PROVEN,
    ]


async def test_an_acceptance_that_ends_turns_into_a_failure(store: Store, clock: ManualClock):
    """Without another drill."""
    await store.sync({CLAUDE: wish()})
    failed = entry(which=CLAUDE, kind=Kind.HOP_FAILED, known_gap="accepted until then")
    await store.add_drill(replace(failed, accepted_until=NOON + timedelta(hours=5)))
    assert {r.state for r in (await store.ledger()).values()} == {PathState.ACCEPTED}
    clock.advance(6 * 3600)
    (change,) = await store.turn()
    assert (change.state, change.at) == (PathState.FAILED, NOON + timedelta(hours=5))


async def test_a_retired_path_is_neither_due_nor_turned(store: Store, clock: ManualClock):
    """It is no longer the gateway's."""
    await store.sync({CLAUDE: wish()})
    await store.add_drill(entry(which=CLAUDE, at=NOON))
    await store.sync({})
    clock.advance(9 * DAY_S)
    assert await store.due() is None
    assert await store.turn() == []
    assert await store.next_due() is None


@pytest.mark.parametrize("outcome", [Outcome.ABORTED, Outcome.INCONCLUSIVE])
async def test_what_proved_nothing_is_due_again_soon(
    store: Store, clock: ManualClock, outcome: Outcome
):
    """And its path's state is what it was."""
    await store.sync({CLAUDE: wish()})
    made = entry(which=CLAUDE, at=NOON)
    await store.add_drill(replace(made, row=made.row.model_copy(update={"outcome": outcome})))
    clock.advance(61)
    turn = await store.due()
    assert turn is not None
    assert turn.record.state is PathState.NEVER_PROVEN


async def test_a_pass_of_tomorrow_is_one_of_now(store: Store, clock: ManualClock):
    """The path is due, late and stale as long after now as after any pass; so is each fault."""
    await store.sync({CLAUDE: wish()})
    clock.advance(DAY_S)
    await store.add_drill(entry("d1", CLAUDE, at=TOMORROW))
    clock.advance(-DAY_S)
    await store.bring_back()
    await store.sync({CLAUDE: wish()})
    record = (await store.ledger())[CLAUDE]
    assert (record.state, record.passed_at) == (PathState.PROVEN, NOON)
    assert record.late_at == NOON + timedelta(seconds=DAY_S)
    assert NOON < record.due_at < record.late_at
    verdicts = await store.verdicts(CLAUDE)
    assert (verdicts["billing"].tried_at, verdicts["billing"].at) == (NOON, NOON)


async def test_what_happened_before_the_clock_was_set_back_stays(store: Store, clock: ManualClock):
    """Only what lies ahead was dated by the wrong clock."""
    await store.sync({CLAUDE: wish()})
    await store.add_drill(entry("d1", CLAUDE, at=NOON))
    clock.advance(60)
    before = (await store.ledger(), await store.verdicts(CLAUDE))
    await store.bring_back()
    assert (await store.ledger(), await store.verdicts(CLAUDE)) == before


async def test_an_alert_of_tomorrow_is_told_today(store: Store, clock: ManualClock):
    """What waits for its receiver is due at once, and reminders count from now."""
    tomorrow = {"starts_at": TOMORROW, "pending_since": TOMORROW, "fired_at": TOMORROW}
    await store.write_alerts(
        [alert_state(told_at=TOMORROW, **tomorrow)], [(alert_change(at=TOMORROW), ("ops",))]
    )
    one = await store.next_delivery("ops")
    assert one is not None
    await store.postpone(one, result="serverError", detail="", due_at=TOMORROW)
    assert await store.next_delivery("ops") is None
    await store.bring_back()
    one = await store.next_delivery("ops")
    assert one is not None
    assert one.change.at == NOON
    (state,) = await store.alerts()
    assert (state.told_at, state.pending_since, state.starts_at) == (NOON, NOON, NOON)


async def test_a_restart_leaves_a_receiver_alone_that_has_asked_for_it(store: Store):
    """For the hour that it may ask for; what waits for longer was dated by a wrong clock."""
    changes = [alert_change(f"d{number}", at=NOON) for number in (1, 2)]
    await store.write_alerts([], [(changes[0], ("ops",)), (changes[1], ("phone",))])
    for name, due_at in (("ops", NOON + timedelta(minutes=50)), ("phone", TOMORROW)):
        one = await store.next_delivery(name)
        assert one is not None
        await store.postpone(one, result="rateLimited", detail="", due_at=due_at)
    await store.bring_back(pauses=False)
    assert await store.next_delivery("ops") is None
    assert await store.next_delivery("phone") is not None
    await store.bring_back()
    assert await store.next_delivery("ops") is not None


async def test_a_heartbeat_of_tomorrow_is_missed_today(store: Store, clock: ManualClock):
    """A client that died since is not taken for alive."""
    await store.expect(("nightly",))
    clock.advance(DAY_S)
    await store.beat("nightly")
    clock.advance(-DAY_S)
    await store.bring_back()
    assert (await store.beats())["nightly"].last_at == NOON
