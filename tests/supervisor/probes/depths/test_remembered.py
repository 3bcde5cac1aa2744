"""What is known of an engine outlives the daemon that learnt it."""

import json
from dataclasses import replace

import pytest

from supervisor.engine.capacity import Capacity
from supervisor.engine.facts import EngineFacts
from supervisor.probes.depths.drift import drift
from supervisor.probes.depths.remembered import as_json, from_json, merged

FACTS = EngineFacts(
    "gemma",
    "http://e",
    names=("g",),
    max_model_len={"g": 65_536},
    root="/m",
    version="0.32.0",
    fingerprint="f",
    started_at_s=100.0,
    has_tool_parser=True,
    auto_tools=True,
    has_reasoning_parser=False,
    tool_formats=("gemma4",),
    reasoning_formats=(),
    capacity=Capacity(kv_cache_tokens=4_096),
)


def test_it_comes_back_as_it_was_written():
    """Everything that drift is judged by survives JSON."""
    back = from_json(json.loads(json.dumps(as_json(FACTS))), "gemma", "http://e")
    assert back == FACTS
    assert back is not None
    assert drift(FACTS, back) == ()


@pytest.mark.parametrize("written", [None, [], {}, {"names": 1}, {**as_json(FACTS), "names": 3}])
def test_what_was_not_written_so_is_nothing(written):
    """A record of another version makes the next look the first one."""
    assert from_json(written) is None


def test_what_was_learnt_of_a_start_holds_for_that_start():
    """A look that did not ask for the flags does not forget them, and a restart does."""
    shallow = replace(FACTS, auto_tools=None, fingerprint=None)
    assert merged(FACTS, shallow) == FACTS
    restarted = replace(shallow, started_at_s=200.0)
    assert merged(FACTS, restarted) == restarted
    assert merged(None, shallow) == shallow


def test_an_engine_that_does_not_say_when_it_started_is_told_anew_each_time():
    """Without a start nothing tells that it is still the same."""
    unknown = replace(FACTS, started_at_s=None, auto_tools=None)
    assert merged(replace(FACTS, started_at_s=None), unknown) == unknown
