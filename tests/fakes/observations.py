"""Builders of plans and observations, so that a test says only what is special about its drill.

The usual drill: ``claude`` fails with ``billing``, and ``gemma``, a local hop, serves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from chaos.faults.fault import FaultName, Phase
from chaos.gateway.topology import Deployment, Trigger
from chaos.judge.checks import CHECKS
from chaos.judge.observation import ClientReply, Observation, Sample
from chaos.judge.verdict import Verdict, judge
from chaos.protocol.conversation import Ask, Finish, ResponseSchema, ToolCall, ToolSpec, Turn
from chaos.protocol.reading import Defect, DefectFound, ReadError, Reading
from chaos.scenario.plan import DrillPlan, HopRole, PlannedHop
from chaos.scenario.scenario import Scenario
from chaos.traffic.shape import Expectation, ExpectedCall, Task
from chaos.witness.wire_record import AttemptOutcome, KeyOwner, WireRecord

NONCE = "7f3a91c2"
PROMPT = f"Say the word {NONCE} and nothing else."
TEXT = f"The word is {NONCE}."
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {"code": {"type": "string"}, "count": {"type": "integer"}},
    "required": ["code", "count"],
    "additionalProperties": False,
}
TOOL = ToolSpec("look_up", "Look a code up.", SCHEMA)
CALL = ToolCall("call_1", "look_up", f'{{"code": "{NONCE}", "count": 3}}')

CHAT = Task(Ask(turns=(Turn("user", PROMPT),), max_tokens=512), Expectation(nonce_in_text=True))
TOOL_TASK = Task(
    Ask(turns=(Turn("user", PROMPT),), tools=(TOOL,), max_tokens=512),
    Expectation(calls=(ExpectedCall("look_up", {"code": NONCE, "count": 3}, SCHEMA),)),
)
STRUCTURE_TASK = Task(
    Ask(turns=(Turn("user", PROMPT),), response_schema=ResponseSchema("answer", SCHEMA)),
    Expectation(schema=SCHEMA, schema_values={"code": NONCE}),
)
EMBEDDING_TASK = Task(Ask(inputs=(f"one {NONCE}", "two")), Expectation(vectors=2))


def embedded(*sizes: int) -> tuple[tuple[float, ...], ...]:
    """Make an embedding of each size, no two alike."""
    return tuple(
        tuple(1 / (place + number + 1) for number in range(size))
        for place, size in enumerate(sizes)
    )


def sampled(*readings: Reading | None, task: Task = CHAT, nonce: str = NONCE) -> tuple[Sample, ...]:
    """Make what the serving hop said when it was asked *task* directly."""
    asked = replace(plan(task=task), nonce=nonce)
    return tuple(Sample(asked, reading) for reading in readings)


def deployment(group: str, *, local: bool = False) -> Deployment:
    """Make the only deployment of *group*."""
    return Deployment(
        id=f"id-{group}",
        group=group,
        litellm_model=f"provider/{group}-upstream",
        provider="provider",
        dialect="openai",
        upstream_model=f"{group}-upstream",
        local=local,
    )


def plan(
    *,
    chain: Sequence[str] = ("claude", "gemma"),
    depth: int = 1,
    fault: str = "billing",
    phase: Phase = Phase.BEFORE_FIRST_BYTE,
    task: Task = CHAT,
    stream: bool = False,
    canary: bool = True,
    attempts_allowed: int = 3,
    local: Sequence[str] = ("gemma",),
    surface: str = "chat_completions",
) -> DrillPlan:
    """Plan a drill of a chain whose first *depth* hops fail."""
    roles = [
        HopRole.FAIL if place < depth else HopRole.SERVE if place == depth else HopRole.SPARE
        for place in range(len(chain))
    ]
    scenario = Scenario(
        group=chain[0],
        chain=tuple(chain),
        trigger=Trigger.GENERAL,
        depth=depth,
        fault=FaultName.parse(fault),
        faults=dict.fromkeys(chain[:depth], FaultName.parse(fault)),
        shape="chat",
        surface=surface,
        stream=stream,
    )
    hops = tuple(
        PlannedHop(
            group=group,
            role=role,
            deployments=(deployment(group, local=group in local),),
            attempts_allowed=attempts_allowed,
            fault=FaultName.parse(fault) if role is HopRole.FAIL else None,
        )
        for group, role in zip(chain, roles, strict=True)
    )
    return DrillPlan(
        id="d1",
        scenario=scenario,
        nonce=NONCE,
        task=task,
        hops=hops,
        phase=phase,
        canary=canary,
        known_groups=frozenset({*chain, "bystander"}),
    )


def says(text: str = TEXT, **changes: Any) -> Reading:
    """Read a good answer of *text*."""
    usual = Reading(text=text, finish=Finish.STOP, ids=("a1",), ended=True, starts=1)
    return replace(usual, **changes)


def calls(*made: ToolCall, **changes: Any) -> Reading:
    """Read an answer that makes tool calls, by default the right one."""
    tool_calls = made or (CALL,)
    return replace(says(""), tool_calls=tool_calls, finish=Finish.TOOL_CALLS, **changes)


def fails(message: str = "Your credit balance is too low.", **changes: Any) -> Reading:
    """Read a well-formed error."""
    return Reading(error=ReadError(message, **changes), ended=True)


def cut(text: str, *defects: Defect, **changes: Any) -> Reading:
    """Read the beginning of an answer whose end never came."""
    found = tuple(DefectFound(defect, "seen by a test") for defect in defects)
    return replace(says(text), finish=None, ended=False, defects=found, **changes)


def record(
    group: str | None,
    outcome: AttemptOutcome,
    *,
    task: Task = CHAT,
    reply: Reading | None = None,
    status: int | None = 200,
    **changes: Any,
) -> WireRecord:
    """Make one attempt on the wire; it was asked what *task* asks."""
    usual = WireRecord(
        ordinal=1,
        group=group,
        deployment=f"id-{group}",
        dialect="openai",
        operation="chat_completions",
        model=f"{group}-upstream",
        stream=False,
        outcome=outcome,
        status=status,
        asked=task.ask,
        reply=reply,
        key_owner=KeyOwner.CANARY,
    )
    return replace(usual, **changes)


def faulted(group: str = "claude", **changes: Any) -> WireRecord:
    """Make an attempt that the fault answered."""
    usual: dict[str, Any] = {"status": 400, "fault": "billing", "reply": fails()}
    return record(group, AttemptOutcome.FAULTED, **{**usual, **changes})


def served(group: str = "gemma", reply: Reading | None = None, **changes: Any) -> WireRecord:
    """Make an attempt that a real upstream answered."""
    return record(group, AttemptOutcome.SERVED, reply=says() if reply is None else reply, **changes)


def errored(group: str = "gemma", message: str = "No such thing.", **changes: Any) -> WireRecord:
    """Make an attempt at which a real upstream failed."""
    usual: dict[str, Any] = {"status": 400, "reply": fails(message), "upstream_message": message}
    return record(group, AttemptOutcome.ERRORED, **{**usual, **changes})


def got(reading: Reading | None = None, *, status: int | None = 200, **changes: Any) -> ClientReply:
    """Make the client's reply, by default a good answer after one second."""
    usual = ClientReply(
        status=status,
        reading=says() if reading is None else reading,
        ttft_s=0.9,
        total_s=1.0,
    )
    return replace(usual, **changes)


def refused(message: str = "It failed.", *, status: int = 500, **changes: Any) -> ClientReply:
    """Make a reply that is a well-formed error."""
    return got(fails(message), status=status, ttft_s=None, **changes)


def seen(*wire: WireRecord, reply: ClientReply | None = None, **changes: Any) -> Observation:
    """Make an observation; the attempts are numbered in order."""
    numbered = tuple(replace(r, ordinal=place) for place, r in enumerate(wire, start=1))
    return Observation(reply=got() if reply is None else reply, wire=numbered, **changes)


def usual(
    reading: Reading | None = None, *, own: Reading | None = None, task: Task = CHAT, **changes: Any
) -> Observation:
    """Observe the usual drill; the hop said *own* (by default what the client got)."""
    reading = says() if reading is None else reading
    own = reading if own is None else own
    return seen(faulted(task=task), served(reply=own, task=task), reply=got(reading), **changes)


def verdict(of: DrillPlan, observation: Observation) -> Verdict:
    """Judge with every check there is."""
    return judge(of, observation, CHECKS)


def outcome(of: DrillPlan, observation: Observation) -> tuple[str, str | None]:
    """Judge, and tell outcome and kind as the report does."""
    judged = verdict(of, observation)
    return judged.outcome.value, judged.kind.value if judged.kind else None


def where(of: DrillPlan, observation: Observation) -> str | None:
    """Judge, and tell who is to blame."""
    deciding = verdict(of, observation).deciding
    return deciding.where.value if deciding and deciding.where else None


PASSED = ("passed", None)
