"""A forced call."""

from chaos.traffic.shapes.tool_call_required import ToolCallRequired


def test_the_request_forces_the_call():
    """``tool_choice`` is required, and one call is expected."""
    task = ToolCallRequired().task("3fa91c02", max_tokens=5)
    assert task.ask.tool_choice == "required"
    assert len(task.expect.calls) == 1
