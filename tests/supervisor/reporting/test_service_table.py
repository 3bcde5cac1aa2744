"""The service's condition, as people read it."""

from supervisor.cli.console import as_plain_text
from supervisor.reporting.service_table import draw
from supervisor.service.condition import ServiceCondition


def test_everything_that_is_known_is_shown():
    """What the daemon says first."""
    seen = ServiceCondition(
        installed=True,
        state="active",
        since="Fri 2026-11-27 23:40:50 UTC",
        pid=86,
        memory_bytes=99_000_000,
        status="All 24 fallback paths proven",
        holds_port=True,
        problems=("it is not started at boot: systemctl enable",),
    )
    lines = [" ".join(line.split()) for line in as_plain_text(draw(seen)).splitlines()]
    assert lines == [
        "service active since Fri 2026-11-27 23:40:50 UTC",
        "says All 24 fallback paths proven",
        "process 86, 99 MB, restarted 0 times",
        "witness's port held",
        "at boot not started",
        "problem it is not started at boot: systemctl enable",
    ]
