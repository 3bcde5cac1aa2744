"""Who serves while the engine does not."""

import pytest

from chaos.drill.report import DrillReport, DrillRow
from chaos.errors import UsageError
from chaos.judge.check import Kind
from supervisor.rollout.meanwhile import (
    Cover,
    GroupCover,
    Question,
    groups_of,
    judge,
    needs_acceptance,
    questions,
    who_serves,
)
from tests.fakes.rows import failed, report, row
from tests.fakes.topologies import group, topology

ENGINE = "gemma"
FIRST = ("gemma", "cloud")
BETWEEN = ("claude", "gemma", "cloud")
LAST = ("claude", "gemma")
ALONE = ("gemma",)


def drilled(name: str = "gemma", **changes) -> DrillRow:
    """A drill of one group that passed."""
    return row(name, "cloud", fault="connection_reset", **changes)


def passed(name: str = "gemma") -> list[DrillRow]:
    """What a question brings back where all is well."""
    return [drilled(name, shape=shape) for shape in ("chat", "tool_call")]


class Drills:
    """Answers questions from what is given by group, and takes them down."""

    def __init__(self, rows: dict[str, list[DrillRow]] | None = None, refuse: str = "") -> None:
        self.asked: list[Question] = []
        self._rows = rows or {}
        self._refuse = refuse

    async def __call__(self, question: Question) -> DrillReport:
        self.asked.append(question)
        if self._refuse in question.groups:
            raise UsageError(f"{self._refuse} cannot be drilled", remedy="Mend it.")
        return report(*(row for name in question.groups for row in self._rows.get(name, [])))


# --- one group --------------------------------------------------------------------------


def test_a_fallback_that_the_drills_have_shown_serves():
    """Both with and without tools."""
    assert judge("gemma", FIRST, ENGINE, passed()) == GroupCover(
        "gemma", FIRST, Cover.PROVEN, "cloud", "2 drills passed, tool calls included"
    )


def test_a_stand_in_proves_the_way_and_not_the_hop():
    """It is told that key and money were not tried."""
    rows = passed()
    stood_in = rows[0].reply.model_copy(update={"proof": "stand_in"})
    rows[0] = rows[0].model_copy(update={"reply": stood_in})
    found = judge("gemma", FIRST, ENGINE, rows)
    assert (found.cover, found.by) == (Cover.ROUTED, "cloud")
    assert "a stand-in answered for it" in found.why
    assert needs_acceptance([found]) == (found,)


def test_an_engine_without_a_fallback_leaves_nobody():
    """There is nothing to drill."""
    assert judge("gemma", ALONE, ENGINE, []) == GroupCover(
        "gemma", ALONE, Cover.NOBODY, None, "it has no fallback"
    )


def test_a_chain_that_ends_with_the_engine_rests_on_its_primary():
    """Should that fail meanwhile, nobody serves."""
    found = judge("claude", LAST, ENGINE, [])
    assert (found.cover, found.by) == (Cover.PRIMARY, "claude")
    assert found.why == "claude serves while it can; behind gemma its chain has nobody"


@pytest.mark.parametrize(
    ("name", "chain", "cover", "by"),
    [("gemma", FIRST, Cover.NOBODY, None), ("claude", BETWEEN, Cover.PRIMARY, "claude")],
    ids=["the engine first", "a primary before it"],
)
def test_a_fallback_that_fails_serves_nobody(name, chain, cover, by):
    """One failed drill is enough, and its first words are told."""
    rows = [*passed(name), failed(name, "cloud said no", shape="tool_call")]
    found = judge(name, chain, ENGINE, rows)
    assert (found.cover, found.by) == (cover, by)
    assert found.why == "1 of 3 drills failed: hop_failed (cloud said no)"


def test_a_failure_counts_more_than_what_could_not_be_told():
    """The worst is said."""
    rows = [drilled(kind=Kind.HALTED), failed("gemma")]
    assert judge("gemma", FIRST, ENGINE, rows).cover is Cover.NOBODY


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], "no drill was run"),
        ([*passed(), drilled(kind=Kind.OVER_BUDGET)], "over_budget"),
        ([drilled(kind=Kind.OVER_BUDGET), drilled(kind=Kind.HALTED)], "halted, over_budget"),
        ([drilled(kind=Kind.HALTED), drilled(kind=Kind.HALTED)], "halted"),
    ],
    ids=["none", "one of three", "two reasons", "one reason twice"],
)
def test_what_no_drill_could_tell_is_not_known(rows, why):
    """With every reason once."""
    assert judge("gemma", FIRST, ENGINE, rows) == GroupCover(
        "gemma", FIRST, Cover.UNKNOWN, "cloud", f"not proven: {why}"
    )


@pytest.mark.parametrize(
    ("shape", "missing"),
    [("chat", "tool_call"), ("tool_call", "chat"), ("vision", "chat and tool_call")],
)
def test_each_shape_has_to_be_drilled(shape, missing):
    """A fallback that only chats leaves agents without an answer."""
    found = judge("gemma", FIRST, ENGINE, [drilled(shape=shape)])
    assert (found.cover, found.by) == (Cover.UNKNOWN, "cloud")
    assert found.why == f"not proven: no drill of {missing} was run"


def test_the_hop_behind_the_engine_serves_wherever_that_stands():
    """Not the one behind the primary."""
    found = judge("claude", BETWEEN, ENGINE, passed("claude"))
    assert (found.cover, found.by) == (Cover.PROVEN, "cloud")


# --- what is asked ----------------------------------------------------------------------


def test_groups_with_the_engine_in_their_chain_need_it():
    """Its own comes first, in whatever order the gateway has them."""
    gateway = topology({"claude": ["gemma", "cloud"], "haiku": ["cloud"], "gemma": ["cloud"]})
    assert groups_of(gateway, ENGINE) == ("gemma", "claude")


def test_an_engine_in_no_chain_has_its_own_group():
    """Its users ask for it by name."""
    gateway = topology({"claude": ["cloud"]}, groups={"gemma": group("gemma")})
    assert groups_of(gateway, ENGINE) == ("gemma",)


def test_a_pattern_is_no_group():
    """Nobody asks for it by that name."""
    gateway = topology({"anthropic/*": ["gemma"], "claude": ["gemma"]}, wildcards=("anthropic/*",))
    assert groups_of(gateway, ENGINE) == ("gemma", "claude")


def test_another_name_with_a_chain_of_its_own_is_a_group_too():
    """Clients may ask for it."""
    gateway = topology({"gemma": ["cloud"], "gpt": ["gemma"]})
    groups = {name: one for name, one in gateway.groups.items() if name != "gpt"}
    named = type(gateway)(
        litellm_version=gateway.litellm_version,
        groups=groups,
        chains=gateway.chains,
        other_names={"gpt": gateway.groups["gpt"], "gemma": gateway.groups["gemma"]},
    )
    assert groups_of(named, ENGINE) == ("gemma", "gpt"), "and each once"


def test_chains_with_the_engine_at_the_same_place_are_asked_together():
    """The shallowest first; where it is the last there is nothing to ask."""
    chains = {
        "claude": BETWEEN,
        "gemma": FIRST,
        "haiku": LAST,
        "opus": ("opus", "gemma", "cloud", "other"),
    }
    assert questions(chains, ENGINE) == (
        Question(("gemma",), 1),
        Question(("claude", "opus"), 2),
    )
    assert questions({"gemma": ALONE}, ENGINE) == ()


async def test_each_group_is_judged_by_its_own_drills():
    """And those without a question by their chain."""
    gateway = topology({"gemma": ["cloud"], "claude": ["gemma", "cloud"], "haiku": ["gemma"]})
    drills = Drills({"gemma": passed(), "claude": [failed("claude", "cloud said no")]})
    found = await who_serves(gateway, ENGINE, drills)
    assert [(one.group, one.cover, one.by) for one in found] == [
        ("gemma", Cover.PROVEN, "cloud"),
        ("claude", Cover.PRIMARY, "claude"),
        ("haiku", Cover.PRIMARY, "haiku"),
    ]
    assert [one.chain for one in found] == [FIRST, BETWEEN, ("haiku", "gemma")]
    assert drills.asked == [Question(("gemma",), 1), Question(("claude",), 2)]


async def test_drills_that_cannot_be_run_leave_their_groups_unknown():
    """The others are asked all the same."""
    gateway = topology({"gemma": ["cloud"], "claude": ["gemma", "cloud"]})
    found = await who_serves(gateway, ENGINE, Drills({"claude": passed("claude")}, refuse="gemma"))
    assert found[0] == GroupCover("gemma", FIRST, Cover.UNKNOWN, None, "gemma cannot be drilled")
    assert found[1].cover is Cover.PROVEN


async def test_without_a_fallback_nothing_is_drilled():
    """It would only break an answer."""
    drills = Drills()
    found = await who_serves(topology({"gemma": []}), ENGINE, drills)
    assert [one.cover for one in found] == [Cover.NOBODY]
    assert drills.asked == []


async def test_an_engine_that_the_gateway_does_not_have_is_a_slip():
    """The nearest name is told, and nothing is drilled."""
    drills = Drills()
    with pytest.raises(UsageError, match="'gema' is not a model group of this gateway") as raised:
        await who_serves(topology({"gemma": ["cloud"]}), "gema", drills)
    assert raised.value.remedy == "Did you mean 'gemma'?"
    assert drills.asked == []


# --- acceptance -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cover", "needed"),
    [
        (GroupCover("gemma", ALONE, Cover.NOBODY, None, ""), True),
        (GroupCover("gemma", FIRST, Cover.UNKNOWN, "cloud", ""), True),
        (GroupCover("gemma", FIRST, Cover.UNKNOWN, None, ""), True),
        (GroupCover("claude", BETWEEN, Cover.UNKNOWN, "cloud", "", first=False), False),
        (GroupCover("claude", BETWEEN, Cover.UNKNOWN, None, "", first=False), False),
        (GroupCover("claude", LAST, Cover.PRIMARY, "claude", ""), False),
        (GroupCover("gemma", FIRST, Cover.PROVEN, "cloud", ""), False),
    ],
    ids=[
        *("nobody", "not known", "could not be drilled", "behind a primary"),
        *("behind one, not drilled", "primary", "proven"),
    ],
)
def test_downtime_is_to_be_accepted_where_users_feel_it_at_once(cover, needed):
    """A primary that serves keeps its users from feeling anything."""
    assert needs_acceptance([cover]) == ((cover,) if needed else ())
