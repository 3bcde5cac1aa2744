"""How the service is, by what systemd says."""

import pytest

from supervisor.service.condition import NOT_SET, condition
from supervisor.service.host import ServiceError

RUNS = f"""ActiveState=active
ActiveEnterTimestamp=Fri 2026-11-27 23:40:50 UTC
LoadState=loaded
MainPID=86
MemoryCurrent={NOT_SET}
NRestarts=2
Result=success
StatusText=All 24 fallback paths proven; a=b
SubState=running
UnitFileState=enabled
"""


def test_a_service_that_runs_has_no_problem(host, commands):
    """A number that systemd does not know is left out."""
    commands.printing(RUNS)
    seen = condition(host())
    assert (seen.state, seen.pid, seen.memory_bytes, seen.restarts) == ("active", 86, None, 2)
    assert seen.status == "All 24 fallback paths proven; a=b"
    assert (seen.holds_port, seen.at_boot, seen.problems) == (True, True, ())


def test_a_service_that_is_down_says_where_to_look(host, commands):
    """And that nobody holds the port, nor starts it at boot."""
    commands.printing(
        RUNS.replace("=active", "=failed").replace("=success", "=watchdog").replace("en", "dis")
    )
    seen = condition(host())
    assert len(seen.problems) == 3
    assert "failed (running, watchdog): journalctl" in seen.problems[0]


def test_a_machine_without_the_service_says_how_to_get_it(host, commands):
    """It is not an error of the command."""
    commands.printing("LoadState=not-found\nActiveState=inactive\n")
    seen = condition(host())
    assert not seen.installed
    assert seen.problems == ("it is not installed: understudy service install",)


def test_a_machine_without_systemd_is_an_error(host, commands):
    """There is nobody to ask."""
    commands.printing("")
    with pytest.raises(ServiceError, match=r"says nothing of understudy\.service"):
        condition(host())
