"""Tests of the registry: nothing is forgotten, and every kind can come out."""

from pathlib import Path

import pytest

import chaos.judge.checks
from chaos.errors import UsageError
from chaos.faults.fault import Phase
from chaos.judge.check import Check, Kind
from chaos.judge.checks import CHECKS, CHECKS_BY_NAME, find
from chaos.judge.observation import Load
from chaos.protocol.conversation import Finish, ToolCall
from chaos.witness.wire_record import AttemptOutcome, KeyOwner
from tests.fakes.observations import (
    CALL,
    NONCE,
    STRUCTURE_TASK,
    TOOL_TASK,
    calls,
    cut,
    errored,
    fails,
    faulted,
    got,
    plan,
    record,
    refused,
    sampled,
    says,
    seen,
    served,
    usual,
    verdict,
)

NO_CHECK_GIVES = {Kind.ENGINE_BUSY, Kind.WOULD_EVICT, Kind.OVER_BUDGET, Kind.HALTED}
"""Reasons of the guard: with them no request is sent, so there is nothing to check."""

OF_SEQUENCES = {Kind.SLOW_RECOVERY}
"""What only many requests together can show: see test_sequence."""

SHARED_LOGIC = {"blame", "evidence", "json_value", "leaks", "schema_meaning"}
"""Modules of the folder that are no checks."""

MID_STREAM = plan(phase=Phase.AFTER_FIRST_BYTE, fault="stream_cut", stream=True)
HALF = faulted(stream=True, status=200, reply=cut("[claude] The w"), whole=False)
LOOSE = ToolCall(None, CALL.name, CALL.arguments)

EXAMPLES = {
    Kind.NO_FALLBACK: (plan(chain=("claude",)), seen(faulted(), reply=refused())),
    Kind.NEVER_TRIED: (plan(), seen(faulted(), reply=refused())),
    Kind.HOP_SKIPPED: (
        plan(chain=("claude", "gpt", "gemma"), depth=2),
        seen(faulted(), served()),
    ),
    Kind.HOP_FAILED: (plan(), seen(faulted(), errored(), reply=refused())),
    Kind.WRONG_HOP: (plan(), seen(faulted(), reply=got())),
    Kind.TOO_LATE: (plan(), seen(faulted(), served(), reply=got(total_s=99.0))),
    Kind.RETRY_STORM: (plan(), seen(*[faulted()] * 9, served())),
    Kind.EMPTY_REPLY: (plan(), usual(says(""))),
    Kind.SPLICED_REPLY: (
        MID_STREAM,
        seen(HALF, served(stream=True), reply=got(says("[claude] The w" + says().text))),
    ),
    Kind.TRUNCATED_REPLY: (MID_STREAM, seen(HALF, reply=got(says("[claude] The w")))),
    Kind.INBAND_ERROR: (
        plan(depth=2),
        seen(faulted(), faulted("gemma"), reply=got(fails(in_band=True))),
    ),
    Kind.REQUEST_CHANGED: (plan(), seen(faulted(), served(key_owner=KeyOwner.OTHER))),
    Kind.TOOL_CALL_MISSING: (
        plan(task=TOOL_TASK),
        usual(says("No."), own=calls(text="No."), task=TOOL_TASK),
    ),
    Kind.TOOL_CALL_LEAKED: (
        plan(task=TOOL_TASK),
        usual(says(f"<tool_call>{CALL.arguments}</tool_call>"), task=TOOL_TASK),
    ),
    Kind.TOOL_CALL_INVALID: (
        plan(task=TOOL_TASK),
        usual(calls(LOOSE), own=calls(), task=TOOL_TASK),
    ),
    Kind.ANSWER_DEGRADED: (
        plan(task=STRUCTURE_TASK),
        usual(
            says("Hm."),
            task=STRUCTURE_TASK,
            direct=sampled(*[says("Hm.")] * 3, task=STRUCTURE_TASK),
        ),
    ),
    Kind.HAMMERED: (
        plan(),
        seen(faulted(retry_after_s=20.0), faulted(started_at_s=1.0, ended_at_s=1.0), served()),
    ),
    Kind.MISREPORTED: (
        plan(),
        seen(faulted(), served(), reply=got(headers={"x-litellm-model-group": "claude"})),
    ),
    Kind.COLLATERAL: (plan(), usual(collateral=("bystander cooled",))),
    Kind.FAULT_NOT_HIT: (plan(), seen(served())),
    Kind.WITNESS_UNREACHABLE: (plan(), seen(reply=refused("Connection error."))),
    Kind.NONCE_LOST: (plan(), seen(reply=refused(), strays=1)),
    Kind.CACHED_REPLY: (plan(), seen(reply=got(says("As I said before.")))),
    Kind.COOLDOWN_OPEN: (
        plan(),
        seen(reply=refused("No deployments available for selected model", status=429)),
    ),
    Kind.HOP_NOT_FORWARDABLE: (plan(), seen(faulted(), errored(status=401), reply=refused())),
    Kind.HOP_UNAVAILABLE: (
        plan(local=()),
        seen(faulted(), errored(status=503), reply=refused()),
    ),
    Kind.MODEL_UNRELIABLE: (
        plan(task=TOOL_TASK),
        usual(says("I had rather not."), task=TOOL_TASK),
    ),
    Kind.TOKEN_BUDGET: (plan(), usual(says("", reasoning="Hm.", finish=Finish.LENGTH))),
    Kind.GATEWAY_REFUSED: (plan(), seen(reply=refused("Invalid key.", status=401))),
    Kind.GATEWAY_BUSY: (
        plan(),
        seen(
            reply=got(says(""), status=None, timed_out=True, total_s=None),
            load=Load(reached=True),
        ),
    ),
    Kind.GATEWAY_DOWN: (
        plan(),
        seen(reply=got(says(""), status=None, broke_off="ClientConnectorError")),
    ),
}

HEALTHY = {
    "a fallback that served": (plan(), usual()),
    "a fallback that streamed": (
        plan(stream=True),
        seen(faulted(), served(stream=True)),
    ),
    "a chat answered loosely": (plan(), usual(says(f"With pleasure: {NONCE.upper()}!"))),
    "a primary that fails once": (
        plan(fault="rate_limit.once"),
        seen(faulted(), served("claude")),
    ),
    "retries within the allowance": (plan(), seen(faulted(), faulted(), served())),
    "an honest error after output": (
        MID_STREAM,
        seen(HALF, reply=got(cut("[claude] The w", error=fails(in_band=True).error))),
    ),
    "everything down, told honestly": (
        plan(depth=2),
        seen(faulted(), faulted("gemma"), reply=refused()),
    ),
    "a tool call": (plan(task=TOOL_TASK), usual(calls(), task=TOOL_TASK)),
    "a stand-in for a paid hop": (
        plan(local=()),
        seen(faulted(), record("gemma", AttemptOutcome.STOOD_IN, reply=says())),
    ),
}


@pytest.mark.parametrize(
    "kind", [kind for kind in Kind if kind not in NO_CHECK_GIVES | OF_SEQUENCES]
)
def test_every_kind_can_come_out(kind):
    """For each kind there is a drill of which it is the verdict."""
    expected = "inconclusive" if kind.is_reason else "failed"
    judged = verdict(*EXAMPLES[kind])
    assert (judged.outcome, judged.kind) == (expected, kind)


@pytest.mark.parametrize("name", HEALTHY)
def test_what_is_healthy_passes(name):
    """No check raises its voice over a drill in which nothing is wrong."""
    of, observation = HEALTHY[name]
    if of.scenario.stream:
        wire = tuple(_streamed(attempt) for attempt in observation.wire)
        observation = seen(*wire, reply=observation.reply)
    judged = verdict(of, observation)
    assert [f for f in judged.findings if f.kind is not None] == []
    assert judged.outcome == "passed"


def _streamed(attempt):
    return record(
        attempt.group,
        attempt.outcome,
        reply=attempt.reply,
        status=attempt.status,
        stream=True,
        whole=attempt.whole,
    )


@pytest.mark.parametrize("kind", EXAMPLES)
def test_failures_come_with_a_message_and_a_remedy(kind):
    """Whoever reads a failure learns what was seen and what to do, in bounded words."""
    for finding in verdict(*EXAMPLES[kind]).findings:
        assert finding.message.endswith(".")
        assert "\n" not in finding.message
        assert len(finding.message) < 700
        if finding.result == "failed":
            assert finding.remedy
            assert finding.where


def test_every_check_of_the_folder_is_listed():
    """A file that nobody listed would judge nothing, silently."""
    folder = Path(chaos.judge.checks.__file__).parent
    files = {file.stem for file in folder.glob("*.py")} - {"__init__"} - SHARED_LOGIC
    assert {check.name for check in CHECKS} == files


def test_checks_say_what_they_are_called():
    """Every finding carries its check's name, and every check has a summary."""
    *findings, closing = verdict(plan(), usual()).findings
    for check, finding in zip(CHECKS, findings, strict=True):
        assert finding.check == check.name
        assert check.summary.endswith(".")
    assert closing.check == "proof"


def test_a_check_is_found_by_name():
    """Names are looked up, and a typing error is told as one."""
    assert isinstance(find("story"), Check)
    assert list(CHECKS_BY_NAME) == [check.name for check in CHECKS]
    with pytest.raises(UsageError, match="'strory' is not a check"):
        find("strory")
