"""Ask pip-audit whether a locked dependency has a known vulnerability; `make audit-dependencies`.

Exit code 1 if one has, unless accepted-vulnerabilities.yaml accepts it until a day that has not
passed. Where the service that knows does not answer, that is said and nothing fails: an index
that mirrors packages often has no such answers, and pip-audit itself then ends with 0.
"""

import json
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
ACCEPTED = HERE / "accepted-vulnerabilities.yaml"
LOCK = HERE.parent / "requirements-dev.txt"
PIP_AUDIT = Path(sys.executable).parent / "pip-audit"


def main(arguments: list[str]) -> int:
    """Ask, and say what is known."""
    pip_audit, accepted_file, lock = (
        Path(given) for given in arguments or (PIP_AUDIT, ACCEPTED, LOCK)
    )
    try:
        accepted = _accepted(accepted_file.read_text("utf-8"))
    except (ValueError, KeyError, TypeError) as error:
        _say(f"{accepted_file.name}: each entry needs id, reason and until: {error}")
        return 1
    asked = subprocess.run(
        # The lock is complete: nothing has to be resolved, or installed.
        [pip_audit, "--requirement", lock, "--no-deps", "--disable-pip", "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        dependencies: list[dict[str, Any]] = json.loads(asked.stdout)["dependencies"]
    except (ValueError, KeyError):
        why = (asked.stderr.strip().splitlines() or [f"exit code {asked.returncode}"])[-1]
        return _not_answered(f"pip-audit could not ask: {why}")
    skipped = [one["name"] for one in dependencies if "vulns" not in one]
    if len(skipped) == len(dependencies):
        return _not_answered("the index knows nothing of vulnerabilities")
    if skipped:
        _say(f"NOT CHECKED, for the index does not know them: {', '.join(skipped)}")
    open_ones = [line for one in dependencies for line in _open(one, accepted)]
    for line in open_ones:
        _say(line)
    checked = len(dependencies) - len(skipped)
    _say(f"{checked} dependencies checked, {len(open_ones)} open vulnerabilities")
    return 1 if open_ones else 0


def _accepted(text: str) -> dict[str, tuple[date, str]]:
    """Read what is accepted: by id, until when and why."""
    found = {}
    for entry in yaml.safe_load(text) or []:
        until = entry["until"]
        if not isinstance(until, date) or not str(entry["reason"]).strip():
            raise ValueError(f"{entry['id']}: until is a day, and the reason is not empty")
        found[str(entry["id"])] = (until, str(entry["reason"]))
    return found


def _open(dependency: dict[str, Any], accepted: dict[str, tuple[date, str]]) -> list[str]:
    """List the vulnerabilities of one dependency that nobody accepts today."""
    today, lines = datetime.now(UTC).date(), []
    for known in dependency.get("vulns", ()):
        ids = (known["id"], *known.get("aliases", ()))
        until, reason = next((accepted[one] for one in ids if one in accepted), (None, ""))
        name = f"{dependency['name']} {dependency['version']}: {', '.join(ids)}"
        if until is not None and today <= until:
            _say(f"accepted until {until}: {name} ({reason})")
            continue
        fixed = ", ".join(known.get("fix_versions", ())) or "no version yet"
        late = f"; accepted only until {until}" if until else ""
        lines.append(f"VULNERABLE: {name}; fixed in {fixed}{late}")
    return lines


def _not_answered(why: str) -> int:
    _say(f"NOT CHECKED: {why}. No dependency was checked for known vulnerabilities.")
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
