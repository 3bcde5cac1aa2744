"""The demo's story with a real vLLM in the place of the simulated one."""

import io

from rich.console import Console

from supervisor.cli.demo import tell_the_story


async def test_the_story_comes_out_the_same_with_a_real_engine(
    litellm_executable, vllm_executable, capsys
):
    """Every step comes out as told, and the engine's own words are in it."""
    told = io.StringIO()
    out = Console(file=told, width=100)
    err = Console(file=io.StringIO())
    said: list[str] = []
    assert await tell_the_story(out, err, said.append, engine_kind="vllm") == 0, told.getvalue()
    story = told.getvalue()
    assert "auto" in story
    assert "requires --enable-auto-tool-choice" in " ".join(story.split())
    assert "tool_call_leaked" in story
    assert sum("Starting vLLM" in line for line in said) == 3
