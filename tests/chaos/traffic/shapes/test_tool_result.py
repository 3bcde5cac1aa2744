"""The turn after a tool call."""

from chaos.traffic.shapes.tool_result import CALL_ID, ToolResult


def test_only_the_result_holds_the_nonce():
    """An answer with the nonce has really used the result."""
    turns = ToolResult().task("3fa91c02", max_tokens=5).ask.turns
    assert [("3fa91c02" in turn.text) for turn in turns] == [False, False, True]
    assert "3fa91c02" not in turns[1].tool_calls[0].arguments


def test_the_result_answers_the_call():
    """Both name the same id, which has a form that every provider takes."""
    _, called, result = ToolResult().task("3fa91c02", max_tokens=5).ask.turns
    assert called.tool_calls[0].id == result.tool_call_id == CALL_ID
    assert CALL_ID.isalnum()
    assert len(CALL_ID) == 9
