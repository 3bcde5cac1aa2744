"""Swaps of engines, for people."""

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from supervisor.reporting.engines.rollout_table import (
    downtime,
    draw_plan,
    draw_report,
    draw_rollouts,
    draw_staged,
    verdict,
)
from supervisor.rollout.changes import Change, changes_of
from supervisor.rollout.container_spec import ContainerSpec
from supervisor.rollout.exchange.swap import Outcome, SwapReport
from supervisor.rollout.exchange.users import Served
from supervisor.rollout.facts import RolloutFacts
from supervisor.rollout.finding import Answer, Finding
from supervisor.rollout.meanwhile import Cover, GroupCover
from supervisor.rollout.plan import Plan
from supervisor.rollout.rollout_file import RolloutFile
from supervisor.rollout.stage import Serving, Staged
from supervisor.store.engines.rollouts import JournalRollout, JournalStep
from tests.fakes.manual_clock import NOON

SPEC = ContainerSpec(image="vllm/vllm-openai:v0.32.0")
FILE = RolloutFile(container="vllm", engine="gemma", run=SPEC)
OK = Finding("image", Answer.OK, "the image is here", "it is")
WARNING = Finding("baseline", Answer.WARNING, "a benchmark is fresh", "it is old", "Measure anew.")
REFUSED = Finding("flags", Answer.REFUSED, "flags are known", "--x is not", "Leave --x out.")
PROVEN = GroupCover("chat", ("gemma", "qwen"), Cover.PROVEN, "qwen", "drilled: qwen served")
PRIMARY = GroupCover("code", ("big", "gemma"), Cover.PRIMARY, "big", "big is before it")
NOBODY = GroupCover("agents", ("gemma",), Cover.NOBODY, None, "its chain ends with gemma")
UNKNOWN = GroupCover("notes", ("notes", "cloud"), Cover.UNKNOWN, "cloud", "the drill broke off")


def lines(drawn: Any) -> list[str]:
    """What a wide file would get, line by line, without the blanks that fill a row."""
    page = Console(file=io.StringIO(), width=240, color_system=None, highlight=False)
    with page.capture() as captured:
        page.print(drawn)
    return [line.rstrip() for line in captured.get().splitlines()]


def shown(drawn: Any) -> str:
    """The same as one line with single blanks."""
    return " ".join(" ".join(lines(drawn)).split())


def facts(**changes: Any) -> RolloutFacts:
    """What was found of a container that runs."""
    return RolloutFacts(**{"file": FILE, "now": NOON, "running": SPEC, "wanted": SPEC, **changes})


def plan(**changes: Any) -> Plan:
    """A plan with which nothing is wrong."""
    values: dict[str, Any] = {
        "facts": facts(),
        "changes": (),
        "effective": (),
        "findings": (OK,),
        "covers": (PROVEN,),
        "why_not_asked": "",
        "away_s": 95.0,
        "most_s": 1500.0,
    }
    return Plan(**{**values, **changes})


def rollout(**changes: Any) -> JournalRollout:
    """A rollout that was staged two hours ago."""
    values: dict[str, Any] = {
        "id": "20260301-100000-vllm",
        "engine": "gemma",
        "container": "vllm",
        "state": "staged",
        "begun_at": NOON - timedelta(hours=3),
        "changed_at": NOON - timedelta(hours=2),
        "row": {},
        "steps": (),
    }
    return JournalRollout(**{**values, **changes})


# --- the sentence of a plan -------------------------------------------------------------


@pytest.mark.parametrize(("count", "things"), [(1, "1 thing cannot"), (2, "2 things cannot")])
def test_a_plan_that_is_refused_counts_what_cannot_work(count, things):
    """And speaks of nothing else; nothing was touched."""
    refused = plan(findings=(OK, WARNING, *[REFUSED] * count))
    assert verdict(refused).plain == f"Refused: {things} work. Nothing was touched."


@pytest.mark.parametrize(
    ("findings", "begin"),
    [
        ((OK,), "It can be staged. This engine"),
        ((OK, WARNING), "It can be staged. 1 warning. This engine"),
        ((WARNING, WARNING), "It can be staged. 2 warnings. This engine"),
    ],
)
def test_a_plan_that_can_be_staged_says_so_with_its_warnings(findings, begin):
    """And how long the engine is away."""
    said = verdict(plan(findings=findings)).plain
    assert said.startswith(begin)
    assert said.endswith(downtime(plan()))


def test_where_others_serve_the_engine_is_away_and_its_users_are_not():
    """The time is its last start's and a little more, with the most that it may take."""
    assert downtime(plan(covers=(PROVEN, PRIMARY))) == (
        "This engine will be away for about 1m35s (its last start, and 15 s), at most 25m; "
        "others serve meanwhile."
    )


@pytest.mark.parametrize("one", [NOBODY, UNKNOWN])
def test_groups_that_nobody_is_known_to_serve_are_named(one):
    """Their users are without an answer, and a swap wants that to be accepted."""
    said = downtime(plan(covers=(PROVEN, one)))
    assert said.startswith(f"Users of {one.group} will be without an answer for about 1m35s")
    assert said.endswith("at most 25m: a swap wants --accept-downtime.")
    assert "chat" not in said


def test_who_serves_is_not_known_where_nobody_asked():
    """That is no promise either."""
    said = downtime(plan(covers=None, why_not_asked="--no-drills"))
    assert "nothing shows who serves meanwhile" in said
    assert said.endswith("so a swap wants --accept-downtime.")


@pytest.mark.parametrize("covers", [(PROVEN,), (NOBODY,), None])
def test_a_start_that_was_never_seen_has_no_length(covers):
    """Only the most that it may take is known."""
    said = downtime(plan(covers=covers, away_s=None))
    assert "for up to 25m" in said
    assert "about" not in said


# --- the whole of it --------------------------------------------------------------------


def test_a_plan_is_headed_by_its_container_and_what_it_is_now():
    """Names with their values; without any there is no such line."""
    effective = (("serves", "gemma-4"), ("context", "65,536 tokens"))
    head, now, *_ = lines(draw_plan(plan(effective=effective)))
    assert head == "vllm, the engine of gemma"
    assert now == "Now: serves gemma-4; context 65,536 tokens"
    assert not any(line.startswith("Now:") for line in lines(draw_plan(plan())))


def test_a_change_shows_now_then_and_what_is_in_effect():
    """What the engine made of a flag is beside it."""
    changes = (Change("--dtype", "auto", "half", "bfloat16"), Change("gpus", "—", "all"))
    drawn = lines(draw_plan(plan(changes=changes)))
    words = [line.split() for line in drawn]
    assert ["what", "now", "then"] in words
    assert ["--dtype", "auto", "(in", "effect", "bfloat16)", "half"] in words
    assert ["gpus", "—", "all"] in words


def test_a_plan_that_changes_nothing_says_so():
    """The new container would be as the old one."""
    assert "Nothing would change" in shown(draw_plan(plan()))


def test_without_a_running_container_there_is_nothing_to_compare():
    """Neither a change nor that there would be none."""
    drawn = shown(draw_plan(plan(facts=facts(running=None))))
    assert "Nothing would change" not in drawn
    assert "then" not in drawn.split()


def test_secrets_are_hidden_on_both_sides():
    """That one changes is seen, and what else changes is too."""
    running = ContainerSpec(image="i", environment={"HF_TOKEN": "hf_old", "SEED": "1"})
    wanted = ContainerSpec(image="i", environment={"HF_TOKEN": "hf_new", "SEED": "2"})
    found = facts(running=running, wanted=wanted)
    drawn = draw_plan(plan(facts=found, changes=changes_of(found)))
    words = [line.split() for line in lines(drawn)]
    assert ["$HF_TOKEN", "(hidden)", "(hidden)"] in words
    assert ["$SEED", "1", "2"] in words
    assert "hf_" not in shown(drawn)


def test_findings_show_their_remedy_unless_they_are_well():
    """Each with a word for how it came out."""
    well = Finding("x", Answer.OK, "something", "it is", "No remedy is needed.")
    unknown = Finding("y", Answer.UNKNOWN, "else", "cannot be told", "Look.")
    drawn = lines(draw_plan(plan(findings=(well, unknown, WARNING, REFUSED))))
    words = [" ".join(line.split()) for line in drawn]
    assert "ok something: it is" in words
    assert "? else: cannot be told" in words
    assert "warning a benchmark is fresh: it is old" in words
    assert "refused flags are known: --x is not" in words
    assert {"→ Look.", "→ Measure anew.", "→ Leave --x out."} <= set(words)
    assert "No remedy" not in shown(draw_plan(plan(findings=(well,))))


def test_who_serves_meanwhile_is_a_line_for_each_group():
    """With what shows it; nobody is said in words, and a guess has a question mark."""
    unknown = GroupCover("mail", ("gemma",), Cover.UNKNOWN, None, "no drill")
    covers = (PROVEN, PRIMARY, NOBODY, UNKNOWN, unknown)
    words = [" ".join(line.split()) for line in lines(draw_plan(plan(covers=covers)))]
    assert "chat qwen drilled: qwen served" in words
    assert "code big big is before it" in words
    assert "agents nobody its chain ends with gemma" in words
    assert "notes cloud? the drill broke off" in words
    assert "mail nobody? no drill" in words


def test_why_nobody_was_asked_is_told():
    """In place of the table."""
    drawn = shown(draw_plan(plan(covers=None, why_not_asked="no gateway is named")))
    assert "Who serves meanwhile is not known: no gateway is named" in drawn
    assert "served by" not in drawn


def test_what_others_have_named_is_no_markup():
    """It is shown as it is."""
    change = Change("--x", "[bold]a[/bold]", "[/]")
    assert "[bold]a[/bold] [/]" in shown(draw_plan(plan(changes=(change,))))


# --- what was staged --------------------------------------------------------------------


def test_what_was_staged_is_made_and_not_started():
    """With its name, what was tried, and where the way back is."""
    folder = Path("/state/rollouts/r1")
    drawn = shown(draw_staged(Staged("r1", (OK,), "vllm-next", "0a", "sha256:1b", folder)))
    assert drawn.startswith("Rollout r1")
    assert "ok the image is here: it is" in drawn
    assert "Staged: the container vllm-next is made, and not started." in drawn
    assert "/state/rollouts/r1/WAY-BACK.txt" in drawn


def test_what_was_refused_leaves_nothing():
    """And has no way back, as there was no way."""
    drawn = shown(draw_staged(Staged("r1", (REFUSED,), None, None, "sha256:1b", Path("/state"))))
    assert "refused flags are known: --x is not" in drawn
    assert drawn.endswith("Refused. What was made for it has been removed.")
    assert "WAY-BACK" not in drawn


# --- how a swap ended -------------------------------------------------------------------


def report(**changes: Any) -> SwapReport:
    """A swap that was accepted, and that nobody watched."""
    values: dict[str, Any] = {
        "rollout": "r1",
        "outcome": Outcome.ACCEPTED,
        "refused": None,
        "findings": (OK,),
        "seconds": {"stop": 2.0},
        "away_s": 95.25,
        "start_s": 90.0,
        **changes,
    }
    return SwapReport(**values)


def served(**changes: Any) -> Served:
    """Users of whom nobody was lost."""
    by = {"qwen, a fallback": 30, "gemma": 4}
    return Served(**{"asked": "as a user of gemma", "by": by, "slowest_s": 1.26, **changes})


def test_a_swap_that_was_accepted_says_how_to_get_back():
    """With every gate, and what it cost beside the engine's own start."""
    drawn = shown(draw_report(report()))
    assert drawn.startswith("Rollout r1")
    assert "ok the image is here: it is" in drawn
    assert (
        "The engine was away for 95.2 s, 90.0 s of that its start; the swap itself cost 5.2 s."
        in drawn
    )
    assert "Users" not in drawn
    assert drawn.endswith(
        "Accepted: the new engine serves. The old container is kept; back: understudy rollout "
        "rollback"
    )


def test_a_gate_that_refused_is_named_where_the_old_engine_serves():
    """With what it saw, and what to do."""
    ended = report(outcome=Outcome.RESTORED, refused=REFUSED, findings=(OK, REFUSED))
    drawn = shown(draw_report(ended))
    assert "refused flags are known: --x is not → Leave --x out." in drawn
    assert drawn.endswith("The old engine serves. Refused by flags: --x is not")
    assert "Accepted" not in drawn


def test_a_swap_that_is_stranded_says_why_and_nothing_better():
    """Whoever refused, the trouble is what matters now."""
    trouble = "memory has not come back. Nothing was started. Only a reboot returns it"
    ended = report(outcome=Outcome.STRANDED, refused=REFUSED, trouble=trouble, away_s=None)
    drawn = shown(draw_report(ended))
    assert drawn.endswith(f"The old engine is not back: {trouble}")
    assert "was away" not in drawn


def test_a_way_back_that_nobody_had_to_force_refuses_nothing():
    """The old engine is there again, because somebody wanted it."""
    drawn = shown(draw_report(report(outcome=Outcome.RESTORED, start_s=None)))
    assert drawn.endswith("The old engine serves again.")
    assert "Refused" not in drawn


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"start_s": None}, "The engine was away for 95.2 s."),
        ({"away_s": 89.0}, "The engine was away for 89.0 s, 90.0 s of that its start; the swap"),
    ],
)
def test_how_long_it_was_away_is_told_as_far_as_it_is_known(changes, said):
    """The start alone may not be."""
    assert said in shown(draw_report(report(**changes)))


def test_users_who_were_all_answered_have_a_longest_wait():
    """And who answered them."""
    drawn = shown(draw_report(report(served=served())))
    assert "Users (as a user of gemma): 30 by qwen, a fallback, 4 by gemma answered, 0 lost." in (
        drawn
    )
    assert "The longest wait was 1.3 s." in drawn
    assert "Lost for" not in drawn


def test_users_who_were_lost_are_counted_with_the_first_reason():
    """Their longest wait does not matter then."""
    lost = served(lost=3, lost_s=12.34, first_lost="status 500: [bold]no[/bold]")
    drawn = shown(draw_report(report(served=lost)))
    assert "4 by gemma answered, 3 lost." in drawn
    assert "Lost for 12.3 s in all; the first got: status 500: [bold]no[/bold]" in drawn
    assert "longest wait" not in drawn


def test_users_whom_nobody_answered_have_no_wait():
    """It may be that none has asked yet."""
    drawn = shown(draw_report(report(served=served(by={}, slowest_s=0.0))))
    assert "none answered, 0 lost." in drawn
    assert "longest wait" not in drawn


# --- where each stands ------------------------------------------------------------------


def test_an_empty_journal_says_how_to_begin():
    """With the first command."""
    drawn = shown(draw_rollouts((), {}, NOON))
    assert drawn.startswith("No rollout yet.")
    assert "understudy rollout init --from-container NAME" in drawn


@pytest.mark.parametrize(
    ("serving", "said"),
    [
        (
            Serving("0a1b, running", "old", "vllm, running", "vllm-next, created"),
            "vllm is the old one (0a1b, running); the new one: vllm-next, created.",
        ),
        (
            Serving("2c3d, running", "another"),
            "vllm is another one (2c3d, running); the old one: gone; the new one: gone.",
        ),
        (
            Serving(None, "", "vllm-old, exited", "vllm-next, created"),
            "no container is called vllm; the old one: vllm-old, exited; the new one: vllm-next,",
        ),
    ],
)
def test_a_staged_one_shows_what_docker_says_now(serving, said):
    """Whether the old one still serves, and whether the staged one is still there."""
    drawn = shown(draw_rollouts([rollout()], {"20260301-100000-vllm": serving}, NOON))
    assert f"20260301-100000-vllm gemma staged 2h ago {said}" in drawn


def test_one_that_was_refused_shows_why():
    """As the journal has it."""
    one = rollout(state="refused", row={"why": "the parser reads no call"})
    assert "refused 2h ago the parser reads no call" in shown(draw_rollouts([one], {}, NOON))


def test_trouble_with_docker_stands_where_its_answer_would():
    """The journal is shown all the same."""
    drawn = shown(draw_rollouts([rollout()], {}, NOON, "there is no Docker to ask"))
    assert "gemma staged 2h ago there is no Docker to ask" in drawn


def test_the_steps_of_the_newest_are_shown_by_their_ends():
    """A step that has begun and ended is one line; why it failed is beside it."""
    at = NOON - timedelta(hours=2)
    steps = (
        JournalStep("pin", "begun", at, {}),
        JournalStep("pin", "done", at + timedelta(seconds=1), {}),
        JournalStep("render", "begun", at + timedelta(seconds=2), {}),
        JournalStep("render", "failed", at + timedelta(seconds=9), {"why": "no room"}),
        JournalStep("create", "begun", at + timedelta(seconds=10), {}),
    )
    older = rollout(id="older", steps=(JournalStep("way_back", "done", at, {}),))
    drawn = lines(draw_rollouts([rollout(steps=steps), older], {}, NOON))
    begin = drawn.index("Steps of 20260301-100000-vllm:")
    words = [" ".join(line.split()) for line in drawn[begin + 1 :] if line]
    assert [one for one in words if one.split()[0] in ("pin", "render", "create")] == [
        "pin done 10:00:01",
        "render failed 10:00:09 no room",
        "create begun 10:00:10",
    ]
    assert "way_back" not in " ".join(words)
