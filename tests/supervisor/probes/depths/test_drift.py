"""What makes an engine another one than it was."""

from dataclasses import replace
from typing import Any

import pytest

from supervisor.engine.capacity import Capacity
from supervisor.engine.facts import EngineFacts
from supervisor.probes.depths.drift import drift

BEFORE = EngineFacts(
    "gemma",
    "http://e",
    names=("g", "alias"),
    max_model_len={"g": 65_536},
    root="/m",
    version="0.32.0",
    fingerprint="vllm-0.32.0-aa",
    started_at_s=100,
    has_tool_parser=True,
    auto_tools=True,
    has_reasoning_parser=True,
    tool_formats=("gemma4",),
    reasoning_formats=("gemma4",),
    capacity=Capacity(kv_cache_tokens=100_000),
)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"names": ("g",)}, "it no longer serves alias, but g"),
        ({"names": ()}, "it no longer serves alias, g, but nothing"),
        ({"max_model_len": {"g": 8_192}}, "the context of g was 65,536 tokens and is 8,192"),
        (
            {"capacity": Capacity(kv_cache_tokens=89_999)},
            "its KV cache held 100,000 tokens and holds 89,999",
        ),
        ({"root": "/n"}, "its checkpoint was /m and is /n"),
        ({"version": "0.33.0"}, "its version was 0.32.0 and is 0.33.0"),
        ({"fingerprint": "b"}, "its fingerprint was vllm-0.32.0-aa and is b"),
        ({"has_tool_parser": False}, "its tool-call parser was there and is missing"),
        ({"auto_tools": False}, "its automatic tool choice was there and is missing"),
        ({"has_reasoning_parser": False}, "its reasoning parser was there and is missing"),
        (
            {"tool_formats": ()},
            "the format of tool calls that it reads was gemma4 and is none that is known",
        ),
        (
            {"reasoning_formats": ("think",)},
            "the format of thoughts that it reads was gemma4 and is think",
        ),
    ],
)
def test_each_change_is_told_once(change, told):
    """One change gives one sentence, with what was and what is."""
    assert drift(BEFORE, replace(BEFORE, **change)) == (told,)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"started_at_s": 200},
        {"names": ("g", "alias", "more")},
        {"calls_parsed": 9},
        {"capacity": Capacity(kv_cache_tokens=90_000)},
        {"capacity": Capacity()},
    ],
    ids=["nothing", "a restart", "one more name", "counters", "a tenth of the cache", "no cache"],
)
def test_what_is_no_drift(change):
    """A restart, a further name and counters that move are no drift."""
    assert drift(BEFORE, replace(BEFORE, **change)) == ()


@pytest.mark.parametrize("name", ["version", "fingerprint", "names", "tool_formats", "auto_tools"])
def test_what_is_not_known_has_not_drifted(name):
    """A look that was less deep finds no drift in what it did not ask."""
    unknown: dict[str, Any] = {name: None}
    assert drift(BEFORE, replace(BEFORE, **unknown)) == ()
    assert drift(replace(BEFORE, **unknown), BEFORE) == ()
