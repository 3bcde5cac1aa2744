"""A halt is for all drilling, whoever drills."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from chaos.drill.drill import always
from chaos.errors import UsageError
from chaos.judge.check import Kind
from supervisor.campaign.halts import halts_of, refuse_when_halted, unless_halted
from supervisor.settings.model import Settings
from supervisor.store.halt_file import halt_file, write_halt
from supervisor.store.location import store_url
from supervisor.store.records import Halt, Home
from supervisor.store.store import Store
from tests.fakes.drilling import GATEWAY, scenario
from tests.fakes.manual_clock import NOON, ManualClock
from tests.fakes.plans import plan_for

BEGUN = Halt("a new driver", NOON, NOON + timedelta(hours=2))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A store that is not there yet."""
    store = {"url": f"sqlite:///{tmp_path}/understudy.db"}
    return Settings.model_validate({"store": store, "daemon": {"name": "spark-1"}})


async def begin(settings: Settings, clock: ManualClock, halt: Halt) -> None:
    """Halt, as the command does without a daemon."""
    async with Store.opened(store_url(settings.store), Home("", ""), clock) as store:
        await store.halt(halt)


async def holding(settings: Settings, clock: ManualClock) -> tuple[str | None, list[str]]:
    """The reason of the halt that holds, and what was said."""
    said: list[str] = []
    async with halts_of(settings, clock, said.append) as halted:
        found = await halted()
    return found.reason if found else None, said


async def test_without_a_store_nothing_is_halted_and_none_is_made(settings, tmp_path):
    """Most drills are sent where no daemon ever ran."""
    assert await holding(settings, ManualClock()) == (None, [])
    assert list(tmp_path.iterdir()) == []


async def test_a_halt_holds_until_it_is_over(settings):
    """As for the daemon."""
    clock = ManualClock()
    await begin(settings, clock, BEGUN)
    assert await holding(settings, clock) == ("a new driver", [])
    clock.advance(timedelta(hours=3).total_seconds())
    assert await holding(settings, clock) == (None, [])


@pytest.mark.parametrize(("daemon", "reason"), [("spark-1", "its own"), ("spark-2", None)])
async def test_the_halt_of_one_daemon_holds_for_drills_by_its_configuration(
    settings, daemon, reason
):
    """Another daemon of the store drills on."""
    await begin(settings, clock := ManualClock(), Halt("its own", NOON, None, daemon))
    assert await holding(settings, clock) == (reason, [])


async def test_the_file_holds_without_a_store(settings):
    """``touch halt`` needs nothing else."""
    write_halt(halt_file(store_url(settings.store)), "by hand")
    assert await holding(settings, ManualClock()) == ("by hand", [])


async def test_a_store_that_cannot_be_read_is_said_and_the_file_holds_all_the_same(
    settings, tmp_path
):
    """What cannot be known keeps nobody from drilling by hand; what is known does."""
    (tmp_path / "understudy.db").write_bytes(b"no database at all" * 100)
    reason, (line,) = await holding(settings, ManualClock())
    assert reason is None
    assert line.startswith("whether drills are halted cannot be read: ")
    write_halt(halt_file(store_url(settings.store)), "by hand")
    assert (await holding(settings, ManualClock()))[0] == "by hand"


async def test_a_store_that_breaks_in_the_middle_is_said_once_and_ends_no_drill(settings, tmp_path):
    """An older one, or a server that went away: drills by hand go on, as without a store."""
    clock = ManualClock()
    await begin(settings, clock, BEGUN)
    said: list[str] = []
    async with halts_of(settings, clock, said.append) as halted:
        assert await halted() is not None
        with closing(sqlite3.connect(tmp_path / "understudy.db")) as database:
            database.execute("DROP TABLE halts")
        assert await halted() is None
        assert await halted() is None
    (line,) = said
    assert line.startswith("whether drills are halted cannot be read: ")


def test_nothing_is_begun_while_drills_are_halted():
    """With the reason, and the way on."""
    refuse_when_halted(None)
    with pytest.raises(UsageError, match="drills are halted: a new driver") as told:
        refuse_when_halted(BEGUN)
    assert told.value.remedy == "'understudy resume' goes on."


async def test_a_halt_in_the_middle_refuses_what_is_left():
    """Nothing else is asked then."""
    now: list[Halt] = []
    asked: list[str] = []

    async def halted() -> Halt | None:
        return now[-1] if now else None

    async def may_run(plan):
        asked.append(plan.id)
        return await always(plan)

    guard = unless_halted(halted, may_run)
    plan = plan_for(GATEWAY, scenario())
    assert await guard(plan) is None
    now.append(BEGUN)
    refusal = await guard(plan)
    assert refusal is not None
    assert (refusal.kind, refusal.reason) == (Kind.HALTED, "a new driver")
    assert len(asked) == 1
