"""The report: rows, counts and the exit code."""

import json
from dataclasses import replace

import pytest
from packaging.specifiers import SpecifierSet

from chaos.drill.drill import DEFECT
from chaos.drill.events import CampaignPlanned, DrillEnded
from chaos.drill.report import (
    DrillReport,
    GatewayRow,
    ReportBuilder,
    Summary,
    exit_code,
    row_of,
    summarise,
)
from chaos.drill.spending import Spending
from chaos.gateway.prices import most_tokens, price_usd
from chaos.judge.check import Kind
from chaos.judge.known_gaps import KnownGap
from chaos.judge.verdict import Outcome
from chaos.protocol.reading import Usage
from tests.fakes import observations
from tests.fakes.gateway import FakeGateway
from tests.fakes.one_drill import one
from tests.fakes.rows import finding, row

NO_SPENDING = Spending()


async def test_a_row_tells_what_the_wire_saw():
    """Hops in the order of the chain, what became of each, and who served."""
    row = row_of(await one(), litellm_version="1.106.2")
    assert [(h.group, h.outcome, h.attempts, h.status) for h in row.hops] == [
        ("paid", "faulted", 1, 429),
        ("backup", "stood_in", 1, 200),
    ]
    assert (row.outcome, row.kind, row.reply.served_by) == (Outcome.PASSED, None, "backup")
    assert (row.credentials, row.injector, row.scenario.expected_hop) == (
        "canary",
        "redirect",
        "backup",
    )


async def test_a_hop_that_was_never_contacted_is_skipped():
    """The line that people look for first."""
    silent = FakeGateway({"paid": ["paid", "backup"]}, falls_back=False)
    row = row_of(await one(silent), litellm_version="1.106.2")
    assert [(h.group, h.outcome, h.attempts) for h in row.hops] == [
        ("paid", "faulted", 1),
        ("backup", "skipped", 0),
    ]
    assert row.reply.served_by is None


async def test_a_known_gap_stays_failed_and_names_its_source():
    """The outcome is what happened; the exit code is what ignores it."""
    silent = FakeGateway({"paid": ["paid", "backup"]}, falls_back=False)
    gap = KnownGap(SpecifierSet(">=1"), "*", frozenset({Kind.NEVER_TRIED}), frozenset(), "an issue")
    row = row_of(await one(silent), litellm_version="1.106.2", gaps=[gap])
    assert (row.outcome, row.known_gap) == (Outcome.FAILED, "an issue")
    counts = summarise([row], duration_s=1.0, spent=NO_SPENDING)
    assert (counts.failed, counts.known_gaps) == (0, 1)


async def test_the_report_keeps_the_published_names():
    """Others parse it: the schema's name, and every field of the contract."""
    row = row_of(await one(), litellm_version="1.106.2")
    report = DrillReport(
        gateway=GatewayRow(url="http://g", litellm_version="1.106.2"),
        summary=summarise([row], duration_s=1.0, spent=NO_SPENDING),
        drills=(row,),
    )
    raw = json.loads(report.model_dump_json(by_alias=True))
    assert raw["schema"] == "understudy/drill-report/1"
    assert list(raw["summary"]) == [
        "passed",
        "routed",
        "failed",
        "known_gaps",
        "inconclusive",
        "aborted",
        "duration_s",
        "requests",
        "tokens",
        "cost_usd",
        "not_started",
    ]
    assert list(raw["drills"][0]) == [
        "id",
        "injector",
        "credentials",
        "scenario",
        "outcome",
        "kind",
        "known_gap",
        "findings",
        "hops",
        "reply",
        "started_at",
        "attempt",
        "sequence",
        "expected",
    ]
    assert DrillReport.model_validate(raw) == report


def counts(**values):
    """Make a summary with these counts."""
    zero = dict.fromkeys(
        (
            "passed",
            "routed",
            "failed",
            "known_gaps",
            "inconclusive",
            "aborted",
            "requests",
            "tokens",
        ),
        0,
    )
    return Summary(**{**zero, "duration_s": 0.0, "cost_usd": 0.0, **values})


@pytest.mark.parametrize(
    ("summary", "code"),
    [
        (counts(passed=2), 0),
        (counts(passed=2, known_gaps=1), 0),
        (counts(passed=2, failed=1), 1),
        (counts(failed=1, aborted=1), 1),
        (counts(passed=1, aborted=1), 4),
        (counts(passed=1, not_started=1), 4),
        (counts(failed=1, not_started=1), 1),
        (counts(passed=1, inconclusive=1), 3),
        (counts(known_gaps=2), 3),
        (counts(), 3),
    ],
)
def test_the_exit_code_is_the_contract_s(summary, code):
    """Nothing passes vacuously, and known gaps alone are no pass."""
    assert exit_code(summary, ()) == code


def test_a_defect_of_ours_has_a_code_of_its_own():
    """After a failure, which is true whatever broke off; before a signal, which explains less."""
    broken = row(outcome=Outcome.ABORTED, findings=(finding(None, "broke off", check=DEFECT),))
    assert exit_code(counts(passed=1, aborted=1), [broken], stopped=True) == 70
    assert exit_code(counts(failed=1, aborted=1), [broken]) == 1
    assert exit_code(counts(passed=1), [row()], stopped=True) == 4


async def test_only_real_answers_cost():
    """Stand-ins and faults are free; a served paid hop is priced by its usage."""
    drill = await one()
    spent = Spending()
    spent.settle(drill)
    assert (spent.requests, spent.tokens, spent.cost_usd) == (1, 0, 0.0)
    assert replace(drill, requests=3).requests == 3


def paid_plan():
    """Plan a drill whose paid hop answers for real."""
    plan = observations.plan(local=(), canary=False)
    hops = tuple(
        replace(
            hop,
            deployments=tuple(
                replace(d, input_cost_per_token=1.0, output_cost_per_token=10.0)
                for d in hop.deployments
            ),
        )
        for hop in plan.hops
    )
    return replace(plan, hops=hops)


MOST_USD = price_usd(paid_plan().hops[1].deployments, *most_tokens(paid_plan().task.ask))


@pytest.mark.parametrize(
    ("record", "usd"),
    [
        (observations.served(forwarded=True, reply=observations.says(usage=Usage(3, 2))), 23.0),
        (observations.served(forwarded=True, reply=observations.says()), MOST_USD),
        (
            observations.served(
                forwarded=True, whole=False, reply=observations.cut("x", usage=Usage(3, 1))
            ),
            MOST_USD,
        ),
        (replace(observations.served(forwarded=True), reply=None), MOST_USD),
        (observations.errored(forwarded=True, status=None, reply=None), MOST_USD),
        (observations.errored(forwarded=True, status=429), 0.0),
        (observations.errored(forwarded=False, status=None, reply=None), 0.0),
    ],
    ids=["told", "silent", "cut", "unreadable", "no status", "refused", "never arrived"],
)
async def test_what_a_paid_attempt_does_not_tell_costs_the_most(record, usd):
    """Providers charge for answers that broke off; they do not for errors."""
    plan = paid_plan()
    drill = replace(await one(), plan=plan, wire=((plan, record),))
    spent = Spending()
    spent.settle(drill)
    assert spent.cost_usd == pytest.approx(usd)


def test_a_report_says_which_model_was_drilled_for_a_wildcard():
    """For machines too: they may know only the wildcard."""
    standing = {"openai/*": "openai/gpt"}
    builder = ReportBuilder("http://g", "1.106.2", spending=NO_SPENDING, wildcards=standing)
    (row,) = json.loads(builder.report().model_dump_json(by_alias=True))["gateway"]["wildcards"]
    assert row == {"pattern": "openai/*", "group": "openai/gpt"}


async def test_what_was_planned_and_has_no_row_is_counted():
    """A run that was stopped after one of three drills does not look like a run of one."""
    drill = await one()
    plans = (drill.plan, replace(drill.plan, id="second"), replace(drill.plan, id="third"))
    builder = ReportBuilder("http://g", "1.106.2", spending=NO_SPENDING, seed=7)
    builder.take(CampaignPlanned(plans))
    assert builder.report().summary.not_started == 3
    builder.take(DrillEnded(drill))
    report = builder.report()
    assert (report.summary.passed, report.summary.not_started, report.seed) == (1, 2, 7)
