"""``understudy status`` and ``coverage``, where no daemon runs."""

import json

import pytest

from chaos.judge.check import Kind
from tests.fakes.ledgers import entry, path, wish
from tests.fakes.stores import filled

CLAUDE, GPT = path("claude"), path("gpt")


@pytest.fixture
def config(tmp_path):
    """A configuration whose store has one proven path and one that failed."""
    return filled(
        tmp_path,
        {CLAUDE: wish(), GPT: wish()},
        [entry("d1", CLAUDE), entry("d2", GPT, kind=Kind.HOP_FAILED)],
    )


def test_the_coverage_of_the_past_is_shown(invoke, config):
    """A failed path ends it with 1."""
    told = invoke("coverage", "--config", config)
    assert told.code == 1
    assert told.out.index("gpt → gemma") < told.out.index("claude → gemma")
    assert "hop_failed" in told.out


def test_json_is_what_the_api_answers(invoke, config):
    """Paths with their verdicts."""
    answer = json.loads(invoke("coverage", "--config", config, "--format", "json").out)
    assert {p["group"]: p["state"] for p in answer["paths"]} == {
        "claude": "proven",
        "gpt": "failed",
    }


def test_what_is_next_is_explained(invoke, config):
    """In words, or as JSON."""
    told = invoke("coverage", "--next", "--config", config)
    assert "next: gpt/general/gemma" in told.out
    assert "3 times as urgent because it failed" in " ".join(told.out.split())
    answer = json.loads(invoke("coverage", "--next", "--config", config, "--format", "json").out)
    assert answer["path"].startswith("gpt/")


def test_the_status_says_that_no_daemon_runs(invoke, config):
    """And ends with 1."""
    told = invoke("status", "--config", config)
    assert told.code == 1
    assert "no daemon runs" in told.out
    assert json.loads(invoke("status", "--config", config, "--format", "json").out)["problems"]


def test_nothing_to_ask_ends_with_2(invoke, tmp_path):
    """And says how a daemon is started."""
    told = invoke("status", XDG_STATE_HOME=str(tmp_path))
    assert told.code == 2
    assert "understudy run" in told.err
