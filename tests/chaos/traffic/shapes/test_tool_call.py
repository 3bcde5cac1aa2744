"""A call that the model decides on."""

from chaos.traffic.shapes.tool_call import ToolCallAuto


def test_the_model_is_free_not_to_call():
    """``auto`` goes another way through engines than a forced call, so it stays auto."""
    task = ToolCallAuto().task("3fa91c02", max_tokens=5)
    assert task.ask.tool_choice == "auto"
    assert [call.arguments["note"] for call in task.expect.calls] == ["3fa91c02"]
