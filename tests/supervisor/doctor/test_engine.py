"""Each local engine says how it stands, what fits into it, and how it was started."""

import pytest

from supervisor.doctor.engine import Examined, engine_items
from supervisor.engine.capacity import from_log, from_models, merge
from supervisor.engine.facts import EngineFacts
from supervisor.engine.inspection import Inside, Note
from supervisor.engine.log import EngineLog
from supervisor.engine.package import Parsers
from supervisor.probes.probe import State
from tests.fakes.topologies import topology


def items(state=None, reason="", **facts):
    """What is said of one engine."""
    values = {"asked_for": ("gemma",), "names": ("gemma",), "has_tool_parser": True, **facts}
    said = EngineFacts("local", "http://127.0.0.1:8000", **values)
    return list(engine_items(topology({"claude": ["local"]}), [Examined(said, state, reason)]))


def told(found):
    """Names and states."""
    return [(item.name, item.status.value) for item in found]


@pytest.mark.parametrize(
    ("facts", "status", "part"),
    [
        ({}, "ok", "has a tool-call parser"),
        ({"max_model_len": {"gemma": 65536}}, "ok", "serves gemma (65,536 tokens)"),
        ({"auto_tools": True}, "ok", "has a tool-call parser and takes requests with tools"),
        ({"auto_tools": False}, "fail", "automatic tool choice is off"),
        ({"names": None, "has_tool_parser": None}, "ok", "answers"),
        ({"names": ("other",)}, "fail", "'other'"),
        ({"has_tool_parser": False}, "fail", "without a tool-call parser"),
        ({"problem": "connection refused"}, "fail", "connection refused"),
        ({"problem": "no address", "foreign_name": True}, "warn", "no address"),
        ({"capacity": from_models({"gemma": 65536})}, "ok", "answers"),
    ],
)
def test_an_engine_says_what_it_serves_or_what_is_wrong(facts, status, part):
    """One engine, one line, unless more is known or wrong."""
    (item,) = items(**facts)
    assert (item.name, item.status.value) == ("engine", status)
    assert part in item.message


def test_what_fits_into_it_is_a_line_with_its_sources():
    """Disagreement is a second one."""
    one, other = EngineLog(kv_cache_tokens=1000), EngineLog(kv_cache_tokens=2000)
    found = items(capacity=merge(from_log(one), from_log(other)))
    assert told(found[1:]) == [("engine_capacity", "ok"), ("engine_capacity", "warn")]
    assert found[1].message == "engine of 'local': size of the KV cache 1,000 tokens (log)"
    assert "1,000 tokens by its log and 2,000" in found[2].message


def test_its_flags_are_shown_as_they_are_typed():
    """As its log has them, without vLLM's double of the model."""
    flags = {"model_tag": "m", "model": "m", "max_model_len": 8192, "tool_call_parser": "hermes"}
    (_, item) = items(inside=Inside(log=EngineLog(flags=flags)))
    assert (item.name, item.status.value) == ("engine_flags", "ok")
    assert item.message.endswith(
        "by its log: --model m --max-model-len 8192 --tool-call-parser hermes"
    )


def test_flags_of_another_start_are_called_so():
    """The log has a parser and the engine that answers has none."""
    inside = Inside(log=EngineLog(flags={"tool_call_parser": "hermes"}))
    found = items(inside=inside, has_tool_parser=False)
    assert "of another start than the one that answers" in found[1].message


def test_what_vllm_decided_by_itself_is_told():
    """A shorter context, slower kernels, another temperature."""
    log = EngineLog(
        shortened_from=262144,
        max_model_len=131072,
        fp4_weight_only=True,
        sampling="{'temperature': 1.0}",
    )
    found = items(inside=Inside(log=log))
    assert told(found[1:]) == [
        ("engine_context", "warn"),
        ("engine_kernels", "warn"),
        ("engine_sampling", "ok"),
    ]
    assert "262,144 to 131,072" in found[1].message


def test_what_could_not_be_read_is_a_warning_with_its_remedy():
    """Drills are possible all the same."""
    (_, item) = items(inside=Inside(notes=(Note("there is no container 'x'", "Name one."),)))
    assert (item.name, item.status.value, item.remedy) == ("engine_inside", "warn", "Name one.")


def test_the_parsers_on_offer_are_counted():
    """Their names are the audit's to use."""
    parsers = Parsers(("a", "b"), ("c",), "0.32.0", where="container vllm")
    (_, item) = items(inside=Inside(parsers=parsers))
    assert item.message == (
        "engine of 'local': vLLM 0.32.0 in container vllm offers 2 tool-call and 1 reasoning "
        "parsers"
    )
    assert told(items(inside=Inside(parsers=Parsers(problem="x")))) == [("engine", "ok")]


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (State.DOWN, "fail"),
        (State.HUNG, "fail"),
        (State.UNKNOWN, "warn"),
        (State.BUSY, "warn"),
        (State.SLOW, "warn"),
    ],
)
def test_a_state_that_is_not_well_is_told_with_its_reason(state, status):
    """Before everything else."""
    item, *_ = items(state, "three wait")
    assert (item.name, item.status.value) == ("engine_state", status)
    assert item.message == f"engine of 'local' is {state}: three wait"


@pytest.mark.parametrize("state", [State.UP, State.DRIFTED, None])
def test_a_state_that_is_well_or_told_otherwise_is_no_line(state):
    """A wrong name is a finding of its own."""
    assert told(items(state)) == [("engine", "ok")]
