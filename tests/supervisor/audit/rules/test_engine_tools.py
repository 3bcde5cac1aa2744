"""An engine must read its model's tool calls."""

import shlex

import pytest

from chaos.faults.kinds import FAULTS
from chaos.protocol.dialects import DIALECTS
from chaos.protocol.surfaces import SURFACES
from chaos.scenario.expand import Catalogue, Selection, scenarios_for
from chaos.traffic.shapes import SHAPES
from supervisor.audit.rules.engine_tools import engine_parser_unknown, engine_tool_calls_disabled
from supervisor.engine.facts import EngineFacts
from supervisor.engine.inspection import Inside
from supervisor.engine.log import EngineLog
from supervisor.engine.package import Parsers
from tests.fakes.audit_findings import audited, brief
from tests.fakes.topologies import group


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


def inside(**flags):
    """What its log and its package say."""
    return Inside(None, EngineLog(flags=flags), Parsers(("gemma4", "hermes"), ("gemma4",)))


def test_the_flags_to_add_are_exact_where_the_package_is_known():
    """They come from its own list of parsers."""
    seen = said(names=("google/gemma-4-26B",), has_tool_parser=False, inside=inside())
    (finding,) = engine_tool_calls_disabled(seen)
    assert finding.remedy.splitlines()[1] == (
        "--enable-auto-tool-choice --tool-call-parser gemma4 --reasoning-parser gemma4"
    )


def test_a_parser_without_automatic_choice_is_an_error_too():
    """Its metric is there, and it refuses all the same; only its log tells."""
    flags = {"tool_call_parser": "gemma4"}
    (finding,) = engine_tool_calls_disabled(said(has_tool_parser=True, inside=inside(**flags)))
    assert finding.remedy == "Start vLLM with:\n--enable-auto-tool-choice"
    both = inside(**flags, enable_auto_tool_choice=True)
    assert brief(engine_tool_calls_disabled(said(has_tool_parser=True, inside=both))) == []
    assert brief(engine_tool_calls_disabled(said(has_tool_parser=True))) == []


def test_what_the_engine_answered_about_automatic_choice_counts_for_more_than_its_log():
    """The log may be of another start."""
    stale = inside(tool_call_parser="gemma4")
    for told, found in ((True, []), (False, ["engine_tool_calls_disabled"])):
        seen = said(has_tool_parser=True, auto_tools=told, inside=stale)
        assert [one.code for one in engine_tool_calls_disabled(seen)] == found


def test_another_model_s_parser_is_a_note_with_the_right_one():
    """Names are a hint; a drill is the proof."""
    flags = inside(tool_call_parser="hermes", reasoning_parser="gemma4")
    seen = said(names=("gemma-4",), has_tool_parser=True, inside=flags)
    (finding,) = engine_parser_unknown(seen)
    assert brief([finding]) == [("engine_parser_unknown", "info", "local")]
    assert "--tool-call-parser gemma4" in finding.remedy


def test_a_missing_reasoning_parser_is_a_note():
    """What the model thinks may leak into its answers."""
    flags = inside(tool_call_parser="gemma4", enable_auto_tool_choice=True)
    seen = said(names=("gemma-4",), has_tool_parser=True, inside=flags)
    (finding,) = engine_parser_unknown(seen)
    assert finding.remedy == "Start vLLM with:\n--reasoning-parser gemma4"
    none = said(names=("gemma-4",), has_tool_parser=False, inside=inside())
    assert brief(engine_parser_unknown(none)) == []


CATALOGUE = Catalogue(FAULTS, SHAPES, SURFACES, DIALECTS)


def drilled(command, topology):
    """The scenarios that a proposed command would drill."""
    words = shlex.split(command)
    assert words[:2] == ["understudy", "drill"]
    options = dict(zip(words[2::2], words[3::2], strict=True))
    selection = Selection(
        groups=(options["--group"],),
        shapes=(options["--shape"],),
        depth=int(options["--depth"]),
    )
    return scenarios_for(topology, selection, CATALOGUE)


@pytest.mark.parametrize(
    ("chains", "group_"),
    [
        ({"claude": ["local"]}, "claude"),
        ({"claude": ["gpt", "local"]}, "claude"),
        ({"claude": ["gpt", "local"], "my gpt": ["local"]}, "my gpt"),
    ],
)
def test_the_proposed_drill_is_one_in_which_the_engine_serves(chains, group_):
    """A drill of the engine's own group would break the engine itself."""
    facts = EngineFacts("local", "http://x", names=("gemma",))
    seen = audited(chains, engines=(facts,))
    (finding,) = engine_parser_unknown(seen)
    found = drilled(finding.remedy.splitlines()[1], seen.topology)
    assert {(one.group, one.chain[one.depth]) for one in found} == {(group_, "local")}


def test_an_engine_that_nothing_falls_back_to_is_put_behind_a_group_first():
    """No drill reaches it before that."""
    facts = EngineFacts("local", "http://x", names=("gemma",))
    seen = audited({"local": [], "claude": ["gpt"]}, engines=(facts,))
    (finding,) = engine_parser_unknown(seen)
    assert '- "claude": ["gpt", "local"]' in finding.remedy
    after = audited({"local": [], "claude": ["gpt", "local"]})
    found = drilled(finding.remedy.splitlines()[-1], after.topology)
    assert {one.chain[one.depth] for one in found} == {"local"}
