"""The machine's clock."""

from datetime import UTC, timedelta

from chaos.clock import SystemClock


def test_now_is_aware_and_in_utc():
    """A time of day without a zone would be another one on another machine."""
    now = SystemClock().now()
    assert now.tzinfo is UTC
    assert now.utcoffset() == timedelta(0)


async def test_monotonic_grows_while_sleeping():
    """Durations are measured on a clock that nobody sets."""
    clock = SystemClock()
    before = clock.monotonic()
    await clock.sleep(0)
    assert clock.monotonic() >= before
