"""Each way to start a vLLM badly gets the right verdict, through the real LiteLLM.

The engines are started anew for each state: what is expected of both stands in one table.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest
import pytest_asyncio

from chaos.judge.verdict import Outcome
from supervisor.probes.depths.forced import OWN
from supervisor.probes.depths.look import Depth
from tests.engine.stage import GEMMA_FLAGS, HERMES_FLAGS, QWEN, Stage, Start

TOOLS = ("tool_call", "parallel_tool_calls", "agent")
"""The shapes in which the model is free to call."""

SHAPES = ("chat", *TOOLS, "tool_call_required", "tool_result", "structured_output")
Facts = Mapping[str, object]
"""What the probe has to learn of an engine, and under ``state`` how it says that it stands."""

Expected = Mapping[str, str]
"""What comes of a drill: ``passed`` or the kinds that are right, by shape, or by shape and
streaming where that makes a difference. What is not named passes."""


@dataclass(frozen=True)
class State:
    """Two engines, and what drills of each find on chat completions and on responses."""

    name: str
    gemma: Start
    hermes: Start
    claude: Expected
    gpt: Expected
    claude_responses: Expected = field(default_factory=dict)
    gpt_responses: Expected = field(default_factory=dict)
    gemma_facts: Facts = field(default_factory=dict)
    hermes_facts: Facts = field(default_factory=dict)


def each(shapes, kind):
    """Expect *kind* of all of *shapes*."""
    return dict.fromkeys(shapes, kind)


REFUSED = each((*TOOLS, "tool_call_required"), "hop_failed")
LEAKED = each(TOOLS, "tool_call_leaked")
NONSENSE = (
    "tool_call_invalid or tool_call_missing or tool_call_leaked or empty_reply or token_budget"
)
"""What comes of a call when the grammar of one model is forced on another."""

LEAKED_HERMES = {**LEAKED, "tool_call_required": "tool_call_leaked"}
"""On /v1/responses vLLM refuses nothing: with any flags the call leaks."""

LEAKED_GEMMA = {
    **LEAKED,
    "tool_call_required": NONSENSE,
    # Only gemma4's own tool parser keeps the markers of a thought for the reasoning parser.
    "chat/stream": "answer_degraded",
    "tool_result/stream": "answer_degraded",
}

THOUGHT_SHOWN = each((*TOOLS, "chat", "tool_result"), "answer_degraded")

STATES = (
    State(
        "no tool flags; auto flag missing",
        # Only the auto flag: a parser is there, and required calls are refused all the same.
        gemma=Start(replace(GEMMA_FLAGS, enable_auto_tool_choice=False)),
        hermes=Start(replace(HERMES_FLAGS, enable_auto_tool_choice=False, tool_call_parser=None)),
        claude={
            **REFUSED,
            "tool_result": "hop_failed",
            # Where tools are off, vLLM's gemma4 reasoning parser misses its markers in a stream.
            "chat/stream": "answer_degraded",
        },
        gpt={**REFUSED, "tool_result": "hop_failed"},
        claude_responses=LEAKED_GEMMA,
        gpt_responses=LEAKED_HERMES,
        gemma_facts={"state": "up", "has_tool_parser": True, "auto_tools": False},
        hermes_facts={"state": "up", "has_tool_parser": False, "auto_tools": False},
    ),
    State(
        "the parser of another model",
        gemma=Start(GEMMA_FLAGS, ("--tool-call-parser", "hermes")),
        hermes=Start(HERMES_FLAGS, ("--tool-call-parser", "gemma4")),
        claude={
            **LEAKED,
            "tool_call_required": NONSENSE,
            # Only gemma4's own tool parser keeps its markers for the reasoning parser.
            "chat/stream": "answer_degraded",
            "tool_result/stream": "answer_degraded",
        },
        gpt=LEAKED_HERMES,
        claude_responses=LEAKED_GEMMA,
        gpt_responses=LEAKED_HERMES,
        gemma_facts={"state": "up", "auto_tools": True, "tool_formats": ("hermes",)},
        hermes_facts={"state": "up", "auto_tools": True, "tool_formats": ("gemma4",)},
    ),
    State(
        "the parser of a third model",
        gemma=Start(GEMMA_FLAGS, ("--tool-call-parser", "pythonic")),
        hermes=Start(HERMES_FLAGS, ("--tool-call-parser", "pythonic")),
        claude={
            **LEAKED,
            "tool_call_required": NONSENSE,
            "chat/stream": "answer_degraded",
            "tool_result/stream": "answer_degraded",
        },
        gpt={
            **LEAKED,
            "tool_call_required": NONSENSE,
        },
        claude_responses=LEAKED_GEMMA,
        gpt_responses={**LEAKED, "tool_call_required": NONSENSE},
        gemma_facts={"state": "up", "tool_formats": ("pythonic",)},
        hermes_facts={"state": "up", "tool_formats": ("pythonic",)},
    ),
    State(
        "no reasoning parser",
        gemma=Start(replace(GEMMA_FLAGS, reasoning_parser=None)),
        hermes=Start(replace(HERMES_FLAGS, reasoning_parser=None)),
        claude={**THOUGHT_SHOWN, "tool_call_required": "answer_degraded"},
        # Where a grammar rules from the first token on, there is no thought to be shown.
        gpt=THOUGHT_SHOWN,
        claude_responses={**THOUGHT_SHOWN, "tool_call_required": "answer_degraded"},
        gpt_responses=THOUGHT_SHOWN,
        gemma_facts={"state": "up", "has_reasoning_parser": False, "reasoning_formats": ()},
        hermes_facts={"state": "up", "has_reasoning_parser": False, "reasoning_formats": ()},
    ),
    State(
        "served name changed; context shorter than asked",
        gemma=Start(replace(GEMMA_FLAGS, served_model_names=("gemma-4-26b",))),
        hermes=Start(replace(HERMES_FLAGS, max_model_len=8_192)),
        claude=each(SHAPES, "hop_failed"),
        gpt={"agent": "hop_failed"},
        claude_responses=each(SHAPES, "hop_failed"),
        gpt_responses={"agent": "hop_failed"},
        gemma_facts={"state": "drifted", "names": ("gemma-4-26b",)},
        hermes_facts={
            "state": "up",
            "max_model_len": {QWEN: 8_192},
            "tool_formats": ("hermes",),
            "reasoning_formats": (OWN,),
        },
    ),
)


@pytest_asyncio.fixture(
    scope="module",
    loop_scope="session",
    params=[
        # The founding incident stands for the others where only one of a kind is run.
        pytest.param(one, id=one.name, marks=[pytest.mark.one_of_a_kind] if not place else [])
        for place, one in enumerate(STATES)
    ],
)
async def state(request: pytest.FixtureRequest, stage: Stage) -> State:
    """Both engines, started as the state says."""
    wanted: State = request.param
    await stage.engines(gemma=wanted.gemma, hermes=wanted.hermes)
    return wanted


def surprises(rows, expected: Expected) -> list[str]:
    """What did not come as expected, each with what it was."""
    wrong = []
    for key, row in rows.items():
        shape, _, streaming = key.split("/")
        right = expected.get(f"{shape}/{streaming}", expected.get(shape, "passed"))
        came = "passed" if row.outcome is Outcome.PASSED else str(row.kind)
        if came not in right.split(" or "):
            wrong.append(f"{key}: {came} instead of {right}")
    return wrong


@pytest.mark.parametrize("group", ["claude", "gpt"])
async def test_the_verdict_names_what_is_wrong(stage, state, group):
    """Every shape, streamed and whole, has the verdict that this start deserves."""
    rows = await stage.drill(group, shapes=SHAPES)
    assert len(rows) == 2 * len(SHAPES)
    assert surprises(rows, getattr(state, group)) == []


@pytest.mark.parametrize("group", ["claude", "gpt"])
async def test_the_engines_own_responses_api_is_judged_by_itself(stage, state, group):
    """On /v1/responses, which vLLM serves itself, flags do other things than on chat."""
    expected = getattr(state, f"{group}_responses")
    rows = await stage.drill(group, shapes=SHAPES, surfaces=("responses",))
    assert len(rows) == 2 * len(SHAPES)
    assert surprises(rows, expected) == []


@pytest.mark.parametrize("name", ["gemma", "hermes"])
async def test_the_probe_learns_how_it_was_started(stage, state, name):
    """A deep look finds the flags, the parsers and the names, without a drill."""
    look = await stage.look(name, depth=Depth.PARSERS)
    came = {"state": look.state.value} | {
        key: getattr(look.facts, key) for key in getattr(state, f"{name}_facts") if key != "state"
    }
    assert came == getattr(state, f"{name}_facts"), look.reason


@pytest.mark.parametrize("group", ["claude", "gpt"])
async def test_the_health_of_a_badly_started_engine_is_green(stage, state, group):
    """What drills find is not to be seen by asking for health: that is why there are drills."""
    engine = stage.gemma if group == "claude" else stage.hermes
    async with stage.session.get(f"{engine.url}/health") as reply:
        assert reply.status == 200
