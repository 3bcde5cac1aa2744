"""A swap is put together from what was staged."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from chaos.errors import UsageError
from chaos.judge.check import Kind
from chaos.process.ports import free_port
from supervisor.cli import rollout_swap
from supervisor.cli.knowledge import DaemonError
from supervisor.cli.rollout_swap import (
    REVERSIBLE,
    SWAPPABLE,
    _serves_fallbacks,
    _through_gateway,
    chosen,
    undisturbed,
)
from supervisor.rollout.exchange.gates.gateway import ASKED
from supervisor.rollout.finding import Answer, Finding
from supervisor.rollout.meanwhile import Question
from supervisor.settings.model import Settings
from supervisor.stop import Stop
from supervisor.store.engines.rollouts import JournalRollout
from tests.fakes.manual_clock import NOON
from tests.fakes.rows import failed, report, row
from tests.fakes.topologies import topology

# --- which one --------------------------------------------------------------------------


def rollout(name: str, state: str, container: str = "vllm") -> JournalRollout:
    """A rollout as the journal has it."""
    return JournalRollout(name, "gemma", container, state, NOON, NOON, {})


KNOWN = (
    rollout("r5", "refused"),
    rollout("r4", "staged"),
    rollout("r3", "accepted", "other"),
    rollout("r2", "staged", "third"),
    rollout("r1", "stranded"),
)


@pytest.mark.parametrize(
    ("name", "states", "found"),
    [
        (None, SWAPPABLE, "r4"),
        (None, REVERSIBLE, "r3"),
        ("r2", SWAPPABLE, "r2"),
        ("third", SWAPPABLE, "r2"),
        ("vllm", SWAPPABLE, "r4"),
        ("vllm", REVERSIBLE, "r1"),
        ("r1", REVERSIBLE, "r1"),
    ],
)
def test_the_newest_that_stands_so_is_meant_or_the_one_that_is_named(name, states, found):
    """By its own name, or by its container's."""
    assert chosen(KNOWN, name, states).id == found


@pytest.mark.parametrize(
    ("name", "states", "said"),
    [
        ("r5", SWAPPABLE, "the rollout r5 is refused"),
        ("other", SWAPPABLE, "the rollout r3 is accepted"),
        ("vllm", ("swapping",), "the rollout r5 is refused"),
    ],
)
def test_one_that_stands_otherwise_is_named_with_its_state(name, states, said):
    """And what would do; another one is not taken for it."""
    with pytest.raises(UsageError) as raised:
        chosen(KNOWN, name, states)
    assert raised.value.message == said
    assert " or ".join(states) in raised.value.remedy


@pytest.mark.parametrize(
    ("known", "name", "said"),
    [
        ((), None, "there is no rollout that is staged"),
        ((rollout("r5", "refused"),), None, "there is no rollout that is staged"),
        (KNOWN, "none", "there is no rollout that is staged: none"),
    ],
)
def test_where_there_is_none_it_says_how_to_stage_one(known, name, said):
    """With the command."""
    with pytest.raises(UsageError) as raised:
        chosen(known, name, SWAPPABLE)
    assert raised.value.message == said
    assert "understudy rollout stage" in raised.value.remedy


# --- drills meanwhile -------------------------------------------------------------------


class FakeApi:
    """A daemon's API; takes down what it is told.

    Attributes:
        halted: The halt that holds already.
        there: It answers.
        trouble: What comes of having drills go on.
    """

    def __init__(self, *, halted: Any = None, there: bool = True) -> None:
        self.halted = halted
        self.there = there
        self.trouble: Exception | None = None
        self.told: list[Any] = []

    async def answers(self) -> bool:
        return self.there

    async def status(self) -> Any:
        return SimpleNamespace(halt=self.halted)

    async def halt(self, reason: str, length: timedelta, *, everywhere: bool) -> None:
        self.told.append(("halt", reason, length, everywhere))

    async def silence(self, matchers: dict[str, str], reason: str, length: timedelta) -> Any:
        self.told.append(("silence", matchers, reason, length))
        return SimpleNamespace(number=7)

    async def end_silence(self, number: int) -> None:
        self.told.append(("end_silence", number))

    async def resume(self, *, everywhere: bool) -> None:
        self.told.append(("resume", everywhere))
        if self.trouble is not None:
            raise self.trouble


HALT = ("halt", "a swap", timedelta(minutes=5), False)
RESUME = ("resume", False)
MEANT = {"alertname": "Engine*", "engine": "gemma"}
SILENCE = ("silence", MEANT, "a swap", timedelta(minutes=5))
SETTLED = [("silence", MEANT, "a swap", timedelta(minutes=2)), ("end_silence", 7)]
"""Until the daemon has looked again; the shorter one begins before the longer one ends."""


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    """A daemon that drills."""
    made = FakeApi()
    monkeypatch.setattr(rollout_swap, "Api", SimpleNamespace(of=lambda *_: made))
    return made


async def test_without_a_daemon_nobody_is_halted():
    """There is nothing that could drill; that it can go on is no error."""
    settings = Settings.model_validate({"web": {"listen": [f"127.0.0.1:{free_port()}"]}})
    async with undisturbed(settings, "gemma", "a swap", 300.0) as go_on:
        assert await go_on() is None


async def test_what_does_not_answer_is_told_nothing(daemon):
    """Neither to halt nor to go on."""
    daemon.there = False
    async with undisturbed(Settings(), "gemma", "a swap", 300.0) as go_on:
        await go_on()
    assert daemon.told == []


async def test_drills_wait_until_the_block_ends(daemon):
    """Those of this daemon, and for no longer than was said."""
    async with undisturbed(Settings(), "gemma", "a swap", 300.0):
        assert daemon.told == [HALT, SILENCE]
    assert daemon.told == [HALT, SILENCE, RESUME, *SETTLED]


async def test_drills_go_on_once_when_they_are_called(daemon):
    """The end of the block does not call them again."""
    async with undisturbed(Settings(), "gemma", "a swap", 300.0) as go_on:
        await go_on()
        assert daemon.told == [HALT, SILENCE, RESUME]
        await go_on()
    assert daemon.told == [HALT, SILENCE, RESUME, *SETTLED]


async def test_a_halt_that_somebody_else_has_made_stays(daemon):
    """Nothing is laid over it, and nothing ends it; that the engine is away is no news still."""
    daemon.halted = "by hand"
    async with undisturbed(Settings(), "gemma", "a swap", 300.0) as go_on:
        await go_on()
    assert daemon.told == [SILENCE, *SETTLED]


async def test_drills_go_on_after_an_error(daemon):
    """Which goes on to whoever called."""
    with pytest.raises(ZeroDivisionError):
        async with undisturbed(Settings(), "gemma", "a swap", 300.0):
            raise ZeroDivisionError
    assert daemon.told == [HALT, SILENCE, RESUME, *SETTLED]


@pytest.mark.parametrize("trouble", [DaemonError("no", remedy="Look."), TimeoutError()])
async def test_a_daemon_that_cannot_be_told_at_the_end_hides_nothing(daemon, trouble):
    """Its halt ends by itself."""
    daemon.trouble = trouble
    with pytest.raises(ZeroDivisionError):
        async with undisturbed(Settings(), "gemma", "a swap", 300.0):
            raise ZeroDivisionError
    assert daemon.told == [HALT, SILENCE, RESUME, *SETTLED]


# --- through the gateway ----------------------------------------------------------------

GATEWAY = topology({"claude": ["gemma"], "big": ["gemma"], "gpt": ["claude", "gemma"], "gemma": []})


class Drilled:
    """Stands for the drills: gives the rows of each question in turn, and keeps the questions."""

    def __init__(self, *rows: Any) -> None:
        self.rows = list(rows)
        self.questions: list[Question] = []

    async def __call__(
        self, settings: Settings, gateway: Any, question: Question, stop: Stop
    ) -> Any:
        self.questions.append(question)
        return report(*self.rows.pop(0))


async def shown(
    monkeypatch: pytest.MonkeyPatch, *rows: Any, engine: str = "gemma", gateway: Any = GATEWAY
) -> tuple[Finding, Drilled]:
    """What drills with these rows show; and the drills."""
    drilled = Drilled(*rows)
    monkeypatch.setattr(rollout_swap, "drilled", drilled)
    finding = await _serves_fallbacks(Settings(), None, gateway, engine, Stop())
    assert (finding.check, finding.asked) == ("gateway", ASKED)
    return finding, drilled


def both(group: str = "claude") -> tuple[Any, Any]:
    """The rows of a group that is well: with tools and without."""
    return row(group), row(group, shape="tool_call")


async def test_groups_that_fall_back_to_the_engine_are_drilled_by_their_depth(monkeypatch):
    """With every hop before it made to fail; the engine's own group is not among them."""
    found, drilled = await shown(monkeypatch, (*both(), *both("big")), both("gpt"))
    assert [one.depth for one in drilled.questions] == [1, 2]
    assert [set(one.groups) for one in drilled.questions] == [{"claude", "big"}, {"gpt"}]
    assert (found.answer, found.came) == (Answer.OK, "6 drills passed")


async def test_an_engine_that_nobody_falls_back_to_is_not_drilled(monkeypatch):
    """Nothing can be said, and it is no fault."""
    found, drilled = await shown(monkeypatch, gateway=topology({"gemma": ["local-b"]}))
    assert (found.answer, found.came) == (Answer.UNKNOWN, "no group falls back to it")
    assert drilled.questions == []


async def test_a_drill_that_failed_is_named_with_its_remedy(monkeypatch):
    """The first of them, and how many there were; what else was not proven does not matter."""
    rows = (row(), failed("big"), failed("claude"), row(kind=Kind.FAULT_NOT_HIT))
    found, _ = await shown(monkeypatch, rows, (row("gpt"),))
    assert found.answer is Answer.REFUSED
    assert found.came == (
        f"2 of 5 drills failed, first {rows[1].scenario.key}: hop_failed: gemma said no"
    )
    assert found.remedy == "Mend it."


async def test_a_drill_that_failed_without_a_finding_is_refused_all_the_same(monkeypatch):
    """There is nothing to advise."""
    found, _ = await shown(monkeypatch, (row(kind=Kind.HOP_FAILED),), ())
    assert found.answer is Answer.REFUSED
    assert found.came.endswith(": hop_failed")
    assert found.remedy == ""


async def test_drills_that_show_nothing_prove_nothing(monkeypatch):
    """Why is told."""
    rows = (row(), row(shape="tool_call", kind=Kind.FAULT_NOT_HIT), *both("big"))
    found, _ = await shown(monkeypatch, rows, both("gpt"))
    assert (found.answer, found.came) == (Answer.UNKNOWN, "not proven: fault_not_hit")


async def test_drills_without_tool_calls_prove_nothing(monkeypatch):
    """Plain chat works over the very engine that refuses every tool call."""
    found, _ = await shown(monkeypatch, (*both(), row("big")), both("gpt"))
    assert found.answer is Answer.UNKNOWN
    assert found.came == "not proven: no drill of big with tool_call"


async def test_a_stand_in_s_answer_is_not_the_engine_s(monkeypatch):
    """The gateway's way is shown, and the engine is not."""
    plain, tools = both()
    stood_in = plain.model_copy(
        update={"reply": plain.reply.model_copy(update={"proof": "stand_in"})}
    )
    found, _ = await shown(monkeypatch, (stood_in, tools, *both("big")), both("gpt"))
    assert found.answer is Answer.UNKNOWN
    assert found.came == "not proven: a stand-in answered for it"


NOTHING = "not proven: " + ", ".join(
    f"no drill of {group} with {shape}"
    for group in ("claude", "big", "gpt")
    for shape in ("chat", "tool_call")
)


async def test_no_drill_at_all_proves_nothing(monkeypatch):
    """It is not taken for none that failed."""
    found, _ = await shown(monkeypatch, (), ())
    assert (found.answer, found.came) == (Answer.UNKNOWN, NOTHING)


def test_without_a_gateway_there_is_nobody_to_ask():
    """The gate then says that none is named."""
    assert _through_gateway(Settings(), "gemma", Stop()) is None


async def test_a_gateway_that_cannot_be_asked_is_no_fault_of_the_engine_s():
    """It is not known, with what to do about it."""
    url = f"http://127.0.0.1:{free_port()}"
    ask = _through_gateway(Settings.model_validate({"gateway": {"url": url}}), "gemma", Stop())
    assert ask is not None
    found = await ask()
    assert (found.check, found.answer, found.asked) == ("gateway", Answer.UNKNOWN, ASKED)
    assert found.came
    assert found.remedy
