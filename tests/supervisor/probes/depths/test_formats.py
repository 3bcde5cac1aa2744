"""Which formats an engine's parsers read, from real servers."""

import pytest

from chaos.lab.engine_flags import EngineFlags
from supervisor.probes.depths.look import Depth
from supervisor.probes.probe import Outcome, State
from tests.fakes.engine_looks import WELL, answers, look, look_at, page
from tests.fakes.server import serving


@pytest.mark.parametrize(("parser", "reads"), [("hermes", "hermes"), ("pythonic", "pythonic")])
async def test_the_active_tool_parser_is_told_by_what_it_reads(parser, reads):
    """A parser of another model is seen by the texts that it takes for calls."""
    reading = await look_at(EngineFlags(tool_call_parser=parser), depth=Depth.PARSERS)
    assert reading.facts.tool_formats == (reads,)


async def test_a_missing_reasoning_parser_is_told():
    """Without one no format of thoughts is set apart, and no tokens of it are counted."""
    reading = await look_at(EngineFlags(reasoning_parser=None), depth=Depth.PARSERS)
    assert reading.facts.has_reasoning_parser is False
    assert reading.facts.reasoning_formats == ()


async def test_an_engine_whose_tools_are_off_is_not_asked_for_calls():
    """Where every request with tools is refused, no call is tried, and thoughts still are."""
    off = EngineFlags(enable_auto_tool_choice=False)
    reading = await look_at(off, depth=Depth.PARSERS)
    assert reading.facts.tool_formats is None
    assert "tool_formats" not in {step.name for step in reading.steps}
    assert reading.facts.reasoning_formats == ("gemma4",)


async def test_an_engine_that_forces_no_text_tells_nothing_of_its_parsers():
    """A server that ignores the grammar is told as unknown, not as one without a parser."""
    async with serving(answers(**WELL)) as url:
        reading = await look(url, depth=Depth.PARSERS)
    assert reading.state is State.UP
    assert reading.facts.tool_formats is None
    (step,) = [step for step in reading.steps if step.name == "tool_formats"]
    assert (step.outcome, step.found) == (
        Outcome.UNKNOWN,
        "it writes no text that it is told to write",
    )


async def test_formats_are_not_asked_of_what_gave_no_token():
    """Where one token did not come, hundreds are not asked for."""
    asked = []

    async def counting(request):
        asked.append(request.path)
        return await answers(**{**WELL, "v1chatcompletions": page()})(request)

    async with serving(counting) as url:
        await look(url, depth=Depth.PARSERS)
    # One for the tool flags, one for the token.
    assert asked.count("/v1/chat/completions") == 2
