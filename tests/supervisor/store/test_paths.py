"""The ledger of paths, on both databases."""

from datetime import timedelta

from chaos.judge.check import Kind
from supervisor.coverage.ledger import PathState
from supervisor.store.store import Store
from tests.fakes.ledgers import entry, path, wish
from tests.fakes.manual_clock import NOON, ManualClock

CLAUDE, GPT = path("claude"), path("gpt", stream=True)


async def test_the_ledger_is_what_is_rehearsed(store: Store):
    """Every path comes back as it was written, with what the settings ask of it."""
    wanted = {CLAUDE: wish(), GPT: wish(3600.0, critical=True, faults=9, fingerprint="g")}
    assert await store.sync(wanted) == 2
    ledger = await store.ledger()
    assert list(ledger) == [CLAUDE, GPT]
    gpt = ledger[GPT]
    assert (gpt.target_s, gpt.critical, gpt.faults, gpt.fingerprint) == (3600.0, True, 9, "g")
    assert (gpt.state, gpt.due_at) == (PathState.NEVER_PROVEN, NOON)
    assert await store.sync(wanted) == 0


async def test_a_path_that_vanishes_is_retired_and_comes_back_with_its_history(
    store: Store, clock: ManualClock
):
    """Nothing is deleted, and it is due when it is back."""
    await store.sync({CLAUDE: wish(), GPT: wish()})
    await store.add_drill(entry(which=GPT))
    clock.advance(60)
    await store.sync({CLAUDE: wish()})
    assert list(await store.ledger()) == [CLAUDE]
    clock.advance(60)
    assert await store.sync({CLAUDE: wish(), GPT: wish()}) == 1
    back = (await store.ledger())[GPT]
    assert (back.state, back.passed_at) == (PathState.PROVEN, NOON)
    assert back.due_at == NOON + timedelta(seconds=120)


async def test_a_changed_chain_makes_its_paths_due_and_no_others(store: Store, clock: ManualClock):
    """Their states stay until they are drilled."""
    await store.sync({CLAUDE: wish(), GPT: wish()})
    for one in (CLAUDE, GPT):
        await store.add_drill(entry(f"d-{one.group}", one))
    clock.advance(60)
    assert await store.sync({CLAUDE: wish(fingerprint="new"), GPT: wish()}) == 1
    turn = await store.due()
    assert turn is not None
    assert turn.record.path == CLAUDE
    assert turn.record.state is PathState.PROVEN


async def test_faults_that_no_longer_apply_are_forgotten(store: Store):
    """A failure with a fault that nobody plays any more cannot stand for ever."""
    await store.sync({CLAUDE: wish()})
    await store.add_drill(
        entry("d1", CLAUDE, fault="hang", kind=Kind.HOP_FAILED, faults=("hang", "billing"))
    )
    await store.add_drill(entry("d2", CLAUDE, fault="billing", faults=("billing",)))
    assert list(await store.verdicts(CLAUDE)) == ["billing"]
    assert (await store.ledger())[CLAUDE].state is PathState.PROVEN


async def test_verdicts_come_back_as_they_were(store: Store):
    """With their drill, kind and time; those of another path are not among them."""
    await store.sync({CLAUDE: wish(), GPT: wish()})
    await store.add_drill(entry("d1", CLAUDE, kind=Kind.HOP_FAILED))
    verdict = (await store.verdicts(CLAUDE))["billing"]
    assert (verdict.drill, verdict.kind, verdict.at) == ("d1", "hop_failed", NOON)
    known = (await store.known()).paths()
    assert list(known) == [CLAUDE, GPT]
    assert known[CLAUDE][1]["billing"] == verdict
    assert known[CLAUDE][0] == (await store.ledger())[CLAUDE]
    assert "billing" not in known[GPT][1]


async def test_states_and_days_are_counted(store: Store, clock: ManualClock):
    """Of paths that are rehearsed, and of drills that ended today."""
    await store.sync({CLAUDE: wish(), GPT: wish()})
    await store.add_drill(entry("d1", CLAUDE))
    await store.add_drill(entry("d2", CLAUDE))
    counts = await store.counts()
    assert counts.states == {PathState.PROVEN: 1, PathState.NEVER_PROVEN: 1}
    assert counts.today == {"passed": 2}
    clock.advance(86_400)
    assert (await store.counts()).today == {}
