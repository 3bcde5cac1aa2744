"""One report for machines, and one exit code."""

import pytest

from supervisor.doctor.items import CONFIGURATION, DoctorReport, exit_code, fail, ok, warn


@pytest.mark.parametrize(
    ("items", "code"),
    [
        ([], 0),
        ([ok("a", "fine"), warn("b", "so so", "look")], 0),
        ([fail("a", "no", "do"), ok("b", "fine")], 1),
        ([fail("a", "no", "do"), fail(CONFIGURATION, "no", "do")], 2),
    ],
)
def test_only_what_keeps_drills_from_working_fails(items, code):
    """A warning leaves a way, and a broken file is an error as everywhere."""
    assert exit_code(items) == code


def test_the_report_has_its_schema_and_every_item():
    """What is well has no remedy; groups are listed whole, however many a message names."""
    report = DoctorReport(items=(ok("a", "fine", ["g", "h"]), fail("b", "no", "do")))
    assert report.model_dump(mode="json", by_alias=True) == {
        "schema": "understudy/doctor-report/1",
        "items": [
            {"name": "a", "status": "ok", "message": "fine", "remedy": None, "groups": ["g", "h"]},
            {"name": "b", "status": "fail", "message": "no", "remedy": "do", "groups": []},
        ],
    }
