"""A chain as it stands."""

from chaos.gateway.topology import Trigger
from supervisor.coverage.ledger import MEANINGS, PathState
from supervisor.web.page.hops import MARKS, TONES, chains
from tests.fakes.manual_clock import NOON
from tests.fakes.pages import many_paths
from tests.fakes.snapshots import FAILED, PATHS, PROVEN, UNPROVEN
from tests.fakes.topologies import topology


def test_every_state_has_a_mark_and_a_tone():
    """Colour alone tells nobody who does not see it; failures have a mark of their own."""
    assert set(MARKS) == set(TONES) == set(MEANINGS)
    assert [state for state in PathState if TONES[state] == "bad"] == [PathState.FAILED]
    assert sum(mark == MARKS[PathState.FAILED] for mark in MARKS.values()) == 1


def test_the_worst_chain_comes_first_and_a_hop_shows_its_worst_path():
    """With the kind of the failure, the last fault and the age."""
    claude, gpt = chains(PATHS, None, NOON)
    assert (claude.group, claude.tone, claude.summary) == ("claude", "bad", "1 of 2 proven")
    assert [hop.name for hop in claude.hops] == ["claude", "gemma"]
    gemma = claude.hops[1]
    assert (gemma.words, gemma.age, gemma.fault) == ("tool call leaked", "1h ago", "rate_limit")
    assert (gpt.group, gpt.tone) == ("gpt", "warn")
    assert "claude falls back to gemma: tool call leaked, 1h ago" in claude.aloud


def test_the_ledger_has_a_cell_for_each_path_with_its_drill():
    """A failure and a pass of one hop are two rows."""
    claude = chains(PATHS, None, NOON)[0]
    assert claude.columns == ("chat_completions, whole",)
    rows = {row.shape: row.cells[0] for row in claude.rows}
    chat, agent = rows[PROVEN.shape], rows[FAILED.shape]
    assert chat is not None
    assert agent is not None
    assert (chat.mark, chat.age, chat.drill) == ("✓", "1h ago", "d1")
    assert (agent.mark, agent.fault, agent.drill) == ("✗", "rate_limit", "d2")


def test_a_hop_that_nothing_rehearses_is_shown_in_its_place():
    """The gateway names it; nobody should think that it is proven."""
    known = topology({"claude": ["other", "gemma"], "gpt": ["local"]})
    claude = chains(PATHS, known, NOON)[0]
    assert [hop.name for hop in claude.hops] == ["claude", "other", "gemma"]
    assert (claude.hops[1].tone, claude.hops[1].words) == ("none", "not rehearsed")


def test_a_trigger_of_its_own_is_a_chain_of_its_own():
    """And when no hop is left is the last step of a chain."""
    views = chains(many_paths(1).paths, None, NOON)
    assert {(view.trigger, len(view.rows)) for view in views} == {("", 12), ("context window", 1)}
    general = next(view for view in views if not view.trigger)
    assert [hop.name for hop in general.hops][-1] == "nothing is left"
    assert UNPROVEN.trigger is Trigger.GENERAL
