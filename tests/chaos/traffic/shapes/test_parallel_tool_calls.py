"""Two calls in one answer."""

from chaos.traffic.shapes.parallel_tool_calls import ParallelToolCalls


def test_two_tools_are_called_and_each_carries_the_nonce():
    """So a call that lost its arguments is told from one that did not."""
    task = ParallelToolCalls().task("3fa91c02", max_tokens=5)
    assert len({call.name for call in task.expect.calls}) == 2
    assert all("3fa91c02" in call.arguments.values() for call in task.expect.calls)


def test_nothing_forbids_them():
    """The parameter is left out: not every provider knows it, and together is the default."""
    assert ParallelToolCalls().task("3fa91c02", max_tokens=5).ask.parallel_tool_calls is None
