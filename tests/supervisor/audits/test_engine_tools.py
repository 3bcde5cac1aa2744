"""An engine must read its model's tool calls."""

from supervisor.audits.engine_tools import engine_parser_unknown, engine_tool_calls_disabled
from supervisor.engine_facts import EngineFacts
from tests.fakes.topologies import group
from tests.supervisor.audits.findings import audited, brief


def said(groups=None, **facts):
    """A gateway whose engine said this."""
    values = {"group": "local", "url": "http://127.0.0.1:8000", "names": ("gemma",), **facts}
    return audited({"claude": ["local"]}, groups=groups, engines=(EngineFacts(**values),))


def test_an_engine_without_a_parser_is_an_error():
    """It refuses every request with tools, and plain chat goes on passing."""
    (finding,) = engine_tool_calls_disabled(said(has_tool_parser=False))
    assert brief([finding]) == [("engine_tool_calls_disabled", "error", "local")]
    assert "--enable-auto-tool-choice --tool-call-parser" in finding.remedy


def test_an_engine_that_does_not_tell_is_a_note():
    """Only a drill can tell."""
    seen = said(has_tool_parser=None)
    assert brief(engine_tool_calls_disabled(seen)) == []
    assert brief(engine_parser_unknown(seen)) == [("engine_parser_unknown", "info", "local")]


def test_a_parser_that_never_found_a_call_is_a_warning():
    """It may be another model's; a few requests without a call prove nothing."""
    found = brief(engine_parser_unknown(said(has_tool_parser=True, calls_missed=20)))
    assert found == [("engine_parser_unknown", "warning", "local")]
    for counts in ({"calls_missed": 19}, {"calls_missed": 20, "calls_parsed": 1}):
        assert brief(engine_parser_unknown(said(has_tool_parser=True, **counts))) == []


def test_what_cannot_be_asked_or_makes_embeddings_is_left_alone():
    """Neither calls tools."""
    embeds = {"local": group("local", mode="embedding")}
    for seen in (
        said(has_tool_parser=None, problem="down"),
        said(has_tool_parser=None, names=None),
        said(groups=embeds, has_tool_parser=False),
        said(groups=embeds, has_tool_parser=None),
    ):
        found = [*engine_parser_unknown(seen), *engine_tool_calls_disabled(seen)]
        assert brief(found) == []
