"""An upgrade's changes for programs."""

import json
from xml.etree import ElementTree as ET

from chaos.judge.check import Kind
from supervisor.campaign.upgrade import Change, Upgrade
from supervisor.reporting.upgrade_json import upgrade_json, upgrade_junit
from tests.fakes.rows import failed, row

UNHIT = row("o", kind=Kind.FAULT_NOT_HIT)
CHANGES = (
    Change(row(), failed()),
    Change(row("o"), UNHIT),
    Change(failed("g", message="a \x00 byte"), row("g")),
)
UPGRADE = Upgrade("1", "2", 9, CHANGES, gone=("x",))


def test_json_has_every_change_with_both_outcomes():
    """And the counts that a script asks for."""
    told = json.loads(upgrade_json(UPGRADE))
    assert told["schema"] == "understudy/upgrade-report/1"
    assert (told["from"], told["to"], told["drills"]) == ("1", "2", 9)
    assert told["counts"] == {"worse": 1, "otherwise": 0, "untold": 1, "better": 1}
    first = told["changes"][0]
    assert first["what"] == "worse"
    assert first["before"]["outcome"] == "passed"
    assert first["after"]["kind"] == "hop_failed"
    assert told["only_one_has"] == ["x"]


def test_junit_fails_on_what_gets_worse_and_skips_what_nobody_can_tell():
    """A CI system shows both."""
    suite = ET.fromstring(upgrade_junit(UPGRADE))[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "1", "1")
    cases = suite.findall("testcase")
    assert [len(case.findall("failure")) for case in cases] == [1, 0, 0]
    assert [len(case.findall("skipped")) for case in cases] == [0, 1, 0]


def test_without_a_change_there_is_a_case_that_passes():
    """An empty suite counts as nothing run."""
    suite = ET.fromstring(upgrade_junit(Upgrade("1", "2", 9, ())))[0]
    assert suite.get("tests") == "1"
    assert len(suite.findall("testcase")) == 1
