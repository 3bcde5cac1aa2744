"""Rows of a drill report, as a campaign would leave them."""

from datetime import UTC, datetime

from chaos.drill.report import (
    DrillReport,
    DrillRow,
    FindingRow,
    HopRow,
    ReplyRow,
    ReportBuilder,
    ScenarioRow,
    summarise,
)
from chaos.drill.spending import Spending
from chaos.gateway.topology import Trigger
from chaos.judge.check import Kind, Result
from chaos.judge.verdict import Outcome


def finding(kind, message, **changes):
    """Make a finding that failed."""
    values = {
        "check": "hop_held",
        "result": Result.FAILED,
        "kind": kind,
        "where": None,
        "hop": None,
        "message": message,
        "remedy": "Mend it.",
        **changes,
    }
    return FindingRow(**values)


def hop(group, outcome="served", **changes):
    """Make one hop as the wire saw it."""
    values = {
        "group": group,
        "deployment": f"{group}-id",
        "attempts": 0 if outcome == "skipped" else 1,
        "outcome": outcome,
        "status": {"served": 200, "stood_in": 200, "faulted": 500}.get(outcome),
        "fault": "billing" if outcome == "faulted" else None,
        **changes,
    }
    return HopRow(**values)


def row(group="claude", fallback="gemma", *, kind=None, findings=(), hops=None, **changes):
    """Make the row of one drill at depth 1; passed, unless a kind is given."""
    depth = changes.pop("depth", 1)
    fault, shape = changes.pop("fault", "billing"), changes.pop("shape", "chat")
    stream, client = changes.pop("stream", False), changes.pop("client", None)
    chain = (group, *([fallback] if fallback else []))
    expected = chain[depth] if depth < len(chain) else None
    streaming = "stream" if stream else "whole"
    scenario = ScenarioRow(
        key=f"{group}/general/{depth}/{fault}/{shape}/chat_completions/{streaming}",
        group=group,
        chain=chain,
        fault=fault,
        trigger=Trigger.GENERAL,
        depth=depth,
        expected_hop=expected,
        faults=dict.fromkeys(chain[:depth], fault),
        shape=shape,
        surface="chat_completions",
        stream=stream,
        client=client,
    )
    usual = (hop(group, "faulted"), *([hop(fallback)] if fallback else []))
    outcome = Outcome.PASSED if kind is None else Outcome.FAILED
    if kind is not None and kind.is_reason:
        outcome = Outcome.INCONCLUSIVE
    values = {
        "id": "0123456789ab",
        "injector": "redirect",
        "credentials": "canary",
        "scenario": scenario,
        "outcome": outcome,
        "kind": kind,
        "known_gap": None,
        "findings": findings,
        "hops": usual if hops is None else hops,
        "reply": ReplyRow(
            status=200 if kind is None else 500,
            ttft_s=None,
            total_s=0.25,
            served_by=expected if kind is None else None,
            claimed_by=None,
            proof="real" if kind is None and expected else None,
        ),
        "started_at": datetime(2026, 1, 2, tzinfo=UTC),
        "attempt": 1,
        **changes,
    }
    return DrillRow(**values)


def failed(group="claude", message="gemma said no", **changes):
    """Make a row whose fallback failed by itself."""
    said = finding(Kind.HOP_FAILED, message, hop=changes.get("fallback", "gemma"))
    hops = (hop(group, "faulted"), hop("gemma", "errored", status=400))
    return row(group, kind=Kind.HOP_FAILED, findings=(said,), hops=hops, **changes)


def report(*rows, planned=0, seed=None, wildcards=None):
    """Make a report of *rows*."""
    builder = ReportBuilder("http://gateway", "1.106.2", spending=Spending(), wildcards=wildcards)
    return DrillReport(
        gateway=builder.gateway,
        summary=summarise(rows, duration_s=1.5, spent=Spending(), planned=planned),
        drills=rows,
        seed=seed,
    )
