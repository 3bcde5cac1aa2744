"""JUnit XML that Jenkins takes, from any report."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st
from junitparser import Error, Failure, JUnitXml, Skipped

from chaos.judge.check import Kind
from chaos.judge.verdict import Outcome
from chaos.scenario.expectation import Expected
from supervisor.reporting.junit import junit_xml
from tests.fakes.rows import failed, finding, report, row

SCHEMA = xmlschema.XMLSchema(Path(__file__).parents[2] / "data" / "junit-10.xsd")

PASSED = row()
FAILED = failed(message="gemma said no")
GAP = failed(known_gap="an issue of LiteLLM")
UNSURE = row(
    kind=Kind.ENGINE_BUSY, findings=(finding(Kind.ENGINE_BUSY, "4 requests of users wait"),)
)
ABORTED = row(outcome=Outcome.ABORTED, reply=PASSED.reply.model_copy(update={"total_s": None}))


def suite(*rows, **about):
    """The suite of a report, valid and read back."""
    text = junit_xml(report(*rows, **about))
    SCHEMA.validate(text)
    (only,) = list(JUnitXml.fromstring(text.encode()))
    return only


def test_every_outcome_has_its_element():
    """A known gap and an inconclusive drill are skipped: neither passed, neither red."""
    only = suite(PASSED, FAILED, GAP, UNSURE, ABORTED)
    kinds = [[type(result) for result in case.result] for case in only]
    assert kinds == [[], [Failure], [Skipped], [Skipped], [Error]]
    assert (only.tests, only.failures, only.skipped, only.errors) == (5, 1, 2, 1)


def test_a_failure_says_why_and_what_to_do():
    """CI shows the message first and the text when it is opened."""
    (case,) = suite(FAILED)
    (failure,) = case.result
    assert (failure.type, failure.message) == ("hop_failed", "gemma said no")
    assert "remedy: Mend it." in failure.text
    assert (case.name, case.classname) == (FAILED.scenario.key, "understudy.claude")
    assert "gemma: errored, 1 attempt(s), status 400" in case.system_out


@pytest.mark.parametrize(
    ("drill", "message"),
    [
        (GAP, "known gap: hop_failed: gemma said no (an issue of LiteLLM)"),
        (UNSURE, "inconclusive: engine_busy: 4 requests of users wait"),
    ],
)
def test_a_skipped_drill_says_why(drill, message):
    """Nobody takes it for a pass."""
    (case,) = suite(drill)
    assert case.result[0].message == message


def test_the_message_is_of_the_finding_that_decided():
    """The first in the list may be another's."""
    other = finding(Kind.TOO_LATE, "it took long")
    drill = failed(message="gemma said no")
    drill = drill.model_copy(update={"findings": (other, *drill.findings)})
    (case,) = suite(drill)
    assert case.result[0].message == "gemma said no"
    assert "too_late: it took long" in case.result[0].text
    assert "claude: faulted, 1 attempt(s), status 500, fault billing" in case.system_out


def test_the_gateway_and_the_totals_are_properties():
    """The time is that of the first drill, in UTC."""
    later = row(started_at=datetime(2026, 1, 3, tzinfo=UTC))
    east = timezone(timedelta(hours=2))
    earlier = row(started_at=datetime(2026, 1, 2, 1, tzinfo=east))
    only = suite(later, earlier, planned=5, seed=42)
    told = {item.name: item.value for item in only.properties()}
    assert told["gateway"] == "http://gateway"
    assert told["litellm_version"] == "1.106.2"
    assert (told["not_started"], told["seed"]) == ("3", "42")
    assert only.timestamp == "2026-01-01T23:00:00"


def test_a_report_without_drills_is_valid():
    """Nothing ran, and the file is still one."""
    assert suite().tests == 0


@given(st.text())
def test_whatever_a_model_said_the_file_is_valid(text):
    """Replies hold markup, control characters and halves of surrogate pairs."""
    said = junit_xml(report(failed(f"g{text}", message=text, known_gap=text or None)))
    SCHEMA.validate(said)
    said.encode("utf-8")


def test_a_case_says_as_whom_it_asked():
    """A client of the registry is in the key already, a profile's file is not."""
    named = row(shape="agent.codex", client="codex")
    own = row(shape="agent", client="ours.yaml")
    names = [case.name for case in suite(named, own)]
    assert names == [named.scenario.key, f"{own.scenario.key} as ours.yaml"]


def test_a_drill_that_should_be_refused_says_so():
    """A pass of it is another than the one that a reader takes for granted."""
    (case,) = suite(row(expected=Expected.REFUSED))
    assert "expected: refused" in case.system_out
    (usual,) = suite(PASSED)
    assert "expected:" not in usual.system_out


def test_the_key_as_which_a_gateway_was_drilled_is_named():
    """What is proven for one key is proven for no other."""
    drilled = report(PASSED)
    gateway = drilled.gateway.model_copy(update={"as_key": "team-a"})
    text = junit_xml(drilled.model_copy(update={"gateway": gateway}))
    SCHEMA.validate(text)
    assert '<property name="as_key" value="team-a"' in text
    assert "as_key" not in junit_xml(drilled)
