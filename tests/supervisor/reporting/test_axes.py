"""Which drills share a cause, in one line."""

from itertools import product

import pytest

from supervisor.reporting.axes import axes
from tests.fakes.rows import failed

FAULTS = ("billing", "rate_limit", "server_error")


def drills(groups, faults=FAULTS, shapes=("tool_call", "agent"), streams=(False, True), **more):
    """One drill for each combination."""
    return [
        failed(group, fault=fault, shape=shape, stream=stream, **more)
        for group, fault, shape, stream in product(groups, faults, shapes, streams)
    ]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            drills([f"g{n}" for n in range(7)]),
            "7 groups × billing, rate_limit, server_error × tool_call, agent × whole and streamed",
        ),
        (
            drills(["claude"], streams=(True,)),
            f"claude × {', '.join(FAULTS)} × tool_call, agent × streamed",
        ),
        (
            drills(["claude"], [f"f{n}" for n in range(9)], ["chat"], [False]),
            "claude × 9 faults × chat × whole",
        ),
        (
            [*drills(["a"], ["hang"], ["chat"]), *drills(["a"], ["hang"], ["chat"], depth=2)],
            "a × depths 1, 2 × hang × chat × whole and streamed",
        ),
    ],
)
def test_a_whole_product_is_said_as_one(rows, said):
    """Eighty keys are a line."""
    assert axes(rows) == said


def test_what_is_no_whole_product_is_counted():
    """× never claims a drill that passed, or was not run."""
    assert axes(drills(["a", "b"])[1:]) == "23 drills in 2 groups"
    assert axes(drills(["a"])[1:]) == "11 drills in a"
    two = [failed("a", fault="hang"), failed("b", fault="billing")]
    assert axes(two) == "2 drills in 2 groups"


def test_a_surface_is_named_where_it_is_not_the_usual_one():
    """As in the table."""
    row = failed("a")
    other = row.model_copy(
        update={"scenario": row.scenario.model_copy(update={"surface": "messages"})}
    )
    assert axes([row, other]) == "a × billing × chat × chat_completions, messages × whole"
