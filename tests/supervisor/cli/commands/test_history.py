"""``understudy history`` and ``show``, where no daemon runs."""

import json
from datetime import timedelta

import pytest

from chaos.judge.check import Kind
from tests.fakes.ledgers import entry, path, wish
from tests.fakes.manual_clock import NOON
from tests.fakes.rows import finding
from tests.fakes.stores import filled

CLAUDE, GPT = path("claude"), path("gpt")


@pytest.fixture
def config(tmp_path):
    """A configuration whose store has two drills."""
    failed = finding(Kind.HOP_FAILED, "gemma was contacted and itself failed.")
    return filled(
        tmp_path,
        {CLAUDE: wish()},
        [
            entry("aaa111", CLAUDE, seen={"reply": {"status": 200}}),
            entry(
                "bbb222",
                GPT,
                at=NOON + timedelta(days=1),
                kind=Kind.HOP_FAILED,
                findings=(failed,),
            ),
        ],
    )


def ids(invoke, config, *options):
    """List what the history lists."""
    told = invoke("history", "--config", config, "--format", "json", *options)
    return [one["drill"]["id"] for one in json.loads(told.out)["drills"]]


def test_drills_are_listed_newest_first(invoke, config):
    """For people, and as JSON."""
    told = invoke("history", "--config", config)
    assert told.code == 0
    assert told.out.index("bbb222") < told.out.index("aaa111")
    assert ids(invoke, config) == ["bbb222", "aaa111"]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("--group", "gpt"), ["bbb222"]),
        (("--kind", "hop_failed"), ["bbb222"]),
        (("--outcome", "passed"), ["aaa111"]),
        (("--path", "claude/general"), ["aaa111"]),
        (("--since", "2026-03-02T00:00+00:00"), ["bbb222"]),
        (("--since", "2026-03-09"), []),
        (("--limit", "1"), ["bbb222"]),
    ],
)
def test_the_list_is_narrowed(invoke, config, options, found):
    """By each option."""
    assert ids(invoke, config, *options) == found


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--since", "yesterday"), "neither a duration nor a time"),
        (("--kind", "hop_faild"), "Did you mean 'hop_failed'?"),
        (("--outcome", "pased"), "Did you mean 'passed'?"),
    ],
)
def test_a_slip_is_named(invoke, config, options, message):
    """With what was meant."""
    told = invoke("history", "--config", config, *options)
    assert told.code == 2
    assert message in told.err


def test_a_drill_is_shown_as_in_the_report(invoke, config):
    """What the wire saw, the client got, and what to do."""
    told = invoke("show", "bbb", "--config", config)
    assert told.code == 0
    assert "failed hop_failed" in told.out
    assert "gemma was contacted and itself failed." in told.out
    assert "→ Mend it." in told.out
    passed = invoke("show", "aaa111", "--config", config).out
    assert "passed" in passed
    assert "client: status 200" in passed


def test_everything_that_was_observed_is_there(invoke, config):
    """As JSON; null where it is kept no more."""
    told = invoke("show", "aaa111", "--config", config, "--evidence")
    assert json.loads(told.out) == {"reply": {"status": 200}}
    assert json.loads(invoke("show", "bbb222", "--config", config, "--evidence").out) is None
    row = json.loads(invoke("show", "aaa", "--config", config, "--format", "json").out)
    assert row["drill"]["id"] == "aaa111"


def test_a_drill_that_is_not_there_ends_with_2(invoke, config):
    """And says where to look."""
    told = invoke("show", "ccc", "--config", config)
    assert told.code == 2
    assert "understudy history" in told.err
