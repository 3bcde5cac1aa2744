"""Swaps of engines, for programs."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from supervisor.reporting.engines.rollout_json import (
    plan_json,
    report_json,
    rollouts_json,
    staged_json,
)
from supervisor.rollout.changes import changes_of
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

RUNNING = ContainerSpec(image="i", environment={"HF_TOKEN": "hf_old", "SEED": "1"})
WANTED = ContainerSpec(image="i", environment={"HF_TOKEN": "hf_new", "SEED": "2"})
FACTS = RolloutFacts(
    file=RolloutFile(container="vllm", engine="gemma", run=WANTED),
    now=NOON,
    running=RUNNING,
    wanted=WANTED,
    without_baseline="measured by hand",
)
WARNING = Finding("baseline", Answer.WARNING, "a benchmark is fresh", "it is old", "Measure anew.")
REFUSED = Finding("flags", Answer.REFUSED, "flags are known", "--x is not")
NOBODY = GroupCover("agents", ("gemma",), Cover.NOBODY, None, "its chain ends with gemma")
PROVEN = GroupCover("chat", ("gemma", "qwen"), Cover.PROVEN, "qwen", "qwen served")


def plan(**changes: Any) -> Plan:
    """A plan that changes two variables."""
    values: dict[str, Any] = {
        "facts": FACTS,
        "changes": changes_of(FACTS),
        "effective": (("context", "4,096 tokens"),),
        "findings": (WARNING,),
        "covers": (PROVEN,),
        "why_not_asked": "",
        "away_s": 95.0,
        "most_s": 1500.0,
    }
    return Plan(**{**values, **changes})


def test_a_plan_has_everything_that_its_table_shows():
    """Under names of its own, with a schema; secrets are hidden."""
    assert json.loads(plan_json(plan())) == {
        "schema": "understudy/rollout-plan/1",
        "container": "vllm",
        "engine": "gemma",
        "refused": False,
        "needs_acceptance": False,
        "away_s": 95.0,
        "most_s": 1500.0,
        "effective": {"context": "4,096 tokens"},
        "changes": [
            {"what": "$HF_TOKEN", "now": "(hidden)", "then": "(hidden)", "effective": ""},
            {"what": "$SEED", "now": "1", "then": "2", "effective": ""},
        ],
        "findings": [
            {
                "check": "baseline",
                "answer": "warning",
                "asked": "a benchmark is fresh",
                "came": "it is old",
                "remedy": "Measure anew.",
            }
        ],
        "meanwhile": [
            {
                "group": "chat",
                "chain": ["gemma", "qwen"],
                "cover": "proven",
                "by": "qwen",
                "why": "qwen served",
                "first": True,
            }
        ],
        "why_not_asked": "",
        "without_baseline": "measured by hand",
    }


@pytest.mark.parametrize(
    ("changes", "refused", "acceptance"),
    [
        ({"findings": (WARNING, REFUSED)}, True, False),
        ({"covers": (PROVEN, NOBODY)}, False, True),
        ({"covers": None, "why_not_asked": "--no-drills"}, False, True),
        ({"covers": ()}, False, False),
    ],
)
def test_what_a_program_decides_by_is_told_outright(changes, refused, acceptance):
    """Whether it can work, and whether a swap wants --accept-downtime."""
    told = json.loads(plan_json(plan(**changes)))
    assert (told["refused"], told["needs_acceptance"]) == (refused, acceptance)


def test_what_was_not_asked_and_is_not_known_is_null():
    """With why; an empty list would say that no group needs the engine."""
    told = json.loads(plan_json(plan(covers=None, why_not_asked="--no-drills", away_s=None)))
    assert (told["meanwhile"], told["away_s"]) == (None, None)
    assert told["why_not_asked"] == "--no-drills"
    assert json.loads(plan_json(plan(covers=())))["meanwhile"] == []


@pytest.mark.parametrize("container", ["vllm-next", None])
def test_what_was_staged_comes_with_its_plan(container):
    """Or what was refused, which has no container."""
    made = "0a1b" if container else None
    staged = Staged("r1", (REFUSED,), container, made, "sha256:2c", Path("/state/r1"))
    told = json.loads(staged_json(plan(), staged))
    assert told.pop("plan") == json.loads(plan_json(plan()))
    (finding,) = told.pop("findings")
    assert (finding["check"], finding["answer"]) == ("flags", "refused")
    assert told == {
        "schema": "understudy/rollout-staged/1",
        "rollout": "r1",
        "staged": container is not None,
        "container": container,
        "container_id": made,
        "image": "sha256:2c",
        "folder": "/state/r1",
    }


def ended(**changes: Any) -> dict[str, Any]:
    """What a program gets of a swap that was accepted."""
    values: dict[str, Any] = {
        "rollout": "r1",
        "outcome": Outcome.ACCEPTED,
        "refused": None,
        "findings": (WARNING,),
        "seconds": {"stop": 2.0, "start": 90.0},
        "away_s": 95.0,
        "start_s": 90.0,
        **changes,
    }
    told = json.loads(report_json(SwapReport(**values)))
    assert isinstance(told, dict)
    return told


def test_a_swap_has_everything_that_its_table_shows():
    """With what it cost beside the engine's own start."""
    users = Served("as a user of gemma", {"qwen, a fallback": 30}, 1, "status 500: no", 0.5, 1.25)
    assert ended(served=users) == {
        "schema": "understudy/rollout-report/1",
        "rollout": "r1",
        "outcome": "accepted",
        "refused": None,
        "findings": [
            {
                "check": "baseline",
                "answer": "warning",
                "asked": "a benchmark is fresh",
                "came": "it is old",
                "remedy": "Measure anew.",
            }
        ],
        "seconds": {"stop": 2.0, "start": 90.0},
        "away_s": 95.0,
        "start_s": 90.0,
        "own_s": 5.0,
        "served": {
            "asked": "as a user of gemma",
            "by": {"qwen, a fallback": 30},
            "lost": 1,
            "first_lost": "status 500: no",
            "lost_s": 0.5,
            "slowest_s": 1.25,
        },
        "trouble": "",
    }


@pytest.mark.parametrize("outcome", [Outcome.RESTORED, Outcome.STRANDED])
def test_the_gate_that_refused_comes_with_how_it_ended(outcome):
    """And with what went wrong besides; where nobody asked as a user, that is null."""
    told = ended(outcome=outcome, refused=REFUSED, trouble="no memory")
    assert (told["outcome"], told["trouble"], told["served"]) == (outcome.value, "no memory", None)
    assert (told["refused"]["check"], told["refused"]["came"]) == ("flags", "--x is not")


@pytest.mark.parametrize(
    ("away_s", "start_s", "own_s"),
    [(95.0, 90.0, 5.0), (89.0, 90.0, 0.0), (None, 90.0, None), (95.0, None, None)],
)
def test_what_a_swap_cost_itself_is_never_less_than_nothing(away_s, start_s, own_s):
    """And null where either time is not known."""
    assert ended(away_s=away_s, start_s=start_s)["own_s"] == own_s


def test_where_each_stands_has_its_row_its_steps_and_what_serves():
    """Times are as ISO 8601 has them; what Docker was not asked about is null."""
    step = JournalStep("pin", "done", NOON, {"id": "sha256:2c"})
    later = NOON + timedelta(minutes=1)
    one = JournalRollout("r2", "gemma", "vllm", "staged", NOON, later, {"away_s": 95.0}, (step,))
    older = JournalRollout("r1", "gemma", "vllm", "refused", NOON, NOON, {"why": "no room"})
    serving = {"r2": Serving("0a1b, running", "old", "vllm, running", "vllm-next, created")}
    told = json.loads(rollouts_json((one, older), serving))
    assert told["schema"] == "understudy/rollouts/1"
    newest, other = told["rollouts"]
    assert newest == {
        "id": "r2",
        "engine": "gemma",
        "container": "vllm",
        "state": "staged",
        "begun_at": "2026-03-01T12:00:00+00:00",
        "changed_at": "2026-03-01T12:01:00+00:00",
        "row": {"away_s": 95.0},
        "steps": [
            {
                "step": "pin",
                "state": "done",
                "at": "2026-03-01T12:00:00+00:00",
                "detail": {"id": "sha256:2c"},
            }
        ],
        "serving": {
            "serving": "0a1b, running",
            "which": "old",
            "old": "vllm, running",
            "new": "vllm-next, created",
        },
    }
    assert (other["serving"], other["row"], other["steps"]) == (None, {"why": "no room"}, [])


def test_no_rollout_is_an_empty_list():
    """With the schema, so that a program sees whose it is."""
    assert json.loads(rollouts_json((), {})) == {"schema": "understudy/rollouts/1", "rollouts": []}
