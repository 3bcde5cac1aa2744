"""The flags that an engine needs are exact, as far as its package and its log are known."""

import pytest

from supervisor.engine.capacity import Capacity
from supervisor.engine.facts import EngineFacts
from supervisor.engine.flag_advice import (
    command_line,
    flags_known,
    longer_context,
    models_of,
    name_flag,
    odd_parser,
    reasoning_flag,
    started_with,
    tool_flags,
)
from supervisor.engine.inspection import Inside
from supervisor.engine.log import EngineLog
from supervisor.engine.package import Parsers

OFFERED = Parsers(
    tool=("gemma4", "hermes", "qwen3_coder", "qwen3_json"),
    reasoning=("gemma4", "qwen3"),
    classes={"gemma4": "G", "hermes": "H", "qwen3_json": "H", "qwen3_coder": "Q"},
)


def engine(name="google/gemma-4-26B-A4B-it", *, parsers=OFFERED, flags=None, **facts):
    """An engine whose package offers these parsers, and whose log has these flags."""
    log = None if flags is None else EngineLog(flags=flags)
    inside = Inside(facts.pop("container", None), log, parsers)
    values = {"names": (name,), "asked_for": (name,), "has_tool_parser": False, **facts}
    return EngineFacts("local", "http://127.0.0.1:8000", inside=inside, **values)


def test_the_flags_are_exact_where_one_parser_fits():
    """They can be pasted."""
    assert tool_flags(engine()) == (
        "Start vLLM with:\n"
        "--enable-auto-tool-choice --tool-call-parser gemma4 --reasoning-parser gemma4"
    )


def test_a_reasoning_parser_that_is_there_is_not_added_again():
    """The log shows it."""
    said = tool_flags(engine(flags={"reasoning_parser": "gemma4"}))
    assert said.endswith("--tool-call-parser gemma4")


def test_several_parsers_of_a_family_are_all_named():
    """Names cannot decide between them."""
    said = tool_flags(engine("Qwen/Qwen3-30B-A3B")).splitlines()
    assert said[1:] == [
        "--enable-auto-tool-choice --tool-call-parser qwen3_coder --reasoning-parser qwen3",
        "--enable-auto-tool-choice --tool-call-parser qwen3_json --reasoning-parser qwen3",
    ]


def test_where_no_name_fits_a_few_are_listed_and_the_way_to_all():
    """Hermes is Qwen 2.5's, and nothing in its name says so."""
    said = tool_flags(engine("Qwen/Qwen2.5-7B", container="vllm"))
    assert "None of the 4 on offer is named after Qwen/Qwen2.5-7B" in said
    assert "Some: gemma4, hermes, qwen3_coder, qwen3_json" in said
    assert "docker exec vllm vllm serve --help=tool-call-parser" in said


def test_where_the_package_is_unknown_the_way_to_find_them_is_told():
    """And how to have it chosen next time."""
    said = tool_flags(EngineFacts("local", "http://x"))
    assert "--enable-auto-tool-choice --tool-call-parser NAME" in said
    assert "vllm serve --help=tool-call-parser" in said
    assert "below engines.local" in said
    failed = tool_flags(engine(parsers=Parsers(problem="there is no Docker")))
    assert failed.endswith("They could not be listed here: there is no Docker")


def test_the_checkpoint_and_its_architecture_count_before_the_alias():
    """A local engine may bear the name of the model that it stands in for."""
    said = engine("claude", root="/models/x")
    assert said.inside is not None
    assert models_of(said) == ("/models/x", "claude")
    log = EngineLog(architecture="Gemma4ForConditionalGeneration")
    named = EngineFacts(
        "local", "http://x", ("claude",), names=("claude",), inside=Inside(None, log, OFFERED)
    )
    assert "--tool-call-parser gemma4" in tool_flags(named)


@pytest.mark.parametrize(
    ("flags", "parser", "known"),
    [
        (None, None, False),
        ({}, None, True),
        ({}, False, True),
        ({"tool_call_parser": "x"}, True, True),
        ({"tool_call_parser": "x"}, False, False),
        ({}, True, False),
    ],
)
def test_flags_count_only_where_the_engine_bears_them_out(flags, parser, known):
    """A log may be of another start than the one that answers."""
    assert flags_known(engine(flags=flags, has_tool_parser=parser)) is known


def test_a_flag_is_read_from_the_log():
    """None where there is none."""
    assert started_with(engine(flags={"port": 1}), "port") == 1
    assert started_with(engine(), "port") is None
    assert started_with(EngineFacts("local", "http://x"), "port") is None


@pytest.mark.parametrize(
    ("name", "active", "odd"),
    [
        ("google/gemma-4", "hermes", ("hermes", "gemma4")),
        ("google/gemma-4", "gemma4", None),
        ("google/gemma-4", None, None),
        ("Qwen/Qwen3-30B", "gemma4", None),
        ("Qwen/Qwen3-JSON", "hermes", None),
    ],
)
def test_a_parser_of_another_model_is_told_only_where_names_can_tell(name, active, odd):
    """Two names of one class are one parser; several candidates are no suspicion."""
    flags = {"tool_call_parser": active} if active else {}
    assert odd_parser(engine(name, flags=flags, has_tool_parser=bool(active))) == odd


def test_a_missing_reasoning_parser_is_named_where_the_log_shows_that_it_is_missing():
    """Without the log nobody knows."""
    assert reasoning_flag(engine(flags={})) == "--reasoning-parser gemma4"
    assert reasoning_flag(engine(flags={"reasoning_parser": "qwen3"})) is None
    assert reasoning_flag(engine()) is None
    assert reasoning_flag(engine("other", flags={})) is None
    assert reasoning_flag(EngineFacts("local", "http://x")) is None


def test_the_names_asked_for_come_first_and_others_stay():
    """The checkpoint's path is only what vLLM takes where nobody names any."""
    said = engine("old", asked_for=("new", "a b"), names=("old", "/models/x"), root="/models/x")
    assert name_flag(said) == "--served-model-name new 'a b' old"


@pytest.mark.parametrize(
    ("held", "part"),
    [
        (None, "--max-model-len 50000 if its memory and model allow it"),
        (60_000, "--max-model-len 50000: its KV cache holds 60,000 tokens"),
        (40_000, "--max-model-len 40000 is the most"),
    ],
)
def test_a_longer_context_is_offered_as_far_as_the_kv_cache_holds_it(held, part):
    """The smallest engine of a group decides."""
    engines = [engine(capacity=Capacity(kv_cache_tokens=n)) for n in (held, held and 10**9)]
    assert part in longer_context(engines, 50_000)


def test_flags_are_written_as_they_are_typed():
    """Lists, switches and what a shell would take apart."""
    flags = {"served_model_name": ["a", "b c"], "enforce_eager": True, "x_y": False, "n": 1}
    assert command_line(flags.items()) == (
        "--served-model-name a 'b c' --enforce-eager --no-x-y --n 1"
    )
