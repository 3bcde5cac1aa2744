"""A vLLM that is started as it should be holds, on every surface, for both model families."""

import pytest
import pytest_asyncio

from chaos.judge.verdict import Outcome

SHAPES = (
    "chat",
    "tool_call",
    "tool_call_required",
    "parallel_tool_calls",
    "tool_result",
    "structured_output",
    "agent",
)


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def well(stage):
    """Both engines are well."""
    await stage.engines()


@pytest.mark.one_of_a_kind
@pytest.mark.parametrize("surface", ["chat_completions", "messages", "responses"])
@pytest.mark.parametrize("group", ["claude", "gpt"])
async def test_every_shape_passes(stage, group, surface):
    """All shapes pass, streamed and whole, and it was the engine itself that served."""
    rows = await stage.drill(group, shapes=SHAPES, surfaces=(surface,))
    assert len(rows) == 2 * len(SHAPES)
    assert {key: row.kind for key, row in rows.items() if row.outcome is not Outcome.PASSED} == {}
    assert {row.hops[1].outcome for row in rows.values()} == {"served"}
