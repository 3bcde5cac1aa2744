"""Known vulnerabilities of dependencies fail CI; a service that does not answer does not."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
SCRIPT = REPOSITORY / ".ci" / "audit_dependencies.py"
TODAY = datetime.now(UTC).date()
FINE = {"name": "yarl", "version": "1.25.1", "vulns": []}
BAD = {
    "name": "jinja2",
    "version": "3.1.2",
    "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-2024-22195"], "fix_versions": ["3.1.3"]}],
}
UNKNOWN = {"name": "ours", "skip_reason": "Dependency not found on PyPI"}


@pytest.fixture
def audit(tmp_path: Path):
    """Run the script beside a pip-audit that answers as it is told."""

    def run(*dependencies, accepted="[]", answer=None, exit_code=0):
        said = json.dumps({"dependencies": dependencies}) if answer is None else answer
        (tmp_path / "answer").write_text(said)
        (tmp_path / "accepted.yaml").write_text(accepted)
        fake = tmp_path / "pip-audit"
        fake.write_text(
            f"#!/bin/sh\ncat {tmp_path / 'answer'}\necho Connection refused >&2\nexit {exit_code}\n"
        )
        fake.chmod(0o755)
        return subprocess.run(
            [sys.executable, SCRIPT, fake, tmp_path / "accepted.yaml", "lock.txt"],
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def accepting(name, until):
    """Accept one vulnerability until a day."""
    return yaml.safe_dump([{"id": name, "reason": "not called", "until": until}])


def test_without_a_known_vulnerability_it_passes(audit):
    """The number of dependencies that were checked is said."""
    ended = audit(FINE)
    assert (ended.returncode, ended.stdout) == (
        0,
        "1 dependencies checked, 0 open vulnerabilities\n",
    )


def test_a_known_vulnerability_fails(audit):
    """With its ids and where it is fixed, whatever else was skipped."""
    ended = audit(FINE, BAD, UNKNOWN, exit_code=1)
    assert ended.returncode == 1
    assert "VULNERABLE: jinja2 3.1.2: PYSEC-1, CVE-2024-22195; fixed in 3.1.3" in ended.stdout
    assert "NOT CHECKED, for the index does not know them: ours" in ended.stdout


@pytest.mark.parametrize("name", ["PYSEC-1", "CVE-2024-22195"])
def test_an_accepted_one_passes_until_its_day(audit, name):
    """By any of its ids; the day itself still counts, the next does not."""
    ended = audit(BAD, accepted=accepting(name, TODAY))
    assert (ended.returncode, "accepted until" in ended.stdout) == (0, True)
    ended = audit(BAD, accepted=accepting(name, TODAY - timedelta(days=1)))
    assert (ended.returncode, "accepted only until" in ended.stdout) == (1, True)


def test_another_one_is_not_accepted(audit):
    """An entry is about one vulnerability, not about a package."""
    assert audit(BAD, accepted=accepting("PYSEC-2", TODAY)).returncode == 1


@pytest.mark.parametrize(
    "entry",
    ["- {id: X}", "- {id: X, reason: '', until: 2027-01-01}", "- {id: X, reason: y, until: never}"],
)
def test_an_entry_without_reason_or_day_is_refused(audit, entry):
    """Nothing is accepted for ever, or without saying why."""
    assert audit(FINE, accepted=entry).returncode == 1


def test_an_index_that_knows_nothing_is_not_a_pass(audit):
    """pip-audit itself ends with 0 there; that nothing was checked is said."""
    ended = audit(UNKNOWN, UNKNOWN)
    assert (ended.returncode, ended.stdout[:12]) == (0, "NOT CHECKED:")


def test_a_service_that_cannot_be_reached_fails_nothing(audit):
    """A machine without a network must be able to run every check."""
    ended = audit(answer="", exit_code=1)
    assert ended.returncode == 0
    assert "NOT CHECKED: pip-audit could not ask: Connection refused." in ended.stdout


def test_ci_asks_and_the_file_of_accepted_ones_is_valid():
    """The target exists, CI runs it, and what is accepted now has a reason and a day."""
    assert "make audit-dependencies" in (REPOSITORY / ".ci" / "run").read_text()
    assert "audit_dependencies.py" in (REPOSITORY / "Makefile").read_text()
    for entry in yaml.safe_load((SCRIPT.parent / "accepted-vulnerabilities.yaml").read_text()):
        assert {"id", "reason", "until"} == set(entry)
